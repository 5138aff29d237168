//! The pool under load, panics and shutdown. Order is enforced by gates, never by waiting a while.

use super::super::password::hash;
use super::*;
use std::sync::mpsc;

fn small() -> Params {
    Params::new(64, 1, 1).unwrap()
}

fn limits(threads: usize, queue: usize) -> Limits {
    Limits { threads: NonZeroUsize::new(threads).unwrap(), queue, wait: Duration::from_secs(3600) }
}

fn decoy() -> Decoy {
    Decoy::new(small(), [1; 16], [2; 32])
}

fn stored(password: &str) -> PasswordHash {
    hash(password.as_bytes(), [5; 16], small(), &mut Arena::new()).unwrap()
}

/// A job that runs until its gate is dropped.
struct Held {
    _gate: mpsc::Sender<()>,
    _answer: oneshot::Receiver<()>,
}

/// Holds every thread of the pool until what it returns is dropped.
fn hold(pool: &Pool, threads: usize) -> Vec<Held> {
    let (started, running) = mpsc::channel();
    let gates = (0..threads)
        .map(|_| {
            let (open, gate) = mpsc::channel::<()>();
            let started = started.clone();
            let job = move |_: &mut Arena| {
                started.send(()).unwrap();
                let _opened = gate.recv();
            };
            Held { _gate: open, _answer: pool.submit(0, job).unwrap() }
        })
        .collect();
    (0..threads).for_each(|_| running.recv().unwrap());
    gates
}

#[test]
fn hashes_and_verifies() {
    // Goal: what the pool hashes it verifies, and not another password.
    let pool = Pool::start(limits(2, 16)).unwrap();
    let made = pool.hash(Secret::from("correct horse"), [9; 16], small()).unwrap().blocking_recv().unwrap().unwrap();
    for (password, matched) in [("correct horse", true), ("wrong horse", false), ("", false)] {
        let found = pool.verify(&made, Secret::from(password), small()).unwrap().wait().unwrap();
        assert_eq!(found.matched, matched, "{password}");
    }
    let refused = pool.hash(Secret::from(&b"\xff"[..]), [9; 16], small()).unwrap().blocking_recv().unwrap();
    assert!(matches!(refused, Err(HashError::Unfit(_))));
}

#[test]
fn a_proof_costs_a_run_unless_it_succeeds_cheaply() {
    // Goal: unknown names, wrong passwords and damaged hashes all go through a hashing thread; a right password against
    // a cheap hash does not; the answer of the real comparison is kept.
    let pool = Pool::start(limits(1, 16)).unwrap();
    let sha = PasswordHash::from_stored("{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=");
    let damaged = PasswordHash::from_stored("{SSHA}x");
    let argon = stored("test");
    let lighter = hash(b"test", [5; 16], Params::new(8, 1, 1).unwrap(), &mut Arena::new()).unwrap();
    let cases = [
        (Some(&lighter), "test", true, false, true),
        (Some(&lighter), "wrong", false, false, true),
        (None, "test", false, false, true),
        (Some(&argon), "test", true, false, true),
        (Some(&argon), "wrong", false, false, true),
        (Some(&sha), "test", true, false, false),
        (Some(&sha), "wrong", false, false, true),
        (Some(&damaged), "test", false, true, true),
        (Some(&argon), "", false, false, false),
        (None, "", false, false, false),
    ];
    for (stored, password, matched, defect, ran) in cases {
        let check = pool.prove(stored, Secret::from(password), &decoy()).unwrap();
        assert_eq!(matches!(check, Check::Later(_)), ran, "{stored:?} {password}");
        let found = check.wait().unwrap();
        assert_eq!((found.matched, found.defect.is_some()), (matched, defect), "{stored:?} {password}");
    }
    pool.shutdown();
    assert_eq!((pool.snapshot().done, pool.snapshot().inline), (7, 3));
}

#[test]
fn overlong_passwords_start_nothing() {
    // Goal: above 1024 bytes no job is queued, for known and unknown names alike.
    let pool = Pool::start(limits(1, 16)).unwrap();
    let argon = stored("test");
    for stored in [None, Some(&argon)] {
        let check = pool.prove(stored, Secret::new(vec![b'x'; 1025]), &decoy()).unwrap();
        assert!(matches!(check, Check::Now(Verification { matched: false, .. })));
    }
    pool.shutdown();
    assert_eq!(pool.snapshot().done, 0);
}

#[test]
fn a_full_queue_is_busy() {
    // Goal: the queue takes its limit and refuses the rest at once; all that was taken is answered.
    let pool = Pool::start(limits(2, 8)).unwrap();
    let gates = hold(&pool, 2);
    let taken: Vec<_> = (0..8).map(|_| pool.prove(None, Secret::from("x"), &decoy()).unwrap()).collect();
    for _ in 0..4096 {
        assert_eq!(pool.prove(None, Secret::from("x"), &decoy()).unwrap_err(), Busy::Full);
    }
    assert_eq!((pool.snapshot().queued, pool.snapshot().running), (8, 2));
    drop(gates);
    for check in taken {
        assert!(!check.wait().unwrap().matched);
    }
    pool.shutdown();
    let end = pool.snapshot();
    assert_eq!((end.queued, end.running, end.done, end.refused_full), (0, 0, 10, 4096));
    assert_eq!(end.expected_wait, Duration::ZERO);
}

#[test]
fn a_long_wait_is_busy() {
    // Goal: jobs are refused by expected time before the count is reached, and taken again once the work is done.
    let pool = Pool::start(Limits { wait: Duration::from_secs(2), ..limits(2, 1000) }).unwrap();
    let gates = hold(&pool, 2);
    let mut receivers = Vec::new();
    let refused = loop {
        match pool.submit(500_000, |_| ()) {
            Ok(receiver) => receivers.push(receiver),
            Err(busy) => break busy,
        }
    };
    // Two threads, half a second each: more than two seconds are ahead of the tenth.
    assert_eq!((receivers.len(), refused), (9, Busy::Slow));
    assert_eq!(pool.snapshot().expected_wait, Duration::from_millis(2250));
    drop(gates);
    for receiver in receivers {
        receiver.blocking_recv().unwrap();
    }
    assert!(pool.submit(500_000, |_| ()).is_ok());
}

#[test]
fn a_panic_costs_one_job() {
    // Goal: a panicking job is lost alone; its thread goes on with the next.
    let pool = Pool::start(limits(1, 16)).unwrap();
    for round in 1..=3 {
        let lost = pool.submit(0, |_| -> u8 { panic!("a job that panics, on purpose") }).unwrap();
        assert!(lost.blocking_recv().is_err());
        let next = pool.hash(Secret::from("correct horse"), [0; 16], small()).unwrap();
        assert!(next.blocking_recv().unwrap().is_ok());
        assert_eq!(pool.snapshot().panicked, round);
    }
}

#[test]
fn nobody_waits_nothing_runs() {
    // Goal: a job whose asker went away before it began is not run.
    let pool = Pool::start(limits(1, 16)).unwrap();
    let gates = hold(&pool, 1);
    let (ran, runs) = mpsc::channel();
    for _ in 0..5 {
        let ran = ran.clone();
        drop(pool.submit(0, move |_| ran.send(())).unwrap());
    }
    drop((gates, ran));
    pool.shutdown();
    assert_eq!(runs.iter().count(), 0);
    assert_eq!(pool.snapshot().abandoned, 5);
}

#[test]
fn shutdown_finishes_the_queue() {
    // Goal: what was taken before the shutdown is answered, what comes later is refused, a second shutdown is harmless.
    let pool = Pool::start(limits(1, 16)).unwrap();
    let gates = hold(&pool, 1);
    let taken: Vec<_> = (0..10).map(|n| pool.submit(0, move |_| n).unwrap()).collect();
    drop(gates);
    pool.shutdown();
    assert_eq!(pool.submit(0, |_| ()).unwrap_err(), Busy::Closed);
    let answers: Vec<_> = taken.into_iter().map(|receiver| receiver.blocking_recv().unwrap()).collect();
    assert_eq!(answers, (0..10).collect::<Vec<_>>());
    pool.shutdown();
}

#[test]
fn two_thousand_right_passwords() {
    // Goal: any number of right passwords at once all succeed, if the bounds admit them.
    let pool = Pool::start(limits(2, 2000)).unwrap();
    let argon = stored("test");
    let checks: Vec<_> = (0..2000).map(|_| pool.prove(Some(&argon), Secret::from("test"), &decoy()).unwrap()).collect();
    assert!(checks.into_iter().all(|check| check.wait().unwrap().matched));
}

#[test]
fn reuse_is_found() {
    // Goal: the present and the remembered passwords are found through the pool.
    let pool = Pool::start(limits(1, 16)).unwrap();
    let remembered = vec![stored("former one"), stored("former two")];
    for (password, reused) in [("present", true), ("former two", true), ("brand new", false)] {
        let found = pool.is_reused(Secret::from(password), Some(stored("present")), remembered.clone()).unwrap();
        assert_eq!(found.blocking_recv(), Ok(reused), "{password}");
    }
}

#[test]
fn awaits_on_a_runtime() {
    // Goal: the answer can be awaited.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let pool = Pool::start(limits(1, 16)).unwrap();
    let found = runtime.block_on(pool.prove(Some(&stored("test")), Secret::from("test"), &decoy()).unwrap().outcome());
    assert!(found.unwrap().matched);
}

//! A disk that fails: at every write, sync and change of length of a scenario, once or from then on, as a broken disk
//! or as a full one.
//!
//! Nothing panics, nothing is acknowledged that is not there, reading goes on, and when the disk is well again the store
//! opens with everything that was acknowledged, whether the machine stayed up or lost power.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "other test programs use the rest")]
mod common;
#[path = "common/digest.rs"]
mod digest;
#[expect(dead_code, reason = "other test programs use the rest")]
#[path = "common/disk.rs"]
mod disk;
#[path = "common/workload.rs"]
mod workload;

use common::World;
use digest::digest;
use directory::bootstrap;
use directory::change::{Op, prepare};
use directory::error::Reason;
use directory::handle::Backend;
use directory::random::Random;
use directory::store::verify::verify;
use disk::{Dice, Disk, Fault, Platter};
use std::io::ErrorKind;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use workload::Answer;

/// Steps before the disk fails, and steps over which it fails.
const BEFORE: usize = 60;
const STEPS: usize = 30;

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Panics of any thread count, those of the lane and the pool too.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            before(info);
        }));
    });
}

#[tokio::test]
async fn no_failing_operation_makes_a_false_answer() {
    // Goal: hostile row G6 (disk full, I/O error) at every operation: no panic, no false success, reads go on, recovery.
    count_panics();
    let image = prepared().await;
    let whole = scenario(&image, None).await;
    assert!(whole.operations > 60 && whole.done > 5, "{whole:?}");
    let mut refused = 0;
    for at in 0..whole.operations {
        for (kind, lasts) in [(ErrorKind::Other, true), (ErrorKind::StorageFull, true), (ErrorKind::Other, false)] {
            let run = scenario(&image, Some(Fault { at, lasts, kind })).await;
            assert_eq!(PANICS.load(Ordering::SeqCst), 0, "operation {at}");
            refused += run.failed;
        }
    }
    println!("{} operations, three faults each; {refused} answers Store or Busy", whole.operations);
    assert!(refused > whole.operations);
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_says_so() {
    // Goal: a fault at any operation of opening, making a store included, is an error and costs nothing.
    count_panics();
    let image = prepared().await;
    for (start, least) in [(Vec::new(), 0), (image, 1)] {
        let disk = Disk::of(start.clone());
        drop(World::open(Backend::Other(disk.backend())).unwrap());
        let all = disk.operations();
        for at in 0..all {
            let disk = Disk::of(start.clone());
            disk.fail(Some(Fault { at, lasts: true, kind: ErrorKind::Other }));
            let opened = World::open(Backend::Other(disk.backend()));
            if let Err(refusal) = &opened {
                assert_eq!(refusal.reason, Reason::Store, "operation {at}");
            }
            drop(opened);
            disk.fail(None);
            assert_eq!(PANICS.load(Ordering::SeqCst), 0, "operation {at}");
            if !start.is_empty() {
                let world = World::open(Backend::Other(Disk::of(disk.bytes()).backend())).unwrap();
                assert!(world.directory.position().unwrap().0 >= least);
                world.verify();
            }
        }
    }
}

#[tokio::test]
async fn what_the_lane_cannot_read_is_seen() {
    // Goal: a change for which a page cannot be read is refused, health says so at once, whatever the transaction has served
    // before, and when the disk is well again everything is there.
    count_panics();
    let disk = Disk::of(prepared().await);
    let world = World::open_with(Backend::Other(disk.backend()), |options| options.cache_bytes = 0).unwrap();
    world.person("before", "dc=example,dc=com").await.unwrap();
    let known = state(&world);
    let (schema, random, context) =
        (world.directory.schema(), Random::from_seed(9), bootstrap::operator(&world.directory));
    let attributes = [(b"objectClass".to_vec(), vec![b"organizationalUnit".to_vec()])];
    let (op, _) = prepare::add(schema, &random, &context.now, b"ou=after,dc=example,dc=com", &attributes).unwrap();
    disk.fail_reads(true);
    let directory = world.directory.clone();
    let asked = move || directory.carry_out(&context, vec![Op::Add(Box::new(op))]);
    let refusal = tokio::task::spawn_blocking(asked).await.unwrap().unwrap_err();
    assert_eq!(refusal.reason, Reason::Store);
    assert!(!world.directory.writes(), "health does not see the failure");
    disk.fail_reads(false);
    drop(world);
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
    reopened(disk.bytes(), known, "a page could not be read").await;
}

#[derive(Debug, Default)]
struct Run {
    operations: usize,
    done: usize,
    failed: usize,
}

/// A store with something in it.
async fn prepared() -> Vec<u8> {
    let disk = Disk::default();
    let world = World::open(Backend::Other(disk.backend())).unwrap();
    world.begin().await;
    let mut dice = Dice::new(3);
    for _ in 0..BEFORE {
        workload::step(&world, &mut dice, None).await;
    }
    drop(world);
    disk.bytes()
}

/// The steps over a disk that fails, and what is found afterwards.
async fn scenario(image: &[u8], fault: Option<Fault>) -> Run {
    let disk = Disk::of(image.to_vec());
    workload::granting::forget();
    let world = World::open(Backend::Other(disk.backend())).unwrap();
    let mut known = state(&world);
    disk.fail(fault);
    let mut run = Run::default();
    let mut dice = Dice::new(5);
    for step in 0..STEPS {
        let here = format!("{fault:?}, step {step}");
        let answers = workload::step(&world, &mut dice, None).await;
        let now = state(&world);
        let done = answers.iter().any(|a| matches!(a, Answer::Done | Answer::Admitted));
        let stored = |a: &Answer| matches!(a, Answer::Refused(Reason::Store));
        assert!(!answers.iter().any(stored) || !world.directory.writes(), "{here}: health does not see the failure");
        for answer in &answers {
            match answer {
                Answer::Refused(Reason::Store | Reason::Busy) | Answer::Busy => run.failed += 1,
                Answer::Done => run.done += 1,
                Answer::Refused(_) | Answer::Admitted | Answer::NotAdmitted => {}
            }
        }
        // Without a success nothing but the outcome of logins may have moved.
        if !done && now.0 == known.0 {
            assert_eq!(now.1, known.1, "{here}: a refused step left something");
        }
        assert!(now.0 >= known.0, "{here}: what was acknowledged has gone");
        known = now;
    }
    assert!(fault.is_some() || world.directory.writes(), "no fault, and yet no writing");
    run.operations = disk.operations();
    drop(world);
    disk.fail(None);
    reopened(disk.bytes(), known, &format!("{fault:?}, the machine stayed up")).await;
    let mut platter = Platter::of(image.to_vec());
    disk.log().iter().for_each(|event| platter.apply(event));
    let cut = platter.cut(&mut Dice::new(fault.map_or(0, |f| f.at as u64)));
    reopened(cut, known, &format!("{fault:?}, the power went")).await;
    run
}

/// What a reader sees: reading goes on whatever the disk does.
fn state(world: &World) -> (u64, [u8; 32]) {
    let snapshot = world.directory.snapshot().unwrap();
    (snapshot.position().0, digest(&snapshot))
}

/// The disk is well again: everything that was seen is there, and at most the one commit in doubt besides.
async fn reopened(image: Vec<u8>, known: (u64, [u8; 32]), here: &str) {
    let world = World::open(Backend::Other(Disk::of(image).backend())).unwrap();
    let now = state(&world);
    assert!(now.0 >= known.0, "{here}: {} is older than {}", now.0, known.0);
    if now.0 == known.0 {
        assert_eq!(now.1, known.1, "{here}: another state at {}", now.0);
    }
    let findings = verify(&world.directory.snapshot().unwrap(), world.directory.schema()).unwrap();
    assert!(findings.is_empty(), "{here}: {findings:?}");
    let unit = [("objectClass", "organizationalUnit")];
    world.add("ou=after,dc=example,dc=com", &unit).await.unwrap();
}

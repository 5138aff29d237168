//! Tests of the gate's memory: the races of hostile rows C4 to C7 and C12, the write economy, the bounds.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;
use crate::lifecycle::{Audience, Counters, Denial, LockDuration, State, UserType, Verdict, state};

const START: Millis = Millis(1_800_000_000_000);
const ID: EntryId = EntryId(77);

fn policy(attempts: u16) -> Policy {
    Policy { attempts, lock_duration: LockDuration::UntilUnlocked, ..Policy::default() }
}

fn active() -> Account {
    let mut account = Account::new(Audience::Person, UserType::Native, &Now::at(START));
    account.standing = crate::lifecycle::Standing::Active;
    account.verified_at = Some(START);
    account.counters.last_login = Some(START);
    account.counters.last_activity = Some(START);
    account
}

fn after(millis: i64) -> Now {
    Now::at(START.saturating_add(Span::from_millis(millis)))
}

fn attempt<'a>(facts: &'a Account, policy: &'a Policy, now: Now) -> Attempt<'a> {
    Attempt { account: ID, facts, policy, change: ChangePath::None, fingerprint: None, now }
}

/// One whole try without a line.
fn try_once(throttle: &Throttle, facts: &Account, policy: &Policy, right: bool, now: Now) -> Resolved {
    match throttle.try_reserve(attempt(facts, policy, now)).expect("no line") {
        Admission::Granted(reservation) => reservation.resolve(facts, policy, right, ChangePath::None, &now),
        Admission::Refused { outcome, store, .. } => Resolved { outcome: *outcome, store },
    }
}

/// So many logins at once on two threads: how many hashes they cost, how many got in, and how many found it locked.
fn storm(logins: u64, attempts: u16, right: impl Fn(u64) -> bool) -> (u64, u64, u64, Throttle) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let throttle = Throttle::new(Limits::default());
    let counted: Arc<[AtomicU64; 3]> = Arc::default();
    let tasks: Vec<_> = (0..logins)
        .map(|number| {
            let (throttle, counted, right) = (throttle.clone(), Arc::clone(&counted), right(number));
            runtime.spawn(async move {
                let (facts, policy, now) = (active(), policy(attempts), after(1));
                match throttle.reserve(attempt(&facts, &policy, now)).await {
                    Admission::Granted(reservation) => {
                        counted[0].fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        let resolved = reservation.resolve(&facts, &policy, right, ChangePath::None, &now);
                        counted[1].fetch_add(u64::from(resolved.outcome.verdict.admits()), Ordering::SeqCst);
                    }
                    Admission::Refused { why, .. } => {
                        assert_eq!(why, Why::State);
                        counted[2].fetch_add(1, Ordering::SeqCst);
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    let count = |index: usize| counted[index].load(Ordering::SeqCst);
    (count(0), count(1), count(2), throttle)
}

/// Goal: C4: of 2 000 wrong passwords at once, exactly as many are hashed as may be wrong; the rest finds it locked.
#[test]
fn wrong_ones_at_once() {
    let (hashed, admitted, locked, throttle) = storm(2_000, 4, |_| false);
    assert_eq!((hashed, admitted, locked), (5, 0, 1_995));
    assert_eq!(throttle.alarms().locks.load(Ordering::SeqCst), 1);
    assert_eq!(throttle.alarms().recent_locks(&after(1)), 1);
    assert_eq!(throttle.alarms().recent_locks(&after(600_000)), 0);
}

/// Goal: C4: 2 000 right passwords at once all get in, even where a single wrong one would lock nearly at once.
#[test]
fn right_ones_at_once() {
    for attempts in [1, 4, 99] {
        let (hashed, admitted, locked, _) = storm(2_000, attempts, |_| true);
        assert_eq!((hashed, admitted, locked), (2_000, 2_000, 0));
    }
}

/// Goal: a user with two mistakes among many right logins is let in every time.
#[test]
fn mostly_right() {
    let (hashed, admitted, locked, _) = storm(1_000, 5, |number| number != 10 && number != 500);
    assert_eq!((hashed, admitted, locked), (1_000, 998, 0));
}

/// Goal: those who leave the line, and reservations that are dropped, give their places back.
#[test]
fn leaving_the_line() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let throttle = Throttle::new(Limits { waiting: 3, ..Limits::default() });
        let (facts, policy) = (active(), policy(1));
        let reserve = || throttle.try_reserve(attempt(&facts, &policy, after(0)));
        let Some(Admission::Granted(one)) = reserve() else { panic!("free") };
        let Some(Admission::Granted(two)) = reserve() else { panic!("free") };
        let mut line = Vec::new();
        for _ in 0..3 {
            let throttle = throttle.clone();
            line.push(tokio::spawn(async move {
                let (facts, policy) = (active(), self::policy(1));
                matches!(throttle.reserve(attempt(&facts, &policy, after(0))).await, Admission::Granted(_))
            }));
        }
        tokio::task::yield_now().await;
        assert!(matches!(reserve(), Some(Admission::Refused { why: Why::Crowded, .. })), "the line is bounded");
        line[0].abort();
        line[1].abort();
        assert!(line.remove(0).await.unwrap_err().is_cancelled());
        assert!(line.remove(0).await.unwrap_err().is_cancelled());
        drop(one);
        assert!(line.remove(0).await.unwrap(), "the third in the line is the first now");
        drop(two);
        assert!(throttle.is_empty(), "nothing is left of what never was");
    });
}

/// Goal: C5: while locked nothing is hashed, right or wrong, and nothing is counted.
#[test]
fn locked() {
    let throttle = Throttle::new(Limits::default());
    let (facts, policy) = (active(), policy(1));
    let _ = try_once(&throttle, &facts, &policy, false, after(0));
    let locks = try_once(&throttle, &facts, &policy, false, after(0));
    assert_eq!(locks.outcome.verdict, Verdict::Denied(Denial::WrongPasswordLocks));
    assert_eq!(locks.store, Store::Now, "before the reply");
    let before = throttle.view(ID, &facts);
    for right in [true, false] {
        let resolved = try_once(&throttle, &facts, &policy, right, after(5_000));
        assert_eq!(resolved.outcome.verdict, Verdict::Denied(Denial::Locked));
        assert_eq!(resolved.store, Store::Nothing);
    }
    assert_eq!(throttle.view(ID, &facts), before);
}

/// Goal: what an administrator does counts at once, whatever is remembered, and stale facts do not bring a lock back.
#[test]
fn a_new_era() {
    let throttle = Throttle::new(Limits::default());
    let (facts, policy) = (active(), policy(1));
    for _ in 0..2 {
        let _ = try_once(&throttle, &facts, &policy, false, after(0));
    }
    let view = throttle.view(ID, &facts);
    assert_eq!(state(&view, &policy, &after(0)), State::Locked);
    let unlocked = decide(&view, &policy, &Event::Unlock { new_password: true }, &after(1)).next;
    let page = |facts: &Account| {
        let resolved = throttle.try_reserve(Attempt { change: ChangePath::Page, ..attempt(facts, &policy, after(2)) });
        matches!(resolved, Some(Admission::Granted(_)))
    };
    assert!(page(&unlocked), "the new era counts");
    assert!(page(&facts), "a stale reading does not bring the old one back");
    let resolved = try_once(&throttle, &unlocked, &policy, false, after(3));
    assert_eq!(resolved.outcome.verdict, Verdict::Denied(Denial::WrongPassword), "counted from nothing");
}

/// Goal: the table of `economy`: when the store has to know what.
#[test]
fn write_economy() {
    let throttle = Throttle::new(Limits::default());
    let (mut facts, policy) = (active(), policy(9));
    let login = |facts: &Account, right, millis| try_once(&throttle, facts, &policy, right, after(millis)).store;
    assert_eq!(login(&facts, true, 1_000), Store::Nothing, "a quiet success");
    for wrong in 1..=4 {
        assert_eq!(login(&facts, false, 1_000), Store::Within(economy::LATER), "{wrong}");
    }
    assert_eq!(login(&facts, false, 1_000), Store::Within(economy::SOON), "half the threshold");
    assert_eq!(login(&facts, true, 1_000), Store::Nothing, "cleared, and the store never knew");
    facts.counters.failures.count = 5;
    facts.counters.failures.last = START;
    facts.counters.era = 1;
    assert_eq!(login(&facts, true, 2_000), Store::Within(economy::SOON), "cleared, and the store did know");
    facts.counters.failures = crate::lifecycle::Failures::default();
    assert_eq!(login(&facts, true, 18 * 3_600_000), Store::Nothing, "a fresh stamp");
    assert_eq!(login(&facts, true, 30 * 3_600_000), Store::Within(economy::STAMP), "a stale stamp");
    let new = Account::new(Audience::Person, UserType::Native, &after(0));
    assert_eq!(login(&new, true, 31 * 3_600_000), Store::Now, "the first login is a change of state");
}

/// Goal: the flush brings each change once, when it is due, all together, and again when the store could not take it.
#[test]
fn the_flush() {
    let throttle = Throttle::new(Limits::default());
    let (facts, policy) = (active(), policy(9));
    let _ = try_once(&throttle, &facts, &policy, false, after(0));
    assert_eq!(throttle.take_due(&after(29_999)), []);
    for _ in 0..4 {
        let _ = try_once(&throttle, &facts, &policy, false, after(29_999));
    }
    assert_eq!(throttle.take_due(&after(30_000)).len(), 1, "the first one's time has come");
    assert_eq!(throttle.take_due(&after(90_000)), [], "once");
    let _ = try_once(&throttle, &facts, &policy, false, after(90_000));
    assert_eq!(throttle.take_due(&after(90_999)), []);
    let taken = throttle.take_due(&after(91_000));
    assert_eq!(taken.iter().map(|taken| taken.counters.failures.count).collect::<Vec<_>>(), [6]);
    throttle.give_back(&taken, &after(91_000));
    assert_eq!(throttle.take_due(&after(91_000)), taken);
    throttle.stored(&taken);
    let stored = facts.with_counters(&taken[0].counters);
    let _ = try_once(&throttle, &stored, &policy, true, after(92_000));
    let taken = throttle.take_due(&after(93_000));
    assert_eq!(taken.iter().map(|taken| taken.counters.failures.count).collect::<Vec<_>>(), [0]);
    assert!(!throttle.is_empty(), "kept until the store has it");
    throttle.stored(&taken);
    assert!(throttle.is_empty(), "what the store knows is forgotten");
}

/// Goal: at shutdown everything is brought, stamps too; after it a restart has lost nothing.
#[test]
fn shutdown() {
    let throttle = Throttle::new(Limits::default());
    let (facts, policy) = (active(), policy(9));
    let _ = try_once(&throttle, &facts, &policy, true, after(60_000));
    assert_eq!(throttle.take_due(&after(3_600_000)), []);
    let taken = throttle.take_all();
    assert_eq!(taken.iter().map(|taken| taken.counters.last_login).collect::<Vec<_>>(), [Some(after(60_000).wall)]);
    throttle.stored(&taken);
    assert_eq!(throttle.take_all(), []);
}

/// Goal: C12: a crash loses what the flush window holds and no more: half a minute of failures below half the
/// threshold, one second from there on, and a lock never.
#[test]
fn a_crash_loses_a_flush_window() {
    // The guesser has a crash after every second guess; the store keeps what was due by then.
    for (flushed_after, guesses_in_a_thousand) in [(999, 1_000), (1_000, 1_000), (30_000, 12)] {
        let policy = policy(11);
        let (mut stored, mut guesses, mut steady) = (active(), 0, 0);
        for _ in 0..500 {
            let throttle = Throttle::new(Limits::default());
            for _ in 0..2 {
                let resolved = try_once(&throttle, &stored, &policy, false, after(steady));
                let guessed = [Denial::WrongPassword, Denial::WrongPasswordLocks].map(Verdict::Denied);
                guesses += u32::from(guessed.contains(&resolved.outcome.verdict));
                if resolved.store == Store::Now {
                    stored = resolved.outcome.next;
                }
            }
            steady += flushed_after;
            for observation in throttle.take_due(&after(steady)) {
                stored = stored.with_counters(&observation.counters);
            }
        }
        assert_eq!(guesses, guesses_in_a_thousand, "crashes {flushed_after} ms apart");
    }
    // From half the threshold on a second is enough.
    let policy = policy(11);
    let mut stored = active();
    stored.counters.failures = crate::lifecycle::Failures { count: 6, last: START };
    for second in 0..3 {
        let throttle = Throttle::new(Limits::default());
        for _ in 0..2 {
            let resolved = try_once(&throttle, &stored, &policy, false, after(second * 1_000));
            if resolved.store == Store::Now {
                stored = resolved.outcome.next;
            }
        }
        for observation in throttle.take_due(&after(second * 1_000 + 1_000)) {
            stored = stored.with_counters(&observation.counters);
        }
    }
    assert_eq!(state(&stored, &policy, &after(3_000)), State::Locked);
}

/// Goal: an attack on a thousand accounts costs one flush a second at most, not a write per guess.
#[test]
fn an_attack_is_coalesced() {
    let throttle = Throttle::new(Limits::default());
    let (facts, policy) = (active(), policy(99));
    let (mut at_once, mut flushes) = (0, 0);
    for millis in 0..10_000_i64 {
        let now = after(millis);
        let id = EntryId(u64::try_from(millis % 1_000).unwrap());
        let admission = throttle.try_reserve(Attempt { account: id, ..attempt(&facts, &policy, now) });
        let Some(Admission::Granted(reservation)) = admission else { panic!("not locked yet") };
        let resolved = reservation.resolve(&facts, &policy, false, ChangePath::None, &now);
        at_once += u32::from(resolved.store == Store::Now);
        if millis % 1_000 == 0 {
            flushes += u32::from(!throttle.take_due(&now).is_empty());
        }
    }
    assert_eq!(at_once, 0);
    assert!(flushes <= 10);
    assert_eq!(throttle.take_all().len(), 1_000);
}

/// Goal: the same wrong password counts once where the policy says so: not when it is among the last three, again when
/// it is not, and never when the policy does not say so.
#[test]
fn repeats() {
    let fingerprints = Fingerprints::new(&[7; 32]);
    for (forgive_repeats, typed, counted) in [
        (true, &["a", "a", "a"][..], 1),
        (true, &["a", "b", "a", "b", "c", "a"], 3),
        (true, &["a", "b", "c", "d", "a"], 5),
        (false, &["a", "a", "a"], 3),
    ] {
        let throttle = Throttle::new(Limits::default());
        let facts = active();
        let policy = Policy { forgive_repeats, ..policy(9) };
        for password in typed {
            let fingerprint = Some(fingerprints.of(ID, password.as_bytes()));
            let admission = throttle.try_reserve(Attempt { fingerprint, ..attempt(&facts, &policy, after(0)) });
            match admission.expect("no line") {
                Admission::Granted(reservation) => {
                    let _ = reservation.resolve(&facts, &policy, false, ChangePath::None, &after(0));
                }
                Admission::Refused { why, outcome, .. } => {
                    assert_eq!((why, outcome.verdict), (Why::Repeat, Verdict::Denied(Denial::WrongPassword)));
                }
            }
        }
        assert_eq!(throttle.view(ID, &facts).counters.failures.count, counted, "{typed:?}");
    }
}

/// Goal: the delays: none for three failures, then 1, 3, 5 and 10 seconds, during which not even the right one is
/// looked at and nothing is counted; locking or not.
#[test]
fn delay_tiers() {
    let throttle = Throttle::new(Limits::default());
    let facts = active();
    let policy = Policy { lockout: false, delay_tiers: true, ..Policy::default() };
    let mut millis = 0;
    for delay in [0, 0, 0, 1_000, 3_000, 5_000, 10_000, 10_000] {
        if delay > 0 {
            let early = throttle.try_reserve(attempt(&facts, &policy, after(millis + delay - 1)));
            assert!(matches!(early, Some(Admission::Refused { why: Why::TooSoon, .. })), "{delay}");
        }
        millis += delay;
        let resolved = try_once(&throttle, &facts, &policy, false, after(millis));
        assert_eq!(resolved.outcome.verdict, Verdict::Denied(Denial::WrongPassword));
    }
    assert_eq!(throttle.view(ID, &facts).counters.failures.count, 8);
    assert!(try_once(&throttle, &facts, &policy, true, after(millis + 10_000)).outcome.verdict.admits());
    assert!(try_once(&throttle, &facts, &policy, true, after(millis + 10_000)).outcome.verdict.admits());
}

/// Goal: the memory is bounded; what the store does not know is kept, and new accounts are told to come later.
#[test]
fn bounded_memory() {
    let throttle = Throttle::new(Limits { slots: SHARDS * 2, ..Limits::default() });
    let (facts, policy) = (active(), policy(9));
    let login = |id, right, now| {
        let admission = throttle.try_reserve(Attempt { account: EntryId(id), ..attempt(&facts, &policy, now) });
        match admission.expect("no line") {
            Admission::Granted(reservation) => {
                let _ = reservation.resolve(&facts, &policy, right, ChangePath::None, &now);
                None
            }
            Admission::Refused { why, .. } => Some(why),
        }
    };
    for id in 0..10_000 {
        assert_eq!(login(id, true, after(i64::try_from(id).unwrap() * 1_000)), None, "stamps make room");
    }
    assert!(throttle.len() <= SHARDS * 2);
    let late = 20_000_000;
    let full = (20_000..30_000).filter(|id| login(*id, false, after(late)) == Some(Why::Full)).count();
    assert_eq!(full, 10_000 - SHARDS * 2);
    let taken = throttle.take_due(&after(late + 30_000));
    assert_eq!(taken.len(), SHARDS * 2);
    assert_eq!(login(40_000, false, after(late + 30_500)), Some(Why::Full), "taken is not stored");
    throttle.stored(&taken);
    assert_eq!(login(40_000, false, after(late + 31_500)), None, "what the store knows makes room");
}

/// Goal: a token refresh is remembered and keeps awake, while locked too, and is stored once per grain.
#[test]
fn activity() {
    let throttle = Throttle::new(Limits::default());
    let (facts, policy) = (active(), policy(9));
    let mut stores = 0;
    for hour in 0..240_i64 {
        let now = after(hour * 3_600_000);
        let stored = throttle.take_due(&now);
        throttle.stored(&stored);
        stores += stored.len();
        let facts = stored.first().map_or(throttle.view(ID, &facts), |seen| facts.with_counters(&seen.counters));
        let facts =
            Account { counters: Counters { last_activity: facts.counters.last_activity, ..facts.counters }, ..facts };
        assert!(throttle.activity(ID, &facts, &policy, &now).outcome.verdict.admits());
    }
    assert!(stores <= 13, "{stores}");
}

proptest! {
    /// Goal: whatever the order in which attempts begin, end right, end wrong or vanish: failures counted and attempts
    /// under way are never more than the threshold together, and nobody is admitted past it.
    #[test]
    fn never_past_the_threshold(attempts in 1..6_u16, steps in proptest::collection::vec((0..4_u8, any::<prop::sample::Index>()), 1..200)) {
        let throttle = Throttle::new(Limits::default());
        let (facts, policy) = (active(), policy(attempts));
        let mut under_way: Vec<Reservation> = Vec::new();
        for (kind, which) in steps {
            if kind == 0 || under_way.is_empty() {
                if let Some(Admission::Granted(reservation)) = throttle.try_reserve(attempt(&facts, &policy, after(0))) {
                    under_way.push(reservation);
                }
            } else {
                let reservation = under_way.swap_remove(which.index(under_way.len()));
                if kind < 3 {
                    let resolved = reservation.resolve(&facts, &policy, kind == 1, ChangePath::None, &after(0));
                    prop_assert_eq!(resolved.outcome.verdict.admits(), kind == 1, "never locked behind a reservation's back");
                }
            }
            let counted = throttle.view(ID, &facts).counters.failures.count;
            prop_assert!(usize::from(counted) + under_way.len() <= usize::from(policy.threshold()));
        }
    }
}

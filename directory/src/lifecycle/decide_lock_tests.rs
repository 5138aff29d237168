//! Locks, as stories with a hand-moved time: when they fall, how long they last, what lifts them (requirement 2.4).

use super::super::policy::{Period, PolicyOverlay};
use super::tests::{GOOD, Story, WRONG};
use super::*;
use crate::clock::Span;

/// Goal: 2.4: more than the policy's number of failures lock; before that a good login still passes and clears them.
#[test]
fn too_many_failures() {
    let mut story = Story::new(State::Active);
    for _ in 0..3 {
        assert_eq!(story.then(WRONG), Verdict::Denied(Denial::WrongPassword));
    }
    assert_eq!(story.then(GOOD), Verdict::Admitted);
    assert_eq!(story.account.counters.failures.count, 0);
    for _ in 0..3 {
        assert_eq!(story.then(WRONG), Verdict::Denied(Denial::WrongPassword));
    }
    let epoch = story.account.epoch;
    assert_eq!(story.then(WRONG), Verdict::Denied(Denial::WrongPasswordLocks));
    assert_eq!((story.state(), story.account.epoch), (State::Locked, epoch), "a lock does not end sessions");
    let locked = story.account;
    assert_eq!(story.then(GOOD), Verdict::Denied(Denial::Locked), "C5: right or wrong, the same");
    assert_eq!(story.then(WRONG), Verdict::Denied(Denial::Locked));
    assert_eq!(story.account, locked, "C5: nothing is counted");
    assert_eq!(story.then(Event::Activity), Verdict::Admitted, "schedules keep running");
}

/// Goal: 2.4: a lock lifts itself after its duration, to the state before it, and each in a row lasts twice as long.
#[test]
fn a_lock_lifts_itself() {
    for before in [State::Unverified, State::Enabled, State::Active] {
        let mut story = Story::new(before);
        for minutes in [15, 30, 60, 120, 240, 480, 960, 1_440, 1_440] {
            for _ in 0..4 {
                assert_eq!(story.state(), before);
                let _ = story.then(WRONG);
            }
            story.pass(Span::from_millis(i64::from(minutes) * 60_000 - 1));
            assert_eq!(story.then(GOOD), Verdict::Denied(Denial::Locked), "{minutes}");
            story.pass(Span::from_millis(1));
            assert_eq!(story.state(), before, "{minutes}");
        }
        assert_eq!(story.then(GOOD), Verdict::Admitted);
        assert_eq!(story.account.counters.locks_in_a_row, 0);
    }
}

/// Goal: C10 and C9: without a duration a lock stands for years, whatever the other mode's cap says.
#[test]
fn a_lock_without_duration() {
    let mut story = Story::new(State::Active).with(&PolicyOverlay {
        lock_duration: Some(LockDuration::UntilUnlocked),
        lock_duration_cap: Some(Span::from_secs(1)),
        dormancy_months: Some(Period::Never),
        ..PolicyOverlay::default()
    });
    for _ in 0..4 {
        let _ = story.then(WRONG);
    }
    story.months(100);
    assert_eq!(story.state(), State::Locked);
    story.account.system = true;
    story.account.counters.clear();
    for _ in 0..4 {
        let _ = story.then(WRONG);
    }
    assert_eq!(story.state(), State::Locked);
    story.pass(Span::from_mins(15));
    assert_eq!(story.then(GOOD), Verdict::Admitted, "the built-in account is never locked for good");
}

/// Goal: wrong passwords further apart than the window do not add up; just within it they do.
#[test]
fn the_failure_window() {
    for (gap, locked) in [(Span::from_mins(15), true), (Span::from_millis(15 * 60_000 + 1), false)] {
        let mut story = Story::new(State::Active);
        for _ in 0..4 {
            let _ = story.pass(gap).then(WRONG);
        }
        assert_eq!(story.state() == State::Locked, locked);
    }
}

/// Goal: an account that was never used and is locked when its period ends becomes DORMANT, and stays it when the lock
/// would have ended.
#[test]
fn locked_before_use() {
    let mut story = Story::new(State::Unverified);
    story.months(6);
    story.now = Now::at(Millis(story.now.wall.0 - 1_000));
    for _ in 0..4 {
        let _ = story.then(WRONG);
    }
    assert_eq!(story.state(), State::Locked);
    assert_eq!(story.pass(Span::from_secs(1)).state(), State::Dormant);
    assert_eq!(story.pass(Span::from_hours(1)).state(), State::Dormant);
}

/// Goal: SCIM: `active: true` lifts a hold but not a lock below it; the operator's enable lifts both.
#[test]
fn provisioning_does_not_unlock() {
    let mut story = Story::new(State::Locked);
    let active = |active| Event::ScimActive { active, by: None };
    assert_eq!(story.then(active(true)), Verdict::Unchanged);
    assert_eq!(story.then(active(false)), Verdict::Accepted);
    assert_eq!(story.account.hold.map(|hold| hold.cause), Some(HoldCause::Provisioning));
    assert_eq!(story.then(active(true)), Verdict::Accepted);
    assert_eq!(story.state(), State::Locked);
    let _ = story.then(active(false));
    assert_eq!(story.then(Event::Enable { new_password: false }), Verdict::Accepted);
    assert_eq!(story.state(), State::Enabled);
}

/// Goal: a temporary lock may be made one that stands; that one not again.
#[test]
fn lock_upon_lock() {
    let mut story = Story::new(State::Active);
    for _ in 0..4 {
        let _ = story.then(WRONG);
    }
    assert_eq!(story.then(Event::Lock), Verdict::Accepted);
    story.pass(Span::from_days(30));
    assert_eq!(story.state(), State::Locked);
    assert_eq!(story.then(Event::Lock), Verdict::Rejected(Rejection::NotInState(State::Locked)));
}

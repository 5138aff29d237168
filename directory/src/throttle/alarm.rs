//! The counters that alarms and metrics are made of. Counting only: who is alarmed, and at what, the daemon says.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::clock::{Millis, Now};
use crate::lifecycle::{Denial, Effect, Outcome, Transition, Verdict};

/// The locks of the last five minutes are counted by minute.
const MINUTES: usize = 5;

/// Counted since the process began.
#[derive(Debug, Default)]
pub struct Alarms {
    /// Wrong passwords.
    pub failures: AtomicU64,
    /// Locks by failures.
    pub locks: AtomicU64,
    /// Wrong passwords that had been counted already.
    pub repeats: AtomicU64,
    /// Attempts before the delay had passed.
    pub too_soon: AtomicU64,
    /// Attempts refused because too many waited for the account.
    pub crowded: AtomicU64,
    /// Attempts refused because the memory was full.
    pub full: AtomicU64,
    minutes: [(AtomicI64, AtomicU64); MINUTES],
}

impl Alarms {
    /// Locks by failures in the last five minutes, this one begun included: when they are more than a share of all
    /// accounts, somebody locks the organisation out and the operator has to know.
    pub fn recent_locks(&self, now: &Now) -> u64 {
        let minute = minute(now.steady);
        let recent = |at: i64| at <= minute && minute.saturating_sub(at) < 5;
        let locks = self.minutes.iter().filter(|(at, _)| recent(at.load(Ordering::Relaxed)));
        locks.map(|(_, locks)| locks.load(Ordering::Relaxed)).fold(0, u64::saturating_add)
    }

    pub(super) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn judged(&self, outcome: &Outcome, now: &Now) {
        match outcome.verdict {
            Verdict::Denied(Denial::WrongPassword | Denial::WrongPasswordLocks) => Alarms::count(&self.failures),
            _ => return,
        }
        if !outcome.effects.contains(&Effect::Audit(Transition::BecameLocked)) {
            return;
        }
        Alarms::count(&self.locks);
        let minute = minute(now.steady);
        let index = usize::try_from(minute.rem_euclid(5)).unwrap_or(0);
        let Some((at, locks)) = self.minutes.get(index) else { return };
        if at.swap(minute, Ordering::Relaxed) != minute {
            locks.store(0, Ordering::Relaxed);
        }
        Alarms::count(locks);
    }
}

fn minute(steady: Millis) -> i64 {
    steady.0.div_euclid(60_000)
}

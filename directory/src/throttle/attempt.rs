//! What the throttle is asked and what it answers, and its bounds.

use super::{Fingerprint, Reservation, Store};
use crate::clock::Now;
use crate::id::EntryId;
use crate::lifecycle::{Account, ChangePath, Counters, Outcome, Policy};

/// The bounds of the memory.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Accounts remembered at once, about 400 bytes each.
    pub slots: usize,
    /// Attempts under way on one account, whatever its policy lets pass.
    pub in_flight: u16,
    /// Attempts that wait on one account.
    pub waiting: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { slots: 262_144, in_flight: 64, waiting: 4_096 }
    }
}

/// An attempt at an account's password.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// Whose: the technical id, so that every spelling of every name counts on one account.
    pub account: EntryId,
    /// The facts as the store has them.
    pub facts: &'a Account,
    /// The rules.
    pub policy: &'a Policy,
    /// How the client could change the password.
    pub change: ChangePath,
    /// The password's fingerprint; none when the policy does not ask for it (`forgive_repeats`).
    pub fingerprint: Option<Fingerprint>,
    /// When.
    pub now: Now,
}

/// The answer to an attempt.
#[derive(Debug)]
pub enum Admission {
    /// Check the password, then resolve.
    Granted(Reservation),
    /// Check a decoy, then refuse.
    Refused {
        /// Why nobody looks at the password.
        why: Why,
        /// What `decide` says about it.
        outcome: Box<Outcome>,
        /// [`Store::Now`] when this attempt was the first to find inactivity, nothing otherwise.
        store: Store,
    },
}

/// Why nobody looks at a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The state admits no login.
    State,
    /// It is a wrong one that has been counted.
    Repeat,
    /// The delay after the last failure has not passed.
    TooSoon,
    /// Too many wait for this account.
    Crowded,
    /// The memory is full of what the store does not know yet.
    Full,
}

/// What became of an attempt.
#[derive(Debug)]
#[must_use]
pub struct Resolved {
    /// The judgement; its `next` is what to store.
    pub outcome: Outcome,
    /// When to store it.
    pub store: Store,
}

/// Counters that the store does not know: to be merged into the facts with [`Account::with_counters`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// Whose.
    pub account: EntryId,
    /// The counters.
    pub counters: Counters,
}

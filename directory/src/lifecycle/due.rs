//! What the daily sweep has to do about an account, and when it next has something to do.
//!
//! The sweep is never needed to refuse a login: it ends sessions of accounts that nobody asks about, tells the audit
//! log, and purges. The store may keep accounts ordered by [`due_at`], so that a sweep reads only those that are due.

use crate::clock::{Millis, Now};

use super::account::Account;
use super::policy::Policy;
use super::state::{inactive_from, never_used, purge_from};

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Due {
    /// The account has been inactive and becomes DORMANT.
    Dormant,
    /// It was never used and becomes DISABLED.
    Disabled,
    /// It was deleted and is removed for good.
    Purge,
}

/// What `Event::Sweep` would do now. Nothing while the clock is in doubt.
pub fn due(account: &Account, policy: &Policy, now: &Now) -> Option<Due> {
    let at = due_at(account, policy).filter(|at| *at <= now.calendar && !now.frozen())?;
    Some(match account.deletion {
        Some(_) => Due::Purge,
        None if never_used(account, at) => Due::Disabled,
        None => Due::Dormant,
    })
}

/// When the sweep next has something to do, if nothing else happens before (`calendar`).
pub fn due_at(account: &Account, policy: &Policy) -> Option<Millis> {
    if account.deletion.is_some() {
        return purge_from(account);
    }
    if account.hold.is_some() || account.dormant_at.is_some() {
        return None;
    }
    inactive_from(account, policy)
}

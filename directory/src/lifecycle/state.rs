//! The state of an account: derived from its facts, its policy and the moment of asking.
//!
//! Precedence, first match wins: DELETED, DISABLED, DORMANT (found before), inactivity found now (DISABLED when the
//! account was never used, DORMANT otherwise), LOCKED, and then the standing. Inactivity comes before LOCKED because a
//! locked account becomes DORMANT; an account that was never used but is locked when its period ends becomes DORMANT
//! too, as the table of requirements §2 has it.

use crate::clock::{Millis, Now, Span};

use super::account::{Account, Audience, Standing, UserType};
use super::outcome::MustChange;
use super::policy::{Period, Policy};

/// The seven states of requirements §2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum State {
    /// Nobody has logged in yet.
    Unverified,
    /// In use.
    Active,
    /// Enabled or unlocked by an administrator; waits for its next login.
    Enabled,
    /// Logins are stopped, what was granted before goes on.
    Locked,
    /// Not used for the policy's period.
    Dormant,
    /// Held by an administrator or by provisioning, or never used within the period.
    Disabled,
    /// Gone but for the purge.
    Deleted,
}

impl State {
    /// All of them.
    pub const ALL: [State; 7] = [
        State::Unverified,
        State::Active,
        State::Enabled,
        State::Locked,
        State::Dormant,
        State::Disabled,
        State::Deleted,
    ];

    /// A right password may be admitted.
    pub fn may_log_in(self) -> bool {
        matches!(self, State::Unverified | State::Active | State::Enabled)
    }

    /// Running sessions, refresh tokens and API tokens go on (requirement 2.4).
    pub fn may_continue(self) -> bool {
        self.may_log_in() || self == State::Locked
    }

    /// The name in documents, filters and logs.
    pub fn name(self) -> &'static str {
        match self {
            State::Unverified => "UNVERIFIED",
            State::Active => "ACTIVE",
            State::Enabled => "ENABLED",
            State::Locked => "LOCKED",
            State::Dormant => "DORMANT",
            State::Disabled => "DISABLED",
            State::Deleted => "DELETED",
        }
    }

    /// The state of that name; ASCII case does not matter.
    pub fn from_name(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name().eq_ignore_ascii_case(name))
    }
}

/// The state of these facts at this moment.
pub fn state(account: &Account, policy: &Policy, now: &Now) -> State {
    if account.deletion.is_some() {
        return State::Deleted;
    }
    if account.hold.is_some() {
        return State::Disabled;
    }
    if account.dormant_at.is_some() {
        return State::Dormant;
    }
    if let Some(from) = inactive_since(account, policy, now) {
        return if never_used(account, from) { State::Disabled } else { State::Dormant };
    }
    if account.counters.standing_lock(now.steady).is_some() {
        return State::Locked;
    }
    match account.standing {
        Standing::Unverified => State::Unverified,
        Standing::Enabled => State::Enabled,
        Standing::Active => State::Active,
    }
}

/// When the period of inactivity ends (`calendar`): counted from the last activity, the enabling, the making or the
/// import, and the beginning of the policy, whichever is last. None: never (no period, or the built-in account).
pub fn inactive_from(account: &Account, policy: &Policy) -> Option<Millis> {
    let (since, months) = counted_from(account, policy)?;
    since.add_months(months)
}

/// The end of the period of inactivity, if it has been reached.
pub(super) fn inactive_since(account: &Account, policy: &Policy, now: &Now) -> Option<Millis> {
    let (since, months) = counted_from(account, policy)?;
    // No month is shorter than 28 days: most logins are spared the calendar.
    if now.calendar.since(since) < Span::from_days(u32::from(months).saturating_mul(28)) {
        return None;
    }
    since.add_months(months).filter(|from| *from <= now.calendar)
}

/// What inactivity counts from, and its months.
fn counted_from(account: &Account, policy: &Policy) -> Option<(Millis, u16)> {
    let Period::After(months) = policy.dormancy_months else { return None };
    if account.system {
        return None;
    }
    let stamps = [account.imported_at, account.enabled_at, account.counters.last_login, account.counters.last_activity];
    let since = stamps.into_iter().flatten().fold(account.created.max(policy.dormancy_from), Millis::max);
    Some((since, months))
}

/// Whether inactivity that ended at `from` makes the account DISABLED and not DORMANT: it was UNVERIFIED then, not
/// LOCKED.
pub(super) fn never_used(account: &Account, from: Millis) -> bool {
    let locked =
        account.counters.lock.is_some_and(|lock| lock.at <= from && lock.until.is_none_or(|until| from < until));
    account.standing == Standing::Unverified && !locked
}

/// Why the password has to be changed before anything else, if it has.
pub fn must_change(account: &Account, policy: &Policy, now: &Now) -> Option<MustChange> {
    if !account.changes_own_password() {
        return None;
    }
    if account.force_change {
        return Some(MustChange::Forced);
    }
    password_expires_at(account, policy).filter(|at| *at <= now.wall).map(|_| MustChange::Expired)
}

/// When the password reaches the policy's greatest age (`wall`). None: never.
pub fn password_expires_at(account: &Account, policy: &Policy) -> Option<Millis> {
    if account.password_never_expires || account.audience == Audience::Api || account.user_type != UserType::Native {
        return None;
    }
    let Period::After(age) = policy.password_max_age else { return None };
    account.password_changed_at?.checked_add(age)
}

/// When a deleted account may be purged (`calendar`). None: it is not deleted, or never.
pub fn purge_from(account: &Account) -> Option<Millis> {
    account.deletion.and_then(|deletion| deletion.at.add_months(deletion.months))
}

//! What operational attributes make of an account: facts, from which its state follows as ever.

use super::operational::{Facts, LockEnd, Locked};
use crate::clock::{Millis, Now};
use crate::lifecycle::{
    Account, Audience, Deletion, Failures, Hold, HoldCause, Lock, LockCause, LockDuration, Names, Policy, Standing,
    State, UserType,
};
use crate::schema::Kind;

/// The facts of an imported account. Without a word about it: UNVERIFIED, and inactivity counts from now.
pub fn account(
    kind: Kind,
    said: &Facts,
    created: Option<Millis>,
    has_password: bool,
    policy: &Policy,
    now: &Now,
) -> Account {
    let audience = if kind == Kind::ApiAccount { Audience::Api } else { Audience::Person };
    let mut account = Account::new(audience, UserType::Native, now);
    account.created = created.unwrap_or(now.wall);
    account.imported_at = Some(now.wall);
    account.password_changed_at = said.password_changed.or(has_password.then_some(now.wall));
    account.force_change = said.reset || said.password_expires.is_some_and(|at| at <= now.wall);
    account.counters.last_login = said.last_login;
    account.counters.last_activity = said.last_login;
    if let Some((count, last)) = said.failures {
        account.counters.failures = Failures { count, last: last.map_or(now.steady, |at| steady(at, now)) };
    }
    account.counters.lock = lock(said, policy, now);
    if said.last_login.is_some() {
        stand(&mut account, Standing::Active, now);
    }
    if said.disabled {
        account.hold = Some(Hold { at: now.wall, cause: HoldCause::Administrator, by: None });
    }
    if let Some(state) = said.state {
        enter(&mut account, state, policy, now);
    }
    account
}

/// Brings the facts into a state that the file names.
fn enter(account: &mut Account, state: State, policy: &Policy, now: &Now) {
    match state {
        State::Unverified => stand(account, Standing::Unverified, now),
        State::Active => stand(account, Standing::Active, now),
        State::Enabled => stand(account, Standing::Enabled, now),
        State::Locked => {
            if account.counters.standing_lock(now.steady).is_none() {
                account.counters.lock = Some(Lock { at: now.wall, until: None, cause: LockCause::Administrator });
            }
        }
        State::Dormant => {
            stand(account, Standing::Active, now);
            account.dormant_at = Some(now.calendar);
        }
        State::Disabled => account.hold = Some(Hold { at: now.wall, cause: HoldCause::Administrator, by: None }),
        State::Deleted => {
            let names_free = policy.names_after_deletion == Names::Free;
            account.deletion = Some(Deletion { at: now.wall, months: policy.purge_months, names_free, by: None });
        }
    }
}

fn stand(account: &mut Account, standing: Standing, now: &Now) {
    account.standing = standing;
    account.verified_at = None;
    account.enabled_at = None;
    match standing {
        Standing::Unverified => {}
        Standing::Enabled => account.enabled_at = Some(now.wall),
        Standing::Active => account.verified_at = account.counters.last_login.or(Some(account.created)),
    }
}

/// The lock, if it stands: its end as the file says, else as our policy would have set it.
fn lock(said: &Facts, policy: &Policy, now: &Now) -> Option<Lock> {
    let at = match (said.locked, said.lock_ends) {
        (Some(Locked::ByAdministrator), _) => {
            return Some(Lock { at: now.wall, until: None, cause: LockCause::Administrator });
        }
        (Some(Locked::Since(at)), _) => at,
        (None, Some(_)) => now.wall,
        (None, None) => return None,
    };
    let until = match (said.lock_ends, policy.lock_duration) {
        (Some(LockEnd::Never), _) | (None, LockDuration::UntilUnlocked) => None,
        (Some(LockEnd::At(end)), _) => Some(steady(end, now)),
        (None, LockDuration::For(duration)) => Some(steady(at, now).saturating_add(duration)),
    };
    Some(Lock { at, until, cause: LockCause::Failures }).filter(|l| l.until.is_none_or(|end| now.steady < end))
}

/// A time of the wall clock as the steady one would have told it.
fn steady(at: Millis, now: &Now) -> Millis {
    Millis(now.steady.0.saturating_add(at.0.saturating_sub(now.wall.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::state;

    #[test]
    fn every_state_comes_back() {
        // Goal: the state that a file names is the state of the facts, whatever else it says.
        let (policy, now) = (Policy::default(), Now::at(Millis(1_790_000_000_000)));
        for wanted in State::ALL {
            for last_login in [None, Some(Millis(1_780_000_000_000))] {
                let said = Facts { state: Some(wanted), last_login, ..Facts::default() };
                let found = account(Kind::Person, &said, None, true, &policy, &now);
                assert_eq!(state(&found, &policy, &now), wanted, "{last_login:?}");
            }
        }
    }

    #[test]
    fn words_of_other_servers() {
        // Goal: locks, failures, resets and switches of other servers have their effect; nothing said means UNVERIFIED.
        let (policy, now) = (Policy::default(), Now::at(Millis(1_790_000_000_000)));
        let (past, recent) = (Millis(1_700_000_000_000), Millis(1_789_999_990_000));
        let cases = [
            (Facts::default(), State::Unverified),
            (Facts { last_login: Some(past), ..Facts::default() }, State::Active),
            (Facts { password_changed: Some(past), ..Facts::default() }, State::Unverified),
            (Facts { disabled: true, last_login: Some(past), ..Facts::default() }, State::Disabled),
            (Facts { locked: Some(Locked::ByAdministrator), ..Facts::default() }, State::Locked),
            (Facts { locked: Some(Locked::Since(recent)), ..Facts::default() }, State::Locked),
            (Facts { locked: Some(Locked::Since(past)), ..Facts::default() }, State::Unverified),
            (
                Facts { locked: Some(Locked::Since(past)), lock_ends: Some(LockEnd::Never), ..Facts::default() },
                State::Locked,
            ),
            (Facts { lock_ends: Some(LockEnd::Never), ..Facts::default() }, State::Locked),
            (Facts { lock_ends: Some(LockEnd::At(past)), ..Facts::default() }, State::Unverified),
        ];
        for (said, expected) in cases {
            let found = account(Kind::Person, &said, None, true, &policy, &now);
            assert_eq!(state(&found, &policy, &now), expected, "{said:?}");
            assert_eq!(found.imported_at, Some(now.wall));
        }
        let reset = Facts { password_expires: Some(Millis(0)), failures: Some((3, Some(recent))), ..Facts::default() };
        let found = account(Kind::Person, &reset, None, true, &policy, &now);
        assert!(found.force_change);
        assert_eq!(found.counters.failures, Failures { count: 3, last: recent });
    }
}

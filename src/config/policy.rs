//! Section `policy`: the system's account policy, which holds where a tenant has none of its own.
//!
//! The rules, their meaning and their bounds together are the life cycle's ([`directory::lifecycle::Policy`]); here
//! they get their keys, and [`Policy::rules`] hands them over. A test holds the defaults of both to be the same.

use super::setting::{Kind, choice, section};
use directory::clock::Span;
use directory::lifecycle::{self, LockDuration, Period, PolicyError, PolicyOverlay};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const DECADE: Duration = Duration::from_secs(3_650 * 86_400);

section! {
    /// The account policy: one set of rules for every way of logging in. A tenant may have its own.
    "policy" Policy;
    /// Whether wrong passwords lock an account. May be off only when `policy.delay_tiers` is on.
    lockout: bool, Kind::Flag, "true";
    /// Wrong passwords in a row that are let pass; the next one locks.
    attempts: u16, Kind::Count(1, 99), "5";
    /// A wrong password that comes so long after the one before begins a new row.
    failure_window: Duration, Kind::Span(SECOND, DECADE), "15m";
    /// How long a lock lasts; each in a row without a good login between lasts twice as long as the one before.
    /// `until-unlocked` lets anyone who knows an account's name keep its owner out; fifteen minutes stop guessing as
    /// well.
    lock_duration: Option<Duration>, Kind::SpanOr("until-unlocked", SECOND, DECADE), "15m";
    /// Where the doubling stops; below `policy.lock_duration` there is none.
    lock_duration_cap: Duration, Kind::Span(SECOND, DECADE), "24h";
    /// Whether applications' accounts are locked as people's are. May be off only when `policy.delay_tiers` is on.
    lock_api_accounts: bool, Kind::Flag, "true";
    /// Whether, after three wrong passwords, the next tries have to wait for 1, 3, 5 and then 10 seconds each.
    delay_tiers: bool, Kind::Flag, "false";
    /// Whether the same wrong password again counts once: a forgotten device that keeps trying then locks nobody.
    forgive_repeats: bool, Kind::Flag, "false";
    /// Months without activity after which an account is dormant and may not log in.
    dormancy_months: Option<u16>, Kind::CountOr("never", 1, 120), "6";
    /// Characters (Unicode code points) that a new password needs. There are no rules about kinds of characters: they
    /// make passwords worse. An LDAP bind is made with a password alone, and NIST SP 800-63B-4 wants 15 for that; 8 are
    /// enough where nobody binds and every sign-in takes a second factor.
    password_min_length: u16, Kind::Count(1, 256), "15";
    /// Earlier passwords that may not be used again.
    password_history: u16, Kind::Count(0, 24), "5";
    /// Whether a new password is refused that holds the account's names.
    password_not_name: bool, Kind::Flag, "true";
    /// A password so old has to be changed at the next login. Passwords that expire are chosen worse, so the default is
    /// `never`.
    password_max_age: Option<Duration>, Kind::SpanOr("never", SECOND, DECADE), "never";
    /// A password so young may not be changed by its owner.
    password_min_age: Duration, Kind::Span(Duration::ZERO, DECADE), "0s";
    /// What an LDAP client gets that must change its password but does not know the password-policy control: refused,
    /// or let in to nothing but the change. Such a client cannot tell its user, so the default is the clear answer.
    must_change_without_control: Unprompted, Kind::Choice(Unprompted::WORDS), "refuse";
    /// Whether unlocking an account takes a new password.
    unlock_requires_password: bool, Kind::Flag, "true";
    /// Whether enabling a dormant or disabled account takes a new password.
    enable_requires_password: bool, Kind::Flag, "false";
    /// Months from an account's deletion to its purge, when the deletion does not say. 0 purges at once.
    purge_months: u16, Kind::Count(0, 120), "1";
    /// Whether an administrator may purge before the months have passed.
    purge_early: bool, Kind::Flag, "false";
    /// What becomes of the names of an account that an administrator deletes, until its purge.
    names_after_deletion: Names, Kind::Choice(Names::WORDS), "reserved";
    /// The same where provisioning or a plain LDAP delete removes the account: such systems create again under the same name and take a refusal for a fault.
    names_after_scim_deletion: Names, Kind::Choice(Names::WORDS), "free";
}

choice! {
    /// The answer to a bind that must be followed by a password change, without the password-policy control.
    Unprompted {
        /// The bind is refused.
        #[default]
        Refuse = "refuse",
        /// The bind succeeds, and nothing but the change is allowed.
        Restrict = "restrict",
    }
}

choice! {
    /// What becomes of the names of a deleted account until its purge.
    Names {
        /// Nobody else gets them.
        #[default]
        Reserved = "reserved",
        /// Free at once.
        Free = "free",
    }
}

impl Policy {
    /// The rules as the life cycle takes them.
    ///
    /// # Errors
    /// The rule that does not go together with the others.
    pub fn rules(&self) -> Result<lifecycle::Policy, PolicyError> {
        lifecycle::Policy::default().with(&PolicyOverlay {
            lockout: Some(self.lockout),
            attempts: Some(self.attempts),
            failure_window: Some(span(self.failure_window)),
            lock_duration: Some(match self.lock_duration {
                Some(duration) => LockDuration::For(span(duration)),
                None => LockDuration::UntilUnlocked,
            }),
            lock_duration_cap: Some(span(self.lock_duration_cap)),
            lock_api_accounts: Some(self.lock_api_accounts),
            delay_tiers: Some(self.delay_tiers),
            forgive_repeats: Some(self.forgive_repeats),
            dormancy_months: Some(period(self.dormancy_months)),
            // When the rule began to hold is a fact of the store, not a setting.
            dormancy_from: None,
            password_min_length: Some(self.password_min_length),
            password_history: Some(self.password_history),
            password_not_name: Some(self.password_not_name),
            password_max_age: Some(period(self.password_max_age.map(span))),
            password_min_age: Some(span(self.password_min_age)),
            must_change_without_control: Some(match self.must_change_without_control {
                Unprompted::Refuse => lifecycle::Unprompted::Refuse,
                Unprompted::Restrict => lifecycle::Unprompted::Restrict,
            }),
            unlock_requires_password: Some(self.unlock_requires_password),
            enable_requires_password: Some(self.enable_requires_password),
            purge_months: Some(self.purge_months),
            purge_early: Some(self.purge_early),
            names_after_deletion: Some(names(self.names_after_deletion)),
            names_after_scim_deletion: Some(names(self.names_after_scim_deletion)),
        })
    }
}

fn span(duration: Duration) -> Span {
    Span::from_millis(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

fn period<T>(value: Option<T>) -> Period<T> {
    value.map_or(Period::Never, Period::After)
}

fn names(names: Names) -> lifecycle::Names {
    match names {
        Names::Reserved => lifecycle::Names::Reserved,
        Names::Free => lifecycle::Names::Free,
    }
}

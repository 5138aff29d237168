//! The facts about an account that its life cycle is derived from; what is stored, and nothing that can be computed.
//!
//! [`Counters`] are the part that a login may change; they live in memory first and reach the store later
//! (`crate::throttle`), so they carry a version of their own. Everything else changes in the write set of its cause.
//! Stored beside the entry, never inside it; doors project it (LDAP `pwd*`, the SCIM extension, the console).

use serde::{Deserialize, Serialize};

use crate::clock::{Millis, Now};
use crate::id::EntryId;

/// People or applications (requirement 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Audience {
    /// An operator who logs in.
    Person,
    /// An application; its password is set by administrators (requirement 5.3), so no change can be forced on it.
    Api,
}

/// Where the password is kept (requirement 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UserType {
    /// Here.
    Native,
    /// On another LDAP server, asked by binding to it.
    Ldap,
    /// With an OpenID provider.
    Sso,
}

/// How far the account has come when nothing holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// Nobody has logged in yet.
    Unverified,
    /// An administrator has enabled or unlocked it; nobody has logged in since.
    Enabled,
    /// In use.
    Active,
}

/// The account is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Since when (`wall`).
    pub at: Millis,
    /// Why.
    pub cause: HoldCause,
    /// By whom, when it was somebody.
    pub by: Option<EntryId>,
}

/// Why an account is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HoldCause {
    /// An administrator.
    Administrator,
    /// SCIM `active: false`.
    Provisioning,
    /// Never used within the dormancy period (requirement 2.2).
    NeverUsed,
}

/// The account is deleted, and waits for its purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// Since when (`wall`).
    pub at: Millis,
    /// Purged so many calendar months later.
    pub months: u16,
    /// The names are free for others already.
    pub names_free: bool,
    /// By whom, when it was somebody.
    pub by: Option<EntryId>,
}

/// Logins are stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Since when (`wall`): LDAP `pwdAccountLockedTime`.
    pub at: Millis,
    /// The end (`steady`); none: until an administrator unlocks.
    pub until: Option<Millis>,
    /// Why.
    pub cause: LockCause,
}

/// Why an account is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LockCause {
    /// Too many wrong passwords.
    Failures,
    /// An administrator.
    Administrator,
}

/// Wrong passwords in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Failures {
    /// How many.
    pub count: u16,
    /// The last one (`steady`).
    pub last: Millis,
}

/// What a login may change without a commit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Rises when an administrator or a new password sets the counters back: memory of an older era is void.
    pub era: u32,
    /// Rises with every other change within an era.
    pub sequence: u32,
    /// Wrong passwords in a row; kept as they were while a lock stands.
    pub failures: Failures,
    /// The lock; one whose end has passed is as good as none.
    pub lock: Option<Lock>,
    /// Temporary locks in a row without a good login between: each doubles the next.
    pub locks_in_a_row: u8,
    /// The last good login (`wall`).
    pub last_login: Option<Millis>,
    /// The last good login, token refresh or use of an API token (`wall`; requirement 2.11).
    pub last_activity: Option<Millis>,
}

/// The facts. All moments are `wall` unless they say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Person or application.
    pub audience: Audience,
    /// Where the password is.
    pub user_type: UserType,
    /// The built-in account of requirement 1.6.
    pub system: bool,
    /// How far it has come.
    pub standing: Standing,
    /// Disabled.
    pub hold: Option<Hold>,
    /// Found dormant; the moment that its period of inactivity had passed.
    pub dormant_at: Option<Millis>,
    /// Deleted.
    pub deletion: Option<Deletion>,
    /// When the account was made.
    pub created: Millis,
    /// When this directory took it over from another; dormancy counts from here, not from the old server's stamps.
    pub imported_at: Option<Millis>,
    /// The first login that was admitted without a change to make.
    pub verified_at: Option<Millis>,
    /// When an administrator last enabled or unlocked it.
    pub enabled_at: Option<Millis>,
    /// The password must be changed at the next login.
    pub force_change: bool,
    /// When the password was last set, by whomever.
    pub password_changed_at: Option<Millis>,
    /// The account is exempt from the policy's greatest age of a password.
    pub password_never_expires: bool,
    /// Sessions and refresh tokens carry the epoch of their birth; another one now revokes them. Never falls.
    pub epoch: u64,
    /// What a login changes.
    pub counters: Counters,
}

impl Account {
    /// A new account: UNVERIFIED (requirement 2.1).
    pub fn new(audience: Audience, user_type: UserType, now: &Now) -> Account {
        Account {
            audience,
            user_type,
            system: false,
            standing: Standing::Unverified,
            hold: None,
            dormant_at: None,
            deletion: None,
            created: now.wall,
            imported_at: None,
            verified_at: None,
            enabled_at: None,
            force_change: false,
            password_changed_at: None,
            password_never_expires: false,
            epoch: 0,
            counters: Counters::default(),
        }
    }

    /// The password is kept here, and its owner may be made to change it.
    pub fn changes_own_password(&self) -> bool {
        self.user_type == UserType::Native && self.audience == Audience::Person
    }

    /// The same facts with the newer of both counters, which may have come from memory or from the store.
    #[must_use]
    pub fn with_counters(mut self, counters: &Counters) -> Account {
        self.counters = self.counters.newer(counters);
        self
    }
}

impl Counters {
    /// The newer of both: the later era, then the later sequence. Stamps are kept whichever side knows the later one.
    #[must_use]
    pub fn newer(&self, other: &Counters) -> Counters {
        let theirs = (other.era, other.sequence) > (self.era, self.sequence);
        let mut newer = if theirs { *other } else { *self };
        newer.last_login = self.last_login.max(other.last_login);
        newer.last_activity = self.last_activity.max(other.last_activity);
        newer
    }

    /// Begins a new era: no failures, no lock. Stamps stay.
    pub(super) fn clear(&mut self) {
        self.era = self.era.saturating_add(1);
        self.sequence = 0;
        self.failures = Failures::default();
        self.lock = None;
        self.locks_in_a_row = 0;
    }

    /// The lock, if it stands at this moment (`steady`).
    pub fn standing_lock(&self, steady: Millis) -> Option<Lock> {
        self.lock.filter(|lock| lock.until.is_none_or(|until| steady < until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: of two counters the later era wins, then the later sequence; the later stamps survive either way.
    #[test]
    fn the_newer_counters_win() {
        let counters = |era, sequence, count, login: i64| Counters {
            era,
            sequence,
            failures: Failures { count, last: Millis(9) },
            last_login: Some(Millis(login)),
            ..Counters::default()
        };
        for (one, two, count, login) in [
            (counters(1, 5, 3, 10), counters(1, 6, 4, 20), 4, 20),
            (counters(1, 6, 4, 10), counters(1, 5, 3, 20), 4, 20),
            (counters(2, 0, 0, 10), counters(1, 60, 9, 20), 0, 20),
            (counters(1, 60, 9, 20), counters(2, 0, 0, 10), 0, 20),
        ] {
            let newer = one.newer(&two);
            assert_eq!((newer.failures.count, newer.last_login), (count, Some(Millis(login))));
        }
    }

    /// Goal: the facts stay small; a million of them are read by a sweep.
    #[test]
    fn facts_are_small() {
        assert!(size_of::<Account>() <= 320, "{}", size_of::<Account>());
        let json =
            serde_json::to_string(&Account::new(Audience::Person, UserType::Native, &Now::at(Millis(1)))).unwrap();
        let back: Account = serde_json::from_str(&json).unwrap();
        assert_eq!(back.created, Millis(1));
    }
}

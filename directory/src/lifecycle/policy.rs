//! The rules that a tenant sets, their defaults, their bounds, and how a tenant's rules lie over the system's.
//!
//! A [`Policy`] is whole and within its bounds when it came from [`Policy::with`]; files and entries hold
//! [`PolicyOverlay`]s, in which every rule may be missing. An overlay out of bounds is refused as a whole: no value
//! turns locking off by being too large (hostile row C9), only `lockout = false` does. Why each default is what it is:
//! `docs/manual/life-cycle.md`.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::{Millis, Span};

/// The longest span that a rule may hold.
const LONGEST: Span = Span::from_days(3_650);
/// The shortest, where none at all is not allowed.
const SHORTEST: Span = Span::from_secs(1);
/// The most months: ten years.
const MOST_MONTHS: u16 = 120;
/// More tries than this are not a limit (NIST SP 800-63B-4 §3.2.2 allows 100 failures in a row).
const MOST_ATTEMPTS: u16 = 99;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident: $kind:ty = $default:expr;)*) => {
        /// The rules for an account: whole, every one with a value.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        pub struct Policy {
            $($(#[$doc])* pub $name: $kind,)*
        }

        /// Some of the rules, as a file or an entry holds them; what is missing is left as it is.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct PolicyOverlay {
            $($(#[$doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $name: Option<$kind>,)*
        }

        impl Default for Policy {
            fn default() -> Policy {
                Policy { $($name: $default,)* }
            }
        }

        impl Policy {
            fn laid_over(&self, overlay: &PolicyOverlay) -> Policy {
                Policy { $($name: overlay.$name.clone().unwrap_or_else(|| self.$name.clone()),)* }
            }
        }
    };
}

rules! {
    /// Wrong passwords lock the account. Without it `delay_tiers` must be on.
    lockout: bool = true;
    /// Wrong passwords in a row that are let pass; the next one locks (requirement 2.4: more than this number).
    attempts: u16 = 5;
    /// A wrong password that comes so long after the one before begins a new row.
    failure_window: Span = Span::from_mins(15);
    /// How long a lock lasts; each in a row without a good login between lasts twice as long as the one before.
    lock_duration: LockDuration = LockDuration::For(Span::from_mins(15));
    /// Doubling stops here; below `lock_duration` it means no doubling.
    lock_duration_cap: Span = Span::from_hours(24);
    /// Applications are locked as people are.
    lock_api_accounts: bool = true;
    /// After three wrong passwords the next tries have to wait for 1, 3, 5 and then 10 seconds each.
    delay_tiers: bool = false;
    /// The same wrong password again counts once (one of the last three, while they are in memory).
    forgive_repeats: bool = false;
    /// Calendar months without activity after which an account is dormant.
    dormancy_months: Period<u16> = Period::After(6);
    /// When the dormancy rule began to hold; inactivity before does not count. Set when the rule is first written.
    dormancy_from: Millis = Millis::MIN;
    /// Characters that a new password has at least.
    password_min_length: u16 = 15;
    /// Former passwords that may not be used again.
    password_history: u16 = 5;
    /// A new password may not hold the account's names.
    password_not_name: bool = true;
    /// A password so old has to be changed at the next login.
    password_max_age: Period<Span> = Period::Never;
    /// A password so young may not be changed by its owner, but after a forced change and by a link.
    password_min_age: Span = Span::ZERO;
    /// What a client that cannot change a password is told when it has to be changed.
    must_change_without_control: Unprompted = Unprompted::Refuse;
    /// Unlocking needs a new password.
    unlock_requires_password: bool = true;
    /// Enabling a DORMANT or DISABLED account needs a new password.
    enable_requires_password: bool = false;
    /// Months from a deletion to its purge when the deletion does not say.
    purge_months: u16 = 1;
    /// An administrator may purge before the months have passed.
    purge_early: bool = false;
    /// The names of what an administrator deletes.
    names_after_deletion: Names = Names::Reserved;
    /// The names of what provisioning deletes, and a plain LDAP delete.
    names_after_scim_deletion: Names = Names::Free;
}

/// How long a lock lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockDuration {
    /// So long. As text a span: `15m`.
    For(Span),
    /// Until an administrator unlocks. As text `until-unlocked`.
    UntilUnlocked,
}

/// A period, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period<T> {
    /// After so much.
    After(T),
    /// As text `never`.
    Never,
}

/// What a client without the password-policy control meets when the password has to be changed (requirement 2.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unprompted {
    /// The bind is refused.
    Refuse,
    /// The bind succeeds, and nothing but the change is allowed.
    Restrict,
}

/// What becomes of the names of a deleted account until its purge (requirement 2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Names {
    /// Nobody else gets them.
    Reserved,
    /// Free at once.
    Free,
}

/// A rule that is out of bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy rule {rule}: {problem}")]
pub struct PolicyError {
    /// Its name.
    pub rule: &'static str,
    /// What is wrong with it, in words for the one who wrote it.
    pub problem: &'static str,
}

impl Policy {
    /// These rules with others over them; the upper ones win. Refused as a whole when the result is out of bounds.
    pub fn with(&self, overlay: &PolicyOverlay) -> Result<Policy, PolicyError> {
        let policy = self.laid_over(overlay);
        policy.check()?;
        Ok(policy)
    }

    /// The wrong password that locks: one more than are let pass (LDAP `pwdMaxFailure`).
    pub fn threshold(&self) -> u16 {
        self.attempts.saturating_add(1)
    }

    /// Every rule within its bounds, one by one.
    pub fn check(&self) -> Result<(), PolicyError> {
        let span = "must be between 1 second and 3650 days";
        let months = "must be between 1 and 120 months, or \"never\"";
        let lock = match self.lock_duration {
            LockDuration::For(duration) => (SHORTEST..=LONGEST).contains(&duration),
            LockDuration::UntilUnlocked => true,
        };
        let dormancy = match self.dormancy_months {
            Period::After(months) => (1..=MOST_MONTHS).contains(&months),
            Period::Never => true,
        };
        let max_age = match self.password_max_age {
            Period::After(age) => (SHORTEST..=LONGEST).contains(&age) && age > self.password_min_age,
            Period::Never => true,
        };
        for (holds, rule, problem) in [
            ((1..=MOST_ATTEMPTS).contains(&self.attempts), "attempts", "must be between 1 and 99"),
            (self.lockout || self.delay_tiers, "lockout", "may be off only when delay_tiers is on"),
            (self.lock_api_accounts || self.delay_tiers, "lock_api_accounts", "may be off only when delay_tiers is on"),
            ((SHORTEST..=LONGEST).contains(&self.failure_window), "failure_window", span),
            (lock, "lock_duration", "must be between 1 second and 3650 days, or \"until-unlocked\""),
            ((SHORTEST..=LONGEST).contains(&self.lock_duration_cap), "lock_duration_cap", span),
            (dormancy, "dormancy_months", months),
            ((1..=256).contains(&self.password_min_length), "password_min_length", "must be between 1 and 256"),
            (self.password_history <= 100, "password_history", "must be at most 100"),
            (max_age, "password_max_age", "must be above password_min_age and at most 3650 days, or \"never\""),
            (self.password_min_age <= LONGEST, "password_min_age", "must be at most 3650 days"),
            (self.purge_months <= MOST_MONTHS, "purge_months", "must be at most 120"),
        ] {
            if !holds {
                return Err(PolicyError { rule, problem });
            }
        }
        Ok(())
    }
}

/// Whether a deletion may wait so many months.
pub(super) fn months_in_bounds(months: u16) -> bool {
    months <= MOST_MONTHS
}

impl Serialize for LockDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            LockDuration::For(span) => span.serialize(serializer),
            LockDuration::UntilUnlocked => serializer.serialize_str("until-unlocked"),
        }
    }
}

impl<'de> Deserialize<'de> for LockDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LockDuration, D::Error> {
        let value = deserializer.deserialize_any(WordOr::<Span>::new("until-unlocked"))?;
        Ok(value.map_or(LockDuration::UntilUnlocked, LockDuration::For))
    }
}

impl<T: Serialize> Serialize for Period<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Period::After(value) => value.serialize(serializer),
            Period::Never => serializer.serialize_str("never"),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Period<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Period<T>, D::Error> {
        let value = deserializer.deserialize_any(WordOr::<T>::new("never"))?;
        Ok(value.map_or(Period::Never, Period::After))
    }
}

/// Reads one word as nothing, and everything else as a value.
struct WordOr<T> {
    word: &'static str,
    value: std::marker::PhantomData<T>,
}

impl<T> WordOr<T> {
    fn new(word: &'static str) -> Self {
        WordOr { word, value: std::marker::PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for WordOr<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a length of time or \"{}\"", self.word)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Option<T>, E> {
        if text == self.word {
            return Ok(None);
        }
        T::deserialize(serde::de::value::StrDeserializer::new(text)).map(Some)
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<T>, E> {
        T::deserialize(serde::de::value::I64Deserializer::new(number)).map(Some)
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<T>, E> {
        T::deserialize(serde::de::value::U64Deserializer::new(number)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlay(json: &str) -> Result<Policy, String> {
        let overlay = serde_json::from_str::<PolicyOverlay>(json).map_err(|error| error.to_string())?;
        Policy::default().with(&overlay).map_err(|error| error.to_string())
    }

    /// Goal: the defaults are within their own bounds.
    #[test]
    fn defaults_hold() {
        assert_eq!(Policy::default().check(), Ok(()));
    }

    /// Goal: rules out of bounds are refused by name and never loosen anything (hostile rows C9 and C10).
    #[test]
    fn bounds() {
        for (json, refused) in [
            (r#"{"lock_duration": "15m"}"#, None),
            (r#"{"lock_duration": 900}"#, None),
            (r#"{"lock_duration": "until-unlocked"}"#, None),
            (r#"{"lock_duration": "until-unlocked", "lock_duration_cap": "1s"}"#, None),
            (r#"{"lock_duration": "48h", "lock_duration_cap": "1s"}"#, None),
            (r#"{"lock_duration": "21900d"}"#, Some("lock_duration")),
            (r#"{"lock_duration": 2147483648}"#, Some("lock_duration")),
            (r#"{"lock_duration": "9223372036854775807ms"}"#, Some("lock_duration")),
            (r#"{"lock_duration": 9223372036854775808}"#, Some("span of time")),
            (r#"{"lock_duration": -1}"#, Some("span of time")),
            (r#"{"lock_duration": 0}"#, Some("lock_duration")),
            (r#"{"lock_duration": "P1Y"}"#, Some("span of time")),
            (r#"{"lock_duration": "never"}"#, Some("span of time")),
            (r#"{"failure_window": 0}"#, Some("failure_window")),
            (r#"{"lock_duration_cap": 0, "lock_duration": "until-unlocked"}"#, Some("lock_duration_cap")),
            (r#"{"attempts": 0}"#, Some("attempts")),
            (r#"{"attempts": 100}"#, Some("attempts")),
            (r#"{"attempts": 65536}"#, Some("u16")),
            (r#"{"attempts": -1}"#, Some("u16")),
            (r#"{"lockout": false}"#, Some("lockout")),
            (r#"{"lockout": false, "delay_tiers": true}"#, None),
            (r#"{"lock_api_accounts": false}"#, Some("lock_api_accounts")),
            (r#"{"dormancy_months": "never"}"#, None),
            (r#"{"dormancy_months": 3}"#, None),
            (r#"{"dormancy_months": 0}"#, Some("dormancy_months")),
            (r#"{"dormancy_months": 121}"#, Some("dormancy_months")),
            (r#"{"password_max_age": "90d", "password_min_age": "1d"}"#, None),
            (r#"{"password_max_age": "1d", "password_min_age": "1d"}"#, Some("password_max_age")),
            (r#"{"password_min_age": "3651d"}"#, Some("password_min_age")),
            (r#"{"must_change_without_control": "restrict"}"#, None),
            (r#"{"names_after_deletion": "free", "purge_months": 0, "purge_early": true}"#, None),
            (r#"{"purge_months": 121}"#, Some("purge_months")),
            (r#"{"lock_durations": "15m"}"#, Some("lock_durations")),
        ] {
            match (overlay(json), refused) {
                (Ok(policy), None) => assert!(policy.lockout || policy.delay_tiers, "{json}"),
                (Err(error), Some(word)) => assert!(error.contains(word), "{json}: {error}"),
                (result, _) => panic!("{json}: {result:?}"),
            }
        }
    }

    /// Goal: a tenant's rule wins over the system's, the system's over the default, and the rest stays.
    #[test]
    fn upper_rules_win() {
        let system = PolicyOverlay { attempts: Some(9), purge_months: Some(6), ..PolicyOverlay::default() };
        let tenant = PolicyOverlay { attempts: Some(3), ..PolicyOverlay::default() };
        let policy = Policy::default().with(&system).unwrap().with(&tenant).unwrap();
        assert_eq!((policy.attempts, policy.purge_months, policy.password_history), (3, 6, 5));
        let text = serde_json::to_string(&tenant).unwrap();
        assert_eq!(text, r#"{"attempts":3}"#);
        let whole: PolicyOverlay = serde_json::from_str(&serde_json::to_string(&policy).unwrap()).unwrap();
        assert_eq!(Policy::default().with(&whole), Ok(policy));
    }
}

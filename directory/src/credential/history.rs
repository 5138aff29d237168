//! Remembered passwords and the least age: what stops going back to an old password.
//!
//! Owns the shape of the remembered list and the two questions "used before?" and "changed too recently?". The list is
//! stored by the account; how long it is, is policy. Each remembered password costs one hash run to compare with (20 ms
//! by default), for hashes with different salts share no work; hence the bound, and hence the pool.
#![deny(clippy::arithmetic_side_effects)]

use super::password::{Arena, Params, PasswordHash, verify};
use super::quality::Refused;

/// The most passwords that a policy can have remembered: 24 are about half a second of one core per change.
pub const MAX_REMEMBERED: usize = 24;

/// The remembered list after a change: the replaced hash first, then the former ones, `keep` in all.
///
/// `keep` is cut to [`MAX_REMEMBERED`]; zero empties the list. The present hash is never in it.
pub fn remember(replaced: Option<PasswordHash>, former: &[PasswordHash], keep: usize) -> Vec<PasswordHash> {
    replaced.into_iter().chain(former.iter().cloned()).take(keep.min(MAX_REMEMBERED)).collect()
}

/// Whether a new password is one of these. Stops at the first that matches; both sides are compared in their RFC 8265
/// form, so another spelling of the same characters is the same password. A hash that cannot be used matches nothing.
pub fn is_reused(password: &[u8], hashes: &[PasswordHash], arena: &mut Arena) -> bool {
    hashes.iter().any(|hash| verify(hash, password, Params::default(), arena).matched)
}

/// Whether the present password is too young to be changed by its owner. All three in milliseconds; the first two are
/// times since 1970, `least_age` a duration.
///
/// A change that lies in the future (the clock was set back since) counts as old: better one change too many than an
/// owner kept from changing for years.
pub fn too_young(changed: i64, now: i64, least_age: i64) -> Option<Refused> {
    let until = changed.saturating_add(least_age);
    (changed <= now && now < until).then_some(Refused::TooYoung { until })
}

#[cfg(test)]
mod tests {
    use super::super::password::hash;
    use super::*;
    use proptest::prelude::*;

    fn made(password: &str, salt: u8) -> PasswordHash {
        hash(password.as_bytes(), [salt; 16], Params::new(8, 1, 1).unwrap(), &mut Arena::new()).unwrap()
    }

    #[test]
    fn finds_an_old_password_in_any_spelling() {
        // Goal: a former password is found under another salt and another normal form; a new one and a damaged row are not.
        let hashes = [
            made("first", 1),
            PasswordHash::from_stored("{SSHA}damaged"),
            made("r\u{e9}sum\u{e9} two", 2),
            PasswordHash::from_stored("{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="), // "test"
        ];
        let mut arena = Arena::new();
        for (password, reused) in
            [("first", true), ("re\u{301}sume\u{301}\u{a0}two", true), ("test", true), ("First", false), ("", false)]
        {
            assert_eq!(is_reused(password.as_bytes(), &hashes, &mut arena), reused, "{password}");
        }
    }

    #[test]
    fn remembers_the_newest() {
        // Goal: newest first, no more than asked for, no more than the bound.
        let former: Vec<_> = (0..30).map(|n| PasswordHash::from_stored(format!("{{X}}{n}"))).collect();
        let newest = PasswordHash::from_stored("{X}new");
        for (keep, expected) in [(0, 0), (1, 1), (5, 5), (24, 24), (99, MAX_REMEMBERED)] {
            let list = remember(Some(newest.clone()), &former, keep);
            assert_eq!(list.len(), expected);
            assert_eq!(list.first(), (expected > 0).then_some(&newest));
        }
        assert_eq!(remember(None, &former, 2), former[..2]);
    }

    #[test]
    fn least_age() {
        // Goal: the age counts from the change; extreme times neither overflow nor lock the owner out.
        for (changed, now, least_age, young) in [
            (1000, 1000, 0, false),
            (1000, 1000, 1, true),
            (1000, 1999, 1000, true),
            (1000, 2000, 1000, false),
            (5000, 1000, 1000, false),
            (i64::MAX, i64::MAX, i64::MAX, false),
            (1, 2, i64::MAX, true),
            (i64::MIN, 0, i64::MAX, false),
        ] {
            assert_eq!(too_young(changed, now, least_age).is_some(), young, "{changed} {now} {least_age}");
        }
    }

    proptest! {
        #[test]
        fn too_young_ends(changed: i64, now: i64, least_age in 0..i64::MAX) {
            // Goal: whenever a change is refused, the time it names is later than now and is not refused itself.
            if let Some(Refused::TooYoung { until }) = too_young(changed, now, least_age) {
                prop_assert!(until > now);
                prop_assert_eq!(too_young(changed, until, least_age), None);
            }
        }
    }
}

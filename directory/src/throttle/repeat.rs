//! Fingerprints of wrong passwords: enough to see that the same one came again, useless to find out which.
//!
//! HMAC-SHA-256 under a key that is drawn when the process starts and never leaves memory, cut to 64 bits, bound to the
//! account. Used only where the policy forgives repeats.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::id::EntryId;

/// A fingerprint.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}

/// The key.
#[derive(Clone)]
pub struct Fingerprints {
    mac: Hmac<Sha256>,
}

impl Fingerprints {
    /// With a key of this run.
    pub fn new(key: &[u8; 32]) -> Fingerprints {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        Fingerprints { mac: Hmac::new(&block) }
    }

    /// The fingerprint of a password, prepared as it would be for checking.
    pub fn of(&self, account: EntryId, password: &[u8]) -> Fingerprint {
        let mut mac = self.mac.clone();
        mac.update(&account.0.to_be_bytes());
        mac.update(password);
        let mut short = [0_u8; 8];
        for (to, from) in short.iter_mut().zip(mac.finalize().into_bytes()) {
            *to = from;
        }
        Fingerprint(u64::from_be_bytes(short))
    }
}

impl std::fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprints(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the same password of the same account under the same key, and nothing else, has the same fingerprint.
    #[test]
    fn what_they_depend_on() {
        let (one, two) = (Fingerprints::new(&[1; 32]), Fingerprints::new(&[2; 32]));
        let reference = one.of(EntryId(1), b"secret");
        assert!(reference == one.of(EntryId(1), b"secret"));
        assert!(reference != one.of(EntryId(2), b"secret"));
        assert!(reference != one.of(EntryId(1), b"secret2"));
        assert!(reference != two.of(EntryId(1), b"secret"));
        assert_eq!(format!("{one:?} {reference:?}"), "Fingerprints(..) Fingerprint(..)");
    }
}

//! The hash that nobody has: work to be done for a name that does not exist.
//!
//! Owns a stored hash with random salt and random result, made once per process (and per set of parameters), so that an
//! unknown name costs what a known one costs. `pool` verifies against it; `authenticate` makes it at start.
#![deny(clippy::arithmetic_side_effects)]

use super::password::{Params, PasswordHash, SALT_BYTES};
use std::time::Duration;

/// A stored hash that no password matches, except with probability 2^-256.
#[derive(Debug, Clone)]
pub struct Decoy {
    params: Params,
    salt: [u8; SALT_BYTES],
    result: [u8; 32],
    stored: PasswordHash,
}

impl Decoy {
    /// Salt and result are drawn by the caller; `params` are those that new hashes of the tenant get.
    pub fn new(params: Params, salt: [u8; SALT_BYTES], result: [u8; 32]) -> Decoy {
        Decoy { params, salt, result, stored: params.stored(salt, result) }
    }

    /// The parameters that new hashes get.
    pub fn params(&self) -> Params {
        self.params
    }

    /// The hash to verify against.
    pub fn stored(&self) -> &PasswordHash {
        &self.stored
    }

    /// A decoy that costs what is left of a full one after `spent`, where a full one takes `full`; none when nothing
    /// worth running is left. The memory shrinks, for the time of argon2 is proportional to it.
    pub(super) fn rest(&self, spent: Duration, full: Duration) -> Option<PasswordHash> {
        let left = full.checked_sub(spent).filter(|left| !left.is_zero())?;
        let memory = u128::from(self.params.memory_kib()).checked_mul(left.as_nanos())?.checked_div(full.as_nanos())?;
        let memory = u32::try_from(memory).ok()?;
        let params = Params::new(memory, self.params.iterations(), self.params.lanes()).ok()?;
        Some(params.stored(self.salt, self.result))
    }
}

#[cfg(test)]
mod tests {
    use super::super::password::{Arena, verify};
    use super::*;

    #[test]
    fn costs_the_same_and_never_matches() {
        // Goal: the decoy has the estimate and shape of a real hash of the same parameters, and is no defect.
        let params = Params::new(64, 1, 1).unwrap();
        let mut arena = Arena::new();
        let decoy = Decoy::new(params, [7; 16], [9; 32]);
        let real = super::super::password::hash(b"correct horse", [7; 16], params, &mut arena).unwrap();
        assert_eq!(decoy.stored().estimate_us(), real.estimate_us());
        assert_eq!(decoy.stored().as_str().len(), real.as_str().len());
        let outcome = verify(decoy.stored(), b"correct horse", params, &mut arena);
        assert!(!outcome.matched && !outcome.upgrade && outcome.defect.is_none());
    }

    #[test]
    fn the_rest_fills_up() {
        // Goal: what was spent and what is left make one full run; extreme measures give none or the full one.
        let decoy = Decoy::new(Params::default(), [7; 16], [9; 32]);
        let full = Duration::from_millis(20);
        let whole = decoy.stored().estimate_us();
        for (spent_ms, left_percent) in [(0, 100), (5, 75), (10, 50), (19, 5), (20, 0), (500, 0)] {
            let left = decoy.rest(Duration::from_millis(spent_ms), full).map_or(0, |rest| rest.estimate_us());
            assert!(left.abs_diff(whole * left_percent / 100) <= 20, "{spent_ms} ms: {left} of {whole}");
        }
        assert_eq!(decoy.rest(Duration::ZERO, Duration::ZERO), None);
        assert_eq!(decoy.rest(Duration::ZERO, Duration::MAX).as_ref(), Some(decoy.stored()));
        assert_eq!(decoy.rest(Duration::MAX, Duration::MAX), None);
    }
}

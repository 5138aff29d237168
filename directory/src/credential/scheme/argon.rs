//! Argon2 hashes as PHC strings (RFC 9106; `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`).
//!
//! Owns the text form, read and written, and the run of the function in the caller's arena. Which parameters are the
//! present ones is not known here.
#![deny(clippy::arithmetic_side_effects)]

use super::{Defect, decimal, equal};
use crate::credential::password::Arena;
use argon2::{Algorithm, Argon2, Version};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;

/// The most memory that a stored hash may ask for: 256 MiB, in KiB.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
/// The most passes over the memory.
const MAX_ITERATIONS: u32 = 64;
/// The most work, memory times passes: about two seconds of one core.
const MAX_WORK_KIB: u64 = 2 * 1024 * 1024;
/// The most lanes.
const MAX_LANES: u32 = 16;

/// One argon2 hash with its parameters.
#[derive(Debug)]
pub(in crate::credential) struct Argon {
    pub(in crate::credential) algorithm: Algorithm,
    pub(in crate::credential) version: Version,
    pub(in crate::credential) memory_kib: u32,
    pub(in crate::credential) iterations: u32,
    pub(in crate::credential) lanes: u32,
    pub(in crate::credential) salt: Vec<u8>,
    pub(in crate::credential) hash: Vec<u8>,
}

impl Argon {
    /// Reads a PHC string. A missing version is 1.0 (0x10), as the reference implementation has it.
    pub(in crate::credential) fn parse(text: &str) -> Result<Argon, Defect> {
        let mut parts = text.strip_prefix('$').ok_or(Defect::Malformed)?.split('$');
        let mut next = || parts.next().ok_or(Defect::Malformed);
        let algorithm = match next()? {
            "argon2id" => Algorithm::Argon2id,
            "argon2i" => Algorithm::Argon2i,
            "argon2d" => Algorithm::Argon2d,
            _ => return Err(Defect::UnknownScheme),
        };
        let mut field = next()?;
        let version = match field.strip_prefix("v=") {
            None => Version::V0x10,
            Some(number) => {
                field = next()?;
                match number {
                    "16" => Version::V0x10,
                    "19" => Version::V0x13,
                    _ => return Err(Defect::UnknownScheme),
                }
            }
        };
        let mut costs = field.split(',');
        let mut cost = |name: &str| {
            let value = costs.next().and_then(|pair| pair.strip_prefix(name)).ok_or(Defect::Malformed)?;
            decimal(value)
        };
        let (memory_kib, iterations, lanes) = (cost("m=")?, cost("t=")?, cost("p=")?);
        if costs.next().is_some() {
            return Err(Defect::Malformed); // `keyid` and `data` need a secret that we do not have
        }
        let (salt, hash) = (super::base64(next()?)?, super::base64(next()?)?);
        if parts.next().is_some() || !(8..=64).contains(&salt.len()) || !(16..=64).contains(&hash.len()) {
            return Err(Defect::Malformed);
        }
        if !within_bounds(memory_kib, iterations, lanes) {
            return Err(Defect::Cost);
        }
        Ok(Argon { algorithm, version, memory_kib, iterations, lanes, salt, hash })
    }

    /// The PHC string.
    pub(in crate::credential) fn text(&self) -> String {
        format!(
            "${}$v={}$m={},t={},p={}${}${}",
            self.algorithm.as_str(),
            u32::from(self.version),
            self.memory_kib,
            self.iterations,
            self.lanes,
            BASE64_STANDARD_NO_PAD.encode(&self.salt),
            BASE64_STANDARD_NO_PAD.encode(&self.hash),
        )
    }

    pub(super) fn estimate_us(&self) -> u64 {
        estimate_us(self.memory_kib, self.iterations)
    }

    pub(super) fn check(&self, password: &[u8], arena: &mut Arena) -> Result<bool, Defect> {
        Ok(equal(&self.run(password, arena)?, &self.hash))
    }

    /// The hash of these bytes under these parameters and this salt, as long as the present hash.
    pub(in crate::credential) fn run(&self, password: &[u8], arena: &mut Arena) -> Result<Vec<u8>, Defect> {
        let params = argon2::Params::new(self.memory_kib, self.iterations, self.lanes, Some(self.hash.len()))
            .map_err(|_| Defect::Cost)?;
        let mut out = vec![0; self.hash.len()];
        arena.with_blocks(params.block_count(), |blocks| {
            Argon2::new(self.algorithm, self.version, params)
                .hash_password_into_with_memory(password, &self.salt, &mut out, blocks)
                .map_err(|_| Defect::Malformed)
        })?;
        Ok(out)
    }
}

/// Whether a hash of such a cost is run at all.
pub(in crate::credential) fn within_bounds(memory_kib: u32, iterations: u32, lanes: u32) -> bool {
    (1..=MAX_LANES).contains(&lanes)
        && (lanes.saturating_mul(8)..=MAX_MEMORY_KIB).contains(&memory_kib)
        && (1..=MAX_ITERATIONS).contains(&iterations)
        && work_kib(memory_kib, iterations) <= MAX_WORK_KIB
}

/// Memory times passes; both are 32 bits, so the product fits.
fn work_kib(memory_kib: u32, iterations: u32) -> u64 {
    u64::from(memory_kib).saturating_mul(u64::from(iterations))
}

/// One run in microseconds of one core; measured: 19 to 22 ms for 19456 KiB and two passes.
pub(in crate::credential) fn estimate_us(memory_kib: u32, iterations: u32) -> u64 {
    work_kib(memory_kib, iterations).div_ceil(2)
}

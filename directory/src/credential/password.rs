//! Hashing and verifying a password: the stored form, its parameters, the memory it runs in.
//!
//! Owns [`PasswordHash`] (text, one canonical form), [`Params`] and [`Arena`], and the two functions [`hash`] and
//! [`verify`]. Both are synchronous and slow: only the threads of `pool` call them on accounts' behalf. What a password
//! must look like is `quality`'s business, whose it is `authenticate`'s. Nothing is drawn here: the salt comes in.
#![deny(clippy::arithmetic_side_effects)]

use super::prepare::{MAX_PASSWORD_BYTES, Unfit, prepare};
use super::scheme::{self, Argon, Cost, Defect, Parsed};
use argon2::{Algorithm, Block, Version};
use std::fmt;

/// Bytes of a salt of ours (RFC 9106 §3.1 recommends 16).
pub const SALT_BYTES: usize = 16;
/// Bytes of a hash of ours.
const HASH_BYTES: usize = 32;

/// A password's stored form.
///
/// Canonical: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`. Imported ones are `{SCHEME}value` until their first login.
/// Holding one says nothing about its soundness: that shows at [`verify`], so that a bad row never stops a read.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Box<str>);

impl PasswordHash {
    /// What the store holds. Values from outside go through [`import`](super::import::import) instead.
    pub fn from_stored(text: impl Into<Box<str>>) -> PasswordHash {
        PasswordHash(text.into())
    }

    /// The text to store. Secret: it must not be shown, searched or compared through any door.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a verification may be done on the spot. A hash that cannot be read is cheap: nothing is run.
    pub fn cost(&self) -> Cost {
        scheme::parse(&self.0).map_or(Cost::Cheap, |parsed| parsed.cost())
    }

    /// What makes it unusable, if anything.
    pub fn defect(&self) -> Option<Defect> {
        scheme::parse(&self.0).err()
    }

    /// One verification in microseconds of one core, roughly.
    pub(super) fn estimate_us(&self) -> u64 {
        scheme::parse(&self.0).map_or(1, |parsed| parsed.estimate_us())
    }

    /// The scheme's name for people and for the audit log; never the salt or the hash.
    pub fn scheme(&self) -> &str {
        match scheme::split(&self.0) {
            Some((name, _)) => name,
            None if self.0.starts_with("$argon2id$") => "argon2id",
            None => "unknown",
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({} …)", self.scheme())
    }
}

/// The cost of new hashes. Existing ones follow at their owner's next login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

impl Default for Params {
    /// 19 MiB, two passes, one lane: the least that OWASP's cheat sheet recommends for argon2id, about 20 ms of one core.
    fn default() -> Params {
        Params { memory_kib: 19_456, iterations: 2, lanes: 1 }
    }
}

/// The parameters are out of bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "argon2: memory must be 8 to 262144 KiB and at least 8 per lane, iterations 1 to 64, lanes 1 to 16, memory times iterations at most 2 GiB"
)]
pub struct ParamsOutOfBounds;

impl Params {
    /// Memory in KiB (8 per lane to 262,144), passes (1 to 64), lanes (1 to 16); memory times passes at most 2 GiB, so
    /// that one login cannot take more than a few seconds. Lanes are computed one after the other.
    pub fn new(memory_kib: u32, iterations: u32, lanes: u32) -> Result<Params, ParamsOutOfBounds> {
        if scheme::within_bounds(memory_kib, iterations, lanes) {
            Ok(Params { memory_kib, iterations, lanes })
        } else {
            Err(ParamsOutOfBounds)
        }
    }

    /// Memory in KiB.
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub const fn iterations(self) -> u32 {
        self.iterations
    }

    /// Lanes.
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    /// An argon2id hash of these parameters with everything but the function's result.
    fn frame(self, salt: [u8; SALT_BYTES], hash: [u8; HASH_BYTES]) -> Argon {
        Argon {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            memory_kib: self.memory_kib,
            iterations: self.iterations,
            lanes: self.lanes,
            salt: salt.to_vec(),
            hash: hash.to_vec(),
        }
    }

    /// A well-formed stored hash of these parameters whose result is given, not computed.
    pub(super) fn stored(self, salt: [u8; SALT_BYTES], hash: [u8; HASH_BYTES]) -> PasswordHash {
        PasswordHash(self.frame(salt, hash).text().into())
    }

    /// One hash in microseconds of one core, roughly.
    pub(super) fn estimate_us(self) -> u64 {
        scheme::argon_estimate_us(self.memory_kib, self.iterations)
    }

    fn are_those_of(self, hash: &Argon) -> bool {
        hash.algorithm == Algorithm::Argon2id
            && hash.version == Version::V0x13
            && (hash.memory_kib, hash.iterations, hash.lanes) == (self.memory_kib, self.iterations, self.lanes)
            && hash.salt.len() >= SALT_BYTES
            && hash.hash.len() >= HASH_BYTES
    }
}

/// The memory argon2 works in, kept between runs: a fresh 19 MiB costs 4 to 6 ms of page faults each time.
///
/// Its contents are not wiped between runs; what remains gives away no more than the stored hash does.
#[derive(Default)]
pub struct Arena {
    blocks: Vec<Block>,
}

/// What an arena keeps: the blocks of the largest ordinary parameters. More is given back after the run.
const KEPT_BLOCKS: usize = 64 * 1024;

impl Arena {
    /// An empty arena; it grows at the first use.
    pub fn new() -> Arena {
        Arena::default()
    }

    /// Whether it holds no memory.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub(super) fn with_blocks<T>(
        &mut self,
        count: usize,
        run: impl FnOnce(&mut [Block]) -> Result<T, Defect>,
    ) -> Result<T, Defect> {
        if let Some(more) = count.checked_sub(self.blocks.len()) {
            self.blocks.try_reserve_exact(more).map_err(|_| Defect::OutOfMemory)?;
            self.blocks.resize(count, Block::default());
        }
        let result = run(self.blocks.get_mut(..count).ok_or(Defect::OutOfMemory)?);
        if self.blocks.len() > KEPT_BLOCKS {
            self.blocks.truncate(KEPT_BLOCKS);
            self.blocks.shrink_to_fit();
        }
        result
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arena({} KiB)", self.blocks.len())
    }
}

/// Why no hash was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The bytes cannot become a password.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The function could not run.
    #[error(transparent)]
    Run(#[from] Defect),
}

/// Hashes a password for the store: its RFC 8265 form, argon2id, these parameters, this salt (drawn by the caller).
pub fn hash(
    password: &[u8],
    salt: [u8; SALT_BYTES],
    params: Params,
    arena: &mut Arena,
) -> Result<PasswordHash, HashError> {
    let prepared = prepare(password)?;
    let mut made = params.frame(salt, [0; HASH_BYTES]);
    made.hash = made.run(prepared.as_bytes(), arena)?;
    Ok(PasswordHash(made.text().into()))
}

/// What a verification found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verification {
    /// The password is the one.
    pub matched: bool,
    /// It is the one, the stored hash is not of the present scheme and parameters, and a new one can be made.
    pub upgrade: bool,
    /// The stored hash could not be used: not matched, and an alarm is due.
    pub defect: Option<Defect>,
}

/// Compares a password with a stored hash. `current` are the parameters that new hashes get.
///
/// The password is tried in its RFC 8265 form; where the bytes as sent differ from that form they are tried next, but
/// on hashes of other servers only, which hashed what they were sent. Bytes that have no such form (not UTF-8, control
/// characters) are tried as they are and never lead to an upgrade. Empty and over-long passwords match nothing and
/// start no work.
pub fn verify(stored: &PasswordHash, password: &[u8], current: Params, arena: &mut Arena) -> Verification {
    if password.is_empty() || password.len() > MAX_PASSWORD_BYTES {
        return Verification::default();
    }
    let parsed = match scheme::parse(&stored.0) {
        Ok(parsed) => parsed,
        Err(defect) => return Verification { defect: Some(defect), ..Verification::default() },
    };
    let ours = stored.0.starts_with('$');
    let outcome = match prepare(password) {
        Err(_) => parsed.check(password, arena).map(|matched| (matched, false)),
        Ok(prepared) => parsed.check(prepared.as_bytes(), arena).and_then(|matched| {
            let differs = prepared.as_bytes() != password;
            Ok((matched || (differs && !ours && parsed.check(password, arena)?), true))
        }),
    };
    match outcome {
        Err(defect) => Verification { defect: Some(defect), ..Verification::default() },
        Ok((matched, can_be_hashed)) => {
            let present = ours && matches!(&parsed, Parsed::Argon(hash) if current.are_those_of(hash));
            Verification { matched, upgrade: matched && can_be_hashed && !present, defect: None }
        }
    }
}

#[cfg(test)]
mod tests;

//! Stored password hashes, ours and other servers': from text to something that can be checked.
//!
//! | stored text | made by | file |
//! |---|---|---|
//! | `$argon2id$…`, `{ARGON2}$argon2{i,d,id}$…` | rollbook, OpenLDAP, anything that writes PHC strings | `argon` |
//! | `{SHA} {SHA256} {SHA384} {SHA512} {MD5}`, with `S` before: salted | OpenLDAP, 389-DS | `digest` |
//! | `{PBKDF2} {PBKDF2-SHA1} {PBKDF2-SHA256} {PBKDF2-SHA512} {PBKDF2_SHA256}` | OpenLDAP, 389-DS | `pbkdf2` |
//! | `{CRYPT}` with `$1$ $2a$ $2b$ $2y$ $5$ $6$`, `{BCRYPT}`, `{CRYPT-MD5}` … | crypt(3) | `crypt` |
//!
//! Scheme names are ASCII case-insensitive. The text comes from imports, so every length is checked and every cost
//! bounded before any work is done; nothing here can panic. Called by `password` and `import` only; knows nothing of
//! Unicode (it sees bytes) and nothing of threads.
#![deny(clippy::arithmetic_side_effects)]

mod argon;
mod crypt;
mod digest;
mod pbkdf2;

pub(super) use argon::{Argon, estimate_us as argon_estimate_us, within_bounds};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use subtle::ConstantTimeEq;

use super::password::Arena;

/// What is wrong with a stored hash. Never shown to a peer: it raises an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The scheme is not one that can be checked.
    #[error("unknown password scheme")]
    UnknownScheme,
    /// Truncated, or not in the form of its scheme.
    #[error("malformed password hash")]
    Malformed,
    /// The cost written in the hash is out of bounds.
    #[error("the cost of the password hash is out of bounds")]
    Cost,
    /// The memory that the hash asks for could not be had.
    #[error("no memory for the password hash")]
    OutOfMemory,
}

/// How much work a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Microseconds: done where it is asked for.
    Cheap,
    /// Milliseconds to seconds: belongs to the pool.
    Expensive,
}

/// A stored hash, taken apart. All bounds hold.
#[derive(Debug)]
pub(super) enum Parsed {
    Argon(Argon),
    Digest(digest::Digest),
    Pbkdf2(pbkdf2::Pbkdf2),
    Crypt(crypt::Crypt),
}

/// Takes a stored hash apart.
pub(super) fn parse(text: &str) -> Result<Parsed, Defect> {
    if text.starts_with("$argon2") {
        return Argon::parse(text).map(Parsed::Argon);
    }
    let (scheme, value) = split(text).ok_or(Defect::UnknownScheme)?;
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    if is("ARGON2") {
        Argon::parse(value).map(Parsed::Argon)
    } else if let Some(parsed) = digest::parse(scheme, value) {
        parsed.map(Parsed::Digest)
    } else if let Some(parsed) = pbkdf2::parse(scheme, value) {
        parsed.map(Parsed::Pbkdf2)
    } else if ["CRYPT", "BCRYPT", "CRYPT-MD5", "CRYPT-SHA256", "CRYPT-SHA512"].into_iter().any(is) {
        crypt::parse(value).map(Parsed::Crypt)
    } else {
        Err(Defect::UnknownScheme)
    }
}

/// Splits `{SCHEME}value`; none when the text does not begin with a scheme name in braces.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let (scheme, value) = text.strip_prefix('{')?.split_once('}')?;
    let named = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/+.".contains(&b));
    named.then_some((scheme, value))
}

impl Parsed {
    pub(super) fn cost(&self) -> Cost {
        match self {
            Parsed::Digest(_) => Cost::Cheap,
            Parsed::Argon(_) | Parsed::Pbkdf2(_) | Parsed::Crypt(_) => Cost::Expensive,
        }
    }

    /// A rough estimate of one verification in microseconds of one core; the pool corrects it by what it measures.
    pub(super) fn estimate_us(&self) -> u64 {
        match self {
            Parsed::Argon(hash) => hash.estimate_us(),
            Parsed::Digest(_) => 2,
            Parsed::Pbkdf2(hash) => hash.estimate_us(),
            Parsed::Crypt(hash) => hash.estimate_us(),
        }
    }

    /// Whether these password bytes give the stored hash; the comparison takes the same time wherever it differs.
    pub(super) fn check(&self, password: &[u8], arena: &mut Arena) -> Result<bool, Defect> {
        match self {
            Parsed::Argon(hash) => hash.check(password, arena),
            Parsed::Digest(hash) => Ok(hash.check(password)),
            Parsed::Pbkdf2(hash) => Ok(hash.check(password)),
            Parsed::Crypt(hash) => Ok(hash.check(password)),
        }
    }
}

/// Base64 as found in stored hashes: padding or none, spare bits in the last digit ignored.
fn base64(text: &str) -> Result<Vec<u8>, Defect> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    LENIENT.decode(text).map_err(|_| Defect::Malformed)
}

/// Digits only, no sign; the caller bounds the value.
fn decimal(text: &str) -> Result<u32, Defect> {
    if text.is_empty() || text.len() > 10 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Defect::Malformed);
    }
    // Ten digits that do not fit 32 bits are a number, only one that is out of every bound here.
    text.parse().map_err(|_| Defect::Cost)
}

/// Equal, in a time that depends on the lengths only.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
#[expect(clippy::string_slice, clippy::arithmetic_side_effects, reason = "test data is short ASCII")]
mod tests;

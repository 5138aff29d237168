//! PBKDF2 (RFC 8018 §5.2) in the three forms that LDAP servers store.
//!
//! * OpenLDAP's `pw-pbkdf2` and passlib: `{PBKDF2-SHA256}rounds$salt$hash`, base64 with `.` for `+`, unpadded;
//! * 389-DS's `pwdchan` plugin: the same layout in ordinary padded base64;
//! * 389-DS's older plugin: `{PBKDF2_SHA256}` with an underscore, base64 of 4 bytes of rounds (big-endian), 64 of salt, 256 of hash.
#![deny(clippy::arithmetic_side_effects)]

use super::{Defect, decimal, equal};
use ::pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// The most rounds that a stored hash may ask for.
const MAX_ROUNDS: u32 = 10_000_000;

/// One PBKDF2 hash.
#[derive(Debug)]
pub(in crate::credential) struct Pbkdf2 {
    function: Function,
    rounds: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Function {
    Sha1,
    Sha256,
    Sha512,
}

/// None when the scheme is not one of these.
pub(super) fn parse(scheme: &str, value: &str) -> Option<Result<Pbkdf2, Defect>> {
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    if is("PBKDF2_SHA256") {
        Some(packed(value))
    } else if is("PBKDF2") || is("PBKDF2-SHA1") {
        Some(dollars(value, Function::Sha1, 20))
    } else if is("PBKDF2-SHA256") {
        Some(dollars(value, Function::Sha256, 32))
    } else if is("PBKDF2-SHA512") {
        Some(dollars(value, Function::Sha512, 64))
    } else {
        None
    }
}

/// `rounds$salt$hash`.
fn dollars(value: &str, function: Function, size: usize) -> Result<Pbkdf2, Defect> {
    let mut parts = value.split('$');
    let mut next = || parts.next().ok_or(Defect::Malformed);
    let rounds = decimal(next()?)?;
    let mut bytes = || super::base64(&next()?.replace('.', "+"));
    let (salt, hash) = (bytes()?, bytes()?);
    if parts.next().is_some() || hash.len() != size || !(1..=256).contains(&salt.len()) {
        return Err(Defect::Malformed);
    }
    Pbkdf2 { function, rounds, salt, hash }.bounded()
}

/// 389-DS's binary form.
fn packed(value: &str) -> Result<Pbkdf2, Defect> {
    let bytes = super::base64(value)?;
    let (rounds, rest) = bytes.split_first_chunk::<4>().ok_or(Defect::Malformed)?;
    let (salt, hash) = rest.split_first_chunk::<64>().ok_or(Defect::Malformed)?;
    if hash.len() != 256 {
        return Err(Defect::Malformed);
    }
    // The blocks of PBKDF2 are independent of one another: the first one proves the password, at an eighth of the work.
    let hash = hash.first_chunk::<32>().ok_or(Defect::Malformed)?.to_vec();
    Pbkdf2 { function: Function::Sha256, rounds: u32::from_be_bytes(*rounds), salt: salt.to_vec(), hash }.bounded()
}

impl Pbkdf2 {
    fn bounded(self) -> Result<Pbkdf2, Defect> {
        if (1..=MAX_ROUNDS).contains(&self.rounds) { Ok(self) } else { Err(Defect::Cost) }
    }

    pub(super) fn estimate_us(&self) -> u64 {
        let nanoseconds_per_round: u64 = match self.function {
            Function::Sha1 | Function::Sha256 => 150,
            Function::Sha512 => 550,
        };
        u64::from(self.rounds).saturating_mul(nanoseconds_per_round).div_ceil(1000)
    }

    pub(super) fn check(&self, password: &[u8]) -> bool {
        let mut out = vec![0; self.hash.len()];
        match self.function {
            Function::Sha1 => pbkdf2_hmac::<Sha1>(password, &self.salt, self.rounds, &mut out),
            Function::Sha256 => pbkdf2_hmac::<Sha256>(password, &self.salt, self.rounds, &mut out),
            Function::Sha512 => pbkdf2_hmac::<Sha512>(password, &self.salt, self.rounds, &mut out),
        }
        equal(&out, &self.hash)
    }
}

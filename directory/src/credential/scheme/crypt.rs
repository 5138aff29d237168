//! crypt(3) hashes: bcrypt (`$2a$ $2b$ $2y$`), SHA-crypt (`$5$ $6$`) and MD5-crypt (`$1$`).
//!
//! Owns their text form. `$2x$` (bcrypt with the sign-extension bug), traditional DES and yescrypt are unknown schemes.
//! bcrypt looks at the first 72 bytes only, as everywhere; the upgrade at the first login ends that.
#![deny(clippy::arithmetic_side_effects)]

use super::{Defect, decimal, equal};
use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};
use md5::{Digest as _, Md5};

/// The highest bcrypt cost (2^16 rounds: about three seconds).
const MAX_BCRYPT_COST: u32 = 16;
/// The most rounds of SHA-crypt.
const MAX_SHA_ROUNDS: u32 = 1_000_000;
/// What `$5$` and `$6$` mean when they name no rounds.
const DEFAULT_SHA_ROUNDS: u32 = 5_000;

/// One crypt(3) hash. Salt and hash of the SHA and MD5 kinds stay in their printed form.
#[derive(Debug)]
pub(in crate::credential) enum Crypt {
    Bcrypt { cost: u32, salt: [u8; 16], hash: [u8; 23] },
    Sha256 { params: sha_crypt::Params, rounds: u32, salt: Vec<u8>, hash: Vec<u8> },
    Sha512 { params: sha_crypt::Params, rounds: u32, salt: Vec<u8>, hash: Vec<u8> },
    Md5 { salt: Vec<u8>, hash: Vec<u8> },
}

/// Reads what follows `{CRYPT}`.
pub(super) fn parse(text: &str) -> Result<Crypt, Defect> {
    let (kind, rest) = text.strip_prefix('$').and_then(|rest| rest.split_once('$')).ok_or(Defect::UnknownScheme)?;
    match kind {
        "2a" | "2b" | "2y" => bcrypt(rest),
        "5" => {
            let (params, rounds, salt, hash) = sha(rest, 43)?;
            Ok(Crypt::Sha256 { params, rounds, salt, hash })
        }
        "6" => {
            let (params, rounds, salt, hash) = sha(rest, 86)?;
            Ok(Crypt::Sha512 { params, rounds, salt, hash })
        }
        "1" => {
            let (salt, hash) = salt_and_hash(rest, 8, 22)?;
            Ok(Crypt::Md5 { salt, hash })
        }
        _ => Err(Defect::UnknownScheme),
    }
}

/// `cost$` and 53 digits: 22 of salt, 31 of hash.
fn bcrypt(rest: &str) -> Result<Crypt, Defect> {
    // Some libraries leave rubbish in the spare bits of the last digit of the salt.
    const DIGITS: GeneralPurpose = GeneralPurpose::new(&BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));
    let (cost, digits) = rest.split_once('$').ok_or(Defect::Malformed)?;
    if cost.len() != 2 || digits.len() != 53 {
        return Err(Defect::Malformed);
    }
    let (salt, hash) = digits.split_at_checked(22).ok_or(Defect::Malformed)?;
    let salt = DIGITS.decode(salt).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(Defect::Malformed)?;
    let hash = DIGITS.decode(hash).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(Defect::Malformed)?;
    let cost = decimal(cost)?;
    if !(4..=MAX_BCRYPT_COST).contains(&cost) {
        return Err(Defect::Cost);
    }
    Ok(Crypt::Bcrypt { cost, salt, hash })
}

/// `[rounds=N$]salt$hash`.
fn sha(rest: &str, digits: usize) -> Result<(sha_crypt::Params, u32, Vec<u8>, Vec<u8>), Defect> {
    let (rounds, rest) = match rest.strip_prefix("rounds=") {
        Some(rest) => {
            let (rounds, rest) = rest.split_once('$').ok_or(Defect::Malformed)?;
            (decimal(rounds)?, rest)
        }
        None => (DEFAULT_SHA_ROUNDS, rest),
    };
    let (salt, hash) = salt_and_hash(rest, 16, digits)?;
    if rounds > MAX_SHA_ROUNDS {
        return Err(Defect::Cost);
    }
    // Fewer than 1000 never come out of crypt(3): it raises them and prints what it used.
    let params = sha_crypt::Params::new(rounds).map_err(|_| Defect::Cost)?;
    Ok((params, rounds, salt, hash))
}

fn salt_and_hash(text: &str, max_salt: usize, digits: usize) -> Result<(Vec<u8>, Vec<u8>), Defect> {
    let (salt, hash) = text.split_once('$').ok_or(Defect::Malformed)?;
    let sound = salt.len() <= max_salt
        && salt.bytes().all(|b| b.is_ascii_graphic() && b != b':')
        && hash.len() == digits
        && hash.bytes().all(|b| DIGITS64.contains(&b));
    if sound { Ok((salt.as_bytes().to_vec(), hash.as_bytes().to_vec())) } else { Err(Defect::Malformed) }
}

impl Crypt {
    pub(super) fn estimate_us(&self) -> u64 {
        match self {
            Crypt::Bcrypt { cost, .. } => 75_u64.checked_shl(*cost).unwrap_or(u64::MAX),
            // Long passwords take up to ten times as long.
            Crypt::Sha256 { rounds, .. } => u64::from(*rounds).div_ceil(6),
            Crypt::Sha512 { rounds, .. } => u64::from(*rounds).div_ceil(3),
            Crypt::Md5 { .. } => 300,
        }
    }

    pub(super) fn check(&self, password: &[u8]) -> bool {
        match self {
            Crypt::Bcrypt { cost, salt, hash } => {
                // The key is the password with its final NUL, cut at 72 bytes.
                let mut key = zeroize::Zeroizing::new([0_u8; 72]);
                for (to, from) in key.iter_mut().zip(password) {
                    *to = *from;
                }
                let used = password.len().saturating_add(1).min(72);
                let out = ::bcrypt::bcrypt(*cost, *salt, key.get(..used).unwrap_or(&[0]));
                equal(out.get(..23).unwrap_or(&[]), hash)
            }
            Crypt::Sha256 { params, salt, hash, .. } => {
                equal(&print(&sha_crypt::sha256_crypt(password, salt, *params), SHA256_ORDER), hash)
            }
            Crypt::Sha512 { params, salt, hash, .. } => {
                equal(&print(&sha_crypt::sha512_crypt(password, salt, *params), SHA512_ORDER), hash)
            }
            Crypt::Md5 { salt, hash } => equal(&print(&md5_crypt(password, salt), MD5_ORDER), hash),
        }
    }
}

/// Poul-Henning Kamp's MD5-crypt, as documented in FreeBSD's crypt(3).
fn md5_crypt(password: &[u8], salt: &[u8]) -> [u8; 16] {
    let inner: [u8; 16] = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize().into();
    let mut outer = Md5::new().chain_update(password).chain_update(b"$1$").chain_update(salt);
    for piece in password.chunks(16) {
        outer.update(inner.get(..piece.len()).unwrap_or(&inner));
    }
    let mut bits = password.len();
    while bits > 0 {
        // The original's quirk: a zero byte for a one, the password's first byte for a zero.
        outer.update(if bits & 1 == 1 { &[0] } else { password.get(..1).unwrap_or(&[0]) });
        bits >>= 1;
    }
    let mut state: [u8; 16] = outer.finalize().into();
    for round in 0..1000_u32 {
        let odd = round & 1 == 1;
        let mut next = Md5::new();
        next.update(if odd { password } else { &state });
        if !round.is_multiple_of(3) {
            next.update(salt);
        }
        if !round.is_multiple_of(7) {
            next.update(password);
        }
        next.update(if odd { &state } else { password });
        state = next.finalize().into();
    }
    state
}

/// The digits of crypt(3), which is not base64's alphabet.
const DIGITS64: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Prints digest bytes in crypt(3)'s order: each group of n bytes, first byte highest, as n + 1 digits, lowest first.
fn print(bytes: &[u8], order: &[&[usize]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(88);
    for group in order {
        let mut value =
            group.iter().fold(0_u32, |value, at| (value << 8) | u32::from(bytes.get(*at).copied().unwrap_or(0)));
        for _ in 0..=group.len() {
            out.extend(usize::try_from(value & 0x3f).ok().and_then(|digit| DIGITS64.get(digit)));
            value >>= 6;
        }
    }
    out
}

const MD5_ORDER: &[&[usize]] = &[&[0, 6, 12], &[1, 7, 13], &[2, 8, 14], &[3, 9, 15], &[4, 10, 5], &[11]];

#[rustfmt::skip]
const SHA256_ORDER: &[&[usize]] = &[
    &[0, 10, 20], &[21, 1, 11], &[12, 22, 2], &[3, 13, 23], &[24, 4, 14], &[15, 25, 5],
    &[6, 16, 26], &[27, 7, 17], &[18, 28, 8], &[9, 19, 29], &[31, 30],
];

#[rustfmt::skip]
const SHA512_ORDER: &[&[usize]] = &[
    &[0, 21, 42], &[22, 43, 1], &[44, 2, 23], &[3, 24, 45], &[25, 46, 4], &[47, 5, 26], &[6, 27, 48],
    &[28, 49, 7], &[50, 8, 29], &[9, 30, 51], &[31, 52, 10], &[53, 11, 32], &[12, 33, 54], &[34, 55, 13],
    &[56, 14, 35], &[15, 36, 57], &[37, 58, 16], &[59, 17, 38], &[18, 39, 60], &[40, 61, 19], &[62, 20, 41], &[63],
];

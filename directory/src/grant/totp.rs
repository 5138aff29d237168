//! Time-based one-time passwords (RFC 6238): six digits, thirty seconds, HMAC-SHA-1, as every authenticator app knows them.

#![deny(clippy::arithmetic_side_effects)]

use crate::clock::Millis;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// Octets of a seed: RFC 4226 §4 recommends 160 bits.
pub const SEED: usize = 20;
/// Seconds of one step.
pub const STEP: i64 = 30;
/// Letters of base32 (RFC 4648 §6).
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The step of a moment.
pub fn step(wall: Millis) -> u64 {
    u64::try_from(wall.0.div_euclid(1_000).div_euclid(STEP)).unwrap_or(0)
}

/// The code of a step (RFC 4226 §5.3).
pub fn code(seed: &[u8], step: u64) -> String {
    let Ok(mac) = Hmac::<Sha1>::new_from_slice(seed) else { return String::new() };
    let digest = mac.chain_update(step.to_be_bytes()).finalize().into_bytes();
    let offset = usize::from(digest.last().copied().unwrap_or(0) & 15);
    let word = digest.get(offset..).and_then(|rest| rest.first_chunk::<4>());
    let number = word.map_or(0, |word| u32::from_be_bytes(*word) & 0x7fff_ffff);
    format!("{:06}", number.checked_rem(1_000_000).unwrap_or(0))
}

/// The step that a code is of: the present one, the one before or the one after, and later than `last`.
pub fn find(seed: &[u8], given: &str, wall: Millis, last: u64) -> Option<u64> {
    let given: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    let now = step(wall);
    let mut found = None;
    for step in [now.saturating_sub(1), now, now.saturating_add(1)] {
        let right: bool = code(seed, step).as_bytes().ct_eq(given.as_bytes()).into();
        if right && step > last {
            found = Some(step);
        }
    }
    found
}

/// A seed as people type it: base32 without padding.
pub fn base32(bytes: &[u8]) -> String {
    let mut out = String::new();
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits = bits.saturating_add(8);
        while bits >= 5 {
            bits = bits.saturating_sub(5);
            out.push(letter(buffer >> bits));
            buffer &= (1_u32 << bits).saturating_sub(1);
        }
    }
    if bits > 0 {
        out.push(letter(buffer << 5_u32.saturating_sub(bits)));
    }
    out
}

fn letter(value: u32) -> char {
    let index = usize::try_from(value & 31).unwrap_or(0);
    char::from(LETTERS.get(index).copied().unwrap_or(b'A'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the values of RFC 6238 appendix B (their last six digits) and of RFC 4226 appendix D.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let seed = b"12345678901234567890";
        for (second, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(code(seed, step(Millis(second * 1_000))), expected, "{second}");
        }
        for (counter, expected) in ["755224", "287082", "359152", "969429", "338314"].iter().enumerate() {
            assert_eq!(code(seed, counter as u64), *expected);
        }
    }

    /// Goal: one step to either side, each step once, nothing else.
    #[test]
    fn a_code_is_found_near_its_time_and_once() {
        let (seed, wall) = (b"12345678901234567890", Millis(1_111_111_111_000));
        let now = step(wall);
        for (offset, good) in [(-2_i64, false), (-1, true), (0, true), (1, true), (2, false)] {
            let at = now.checked_add_signed(offset).unwrap();
            assert_eq!(find(seed, &code(seed, at), wall, 0), good.then_some(at), "{offset}");
        }
        assert_eq!(find(seed, &code(seed, now), wall, now), None, "used");
        assert_eq!(find(seed, " 050 471 ", wall, 0), Some(now), "as apps show it");
        for wrong in ["", "050472", "0504710", "５０４７１"] {
            assert_eq!(find(seed, wrong, wall, 0), None, "{wrong}");
        }
    }

    /// Goal: the vectors of RFC 4648 §10, without padding.
    #[test]
    fn base32_is_that_of_the_rfc() {
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }
}

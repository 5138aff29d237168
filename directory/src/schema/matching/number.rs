//! Keys of integers of any size, ordered byte by byte as the numbers are.
//!
//! Called for `integerMatch`, `integerOrderingMatch` and the bit rules.

use crate::schema::{Syntax, SyntaxError};

/// The first byte of the key of zero; above are positive numbers, below negative ones.
const ZERO: u8 = 0x80;
/// Numbers of more digits than this carry their length in four further bytes.
const SHORT_DIGITS: usize = 100;

/// Sign and number of digits first, then the digits; all bytes of a negative number are complemented, so that the
/// one with more or greater digits comes first.
pub(super) fn integer(value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    Syntax::Integer.validate(value)?;
    let (negative, digits) = match value {
        b"0" => {
            out.push(ZERO);
            return Ok(());
        }
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let too_long = SyntaxError("an integer has too many digits");
    let start = out.len();
    if digits.len() <= SHORT_DIGITS {
        let length = u8::try_from(digits.len()).map_err(|_| too_long)?;
        out.push(ZERO.saturating_add(length));
    } else {
        out.push(u8::MAX);
        out.extend_from_slice(&u32::try_from(digits.len()).map_err(|_| too_long)?.to_be_bytes());
    }
    out.extend_from_slice(digits);
    if negative {
        out.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
    }
    Ok(())
}

/// The number as 64 bits, as the bit rules see it.
pub(super) fn bits(value: &[u8]) -> Result<i64, SyntaxError> {
    Syntax::Integer.validate(value)?;
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(SyntaxError("bits are compared in integers of at most 64 bits"))
}

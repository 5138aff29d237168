//! Syntaxes whose values are one plain token or string: no inner structure worth a parser.
//!
//! RFC 4517 §3.2 (common definitions) and §3.3. Called through [`super::Syntax::validate`].

use super::{SyntaxError, ensure};

/// RFC 4517 §3.3.6: UTF-8, at least one character.
pub(super) fn directory_string(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(!value.is_empty(), "a directory string is not empty")?;
    ensure(std::str::from_utf8(value).is_ok(), "a directory string is UTF-8")
}

/// RFC 4517 §3.3.15: ASCII, possibly empty.
pub(super) fn ia5_string(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(value.is_ascii(), "an IA5 string is ASCII")
}

/// RFC 4517 §3.2 `PrintableCharacter`.
pub(super) fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+,-.=/:? ".contains(&byte)
}

/// RFC 4517 §3.3.29; also the telephone number of §3.3.31, whose E.123 form LDAP does not enforce.
pub(super) fn printable_string(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(!value.is_empty(), "a printable string is not empty")?;
    ensure(value.iter().copied().all(is_printable), "only letters, digits and '()+,-.=/:? are printable")
}

/// RFC 4517 §3.3.4: two printable characters.
pub(super) fn country_string(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(value.len() == 2 && value.iter().copied().all(is_printable), "a country is two letters")
}

/// RFC 4517 §3.3.23: digits and spaces, at least one.
pub(super) fn numeric_string(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(!value.is_empty(), "a numeric string is not empty")?;
    ensure(value.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '), "only digits and spaces are numeric")
}

/// RFC 4517 §3.3.3. Values are kept in upper case, the only spelling that all clients understand.
pub(super) fn boolean(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(matches!(value, b"TRUE" | b"FALSE"), "a boolean is TRUE or FALSE")
}

/// RFC 4517 §3.3.16: decimal, any length, no leading zeros, no minus zero.
pub(super) fn integer(value: &[u8]) -> Result<(), SyntaxError> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    let canonical = match digits {
        b"0" => digits.len() == value.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    ensure(canonical, "an integer is decimal, without leading zeros")
}

/// RFC 4517 §3.3.2: `'0101'B`.
pub(super) fn bit_string(value: &[u8]) -> Result<(), SyntaxError> {
    let bits = value.strip_prefix(b"'").and_then(|rest| rest.strip_suffix(b"'B"));
    ensure(
        bits.is_some_and(|bits| bits.iter().all(|bit| matches!(bit, b'0' | b'1'))),
        "a bit string is written '0101'B",
    )
}

/// RFC 4517 §3.3.26: a short name or a dotted number.
pub(super) fn oid(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(is_descr(value) || is_numeric_oid(value), "an object identifier is a name or a dotted number")
}

/// RFC 4512 §1.4 `keystring`: a letter, then letters, digits and hyphens.
pub(in crate::schema) fn is_descr(value: &[u8]) -> bool {
    value.first().is_some_and(u8::is_ascii_alphabetic)
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// RFC 4512 §1.4 `numericoid`: at least two numbers, none with a leading zero.
pub(crate) fn is_numeric_oid(value: &[u8]) -> bool {
    let number = |arc: &[u8]| match arc {
        [_] => arc.iter().all(u8::is_ascii_digit),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    value.contains(&b'.') && value.split(|byte| *byte == b'.').all(number)
}

/// RFC 4530 §2.1: 8-4-4-4-12 hexadecimal digits.
pub(super) fn uuid(value: &[u8]) -> Result<(), SyntaxError> {
    let shape = |(position, byte): (usize, &u8)| match position {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    ensure(value.len() == 36 && value.iter().enumerate().all(shape), "a UUID is written 8-4-4-4-12 in hexadecimal")
}

//! Syntaxes whose values are bytes: only their outermost shape is checked.
//!
//! Called through [`super::Syntax::validate`].

use super::{SyntaxError, ensure};

/// Anything, also nothing (RFC 4517 §3.3.25).
#[expect(clippy::unnecessary_wraps, reason = "every check of the table has this form")]
pub(super) fn any(_: &[u8]) -> Result<(), SyntaxError> {
    Ok(())
}

/// Formats that nobody sends any more (fax, audio): something.
pub(super) fn not_empty(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(!value.is_empty(), "the value is empty")
}

/// RFC 4517 §3.3.17 leaves the form to JFIF. What clients store under it is any image (PNG, mostly), so only the empty
/// value is refused.
pub(super) fn jpeg(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(!value.is_empty(), "the image is empty")
}

/// RFC 4523 §2: one DER `SEQUENCE`, whose definite length is that of the value.
pub(super) fn der_sequence(value: &[u8]) -> Result<(), SyntaxError> {
    let body = match value {
        [0x30, short @ 0..=0x7f, rest @ ..] => (usize::from(*short) == rest.len()).then_some(rest),
        [0x30, 0x81, length @ 0x80..=0xff, rest @ ..] => (usize::from(*length) == rest.len()).then_some(rest),
        [0x30, 0x82, high @ 1..=0xff, low, rest @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])) == rest.len()).then_some(rest)
        }
        [0x30, 0x83, high @ 1..=0xff, middle, low, rest @ ..] => {
            let length = u32::from_be_bytes([0, *high, *middle, *low]);
            (usize::try_from(length) == Ok(rest.len())).then_some(rest)
        }
        _ => None,
    };
    ensure(body.is_some_and(|body| !body.is_empty()), "not one DER sequence")
}

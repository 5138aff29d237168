//! Syntaxes that are names of entries. The grammar of names is that of [`crate::entry::dn`]; only the unique identifier
//! behind one is read here.

use super::{SyntaxError, ensure, text};
use crate::entry::dn::Dn;

/// RFC 4517 §3.3.9.
pub(super) fn distinguished_name(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(Dn::parse(value).is_ok(), "not a distinguished name")
}

/// RFC 4517 §3.3.21: a name, or a name, `#` and a bit string.
pub(super) fn name_and_optional_uid(value: &[u8]) -> Result<(), SyntaxError> {
    distinguished_name(split_uid(value).0)
}

/// Splits a Name and Optional UID; what stands after the last `#` is the identifier only if it is a bit string.
pub(in crate::schema) fn split_uid(value: &[u8]) -> (&[u8], Option<&[u8]>) {
    let parts = value.iter().rposition(|byte| *byte == b'#').and_then(|hash| value.split_at_checked(hash));
    match parts {
        Some((name, [_, uid @ ..])) if text::bit_string(uid).is_ok() => (name, Some(uid)),
        _ => (value, None),
    }
}

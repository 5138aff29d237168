//! Distinguished names in their string form (RFC 4514 §3), read without a schema.
//!
//! Owns the grammar: where one attribute value assertion ends and the next begins, and which escapes are allowed.
//! What two names have in common needs the schema and is not decided here. Beyond the grammar, spaces around `,`,
//! `+` and `=` are accepted, as RFC 2253 §4 had it and as many clients still write (RFC 4514 §3 permits that).

use super::{SyntaxError, ensure, text};

/// The value of an assertion, still escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema) enum RawValue<'a> {
    /// `string`: literal bytes and `\` escapes.
    Text(&'a [u8]),
    /// `hexstring` without its `#`: the BER of the value.
    Hex(&'a [u8]),
}

/// One attribute value assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema) struct RawAva<'a> {
    /// Whether it begins a new RDN (after a comma) or continues one (after a plus).
    pub starts_rdn: bool,
    pub attribute: &'a [u8],
    pub value: RawValue<'a>,
}

/// The assertions of a name, leaf first. Ends after the first error.
#[derive(Debug, Clone)]
pub(in crate::schema) struct Avas<'a> {
    rest: Option<&'a [u8]>,
    starts_rdn: bool,
}

impl<'a> Avas<'a> {
    /// Reads a name; the empty one has no assertions.
    pub(in crate::schema) fn of(name: &'a [u8]) -> Self {
        let name = skip_spaces(name);
        Avas { rest: (!name.is_empty()).then_some(name), starts_rdn: true }
    }
}

impl<'a> Iterator for Avas<'a> {
    type Item = Result<RawAva<'a>, SyntaxError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let starts_rdn = self.starts_rdn;
        Some(ava(rest).map(|(attribute, value, after)| {
            if let [separator, after @ ..] = after {
                self.starts_rdn = *separator == b',';
                self.rest = Some(after);
            }
            RawAva { starts_rdn, attribute, value }
        }))
    }
}

impl RawValue<'_> {
    /// Appends the value without its escapes. Of a `hexstring` that is the content of the BER element inside.
    pub(in crate::schema) fn unescape(self, out: &mut Vec<u8>) -> Result<(), SyntaxError> {
        match self {
            RawValue::Text(mut rest) => {
                while let [byte, after @ ..] = rest {
                    rest = after;
                    if *byte != b'\\' {
                        out.push(*byte);
                    } else if let [high, low, after @ ..] = rest
                        && let Some(byte) = hex_pair(*high, *low)
                    {
                        out.push(byte);
                        rest = after;
                    } else if let [byte, after @ ..] = rest {
                        out.push(*byte);
                        rest = after;
                    }
                }
                Ok(())
            }
            RawValue::Hex(digits) => {
                let bytes: Vec<u8> =
                    digits.chunks_exact(2).filter_map(|pair| hex_pair(*pair.first()?, *pair.last()?)).collect();
                out.extend_from_slice(ber_content(&bytes).ok_or(SyntaxError("a #value holds one BER element"))?);
                Ok(())
            }
        }
    }
}

/// RFC 4517 §3.3.9.
pub(super) fn distinguished_name(value: &[u8]) -> Result<(), SyntaxError> {
    Avas::of(value).try_for_each(|ava| ava.map(|_| ()))
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

/// Reads one assertion: its type, its value, and what follows from the separator on.
fn ava(input: &[u8]) -> Result<(&[u8], RawValue<'_>, &[u8]), SyntaxError> {
    let equals = input.iter().position(|byte| *byte == b'=').ok_or(SyntaxError("an RDN is written type=value"))?;
    let (attribute, value) = input.split_at_checked(equals).unwrap_or((input, &[]));
    let attribute = trim_spaces(attribute);
    ensure(text::oid(attribute).is_ok(), "the type in a name is a name or a dotted number")?;
    let value = skip_spaces(value.get(1..).unwrap_or_default());
    let (value, after) = match value {
        [b'#', digits @ ..] => {
            let length = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            let (digits, after) = digits.split_at_checked(length).unwrap_or((digits, &[]));
            ensure(length > 0 && length.is_multiple_of(2), "a #value is pairs of hexadecimal digits")?;
            (RawValue::Hex(digits), skip_spaces(after))
        }
        _ => {
            let (text, after) = value.split_at_checked(text_length(value)?).unwrap_or((value, &[]));
            (RawValue::Text(text), skip_spaces(after))
        }
    };
    ensure(matches!(after, [] | [b',' | b'+', ..]), "a character in a name needs a backslash")?;
    Ok((attribute, value, after))
}

/// The length of the `string` at the start of the input, unescaped spaces at its end not counted.
fn text_length(input: &[u8]) -> Result<usize, SyntaxError> {
    let mut length = 0_usize;
    let mut position = 0_usize;
    while let Some(rest) = input.get(position..) {
        let step = match rest {
            [] | [b',' | b'+', ..] => break,
            [b'\\', b'\\' | b'"' | b'+' | b',' | b';' | b'<' | b'>' | b' ' | b'#' | b'=', ..] => 2,
            [b'\\', high, low, ..] if hex_pair(*high, *low).is_some() => 3,
            [b'\\', ..] => return Err(SyntaxError("a backslash in a name escapes nothing")),
            [0 | b'"' | b';' | b'<' | b'>', ..] => return Err(SyntaxError("a character in a name needs a backslash")),
            _ => 1,
        };
        position = position.saturating_add(step);
        if rest.first() != Some(&b' ') {
            length = position;
        }
    }
    let text = input.get(..length).unwrap_or_default();
    ensure(std::str::from_utf8(text).is_ok(), "a name is UTF-8")?;
    Ok(length)
}

/// The content of the one BER element that `bytes` is, when its length is in one of the short definite forms.
fn ber_content(bytes: &[u8]) -> Option<&[u8]> {
    let (length, content) = match bytes {
        [_, length @ 0..=0x7f, content @ ..] => (usize::from(*length), content),
        [_, 0x81, length, content @ ..] => (usize::from(*length), content),
        [_, 0x82, high, low, content @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), content),
        _ => return None,
    };
    (length == content.len()).then_some(content)
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digit(high)?.checked_mul(16)?.checked_add(digit(low)?)
}

fn skip_spaces(input: &[u8]) -> &[u8] {
    let length = input.iter().take_while(|byte| **byte == b' ').count();
    input.get(length..).unwrap_or_default()
}

fn trim_spaces(input: &[u8]) -> &[u8] {
    let kept = input.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last.saturating_add(1));
    skip_spaces(input.get(..kept).unwrap_or_default())
}

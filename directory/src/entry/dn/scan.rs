//! The scanner: one pass over the text, one assertion at a time, without allocation or recursion.
//!
//! Owns the grammar that the module above describes. Both the written form and the key are made from what it yields.

use super::{InvalidDn, MAX_BYTES};

/// How a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The bytes are the value.
    Plain,
    /// The bytes hold escapes.
    Escaped,
    /// The bytes are the hexadecimal digits behind `#`.
    Hex,
}

/// What follows an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// `+`: another one of the same RDN.
    Ava,
    /// `,` or `;`: another RDN.
    Rdn,
    /// Nothing.
    Dn,
}

/// One assertion, borrowed from the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawAva<'a> {
    pub(super) attribute: &'a [u8],
    pub(super) value: &'a [u8],
    pub(super) form: Form,
    pub(super) end: End,
}

impl RawAva<'_> {
    pub(super) const EMPTY: RawAva<'static> = RawAva { attribute: &[], value: &[], form: Form::Plain, end: End::Dn };

    /// Appends the value without its escapes.
    pub(super) fn append_value(&self, out: &mut Vec<u8>) -> Result<(), InvalidDn> {
        match self.form {
            Form::Plain => out.extend_from_slice(self.value),
            Form::Escaped => unescape(self.value, out),
            Form::Hex => decode_ber(self.value, out)?,
        }
        Ok(())
    }
}

/// An iterator over the assertions of a name; ends after the first error.
pub(super) struct Scan<'a> {
    rest: &'a [u8],
    ended: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a [u8]) -> Result<Scan<'a>, InvalidDn> {
        if text.len() > MAX_BYTES {
            return Err(InvalidDn::TooLong);
        }
        if !text.is_ascii() && std::str::from_utf8(text).is_err() {
            return Err(InvalidDn::NotUtf8);
        }
        Ok(Scan { rest: text, ended: text.is_empty() })
    }

    fn ava(&mut self) -> Result<RawAva<'a>, InvalidDn> {
        let attribute = self.attribute()?;
        self.rest = skip_spaces(self.rest);
        let (value, form) = match self.rest {
            [b'#', rest @ ..] => {
                let length = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
                let digits = self.advance(rest, length);
                self.rest = skip_spaces(self.rest);
                (digits, Form::Hex)
            }
            [b'"', rest @ ..] => self.quoted(rest)?,
            _ => self.string()?,
        };
        let end = match self.rest {
            [] => End::Dn,
            [b'+', ..] => End::Ava,
            [b',' | b';', ..] => End::Rdn,
            _ => return Err(if form == Form::Hex { InvalidDn::BadHex } else { InvalidDn::BadQuote }),
        };
        if value.is_empty() {
            return Err(if form == Form::Hex { InvalidDn::BadHex } else { InvalidDn::EmptyValue });
        }
        self.rest = self.rest.get(1..).unwrap_or_default();
        self.ended = end == End::Dn;
        Ok(RawAva { attribute, value, form, end })
    }

    /// The type, `=` included.
    fn attribute(&mut self) -> Result<&'a [u8], InvalidDn> {
        let text = skip_spaces(self.rest);
        let length = text.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.')).count();
        let attribute = self.advance(text, length);
        match skip_spaces(self.rest) {
            [b'=', rest @ ..] if is_type(attribute) => {
                self.rest = rest;
                Ok(attribute)
            }
            [] | [b',' | b';' | b'+', ..] if attribute.is_empty() => Err(InvalidDn::EmptyRdn),
            _ => Err(InvalidDn::BadType),
        }
    }

    /// An unquoted value: up to the next separator, without the unescaped spaces at its end.
    fn string(&mut self) -> Result<(&'a [u8], Form), InvalidDn> {
        let text = self.rest;
        let mut form = Form::Plain;
        let (mut at, mut escaped) = (0_usize, 0_usize);
        loop {
            let stretch = text.get(at..).unwrap_or_default();
            let stop = stretch.iter().position(|b| matches!(b, b',' | b';' | b'+' | b'\\' | b'"' | b'<' | b'>' | 0));
            at = at.saturating_add(stop.unwrap_or(stretch.len()));
            match text.get(at) {
                None | Some(b',' | b';' | b'+') => break,
                Some(b'\\') => {
                    form = Form::Escaped;
                    at = at.saturating_add(escape_length(text.get(at..).unwrap_or_default())?);
                    escaped = at;
                }
                Some(_) => return Err(InvalidDn::Unescaped),
            }
        }
        let mut value = self.advance(text, at);
        while value.len() > escaped
            && let [front @ .., b' '] = value
        {
            value = front;
        }
        Ok((value, form))
    }

    /// What stands behind the opening `"`, up to the closing one.
    fn quoted(&mut self, text: &'a [u8]) -> Result<(&'a [u8], Form), InvalidDn> {
        let mut form = Form::Plain;
        let mut at = 0_usize;
        loop {
            match text.get(at) {
                None => return Err(InvalidDn::BadQuote),
                Some(b'"') => break,
                Some(b'\\') => {
                    form = Form::Escaped;
                    at = at.saturating_add(escape_length(text.get(at..).unwrap_or_default())?);
                }
                Some(0) => return Err(InvalidDn::Unescaped),
                Some(_) => at = at.saturating_add(1),
            }
        }
        let value = self.advance(text, at);
        self.rest = skip_spaces(self.rest.get(1..).unwrap_or_default());
        Ok((value, form))
    }

    /// Takes `length` bytes of `text`; the rest begins behind them.
    fn advance(&mut self, text: &'a [u8], length: usize) -> &'a [u8] {
        let (taken, rest) = text.split_at_checked(length).unwrap_or((text, &[]));
        self.rest = rest;
        taken
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Result<RawAva<'a>, InvalidDn>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let ava = self.ava();
        self.ended |= ava.is_err();
        Some(ava)
    }
}

fn skip_spaces(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] = text {
        text = rest;
    }
    text
}

/// RFC 4512 §1.4 `oid = descr / numericoid`.
fn is_type(text: &[u8]) -> bool {
    match text.first() {
        Some(first) if first.is_ascii_alphabetic() => !text.contains(&b'.'),
        Some(first) if first.is_ascii_digit() => {
            text.contains(&b'.')
                && text.split(|&b| b == b'.').all(|arc| {
                    arc.iter().all(u8::is_ascii_digit)
                        && !arc.is_empty()
                        && (arc.len() == 1 || arc.first() != Some(&b'0'))
                })
        }
        _ => false,
    }
}

/// The length of the escape that `text` begins with.
fn escape_length(text: &[u8]) -> Result<usize, InvalidDn> {
    match text {
        [b'\\', b' ' | b'"' | b'#' | b'+' | b',' | b';' | b'<' | b'=' | b'>' | b'\\', ..] => Ok(2),
        [b'\\', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => Ok(3),
        _ => Err(InvalidDn::BadEscape),
    }
}

/// Appends the bytes that a text with checked escapes stands for.
fn unescape(mut text: &[u8], out: &mut Vec<u8>) {
    loop {
        match text {
            [] => return,
            [b'\\', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex_pair(*high, *low));
                text = rest;
            }
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                out.push(*byte);
                text = rest;
            }
        }
    }
}

/// Appends the contents of the string whose BER the digits are: OCTET STRING, UTF8String, PrintableString or
/// IA5String in primitive form, with nothing behind it.
fn decode_ber(digits: &[u8], out: &mut Vec<u8>) -> Result<(), InvalidDn> {
    let (pairs, []) = digits.as_chunks::<2>() else { return Err(InvalidDn::BadHex) };
    let mut bytes = pairs.iter().map(|&[high, low]| hex_pair(high, low));
    if !matches!(bytes.next(), Some(0x04 | 0x0c | 0x13 | 0x16)) {
        return Err(InvalidDn::BadHex);
    }
    let length = match bytes.next() {
        Some(short @ ..=0x7f) => usize::from(short),
        Some(0x81) => usize::from(bytes.next().unwrap_or(0)),
        Some(0x82) => usize::from(u16::from_be_bytes([bytes.next().unwrap_or(0), bytes.next().unwrap_or(0)])),
        _ => return Err(InvalidDn::BadHex),
    };
    if bytes.len() != length {
        return Err(InvalidDn::BadHex);
    }
    if length == 0 {
        return Err(InvalidDn::EmptyValue);
    }
    out.extend(bytes);
    Ok(())
}

fn hex_pair(high: u8, low: u8) -> u8 {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    (digit(high) << 4) | digit(low)
}

//! One unfolded line: `name: value`, `name:: base64`, or `-`.
//!
//! Owns the split of a line and the decoding of its value, in place in the record's text. What a line means in its
//! record is decided in [`crate::reader`].

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::error::Reason;

/// A line of a record; the spans point into the record's text, whose length fits `u32`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// Its (first) line in the file, from 1.
    pub(crate) number: u64,
    name: (u32, u32),
    value: (u32, u32),
}

impl Line {
    pub(crate) fn name<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        part(text, self.name)
    }

    pub(crate) fn value<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        part(text, self.value)
    }

    pub(crate) fn value_start(&self) -> usize {
        usize::try_from(self.value.0).unwrap_or(usize::MAX)
    }

    /// `-`: the end of a modification. No other line has an empty name.
    pub(crate) fn is_dash(&self) -> bool {
        self.name.0 == self.name.1
    }

    pub(crate) fn is_named(&self, text: &[u8], name: &[u8]) -> bool {
        self.name(text).eq_ignore_ascii_case(name)
    }

    /// Parses the line that fills `text` from `start` on. A base64 value is decoded at the place of its encoding.
    pub(crate) fn parse(text: &mut Vec<u8>, start: usize, number: u64, scratch: &mut Vec<u8>) -> Result<Line, Reason> {
        let line = text.get(start..).unwrap_or_default();
        let Some(colon) = memchr::memchr(b':', line) else {
            let dash = line.strip_prefix(b"-").is_some_and(|rest| rest.iter().all(|&b| b == b' '));
            return if dash { Ok(Line { number, name: (0, 0), value: (0, 0) }) } else { Err(Reason::NoColon) };
        };
        let (name, rest) = line.split_at_checked(colon).ok_or(Reason::NoColon)?;
        if !is_description(name) {
            return Err(Reason::BadDescription);
        }
        let name_end = start.saturating_add(colon);
        let value_start = match rest {
            [_, b':', encoded @ ..] => {
                scratch.clear();
                BASE64_STANDARD.decode_vec(encoded.trim_ascii(), scratch).map_err(|_| Reason::BadBase64)?;
                let begin = name_end.saturating_add(1);
                text.truncate(begin);
                text.extend_from_slice(scratch);
                begin
            }
            [_, b'<', ..] => return Err(Reason::UrlValue),
            [_, value @ ..] => {
                check_plain(value)?;
                let fill = value.iter().take_while(|&&b| b == b' ').count();
                name_end.saturating_add(1).saturating_add(fill)
            }
            [] => return Err(Reason::NoColon),
        };
        Ok(Line { number, name: span(start, name_end), value: span(value_start, text.len()) })
    }
}

/// What may stand in a line without base64: RFC 2849 `SAFE-CHAR`, and, because most tools write it, UTF-8.
pub(crate) fn check_plain(value: &[u8]) -> Result<(), Reason> {
    if memchr::memchr2(0, b'\r', value).is_some() {
        return Err(Reason::UnsafeByte);
    }
    if !value.is_ascii() && std::str::from_utf8(value).is_err() {
        return Err(Reason::NotUtf8);
    }
    Ok(())
}

/// Letters, digits, hyphen, dots and options (RFC 4512 §2.5), not more closely: the schema knows the rest.
pub(crate) fn is_description(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphanumeric)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b';' | b'_'))
}

fn span(start: usize, end: usize) -> (u32, u32) {
    // The reader's limits keep a record below 4 GiB.
    (u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(end).unwrap_or(u32::MAX))
}

fn part(text: &[u8], (start, end): (u32, u32)) -> &[u8] {
    let index = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    text.get(index(start)..index(end)).unwrap_or_default()
}

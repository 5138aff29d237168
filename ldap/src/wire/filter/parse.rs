//! The string form of filters (RFC 4515), exactly.
//!
//! No blanks between the parts, no filter without parentheses, no unescaped parenthesis, asterisk or NUL in
//! a value; `\` is followed by two hexadecimal digits. The one thing read more freely than written: several
//! asterisks in a row, which the grammar allows and the protocol has no form for, are one asterisk.
//!
//! Strings come from configuration, the command line and consoles, never from the network: values that
//! come from elsewhere are given to [`FilterBuf`]'s constructors instead of being pasted into a string.
#![deny(clippy::arithmetic_side_effects)]

use super::super::ber::{Tag, Writer};
use super::super::frame::Limits;
use super::super::oid;
use super::{
    AND, ANY, APPROX, DN_ATTRIBUTES, EQUALITY, EXTENSIBLE, FINAL, FilterBuf, FilterError, GREATER_OR_EQUAL, INITIAL,
    LESS_OR_EQUAL, NOT, OR, PRESENT, RULE, SUBSTRINGS, TYPE, VALUE,
};
use bytes::BytesMut;

/// Why a string is not a filter, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{problem} at offset {offset}")]
pub struct FilterStringError {
    /// Octets before the problem.
    pub offset: usize,
    /// What is wrong there.
    pub problem: StringProblem,
}

/// What is wrong with a filter string.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StringProblem {
    /// `(` is missing.
    #[error("expected '('")]
    ExpectedOpen,
    /// `)` is missing.
    #[error("expected ')'")]
    ExpectedClose,
    /// Something follows the filter.
    #[error("text after the filter")]
    Trailing,
    /// Neither an attribute description nor an extensible match.
    #[error("not an attribute description")]
    Attribute,
    /// No `=`, `~=`, `>=`, `<=` or `:=`.
    #[error("expected an operator")]
    Operator,
    /// The parts before `:=` are not `attribute`, `:dn` and `:rule`.
    #[error("not an extensible match")]
    Extensible,
    /// `\` without two hexadecimal digits.
    #[error("'\\' must be followed by two hexadecimal digits")]
    Escape,
    /// A character that must be escaped in a value.
    #[error("a character that must be escaped")]
    Unescaped,
    /// Nested too deep or too many filters.
    #[error("{0}")]
    Filter(FilterError),
}

/// Parses `text`, which must be exactly one filter, within the filter limits of [`Limits::AFTER_BIND`].
pub fn parse_string(text: &str) -> Result<FilterBuf, FilterStringError> {
    let limits = &Limits::AFTER_BIND;
    let mut octets = BytesMut::new();
    let mut parser = Parser { text: text.as_bytes(), at: 0, limits, out: Writer::new(&mut octets) };
    parser.filter(1)?;
    if parser.at != text.len() {
        return Err(parser.error(StringProblem::Trailing));
    }
    FilterBuf::from_octets(octets, limits)
        .map_err(|error| FilterStringError { offset: 0, problem: StringProblem::Filter(error) })
}

struct Parser<'t, 'b> {
    text: &'t [u8],
    at: usize,
    limits: &'t Limits,
    out: Writer<'b>,
}

impl<'t> Parser<'t, '_> {
    fn filter(&mut self, depth: usize) -> Result<(), FilterStringError> {
        let limit = self.limits.filter_depth;
        if depth > limit {
            return Err(self.error(StringProblem::Filter(FilterError::Depth { limit })));
        }
        self.expect(b'(', StringProblem::ExpectedOpen)?;
        match self.peek() {
            Some(b'&') => self.set(AND, depth)?,
            Some(b'|') => self.set(OR, depth)?,
            Some(b'!') => self.negation(depth)?,
            _ => self.item()?,
        }
        self.expect(b')', StringProblem::ExpectedClose)
    }

    fn set(&mut self, tag: Tag, depth: usize) -> Result<(), FilterStringError> {
        self.advance(1);
        let set = self.out.open(tag);
        while self.peek() == Some(b'(') {
            self.filter(depth.saturating_add(1))?;
        }
        self.out.close(set);
        Ok(())
    }

    fn negation(&mut self, depth: usize) -> Result<(), FilterStringError> {
        self.advance(1);
        let negation = self.out.open(NOT);
        self.filter(depth.saturating_add(1))?;
        self.out.close(negation);
        Ok(())
    }

    fn item(&mut self) -> Result<(), FilterStringError> {
        let start = self.at;
        let target = self.take_while(|octet| !matches!(octet, b'=' | b'~' | b'>' | b'<' | b'(' | b')'));
        match (self.peek(), self.peek_second()) {
            (Some(b'='), _) => match target.strip_suffix(b":") {
                Some(target) => self.extensible(start, target),
                None => {
                    self.advance(1);
                    self.attribute(start, target)?;
                    self.equality_or_substrings(target)
                }
            },
            (Some(operator @ (b'~' | b'>' | b'<')), Some(b'=')) => {
                self.advance(2);
                self.attribute(start, target)?;
                let tag = match operator {
                    b'~' => APPROX,
                    b'>' => GREATER_OR_EQUAL,
                    _ => LESS_OR_EQUAL,
                };
                self.assertion(tag, target)
            }
            _ => Err(self.error(StringProblem::Operator)),
        }
    }

    fn assertion(&mut self, tag: Tag, attribute: &[u8]) -> Result<(), FilterStringError> {
        let item = self.out.open(tag);
        self.out.octet_string(attribute);
        let value = self.raw_value();
        self.value(Tag::OCTET_STRING, value)?;
        self.out.close(item);
        Ok(())
    }

    /// What follows `=`: a value, an asterisk, or a value with asterisks.
    fn equality_or_substrings(&mut self, attribute: &[u8]) -> Result<(), FilterStringError> {
        let whole = self.raw_value();
        if !whole.octets.contains(&b'*') {
            return self.assertion(EQUALITY, attribute);
        }
        if whole.octets.iter().all(|&octet| octet == b'*') {
            self.advance(whole.octets.len());
            self.out.octets(PRESENT, attribute);
            return Ok(());
        }
        let item = self.out.open(SUBSTRINGS);
        self.out.octet_string(attribute);
        let parts = self.out.open(Tag::SEQUENCE);
        let end = whole.offset.saturating_add(whole.octets.len());
        for octets in whole.octets.split(|&octet| octet == b'*') {
            let part = RawValue { octets, offset: self.at };
            let ends_at = self.at.saturating_add(octets.len());
            let tag = match (self.at == whole.offset, ends_at == end) {
                (true, _) => INITIAL,
                (_, true) => FINAL,
                _ => ANY,
            };
            if octets.is_empty() {
                self.advance(1);
            } else {
                self.value(tag, part)?;
                self.advance(1);
            }
        }
        self.at = end;
        self.out.close(parts);
        self.out.close(item);
        Ok(())
    }

    /// `[attribute] [":dn"] [":" rule] ":="`, of which `target` is what precedes the last colon.
    fn extensible(&mut self, start: usize, target: &[u8]) -> Result<(), FilterStringError> {
        let error = FilterStringError { offset: start, problem: StringProblem::Extensible };
        let mut parts = target.split(|&octet| octet == b':');
        let attribute = parts.next().filter(|attribute| !attribute.is_empty());
        let mut next = parts.next();
        let dn_attributes = next.is_some_and(|part| part.eq_ignore_ascii_case(b"dn"));
        if dn_attributes {
            next = parts.next();
        }
        let rule = next;
        if parts.next().is_some()
            || (attribute.is_none() && rule.is_none())
            || rule.is_some_and(|rule| !oid::is_oid(rule))
        {
            return Err(error);
        }
        if let Some(attribute) = attribute {
            self.attribute(start, attribute)?;
        }
        self.advance(1);

        let item = self.out.open(EXTENSIBLE);
        if let Some(rule) = rule {
            self.out.octets(RULE, rule);
        }
        if let Some(attribute) = attribute {
            self.out.octets(TYPE, attribute);
        }
        let value = self.raw_value();
        self.value(VALUE, value)?;
        if dn_attributes {
            self.out.boolean(DN_ATTRIBUTES, true);
        }
        self.out.close(item);
        Ok(())
    }

    /// Up to the parenthesis that closes the item, still escaped.
    fn raw_value(&self) -> RawValue<'t> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let octets = rest.split(|&octet| octet == b')').next().unwrap_or_default();
        RawValue { octets, offset: self.at }
    }

    /// Writes `raw` unescaped under `tag` and moves behind it.
    fn value(&mut self, tag: Tag, raw: RawValue<'_>) -> Result<(), FilterStringError> {
        let value = self.out.open(tag);
        let mut rest = raw.octets;
        while let Some((&octet, after)) = rest.split_first() {
            let (decoded, after) = match octet {
                b'\\' => unescape(after).ok_or(StringProblem::Escape),
                b'(' | b'*' | 0 => Err(StringProblem::Unescaped),
                _ => Ok((octet, after)),
            }
            .map_err(|problem| FilterStringError {
                offset: raw.offset.saturating_add(raw.octets.len().saturating_sub(rest.len())),
                problem,
            })?;
            self.out.encoded(&[decoded]);
            rest = after;
        }
        self.out.close(value);
        self.at = raw.offset.saturating_add(raw.octets.len());
        Ok(())
    }

    fn attribute(&self, offset: usize, text: &[u8]) -> Result<(), FilterStringError> {
        if oid::is_attribute_description(text) {
            Ok(())
        } else {
            Err(FilterStringError { offset, problem: StringProblem::Attribute })
        }
    }

    fn expect(&mut self, octet: u8, problem: StringProblem) -> Result<(), FilterStringError> {
        if self.peek() != Some(octet) {
            return Err(self.error(problem));
        }
        self.advance(1);
        Ok(())
    }

    fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'t [u8] {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|&octet| !accept(octet)).unwrap_or(rest.len());
        self.advance(length);
        rest.get(..length).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn peek_second(&self) -> Option<u8> {
        self.text.get(self.at.saturating_add(1)).copied()
    }

    fn advance(&mut self, octets: usize) {
        self.at = self.at.saturating_add(octets);
    }

    const fn error(&self, problem: StringProblem) -> FilterStringError {
        FilterStringError { offset: self.at, problem }
    }
}

/// A value as written, and where.
#[derive(Clone, Copy)]
struct RawValue<'t> {
    octets: &'t [u8],
    offset: usize,
}

/// The octet of two hexadecimal digits, and what follows them.
fn unescape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = text.split_first_chunk::<2>()?;
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(((digit(high)? << 4) | digit(low)?, rest))
}

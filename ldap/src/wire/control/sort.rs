//! Server side sorting (RFC 2891).
//!
//! ```text
//! SortKeyList ::= SEQUENCE OF SEQUENCE { attributeType, orderingRule [0] OPTIONAL, reverseOrder [1] DEFAULT FALSE }
//! SortResult  ::= SEQUENCE { sortResult ENUMERATED, attributeType [0] OPTIONAL }
//! ```
#![deny(clippy::arithmetic_side_effects)]

use super::super::ber::{BerError, List, Readable, Reader, Tag, Writer};
use super::super::result::ResultCode;
use std::fmt;

/// Sort keys, the most significant first; at least one.
pub type SortKeys<'a> = List<'a, SortKey<'a>>;

/// By what to sort.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SortKey<'a> {
    /// Attribute description.
    pub attribute: &'a [u8],
    /// Ordering rule, by name or OID; absent means the attribute's own.
    pub ordering_rule: Option<&'a [u8]>,
    /// Largest first.
    pub reverse: bool,
}

const ORDERING_RULE: Tag = Tag::context(0);
const REVERSE_ORDER: Tag = Tag::context(1);
const ATTRIBUTE_TYPE: Tag = Tag::context(0);

/// Reads the value of a sort request.
pub(super) fn decode_keys(value: &[u8]) -> Result<SortKeys<'_>, BerError> {
    let mut value = Reader::new(value);
    let keys = SortKeys::check(value.expect(Tag::SEQUENCE)?)?;
    value.finish()?;
    if keys.is_empty() { Err(BerError::Range) } else { Ok(keys) }
}

/// Writes the value of a sort request, as a client does.
pub fn encode_keys(keys: &[SortKey<'_>], w: &mut Writer<'_>) {
    w.nested(Tag::SEQUENCE, |w| {
        for key in keys {
            w.nested(Tag::SEQUENCE, |w| {
                w.octet_string(key.attribute);
                if let Some(rule) = key.ordering_rule {
                    w.octets(ORDERING_RULE, rule);
                }
                if key.reverse {
                    w.boolean(REVERSE_ORDER, true);
                }
            });
        }
    });
}

impl<'a> Readable<'a> for SortKey<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, BerError> {
        let mut fields = reader.nested(Tag::SEQUENCE)?;
        let attribute = fields.octet_string()?;
        let ordering_rule = fields.optional(ORDERING_RULE)?;
        let reverse = fields.boolean_or_false(REVERSE_ORDER)?;
        fields.finish()?;
        Ok(SortKey { attribute, ordering_rule, reverse })
    }
}

impl fmt::Debug for SortKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.reverse { "-" } else { "" };
        write!(f, "{sign}{}", self.attribute.escape_ascii())?;
        self.ordering_rule.map_or(Ok(()), |rule| write!(f, ":{}", rule.escape_ascii()))
    }
}

/// Whether the result is sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SortResult<'a> {
    /// success, or why it is not sorted (RFC 2891 §1.2).
    pub code: ResultCode,
    /// The attribute that is to blame.
    pub attribute: Option<&'a [u8]>,
}

impl<'a> SortResult<'a> {
    /// Reads a control value, as a client does.
    pub fn decode(value: &'a [u8]) -> Result<Self, BerError> {
        let mut value = Reader::new(value);
        let mut fields = value.nested(Tag::SEQUENCE)?;
        let code = ResultCode::from_number(fields.unsigned(Tag::ENUMERATED)?);
        let attribute = fields.optional(ATTRIBUTE_TYPE)?;
        fields.finish()?;
        value.finish()?;
        Ok(SortResult { code, attribute })
    }

    /// Writes the control value.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.nested(Tag::SEQUENCE, |w| {
            w.integer(Tag::ENUMERATED, self.code.number().into());
            if let Some(attribute) = self.attribute {
                w.octets(ATTRIBUTE_TYPE, attribute);
            }
        });
    }
}

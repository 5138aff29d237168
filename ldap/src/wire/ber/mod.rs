//! Basic Encoding Rules, in the subset LDAP allows (RFC 4511 §5.1, X.690).
//!
//! One octet of tag, a definite length of at most four length octets, OCTET STRING in primitive form
//! only. Whatever lies outside is an error and never a guess: two parsers that read the same octets
//! differently are how requests get smuggled. Two liberties remain, because both are unambiguous and
//! common clients need them: a length may be longer than necessary (`84 00 00 00 05`), and every
//! non-zero octet is a TRUE (X.690 §8.2.2).
//!
//! [`Reader`] borrows from the octets it reads; [`Writer`] appends to a buffer in one forward pass.
//! This module knows no LDAP message: [`super::message`], [`super::filter`] and [`super::control`] do.
#![deny(clippy::arithmetic_side_effects)]

mod list;
mod read;
mod write;

pub(in crate::wire) use list::Readable;
pub use list::{Elements, List, ListBuf, OctetStrings, Writable};
pub use read::Reader;
pub(in crate::wire) use read::integer;
pub use write::{Open, Writer};
pub(in crate::wire) use write::{length_size, overwrite_header};

use std::fmt;

/// The identifier octet of an element: class, form and a number below 31 (X.690 §8.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(pub u8);

impl Tag {
    /// BOOLEAN
    pub const BOOLEAN: Tag = Tag(0x01);
    /// INTEGER
    pub const INTEGER: Tag = Tag(0x02);
    /// OCTET STRING, primitive
    pub const OCTET_STRING: Tag = Tag(0x04);
    /// ENUMERATED
    pub const ENUMERATED: Tag = Tag(0x0a);
    /// SEQUENCE and SEQUENCE OF
    pub const SEQUENCE: Tag = Tag(0x30);
    /// SET and SET OF
    pub const SET: Tag = Tag(0x31);

    /// `[number]` IMPLICIT on a primitive type. `number` is below 31.
    pub const fn context(number: u8) -> Tag {
        Tag(0x80 | number)
    }

    /// `[number]` on a constructed type, or EXPLICIT. `number` is below 31.
    pub const fn context_constructed(number: u8) -> Tag {
        Tag(0xa0 | number)
    }

    /// `[APPLICATION number]` on a primitive type. `number` is below 31.
    pub const fn application(number: u8) -> Tag {
        Tag(0x40 | number)
    }

    /// `[APPLICATION number]` on a constructed type. `number` is below 31.
    pub const fn application_constructed(number: u8) -> Tag {
        Tag(0x60 | number)
    }

    /// Whether the content is itself a series of elements.
    pub const fn is_constructed(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// Refuses the tags LDAP has no use for: numbers of several octets, end-of-contents, and universal
    /// types in the wrong form (a constructed OCTET STRING, a primitive SEQUENCE).
    const fn check(self) -> Result<(), BerError> {
        const HIGH_NUMBER: u8 = 0x1f;
        const END_OF_CONTENTS: u8 = 0x00;
        const SEQUENCE: u8 = 0x10;
        const SET: u8 = 0x11;
        let number = self.0 & 0x1f;
        if number == HIGH_NUMBER {
            return Err(BerError::HighTagNumber);
        }
        let universal = self.0 & 0xc0 == 0;
        if universal && (number == END_OF_CONTENTS || matches!(number, SEQUENCE | SET) != self.is_constructed()) {
            return Err(BerError::Form(self));
        }
        Ok(())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04x}", self.0)
    }
}

/// Why octets are not the element that was expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BerError {
    /// The header or the content reaches beyond what encloses it.
    #[error("an element is longer than what encloses it")]
    Truncated,
    /// Length octet 0x80.
    #[error("indefinite length")]
    IndefiniteLength,
    /// More than four length octets (their number is given).
    #[error("{0} length octets")]
    LengthOctets(u8),
    /// A tag number of 31 or more.
    #[error("tag number of several octets")]
    HighTagNumber,
    /// End-of-contents, or a universal type in the form LDAP does not use.
    #[error("tag {0:?} has a form that LDAP does not use")]
    Form(Tag),
    /// Another tag, or nothing, where this one must stand.
    #[error("expected tag {expected:?}, found {}", what_stands(*.found))]
    Expected {
        /// What the grammar demands here.
        expected: Tag,
        /// What stands there; `None` at the end of the enclosing element.
        found: Option<Tag>,
    },
    /// A tag that none of the alternatives of a CHOICE has, or nothing at all.
    #[error("none of the alternatives: {}", what_stands(*.0))]
    Choice(Option<Tag>),
    /// Elements after the last one the grammar allows.
    #[error("elements after the last one")]
    Trailing,
    /// A BOOLEAN that is not one octet long.
    #[error("a BOOLEAN must be one octet")]
    BooleanLength,
    /// An INTEGER or ENUMERATED of no or more than four octets.
    #[error("an integer must have one to four octets")]
    IntegerLength,
    /// A value outside the range the grammar gives.
    #[error("value out of range")]
    Range,
    /// Text where a numeric OID must stand (RFC 4511 §4.1.2).
    #[error("not a numeric OID")]
    Oid,
}

/// What stands where something else was expected, in words.
pub(in crate::wire) fn what_stands(tag: Option<Tag>) -> String {
    tag.map_or_else(|| "nothing".to_owned(), |tag| format!("tag {tag:?}"))
}

/// One element and what follows it.
pub(in crate::wire) struct Split<'a> {
    pub tag: Tag,
    pub content: &'a [u8],
    pub rest: &'a [u8],
}

/// Takes the first element off `input`. The only place where a header is read.
#[inline]
pub(in crate::wire) fn split(input: &[u8]) -> Result<Split<'_>, BerError> {
    let (&tag, rest) = input.split_first().ok_or(BerError::Truncated)?;
    let tag = Tag(tag);
    tag.check()?;
    let (length, rest) = length(rest)?;
    let (content, rest) = rest.split_at_checked(length).ok_or(BerError::Truncated)?;
    Ok(Split { tag, content, rest })
}

/// Reads the length octets at the front of `input`; returns the length and what follows.
/// [`BerError::Truncated`] means that more octets are needed to know it.
#[inline]
pub(in crate::wire) fn length(input: &[u8]) -> Result<(usize, &[u8]), BerError> {
    let (&first, rest) = input.split_first().ok_or(BerError::Truncated)?;
    if first < 0x80 { Ok((usize::from(first), rest)) } else { long_length(first & 0x7f, rest) }
}

fn long_length(count: u8, input: &[u8]) -> Result<(usize, &[u8]), BerError> {
    match count {
        0 => return Err(BerError::IndefiniteLength),
        1..=4 => {}
        _ => return Err(BerError::LengthOctets(count)),
    }
    let (octets, rest) = input.split_at_checked(usize::from(count)).ok_or(BerError::Truncated)?;
    let length = octets.iter().fold(0u32, |length, &octet| (length << 8) | u32::from(octet));
    Ok((usize::try_from(length).map_err(|_| BerError::Truncated)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every header outside LDAP's subset is refused, with its own reason.
    #[test]
    fn headers_outside_the_subset_are_refused() {
        let cases: &[(&[u8], BerError)] = &[
            (&[], BerError::Truncated),
            (&[0x30], BerError::Truncated),
            (&[0x30, 0x81], BerError::Truncated),
            (&[0x04, 0x02, 0x00], BerError::Truncated),
            (&[0x30, 0x80, 0x00, 0x00], BerError::IndefiniteLength),
            (&[0x30, 0x85, 0, 0, 0, 0, 0], BerError::LengthOctets(5)),
            (&[0x30, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0], BerError::LengthOctets(9)),
            (&[0x30, 0xff], BerError::LengthOctets(127)),
            (&[0x1f, 0x81, 0x01, 0x00], BerError::HighTagNumber),
            (&[0xbf, 0x20, 0x00], BerError::HighTagNumber),
            (&[0x00, 0x00], BerError::Form(Tag(0x00))),
            (&[0x24, 0x00], BerError::Form(Tag(0x24))),
            (&[0x10, 0x00], BerError::Form(Tag(0x10))),
            (&[0x11, 0x00], BerError::Form(Tag(0x11))),
            (&[0x22, 0x00], BerError::Form(Tag(0x22))),
        ];
        for (input, expected) in cases {
            assert_eq!(split(input).err(), Some(*expected), "{input:02x?}");
        }
    }

    /// Goal: lengths of one to five octets, also when longer than necessary, are read.
    #[test]
    fn lengths_of_every_accepted_form() {
        let cases: &[(&[u8], usize)] = &[
            (&[0x00], 0),
            (&[0x7f], 127),
            (&[0x81, 0x05], 5),
            (&[0x81, 0x80], 128),
            (&[0x82, 0x01, 0x00], 256),
            (&[0x84, 0x00, 0x00, 0x00, 0x05], 5),
            (&[0x84, 0xff, 0xff, 0xff, 0xff], 0xffff_ffff),
        ];
        for (input, expected) in cases {
            assert_eq!(length(input), Ok((*expected, &[][..])), "{input:02x?}");
        }
    }
}

//! Filters built by code, value by value.
//!
//! A value given here cannot end its own filter, whatever octets it holds: there is no string form in
//! between, so there is nothing to escape (and nothing to forget to escape).

use super::super::ber::{List, Reader, Tag, Writer};
use super::super::frame::Limits;
use super::{
    AND, APPROX, EQUALITY, Extensible, Filter, FilterError, GREATER_OR_EQUAL, LESS_OR_EQUAL, NOT, OR, PRESENT, Part,
    Readable, SUBSTRINGS, Substrings, check_parts,
};
use bytes::BytesMut;
use std::fmt;

/// A filter that owns its octets.
#[derive(Clone)]
pub struct FilterBuf {
    octets: BytesMut,
}

impl FilterBuf {
    /// The filter, borrowed.
    pub fn as_filter(&self) -> Filter<'_> {
        // Only checked or correctly written octets get here; anything else would be FALSE.
        Filter::read(&mut Reader::new(&self.octets)).unwrap_or(Filter::Or(List::EMPTY))
    }

    /// All of these; TRUE if there are none.
    pub fn and<'f>(filters: impl IntoIterator<Item = &'f FilterBuf>) -> Self {
        Self::set(AND, filters)
    }

    /// Any of these; FALSE if there are none.
    pub fn or<'f>(filters: impl IntoIterator<Item = &'f FilterBuf>) -> Self {
        Self::set(OR, filters)
    }

    /// The opposite of `filter`.
    pub fn negated(filter: &FilterBuf) -> Self {
        Self::set(NOT, [filter])
    }

    /// `(attribute=value)`
    pub fn equality(attribute: &[u8], value: &[u8]) -> Self {
        Self::assertion(EQUALITY, attribute, value)
    }

    /// `(attribute>=value)`
    pub fn greater_or_equal(attribute: &[u8], value: &[u8]) -> Self {
        Self::assertion(GREATER_OR_EQUAL, attribute, value)
    }

    /// `(attribute<=value)`
    pub fn less_or_equal(attribute: &[u8], value: &[u8]) -> Self {
        Self::assertion(LESS_OR_EQUAL, attribute, value)
    }

    /// `(attribute~=value)`
    pub fn approx(attribute: &[u8], value: &[u8]) -> Self {
        Self::assertion(APPROX, attribute, value)
    }

    /// `(attribute=*)`
    pub fn present(attribute: &[u8]) -> Self {
        Self::write(|w| w.octets(PRESENT, attribute))
    }

    /// `(attribute=initial*any*final)`; fails unless the parts are in legal order and none is empty.
    pub fn substrings(attribute: &[u8], parts: &[Part<'_>]) -> Result<Self, FilterError> {
        let mut list = BytesMut::new();
        let mut w = Writer::new(&mut list);
        for part in parts {
            let (tag, value) = match part {
                Part::Initial(value) => (super::INITIAL, value),
                Part::Any(value) => (super::ANY, value),
                Part::Final(value) => (super::FINAL, value),
            };
            w.octets(tag, value);
        }
        let substrings = Substrings { attribute, parts: check_parts(&list)? };
        Ok(Self::write(|w| w.nested(SUBSTRINGS, |w| substrings.encode(w))))
    }

    /// `(attribute:rule:=value)`; fails with neither rule nor attribute.
    pub fn extensible(extensible: &Extensible<'_>) -> Result<Self, FilterError> {
        if extensible.rule.is_none() && extensible.attribute.is_none() {
            return Err(FilterError::NoTarget);
        }
        Ok(Self::write(|w| Filter::Extensible(*extensible).encode(w)))
    }

    /// The octets of the filter, if they are exactly one within `limits`.
    pub(super) fn from_octets(octets: BytesMut, limits: &Limits) -> Result<Self, FilterError> {
        Filter::decode(&octets, limits)?;
        Ok(FilterBuf { octets })
    }

    fn set<'f>(tag: Tag, filters: impl IntoIterator<Item = &'f FilterBuf>) -> Self {
        Self::write(|w| w.nested(tag, |w| filters.into_iter().for_each(|filter| w.encoded(&filter.octets))))
    }

    fn assertion(tag: Tag, attribute: &[u8], value: &[u8]) -> Self {
        Self::write(|w| w.nested(tag, |w| super::Assertion { attribute, value }.encode(w)))
    }

    fn write(content: impl FnOnce(&mut Writer<'_>)) -> Self {
        let mut octets = BytesMut::new();
        content(&mut Writer::new(&mut octets));
        FilterBuf { octets }
    }
}

impl From<Filter<'_>> for FilterBuf {
    fn from(filter: Filter<'_>) -> Self {
        FilterBuf::write(|w| filter.encode(w))
    }
}

impl PartialEq for FilterBuf {
    fn eq(&self, other: &Self) -> bool {
        self.as_filter() == other.as_filter()
    }
}

impl Eq for FilterBuf {}

impl fmt::Display for FilterBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_filter().fmt(f)
    }
}

impl fmt::Debug for FilterBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FilterBuf{self}")
    }
}

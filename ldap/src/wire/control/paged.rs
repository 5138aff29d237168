//! Simple paged results (RFC 2696): one value for both directions.
//!
//! What a cookie means, and that it comes from this connection and belongs to this search, is checked by the
//! search operation. Here it is octets.
#![deny(clippy::arithmetic_side_effects)]

use super::super::ber::{BerError, Reader, Tag, Writer};
use std::fmt;

/// realSearchControlValue.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PagedResults<'a> {
    /// In a request the entries wanted per page, where 0 with a cookie abandons the result. In a response an
    /// estimate of all entries, where 0 says nothing.
    pub size: u32,
    /// In a request empty for the first page. In a response empty on the last.
    pub cookie: &'a [u8],
}

impl<'a> PagedResults<'a> {
    /// Reads a control value. A negative size, or one beyond 2^31-1, is an error.
    pub fn decode(value: &'a [u8]) -> Result<Self, BerError> {
        let mut value = Reader::new(value);
        let mut fields = value.nested(Tag::SEQUENCE)?;
        let size = fields.unsigned(Tag::INTEGER)?;
        let cookie = fields.octet_string()?;
        fields.finish()?;
        value.finish()?;
        Ok(PagedResults { size, cookie })
    }

    /// Writes the control value.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.nested(Tag::SEQUENCE, |w| {
            w.integer(Tag::INTEGER, self.size.into());
            w.octet_string(self.cookie);
        });
    }
}

impl fmt::Debug for PagedResults<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PagedResults {{ size: {}, cookie: {} octets }}", self.size, self.cookie.len())
    }
}

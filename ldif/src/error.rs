//! Why a record was refused, and where.
//!
//! Owns the words of the import report. A refusal ends one record, not the stream: the next call of
//! [`crate::Reader::next_record`] goes on behind the blank line that ends the refused record.

use std::fmt;

/// What [`crate::Reader::next_record`] can answer instead of a record.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source failed; nothing more is read from it.
    #[error("reading failed: {0}")]
    Io(#[from] std::io::Error),
    /// This record is not well formed; the following ones can still be read.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// One refused record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line (from 1) on which the record begins.
    pub record_line: u64,
    /// The line (from 1) that is at fault; for a folded line its first one.
    pub line: u64,
    /// The record's DN as far as it was read.
    pub dn: Option<Vec<u8>>,
    /// What is wrong.
    pub reason: Reason,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for Refusal {}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No colon in a line that is not `-`.
    #[error("expected 'name: value'")]
    NoColon,
    /// The text before the colon is not an attribute description (RFC 4512 §2.5).
    #[error("the text before the colon is no attribute description")]
    BadDescription,
    /// `::` followed by something else than padded base64 (RFC 4648 §4).
    #[error("the value after '::' is not valid base64")]
    BadBase64,
    /// `:<`: the value would have to be fetched, which is never done.
    #[error("a value given by URL (':<') is not fetched; put it into the file in base64 ('::')")]
    UrlValue,
    /// NUL or a carriage return inside a line (RFC 2849 `SAFE-CHAR`).
    #[error("NUL and carriage return are only allowed in base64 ('::')")]
    UnsafeByte,
    /// Bytes above 127 that are not UTF-8, outside base64.
    #[error("bytes that are not UTF-8 are only allowed in base64 ('::')")]
    NotUtf8,
    /// A DN or RDN in base64 that is not UTF-8.
    #[error("the name is not UTF-8")]
    NameNotUtf8,
    /// A continuation line with nothing to continue.
    #[error("a line that begins with a space continues the line before it, and there is none")]
    NothingToContinue,
    /// The record does not begin with `dn:`.
    #[error("a record begins with 'dn:'")]
    MissingDn,
    /// `dn:` inside a record: the blank line between two records is missing.
    #[error("a second 'dn:' in one record; a blank line separates records")]
    SecondDn,
    /// A `version:` other than 1.
    #[error("only 'version: 1' is known")]
    UnknownVersion,
    /// The file is UTF-16.
    #[error("the file is UTF-16; LDIF is UTF-8")]
    Utf16,
    /// A content or add record without a single attribute.
    #[error("the record has no attributes")]
    NoAttributes,
    /// `changetype:` that RFC 2849 does not know.
    #[error("unknown changetype; known are add, delete, modify, modrdn and moddn")]
    UnknownChangeType,
    /// `changetype:` behind the first attribute.
    #[error("'changetype:' belongs right behind 'dn:' and 'control:'")]
    MisplacedChangeType,
    /// `control:` that does not follow `OID [true|false] [: value]`.
    #[error("expected 'control: OID [true|false] [: value]'")]
    BadControl,
    /// Lines behind `changetype: delete`.
    #[error("'changetype: delete' has no further lines")]
    TextAfterDelete,
    /// A modification that does not begin with add, delete, replace or increment.
    #[error("a modification begins with 'add:', 'delete:', 'replace:' or 'increment:'")]
    UnknownOperation,
    /// A value in a modification that names another attribute.
    #[error("the attribute differs from the one that the modification names; is a '-' missing?")]
    OtherAttribute,
    /// `-` where no modification is open.
    #[error("'-' ends a modification, and none is open")]
    MisplacedDash,
    /// `increment:` with no value, or with several.
    #[error("'increment:' takes exactly one value")]
    BadIncrement,
    /// `modrdn` without `newrdn:`, or with its lines out of order.
    #[error("expected 'newrdn:', 'deleteoldrdn:' and, if any, 'newsuperior:' in this order")]
    BadRename,
    /// `deleteoldrdn:` other than 0 or 1.
    #[error("'deleteoldrdn:' is 0 or 1")]
    BadDeleteOldRdn,
    /// A line, unfolded, above [`crate::Limits::line_bytes`].
    #[error("the line is longer than the limit")]
    LineTooLong,
    /// A record above [`crate::Limits::record_bytes`].
    #[error("the record is longer than the limit")]
    RecordTooLong,
    /// A record above [`crate::Limits::record_lines`].
    #[error("the record has more lines than the limit")]
    TooManyLines,
}

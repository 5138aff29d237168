//! A record as the reader hands it out: borrowed from the reader's buffer until the next call.
//!
//! Owns the shapes of RFC 2849's content and change records. Names and values are bytes; a DN is UTF-8, unparsed.

use crate::line::Line;

/// One record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The line (from 1) of its `dn:`.
    pub line: u64,
    /// The distinguished name, decoded, as written; valid UTF-8; empty for the root DSE.
    pub dn: &'a [u8],
    /// The `control:` lines.
    pub controls: Controls<'a>,
    /// What the record says about that name.
    pub body: Body<'a>,
}

/// What a record says.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// No `changetype:`: the entry itself.
    Content(Attributes<'a>),
    /// `changetype: add`.
    Add(Attributes<'a>),
    /// `changetype: delete`.
    Delete,
    /// `changetype: modify`; may hold no modification at all.
    Modify(Modifications<'a>),
    /// `changetype: modrdn` or `moddn`.
    Rename {
        /// The new RDN; valid UTF-8.
        new_rdn: &'a [u8],
        /// Whether the values of the old RDN leave the entry.
        delete_old_rdn: bool,
        /// The new parent; valid UTF-8.
        new_superior: Option<&'a [u8]>,
    },
}

/// One attribute value of a content or add record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The attribute description as written: ASCII, options included.
    pub description: &'a [u8],
    /// The value, decoded.
    pub value: &'a [u8],
}

/// The attribute values of a record in the file's order; a copyable iterator over [`Attribute`].
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) lines: &'a [Line],
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let (line, rest) = self.lines.split_first()?;
        self.lines = rest;
        Some(Attribute { line: line.number, description: line.name(self.text), value: line.value(self.text) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.lines.len(), Some(self.lines.len()))
    }
}

impl ExactSizeIterator for Attributes<'_> {}

/// What a modification does (RFC 4511 §4.6, RFC 4525).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Adds values.
    Add,
    /// Deletes the values, or all of them when there are none.
    Delete,
    /// Sets the values; none: deletes the attribute if it is there.
    Replace,
    /// Adds a number to the value.
    Increment,
}

impl Operation {
    /// The word in the file.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Add => "add",
            Operation::Delete => "delete",
            Operation::Replace => "replace",
            Operation::Increment => "increment",
        }
    }
}

/// One modification.
#[derive(Debug, Clone, Copy)]
pub struct Modification<'a> {
    /// Its line in the file, from 1.
    pub line: u64,
    /// What it does.
    pub operation: Operation,
    /// The attribute description as written: ASCII.
    pub attribute: &'a [u8],
    /// The values.
    pub values: Values<'a>,
}

/// The values of a modification; a copyable iterator over bytes.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    text: &'a [u8],
    lines: &'a [Line],
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (line, rest) = self.lines.split_first()?;
        self.lines = rest;
        Some(line.value(self.text))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.lines.len(), Some(self.lines.len()))
    }
}

impl ExactSizeIterator for Values<'_> {}

/// Where a modification stands in the lines of its record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ModificationSpan {
    pub(crate) operation: Operation,
    /// The line `add: attribute`; its values follow.
    pub(crate) head: usize,
    pub(crate) values: usize,
}

/// The modifications of a record, in order; a copyable iterator over [`Modification`].
#[derive(Debug, Clone, Copy)]
pub struct Modifications<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) lines: &'a [Line],
    pub(crate) spans: &'a [ModificationSpan],
}

impl<'a> Iterator for Modifications<'a> {
    type Item = Modification<'a>;

    fn next(&mut self) -> Option<Modification<'a>> {
        let (span, rest) = self.spans.split_first()?;
        self.spans = rest;
        let (head, values) = self.lines.get(span.head..)?.split_first()?;
        Some(Modification {
            line: head.number,
            operation: span.operation,
            attribute: head.value(self.text).trim_ascii(),
            values: Values { text: self.text, lines: values.get(..span.values)? },
        })
    }
}

/// One `control:` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control<'a> {
    /// The dotted object identifier; ASCII.
    pub oid: &'a [u8],
    /// Criticality; `false` when the line does not say.
    pub critical: bool,
    /// The value, decoded.
    pub value: Option<&'a [u8]>,
}

/// Where the parts of a control stand in the text of its record.
#[derive(Debug, Clone)]
pub(crate) struct ControlSpan {
    pub(crate) oid: std::ops::Range<usize>,
    pub(crate) critical: bool,
    pub(crate) value: Option<std::ops::Range<usize>>,
}

/// The controls of a record; a copyable iterator over [`Control`].
#[derive(Debug, Clone, Copy)]
pub struct Controls<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) spans: &'a [ControlSpan],
}

impl<'a> Iterator for Controls<'a> {
    type Item = Control<'a>;

    fn next(&mut self) -> Option<Control<'a>> {
        let (span, rest) = self.spans.split_first()?;
        self.spans = rest;
        Some(Control {
            oid: self.text.get(span.oid.clone())?,
            critical: span.critical,
            value: span.value.clone().and_then(|value| self.text.get(value)),
        })
    }
}

//! Entries of a search, streamed into the connection's buffer (RFC 4511 §4.5.2).
//!
//! Five levels of an entry carry a length that is known only when their content is written: the message,
//! the operation, the attribute list, and each attribute with its values. Room for the first three is
//! reserved as an entry of 256 octets to 64 KiB needs it, and that for attributes as one of less than 128
//! octets. If the guess is wrong the content moves once, for all levels together. Lengths are always in
//! their shortest form.
//!
//! An encoder that is dropped before [`EntryEncoder::finish`] leaves the buffer as it was.

use super::ber::{Reader, Tag, Writer, length_size, overwrite_header};
use super::control::{ResponseControl, encode_response_controls};
use super::message::MessageId;
use bytes::BytesMut;
use std::ops::Range;

/// `[APPLICATION 4]` SearchResultEntry
const ENTRY: Tag = Tag::application_constructed(4);

/// Tag and length octets reserved for each of message, operation and attribute list.
const RESERVED: usize = 4;

/// Writes one SearchResultEntry.
#[must_use = "an entry that is not finished is not sent"]
pub struct EntryEncoder<'b> {
    out: &'b mut BytesMut,
    types_only: bool,
    /// Where the entry begins; everything before belongs to others.
    start: usize,
    /// The messageID element, after the message's header; empty for a bare entry.
    id: Range<usize>,
    /// The DN element, after the operation's header.
    dn: Range<usize>,
    /// Where the attributes begin, after the attribute list's header.
    attributes: usize,
    /// The attribute between [`EntryEncoder::open_attribute`] and [`EntryEncoder::close_attribute`].
    open: OpenAttribute,
    finished: bool,
}

impl<'b> EntryEncoder<'b> {
    /// Begins an entry with this DN as a message of its own. With `types_only`, values are left out.
    pub fn begin(out: &'b mut BytesMut, id: MessageId, dn: &[u8], types_only: bool) -> Self {
        let start = out.len();
        reserve_header(out);
        let id = written(out, |w| w.integer(Tag::INTEGER, id.value().into()));
        Self::begin_operation(out, start, id, dn, types_only)
    }

    /// Begins an entry outside any message, as the pre-read and post-read controls carry it (RFC 4527).
    pub fn bare(out: &'b mut BytesMut, dn: &[u8]) -> Self {
        let start = out.len();
        Self::begin_operation(out, start, start..start, dn, false)
    }

    fn begin_operation(out: &'b mut BytesMut, start: usize, id: Range<usize>, dn: &[u8], types_only: bool) -> Self {
        reserve_header(out);
        let dn = written(out, |w| w.octet_string(dn));
        reserve_header(out);
        let attributes = out.len();
        EntryEncoder { out, types_only, start, id, dn, attributes, open: OpenAttribute::default(), finished: false }
    }

    /// Begins an attribute; it ends with [`AttributeEncoder::end`] or when that is dropped.
    #[inline]
    pub fn begin_attribute(&mut self, description: &[u8]) -> AttributeEncoder<'_> {
        let open = OpenAttribute::begin(self.out, description);
        AttributeEncoder { out: self.out, types_only: self.types_only, open }
    }

    /// Begins an attribute for a caller that cannot hold on to an [`AttributeEncoder`]. Its values follow with
    /// [`EntryEncoder::value`], its end with [`EntryEncoder::close_attribute`], before anything else of the entry.
    #[inline]
    pub fn open_attribute(&mut self, description: &[u8]) {
        self.open = OpenAttribute::begin(self.out, description);
    }

    /// Adds a value to the open attribute.
    #[inline]
    pub fn value(&mut self, value: &[u8]) {
        if !self.types_only {
            Writer::new(self.out).octet_string(value);
        }
    }

    /// Ends the open attribute.
    #[inline]
    pub fn close_attribute(&mut self) {
        self.open.close(self.out);
    }

    /// A whole attribute.
    pub fn attribute(&mut self, description: &[u8], values: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        let mut attribute = self.begin_attribute(description);
        for value in values {
            attribute.value(value.as_ref());
        }
    }

    /// Attributes that are encoded already: zero or more PartialAttribute elements, taken as they are.
    pub fn encoded_attributes(&mut self, elements: &[u8]) {
        if !self.types_only {
            return self.out.extend_from_slice(elements);
        }
        let mut elements = Reader::new(elements);
        while let Ok(mut fields) = elements.nested(Tag::SEQUENCE) {
            if let Ok(description) = fields.octet_string() {
                self.begin_attribute(description).end();
            }
        }
    }

    /// Ends the entry.
    pub fn finish(self) {
        self.finish_with(&[]);
    }

    /// Ends the entry's message with these controls. A bare entry has no controls; they are left out.
    pub fn finish_with(mut self, controls: &[ResponseControl<'_>]) {
        self.finished = true;
        let list = self.out.len() - self.attributes;
        let operation = self.dn.len() + element_size(list);
        let is_message = !self.id.is_empty();
        let after_operation = self.out.len();
        if is_message {
            encode_response_controls(&mut Writer::new(self.out), controls);
        }
        let controls = self.out.len() - after_operation;
        let message = self.id.len() + element_size(operation) + controls;

        // Where each part has to be, now that all lengths are known.
        let id_at = if is_message { self.start + header_size(message) } else { self.start };
        let dn_at = id_at + self.id.len() + header_size(operation);
        let list_at = dn_at + self.dn.len();
        let attributes_at = list_at + header_size(list);
        self.place(id_at, dn_at, attributes_at);

        if is_message {
            overwrite_header(self.out, self.start, Tag::SEQUENCE, message);
        }
        overwrite_header(self.out, id_at + self.id.len(), ENTRY, operation);
        overwrite_header(self.out, list_at, Tag::SEQUENCE, list);
    }

    /// Moves the parts to where they have to be; nothing moves if the reserved room was right.
    fn place(&mut self, id_at: usize, dn_at: usize, attributes_at: usize) {
        let end = self.out.len();
        let new_end = attributes_at + (end - self.attributes);
        if new_end > end {
            self.out.resize(new_end, 0);
        }
        let parts = [(self.id.clone(), id_at), (self.dn.clone(), dn_at), (self.attributes..end, attributes_at)];
        // What moves to the left goes first, front to back; then what moves to the right, back to front. So
        // no part is overwritten before it has moved.
        for (part, to) in parts.iter().filter(|(part, to)| *to < part.start) {
            self.out.copy_within(part.clone(), *to);
        }
        for (part, to) in parts.iter().rev().filter(|(part, to)| *to > part.start) {
            self.out.copy_within(part.clone(), *to);
        }
        self.out.truncate(new_end);
    }
}

impl Drop for EntryEncoder<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.out.truncate(self.start);
        }
    }
}

/// Writes the values of one attribute.
pub struct AttributeEncoder<'e> {
    out: &'e mut BytesMut,
    types_only: bool,
    open: OpenAttribute,
}

impl AttributeEncoder<'_> {
    /// Adds a value.
    #[inline]
    pub fn value(&mut self, value: &[u8]) {
        if !self.types_only {
            Writer::new(self.out).octet_string(value);
        }
    }

    /// Ends the attribute.
    #[inline]
    pub fn end(self) {}
}

impl Drop for AttributeEncoder<'_> {
    #[inline]
    fn drop(&mut self) {
        self.open.close(self.out);
    }
}

/// Where an attribute that is being written lies.
#[derive(Clone, Copy, Default)]
struct OpenAttribute {
    /// Where it begins.
    start: usize,
    /// Where its values begin.
    values: usize,
}

impl OpenAttribute {
    #[inline]
    fn begin(out: &mut BytesMut, description: &[u8]) -> OpenAttribute {
        let start = out.len();
        let mut w = Writer::new(out);
        // Both are closed together when the number of octets is known.
        w.encoded(&[Tag::SEQUENCE.0, 0]);
        w.octet_string(description);
        w.encoded(&[Tag::SET.0, 0]);
        OpenAttribute { start, values: out.len() }
    }

    /// Closes set and sequence together, so that the values move at most once.
    #[inline]
    fn close(self, out: &mut BytesMut) {
        const SHORT_HEADER: usize = 2;
        let description = self.start + SHORT_HEADER..self.values - SHORT_HEADER;
        let set = out.len() - self.values;
        let sequence = description.len() + element_size(set);
        let description_at = self.start + header_size(sequence);
        let set_at = description_at + description.len();
        let values_at = set_at + header_size(set);
        if values_at > self.values {
            let end = out.len();
            out.resize(end + (values_at - self.values), 0);
            out.copy_within(self.values..end, values_at);
            out.copy_within(description, description_at);
        }
        overwrite_header(out, self.start, Tag::SEQUENCE, sequence);
        overwrite_header(out, set_at, Tag::SET, set);
    }
}

#[inline]
const fn header_size(content: usize) -> usize {
    1 + length_size(content)
}

#[inline]
const fn element_size(content: usize) -> usize {
    header_size(content) + content
}

fn reserve_header(out: &mut BytesMut) {
    out.extend_from_slice(&[0; RESERVED]);
}

/// Where the octets are that `write` appends.
fn written(out: &mut BytesMut, write: impl FnOnce(&mut Writer<'_>)) -> Range<usize> {
    let start = out.len();
    write(&mut Writer::new(out));
    start..out.len()
}

#[cfg(test)]
mod tests;

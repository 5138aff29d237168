//! Writing elements into a buffer, front to back.
//!
//! A primitive element knows its length. A constructed one is opened with one octet reserved for its
//! length and closed when its content is written; only a content of 128 octets or more is then moved, by
//! the few octets its length needs. Lengths are always in their shortest form, which the strictest
//! clients want. There is no intermediate buffer and nothing here can fail.
#![expect(clippy::arithmetic_side_effects, reason = "sums and differences of lengths of memory that exists")]

use super::Tag;
use bytes::BytesMut;

/// Appends elements to a buffer.
pub struct Writer<'b> {
    out: &'b mut BytesMut,
}

/// A constructed element whose length is still unknown: to be handed to [`Writer::close`].
#[must_use = "an element that is not closed has no length"]
pub struct Open {
    content_at: usize,
}

impl<'b> Writer<'b> {
    /// Appends to `out`.
    pub const fn new(out: &'b mut BytesMut) -> Self {
        Writer { out }
    }

    /// A primitive element with this content.
    #[inline]
    pub fn octets(&mut self, tag: Tag, content: &[u8]) {
        put_header(self.out, tag, content.len());
        self.out.extend_from_slice(content);
    }

    /// An OCTET STRING.
    #[inline]
    pub fn octet_string(&mut self, content: &[u8]) {
        self.octets(Tag::OCTET_STRING, content);
    }

    /// An INTEGER or ENUMERATED in as few octets as it needs.
    #[inline]
    pub fn integer(&mut self, tag: Tag, value: i64) {
        if let Ok(small @ 0..=0x7f) = u8::try_from(value) {
            self.out.extend_from_slice(&[tag.0, 1, small]);
        } else {
            let octets = value.to_be_bytes();
            let repeated = if value < 0 { value.leading_ones() } else { value.leading_zeros() };
            // The first octet kept must still show the sign, hence one bit less than repeat it.
            let redundant = usize::try_from(repeated.saturating_sub(1) / 8).unwrap_or(0);
            self.octets(tag, octets.get(redundant..).unwrap_or(&octets));
        }
    }

    /// A BOOLEAN (TRUE is 0xff, RFC 4511 §5.1).
    pub fn boolean(&mut self, tag: Tag, value: bool) {
        self.out.extend_from_slice(&[tag.0, 1, if value { 0xff } else { 0x00 }]);
    }

    /// Elements that are encoded already.
    pub fn encoded(&mut self, elements: &[u8]) {
        self.out.extend_from_slice(elements);
    }

    /// A constructed element around what `content` writes.
    pub fn nested(&mut self, tag: Tag, content: impl FnOnce(&mut Writer<'_>)) {
        let open = self.open(tag);
        content(self);
        self.close(open);
    }

    /// Begins an element whose content is written next.
    pub fn open(&mut self, tag: Tag) -> Open {
        self.out.extend_from_slice(&[tag.0, 0]);
        Open { content_at: self.out.len() }
    }

    /// Ends the element begun last.
    pub fn close(&mut self, Open { content_at }: Open) {
        let end = self.out.len();
        let length = end.saturating_sub(content_at);
        let extra = length_size(length) - 1;
        if extra > 0 {
            self.out.resize(end + extra, 0);
            self.out.copy_within(content_at..end, content_at + extra);
        }
        overwrite_length(self.out, content_at - 1, length);
    }
}

/// How many octets the length `length` takes in its shortest form.
#[inline]
pub(in crate::wire) const fn length_size(length: usize) -> usize {
    match length {
        0..=0x7f => 1,
        0x80..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xff_ffff => 4,
        0x100_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// Writes tag and length over the octets at `at`; returns the index after them.
#[inline]
pub(in crate::wire) fn overwrite_header(out: &mut [u8], at: usize, tag: Tag, length: usize) -> usize {
    if let Some(slot) = out.get_mut(at) {
        *slot = tag.0;
    }
    overwrite_length(out, at + 1, length)
}

#[inline]
fn overwrite_length(out: &mut [u8], at: usize, length: usize) -> usize {
    match (u8::try_from(length), out.get_mut(at)) {
        (Ok(short @ 0..=0x7f), Some(slot)) => {
            *slot = short;
            at + 1
        }
        _ => overwrite_long_length(out, at, length),
    }
}

fn overwrite_long_length(out: &mut [u8], at: usize, length: usize) -> usize {
    let octets = LengthOctets::of(length);
    let end = at + octets.as_slice().len();
    if let Some(slot) = out.get_mut(at..end) {
        slot.copy_from_slice(octets.as_slice());
    }
    end
}

#[inline]
fn put_header(out: &mut BytesMut, tag: Tag, length: usize) {
    if let Ok(short @ 0..=0x7f) = u8::try_from(length) {
        out.extend_from_slice(&[tag.0, short]);
    } else {
        out.extend_from_slice(&[tag.0]);
        out.extend_from_slice(LengthOctets::of(length).as_slice());
    }
}

/// The length octets of one element, shortest form.
struct LengthOctets {
    octets: [u8; 9],
    used: usize,
}

impl LengthOctets {
    fn of(length: usize) -> Self {
        let used = length_size(length);
        let mut octets = [0; 9];
        let value = u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes();
        if used == 1 {
            octets[0] = value[7];
        } else {
            let count = used - 1;
            octets[0] = 0x80 | u8::try_from(count).unwrap_or(8);
            for (slot, octet) in octets.iter_mut().skip(1).zip(value.iter().skip(8 - count)) {
                *slot = *octet;
            }
        }
        LengthOctets { octets, used }
    }

    fn as_slice(&self) -> &[u8] {
        self.octets.get(..self.used).unwrap_or(&self.octets)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{length, read, split};
    use super::*;
    use proptest::prelude::*;

    /// Goal: lengths are written in their shortest form, at every boundary.
    #[test]
    fn lengths_are_shortest() {
        for (value, expected) in [
            (0usize, &[0x00][..]),
            (0x7f, &[0x7f]),
            (0x80, &[0x81, 0x80]),
            (0xff, &[0x81, 0xff]),
            (0x100, &[0x82, 0x01, 0x00]),
            (0xffff, &[0x82, 0xff, 0xff]),
            (0x1_0000, &[0x83, 0x01, 0x00, 0x00]),
            (0x100_0000, &[0x84, 0x01, 0x00, 0x00, 0x00]),
            (0x1_0000_0000, &[0x88, 0, 0, 0, 1, 0, 0, 0, 0]),
        ] {
            assert_eq!(LengthOctets::of(value).as_slice(), expected, "{value:#x}");
            assert_eq!(length_size(value), expected.len());
        }
    }

    /// Goal: integers take as few octets as two's complement allows.
    #[test]
    fn integers_are_shortest() {
        for (value, expected) in [
            (0i64, &[0x00][..]),
            (127, &[0x7f]),
            (128, &[0x00, 0x80]),
            (255, &[0x00, 0xff]),
            (256, &[0x01, 0x00]),
            (-1, &[0xff]),
            (-128, &[0x80]),
            (-129, &[0xff, 0x7f]),
            (i64::from(i32::MAX), &[0x7f, 0xff, 0xff, 0xff]),
            (i64::MIN, &[0x80, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            let mut out = BytesMut::new();
            Writer::new(&mut out).integer(Tag::INTEGER, value);
            assert_eq!(&out[2..], expected, "{value}");
            assert_eq!(usize::from(out[1]), expected.len());
        }
    }

    proptest! {
        /// Goal: whatever is written nested is read back, for contents around every length boundary.
        #[test]
        fn nested_content_survives(len in prop_oneof![0usize..300, 65_500usize..65_600], depth in 1usize..5) {
            let content = vec![0x5a; len];
            let mut out = BytesMut::from(&b"before"[..]);
            let mut writer = Writer::new(&mut out);
            let open: Vec<_> = (0..depth).map(|_| writer.open(Tag::SEQUENCE)).collect();
            writer.octet_string(&content);
            open.into_iter().rev().for_each(|element| writer.close(element));

            prop_assert_eq!(&out[..6], b"before");
            let mut inner = &out[6..];
            for _ in 0..depth {
                let element = split(inner).unwrap();
                prop_assert!(element.rest.is_empty());
                prop_assert_eq!(length(&inner[1..]).unwrap().0, element.content.len());
                inner = element.content;
            }
            prop_assert_eq!(split(inner).unwrap().content, &content[..]);
        }

        /// Goal: every integer of LDAP's range reads back as written.
        #[test]
        fn integers_survive(value in any::<i32>()) {
            let mut out = BytesMut::new();
            Writer::new(&mut out).integer(Tag::INTEGER, value.into());
            prop_assert_eq!(read::integer(&out[2..]), Ok(value));
        }
    }
}

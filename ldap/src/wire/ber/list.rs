//! Checked series of elements: the SEQUENCE OF and SET OF of a request, without a vector.
//!
//! [`List::check`] reads every element once and keeps only the octets; iterating reads them again, which
//! costs a few nanoseconds per element and no memory. A request with ten thousand values therefore needs
//! no more room than its own octets. Lists are built by the decoders of [`crate::wire`] alone, so an
//! element that does not read cannot be met while iterating.
#![deny(clippy::arithmetic_side_effects)]

use super::{BerError, Reader, Writer};
use bytes::BytesMut;
use std::fmt;
use std::marker::PhantomData;

/// A type that reads itself from the front of a series of elements.
pub trait Readable<'a>: Sized {
    /// Reads one element.
    fn read(reader: &mut Reader<'a>) -> Result<Self, BerError>;
}

/// Octet strings in a row: attribute values, or the attribute descriptions of a selection.
pub type OctetStrings<'a> = List<'a, &'a [u8]>;

impl<'a> Readable<'a> for &'a [u8] {
    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, BerError> {
        reader.octet_string()
    }
}

/// A checked series of elements that borrows the octets it was read from.
pub struct List<'a, T> {
    content: &'a [u8],
    element: PhantomData<T>,
}

impl<'a, T: Readable<'a>> List<'a, T> {
    /// A list without elements.
    pub const EMPTY: Self = List { content: &[], element: PhantomData };

    /// Reads all elements of `content` once, to know that they are sound.
    pub(in crate::wire) fn check(content: &'a [u8]) -> Result<Self, BerError> {
        Self::check_each(content, |_| Ok(()))
    }

    /// The same, with a further rule for each element.
    pub(in crate::wire) fn check_each<E: From<BerError>>(
        content: &'a [u8],
        mut rule: impl FnMut(T) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut reader = Reader::new(content);
        while !reader.is_empty() {
            rule(T::read(&mut reader)?)?;
        }
        Ok(Self::unchecked(content))
    }

    /// A list of elements that the caller has checked or is about to check.
    pub(in crate::wire) const fn unchecked(content: &'a [u8]) -> Self {
        List { content, element: PhantomData }
    }

    /// Whether there is no element.
    pub const fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// How many elements there are. Walks the list.
    pub fn count(&self) -> usize {
        self.iter().count()
    }

    /// The elements, in the order they were sent.
    pub const fn iter(&self) -> Elements<'a, T> {
        Elements { reader: Reader::new(self.content), element: PhantomData }
    }

    /// The first element.
    pub fn first(&self) -> Option<T> {
        self.iter().next()
    }

    /// The octets of all elements.
    pub(in crate::wire) const fn content(&self) -> &'a [u8] {
        self.content
    }
}

impl<T> Clone for List<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<'_, T> {}

impl<'a, T: Readable<'a> + PartialEq> PartialEq for List<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Readable<'a> + Eq> Eq for List<'a, T> {}

/// The number of elements and of octets, never the elements: they may be passwords.
impl<'a, T: Readable<'a>> fmt::Debug for List<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} elements, {} octets]", self.count(), self.content.len())
    }
}

impl<'a, T: Readable<'a>> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = Elements<'a, T>;

    fn into_iter(self) -> Elements<'a, T> {
        self.iter()
    }
}

impl<'a, T: Readable<'a>> IntoIterator for &List<'a, T> {
    type Item = T;
    type IntoIter = Elements<'a, T>;

    fn into_iter(self) -> Elements<'a, T> {
        self.iter()
    }
}

/// A type that writes itself as one element of a series.
pub trait Writable {
    /// Appends the element.
    fn write(&self, writer: &mut Writer<'_>);
}

impl Writable for &[u8] {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.octet_string(self);
    }
}

/// The octets of a series, for the lists of a request that a client makes: filled, then lent as a [`List`].
#[derive(Clone, Default)]
pub struct ListBuf {
    octets: BytesMut,
}

impl ListBuf {
    /// The series of these elements.
    pub fn of(elements: impl IntoIterator<Item = impl Writable>) -> Self {
        let mut octets = BytesMut::new();
        let mut writer = Writer::new(&mut octets);
        elements.into_iter().for_each(|element| element.write(&mut writer));
        ListBuf { octets }
    }

    /// The series as a list, of the type that was written.
    ///
    /// # Errors
    /// When it is read as another type than was written.
    pub fn list<'a, T: Readable<'a>>(&'a self) -> Result<List<'a, T>, BerError> {
        List::check(&self.octets)
    }
}

/// Iterator over a [`List`].
pub struct Elements<'a, T> {
    reader: Reader<'a>,
    element: PhantomData<T>,
}

impl<T> Clone for Elements<'_, T> {
    fn clone(&self) -> Self {
        Elements { reader: self.reader, element: PhantomData }
    }
}

impl<'a, T: Readable<'a>> Iterator for Elements<'a, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if self.reader.is_empty() {
            return None;
        }
        T::read(&mut self.reader).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a list is built only when every element reads, and iterates in order as often as wanted.
    #[test]
    fn a_list_is_checked_whole() {
        let list = OctetStrings::check(&[0x04, 0x01, b'a', 0x04, 0x00, 0x04, 0x81, 0x01, b'b']).unwrap();
        assert_eq!(list.iter().collect::<Vec<_>>(), [&b"a"[..], b"", b"b"]);
        assert_eq!(list.count(), 3);
        assert_eq!(list.first(), Some(&b"a"[..]));
        assert_eq!(format!("{list:?}"), "[3 elements, 9 octets]");
        assert!(OctetStrings::EMPTY.is_empty());

        assert_eq!(OctetStrings::check(&[0x04, 0x01, b'a', 0x04, 0x01]).err(), Some(BerError::Truncated));
        let expected =
            BerError::Expected { expected: super::super::Tag::OCTET_STRING, found: Some(super::super::Tag(0x05)) };
        assert_eq!(OctetStrings::check(&[0x05, 0x00]).err(), Some(expected));
    }

    /// Goal: what was written as a series is read as the same one, and as no other type.
    #[test]
    fn a_series_can_be_made() {
        let made = ListBuf::of([&b"a"[..], b"", b"b"]);
        assert_eq!(made.list::<&[u8]>().unwrap().iter().collect::<Vec<_>>(), [&b"a"[..], b"", b"b"]);
        assert!(made.list::<crate::wire::message::Attribute<'_>>().is_err());
        assert!(ListBuf::default().list::<&[u8]>().unwrap().is_empty());
    }

    /// Goal: equality is that of the elements, not of the octets that carry them.
    #[test]
    fn equality_ignores_the_form_of_lengths() {
        let short = OctetStrings::check(&[0x04, 0x01, b'a']).unwrap();
        let long = OctetStrings::check(&[0x04, 0x82, 0x00, 0x01, b'a']).unwrap();
        assert_eq!(short, long);
        assert_ne!(short, OctetStrings::check(&[0x04, 0x01, b'b']).unwrap());
    }
}

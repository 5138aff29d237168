//! Reading elements in order, out of borrowed octets.
//!
//! A [`Reader`] covers exactly the content of one element. What it hands out borrows from the same
//! octets; nothing is copied. A child cannot reach beyond its parent, because its content is cut out of
//! the parent's; and [`Reader::finish`] makes sure that the parent holds nothing else. So code that opens
//! with [`Reader::nested`] and closes with `finish` has checked the nesting completely.
#![deny(clippy::arithmetic_side_effects)]

use super::{BerError, Tag, split};

/// The elements of one content, front to back.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads the elements of `content`.
    pub const fn new(content: &'a [u8]) -> Self {
        Reader { rest: content }
    }

    /// Whether everything was read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The octets not yet read.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The tag of the next element, `None` at the end.
    pub fn next_tag(&self) -> Option<Tag> {
        self.rest.first().copied().map(Tag)
    }

    /// The next element, whatever it is: its tag and content.
    #[inline]
    pub fn element(&mut self) -> Result<(Tag, &'a [u8]), BerError> {
        let element = split(self.rest)?;
        self.rest = element.rest;
        Ok((element.tag, element.content))
    }

    /// The content of the next element, which must carry `tag`.
    #[inline]
    pub fn expect(&mut self, tag: Tag) -> Result<&'a [u8], BerError> {
        let found = self.next_tag();
        if found != Some(tag) {
            return Err(BerError::Expected { expected: tag, found });
        }
        Ok(self.element()?.1)
    }

    /// The content of the next element if it carries `tag`.
    #[inline]
    pub fn optional(&mut self, tag: Tag) -> Result<Option<&'a [u8]>, BerError> {
        if self.next_tag() == Some(tag) { Ok(Some(self.element()?.1)) } else { Ok(None) }
    }

    /// The elements inside the next element, which must carry the constructed `tag`.
    #[inline]
    pub fn nested(&mut self, tag: Tag) -> Result<Reader<'a>, BerError> {
        self.expect(tag).map(Reader::new)
    }

    /// An OCTET STRING.
    #[inline]
    pub fn octet_string(&mut self) -> Result<&'a [u8], BerError> {
        self.expect(Tag::OCTET_STRING)
    }

    /// A BOOLEAN under `tag`.
    pub fn boolean(&mut self, tag: Tag) -> Result<bool, BerError> {
        boolean(self.expect(tag)?)
    }

    /// A BOOLEAN DEFAULT FALSE under `tag`.
    pub fn boolean_or_false(&mut self, tag: Tag) -> Result<bool, BerError> {
        self.optional(tag)?.map_or(Ok(false), boolean)
    }

    /// An INTEGER or ENUMERATED of at most four octets under `tag`.
    #[inline]
    pub fn integer(&mut self, tag: Tag) -> Result<i32, BerError> {
        integer(self.expect(tag)?)
    }

    /// An INTEGER or ENUMERATED in `0..=2^31-1` under `tag` (`INTEGER (0..maxInt)`, RFC 4511 §4.1.1).
    #[inline]
    pub fn unsigned(&mut self, tag: Tag) -> Result<u32, BerError> {
        u32::try_from(self.integer(tag)?).map_err(|_| BerError::Range)
    }

    /// Confirms that nothing is left.
    #[inline]
    pub const fn finish(self) -> Result<(), BerError> {
        if self.rest.is_empty() { Ok(()) } else { Err(BerError::Trailing) }
    }
}

fn boolean(content: &[u8]) -> Result<bool, BerError> {
    match content {
        [octet] => Ok(*octet != 0),
        _ => Err(BerError::BooleanLength),
    }
}

/// Two's complement, one to four octets.
#[inline]
pub(in crate::wire) fn integer(content: &[u8]) -> Result<i32, BerError> {
    let sign = match content {
        [first, ..] if content.len() <= 4 => {
            if *first < 0x80 {
                0
            } else {
                -1
            }
        }
        _ => return Err(BerError::IntegerLength),
    };
    Ok(content.iter().fold(sign, |value: i32, &octet| (value << 8) | i32::from(octet)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: integers are two's complement with sign, and bounded to four octets.
    #[test]
    fn integers_are_signed_and_bounded() {
        let cases: &[(&[u8], Result<i32, BerError>)] = &[
            (&[0x00], Ok(0)),
            (&[0x7f], Ok(127)),
            (&[0xff], Ok(-1)),
            (&[0x00, 0x80], Ok(128)),
            (&[0xff, 0x7f], Ok(-129)),
            (&[0x7f, 0xff, 0xff, 0xff], Ok(i32::MAX)),
            (&[0x80, 0x00, 0x00, 0x00], Ok(i32::MIN)),
            (&[0x00, 0x00, 0x00, 0x01], Ok(1)),
            (&[], Err(BerError::IntegerLength)),
            (&[0x00, 0x80, 0x00, 0x00, 0x00], Err(BerError::IntegerLength)),
        ];
        for (content, expected) in cases {
            assert_eq!(integer(content), *expected, "{content:02x?}");
        }
    }

    /// Goal: a reader refuses the wrong tag, a child beyond its parent, and leftovers.
    #[test]
    fn nesting_is_exact() {
        let mut inner_too_long = Reader::new(&[0x30, 0x03, 0x04, 0x05, 0x61, 0x62, 0x63, 0x64]);
        let mut child = inner_too_long.nested(Tag::SEQUENCE).unwrap();
        assert_eq!(child.octet_string(), Err(BerError::Truncated));

        let mut leftover = Reader::new(&[0x01, 0x01, 0xff, 0x05, 0x00]);
        assert_eq!(leftover.boolean(Tag::BOOLEAN), Ok(true));
        assert_eq!(leftover.finish(), Err(BerError::Trailing));

        let mut wrong = Reader::new(&[0x02, 0x01, 0x00]);
        let expected = BerError::Expected { expected: Tag::OCTET_STRING, found: Some(Tag::INTEGER) };
        assert_eq!(wrong.octet_string(), Err(expected));
        let mut empty = Reader::new(&[]);
        assert_eq!(empty.octet_string(), Err(BerError::Expected { expected: Tag::OCTET_STRING, found: None }));
    }

    /// Goal: a BOOLEAN is one octet, any non-zero is TRUE, absence is FALSE.
    #[test]
    fn booleans() {
        for (content, expected) in [
            (&[0x01, 0x01, 0x00][..], Ok(false)),
            (&[0x01, 0x01, 0xff], Ok(true)),
            (&[0x01, 0x01, 0x01], Ok(true)),
            (&[0x01, 0x00], Err(BerError::BooleanLength)),
            (&[0x01, 0x03, 0x00, 0x00, 0xff], Err(BerError::BooleanLength)),
            (&[], Ok(false)),
        ] {
            assert_eq!(Reader::new(content).boolean_or_false(Tag::BOOLEAN), expected, "{content:02x?}");
        }
    }
}

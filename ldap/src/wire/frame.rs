//! Where one message ends and whether its structure holds: everything that is decided before a message
//! is understood.
//!
//! [`peek`] looks at the front of the receive buffer. It judges a claimed length as soon as the header is
//! readable, so a claim of 2 GiB costs six octets. [`check_structure`] then walks every element of a
//! complete message once, without recursion and without memory of its own, and proves that every child
//! ends within its parent. Only octets that passed both are decoded by [`super::message`].
//!
//! Called by the connection (`peek`) and by the decoder (`check_structure`). No I/O here.
#![deny(clippy::arithmetic_side_effects)]

use super::ber::{self, BerError, Tag};

/// What one message may cost. Every bound is inclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Octets of one message, its header included.
    pub message_octets: usize,
    /// Elements (tags) in one message, at every depth. Bounds the time of every later walk.
    pub elements: usize,
    /// Constructed elements open at once, the message itself included; at most [`Limits::MAX_NESTING`].
    pub nesting: usize,
    /// Controls of one message.
    pub controls: usize,
    /// Filters on the path from the outermost to the innermost, both included.
    pub filter_depth: usize,
    /// Filters in one filter, itself included.
    pub filter_nodes: usize,
    /// Attribute descriptions in the selection of one search.
    pub selection: usize,
}

impl Limits {
    /// The most that [`Limits::nesting`] can be set to. A message of ours needs the filter's depth plus 5.
    pub const MAX_NESTING: usize = 64;

    /// For connections that have not proved who they are: messages up to 256 KiB.
    pub const BEFORE_BIND: Limits = Limits { message_octets: 256 * 1024, ..Limits::AFTER_BIND };

    /// For bound connections: messages up to 4 MiB.
    pub const AFTER_BIND: Limits = Limits {
        message_octets: 4 * 1024 * 1024,
        elements: 10_000,
        nesting: Self::MAX_NESTING,
        controls: 10,
        filter_depth: 40,
        filter_nodes: 4_096,
        selection: 10_000,
    };
}

/// What the front of a receive buffer holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Frame {
    /// Not a whole message yet.
    NeedMore {
        /// Octets of the whole message, once its header is complete.
        total: Option<usize>,
    },
    /// The first `len` octets are one message.
    Complete {
        /// Octets of the message, its header included.
        len: usize,
    },
}

/// Why a stream cannot be cut into messages. The only way on is a Notice of Disconnection with
/// protocolError and to close (RFC 4511 §4.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    /// The first octet does not begin an LDAP message: HTTP, TLS, SSH, a proxy header.
    #[error("octet {0:#04x} does not begin an LDAP message")]
    NotLdap(u8),
    /// The length is indefinite or has more than four octets.
    #[error("{0}")]
    Length(BerError),
    /// The message claims to be longer than allowed.
    #[error("a message of {claimed} octets, of at most {limit}")]
    TooLarge {
        /// Octets of the whole message by its header.
        claimed: usize,
        /// [`Limits::message_octets`].
        limit: usize,
    },
}

/// Finds the end of the first message in `buf`. `limit` is [`Limits::message_octets`].
pub fn peek(buf: &[u8], limit: usize) -> Result<Frame, FrameError> {
    let Some((&first, after_tag)) = buf.split_first() else {
        return Ok(Frame::NeedMore { total: None });
    };
    if Tag(first) != Tag::SEQUENCE {
        return Err(FrameError::NotLdap(first));
    }
    let (content, after_header) = match ber::length(after_tag) {
        Ok(length) => length,
        Err(BerError::Truncated) => return Ok(Frame::NeedMore { total: None }),
        Err(error) => return Err(FrameError::Length(error)),
    };
    let claimed = buf.len().saturating_sub(after_header.len()).saturating_add(content);
    if claimed > limit {
        return Err(FrameError::TooLarge { claimed, limit });
    }
    if after_header.len() >= content {
        Ok(Frame::Complete { len: claimed })
    } else {
        Ok(Frame::NeedMore { total: Some(claimed) })
    }
}

/// Why the structure of a whole message does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StructureError {
    /// An element is not sound: no part of the message can be trusted.
    #[error("{0}")]
    Ber(#[from] BerError),
    /// More than [`Limits::nesting`] levels.
    #[error("elements nested deeper than {limit}")]
    Nesting {
        /// The bound.
        limit: usize,
    },
    /// More than [`Limits::elements`].
    #[error("more than {limit} elements")]
    Elements {
        /// The bound.
        limit: usize,
    },
}

/// Walks every element of `octets`, which must be whole elements. Returns their number.
///
/// The content of primitive elements is not looked into: control values and extended values are octet
/// strings here, and their own decoders are as strict.
pub fn check_structure(octets: &[u8], limits: &Limits) -> Result<usize, StructureError> {
    // What follows each open element inside its parent.
    let mut parents: [&[u8]; Limits::MAX_NESTING] = [&[]; Limits::MAX_NESTING];
    let nesting = limits.nesting.min(Limits::MAX_NESTING);
    let mut depth: usize = 0;
    let mut elements: usize = 0;
    let mut rest = octets;
    loop {
        if rest.is_empty() {
            let Some(outer) = depth.checked_sub(1) else { return Ok(elements) };
            depth = outer;
            rest = parents.get(depth).copied().unwrap_or_default();
            continue;
        }
        let element = ber::split(rest)?;
        elements = elements.saturating_add(1);
        if elements > limits.elements {
            return Err(StructureError::Elements { limit: limits.elements });
        }
        if element.tag.is_constructed() {
            match parents.get_mut(depth) {
                Some(parent) if depth < nesting => *parent = element.rest,
                _ => return Err(StructureError::Nesting { limit: nesting }),
            }
            depth = depth.saturating_add(1);
            rest = element.content;
        } else {
            rest = element.rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = Limits::BEFORE_BIND.message_octets;

    /// Goal: the end of a message is found as soon as the header allows, whatever the length's form.
    #[test]
    fn peek_finds_the_end() {
        let need = |total| Ok(Frame::NeedMore { total });
        let cases: &[(&[u8], Result<Frame, FrameError>)] = &[
            (&[], need(None)),
            (&[0x30], need(None)),
            (&[0x30, 0x82, 0x01], need(None)),
            (&[0x30, 0x05], need(Some(7))),
            (&[0x30, 0x02, 0x05], need(Some(4))),
            (&[0x30, 0x02, 0x05, 0x00], Ok(Frame::Complete { len: 4 })),
            (&[0x30, 0x02, 0x05, 0x00, 0x30], Ok(Frame::Complete { len: 4 })),
            (&[0x30, 0x84, 0, 0, 0, 2, 0x05, 0x00], Ok(Frame::Complete { len: 8 })),
            (&[0x30, 0x00], Ok(Frame::Complete { len: 2 })),
        ];
        for (buf, expected) in cases {
            assert_eq!(peek(buf, LIMIT), *expected, "{buf:02x?}");
        }
    }

    /// Goal: the limit counts the whole message and is inclusive.
    #[test]
    fn the_limit_is_inclusive() {
        let buf = [0x30, 0x08, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(peek(&buf, 10), Ok(Frame::Complete { len: 10 }));
        assert_eq!(peek(&buf, 9), Err(FrameError::TooLarge { claimed: 10, limit: 9 }));
    }

    /// Goal: elements are counted at every depth, and the count is bounded.
    #[test]
    fn elements_are_counted() {
        let octets = [0x30, 0x09, 0x31, 0x04, 0x04, 0x00, 0x04, 0x00, 0x02, 0x01, 0x05];
        assert_eq!(check_structure(&octets, &Limits::AFTER_BIND), Ok(5));
        let four = Limits { elements: 4, ..Limits::AFTER_BIND };
        assert_eq!(check_structure(&octets, &four), Err(StructureError::Elements { limit: 4 }));
        assert_eq!(check_structure(&[], &four), Ok(0));
    }

    /// Goal: a lower bound of nesting is inclusive, too.
    #[test]
    fn nesting_is_inclusive() {
        let three_levels = [0x30, 0x06, 0x31, 0x04, 0x30, 0x02, 0x04, 0x00];
        let limits = |nesting| Limits { nesting, ..Limits::AFTER_BIND };
        assert_eq!(check_structure(&three_levels, &limits(3)), Ok(4));
        assert_eq!(check_structure(&three_levels, &limits(2)), Err(StructureError::Nesting { limit: 2 }));
    }

    /// Goal: a nesting configured beyond the fixed maximum is the maximum, not an overflow.
    #[test]
    fn nesting_cannot_be_configured_away() {
        let mut octets = Vec::new();
        for _ in 0..Limits::MAX_NESTING + 1 {
            let length = u8::try_from(octets.len()).unwrap();
            octets.splice(0..0, if length < 0x80 { vec![0x30, length] } else { vec![0x30, 0x81, length] });
        }
        let unlimited = Limits { nesting: usize::MAX, ..Limits::AFTER_BIND };
        assert_eq!(check_structure(&octets, &unlimited), Err(StructureError::Nesting { limit: 64 }));
    }
}

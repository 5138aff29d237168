//! A second look at the head of an HTTP/1.1 request, for what the parser behind it forgives silently.
//!
//! A request with both `Content-Length` and `Transfer-Encoding` is how one request is smuggled inside another past a proxy
//! (RFC 9112 §6.1, §11.2); the parser drops the length and goes on. The same holds for lines that end without a carriage
//! return (§2.2). Octets go through here on their way to the parser; nothing is kept but a few counts.

use memchr::memchr;

/// What was seen of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Not all of it was seen: it came while another request was in progress.
    pub(super) missed: bool,
    /// It has a `Content-Length`.
    pub(super) length: bool,
    /// One of its lines ends with a bare line feed.
    pub(super) bare_line_feed: bool,
}

const LENGTH: &[u8] = b"content-length";

/// The place in a head.
#[derive(Debug, Default)]
pub(super) struct Scan {
    head: Head,
    /// Octets of the present line that are as in `LENGTH` so far; none when the line is another.
    matched: Option<usize>,
    /// Whether something stands in the present line.
    filled: bool,
    /// Whether anything but empty lines has come.
    begun: bool,
    return_before: bool,
    done: bool,
}

impl Scan {
    /// Octets that belong to the head, until its empty line; what follows is not looked at.
    pub(super) fn read(&mut self, mut octets: &[u8]) {
        while !self.done {
            // A line that came in one piece is looked at as a whole.
            if !self.filled
                && !self.return_before
                && let Some(place) = memchr(b'\n', octets)
                && let Some((line, rest)) = octets.split_at_checked(place)
                && let [content @ .., b'\r'] = line
                && memchr(b'\r', content).is_none()
            {
                self.line(content);
                octets = rest.get(1..).unwrap_or_default();
                continue;
            }
            let Some((octet, rest)) = octets.split_first() else { return };
            self.step(*octet);
            octets = rest;
        }
    }

    /// A line without its end, which is right.
    fn line(&mut self, content: &[u8]) {
        let length = content.split_at_checked(LENGTH.len());
        self.head.length |= self.matched == Some(0)
            && length.is_some_and(|(name, rest)| name.eq_ignore_ascii_case(LENGTH) && rest.first() == Some(&b':'));
        self.done = self.begun && content.is_empty();
        self.begun |= !content.is_empty();
        self.matched = Some(0);
    }

    fn step(&mut self, octet: u8) {
        match octet {
            b'\n' => {
                self.head.bare_line_feed |= !self.return_before;
                // Empty lines before a request line are allowed (RFC 9112 §2.2).
                self.done = self.begun && !self.filled;
                (self.filled, self.matched, self.return_before) = (false, Some(0), false);
                return;
            }
            b'\r' => {
                self.return_before = true;
                return;
            }
            b':' if self.matched == Some(LENGTH.len()) => self.head.length = true,
            _ => {}
        }
        self.matched = match self.matched {
            Some(place) if LENGTH.get(place) == Some(&octet.to_ascii_lowercase()) => Some(place.saturating_add(1)),
            _ => None,
        };
        (self.filled, self.begun, self.return_before) = (true, true, false);
    }

    /// Octets went by unseen that may belong to the next head.
    pub(super) fn miss(&mut self) {
        self.head.missed = true;
    }

    /// What was seen of the head that is now whole; the next octets belong to another one.
    pub(super) fn take(&mut self) -> Head {
        let missed = !self.done;
        let mut head = std::mem::take(self).head;
        head.missed |= missed;
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(text: &str, piece: usize) -> Head {
        let mut scan = Scan::default();
        text.as_bytes().chunks(piece).for_each(|octets| scan.read(octets));
        scan.take()
    }

    /// Goal: a length is found in any case and any parting, and only as the name of a header of this head.
    #[test]
    fn lengths_are_found() {
        let cases = [
            ("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", true),
            ("POST / HTTP/1.1\r\nA: b\r\ncontent-LENGTH:5\r\n\r\n", true),
            ("\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", true),
            ("POST / HTTP/1.1\r\nX-Content-Length: 5\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nContent-Length-X: 5\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nA: Content-Length: 5\r\n\r\n", false),
            ("POST / HTTP/1.1\r\nA: b\r\n\r\nContent-Length: 5\r\n", false),
            ("Content-Length: 5\r\n\r\n", false),
        ];
        for (text, length) in cases {
            for piece in [1, 2, 3, 1000] {
                let expected = Head { missed: false, length, bare_line_feed: false };
                assert_eq!(seen(text, piece), expected, "{text:?} in {piece}");
            }
        }
    }

    /// Goal: a line feed without its carriage return is noticed; a head that is not whole, or came unseen, is said to be so.
    #[test]
    fn oddities_are_told() {
        for text in ["GET / HTTP/1.1\nA: b\r\n\r\n", "GET / HTTP/1.1\r\nA: b\n\r\n", "GET / HTTP/1.1\r\nA: b\r\n\n"] {
            assert!(seen(text, 1).bare_line_feed, "{text:?}");
        }
        assert!(seen("GET / HTTP/1.1\r\nA: b\r\n", 1).missed);
        let mut scan = Scan::default();
        scan.miss();
        scan.read(b"GET / HTTP/1.1\r\n\r\n");
        assert!(scan.take().missed);
        assert_eq!(scan.take(), Head { missed: true, ..Head::default() }, "nothing came");
    }
    proptest! {
        /// Goal: whole lines are read as the same octets one by one are.
        #[test]
        fn pieces_do_not_matter(
            parts in proptest::collection::vec(
                proptest::sample::select(vec!["\r", "\n", "\r\n", "content-length", "Content-Length:", ":", "A", "x: y", " "]),
                0..24,
            ),
            piece in 1_usize..40,
        ) {
            let text = parts.concat();
            prop_assert_eq!(seen(&text, piece), seen(&text, 1), "{:?} in {}", text, piece);
        }
    }
}

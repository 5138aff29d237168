//! Abandon (RFC 4511 §4.11): has no answer, and means something only to a search under way.
//!
//! Requests of one connection are carried out in their order, so an Abandon that is reached in that order comes too
//! late; [`look`] finds the one that concerns a running search among the requests that wait behind it.

use crate::wire::{Frame, Limits, MessageId, Operation, Request, decode, peek};

/// What waits behind a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing that concerns it.
    Nothing,
    /// It is not wanted any more.
    Abandon,
    /// The peer leaves.
    Unbind,
}

/// Looks through the complete requests in `received`, from `seen` on, which it moves. What cannot be read is left for
/// its turn.
pub(crate) fn look(received: &[u8], seen: &mut usize, bound: usize, search: MessageId) -> Seen {
    loop {
        let rest = received.get(*seen..).unwrap_or_default();
        let Ok(Frame::Complete { len }) = peek(rest, bound) else { return Seen::Nothing };
        let pdu = rest.get(..len).unwrap_or_default();
        *seen = seen.saturating_add(len);
        if !may_end_a_search(pdu) {
            continue;
        }
        match decode(pdu, &Limits::BEFORE_BIND).map(|message| message.request) {
            Ok(Request::Abandon(id)) if id == search => return Seen::Abandon,
            Ok(Request::Unbind) => return Seen::Unbind,
            _ => {}
        }
    }
}

/// Abandon and Unbind are small; nothing else is decoded twice.
fn may_end_a_search(pdu: &[u8]) -> bool {
    let tags = [Operation::Abandon.request_tag().0, Operation::Unbind.request_tag().0];
    pdu.len() < 64 && pdu.iter().any(|octet| tags.contains(octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: i32 = 7;
    const ABANDON_7: &[u8] = &[0x30, 0x06, 0x02, 0x01, 0x08, 0x50, 0x01, 0x07];
    const ABANDON_6: &[u8] = &[0x30, 0x06, 0x02, 0x01, 0x08, 0x50, 0x01, 0x06];
    const UNBIND: &[u8] = &[0x30, 0x05, 0x02, 0x01, 0x09, 0x42, 0x00];
    const DELETE: &[u8] = &[0x30, 0x08, 0x02, 0x01, 0x09, 0x4a, 0x03, b'P', b'B', b'x'];

    fn look_at(parts: &[&[u8]]) -> (Seen, usize) {
        let mut seen = 0;
        let found = look(&parts.concat(), &mut seen, 1 << 18, MessageId::new(SEARCH).unwrap());
        (found, seen)
    }

    #[test]
    fn only_the_own_abandon_and_unbind_count() {
        // Goal: an Abandon of the search or an Unbind is found behind other requests, incomplete and foreign ones change
        // nothing, and what was looked at is not looked at again (RFC 4511 §4.11; hostile row A24).
        let cases: &[(&[&[u8]], Seen, usize)] = &[
            (&[], Seen::Nothing, 0),
            (&[ABANDON_7], Seen::Abandon, 8),
            (&[ABANDON_6], Seen::Nothing, 8),
            (&[ABANDON_6, DELETE, ABANDON_7], Seen::Abandon, 26),
            (&[DELETE, UNBIND], Seen::Unbind, 17),
            (&[DELETE, &ABANDON_7[..5]], Seen::Nothing, 10),
            (&[b"GET / HTTP/1.1"], Seen::Nothing, 0),
        ];
        for (parts, expected, seen) in cases {
            assert_eq!(look_at(parts), (*expected, *seen), "{parts:02x?}");
        }
    }
}

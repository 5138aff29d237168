//! Whole messages: hostile ones by the rows of the threat table, and laws that hold for all.
//!
//! Names that begin with a letter and number (`a4_…`) carry the row they cover.

mod differential;
mod generate;
mod hostile;
mod mutation;
mod ranges;

use super::ber::{Tag, Writer};
use super::*;
use bytes::BytesMut;

const LIMITS: Limits = Limits::AFTER_BIND;

/// A message with id 7 around what `content` writes.
fn message(content: impl FnOnce(&mut Writer<'_>)) -> BytesMut {
    written(|w| {
        w.nested(Tag::SEQUENCE, |w| {
            w.integer(Tag::INTEGER, 7);
            content(w);
        });
    })
}

/// A message with id 7 and an operation around what `body` writes.
fn operation(operation: Operation, body: impl FnOnce(&mut Writer<'_>)) -> BytesMut {
    message(|w| w.nested(operation.request_tag(), body))
}

/// A search whose filter and selection are what these write.
fn search(filter: impl FnOnce(&mut Writer<'_>), selection: impl FnOnce(&mut Writer<'_>)) -> BytesMut {
    operation(Operation::Search, |w| {
        w.octet_string(b"dc=example,dc=com");
        w.integer(Tag::ENUMERATED, 2);
        w.integer(Tag::ENUMERATED, 0);
        w.integer(Tag::INTEGER, 0);
        w.integer(Tag::INTEGER, 0);
        w.boolean(Tag::BOOLEAN, false);
        filter(w);
        w.nested(Tag::SEQUENCE, selection);
    })
}

fn present(w: &mut Writer<'_>) {
    w.octets(Tag::context(7), b"objectClass");
}

fn written(write: impl FnOnce(&mut Writer<'_>)) -> BytesMut {
    let mut out = BytesMut::new();
    write(&mut Writer::new(&mut out));
    out
}

fn reaction(octets: &[u8]) -> Option<Reaction> {
    decode(octets, &LIMITS).err().map(|error| error.reaction())
}

fn disconnect() -> Option<Reaction> {
    Some(Reaction::Disconnect(ResultCode::PROTOCOL_ERROR))
}

fn respond(operation: Operation, code: ResultCode) -> Option<Reaction> {
    Some(Reaction::Respond { id: MessageId::new(7).unwrap(), operation, code })
}

#[track_caller]
fn assert_refused(octets: &[u8], operation: Operation) {
    assert_eq!(reaction(octets), respond(operation, ResultCode::PROTOCOL_ERROR), "{octets:02x?}");
}

//! StartTLS (RFC 4511 §4.14, RFC 4513 §3.1).
//!
//! Octets in clear behind the request are never read as if they had come through TLS: they end the connection.

use super::{Asked, Step, notice};
use crate::{
    door::{Door, PeerKind},
    result::{self, Outcome},
    session::Session,
    wire::{ResultCode, extended::oids, message::Extended},
};
use bytes::BytesMut;

pub(crate) fn begin(
    door: &Door,
    session: &Session,
    asked: &Asked,
    request: &Extended<'_>,
    behind: usize,
    out: &mut BytesMut,
) -> Step {
    let refusal = if session.tls() {
        Some(Outcome::new(ResultCode::OPERATIONS_ERROR, "TLS is in place"))
    } else if matches!(session.peer.kind, PeerKind::Local { .. }) {
        Some(Outcome::new(ResultCode::OPERATIONS_ERROR, "a local socket needs no TLS"))
    } else if door.tls.is_none() {
        Some(Outcome::new(ResultCode::PROTOCOL_ERROR, "no such extended operation"))
    } else if request.value.is_some() {
        Some(Outcome::new(ResultCode::PROTOCOL_ERROR, "no value is expected"))
    } else {
        None
    };
    if let Some(outcome) = refusal {
        encode(door, asked, &outcome, out);
        return Step::Answered;
    }
    if behind > 0 {
        encode(door, asked, &Outcome::new(ResultCode::OPERATIONS_ERROR, "nothing may follow this request"), out);
        notice::plaintext_behind_start_tls(out);
        return Step::Disconnect;
    }
    encode(door, asked, &Outcome::success(), out);
    Step::StartTls
}

fn encode(door: &Door, asked: &Asked, outcome: &Outcome<'_>, out: &mut BytesMut) {
    result::encode_extended(asked.message, outcome, Some(oids::START_TLS), None, None, out);
    asked.note(door, outcome);
}

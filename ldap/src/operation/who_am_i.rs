//! Who am I (RFC 4532).

use super::{Asked, Step, admit, extended};
use crate::{
    door::Door,
    result::Outcome,
    session::{Login, Session},
    wire::{ResultCode, message::Extended},
};
use bytes::BytesMut;

/// The operator of the machine has no entry.
const OPERATOR: &[u8] = b"u:operator";

pub(crate) fn begin(
    door: &Door,
    session: &mut Session,
    asked: &Asked,
    request: &Extended<'_>,
    out: &mut BytesMut,
) -> Step {
    if request.value.is_some() {
        asked.answer(door, &Outcome::new(ResultCode::PROTOCOL_ERROR, "no value is expected"), out);
        return Step::Answered;
    }
    if let Err(step) = admit(door, session, asked, out) {
        return step;
    }
    match session.login() {
        Login::Anonymous => extended::answer(door, asked, &Outcome::success(), Some(b""), out),
        Login::Operator => extended::answer(door, asked, &Outcome::success(), Some(OPERATOR), out),
        Login::Bound { authorization, .. } => {
            extended::answer(door, asked, &Outcome::success(), Some(authorization.as_bytes()), out);
        }
    }
    Step::Answered
}

//! Compare (RFC 4511 §4.10).

use super::{Asked, Step, admit};
use crate::{
    door::Door,
    result::Outcome,
    session::Session,
    wire::{ResultCode, message::Compare},
};
use bytes::BytesMut;
use directory::search;

pub(crate) fn begin(
    door: &Door,
    session: &mut Session,
    asked: &Asked,
    request: &Compare<'_>,
    out: &mut BytesMut,
) -> Step {
    let (snapshot, rights) = match admit(door, session, asked, out) {
        Ok(view) => view,
        Err(step) => return step,
    };
    let reading = door.directory.reading(&snapshot, &rights, asked.context.now);
    match search::compare(reading, request.dn, request.attribute, request.value) {
        Ok(true) => asked.answer(door, &Outcome::new(ResultCode::COMPARE_TRUE, ""), out),
        Ok(false) => asked.answer(door, &Outcome::new(ResultCode::COMPARE_FALSE, ""), out),
        Err(refusal) => asked.answer(door, &Outcome::refused(&refusal, asked.operation), out),
    }
    Step::Answered
}

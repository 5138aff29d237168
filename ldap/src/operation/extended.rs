//! Extended operations (RFC 4511 §4.12): the table of them, and their answers.

use super::{Asked, Operation, Step, admit, grant, password, start_tls, token, who_am_i};
use crate::{
    door::Door,
    grant_request,
    result::{self, Outcome},
    session::Session,
    token_request,
    wire::{ResultCode, ber::Writer, extended::oids, message::Extended},
};
use bytes::BytesMut;
use directory::error::Refusal;

/// OID by operation.
const TABLE: [(&str, Operation); 5] = [
    (oids::START_TLS, Operation::StartTls),
    (oids::PASSWORD_MODIFY, Operation::PasswordModify),
    (oids::WHO_AM_I, Operation::WhoAmI),
    (token_request::OID, Operation::Token),
    (grant_request::OID, Operation::Grant),
];

/// Which operation a request asks for.
pub(crate) fn operation(request: &Extended<'_>) -> Operation {
    TABLE
        .iter()
        .find(|(oid, _)| oid.as_bytes() == request.name)
        .map_or(Operation::UnknownExtended, |(_, operation)| *operation)
}

/// For the root DSE.
pub(crate) fn supported(start_tls: bool) -> impl Iterator<Item = &'static str> {
    TABLE.iter().filter(move |(_, operation)| start_tls || *operation != Operation::StartTls).map(|(oid, _)| *oid)
}

pub(crate) fn begin(
    door: &Door,
    session: &mut Session,
    asked: Asked,
    request: &Extended<'_>,
    behind: usize,
    out: &mut BytesMut,
) -> Step {
    match asked.operation {
        Operation::StartTls => start_tls::begin(door, session, &asked, request, behind, out),
        Operation::WhoAmI => who_am_i::begin(door, session, &asked, request, out),
        Operation::PasswordModify => password::begin(door, session, asked, request, out),
        Operation::Token => token::begin(door, session, asked, request, out),
        Operation::Grant => grant::begin(door, session, asked, request, out),
        _ => {
            // The peer learns nothing that the root DSE does not say, but not from a login that has ended.
            if let Err(step) = admit(door, session, &asked, out) {
                return step;
            }
            asked.answer(door, &Outcome::new(ResultCode::PROTOCOL_ERROR, "no such extended operation"), out);
            Step::Answered
        }
    }
}

/// A request of our own, whose answer may hold a secret: from whoever may ask now, not in the clear, well formed.
pub(super) fn own_request<T, E>(
    door: &Door,
    session: &mut Session,
    asked: &Asked,
    decode: impl FnOnce() -> Result<T, E>,
    out: &mut BytesMut,
) -> Result<T, Step> {
    admit(door, session, asked, out)?;
    let mut refuse = |code, why| {
        asked.answer(door, &Outcome::new(code, why), out);
        Step::Answered
    };
    if !asked.context.origin.confidential {
        return Err(refuse(ResultCode::CONFIDENTIALITY_REQUIRED, "a secret is not sent in the clear"));
    }
    decode().map_err(|_| refuse(ResultCode::PROTOCOL_ERROR, "the request's value is malformed"))
}

/// The answer to a request of our own.
pub(super) fn own_answer<T>(
    door: &Door,
    asked: &Asked,
    outcome: Result<T, Refusal>,
    encode: impl FnOnce(&T, &mut Writer<'_>),
    out: &mut BytesMut,
) {
    match outcome {
        Ok(response) => {
            let mut value = BytesMut::new();
            encode(&response, &mut Writer::new(&mut value));
            answer(door, asked, &Outcome::success(), Some(&value), out);
        }
        Err(refusal) => asked.answer(door, &Outcome::refused(&refusal, asked.operation), out),
    }
}

/// An answer with a value. RFC 4532 and RFC 3062 have no name in theirs.
pub(crate) fn answer(door: &Door, asked: &Asked, outcome: &Outcome<'_>, value: Option<&[u8]>, out: &mut BytesMut) {
    let policy = (asked.operation == Operation::PasswordModify && asked.controls.password_policy)
        .then(|| outcome.policy.unwrap_or_default());
    result::encode_extended(asked.message, outcome, None, value, policy, out);
    asked.note(door, outcome);
}

//! Password Modify (RFC 3062).

use super::{Asked, Step, change};
use crate::{
    door::Door,
    result::Outcome,
    session::Session,
    wire::{self, ResultCode, message::Extended},
};
use bytes::BytesMut;
use directory::{
    change::{Change, Target},
    context::Actor,
    credential::Secret,
};

pub(crate) fn begin(
    door: &Door,
    session: &mut Session,
    asked: Asked,
    request: &Extended<'_>,
    out: &mut BytesMut,
) -> Step {
    let Ok(request) = wire::extended::PasswordModify::decode(request.value) else {
        asked.answer(door, &Outcome::new(ResultCode::PROTOCOL_ERROR, "the request's value is malformed"), out);
        return Step::Answered;
    };
    let target = match (request.user_identity, session.actor()) {
        (Some(identity), _) => Target::Dn(identity.strip_prefix(b"dn:").unwrap_or(identity).to_vec()),
        (None, Actor::Account { id, .. }) => Target::Id(id),
        (None, Actor::Anonymous | Actor::System) => {
            asked.answer(door, &Outcome::new(ResultCode::UNWILLING_TO_PERFORM, "whose password?"), out);
            return Step::Answered;
        }
    };
    let longest = door.settings.max_password;
    if [request.old_password, request.new_password].into_iter().flatten().any(|password| password.len() > longest) {
        asked.answer(door, &Outcome::new(ResultCode::CONSTRAINT_VIOLATION, "the password is too long"), out);
        return Step::Answered;
    }
    let secret = |password: Option<&[u8]>| password.map(|password| Secret::new(password.to_vec()));
    let (old, new) = (secret(request.old_password), secret(request.new_password));
    change::begin(door, session, asked, || Change::Password { target, old, new }, out)
}

//! Acts on accounts: our own extended operation (see [`crate::account_act`]).

use super::{Asked, Step, change};
use crate::{
    account_act::{AccountAct, Verb},
    door::Door,
    result::Outcome,
    session::Session,
    wire::{ResultCode, message::Extended},
};
use bytes::BytesMut;
use directory::{
    change::{Act, Change, Target},
    credential::Secret,
};

pub(crate) fn begin(
    door: &Door,
    session: &mut Session,
    asked: Asked,
    request: &Extended<'_>,
    out: &mut BytesMut,
) -> Step {
    let Ok(wanted) = AccountAct::decode(request.value.unwrap_or_default()) else {
        asked.answer(door, &Outcome::new(ResultCode::PROTOCOL_ERROR, "the request's value is malformed"), out);
        return Step::Answered;
    };
    let secret = |password: Option<&[u8]>| password.map(Secret::from);
    let change = || Change::Account {
        target: Target::Dn(wanted.account.to_vec()),
        act: match wanted.verb {
            Verb::Disable => Act::Disable,
            Verb::Enable(password) => Act::Enable { password: secret(password) },
            Verb::Unlock(password) => Act::Unlock { password: secret(password) },
            Verb::Lock => Act::Lock,
            Verb::Delete(months) => Act::Delete { months },
            Verb::ForceChange => Act::ForceChange,
        },
    };
    change::begin(door, session, asked, change, out)
}

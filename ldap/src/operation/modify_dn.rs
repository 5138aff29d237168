//! Modify DN (RFC 4511 §4.9): a new name, a new place, or both.

use super::{Asked, Step, change};
use crate::{door::Door, session::Session, wire::message::ModifyDn};
use bytes::BytesMut;
use directory::change::{Change, Target};

pub(crate) fn begin(
    door: &Door,
    session: &mut Session,
    asked: Asked,
    request: &ModifyDn<'_>,
    out: &mut BytesMut,
) -> Step {
    let change = || Change::Rename {
        target: Target::Dn(request.dn.to_vec()),
        new_rdn: request.new_rdn.to_vec(),
        delete_old: request.delete_old_rdn,
        new_superior: request.new_superior.map(<[u8]>::to_vec),
    };
    change::begin(door, session, asked, change, out)
}

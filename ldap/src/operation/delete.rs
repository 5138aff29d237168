//! Delete (RFC 4511 §4.8), of a whole subtree with the subtree delete control.

use super::{Asked, Step, change};
use crate::{door::Door, session::Session};
use bytes::BytesMut;
use directory::change::{Change, Target};

pub(crate) fn begin(door: &Door, session: &mut Session, asked: Asked, dn: &[u8], out: &mut BytesMut) -> Step {
    let subtree = asked.controls.subtree_delete;
    change::begin(door, session, asked, || Change::Delete { target: Target::Dn(dn.to_vec()), subtree }, out)
}

//! Add (RFC 4511 §4.7).

use super::{Asked, Step, change};
use crate::{door::Door, session::Session, wire::message::Add};
use bytes::BytesMut;
use directory::change::Change;

pub(crate) fn begin(door: &Door, session: &mut Session, asked: Asked, request: &Add<'_>, out: &mut BytesMut) -> Step {
    let change = || Change::Add {
        dn: request.dn.to_vec(),
        attributes: request
            .attributes
            .iter()
            .map(|attribute| (attribute.description.to_vec(), attribute.values.iter().map(<[u8]>::to_vec).collect()))
            .collect(),
    };
    change::begin(door, session, asked, change, out)
}

//! Modify (RFC 4511 §4.6) with increment (RFC 4525).

use super::{Asked, Step, change};
use crate::{
    door::Door,
    session::Session,
    wire::message::{ChangeKind, Modify},
};
use bytes::BytesMut;
use directory::change::{Change, Modification, ModificationKind, Target};

pub(crate) fn begin(
    door: &Door,
    session: &mut Session,
    asked: Asked,
    request: &Modify<'_>,
    out: &mut BytesMut,
) -> Step {
    let change = || Change::Modify {
        target: Target::Dn(request.dn.to_vec()),
        modifications: request
            .changes
            .iter()
            .map(|change| Modification {
                kind: kind(change.kind),
                attribute: change.attribute.description.to_vec(),
                values: change.attribute.values.iter().map(<[u8]>::to_vec).collect(),
            })
            .collect(),
    };
    change::begin(door, session, asked, change, out)
}

const fn kind(kind: ChangeKind) -> ModificationKind {
    match kind {
        ChangeKind::Add => ModificationKind::Add,
        ChangeKind::Delete => ModificationKind::Delete,
        ChangeKind::Replace => ModificationKind::Replace,
        ChangeKind::Increment => ModificationKind::Increment,
    }
}

//! Notices in the write path: kept with the end that they are of, removed when they have been told.

use super::only_the_system;
use crate::change::apply::Applying;
use crate::entry::record::{DamagedRecord, Record};
use crate::error::{Reason, Refusal};
use crate::grant::ended::Ended;
use crate::grant::notice::{self, Notice, NoticeId};
use crate::id::EntryId;
use crate::schema::known;
use crate::store::codec;
use crate::store::view::View;

/// Keeps who is to be told of an end.
pub(super) fn keep(applying: &mut Applying<'_, '_>, ended: &Ended) -> Result<(), Refusal> {
    for of in notice::of(ended) {
        let (client, uuid, session) = of;
        if applying.grants.noticed.contains(&of) || !wants(applying, client)? {
            continue;
        }
        let number = u64::try_from(applying.grants.noticed.len()).unwrap_or(u64::MAX);
        let id = NoticeId(applying.position.0, number);
        let notice = Notice { id, client, uuid, session, at: applying.set.now.wall };
        applying.dirty = true;
        applying.tables.notices.write()?.insert((id.0, id.1), codec::encode(&notice)?.as_slice())?;
        applying.grants.noticed.insert(of);
    }
    Ok(())
}

pub(super) fn told(applying: &mut Applying<'_, '_>, notices: &[NoticeId]) -> Result<(), Refusal> {
    only_the_system(applying)?;
    for id in notices {
        if applying.tables.notices.write()?.remove((id.0, id.1))?.is_some() {
            applying.dirty = true;
        }
    }
    Ok(())
}

/// Whether the application is there, and has an address to be told at.
fn wants(applying: &Applying<'_, '_>, client: EntryId) -> Result<bool, Refusal> {
    let Some(guard) = applying.tables.record(client)? else { return Ok(false) };
    let damaged = |e: DamagedRecord| Refusal::new(Reason::Store, "the store failed").with_detail(e.to_string());
    let record = Record::parse(guard.value()).map_err(damaged)?;
    Ok(record.values(known::attribute::ROLLBOOK_BACK_CHANNEL_LOGOUT_URI).next().is_some())
}

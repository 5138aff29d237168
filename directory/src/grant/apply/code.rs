//! Codes in the write path: the one place that knows whether a code has been used.

use super::{family, is_current, only_the_system, session};
use crate::change::apply::Applying;
use crate::clock::Millis;
use crate::error::Refusal;
use crate::grant::Why;
use crate::grant::code::Spent;
use crate::grant::ended::Cause;
use crate::grant::family::Family;
use crate::grant::text::CodeKey;
use crate::store::{codec, rows};
use redb::ReadableTable;

/// Codes removed in one step.
const BATCH: usize = 10_000;

pub(super) fn redeem(
    applying: &mut Applying<'_, '_>,
    key: &CodeKey,
    expires: Millis,
    family: &Family,
) -> Result<(), Refusal> {
    only_the_system(applying)?;
    if let Some(spent) = load(applying, key)? {
        applying.grants.denied = Some(Why::Reused);
        return match family::load(applying.tables, spent.by)? {
            Some(granted) => family::remove(applying, &granted, Cause::Reused),
            None => Ok(()),
        };
    }
    if expires <= applying.set.now.wall {
        applying.grants.denied = Some(Why::Expired);
        return Ok(());
    }
    if !is_current(applying.tables, family.account, family.epoch)? {
        applying.grants.denied = Some(Why::Account);
        return Ok(());
    }
    let session = match family.session {
        Some(id) => session::load(applying.tables, id)?.filter(|session| session.account == family.account),
        None => None,
    };
    let Some(session) = session else {
        applying.grants.denied = Some(Why::Session);
        return Ok(());
    };
    family::issue(applying, family)?;
    session::enter(applying, session, family.client)?;
    write(applying, key, &Spent { by: family.id })
}

pub(super) fn purge(applying: &mut Applying<'_, '_>, before: Millis) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let end = u64::try_from(before.0).unwrap_or(0).to_be_bytes();
    let mut old = Vec::new();
    for item in applying.tables.codes.read()?.range::<&[u8]>(..end.as_slice())?.take(BATCH) {
        old.push(item?.0.value().to_vec());
    }
    for key in old {
        applying.dirty = true;
        applying.tables.codes.write()?.remove(key.as_slice())?;
    }
    Ok(())
}

fn load(applying: &Applying<'_, '_>, key: &CodeKey) -> Result<Option<Spent>, Refusal> {
    let guard = applying.tables.codes.read()?.get(key.as_slice())?;
    guard.map(|g| codec::decode(g.value())).transpose()
}

fn write(applying: &mut Applying<'_, '_>, key: &CodeKey, spent: &Spent) -> Result<(), Refusal> {
    applying.dirty = true;
    rows::put(applying.tables.codes.write()?, key.as_slice(), codec::encode(spent)?.as_slice())?;
    Ok(())
}

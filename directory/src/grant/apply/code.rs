//! Codes in the write path: the one place that knows whether a code has been used.

use super::{ended_meanwhile, family, is_current, only_the_system, session};
use crate::change::apply::Applying;
use crate::clock::Millis;
use crate::error::{Reason, Refusal};
use crate::grant::Why;
use crate::grant::code::Code;
use crate::grant::ended::Cause;
use crate::grant::family::Family;
use crate::grant::text::CodeKey;
use crate::store::codec;
use redb::ReadableTable;

/// Codes removed in one step.
const BATCH: usize = 10_000;

pub(super) fn issue(applying: &mut Applying<'_, '_>, key: &CodeKey, code: &Code) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let session = session::load(applying.tables, code.session)?.filter(|s| s.account == code.account);
    let Some(session) = session.filter(|s| s.epoch == code.epoch) else { return Err(ended_meanwhile()) };
    if !is_current(applying.tables, code.account, code.epoch)? {
        return Err(ended_meanwhile());
    }
    if load(applying, key)?.is_some() {
        return Err(Refusal::new(Reason::EntryExists, "the code is taken"));
    }
    session::enter(applying, session, code.client)?;
    write(applying, key, code)
}

pub(super) fn redeem(applying: &mut Applying<'_, '_>, key: &CodeKey, family: &Family) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let Some(mut code) = load(applying, key)? else {
        applying.grants.denied = Some(Why::Unknown);
        return Ok(());
    };
    if let Some(spent_by) = code.spent_by {
        applying.grants.denied = Some(Why::Reused);
        return match family::load(applying.tables, spent_by)? {
            Some(granted) => family::remove(applying, &granted, Cause::Reused),
            None => Ok(()),
        };
    }
    if code.expires <= applying.set.now.wall {
        applying.grants.denied = Some(Why::Expired);
        return Ok(());
    }
    if !is_current(applying.tables, code.account, code.epoch)? {
        applying.grants.denied = Some(Why::Account);
        return Ok(());
    }
    if session::load(applying.tables, code.session)?.is_none() {
        applying.grants.denied = Some(Why::Session);
        return Ok(());
    }
    family::issue(applying, family)?;
    code.spent_by = Some(family.id);
    write(applying, key, &code)
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

fn load(applying: &Applying<'_, '_>, key: &CodeKey) -> Result<Option<Code>, Refusal> {
    let guard = applying.tables.codes.read()?.get(key.as_slice())?;
    guard.map(|g| codec::decode(g.value())).transpose()
}

fn write(applying: &mut Applying<'_, '_>, key: &CodeKey, code: &Code) -> Result<(), Refusal> {
    applying.dirty = true;
    applying.tables.codes.write()?.insert(key.as_slice(), codec::encode(code)?.as_slice())?;
    Ok(())
}

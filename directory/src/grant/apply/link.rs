//! Links in the write path: a key is one account's, and an account has one key at a provider.

use super::{authorize, missing, only_the_system, session, tell};
use crate::change::apply::Applying;
use crate::error::{Reason, Refusal};
use crate::grant::ended::Cause;
use crate::grant::link::{Link, row};
use crate::id::EntryId;
use crate::store::view::View;
use crate::store::{codec, membership};
use redb::ReadableTable;

pub(super) fn link(applying: &mut Applying<'_, '_>, link: &Link) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let (account, provider) = (link.account, link.provider);
    if applying.tables.account(account)?.is_none() || applying.tables.record(account)?.is_none() {
        return Err(missing("account"));
    }
    if applying.tables.record(provider)?.is_none() {
        return Err(missing("provider"));
    }
    let taken = |why: &str| Refusal::new(Reason::EntryExists, why);
    let key = row(provider, &link.key);
    let stored = applying.tables.links.get(key.as_slice())?.map(|g| codec::decode::<Link>(g.value())).transpose()?;
    if stored.as_ref().is_some_and(|stored| stored.account != account) {
        return Err(taken("it is another account's"));
    }
    let held = applying.tables.link_owners.get((account.0, provider.0))?.map(|g| g.value().to_vec());
    if held.is_some_and(|held| held != key) {
        return Err(taken("the account is linked to somebody else at this provider"));
    }
    if stored.is_none() {
        tell(applying, account, "link".into(), Some(provider), "make");
    }
    let created = stored.map_or(link.created, |stored| stored.created);
    applying.dirty = true;
    applying.tables.links.insert(key.as_slice(), codec::encode(&Link { created, ..link.clone() })?.as_slice())?;
    applying.tables.link_owners.insert((account.0, provider.0), key.as_slice())?;
    Ok(())
}

pub(super) fn unlink(applying: &mut Applying<'_, '_>, account: EntryId, provider: EntryId) -> Result<(), Refusal> {
    authorize(applying, account)?;
    if !remove(applying, account, provider)? {
        return Ok(());
    }
    tell(applying, account, "link".into(), Some(provider), "remove");
    for held in session::of_account(applying.tables, account)? {
        if held.upstream.as_ref().is_some_and(|upstream| upstream.provider == provider) {
            session::end_with_families(applying, &held, Cause::Revoked)?;
        }
    }
    Ok(())
}

/// Takes away the links of an account that goes, and those of a provider that does.
pub(super) fn forget(applying: &mut Applying<'_, '_>, id: EntryId) -> Result<(), Refusal> {
    let mut providers = Vec::new();
    for item in applying.tables.link_owners.range(membership::all_of(id))? {
        providers.push(EntryId(item?.0.value().1));
    }
    for provider in providers {
        remove(applying, id, provider)?;
    }
    let mut accounts = Vec::new();
    let (from, to) = (id.0.to_be_bytes(), id.0.saturating_add(1).to_be_bytes());
    for item in applying.tables.links.range::<&[u8]>(from.as_slice()..to.as_slice())? {
        accounts.push(codec::decode::<Link>(item?.1.value())?.account);
    }
    for account in accounts {
        remove(applying, account, id)?;
    }
    Ok(())
}

fn remove(applying: &mut Applying<'_, '_>, account: EntryId, provider: EntryId) -> Result<bool, Refusal> {
    let Some(key) = applying.tables.link_owners.get((account.0, provider.0))?.map(|g| g.value().to_vec()) else {
        return Ok(false);
    };
    applying.dirty = true;
    applying.tables.link_owners.remove((account.0, provider.0))?;
    applying.tables.links.remove(key.as_slice())?;
    Ok(true)
}

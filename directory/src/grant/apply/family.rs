//! Refresh families in the write path: the one place that knows which token is the present one.

use super::{authorize, ended_meanwhile, is_current, missing, only_the_system, session, tell, tell_ended};
use crate::change::apply::Applying;
use crate::error::{Reason, Refusal};
use crate::grant::ended::{Cause, What};
use crate::grant::family::Family;
use crate::grant::{FAMILIES, FamilyId, Why};
use crate::id::EntryId;
use crate::store::view::View;
use crate::store::{codec, membership, rows};
use redb::ReadableTable;

pub(super) fn issue(applying: &mut Applying<'_, '_>, family: &Family) -> Result<(), Refusal> {
    only_the_system(applying)?;
    if !is_current(applying.tables, family.account, family.epoch)? || !has_session(applying, family)? {
        return Err(ended_meanwhile());
    }
    if load(applying.tables, family.id)?.is_some() {
        return Err(Refusal::new(Reason::EntryExists, "the family's id is taken"));
    }
    make_room(applying, family.account)?;
    write(applying, family)?;
    rows::put(applying.tables.family_owners.write()?, (family.account.0, family.id.0), ())?;
    tell(applying, family.account, format!("family {}", family.id), Some(family.client), "issue");
    applying.entry = Some(family.account);
    Ok(())
}

pub(super) fn rotate(
    applying: &mut Applying<'_, '_>,
    id: FamilyId,
    shown: &[u8; 32],
    next: [u8; 32],
) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let wall = applying.set.now.wall;
    let denied = |applying: &mut Applying<'_, '_>, why| {
        applying.grants.denied = Some(why);
        Ok(())
    };
    let Some(mut family) = load(applying.tables, id)? else { return denied(applying, Why::Unknown) };
    if *shown != family.current && !family.is_forgiven(shown, wall) {
        applying.grants.denied = Some(Why::Reused);
        return remove(applying, &family, Cause::Reused);
    }
    if family.is_expired(wall) {
        return denied(applying, Why::Expired);
    }
    if !is_current(applying.tables, family.account, family.epoch)? {
        return denied(applying, Why::Account);
    }
    if !has_session(applying, &family)? {
        return denied(applying, Why::Session);
    }
    family.former = *shown;
    family.current = next;
    family.generation = family.generation.saturating_add(1);
    family.used = family.used.max(wall);
    applying.entry = Some(family.account);
    write(applying, &family)
}

pub(super) fn revoke(applying: &mut Applying<'_, '_>, id: FamilyId, client: Option<EntryId>) -> Result<(), Refusal> {
    let Some(family) = load(applying.tables, id)? else { return Ok(()) };
    match client {
        Some(client) => {
            only_the_system(applying)?;
            if family.client != client {
                return Ok(());
            }
        }
        None => authorize(applying, family.account).map_err(|refusal| match refusal.reason {
            Reason::NotAllowed => missing("family"),
            _ => refusal,
        })?,
    }
    applying.entry = Some(family.account);
    remove(applying, &family, Cause::Revoked)
}

pub(super) fn expire(applying: &mut Applying<'_, '_>, families: &[FamilyId]) -> Result<(), Refusal> {
    for id in families {
        let Some(family) = load(applying.tables, *id)? else { continue };
        let gone = applying.tables.record(family.client)?.is_none();
        if gone || family.is_expired(applying.set.now.wall) || !has_session(applying, &family)? {
            remove(applying, &family, Cause::Expired)?;
        }
    }
    Ok(())
}

/// Takes a family out of its tables.
pub(super) fn remove(applying: &mut Applying<'_, '_>, family: &Family, cause: Cause) -> Result<(), Refusal> {
    applying.dirty = true;
    applying.tables.families.write()?.remove(family.id.0)?;
    rows::take(applying.tables.family_owners.write()?, (family.account.0, family.id.0))?;
    let what = What::Family { id: family.id, client: family.client, session: family.session };
    tell_ended(applying, family.account, what, cause)
}

/// The families of an account, the oldest first.
pub(super) fn of_account(view: &impl View, account: EntryId) -> Result<Vec<Family>, Refusal> {
    let mut out = Vec::new();
    for item in view.family_owners()?.range(membership::all_of(account))? {
        out.extend(load(view, FamilyId(item?.0.value().1))?);
    }
    Ok(out)
}

/// The family of this id.
pub(super) fn load(view: &impl View, id: FamilyId) -> Result<Option<Family>, Refusal> {
    let guard = view.families()?.get(id.0)?;
    guard.map(|g| codec::decode(g.value())).transpose()
}

fn has_session(applying: &Applying<'_, '_>, family: &Family) -> Result<bool, Refusal> {
    let Some(id) = family.bound_to() else { return Ok(true) };
    Ok(session::load(applying.tables, id)?.is_some_and(|session| session.account == family.account))
}

/// Ends those families that were used longest ago when there is no room for another, the expired ones first: a tenth at
/// once, so that somebody who is at the bound does not have them all looked at with each one more.
fn make_room(applying: &mut Applying<'_, '_>, account: EntryId) -> Result<(), Refusal> {
    let held = || Ok(applying.tables.family_owners.read()?.range(membership::all_of(account))?.count());
    if applying.crowds.enter(account, FAMILIES, held)? {
        return Ok(());
    }
    let wall = applying.set.now.wall;
    let mut families = of_account(applying.tables, account)?;
    families.sort_by_key(|family| (!family.is_expired(wall), family.used, family.id));
    let surplus = families.len().saturating_sub(FAMILIES).saturating_add(FAMILIES / 10);
    for family in families.iter().take(surplus) {
        let cause = if family.is_expired(wall) { Cause::Expired } else { Cause::Crowded };
        remove(applying, family, cause)?;
    }
    Ok(())
}

fn write(applying: &mut Applying<'_, '_>, family: &Family) -> Result<(), Refusal> {
    applying.dirty = true;
    applying.tables.families.write()?.insert(family.id.0, codec::encode(family)?.as_slice())?;
    Ok(())
}

//! Links in the write path: a key is one account's, an account has one key at a provider, and a mapping takes away only
//! what it gave.

use super::{authorize, missing, only_the_system, session, tell};
use crate::access::Rights;
use crate::change::apply::Applying;
use crate::change::{Subject, account as facts, members, user_type};
use crate::error::{Reason, Refusal};
use crate::grant::ended::Cause;
use crate::grant::link::{Link, NewLink, row};
use crate::id::EntryId;
use crate::schema::known::attribute as known;
use crate::store::tables::meta;
use crate::store::view::View;
use crate::store::{codec, membership};
use redb::ReadableTable;

pub(super) fn link(applying: &mut Applying<'_, '_>, account: &Subject, new: &NewLink) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let (account, draft) = applying.find(account).map_err(|_| missing("account"))?;
    if applying.tables.account(account)?.is_none() {
        return Err(missing("account"));
    }
    if applying.tables.record(new.provider)?.is_none() {
        return Err(missing("provider"));
    }
    // Requirement 1.5, whatever the account was when it was linked.
    if user_type::is_system_administrator(applying.tables, account)? {
        return Err(user_type::refused());
    }
    let taken = |why: &str| Refusal::new(Reason::EntryExists, why);
    let key = row(new.provider, &new.key);
    let stored =
        applying.tables.links.read()?.get(key.as_slice())?.map(|g| codec::decode::<Link>(g.value())).transpose()?;
    if stored.as_ref().is_some_and(|stored| stored.account != account) {
        return Err(taken("it is another account's"));
    }
    let held = applying.tables.link_owners.read()?.get((account.0, new.provider.0))?.map(|g| g.value().to_vec());
    if held.is_some_and(|held| held != key) {
        return Err(taken("the account is linked to somebody else at this provider"));
    }
    if stored.is_none() {
        facts::check_not_built_in(applying, account)?;
        tell(applying, account, "link".into(), Some(new.provider), "make");
        let verified = draft.attributes.iter().filter(|a| a.id == known::ROLLBOOK_MAIL_VERIFIED);
        let verified = verified.flat_map(|a| &a.values).any(|value| value.eq_ignore_ascii_case(b"TRUE"));
        if !verified && may_be_anothers(applying, account)? {
            facts::drop_password(applying, account, &draft.dn)?;
        }
    }
    let had = stored.as_ref().map(|stored| stored.mapped.clone()).unwrap_or_default();
    let mapped = map(applying, account, &had, &new.groups)?;
    let now = applying.set.now.wall;
    let link = Link {
        provider: new.provider,
        key: new.key.clone(),
        account,
        created: stored.map_or(now, |stored| stored.created),
        used: now,
        shown: new.shown.clone(),
        claims: new.claims,
        mapped,
    };
    applying.dirty = true;
    applying.tables.links.write()?.insert(key.as_slice(), codec::encode(&link)?.as_slice())?;
    applying.tables.link_owners.write()?.insert((account.0, new.provider.0), key.as_slice())?;
    applying.entry = Some(account);
    Ok(())
}

/// Whether somebody else could log in to the account, or has: what a link must not leave to them.
fn may_be_anothers(applying: &Applying<'_, '_>, account: EntryId) -> Result<bool, Refusal> {
    let has_password = applying.tables.credential(account)?.is_some_and(|c| c.password.is_some());
    Ok(has_password || !session::of_account(applying.tables, account)?.is_empty())
}

/// Makes the memberships those that are wanted. Returns the mapping's own: who was in a group by somebody else's hand stays
/// there by it.
fn map(
    applying: &mut Applying<'_, '_>,
    account: EntryId,
    had: &[EntryId],
    wanted: &[EntryId],
) -> Result<Vec<EntryId>, Refusal> {
    let member = [Subject::Id(account)];
    for group in had.iter().filter(|group| !wanted.contains(group)) {
        if applying.tables.record(*group)?.is_some() {
            members::apply(applying, &Subject::Id(*group), &[], &member)?;
        }
    }
    let mut own = Vec::new();
    for group in wanted {
        if applying.tables.record(*group)?.is_none() || own.contains(group) {
            continue;
        }
        check_no_system_role(applying, *group)?;
        let is_member = applying.tables.members.get((group.0, account.0))?.is_some();
        if !is_member {
            members::apply(applying, &Subject::Id(*group), &member, &[])?;
        }
        if !is_member || had.contains(group) {
            own.push(*group);
        }
    }
    Ok(own)
}

fn check_no_system_role(applying: &Applying<'_, '_>, group: EntryId) -> Result<(), Refusal> {
    let Some(system) = applying.tables.meta_u64(meta::SYSTEM_ADMIN)?.map(EntryId) else { return Ok(()) };
    let gives = group == system || membership::reaches(applying.tables, group, system)?;
    if gives { Err(user_type::refused()) } else { Ok(()) }
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
    for item in applying.tables.link_owners.read()?.range(membership::all_of(id))? {
        providers.push(EntryId(item?.0.value().1));
    }
    for provider in providers {
        take(applying, id, provider)?;
    }
    let mut accounts = Vec::new();
    let (from, to) = (id.0.to_be_bytes(), id.0.saturating_add(1).to_be_bytes());
    for item in applying.tables.links.read()?.range::<&[u8]>(from.as_slice()..to.as_slice())? {
        accounts.push(codec::decode::<Link>(item?.1.value())?.account);
    }
    for account in accounts {
        remove(applying, account, id)?;
    }
    Ok(())
}

/// Takes a link away, and what its mapping gave, whoever asks: it was the mapping's to give.
fn remove(applying: &mut Applying<'_, '_>, account: EntryId, provider: EntryId) -> Result<bool, Refusal> {
    let Some(link) = take(applying, account, provider)? else { return Ok(false) };
    let own = std::mem::replace(&mut applying.rights, Rights::system());
    let mapped = map(applying, account, &link.mapped, &[]);
    applying.rights = own;
    mapped.map(|_| true)
}

fn take(applying: &mut Applying<'_, '_>, account: EntryId, provider: EntryId) -> Result<Option<Link>, Refusal> {
    let key = applying.tables.link_owners.read()?.get((account.0, provider.0))?.map(|g| g.value().to_vec());
    let Some(key) = key else { return Ok(None) };
    let link = applying.tables.links.read()?.get(key.as_slice())?.map(|g| codec::decode(g.value())).transpose()?;
    applying.dirty = true;
    applying.tables.link_owners.write()?.remove((account.0, provider.0))?;
    applying.tables.links.write()?.remove(key.as_slice())?;
    Ok(link)
}

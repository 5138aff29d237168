//! Account facts and credentials in the write path: written only when they are still what the decision was made from.

use super::administrators::{self, Watched};
use super::apply::Applying;
use super::{Op, PasswordOp, Subject, add, delete, references, user_type};
use crate::context::Actor;
use crate::entry::record::Draft;
use crate::error::{Reason, Refusal};
use crate::grant::apply as grant;
use crate::id::EntryId;
use crate::journal::record::Event;
use crate::lifecycle::{Account, Audience, Counters};
use crate::schema::kind::Kind;
use crate::store::codec::{self, Credential};
use crate::store::membership;
use crate::store::tables::meta;
use crate::store::view::View;
use crate::token::apply as token;
use redb::ReadableTable;

/// Applies an [`Op::Account`].
pub fn apply(applying: &mut Applying<'_, '_>, op: &Op) -> Result<(), Refusal> {
    let Op::Account { subject, expected, next, act, bury, password } = op else { return Ok(()) };
    let (id, draft) = applying.find(subject)?;
    let allowed = applying.with_record(id, |r| applying.rights.may_govern(applying.tables, id, r))?;
    if !allowed {
        return Err(Refusal::not_allowed());
    }
    // Its own logins may lock it for a while, and the operator may lift that; the life cycle refuses the rest as well.
    if !matches!(act.as_ref(), "login" | "unlock") {
        check_not_built_in(applying, id)?;
    }
    // A tenant administrator's account is the system administrators', and so is one's own (requirement 2.12).
    if applying.rights.is_self(id) && !applying.rights.is_system() {
        return Err(Refusal::not_allowed());
    }
    if *bury {
        check_no_administrator(applying, id)?;
    }
    let ends = is_usable(expected) && !is_usable(next) && !matches!(act.as_ref(), "login" | "sweep");
    let watched = if ends { administrators::watch(applying, &[id])? } else { Watched::default() };
    expect_facts(applying, id, expected)?;
    applying.dirty = true;
    write_facts(applying, id, next)?;
    if expected.epoch != next.epoch {
        grant::end_all(applying, id)?;
    }
    if let Some(password) = password {
        set_password(applying, id, &draft.dn, password)?;
    }
    // Requirement 2.6: a lock leaves them be, the end of all logins does not. Who is given back without having been found
    // out before has lost them as well.
    let unfound = is_usable(expected) && expected.enabled_at != next.enabled_at && act.as_ref() != "unlock";
    if !is_usable(next) || unfound {
        token::end_all(applying, id, &draft.dn)?;
    }
    // What somebody does to an account changes its entry, as every door shows it; logins and the sweep do not.
    if !matches!(act.as_ref(), "login" | "sweep") && !*bury {
        let mut after = draft.clone();
        after.header.modified = applying.set.now.wall;
        after.header.modifier = applying.author();
        after.header.version = applying.position;
        references::store(applying.tables, applying.schema, id, &draft, &after)?;
    }
    if *bury {
        // Before the edges go: whoever is buried leaves the roles as well.
        watched.check(applying)?;
        bury_entry(applying, id, &draft, next)?;
    }
    watched.check(applying)?;
    applying.record.events.push(Event::Account { entry: id, dn: draft.dn, act: act.clone().into_owned() });
    applying.entry = Some(id);
    Ok(())
}

/// The entry leaves the tree; its record waits in its grave, its names stay claimed unless the deletion freed them.
fn bury_entry(applying: &mut Applying<'_, '_>, id: EntryId, draft: &Draft, facts: &Account) -> Result<(), Refusal> {
    if !references::is_leaf(applying.tables, id)? {
        return Err(Refusal::new(Reason::HasChildren, "the entry has children"));
    }
    delete::remove(applying, id, draft)?;
    applying.tables.graves.write()?.insert(id.0, draft.encode().as_slice())?;
    if facts.deletion.is_some_and(|d| d.names_free) {
        add::claims_of(draft)?.release(applying.tables, id)?;
    }
    Ok(())
}

/// Stores a new password and the facts that go with it.
///
/// # Errors
/// `NotAllowed`; `Conflict` when credential or facts are no longer what the decision was made from.
pub fn set_password(applying: &mut Applying<'_, '_>, id: EntryId, dn: &str, op: &PasswordOp) -> Result<(), Refusal> {
    let own = matches!(applying.set.actor, crate::context::Actor::Account { id: actor, .. } if actor == id);
    if !(own && op.own) {
        let allowed = applying.with_record(id, |r| applying.rights.may_govern(applying.tables, id, r))?;
        if !allowed {
            return Err(Refusal::not_allowed());
        }
    }
    if applying.tables.credential(id)? != op.expected {
        return Err(Refusal::new(Reason::Conflict, "the password has been changed meanwhile"));
    }
    if let (Some(expected), Some(next)) = (&op.expected_account, &op.next_account) {
        expect_facts(applying, id, expected)?;
        applying.dirty = true;
        write_facts(applying, id, next)?;
        if expected.epoch != next.epoch {
            grant::end_all(applying, id)?;
        }
    }
    applying.dirty = true;
    match &op.next {
        Some(next) => {
            applying.tables.credentials.write().insert(id.0, codec::encode(next)?.as_slice())?;
        }
        None => {
            applying.tables.credentials.write().remove(id.0)?;
        }
    }
    applying.record.events.push(Event::Password { entry: id, dn: dn.to_owned(), own: op.own });
    applying.entry = Some(id);
    Ok(())
}

/// Takes the password away, and ends all logins by it: sessions, refresh tokens, API tokens.
///
/// # Errors
/// `Store`.
pub fn drop_password(applying: &mut Applying<'_, '_>, id: EntryId, dn: &str) -> Result<(), Refusal> {
    let Some(facts) = applying.tables.account(id)? else { return Ok(()) };
    applying.dirty = true;
    applying.tables.credentials.write().remove(id.0)?;
    let epoch = facts.epoch.saturating_add(1);
    write_facts(applying, id, &Account { epoch, force_change: false, password_changed_at: None, ..facts })?;
    grant::end_all(applying, id)?;
    token::end_all(applying, id, dn)?;
    applying.record.events.push(Event::Account { entry: id, dn: dn.to_owned(), act: "drop-password".into() });
    Ok(())
}

fn expect_facts(applying: &Applying<'_, '_>, id: EntryId, expected: &Account) -> Result<(), Refusal> {
    if applying.tables.account(id)?.as_ref() != Some(expected) {
        return Err(Refusal::new(Reason::Conflict, "the account has changed meanwhile"));
    }
    Ok(())
}

/// Writes the facts of an account.
///
/// # Errors
/// `Store`.
pub fn write_facts(applying: &mut Applying<'_, '_>, id: EntryId, facts: &Account) -> Result<(), Refusal> {
    // Whoever is logged in as the account may have lost that.
    applying.calm = false;
    applying.tables.put_account(id, Some(facts))
}

/// An entry that became an account by its classes gets facts; one that ceased to be one loses them and its password.
///
/// # Errors
/// `NotAllowed` when it became what the actor could not have added.
pub fn settle_kind(applying: &mut Applying<'_, '_>, id: EntryId, before: &Draft, after: &Draft) -> Result<(), Refusal> {
    let kind = after.header.kind;
    if before.header.kind != kind && !applying.rights.may_add(&after.key, kind) {
        return Err(Refusal::not_allowed());
    }
    let audience = if after.header.kind == Kind::ApiAccount { Audience::Api } else { Audience::Person };
    match (before.header.kind.is_account(), after.header.kind.is_account()) {
        (false, true) => {
            let user_type = user_type::of(&after.attributes);
            write_facts(applying, id, &Account::new(audience, user_type, &applying.set.now))
        }
        (true, false) => {
            applying.calm = false;
            applying.tables.put_account(id, None)?;
            applying.tables.credentials.write().remove(id.0)?;
            grant::end_all(applying, id)?;
            token::end_all(applying, id, &before.dn)
        }
        _ => Ok(()),
    }
}

/// Nothing holds the account for good: not disabled, not found dormant, not deleted. Sessions live as long as this.
pub fn is_usable(account: &Account) -> bool {
    account.hold.is_none() && account.dormant_at.is_none() && account.deletion.is_none()
}

/// Requirement 1.6: the built-in account is edited through no door.
pub fn check_not_built_in(applying: &Applying<'_, '_>, id: EntryId) -> Result<(), Refusal> {
    if applying.tables.meta_u64(meta::SYSTEM_ACCOUNT)? == Some(id.0) {
        return Err(Refusal::new(Reason::Unwilling, "the system account cannot be changed"));
    }
    Ok(())
}

/// Requirement 1.7: system administrators are not deleted.
pub fn check_no_administrator(applying: &Applying<'_, '_>, id: EntryId) -> Result<(), Refusal> {
    let Some(role) = applying.tables.meta_u64(meta::SYSTEM_ADMIN)? else { return Ok(()) };
    if membership::reaches(applying.tables, id, EntryId(role))? {
        return Err(Refusal::new(Reason::Unwilling, "a system administrator cannot be deleted"));
    }
    Ok(())
}

/// Lays counters over the stored ones; an account that is gone needs none.
pub fn observe(applying: &mut Applying<'_, '_>, id: EntryId, counters: &Counters) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let Some(stored) = applying.tables.account(id)? else { return Ok(()) };
    let next = stored.with_counters(counters);
    if next != stored {
        applying.dirty = true;
        write_facts(applying, id, &next)?;
    }
    Ok(())
}

/// Replaces a stored hash by another one of the same password.
pub fn upgrade(
    applying: &mut Applying<'_, '_>,
    id: EntryId,
    expected: Option<&Credential>,
    next: &Credential,
) -> Result<(), Refusal> {
    only_the_system(applying)?;
    if applying.tables.credential(id)?.as_ref() != expected {
        return Err(Refusal::new(Reason::Conflict, "the password has been changed meanwhile"));
    }
    let dn = applying.with_record(id, |r| Ok(r.dn().to_owned()))?;
    applying.dirty = true;
    applying.tables.credentials.write().insert(id.0, codec::encode(next)?.as_slice())?;
    applying.record.events.push(Event::Account { entry: id, dn, act: "upgrade-hash".into() });
    Ok(())
}

/// The end of a buried account: its facts and its names go for good (requirement 2.7).
pub fn purge(applying: &mut Applying<'_, '_>, id: EntryId) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let Some(buried) =
        applying.tables.graves.read()?.get(id.0)?.map(|g| references::draft_of(g.value())).transpose()?
    else {
        return Ok(());
    };
    applying.dirty = true;
    add::claims_of(&buried)?.release(applying.tables, id)?;
    applying.tables.put_account(id, None)?;
    applying.tables.graves.write()?.remove(id.0)?;
    applying.record.events.push(Event::Account { entry: id, dn: buried.dn, act: "purge".into() });
    Ok(())
}

/// Makes a role one of the deployment's.
pub fn mark_role(applying: &mut Applying<'_, '_>, role: EntryId, reader: bool) -> Result<(), Refusal> {
    only_the_system(applying)?;
    let dn = applying.with_record(role, |r| Ok(r.dn().to_owned()))?;
    applying.dirty = true;
    let name = if reader { meta::READERS } else { meta::SYSTEM_ADMIN };
    let mut ids = if reader { applying.tables.meta_ids(name)? } else { Vec::new() };
    ids.push(role);
    let bytes: Vec<u8> = ids.iter().flat_map(|id| id.0.to_le_bytes()).collect();
    applying.tables.meta.write().insert(name, bytes.as_slice())?;
    applying.record.events.push(Event::Account { entry: role, dn, act: "mark-role".into() });
    Ok(())
}

/// Makes an account the built-in one.
pub fn mark_built_in(applying: &mut Applying<'_, '_>, subject: &Subject) -> Result<(), Refusal> {
    only_the_system(applying)?;
    if applying.tables.meta_u64(meta::SYSTEM_ACCOUNT)?.is_some() {
        return Err(Refusal::new(Reason::Unwilling, "there is a system account already"));
    }
    let (id, draft) = applying.find(subject)?;
    let not_one = || Refusal::new(Reason::Constraint, "the entry is no account");
    let facts = applying.tables.account(id)?.ok_or_else(not_one)?;
    applying.dirty = true;
    write_facts(applying, id, &Account { system: true, ..facts })?;
    applying.tables.meta.write().insert(meta::SYSTEM_ACCOUNT, id.0.to_le_bytes().as_slice())?;
    applying.record.events.push(Event::Account { entry: id, dn: draft.dn, act: "mark-built-in".into() });
    Ok(())
}

fn only_the_system(applying: &Applying<'_, '_>) -> Result<(), Refusal> {
    if applying.set.actor == Actor::System { Ok(()) } else { Err(Refusal::not_allowed()) }
}

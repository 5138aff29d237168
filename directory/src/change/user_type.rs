//! Where an account's password is (requirement 1.5): said by `rollbookUserType` of its entry, kept among its facts.
//!
//! Owns what follows from `sso`: its owner signs in at a provider, so no password is kept here; and no system administrator
//! is of that type, because the last way in has to work when the provider does not. Called by the steps that write
//! entries, and by every new edge.

use super::apply::Applying;
use crate::entry::record::{Attribute, Draft};
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::lifecycle::{Account, UserType};
use crate::schema::kind::Kind;
use crate::schema::known::attribute as known;
use crate::store::membership;
use crate::store::tables::meta;
use crate::store::view::View;
use redb::ReadableTable;
use std::collections::HashSet;

/// The value that says that the password is with a provider.
pub const SSO: &str = "sso";

/// What the attributes of an account say.
pub fn of(attributes: &[Attribute]) -> UserType {
    let mut values = attributes.iter().filter(|a| a.id == known::ROLLBOOK_USER_TYPE).flat_map(|a| &a.values);
    let is_sso = values.any(|value| value.eq_ignore_ascii_case(SSO.as_bytes()));
    if is_sso { UserType::Sso } else { UserType::Native }
}

/// Checks an account that is to be of this type; it is nobody's member yet when it is new.
///
/// # Errors
/// `Constraint`, `Unwilling`.
pub fn check(applying: &Applying<'_, '_>, id: EntryId, draft: &Draft, has_password: bool) -> Result<(), Refusal> {
    if of(&draft.attributes) != UserType::Sso {
        return Ok(());
    }
    if has_password {
        return Err(Refusal::new(
            Reason::Constraint,
            "the password of an account of the type sso is with its provider",
        ));
    }
    if draft.header.kind == Kind::ApiAccount {
        return Err(Refusal::new(Reason::Constraint, "an application's account is not of the type sso"));
    }
    if id != EntryId::NONE && is_system_administrator(applying.tables, id)? { Err(refused()) } else { Ok(()) }
}

/// The facts follow the entry; who comes to sign in elsewhere has no password here any more, and all logins by it end.
///
/// # Errors
/// As [`check`].
pub fn settle(applying: &mut Applying<'_, '_>, id: EntryId, after: &Draft, sets_password: bool) -> Result<(), Refusal> {
    let Some(facts) = applying.tables.account(id)? else { return Ok(()) };
    let user_type = of(&after.attributes);
    check(applying, id, after, sets_password)?;
    if facts.user_type == user_type {
        return Ok(());
    }
    applying.dirty = true;
    super::account::write_facts(applying, id, &Account { user_type, ..facts })?;
    if user_type == UserType::Sso { super::account::drop_password(applying, id, &after.dn) } else { Ok(()) }
}

/// Refuses a new member that would make somebody of the type a system administrator.
///
/// # Errors
/// `Unwilling`.
pub fn check_new_member(applying: &Applying<'_, '_>, group: EntryId, member: EntryId) -> Result<(), Refusal> {
    let Some(system) = applying.tables.meta_u64(meta::SYSTEM_ADMIN)?.map(EntryId) else { return Ok(()) };
    if group != system && !membership::reaches(applying.tables, group, system)? {
        return Ok(());
    }
    let mut open = vec![member];
    let mut seen = HashSet::new();
    while let Some(id) = open.pop() {
        match applying.tables.account(id)? {
            Some(account) if account.user_type == UserType::Sso => return Err(refused()),
            Some(_) => {}
            None if seen.len() < membership::CLOSURE && seen.insert(id) => {
                for item in applying.tables.members.range(membership::all_of(id))? {
                    open.push(EntryId(item?.0.value().1));
                }
            }
            None => {}
        }
    }
    Ok(())
}

/// Whether the account administers the deployment, directly or through groups.
///
/// # Errors
/// `Store`, `Limit`.
pub fn is_system_administrator(view: &impl View, id: EntryId) -> Result<bool, Refusal> {
    match view.meta_u64(meta::SYSTEM_ADMIN)? {
        Some(role) => membership::reaches(view, id, EntryId(role)),
        None => Ok(false),
    }
}

/// Requirement 1.5.
pub fn refused() -> Refusal {
    Refusal::new(Reason::Unwilling, "system administrators do not sign in through a provider")
}

//! Administrators stay (requirement 1.7): nobody gives up the own administrator's right, and neither the deployment nor
//! a tenant loses its last active administrator.
//!
//! A step that may take rights away calls [`watch`] before its first write and [`Watched::check`] after its last one;
//! what holds is read from the tables both times, through groups in groups. Called by the steps that change members,
//! delete, rename and change accounts. What time does to an account (dormancy) is nobody's act and is not stopped.

use super::account::is_usable;
use super::apply::Applying;
use crate::access::is_administrators;
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::store::membership;
use crate::store::tables::meta;
use crate::store::view::View;
use redb::ReadableTable;
use std::collections::HashSet;

/// The roles that a step may take something from, as they were before it.
#[derive(Debug, Default)]
pub struct Watched(Vec<Role>);

#[derive(Debug)]
struct Role {
    id: EntryId,
    /// The author of the step holds it.
    own: bool,
    /// Somebody who may log in holds it.
    manned: bool,
}

/// Looks at the administrators' roles that these entries are, or belong to.
pub fn watch(applying: &Applying<'_, '_>, entries: &[EntryId]) -> Result<Watched, Refusal> {
    let mut seen = HashSet::new();
    let mut roles = Vec::new();
    for entry in entries {
        for id in [vec![*entry], membership::closure(applying.tables, *entry)?].concat() {
            if seen.insert(id) && is_administrators(applying.tables, id)? {
                roles.push(Role { id, own: holds(applying, id)?, manned: is_manned(applying, id)? });
            }
        }
    }
    Ok(Watched(roles))
}

impl Watched {
    /// Refuses when the step has taken away what has to stay. A tenant's role may go as a whole, with the tenant.
    ///
    /// # Errors
    /// `Unwilling`.
    pub fn check(&self, applying: &Applying<'_, '_>) -> Result<(), Refusal> {
        for role in &self.0 {
            let is_there = applying.tables.record(role.id)?.is_some();
            let is_one = is_administrators(applying.tables, role.id)?;
            if role.own && !(is_one && holds(applying, role.id)?) {
                return Err(Refusal::new(
                    Reason::Unwilling,
                    "nobody can take the administrator's right from themselves",
                ));
            }
            if role.manned && is_there && !(is_one && is_manned(applying, role.id)?) {
                let system = applying.tables.meta_u64(meta::SYSTEM_ADMIN)? == Some(role.id.0);
                let of = if system { "system administrator" } else { "administrator of the tenant" };
                return Err(Refusal::new(Reason::Unwilling, format!("one active {of} has to remain")));
            }
        }
        Ok(())
    }
}

/// Whether the author of the step holds a role.
fn holds(applying: &Applying<'_, '_>, role: EntryId) -> Result<bool, Refusal> {
    let author = applying.author();
    Ok(author != EntryId::NONE && membership::reaches(applying.tables, author, role)?)
}

/// Whether somebody who may log in is a member of a role, directly or through groups.
fn is_manned(applying: &Applying<'_, '_>, role: EntryId) -> Result<bool, Refusal> {
    let mut open = vec![role];
    let mut seen = HashSet::new();
    while let Some(group) = open.pop() {
        for item in applying.tables.members.range(membership::all_of(group))? {
            let member = EntryId(item?.0.value().1);
            match applying.tables.account(member)? {
                Some(account) if is_usable(&account) && !account.system => return Ok(true),
                Some(_) => {}
                None if seen.len() < membership::CLOSURE && seen.insert(member) => open.push(member),
                None => {}
            }
        }
    }
    Ok(false)
}

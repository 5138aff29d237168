//! Members that come and go, whoever of them is there already (RFC 7644 §3.5.2.1 and §3.5.2.2 as providers use them).
//!
//! The rules are those of writing `member` (`modify`, `edges`); what differs is that a repeated wish is none, and that
//! a step without any effect changes no version and leaves no record. Costs a few keys per member, whatever the group
//! holds.

use super::administrators::{self, Watched};
use super::apply::Applying;
use super::edges::{self, Edge};
use super::{Subject, account, modify, references};
use crate::access::Sight;
use crate::entry::record::{Attribute, Draft};
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::journal::record::Event;
use crate::store::membership;
use crate::store::view::View;
use redb::ReadableTable;
use std::collections::HashSet;

/// Applies the step.
pub fn apply(
    applying: &mut Applying<'_, '_>,
    subject: &Subject,
    add: &[Subject],
    remove: &[Subject],
) -> Result<(), Refusal> {
    let (id, before) = applying.find(subject)?;
    applying.entry = Some(id);
    authorize(applying, id)?;
    account::check_not_built_in(applying, id)?;
    let changed = plan(applying, id, &before, add, remove)?;
    if changed.is_empty() {
        return Ok(());
    }
    let takes = changed.iter().any(|e| !e.add);
    let watched = if takes { administrators::watch(applying, &[id])? } else { Watched::default() };
    let mut after = before.clone();
    after.header.modified = applying.set.now.wall;
    after.header.modifier = applying.author();
    after.header.version = applying.position;
    applying.dirty = true;
    references::store(applying.tables, applying.schema, id, &before, &after)?;
    let mut values = Vec::with_capacity(changed.len());
    edges::write(applying, id, &changed, &mut values)?;
    watched.check(applying)?;
    applying.record.events.push(Event::Modified { entry: id, dn: after.dn, values });
    Ok(())
}

fn authorize(applying: &Applying<'_, '_>, id: EntryId) -> Result<(), Refusal> {
    let Some(member) = applying.schema.find_attribute(b"member") else { return Err(Refusal::not_allowed()) };
    let allowed = applying.with_record(id, |r| applying.rights.may_write(applying.tables, id, r, member))?;
    if allowed { Ok(()) } else { Err(Refusal::not_allowed()) }
}

/// The edges that do change, removals first.
fn plan(
    applying: &Applying<'_, '_>,
    group: EntryId,
    before: &Draft,
    add: &[Subject],
    remove: &[Subject],
) -> Result<Vec<Edge>, Refusal> {
    let mut changed = Vec::new();
    let mut gone = HashSet::new();
    for subject in remove {
        // Who is not there cannot be a member, and who may not be seen is not there.
        let Some(member) = seen(applying, subject)? else { continue };
        let held = held(applying, group, member)?;
        if held == 0 || !gone.insert(member) {
            continue;
        }
        for kind in [membership::MEMBER, membership::UNIQUE_MEMBER] {
            if held & kind != 0 {
                changed.push(Edge { member, kind, add: false });
            }
        }
    }
    let mut come = HashSet::new();
    let mut kind = None;
    for subject in add {
        let member = seen(applying, subject)?
            .ok_or_else(|| Refusal::new(Reason::Constraint, "an entry that is to become a member does not exist"))?;
        let stays = held(applying, group, member)? != 0 && !gone.contains(&member);
        if stays || !come.insert(member) {
            continue;
        }
        let kind = match kind {
            Some(kind) => kind,
            None => *kind.insert(kind_of(applying, group, before)?),
        };
        changed.push(Edge { member, kind, add: true });
    }
    Ok(changed)
}

fn held(applying: &Applying<'_, '_>, group: EntryId, member: EntryId) -> Result<u8, Refusal> {
    Ok(applying.tables.members.get((group.0, member.0))?.map_or(0, |g| g.value()))
}

/// The entry of a subject, unless the actor may not know of it.
fn seen(applying: &Applying<'_, '_>, subject: &Subject) -> Result<Option<EntryId>, Refusal> {
    let id = match subject {
        Subject::Id(id) => applying.tables.record(*id)?.is_some().then_some(*id),
        Subject::Key(key) => applying.tables.id_of(key)?,
    };
    let Some(id) = id else { return Ok(None) };
    let seen = applying.with_record(id, |r| Ok(applying.rights.sight(id, r) != Sight::None))?;
    Ok(seen.then_some(id))
}

/// Which of its two attributes of members the group's classes allow.
fn kind_of(applying: &Applying<'_, '_>, id: EntryId, group: &Draft) -> Result<u8, Refusal> {
    let password = applying.tables.credential(id)?.is_some_and(|c| c.password.is_some());
    let mut refused = None;
    for (kind, name) in [(membership::MEMBER, b"member".as_slice()), (membership::UNIQUE_MEMBER, b"uniqueMember")] {
        let Some(attribute) = applying.schema.find_attribute(name) else { continue };
        let mut seen = group.attributes.clone();
        seen.push(Attribute { id: attribute.id, options: Vec::new(), values: Vec::new() });
        match modify::classes_of(applying.schema, &seen, password) {
            Ok(_) => return Ok(kind),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    Err(refused.unwrap_or_else(|| Refusal::new(Reason::ClassViolation, "the entry holds no members")))
}

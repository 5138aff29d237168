//! The end of an entry (RFC 4511 §4.8), of a subtree, or of an account that is only hidden until its purge.

use super::apply::Applying;
use super::project::Rows;
use super::{Subject, account, add, administrators, references, rename};
use crate::entry::record::Draft;
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::journal::record::Event;
use crate::store::membership;
use crate::store::tables::meta;
use crate::store::view::View;

/// Applies the step.
pub fn apply(applying: &mut Applying<'_, '_>, subject: &Subject, subtree: bool) -> Result<(), Refusal> {
    let (id, draft) = applying.find(subject)?;
    let below = rename::descendants(applying, &draft)?;
    if !subtree && !below.is_empty() {
        return Err(Refusal::new(Reason::HasChildren, "the entry has children"));
    }
    // Children before parents, so that no step leaves an orphan.
    let mut doomed: Vec<(EntryId, Draft)> = Vec::with_capacity(below.len().saturating_add(1));
    for child in below.into_iter().rev() {
        doomed.extend(references::load(applying.tables, child)?.map(|d| (child, d)));
    }
    doomed.push((id, draft));
    for (id, draft) in &doomed {
        check(applying, *id, draft)?;
    }
    let ids: Vec<EntryId> = doomed.iter().map(|(id, _)| *id).collect();
    let watched = administrators::watch(applying, &ids)?;
    for (id, draft) in doomed {
        remove(applying, id, &draft)?;
        add::claims_of(&draft)?.release(applying.tables, id)?;
        applying.tables.put_account(id, None)?;
        applying.record.events.push(Event::Deleted { entry: id, dn: draft.dn });
        applying.entry = Some(id);
    }
    watched.check(applying)
}

fn check(applying: &Applying<'_, '_>, id: EntryId, draft: &Draft) -> Result<(), Refusal> {
    let allowed = applying.with_record(id, |r| applying.rights.may_govern(applying.tables, id, r))?;
    if !allowed {
        return Err(Refusal::not_allowed());
    }
    let fixed = [meta::SYSTEM_ADMIN, meta::SYSTEM_ACCOUNT];
    for name in fixed {
        if applying.tables.meta_u64(name)? == Some(id.0) {
            return Err(Refusal::new(Reason::Unwilling, "this entry is part of the system"));
        }
    }
    if draft.header.parent == EntryId::NONE && applying.tables.meta_u64(meta::SYSTEM_ADMIN)?.is_some() {
        return Err(Refusal::new(Reason::Unwilling, "a naming context cannot be deleted"));
    }
    if draft.header.kind.is_account() {
        if applying.rights.is_self(id) && !applying.rights.is_system() {
            return Err(Refusal::not_allowed());
        }
        account::check_no_administrator(applying, id)?;
    }
    Ok(())
}

/// Takes an entry out of every table but `claims` and `accounts`.
pub fn remove(applying: &mut Applying<'_, '_>, id: EntryId, draft: &Draft) -> Result<(), Refusal> {
    applying.dirty = true;
    crate::token::apply::end_all(applying, id, &draft.dn)?;
    crate::grant::apply::forget(applying, id)?;
    let (now, position, schema) = (applying.set.now.wall, applying.position, applying.schema);
    let tables = &mut *applying.tables;
    Rows::of(schema, id, draft).remove(tables, id)?;
    membership::remove_all(tables, id)?;
    let parent = draft.header.parent;
    tables.put_entry(id, None)?;
    tables.put_name(draft.key.clone(), None)?;
    tables.put_child(parent, id, false)?;
    let left = tables.child_count(parent)?.saturating_sub(1);
    tables.unwritten.set_count(parent, left);
    tables.unwritten.set_count(id, 0);
    tables.credentials.write().remove(id.0)?;
    references::follow(tables, schema, &draft.key, None, now, position)
}

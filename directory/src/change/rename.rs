//! A new RDN, a new parent, or both, for an entry and all below it (RFC 4511 §4.9).

use super::apply::Applying;
use super::{Op, account, administrators, modify, references};
use crate::access::Sight;
use crate::entry::dn::Dn;
use crate::entry::record::{Attribute, Draft};
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::journal::record::Event;
use crate::schema::attribute::{AttributeId, Storage};
use crate::store::view::View;

/// The most entries that move with one rename.
pub const SUBTREE: usize = 100_000;

/// Applies the step.
pub fn apply(applying: &mut Applying<'_, '_>, op: &Op) -> Result<(), Refusal> {
    let Op::Rename { subject, rdn, rdn_key, rdn_values, delete_old, superior } = op else { return Ok(()) };
    let (id, before) = applying.find(subject)?;
    applying.with_record(id, |record| {
        if applying.rights.may_govern(applying.tables, id, record)? { Ok(()) } else { Err(Refusal::not_allowed()) }
    })?;
    account::check_not_built_in(applying, id)?;
    if before.header.parent == EntryId::NONE {
        return Err(Refusal::new(Reason::Unwilling, "the top of a naming context cannot be renamed"));
    }
    let (parent, parent_dn, parent_key) = new_parent(applying, &before, superior.as_deref())?;
    let key = [parent_key.as_slice(), rdn_key].concat();
    if key != before.key && applying.tables.id_of(&key)?.is_some() {
        return Err(Refusal::new(Reason::EntryExists, ""));
    }
    if !applying.rights.may_add(&key, before.header.kind) {
        return Err(Refusal::not_allowed());
    }
    let mut after = before.clone();
    after.dn = format!("{rdn},{parent_dn}");
    after.key = key;
    after.header.parent = parent;
    change_rdn_values(applying, &before, &mut after, rdn_values, *delete_old)?;
    let (classes, _) =
        modify::classes_of(applying.schema, &after.attributes, applying.tables.credential(id)?.is_some())?;
    after.classes = classes;
    modify::check_values(applying.schema, &after.attributes)?;
    after.header.modified = applying.set.now.wall;
    after.header.modifier = applying.author();
    after.header.version = applying.position;
    let below = descendants(applying, &before)?;
    let watched = administrators::watch(applying, &[id])?;
    modify::settle_claims(applying, id, &before, &after)?;

    applying.dirty = true;
    move_parent(applying, id, &before, parent)?;
    write(applying, id, &before, &after)?;
    for child in &below {
        let Some(old) = references::load(applying.tables, *child)? else { continue };
        let mut new = old.clone();
        let Some(rest) = old.key.get(before.key.len()..) else { continue };
        let Some(own) = old.dn.strip_suffix(before.dn.as_str()) else { continue };
        new.key = [after.key.as_slice(), rest].concat();
        new.dn = format!("{own}{}", after.dn);
        write(applying, *child, &old, &new)?;
    }
    watched.check(applying)?;
    let below = below.len() as u64;
    applying.record.events.push(Event::Renamed { entry: id, from: before.dn, to: after.dn, below });
    applying.entry = Some(id);
    Ok(())
}

fn new_parent(
    applying: &Applying<'_, '_>,
    before: &Draft,
    superior: Option<&[u8]>,
) -> Result<(EntryId, String, Vec<u8>), Refusal> {
    let id = match superior {
        None => before.header.parent,
        Some(key) => {
            if key.starts_with(&before.key) {
                return Err(Refusal::new(Reason::Unwilling, "an entry cannot move below itself"));
            }
            let id = applying.tables.id_of(key)?;
            let seen = |id| {
                applying.with_record(id, |r| {
                    let below = applying.rights.reads_below(r.key());
                    Ok(below || applying.rights.sight(id, r) != Sight::None)
                })
            };
            match id {
                Some(id) if seen(id)? => id,
                _ => return Err(super::apply::no_such_entry(applying.tables, &applying.rights, key)?),
            }
        }
    };
    applying.with_record(id, |r| {
        if super::add::is_alias(r) {
            Err(super::add::below_alias(r.dn().to_owned()))
        } else {
            Ok((id, r.dn().to_owned(), r.key().to_vec()))
        }
    })
}

fn change_rdn_values(
    applying: &Applying<'_, '_>,
    before: &Draft,
    after: &mut Draft,
    new: &[(AttributeId, Vec<u8>)],
    delete_old: bool,
) -> Result<(), Refusal> {
    let schema = applying.schema;
    if delete_old {
        let old = Dn::parse(before.dn.as_bytes()).ok().and_then(|dn| dn.rdns.into_iter().next());
        for ava in old.iter().flat_map(|r| &r.avas) {
            let Some(kind) = schema.find_attribute(ava.attribute.as_bytes()) else { continue };
            for attribute in after.attributes.iter_mut().filter(|a| a.id == kind.id && a.options.is_empty()) {
                if let Some(at) = modify::position_of(schema, kind, &attribute.values, &ava.value) {
                    attribute.values.remove(at);
                }
            }
        }
    }
    for (id, value) in new {
        let kind = schema.attribute(*id);
        if kind.storage != Storage::Entry || kind.no_user_modification {
            return Err(Refusal::new(Reason::NamingViolation, format!("{} cannot name an entry", kind.name())));
        }
        match after.attributes.iter_mut().find(|a| a.id == *id && a.options.is_empty()) {
            Some(attribute) if modify::position_of(schema, kind, &attribute.values, value).is_some() => {}
            Some(attribute) => attribute.values.push(value.clone()),
            None => after.attributes.push(Attribute { id: *id, options: Vec::new(), values: vec![value.clone()] }),
        }
    }
    after.attributes.retain(|a| !a.values.is_empty());
    Ok(())
}

/// The entries below, parents before children.
pub fn descendants(applying: &mut Applying<'_, '_>, top: &Draft) -> Result<Vec<EntryId>, Refusal> {
    // The top itself, and one that is too many.
    let names = applying.tables.names_below(&top.key, SUBTREE.saturating_add(2))?;
    let ids: Vec<EntryId> = names.into_iter().filter(|(key, _)| *key != top.key).map(|(_, id)| EntryId(id)).collect();
    if ids.len() > SUBTREE {
        let limit = Reason::Limit(crate::error::Limit::Administrative);
        return Err(Refusal::new(limit, format!("more than {SUBTREE} entries lie below")));
    }
    Ok(ids)
}

fn move_parent(applying: &mut Applying<'_, '_>, id: EntryId, before: &Draft, parent: EntryId) -> Result<(), Refusal> {
    let old = before.header.parent;
    if old == parent {
        return Ok(());
    }
    let tables = &mut *applying.tables;
    tables.put_child(old, id, false)?;
    tables.put_child(parent, id, true)?;
    let (less, more) = (tables.child_count(old)?.saturating_sub(1), tables.child_count(parent)?.saturating_add(1));
    tables.unwritten.set_count(old, less);
    tables.unwritten.set_count(parent, more);
    Ok(())
}

fn write(applying: &mut Applying<'_, '_>, id: EntryId, before: &Draft, after: &Draft) -> Result<(), Refusal> {
    let schema = applying.schema;
    applying.tables.put_name(before.key.clone(), None)?;
    applying.tables.put_name(after.key.clone(), Some(id))?;
    references::store(applying.tables, schema, id, before, after)?;
    let (now, position) = (applying.set.now.wall, applying.position);
    references::follow(applying.tables, schema, &before.key, Some(&after.dn), now, position)
}

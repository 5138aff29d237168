//! New values for an entry (RFC 4511 §4.6, RFC 4525), and the rules that values obey in any write.

use super::add::{CLAIMED, claims_of};
use super::administrators::{self, Watched};
use super::apply::Applying;
use super::edges::{self, Edges, edge_kind};
use super::references;
use super::{ModificationKind, PasswordOp, Subject, ValueOp, account, user_type};
use crate::entry::dn::Dn;
use crate::entry::record::{Attribute, Draft};
use crate::error::{Reason, Refusal};
use crate::id::{EntryId, Position};
use crate::journal::record::{Event, ValueChange};
use crate::schema::attribute::{AttributeId, AttributeType};
use crate::schema::kind::{ClassId, Kind};
use crate::schema::{Schema, known};
use crate::store::membership;
use crate::store::view::View;
use std::collections::HashSet;

/// The most values that one attribute of an entry may hold. Members are edges and have no bound.
pub const VALUES: usize = 10_000;

/// Applies the step.
pub fn apply(
    applying: &mut Applying<'_, '_>,
    subject: &Subject,
    expected: Option<Position>,
    modifications: &[ValueOp],
    password: Option<&PasswordOp>,
) -> Result<(), Refusal> {
    let (id, before) = applying.find(subject)?;
    authorize(applying, id, modifications)?;
    account::check_not_built_in(applying, id)?;
    if expected.is_some_and(|version| version != before.header.version) {
        return Err(Refusal::new(Reason::Conflict, "the entry has changed since it was read"));
    }
    let mut after = before.clone();
    let mut edges = Edges::default();
    for modification in modifications {
        if let Some(kind) = edge_kind(applying.schema, modification.attribute) {
            edges.plan(applying, id, kind, modification)?;
        } else {
            change_values(applying.schema, &mut after, modification)?;
        }
    }
    // What is not modified obeys the rules already.
    let touched = |a: &&Attribute| modifications.iter().any(|m| m.attribute == a.id);
    check_values(applying.schema, after.attributes.iter().filter(touched))?;
    if password.is_none() && keeps_shape(&before, &after, modifications, &edges) {
        // Only the name may have lost its value.
        check_rdn(applying.schema, &after)?;
    } else {
        let has_password = match password {
            Some(password) => password.next.as_ref().is_some_and(|c| c.password.is_some()),
            None => applying.tables.credential(id)?.is_some_and(|c| c.password.is_some()),
        };
        settle_classes(applying, id, &before, &mut after, modifications, &edges, has_password)?;
    }
    let takes = edges.all.iter().any(|e| !e.add);
    let watched = if takes { administrators::watch(applying, &[id])? } else { Watched::default() };
    after.header.modified = applying.set.now.wall;
    after.header.modifier = applying.author();
    after.header.version = applying.position;
    settle_claims(applying, id, &before, &after)?;

    let are_people = [&before, &after].iter().all(|draft| draft.header.kind == Kind::Person);
    applying.calm &= are_people && password.is_none() && edges.all.is_empty();
    applying.dirty = true;
    references::store(applying.tables, applying.schema, id, &before, &after)?;
    account::settle_kind(applying, id, &before, &after)?;
    let mut values = difference(applying.schema, &before, &after);
    edges::write(applying, id, &edges.all, &mut values)?;
    watched.check(applying)?;
    if let Some(password) = password {
        account::set_password(applying, id, &after.dn, password)?;
    }
    let retyped = modifications.iter().any(|m| m.attribute == known::attribute::ROLLBOOK_USER_TYPE);
    if retyped || before.header.kind != after.header.kind {
        let sets_password = password.is_some_and(|password| password.next.is_some());
        user_type::settle(applying, id, &after, sets_password)?;
    }
    applying.record.events.push(Event::Modified { entry: id, dn: after.dn, values });
    applying.entry = Some(id);
    Ok(())
}

fn authorize(applying: &Applying<'_, '_>, id: EntryId, modifications: &[ValueOp]) -> Result<(), Refusal> {
    applying.with_record(id, |record| {
        for modification in modifications {
            let attribute = applying.schema.attribute(modification.attribute);
            if !applying.rights.may_write(applying.tables, id, record, attribute)? {
                return Err(Refusal::not_allowed());
            }
        }
        Ok(())
    })
}

fn change_values(schema: &Schema, draft: &mut Draft, op: &ValueOp) -> Result<(), Refusal> {
    let kind = schema.attribute(op.attribute);
    let name = kind.name();
    let index = draft.attributes.iter().position(|a| a.id == op.attribute && a.options == op.options);
    let mut values =
        index.and_then(|i| draft.attributes.get_mut(i)).map(|a| std::mem::take(&mut a.values)).unwrap_or_default();
    match op.kind {
        ModificationKind::Add => add_values(schema, kind, &mut values, &op.values)?,
        ModificationKind::Delete if op.values.is_empty() => {
            if values.is_empty() {
                return Err(Refusal::new(Reason::NoSuchValue, format!("{name}: there is no such attribute")));
            }
            values.clear();
        }
        ModificationKind::Delete => {
            for value in &op.values {
                let Some(at) = position_of(schema, kind, &values, value) else {
                    return Err(Refusal::new(Reason::NoSuchValue, format!("{name}: there is no such value")));
                };
                values.remove(at);
            }
        }
        ModificationKind::Replace => {
            values.clear();
            add_values(schema, kind, &mut values, &op.values)?;
        }
        ModificationKind::Increment => increment(schema, kind, &mut values, &op.values)?,
    }
    match index.and_then(|i| draft.attributes.get_mut(i)) {
        Some(attribute) => attribute.values = values,
        None => draft.attributes.push(Attribute { id: op.attribute, options: op.options.clone(), values }),
    }
    draft.attributes.retain(|a| !a.values.is_empty());
    Ok(())
}

fn add_values(
    schema: &Schema,
    kind: &AttributeType,
    values: &mut Vec<Vec<u8>>,
    new: &[Vec<u8>],
) -> Result<(), Refusal> {
    let mut held: HashSet<Vec<u8>> = values.iter().map(|v| normal(schema, kind, v)).collect();
    for value in new {
        if !held.insert(normal(schema, kind, value)) {
            return Err(Refusal::new(Reason::ValueExists, format!("{}: the value is there already", kind.name())));
        }
        values.push(value.clone());
    }
    if values.len() > VALUES {
        return Err(Refusal::new(
            Reason::Limit(crate::error::Limit::Administrative),
            format!("{}: more than {VALUES} values", kind.name()),
        ));
    }
    Ok(())
}

/// RFC 4525: every value grows by the one number given.
fn increment(schema: &Schema, kind: &AttributeType, values: &mut [Vec<u8>], by: &[Vec<u8>]) -> Result<(), Refusal> {
    let number = |v: &[u8]| std::str::from_utf8(v).ok().and_then(|t| t.parse::<i64>().ok());
    let name = kind.name();
    let bad = |why: &str| Refusal::new(Reason::Constraint, format!("{name}: {why}"));
    if kind.syntax != crate::schema::syntax::Syntax::Integer {
        return Err(bad("only integers can be incremented"));
    }
    let [by] = by else { return Err(bad("an increment takes exactly one value")) };
    let by = number(by).ok_or_else(|| bad("the increment is not a number of 64 bits"))?;
    if values.is_empty() {
        return Err(Refusal::new(Reason::NoSuchValue, format!("{name}: there is no such attribute")));
    }
    for value in values {
        let sum =
            number(value).and_then(|v| v.checked_add(by)).ok_or_else(|| bad("the sum does not fit into 64 bits"))?;
        *value = sum.to_string().into_bytes();
    }
    let _ = schema;
    Ok(())
}

/// The comparison key of a value; the value itself where the type has no equality rule.
pub fn normal(schema: &Schema, kind: &AttributeType, value: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(value.len());
    match kind.equality.map(|rule| schema.normalize(rule, value, &mut key)) {
        Some(Ok(())) => key,
        _ => value.to_vec(),
    }
}

/// Where a value stands among others.
pub fn position_of(schema: &Schema, kind: &AttributeType, values: &[Vec<u8>], value: &[u8]) -> Option<usize> {
    let wanted = normal(schema, kind, value);
    values.iter().position(|v| v == value || normal(schema, kind, v) == wanted)
}

/// The classes that the values of `objectClass` name, with their superclasses, sorted, and the structural one.
///
/// `password`: the entry has one, though it is not among the attributes.
pub fn classes_of(
    schema: &Schema,
    attributes: &[Attribute],
    password: bool,
) -> Result<(Vec<ClassId>, ClassId), Refusal> {
    let classes = named_classes(schema, attributes)?;
    let mut present: Vec<AttributeId> = attributes.iter().map(|a| a.id).collect();
    if password {
        present.push(known::attribute::USER_PASSWORD);
    }
    let structural = schema
        .check_entry(&classes, &present)
        .map_err(|violation| Refusal::new(Reason::ClassViolation, violation.describe(schema)))?;
    let mut all: Vec<ClassId> = classes.iter().flat_map(|c| schema.superclasses(*c)).copied().collect();
    all.sort_unstable();
    all.dedup();
    Ok((all, structural))
}

/// The classes that the values of `objectClass` name.
fn named_classes(schema: &Schema, attributes: &[Attribute]) -> Result<Vec<ClassId>, Refusal> {
    let values = attributes.iter().filter(|a| crate::access::is_object_class(schema, a.id)).flat_map(|a| &a.values);
    classes_by_name(schema, values)
}

/// The classes of these names or numbers.
///
/// # Errors
/// `InvalidValue` for one that is not known, with its name.
pub fn classes_by_name<'a>(
    schema: &Schema,
    values: impl IntoIterator<Item = &'a Vec<u8>>,
) -> Result<Vec<ClassId>, Refusal> {
    let class = |value: &Vec<u8>| {
        schema.find_class(value).map(|class| class.id).ok_or_else(|| {
            let name = String::from_utf8_lossy(value).into_owned();
            Refusal::new(Reason::InvalidValue, format!("objectClass: {name} is not known"))
        })
    };
    values.into_iter().map(class).collect()
}

/// Whether an entry has the types that it had and no new kind of edge: its classes allow it as they did.
fn keeps_shape(before: &Draft, after: &Draft, modifications: &[ValueOp], edges: &Edges) -> bool {
    let types = |draft: &Draft| draft.attributes.iter().map(|a| a.id).collect::<Vec<_>>();
    !modifications.iter().any(|m| m.attribute == known::attribute::OBJECT_CLASS)
        && !edges.last.values().any(|add| *add)
        && types(before) == types(after)
}

fn settle_classes(
    applying: &Applying<'_, '_>,
    id: EntryId,
    before: &Draft,
    after: &mut Draft,
    modifications: &[ValueOp],
    edges: &Edges,
    password: bool,
) -> Result<(), Refusal> {
    let schema = applying.schema;
    // Edges and credentials are not among the draft's attributes, but the classes must allow them. Those that stand
    // already were allowed by the classes that stood.
    let reclassed = modifications.iter().any(|m| crate::access::is_object_class(schema, m.attribute));
    let mut seen = after.attributes.clone();
    for (kind, attribute) in [(membership::MEMBER, b"member".as_slice()), (membership::UNIQUE_MEMBER, b"uniqueMember")]
    {
        let comes = edges.last.iter().any(|((_, k), add)| *k == kind && *add);
        let stays = || Ok::<bool, Refusal>(reclassed && !edges.present(applying, id, kind)?.is_empty());
        if (comes || stays()?)
            && let Some(kind) = schema.find_attribute(attribute)
        {
            seen.push(Attribute { id: kind.id, options: Vec::new(), values: Vec::new() });
        }
    }
    // First what the entry is, then how it is named, then what it may have: the more telling refusal goes before.
    let named = named_classes(schema, &seen)?;
    if schema.structural_class(&named).is_ok_and(|class| class != before.header.structural) {
        return Err(Refusal::new(Reason::ClassChange, "the structural object class of an entry cannot change"));
    }
    check_rdn(schema, after)?;
    let (classes, _) = classes_of(schema, &seen, password)?;
    after.header.kind = schema.kind_of(&classes);
    after.classes = classes;
    Ok(())
}

/// Rules of values that need no other entry.
pub fn check_values<'a>(schema: &Schema, attributes: impl IntoIterator<Item = &'a Attribute>) -> Result<(), Refusal> {
    for attribute in attributes {
        let kind = schema.attribute(attribute.id);
        if kind.single_value && attribute.values.len() > 1 {
            return Err(Refusal::new(Reason::Constraint, format!("{}: only one value is allowed", kind.name())));
        }
        if attribute.values.len() == 1 {
            continue;
        }
        let mut held = HashSet::new();
        if !attribute.values.iter().all(|v| held.insert(normal(schema, kind, v))) {
            return Err(Refusal::new(Reason::ValueExists, format!("{}: a value stands there twice", kind.name())));
        }
    }
    Ok(())
}

/// RFC 4511 §4.6: the values of the RDN stay.
fn check_rdn(schema: &Schema, draft: &Draft) -> Result<(), Refusal> {
    let Some(rdn) = Dn::parse(draft.dn.as_bytes()).ok().and_then(|dn| dn.rdns.into_iter().next()) else {
        return Ok(());
    };
    for ava in &rdn.avas {
        let Some(kind) = schema.find_attribute(ava.attribute.as_bytes()) else { continue };
        let values = draft.attribute(kind.id, &[]).map(|a| a.values.as_slice()).unwrap_or_default();
        if position_of(schema, kind, values, &ava.value).is_none() {
            let why = format!("{}: the value names the entry", kind.name());
            return Err(Refusal::new(Reason::NotAllowedOnRdn, why));
        }
    }
    Ok(())
}

/// Usernames never change (requirement 1.3); addresses and client identifiers move from claim to claim.
pub fn settle_claims(
    applying: &mut Applying<'_, '_>,
    id: EntryId,
    before: &Draft,
    after: &Draft,
) -> Result<(), Refusal> {
    let same = |id: AttributeId| {
        before.attributes.iter().filter(|a| a.id == id).eq(after.attributes.iter().filter(|a| a.id == id))
    };
    if before.header.kind == after.header.kind && CLAIMED.into_iter().all(same) {
        return Ok(());
    }
    let (old, new) = (claims_of(before)?, claims_of(after)?);
    if old == new {
        return Ok(());
    }
    let uid = applying.schema.find_attribute(b"uid").map(|a| a.id);
    let names = |draft: &Draft| {
        let kind = uid.map(|u| applying.schema.attribute(u));
        let values = draft.attributes.iter().filter(|a| Some(a.id) == uid).flat_map(|a| &a.values);
        let mut names: Vec<_> = values.filter_map(|v| kind.map(|k| normal(applying.schema, k, v))).collect();
        names.sort();
        names
    };
    let stays_account = before.header.kind.is_account() && after.header.kind.is_account();
    if stays_account && !names(before).is_empty() && names(before) != names(after) {
        return Err(Refusal::new(Reason::Constraint, "uid: the username of an account never changes"));
    }
    new.check(applying.tables, id)?;
    applying.dirty = true;
    old.release(applying.tables, id)?;
    new.claim(applying.tables, id)
}

/// What differs between two states, value by value.
fn difference(schema: &Schema, before: &Draft, after: &Draft) -> Vec<ValueChange> {
    let mut changes = Vec::new();
    let describe = |a: &Attribute| {
        let mut text = schema.attribute(a.id).name().to_owned();
        if !a.options.is_empty() {
            text.push(';');
            text.push_str(&String::from_utf8_lossy(&a.options));
        }
        text
    };
    for attribute in &before.attributes {
        let now = after.attribute(attribute.id, &attribute.options).map(|a| a.values.as_slice()).unwrap_or_default();
        if now == attribute.values {
            continue;
        }
        let removed = attribute.values.iter().filter(|v| !now.contains(v)).cloned().collect();
        let added = now.iter().filter(|v| !attribute.values.contains(v)).cloned().collect();
        changes.push(ValueChange { attribute: describe(attribute), removed, added });
    }
    for attribute in after.attributes.iter().filter(|a| before.attribute(a.id, &a.options).is_none()) {
        let (removed, added) = (Vec::new(), attribute.values.clone());
        changes.push(ValueChange { attribute: describe(attribute), removed, added });
    }
    changes
}

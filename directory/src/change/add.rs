//! A new entry (RFC 4511 §4.7).

use super::apply::{Applying, no_such_entry};
use super::claims::Claims;
use super::project::Rows;
use super::{AddOp, edges, modify, user_type};
use crate::entry::record::{Attribute, Draft, Header, Record};
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::journal::record::Event;
use crate::lifecycle::Audience;
use crate::schema::Schema;
use crate::schema::attribute::{AttributeId, Storage};
use crate::schema::kind::{ClassId, Kind};
use crate::schema::known;
use crate::store::tables::meta;
use crate::store::view::View;
use crate::store::{codec, membership};
use std::collections::HashSet;

/// Applies the step.
pub fn apply(applying: &mut Applying<'_, '_>, op: &AddOp) -> Result<(), Refusal> {
    if applying.rights.power(&op.key).is_none() {
        return Err(Refusal::not_allowed());
    }
    if applying.tables.id_of(&op.key)?.is_some() {
        return Err(Refusal::new(Reason::EntryExists, ""));
    }
    let (parent, parent_dn) = parent(applying, op)?;
    let complete = complete(applying.schema, op, op.attributes.clone())?;
    if !applying.rights.may_add(&op.key, complete.kind) {
        return Err(Refusal::not_allowed());
    }
    if op.credential.is_some() && !complete.kind.is_account() {
        return Err(Refusal::new(Reason::Constraint, "the entry is not an account and has no password"));
    }
    let header = Header {
        kind: complete.kind,
        structural: complete.structural,
        parent,
        uuid: op.uuid,
        created: op.created.unwrap_or(applying.set.now.wall),
        modified: applying.set.now.wall,
        creator: applying.author(),
        modifier: applying.author(),
        version: applying.position,
    };
    let (draft, edges, claims) = finish(applying.schema, op, complete, header, &parent_dn)?;
    user_type::check(applying, EntryId::NONE, &draft, op.credential.is_some())?;
    claims.check(applying.tables, EntryId::NONE)?;
    let members = resolve(applying, &edges)?;

    applying.calm &= members.is_empty() && !op.suffix && matches!(draft.header.kind, Kind::Person | Kind::Group);
    let id = applying.next_id()?;
    write(applying, op, id, &draft, &claims)?;
    for (attribute, member) in members {
        edges::add_member(applying, id, member, attribute)?;
    }
    applying.record.events.push(Event::Added { entry: id, dn: draft.dn });
    applying.entry = Some(id);
    Ok(())
}

/// A new entry's attributes with those of its name, and what its classes make of it.
pub struct Complete {
    attributes: Vec<Attribute>,
    classes: Vec<ClassId>,
    /// The structural class.
    pub structural: ClassId,
    /// What the entry is.
    pub kind: Kind,
}

/// Adds the RDN's values to the step's attributes and checks the classes: needs no other entry.
///
/// # Errors
/// `NamingViolation`, `InvalidValue`, `ClassViolation`.
pub fn complete(schema: &Schema, op: &AddOp, mut attributes: Vec<Attribute>) -> Result<Complete, Refusal> {
    add_rdn_values(schema, &mut attributes, op)?;
    let (classes, structural) = modify::classes_of(schema, &attributes, op.credential.is_some())?;
    let kind = schema.kind_of(&classes);
    Ok(Complete { attributes, classes, structural, kind })
}

/// The values that become edges: which edge, and the DN.
pub type Edges = Vec<(u8, Vec<u8>)>;

/// The entry, its edges and its names, every rule checked that needs no other entry.
///
/// # Errors
/// `Constraint`, `ValueExists`, `InvalidValue`.
pub fn finish(
    schema: &Schema,
    op: &AddOp,
    complete: Complete,
    header: Header,
    parent_dn: &str,
) -> Result<(Draft, Edges, Claims), Refusal> {
    let Complete { mut attributes, classes, .. } = complete;
    let edges = take_edges(schema, &mut attributes);
    let dn = if parent_dn.is_empty() { op.rdn.clone() } else { format!("{},{parent_dn}", op.rdn) };
    let draft = Draft { header, classes, dn, key: op.key.clone(), attributes };
    modify::check_values(schema, &draft.attributes)?;
    let claims = claims_of(&draft)?;
    Ok((draft, edges, claims))
}

fn write(
    applying: &mut Applying<'_, '_>,
    op: &AddOp,
    id: EntryId,
    draft: &Draft,
    claims: &Claims,
) -> Result<(), Refusal> {
    applying.dirty = true;
    let parent = draft.header.parent;
    let tables = &mut *applying.tables;
    tables.put_entry(id, Some(draft.encode()))?;
    tables.put_name(draft.key.clone(), Some(id))?;
    tables.put_child(parent, id, true)?;
    let children = tables.child_count(parent)?.saturating_add(1);
    tables.unwritten.set_count(parent, children);
    Rows::unsorted(applying.schema, id, draft).insert(tables, id)?;
    claims.claim(tables, id)?;
    if op.suffix {
        let mut suffixes = tables.meta_ids(meta::SUFFIXES)?;
        suffixes.push(id);
        let bytes: Vec<u8> = suffixes.iter().flat_map(|s| s.0.to_le_bytes()).collect();
        tables.meta.write().insert(meta::SUFFIXES, bytes.as_slice())?;
    }
    if draft.header.kind.is_account() {
        let mut account = *op.account;
        account.user_type = user_type::of(&draft.attributes);
        account.audience = if draft.header.kind == Kind::ApiAccount { Audience::Api } else { Audience::Person };
        tables.put_account(id, Some(&account))?;
    }
    if let Some(credential) = &op.credential {
        tables.credentials.write().insert(id.0, codec::encode(credential)?.as_slice())?;
    }
    Ok(())
}

fn parent(applying: &Applying<'_, '_>, op: &AddOp) -> Result<(EntryId, String), Refusal> {
    let key = op.key.get(..op.parent_length).unwrap_or_default();
    if key.is_empty() || op.suffix {
        if op.suffix && applying.rights.is_system() {
            return Ok((EntryId::NONE, String::new()));
        }
        let why = Reason::NoSuchEntry { matched: String::new() };
        return Err(Refusal::new(why, "no naming context of this server holds the entry"));
    }
    let Some(id) = applying.tables.id_of(key)? else {
        return Err(no_such_entry(applying.tables, &applying.rights, &op.key)?);
    };
    let (dn, is_alias) = applying.with_record(id, |r: &Record<'_>| Ok((r.dn().to_owned(), is_alias(r))))?;
    if is_alias {
        return Err(below_alias(dn));
    }
    Ok((id, dn))
}

/// Whether an entry stands for another one.
pub fn is_alias(record: &Record<'_>) -> bool {
    record.has_class(known::class::ALIAS)
}

/// RFC 4512 §2.6: nothing is below an alias.
pub fn below_alias(matched: String) -> Refusal {
    Refusal::new(Reason::AliasProblem { matched }, "an alias has no entries below it")
}

/// RFC 4511 §4.7: the client need not repeat the RDN's values among the attributes.
fn add_rdn_values(schema: &Schema, attributes: &mut Vec<Attribute>, op: &AddOp) -> Result<(), Refusal> {
    for (id, value) in &op.rdn_values {
        let kind = schema.attribute(*id);
        if kind.storage != Storage::Entry || kind.no_user_modification {
            return Err(Refusal::new(Reason::NamingViolation, format!("{} cannot name an entry", kind.name())));
        }
        match attributes.iter_mut().find(|a| a.id == *id && a.options.is_empty()) {
            Some(attribute) => {
                if modify::position_of(schema, kind, &attribute.values, value).is_none() {
                    attribute.values.push(value.clone());
                }
            }
            None => attributes.push(Attribute { id: *id, options: Vec::new(), values: vec![value.clone()] }),
        }
    }
    Ok(())
}

/// Takes the values that are kept as edges out of the attributes.
fn take_edges(schema: &Schema, attributes: &mut Vec<Attribute>) -> Edges {
    let mut edges = Vec::new();
    attributes.retain(|attribute| {
        let Some(kind) = edges::edge_kind(schema, attribute.id) else { return true };
        edges.extend(attribute.values.iter().map(|v| (kind, v.clone())));
        false
    });
    edges
}

fn resolve(applying: &Applying<'_, '_>, edges: &[(u8, Vec<u8>)]) -> Result<Vec<(u8, EntryId)>, Refusal> {
    let mut members = Vec::with_capacity(edges.len());
    let mut held = HashSet::with_capacity(edges.len());
    for (kind, value) in edges {
        let member = edges::member_of_value(applying, value)?;
        if !held.insert((*kind, member)) {
            let why = format!("{}: a value stands there twice", edge_name(*kind));
            return Err(Refusal::new(Reason::ValueExists, why));
        }
        members.push((*kind, member));
    }
    Ok(members)
}

/// The attributes whose values may be claimed.
pub const CLAIMED: [AttributeId; 3] =
    [known::attribute::UID, known::attribute::MAIL, known::attribute::ROLLBOOK_CLIENT_ID];

/// The names that an entry claims: usernames and addresses of accounts, client identifiers of applications.
///
/// # Errors
/// As [`Claims::of`].
pub fn claims_of(draft: &Draft) -> Result<Claims, Refusal> {
    let values = |id: AttributeId| {
        draft.attributes.iter().filter(move |a| a.id == id).flat_map(|a| a.values.iter().map(Vec::as_slice))
    };
    let [username, address, client] = CLAIMED;
    match draft.header.kind {
        kind if kind.is_account() => Claims::of(values(username), values(address)),
        Kind::Application => Ok(Claims::of_clients(values(client))),
        _ => Ok(Claims::default()),
    }
}

/// Which edge an attribute of groups is, for the callers that have only the name.
pub fn edge_name(kind: u8) -> &'static str {
    if kind == membership::UNIQUE_MEMBER { "uniqueMember" } else { "member" }
}

//! A new entry (RFC 4511 §4.7).

use super::apply::{Applying, no_such_entry};
use super::claims::Claims;
use super::project::Rows;
use super::{AddOp, modify};
use crate::entry::record::{Attribute, Draft, Header, Record};
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::journal::record::Event;
use crate::lifecycle::Audience;
use crate::schema::attribute::Storage;
use crate::schema::kind::Kind;
use crate::schema::known;
use crate::store::tables::meta;
use crate::store::view::View;
use crate::store::{codec, membership};

/// Applies the step.
pub fn apply(applying: &mut Applying<'_, '_>, op: &AddOp) -> Result<(), Refusal> {
    if applying.rights.power(&op.key).is_none() {
        return Err(Refusal::not_allowed());
    }
    if applying.tables.id_of(&op.key)?.is_some() {
        return Err(Refusal::new(Reason::EntryExists, ""));
    }
    let (parent, parent_dn) = parent(applying, op)?;
    let mut attributes = op.attributes.clone();
    add_rdn_values(applying, &mut attributes, op)?;
    let (classes, structural) = modify::classes_of(applying.schema, &attributes, op.credential.is_some())?;
    let kind = applying.schema.kind_of(&classes);
    if !applying.rights.may_add(&op.key, kind) {
        return Err(Refusal::not_allowed());
    }
    let edges = take_edges(applying, &mut attributes);
    let dn = if parent_dn.is_empty() { op.rdn.clone() } else { format!("{},{parent_dn}", op.rdn) };
    let draft = Draft {
        header: Header {
            kind,
            structural,
            parent,
            uuid: op.uuid,
            created: op.created.unwrap_or(applying.set.now.wall),
            modified: applying.set.now.wall,
            creator: applying.author(),
            modifier: applying.author(),
            version: applying.position,
        },
        classes,
        dn,
        key: op.key.clone(),
        attributes,
    };
    modify::check_values(applying.schema, &draft)?;
    let claims = claims_of(applying.schema, &draft)?;
    claims.check(applying.tables, EntryId::NONE)?;
    let members = resolve(applying, &edges)?;

    let id = applying.next_id()?;
    write(applying, op, id, &draft, &claims)?;
    for (attribute, member) in members {
        modify::add_member(applying, id, &draft, member, attribute)?;
    }
    applying.record.events.push(Event::Added { entry: id, dn: draft.dn });
    applying.entry = Some(id);
    Ok(())
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
    tables.entries.insert(id.0, draft.encode().as_slice())?;
    tables.names.insert(draft.key.as_slice(), id.0)?;
    tables.children.insert((parent.0, id.0), ())?;
    let children = tables.child_count(parent)?.saturating_add(1);
    tables.counts.insert(parent.0, children)?;
    Rows::of(applying.schema, id, draft).insert(tables, id)?;
    claims.claim(tables, id)?;
    if op.suffix {
        let mut suffixes = tables.meta_ids(meta::SUFFIXES)?;
        suffixes.push(id);
        let bytes: Vec<u8> = suffixes.iter().flat_map(|s| s.0.to_le_bytes()).collect();
        tables.meta.insert(meta::SUFFIXES, bytes.as_slice())?;
    }
    if draft.header.kind.is_account() {
        let mut account = (*op.account).clone();
        account.audience = if draft.header.kind == Kind::ApiAccount { Audience::Api } else { Audience::Person };
        tables.accounts.insert(id.0, codec::encode(&account)?.as_slice())?;
    }
    if let Some(credential) = &op.credential {
        tables.credentials.insert(id.0, codec::encode(credential)?.as_slice())?;
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
        return Err(below_alias());
    }
    Ok((id, dn))
}

/// Whether an entry stands for another one.
pub fn is_alias(record: &Record<'_>) -> bool {
    record.has_class(known::class::ALIAS)
}

/// RFC 4512 §2.6: nothing is below an alias.
pub fn below_alias() -> Refusal {
    Refusal::new(Reason::AliasProblem, "an alias has no entries below it")
}

/// RFC 4511 §4.7: the client need not repeat the RDN's values among the attributes.
fn add_rdn_values(applying: &Applying<'_, '_>, attributes: &mut Vec<Attribute>, op: &AddOp) -> Result<(), Refusal> {
    for (id, value) in &op.rdn_values {
        let kind = applying.schema.attribute(*id);
        if kind.storage != Storage::Entry || kind.no_user_modification {
            return Err(Refusal::new(Reason::NamingViolation, format!("{} cannot name an entry", kind.name())));
        }
        match attributes.iter_mut().find(|a| a.id == *id && a.options.is_empty()) {
            Some(attribute) => {
                if modify::position_of(applying.schema, kind, &attribute.values, value).is_none() {
                    attribute.values.push(value.clone());
                }
            }
            None => attributes.push(Attribute { id: *id, options: Vec::new(), values: vec![value.clone()] }),
        }
    }
    Ok(())
}

/// Takes the values that are kept as edges out of the attributes.
pub fn take_edges(applying: &Applying<'_, '_>, attributes: &mut Vec<Attribute>) -> Vec<(u8, Vec<u8>)> {
    let mut edges = Vec::new();
    attributes.retain(|attribute| {
        let Some(kind) = modify::edge_kind(applying.schema, attribute.id) else { return true };
        edges.extend(attribute.values.iter().map(|v| (kind, v.clone())));
        false
    });
    edges
}

fn resolve(applying: &Applying<'_, '_>, edges: &[(u8, Vec<u8>)]) -> Result<Vec<(u8, EntryId)>, Refusal> {
    edges.iter().map(|(kind, value)| Ok((*kind, modify::member_of_value(applying, value)?))).collect()
}

/// The names that an entry claims: those of accounts only.
pub fn claims_of(schema: &crate::schema::Schema, draft: &Draft) -> Result<Claims, Refusal> {
    if !draft.header.kind.is_account() {
        return Ok(Claims::default());
    }
    let values = |name: &[u8]| {
        let id = schema.find_attribute(name).map(|a| a.id);
        draft.attributes.iter().filter(move |a| Some(a.id) == id).flat_map(|a| a.values.iter().map(Vec::as_slice))
    };
    Claims::of(values(b"uid"), values(b"mail"))
}

/// Which edge an attribute of groups is, for the callers that have only the name.
pub fn edge_name(kind: u8) -> &'static str {
    if kind == membership::UNIQUE_MEMBER { "uniqueMember" } else { "member" }
}

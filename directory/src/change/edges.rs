//! Members in a request: values of `member` and `uniqueMember` on their way to edges.
//!
//! The edges themselves are `store::membership`'s. Here the modifications of one request are judged one after another
//! against what the group holds and what the ones before have changed, before anything is written.

use super::add::edge_name;
use super::apply::Applying;
use super::{ModificationKind, ValueOp, user_type};
use crate::access::Sight;
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::journal::record::ValueChange;
use crate::schema::Schema;
use crate::schema::attribute::{AttributeId, Storage};
use crate::store::membership;
use crate::store::tables::meta;
use crate::store::view::View;
use std::collections::{BTreeSet, HashMap};

/// Which edge the values of an attribute are; none: they are in the record.
pub fn edge_kind(schema: &Schema, id: AttributeId) -> Option<u8> {
    let kind = schema.attribute(id);
    match (kind.storage, kind.name()) {
        (Storage::Edge, "member") => Some(membership::MEMBER),
        (Storage::Edge, "uniqueMember") => Some(membership::UNIQUE_MEMBER),
        _ => None,
    }
}

/// An edge to be made or taken away.
pub struct Edge {
    /// The member.
    pub member: EntryId,
    /// By which attribute (`store::membership`).
    pub kind: u8,
    /// Made; otherwise taken away.
    pub add: bool,
}

/// The edges that a request changes, in its order, and what each will be afterwards.
#[derive(Default)]
pub struct Edges {
    /// In the order of the request.
    pub all: Vec<Edge>,
    /// What each is afterwards.
    pub last: HashMap<(EntryId, u8), bool>,
}

impl Edges {
    fn push(&mut self, member: EntryId, kind: u8, add: bool) {
        self.all.push(Edge { member, kind, add });
        self.last.insert((member, kind), add);
    }

    /// Whether the group holds the member by now.
    fn holds(&self, applying: &Applying<'_, '_>, group: EntryId, member: EntryId, kind: u8) -> Result<bool, Refusal> {
        if let Some(add) = self.last.get(&(member, kind)) {
            return Ok(*add);
        }
        let held = redb::ReadableTable::get(&*applying.tables.members, (group.0, member.0))?.map_or(0, |g| g.value());
        Ok(held & kind != 0)
    }

    /// All that the group holds by now, ascending.
    ///
    /// # Errors
    /// `Store`.
    pub fn present(&self, applying: &Applying<'_, '_>, group: EntryId, kind: u8) -> Result<BTreeSet<EntryId>, Refusal> {
        let mut all = BTreeSet::new();
        for item in redb::ReadableTable::range(&*applying.tables.members, membership::all_of(group))? {
            let (key, held) = item?;
            if held.value() & kind != 0 {
                all.insert(EntryId(key.value().1));
            }
        }
        for ((member, _), add) in self.last.iter().filter(|((_, k), _)| *k == kind) {
            if *add {
                all.insert(*member)
            } else {
                all.remove(member)
            };
        }
        Ok(all)
    }

    /// Adds what one modification of `member` or `uniqueMember` changes, judged after those before it.
    ///
    /// # Errors
    /// `ValueExists`, `NoSuchValue`, `InvalidValue`, `Constraint`.
    pub fn plan(&mut self, applying: &Applying<'_, '_>, group: EntryId, kind: u8, op: &ValueOp) -> Result<(), Refusal> {
        let named = |value: &Vec<u8>| member_of_value(applying, value);
        let name = edge_name(kind);
        let exists = || Refusal::new(Reason::ValueExists, format!("{name}: the value is there already"));
        match op.kind {
            ModificationKind::Add => {
                for value in &op.values {
                    let member = named(value)?;
                    if self.holds(applying, group, member, kind)? {
                        return Err(exists());
                    }
                    self.push(member, kind, true);
                }
            }
            ModificationKind::Delete if !op.values.is_empty() => {
                for value in &op.values {
                    let missing = || Refusal::new(Reason::NoSuchValue, format!("{name}: there is no such value"));
                    let member = named(value).map_err(|_| missing())?;
                    if !self.holds(applying, group, member, kind)? {
                        return Err(missing());
                    }
                    self.push(member, kind, false);
                }
            }
            ModificationKind::Delete => {
                let all = self.present(applying, group, kind)?;
                if all.is_empty() {
                    return Err(Refusal::new(Reason::NoSuchValue, format!("{name}: there is no such attribute")));
                }
                for member in all {
                    self.push(member, kind, false);
                }
            }
            ModificationKind::Replace => {
                let wanted = op.values.iter().map(named).collect::<Result<BTreeSet<_>, _>>()?;
                if wanted.len() != op.values.len() {
                    return Err(exists());
                }
                let have = self.present(applying, group, kind)?;
                for member in have.difference(&wanted) {
                    self.push(*member, kind, false);
                }
                for member in wanted.difference(&have) {
                    self.push(*member, kind, true);
                }
            }
            ModificationKind::Increment => {
                return Err(Refusal::new(Reason::Constraint, format!("{name}: only integers can be incremented")));
            }
        }
        Ok(())
    }
}

/// Makes and takes away what was planned, and says so in the record.
///
/// # Errors
/// `Constraint` for a cycle, `NotAllowed`.
pub fn write(
    applying: &mut Applying<'_, '_>,
    group: EntryId,
    edges: &[Edge],
    values: &mut Vec<ValueChange>,
) -> Result<(), Refusal> {
    for edge in edges {
        let dn = applying.with_record(edge.member, |r| Ok(r.dn().as_bytes().to_vec()))?;
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        if edge.add {
            add_member(applying, group, edge.member, edge.kind)?;
            added.push(dn);
        } else {
            membership::remove(applying.tables, group, edge.member, edge.kind)?;
            removed.push(dn);
        }
        values.push(ValueChange { attribute: edge_name(edge.kind).to_owned(), removed, added });
    }
    Ok(())
}

/// Makes one edge.
pub fn add_member(applying: &mut Applying<'_, '_>, group: EntryId, member: EntryId, kind: u8) -> Result<(), Refusal> {
    if Some(group) == applying.tables.meta_u64(meta::SYSTEM_ADMIN)?.map(EntryId) && !applying.rights.is_system() {
        return Err(Refusal::not_allowed());
    }
    user_type::check_new_member(applying, group, member)?;
    applying.dirty = true;
    membership::add(applying.tables, group, member, kind)?;
    Ok(())
}

/// The entry that a value of `member` or `uniqueMember` names.
///
/// # Errors
/// `InvalidValue` when it is no name; `Constraint` when there is none: a group holds entries, not texts.
pub fn member_of_value(applying: &Applying<'_, '_>, value: &[u8]) -> Result<EntryId, Refusal> {
    let unknown = || {
        let name = String::from_utf8_lossy(value).into_owned();
        Refusal::new(Reason::Constraint, format!("there is no entry {name} that could be a member"))
    };
    let key = crate::entry::dn::DnKey::parse(applying.schema, value)
        .map_err(|e| Refusal::new(Reason::InvalidValue, format!("the name of a member: {e}")))?;
    let id = applying.tables.id_of(key.as_bytes())?.ok_or_else(unknown)?;
    // What the actor may not see does not exist for it.
    let seen = applying.with_record(id, |r| Ok(applying.rights.sight(id, r) != Sight::None))?;
    if seen { Ok(id) } else { Err(unknown()) }
}

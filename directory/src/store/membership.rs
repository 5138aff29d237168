//! Membership edges: (group, member) and (member, group), written together, never as a list in the group.
//!
//! The value says which attribute holds the edge: [`MEMBER`], [`UNIQUE_MEMBER`] or both. Adding one member to a group
//! of 100,000 costs two keys. Nested groups are edges between groups; a cycle is refused when the edge is made.

use super::rows;
use super::view::{Tables, View};
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use redb::ReadableTable;
use std::collections::HashSet;
use std::ops::RangeInclusive;

/// The edge is a value of `member`.
pub const MEMBER: u8 = 1;
/// The edge is a value of `uniqueMember`.
pub const UNIQUE_MEMBER: u8 = 2;

/// How many groups a walk upwards visits before it gives up.
pub const CLOSURE: usize = 10_000;

/// The range of all edges of one entry, in either table.
pub fn all_of(id: EntryId) -> RangeInclusive<(u64, u64)> {
    (id.0, 0)..=(id.0, u64::MAX)
}

/// Makes an edge for `attribute`. False: it was there.
///
/// # Errors
/// `Constraint` when the member holds the group, directly or through others, or is the group itself.
pub fn add(tables: &mut Tables<'_>, group: EntryId, member: EntryId, attribute: u8) -> Result<bool, Refusal> {
    let held = tables.members.get((group.0, member.0))?.map_or(0, |g| g.value());
    if held & attribute != 0 {
        return Ok(false);
    }
    // Whoever holds nobody closes no cycle, whatever its classes make it.
    let holder = tables.members.range(all_of(member))?.next().is_some();
    if group == member || (holder && reaches(tables, group, member)?) {
        return Err(Refusal::new(Reason::Constraint, "a group cannot hold itself, not even through other groups"));
    }
    rows::put(tables.members.write(), (group.0, member.0), held | attribute)?;
    rows::put(tables.groups.write(), (member.0, group.0), held | attribute)?;
    Ok(true)
}

/// Takes an edge of `attribute` away. False: there was none.
pub fn remove(tables: &mut Tables<'_>, group: EntryId, member: EntryId, attribute: u8) -> Result<bool, Refusal> {
    let held = tables.members.get((group.0, member.0))?.map_or(0, |g| g.value());
    if held & attribute == 0 {
        return Ok(false);
    }
    let left = held & !attribute;
    if left == 0 {
        rows::take(tables.members.write(), (group.0, member.0))?;
        rows::take(tables.groups.write(), (member.0, group.0))?;
    } else {
        rows::put(tables.members.write(), (group.0, member.0), left)?;
        rows::put(tables.groups.write(), (member.0, group.0), left)?;
    }
    Ok(true)
}

/// Takes all edges of an entry away, from both sides. Returns the groups that held it.
pub fn remove_all(tables: &mut Tables<'_>, id: EntryId) -> Result<Vec<EntryId>, Refusal> {
    let mut members = Vec::new();
    for item in tables.members.range(all_of(id))? {
        members.push(item?.0.value().1);
    }
    for member in members {
        rows::take(tables.members.write(), (id.0, member))?;
        rows::take(tables.groups.write(), (member, id.0))?;
    }
    let mut groups = Vec::new();
    for item in tables.groups.range(all_of(id))? {
        groups.push(EntryId(item?.0.value().1));
    }
    for group in &groups {
        rows::take(tables.groups.write(), (id.0, group.0))?;
        rows::take(tables.members.write(), (group.0, id.0))?;
    }
    Ok(groups)
}

/// Whether `from` is, directly or through other groups, a member of `to`.
///
/// # Errors
/// `Limit` when more than [`CLOSURE`] groups would have to be visited.
pub fn reaches(view: &impl View, from: EntryId, to: EntryId) -> Result<bool, Refusal> {
    let mut found = false;
    walk_up(view, from, |group| {
        found |= group == to;
        !found
    })?;
    Ok(found)
}

/// Every group that holds `from` directly or through others, once each, in no order.
///
/// # Errors
/// `Limit` when there are more than [`CLOSURE`].
pub fn closure(view: &impl View, from: EntryId) -> Result<Vec<EntryId>, Refusal> {
    let mut out = Vec::new();
    walk_up(view, from, |group| {
        out.push(group);
        true
    })?;
    Ok(out)
}

fn walk_up(view: &impl View, from: EntryId, mut visit: impl FnMut(EntryId) -> bool) -> Result<(), Refusal> {
    let mut open = vec![from];
    let mut seen = HashSet::new();
    while let Some(id) = open.pop() {
        for group in view.groups_of(id, CLOSURE)? {
            if !seen.insert(group) {
                continue;
            }
            if seen.len() > CLOSURE {
                let limit = Reason::Limit(crate::error::Limit::Administrative);
                return Err(Refusal::new(limit, "the membership of this entry goes through too many groups"));
            }
            if !visit(group) {
                return Ok(());
            }
            open.push(group);
        }
    }
    Ok(())
}

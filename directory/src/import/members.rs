//! Memberships of imported groups: edges to those who are there already, the others looked for again at the end, and
//! cycles of groups found.
//!
//! An existing group gets no members from an import, so a cycle lies within the imported groups; edges between them are
//! collected and judged together.

use super::bulk::Bulk;
use super::known::Names;
use super::prepare::Member;
use super::{Finding, FindingKind, Place};
use crate::entry::record::Record;
use crate::error::Refusal;
use crate::id::EntryId;
use crate::schema::Kind;
use crate::store::membership::CLOSURE;
use crate::store::view::View;
use std::collections::{HashMap, HashSet};

/// An edge between two imported groups.
pub struct Nested {
    group: EntryId,
    member: EntryId,
    kind: u8,
    place: Place,
}

/// Members that were not there when their group came, one row each: the key is group and number, the value is
/// `kind u8 | file u32 | line u64 | key length u32 | key | text`.
fn encode(place: Place, member: &Member) -> Vec<u8> {
    let key = member.key.as_deref().unwrap_or_default();
    let length = u32::try_from(key.len()).unwrap_or(0).to_le_bytes();
    let head = [&[member.kind][..], &place.file.to_le_bytes(), &place.line.to_le_bytes(), &length];
    [&head.concat(), key, &member.text].concat()
}

fn decode(value: &[u8]) -> Option<(Place, Member)> {
    let (kind, rest) = value.split_first()?;
    let (file, rest) = rest.split_first_chunk::<4>()?;
    let (line, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (key, text) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let place = Place { file: u32::from_le_bytes(*file), line: u64::from_le_bytes(*line) };
    Some((place, Member { kind: *kind, key: Some(key.to_vec()), text: text.to_vec() }))
}

impl Bulk<'_> {
    /// The members of an entry that has just been written.
    pub(super) fn members(
        &mut self,
        group: EntryId,
        kind: Kind,
        place: Place,
        members: Vec<Member>,
    ) -> Result<(), Refusal> {
        for member in members {
            let known = match &member.key {
                Some(key) => Names { tables: &self.tables, known: &self.known }.id_of(key)?,
                None => None,
            };
            match known {
                Some(id) => self.edge(group, kind, id, member.kind, place)?,
                None => {
                    let number = self.waiting_members.to_be_bytes();
                    self.waiting_members = self.waiting_members.saturating_add(1);
                    self.pending.push(&group.0.to_be_bytes(), &number, &encode(place, &member))?;
                }
            }
        }
        Ok(())
    }

    fn edge(&mut self, group: EntryId, kind: Kind, member: EntryId, by: u8, place: Place) -> Result<(), Refusal> {
        let both_groups = self.groups.contains(&member.0) && matches!(kind, Kind::Group | Kind::Role | Kind::Other);
        if both_groups || group == member {
            self.nested.push(Nested { group, member, kind: by, place });
            return Ok(());
        }
        self.write_edge(group, member, by)
    }

    fn write_edge(&mut self, group: EntryId, member: EntryId, by: u8) -> Result<(), Refusal> {
        let (group, member) = (group.0.to_be_bytes(), member.0.to_be_bytes());
        self.rows.members.push(&group, &member, &[by])?;
        self.rows.groups.push(&member, &group, &[by])
    }

    /// Looks again for the members that were not there, and judges the edges between groups.
    pub(super) fn settle_members(&mut self) -> Result<(), Refusal> {
        let pending = std::mem::replace(&mut self.pending, self.rows.sorter());
        let mut rows = pending.into_sorted()?;
        while rows.advance()? {
            let group = EntryId(super::pour::number(rows.key()));
            let Some((place, member)) = decode(rows.value()) else { continue };
            let key = member.key.as_deref().filter(|k| !k.is_empty());
            let found = match key {
                Some(key) => Names { tables: &self.tables, known: &self.known }.id_of(key)?,
                None => None,
            };
            match found {
                Some(id) => {
                    let kind = self.kind_of(group)?;
                    self.edge(group, kind, id, member.kind, place)?;
                }
                None => {
                    let text = String::from_utf8_lossy(&member.text).into_owned();
                    self.leave_out(place, group, format!("there is no entry {text} that could be a member"))?;
                }
            }
        }
        self.settle_nested()
    }

    fn settle_nested(&mut self) -> Result<(), Refusal> {
        let mut nested = std::mem::take(&mut self.nested);
        // As if the groups came one after another: of the edges that close a cycle, the last one goes.
        nested.sort_by_key(|edge| (edge.group, edge.member));
        let core = core(&nested);
        let mut above: HashMap<u64, Vec<u64>> = HashMap::new();
        for edge in nested {
            let (group, member) = (edge.group.0, edge.member.0);
            let may_close = core.contains(&group) && core.contains(&member);
            if group == member || (may_close && reaches(&above, group, member)) {
                let why = "a group cannot hold itself, not even through other groups".to_owned();
                self.leave_out(edge.place, edge.group, why)?;
                continue;
            }
            if may_close {
                above.entry(member).or_default().push(group);
            }
            self.write_edge(edge.group, edge.member, edge.kind)?;
        }
        Ok(())
    }

    fn kind_of(&self, id: EntryId) -> Result<Kind, Refusal> {
        if self.groups.contains(&id.0) {
            return Ok(Kind::Group);
        }
        self.with_record(id, |record: &Record<'_>| record.kind())
    }

    fn leave_out(&mut self, place: Place, group: EntryId, reason: String) -> Result<(), Refusal> {
        let dn = self.with_record(group, |record: &Record<'_>| record.dn().to_owned())?;
        self.find(Finding { place, dn, kind: FindingKind::LeftOut, reason });
        Ok(())
    }

    /// Reads an entry that is in the store or still in memory.
    pub(super) fn with_record<T>(&self, id: EntryId, f: impl FnOnce(&Record<'_>) -> T) -> Result<T, Refusal> {
        let damaged = || Refusal::new(crate::error::Reason::Store, "the store failed");
        if let Some(bytes) = self.entries.get(id.0) {
            return Ok(f(&Record::parse(bytes).map_err(|_| damaged())?));
        }
        let guard = self.tables.record(id)?.ok_or_else(damaged)?;
        Ok(f(&Record::parse(guard.value()).map_err(|_| damaged())?))
    }
}

/// The groups that can lie on a cycle: what is left when those that hold no group, or are in none, are taken away again
/// and again.
fn core(edges: &[Nested]) -> HashSet<u64> {
    let mut left: HashSet<u64> = edges.iter().flat_map(|e| [e.group.0, e.member.0]).collect();
    for upwards in [true, false] {
        let ends = |e: &Nested| if upwards { (e.group.0, e.member.0) } else { (e.member.0, e.group.0) };
        // From each to those that wait for it, and how many each waits for.
        let (mut next, mut waits): (HashMap<u64, Vec<u64>>, HashMap<u64, usize>) = (HashMap::new(), HashMap::new());
        for (from, to) in edges.iter().map(ends).filter(|(a, b)| left.contains(a) && left.contains(b)) {
            next.entry(from).or_default().push(to);
            let count = waits.entry(to).or_default();
            *count = count.saturating_add(1);
        }
        let mut free: Vec<u64> = left.iter().copied().filter(|n| !waits.contains_key(n)).collect();
        while let Some(node) = free.pop() {
            left.remove(&node);
            for to in next.remove(&node).unwrap_or_default() {
                if let Some(count) = waits.get_mut(&to) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        free.push(to);
                    }
                }
            }
        }
    }
    left
}

/// Whether `to` is above `from`. Gives up, and says yes, after [`CLOSURE`] groups, as a single change would.
fn reaches(above: &HashMap<u64, Vec<u64>>, from: u64, to: u64) -> bool {
    let (mut open, mut seen) = (vec![from], HashSet::new());
    while let Some(node) = open.pop() {
        for group in above.get(&node).into_iter().flatten() {
            if *group == to || seen.len() >= CLOSURE {
                return true;
            }
            if seen.insert(*group) {
                open.push(*group);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_is_where_cycles_are() {
        // Goal: chains and trees of groups have no core; a cycle, and what lies between two, has.
        let edges = |list: &[(u64, u64)]| -> Vec<Nested> {
            let edge = |(group, member): &(u64, u64)| Nested {
                group: EntryId(*group),
                member: EntryId(*member),
                kind: 1,
                place: Place::default(),
            };
            list.iter().map(edge).collect()
        };
        type Case = (&'static [(u64, u64)], &'static [u64]);
        let cases: [Case; 5] = [
            (&[], &[]),
            (&[(1, 2), (2, 3), (1, 3)], &[]),
            (&[(1, 2), (2, 1), (2, 3), (0, 1)], &[1, 2]),
            (&[(1, 2), (2, 3), (3, 1), (3, 4), (4, 5), (5, 4)], &[1, 2, 3, 4, 5]),
            (&[(7, 7)], &[7]),
        ];
        for (list, expected) in cases {
            let mut found: Vec<u64> = core(&edges(list)).into_iter().collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{list:?}");
        }
    }

    #[test]
    fn waiting_members_survive_their_row() {
        // Goal: what is written for later is what is read then.
        let place = Place { file: 3, line: 1 << 40 };
        let member = Member { kind: 2, key: Some(vec![0, 1, 2]), text: b"cn=x".to_vec() };
        let (found, back) = decode(&encode(place, &member)).unwrap();
        assert_eq!((found, back.kind, back.key, back.text), (place, 2, Some(vec![0, 1, 2]), b"cn=x".to_vec()));
        assert!(decode(&[1, 2]).is_none());
    }
}

//! Reading the store: the same questions to a read snapshot and to a write transaction.
//!
//! [`Snapshot`] is one consistent state with its tables held open; [`Tables`] are those of the write lane's transaction.
//! [`View`] is what both can answer. Rules that must hold at apply time are written against it, so that they can be
//! asked before, too.
//!
//! What a commit has left in memory ([`unwritten`](super::unwritten)) goes before the tables, what the transaction has done
//! itself before that. So the tables that it concerns are not to be had here outside of the store, only the answers.

pub use super::state::{Base, Snapshot, Tables};

use super::filter::Mark;
use super::merged::{Changes, Row};
use super::staged::{Staged, gather};
use super::state::{Inside, Under};
use super::tables::{Bytes, meta};
use super::unwritten::{Layer, Unwritten};
use super::{codec, indexes, membership};
use crate::change::apply::Head;
use crate::error::Refusal;
use crate::id::{EntryId, Position};
use crate::lifecycle::Account;
use crate::schema::attribute::AttributeId;
use redb::ReadableTable;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// What can be asked of a state of the store. Tables that are opened late fail as the store does.
pub trait View: Under {
    /// `index`, as it is written: ask with [`View::staged`].
    fn index(&self) -> &impl ReadableTable<Bytes, ()>;
    /// `text`, as it is written: ask with [`View::staged`].
    fn text(&self) -> &impl ReadableTable<Bytes, Bytes>;
    /// `members`.
    fn members(&self) -> &impl ReadableTable<(u64, u64), u8>;
    /// `groups`.
    fn groups(&self) -> &impl ReadableTable<(u64, u64), u8>;
    /// `credentials`.
    fn credentials(&self) -> &impl ReadableTable<u64, Bytes>;
    /// `tokens`.
    fn tokens(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal>;
    /// `owners`.
    fn owners(&self) -> Result<&impl ReadableTable<(u64, u64), ()>, Refusal>;
    /// `sessions`.
    fn sessions(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal>;
    /// `session_owners`.
    fn session_owners(&self) -> Result<&impl ReadableTable<(u64, u64), ()>, Refusal>;
    /// `families`.
    fn families(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal>;
    /// `family_owners`.
    fn family_owners(&self) -> Result<&impl ReadableTable<(u64, u64), ()>, Refusal>;
    /// `notices`.
    fn notices(&self) -> Result<&impl ReadableTable<(u64, u64), Bytes>, Refusal>;
    /// `revoked`.
    fn revoked(&self) -> Result<&impl ReadableTable<Bytes, i64>, Refusal>;
    /// `consents`.
    fn consents(&self) -> Result<&impl ReadableTable<(u64, u64), Bytes>, Refusal>;
    /// `signing_keys`.
    fn signing_keys(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal>;
    /// `secrets`.
    fn secrets(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal>;
    /// `factors`.
    fn factors(&self) -> Result<&impl ReadableTable<u64, Bytes>, Refusal>;
    /// `links`.
    fn links(&self) -> Result<&impl ReadableTable<Bytes, Bytes>, Refusal>;
    /// `link_owners`.
    fn link_owners(&self) -> Result<&impl ReadableTable<(u64, u64), Bytes>, Refusal>;
    /// `meta`.
    fn meta(&self) -> &impl ReadableTable<&'static str, Bytes>;

    /// What earlier commits have done to `index` and `text` and does not stand there yet.
    fn staged(&self) -> &Staged;
    /// What this transaction has done and does not stand in its tables yet.
    fn unwritten(&self) -> Option<&Unwritten>;
    /// What commits before have left in memory, the oldest first.
    fn layers(&self) -> &[Arc<Layer>];

    /// What is in memory, the newest first.
    fn in_memory(&self) -> impl Iterator<Item = &Layer> {
        let own = self.unwritten().map(|unwritten| &unwritten.layer);
        own.into_iter().chain(self.layers().iter().rev().map(Arc::as_ref))
    }

    /// What is in memory and may hold a name or a claim of this key, the newest first.
    fn in_memory_with(&self, key: &[u8]) -> impl Iterator<Item = &Layer> {
        let mark = Mark::of(key);
        self.in_memory().filter(move |layer| layer.filter.may_hold(mark))
    }

    /// The end of the last commit: before the transaction has written anything.
    fn head(&self) -> Result<Head, Refusal> {
        if let Some(head) = self.layers().last().and_then(|layer| layer.head) {
            return Ok(head);
        }
        let position = Position(self.meta_u64(meta::POSITION)?.unwrap_or(0));
        let hash = self.meta().get(meta::CHAIN)?.and_then(|g| g.value().first_chunk::<32>().copied());
        Ok(Head { position, hash: hash.unwrap_or_default() })
    }

    /// The id that the next entry gets.
    fn next_id(&self) -> Result<u64, Refusal> {
        match self.in_memory().find_map(|layer| layer.next_id) {
            Some(next) => Ok(next.0),
            None => Ok(self.meta_u64(meta::NEXT_ID)?.unwrap_or(1)),
        }
    }

    /// The record of an entry, to be parsed in place.
    fn record(&self, id: EntryId) -> Result<Option<Row<'_>>, Refusal> {
        if let Some(record) = self.in_memory().find_map(|layer| layer.entries.get(&id.0)) {
            return Ok(record.clone().map(Row::Waiting));
        }
        Ok(self.entries(Inside(())).get(id.0)?.map(Row::Stored))
    }

    /// The entry of a DN key.
    fn id_of(&self, key: &[u8]) -> Result<Option<EntryId>, Refusal> {
        if let Some(entry) = self.in_memory_with(key).find_map(|layer| layer.names.get(key)) {
            return Ok(entry.map(EntryId));
        }
        Ok(self.names(Inside(())).get(key)?.map(|g| EntryId(g.value())))
    }

    /// The number of an entry's children.
    fn child_count(&self, id: EntryId) -> Result<u64, Refusal> {
        if let Some(count) = self.in_memory().find_map(|layer| layer.counts.get(&id.0)) {
            return Ok(count.unwrap_or(0));
        }
        Ok(self.counts(Inside(())).get(id.0)?.map_or(0, |g| g.value()))
    }

    /// The facts of an account.
    fn account(&self, id: EntryId) -> Result<Option<Account>, Refusal> {
        if let Some(facts) = self.in_memory().find_map(|layer| layer.accounts.get(&id.0)) {
            return facts.as_deref().map(codec::decode).transpose();
        }
        let Some(guard) = self.accounts(Inside(())).get(id.0)? else { return Ok(None) };
        codec::decode(guard.value()).map(Some)
    }

    /// Who holds a name, by the whole key of the claim.
    fn claim(&self, key: &[u8]) -> Result<Option<u64>, Refusal> {
        if let Some(holder) = self.in_memory_with(key).find_map(|layer| layer.claims.get(key)) {
            return Ok(*holder);
        }
        Ok(self.claims(Inside(())).get(key)?.map(|g| g.value()))
    }

    /// The claims whose keys are `prefix` and an id, at most `limit`. Behind this prefix there is nothing else.
    fn claims_of(&self, prefix: &[u8], limit: usize) -> Result<BTreeMap<Vec<u8>, u64>, Refusal> {
        below(self.claims(Inside(())), self.in_memory_with(prefix).map(|layer| &layer.claims), prefix, limit)
    }

    /// The entry of a DN key and those below it, by their keys, at most `limit`.
    fn names_below(&self, prefix: &[u8], limit: usize) -> Result<BTreeMap<Vec<u8>, u64>, Refusal> {
        below(self.names(Inside(())), self.in_memory().map(|layer| &layer.names), prefix, limit)
    }

    /// The credential of an account.
    fn credential(&self, id: EntryId) -> Result<Option<super::codec::Credential>, Refusal> {
        let Some(guard) = self.credentials().get(id.0)? else { return Ok(None) };
        super::codec::decode(guard.value()).map(Some)
    }

    /// A value of `meta` that is one u64.
    fn meta_u64(&self, name: &'static str) -> Result<Option<u64>, Refusal> {
        Ok(self.meta().get(name)?.and_then(|g| g.value().first_chunk::<8>().map(|b| u64::from_le_bytes(*b))))
    }

    /// A value of `meta` that is a list of ids.
    fn meta_ids(&self, name: &'static str) -> Result<Vec<EntryId>, Refusal> {
        let Some(guard) = self.meta().get(name)? else { return Ok(Vec::new()) };
        let ids = guard.value().chunks_exact(8).filter_map(|b| b.first_chunk::<8>());
        Ok(ids.map(|b| EntryId(u64::from_le_bytes(*b))).collect())
    }

    /// The entries that hold exactly this normalised value, at most `limit`.
    fn holders(&self, attribute: AttributeId, value: &[u8], limit: usize) -> Result<Vec<EntryId>, Refusal> {
        let mut prefix = Vec::with_capacity(64);
        indexes::value_prefix(attribute, value, &mut prefix);
        let end = indexes::after(&prefix).unwrap_or_default();
        let range = prefix.as_slice()..end.as_slice();
        let own = self.unwritten().map(Unwritten::keys).filter(|keys| !keys.is_empty());
        let own = own.map(|keys| keys.range(&range)).unwrap_or_default();
        let going = own.iter().filter(|(_, comes)| !*comes).count();
        let mut ids = Vec::new();
        gather(&mut self.staged().holders(self.index(), range.clone())?, limit.saturating_add(going), &mut ids)?;
        for (key, comes) in own {
            let Some(id) = indexes::id_of(&key) else { continue };
            match (ids.binary_search(&id), comes) {
                (Ok(at), false) => drop(ids.remove(at)),
                (Err(at), true) => ids.insert(at, id),
                (Ok(_), true) | (Err(_), false) => {}
            }
        }
        ids.truncate(limit);
        Ok(ids)
    }

    /// Whether `member` is directly in `group`.
    fn is_member(&self, group: EntryId, member: EntryId) -> Result<bool, Refusal> {
        Ok(self.members().get((group.0, member.0))?.is_some())
    }

    /// The members that `group` holds directly, by ascending id, those after `after`, at most `limit`.
    fn members_of(&self, group: EntryId, after: EntryId, limit: usize) -> Result<Vec<EntryId>, Refusal> {
        let from = (group.0, after.0.saturating_add(1));
        let mut out = Vec::new();
        for item in self.members().range(from..=(group.0, u64::MAX))?.take(limit) {
            out.push(EntryId(item?.0.value().1));
        }
        Ok(out)
    }

    /// The groups that hold `member` directly, at most `limit`.
    fn groups_of(&self, member: EntryId, limit: usize) -> Result<Vec<EntryId>, Refusal> {
        let mut out = Vec::new();
        for item in self.groups().range(membership::all_of(member))?.take(limit) {
            out.push(EntryId(item?.0.value().1));
        }
        Ok(out)
    }
}

/// The rows of a table whose keys begin with `prefix`, with what is in memory, the newest first; at most `limit`.
fn below<'l>(
    table: &impl ReadableTable<Bytes, u64>,
    in_memory: impl Iterator<Item = &'l Changes<Bytes, u64>>,
    prefix: &[u8],
    limit: usize,
) -> Result<BTreeMap<Vec<u8>, u64>, Refusal> {
    let mut own: BTreeMap<&[u8], Option<u64>> = BTreeMap::new();
    for changes in in_memory {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        for (key, value) in changes.range::<[u8], _>(from).take_while(|(key, _)| key.starts_with(prefix)) {
            own.entry(key).or_insert(*value);
        }
    }
    let going = own.values().filter(|value| value.is_none()).count();
    let end = indexes::after(prefix).unwrap_or_default();
    let mut found = BTreeMap::new();
    for item in table.range::<&[u8]>(prefix..end.as_slice())?.take(limit.saturating_add(going)) {
        let (key, value) = item?;
        found.insert(key.value().to_vec(), value.value());
    }
    for (key, value) in own {
        match value {
            Some(value) => found.insert(key.to_vec(), value),
            None => found.remove(key),
        };
    }
    while found.len() > limit {
        found.pop_last();
    }
    Ok(found)
}

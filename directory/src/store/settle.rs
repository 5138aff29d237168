//! What the lane puts off, and does before it commits.

use super::filter::Mark;
use super::merged::{Changes, LayerKey, LayerValue};
use super::pending::{Pending, Staging};
use super::staged::{Fresh, Limits};
use super::tables::meta;
use super::text::Trigram;
use super::unwritten::Layer;
use super::view::{Tables, View};
use super::{codec, rows, trigrams};
use crate::change::apply::Head;
use crate::error::Refusal;
use crate::id::{EntryId, Position, WriteSetId};
use crate::lifecycle::Account;
use std::sync::Arc;

/// Octets of records that wait in memory, of one transaction and of all layers: beyond that they are written.
const OCTETS: usize = 8 << 20;

/// Entries whose ids are as near as this may be beside each other in a table.
const NEAR: u64 = 64;
/// Names that differ in the last octets of their keys alone may be beside each other.
const TAIL: usize = 8;

impl Tables<'_> {
    /// What one transaction may put off; then it is written.
    fn most(&self) -> Limits {
        let Limits { keys, steps, .. } = self.limits;
        Limits { keys: keys.saturating_mul(2), steps: steps.saturating_mul(2), ..self.limits }
    }

    /// Writes what waits when it has become too much.
    fn bound(&mut self, waiting: usize) -> Result<(), Refusal> {
        let is_much = waiting > self.most().keys || self.unwritten.layer.octets > OCTETS;
        if is_much { self.write_rows() } else { Ok(()) }
    }

    /// The record of an entry; none: it goes.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_entry(&mut self, id: EntryId, record: Option<Vec<u8>>) -> Result<(), Refusal> {
        let layer = &mut self.unwritten.layer;
        layer.octets = layer.octets.saturating_add(record.as_ref().map_or(0, Vec::len));
        layer.entries.insert(id.0, record.map(Arc::from));
        self.bound(self.unwritten.layer.entries.len())
    }

    /// `child` comes under `parent`, or goes.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_child(&mut self, parent: EntryId, child: EntryId, comes: bool) -> Result<(), Refusal> {
        self.unwritten.layer.children.insert((parent.0, child.0), comes.then_some(()));
        self.bound(self.unwritten.layer.children.len())
    }

    /// An account has these facts; none: it is no account any more.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_account(&mut self, id: EntryId, facts: Option<&Account>) -> Result<(), Refusal> {
        let facts = facts.map(codec::encode).transpose()?;
        self.unwritten.layer.accounts.insert(id.0, facts.map(Arc::from));
        self.bound(self.unwritten.layer.accounts.len())
    }

    /// A name has this holder; none: it is free.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_claim(&mut self, key: Vec<u8>, holder: Option<u64>) -> Result<(), Refusal> {
        let layer = &mut self.unwritten.layer;
        layer.filter.add(Mark::of(&key));
        if let Some((prefix, _)) = key.split_last_chunk::<8>() {
            layer.filter.add(Mark::of(prefix));
        }
        layer.claims.insert(key, holder);
        self.bound(self.unwritten.layer.claims.len())
    }

    /// A DN key leads to this entry; none: to nothing.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_name(&mut self, key: Vec<u8>, entry: Option<EntryId>) -> Result<(), Refusal> {
        let layer = &mut self.unwritten.layer;
        layer.filter.add(Mark::of(&key));
        layer.names.insert(key, entry.map(|entry| entry.0));
        self.bound(self.unwritten.layer.names.len())
    }

    /// A write set has been carried out at this position.
    pub fn put_receipt(&mut self, set: WriteSetId, position: Position) {
        self.unwritten.layer.receipts.insert(set.0, Some(position.0));
    }

    /// Where a write set has been carried out, if it was.
    ///
    /// # Errors
    /// A failing store.
    pub fn receipt(&self, set: WriteSetId) -> Result<Option<Position>, Refusal> {
        if let Some(position) = self.in_memory().find_map(|layer| layer.receipts.get(&set.0)) {
            return Ok(position.map(Position));
        }
        Ok(redb::ReadableTable::get(&*self.receipts, set.0)?.map(|guard| Position(guard.value())))
    }

    /// Writes the rows that are in memory: those of all layers and the own ones, together.
    fn write_rows(&mut self) -> Result<(), Refusal> {
        self.is_torn = true;
        let own = std::mem::take(&mut self.unwritten.layer);
        if let Some(next) = self.in_memory().chain([&own]).filter_map(|layer| layer.next_id).max() {
            self.meta.write().insert(meta::NEXT_ID, next.0.to_le_bytes().as_slice())?;
        }
        let layers = std::mem::take(&mut self.pending.layers);
        let newest_first: Vec<&Layer> = [&own].into_iter().chain(layers.iter().rev().map(Arc::as_ref)).collect();
        let all = newest_first.as_slice();
        let entries = gathered::<u64, &[u8]>(all, |layer| &layer.entries);
        let entries = entries.iter().map(|(id, record)| (**id, record.as_deref()));
        rows::change(self.entries.write(), entries, |one, other| other.saturating_sub(*one) < NEAR)?;
        let children = gathered::<(u64, u64), ()>(all, |layer| &layer.children);
        let children = children.iter().map(|(key, comes)| (**key, **comes));
        rows::change(self.children.write(), children, |(one, _), (other, _)| one == other)?;
        let counts = gathered::<u64, u64>(all, |layer| &layer.counts);
        rows::change(self.counts.write(), counts.iter().map(|(id, count)| (**id, **count)), |_, _| false)?;
        let accounts = gathered::<u64, &[u8]>(all, |layer| &layer.accounts);
        let accounts = accounts.iter().map(|(id, facts)| (**id, facts.as_deref()));
        rows::change(self.accounts.write(), accounts, |one, other| other.saturating_sub(*one) < NEAR)?;
        let claims = gathered::<&[u8], u64>(all, |layer| &layer.claims);
        let claims = claims.iter().map(|(key, holder)| (key.as_slice(), **holder));
        rows::change(self.claims.write(), claims, |one, other| one.first_chunk::<3>() == other.first_chunk::<3>())?;
        let names = gathered::<&[u8], u64>(all, |layer| &layer.names);
        rows::change(self.names.write(), names.iter().map(|(key, entry)| (key.as_slice(), **entry)), |one, other| {
            let shared = one.iter().zip(other.iter()).take_while(|(a, b)| a == b).count();
            shared.saturating_add(TAIL) >= one.len()
        })?;
        let receipts = gathered::<u128, u64>(all, |layer| &layer.receipts);
        rows::change(self.receipts.write(), receipts.iter().map(|(set, at)| (**set, **at)), |_, _| true)?;
        let journal = gathered::<u64, &[u8]>(all, |layer| &layer.journal);
        let journal = journal.iter().map(|(at, record)| (**at, record.as_deref()));
        rows::change(self.journal.write(), journal, |_, _| true)?;
        self.is_torn = false;
        Ok(())
    }

    /// These keys of `index` come, or go.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_keys(&mut self, keys: impl IntoIterator<Item = Vec<u8>>, come: bool) -> Result<(), Refusal> {
        self.unwritten.keys.put(keys, come);
        if self.unwritten.keys.len() > self.most().keys { self.flush() } else { Ok(()) }
    }

    /// An entry comes to these trigrams of `text`, or goes.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_trigrams(&mut self, trigrams: &[Trigram], id: EntryId, come: bool) -> Result<(), Refusal> {
        self.unwritten.trigrams.put(trigrams, id, come);
        if self.unwritten.trigrams.len() > self.most().steps { self.flush() } else { Ok(()) }
    }

    /// Writes what waits, and brings the indexes up to date with all other tables.
    ///
    /// # Errors
    /// A failing store.
    pub fn flush(&mut self) -> Result<(), Refusal> {
        self.write_rows()?;
        self.pending.staged.flush(self.index.write(), self.text.write(), self.staged_rows.write())?;
        let keys = std::mem::take(&mut self.unwritten.keys);
        super::keys::write(self.index.write(), keys.newest_first().sorted().from(0))?;
        let trigrams = std::mem::take(&mut self.unwritten.trigrams);
        super::trigrams::write(self.text.write(), &trigrams::sorted(trigrams.newest_first()))
    }

    /// What this transaction has done to the indexes.
    fn take_fresh(&mut self) -> Fresh {
        Fresh::new(std::mem::take(&mut self.unwritten.keys), std::mem::take(&mut self.unwritten.trigrams))
    }

    /// Whether the commit can stay in memory: the transaction has written nothing, and there is room for one layer more.
    pub fn may_stay(&self) -> bool {
        let octets = self.in_memory().map(|layer| layer.octets).fold(0, usize::saturating_add);
        !self.is_touched() && self.pending.layers.len() < self.limits.commits && octets <= OCTETS
    }

    /// Rows that were in memory are lost half-way into their tables: the transaction is no good.
    pub fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// What the state has when the commit, which ends here, stays in memory. To be published once it is durable; the next
    /// commit of the transaction is over it.
    pub fn stay(&mut self, head: &Head) -> Pending {
        let fresh = self.take_fresh();
        let layer = std::mem::take(&mut self.unwritten.layer);
        self.pending.staged.keep(fresh);
        self.pending.layers.push(Arc::new(Layer { head: Some(*head), ..layer }));
        self.pending.clone()
    }

    /// Somebody has written something since the transaction began, or since a commit that has stayed.
    pub fn has_begun(&self) -> bool {
        !self.unwritten.is_empty() || self.is_touched()
    }

    /// Does what was put off, before the commit, which ends here.
    ///
    /// # Errors
    /// A failing store.
    pub fn settle(&mut self, head: &Head, staging: &Staging) -> Result<(), Refusal> {
        let fresh = self.take_fresh();
        self.pending.staged.take(
            fresh,
            head.position,
            self.limits,
            self.index.write(),
            self.text.write(),
            self.staged_rows.write(),
        )?;
        self.write_rows()?;
        head.write(self)?;
        self.pending.base = head.position;
        staging.publish(self.pending.clone());
        Ok(())
    }
}

/// What layers hold of a table, the newest first: in the order of the keys, each as it was done last.
fn gathered<'l, K: LayerKey, V: LayerValue>(
    layers: &[&'l Layer],
    of: fn(&Layer) -> &Changes<K, V>,
) -> Vec<(&'l K::Own, &'l Option<V::Own>)> {
    let mut all: Vec<_> = layers.iter().flat_map(|layer| of(layer)).collect();
    if layers.len() > 1 {
        // Stable: of the same key, what was done last comes first.
        all.sort_by_key(|(key, _)| *key);
        all.dedup_by(|(earlier, _), (last, _)| earlier == last);
    }
    all
}

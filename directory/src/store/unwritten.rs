//! What the write sets of a commit have done and the transaction has yet to write.
//!
//! Rows that many write sets touch, or that lie beside each other, are cheaper to write together: keys and trigrams of the
//! indexes, names, children and their number, the facts of accounts, claims, receipts, the journal's end, the next entry
//! id. The lane settles them before it commits, and stages what belongs to the indexes; a transaction that is given up
//! forgets them. What is asked of `index`, `names`, `counts`, `accounts` and `claims` meanwhile is answered with them
//! (`View`), as is a receipt; nothing else here is read before the commit.

use super::keys::Keys;
use super::staged::{Limits, Run, Staging};
use super::tables::meta;
use super::text::Trigram;
use super::trigrams::Trigrams;
use super::view::Tables;
use super::{codec, rows};
use crate::error::Refusal;
use crate::id::{EntryId, Position, WriteSetId};
use crate::lifecycle::Account;
use redb::ReadableTable;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Entries whose ids are as near as this may be beside each other in a table.
const NEAR: u64 = 64;
/// Names that differ in the last octets of their keys alone may be beside each other.
const TAIL: usize = 8;

/// What is yet to be written.
#[derive(Debug, Default)]
pub struct Unwritten {
    /// Of `text`.
    trigrams: Trigrams,
    /// Of `index`.
    keys: Keys,
    /// The records that come to the end of `journal`, in their order.
    pub journal: Vec<(Position, Vec<u8>)>,
    /// The next entry id, when one has been drawn.
    pub next_id: Option<EntryId>,
    /// Of `counts`; who has no children has no row.
    counts: BTreeMap<EntryId, u64>,
    /// Of `children`: whether each comes or goes.
    children: BTreeMap<(u64, u64), bool>,
    /// Of `accounts`; none: the row goes.
    accounts: BTreeMap<u64, Option<Vec<u8>>>,
    /// Of `claims`; none: the row goes.
    claims: BTreeMap<Vec<u8>, Option<u64>>,
    /// Of `names`; none: the row goes.
    names: BTreeMap<Vec<u8>, Option<u64>>,
    /// Of `receipts`.
    receipts: BTreeMap<u128, u64>,
}

impl Unwritten {
    /// Of `index`.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The number of an entry's children, if it has changed.
    pub fn count(&self, id: EntryId) -> Option<u64> {
        self.counts.get(&id).copied()
    }

    /// The facts of an account, if they have changed.
    pub fn account(&self, id: EntryId) -> Option<Option<&[u8]>> {
        self.accounts.get(&id.0).map(Option::as_deref)
    }

    /// The entry of a DN key, if that has changed.
    pub fn name(&self, key: &[u8]) -> Option<Option<u64>> {
        self.names.get(key).copied()
    }

    /// Who has a name, if that has changed.
    pub fn claim(&self, key: &[u8]) -> Option<Option<u64>> {
        self.claims.get(key).copied()
    }

    /// What has changed of the claims that begin with `prefix`, in the order of their keys.
    pub fn claims_below(&self, prefix: &[u8]) -> impl Iterator<Item = (&[u8], Option<u64>)> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let below = self.claims.range::<[u8], _>(from).take_while(move |(key, _)| key.starts_with(prefix));
        below.map(|(key, value)| (key.as_slice(), *value))
    }

    /// An entry has so many children now.
    pub fn set_count(&mut self, id: EntryId, count: u64) {
        self.counts.insert(id, count);
    }
}

impl Tables<'_> {
    /// What one transaction may put off; then it is written, with everything that is staged.
    fn most(&self) -> Limits {
        let Limits { keys, steps, rows } = self.limits;
        Limits { keys: keys.saturating_mul(2), steps: steps.saturating_mul(2), rows }
    }

    /// `child` comes under `parent`, or goes.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_child(&mut self, parent: EntryId, child: EntryId, comes: bool) -> Result<(), Refusal> {
        self.unwritten.children.insert((parent.0, child.0), comes);
        if self.unwritten.children.len() > self.most().keys { self.write_rows() } else { Ok(()) }
    }

    /// An account has these facts; none: it is no account any more.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_account(&mut self, id: EntryId, facts: Option<&Account>) -> Result<(), Refusal> {
        self.unwritten.accounts.insert(id.0, facts.map(codec::encode).transpose()?);
        if self.unwritten.accounts.len() > self.most().keys { self.write_rows() } else { Ok(()) }
    }

    /// A name has this holder; none: it is free.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_claim(&mut self, key: Vec<u8>, holder: Option<u64>) -> Result<(), Refusal> {
        self.unwritten.claims.insert(key, holder);
        if self.unwritten.claims.len() > self.most().keys { self.write_rows() } else { Ok(()) }
    }

    /// A DN key leads to this entry; none: to nothing.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_name(&mut self, key: Vec<u8>, entry: Option<EntryId>) -> Result<(), Refusal> {
        self.unwritten.names.insert(key, entry.map(|entry| entry.0));
        if self.unwritten.names.len() > self.most().keys { self.write_rows() } else { Ok(()) }
    }

    /// A write set has been carried out at this position.
    pub fn put_receipt(&mut self, set: WriteSetId, position: Position) {
        self.unwritten.receipts.insert(set.0, position.0);
    }

    /// Where a write set has been carried out, if it was.
    ///
    /// # Errors
    /// A failing store.
    pub fn receipt(&self, set: WriteSetId) -> Result<Option<Position>, Refusal> {
        if let Some(position) = self.unwritten.receipts.get(&set.0) {
            return Ok(Some(Position(*position)));
        }
        Ok(self.receipts.get(set.0)?.map(|guard| Position(guard.value())))
    }

    /// Writes what belongs to `children`, `accounts`, `claims`, `names` and `receipts`: before one of them is read as it is
    /// written.
    ///
    /// # Errors
    /// A failing store.
    pub fn write_rows(&mut self) -> Result<(), Refusal> {
        let Unwritten { children, accounts, claims, names, receipts, .. } = &mut self.unwritten;
        let rows = children.iter().map(|(key, comes)| (*key, comes.then_some(())));
        rows::change(&mut self.children, rows, |(one, _), (other, _)| one == other)?;
        let rows = accounts.iter().map(|(id, facts)| (*id, facts.as_deref()));
        rows::change(&mut self.accounts, rows, |one, other| other.saturating_sub(*one) < NEAR)?;
        let rows = claims.iter().map(|(key, holder)| (key.as_slice(), *holder));
        rows::change(&mut self.claims, rows, |one, other| one.first_chunk::<3>() == other.first_chunk::<3>())?;
        let rows = names.iter().map(|(key, entry)| (key.as_slice(), *entry));
        rows::change(&mut self.names, rows, |one, other| {
            let shared = one.iter().zip(other.iter()).take_while(|(a, b)| a == b).count();
            shared.saturating_add(TAIL) >= one.len()
        })?;
        let rows = receipts.iter().map(|(set, position)| (*set, Some(*position)));
        rows::change(&mut self.receipts, rows, |_, _| true)?;
        children.clear();
        accounts.clear();
        claims.clear();
        names.clear();
        receipts.clear();
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
        self.staged.flush(&mut self.index, &mut self.text, &mut self.staged_rows)?;
        let keys = std::mem::take(&mut self.unwritten.keys);
        let keys = keys.into_sorted();
        super::keys::write(&mut self.index, keys.iter().map(|(key, comes)| (key.as_slice(), *comes)))?;
        let trigrams = std::mem::take(&mut self.unwritten.trigrams);
        super::trigrams::write(&mut self.text, &trigrams.into_sorted())
    }

    /// Does what was put off, before the commit. `position` is that of its last write set.
    ///
    /// # Errors
    /// A failing store.
    pub fn settle(&mut self, position: Position, staging: &Staging) -> Result<(), Refusal> {
        let (keys, trigrams) = (std::mem::take(&mut self.unwritten.keys), std::mem::take(&mut self.unwritten.trigrams));
        if !keys.is_empty() || !trigrams.is_empty() {
            let run = Run::new(keys, trigrams);
            self.staged.take(
                run,
                position,
                staging.limits(),
                &mut self.index,
                &mut self.text,
                &mut self.staged_rows,
            )?;
            staging.publish(self.staged.clone());
        }
        self.write_rows()?;
        for (id, count) in std::mem::take(&mut self.unwritten.counts) {
            if count == 0 {
                self.counts.remove(id.0)?;
            } else {
                self.counts.insert(id.0, count)?;
            }
        }
        if let Some(next) = self.unwritten.next_id.take() {
            self.meta.insert(meta::NEXT_ID, next.0.to_le_bytes().as_slice())?;
        }
        let mut end = self.journal.upper_bound_mut(Bound::<u64>::Unbounded)?;
        for (position, record) in self.unwritten.journal.drain(..) {
            end.insert_before(position.0, record.as_slice())?;
        }
        Ok(end.close()?)
    }
}

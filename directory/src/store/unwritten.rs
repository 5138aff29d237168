//! What commits have done and the tables do not hold yet.
//!
//! ```text
//! write sets ─▶ what the transaction has done ─▶ the log ─▶ a layer (memory)
//!                                                            └─ after a few commits ─▶ all layers together ─▶ tables
//! ```
//!
//! Rows that many write sets touch, or that lie beside each other, are cheaper to write together, and so are commits of the
//! tables. A commit whose write sets have touched nothing else leaves what it has done as a layer: durable by the log, in
//! front of the tables for whoever reads. The first commit that touches another table, that makes the tables durable, or
//! that would leave one layer too many writes them all. What belongs to the indexes goes its own way
//! ([`staged`](super::staged)). A transaction that is given up forgets what it has done.
//! See docs/decisions/0010-layers.md.

use super::filter::Filter;
use super::keys::Keys;
use super::merged::Changes;
use super::tables::Bytes;
use super::trigrams::Trigrams;
use crate::change::apply::Head;
use crate::id::{EntryId, Position};
use std::sync::Arc;

/// What one commit leaves in memory, or many would have: rows of tables; none: the row goes.
#[derive(Debug, Default)]
pub struct Layer {
    /// Of `entries`.
    pub entries: Changes<u64, Bytes>,
    /// Of `names`.
    pub names: Changes<Bytes, u64>,
    /// Of `children`.
    pub children: Changes<(u64, u64), ()>,
    /// Of `counts`; who has no children has no row.
    pub counts: Changes<u64, u64>,
    /// Of `claims`.
    pub claims: Changes<Bytes, u64>,
    /// Of `accounts`.
    pub accounts: Changes<u64, Bytes>,
    /// Of `journal`.
    pub journal: Changes<u64, Bytes>,
    /// Of `receipts`.
    pub receipts: Changes<u128, u64>,
    /// The next entry id, when one has been drawn.
    pub next_id: Option<EntryId>,
    /// The keys of `names` and of `claims`; and those of `claims` without the id at their end.
    pub(super) filter: Filter,
    /// Of records of entries and of the journal, or some more.
    pub(super) octets: usize,
    /// Where the commit has ended.
    pub(super) head: Option<Head>,
}

/// What a transaction has yet to write.
#[derive(Debug, Default)]
pub struct Unwritten {
    /// Of most tables.
    pub(super) layer: Layer,
    /// Of `text`.
    pub(super) trigrams: Trigrams,
    /// Of `index`.
    pub(super) keys: Keys,
}

impl Layer {
    fn is_empty(&self) -> bool {
        let Layer {
            entries,
            names,
            children,
            counts,
            claims,
            accounts,
            journal,
            receipts,
            next_id,
            filter: _,
            octets: _,
            head: _,
        } = self;
        let rows = [entries.len(), names.len(), children.len(), counts.len(), claims.len(), accounts.len()];
        rows.iter().all(|rows| *rows == 0) && journal.is_empty() && receipts.is_empty() && next_id.is_none()
    }
}

impl Unwritten {
    /// Nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.layer.is_empty() && self.trigrams.is_empty() && self.keys.is_empty()
    }

    /// Of `index`.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The next entry id.
    pub fn set_next_id(&mut self, next: EntryId) {
        self.layer.next_id = Some(next);
    }

    /// An entry has so many children now.
    pub fn set_count(&mut self, id: EntryId, count: u64) {
        self.layer.counts.insert(id.0, (count > 0).then_some(count));
    }

    /// The record of a change.
    pub fn put_journal(&mut self, position: Position, record: Vec<u8>) {
        self.layer.octets = self.layer.octets.saturating_add(record.len());
        self.layer.journal.insert(position.0, Some(Arc::from(record)));
    }
}

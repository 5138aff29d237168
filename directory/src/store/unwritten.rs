//! What the write sets of a commit have done and the transaction has yet to write.
//!
//! Rows that many write sets touch, or that lie beside each other, are cheaper to write together: keys and trigrams of the
//! indexes, the number of children of a parent, the journal's end, the next entry id. The lane settles them before it
//! commits; a transaction that is given up forgets them. What is asked of `index` and `counts` meanwhile is answered
//! with them (`View`); nothing else here is read before the commit.

use super::keys::Keys;
use super::tables::meta;
use super::trigrams::Trigrams;
use super::view::Tables;
use crate::error::Refusal;
use crate::id::{EntryId, Position};
use std::collections::BTreeMap;
use std::ops::Bound;

/// What is yet to be written.
#[derive(Debug, Default)]
pub struct Unwritten {
    /// Of `text`.
    pub trigrams: Trigrams,
    /// Of `index`.
    pub keys: Keys,
    /// The records that come to the end of `journal`, in their order.
    pub journal: Vec<(Position, Vec<u8>)>,
    /// The next entry id, when one has been drawn.
    pub next_id: Option<EntryId>,
    /// Of `counts`; who has no children has no row.
    counts: BTreeMap<EntryId, u64>,
}

impl Unwritten {
    /// The number of an entry's children, if it has changed.
    pub fn count(&self, id: EntryId) -> Option<u64> {
        self.counts.get(&id).copied()
    }

    /// An entry has so many children now.
    pub fn set_count(&mut self, id: EntryId, count: u64) {
        self.counts.insert(id, count);
    }
}

impl Tables<'_> {
    /// Does what was put off: before the commit, and before `text` is read.
    ///
    /// # Errors
    /// A failing store.
    pub fn settle(&mut self) -> Result<(), Refusal> {
        self.unwritten.trigrams.write(&mut self.text)?;
        self.unwritten.keys.write(&mut self.index)?;
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

//! What the write sets of a commit have done and the transaction has yet to write.
//!
//! Rows that many write sets touch, or that lie beside each other, are cheaper to write together: keys and trigrams of the
//! indexes, the number of children of a parent, the journal's end, the next entry id. The lane settles them before it
//! commits, and stages what belongs to the indexes; a transaction that is given up forgets them. What is asked of `index`
//! and `counts` meanwhile is answered with them (`View`); nothing else here is read before the commit.

use super::keys::Keys;
use super::staged::{Run, Staging};
use super::tables::meta;
use super::text::Trigram;
use super::trigrams::Trigrams;
use super::view::Tables;
use crate::error::Refusal;
use crate::id::{EntryId, Position};
use std::collections::BTreeMap;
use std::ops::Bound;

/// So many keys are kept; then they are written, with everything that is staged.
const MOST_KEYS: usize = 1 << 16;
/// So many trigrams of entries.
const MOST_STEPS: usize = 1 << 18;

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

    /// An entry has so many children now.
    pub fn set_count(&mut self, id: EntryId, count: u64) {
        self.counts.insert(id, count);
    }
}

impl Tables<'_> {
    /// These keys of `index` come, or go.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_keys(&mut self, keys: impl IntoIterator<Item = Vec<u8>>, come: bool) -> Result<(), Refusal> {
        self.unwritten.keys.put(keys, come);
        if self.unwritten.keys.len() > MOST_KEYS { self.flush() } else { Ok(()) }
    }

    /// An entry comes to these trigrams of `text`, or goes.
    ///
    /// # Errors
    /// A failing store.
    pub fn put_trigrams(&mut self, trigrams: &[Trigram], id: EntryId, come: bool) -> Result<(), Refusal> {
        self.unwritten.trigrams.put(trigrams, id, come);
        if self.unwritten.trigrams.len() > MOST_STEPS { self.flush() } else { Ok(()) }
    }

    /// Brings the indexes up to date with all other tables.
    ///
    /// # Errors
    /// A failing store.
    pub fn flush(&mut self) -> Result<(), Refusal> {
        self.staged.flush(&mut self.index, &mut self.text, &mut self.staged_rows)?;
        let keys = std::mem::take(&mut self.unwritten.keys);
        super::keys::write(&mut self.index, keys.iter())?;
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
            let run = Run::new(&keys, trigrams);
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

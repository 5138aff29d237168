//! Changes of the substring index that a transaction has yet to write.
//!
//! Entries that are written together share most of their trigrams. So the steps are gathered over all write sets of a
//! commit, and each row of `text` is read and written once. The lane settles them before it commits; a transaction that
//! is given up forgets them.

#![deny(clippy::arithmetic_side_effects)]

use super::tables::Bytes;
use super::text::{self, Trigram};
use crate::error::Refusal;
use crate::id::EntryId;
use redb::Table;

/// So many steps are kept; then they are written.
const MOST: usize = 1 << 18;

/// Steps, in the order in which they were taken.
#[derive(Debug, Default)]
pub struct Trigrams(Vec<Step>);

/// An entry comes to a trigram, or goes.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// The row's key as a number, so that rows are in the order of the table.
    row: u64,
    offset: u16,
    comes: bool,
}

impl Trigrams {
    /// An entry comes to these trigrams, or goes.
    ///
    /// # Errors
    /// A failing store.
    pub fn put(
        &mut self,
        table: &mut Table<'_, Bytes, Bytes>,
        trigrams: &[Trigram],
        id: EntryId,
        comes: bool,
    ) -> Result<(), Refusal> {
        let (chunk, offset) = text::place(id);
        let row = |[a, b, c]: [u8; 3]| (u64::from(u32::from_be_bytes([0, a, b, c])) << 32) | u64::from(chunk);
        self.0.extend(trigrams.iter().map(|trigram| Step { row: row(*trigram), offset, comes }));
        if self.0.len() > MOST { self.write(table) } else { Ok(()) }
    }

    /// Writes the steps.
    ///
    /// # Errors
    /// A failing store.
    pub fn write(&mut self, table: &mut Table<'_, Bytes, Bytes>) -> Result<(), Refusal> {
        // Stable: what was done later to the same entry stays later.
        self.0.sort_by_key(|step| step.row);
        for steps in self.0.chunk_by(|one, other| one.row == other.row) {
            let Some(first) = steps.first() else { continue };
            let [_, a, b, c, chunk @ ..] = first.row.to_be_bytes();
            let key = text::key([a, b, c], u32::from_be_bytes(chunk));
            // Most rows change: the page becomes the transaction's when it is read (`rows`).
            let stored = table.get_mut(key.as_slice())?;
            let steps = steps.iter().map(|step| (step.offset, step.comes));
            let next = text::after(stored.as_ref().map_or(&[], |stored| stored.value()), steps);
            let was_there = stored.is_some();
            drop(stored);
            match next {
                Some(next) if !next.is_empty() => drop(table.insert(key.as_slice(), next.as_slice())?),
                Some(_) if was_there => drop(table.remove(key.as_slice())?),
                Some(_) | None => {}
            }
        }
        self.0.clear();
        Ok(())
    }
}

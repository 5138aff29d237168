//! Steps of the substring index: what a transaction has done to it, and writing it down.
//!
//! Entries that are written together share most of their trigrams. So the steps are gathered over all write sets of a
//! commit, and wait with those of other commits (`store::staged`) until each row of `text` is read and written once for
//! many of them.

#![deny(clippy::arithmetic_side_effects)]

use super::tables::Bytes;
use super::text::{self, Trigram};
use crate::error::Refusal;
use crate::id::EntryId;
use redb::Table;

/// Steps, in the order in which they were taken.
#[derive(Debug, Default)]
pub struct Trigrams(Vec<Step>);

/// An entry comes to a trigram, or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The row's key as a number, so that rows are in the order of the table.
    pub row: u64,
    /// The entry's place in the chunk.
    pub offset: u16,
    /// It comes.
    pub comes: bool,
}

impl Step {
    /// What a later step of the same place replaces: the row and the offset as one number, which is compared without a branch.
    pub fn place(&self) -> u128 {
        (u128::from(self.row) << 16) | u128::from(self.offset)
    }

    /// The trigram.
    pub fn trigram(&self) -> Trigram {
        let [_, a, b, c, ..] = self.row.to_be_bytes();
        [a, b, c]
    }

    /// The number of the chunk.
    pub fn chunk(&self) -> u32 {
        let [_, _, _, _, chunk @ ..] = self.row.to_be_bytes();
        u32::from_be_bytes(chunk)
    }
}

/// The key of a row of `text` as a number.
pub fn row(trigram: Trigram, chunk: u32) -> u64 {
    let [a, b, c] = trigram;
    (u64::from(u32::from_be_bytes([0, a, b, c])) << 32) | u64::from(chunk)
}

impl Trigrams {
    /// An entry comes to these trigrams, or goes.
    pub fn put(&mut self, trigrams: &[Trigram], id: EntryId, comes: bool) {
        let (chunk, offset) = text::place(id);
        self.0.extend(trigrams.iter().map(|trigram| Step { row: row(*trigram, chunk), offset, comes }));
    }

    /// The number of steps.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// No step was taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The steps, what was done last first.
    pub fn newest_first(mut self) -> Vec<Step> {
        self.0.reverse();
        self.0
    }
}

/// Steps in the order of their rows and offsets, each place as it stands first.
pub fn sorted(mut steps: Vec<Step>) -> Vec<Step> {
    // Stable, and quick for what is a few sorted lists.
    steps.sort_by_key(Step::place);
    steps.dedup_by_key(|step| step.place());
    steps
}

/// Writes steps, which are in the order of their rows.
///
/// # Errors
/// A failing store.
pub fn write(table: &mut Table<'_, Bytes, Bytes>, steps: &[Step]) -> Result<(), Refusal> {
    for steps in steps.chunk_by(|one, other| one.row == other.row) {
        let Some(first) = steps.first() else { continue };
        let key = text::key(first.trigram(), first.chunk());
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
    Ok(())
}

//! Reading a range of `index` as if everything that is staged stood there.

use super::Staged;
use super::run::{Fresh, Run};
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::store::indexes;
use crate::store::tables::Bytes;
use redb::{OwnedRange, Range};
use std::cmp::Ordering;
use std::sync::Arc;

/// Staged keys of a range, in their order, each as the last run left it.
#[derive(Debug)]
pub struct Walk {
    /// Newest first, each with the place of its next key.
    runs: Vec<(Part, usize)>,
    end: Vec<u8>,
}

/// A run, wherever it lies.
#[derive(Debug)]
enum Part {
    Fresh(Arc<Fresh>),
    Stored(Arc<Run>),
}

impl Part {
    fn run(&self) -> &Run {
        match self {
            Part::Fresh(fresh) => fresh.run(),
            Part::Stored(run) => run,
        }
    }
}

impl Walk {
    pub(super) fn new(staged: &Staged, range: std::ops::Range<&[u8]>) -> Walk {
        let mut runs = Vec::new();
        let fresh = staged.fresh.iter().rev().cloned().map(Part::Fresh);
        for part in fresh.chain(staged.runs.iter().rev().cloned().map(Part::Stored)) {
            let at = part.run().lower_bound(range.start);
            if part.run().key(at).is_some_and(|(key, _)| key < range.end) {
                runs.push((part, at));
            }
        }
        Walk { runs, end: range.end.to_vec() }
    }

    /// Nothing is left.
    fn is_done(&self) -> bool {
        self.runs.is_empty()
    }

    /// The next key, and whether it comes.
    fn peek(&self) -> Option<(&[u8], bool)> {
        let nexts = self.runs.iter().filter_map(|(part, at)| part.run().key(*at));
        // Of equal ones the first, which is of the newest run.
        nexts.min_by(|one, other| one.0.cmp(other.0))
    }

    /// Goes beyond the next key, which is this one.
    fn pass(&mut self, key: &[u8]) {
        let end = self.end.as_slice();
        self.runs.retain_mut(|(part, at)| {
            let run = part.run();
            if run.key(*at).is_some_and(|(next, _)| next == key) {
                *at = at.saturating_add(1);
            }
            run.key(*at).is_some_and(|(next, _)| next < end)
        });
    }
}

/// Keys of a table, one after another.
pub trait Rows {
    /// Asks for the next key; false: there is none.
    ///
    /// # Errors
    /// A failing store.
    fn next_row(&mut self, each: impl FnMut(&[u8])) -> Result<bool, Refusal>;
}

impl Rows for Range<'_, Bytes, ()> {
    fn next_row(&mut self, mut each: impl FnMut(&[u8])) -> Result<bool, Refusal> {
        let Some(row) = self.next() else { return Ok(false) };
        each(row?.0.value());
        Ok(true)
    }
}

impl Rows for OwnedRange<Bytes, ()> {
    fn next_row(&mut self, mut each: impl FnMut(&[u8])) -> Result<bool, Refusal> {
        let Some(row) = self.next() else { return Ok(false) };
        each(row?.0.value());
        Ok(true)
    }
}

/// The entries of a range of keys, in the order of the keys.
#[derive(Debug)]
pub struct Holders<R> {
    rows: R,
    walk: Walk,
    /// The table's next key, once it was asked for.
    row: Option<Vec<u8>>,
}

impl<R: Rows> Holders<R> {
    /// `rows` and `walk` are of one range.
    pub fn new(rows: R, walk: Walk) -> Holders<R> {
        Holders { rows, walk, row: None }
    }

    /// The entry of the next key.
    ///
    /// # Errors
    /// A failing store.
    pub fn next_id(&mut self) -> Result<Option<EntryId>, Refusal> {
        loop {
            if self.row.is_none() && self.walk.is_done() {
                let mut id = None;
                let is_there = self.rows.next_row(|key| id = indexes::id_of(key))?;
                return if is_there { id.ok_or_else(damaged).map(Some) } else { Ok(None) };
            }
            if self.row.is_none() {
                let row = &mut self.row;
                self.rows.next_row(|key| *row = Some(key.to_vec()))?;
            }
            let order = match (self.row.as_deref(), self.walk.peek()) {
                (Some(row), Some((staged, _))) => row.cmp(staged),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return Ok(None),
            };
            if order == Ordering::Less {
                let row = self.row.take().unwrap_or_default();
                return indexes::id_of(&row).ok_or_else(damaged).map(Some);
            }
            if order == Ordering::Equal {
                self.row = None;
            }
            let Some((key, comes)) = self.walk.peek().map(|(key, comes)| (key.to_vec(), comes)) else { continue };
            self.walk.pass(&key);
            if comes {
                return indexes::id_of(&key).ok_or_else(damaged).map(Some);
            }
        }
    }
}

fn damaged() -> Refusal {
    Refusal::new(Reason::Store, "the store failed").with_detail("a key of `index` names no entry")
}

//! What is done to `index` and `text` and does not stand there yet: the two tables lag behind all others.
//!
//! An entry has some twenty keys and some fifty trigrams, and each of them lies elsewhere. What some commits have done to them
//! is one row of `staged`, and is carried over to their places later, many at once: those of many commits have neighbours.
//!
//! ```text
//! commit ─▶ fresh (memory, and the log) ─▶ with some others a run, one row of `staged` ─▶ merged with its neighbours (memory)
//!        ─▶ sealed ─▶ written part by part ─▶ rows deleted
//! ```
//!
//! What is fresh is in the log; of the others the rows are the truth, and the runs in memory are the same, merged. Whoever
//! reads an index reads the table and the runs, of which the newest has the last word. A key may so stand in a run and in the
//! table: that is no different from standing in one of them, which is why a sealed run can be written over several commits,
//! and again after a crash.
//! See docs/decisions/0008-late-indexes.md.

mod run;
mod walk;

pub use run::{Fresh, Run};
pub use walk::{Holders, Walk};

use super::keys;
use super::tables::Bytes;
use super::text::{self, Trigram};
use super::trigrams::{self, Step};
use crate::error::Refusal;
use crate::id::{EntryId, Position};
use redb::{ReadableTable, Table};
use std::ops::Range;
use std::sync::Arc;

/// How far tables may lag behind. Of the indexes: what is sealed together; half as much may have come when that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Keys of `index`: some sixty octets of memory each.
    pub keys: usize,
    /// Trigrams of entries: 16 octets of memory each.
    pub steps: usize,
    /// Rows, which are read when the store is opened: the same keys may change in many commits.
    pub rows: usize,
    /// Commits that are in memory and in the log alone (`store::unwritten`).
    pub commits: usize,
}

impl Default for Limits {
    /// The keys and trigrams of some two thousand people: four megabytes.
    fn default() -> Limits {
        Limits { keys: 1 << 15, steps: 1 << 17, rows: 1 << 12, commits: 7 }
    }
}

/// The runs of one state, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Staged {
    runs: Vec<Arc<Run>>,
    /// How often each of the runs was merged.
    levels: Vec<u8>,
    /// What has no row yet, later than all runs, oldest first.
    fresh: Vec<Arc<Fresh>>,
    /// The first of the runs is being written.
    sealed: Option<Sealed>,
    /// The rows of the others.
    open: usize,
    /// The first and the last row.
    rows: Option<(Position, Position)>,
}

/// How far the sealed run is written.
#[derive(Debug, Clone, Copy)]
struct Sealed {
    /// Its last row.
    last: Position,
    keys: usize,
    steps: usize,
}

impl Staged {
    /// Reads the rows.
    ///
    /// # Errors
    /// A failing or damaged store.
    pub fn read(table: &impl ReadableTable<u64, Bytes>) -> Result<Staged, Refusal> {
        let mut staged = Staged::default();
        for row in table.range::<u64>(..)? {
            let (position, stored) = row?;
            staged.push(Run::decode(stored.value())?, Position(position.value()));
        }
        Ok(staged)
    }

    /// The first and the last row, by which a state is known.
    pub fn rows(&self) -> Option<(Position, Position)> {
        self.rows
    }

    /// What a commit has done that stays in memory.
    pub fn keep(&mut self, fresh: Fresh) {
        if !fresh.is_empty() {
            self.fresh.push(Arc::new(fresh));
        }
    }

    /// All of it, the newest first.
    fn newest_first(&self) -> impl Iterator<Item = &Run> {
        self.fresh.iter().rev().map(|fresh| fresh.run()).chain(self.runs.iter().rev().map(Arc::as_ref))
    }

    /// What of it has rows, as one run.
    pub fn stored(&self) -> Run {
        Run::merged(&self.runs)
    }

    /// Nothing is staged.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.fresh.is_empty()
    }

    /// A later run. Of every four that were merged as often, one is made, so that there are few.
    fn push(&mut self, run: Run, position: Position) {
        self.runs.push(Arc::new(run));
        self.levels.push(0);
        self.open = self.open.saturating_add(1);
        while let Some(level) = self.levels.last().copied()
            && let Some(first) = self.levels.len().checked_sub(TOGETHER)
            && self.levels.get(first..).is_some_and(|levels| levels.iter().all(|other| *other == level))
        {
            let merged = Run::merged(self.runs.get(first..).unwrap_or_default());
            self.runs.truncate(first);
            self.levels.truncate(first);
            self.runs.push(Arc::new(merged));
            self.levels.push(level.saturating_add(1));
        }
        self.rows = Some((self.rows.map_or(position, |(first, _)| first), position));
    }

    /// Everything that is staged, as one run.
    pub fn whole(&self) -> Run {
        let mut runs = self.runs.clone();
        runs.push(Arc::new(Fresh::merged(&self.fresh)));
        Run::merged(&runs)
    }

    /// What was done to a key, if anything.
    pub fn find(&self, key: &[u8]) -> Option<bool> {
        self.newest_first().find_map(|run| run.find(key))
    }

    /// The entries of a range of keys of `index`.
    ///
    /// # Errors
    /// A failing store.
    pub fn holders<'t>(
        &self,
        table: &'t impl ReadableTable<Bytes, ()>,
        range: Range<&[u8]>,
    ) -> Result<Holders<redb::Range<'t, Bytes, ()>>, Refusal> {
        Ok(Holders::new(table.range::<&[u8]>(range.clone())?, self.walk(range)))
    }

    /// The staged keys of a range.
    pub fn walk(&self, range: Range<&[u8]>) -> Walk {
        Walk::new(self, range)
    }

    /// The chunks of a trigram as they are to be stored, by their numbers, until one is enough.
    ///
    /// # Errors
    /// A failing store.
    pub fn chunks(
        &self,
        table: &impl ReadableTable<Bytes, Bytes>,
        trigram: Trigram,
        mut each: impl FnMut(u32, &[u8]) -> bool,
    ) -> Result<(), Refusal> {
        let (from, to) = (text::key(trigram, 0), text::key(trigram, u32::MAX));
        let steps = self.steps_of(trigram);
        let mut steps = steps.chunk_by(|one, other| one.row == other.row).peekable();
        let number = |steps: &[Step]| steps.first().map_or(u32::MAX, Step::chunk);
        let changed =
            |steps: &[Step], stored: &[u8]| text::after(stored, steps.iter().map(|step| (step.offset, step.comes)));
        // A chunk of nobody is none.
        let mut show = |number: u32, stored: &[u8]| stored.is_empty() || each(number, stored);
        for row in table.range::<&[u8]>(from.as_slice()..=to.as_slice())? {
            let (key, stored) = row?;
            let chunk = text::chunk_of(key.value()).unwrap_or(0);
            while let Some(new) = steps.next_if(|steps| number(steps) < chunk) {
                if !show(number(new), &changed(new, &[]).unwrap_or_default()) {
                    return Ok(());
                }
            }
            let next = steps.next_if(|steps| number(steps) == chunk).and_then(|steps| changed(steps, stored.value()));
            if !show(chunk, next.as_deref().unwrap_or(stored.value())) {
                return Ok(());
            }
        }
        for new in steps {
            if !show(number(new), &changed(new, &[]).unwrap_or_default()) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The steps of a trigram, each as the last run left it.
    fn steps_of(&self, trigram: Trigram) -> Vec<Step> {
        let (from, to) = (trigrams::row(trigram, 0), trigrams::row(trigram, u32::MAX));
        let mut all = Vec::new();
        for run in self.newest_first() {
            let rest = run.steps().get(run.steps().partition_point(|step| step.row < from)..).unwrap_or_default();
            all.extend_from_slice(rest.get(..rest.partition_point(|step| step.row <= to)).unwrap_or_default());
        }
        if self.runs.len().saturating_add(self.fresh.len()) > 1 {
            // Stable: of the same place, that of the newest run comes first.
            all.sort_by_key(Step::place);
            all.dedup_by_key(|step| step.place());
        }
        all
    }

    /// A commit at `position` has done this. It gets its row, with those before it that have none; and of the sealed run more
    /// than twice as much is written as has come, so that it is done before the next one is to be sealed.
    ///
    /// # Errors
    /// A failing store.
    pub fn take(
        &mut self,
        fresh: Fresh,
        position: Position,
        limits: Limits,
        index: &mut Table<'_, Bytes, ()>,
        text: &mut Table<'_, Bytes, Bytes>,
        rows: &mut Table<'_, u64, Bytes>,
    ) -> Result<(), Refusal> {
        self.keep(fresh);
        if self.fresh.is_empty() {
            return Ok(());
        }
        let run = Fresh::merged(&std::mem::take(&mut self.fresh));
        let (new_keys, new_steps) = (run.len(), run.steps().len());
        rows.insert(position.0, run.encode().as_slice())?;
        self.push(run, position);
        let is_full = self.is_full(limits);
        if self.sealed.is_none() && is_full {
            self.seal();
            return Ok(());
        }
        // A write set may be larger than all that is let wait.
        let part = |new: usize, limit: usize| {
            if is_full { usize::MAX } else { new.saturating_mul(2).saturating_add(limit / SLICES).max(1) }
        };
        self.write_part(part(new_keys, limits.keys), part(new_steps, limits.steps), index, text, rows)
    }

    /// Whether the runs that are not sealed hold as much as is sealed at once.
    fn is_full(&self, limits: Limits) -> bool {
        let open = self.runs.iter().skip(usize::from(self.sealed.is_some()));
        let (keys, steps) = open.fold((0_usize, 0_usize), |(keys, steps), run| {
            (keys.saturating_add(run.len()), steps.saturating_add(run.steps().len()))
        });
        keys >= limits.keys || steps >= limits.steps || self.open >= limits.rows
    }

    fn seal(&mut self) {
        if let Some((_, last)) = self.rows {
            self.runs = vec![Arc::new(self.whole())];
            self.levels = vec![SEALED];
            self.sealed = Some(Sealed { last, keys: 0, steps: 0 });
            self.open = 0;
        }
    }

    /// Writes the next part of the sealed run; after the last one its rows and itself are gone.
    fn write_part(
        &mut self,
        keys: usize,
        steps: usize,
        index: &mut Table<'_, Bytes, ()>,
        text: &mut Table<'_, Bytes, Bytes>,
        rows: &mut Table<'_, u64, Bytes>,
    ) -> Result<(), Refusal> {
        let (Some(sealed), Some(run)) = (&mut self.sealed, self.runs.first()) else { return Ok(()) };
        keys::write(index, run.keys_from(sealed.keys).take(keys))?;
        sealed.keys = sealed.keys.saturating_add(keys).min(run.len());
        let rest = run.steps().get(sealed.steps..).unwrap_or_default();
        let part = whole_rows(rest, steps);
        trigrams::write(text, part)?;
        sealed.steps = sealed.steps.saturating_add(part.len());
        if sealed.keys < run.len() || part.len() < rest.len() {
            return Ok(());
        }
        let done = sealed.last;
        rows.retain_in::<u64, _>(..=done.0, |_, _| false)?;
        self.runs.remove(0);
        self.levels.remove(0);
        self.sealed = None;
        let first = rows.first()?.map(|(position, _)| Position(position.value()));
        self.rows = first.zip(self.rows).map(|(first, (_, last))| (first, last));
        Ok(())
    }

    /// Writes everything.
    ///
    /// # Errors
    /// A failing store.
    pub fn flush(
        &mut self,
        index: &mut Table<'_, Bytes, ()>,
        text: &mut Table<'_, Bytes, Bytes>,
        rows: &mut Table<'_, u64, Bytes>,
    ) -> Result<(), Refusal> {
        // What of a sealed run is written already may have been undone by a later one: both are written, the last one holds.
        let whole = self.whole();
        keys::write(index, whole.keys_from(0))?;
        trigrams::write(text, whole.steps())?;
        rows.retain(|_, _| false)?;
        *self = Staged::default();
        Ok(())
    }
}

/// A sealed run is written over so many commits at most.
const SLICES: usize = 512;

/// So many runs become one.
const TOGETHER: usize = 4;
/// The level of a sealed run, which is merged with no other.
const SEALED: u8 = u8::MAX;

/// The first steps, at least so many if there are, and not a part of a row.
fn whole_rows(steps: &[Step], least: usize) -> &[Step] {
    let Some(at) = least.checked_sub(1) else { return &[] };
    let last = steps.get(at).map(|step| step.row);
    let end = last.map_or(steps.len(), |last| steps.partition_point(|step| step.row <= last));
    steps.get(..end).unwrap_or(steps)
}

/// Appends the entries of a value or a range, at most `limit`; whether there are more.
///
/// # Errors
/// A failing store.
pub fn gather<R: walk::Rows>(holders: &mut Holders<R>, limit: usize, out: &mut Vec<EntryId>) -> Result<bool, Refusal> {
    while let Some(id) = holders.next_id()? {
        if out.len() >= limit {
            return Ok(true);
        }
        out.push(id);
    }
    Ok(false)
}

#[cfg(test)]
mod tests;

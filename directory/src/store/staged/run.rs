//! What some commits have done to the two indexes: sorted, each key once, never changed.

#![deny(clippy::arithmetic_side_effects)]

use crate::error::{Reason, Refusal};
use crate::store::keys::{Keys, head};
use crate::store::text::CHUNK;
use crate::store::trigrams::{Step, Trigrams};
use std::sync::Arc;

/// Offsets are below 4,096: this bit of a written one says that the entry goes.
const GOES: u16 = 1 << 15;

/// Sorted keys of `index` and steps of `text`. In memory the keys lie behind each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Run {
    bytes: Vec<u8>,
    keys: Vec<Place>,
    steps: Vec<Step>,
}

/// Where a key lies, and whether it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    at: usize,
    length: usize,
    comes: bool,
}

impl Run {
    /// What a transaction has done.
    pub fn new(keys: Keys, steps: Trigrams) -> Run {
        let keys = keys.into_sorted();
        let mut run = Run { bytes: Vec::new(), keys: Vec::with_capacity(keys.len()), steps: steps.into_sorted() };
        for (key, comes) in &keys {
            run.push(key, *comes);
        }
        run
    }

    fn push(&mut self, key: &[u8], comes: bool) {
        self.keys.push(Place { at: self.bytes.len(), length: key.len(), comes });
        self.bytes.extend_from_slice(key);
    }

    fn of(&self, place: &Place) -> &[u8] {
        self.bytes.get(place.at..place.at.saturating_add(place.length)).unwrap_or_default()
    }

    /// The key at a place, and whether it comes.
    pub fn key(&self, at: usize) -> Option<(&[u8], bool)> {
        self.keys.get(at).map(|place| (self.of(place), place.comes))
    }

    /// The place of the first key that is not less than this one.
    pub fn lower_bound(&self, key: &[u8]) -> usize {
        self.keys.partition_point(|place| self.of(place) < key)
    }

    /// What was done to a key, if anything.
    pub fn find(&self, key: &[u8]) -> Option<bool> {
        self.key(self.lower_bound(key)).filter(|(found, _)| *found == key).map(|(_, comes)| comes)
    }

    /// Keys from a place on, and whether they come.
    pub fn keys_from(&self, at: usize) -> impl Iterator<Item = (&[u8], bool)> {
        self.keys.get(at..).unwrap_or_default().iter().map(|place| (self.of(place), place.comes))
    }

    /// All steps, in the order of their rows and offsets.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The number of its keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Nothing was done.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.steps.is_empty()
    }

    /// What runs have done together, the oldest first.
    pub fn merged(runs: &[Arc<Run>]) -> Run {
        let sum = |length: fn(&Run) -> usize| runs.iter().map(|run| length(run)).fold(0, usize::saturating_add);
        let mut keys = Vec::with_capacity(sum(|run| run.keys.len()));
        let mut steps = Vec::with_capacity(sum(|run| run.steps.len()));
        for run in runs.iter().rev() {
            keys.extend(run.keys_from(0).map(|(key, comes)| (head(key), key, comes)));
            steps.extend_from_slice(&run.steps);
        }
        // Stable, and quick for what is a few sorted lists: of the same key, the newest comes first.
        keys.sort_by_key(|(head, key, _)| (*head, *key));
        keys.dedup_by(|(_, later, _), (_, first, _)| later == first);
        steps.sort_by_key(Step::place);
        steps.dedup_by_key(|step| step.place());
        let bytes = Vec::with_capacity(sum(|run| run.bytes.len()));
        let mut out = Run { bytes, keys: Vec::with_capacity(keys.len()), steps };
        for (_, key, comes) in keys {
            out.push(key, comes);
        }
        out
    }

    /// The stored form: the number of keys, each without what it shares with the one before, then the steps by row.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len().saturating_add(self.steps.len().saturating_mul(4)));
        out.extend_from_slice(&u32::try_from(self.keys.len()).unwrap_or(u32::MAX).to_le_bytes());
        let mut before: &[u8] = &[];
        for (key, comes) in self.keys_from(0) {
            let shared = key.iter().zip(before).take(255).take_while(|(a, b)| a == b).count();
            let rest = key.get(shared..).unwrap_or_default();
            out.push(u8::try_from(shared).unwrap_or(0));
            out.extend_from_slice(&u32::try_from(rest.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.push(u8::from(comes));
            out.extend_from_slice(rest);
            before = key;
        }
        for steps in self.steps.chunk_by(|one, other| one.row == other.row) {
            let Some(first) = steps.first() else { continue };
            out.extend_from_slice(&first.row.to_le_bytes());
            out.extend_from_slice(&u16::try_from(steps.len()).unwrap_or(u16::MAX).to_le_bytes());
            for step in steps {
                let goes = if step.comes { 0 } else { GOES };
                out.extend_from_slice(&(step.offset | goes).to_le_bytes());
            }
        }
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// `Store` when it is none.
    pub fn decode(stored: &[u8]) -> Result<Run, Refusal> {
        read(stored)
            .ok_or_else(|| Refusal::new(Reason::Store, "the store failed").with_detail("a row of `staged` is damaged"))
    }
}

fn read(mut stored: &[u8]) -> Option<Run> {
    let mut run = Run::default();
    let mut before = Vec::new();
    for _ in 0..u32::from_le_bytes(take(&mut stored)?) {
        let [shared] = take(&mut stored)?;
        let length = u32::from_le_bytes(take(&mut stored)?);
        let [comes] = take(&mut stored)?;
        let (rest, behind) = stored.split_at_checked(usize::try_from(length).ok()?)?;
        if usize::from(shared) > before.len() || comes > 1 {
            return None;
        }
        before.truncate(usize::from(shared));
        before.extend_from_slice(rest);
        run.push(&before, comes == 1);
        stored = behind;
    }
    while !stored.is_empty() {
        let row = u64::from_le_bytes(take(&mut stored)?);
        for _ in 0..u16::from_le_bytes(take(&mut stored)?) {
            let offset = u16::from_le_bytes(take(&mut stored)?);
            if u64::from(offset & !GOES) >= CHUNK {
                return None;
            }
            run.steps.push(Step { row, offset: offset & !GOES, comes: offset & GOES == 0 });
        }
    }
    let keys = (0..run.len()).map(|at| run.key(at));
    let sorted = keys.is_sorted_by(|one, other| one.map(|k| k.0) < other.map(|k| k.0));
    (sorted && run.steps.is_sorted_by(|one, other| one.place() < other.place())).then_some(run)
}

fn take<const N: usize>(stored: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = stored.split_first_chunk::<N>()?;
    *stored = rest;
    Some(*taken)
}

//! What some commits have done to the two indexes: sorted, each key once, never changed.

#![deny(clippy::arithmetic_side_effects)]

use crate::error::{Reason, Refusal};
use crate::store::keys::{Keys, List};
use crate::store::text::CHUNK;
use crate::store::trigrams::{self, Step, Trigrams};
use std::sync::{Arc, OnceLock};

/// Offsets are below 4,096: this bit of a written one says that the entry goes.
const GOES: u16 = 1 << 15;

/// Sorted keys of `index` and steps of `text`.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Run {
    keys: List,
    steps: Vec<Step>,
}

/// What one commit has done, which has no row yet: sorted when somebody asks, as most are written before.
#[derive(Debug, Default)]
pub struct Fresh {
    /// What was done last first.
    given: Run,
    sorted: OnceLock<Run>,
}

impl Fresh {
    /// What a transaction has done.
    pub fn new(keys: Keys, steps: Trigrams) -> Fresh {
        Fresh { given: Run { keys: keys.newest_first(), steps: steps.newest_first() }, sorted: OnceLock::new() }
    }

    /// Nothing was done.
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// In order.
    pub fn run(&self) -> &Run {
        self.sorted.get_or_init(|| Run {
            keys: self.given.keys.clone().sorted(),
            steps: trigrams::sorted(self.given.steps.clone()),
        })
    }

    /// What several have done together, the oldest first.
    pub fn merged(all: &[Arc<Fresh>]) -> Run {
        Run::of(all.iter().rev().map(|fresh| fresh.sorted.get().unwrap_or(&fresh.given)))
    }
}

impl Run {
    /// The key at a place, and whether it comes.
    pub fn key(&self, at: usize) -> Option<(&[u8], bool)> {
        self.keys.get(at)
    }

    /// The place of the first key that is not less than this one.
    pub fn lower_bound(&self, key: &[u8]) -> usize {
        self.keys.lower_bound(key)
    }

    /// What was done to a key, if anything.
    pub fn find(&self, key: &[u8]) -> Option<bool> {
        self.key(self.lower_bound(key)).filter(|(found, _)| *found == key).map(|(_, comes)| comes)
    }

    /// Keys from a place on, and whether they come.
    pub fn keys_from(&self, at: usize) -> impl Iterator<Item = (&[u8], bool)> {
        self.keys.from(at)
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
        Run::of(runs.iter().rev().map(Arc::as_ref))
    }

    /// In order, whatever stands first of each.
    fn of<'r>(newest_first: impl Iterator<Item = &'r Run> + Clone) -> Run {
        let keys = List::merged(newest_first.clone().map(|run| &run.keys));
        let count = newest_first.clone().map(|run| run.steps.len()).fold(0, usize::saturating_add);
        let mut steps = Vec::with_capacity(count);
        for run in newest_first {
            steps.extend_from_slice(&run.steps);
        }
        Run { keys, steps: trigrams::sorted(steps) }
    }

    /// The stored form: the number of keys, each without what it shares with the one before, then the steps by row.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.keys.octets().saturating_add(self.steps.len().saturating_mul(4)));
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
        run.keys.push(&before, comes == 1);
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

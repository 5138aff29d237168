//! The substring index: which entries hold a trigram in any of their searched texts.
//!
//! One index serves all attributes whose catalog line says `Index::Text`, so that a name that stands in `cn`,
//! `displayName` and `mail` costs its trigrams once. The ids of a trigram lie in chunks of [`CHUNK`] consecutive ids:
//! key `trigram (3 bytes) | chunk u32 BE`, value a sorted list of u16 offsets, or a bitmap of 512 bytes once a list
//! would be longer. An id in the list is a candidate only: the filter is evaluated on the entry.

#![deny(clippy::arithmetic_side_effects)]

use crate::id::EntryId;

/// Ids per chunk.
pub const CHUNK: u64 = 4096;
const BITMAP: usize = 512;

/// A trigram of normalised text.
pub type Trigram = [u8; 3];

/// Appends the trigrams of a normalised value, in the order of the text.
pub fn trigrams(text: &[u8], out: &mut Vec<Trigram>) {
    out.extend(text.windows(3).filter_map(|window| window.first_chunk::<3>().copied()));
}

/// The chunk of an id, and the offset in it.
pub fn place(id: EntryId) -> (u32, u16) {
    let chunk = u32::try_from(id.0 / CHUNK).unwrap_or(u32::MAX);
    (chunk, u16::try_from(id.0 % CHUNK).unwrap_or(0))
}

/// The key of a chunk.
pub fn key(trigram: Trigram, chunk: u32) -> [u8; 7] {
    let mut out = [0; 7];
    let (head, tail) = out.split_at_mut(3);
    head.copy_from_slice(&trigram);
    tail.copy_from_slice(&chunk.to_be_bytes());
    out
}

/// The chunk number at the end of a key.
pub fn chunk_of(key: &[u8]) -> Option<u32> {
    key.last_chunk::<4>().map(|b| u32::from_be_bytes(*b))
}

/// The ids of one chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk(Box<[u64; 64]>);

impl Default for Chunk {
    fn default() -> Chunk {
        Chunk(Box::new([0; 64]))
    }
}

impl Chunk {
    /// Reads a stored chunk. A list has an even length below that of a bitmap.
    pub fn decode(bytes: &[u8]) -> Chunk {
        let mut chunk = Chunk::default();
        if bytes.len() == BITMAP {
            for (word, bytes) in chunk.0.iter_mut().zip(bytes.chunks_exact(8)) {
                *word = bytes.first_chunk::<8>().map_or(0, |b| u64::from_le_bytes(*b));
            }
        } else {
            for offset in listed(bytes) {
                chunk.insert(offset);
            }
        }
        chunk
    }

    /// The stored form; empty when no id is left.
    pub fn encode(&self) -> Vec<u8> {
        let length = self.len().saturating_mul(2).min(BITMAP);
        let mut out = Vec::with_capacity(length);
        if length == BITMAP {
            self.0.iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        } else {
            self.offsets().for_each(|offset| out.extend_from_slice(&offset.to_le_bytes()));
        }
        out
    }

    /// Adds an offset; true when it was not there.
    pub fn insert(&mut self, offset: u16) -> bool {
        let Some(word) = self.0.get_mut(usize::from(offset / 64)) else { return false };
        let bit = 1u64 << (offset % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }

    /// Takes an offset out; true when it was there.
    pub fn remove(&mut self, offset: u16) -> bool {
        let Some(word) = self.0.get_mut(usize::from(offset / 64)) else { return false };
        let bit = 1u64 << (offset % 64);
        let held = *word & bit != 0;
        *word &= !bit;
        held
    }

    /// Number of ids.
    pub fn len(&self) -> usize {
        self.0.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// No ids.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|w| *w == 0)
    }

    /// The offsets, ascending.
    pub fn offsets(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let base = u16::try_from(index).unwrap_or(0).saturating_mul(64);
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = u16::try_from(left.trailing_zeros()).ok().filter(|bit| *bit < 64)?;
                left &= left.wrapping_sub(1);
                Some(base.saturating_add(bit))
            })
        })
    }

    /// The ids, ascending, for the chunk's number.
    pub fn ids(&self, chunk: u32) -> impl Iterator<Item = EntryId> + '_ {
        let base = u64::from(chunk).saturating_mul(CHUNK);
        self.offsets().map(move |o| EntryId(base.saturating_add(u64::from(o))))
    }
}

/// Appends the ids of a stored chunk, ascending, without taking a list apart into a bitmap.
pub fn ids(chunk: u32, stored: &[u8], out: &mut Vec<EntryId>) {
    let base = u64::from(chunk).saturating_mul(CHUNK);
    if stored.len() == BITMAP {
        out.extend(Chunk::decode(stored).ids(chunk));
    } else {
        out.extend(listed(stored).map(|offset| EntryId(base.saturating_add(u64::from(offset)))));
    }
}

/// Appends those of `held` (ascending) that a stored chunk holds too; what lies before the chunk or in it is taken off
/// `held`.
pub fn keep(chunk: u32, stored: &[u8], held: &mut &[EntryId], out: &mut Vec<EntryId>) {
    let base = u64::from(chunk).saturating_mul(CHUNK);
    let from = held.partition_point(|id| id.0 < base);
    let rest = held.get(from..).unwrap_or_default();
    let (own, after) = rest.split_at(rest.partition_point(|id| id.0 < base.saturating_add(CHUNK)));
    *held = after;
    if own.is_empty() {
        return;
    }
    let offset = |id: &EntryId| u16::try_from(id.0.saturating_sub(base)).unwrap_or(u16::MAX);
    if stored.len() == BITMAP {
        let has = |id: &&EntryId| {
            let offset = offset(id);
            stored.get(usize::from(offset / 8)).is_some_and(|byte| *byte & (1 << (offset % 8)) != 0)
        };
        out.extend(own.iter().filter(has));
        return;
    }
    let mut listed = listed(stored).peekable();
    for id in own {
        let wanted = offset(id);
        while listed.next_if(|o| *o < wanted).is_some() {}
        if listed.peek() == Some(&wanted) {
            out.push(*id);
        }
    }
}

/// The offsets of a stored list.
fn listed(stored: &[u8]) -> impl Iterator<Item = u16> + '_ {
    stored.chunks_exact(2).map(|pair| pair.first_chunk::<2>().map_or(0, |b| u16::from_le_bytes(*b)))
}

/// A stored chunk after steps: offsets that come (true) or go, in this order. A list whose new offsets come last, as
/// those of new entries do, is not taken apart. `None`: nothing is different.
pub fn after(stored: &[u8], steps: impl Iterator<Item = (u16, bool)> + Clone) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(BITMAP.min(stored.len().saturating_add(steps.size_hint().0.saturating_mul(2))));
    if stored.len() == BITMAP {
        return with(stored, out, steps);
    }
    out.extend_from_slice(stored);
    let mut last = stored.last_chunk::<2>().map(|b| u16::from_le_bytes(*b));
    for (offset, comes) in steps.clone() {
        let is_next = comes && last.is_none_or(|last| last < offset) && out.len() < BITMAP.saturating_sub(2);
        if !is_next {
            let mut chunk = Chunk::decode(stored);
            for (offset, comes) in steps {
                let _ = if comes { chunk.insert(offset) } else { chunk.remove(offset) };
            }
            return Some(chunk.encode()).filter(|next| next != stored);
        }
        out.extend_from_slice(&offset.to_le_bytes());
        last = Some(offset);
    }
    (out.len() != stored.len()).then_some(out)
}

/// The same for a bitmap; it becomes a list again when it is short enough for one.
fn with(stored: &[u8], mut out: Vec<u8>, steps: impl Iterator<Item = (u16, bool)>) -> Option<Vec<u8>> {
    out.extend_from_slice(stored);
    let mut gone = false;
    for (offset, comes) in steps {
        let (at, bit) = (usize::from(offset / 8), 1u8 << (offset % 8));
        if let Some(byte) = out.get_mut(at) {
            *byte = if comes { *byte | bit } else { *byte & !bit };
        }
        gone |= !comes;
    }
    if out == stored {
        return None;
    }
    Some(if gone { Chunk::decode(&out).encode() } else { out })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_chunk_is_a_set(
            ops in prop::collection::vec(prop::collection::vec((0u16..4096, 0u8..5), 0..40), 0..40),
        ) {
            // Goal: any sequence of additions and removals, one or many between two stored forms, equals a set; what
            // is no different is not written.
            let (mut stored, mut model) = (Vec::new(), BTreeSet::new());
            for steps in ops {
                let steps = steps.into_iter().map(|(offset, what)| (offset, what > 0));
                let before = model.clone();
                for (offset, comes) in steps.clone() {
                    if comes { model.insert(offset) } else { model.remove(&offset) };
                }
                let next = after(&stored, steps);
                prop_assert_eq!(next.is_some(), before != model);
                stored = next.unwrap_or(stored);
                prop_assert!(stored.len() <= BITMAP);
                // The form is one, whatever the way to it: `verify` compares.
                prop_assert_eq!(&Chunk::decode(&stored).encode(), &stored);
            }
            prop_assert_eq!(Chunk::decode(&stored).offsets().collect::<Vec<_>>(), model.into_iter().collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn chunks_intersect_as_sets(
            one in prop::collection::btree_set(0_u64..12_288, 0..2_000),
            other in prop::collection::btree_set(0_u64..12_288, 0..2_000),
        ) {
            // Goal: reading the chunks of one set and keeping what the chunks of another hold is their intersection,
            // whether lists or bitmaps are stored.
            let stored = |set: &BTreeSet<u64>, number: u32| {
                let mut chunk = Chunk::default();
                for id in set.iter().map(|id| EntryId(*id)).filter(|id| place(*id).0 == number) {
                    chunk.insert(place(id).1);
                }
                chunk.encode()
            };
            let (mut all, mut both) = (Vec::new(), Vec::new());
            (0..3).for_each(|number| ids(number, &stored(&one, number), &mut all));
            prop_assert_eq!(all.iter().map(|id| id.0).collect::<BTreeSet<_>>(), one.clone());
            let mut held = all.as_slice();
            (0..3).for_each(|number| keep(number, &stored(&other, number), &mut held, &mut both));
            prop_assert!(held.is_empty());
            prop_assert_eq!(both.iter().map(|id| id.0).collect::<Vec<_>>(), one.intersection(&other).copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn trigrams_are_all_windows_of_three() {
        // Goal: every three bytes in a row are there; short text has none.
        let mut out = Vec::new();
        trigrams(b"banana", &mut out);
        assert_eq!(out, vec![*b"ban", *b"ana", *b"nan", *b"ana"]);
        out.clear();
        trigrams(b"ab", &mut out);
        assert!(out.is_empty());
    }
}

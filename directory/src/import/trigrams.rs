//! The substring index of consecutive ids: collected for one chunk of ids, then written as that chunk's rows.

use super::sorter::Sorter;
use crate::error::Refusal;
use crate::id::EntryId;
use crate::store::text::{self, Chunk, Trigram};

/// The trigrams of the chunk that the last id lies in.
#[derive(Default)]
pub struct Trigrams {
    chunk: u32,
    /// Trigram and offset in one number, so that sorting them groups them.
    pairs: Vec<u64>,
}

impl Trigrams {
    /// Adds an entry's. Ids come in ascending order.
    ///
    /// # Errors
    /// `Store` when a temporary file cannot be written.
    pub fn add(&mut self, id: EntryId, trigrams: &[Trigram], rows: &mut Sorter) -> Result<(), Refusal> {
        let (chunk, offset) = text::place(id);
        if chunk != self.chunk {
            self.write(rows)?;
            self.chunk = chunk;
        }
        self.pairs.extend(
            trigrams.iter().map(|[a, b, c]| u64::from(u32::from_be_bytes([0, *a, *b, *c])) << 16 | u64::from(offset)),
        );
        Ok(())
    }

    /// Writes what is collected.
    ///
    /// # Errors
    /// As [`Trigrams::add`].
    pub fn write(&mut self, rows: &mut Sorter) -> Result<(), Refusal> {
        self.pairs.sort_unstable();
        for group in self.pairs.chunk_by(|a, b| a >> 16 == b >> 16) {
            let mut ids = Chunk::default();
            let mut trigram = [0; 3];
            for pair in group {
                let [_, _, _, a, b, c, high, low] = pair.to_be_bytes();
                trigram = [a, b, c];
                ids.insert(u16::from_be_bytes([high, low]));
            }
            rows.push(&text::key(trigram, self.chunk), &[], &ids.encode())?;
        }
        self.pairs.clear();
        Ok(())
    }
}

/// Both lists of ids.
pub fn both(value: &[u8], other: &[u8]) -> Vec<u8> {
    let mut ids = Chunk::decode(value);
    for offset in Chunk::decode(other).offsets() {
        ids.insert(offset);
    }
    ids.encode()
}

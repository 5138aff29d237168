//! Checks of the two indexes: what stands there and what is staged, together, against what the entries say.

use super::{Check, Counted};
use crate::error::Refusal;
use crate::store::text::{self, Chunk, Trigram};
use crate::store::trigrams::Step;
use crate::store::view::View;
use std::collections::BTreeSet;

impl Check<'_> {
    pub(super) fn indexes(&mut self, counted: &Counted) -> Result<(), Refusal> {
        let snapshot = self.snapshot;
        let staged = snapshot.staged().whole();
        let all: std::ops::Range<&[u8]> = &[]..&[0xff; 4];
        let (mut holders, mut found) = (snapshot.staged().holders(snapshot.index(), all)?, 0_u64);
        while holders.next_id()?.is_some() {
            found = found.saturating_add(1);
        }
        if found != counted.index {
            self.find("index", format!("{found} rows, {} expected", counted.index));
        }
        let mut trigrams: BTreeSet<Trigram> =
            counted.trigrams.keys().filter_map(|key| key.first_chunk().copied()).collect();
        trigrams.extend(staged.steps().iter().map(Step::trigram));
        for item in snapshot.text().range::<&[u8]>(..)? {
            let (key, stored) = item?;
            trigrams.extend(key.value().first_chunk::<3>());
            if stored.value().is_empty() || key.value().len() != 7 {
                self.find("text", "a row of nobody, or of no trigram");
            }
        }
        for trigram in trigrams {
            self.trigram(counted, trigram)?;
        }
        Ok(())
    }

    fn trigram(&mut self, counted: &Counted, trigram: Trigram) -> Result<(), Refusal> {
        let rows = counted.trigrams.range(text::key(trigram, 0)..=text::key(trigram, u32::MAX));
        let mut expected = rows.map(|(key, chunk)| (text::chunk_of(key), chunk));
        let mut same = true;
        self.snapshot.staged().chunks(self.snapshot.text(), trigram, |number, stored| {
            same &= expected.next() == Some((Some(number), &Chunk::decode(stored)));
            same
        })?;
        if !same || expected.next().is_some() {
            self.find("text", format!("the ids of trigram {trigram:?} differ"));
        }
        Ok(())
    }
}

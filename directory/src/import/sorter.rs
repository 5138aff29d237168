//! Rows sorted by key in bounded memory: sorted runs, the earlier ones in temporary files, merged at the end.
//!
//! A run in a file is `key length u32 LE | value length u32 LE | key | value` after another. Files are unlinked when they
//! are made, so that nothing stays behind. Equal keys become one row by the sorter's [`Combine`].

use crate::error::{Reason, Refusal};
use std::cmp::Ordering;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// Bytes of a run that are read or written at once.
const BUFFER: usize = 256 * 1024;

/// Makes one value of two with the same key.
pub type Combine = fn(&[u8], &[u8]) -> Vec<u8>;

/// Keeps the first value.
pub fn keep(value: &[u8], _: &[u8]) -> Vec<u8> {
    value.to_vec()
}

/// Collects rows, gives them back in order.
pub struct Sorter {
    bytes: Vec<u8>,
    rows: Vec<Row>,
    runs: Vec<File>,
    folder: Option<PathBuf>,
    combine: Combine,
}

/// A row in memory. The beginning of its key is here, so that most comparisons touch nothing else.
#[derive(Clone, Copy)]
struct Row {
    beginning: u128,
    start: u32,
    key: u32,
    value: u32,
}

impl Row {
    fn key<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let start = self.start as usize;
        bytes.get(start..start.saturating_add(self.key as usize)).unwrap_or_default()
    }

    fn value<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let start = (self.start as usize).saturating_add(self.key as usize);
        bytes.get(start..start.saturating_add(self.value as usize)).unwrap_or_default()
    }
}

fn beginning(key: &[u8]) -> u128 {
    if let Some(first) = key.first_chunk::<16>() {
        return u128::from_be_bytes(*first);
    }
    let mut padded = [0; 16];
    for (slot, byte) in padded.iter_mut().zip(key) {
        *slot = *byte;
    }
    u128::from_be_bytes(padded)
}

impl Sorter {
    /// An empty one. Temporary files are made in `folder`.
    pub fn new(folder: Option<PathBuf>, combine: Combine) -> Sorter {
        Sorter { bytes: Vec::new(), rows: Vec::new(), runs: Vec::new(), folder, combine }
    }

    /// Bytes in memory.
    pub fn held(&self) -> usize {
        self.bytes.len().saturating_add(self.rows.len().saturating_mul(size_of::<Row>()))
    }

    /// Adds a row whose key has two parts.
    ///
    /// # Errors
    /// `Store` when a temporary file cannot be written.
    pub fn push(&mut self, key: &[u8], key_end: &[u8], value: &[u8]) -> Result<(), Refusal> {
        let length = key.len().saturating_add(key_end.len());
        let (Ok(start), Ok(length), Ok(value_length)) =
            (u32::try_from(self.bytes.len()), u32::try_from(length), u32::try_from(value.len()))
        else {
            self.spill()?;
            return self.push(key, key_end, value);
        };
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(key_end);
        let whole = self.bytes.get(start as usize..).unwrap_or_default();
        self.rows.push(Row { beginning: beginning(whole), start, key: length, value: value_length });
        self.bytes.extend_from_slice(value);
        Ok(())
    }

    /// Writes what is in memory to a file.
    ///
    /// # Errors
    /// `Store` when that fails.
    pub fn spill(&mut self) -> Result<(), Refusal> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.sort();
        let file = match &self.folder {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        };
        let mut file = BufWriter::with_capacity(BUFFER, file.map_err(failed)?);
        for row in &self.rows {
            file.write_all(&row.key.to_le_bytes())
                .and_then(|()| file.write_all(&row.value.to_le_bytes()))
                .and_then(|()| file.write_all(row.key(&self.bytes)))
                .and_then(|()| file.write_all(row.value(&self.bytes)))
                .map_err(failed)?;
        }
        let mut file = file.into_inner().map_err(|e| failed(e.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.runs.push(file);
        self.rows.clear();
        self.bytes.clear();
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = self.bytes.as_slice();
        let order = |a: &Row, b: &Row| {
            a.beginning.cmp(&b.beginning).then_with(|| {
                let past = |r: &Row| r.key(bytes).get(16..).unwrap_or_default();
                past(a).cmp(past(b)).then(a.key.cmp(&b.key))
            })
        };
        self.rows.sort_unstable_by(order);
    }

    /// The rows in order.
    ///
    /// # Errors
    /// `Store` when a temporary file cannot be read.
    pub fn into_sorted(mut self) -> Result<Merge, Refusal> {
        self.sort();
        let mut sources = Vec::with_capacity(self.runs.len().saturating_add(1));
        for file in self.runs {
            sources.push(Source::File(Run::open(file)?));
        }
        sources.push(Source::Memory { bytes: self.bytes, rows: self.rows.into_iter() });
        let mut merge = Merge { sources: Vec::new(), combine: self.combine, key: Vec::new(), value: Vec::new() };
        for mut source in sources {
            let mut head = (Vec::new(), Vec::new());
            if source.next(&mut head.0, &mut head.1)? {
                merge.sources.push(Head { key: head.0, value: head.1, source });
            }
        }
        Ok(merge)
    }
}

/// Rows in ascending order of their keys, each key once.
pub struct Merge {
    sources: Vec<Head>,
    combine: Combine,
    key: Vec<u8>,
    value: Vec<u8>,
}

struct Head {
    key: Vec<u8>,
    value: Vec<u8>,
    source: Source,
}

enum Source {
    Memory { bytes: Vec<u8>, rows: std::vec::IntoIter<Row> },
    File(Run),
}

struct Run(BufReader<File>);

impl Merge {
    /// Goes to the next row. False: there is none.
    ///
    /// # Errors
    /// `Store` when a temporary file cannot be read.
    pub fn advance(&mut self) -> Result<bool, Refusal> {
        let Some(first) = self.smallest() else { return Ok(false) };
        self.take(first)?;
        loop {
            match self.smallest() {
                Some(next) if self.sources.get(next).is_some_and(|h| h.key == self.key) => {
                    if let Some(head) = self.sources.get(next) {
                        self.value = (self.combine)(&self.value, &head.value);
                    }
                    let (mut key, mut value) = (std::mem::take(&mut self.key), std::mem::take(&mut self.value));
                    self.take(next)?;
                    std::mem::swap(&mut self.key, &mut key);
                    std::mem::swap(&mut self.value, &mut value);
                }
                _ => return Ok(true),
            }
        }
    }

    /// The present row's key.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The present row's value.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    fn smallest(&self) -> Option<usize> {
        if self.sources.len() == 1 {
            return Some(0);
        }
        self.sources
            .iter()
            .enumerate()
            .min_by(|(i, a), (j, b)| match a.key.cmp(&b.key) {
                Ordering::Equal => i.cmp(j),
                unequal => unequal,
            })
            .map(|(index, _)| index)
    }

    /// Makes the head of a source the present row, and reads its next.
    fn take(&mut self, index: usize) -> Result<(), Refusal> {
        let Some(head) = self.sources.get_mut(index) else { return Ok(()) };
        std::mem::swap(&mut self.key, &mut head.key);
        std::mem::swap(&mut self.value, &mut head.value);
        if !head.source.next(&mut head.key, &mut head.value)? {
            self.sources.remove(index);
        }
        Ok(())
    }
}

impl Source {
    fn next(&mut self, key: &mut Vec<u8>, value: &mut Vec<u8>) -> Result<bool, Refusal> {
        key.clear();
        value.clear();
        match self {
            Source::Memory { bytes, rows } => {
                let Some(row) = rows.next() else { return Ok(false) };
                key.extend_from_slice(row.key(bytes));
                value.extend_from_slice(row.value(bytes));
                Ok(true)
            }
            Source::File(run) => run.next(key, value),
        }
    }
}

impl Run {
    fn open(file: File) -> Result<Run, Refusal> {
        Ok(Run(BufReader::with_capacity(BUFFER, file)))
    }

    fn next(&mut self, key: &mut Vec<u8>, value: &mut Vec<u8>) -> Result<bool, Refusal> {
        let Some(key_length) = self.length()? else { return Ok(false) };
        let value_length = self.length()?.ok_or_else(|| failed("a run ends early"))?;
        for (out, length) in [(key, key_length), (value, value_length)] {
            out.resize(length, 0);
            self.0.read_exact(out).map_err(failed)?;
        }
        Ok(true)
    }

    fn length(&mut self) -> Result<Option<usize>, Refusal> {
        let mut length = [0; 4];
        let mut read = 0_usize;
        while let Some(rest) = length.get_mut(read..).filter(|r| !r.is_empty()) {
            match self.0.read(rest).map_err(failed)? {
                0 if read == 0 => return Ok(None),
                0 => return Err(failed("a run ends early")),
                n => read = read.saturating_add(n),
            }
        }
        Ok(Some(u32::from_le_bytes(length) as usize))
    }
}

fn failed(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Store, "a temporary file failed").with_detail(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn or(value: &[u8], other: &[u8]) -> Vec<u8> {
        value.iter().zip(other).map(|(a, b)| a | b).collect()
    }

    proptest! {
        #[test]
        fn a_sorter_is_a_sorted_map(
            rows in prop::collection::vec((prop::collection::vec(0u8..3, 0..20), 0u8..8, any::<bool>()), 0..200),
        ) {
            // Goal: whatever is spilled when, the rows come in the order of a map, equal keys combined.
            let mut sorter = Sorter::new(None, or);
            let mut model: BTreeMap<Vec<u8>, u8> = BTreeMap::new();
            for (key, value, spill) in rows {
                *model.entry(key.clone()).or_default() |= value;
                let (front, back) = key.split_at(key.len() / 2);
                sorter.push(front, back, &[value]).unwrap();
                if spill {
                    sorter.spill().unwrap();
                }
            }
            let mut merge = sorter.into_sorted().unwrap();
            let mut found = Vec::new();
            while merge.advance().unwrap() {
                found.push((merge.key().to_vec(), merge.value()[0]));
            }
            prop_assert_eq!(found, model.into_iter().collect::<Vec<_>>());
        }
    }
}

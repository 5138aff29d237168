//! The rows of an import by table: gathered by ascending id, or sorted by key, until they are written.

use super::bulk::failed;
use super::pour::{self, Shape, pour};
use super::sorter::{Combine, Sorter, keep};
use super::trigrams::both;
use crate::error::Refusal;
use crate::id::EntryId;
use crate::store::tables::Bytes;
use crate::store::view::Tables;
use redb::Table;
use std::ops::Bound;
use std::path::PathBuf;

/// The rows that are sorted before they are written.
pub struct RowSets {
    folder: Option<PathBuf>,
    pub(super) names: Sorter,
    pub(super) children: Sorter,
    pub(super) index: Sorter,
    pub(super) text: Sorter,
    pub(super) claims: Sorter,
    pub(super) members: Sorter,
    pub(super) groups: Sorter,
}

impl RowSets {
    pub(super) fn new(folder: Option<PathBuf>) -> RowSets {
        let sorter = |combine: Combine| Sorter::new(folder.clone(), combine);
        let (names, children, index) = (sorter(keep), sorter(keep), sorter(keep));
        let (text, claims, members, groups) = (sorter(both), sorter(keep), sorter(either), sorter(either));
        RowSets { folder, names, children, index, text, claims, members, groups }
    }

    /// An empty one for anything else.
    pub fn sorter(&self) -> Sorter {
        Sorter::new(self.folder.clone(), keep)
    }

    pub(super) fn all(&mut self) -> [&mut Sorter; 7] {
        [
            &mut self.names,
            &mut self.children,
            &mut self.index,
            &mut self.text,
            &mut self.claims,
            &mut self.members,
            &mut self.groups,
        ]
    }
}

/// An edge of both attributes.
fn either(value: &[u8], other: &[u8]) -> Vec<u8> {
    value.iter().zip(other).map(|(a, b)| a | b).collect()
}

/// Rows by ascending id, gathered and then appended to their table.
#[derive(Default)]
pub struct Gathered {
    rows: Vec<(u64, Vec<u8>)>,
    pub(super) bytes: usize,
}

impl Gathered {
    pub(super) fn push(&mut self, id: EntryId, row: Vec<u8>) {
        self.bytes = self.bytes.saturating_add(row.len());
        self.rows.push((id.0, row));
    }

    /// A row that has not been written yet.
    pub fn get(&self, id: u64) -> Option<&[u8]> {
        let at = self.rows.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.rows.get(at).map(|(_, row)| row.as_slice())
    }

    pub(super) fn write(&mut self, table: &mut Table<'_, u64, Bytes>) -> Result<(), Refusal> {
        let mut cursor = table.upper_bound_mut(Bound::<u64>::Unbounded)?;
        for (id, row) in &self.rows {
            cursor.insert_before(*id, row.as_slice()).map_err(failed)?;
        }
        cursor.close()?;
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }
}

impl RowSets {
    /// Writes everything, table by table.
    pub(super) fn pour(self, tables: &mut Tables<'_>) -> Result<(), Refusal> {
        let numbered: Shape<Bytes, u64> = Shape { key: pour::bytes, value: pour::number, combine: None };
        pour(tables.names.write(), &mut self.names.into_sorted()?, &numbered)?;
        pour(tables.claims.write(), &mut self.claims.into_sorted()?, &numbered)?;
        let edge: Shape<(u64, u64), u8> = Shape { key: pour::pair, value: pour::byte, combine: None };
        pour(tables.members.write(), &mut self.members.into_sorted()?, &edge)?;
        pour(tables.groups.write(), &mut self.groups.into_sorted()?, &edge)?;
        let children: Shape<(u64, u64), ()> = Shape { key: pour::pair, value: pour::nothing, combine: None };
        pour(tables.children.write(), &mut self.children.into_sorted()?, &children)?;
        let text: Shape<Bytes, Bytes> = Shape { key: pour::bytes, value: pour::bytes, combine: Some(with_stored) };
        pour(tables.text.write(), &mut self.text.into_sorted()?, &text)?;
        let index: Shape<Bytes, ()> = Shape { key: pour::bytes, value: pour::nothing, combine: None };
        pour(tables.index.write(), &mut self.index.into_sorted()?, &index)
    }
}

/// The first chunk of an import may hold ids of earlier entries.
fn with_stored(stored: &[u8], value: &mut Vec<u8>) {
    *value = both(value, stored);
}

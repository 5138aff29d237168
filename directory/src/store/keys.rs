//! Keys of `index`: what a transaction has done to them, and writing them down.
//!
//! Entries that are written together have neighbours among their keys: the same classes and values, names that follow
//! each other. redb touches every entry of a leaf for each key that goes into it, and rebuilds the leaf once for a run of
//! keys between two others. So the keys are gathered over all write sets of a commit, wait with those of other commits
//! (`store::staged`), and are written in their order, each run at once.

use super::rows;
use super::tables::Bytes;
use crate::error::Refusal;
use redb::Table;
use std::collections::BTreeMap;
use std::ops::{Bound, Range};

/// Whole keys, and whether each comes or goes.
#[derive(Debug, Default)]
pub struct Keys(BTreeMap<Vec<u8>, bool>);

impl Keys {
    /// These keys come, or go.
    pub fn put(&mut self, keys: impl IntoIterator<Item = Vec<u8>>, come: bool) {
        self.0.extend(keys.into_iter().map(|key| (key, come)));
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], bool)> {
        self.0.iter().map(|(key, comes)| (key.as_slice(), *comes))
    }

    /// Those of a range, in their order.
    pub fn range<'a>(&'a self, range: &Range<&'a [u8]>) -> impl Iterator<Item = (&'a [u8], bool)> {
        self.0.range::<[u8], _>(bounds(range)).map(|(key, comes)| (key.as_slice(), *comes))
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Nothing was done.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A range of no keys has the bounds of one, where the map would panic.
fn bounds<'a>(range: &Range<&'a [u8]>) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    let end = if range.is_empty() { Bound::Included(range.start) } else { Bound::Excluded(range.end) };
    (Bound::Included(range.start), end)
}

/// Writes keys, which are in their order: they come, or go.
///
/// # Errors
/// A failing store.
pub fn write<'k>(
    table: &mut Table<'_, Bytes, ()>,
    keys: impl IntoIterator<Item = (&'k [u8], bool)>,
) -> Result<(), Refusal> {
    let rows = keys.into_iter().map(|(key, comes)| (key, comes.then_some(())));
    // Of one attribute, and their values begin alike.
    rows::change(table, rows, |one, other| one.first_chunk::<3>() == other.first_chunk::<3>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::EntryId;
    use crate::schema::attribute::AttributeId;
    use crate::store::indexes;
    use proptest::prelude::*;
    use redb::{Database, ReadableTable, TableDefinition, backends::InMemoryBackend};
    use std::collections::BTreeSet;

    const TABLE: TableDefinition<'_, Bytes, ()> = TableDefinition::new("index");

    fn key(attribute: u16, value: u8, id: u64) -> Vec<u8> {
        let mut out = Vec::new();
        indexes::key(AttributeId(attribute), &[b'v', value], EntryId(id), &mut out);
        out
    }

    proptest! {
        #[test]
        fn keys_are_a_set(
            commits in prop::collection::vec(
                prop::collection::vec((0_u16..3, 0_u8..3, 0_u64..300, 0_u64..40, any::<bool>()), 0..12),
                1..6,
            ),
        ) {
            // Goal: runs and single keys that come and go over several commits leave what a set holds; keys that come
            // although they are there, and go although they are not, change nothing.
            let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
            let mut model = BTreeSet::new();
            for steps in commits {
                let txn = database.begin_write().unwrap();
                {
                    let mut table = txn.open_table(TABLE).unwrap();
                    let mut keys = Keys::default();
                    for (attribute, value, first, count, comes) in steps {
                        let all: Vec<Vec<u8>> = (first..first + count).map(|id| key(attribute, value, id)).collect();
                        for key in &all {
                            if comes { model.insert(key.clone()) } else { model.remove(key) };
                        }
                        keys.put(all, comes);
                    }
                    write(&mut table, keys.iter()).unwrap();
                    let stored: Vec<Vec<u8>> =
                        table.iter().unwrap().map(|item| item.unwrap().0.value().to_vec()).collect();
                    prop_assert_eq!(stored, model.iter().cloned().collect::<Vec<_>>());
                }
                txn.commit().unwrap();
            }
        }
    }
}

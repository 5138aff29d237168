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
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::{Bound, Range};

/// Whole keys, and whether each comes or goes.
#[derive(Debug, Default)]
pub struct Keys {
    /// In the order in which they came.
    given: RefCell<Vec<(Vec<u8>, bool)>>,
    /// Those that somebody has asked among: most transactions ask nothing.
    sorted: RefCell<BTreeMap<Vec<u8>, bool>>,
}

impl Keys {
    /// These keys come, or go.
    pub fn put(&mut self, keys: impl IntoIterator<Item = Vec<u8>>, come: bool) {
        self.given.get_mut().extend(keys.into_iter().map(|key| (key, come)));
    }

    /// All of them, in their order, each as it was done last.
    pub fn into_sorted(self) -> Vec<(Vec<u8>, bool)> {
        let mut all: Vec<(Vec<u8>, bool)> = self.sorted.into_inner().into_iter().collect();
        all.append(&mut self.given.into_inner());
        all.reverse();
        // Stable: of the same key, what was done last comes first.
        all.sort_by(|(one, _), (other, _)| (head(one), one).cmp(&(head(other), other)));
        all.dedup_by(|(earlier, _), (last, _)| earlier == last);
        all
    }

    /// Those of a range, in their order.
    pub fn range(&self, range: &Range<&[u8]>) -> Vec<(Vec<u8>, bool)> {
        let mut sorted = self.sorted.borrow_mut();
        sorted.extend(self.given.borrow_mut().drain(..));
        sorted.range::<[u8], _>(bounds(range)).map(|(key, comes)| (key.clone(), *comes)).collect()
    }

    /// The number of keys, or some more.
    pub fn len(&self) -> usize {
        self.given.borrow().len().saturating_add(self.sorted.borrow().len())
    }

    /// Nothing was done.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The beginning of a key, by which most pairs of keys are told apart.
pub fn head(key: &[u8]) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(head)
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
                    let keys = keys.into_sorted();
                    write(&mut table, keys.iter().map(|(key, comes)| (key.as_slice(), *comes))).unwrap();
                    let stored: Vec<Vec<u8>> =
                        table.iter().unwrap().map(|item| item.unwrap().0.value().to_vec()).collect();
                    prop_assert_eq!(stored, model.iter().cloned().collect::<Vec<_>>());
                }
                txn.commit().unwrap();
            }
        }
    }
}

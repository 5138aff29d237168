//! Keys of `index` that a transaction has yet to write.
//!
//! Entries that are written together have neighbours among their keys: the same classes and values, names that follow
//! each other. redb touches every entry of a leaf for each key that goes into it, and rebuilds the leaf once for a run of
//! keys between two others. So the keys are gathered over all write sets of a commit and written in their order, each run
//! at once. The lane settles them before it commits; a transaction that is given up forgets them. Whoever asks the write
//! transaction for holders of a value is answered from the table and from here (`View::holders`).

use super::tables::Bytes;
use super::{indexes, rows};
use crate::error::Refusal;
use crate::id::EntryId;
use redb::{ReadableTable, Table};
use std::collections::BTreeMap;
use std::ops::{Bound, Range};

/// A run is written at once from here on: for fewer keys, changing the leaf in place is cheaper than building it anew.
const RUN: usize = 12;
/// So many keys are kept; then they are written.
const MOST: usize = 1 << 16;

/// Whole keys, and whether each comes or goes.
#[derive(Debug, Default)]
pub struct Keys(BTreeMap<Vec<u8>, bool>);

impl Keys {
    /// These keys come, or go.
    ///
    /// # Errors
    /// A failing store.
    pub fn put(
        &mut self,
        table: &mut Table<'_, Bytes, ()>,
        keys: impl IntoIterator<Item = Vec<u8>>,
        come: bool,
    ) -> Result<(), Refusal> {
        self.0.extend(keys.into_iter().map(|key| (key, come)));
        if self.0.len() > MOST { self.write(table) } else { Ok(()) }
    }

    /// The entries of a range of keys, as if everything had been written: ascending, at most `limit`. The range is that of
    /// one value, so that keys lie in the order of their entries.
    ///
    /// # Errors
    /// A failing store.
    pub fn holders(
        &self,
        table: &impl ReadableTable<Bytes, ()>,
        range: Range<&[u8]>,
        limit: usize,
    ) -> Result<Vec<EntryId>, Refusal> {
        let unwritten: Vec<(&Vec<u8>, &bool)> = self.0.range::<[u8], _>(bounds(&range)).collect();
        let going = unwritten.iter().filter(|(_, comes)| !**comes).count();
        let mut ids = Vec::new();
        for item in table.range::<&[u8]>(range)?.take(limit.saturating_add(going)) {
            ids.extend(indexes::id_of(item?.0.value()));
        }
        for (key, comes) in &unwritten {
            let Some(id) = indexes::id_of(key) else { continue };
            match (ids.binary_search(&id), **comes) {
                (Ok(at), false) => drop(ids.remove(at)),
                (Err(at), true) => ids.insert(at, id),
                (Ok(_), true) | (Err(_), false) => {}
            }
        }
        ids.truncate(limit);
        Ok(ids)
    }

    /// Writes the keys.
    ///
    /// # Errors
    /// A failing store.
    pub fn write(&mut self, table: &mut Table<'_, Bytes, ()>) -> Result<(), Refusal> {
        let mut come = Vec::with_capacity(self.0.len());
        for (key, comes) in &self.0 {
            if *comes {
                come.push(key.as_slice());
            } else {
                rows::take(table, key.as_slice())?;
            }
        }
        let mut rest = come.as_slice();
        while let [first, more @ ..] = rest {
            rest = if alike(first, rest.get(RUN.saturating_sub(1))) {
                write_run(table, rest)?
            } else {
                rows::put(table, *first, ())?;
                more
            };
        }
        self.0.clear();
        Ok(())
    }
}

/// A range of no keys has the bounds of one, where the map would panic.
fn bounds<'a>(range: &Range<&'a [u8]>) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    let end = if range.is_empty() { Bound::Included(range.start) } else { Bound::Excluded(range.end) };
    (Bound::Included(range.start), end)
}

/// Whether two keys may be in one run: of one attribute, and their values begin alike.
fn alike(one: &[u8], other: Option<&&[u8]>) -> bool {
    other.is_some_and(|other| one.first_chunk::<3>() == other.first_chunk::<3>())
}

/// Writes the keys that lie between the first one's neighbours in the table; the rest.
fn write_run<'a, 'k>(table: &mut Table<'_, Bytes, ()>, keys: &'a [&'k [u8]]) -> Result<&'a [&'k [u8]], Refusal> {
    let Some(first) = keys.first() else { return Ok(&[]) };
    let mut cursor = table.lower_bound_mut(Bound::Included(*first))?;
    let next = cursor.peek_next()?;
    let is_there = next.as_ref().is_some_and(|(key, _)| key.value() == *first);
    let length = next.as_ref().map_or(keys.len(), |(next, _)| keys.partition_point(|key| *key < next.value()));
    drop(next);
    if is_there {
        return Ok(keys.get(1..).unwrap_or_default());
    }
    let (run, rest) = keys.split_at_checked(length).unwrap_or((keys, &[]));
    if run.len() < RUN {
        drop(cursor);
        for key in run {
            rows::put(table, *key, ())?;
        }
        return Ok(rest);
    }
    for key in run {
        cursor.insert_before(*key, ())?;
    }
    cursor.close()?;
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::attribute::AttributeId;
    use proptest::prelude::*;
    use redb::{Database, TableDefinition, backends::InMemoryBackend};
    use std::collections::BTreeSet;

    const TABLE: TableDefinition<'_, Bytes, ()> = TableDefinition::new("index");

    fn key(attribute: u16, value: u8, id: u64) -> Vec<u8> {
        let mut out = Vec::new();
        indexes::key(AttributeId(attribute), &[b'v', value], EntryId(id), &mut out);
        out
    }

    fn range(attribute: u16, value: u8) -> (Vec<u8>, Vec<u8>) {
        let mut from = Vec::new();
        indexes::value_prefix(AttributeId(attribute), &[b'v', value], &mut from);
        let to = indexes::after(&from).unwrap();
        (from, to)
    }

    proptest! {
        #[test]
        fn keys_are_a_set(
            commits in prop::collection::vec(
                prop::collection::vec((0_u16..3, 0_u8..3, 0_u64..300, 0_u64..40, any::<bool>()), 0..12),
                1..6,
            ),
        ) {
            // Goal: runs and single keys that come and go over several commits leave what a set holds; before they are
            // written, the holders of a value are those of the set as well, up to any limit.
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
                        keys.put(&mut table, all, comes).unwrap();
                        let (from, to) = range(attribute, value);
                        let limit = usize::from(value).wrapping_sub(1);
                        let found = keys.holders(&table, from.as_slice()..to.as_slice(), limit).unwrap();
                        let wanted = model.range(from..to).filter_map(|key| indexes::id_of(key)).take(limit);
                        prop_assert_eq!(found, wanted.collect::<Vec<_>>());
                    }
                    keys.write(&mut table).unwrap();
                    let stored: Vec<Vec<u8>> =
                        table.iter().unwrap().map(|item| item.unwrap().0.value().to_vec()).collect();
                    prop_assert_eq!(stored, model.iter().cloned().collect::<Vec<_>>());
                }
                txn.commit().unwrap();
            }
        }
    }
}

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

/// Keys that lie behind each other in memory, and whether each comes or goes.
#[derive(Debug, Default, Clone)]
pub struct List {
    octets: Vec<u8>,
    places: Vec<Place>,
}

/// Where a key lies, and how it begins.
#[derive(Debug, Clone, Copy)]
struct Place {
    head: u128,
    at: usize,
    length: u32,
    comes: bool,
}

impl List {
    /// Room for so many keys and octets.
    pub fn with_capacity(keys: usize, octets: usize) -> List {
        List { octets: Vec::with_capacity(octets), places: Vec::with_capacity(keys) }
    }

    /// One key more. What is longer than 4 GiB is no key.
    pub fn push(&mut self, key: &[u8], comes: bool) {
        let Ok(length) = u32::try_from(key.len()) else { return };
        self.places.push(Place { head: head(key), at: self.octets.len(), length, comes });
        self.octets.extend_from_slice(key);
    }

    fn of(&self, place: &Place) -> &[u8] {
        let length = usize::try_from(place.length).unwrap_or(usize::MAX);
        self.octets.get(place.at..place.at.saturating_add(length)).unwrap_or_default()
    }

    /// The key at a place, and whether it comes.
    pub fn get(&self, at: usize) -> Option<(&[u8], bool)> {
        self.places.get(at).map(|place| (self.of(place), place.comes))
    }

    /// Keys from a place on, and whether they come.
    pub fn from(&self, at: usize) -> impl Iterator<Item = (&[u8], bool)> {
        self.places.get(at..).unwrap_or_default().iter().map(|place| (self.of(place), place.comes))
    }

    /// The place of the first key that is not less than this one. The list is sorted.
    pub fn lower_bound(&self, key: &[u8]) -> usize {
        let head = head(key);
        self.places.partition_point(|place| (place.head, self.of(place)) < (head, key))
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The octets of all keys.
    pub fn octets(&self) -> usize {
        self.octets.len()
    }

    /// Sorts, and keeps of the same key what stands first.
    fn settle(&mut self) {
        let octets = std::mem::take(&mut self.octets);
        let of = |place: &Place| {
            let length = usize::try_from(place.length).unwrap_or(usize::MAX);
            octets.get(place.at..place.at.saturating_add(length)).unwrap_or_default()
        };
        // Stable, and quick for what is a few sorted lists. By how they begin first: numbers are compared without a branch.
        self.places.sort_by_key(|place| place.head);
        for alike in self.places.chunk_by_mut(|one, other| one.head == other.head).filter(|alike| alike.len() > 1) {
            alike.sort_by(|one, other| of(one).cmp(of(other)));
        }
        self.places.dedup_by(|later, first| later.head == first.head && of(later) == of(first));
        let used = self.places.iter().map(|place| of(place).len()).fold(0, usize::saturating_add);
        self.octets = octets;
        // The same keys again and again: their octets are not carried on.
        if used < self.octets.len() / 2 {
            let mut compact = List::with_capacity(self.len(), used);
            self.from(0).for_each(|(key, comes)| compact.push(key, comes));
            *self = compact;
        }
    }

    /// In the order of the keys, each as it stands first.
    pub fn sorted(mut self) -> List {
        self.settle();
        self
    }

    /// What lists say together, one after another: in the order of the keys, each as it stands first.
    pub fn merged<'l>(lists: impl Iterator<Item = &'l List> + Clone) -> List {
        let sum = |length: fn(&List) -> usize| lists.clone().map(length).fold(0, usize::saturating_add);
        let mut all = List::with_capacity(sum(List::len), sum(List::octets));
        for list in lists {
            let from = all.octets.len();
            all.octets.extend_from_slice(&list.octets);
            all.places.extend(list.places.iter().map(|place| Place { at: place.at.saturating_add(from), ..*place }));
        }
        all.settle();
        all
    }
}

/// Two lists are the same that hold the same keys, wherever they lie.
impl PartialEq for List {
    fn eq(&self, other: &List) -> bool {
        self.from(0).eq(other.from(0))
    }
}

/// What a transaction has done.
#[derive(Debug, Default)]
pub struct Keys {
    /// In the order in which they came.
    given: RefCell<List>,
    /// Those that somebody has asked among: most transactions ask nothing.
    sorted: RefCell<BTreeMap<Vec<u8>, bool>>,
}

impl Keys {
    /// These keys come, or go.
    pub fn put(&mut self, keys: impl IntoIterator<Item = Vec<u8>>, come: bool) {
        let given = self.given.get_mut();
        for key in keys {
            given.push(&key, come);
        }
    }

    /// All of them, what was done last first.
    pub fn newest_first(self) -> List {
        let mut all = self.given.into_inner();
        all.places.reverse();
        // What was asked among is older than what has come since.
        for (key, comes) in self.sorted.into_inner() {
            all.push(&key, comes);
        }
        all
    }

    /// Those of a range, in their order.
    pub fn range(&self, range: &Range<&[u8]>) -> Vec<(Vec<u8>, bool)> {
        let mut sorted = self.sorted.borrow_mut();
        let given = std::mem::take(&mut *self.given.borrow_mut());
        sorted.extend(given.from(0).map(|(key, comes)| (key.to_vec(), comes)));
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
fn head(key: &[u8]) -> u128 {
    if let Some(head) = key.first_chunk() {
        return u128::from_be_bytes(*head);
    }
    let mut head = [0; 16];
    head.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    u128::from_be_bytes(head)
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
        // Some are told apart by their first octets, others are not.
        let begin: &[u8] = if value == 0 { b"v" } else { b"a value of many octets " };
        indexes::key(AttributeId(attribute), &[begin, &[value]].concat(), EntryId(id), &mut out);
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
                    let keys = keys.newest_first().sorted();
                    write(&mut table, keys.from(0)).unwrap();
                    let stored: Vec<Vec<u8>> =
                        table.iter().unwrap().map(|item| item.unwrap().0.value().to_vec()).collect();
                    prop_assert_eq!(stored, model.iter().cloned().collect::<Vec<_>>());
                }
                txn.commit().unwrap();
            }
        }
    }
}

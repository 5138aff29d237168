//! Tables with the layers that lie over them, read as if everything stood in its table.

use super::tables::Bytes;
use super::unwritten::Layer;
use crate::error::Refusal;
use redb::{AccessGuard, Key, OwnedAccessGuard, OwnedRange, ReadOnlyTable, StorageError, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

/// A stored value, wherever it lies.
pub enum Row<'s> {
    /// In its table.
    Stored(AccessGuard<'s, Bytes>),
    /// In memory.
    Waiting(Arc<[u8]>),
}

impl Row<'_> {
    /// The value.
    pub fn value(&self) -> &[u8] {
        match self {
            Row::Stored(guard) => guard.value(),
            Row::Waiting(octets) => octets,
        }
    }
}

/// The same, without a borrow of the state that it is of.
pub enum OwnedRow {
    /// In its table.
    Stored(OwnedAccessGuard<Bytes>),
    /// In memory.
    Waiting(Arc<[u8]>),
}

impl OwnedRow {
    /// The value.
    pub fn value(&self) -> &[u8] {
        match self {
            OwnedRow::Stored(guard) => guard.value(),
            OwnedRow::Waiting(octets) => octets,
        }
    }
}

/// What keys of a table are in memory.
pub trait LayerKey: Key + 'static {
    /// In memory.
    type Own: Ord + Clone + 'static;
    /// Out of the table.
    fn own(key: Self::SelfType<'_>) -> Self::Own;
    /// As the table is asked.
    fn ask(own: &Self::Own) -> Self::SelfType<'_>;
    /// How a key of the table stands to one in memory.
    fn order(key: Self::SelfType<'_>, own: &Self::Own) -> Ordering;
}

macro_rules! copied_keys {
    ($($key:ty),*) => {$(
        impl LayerKey for $key {
            type Own = $key;
            fn own(key: $key) -> $key {
                key
            }
            fn ask(own: &$key) -> $key {
                *own
            }
            fn order(key: $key, own: &$key) -> Ordering {
                key.cmp(own)
            }
        }
    )*};
}

copied_keys!(u64, (u64, u64), u128);

impl LayerKey for Bytes {
    type Own = Vec<u8>;
    fn own(key: &[u8]) -> Vec<u8> {
        key.to_vec()
    }
    fn ask(own: &Vec<u8>) -> &[u8] {
        own
    }
    fn order(key: &[u8], own: &Vec<u8>) -> Ordering {
        key.cmp(own)
    }
}

/// What values of a table are in memory, and what a reader gets of either.
pub trait LayerValue: Value + 'static {
    /// In memory.
    type Own: Clone + 'static;
    /// For the reader.
    type Read;
    /// Of memory.
    fn waiting(own: Self::Own) -> Self::Read;
    /// Of the table.
    fn stored(guard: OwnedAccessGuard<Self>) -> Self::Read
    where
        Self: Sized;
}

impl LayerValue for Bytes {
    type Own = Arc<[u8]>;
    type Read = OwnedRow;
    fn waiting(own: Arc<[u8]>) -> OwnedRow {
        OwnedRow::Waiting(own)
    }
    fn stored(guard: OwnedAccessGuard<Bytes>) -> OwnedRow {
        OwnedRow::Stored(guard)
    }
}

impl LayerValue for u64 {
    type Own = u64;
    type Read = u64;
    fn waiting(own: u64) -> u64 {
        own
    }
    fn stored(guard: OwnedAccessGuard<u64>) -> u64 {
        guard.value()
    }
}

impl LayerValue for () {
    type Own = ();
    type Read = ();
    fn waiting((): ()) {}
    fn stored(_: OwnedAccessGuard<()>) {}
}

/// What a layer holds of a table; none: the row goes.
pub type Changes<K, V> = BTreeMap<<K as LayerKey>::Own, Option<<V as LayerValue>::Own>>;

/// A table of a state with its layers.
pub struct Layered<'s, K: LayerKey, V: LayerValue> {
    pub(super) table: &'s ReadOnlyTable<K, V>,
    pub(super) layers: &'s [Arc<Layer>],
    pub(super) of: fn(&Layer) -> &Changes<K, V>,
}

impl<K: LayerKey, V: LayerValue> Layered<'_, K, V> {
    /// The rows of a range, in the order of their keys.
    ///
    /// # Errors
    /// A failing store.
    pub fn range(&self, range: impl RangeBounds<K::Own>) -> Result<Merged<K, V>, Refusal> {
        let bounds = (range.start_bound(), range.end_bound());
        let stored = self.table.range_owned::<K::SelfType<'_>>((bounds.0.map(K::ask), bounds.1.map(K::ask)))?;
        let layers = if is_empty(bounds) { Vec::new() } else { self.layers.to_vec() };
        let rest = (bounds.0.cloned(), bounds.1.cloned());
        Ok(Merged { stored, ahead: None, layers, of: self.of, rest, waiting: None })
    }

    /// The row of a key.
    ///
    /// # Errors
    /// A failing store.
    pub fn get(&self, key: &K::Own) -> Result<Option<V::Read>, Refusal> {
        for layer in self.layers.iter().rev() {
            if let Some(value) = (self.of)(layer).get(key) {
                return Ok(value.clone().map(V::waiting));
            }
        }
        Ok(self.table.get_owned(K::ask(key))?.map(V::stored))
    }

    /// How many rows there are. Goes through all of them when there are layers.
    ///
    /// # Errors
    /// A failing store.
    pub fn count(&self) -> Result<u64, Refusal> {
        if self.layers.is_empty() {
            return Ok(redb::ReadableTableMetadata::len(self.table)?);
        }
        let mut rows = 0_u64;
        for row in self.range(..)? {
            row?;
            rows = rows.saturating_add(1);
        }
        Ok(rows)
    }
}

/// The ranges of a map that it would panic about.
fn is_empty<K: Ord>(bounds: (Bound<&K>, Bound<&K>)) -> bool {
    match bounds {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to) | Bound::Included(to)) => from >= to,
        _ => false,
    }
}

/// The rows of a range. Needs no borrow of the state, and looks into the layers row by row.
pub struct Merged<K: LayerKey, V: LayerValue> {
    stored: OwnedRange<K, V>,
    /// The table's next row, once it was asked for.
    ahead: Option<(OwnedAccessGuard<K>, OwnedAccessGuard<V>)>,
    layers: Vec<Arc<Layer>>,
    of: fn(&Layer) -> &Changes<K, V>,
    /// What of the range has not been looked at in the layers.
    rest: (Bound<K::Own>, Bound<K::Own>),
    /// The next row of the layers, once it was asked for.
    waiting: Option<(K::Own, Option<V::Own>)>,
}

/// A key, wherever its row lies.
enum Found<K: LayerKey> {
    Stored(OwnedAccessGuard<K>),
    Waiting(K::Own),
}

type Next<K, V> = (Found<K>, <V as LayerValue>::Read);

impl<K: LayerKey, V: LayerValue> Merged<K, V> {
    /// The values alone.
    pub fn values(mut self) -> impl Iterator<Item = Result<V::Read, StorageError>> {
        std::iter::from_fn(move || self.advance().map(|row| row.map(|(_, value)| value)))
    }

    /// The next row of the layers, of the newest one that knows its key.
    fn next_waiting(&mut self) {
        let rest = (self.rest.0.as_ref(), self.rest.1.as_ref());
        if self.layers.is_empty() || is_empty(rest) {
            return;
        }
        let nexts = self.layers.iter().rev().filter_map(|layer| (self.of)(layer).range(rest).next());
        // Of equal ones the first.
        let next = nexts.min_by(|one, other| one.0.cmp(other.0)).map(|(key, value)| (key.clone(), value.clone()));
        match &next {
            Some((key, _)) => self.rest.0 = Bound::Excluded(key.clone()),
            None => self.layers.clear(),
        }
        self.waiting = next;
    }

    fn advance(&mut self) -> Option<Result<Next<K, V>, StorageError>> {
        loop {
            if self.ahead.is_none() {
                match self.stored.next() {
                    Some(Ok(row)) => self.ahead = Some(row),
                    Some(Err(error)) => return Some(Err(error)),
                    None => {}
                }
            }
            if self.waiting.is_none() {
                self.next_waiting();
            }
            let order = match (&self.ahead, &self.waiting) {
                (Some((stored, _)), Some((waiting, _))) => K::order(stored.value(), waiting),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return None,
            };
            if order == Ordering::Less {
                return self.ahead.take().map(|(key, value)| Ok((Found::Stored(key), V::stored(value))));
            }
            if order == Ordering::Equal {
                self.ahead = None;
            }
            if let Some((key, Some(value))) = self.waiting.take() {
                return Some(Ok((Found::Waiting(key), V::waiting(value))));
            }
        }
    }
}

impl<K: LayerKey, V: LayerValue> Iterator for Merged<K, V> {
    type Item = Result<(K::Own, V::Read), StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.advance()?;
        Some(row.map(|(key, value)| match key {
            Found::Stored(key) => (K::own(key.value()), value),
            Found::Waiting(key) => (key, value),
        }))
    }
}

#[cfg(test)]
mod tests;

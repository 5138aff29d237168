//! Sorted rows into a table: runs between two existing keys through a cursor, which builds whole pages; where existing
//! and new keys alternate, one by one.

use super::sorter::Merge;
use crate::error::{Reason, Refusal};
use redb::{CursorError, Key, ReadableTable, Table, Value};
use std::ops::Bound;

/// A run below this was not worth its cursor.
const SHORT: usize = 4;
/// So many rows are then inserted one by one before a cursor is tried again.
const SINGLY: usize = 32;

/// What a row becomes in the table: the key, the value, and the value when the table holds the key already.
pub struct Shape<K: Key + 'static, V: Value + 'static> {
    /// The key of a row.
    pub key: for<'a> fn(&'a [u8]) -> K::SelfType<'a>,
    /// The value of a row.
    pub value: for<'a> fn(&'a [u8]) -> V::SelfType<'a>,
    /// The value of a row whose key is there: changes the row's to what shall stand. None: such rows are an error.
    pub combine: Option<Meet<V>>,
}

/// Changes a row's value to what shall stand, given what is stored under its key.
pub type Meet<V> = fn(stored: <V as Value>::SelfType<'_>, value: &mut Vec<u8>);

/// Writes all rows.
///
/// # Errors
/// `Store`.
pub fn pour<K: Key + 'static, V: Value + 'static>(
    table: &mut Table<'_, K, V>,
    rows: &mut Merge,
    shape: &Shape<K, V>,
) -> Result<(), Refusal> {
    let mut more = rows.advance()?;
    while more {
        let mut run = 0_usize;
        {
            let mut cursor = table.lower_bound_mut(Bound::Included((shape.key)(rows.key())))?;
            while more {
                match cursor.insert_before((shape.key)(rows.key()), (shape.value)(rows.value())) {
                    Ok(()) => run = run.saturating_add(1),
                    Err(CursorError::UnorderedKey) => break,
                    Err(error) => return Err(failed(error)),
                }
                more = rows.advance()?;
            }
            cursor.close().map_err(failed)?;
        }
        let mut singly = if run < SHORT { SINGLY } else { 0 };
        while more && singly > 0 {
            insert(table, rows, shape)?;
            more = rows.advance()?;
            singly = singly.saturating_sub(1);
        }
    }
    Ok(())
}

fn insert<K: Key + 'static, V: Value + 'static>(
    table: &mut Table<'_, K, V>,
    rows: &Merge,
    shape: &Shape<K, V>,
) -> Result<(), Refusal> {
    let mut combined = None;
    if let Some(stored) = table.get((shape.key)(rows.key()))? {
        let combine = shape.combine.ok_or_else(|| failed("a row of an import is there already"))?;
        let mut value = rows.value().to_vec();
        combine(stored.value(), &mut value);
        combined = Some(value);
    }
    let value = combined.as_deref().unwrap_or(rows.value());
    table.insert((shape.key)(rows.key()), (shape.value)(value))?;
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Store, "the store failed").with_detail(error.to_string())
}

/// `[u8]` as a key or value.
pub fn bytes(bytes: &[u8]) -> &[u8] {
    bytes
}

/// Nothing as a value.
pub fn nothing(_: &[u8]) {}

/// A u64, big endian.
pub fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk::<8>().map_or(0, |b| u64::from_be_bytes(*b))
}

/// Two u64, big endian, so that byte order is their order.
pub fn pair(bytes: &[u8]) -> (u64, u64) {
    (number(bytes), number(bytes.get(8..).unwrap_or_default()))
}

/// A u8.
pub fn byte(bytes: &[u8]) -> u8 {
    bytes.first().copied().unwrap_or(0)
}

//! Rows of tables whose pages hold many.
//!
//! redb builds a page that a transaction touches for the first time anew, row by row; pages that the transaction owns already
//! are changed in place. Asking for the row to be changed makes the page the transaction's by copying its bytes, which is
//! cheaper for pages of many rows. Several rows that lie between two others are cheaper still as a run, for which the page is
//! built anew once. What is stored is the same either way.

use crate::error::Refusal;
use redb::{Key, StorageError, Table, Value};
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::ops::Bound;

/// A run is written at once from here on: for fewer rows, changing the leaf in place is cheaper than building it anew.
const RUN: usize = 12;

/// Writes a row.
///
/// # Errors
/// A failing store.
pub fn put<'k, 'v, K: Key + 'static, V: Value + 'static>(
    table: &mut Table<'_, K, V>,
    key: impl Borrow<K::SelfType<'k>>,
    value: impl Borrow<V::SelfType<'v>>,
) -> Result<(), StorageError> {
    drop(table.get_mut(key.borrow())?);
    drop(table.insert(key, value)?);
    Ok(())
}

/// Takes a row away, if there is one.
///
/// # Errors
/// A failing store.
pub fn take<'k, K: Key + 'static, V: Value + 'static>(
    table: &mut Table<'_, K, V>,
    key: impl Borrow<K::SelfType<'k>>,
) -> Result<(), StorageError> {
    drop(table.get_mut(key.borrow())?);
    drop(table.remove(key)?);
    Ok(())
}

/// Writes rows, which are in the order of their keys; one without a value goes. `near` tells of two keys whether they and
/// those between may be a run.
///
/// # Errors
/// A failing store.
pub fn change<'a, K: Key + 'static, V: Value + 'static>(
    table: &mut Table<'_, K, V>,
    rows: impl IntoIterator<Item = (K::SelfType<'a>, Option<V::SelfType<'a>>)>,
    near: impl Fn(&K::SelfType<'a>, &K::SelfType<'a>) -> bool,
) -> Result<(), Refusal> {
    let mut come = Vec::new();
    for (key, value) in rows {
        match value {
            Some(value) => come.push((key, value)),
            None => take(table, key)?,
        }
    }
    put_all(table, &come, near)
}

fn put_all<'a, K: Key + 'static, V: Value + 'static>(
    table: &mut Table<'_, K, V>,
    rows: &[(K::SelfType<'a>, V::SelfType<'a>)],
    near: impl Fn(&K::SelfType<'a>, &K::SelfType<'a>) -> bool,
) -> Result<(), Refusal> {
    let mut rest = rows;
    while let [(key, value), more @ ..] = rest {
        let is_run = rest.get(RUN.saturating_sub(1)).is_some_and(|(last, _)| near(key, last));
        rest = if is_run {
            put_run(table, rest)?
        } else {
            put(table, key, value)?;
            more
        };
    }
    Ok(())
}

/// The rows that are yet to be written.
type Rest<'r, 'a, K, V> = &'r [(<K as Value>::SelfType<'a>, <V as Value>::SelfType<'a>)];

/// Writes the rows that lie between the first one's neighbours in the table; the rest.
fn put_run<'r, 'a, K: Key + 'static, V: Value + 'static>(
    table: &mut Table<'_, K, V>,
    rows: Rest<'r, 'a, K, V>,
) -> Result<Rest<'r, 'a, K, V>, Refusal> {
    let Some((first, value)) = rows.first() else { return Ok(&[]) };
    let mut cursor = table.lower_bound_mut(Bound::Included(first))?;
    let (mut is_there, mut length) = (false, rows.len());
    if let Some((next, _)) = cursor.peek_next()? {
        let next = next.value();
        let next = K::as_bytes(&next);
        let order = |key: &K::SelfType<'a>| K::compare(K::as_bytes(key).as_ref(), next.as_ref());
        is_there = order(first) == Ordering::Equal;
        length = rows.partition_point(|(key, _)| order(key) == Ordering::Less);
    }
    if is_there {
        drop(cursor);
        put(table, first, value)?;
        return Ok(rows.get(1..).unwrap_or_default());
    }
    let (run, rest) = rows.split_at_checked(length).unwrap_or((rows, &[]));
    if run.len() < RUN {
        drop(cursor);
        for (key, value) in run {
            put(table, key, value)?;
        }
        return Ok(rest);
    }
    for (key, value) in run {
        cursor.insert_before(key, value)?;
    }
    cursor.close()?;
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use redb::{Database, ReadableTable, TableDefinition, backends::InMemoryBackend};
    use std::collections::BTreeMap;

    const TABLE: TableDefinition<'_, u64, u64> = TableDefinition::new("rows");

    proptest! {
        #[test]
        fn rows_are_a_map(
            commits in prop::collection::vec(
                prop::collection::vec((0_u64..400, 0_u64..60, 0_u64..3), 0..6),
                1..6,
            ),
        ) {
            // Goal: runs and single rows that come, come again with another value and go leave what a map holds.
            let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
            let mut model = BTreeMap::new();
            for spans in commits {
                let mut rows = BTreeMap::new();
                for (first, count, value) in spans {
                    rows.extend((first..first + count).map(|key| (key, value.checked_sub(1))));
                }
                for (key, value) in &rows {
                    match value {
                        Some(value) => model.insert(*key, *value),
                        None => model.remove(key),
                    };
                }
                let txn = database.begin_write().unwrap();
                {
                    let mut table = txn.open_table(TABLE).unwrap();
                    change(&mut table, rows, |one, other| other - one < 64).unwrap();
                    let stored = table.iter().unwrap().map(|row| row.unwrap()).map(|(k, v)| (k.value(), v.value()));
                    prop_assert_eq!(stored.collect::<Vec<_>>(), model.clone().into_iter().collect::<Vec<_>>());
                }
                txn.commit().unwrap();
            }
        }
    }
}

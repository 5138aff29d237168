//! Rows of tables whose pages hold many.
//!
//! redb builds a page that a transaction touches for the first time anew, row by row; pages that the transaction owns already
//! are changed in place. Asking for the row to be changed makes the page the transaction's by copying its bytes, which is
//! cheaper for pages of many rows. What is stored is the same either way.

use redb::{Key, StorageError, Table, Value};
use std::borrow::Borrow;

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

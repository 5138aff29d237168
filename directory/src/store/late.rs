//! Tables that are opened when they are asked for first.
//!
//! Opening a table, and closing it at the end of a write transaction, costs as much as a row in it; most transactions and most
//! states need few of those that hold grants and tokens. So these wait, and the others are opened with the rest.

use crate::error::{Reason, Refusal};
use redb::{Key, ReadOnlyTable, ReadTransaction, Table, TableDefinition, Value, WriteTransaction};
use std::cell::OnceCell;
use std::sync::{Arc, OnceLock};

/// A table of a write transaction.
pub struct Late<'t, K: Key + 'static, V: Value + 'static> {
    txn: &'t WriteTransaction,
    definition: TableDefinition<'static, K, V>,
    table: OnceCell<Table<'t, K, V>>,
}

impl<'t, K: Key + 'static, V: Value + 'static> Late<'t, K, V> {
    pub(super) fn new(txn: &'t WriteTransaction, definition: TableDefinition<'static, K, V>) -> Self {
        Self { txn, definition, table: OnceCell::new() }
    }

    /// The table, to be read.
    ///
    /// # Errors
    /// A failing store.
    pub fn read(&self) -> Result<&Table<'t, K, V>, Refusal> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let table = self.txn.open_table(self.definition)?;
        Ok(self.table.get_or_init(|| table))
    }

    /// The table, to be written.
    ///
    /// # Errors
    /// A failing store.
    pub fn write(&mut self) -> Result<&mut Table<'t, K, V>, Refusal> {
        self.read()?;
        self.table.get_mut().ok_or_else(|| Refusal::new(Reason::Store, "the store failed"))
    }
}

/// A table of a state.
pub(super) struct LateReadOnly<K: Key + 'static, V: Value + 'static> {
    txn: Arc<ReadTransaction>,
    definition: TableDefinition<'static, K, V>,
    table: OnceLock<ReadOnlyTable<K, V>>,
}

impl<K: Key + 'static, V: Value + 'static> LateReadOnly<K, V> {
    pub(super) fn new(txn: &Arc<ReadTransaction>, definition: TableDefinition<'static, K, V>) -> Self {
        Self { txn: Arc::clone(txn), definition, table: OnceLock::new() }
    }

    /// The table.
    ///
    /// # Errors
    /// A failing store.
    pub(super) fn read(&self) -> Result<&ReadOnlyTable<K, V>, Refusal> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        // Of two that ask at once, one opens it for nothing.
        let table = self.txn.open_table(self.definition)?;
        Ok(self.table.get_or_init(|| table))
    }
}

//! The tables of a transaction: they know whether somebody has asked to write them, and some are opened when they are asked
//! for first.
//!
//! Opening a table, and closing it at the end of a write transaction, costs as much as a row in it; most transactions and most
//! states need few of those that hold grants and tokens. So these wait, and the others are opened with the rest.

use crate::error::{Reason, Refusal};
use redb::{Key, ReadOnlyTable, ReadTransaction, Table, TableDefinition, Value, WriteTransaction};
use std::cell::OnceCell;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// A table of a write transaction that is opened with it.
pub struct Watched<'t, K: Key + 'static, V: Value + 'static> {
    table: Table<'t, K, V>,
    is_touched: bool,
}

impl<'t, K: Key + 'static, V: Value + 'static> Watched<'t, K, V> {
    pub(super) fn open(txn: &'t WriteTransaction, definition: TableDefinition<'static, K, V>) -> Result<Self, Refusal> {
        Ok(Self { table: txn.open_table(definition)?, is_touched: false })
    }

    /// The table, to be written.
    pub fn write(&mut self) -> &mut Table<'t, K, V> {
        self.is_touched = true;
        &mut self.table
    }

    /// Somebody has asked to write it.
    pub(super) fn is_touched(&self) -> bool {
        self.is_touched
    }
}

impl<'t, K: Key + 'static, V: Value + 'static> Deref for Watched<'t, K, V> {
    type Target = Table<'t, K, V>;

    fn deref(&self) -> &Table<'t, K, V> {
        &self.table
    }
}

/// A table of a write transaction that waits to be asked for.
pub struct Late<'t, K: Key + 'static, V: Value + 'static> {
    txn: &'t WriteTransaction,
    definition: TableDefinition<'static, K, V>,
    table: OnceCell<Table<'t, K, V>>,
    is_touched: bool,
}

impl<'t, K: Key + 'static, V: Value + 'static> Late<'t, K, V> {
    pub(super) fn new(txn: &'t WriteTransaction, definition: TableDefinition<'static, K, V>) -> Self {
        Self { txn, definition, table: OnceCell::new(), is_touched: false }
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
        self.is_touched = true;
        self.read()?;
        self.table.get_mut().ok_or_else(|| Refusal::new(Reason::Store, "the store failed"))
    }

    /// Somebody has asked to write it.
    pub(super) fn is_touched(&self) -> bool {
        self.is_touched
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

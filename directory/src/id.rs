//! The identifiers: technical ids of entries and the ids of write sets.
//!
//! Both are drawn before a write set enters the journal, so that applying it draws nothing.

use serde::{Deserialize, Serialize};

/// The technical id of an entry: given once, never again, not even after the entry is gone (requirement 1.3).
///
/// 0 is nobody: the parent of a suffix, the creator of what was there before the first account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntryId(pub u64);

impl EntryId {
    /// No entry.
    pub const NONE: EntryId = EntryId(0);
}

/// The id of a write set: the key of its receipt, and what makes a repeated submission harmless.
///
/// The upper 48 bits are the time of its making in milliseconds, so that receipts are appended, not scattered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WriteSetId(pub u128);

/// The position of a write set in the journal; 1 is the first. It is also the version of what it wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position(pub u64);

//! Which entries have been touched since a moment: what lets a reader bring up to date what it remembers of the tree.

use super::record::{Event, Record};
use crate::error::Refusal;
use crate::id::{EntryId, Position};
use crate::store::codec;
use crate::store::view::Snapshot;

/// The entries that came, went, moved or changed after a position, ascending and once each. None: too many write sets to go
/// through, or one that touched what it does not name (a subtree, a border between tenants, an import): look at everything.
///
/// # Errors
/// `Store`.
pub fn touched(snapshot: &Snapshot, after: Position, most: u64) -> Result<Option<Vec<EntryId>>, Refusal> {
    if snapshot.position() < after || snapshot.position().0.saturating_sub(after.0) > most {
        return Ok(None);
    }
    let mut touched = Vec::new();
    let mut records = 0_u64;
    for item in snapshot.journal().range(after.0.saturating_add(1)..=snapshot.position().0)? {
        let (_, stored) = item?;
        records = records.saturating_add(1);
        let (_, payload) = stored.value().split_at_checked(32).unwrap_or_default();
        let record: Record = codec::decode(payload)?;
        for event in &record.events {
            match event {
                Event::Added { entry, .. } | Event::Deleted { entry, .. } | Event::Account { entry, .. } => {
                    touched.push(*entry);
                }
                Event::Modified { entry, values, .. } => {
                    let border = |value: &Vec<u8>| value.eq_ignore_ascii_case(b"rollbookTenant");
                    if values.iter().any(|change| change.added.iter().chain(&change.removed).any(border)) {
                        return Ok(None);
                    }
                    touched.push(*entry);
                }
                Event::Renamed { entry, below: 0, .. } => touched.push(*entry),
                Event::Renamed { .. } | Event::Imported { .. } => return Ok(None),
                _ => {}
            }
        }
    }
    // What the journal does not keep any more cannot be told.
    if records != snapshot.position().0.saturating_sub(after.0) {
        return Ok(None);
    }
    touched.sort_unstable();
    touched.dedup();
    Ok(Some(touched))
}

//! Values that name other entries: kept true when the named entry moves or goes.
//!
//! Membership is edges and needs nothing here but the removal of edges. The other attributes of DN syntax that people
//! use between entries ([`NAMES`]) hold text; they are found through the equality index and rewritten, so that no
//! entry ever names what is not there any more (requirement: referential integrity).

use super::project::Rows;
use crate::clock::Millis;
use crate::entry::record::{Draft, Record};
use crate::error::{Reason, Refusal};
use crate::id::{EntryId, Position};
use crate::schema::Schema;
use crate::store::view::{Tables, View};

/// The attributes whose values follow the entry that they name.
pub const NAMES: &[&[u8]] = &[b"manager", b"secretary", b"owner", b"seeAlso", b"roleOccupant"];

/// The most entries that one name may stand in.
const HOLDERS: usize = 1_000_000;

/// The named entry has the DN `to` now; none: it is gone.
pub fn follow(
    tables: &mut Tables<'_>,
    schema: &Schema,
    from: &[u8],
    to: Option<&str>,
    now: Millis,
    position: Position,
) -> Result<(), Refusal> {
    for name in NAMES {
        let Some(kind) = schema.find_attribute(name) else { continue };
        let Some(rule) = kind.equality else { continue };
        for holder in tables.holders(kind.id, from, HOLDERS)? {
            let Some(before) = load(tables, holder)? else { continue };
            let mut after = before.clone();
            for attribute in after.attributes.iter_mut().filter(|a| a.id == kind.id) {
                let named = |value: &[u8]| {
                    let mut key = Vec::new();
                    schema.normalize(rule, value, &mut key).is_ok() && key == from
                };
                match to {
                    None => attribute.values.retain(|v| !named(v)),
                    Some(to) => {
                        for value in attribute.values.iter_mut().filter(|v| named(v)) {
                            *value = to.as_bytes().to_vec();
                        }
                    }
                }
            }
            after.attributes.retain(|a| !a.values.is_empty());
            after.header.modified = now;
            after.header.version = position;
            store(tables, schema, holder, &before, &after)?;
        }
    }
    Ok(())
}

/// Whether nothing lies below an entry.
pub fn is_leaf(tables: &Tables<'_>, id: EntryId) -> Result<bool, Refusal> {
    Ok(tables.child_count(id)? == 0)
}

/// Reads an entry for changing it.
pub fn load(tables: &Tables<'_>, id: EntryId) -> Result<Option<Draft>, Refusal> {
    let Some(guard) = tables.record(id)? else { return Ok(None) };
    draft_of(guard.value()).map(Some)
}

/// Takes a record apart.
///
/// # Errors
/// `Store` when it is damaged.
pub fn draft_of(bytes: &[u8]) -> Result<Draft, Refusal> {
    Record::parse(bytes)
        .and_then(|r| r.draft())
        .map_err(|e| Refusal::new(Reason::Store, "the store failed").with_detail(e.to_string()))
}

/// Writes a changed entry and the difference of its rows.
pub fn store(
    tables: &mut Tables<'_>,
    schema: &Schema,
    id: EntryId,
    before: &Draft,
    after: &Draft,
) -> Result<(), Refusal> {
    let (gone, come) = Rows::between(schema, id, before, after);
    Rows::replace(&gone, &come, tables, id)?;
    tables.put_entry(id, Some(after.encode()))
}

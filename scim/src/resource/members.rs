//! The members of a group or role, one by one or as the text of a JSON array.
//!
//! Owns what is told of a member: `value`, `$ref`, `type`, and `display` when the client names it. Whoever the token does not
//! see is no member for it.

use super::reader::{Kind, Reader, parse};
use directory::access::Sight;
use directory::entry::record::Record;
use directory::error::Refusal;
use directory::id::EntryId;
use directory::schema::known::attribute as known;
use directory::store::view::View;
use serde_json::{Map, Value};

/// Edges read at once.
const CHUNK: usize = 4_096;

impl Reader<'_> {
    /// Every member that the token sees, with its record.
    ///
    /// # Errors
    /// `Store`.
    pub fn each_member(&self, group: EntryId, mut each: impl FnMut(EntryId, &Record<'_>)) -> Result<(), Refusal> {
        let mut after = EntryId::NONE;
        loop {
            let members = self.snapshot.members_of(group, after, CHUNK)?;
            let Some(last) = members.last() else { return Ok(()) };
            after = *last;
            for id in members {
                let Some(guard) = self.snapshot.record(id)? else { continue };
                let record = parse(guard.value())?;
                if self.sight(id, &record)? != Sight::None {
                    each(id, &record);
                }
            }
        }
    }

    /// A member as an element of `members`.
    pub fn member(&self, record: &Record<'_>, name: bool) -> Map<String, Value> {
        let uuid = record.uuid();
        let mut out = Map::new();
        out.insert("value".into(), uuid.to_string().into());
        // What is no resource here, such as an application, has no address and no type of ours.
        if let Some(kind) = Kind::of(record) {
            out.insert("$ref".into(), self.location(kind, &uuid).into());
            out.insert("type".into(), kind.name().into());
        }
        if name && let Some(name) = display(record) {
            out.insert("display".into(), name.into());
        }
        out
    }

    /// All members that the token sees, as a JSON array.
    ///
    /// # Errors
    /// `Store`.
    pub fn members(&self, group: EntryId, names: bool) -> Result<Vec<u8>, Refusal> {
        let mut out = vec![b'['];
        self.each_member(group, |_, record| {
            if out.len() > 1 {
                out.push(b',');
            }
            if names {
                // A name may hold anything.
                out.extend_from_slice(Value::Object(self.member(record, true)).to_string().as_bytes());
            } else {
                self.write_member(record, &mut out);
            }
        })?;
        out.push(b']');
        Ok(out)
    }

    /// The same as [`Reader::member`] without a name, where nothing needs an escape: the base URL has been checked.
    fn write_member(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        use std::io::Write;
        let uuid = record.uuid();
        // Writing to memory does not fail.
        let _ = match Kind::of(record) {
            Some(kind) => write!(
                out,
                "{{\"value\":\"{uuid}\",\"$ref\":\"{}/{}/{uuid}\",\"type\":\"{}\"}}",
                self.base_url,
                kind.endpoint(),
                kind.name()
            ),
            None => write!(out, "{{\"value\":\"{uuid}\"}}"),
        };
    }
}

/// The name of a resource for people.
fn display(record: &Record<'_>) -> Option<String> {
    let value = |id| record.values(id).next().map(|value: &[u8]| String::from_utf8_lossy(value).into_owned());
    match Kind::of(record) {
        Some(Kind::User) => value(known::DISPLAY_NAME).or_else(|| value(known::UID)),
        _ => value(known::CN),
    }
}

//! The stored form of an entry: one byte string, read in place.
//!
//! Layout, all integers little endian:
//!
//! ```text
//! header (80 bytes)
//!   0 version u8 = 1 | 1 kind u8 | 2 structural class u16 | 4 class count u8 | 5 unused u8 | 6 attribute count u16
//!   8 parent u64 | 16 entryUUID 16 bytes | 32 created i64 ms | 40 modified i64 ms
//!  48 creator u64 | 56 modifier u64 | 64 position of the last change u64 | 72 DN length u32 | 76 key length u32
//! classes (superclasses included) u16 each | DN text | DN key
//! attribute blocks: block length u32 | attribute u16 | options length u8 | options | value count u32
//!                   | (value length u32 | value)…
//! ```
//!
//! The values are borrowed straight from the store's page into a door's encoder. Values of edges, credentials and
//! account facts are not here (see `schema::attribute::Storage`). Called by `store`, `search`, `change`.

#![deny(clippy::arithmetic_side_effects)]

use crate::clock::Millis;
use crate::id::{EntryId, Position};
use crate::schema::attribute::AttributeId;
use crate::schema::kind::{ClassId, Kind};
use uuid::Uuid;

const VERSION: u8 = 1;
const HEADER: usize = 80;

/// A record that does not decode. It means a damaged store, never a bad request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record of an entry does not decode")]
pub struct DamagedRecord;

/// What every entry has besides its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What the entry is to the directory.
    pub kind: Kind,
    /// RFC 4512 §3.4.2 `structuralObjectClass`.
    pub structural: ClassId,
    /// The parent; [`EntryId::NONE`] for a suffix.
    pub parent: EntryId,
    /// RFC 4530.
    pub uuid: Uuid,
    /// `createTimestamp`.
    pub created: Millis,
    /// `modifyTimestamp`.
    pub modified: Millis,
    /// `creatorsName`, as an id.
    pub creator: EntryId,
    /// `modifiersName`, as an id.
    pub modifier: EntryId,
    /// The write set that changed it last.
    pub version: Position,
}

/// One attribute of a [`Draft`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Attribute {
    /// The type.
    pub id: AttributeId,
    /// Options, lower case, sorted, joined by `;`, without the leading one. Empty for most.
    pub options: Vec<u8>,
    /// At least one value, in the order of their arrival.
    pub values: Vec<Vec<u8>>,
}

/// An entry taken apart, for changing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The fixed part.
    pub header: Header,
    /// Classes with all their superclasses, sorted.
    pub classes: Vec<ClassId>,
    /// RFC 4514 text.
    pub dn: String,
    /// The canonical key of the DN, root first.
    pub key: Vec<u8>,
    /// Attributes in the order of their first arrival.
    pub attributes: Vec<Attribute>,
}

impl Draft {
    /// The attribute of exactly this description.
    pub fn attribute(&self, id: AttributeId, options: &[u8]) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.id == id && a.options == options)
    }

    /// The stored form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        out.push(VERSION);
        out.push(self.header.kind as u8);
        out.extend_from_slice(&self.header.structural.0.to_le_bytes());
        out.push(u8::try_from(self.classes.len()).unwrap_or(u8::MAX));
        out.push(0);
        out.extend_from_slice(&u16::try_from(self.attributes.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend_from_slice(&self.header.parent.0.to_le_bytes());
        out.extend_from_slice(self.header.uuid.as_bytes());
        out.extend_from_slice(&self.header.created.0.to_le_bytes());
        out.extend_from_slice(&self.header.modified.0.to_le_bytes());
        out.extend_from_slice(&self.header.creator.0.to_le_bytes());
        out.extend_from_slice(&self.header.modifier.0.to_le_bytes());
        out.extend_from_slice(&self.header.version.0.to_le_bytes());
        out.extend_from_slice(&length(self.dn.len()));
        out.extend_from_slice(&length(self.key.len()));
        for class in self.classes.iter().take(usize::from(u8::MAX)) {
            out.extend_from_slice(&class.0.to_le_bytes());
        }
        out.extend_from_slice(self.dn.as_bytes());
        out.extend_from_slice(&self.key);
        for attribute in self.attributes.iter().take(usize::from(u16::MAX)) {
            let start = out.len();
            out.extend_from_slice(&[0; 4]);
            out.extend_from_slice(&attribute.id.0.to_le_bytes());
            out.push(u8::try_from(attribute.options.len()).unwrap_or(0));
            if attribute.options.len() <= usize::from(u8::MAX) {
                out.extend_from_slice(&attribute.options);
            }
            out.extend_from_slice(&length(attribute.values.len()));
            for value in &attribute.values {
                out.extend_from_slice(&length(value.len()));
                out.extend_from_slice(value);
            }
            let size = length(out.len().saturating_sub(start).saturating_sub(4));
            if let Some(slot) = out.get_mut(start..start.saturating_add(4)) {
                slot.copy_from_slice(&size);
            }
        }
        out
    }
}

/// Changes what the header of a stored record says about its surroundings, for entries that are encoded before these are
/// known.
pub fn fill_in(record: &mut [u8], parent: EntryId, authors: [EntryId; 2], version: Position) {
    let [creator, modifier] = authors;
    for (at, value) in [(8_usize, parent.0), (48, creator.0), (56, modifier.0), (64, version.0)] {
        if let Some(slot) = record.get_mut(at..at.saturating_add(8)) {
            slot.copy_from_slice(&value.to_le_bytes());
        }
    }
}

/// Lengths are bounded far below by the limits of the doors; a longer one would read back as damage.
fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}

/// An entry read in place.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    bytes: &'a [u8],
    classes: &'a [u8],
    dn: &'a str,
    key: &'a [u8],
    blocks: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads the header; the attribute blocks are read when walked.
    ///
    /// # Errors
    /// [`DamagedRecord`] when a length does not fit or the version is not known.
    pub fn parse(bytes: &'a [u8]) -> Result<Record<'a>, DamagedRecord> {
        if bytes.first() != Some(&VERSION) || bytes.len() < HEADER {
            return Err(DamagedRecord);
        }
        let class_bytes = usize::from(*bytes.get(4).ok_or(DamagedRecord)?).saturating_mul(2);
        let dn_length = u32_at(bytes, 72)?;
        let key_length = u32_at(bytes, 76)?;
        let rest = bytes.get(HEADER..).ok_or(DamagedRecord)?;
        let (classes, rest) = rest.split_at_checked(class_bytes).ok_or(DamagedRecord)?;
        let (dn, rest) = rest.split_at_checked(dn_length).ok_or(DamagedRecord)?;
        let (key, blocks) = rest.split_at_checked(key_length).ok_or(DamagedRecord)?;
        let dn = std::str::from_utf8(dn).map_err(|_| DamagedRecord)?;
        Ok(Record { bytes, classes, dn, key, blocks })
    }

    /// The DN as RFC 4514 text.
    pub fn dn(&self) -> &'a str {
        self.dn
    }

    /// The canonical key of the DN.
    pub fn key(&self) -> &'a [u8] {
        self.key
    }

    /// What the entry is.
    pub fn kind(&self) -> Kind {
        self.bytes.get(1).copied().map_or(Kind::Other, Kind::from_code)
    }

    /// The parent.
    pub fn parent(&self) -> EntryId {
        EntryId(u64_at(self.bytes, 8))
    }

    /// RFC 4530.
    pub fn uuid(&self) -> Uuid {
        let bytes = self.bytes.get(16..32).and_then(|b| <[u8; 16]>::try_from(b).ok());
        Uuid::from_bytes(bytes.unwrap_or_default())
    }

    /// The fixed part.
    pub fn header(&self) -> Header {
        Header {
            kind: self.kind(),
            structural: ClassId(self.bytes.get(2..4).map_or(0, u16_of)),
            parent: self.parent(),
            uuid: self.uuid(),
            created: Millis(u64_at(self.bytes, 32).cast_signed()),
            modified: Millis(u64_at(self.bytes, 40).cast_signed()),
            creator: EntryId(u64_at(self.bytes, 48)),
            modifier: EntryId(u64_at(self.bytes, 56)),
            version: Position(u64_at(self.bytes, 64)),
        }
    }

    /// The classes with all their superclasses.
    pub fn classes(&self) -> impl Iterator<Item = ClassId> + use<'a> {
        self.classes.chunks_exact(2).map(|c| ClassId(u16_of(c)))
    }

    /// Whether the entry is of this class or of a subclass of it.
    pub fn has_class(&self, class: ClassId) -> bool {
        self.classes().any(|c| c == class)
    }

    /// The attributes, in stored order. A damaged block ends the walk.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes { rest: self.blocks }
    }

    /// All values of a type, whatever the options.
    pub fn values(&self, id: AttributeId) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.attributes().filter(move |a| a.id == id).flat_map(|a| a.values())
    }

    /// Takes the entry apart.
    ///
    /// # Errors
    /// [`DamagedRecord`] when fewer attributes can be read than the header counts.
    pub fn draft(&self) -> Result<Draft, DamagedRecord> {
        let attributes: Vec<Attribute> = self
            .attributes()
            .map(|a| Attribute {
                id: a.id,
                options: a.options.to_vec(),
                values: a.values().map(<[u8]>::to_vec).collect(),
            })
            .collect();
        if attributes.len() != usize::from(self.bytes.get(6..8).map_or(0, u16_of)) {
            return Err(DamagedRecord);
        }
        Ok(Draft {
            header: self.header(),
            classes: self.classes().collect(),
            dn: self.dn.to_owned(),
            key: self.key.to_vec(),
            attributes,
        })
    }
}

/// One attribute of a [`Record`].
#[derive(Debug, Clone, Copy)]
pub struct StoredAttribute<'a> {
    /// The type.
    pub id: AttributeId,
    /// The options, as in [`Attribute::options`].
    pub options: &'a [u8],
    count: usize,
    values: &'a [u8],
}

impl<'a> StoredAttribute<'a> {
    /// The values.
    pub fn values(&self) -> Values<'a> {
        Values { left: self.count, rest: self.values }
    }
}

/// Walks the attribute blocks.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Attributes<'a> {
    type Item = StoredAttribute<'a>;

    fn next(&mut self) -> Option<StoredAttribute<'a>> {
        let (size, rest) = self.rest.split_first_chunk::<4>()?;
        let (block, rest) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
        self.rest = rest;
        let (id, block) = block.split_first_chunk::<2>()?;
        let (options_length, block) = block.split_first()?;
        let (options, block) = block.split_at_checked(usize::from(*options_length))?;
        let (count, values) = block.split_first_chunk::<4>()?;
        Some(StoredAttribute {
            id: AttributeId(u16::from_le_bytes(*id)),
            options,
            count: u32::from_le_bytes(*count) as usize,
            values,
        })
    }
}

/// Walks the values of one attribute.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    left: usize,
    rest: &'a [u8],
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let (size, rest) = self.rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
        self.rest = rest;
        Some(value)
    }
}

fn u16_of(bytes: &[u8]) -> u16 {
    bytes.first_chunk::<2>().map_or(0, |b| u16::from_le_bytes(*b))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<usize, DamagedRecord> {
    let slice = bytes.get(at..).and_then(|b| b.first_chunk::<4>()).ok_or(DamagedRecord)?;
    Ok(u32::from_le_bytes(*slice) as usize)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|b| b.first_chunk::<8>()).map_or(0, |b| u64::from_le_bytes(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            header: Header {
                kind: Kind::Person,
                structural: ClassId(7),
                parent: EntryId(3),
                uuid: Uuid::from_u128(0x1234),
                created: Millis(1_700_000_000_000),
                modified: Millis(-5),
                creator: EntryId(1),
                modifier: EntryId(2),
                version: Position(99),
            },
            classes: vec![ClassId(1), ClassId(7)],
            dn: "cn=Ä,dc=x".into(),
            key: vec![0, 1, 2],
            attributes: vec![
                Attribute { id: AttributeId(3), options: vec![], values: vec![b"a".to_vec(), vec![]] },
                Attribute { id: AttributeId(4), options: b"lang-de".to_vec(), values: vec![vec![0xff; 3000]] },
            ],
        }
    }

    #[test]
    fn a_draft_survives_the_round_trip() {
        // Goal: encode and decode are inverse, options, empty and long values included.
        let bytes = draft().encode();
        assert_eq!(Record::parse(&bytes).unwrap().draft().unwrap(), draft());
    }

    #[test]
    fn the_surroundings_can_come_later() {
        // Goal: filling in is the same as encoding with the values.
        let mut bytes = draft().encode();
        fill_in(&mut bytes, EntryId(7), [EntryId(8), EntryId(9)], Position(10));
        let mut expected = draft();
        let header = &mut expected.header;
        (header.parent, header.creator, header.modifier) = (EntryId(7), EntryId(8), EntryId(9));
        header.version = Position(10);
        assert_eq!(bytes, expected.encode());
    }

    #[test]
    fn every_truncation_is_noticed() {
        // Goal: no prefix of a record decodes to a whole entry, and none panics.
        let bytes = draft().encode();
        for end in 0..bytes.len() {
            let whole = Record::parse(&bytes[..end]).ok().and_then(|r| r.draft().ok());
            assert!(whole.is_none_or(|d| d != draft()), "{end}");
        }
    }
}

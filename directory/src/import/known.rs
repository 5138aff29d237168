//! What an import has to remember of every entry until its end: who has which name.
//!
//! Names (DN keys, usernames, addresses, skeletons) are held as 96 bits of a hash whose key is drawn for each import:
//! two names that meet are as likely as a wrong answer of the machine's memory, and nobody can choose a pair. 20 bytes per
//! name, whatever its length.

use crate::change::claims::Taken;
use crate::error::Refusal;
use crate::id::EntryId;
use crate::store::view::{Tables, View};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

type Fingerprint = [u32; 3];

/// The names of the entries of this import.
pub struct Known {
    seed: [u8; 16],
    first: u64,
    ids: HashMap<Fingerprint, u32, BuildHasherDefault<Folded>>,
}

/// What a name is: names of different kinds never meet.
#[derive(Clone, Copy)]
enum Space {
    Dn = 1,
    Claim = 2,
    Alike = 3,
    AlikeForeign = 4,
    Uuid = 5,
}

impl Known {
    /// Knows nothing. `first` is the first id of the import.
    pub fn new(seed: [u8; 16], first: u64) -> Known {
        Known { seed, first, ids: HashMap::default() }
    }

    fn fingerprint(&self, space: Space, name: &[u8]) -> Fingerprint {
        let mut hasher = SipHasher13::new_with_key(&self.seed);
        hasher.write(name);
        hasher.write_u8(space as u8);
        let hash = hasher.finish128().as_u128().to_le_bytes();
        let part = |at: usize| hash.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b));
        [part(0), part(4), part(8)]
    }

    fn get(&self, space: Space, name: &[u8]) -> Option<EntryId> {
        let offset = self.ids.get(&self.fingerprint(space, name))?;
        Some(EntryId(self.first.saturating_add(u64::from(*offset))))
    }

    /// The first that has a name keeps it.
    fn put(&mut self, space: Space, name: &[u8], id: EntryId) {
        let offset = u32::try_from(id.0.saturating_sub(self.first)).unwrap_or(u32::MAX);
        let fingerprint = self.fingerprint(space, name);
        self.ids.entry(fingerprint).or_insert(offset);
    }

    /// The entry of a DN key.
    pub fn id_of(&self, key: &[u8]) -> Option<EntryId> {
        self.get(Space::Dn, key)
    }

    /// Remembers an entry.
    pub fn name(&mut self, key: &[u8], id: EntryId) {
        self.put(Space::Dn, key, id);
    }

    /// Remembers an entryUUID. False: an entry before has it.
    pub fn uuid(&mut self, uuid: &[u8; 16], id: EntryId) -> bool {
        if self.get(Space::Uuid, uuid).is_some() {
            return false;
        }
        self.put(Space::Uuid, uuid, id);
        true
    }

    /// Remembers a row of `claims`.
    pub fn claim(&mut self, key: &[u8], value: u64, id: EntryId) {
        match skeleton(key) {
            None => self.put(Space::Claim, key, id),
            Some(skeleton) => {
                self.put(Space::Alike, skeleton, id);
                if value != 0 {
                    self.put(Space::AlikeForeign, skeleton, id);
                }
            }
        }
    }
}

/// The part of a claim's key that all usernames of one skeleton share; none: the claim is none of a skeleton.
fn skeleton(key: &[u8]) -> Option<&[u8]> {
    (key.first() == Some(&b's')).then(|| crate::store::indexes::without_id(key))
}

/// The store's names and those of this import.
pub struct Names<'a, 't> {
    /// The store's.
    pub tables: &'a Tables<'t>,
    /// The import's.
    pub known: &'a Known,
}

impl Taken for Names<'_, '_> {
    fn holder(&self, key: &[u8]) -> Result<Option<EntryId>, Refusal> {
        match self.known.get(Space::Claim, key) {
            Some(id) => Ok(Some(id)),
            None => self.tables.holder(key),
        }
    }

    fn alike(&self, prefix: &[u8]) -> Result<Vec<(EntryId, bool)>, Refusal> {
        let mut found = self.tables.alike(prefix)?;
        found.extend(self.known.get(Space::Alike, prefix).map(|id| (id, false)));
        found.extend(self.known.get(Space::AlikeForeign, prefix).map(|id| (id, true)));
        Ok(found)
    }

    fn identified(&self, id: &uuid::Uuid) -> Result<Option<EntryId>, Refusal> {
        self.tables.identified(id)
    }
}

impl Names<'_, '_> {
    /// The entry of a DN key.
    ///
    /// # Errors
    /// `Store`.
    pub fn id_of(&self, key: &[u8]) -> Result<Option<EntryId>, Refusal> {
        match self.known.id_of(key) {
            Some(id) => Ok(Some(id)),
            None => View::id_of(self.tables, key),
        }
    }
}

/// A fingerprint is a hash already.
#[derive(Default)]
struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks_exact(4) {
            let part = chunk.first_chunk::<4>().map_or(0, |b| u32::from_le_bytes(*b));
            self.write_u32(part);
        }
    }

    fn write_u32(&mut self, part: u32) {
        self.0 = self.0.rotate_left(32) ^ u64::from(part);
    }

    fn write_usize(&mut self, _: usize) {}
}

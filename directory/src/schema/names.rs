//! A fixed table from names to numbers that ignores ASCII case and never allocates on lookup.
//!
//! Owns the hashing only. Filled by [`super::builder`], asked for every attribute description on the wire. The keys
//! come from the schema, never from a peer, so a plain multiplicative hash is enough; a probe sequence is bounded by
//! the table's load of one half.

/// Open addressing with linear probing; the length of `slots` is a power of two.
#[derive(Debug, Default)]
pub(super) struct NameIndex {
    slots: Vec<Option<(Box<[u8]>, u16)>>,
    used: usize,
}

impl NameIndex {
    /// Adds a name. Answers the number that already had it, if one did; the table is then unchanged.
    pub(super) fn insert(&mut self, name: &[u8], number: u16) -> Result<(), u16> {
        if let Some(other) = self.find(name) {
            return Err(other);
        }
        if self.used.saturating_mul(2) >= self.slots.len() {
            self.grow();
        }
        self.place(name.into(), number);
        self.used = self.used.saturating_add(1);
        Ok(())
    }

    /// The number of a name.
    pub(super) fn find(&self, name: &[u8]) -> Option<u16> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut position = hash(name) & mask;
        while let Some((known, number)) = self.slots.get(position)? {
            if known.eq_ignore_ascii_case(name) {
                return Some(*number);
            }
            position = position.wrapping_add(1) & mask;
        }
        None
    }

    fn grow(&mut self) {
        let size = self.slots.len().saturating_mul(2).max(64);
        let old = std::mem::replace(&mut self.slots, std::iter::repeat_with(|| None).take(size).collect());
        for (name, number) in old.into_iter().flatten() {
            self.place(name, number);
        }
    }

    fn place(&mut self, name: Box<[u8]>, number: u16) {
        let mask = self.slots.len().saturating_sub(1);
        let mut position = hash(&name) & mask;
        while matches!(self.slots.get(position), Some(Some(_))) {
            position = position.wrapping_add(1) & mask;
        }
        if let Some(slot) = self.slots.get_mut(position) {
            *slot = Some((name, number));
        }
    }
}

/// FNV-1a over the lower-cased bytes, folded so that the low bits depend on all of them.
fn hash(name: &[u8]) -> usize {
    let full = name.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
    });
    usize::try_from((full ^ (full >> 32)) & 0x7fff_ffff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_a_second_owner_is_refused() {
        // Goal: lookup ignores case, growth loses nothing, and a name has one owner.
        let mut index = NameIndex::default();
        assert_eq!(index.find(b"cn"), None);
        for number in 0..1000u16 {
            assert_eq!(index.insert(format!("attributeType{number}").as_bytes(), number), Ok(()));
        }
        for number in 0..1000u16 {
            assert_eq!(index.find(format!("ATTRIBUTEtype{number}").as_bytes()), Some(number));
        }
        assert_eq!(index.insert(b"attributetype7", 2000), Err(7));
        assert_eq!(index.find(b"attributeType1000"), None);
        assert_eq!(index.find(b""), None);
    }
}

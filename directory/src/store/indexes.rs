//! Index keys: one key per (attribute, value, entry), ordered as the values are.
//!
//! `attribute u16 BE | value, 0x00 written as 0x00 0xFF | 0x00 0x00 | id u64 BE`
//!
//! Equality is the range of one value, presence the range of one attribute, ordering and `initial*` a range of values.
//! A value of more than [`LONGEST`] bytes is cut there and a hash of the whole is appended, so that equality stays
//! exact and the rest stays a superset; whoever reads an index evaluates the filter on the entry again.

#![deny(clippy::arithmetic_side_effects)]

use crate::id::EntryId;
use crate::schema::attribute::AttributeId;
use sha2::{Digest, Sha256};

/// Bytes of a normalised value that a key holds.
pub const LONGEST: usize = 200;

/// Appends the part of a key that names attribute and value.
pub fn value_prefix(attribute: AttributeId, value: &[u8], out: &mut Vec<u8>) {
    open_prefix(attribute, value, out);
    if value.len() > LONGEST {
        escape(Sha256::digest(value).first_chunk::<16>().map_or(&[], |h| h.as_slice()), out);
    }
    out.extend_from_slice(&[0, 0]);
}

/// Appends the part of a key that all values with this beginning share.
pub fn open_prefix(attribute: AttributeId, beginning: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&attribute.0.to_be_bytes());
    escape(beginning.get(..LONGEST).unwrap_or(beginning), out);
}

fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    if memchr::memchr(0, bytes).is_none() {
        out.extend_from_slice(bytes);
        return;
    }
    for byte in bytes {
        out.push(*byte);
        if *byte == 0 {
            out.push(0xff);
        }
    }
}

/// A whole key.
pub fn key(attribute: AttributeId, value: &[u8], id: EntryId, out: &mut Vec<u8>) {
    value_prefix(attribute, value, out);
    out.extend_from_slice(&id.0.to_be_bytes());
}

/// The id at the end of a key.
pub fn id_of(key: &[u8]) -> Option<EntryId> {
    key.last_chunk::<8>().map(|b| EntryId(u64::from_be_bytes(*b)))
}

/// The key without the id.
pub fn without_id(key: &[u8]) -> &[u8] {
    key.len().checked_sub(8).and_then(|n| key.get(..n)).unwrap_or_default()
}

/// The first key after all that begin with `prefix`; none when there can be no later key.
pub fn after(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn full(value: &[u8], id: u64) -> Vec<u8> {
        let mut out = Vec::new();
        key(AttributeId(7), value, EntryId(id), &mut out);
        out
    }

    proptest! {
        #[test]
        fn keys_sort_as_values_and_then_ids(a in prop::collection::vec(0u8..4, 0..6), b in prop::collection::vec(0u8..4, 0..6), i: u64, j: u64) {
            // Goal: byte order of keys is (value, id) order, zero bytes included.
            prop_assert_eq!(full(&a, i).cmp(&full(&b, j)), (&a, i).cmp(&(&b, j)));
            prop_assert_eq!(id_of(&full(&a, i)), Some(EntryId(i)));
        }

        #[test]
        fn a_value_range_holds_exactly_its_ids(a in prop::collection::vec(any::<u8>(), 0..6), b in prop::collection::vec(any::<u8>(), 0..6), i: u64) {
            // Goal: a key lies in the range of a value iff the values are equal.
            let mut prefix = Vec::new();
            value_prefix(AttributeId(7), &a, &mut prefix);
            let k = full(&b, i);
            let inside = k >= prefix && after(&prefix).is_none_or(|end| k < end);
            prop_assert_eq!(inside, a == b);
        }
    }

    #[test]
    fn long_values_stay_apart() {
        // Goal: two values that differ only behind the cut have different keys and share the open prefix.
        let (a, b) = (vec![b'x'; 500], [vec![b'x'; 499], vec![b'y']].concat());
        assert_ne!(full(&a, 1), full(&b, 1));
        let mut open = Vec::new();
        open_prefix(AttributeId(7), &a, &mut open);
        assert!(full(&b, 1).starts_with(&open));
    }
}

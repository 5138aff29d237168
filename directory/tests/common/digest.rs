//! One number for everything that a store holds: two stores with the same digest hold the same rows.
//!
//! The clock's mark is left out, because it is stored without a position of its own. Of the two indexes counts what they say,
//! not how much of it has reached their tables.

use directory::store::tables::meta;
use directory::store::text::Trigram;
use directory::store::trigrams::Step;
use directory::store::view::{Snapshot, View};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The digest of a state.
pub fn digest(snapshot: &Snapshot) -> [u8; 32] {
    let mut hash = Sha256::new();
    // As they are, with what is in memory.
    macro_rules! layered {
        ($($table:ident: |$k:ident, $v:ident| $bytes:expr;)*) => {$(
            hash.update(stringify!($table));
            for item in snapshot.$table().range(..).unwrap() {
                let ($k, $v) = item.unwrap();
                for part in $bytes {
                    hash.update((part.len() as u64).to_le_bytes());
                    hash.update(part);
                }
            }
        )*};
    }
    macro_rules! tables {
        ($($table:ident$(($($late:tt)*))?: $key:ty, |$k:ident, $v:ident| $bytes:expr;)*) => {$(
            hash.update(stringify!($table));
            for item in snapshot.$table()$($($late)*)?.range::<$key>(..).unwrap() {
                let (key, value) = item.unwrap();
                let ($k, $v) = (key.value(), value.value());
                for part in $bytes {
                    hash.update((part.len() as u64).to_le_bytes());
                    hash.update(part);
                }
            }
        )*};
    }
    layered! {
        entries: |k, v| [&k.to_le_bytes()[..], v.value()];
        names: |k, v| [&k[..], &v.to_le_bytes()[..]];
        children: |k, v| [&k.0.to_le_bytes()[..], &k.1.to_le_bytes()[..], { let () = v; &[] }];
        counts: |k, v| [&k.to_le_bytes()[..], &v.to_le_bytes()[..]];
        claims: |k, v| [&k[..], &v.to_le_bytes()[..]];
        accounts: |k, v| [&k.to_le_bytes()[..], v.value()];
        journal: |k, v| [&k.to_le_bytes()[..], v.value()];
        receipts: |k, v| [&k.to_le_bytes()[..], &v.to_le_bytes()[..]];
    }
    tables! {
        members: (u64, u64), |k, v| [&k.0.to_le_bytes()[..], &k.1.to_le_bytes()[..], &[v][..]];
        groups: (u64, u64), |k, v| [&k.0.to_le_bytes()[..], &k.1.to_le_bytes()[..], &[v][..]];
        credentials: u64, |k, v| [&k.to_le_bytes()[..], v];
        graves(.unwrap()): u64, |k, v| [&k.to_le_bytes()[..], v];
        tokens(.unwrap()): u64, |k, v| [&k.to_le_bytes()[..], v];
        owners(.unwrap()): (u64, u64), |k, v| [&k.0.to_le_bytes()[..], &k.1.to_le_bytes()[..], { let () = v; &[] }];
        sessions(.unwrap()): u64, |k, v| [&k.to_le_bytes()[..], v];
        session_owners(.unwrap()): (u64, u64), |k, v| [&k.0.to_le_bytes()[..], &k.1.to_le_bytes()[..], { let () = v; &[] }];
        families(.unwrap()): u64, |k, v| [&k.to_le_bytes()[..], v];
        family_owners(.unwrap()): (u64, u64), |k, v| [&k.0.to_le_bytes()[..], &k.1.to_le_bytes()[..], { let () = v; &[] }];
        codes(.unwrap()): &[u8], |k, v| [k, v];
        notices(.unwrap()): (u64, u64), |k, v| [&k.0.to_le_bytes()[..], &k.1.to_le_bytes()[..], v];
        revoked(.unwrap()): &[u8], |k, v| [k, &v.to_le_bytes()[..]];
        consents(.unwrap()): (u64, u64), |k, v| [&k.0.to_le_bytes()[..], &k.1.to_le_bytes()[..], v];
        signing_keys(.unwrap()): u64, |k, v| [&k.to_le_bytes()[..], v];
        secrets(.unwrap()): u64, |k, v| [&k.to_le_bytes()[..], v];
        factors(.unwrap()): u64, |k, v| [&k.to_le_bytes()[..], v];
        links(.unwrap()): &[u8], |k, v| [k, v];
        link_owners(.unwrap()): (u64, u64), |k, v| [&k.0.to_le_bytes()[..], &k.1.to_le_bytes()[..], v];
    }
    for key in keys(snapshot) {
        hash.update((key.len() as u64).to_le_bytes());
        hash.update(key);
    }
    for trigram in trigrams(snapshot) {
        let chunk = |number: u32, chunk: &[u8]| {
            hash.update(trigram);
            hash.update(number.to_le_bytes());
            hash.update((chunk.len() as u64).to_le_bytes());
            hash.update(chunk);
            true
        };
        snapshot.staged().chunks(snapshot.text(), trigram, chunk).unwrap();
    }
    for item in snapshot.meta().range::<&str>(..).unwrap() {
        let (key, value) = item.unwrap();
        // Those that commits move are asked for, because the newest may be in memory.
        if ![meta::HIGH_WATER, meta::POSITION, meta::CHAIN, meta::NEXT_ID].contains(&key.value()) {
            hash.update(key.value());
            hash.update(value.value());
        }
    }
    let head = snapshot.head().unwrap();
    hash.update(head.position.0.to_le_bytes());
    hash.update(head.hash);
    hash.update(snapshot.next_id().unwrap().to_le_bytes());
    hash.finalize().into()
}

/// The keys of `index`.
fn keys(snapshot: &Snapshot) -> BTreeSet<Vec<u8>> {
    let rows = snapshot.index().range::<&[u8]>(..).unwrap();
    let mut keys: BTreeSet<Vec<u8>> = rows.map(|row| row.unwrap().0.value().to_vec()).collect();
    for (key, comes) in snapshot.staged().whole().keys_from(0) {
        if comes {
            keys.insert(key.to_vec());
        } else {
            keys.remove(key);
        }
    }
    keys
}

/// The trigrams of `text`, and some that nobody has any more.
fn trigrams(snapshot: &Snapshot) -> BTreeSet<Trigram> {
    let rows = snapshot.text().range::<&[u8]>(..).unwrap();
    let mut trigrams: BTreeSet<Trigram> =
        rows.filter_map(|row| row.unwrap().0.value().first_chunk().copied()).collect();
    trigrams.extend(snapshot.staged().whole().steps().iter().map(Step::trigram));
    trigrams
}

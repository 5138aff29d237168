//! One number for everything that a store holds: two stores with the same digest hold the same rows.
//!
//! The clock's mark is left out, because it is stored without a position of its own.

use directory::store::tables::meta;
use directory::store::view::Snapshot;
use sha2::{Digest, Sha256};

/// The digest of a state.
pub fn digest(snapshot: &Snapshot) -> [u8; 32] {
    let mut hash = Sha256::new();
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
    tables! {
        entries: u64, |k, v| [&k.to_le_bytes()[..], v];
        names: &[u8], |k, v| [k, &v.to_le_bytes()[..]];
        children: (u64, u64), |k, v| [&k.0.to_le_bytes()[..], &k.1.to_le_bytes()[..], { let () = v; &[] }];
        counts: u64, |k, v| [&k.to_le_bytes()[..], &v.to_le_bytes()[..]];
        index: &[u8], |k, v| [k, { let () = v; &[] }];
        text: &[u8], |k, v| [k, v];
        members: (u64, u64), |k, v| [&k.0.to_le_bytes()[..], &k.1.to_le_bytes()[..], &[v][..]];
        groups: (u64, u64), |k, v| [&k.0.to_le_bytes()[..], &k.1.to_le_bytes()[..], &[v][..]];
        claims: &[u8], |k, v| [k, &v.to_le_bytes()[..]];
        accounts: u64, |k, v| [&k.to_le_bytes()[..], v];
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
        journal: u64, |k, v| [&k.to_le_bytes()[..], v];
        receipts: u128, |k, v| [&k.to_le_bytes()[..], &v.to_le_bytes()[..]];
    }
    for item in snapshot.meta().range::<&str>(..).unwrap() {
        let (key, value) = item.unwrap();
        if key.value() != meta::HIGH_WATER {
            hash.update(key.value());
            hash.update(value.value());
        }
    }
    hash.finalize().into()
}

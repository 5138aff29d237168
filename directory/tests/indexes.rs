//! The two indexes and what is staged for them: whoever edits a store that is not running is found by `verify()`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "other test programs use the rest")]
mod common;
#[expect(dead_code, reason = "other test programs use the rest")]
#[path = "common/disk.rs"]
mod disk;

use common::World;
use directory::handle::Backend;
use directory::store::staged::Staged;
use directory::store::tables::{INDEX, STAGED, TEXT};
use directory::store::verify::verify;
use directory::store::view::View;
use disk::Disk;
use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};

/// What somebody does to a store that is not running.
type Tampering = fn(&WriteTransaction);

/// A store some of whose keys stand in their tables, and some are staged.
async fn store() -> Vec<u8> {
    let disk = Disk::default();
    let world = World::open(Backend::Other(disk.backend())).unwrap();
    world.begin().await;
    for number in 0..30 {
        world.person(&format!("person{number}"), "ou=people,dc=example,dc=com").await.unwrap();
    }
    world.verify();
    let snapshot = world.directory.snapshot().unwrap();
    let written = (snapshot.index().len().unwrap(), snapshot.text().len().unwrap());
    assert!(written.0 > 100 && written.1 > 20 && !snapshot.staged().is_empty(), "{written:?}");
    drop(snapshot);
    world.directory.stop();
    drop(world);
    disk.bytes()
}

/// A staged row after a change of its octets.
fn edit(txn: &WriteTransaction, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut table = txn.open_table(STAGED).unwrap();
    let (position, mut row) = table.last().unwrap().map(|(at, row)| (at.value(), row.value().to_vec())).unwrap();
    edit(&mut row);
    table.insert(position, row.as_slice()).unwrap();
}

#[tokio::test]
async fn every_way_to_edit_an_index_is_found() {
    // Goal: an untouched store has no findings; a key or a chunk that is missing, too many or another one, and a staged row
    // that is gone or edited, is found, or the store says that it is damaged.
    let image = store().await;
    let ways: &[(&str, bool, Tampering)] = &[
        ("untouched", false, |_| {}),
        ("a key taken out", true, |txn| {
            // One that is staged besides stands all the same.
            let staged = Staged::read(&txn.open_table(STAGED).unwrap()).unwrap();
            let mut table = txn.open_table(INDEX).unwrap();
            let keys: Vec<Vec<u8>> = table.iter().unwrap().map(|row| row.unwrap().0.value().to_vec()).collect();
            let key = keys.into_iter().find(|key| staged.find(key).is_none()).unwrap();
            table.remove(key.as_slice()).unwrap();
        }),
        ("a key too many", true, |txn| {
            txn.open_table(INDEX).unwrap().insert([0, 65, b'x', 0, 0, 0, 0, 0, 0, 0, 0, 0, 9].as_slice(), ()).unwrap();
        }),
        ("the chunks taken out", true, |txn| {
            txn.open_table(TEXT).unwrap().retain(|_, _| false).unwrap();
        }),
        ("a chunk of nobody", true, |txn| {
            txn.open_table(TEXT).unwrap().insert(b"qqq\0\0\0\0".as_slice(), [].as_slice()).unwrap();
        }),
        ("an entry in a chunk that is not its own", true, |txn| {
            txn.open_table(TEXT).unwrap().insert(b"qqq\0\0\0\0".as_slice(), [7, 0].as_slice()).unwrap();
        }),
        ("a staged row taken out", true, |txn| {
            let mut table = txn.open_table(STAGED).unwrap();
            let position = table.last().unwrap().unwrap().0.value();
            table.remove(position).unwrap();
        }),
        ("a staged row made short", true, |txn| edit(txn, |row| row.truncate(row.len() - 1))),
        ("a staged key that is another one", true, |txn| edit(txn, |row| row[12] ^= 1)),
        ("a staged trigram of somebody else", true, |txn| {
            edit(txn, |row| {
                let last = row.len() - 2;
                row[last] ^= 1;
            });
        }),
    ];
    for (way, is_found, tamper) in ways {
        let disk = Disk::of(image.clone());
        let database = common::database(disk.clone());
        let txn = database.begin_write().unwrap();
        tamper(&txn);
        txn.commit().unwrap();
        drop(database);
        let found = match World::open(Backend::Other(disk.backend())) {
            Ok(world) => {
                let snapshot = world.directory.snapshot().unwrap();
                !verify(&snapshot, world.directory.schema()).unwrap().is_empty()
            }
            // What cannot be read is no store.
            Err(refusal) => refusal.detail.is_some_and(|detail| detail.contains("staged")),
        };
        assert_eq!(found, *is_found, "{way}");
    }
}

//! The journal cannot be edited unseen (hostile row G4): whoever changes, drops, swaps, forges or cuts off a record
//! leaves a chain that `verify()` finds broken.
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
use directory::change::ModificationKind;
use directory::handle::Backend;
use directory::id::Position;
use directory::journal::record::Record;
use directory::store::tables::{JOURNAL, META, meta};
use directory::store::verify::verify;
use directory::wal::layout::{Layout, PAGE};
use disk::Disk;
use redb::{Database, ReadableTable, StorageBackend};

const PERSON: &str = "uid=ada,ou=people,dc=example,dc=com";

/// What somebody does to a store that is not running.
type Tampering = fn(&mut Rows);

/// The journal and its end, as rows.
struct Rows {
    journal: Vec<(u64, Vec<u8>)>,
    position: u64,
    chain: Vec<u8>,
}

#[tokio::test]
async fn every_way_to_edit_history_is_found() {
    // Goal: an untouched journal has no findings; each way of tampering has at least one.
    let image = store().await;
    let ways: &[(&str, bool, Tampering)] = &[
        ("untouched", false, |_| {}),
        ("a byte of a record", true, |rows| {
            let record = &mut rows.journal[4].1;
            let last = record.len() - 1;
            record[last] ^= 1;
        }),
        ("a byte of a link", true, |rows| rows.journal[4].1[3] ^= 1),
        ("a record made short", true, |rows| rows.journal[4].1.truncate(10)),
        ("a record taken out", true, |rows| {
            rows.journal.remove(4);
        }),
        ("a record taken out, the later ones moved up", true, |rows| {
            rows.journal.remove(4);
            rows.journal[4..].iter_mut().for_each(|(position, _)| *position -= 1);
            rows.position -= 1;
        }),
        ("the first record taken out", true, |rows| {
            rows.journal.remove(0);
        }),
        ("two records swapped", true, |rows| {
            let (one, other) = (rows.journal[4].1.clone(), rows.journal[5].1.clone());
            (rows.journal[4].1, rows.journal[5].1) = (other, one);
        }),
        ("a record forged and sealed anew", true, |rows| rows.journal[4].1 = forged(rows, 4)),
        ("a record appended", true, |rows| {
            let (position, record) = rows.journal.last().unwrap().clone();
            rows.journal.push((position + 1, record));
        }),
        ("the tail cut off", true, |rows| {
            rows.journal.pop();
        }),
        ("the tail cut off, the position set back", true, |rows| {
            rows.journal.pop();
            rows.position -= 1;
        }),
        ("the tail cut off, the position and the head set back", true, |rows| {
            rows.journal.pop();
            rows.position -= 1;
            rows.chain = rows.journal.last().unwrap().1[..32].to_vec();
        }),
        ("the head changed", true, |rows| rows.chain[0] ^= 1),
        ("everything taken out", true, |rows| rows.journal.clear()),
    ];
    for (name, found, tamper) in ways {
        let findings = findings(tampered(&image, *tamper));
        assert_eq!(findings.iter().any(|f| f.starts_with("journal")), *found, "{name}: {findings:?}");
    }
}

#[tokio::test]
async fn any_flipped_bit_of_the_journal_is_found() {
    // Goal: no byte of a stored record is outside of the chain.
    let image = store().await;
    let mut probe = 0;
    tampered(&image, |_| {});
    let lengths: Vec<usize> = rows(&image).journal.iter().map(|(_, record)| record.len()).collect();
    for (number, length) in lengths.iter().enumerate() {
        for byte in (0..*length).step_by(7) {
            probe += 1;
            let disk = Disk::of(image.clone());
            edit(&disk, |rows| rows.journal[number].1[byte] ^= 0x10);
            let findings = findings(disk);
            assert!(findings.iter().any(|f| f.starts_with("journal")), "record {number}, byte {byte}: {findings:?}");
        }
    }
    assert!(probe > 100);
}

/// A store whose every position changed one entry.
async fn store() -> Vec<u8> {
    let disk = Disk::default();
    let world = World::open(Backend::Other(disk.backend())).unwrap();
    world.begin().await;
    world.person("ada", "ou=people,dc=example,dc=com").await.unwrap();
    for title in ["Countess", "Analyst", "Poet", "Gambler", "Mother"] {
        world.modify(PERSON, ModificationKind::Replace, "title", &[title]).await.unwrap();
    }
    world.verify();
    drop(world);
    disk.bytes()
}

fn rows(image: &[u8]) -> Rows {
    let disk = Disk::of(image.to_vec());
    let mut out = None;
    edit(&disk, |rows| {
        let journal = rows.journal.clone();
        out = Some(Rows { journal, position: rows.position, chain: rows.chain.clone() });
    });
    out.unwrap()
}

fn tampered(image: &[u8], tamper: Tampering) -> Disk {
    let disk = Disk::of(image.to_vec());
    edit(&disk, tamper);
    disk
}

/// Writes the journal of a closed store anew, and wipes the log: it would not follow what was cut off.
fn edit(disk: &Disk, tamper: impl FnOnce(&mut Rows)) {
    let log = vec![0; usize::try_from(Layout::read(disk).unwrap().pages_at - PAGE).unwrap()];
    disk.write(PAGE, &log).unwrap();
    let database: Database = common::database(disk.clone());
    let txn = database.begin_write().unwrap();
    {
        let mut journal = txn.open_table(JOURNAL).unwrap();
        let mut values = txn.open_table(META).unwrap();
        let all = journal.range::<u64>(..).unwrap().map(|row| row.unwrap());
        let mut rows = Rows {
            journal: all.map(|(k, v)| (k.value(), v.value().to_vec())).collect(),
            position: u64::from_le_bytes(values.get(meta::POSITION).unwrap().unwrap().value().try_into().unwrap()),
            chain: values.get(meta::CHAIN).unwrap().unwrap().value().to_vec(),
        };
        tamper(&mut rows);
        journal.retain(|_, _| false).unwrap();
        for (position, record) in &rows.journal {
            journal.insert(position, record.as_slice()).unwrap();
        }
        values.insert(meta::POSITION, rows.position.to_le_bytes().as_slice()).unwrap();
        values.insert(meta::CHAIN, rows.chain.as_slice()).unwrap();
    }
    txn.commit().unwrap();
}

/// A record with another author, linked to the one before as if it had been there.
fn forged(rows: &Rows, at: usize) -> Vec<u8> {
    let before: [u8; 32] = rows.journal[at - 1].1[..32].try_into().unwrap();
    let (position, stored) = &rows.journal[at];
    let (mut record, _) = Record::open(stored, Position(*position), &before).unwrap().unwrap();
    record.request_id += 1;
    record.seal(Position(*position), &before).unwrap().0
}

fn findings(disk: Disk) -> Vec<String> {
    let world = World::open(Backend::Other(Box::new(disk))).unwrap();
    let snapshot = world.directory.snapshot().unwrap();
    verify(&snapshot, world.directory.schema()).unwrap().iter().map(ToString::to_string).collect()
}

//! What an import leaves in the tables: what ordinary changes leave, also beside what is there.

use crate::common::World;
use crate::{grouped, import, organisation};
use directory::change::{Change, Modification, ModificationKind, Target};
use directory::entry::record::Record;
use directory::error::{Reason, Refusal};
use directory::id::EntryId;
use directory::import::{Entry, FindingKind, Options};
use directory::journal::record::{self, Event};
use directory::schema::known;
use directory::store::trigrams::Step;
use directory::store::view::{Snapshot, View};
use std::collections::{BTreeMap, BTreeSet};

/// The same by ordinary changes, in the order in which an import gives ids: what waits for its parent comes last, and
/// members come when everybody is there.
async fn add_one_by_one(world: &World, entries: Vec<Entry>) {
    let mut members = Vec::new();
    let mut later = Vec::new();
    for entry in entries {
        let (edges, attributes): (Vec<_>, Vec<_>) =
            grouped(&entry).into_iter().partition(|(name, _)| name.to_ascii_lowercase().ends_with(b"member"));
        members.extend(edges.into_iter().map(|edge| (entry.dn().to_vec(), edge)));
        let change = |a: &Vec<(Vec<u8>, Vec<Vec<u8>>)>| Change::Add { dn: entry.dn().to_vec(), attributes: a.clone() };
        match world.change(change(&attributes)).await {
            Err(Refusal { reason: Reason::NoSuchEntry { .. }, .. }) => later.push(change(&attributes)),
            Err(Refusal { reason: Reason::EntryExists, .. }) => {}
            other => {
                other.unwrap();
            }
        }
    }
    later.reverse();
    later.sort_by_key(|c| if let Change::Add { dn, .. } = c { dn.len() } else { 0 });
    for change in later {
        world.change(change).await.unwrap();
    }
    for (dn, (attribute, mut values)) in members {
        values.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        for value in values {
            let modification =
                Modification { kind: ModificationKind::Add, attribute: attribute.clone(), values: vec![value] };
            let target = Target::Dn(dn.clone());
            world.change(Change::Modify { target, modifications: vec![modification] }).await.unwrap();
        }
    }
}

/// Every row of every table but journal, receipts and what names the moment or the random UUID.
pub fn rows(snapshot: &Snapshot) -> BTreeMap<&'static str, Vec<String>> {
    let mut tables = BTreeMap::new();
    let all = |list: Vec<String>| list;
    let entries = snapshot.entries().range(..).unwrap().map(|item| {
        let (id, bytes) = item.unwrap();
        let mut draft = Record::parse(bytes.value()).unwrap().draft().unwrap();
        draft.header.uuid = uuid::Uuid::nil();
        draft.header.version = directory::id::Position(0);
        format!("{id} {draft:?}")
    });
    tables.insert("entries", all(entries.collect()));
    let accounts = snapshot.accounts().range(..).unwrap().map(|item| {
        let id = item.unwrap().0;
        let mut account = snapshot.account(EntryId(id)).unwrap().unwrap();
        account.imported_at = None;
        format!("{id} {account:?}")
    });
    tables.insert("accounts", all(accounts.collect()));
    let uuid = known::attribute::ENTRY_UUID.0.to_be_bytes();
    // Both indexes as they are to be, whatever of them is staged.
    let staged = snapshot.staged().whole();
    let index = snapshot.index().range::<&[u8]>(..).unwrap().map(|item| item.unwrap().0.value().to_vec());
    let mut index: BTreeSet<Vec<u8>> = index.collect();
    for (key, comes) in staged.keys_from(0) {
        if comes {
            index.insert(key.to_vec())
        } else {
            index.remove(key)
        };
    }
    let index = index.into_iter().filter(|key| !key.starts_with(&uuid));
    tables.insert("index", all(index.map(|k| format!("{k:?}")).collect()));
    let text = snapshot.text().range::<&[u8]>(..).unwrap().map(|item| *item.unwrap().0.value().first_chunk().unwrap());
    let mut trigrams: BTreeSet<[u8; 3]> = text.collect();
    trigrams.extend(staged.steps().iter().map(Step::trigram));
    let mut text = Vec::new();
    for trigram in trigrams {
        let each = |chunk, stored: &[u8]| {
            text.push(format!("{trigram:?} {chunk} {stored:?}"));
            true
        };
        snapshot.staged().chunks(snapshot.text(), trigram, each).unwrap();
    }
    tables.insert("text", all(text));
    macro_rules! plain {
        ($($name:ident$(($($late:tt)*))?: $key:ty),*) => {$(
            let rows = snapshot.$name()$($($late)*)?.range::<$key>(..).unwrap().map(|item| {
                let (key, value) = item.unwrap();
                format!("{:?} {:?}", key.value(), value.value())
            });
            tables.insert(stringify!($name), all(rows.collect()));
        )*};
    }
    macro_rules! layered {
        ($($name:ident),*) => {$(
            let rows = snapshot.$name().range(..).unwrap().map(|item| format!("{:?}", item.unwrap()));
            tables.insert(stringify!($name), all(rows.collect()));
        )*};
    }
    layered!(names, children, counts, claims);
    plain!(members: (u64, u64), groups: (u64, u64), credentials: u64, graves(.unwrap()): u64);
    tables
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_makes_the_rows_of_ordinary_changes() {
    // Goal: whatever is held in memory and by however many threads it is prepared, the tables are those of one add after
    // another; nothing but the containers of the naming context is found on the way.
    let ordinary = World::new().await;
    add_one_by_one(&ordinary, organisation(90)).await;
    ordinary.verify();
    let expected = rows(&ordinary.directory.snapshot().unwrap());
    for (memory, workers) in [(Options::default().memory, 2), (64 * 1024, 3), (64 * 1024, 1)] {
        let world = World::new().await;
        let options = Options { memory, workers, ..Options::default() };
        let (summary, findings) = import(&world.directory, options, organisation(90)).await;
        let summary = summary.unwrap();
        let kinds: Vec<_> = findings.iter().map(|f| (f.kind, f.dn.as_str())).collect();
        assert_eq!(kinds, [(FindingKind::AlreadyThere, "ou=people,dc=example,dc=com")]);
        assert_eq!((summary.entries, summary.refused, summary.already_there), (99, 0, 1));
        let found = rows(&world.directory.snapshot().unwrap());
        for (table, rows) in &expected {
            assert_eq!(found.get(table), Some(rows), "{table}, {memory} bytes");
        }
        world.verify();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_import_joins_the_first() {
    // Goal: rows between, before and after existing ones, and in the same chunk of ids, are as verify would make them; the
    // journal has one record for each import, and its chain holds.
    let world = World::new().await;
    let mut all = organisation(60);
    let second: Vec<Entry> =
        all.iter().filter(|e| e.place.line % 3 == 0 && e.dn().starts_with(b"uid=u")).cloned().collect();
    all.retain(|e| !(e.place.line % 3 == 0 && e.dn().starts_with(b"uid=u")) && e.dn().starts_with(b"uid=u"));
    for part in [all, second] {
        let count = part.len() as u64;
        let (summary, findings) = import(&world.directory, Options::default(), part).await;
        assert_eq!(summary.unwrap().entries, count, "{findings:?}");
        world.verify();
    }
    world.person("after", "ou=people,dc=example,dc=com").await.unwrap();
    world.verify();
    let mut imported = Vec::new();
    let snapshot = world.directory.snapshot().unwrap();
    record::read(&snapshot.journal(), |_, record| {
        imported.extend(
            record
                .events
                .iter()
                .filter_map(|e| if let Event::Imported { entries } = e { Some(*entries) } else { None }),
        );
    })
    .unwrap();
    assert_eq!(imported, [40, 20]);
}

//! What is staged, against sets: however much of it is written, sealed, read again or forgotten.

use super::*;
use crate::schema::attribute::AttributeId;
use crate::store::indexes;
use crate::store::keys::Keys;
use crate::store::trigrams::Trigrams;
use proptest::prelude::*;
use redb::{Database, ReadableDatabase, TableDefinition, backends::InMemoryBackend};
use std::collections::{BTreeMap, BTreeSet};

const INDEX: TableDefinition<'_, Bytes, ()> = TableDefinition::new("index");
const TEXT: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("text");
const STAGED: TableDefinition<'_, u64, Bytes> = TableDefinition::new("staged");

/// Attribute, value, first entry, number of entries, whether they come.
type Act = (u16, u8, u64, u64, bool);

fn key(attribute: u16, value: u8, id: u64) -> Vec<u8> {
    let mut out = Vec::new();
    indexes::key(AttributeId(attribute), &[b'v', value], EntryId(id), &mut out);
    out
}

fn trigram(attribute: u16, value: u8) -> Trigram {
    [b't', u8::try_from(attribute).unwrap(), value]
}

/// What both indexes should say.
#[derive(Default)]
struct Model {
    keys: BTreeSet<Vec<u8>>,
    entries: BTreeMap<Trigram, BTreeSet<u64>>,
}

impl Model {
    fn run(&mut self, acts: &[Act]) -> Fresh {
        let (mut keys, mut trigrams) = (Keys::default(), Trigrams::default());
        for (attribute, value, first, count, comes) in acts {
            for id in *first..first + count {
                let (key, trigram) = (key(*attribute, *value, id), trigram(*attribute, *value));
                let entries = self.entries.entry(trigram).or_default();
                if *comes {
                    self.keys.insert(key.clone());
                    entries.insert(id);
                } else {
                    self.keys.remove(&key);
                    entries.remove(&id);
                }
                keys.put([key], *comes);
                trigrams.put(&[trigram], EntryId(id), *comes);
            }
        }
        Fresh::new(keys, trigrams)
    }
}

/// What a state says of a range of keys, and of a trigram.
fn read(
    staged: &Staged,
    index: &impl ReadableTable<Bytes, ()>,
    text: &impl ReadableTable<Bytes, Bytes>,
    attribute: u16,
    value: u8,
) -> (Vec<u64>, Vec<u64>) {
    let mut from = Vec::new();
    indexes::value_prefix(AttributeId(attribute), &[b'v', value], &mut from);
    let to = indexes::after(&from).unwrap();
    let mut holders = Vec::new();
    gather(&mut staged.holders(index, &from..&to).unwrap(), usize::MAX, &mut holders).unwrap();
    let mut entries = Vec::new();
    let each = |number, stored: &[u8]| {
        text::ids(number, stored, &mut entries);
        true
    };
    staged.chunks(text, trigram(attribute, value), each).unwrap();
    let ids = |list: Vec<EntryId>| list.into_iter().map(|id| id.0).collect();
    (ids(holders), ids(entries))
}

/// Ids of several chunks, so that rows of `text` come and go as well.
fn acts() -> impl Strategy<Value = Vec<Vec<Act>>> {
    let act = (0_u16..3, 0_u8..3, prop_oneof![0_u64..300, 4_000_u64..4_300], 0_u64..40, any::<bool>());
    prop::collection::vec(prop::collection::vec(act, 0..8), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_state_says_the_same_however_much_of_it_is_written(
        commits in acts(),
        steps in prop::collection::vec((0_u8..7, 0_usize..200, 0_usize..200), 12),
    ) {
        // Goal: after every commit, and whatever has been kept in memory, sealed, written in part, written whole or read again
        // from the rows, both indexes hold what sets hold: every value, every range, every trigram.
        let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        let limits = Limits { keys: 400, steps: 500, rows: 5, commits: 3 };
        let (mut model, mut staged) = (Model::default(), Staged::default());
        for (at, acts) in commits.iter().enumerate() {
            let txn = database.begin_write().unwrap();
            {
                let mut index = txn.open_table(INDEX).unwrap();
                let mut text = txn.open_table(TEXT).unwrap();
                let mut rows = txn.open_table(STAGED).unwrap();
                let run = model.run(acts);
                let (what, keys, steps) = steps[at];
                if what == 6 {
                    staged.keep(run);
                } else {
                    staged.take(run, Position(at as u64 + 1), limits, &mut index, &mut text, &mut rows).unwrap();
                }
                match what {
                    6 => {}
                    0 if staged.sealed.is_none() => staged.seal(),
                    1 => staged.flush(&mut index, &mut text, &mut rows).unwrap(),
                    // As after a crash: how far the sealed run is written is not known any more.
                    2 => staged = Staged::read(&rows).unwrap(),
                    3 => staged.write_part(usize::MAX, usize::MAX, &mut index, &mut text, &mut rows).unwrap(),
                    _ => staged.write_part(keys, steps, &mut index, &mut text, &mut rows).unwrap(),
                }
            }
            txn.commit().unwrap();
            let txn = database.begin_read().unwrap();
            let (index, text) = (txn.open_table(INDEX).unwrap(), txn.open_table(TEXT).unwrap());
            let rows = txn.open_table(STAGED).unwrap();
            let stored = Staged::read(&rows).unwrap();
            prop_assert_eq!(stored.whole(), staged.stored());
            prop_assert_eq!(stored.rows, staged.rows);
            // What has no row yet is in memory alone.
            let as_stored = staged.fresh.is_empty().then_some(&stored);
            for state in [&staged].into_iter().chain(as_stored) {
                for (attribute, value) in (0..3).flat_map(|a| (0..3).map(move |v| (a, v))) {
                    let (holders, entries) = read(state, &index, &text, attribute, value);
                    let wanted: Vec<u64> =
                        (0..4_400).filter(|id| model.keys.contains(&key(attribute, value, *id))).collect();
                    prop_assert_eq!(&holders, &wanted);
                    let known = model.entries.get(&trigram(attribute, value)).cloned().unwrap_or_default();
                    prop_assert_eq!(entries, known.into_iter().collect::<Vec<_>>());
                }
                let mut all = Vec::new();
                gather(&mut state.holders(&index, &[]..&[0xff; 3]).unwrap(), usize::MAX, &mut all).unwrap();
                let wanted: Vec<EntryId> = model.keys.iter().filter_map(|key| indexes::id_of(key)).collect();
                prop_assert_eq!(all, wanted);
            }
            prop_assert!(staged.runs.len() <= 8, "few runs");
            prop_assert_eq!(staged.runs.len(), staged.levels.len());
        }
    }

    #[test]
    fn a_stored_run_is_read_as_it_was(acts in acts()) {
        // Goal: every run comes back from its stored form; cut short or with an octet more it is refused, or is another run.
        let run = Model::default().run(&acts.concat()).run().clone();
        let stored = run.encode();
        prop_assert_eq!(&Run::decode(&stored).unwrap(), &run);
        for end in 0..stored.len() {
            prop_assert!(Run::decode(&stored[..end]).map_or(true, |other| other != run));
        }
        prop_assert!(Run::decode(&[stored.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn no_octets_do_harm(stored in prop::collection::vec(any::<u8>(), 0..200)) {
        // Goal: whatever stands in a row, it is read or refused.
        if let Ok(run) = Run::decode(&stored) {
            prop_assert_eq!(Run::decode(&run.encode()).unwrap(), run);
        }
    }
}

#[test]
fn what_is_sealed_is_written_before_the_next_is() {
    // Goal: under writes without end, small and large, what is staged stays below one and a half times what is sealed at
    // once, and every key arrives.
    let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
    let (mut staged, limits) = (Staged::default(), Limits::default());
    let (mut id, mut sealed, mut most) = (0, 0, 0);
    for position in 1..=60_u64 {
        let txn = database.begin_write().unwrap();
        {
            let mut index = txn.open_table(INDEX).unwrap();
            let mut text = txn.open_table(TEXT).unwrap();
            let mut rows = txn.open_table(STAGED).unwrap();
            let mut keys = Keys::default();
            let count = if position % 7 == 0 { 9_000 } else { 300 * (position % 5) };
            keys.put((id..id + count).map(|id| key(1, 1, id)), true);
            id += count;
            let run = Fresh::new(keys, Trigrams::default());
            staged.take(run, Position(position), limits, &mut index, &mut text, &mut rows).unwrap();
            sealed += usize::from(staged.sealed.is_some());
            most = most.max(staged.runs.iter().map(|run| run.len()).sum());
            let mut holders = staged.holders(&index, &[]..&[0xff; 3]).unwrap();
            let mut all = Vec::new();
            gather(&mut holders, usize::MAX, &mut all).unwrap();
            assert_eq!(all.len() as u64, id);
        }
        txn.commit().unwrap();
    }
    assert!(sealed > 0 && sealed < 60, "{sealed}");
    assert!(most < limits.keys * 3 / 2 + 9_000, "{most}");
}

#[test]
fn the_same_keys_again_and_again_fill_no_rows() {
    // Goal: a value that goes to and fro leaves few rows to be read when the store is opened, and the last of its states.
    let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
    let (mut staged, limits) = (Staged::default(), Limits { rows: 50, ..Limits::default() });
    let mut most = 0;
    for position in 1..=1_000_u64 {
        let txn = database.begin_write().unwrap();
        {
            let mut index = txn.open_table(INDEX).unwrap();
            let mut text = txn.open_table(TEXT).unwrap();
            let mut rows = txn.open_table(STAGED).unwrap();
            let mut keys = Keys::default();
            keys.put([key(1, 1, 7)], position % 2 == 0);
            keys.put([key(1, 2, 7)], position % 2 == 1);
            let run = Fresh::new(keys, Trigrams::default());
            staged.take(run, Position(position), limits, &mut index, &mut text, &mut rows).unwrap();
            most = most.max(redb::ReadableTableMetadata::len(&rows).unwrap());
            let (one, other) = (read(&staged, &index, &text, 1, 1).0, read(&staged, &index, &text, 1, 2).0);
            assert_eq!((one.len(), other.len()), if position % 2 == 0 { (1, 0) } else { (0, 1) });
        }
        txn.commit().unwrap();
    }
    assert!(most < 110, "{most}");
}

//! A table with its layers, against a map.

use super::*;
use proptest::prelude::*;
use redb::{Database, ReadableDatabase, TableDefinition, backends::InMemoryBackend};

const NUMBERS: TableDefinition<'_, u64, u64> = TableDefinition::new("numbers");
const NAMES: TableDefinition<'_, Bytes, u64> = TableDefinition::new("names");

/// Rows of a few keys; none: it goes.
fn rows() -> impl Strategy<Value = Vec<(u64, Option<u64>)>> {
    prop::collection::vec((0_u64..30, prop::option::weighted(0.7, 0_u64..5)), 0..20)
}

fn bound(kind: u8, key: u64) -> Bound<u64> {
    match kind {
        0 => Bound::Unbounded,
        1 => Bound::Included(key),
        _ => Bound::Excluded(key),
    }
}

fn name(key: u64) -> Vec<u8> {
    vec![b'n'; usize::try_from(key % 4).unwrap()].into_iter().chain(key.to_be_bytes()).collect()
}

proptest! {
    #[test]
    fn a_table_with_layers_is_a_map(
        stored in rows(),
        over in prop::collection::vec(rows(), 0..5),
        from in (0_u8..3, 0_u64..32),
        to in (0_u8..3, 0_u64..32),
    ) {
        // Goal: whatever comes, comes again and goes in a table and the layers over it, every range, every key and the number
        // of rows are those of a map to which the same was done; of fixed keys and of octets.
        let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        let (mut model, mut named) = (BTreeMap::new(), BTreeMap::new());
        let txn = database.begin_write().unwrap();
        {
            let (mut numbers, mut names) = (txn.open_table(NUMBERS).unwrap(), txn.open_table(NAMES).unwrap());
            for (key, value) in stored.into_iter().filter_map(|(key, value)| Some((key, value?))) {
                numbers.insert(key, value).unwrap();
                names.insert(name(key).as_slice(), value).unwrap();
                model.insert(key, value);
                named.insert(name(key), value);
            }
        }
        txn.commit().unwrap();
        let mut layers = Vec::new();
        for rows in over {
            let mut layer = Layer::default();
            for (key, value) in rows {
                layer.counts.insert(key, value);
                layer.names.insert(name(key), value);
                match value {
                    Some(value) => {
                        model.insert(key, value);
                        named.insert(name(key), value);
                    }
                    None => {
                        model.remove(&key);
                        named.remove(&name(key));
                    }
                }
            }
            layers.push(Arc::new(layer));
        }
        let txn = database.begin_read().unwrap();
        let (numbers, names) = (txn.open_table(NUMBERS).unwrap(), txn.open_table(NAMES).unwrap());
        let numbers = Layered::<u64, u64> { table: &numbers, layers: &layers, of: |layer| &layer.counts };
        let names = Layered::<Bytes, u64> { table: &names, layers: &layers, of: |layer| &layer.names };

        let range = (bound(from.0, from.1), bound(to.0, to.1));
        let wanted: Vec<_> = model.iter().filter(|(key, _)| range.contains(*key)).map(|(k, v)| (*k, *v)).collect();
        prop_assert_eq!(numbers.range(range).unwrap().map(Result::unwrap).collect::<Vec<_>>(), wanted);
        let range = (range.0.map(name), range.1.map(name));
        let wanted: Vec<_> = named.iter().filter(|(key, _)| range.contains(*key)).map(|(k, v)| (k.clone(), *v)).collect();
        prop_assert_eq!(names.range(range).unwrap().map(Result::unwrap).collect::<Vec<_>>(), wanted);
        let wanted: Vec<u64> = named.values().copied().collect();
        prop_assert_eq!(names.range(..).unwrap().values().map(Result::unwrap).collect::<Vec<_>>(), wanted);
        for key in 0..32 {
            prop_assert_eq!(numbers.get(&key).unwrap(), model.get(&key).copied());
            prop_assert_eq!(names.get(&name(key)).unwrap(), named.get(&name(key)).copied());
        }
        prop_assert_eq!(numbers.count().unwrap(), model.len() as u64);
        prop_assert_eq!(names.count().unwrap(), named.len() as u64);
    }
}

//! From an entry to its rows: index keys and trigrams, and the difference between two states of an entry.
//!
//! What is indexed follows from the schema alone, so every write keeps every index without configuration, and
//! `store::verify` can make the same rows again.

use crate::access::class_key;
use crate::entry::record::{Attribute, Draft};
use crate::error::Refusal;
use crate::id::EntryId;
use crate::schema::Schema;
use crate::schema::attribute::{AttributeId, Index};
use crate::schema::kind::ClassId;
use crate::store::indexes;
use crate::store::text::{self, Trigram};
use crate::store::view::Tables;
use memchr::memmem;

/// So many texts are looked into for the next one.
const TEXTS: usize = 16;

/// The rows of one entry in the two indexes; sorted and once each, unless it says otherwise.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Whole keys of `index`.
    pub keys: Vec<Vec<u8>>,
    /// Trigrams, whatever the attribute.
    pub trigrams: Vec<Trigram>,
}

impl Rows {
    /// The rows of an entry.
    pub fn of(schema: &Schema, id: EntryId, draft: &Draft) -> Rows {
        let mut rows = Rows::unsorted(schema, id, draft);
        rows.settle();
        rows
    }

    /// The same, in any order and some of them twice: for who only writes them.
    pub fn unsorted(schema: &Schema, id: EntryId, draft: &Draft) -> Rows {
        let (mut rows, mut texts) = (Rows::default(), Vec::new());
        for attribute in &draft.attributes {
            rows.add(schema, id, attribute, &draft.classes, &mut texts);
        }
        if let Some(uuid) = schema.find_attribute(b"entryUUID") {
            let mut key = Vec::with_capacity(32);
            indexes::key(uuid.id, draft.header.uuid.as_bytes(), id, &mut key);
            rows.keys.push(key);
        }
        rows
    }

    /// The rows of an entry that the change of some attributes touches: those of the other types are the same before and
    /// after, except that trigrams need all texts.
    pub fn between(schema: &Schema, id: EntryId, before: &Draft, after: &Draft) -> (Rows, Rows) {
        let changed = changed_types(before, after);
        let text_changed = changed.iter().any(|id| schema.attribute(*id).index == Index::Text);
        let side = |own: &Draft| {
            let (mut rows, mut texts) = (Rows::default(), Vec::new());
            for attribute in &own.attributes {
                let text = text_changed && schema.attribute(attribute.id).index == Index::Text;
                if text || changed.contains(&attribute.id) {
                    rows.add(schema, id, attribute, &own.classes, &mut texts);
                }
            }
            if !text_changed {
                rows.trigrams.clear();
            }
            rows.settle();
            rows
        };
        (side(before), side(after))
    }

    /// `texts` are those whose trigrams are there already: many a name is a part of another one.
    fn add(
        &mut self,
        schema: &Schema,
        id: EntryId,
        attribute: &Attribute,
        classes: &[ClassId],
        texts: &mut Vec<Vec<u8>>,
    ) {
        let kind = schema.attribute(attribute.id);
        if kind.index == Index::None {
            return;
        }
        if crate::access::is_object_class(schema, attribute.id) {
            for class in classes {
                let mut key = Vec::with_capacity(16);
                indexes::key(attribute.id, &class_key(*class), id, &mut key);
                self.keys.push(key);
            }
            return;
        }
        let Some(rule) = kind.equality else { return };
        let mut normal = Vec::with_capacity(64);
        for value in &attribute.values {
            normal.clear();
            // A value that its own rule cannot read matches nothing and is found by nothing but presence.
            if schema.normalize(rule, value, &mut normal).is_err() {
                normal.clear();
            }
            let mut key = Vec::with_capacity(normal.len().saturating_add(16));
            indexes::key(attribute.id, &normal, id, &mut key);
            self.keys.push(key);
            let is_known = |normal: &[u8]| texts.iter().any(|text| memmem::find(text, normal).is_some());
            if kind.index == Index::Text && !is_known(&normal) {
                text::trigrams(&normal, &mut self.trigrams);
                if texts.len() < TEXTS {
                    texts.push(normal.clone());
                }
            }
        }
    }

    fn settle(&mut self) {
        self.keys.sort_unstable();
        self.keys.dedup();
        self.trigrams.sort_unstable_by_key(|[a, b, c]| u32::from_be_bytes([0, *a, *b, *c]));
        self.trigrams.dedup();
    }

    /// Writes all rows.
    pub fn insert(self, tables: &mut Tables<'_>, id: EntryId) -> Result<(), Refusal> {
        tables.put_keys(self.keys, true)?;
        tables.put_trigrams(&self.trigrams, id, true)
    }

    /// Takes all rows away.
    pub fn remove(self, tables: &mut Tables<'_>, id: EntryId) -> Result<(), Refusal> {
        tables.put_keys(self.keys, false)?;
        tables.put_trigrams(&self.trigrams, id, false)
    }

    /// Writes the difference between two states.
    pub fn replace(before: &Rows, after: &Rows, tables: &mut Tables<'_>, id: EntryId) -> Result<(), Refusal> {
        tables.put_keys(only_in(&before.keys, &after.keys).cloned(), false)?;
        tables.put_keys(only_in(&after.keys, &before.keys).cloned(), true)?;
        let gone: Vec<Trigram> = only_in(&before.trigrams, &after.trigrams).copied().collect();
        let come: Vec<Trigram> = only_in(&after.trigrams, &before.trigrams).copied().collect();
        tables.put_trigrams(&gone, id, false)?;
        tables.put_trigrams(&come, id, true)
    }
}

/// The types of which two states of an entry hold different values, under whatever options: those share their rows.
pub fn changed_types(before: &Draft, after: &Draft) -> Vec<AttributeId> {
    let mut changed = Vec::new();
    let mut differing = |own: &Draft, other: &Draft| {
        for (place, attribute) in own.attributes.iter().enumerate() {
            // Most changes leave every attribute in its place.
            let same = other.attributes.get(place).filter(|o| o.id == attribute.id && o.options == attribute.options);
            let same = same.or_else(|| other.attribute(attribute.id, &attribute.options));
            if same.is_none_or(|o| o.values != attribute.values) && !changed.contains(&attribute.id) {
                changed.push(attribute.id);
            }
        }
    };
    differing(before, after);
    differing(after, before);
    changed
}

/// The elements of one sorted list that the other does not hold.
fn only_in<'a, T: Ord>(list: &'a [T], other: &'a [T]) -> impl Iterator<Item = &'a T> {
    list.iter().filter(|item| other.binary_search(item).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::known::attribute as known;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn every_text_has_its_trigrams(values in prop::collection::vec(prop::collection::vec("[ab]{1,9}", 0..3), 5)) {
            // Goal: whatever of the texts is a part of another one, the trigrams are those of each.
            let schema = Schema::standard();
            let ids = [known::CN, known::SN, known::GIVEN_NAME, known::DISPLAY_NAME, known::UID];
            let (mut rows, mut texts, mut wanted) = (Rows::default(), Vec::new(), BTreeSet::new());
            for (id, values) in ids.into_iter().zip(values) {
                for value in &values {
                    wanted.extend(value.as_bytes().windows(3).map(|w| *w.first_chunk::<3>().unwrap()));
                }
                let values = values.into_iter().map(String::into_bytes).collect();
                rows.add(&schema, EntryId(1), &Attribute { id, options: Vec::new(), values }, &[], &mut texts);
            }
            rows.settle();
            prop_assert_eq!(rows.trigrams, wanted.into_iter().collect::<Vec<_>>());
        }
    }
}

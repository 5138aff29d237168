//! The census: which resources of a type a tenant has, so that `totalResults` and a page by number need not count.
//!
//! Owns lists of ids, one per resource type and part of the tree, each of one state of the store. A list is brought up to date by
//! what the journal says has been touched since, and made anew when that is too much. It is asked only by those whose rights
//! cover the whole of that part, so that all of them see the same.

use crate::call::Viewed;
use crate::resource::reader::parse;
use crate::resource::{Kind, Reader};
use directory::access::Sight;
use directory::error::Refusal;
use directory::id::{EntryId, Position};
use directory::journal::since::touched;
use directory::store::view::View;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Lists that are kept; beyond that one goes.
const LISTS: usize = 256;
/// Write sets that a list is brought up to date by.
const BEHIND: u64 = 50_000;

type Key = (Kind, Vec<u8>, bool);

/// The lists.
#[derive(Default)]
pub struct Census {
    lists: Mutex<HashMap<Key, Arc<Mutex<List>>>>,
}

/// One list.
struct List {
    position: Position,
    ids: Vec<EntryId>,
}

impl Census {
    /// How many resources there are, and those at these places; none: nobody has counted, or the token sees less than all.
    ///
    /// # Errors
    /// `Store`.
    pub(crate) fn page(
        &self,
        viewed: &Viewed,
        reader: &Reader<'_>,
        kind: Kind,
        from: u64,
        count: usize,
    ) -> Result<Option<(u64, Vec<EntryId>)>, Refusal> {
        if !covers(viewed) {
            return Ok(None);
        }
        let list = self.lists.lock().unwrap_or_else(PoisonError::into_inner).get(&key(viewed, kind)).cloned();
        let Some(list) = list else { return Ok(None) };
        let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
        if list.position != viewed.snapshot.position() {
            let Some(touched) = touched(&viewed.snapshot, list.position, BEHIND)? else { return Ok(None) };
            for id in touched {
                let is_one = belongs(reader, kind, id)?;
                match (list.ids.binary_search(&id), is_one) {
                    (Err(place), true) => list.ids.insert(place, id),
                    (Ok(place), false) => {
                        list.ids.remove(place);
                    }
                    _ => {}
                }
            }
            list.position = viewed.snapshot.position();
        }
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let chosen = list.ids.iter().skip(from).take(count).copied().collect();
        Ok(Some((list.ids.len() as u64, chosen)))
    }

    /// Somebody has counted.
    pub(crate) fn keep(&self, viewed: &Viewed, kind: Kind, ids: Vec<EntryId>) {
        if !covers(viewed) {
            return;
        }
        let list = Arc::new(Mutex::new(List { position: viewed.snapshot.position(), ids }));
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= LISTS
            && let Some(any) = lists.keys().next().cloned()
        {
            lists.remove(&any);
        }
        let own = key(viewed, kind);
        let newer = |known: &Arc<Mutex<List>>| {
            known.lock().unwrap_or_else(PoisonError::into_inner).position > viewed.snapshot.position()
        };
        if !lists.get(&own).is_some_and(newer) {
            lists.insert(own, list);
        }
    }
}

/// Whether nothing in the realm is hidden from the actor.
pub(crate) fn covers(viewed: &Viewed) -> bool {
    viewed.rights.sees_all() || (viewed.realm.tenant && viewed.rights.power(&viewed.realm.key).is_some())
}

fn key(viewed: &Viewed, kind: Kind) -> Key {
    (kind, viewed.realm.key.clone(), viewed.realm.tenant)
}

fn belongs(reader: &Reader<'_>, kind: Kind, id: EntryId) -> Result<bool, Refusal> {
    let Some(guard) = reader.snapshot.record(id)? else { return Ok(false) };
    let record = parse(guard.value())?;
    Ok(Kind::of(&record) == Some(kind) && reader.sight(id, &record)? != Sight::None)
}

//! Rights that have been worked out for one state of the store, and those after it until somebody's rights may have moved.
//!
//! They follow from the state alone, so whoever holds a state may ask again without looking again. The write lane's
//! transaction changes: it forgets them after every write set that may have moved somebody's rights (`change::apply`), and when
//! it is given up. Snapshots share what they remember with those after them, until such a set comes.

use super::Rights;
use crate::context::Actor;
use crate::error::Refusal;
use crate::schema::Schema;
use crate::store::view::View;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// So many actors are remembered; one more, and it begins anew.
const ACTORS: usize = 256;

/// The rights of the actors that asked so far.
#[derive(Debug, Default)]
pub struct Remembered {
    known: Mutex<HashMap<Actor, Rights>>,
    has_forgotten: AtomicBool,
}

impl Remembered {
    /// The rights of `actor` in `view`, which is the state that all others here were read from.
    ///
    /// # Errors
    /// As [`Rights::of`]; a refusal is not remembered.
    pub fn of(&self, view: &impl View, schema: &Schema, actor: Actor) -> Result<Rights, Refusal> {
        if let Some(known) = self.lock().get(&actor) {
            return Ok(known.clone());
        }
        // Not under the lock: others need not wait for it.
        let rights = Rights::of(view, schema, actor)?;
        let mut known = self.lock();
        if known.len() >= ACTORS {
            known.clear();
        }
        known.insert(actor, rights.clone());
        Ok(rights)
    }

    /// The state is another one now, and somebody may have other rights.
    pub fn forget(&self) {
        self.has_forgotten.store(true, Ordering::Relaxed);
        self.lock().clear();
    }

    /// Whether that was so since this was asked last.
    pub fn has_forgotten(&self) -> bool {
        self.has_forgotten.swap(false, Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Actor, Rights>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

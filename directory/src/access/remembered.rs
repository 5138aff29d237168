//! Rights that have been worked out for one state of the store.
//!
//! They follow from that state alone, so whoever holds a state may ask again without looking again. A snapshot never
//! changes and keeps them for good. The write lane's transaction does: it forgets them after every write set that may
//! have moved somebody's rights (`change::apply`).

use super::Rights;
use crate::context::Actor;
use crate::error::Refusal;
use crate::schema::Schema;
use crate::store::view::View;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// So many actors are remembered; one more, and it begins anew.
const ACTORS: usize = 256;

/// The rights of the actors that asked so far.
#[derive(Debug, Default)]
pub struct Remembered(Mutex<HashMap<Actor, Rights>>);

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

    /// The state is another one now.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Actor, Rights>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! When sessions were last used: kept in memory, brought to the store by the flush when the stored moment is older than
//! [`GRAIN`]. A restart loses less than that.

use super::{Session, SessionId};
use crate::clock::{Millis, Span};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How old the stored moment of the last use may be.
pub const GRAIN: Span = Span::from_mins(5);

/// Uses that the store does not know yet.
#[derive(Debug, Default)]
pub struct Seen(Mutex<HashMap<SessionId, Use>>);

#[derive(Debug, Clone, Copy)]
struct Use {
    latest: Millis,
    stored: Millis,
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session is used; bounded by the sessions that there are, since only a live one gets here.
    pub(crate) fn note(&self, session: &Session, wall: Millis) {
        let mut uses = self.lock();
        let known = uses.entry(session.id).or_insert(Use { latest: wall, stored: session.seen });
        known.latest = known.latest.max(wall);
    }

    /// The last use, if one is known that the store may not know.
    pub(crate) fn latest(&self, id: SessionId) -> Millis {
        self.lock().get(&id).map_or(Millis::MIN, |known| known.latest)
    }

    /// What the store has to know by now, or with `all` whatever it does not know. It is taken for stored.
    pub(crate) fn take_due(&self, all: bool) -> Vec<(SessionId, Millis)> {
        let mut due = Vec::new();
        for (id, known) in self.lock().iter_mut() {
            if known.latest.since(known.stored) >= GRAIN || (all && known.stored < known.latest) {
                due.push((*id, known.latest));
                known.stored = known.latest;
            }
        }
        due.sort_unstable();
        due
    }

    /// They could not be stored: they are due again.
    pub(crate) fn give_back(&self, due: &[(SessionId, Millis)]) {
        let mut uses = self.lock();
        for (id, _) in due {
            if let Some(known) = uses.get_mut(id) {
                known.stored = Millis::MIN;
            }
        }
    }

    /// Sessions that are gone need no memory.
    pub(crate) fn keep(&self, is_there: impl Fn(SessionId) -> bool) {
        self.lock().retain(|id, _| is_there(*id));
    }
}

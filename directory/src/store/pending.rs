//! What the states of late have in memory: layers of rows, and what is staged for the indexes.
//!
//! A state of the tables is known by the position that they hold and by the rows of `staged`: positions are never used twice,
//! and how far a sealed run is written makes no difference to who reads. Several states lie over one of the tables, one for
//! each commit that has stayed in memory; the newest is the one that counts. The lane says what a state has before anybody
//! can see the tables that it belongs to; what an import leaves has no layers, and is read by whoever comes first.

use super::staged::{Limits, Staged};
use super::tables::{Bytes, meta};
use super::unwritten::Layer;
use crate::error::Refusal;
use crate::id::Position;
use redb::ReadableTable;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What lies over the tables.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The position that the tables hold.
    pub(super) base: Position,
    /// What is to be done to the indexes.
    pub(super) staged: Staged,
    /// What commits since then have left in memory, the oldest first.
    pub(super) layers: Vec<Arc<Layer>>,
}

impl Pending {
    /// Nothing but what is staged.
    pub(super) fn over(base: Position, staged: Staged) -> Pending {
        Pending { base, staged, layers: Vec::new() }
    }

    fn is_over(&self, base: Position, rows: Option<(Position, Position)>) -> bool {
        self.base == base && self.staged.rows() == rows
    }
}

/// What the states of late have, so that it need not be read again for each.
#[derive(Debug, Default)]
pub struct Staging {
    limits: Limits,
    of_late: Mutex<Vec<Arc<Pending>>>,
}

impl Staging {
    /// Of a store that is just opened.
    pub fn new(limits: Limits) -> Staging {
        Staging { limits, of_late: Mutex::default() }
    }

    /// How far tables may lag behind.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// What lies over the tables that these two belong to.
    ///
    /// # Errors
    /// A failing or damaged store.
    pub(super) fn of(
        &self,
        meta: &impl ReadableTable<&'static str, Bytes>,
        table: &impl ReadableTable<u64, Bytes>,
    ) -> Result<Arc<Pending>, Refusal> {
        let position = |row: Option<(redb::AccessGuard<'_, u64>, _)>| row.map(|(at, _)| Position(at.value()));
        let rows = position(table.first()?).zip(position(table.last()?));
        let stored = meta.get(meta::POSITION)?;
        let stored = stored.and_then(|guard| guard.value().first_chunk().map(|octets| u64::from_le_bytes(*octets)));
        let base = Position(stored.unwrap_or(0));
        let known = |of_late: &[Arc<Pending>]| of_late.iter().find(|pending| pending.is_over(base, rows)).cloned();
        if let Some(known) = known(&self.of_late()) {
            return Ok(known);
        }
        // Of a store that is just opened, or after an import. Meanwhile a commit may have stayed over the same tables.
        let read = Arc::new(Pending::over(base, Staged::read(table)?));
        let mut of_late = self.of_late();
        if let Some(known) = known(&of_late) {
            return Ok(known);
        }
        add(&mut of_late, read.clone());
        Ok(read)
    }

    /// The next commit leaves this.
    pub fn publish(&self, pending: Pending) {
        let mut of_late = self.of_late();
        of_late.retain(|known| !known.is_over(pending.base, pending.staged.rows()));
        add(&mut of_late, Arc::new(pending));
    }

    /// Nobody looks at other tables than the newest any more: they are committed, and everybody was told.
    pub fn forget_older(&self) {
        let mut of_late = self.of_late();
        let older = of_late.len().saturating_sub(1);
        of_late.drain(..older);
    }

    fn of_late(&self) -> MutexGuard<'_, Vec<Arc<Pending>>> {
        self.of_late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The states of the tables before the newest one that are kept: that of the last commit, while the next one is being made.
const STATES: usize = 1;

fn add(of_late: &mut Vec<Arc<Pending>>, pending: Arc<Pending>) {
    let kept = of_late.len().saturating_sub(STATES);
    of_late.drain(..kept);
    of_late.push(pending);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tables::{META, STAGED};
    use redb::{Database, ReadableDatabase, backends::InMemoryBackend};
    use std::sync::Barrier;

    #[test]
    fn what_stays_meanwhile_is_not_forgotten() {
        // Goal: of one that reads what an unknown state has and one over whose tables a commit stays, at the same time,
        // whoever is later, the commit is found.
        let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        let txn = database.begin_write().unwrap();
        drop((txn.open_table(META).unwrap(), txn.open_table(STAGED).unwrap()));
        txn.commit().unwrap();
        let txn = database.begin_read().unwrap();
        let (meta, rows) = (txn.open_table(META).unwrap(), txn.open_table(STAGED).unwrap());
        for _ in 0..2_000 {
            let (staging, together) = (Staging::default(), Barrier::new(2));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    together.wait();
                    staging.of(&meta, &rows).unwrap();
                });
                scope.spawn(|| {
                    together.wait();
                    let mut pending = Pending::clone(&*staging.of(&meta, &rows).unwrap());
                    pending.layers.push(Arc::default());
                    staging.publish(pending);
                });
            });
            assert_eq!(staging.of(&meta, &rows).unwrap().layers.len(), 1);
        }
    }

    #[test]
    fn the_state_of_the_tables_before_is_kept_until_nobody_has_them() {
        let staging = Staging::default();
        for base in 1..=5 {
            staging.publish(Pending::over(Position(base), Staged::default()));
        }
        let bases = || staging.of_late().iter().map(|pending| pending.base.0).collect::<Vec<_>>();
        assert_eq!(bases(), [4, 5]);
        staging.forget_older();
        assert_eq!(bases(), [5]);
    }
}

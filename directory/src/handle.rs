//! The directory as doors hold it: snapshots to read, a lane to write, a pool to hash, a gate to log in.
//!
//! This and `authenticate` are the only files with `async` in them: reading is synchronous and short, writing waits for
//! the lane's answer, passwords for the pool's.

mod open;

pub use open::{Backend, Options};

use crate::access::{Remembered, Rights};
use crate::authenticate::Gate;
use crate::change::apply::Head;
use crate::change::{Op, Receipt, WriteSet};
use crate::clock::{Now, Span, TrustedClock};
use crate::context::{Actor, Context};
use crate::credential::{Params, Pool, pool};
use crate::error::{Reason, Refusal};
use crate::grant::ended::Feed;
use crate::grant::keys::KeyRing;
use crate::grant::seal::SealKey;
use crate::grant::seen::Seen;
use crate::id::Position;
use crate::journal::batch::Moved;
use crate::journal::local::Lane;
use crate::lifecycle::Policy;
use crate::random::Random;
use crate::schema::Schema;
use crate::search::{Bounds, Reading};
use crate::store::pending::Staging;
use crate::store::tables::meta;
use crate::store::view::{Base, Snapshot, View};
use crate::token::check::Uses;
use crate::token::fuse::Fuse;
use redb::{Database, ReadableDatabase};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The directory. Cheap to clone; the last one to go carries out what is queued and closes the store.
#[derive(Clone)]
pub struct Directory {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) schema: Arc<Schema>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) clock: TrustedClock,
    pub(crate) random: Random,
    pub(crate) pool: Pool,
    pub(crate) gate: Gate,
    pub(crate) uses: Uses,
    pub(crate) fuse: Fuse,
    pub(crate) seen: Seen,
    pub(crate) trail: crate::trail::Trail,
    pub(crate) trials: crate::trial::Trials,
    pub(crate) feed: Arc<Feed>,
    pub(crate) ring: KeyRing,
    seal: Result<SealKey, String>,
    tidied: AtomicI64,
    pub(crate) hashing: Params,
    pub(crate) upgrade_hashes: bool,
    reader_bounds: Bounds,
    own_bounds: Bounds,
    snapshots: Arc<Snapshots>,
    lane: Lane,
    request_ids: AtomicU64,
}

/// The present snapshot, opened at the first reading after a commit.
struct Snapshots {
    database: Arc<Database>,
    staging: Arc<Staging>,
    present: Mutex<Present>,
}

#[derive(Default)]
struct Present {
    /// Until the tables change.
    base: Option<Arc<Base>>,
    /// Until the next commit.
    snapshot: Option<Arc<Snapshot>>,
    /// Until somebody may have other rights.
    rights: Arc<Remembered>,
}

impl Snapshots {
    fn present(&self) -> Result<Arc<Snapshot>, Refusal> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = &present.snapshot {
            return Ok(snapshot.clone());
        }
        let base = match &present.base {
            Some(base) => base.clone(),
            None => Arc::new(Base::open(self.database.begin_read().map_err(Refusal::store)?)?),
        };
        let snapshot = Arc::new(Snapshot::over(base.clone(), &self.staging, present.rights.clone())?);
        (present.base, present.snapshot) = (Some(base), Some(snapshot.clone()));
        Ok(snapshot)
    }

    /// There is a later state.
    fn forget(&self, what: Moved) {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        present.snapshot = None;
        if what.tables {
            present.base = None;
        }
        if what.rights {
            present.rights = Arc::default();
        }
    }
}

impl Inner {
    /// Queues work that has the store to itself: see [`Lane::exclusive`].
    ///
    /// # Errors
    /// `Busy`.
    pub(crate) fn exclusive<T: Send + 'static>(
        &self,
        commits: bool,
        work: impl FnOnce(&Database, &Staging) -> T + Send + 'static,
    ) -> Result<tokio::sync::oneshot::Receiver<T>, Refusal> {
        self.lane.exclusive(commits, work)
    }

    /// What a caller is told whom the write lane leaves without an answer.
    pub(crate) fn over(&self) -> Refusal {
        self.lane.over()
    }
}

impl Directory {
    /// The key of a use outside of the store, from the seal key: the same after a restart, and on every server of the key.
    ///
    /// # Errors
    /// `Unwilling` without the seal key.
    pub fn derived_key(&self, purpose: &str) -> Result<Zeroizing<[u8; 32]>, Refusal> {
        self.seal_key()?.derive(purpose)
    }

    /// The key of sealed secrets.
    ///
    /// # Errors
    /// `Unwilling` when it is lost or another one.
    pub(crate) fn seal_key(&self) -> Result<&SealKey, Refusal> {
        let lost = |why: &String| Refusal::new(Reason::Unwilling, "the seal key is missing").with_detail(why.clone());
        self.inner.seal.as_ref().map_err(lost)
    }

    /// Whether so much time has passed since this was last true: for housekeeping that is asked for more often.
    pub(crate) fn is_time_to_tidy(&self, now: &Now, span: Span) -> bool {
        let last = self.inner.tidied.load(Ordering::Relaxed);
        let due = now.steady.0.saturating_sub(span.millis()) >= last;
        due && self.inner.tidied.compare_exchange(last, now.steady.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The present state. The same one for everybody until the next commit.
    ///
    /// # Errors
    /// `Store`.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, Refusal> {
        self.inner.snapshots.present()
    }

    /// The schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.inner.schema
    }

    /// The rules of the life cycle.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.inner.policy
    }

    /// The time, as far as it can be believed.
    pub fn now(&self) -> Now {
        self.inner.clock.now()
    }

    /// A number for a request, for logs and audit records.
    pub fn next_request_id(&self) -> u64 {
        self.inner.request_ids.fetch_add(1, Ordering::Relaxed)
    }

    /// The rights that an actor has in a state.
    ///
    /// # Errors
    /// `NotAllowed` when the login has been revoked; `Store`.
    pub fn rights(&self, snapshot: &Snapshot, actor: Actor) -> Result<Rights, Refusal> {
        snapshot.rights.of(snapshot, &self.inner.schema, actor)
    }

    /// What a reading goes on.
    pub fn reading<'a>(&'a self, snapshot: &'a Arc<Snapshot>, rights: &'a Rights, now: Now) -> Reading<'a> {
        let bounds = if rights.reads_others() { self.inner.reader_bounds } else { self.inner.own_bounds };
        Reading { schema: &self.inner.schema, snapshot, rights, policy: &self.inner.policy, now, bounds }
    }

    /// The DNs of the naming contexts.
    ///
    /// # Errors
    /// `Store`.
    pub fn suffixes(&self) -> Result<Vec<String>, Refusal> {
        let snapshot = self.snapshot()?;
        let mut out = Vec::new();
        for id in snapshot.as_ref().meta_ids(meta::SUFFIXES)? {
            if let Some(guard) = snapshot.record(id)?
                && let Ok(record) = crate::entry::record::Record::parse(guard.value())
            {
                out.push(record.dn().to_owned());
            }
        }
        Ok(out)
    }

    /// Submits a write set and waits until it is durable or refused.
    ///
    /// # Errors
    /// Whatever `apply` refuses; `Busy`; `Store`.
    pub(crate) async fn submit(&self, set: WriteSet) -> Result<Receipt, Refusal> {
        let answer = self.inner.lane.submit(set)?;
        answer.await.map_err(|_| self.inner.over())?
    }

    /// The same from a plain thread.
    ///
    /// # Errors
    /// As [`Directory::submit`].
    pub(crate) fn submit_blocking(&self, set: WriteSet) -> Result<Receipt, Refusal> {
        let answer = self.inner.lane.submit(set)?;
        answer.blocking_recv().map_err(|_| self.inner.over())?
    }

    /// Carries out several steps as one write set, from a plain thread: for `init` and other work of the operator.
    ///
    /// # Errors
    /// As [`Directory::submit`].
    pub fn carry_out(&self, context: &Context, ops: Vec<Op>) -> Result<Receipt, Refusal> {
        self.submit_blocking(crate::change::prepare::write_set(&self.inner.random, context, ops))
    }

    /// The last position of the journal.
    ///
    /// # Errors
    /// `Store`.
    pub fn position(&self) -> Result<Position, Refusal> {
        Ok(Head::read(self.snapshot()?.as_ref())?.position)
    }

    /// Stores the clock's mark, so that the next start can tell whether the clock has been set.
    pub fn store_mark(&self) {
        self.inner.lane.mark(self.inner.clock.mark());
    }

    /// Random bytes from the directory's source, for a door's own keys.
    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        self.inner.random.bytes()
    }

    /// Figures of the write lane: commits, write sets carried out, write sets refused.
    pub fn lane_figures(&self) -> (u64, u64, u64) {
        let counters = self.inner.lane.counters();
        let read = |c: &AtomicU64| c.load(Ordering::Relaxed);
        (read(&counters.commits), read(&counters.applied), read(&counters.refused))
    }

    /// Whether commits go through. Once one has failed, none does until the store is opened again.
    pub fn writes(&self) -> bool {
        self.inner.lane.counters().failed.load(Ordering::Relaxed) == 0
    }

    /// Figures of the hash pool.
    pub fn pool_figures(&self) -> pool::Snapshot {
        self.inner.pool.snapshot()
    }

    /// Carries out what is queued and stops writing. Reading goes on.
    pub fn stop(&self) {
        self.store_mark();
        self.inner.lane.stop();
        self.inner.pool.shutdown();
    }
}

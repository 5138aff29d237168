//! The directory as doors hold it: snapshots to read, a lane to write, a pool to hash, a gate to log in.
//!
//! This and `authenticate` are the only files with `async` in them: reading is synchronous and short, writing waits for
//! the lane's answer, passwords for the pool's.

use crate::access::{Remembered, Rights};
use crate::authenticate::Gate;
use crate::change::apply::Head;
use crate::change::{Op, Receipt, WriteSet};
use crate::clock::{Clock, Mark, Now, Span, SystemClock, TrustedClock};
use crate::context::{Actor, Context};
use crate::credential::{Params, Pool, pool};
use crate::error::{Reason, Refusal};
use crate::grant::ended::Feed;
use crate::grant::keys::KeyRing;
use crate::grant::seal::{self, Place, SealKey};
use crate::grant::seen::Seen;
use crate::id::Position;
use crate::journal::batch::Moved;
use crate::journal::local::Lane;
use crate::lifecycle::Policy;
use crate::random::Random;
use crate::schema::{Schema, custom};
use crate::search::{Bounds, Reading};
use crate::store::pending::Staging;
use crate::store::staged;
use crate::store::tables::meta;
use crate::store::view::{Base, Snapshot, Tables, View};
use crate::store::{codec, file, migrate};
use crate::token::check::Uses;
use crate::token::fuse::Fuse;
use crate::wal::redo::redo;
use crate::wal::{self, Wal};
use redb::{Builder, Database, ReadableDatabase, StorageBackend};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Where the store is.
#[derive(Debug)]
pub enum Backend {
    /// In a file, made when missing.
    File(PathBuf),
    /// In memory, gone at the end.
    Memory,
    /// Anywhere else: what tests put under the store.
    Other(Box<dyn StorageBackend>),
}

/// What a directory is opened with.
pub struct Options {
    /// Where the store is.
    pub backend: Backend,
    /// Bytes of pages that are kept in memory.
    pub cache_bytes: usize,
    /// Where the key of sealed secrets is; none: beside the store's file, or nowhere for a store in memory.
    pub seal: Option<Place>,
    /// How far the indexes may lag behind.
    pub late: staged::Limits,
    /// How far the tables may lag behind the log.
    pub wal: wal::Limits,
    /// Where the time comes from.
    pub clock: Box<dyn Clock>,
    /// Where randomness comes from.
    pub random: Random,
    /// The rules of the life cycle.
    pub policy: Policy,
    /// The deployment's own attribute types and classes.
    pub definitions: Vec<custom::Given>,
    /// How new passwords are hashed.
    pub hashing: Params,
    /// The hash pool's bounds.
    pub pool: pool::Limits,
    /// Hashes of other servers are replaced at the first good login.
    pub upgrade_hashes: bool,
    /// The bounds of those who read more than their own entry.
    pub reader_bounds: Bounds,
    /// The bounds of everybody else.
    pub own_bounds: Bounds,
}

impl Options {
    /// The defaults for a store on this machine.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new(backend: Backend) -> std::io::Result<Options> {
        Ok(Options {
            backend,
            cache_bytes: 256 * 1024 * 1024,
            seal: None,
            late: staged::Limits::default(),
            wal: wal::Limits::default(),
            clock: Box::new(SystemClock),
            random: Random::from_system()?,
            policy: Policy::default(),
            definitions: Vec::new(),
            hashing: Params::default(),
            pool: pool::Limits::default(),
            upgrade_hashes: true,
            reader_bounds: Bounds { size: 0, time_seconds: 0, lookthrough: 0 },
            own_bounds: Bounds { size: 500, time_seconds: 60, lookthrough: 5_000 },
        })
    }
}

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
            None => Arc::new(Base::open(self.database.begin_read().map_err(failed)?)?),
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

fn failed(error: impl std::fmt::Display) -> Refusal {
    Refusal::store(error)
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
    /// Opens a store, makes its tables when it is new, and starts the lane and the pool.
    ///
    /// # Errors
    /// When the store cannot be opened, is of a later format, or a thread cannot be started; `Unwilling` when the
    /// definitions are no good, with all that is wrong with them.
    pub fn open(options: Options) -> Result<Directory, Refusal> {
        let mut builder = Builder::new();
        builder.set_cache_size(options.cache_bytes);
        let place = match (&options.seal, &options.backend) {
            (Some(place), _) => place.clone(),
            (None, Backend::File(path)) => Place::File(path.with_file_name(seal::FILE)),
            (None, Backend::Memory | Backend::Other(_)) => Place::Nowhere,
        };
        let backend: Box<dyn StorageBackend> = match options.backend {
            Backend::File(path) => {
                Box::new(file::open(&builder, &path, options.wal.octets, &options.random).map_err(failed)?)
            }
            Backend::Memory => Box::new(redb::backends::InMemoryBackend::new()),
            Backend::Other(backend) => backend,
        };
        let (wal, pages) = Wal::open(backend, options.wal, &options.random).map_err(failed)?;
        let database = Arc::new(builder.create_with_backend(pages).map_err(failed)?);
        let staging = Arc::new(Staging::new(options.late));
        redo(&wal, &database, &staging)?;
        let (mark, schema) = prepare_store(&database, &staging, &options.random, &options.definitions)?;
        let seal = prepare_seal(&database, &staging, &place, &options.random)?;
        let snapshots = Snapshots { database: database.clone(), staging: staging.clone(), present: Mutex::default() };
        let snapshots = Arc::new(snapshots);
        let forget = snapshots.clone();
        let feed = Arc::new(Feed::default());
        let told = feed.clone();
        let tell = move |ended: &[_]| told.tell(ended);
        let lane = Lane::start(database, wal, schema.clone(), staging, move |what| forget.forget(what), tell)
            .map_err(failed)?;
        let clock = TrustedClock::new(options.clock, mark);
        let gate = Gate::new(&options.random, options.hashing, &options.policy);
        Ok(Directory {
            inner: Arc::new(Inner {
                schema,
                policy: Arc::new(options.policy),
                clock,
                pool: Pool::start(options.pool).map_err(failed)?,
                gate,
                uses: Uses::default(),
                fuse: Fuse::default(),
                seen: Seen::default(),
                feed,
                trail: crate::trail::Trail::default(),
                trials: crate::trial::Trials::default(),
                ring: KeyRing::default(),
                seal,
                tidied: AtomicI64::new(i64::MIN),
                random: options.random,
                hashing: options.hashing,
                upgrade_hashes: options.upgrade_hashes,
                reader_bounds: options.reader_bounds,
                own_bounds: options.own_bounds,
                snapshots,
                lane,
                request_ids: AtomicU64::new(1),
            }),
        })
    }

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

/// Makes the tables and the fixed values of a new store, brings an old one to the present format, and reads the mark.
fn prepare_store(
    database: &Database,
    staging: &Staging,
    random: &Random,
    definitions: &[custom::Given],
) -> Result<(Option<Mark>, Arc<Schema>), Refusal> {
    let mut txn = database.begin_write().map_err(failed)?;
    txn.set_quick_repair(true);
    let (mark, schema);
    let mut changed;
    {
        let mut tables = Tables::open(&txn, staging)?;
        changed = migrate::bring_up_to_date(&mut tables, random)?;
        let merged = define(&mut tables, definitions)?;
        schema = merged.schema;
        changed |= merged.changed;
        if changed {
            tables.flush()?;
        }
        mark =
            redb::ReadableTable::get(&*tables.meta, meta::HIGH_WATER)?.map(|g| codec::decode(g.value())).transpose()?;
    }
    if changed {
        txn.commit().map_err(failed)?;
    } else {
        txn.abort().map_err(failed)?;
    }
    Ok((mark, schema))
}

/// Puts the given definitions to those that the store remembers.
fn define(tables: &mut Tables<'_>, given: &[custom::Given]) -> Result<custom::Merged, Refusal> {
    let stored = redb::ReadableTable::get(&*tables.meta, meta::DEFINITIONS)?;
    let kept: Vec<custom::Kept> = stored.map(|g| codec::decode(g.value())).transpose()?.unwrap_or_default();
    let merged = custom::merge(&kept, given).map_err(|why| Refusal::new(Reason::Unwilling, why.join("\n")))?;
    if merged.changed {
        tables.meta.write().insert(meta::DEFINITIONS, codec::encode(&merged.kept)?.as_slice())?;
    }
    if !merged.forgotten.is_empty() {
        let names = merged.forgotten.join(" ");
        tracing::warn!(
            names,
            "definitions that no schema file gives any more; the store remembers them, and they hold"
        );
    }
    Ok(merged)
}

/// Reads or makes the seal key; the store remembers which it is. Without it everything but sealed secrets works.
fn prepare_seal(
    database: &Database,
    staging: &Staging,
    place: &Place,
    random: &Random,
) -> Result<Result<SealKey, String>, Refusal> {
    let mut txn = database.begin_write().map_err(failed)?;
    txn.set_quick_repair(true);
    let mut tables = Tables::open(&txn, staging)?;
    let known =
        redb::ReadableTable::get(&*tables.meta, meta::SEAL)?.and_then(|g| g.value().first_chunk::<8>().copied());
    let key = seal::ready(place, known, random);
    let new = key.as_ref().ok().filter(|_| known.is_none() && *place != Place::Nowhere).map(SealKey::id);
    if let Some(id) = new {
        tables.meta.write().insert(meta::SEAL, id.as_slice())?;
    }
    drop(tables);
    if new.is_some() {
        txn.commit().map_err(failed)?;
    } else {
        txn.abort().map_err(failed)?;
    }
    if let Err(why) = &key {
        tracing::error!(why, "signing keys, second factors and secrets of providers cannot be opened");
    }
    Ok(key)
}

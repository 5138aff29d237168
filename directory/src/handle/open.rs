//! Opening a directory: where the store is, with what rules, and what is brought up to date before anybody reads.
//!
//! ```text
//! backend ─▶ log (what is in it is carried out) ─▶ tables made or migrated ─▶ definitions ─▶ seal key ─▶ lane, pool, gate
//! ```

use super::{Directory, Inner, Snapshots};
use crate::authenticate::Gate;
use crate::clock::{Clock, Mark, SystemClock, TrustedClock};
use crate::credential::{Params, Pool, pool};
use crate::error::{Reason, Refusal};
use crate::grant::ended::Feed;
use crate::grant::keys::KeyRing;
use crate::grant::seal::{self, Place, SealKey};
use crate::grant::seen::Seen;
use crate::journal::local::Lane;
use crate::lifecycle::Policy;
use crate::random::Random;
use crate::schema::{Schema, custom};
use crate::search::Bounds;
use crate::store::pending::Staging;
use crate::store::staged;
use crate::store::tables::meta;
use crate::store::view::Tables;
use crate::store::{codec, file, migrate};
use crate::token::check::Uses;
use crate::token::fuse::Fuse;
use crate::wal::redo::redo;
use crate::wal::{self, Wal};
use redb::{Builder, Database, StorageBackend};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex};

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
                Box::new(file::open(&builder, &path, options.wal.octets, &options.random).map_err(Refusal::store)?)
            }
            Backend::Memory => Box::new(redb::backends::InMemoryBackend::new()),
            Backend::Other(backend) => backend,
        };
        let (wal, pages) = Wal::open(backend, options.wal, &options.random).map_err(Refusal::store)?;
        let database = Arc::new(builder.create_with_backend(pages).map_err(Refusal::store)?);
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
            .map_err(Refusal::store)?;
        let clock = TrustedClock::new(options.clock, mark);
        let gate = Gate::new(&options.random, options.hashing, &options.policy);
        Ok(Directory {
            inner: Arc::new(Inner {
                schema,
                policy: Arc::new(options.policy),
                clock,
                pool: Pool::start(options.pool).map_err(Refusal::store)?,
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
}

/// Makes the tables and the fixed values of a new store, brings an old one to the present format, and reads the mark.
fn prepare_store(
    database: &Database,
    staging: &Staging,
    random: &Random,
    definitions: &[custom::Given],
) -> Result<(Option<Mark>, Arc<Schema>), Refusal> {
    let mut txn = database.begin_write().map_err(Refusal::store)?;
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
        txn.commit().map_err(Refusal::store)?;
    } else {
        txn.abort().map_err(Refusal::store)?;
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
    let mut txn = database.begin_write().map_err(Refusal::store)?;
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
        txn.commit().map_err(Refusal::store)?;
    } else {
        txn.abort().map_err(Refusal::store)?;
    }
    if let Err(why) = &key {
        tracing::error!(why, "signing keys, second factors and secrets of providers cannot be opened");
    }
    Ok(key)
}

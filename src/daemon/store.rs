//! The store and the directory on it: opened from the configuration, kept in order while the daemon runs.
//!
//! Owns the path of the store, the translation of settings into the domain's options, and the housekeeping: what logins
//! left in memory is flushed every second, the clock's mark every minute, signing keys are looked at every hour, the sweep
//! comes once a day.

use super::House;
use crate::config::{Config, Problem};
use directory::credential::{Params, pool};
use directory::error::Reason;
use directory::grant::seal::Place;
use directory::handle::{Backend, Directory, Options};
use directory::search::Bounds;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The store's file in the data directory.
pub const FILE: &str = "rollbook.redb";

/// The hint when another process has the store.
pub const HELD: &str = "another rollbook has it open";

const FLUSH: Duration = Duration::from_secs(1);
/// Flushes between two marks of the clock.
const MARK: u32 = 60;
/// Flushes between two looks at the age of the signing keys.
const KEYS: u32 = 3_600;
/// Flushes between two sweeps.
const SWEEP: u32 = 86_400;

/// Where the store of a data directory is.
pub fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// Opens the directory.
///
/// # Errors
/// A setting that the domain refuses, a store that another process holds or that does not open.
pub fn open(config: &Config, processors: usize) -> Result<Directory, Problem> {
    let file = path(&config.server.data_dir);
    let mut options = Options::new(Backend::File(file.clone())).map_err(|e| Problem::general(e.to_string()))?;
    options.cache_bytes = usize::try_from(config.store.cache_mib).unwrap_or(usize::MAX).saturating_mul(1024 * 1024);
    options.seal = config.server.seal_key_file.clone().map(Place::File);
    options.policy = config.policy.rules().map_err(|e| Problem::general(e.to_string()))?;
    options.definitions = super::schema::read(&config.schema.files)?;
    let hashing = &config.hashing;
    options.hashing = Params::new(hashing.memory_kib, hashing.iterations, hashing.lanes)
        .map_err(|e| Problem::general(format!("hashing: {e}")))?;
    options.pool = pool::Limits {
        threads: NonZeroUsize::new(hashing.hashing_threads(processors)).unwrap_or(NonZeroUsize::MIN),
        queue: hashing.queue,
        ..pool::Limits::default()
    };
    options.upgrade_hashes = hashing.upgrade_imported;
    let limits = &config.limits;
    let seconds = u32::try_from(limits.search_time.as_secs()).unwrap_or(u32::MAX);
    let narrow = |wide: u64| u32::try_from(wide).unwrap_or(u32::MAX);
    options.reader_bounds = Bounds {
        size: narrow(limits.search_entries),
        time_seconds: seconds,
        lookthrough: narrow(limits.search_candidates),
    };
    Directory::open(options).map_err(|refusal| {
        if refusal.reason == Reason::Unwilling {
            return Problem::general(format!("schema.files: {}", refusal.message));
        }
        let why = refusal.detail.unwrap_or(refusal.message);
        let problem = Problem::general(format!("cannot open the store {}: {why}", file.display()));
        if why.contains("already open") || why.contains("lock") { problem.with_hint(HELD) } else { problem }
    })
}

/// Keeps the directory in order until the daemon stops.
pub async fn keep(house: House, directory: Directory) {
    let mut ticks = tokio::time::interval(FLUSH);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut count = 0_u32;
    loop {
        tokio::select! {
            () = house.stop.drain.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(refusal) = directory.flush(false).await {
            tracing::warn!(detail = refusal.detail.as_deref(), "what logins left in memory could not be stored");
        }
        if count.is_multiple_of(MARK) {
            directory.store_mark();
        }
        if count.is_multiple_of(KEYS) {
            turn_keys(&directory).await;
        }
        if count.is_multiple_of(SWEEP) {
            match directory.sweep().await {
                Ok(found) if found > 0 => tracing::info!(found, "the sweep found accounts whose time has come"),
                Ok(_) => {}
                Err(refusal) => tracing::warn!(detail = refusal.detail.as_deref(), "the sweep failed"),
            }
        }
        count = count.wrapping_add(1);
    }
}

/// Makes and retires signing keys. A directory without them still serves: only tokens cannot be signed.
pub async fn turn_keys(directory: &Directory) {
    if let Err(refusal) = directory.turn_keys().await {
        tracing::warn!(detail = refusal.detail.as_deref(), "signing keys could not be made or retired");
    }
}

/// Plugs the directory's figures into the metrics.
pub fn observe(house: &House, directory: &Directory) {
    let lane = directory.clone();
    house.metrics.counters("rollbook_write_sets", "Write sets by what became of them", "outcome", move |put| {
        let (_, applied, refused) = lane.lane_figures();
        put("applied", applied);
        put("refused", refused);
    });
    let lane = directory.clone();
    house.metrics.counter("rollbook_commits", "Commits of the store", move || lane.lane_figures().0);
    let pool = directory.clone();
    #[expect(clippy::cast_precision_loss, reason = "a queue length fits into 53 bits")]
    house
        .metrics
        .gauge("rollbook_hash_queue", "Passwords waiting to be hashed", move || pool.pool_figures().queued as f64);
    let pool = directory.clone();
    house.metrics.counters("rollbook_hash_jobs", "Hashing jobs by what became of them", "outcome", move |put| {
        let figures = pool.pool_figures();
        put("done", figures.done);
        put("abandoned", figures.abandoned);
        put("panicked", figures.panicked);
        put("refused", figures.refused_full.saturating_add(figures.refused_slow));
    });
    let writable = directory.clone();
    house.health.check("writes", move || writable.writes());
    let readable = directory.clone();
    house.health.check("store", move || readable.snapshot().is_ok());
}

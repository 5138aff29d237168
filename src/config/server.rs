//! Sections `server`, `store` and `hashing`: where the data is and how much of the machine may be used.

use super::setting::{Kind, section};
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// The process.
    "server" Server;
    /// The directory that holds the store, the generated certificates and the locks. Made with mode 0700 when it is
    /// missing; refused when group or others may write to it.
    data_dir: PathBuf, Kind::Path, "/var/lib/rollbook";
    /// The key that seals signing keys, TOTP seeds and secrets of providers at rest: 32 bytes, or their base64url text. By
    /// default `seal.key` beside the store, made with mode 0600 at the first start. A backup of the store is worth
    /// nothing to a thief without it, and cannot sign tokens for its owner without it either: keep a copy elsewhere.
    seal_key_file: Option<PathBuf>, Kind::SecretFile, "";
    /// Threads that answer requests. `auto` is one on a machine with up to two processors, because a directory answers
    /// in microseconds and a second thread there costs more in waking than it gives; else one for each processor.
    /// Password hashing has its own threads (`hashing.threads`).
    workers: Option<u64>, Kind::CountOr("auto", 1, 256), "auto";
    /// How long a stopping daemon waits for requests in progress. A second signal ends it at once.
    drain: Duration, Kind::Span(Duration::from_secs(1), Duration::from_secs(300)), "10s";
}

section! {
    /// The store.
    "store" Store;
    /// Memory for pages of the store, in MiB. The operating system caches the file as well, so this need not hold all
    /// of it: 64 MiB keep the indexes of about 100,000 entries at hand.
    cache_mib: u64, Kind::Count(1, 65_536), "64";
}

section! {
    /// Password hashing: argon2id. The defaults are the first recommendation of OWASP's password storage guide for
    /// servers with many logins; a change holds for new passwords, and for old ones at their next login.
    "hashing" Hashing;
    /// Memory of one hash, in KiB.
    memory_kib: u32, Kind::Count(8_192, 2_097_152), "19456";
    /// Passes over that memory.
    iterations: u32, Kind::Count(1, 64), "2";
    /// Lanes of one hash (argon2's parallelism parameter). One lane: the machine's processors are better spent on as
    /// many logins at once.
    lanes: u32, Kind::Count(1, 16), "1";
    /// Threads that hash, each with its own `hashing.memory_kib`. `auto` is one for each processor.
    threads: Option<u64>, Kind::CountOr("auto", 1, 256), "auto";
    /// Logins that may wait for a hashing thread; further ones are answered busy. Bounds the wait of a login in a storm
    /// to this number of hashes.
    queue: usize, Kind::Count(1, 65_536), "256";
    /// Whether a password with a hash of another server or with weaker parameters is hashed anew at the next login.
    upgrade_imported: bool, Kind::Flag, "true";
}

impl Server {
    /// The number of worker threads on a machine with that many processors.
    pub fn worker_threads(&self, processors: usize) -> usize {
        match self.workers {
            Some(workers) => usize::try_from(workers).unwrap_or(usize::MAX),
            None if processors <= 2 => 1,
            None => processors,
        }
    }
}

impl Hashing {
    /// The number of hashing threads on a machine with that many processors.
    pub fn hashing_threads(&self, processors: usize) -> usize {
        match self.threads {
            Some(threads) => usize::try_from(threads).unwrap_or(usize::MAX),
            None => processors.max(1),
        }
    }
}

//! The hash pool: a few plain threads, each with its own argon2 memory, behind a bounded queue.
//!
//! Owns who waits for hashing and for how long. One thread per core and no priority games: measured, the scheduler
//! keeps short work (searches) responsive beside them, while lowered priorities starve logins. The bound is in jobs and
//! in expected waiting time, so that a flood of expensive hashes is refused as [`Busy`] in microseconds instead of
//! answered after the clients have gone. Knows no accounts; `authenticate` and the password-changing operations call
//! it. Its only async type is tokio's oneshot receiver; no runtime is needed.
//!
//! The only clock here is the monotonic one that measures the jobs: it decides who is refused and how much decoy work
//! follows a lighter hash, never whether a password matches.

mod queue;

use super::decoy::Decoy;
use super::history;
use super::password::{self, Arena, HashError, Params, PasswordHash, SALT_BYTES, Verification};
use super::prepare::MAX_PASSWORD_BYTES;
use super::scheme::Cost;
use super::secret::Secret;
use queue::{Calibrates, Ran, Shared, Task, work};
use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The bounds of a pool.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Hashing threads; each holds the memory of one hash (19 MiB by default) once it has worked.
    pub threads: NonZeroUsize,
    /// Jobs that may wait. Each holds a password and a stored hash, about 1 KiB.
    pub queue: usize,
    /// The longest expected wait before a job starts.
    pub wait: Duration,
}

impl Default for Limits {
    /// One thread per core, 1024 waiting jobs, two seconds.
    fn default() -> Limits {
        Limits {
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            queue: 1024,
            wait: Duration::from_secs(2),
        }
    }
}

/// Why a job is not taken. Says nothing about an account: unknown names meet it alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// As many jobs wait as may.
    #[error("the hash queue is full")]
    Full,
    /// The job would wait longer than allowed.
    #[error("the hash queue is too slow")]
    Slow,
    /// The pool is shutting down.
    #[error("the hash pool is closed")]
    Closed,
}

/// The job was taken but gave no answer: it panicked. Treated as a failure of the server, never as a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hashing job was lost")]
pub struct Lost;

/// The answer of a verification, now or later.
#[derive(Debug)]
pub enum Check {
    /// Done on the spot.
    Now(Verification),
    /// With the pool.
    Later(oneshot::Receiver<Verification>),
}

impl Check {
    /// Waits for the answer on any async runtime.
    pub async fn outcome(self) -> Result<Verification, Lost> {
        match self {
            Check::Now(verification) => Ok(verification),
            Check::Later(receiver) => receiver.await.map_err(|_| Lost),
        }
    }

    /// Waits for the answer on a plain thread; must not be called inside an async runtime.
    pub fn wait(self) -> Result<Verification, Lost> {
        match self {
            Check::Now(verification) => Ok(verification),
            Check::Later(receiver) => receiver.blocking_recv().map_err(|_| Lost),
        }
    }
}

/// The pool's figures at one moment, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// Jobs that wait.
    pub queued: usize,
    /// Jobs that run.
    pub running: usize,
    /// The wait that a job submitted now would expect.
    pub expected_wait: Duration,
    /// Jobs done since the start, those that panicked included.
    pub done: u64,
    /// Jobs whose asker had gone before they began; not run.
    pub abandoned: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Jobs refused because the queue was full.
    pub refused_full: u64,
    /// Jobs refused because of the expected wait.
    pub refused_slow: u64,
    /// Verifications done on the spot.
    pub inline: u64,
}

/// The pool. Shared by reference; dropping it finishes the queue and joins the threads.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Pool {
    /// Starts the threads; fails when the system refuses one.
    pub fn start(limits: Limits) -> std::io::Result<Pool> {
        let shared = Arc::new(Shared::new(limits));
        let pool = Pool { shared, threads: Mutex::default() };
        for number in 0..limits.threads.get() {
            let shared = Arc::clone(&pool.shared);
            let thread = std::thread::Builder::new().name(format!("hash-{number}")).spawn(move || work(&shared))?;
            pool.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(pool)
    }

    /// A login's proof: compares a password with the account's stored hash, or with the decoy when there is none.
    ///
    /// A right password against a cheap hash (`{SSHA}` …) is answered at once. A wrong one against any hash that costs
    /// less than the present parameters, and a stored hash that cannot be used, is followed by as much of a decoy's run
    /// as is missing, so that neither the existence of an account nor the kind of its hash shows in the time of a
    /// refusal. Empty and over-long passwords (RFC 4513 §5.1.2; 1024 bytes) fail at once for every name. New hashes get
    /// the decoy's parameters: `upgrade` is relative to them.
    pub fn prove(&self, stored: Option<&PasswordHash>, password: Secret, decoy: &Decoy) -> Result<Check, Busy> {
        let current = decoy.params();
        let full_us = decoy.stored().estimate_us();
        if never_matches(&password) {
            return Ok(Check::Now(Verification::default()));
        }
        let Some(stored) = stored else {
            return self.queue_verify(decoy.stored().clone(), password, current).map(Check::Later);
        };
        if stored.cost() == Cost::Cheap {
            let found = self.inline(stored, &password, current);
            if found.matched {
                return Ok(Check::Now(found));
            }
            let decoy = decoy.stored().clone();
            let job = move |arena: &mut Arena| {
                password::verify(&decoy, password.expose(), current, arena);
                found
            };
            return self.enqueue(full_us, Calibrates::Yes, job).map(Check::Later);
        }
        if stored.estimate_us() >= full_us {
            return self.queue_verify(stored.clone(), password, current).map(Check::Later);
        }
        let (stored, decoy, full) = (stored.clone(), decoy.clone(), self.shared.lock().time_of(full_us));
        let job = move |arena: &mut Arena| {
            let began = Instant::now();
            let found = password::verify(&stored, password.expose(), current, arena);
            if !found.matched
                && let Some(rest) = decoy.rest(began.elapsed(), full)
            {
                password::verify(&rest, password.expose(), current, arena);
            }
            found
        };
        self.enqueue(full_us, Calibrates::No, job).map(Check::Later)
    }

    /// Compares a password with a stored hash where there is nothing to hide: the old password at a change, say.
    pub fn verify(&self, stored: &PasswordHash, password: Secret, current: Params) -> Result<Check, Busy> {
        if never_matches(&password) {
            Ok(Check::Now(Verification::default()))
        } else if stored.cost() == Cost::Cheap {
            Ok(Check::Now(self.inline(stored, &password, current)))
        } else {
            self.queue_verify(stored.clone(), password, current).map(Check::Later)
        }
    }

    /// The work of a login without an account behind it.
    pub fn verify_decoy(&self, password: Secret, decoy: &Decoy) -> Result<Check, Busy> {
        self.prove(None, password, decoy)
    }

    /// Hashes a new password; the salt is drawn by the caller.
    pub fn hash(
        &self,
        password: Secret,
        salt: [u8; SALT_BYTES],
        params: Params,
    ) -> Result<oneshot::Receiver<Result<PasswordHash, HashError>>, Busy> {
        let job = move |arena: &mut Arena| password::hash(password.expose(), salt, params, arena);
        self.enqueue(params.estimate_us(), Calibrates::Yes, job)
    }

    /// Whether a new password is the present one or one of the remembered ones (see [`history::is_reused`]): one run per
    /// hash, one after the other, at most [`history::MAX_REMEMBERED`] and one.
    pub fn is_reused(
        &self,
        password: Secret,
        present: Option<PasswordHash>,
        remembered: Vec<PasswordHash>,
    ) -> Result<oneshot::Receiver<bool>, Busy> {
        let hashes: Vec<PasswordHash> =
            present.into_iter().chain(remembered.into_iter().take(history::MAX_REMEMBERED)).collect();
        let estimate = hashes.iter().map(PasswordHash::estimate_us).fold(0, u64::saturating_add);
        self.submit(estimate, move |arena| history::is_reused(password.expose(), &hashes, arena))
    }

    /// Queues any job that needs a hashing thread. `estimate_us` is its rough time in microseconds of one core.
    ///
    /// A job whose receiver is dropped before it begins is not run. A panic in a job drops its sender and nothing else.
    pub fn submit<T: Send + 'static>(
        &self,
        estimate_us: u64,
        job: impl FnOnce(&mut Arena) -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Busy> {
        self.enqueue(estimate_us, Calibrates::No, job)
    }

    fn enqueue<T: Send + 'static>(
        &self,
        estimate_us: u64,
        calibrates: Calibrates,
        job: impl FnOnce(&mut Arena) -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Busy> {
        let (sender, receiver) = oneshot::channel();
        let run = Box::new(move |arena: &mut Arena| {
            if sender.is_closed() {
                return Ran::Abandoned;
            }
            // The asker may go while the job runs; then the answer is dropped with the channel.
            let _gone = sender.send(job(arena));
            Ran::Done
        });
        self.shared.push(Task { estimate_us, calibrates, run })?;
        Ok(receiver)
    }

    /// The figures of this moment.
    pub fn snapshot(&self) -> Snapshot {
        let queue = self.shared.lock();
        Snapshot {
            expected_wait: queue.expected_wait(self.shared.limits.threads),
            inline: self.shared.inline.load(Ordering::Relaxed),
            ..queue.counted()
        }
    }

    /// Refuses new jobs, finishes those that wait (at most about [`Limits::wait`]), ends the threads. May be called
    /// again.
    pub fn shutdown(&self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_all();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A worker catches its jobs' panics, so there is no other to hand on.
            let _ended = thread.join();
        }
    }

    fn inline(&self, stored: &PasswordHash, password: &Secret, current: Params) -> Verification {
        self.shared.inline.fetch_add(1, Ordering::Relaxed);
        password::verify(stored, password.expose(), current, &mut Arena::new())
    }

    fn queue_verify(
        &self,
        stored: PasswordHash,
        password: Secret,
        current: Params,
    ) -> Result<oneshot::Receiver<Verification>, Busy> {
        let estimate = stored.estimate_us();
        let calibrates = if stored.scheme() == "argon2id" { Calibrates::Yes } else { Calibrates::No };
        let job = move |arena: &mut Arena| password::verify(&stored, password.expose(), current, arena);
        self.enqueue(estimate, calibrates, job)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pool").field(&self.snapshot()).finish()
    }
}

fn never_matches(password: &Secret) -> bool {
    password.expose().is_empty() || password.expose().len() > MAX_PASSWORD_BYTES
}

#[cfg(test)]
mod tests;

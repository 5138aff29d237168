//! The pool's inside: the queue with its load, and the loop of a hashing thread.
//!
//! Owns the lock, the bounds' arithmetic and the counters; knows jobs as opaque closures. Only `pool` uses it.

use super::{Busy, Limits, Snapshot};
use crate::credential::password::Arena;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicU64;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(super) struct Shared {
    pub(super) limits: Limits,
    queue: Mutex<Queue>,
    pub(super) wake: Condvar,
    /// Outside the lock: verifications on the spot must not wait for one another.
    pub(super) inline: AtomicU64,
}

pub(super) struct Task {
    pub(super) estimate_us: u64,
    pub(super) calibrates: Calibrates,
    pub(super) run: Box<dyn FnOnce(&mut Arena) -> Ran + Send>,
}

/// Whether the job is one run of argon2 and nothing else, so that its time tells the machine's speed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Calibrates {
    Yes,
    No,
}

pub(super) enum Ran {
    Done,
    Abandoned,
}

pub(super) struct Queue {
    tasks: VecDeque<Task>,
    /// Estimates of the waiting and running tasks, summed.
    load_us: u64,
    running: usize,
    /// Measured time over estimated time of argon2 runs, in 1/1024, smoothed over about eight.
    scale: u64,
    pub(super) closed: bool,
    counts: Snapshot,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue {
            tasks: VecDeque::new(),
            load_us: 0,
            running: 0,
            scale: UNIT,
            closed: false,
            counts: Snapshot::default(),
        }
    }
}

const UNIT: u64 = 1024;

impl Queue {
    /// How long a job submitted now waits until a thread is free for it; none while one is idle.
    pub(super) fn expected_wait(&self, threads: NonZeroUsize) -> Duration {
        let ahead = self.tasks.len().saturating_add(self.running);
        if ahead < threads.get() {
            return Duration::ZERO;
        }
        let threads = u64::try_from(threads.get()).unwrap_or(u64::MAX);
        Duration::from_micros(self.load_us.saturating_mul(self.scale) / UNIT / threads)
    }

    /// The time that work of this estimate takes on this machine at present.
    pub(super) fn time_of(&self, estimate_us: u64) -> Duration {
        Duration::from_micros(estimate_us.saturating_mul(self.scale) / UNIT)
    }

    pub(super) fn measured(&mut self, estimate_us: u64, took: Duration) {
        // Short jobs say more about the scheduler than about the machine's speed at hashing.
        if estimate_us < 1000 {
            return;
        }
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let scale = (took.saturating_mul(UNIT) / estimate_us).clamp(UNIT / 16, UNIT * 64);
        self.scale = (self.scale * 7 + scale) / 8;
    }

    pub(super) fn counted(&self) -> Snapshot {
        Snapshot { queued: self.tasks.len(), running: self.running, ..self.counts }
    }
}

impl Shared {
    pub(super) fn new(limits: Limits) -> Shared {
        Shared { limits, queue: Mutex::default(), wake: Condvar::new(), inline: AtomicU64::new(0) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queue> {
        // No job runs under the lock, so a poisoned queue is still whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, task: Task) -> Result<(), Busy> {
        let mut queue = self.lock();
        if queue.closed {
            return Err(Busy::Closed);
        }
        if queue.tasks.len() >= self.limits.queue {
            queue.counts.refused_full += 1;
            return Err(Busy::Full);
        }
        if queue.expected_wait(self.limits.threads) > self.limits.wait {
            queue.counts.refused_slow += 1;
            return Err(Busy::Slow);
        }
        queue.load_us = queue.load_us.saturating_add(task.estimate_us);
        queue.tasks.push_back(task);
        drop(queue);
        self.wake.notify_one();
        Ok(())
    }

    /// The next task. A thread that holds memory waits only [`IDLE`] for one.
    fn next(&self, holds_memory: bool) -> Next {
        let mut queue = self.lock();
        loop {
            if let Some(task) = queue.tasks.pop_front() {
                queue.running += 1;
                return Next::Task(task);
            }
            if queue.closed {
                return Next::Closed;
            }
            if !holds_memory {
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (locked, waited) = self.wake.wait_timeout(queue, IDLE).unwrap_or_else(PoisonError::into_inner);
            queue = locked;
            if waited.timed_out() && queue.tasks.is_empty() {
                return Next::Idle;
            }
        }
    }
}

/// How long a thread without work keeps its memory. To fault it in again costs a third of a hash, so it is kept between
/// the logins of a busy minute and not through a quiet night.
const IDLE: Duration = Duration::from_secs(1);

enum Next {
    Task(Task),
    Idle,
    Closed,
}

/// A hashing thread.
pub(super) fn work(shared: &Shared) {
    step_back();
    let mut arena = Arena::new();
    loop {
        let Task { estimate_us, calibrates, run } = match shared.next(!arena.is_empty()) {
            Next::Task(task) => task,
            Next::Idle => {
                arena = Arena::new();
                continue;
            }
            Next::Closed => return,
        };
        let began = Instant::now();
        let ran = catch_unwind(AssertUnwindSafe(|| run(&mut arena)));
        let took = began.elapsed();
        let mut queue = shared.lock();
        queue.running -= 1;
        queue.load_us = queue.load_us.saturating_sub(estimate_us);
        match ran {
            Ok(Ran::Done) => {
                queue.counts.done += 1;
                if calibrates == Calibrates::Yes {
                    queue.measured(estimate_us, took);
                }
            }
            Ok(Ran::Abandoned) => queue.counts.abandoned += 1,
            Err(_) => {
                queue.counts.done += 1;
                queue.counts.panicked += 1;
                arena = Arena::new();
            }
        }
    }
}

/// How much less a hashing thread weighs than one that answers, as a nice value. On Linux a woken thread interrupts one
/// that is nicer; among equals it waits until a hash's slice of the processor is over, some milliseconds. Much nicer, and
/// searches that never end would leave logins too little.
#[cfg(target_os = "linux")]
const NICER: i32 = 3;

/// Lets every thread that answers go before this one. Without it only the time of a search beside many logins is worse, so
/// that a refusal of the system is none of ours.
fn step_back() {
    // Elsewhere the call would be for the whole process.
    #[cfg(target_os = "linux")]
    if let Ok(now) = rustix::process::getpriority_process(None) {
        _ = rustix::process::setpriority_process(None, now.saturating_add(NICER).min(19));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a thread that holds memory is told when there is nothing to do; one without waits for work or the end.
    #[test]
    fn a_thread_without_work_gives_its_memory_back() {
        let shared = Shared::new(Limits::default());
        assert!(matches!(shared.next(true), Next::Idle));
        shared.push(Task { estimate_us: 1, calibrates: Calibrates::No, run: Box::new(|_| Ran::Done) }).unwrap();
        assert!(matches!(shared.next(true), Next::Task(_)));
        shared.lock().closed = true;
        assert!(matches!(shared.next(false), Next::Closed));
    }

    #[test]
    fn the_estimate_follows_the_measure() {
        // Goal: when jobs take longer than estimated the expected wait grows, and one odd measure does not rule it.
        let mut queue = Queue { load_us: 100_000, running: 1, ..Queue::default() };
        let one = NonZeroUsize::MIN;
        assert_eq!(queue.expected_wait(one), Duration::from_millis(100));
        queue.measured(20_000, Duration::from_millis(160));
        assert!(queue.expected_wait(one) < Duration::from_millis(200));
        for _ in 0..64 {
            queue.measured(20_000, Duration::from_millis(40));
        }
        let wait = queue.expected_wait(one);
        assert!(wait > Duration::from_millis(190) && wait < Duration::from_millis(210), "{wait:?}");
        queue.measured(0, Duration::from_secs(9));
        assert_eq!(queue.expected_wait(one), wait);
    }
}

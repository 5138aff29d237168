//! The write lane: one thread, one order, many write sets per commit.
//!
//! ```text
//! submit ─▶ queue (bounded) ─▶ drain what is there ─▶ apply each ─▶ one frame of the log, synced ─▶ new snapshot ─▶ answers
//! ```
//!
//! While one commit runs the next batch gathers ([`batch`](super::batch)); how it is carried out says
//! [`worker`](super::worker). A set that is refused before its first write leaves nothing behind; one that is refused later
//! costs the transaction, and the batch is applied again without it. An answer is given after its set is durable, never before.
//!
//! A set is durable when the log has it ([`wal`](crate::wal)). Most commits leave what they have done in memory, and every
//! few of them it goes into the tables together ([`unwritten`](crate::store::unwritten)), which are changed in memory as
//! well, and written every so many commits, with the clock's mark, before an import, and at the end. Those commits are
//! two-phase with quick repair, as redb advises for stores that hold what strangers choose: a torn write cannot make an
//! old root look like a new one, and opening after a crash does not walk the whole file.

use super::batch::{Answer, Exclusive, Job, Moved};
use super::queue::{Full, Queue};
use super::worker::{LaneCounters, Published, Tell, Worker};
use crate::change::WriteSet;
use crate::clock::Mark;
use crate::error::{Reason, Refusal};
use crate::grant::Ended;
use crate::schema::Schema;
use crate::store::pending::Staging;
use crate::wal::Wal;
use redb::Database;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Write sets that may wait. One more is answered `Busy`.
pub const QUEUE: usize = 8_192;

/// The journal of one machine.
#[derive(Debug)]
pub struct Lane {
    queue: Arc<Queue<Job>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
    /// Somebody has asked it to end.
    stopping: AtomicBool,
    counters: Arc<LaneCounters>,
}

impl Lane {
    /// Starts the thread. `published` is called after every commit, before its answers are given, with what it
    /// has moved; `tell` after it, with the grants that a write set has ended.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        database: Arc<Database>,
        wal: Wal,
        schema: Arc<Schema>,
        staging: Arc<Staging>,
        published: impl Fn(Moved) + Send + 'static,
        tell: impl Fn(&[Ended]) + Send + 'static,
    ) -> std::io::Result<Lane> {
        let queue = Arc::new(Queue::new(QUEUE));
        let counters = Arc::new(LaneCounters::default());
        let heard = (Box::new(published) as Published, Box::new(tell) as Tell);
        let worker = Worker::new(database, wal, schema, staging, heard, counters.clone());
        let jobs = Abandoned { queue: queue.clone(), counters: counters.clone() };
        let thread = std::thread::Builder::new().name("write-lane".into()).spawn(move || worker.run(&jobs.queue))?;
        Ok(Lane { queue, thread: Mutex::new(Some(thread)), stopping: AtomicBool::new(false), counters })
    }

    /// Puts a write set into the queue; the answer comes when it is durable or refused.
    ///
    /// # Errors
    /// `Busy` when the queue is full or the lane has stopped.
    pub fn submit(&self, set: WriteSet) -> Result<oneshot::Receiver<Answer>, Refusal> {
        let (sender, receiver) = oneshot::channel();
        self.push(Job::Set(Box::new(set), sender), false)?;
        Ok(receiver)
    }

    fn push(&self, job: Job, urgent: bool) -> Result<(), Refusal> {
        self.queue.push(job, urgent).map_err(|full| match full {
            Full::Bound => Refusal::new(Reason::Busy, "too many changes are waiting"),
            Full::Closed => self.over(),
        })
    }

    /// What a caller is told whom the lane leaves without an answer: nobody has asked it to end, so it has failed.
    pub fn over(&self) -> Refusal {
        if self.stopping.load(Ordering::Acquire) {
            Refusal::new(Reason::Busy, "the server is shutting down")
        } else {
            Refusal::store("the write lane has ended")
        }
    }

    /// Queues work that has the store to itself: what was queued before is carried out first, nothing else is meanwhile.
    /// When it commits (an import), everything before it is in the tables durably, and the answer comes after everybody
    /// sees what it wrote. It is not done, and there is no answer, when nothing can be written any more.
    ///
    /// # Errors
    /// `Busy` when the queue is full or the lane has stopped.
    pub fn exclusive<T: Send + 'static>(
        &self,
        commits: bool,
        work: impl FnOnce(&Database, &Staging) -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Refusal> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move |database: &Database, staging: &Staging, published: &dyn Fn(Moved)| {
            let outcome = work(database, staging);
            published(Moved::ALL);
            // Nobody waits any more: what was written stands all the same.
            let _ = sender.send(outcome);
        });
        self.push(Job::Exclusive(Exclusive { work: job, commits }), true)?;
        Ok(receiver)
    }

    /// Stores the clock's mark with the next commit, or alone.
    pub fn mark(&self, mark: Mark) {
        // A full queue means commits are being made; the next minute brings the next mark.
        let _ = self.queue.push(Job::Mark(mark), false);
    }

    /// The counters.
    pub fn counters(&self) -> &LaneCounters {
        &self.counters
    }

    /// Carries out what is in the queue, then ends the thread.
    pub fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            self.stopping.store(true, Ordering::Release);
            self.queue.close();
            let _ = thread.join();
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Nobody waits for a lane that has ended, however it has.
struct Abandoned {
    queue: Arc<Queue<Job>>,
    counters: Arc<LaneCounters>,
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.counters.failed.fetch_add(1, Ordering::Relaxed);
            tracing::error!("the write lane has ended; nothing can be written until the daemon is started again");
        }
        self.queue.abandon();
    }
}

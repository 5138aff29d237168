//! The write lane: one thread, one order, many write sets per commit.
//!
//! ```text
//! submit ─▶ queue (bounded) ─▶ drain what is there ─▶ apply each ─▶ one frame of the log, synced ─▶ new snapshot ─▶ answers
//! ```
//!
//! While one commit runs the next batch gathers ([`batch`](super::batch)). A set that is refused before its first write
//! leaves nothing behind; one that is refused later costs the transaction, and the batch is applied again without it. An
//! answer is given after its set is durable, never before.
//!
//! A set is durable when the log has it ([`wal`](crate::wal)). Most commits leave what they have done in memory, and every
//! few of them it goes into the tables together ([`unwritten`](crate::store::unwritten)), which are changed in memory as
//! well, and written every so many commits, with the clock's mark, before an import, and at the end. Those commits are
//! two-phase with quick repair, as redb advises for stores that hold what strangers choose: a torn write cannot make an
//! old root look like a new one, and opening after a crash does not walk the whole file.

use super::batch::{self, Answer, Batch, Exclusive, Job, Moved};
use super::queue::{Full, Queue};
use crate::access::Remembered;
use crate::change::WriteSet;
use crate::change::apply::{Applied, Head, apply};
use crate::clock::Mark;
use crate::error::{Reason, Refusal};
use crate::grant::Ended;
use crate::grant::apply::Crowds;
use crate::schema::Schema;
use crate::store::codec;
use crate::store::pending::Staging;
use crate::store::tables::meta;
use crate::store::view::Tables;
use crate::wal::Wal;
use redb::{Database, Durability, ReadableTable};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Write sets that may wait. One more is answered `Busy`.
pub const QUEUE: usize = 8_192;
/// Receipts are kept for so many milliseconds after their write set was made.
pub const RECEIPTS_KEPT: u64 = 600_000;
/// Commits between two looks for old receipts.
const TRIM_EVERY: u32 = 256;

/// Tells of the grants that a write set has ended.
type Tell = Box<dyn Fn(&[Ended]) + Send>;

/// Counters of the lane.
#[derive(Debug, Default)]
pub struct LaneCounters {
    /// Commits.
    pub commits: AtomicU64,
    /// Write sets carried out.
    pub applied: AtomicU64,
    /// Write sets refused.
    pub refused: AtomicU64,
    /// Commits that failed. After the first one nothing is written until the store is opened again.
    pub failed: AtomicU64,
}

/// The journal of one machine.
#[derive(Debug)]
pub struct Lane {
    queue: Arc<Queue<Job>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
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
        let worker = Worker {
            database,
            wal,
            schema,
            staging,
            published: Box::new(published),
            tell: Box::new(tell),
            counters: counters.clone(),
            crowds: Crowds::default(),
            remembered: Remembered::default(),
            batches: 0,
            broken: None,
        };
        let jobs = Abandoned(queue.clone());
        let thread = std::thread::Builder::new().name("write-lane".into()).spawn(move || worker.run(&jobs.0))?;
        Ok(Lane { queue, thread: Mutex::new(Some(thread)), counters })
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
            Full::Closed => Refusal::new(Reason::Busy, "the server is shutting down"),
        })
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
struct Abandoned(Arc<Queue<Job>>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

struct Worker {
    database: Arc<Database>,
    wal: Wal,
    schema: Arc<Schema>,
    staging: Arc<Staging>,
    published: Box<dyn Fn(Moved) + Send>,
    tell: Tell,
    counters: Arc<LaneCounters>,
    crowds: Crowds,
    remembered: Remembered,
    batches: u32,
    /// Why nothing can be written any more.
    broken: Option<Refusal>,
}

impl Worker {
    fn run(mut self, jobs: &Queue<Job>) {
        let (mut expected, mut patience) = (0, Duration::ZERO);
        while !jobs.is_over() {
            let mut batch = Batch::gather(jobs, expected, patience);
            let exclusive = batch.exclusive.take();
            (expected, patience) = self.carry_out(batch, jobs);
            if let Some(Exclusive { work, commits }) = exclusive {
                if commits {
                    self.checkpoint();
                }
                if self.broken.is_none() {
                    work(&self.database, &self.staging, &self.published);
                    self.crowds.forget();
                    self.remembered.forget();
                }
            }
        }
        self.checkpoint();
    }

    /// Commits and answers. How many sets are expected then, and how long they are waited for.
    fn carry_out(&mut self, batch: Batch, jobs: &Queue<Job>) -> (usize, Duration) {
        if batch.sets.is_empty() && batch.mark.is_none() {
            return (0, Duration::ZERO);
        }
        let began = Instant::now();
        let sets: Vec<&WriteSet> = batch.sets.iter().map(|(set, _)| set.as_ref()).collect();
        let outcome = self.commit(&sets, batch.mark);
        (self.published)(outcome.as_ref().map_or(Moved::ALL, |(_, moved)| *moved));
        // Had the commit failed, the tables would be those of the state before.
        if matches!(outcome, Ok((_, Moved { tables: true, .. }))) {
            self.staging.forget_older();
        }
        let next = batch::expect(jobs.len(), batch.sets.len(), began.elapsed());
        match outcome {
            Ok((answers, _)) => {
                for ((_, sender), answer) in batch.sets.into_iter().zip(answers) {
                    let counter = if answer.is_ok() { &self.counters.applied } else { &self.counters.refused };
                    counter.fetch_add(1, Ordering::Relaxed);
                    if let Some(receipt) = answer.as_ref().ok().filter(|receipt| !receipt.grants.ended.is_empty()) {
                        (self.tell)(&receipt.grants.ended);
                    }
                    // Nobody waits any more: the change stands all the same.
                    let _ = sender.send(answer);
                }
            }
            Err(refusal) => {
                self.fail(&refusal);
                for (_, sender) in batch.sets {
                    let _ = sender.send(Err(refusal.clone()));
                }
            }
        }
        next
    }

    fn fail(&mut self, refusal: &Refusal) {
        self.counters.failed.fetch_add(1, Ordering::Relaxed);
        if self.broken.is_none() {
            self.broken = Some(refusal.clone());
            tracing::error!(
                detail = refusal.detail.as_deref(),
                "a commit failed; nothing can be written until the daemon is started again"
            );
        }
    }

    /// Writes the tables, and begins the log anew: before work that writes the store by itself, and at the end.
    fn checkpoint(&mut self) {
        if self.broken.is_some() || !self.wal.is_begun() {
            return;
        }
        match self.write_tables() {
            Ok(()) => self.wal.restart(),
            Err(refusal) => self.fail(&refusal),
        }
    }

    fn write_tables(&self) -> Result<(), Refusal> {
        let mut txn = self.database.begin_write().map_err(store_failed)?;
        txn.set_quick_repair(true);
        let mut tables = Tables::open(&txn, &self.staging)?;
        let head = Head::read(&tables)?;
        tables.settle(&head, &self.staging)?;
        drop(tables);
        txn.commit().map_err(store_failed)?;
        (self.published)(Moved { tables: true, rights: false });
        self.staging.forget_older();
        Ok(())
    }

    /// Applies and commits; answers in the order of the sets, and what has moved.
    fn commit(&mut self, sets: &[&WriteSet], mark: Option<Mark>) -> Result<(Vec<Answer>, Moved), Refusal> {
        if let Some(refusal) = &self.broken {
            return Err(refusal.clone());
        }
        let mut answers: Vec<Option<Answer>> = sets.iter().map(|_| None).collect();
        let tables = loop {
            match self.attempt(sets, &mut answers, mark)? {
                Attempt::Committed { tables } => break tables,
                // What was worked out in it is of a state that there never was.
                Attempt::Spoiled => self.remembered.forget(),
            }
        };
        let moved = Moved { tables, rights: self.remembered.has_forgotten() };
        let lost = || Err(Refusal::new(Reason::Store, "the store failed"));
        Ok((answers.into_iter().map(|a| a.unwrap_or_else(lost)).collect(), moved))
    }

    fn attempt(
        &mut self,
        sets: &[&WriteSet],
        answers: &mut [Option<Answer>],
        mark: Option<Mark>,
    ) -> Result<Attempt, Refusal> {
        let mut txn = self.database.begin_write().map_err(store_failed)?;
        let mut wrote = mark.is_some();
        // Receipts go with a checkpoint: after a crash, a set of the log must not meet one that was gone.
        let trims = self.batches.wrapping_add(1).is_multiple_of(TRIM_EVERY);
        let mut checkpoint = mark.is_some() || trims || self.wal.is_due();
        let mut done = Vec::with_capacity(sets.len());
        {
            let mut tables = Tables::open(&txn, &self.staging)?;
            let mut head = Head::read(&tables)?;
            let before = head;
            for (set, answer) in sets.iter().zip(answers.iter_mut()) {
                // Refused in an earlier attempt: its answer stands, as it would be the same now.
                if matches!(answer, Some(Err(_))) {
                    continue;
                }
                match apply(&mut tables, &self.schema, set, &mut head, &self.remembered, &self.crowds) {
                    Applied::Done(receipt) => {
                        wrote = true;
                        done.push(*set);
                        *answer = Some(Ok(receipt));
                    }
                    Applied::Repeated(receipt) | Applied::Unchanged(receipt) => *answer = Some(Ok(receipt)),
                    Applied::Refused(refusal) => *answer = Some(Err(refusal)),
                    Applied::Spoiled(refusal) => {
                        *answer = Some(Err(refusal));
                        drop(tables);
                        txn.abort().map_err(store_failed)?;
                        return Ok(Attempt::Spoiled);
                    }
                }
                if tables.is_torn() {
                    return Err(Refusal::store("rows could not be written"));
                }
            }
            if wrote {
                let stays = !checkpoint && tables.may_stay();
                if stays && self.wal.append(&before, &head, &done)? {
                    self.staging.publish(tables.stay(&head));
                    // It has written nothing. A store that fails at that fails at the next commit; this one is done.
                    let _ = txn.abort();
                    self.count(&done);
                    return Ok(Attempt::Committed { tables: false });
                }
                tables.settle(&head, &self.staging)?;
                if let Some(mark) = mark {
                    tables.meta.write().insert(meta::HIGH_WATER, codec::encode(&mark)?.as_slice())?;
                }
                if trims && let Some(set) = done.last() {
                    trim(&mut tables, set)?;
                }
                // What had no room to stay has none in the log.
                checkpoint = checkpoint || stays || !self.wal.append(&before, &head, &done)?;
            }
        }
        if wrote {
            if checkpoint {
                txn.set_quick_repair(true);
            } else {
                txn.set_durability(Durability::None).map_err(store_failed)?;
            }
            txn.commit().map_err(store_failed)?;
            if checkpoint {
                self.wal.restart();
            }
            self.count(&done);
        } else {
            txn.abort().map_err(store_failed)?;
        }
        Ok(Attempt::Committed { tables: wrote })
    }

    fn count(&mut self, done: &[&WriteSet]) {
        self.batches = self.batches.wrapping_add(u32::from(!done.is_empty()));
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
    }
}

enum Attempt {
    /// Whether the tables have changed, or what is in memory alone.
    Committed {
        tables: bool,
    },
    Spoiled,
}

/// Drops receipts that no client will ask for any more.
fn trim(tables: &mut Tables<'_>, set: &WriteSet) -> Result<(), Refusal> {
    let now = u64::try_from(set.now.wall.0).unwrap_or(0);
    let end = u128::from(now.saturating_sub(RECEIPTS_KEPT)) << 80;
    let mut old = Vec::new();
    for item in tables.receipts.range(..end)?.take(10_000) {
        old.push(item?.0.value());
    }
    for id in old {
        tables.receipts.write().remove(id)?;
    }
    Ok(())
}

fn store_failed(error: impl std::fmt::Display) -> Refusal {
    Refusal::store(error)
}

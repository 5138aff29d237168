//! The thread of the write lane: what it carries out in which transaction, and when it answers.
//!
//! ```text
//! transaction of redb ┬─ batch ─▶ frame of the log ─▶ stays in memory ─▶ answers
//!                     ├─ batch ─▶ …
//!                     └─ batch ─▶ into the tables, commit ─▶ answers
//! ```
//!
//! A transaction that has written nothing is as good for the next batch as a new one, with its open tables. It ends with the
//! first batch that goes into the tables, before work that has the store to itself, when a set has asked for a table in vain,
//! when the store has failed at one, and with a set that is refused after its first write: then the batch is applied again
//! without that one. Sets are applied as they come, while others of their batch are still on their way.

use super::batch::{Answer, Batch, Exclusive, Job, Moved, Waiting};
use super::queue::Queue;
use crate::access::Remembered;
use crate::change::WriteSet;
use crate::change::apply::{Applied, Head, apply};
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
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Receipts are kept for so many milliseconds after their write set was made.
pub const RECEIPTS_KEPT: u64 = 600_000;
/// Commits between two looks for old receipts.
const TRIM_EVERY: u32 = 256;

/// Counters of the lane.
#[derive(Debug, Default)]
pub struct LaneCounters {
    /// Commits.
    pub commits: AtomicU64,
    /// Write sets carried out.
    pub applied: AtomicU64,
    /// Write sets refused.
    pub refused: AtomicU64,
    /// Commits that failed, and the lane's end by a panic. After the first nothing is written until the store is opened
    /// again.
    pub failed: AtomicU64,
}

/// Tells that there is a later state.
pub(super) type Published = Box<dyn Fn(Moved) + Send>;
/// Tells of the grants that a write set has ended.
pub(super) type Tell = Box<dyn Fn(&[Ended]) + Send>;

pub(super) struct Worker {
    database: Arc<Database>,
    wal: Wal,
    schema: Arc<Schema>,
    staging: Arc<Staging>,
    published: Published,
    tell: Tell,
    counters: Arc<LaneCounters>,
    crowds: Crowds,
    remembered: Remembered,
    batches: u32,
    /// Why nothing can be written any more.
    broken: Option<Refusal>,
}

/// What a batch has done so far.
struct Course {
    before: Head,
    head: Head,
    /// The places of the sets that are carried out.
    done: Vec<usize>,
    /// The store has failed at one of them.
    met_failure: bool,
}

impl Course {
    fn sets<'b>(&self, batch: &'b Batch) -> Vec<&'b WriteSet> {
        self.done.iter().filter_map(|at| batch.sets.get(*at)).map(|waiting| waiting.set.as_ref()).collect()
    }
}

/// How a transaction ends.
enum End {
    /// With nothing written.
    Nothing,
    /// With nothing done, as the store has failed: it may have more to say.
    Doubtful { began: Instant },
    /// A set was refused after its first write.
    Spoiled,
    /// With the last batch in the tables, which was complete then; at a checkpoint they become durable.
    Tables { checkpoint: bool, began: Instant },
}

impl Worker {
    pub(super) fn new(
        database: Arc<Database>,
        wal: Wal,
        schema: Arc<Schema>,
        staging: Arc<Staging>,
        (published, tell): (Published, Tell),
        counters: Arc<LaneCounters>,
    ) -> Worker {
        let (crowds, remembered) = (Crowds::default(), Remembered::default());
        Worker {
            database,
            wal,
            schema,
            staging,
            published,
            tell,
            counters,
            crowds,
            remembered,
            batches: 0,
            broken: None,
        }
    }

    pub(super) fn run(mut self, jobs: &Queue<Job>) {
        let mut batch = Batch::default();
        while !(jobs.is_over() && batch.is_empty()) {
            match self.transaction(jobs, &mut batch) {
                Ok(Some(exclusive)) => self.carry_out(exclusive),
                Ok(None) => {}
                Err(refusal) => self.fail(&refusal, std::mem::take(&mut batch)),
            }
        }
        self.checkpoint();
    }

    fn carry_out(&mut self, Exclusive { work, commits }: Exclusive) {
        if commits {
            self.checkpoint();
        }
        if self.broken.is_none() {
            work(&self.database, &self.staging, &self.published);
            self.crowds.forget();
            self.remembered.forget();
        }
    }

    /// A commit has failed, or one did before: nothing can be written. Work that would write is dropped with the batch.
    fn fail(&mut self, refusal: &Refusal, batch: Batch) {
        (self.published)(Moved::ALL);
        self.break_off(refusal);
        for Waiting { sender, .. } in batch.sets {
            let _ = sender.send(Err(refusal.clone()));
        }
    }

    fn break_off(&mut self, refusal: &Refusal) {
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
            Err(refusal) => self.break_off(&refusal),
        }
    }

    fn write_tables(&self) -> Result<(), Refusal> {
        let mut txn = self.database.begin_write().map_err(Refusal::store)?;
        txn.set_quick_repair(true);
        let mut tables = Tables::open(&txn, &self.staging)?;
        let head = Head::read(&tables)?;
        tables.settle(&head, &self.staging)?;
        drop(tables);
        txn.commit().map_err(Refusal::store)?;
        (self.published)(Moved { tables: true, rights: false });
        self.staging.forget_older();
        Ok(())
    }

    /// Carries out batches until the transaction has to end. Work that has the store to itself is to follow.
    fn transaction(&mut self, jobs: &Queue<Job>, batch: &mut Batch) -> Result<Option<Exclusive>, Refusal> {
        if let Some(refusal) = &self.broken {
            while batch.more(jobs) {}
            if batch.has_work() {
                return Err(refusal.clone());
            }
            *batch = Batch::default();
            return Ok(None);
        }
        let mut txn = self.database.begin_write().map_err(Refusal::store)?;
        let mut tables = Tables::open(&txn, &self.staging)?;
        let mut exclusive = None;
        let end = loop {
            let Some(course) = self.apply(&mut tables, jobs, batch)? else { break End::Spoiled };
            let began = Instant::now();
            if !batch.has_work() {
                exclusive = std::mem::take(batch).exclusive;
                break End::Nothing;
            }
            if course.met_failure && course.done.is_empty() && batch.mark.is_none() {
                break End::Doubtful { began };
            }
            if let Some(checkpoint) = self.commit(&mut tables, &course, batch)? {
                break End::Tables { checkpoint, began };
            }
            exclusive = self.answer(jobs, batch, false, began);
            if exclusive.is_some() || course.met_failure || tables.has_begun() {
                break End::Nothing;
            }
        };
        drop(tables);
        match end {
            // It has written nothing. A store that fails at that fails at the next commit; those before are done.
            End::Nothing => drop(txn.abort()),
            End::Doubtful { began } => {
                txn.abort().map_err(Refusal::store)?;
                exclusive = self.answer(jobs, batch, false, began);
            }
            End::Spoiled => {
                txn.abort().map_err(Refusal::store)?;
                // What was worked out in it is of a state that there never was.
                self.remembered.forget();
                batch.close();
            }
            End::Tables { checkpoint, began } => {
                if checkpoint {
                    txn.set_quick_repair(true);
                } else {
                    txn.set_durability(Durability::None).map_err(Refusal::store)?;
                }
                txn.commit().map_err(Refusal::store)?;
                if checkpoint {
                    self.wal.restart();
                }
                self.count(batch);
                exclusive = self.answer(jobs, batch, true, began);
            }
        }
        Ok(exclusive)
    }

    /// Applies the sets of a batch, and those that come to it meanwhile. None: the transaction is spoiled.
    fn apply(
        &mut self,
        tables: &mut Tables<'_>,
        jobs: &Queue<Job>,
        batch: &mut Batch,
    ) -> Result<Option<Course>, Refusal> {
        let before = Head::read(tables)?;
        let mut course = Course { before, head: before, done: Vec::new(), met_failure: false };
        let mut at = 0_usize;
        loop {
            while let Some(Waiting { set, answer, .. }) = batch.sets.get_mut(at) {
                // Refused in an earlier attempt: its answer stands, as it would be the same now.
                if !matches!(answer, Some(Err(_))) {
                    match apply(tables, &self.schema, set, &mut course.head, &self.remembered, &self.crowds) {
                        Applied::Done(receipt) => {
                            course.done.push(at);
                            *answer = Some(Ok(receipt));
                        }
                        Applied::Repeated(receipt) | Applied::Unchanged(receipt) => *answer = Some(Ok(receipt)),
                        Applied::Refused(refusal) => {
                            course.met_failure |= refusal.reason == Reason::Store;
                            *answer = Some(Err(refusal));
                        }
                        Applied::Spoiled(refusal) => {
                            *answer = Some(Err(refusal));
                            return Ok(None);
                        }
                    }
                }
                if tables.is_torn() {
                    return Err(Refusal::store("rows could not be written"));
                }
                at = at.saturating_add(1);
            }
            if !batch.more(jobs) {
                return Ok(Some(course));
            }
        }
    }

    /// Makes a batch durable. None: it stays in memory, or has done nothing; else it is in the tables, to be committed, as a
    /// checkpoint or not.
    fn commit(&mut self, tables: &mut Tables<'_>, course: &Course, batch: &Batch) -> Result<Option<bool>, Refusal> {
        let Course { before, head, .. } = course;
        let done = course.sets(batch);
        if done.is_empty() && batch.mark.is_none() {
            return Ok(None);
        }
        // Receipts go with a checkpoint: after a crash, a set of the log must not meet one that was gone.
        let trims = self.batches.wrapping_add(1).is_multiple_of(TRIM_EVERY);
        let checkpoint = batch.mark.is_some() || trims || self.wal.is_due();
        let stays = !checkpoint && tables.may_stay();
        let logged = stays && self.wal.append(before, head, &done)?;
        if logged {
            self.staging.publish(tables.stay(head));
            self.count(batch);
            return Ok(None);
        }
        tables.settle(head, &self.staging)?;
        if let Some(mark) = &batch.mark {
            tables.meta.write().insert(meta::HIGH_WATER, codec::encode(mark)?.as_slice())?;
        }
        if trims && let Some(set) = done.last() {
            trim(tables, set)?;
        }
        // What had no room to stay has none in the log.
        Ok(Some(checkpoint || stays || !self.wal.append(before, head, &done)?))
    }

    fn count(&mut self, batch: &Batch) {
        self.batches = self.batches.wrapping_add(u32::from(!batch.sets.is_empty()));
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
    }

    /// Shows the state, then answers; the next batch begins. What is to be done after this one.
    fn answer(&mut self, jobs: &Queue<Job>, batch: &mut Batch, tables: bool, began: Instant) -> Option<Exclusive> {
        (self.published)(Moved { tables, rights: self.remembered.has_forgotten() });
        // Had the commit failed, the tables would be those of the state before.
        if tables {
            self.staging.forget_older();
        }
        let Batch { sets, exclusive, .. } = std::mem::take(batch);
        let (there, answered, took) = (jobs.len(), sets.len(), began.elapsed());
        for Waiting { sender, answer, .. } in sets {
            let answer: Answer = answer.unwrap_or_else(|| Err(Refusal::store("a set was not carried out")));
            let counter = if answer.is_ok() { &self.counters.applied } else { &self.counters.refused };
            counter.fetch_add(1, Ordering::Relaxed);
            if let Some(receipt) = answer.as_ref().ok().filter(|receipt| !receipt.grants.ended.is_empty()) {
                (self.tell)(&receipt.grants.ended);
            }
            // Nobody waits any more: the change stands all the same.
            let _ = sender.send(answer);
        }
        *batch = Batch::after(there, answered, took);
        exclusive
    }
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

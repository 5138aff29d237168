//! What goes into one commit.
//!
//! Clients that wait for their answers before they ask again would fall into groups that take turns, and each commit would
//! carry a part of them: when the batch before was of several, the lane gives those whom it has just answered a moment to
//! join: [`REJOIN`] for each, or half of what the commit took, so that a slow disk has large commits, [`REJOIN_MOST`] at
//! most. It waits no longer when all of them are there, or [`ENOUGH`]: more in a commit makes it no cheaper, and the door has
//! work to do meanwhile. Those who come are applied, [`STEP`] at a time, while the others are still on their way. One client
//! alone is never waited for.

use super::queue::Queue;
use crate::change::{Receipt, WriteSet};
use crate::clock::Mark;
use crate::error::Refusal;
use crate::store::pending::Staging;
use redb::Database;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Write sets in one commit.
pub const BATCH: usize = 512;
/// How long those whom the last commit has answered may take to join the next, for each of them.
pub const REJOIN: Duration = Duration::from_micros(200);
/// The same, for all of them.
pub const REJOIN_MOST: Duration = Duration::from_millis(2);
/// So many make a commit that is worth its while.
pub const ENOUGH: usize = 32;
/// Those who come are taken up when they are so many, and applied while others are on their way: to be woken for each costs more.
pub const STEP: usize = 8;
/// After so long an idle lane looks about.
const IDLE: Duration = Duration::from_secs(3_600);

/// What a set is told.
pub(super) type Answer = Result<Receipt, Refusal>;

/// What a commit has moved, besides the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The tables, and not what is in memory alone.
    pub tables: bool,
    /// Somebody's rights, perhaps.
    pub rights: bool,
}

impl Moved {
    /// Everything, perhaps.
    pub const ALL: Moved = Moved { tables: true, rights: true };
}

/// Work that has the store to itself. Calls the last argument when it has committed, before it answers.
type Work = Box<dyn FnOnce(&Database, &Staging, &dyn Fn(Moved)) + Send>;

/// See [`Lane::exclusive`](super::local::Lane::exclusive).
pub(super) struct Exclusive {
    pub(super) work: Work,
    /// It commits.
    pub(super) commits: bool,
}

/// What waits for the lane.
pub(super) enum Job {
    Set(Box<WriteSet>, oneshot::Sender<Answer>),
    Mark(Mark),
    Exclusive(Exclusive),
}

/// A write set, and who waits for it.
pub(super) struct Waiting {
    pub(super) set: Box<WriteSet>,
    pub(super) sender: oneshot::Sender<Answer>,
    /// What it is told when the commit is durable.
    pub(super) answer: Option<Answer>,
}

/// What goes into one commit, or has so far.
pub(super) struct Batch {
    pub(super) sets: Vec<Waiting>,
    pub(super) mark: Option<Mark>,
    pub(super) exclusive: Option<Exclusive>,
    /// How many sets are expected.
    expected: usize,
    /// So long they are waited for.
    until: Instant,
    /// What was there has been taken.
    has_looked: bool,
}

impl Default for Batch {
    /// Nobody is expected.
    fn default() -> Batch {
        Batch::expecting(0, Duration::ZERO)
    }
}

impl Batch {
    /// The next one, after a commit that took so long and has answered so many: see [`expect`].
    pub(super) fn after(there: usize, answered: usize, took: Duration) -> Batch {
        let (expected, patience) = expect(there, answered, took);
        Batch::expecting(expected, patience)
    }

    /// So many are expected, and have `patience` to come.
    fn expecting(expected: usize, patience: Duration) -> Batch {
        let until = Instant::now() + patience;
        Batch { sets: Vec::new(), mark: None, exclusive: None, expected, until, has_looked: false }
    }

    /// Takes what is there, and then, while fewer are there than are expected, some of those who come; when there is nothing at
    /// all, it waits for anything. False: nothing more goes into this commit.
    pub(super) fn more(&mut self, jobs: &Queue<Job>) -> bool {
        while self.is_open() && self.some_come(jobs) {
            let before = self.sets.len();
            jobs.drain(|job| self.take(job));
            if self.sets.len() > before {
                return true;
            }
        }
        false
    }

    fn some_come(&mut self, jobs: &Queue<Job>) -> bool {
        if !std::mem::replace(&mut self.has_looked, true) {
            return true;
        }
        let missing = self.expected.min(ENOUGH).saturating_sub(self.sets.len());
        (missing > 0 && jobs.wait(missing.min(STEP), self.until))
            || (self.is_empty() && jobs.wait(1, Instant::now() + IDLE))
    }

    /// Nothing more goes into this commit.
    pub(super) fn close(&mut self) {
        (self.expected, self.has_looked) = (0, true);
    }

    /// There is something to commit.
    pub(super) fn has_work(&self) -> bool {
        !self.sets.is_empty() || self.mark.is_some()
    }

    /// Takes a job up. True: another may follow.
    fn take(&mut self, job: Job) -> bool {
        match job {
            Job::Set(set, sender) => self.sets.push(Waiting { set, sender, answer: None }),
            Job::Mark(mark) => self.mark = Some(mark),
            Job::Exclusive(work) => self.exclusive = Some(work),
        }
        self.is_open()
    }

    fn is_open(&self) -> bool {
        self.sets.len() < BATCH && self.exclusive.is_none()
    }

    /// Nothing has come.
    pub(super) fn is_empty(&self) -> bool {
        self.sets.is_empty() && self.mark.is_none() && self.exclusive.is_none()
    }
}

/// How many sets are expected, and how long they are waited for, after a commit that took so long: those whom it has
/// answered, besides those who were there when it was done. One client alone is not expected.
fn expect(there: usize, answered: usize, took: Duration) -> (usize, Duration) {
    if answered < 2 {
        return (0, Duration::ZERO);
    }
    let each = REJOIN.saturating_mul(u32::try_from(answered).unwrap_or(u32::MAX));
    (there.saturating_add(answered), each.max(took.div_f32(2.0)).min(REJOIN_MOST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use std::sync::Arc;

    /// Nobody is kept waiting so long by a test that passes.
    const LONG: Duration = Duration::from_secs(600);

    fn mark() -> Job {
        Job::Mark(Mark { wall: Millis(0), calendar: Millis(0) })
    }

    fn set() -> Job {
        let now = crate::clock::Now::at(Millis(0));
        let origin = crate::context::Origin { door: crate::context::Door::Internal, address: None, confidential: true };
        let id = crate::id::WriteSetId(1);
        let set = WriteSet { id, actor: crate::context::Actor::System, origin, now, request_id: 1, ops: Vec::new() };
        Job::Set(Box::new(set), oneshot::channel().0)
    }

    fn of(sets: usize) -> Arc<Queue<Job>> {
        let queue = Arc::new(Queue::new(1_000));
        for _ in 0..sets {
            queue.push(set(), false).unwrap();
        }
        queue
    }

    fn gather(jobs: &Queue<Job>, expected: usize, patience: Duration) -> Batch {
        let mut batch = Batch::expecting(expected, patience);
        while batch.more(jobs) {}
        batch
    }

    #[test]
    fn nobody_is_waited_for_who_will_not_come() {
        // Goal: what is there is taken at once when as many were expected, or enough have come, or patience is over.
        for (there, expected) in [(1, 0), (1, 1), (5, 3), (ENOUGH, 100), (ENOUGH + 20, 100)] {
            assert_eq!(gather(&of(there), expected, LONG).sets.len(), there, "{expected} expected");
        }
        assert_eq!(gather(&of(1), 9, Duration::ZERO).sets.len(), 1);
        assert_eq!(gather(&of(BATCH + 1), 0, LONG).sets.len(), BATCH);
    }

    #[test]
    fn who_is_expected_is_waited_for() {
        for there in [0, 2] {
            let queue = of(there);
            let lane = queue.clone();
            let batch = std::thread::spawn(move || gather(&lane, there + 3, LONG).sets.len());
            for _ in 0..3 {
                queue.push(set(), false).unwrap();
            }
            assert_eq!(batch.join().unwrap(), there + 3);
        }
    }

    #[test]
    fn who_comes_while_it_is_carried_out_does_not_keep_it_open() {
        // Goal: three come with every step. Those who are expected go along; then the commit is made, however many come.
        let queue = of(2);
        let mut batch = Batch::expecting(4, LONG);
        let mut steps = 0;
        while batch.more(&queue) {
            steps += 1;
            for _ in 0..3 {
                queue.push(set(), false).unwrap();
            }
        }
        assert_eq!((steps, batch.sets.len()), (2, 5));
        assert_eq!(gather(&queue, 0, LONG).sets.len(), 3, "the others are the next batch's");
    }

    #[test]
    fn work_that_has_the_store_to_itself_is_the_last_of_its_batch() {
        let queue = of(2);
        let work = Exclusive { work: Box::new(|_, _, _| {}), commits: true };
        queue.push(Job::Exclusive(work), true).unwrap();
        queue.push(mark(), false).unwrap();
        let batch = gather(&queue, 50, LONG);
        assert!(batch.sets.len() == 2 && batch.exclusive.is_some() && batch.mark.is_none());
        assert!(gather(&queue, 0, LONG).mark.is_some());
        queue.close();
        assert!(gather(&queue, 0, LONG).is_empty());
    }

    #[test]
    fn those_who_were_answered_are_expected_besides_those_who_were_there() {
        // Goal: patience grows with their number and with what the disk takes, to a bound; one client is not waited for.
        let micros = Duration::from_micros;
        assert_eq!(expect(3, 2, micros(10)), (5, REJOIN * 2));
        assert_eq!(expect(0, 2, micros(3_000)), (2, micros(1_500)));
        assert_eq!(expect(0, 500, micros(10)), (500, REJOIN_MOST));
        assert_eq!(expect(0, 2, LONG), (2, REJOIN_MOST));
        assert_eq!(expect(4, 1, LONG).0, 0);
    }
}

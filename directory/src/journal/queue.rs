//! What waits for the write lane: bounded, and quiet.
//!
//! The lane sleeps until so many jobs are there as it wants, or its patience ends; a job that does not make the number up
//! wakes nobody. A channel would wake the lane for each, which costs as much as a row.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Why a job was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// There are too many.
    Bound,
    /// The lane has stopped, or is about to.
    Closed,
}

struct State<T> {
    jobs: VecDeque<T>,
    /// The lane sleeps until so many are there; 0: it does not sleep.
    wanted: usize,
    /// One of those that are there is urgent.
    urgent: bool,
    closed: bool,
}

/// The queue.
pub struct Queue<T> {
    state: Mutex<State<T>>,
    came: Condvar,
    bound: usize,
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("bound", &self.bound).finish_non_exhaustive()
    }
}

impl<T> Queue<T> {
    /// An empty one for so many jobs.
    pub fn new(bound: usize) -> Queue<T> {
        let state = State { jobs: VecDeque::new(), wanted: 0, urgent: false, closed: false };
        Queue { state: Mutex::new(state), came: Condvar::new(), bound }
    }

    /// Puts a job to the end. One that is urgent wakes the lane, whatever it waits for.
    ///
    /// # Errors
    /// When it is not taken.
    pub fn push(&self, job: T, urgent: bool) -> Result<(), Full> {
        let mut state = self.state();
        if state.closed {
            return Err(Full::Closed);
        }
        if state.jobs.len() >= self.bound {
            return Err(Full::Bound);
        }
        state.jobs.push_back(job);
        state.urgent |= urgent;
        let enough = state.wanted > 0 && (urgent || state.jobs.len() >= state.wanted);
        self.wake(state, enough);
        Ok(())
    }

    /// Takes the first jobs while `take` says that it takes another.
    pub fn drain(&self, mut take: impl FnMut(T) -> bool) {
        let mut state = self.state();
        while let Some(job) = state.jobs.pop_front()
            && take(job)
        {}
        state.urgent &= !state.jobs.is_empty();
    }

    /// Sleeps until so many jobs are there, an urgent one is, the queue is closed, or the time is over. False: no job is
    /// there.
    pub fn wait(&self, wanted: usize, until: Instant) -> bool {
        let mut state = self.state();
        if state.jobs.len() < wanted && !state.urgent && !state.closed {
            state.wanted = wanted;
            while state.wanted > 0 {
                let left = until.saturating_duration_since(Instant::now());
                if left == Duration::ZERO {
                    break;
                }
                state = self.came.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            state.wanted = 0;
        }
        !state.jobs.is_empty()
    }

    /// Takes no more jobs; those that are there are still handed out.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let sleeps = state.wanted > 0;
        self.wake(state, sleeps);
    }

    /// How many jobs are there.
    pub fn len(&self) -> usize {
        self.state().jobs.len()
    }

    /// No job is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Nothing comes any more, and nothing is there.
    pub fn is_over(&self) -> bool {
        let state = self.state();
        state.closed && state.jobs.is_empty()
    }

    /// Closes it and drops what is there: whoever waits for an answer learns that there is none.
    pub fn abandon(&self) {
        self.close();
        // Dropped when the lock is free again: a job may do anything then.
        let jobs = std::mem::take(&mut self.state().jobs);
        drop(jobs);
    }

    fn wake(&self, mut state: MutexGuard<'_, State<T>>, whether: bool) {
        if whether {
            state.wanted = 0;
            drop(state);
            self.came.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(600)
    }

    fn all(queue: &Queue<u32>) -> Vec<u32> {
        let mut out = Vec::new();
        queue.drain(|job| {
            out.push(job);
            true
        });
        out
    }

    #[test]
    fn jobs_keep_their_order_and_their_bound() {
        let queue = Queue::new(3);
        for job in 0..3 {
            queue.push(job, false).unwrap();
        }
        assert_eq!(queue.push(3, true), Err(Full::Bound));
        let mut two = Vec::new();
        queue.drain(|job| {
            two.push(job);
            two.len() < 2
        });
        assert_eq!((two, all(&queue)), (vec![0, 1], vec![2]));
        queue.push(4, false).unwrap();
        queue.close();
        assert_eq!(queue.push(5, false), Err(Full::Closed));
        assert!(queue.wait(9, far()) && !queue.is_over());
        assert_eq!(all(&queue), [4]);
        assert!(!queue.wait(1, far()) && queue.is_over());
    }

    #[test]
    fn the_lane_sleeps_until_its_number_is_there_or_one_is_urgent_or_nothing_will_come() {
        // Goal: no wake-up is lost, whichever thread is first.
        let queue = Arc::new(Queue::new(1_000));
        let (told, woke) = channel();
        let lane = queue.clone();
        let thread = std::thread::spawn(move || {
            for round in 0..500 {
                let mut there = 0;
                while there < if is_urgent(round) { 1 } else { 3 } {
                    assert!(lane.wait(3 - there, far()));
                    there += all(&lane).len();
                }
                told.send(there).unwrap();
            }
            assert!(!lane.wait(3, far()));
        });
        for round in 0..500 {
            let jobs = if is_urgent(round) { 1 } else { 3 };
            for job in 0..jobs {
                queue.push(job, is_urgent(round)).unwrap();
            }
            assert_eq!(woke.recv().unwrap(), jobs as usize);
        }
        queue.close();
        thread.join().unwrap();
        assert!(queue.is_over());
    }

    fn is_urgent(round: u32) -> bool {
        round.is_multiple_of(2)
    }

    #[test]
    fn patience_ends() {
        let queue = Queue::new(9);
        queue.push(1, false).unwrap();
        assert!(queue.wait(2, Instant::now() + Duration::from_millis(1)));
        assert_eq!(all(&queue), [1]);
        assert!(!queue.wait(2, Instant::now() + Duration::from_millis(1)));
    }

    #[test]
    fn who_waits_for_an_answer_that_will_not_come_learns_it() {
        let queue = Queue::new(9);
        let (sender, receiver) = channel::<()>();
        queue.push(sender, false).unwrap();
        queue.abandon();
        assert!(receiver.recv().is_err() && queue.is_over());
    }
}

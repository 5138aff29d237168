//! The gate's memory: attempts in flight, counters not yet stored, sources that fail too often.
//!
//! Owns what has to be decided faster than a commit: how many guesses at one account may be under way at once
//! ([`Throttle::reserve`]), what a guess did to the counters ([`Reservation::resolve`]), and when the store has to know
//! ([`Store`], [`Throttle::take_due`]). It judges nothing itself: `lifecycle::decide` does. Called by the gate around
//! every password check, by token refresh ([`Throttle::activity`]), and by the flush of the write lane.
//!
//! ```text
//!   facts ─▶ reserve ──▶ Refused (state, repeat, too soon, crowded)     the gate hashes a decoy and refuses
//!               │
//!               ├──▶ waits: as many guesses are under way as may still be wrong
//!               ▼
//!           Reservation ─▶ hash ─▶ resolve(right or wrong) ─▶ Outcome + when to store it
//!               └─ dropped: the attempt never was; the next in line goes on
//! ```
//! Why N parallel guesses never pass the threshold: with `c` failures counted and a threshold of `t`, at most `t − c`
//! attempts are under way. A wrong one raises `c` as it leaves, so its place is not given away; a right one sets `c` to
//! zero and wakes those who wait. So 2 000 wrong ones cost `t` hashes, and 2 000 right ones all get in.
//!
//! Bounds: slots ([`Limits::slots`]), attempts under way and waiting per account. A slot with anything that the store
//! does not know is never dropped but for stamps, whose loss `reliability` allows. A restart loses what was not yet
//! stored: at most one second of failures once half the threshold is reached, half a minute before that.
#![deny(clippy::arithmetic_side_effects)]

mod alarm;
mod attempt;
mod economy;
mod repeat;
mod slot;
mod source;

pub use alarm::Alarms;
pub use attempt::{Admission, Attempt, Limits, Observation, Resolved, Why};
pub use economy::{Store, stamp_grain};
pub use repeat::{Fingerprint, Fingerprints};
pub use source::{SourceLimiter, SourceLimits};

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::clock::{Millis, Now, Span};
use crate::id::EntryId;
use crate::lifecycle::{Account, ChangePath, Event, Policy, Proof, decide};

use slot::{Answer, Rules, Slot, Step};

const SHARDS: usize = 64;

/// The memory. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Throttle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    limits: Limits,
    shards: [Mutex<Shard>; SHARDS],
    alarms: Alarms,
}

type Slots = HashMap<EntryId, Slot, BuildHasherDefault<DefaultHasher>>;

#[derive(Debug, Default)]
struct Shard {
    slots: Slots,
    /// Who has a time to be stored at.
    due: Vec<EntryId>,
    /// Not swept for room before (`steady`).
    cleared: Option<Millis>,
}

impl Throttle {
    /// An empty memory.
    pub fn new(limits: Limits) -> Throttle {
        let shards = std::array::from_fn(|_| Mutex::default());
        Throttle { inner: Arc::new(Inner { limits, shards, alarms: Alarms::default() }) }
    }

    /// Reserves an attempt, waiting in line when as many are under way as may still be wrong. Dropping the future
    /// leaves the line; the gate puts its deadline around it.
    pub async fn reserve(&self, attempt: Attempt<'_>) -> Admission {
        loop {
            let waits = match self.inner.step(&attempt) {
                Ok(admission) => return admission,
                Err(waits) => waits,
            };
            // `Again` and a sender that is gone mean the same: the world has changed, look again.
            if let Ok(Answer::Go(reservation)) = waits.await {
                return Admission::Granted(reservation);
            }
        }
    }

    /// The same without waiting: none when there is a line.
    pub fn try_reserve(&self, attempt: Attempt<'_>) -> Option<Admission> {
        self.inner.step(&attempt).ok()
    }

    /// A token refresh or the use of an API token.
    pub fn activity(&self, account: EntryId, facts: &Account, policy: &Policy, now: &Now) -> Resolved {
        self.inner.judge(account, facts, policy, &Event::Activity, now, None)
    }

    /// A login that was proven without a reservation: by somebody else's word, or by a password some steps ago.
    pub fn proven(&self, account: EntryId, facts: &Account, policy: &Policy, proof: Proof, now: &Now) -> Resolved {
        self.inner.judge(account, facts, policy, &Event::Login { proof, change: ChangePath::Page }, now, None)
    }

    /// The facts with what is remembered: what administrators see, and what their acts are judged on.
    pub fn view(&self, account: EntryId, facts: &Account) -> Account {
        let shard = self.inner.shard(account);
        shard.slots.get(&account).map_or(*facts, |slot| facts.with_counters(&slot.counters))
    }

    /// What the store has to know by now: called every second or so. After the commit the caller says
    /// [`Throttle::stored`], after a failed one [`Throttle::give_back`].
    pub fn take_due(&self, now: &Now) -> Vec<Observation> {
        self.take(|due| due <= now.steady)
    }

    /// Everything that the store does not know, stamps too: at shutdown.
    pub fn take_all(&self) -> Vec<Observation> {
        let mut taken = Vec::new();
        for shard in &self.inner.shards {
            let mut shard = lock(shard);
            shard.due.clear();
            for (account, slot) in &mut shard.slots {
                taken.extend(slot.take().map(|counters| Observation { account: *account, counters }));
            }
        }
        taken
    }

    /// The store has them: after the commit of a flush, and after that of [`Store::Now`] with the counters of `next`.
    pub fn stored(&self, observations: &[Observation]) {
        for Observation { account, counters } in observations {
            let mut shard = self.inner.shard(*account);
            let Some(slot) = shard.slots.get_mut(account) else { continue };
            slot.stored(counters);
            if slot.is_forgettable() {
                shard.slots.remove(account);
            }
        }
    }

    /// The store could not take them: they are due again at once.
    pub fn give_back(&self, observations: &[Observation], now: &Now) {
        for Observation { account, .. } in observations {
            let mut guard = self.inner.shard(*account);
            let shard = &mut *guard;
            // A slot that is gone held nothing but stamps.
            if shard.slots.get_mut(account).is_some_and(|slot| slot.due_by(now.steady)) {
                shard.due.push(*account);
            }
        }
    }

    /// The counters that alarms are made of.
    pub fn alarms(&self) -> &Alarms {
        &self.inner.alarms
    }

    /// How many accounts are remembered.
    pub fn len(&self) -> usize {
        self.inner.shards.iter().map(|shard| lock(shard).slots.len()).sum()
    }

    /// Nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn take(&self, is_due: impl Fn(Millis) -> bool) -> Vec<Observation> {
        let mut taken = Vec::new();
        for shard in &self.inner.shards {
            let mut guard = lock(shard);
            let shard = &mut *guard;
            for account in std::mem::take(&mut shard.due) {
                let Some(slot) = shard.slots.get_mut(&account) else { continue };
                match slot.due {
                    Some(due) if !is_due(due) => shard.due.push(account),
                    Some(_) => taken.extend(slot.take().map(|counters| Observation { account, counters })),
                    None => {}
                }
            }
        }
        taken
    }
}

impl Inner {
    fn shard(&self, account: EntryId) -> MutexGuard<'_, Shard> {
        // Ids are given one after another; their low bits spread them.
        let [first, ..] = &self.shards;
        let index = usize::try_from(account.0 & 0xffff).ok().and_then(|low| low.checked_rem(SHARDS));
        lock(index.and_then(|index| self.shards.get(index)).unwrap_or(first))
    }

    /// One look at an attempt: an answer, or a place in the line.
    fn step(self: &Arc<Self>, attempt: &Attempt<'_>) -> Result<Admission, oneshot::Receiver<Answer>> {
        let refused = |why, proof, facts: &Account| {
            let event = Event::Login { proof, change: attempt.change };
            let outcome = Box::new(decide(facts, attempt.policy, &event, &attempt.now));
            let store = if outcome.next == *facts { Store::Nothing } else { Store::Now };
            Ok(Admission::Refused { why, outcome, store })
        };
        let mut shard = self.shard(attempt.account);
        if !self.has_room(&mut shard, attempt.account, attempt.now.steady) {
            Alarms::count(&self.alarms.full);
            return refused(Why::Full, Proof::Unchecked, attempt.facts);
        }
        let slot = shard.slots.entry(attempt.account).or_insert_with(|| Slot::new(&attempt.facts.counters));
        let step = slot.step(attempt, &self.limits);
        let facts = attempt.facts.with_counters(&slot.counters);
        if !matches!(step, Step::Go | Step::Wait(_)) && slot.is_forgettable() {
            shard.slots.remove(&attempt.account);
        }
        drop(shard);
        match step {
            Step::Go => Ok(Admission::Granted(Reservation::new(self, attempt.account, attempt.fingerprint))),
            Step::Wait(receiver) => Err(receiver),
            Step::State => refused(Why::State, Proof::Unchecked, &facts),
            Step::Repeat => {
                Alarms::count(&self.alarms.repeats);
                refused(Why::Repeat, Proof::WrongAgain, &facts)
            }
            Step::TooSoon => {
                Alarms::count(&self.alarms.too_soon);
                refused(Why::TooSoon, Proof::Unchecked, &facts)
            }
            Step::Crowded => {
                Alarms::count(&self.alarms.crowded);
                refused(Why::Crowded, Proof::Unchecked, &facts)
            }
        }
    }

    /// A slot is there or can be made. Room is made at most once a second per shard.
    fn has_room(&self, shard: &mut Shard, account: EntryId, steady: Millis) -> bool {
        let most = self.limits.slots.div_ceil(SHARDS);
        if shard.slots.len() < most || shard.slots.contains_key(&account) {
            return true;
        }
        if shard.cleared.is_none_or(|last| steady.since(last) >= Span::from_secs(1)) {
            shard.cleared = Some(steady);
            shard.slots.retain(|_, slot| !slot.is_evictable());
        }
        shard.slots.len() < most
    }

    /// Judges an event on facts and memory together, remembers what it did, and says when to store it.
    fn judge(
        &self,
        id: EntryId,
        facts: &Account,
        policy: &Policy,
        event: &Event,
        now: &Now,
        fingerprint: Option<Fingerprint>,
    ) -> Resolved {
        let mut guard = self.shard(id);
        let shard = &mut *guard;
        let remembered = shard.slots.contains_key(&id);
        if !remembered && !self.has_room(shard, id, now.steady) {
            // Only without a reservation: a stamp that cannot be remembered is stored or lost, as the economy says.
            let outcome = decide(facts, policy, event, now);
            let store = economy::store(id, facts, &outcome, policy);
            return Resolved { outcome, store };
        }
        let slot = shard.slots.entry(id).or_insert_with(|| Slot::new(&facts.counters));
        slot.adopt(&facts.counters);
        slot.see(now);
        let event = match event {
            Event::Login { proof: Proof::Wrong, change } if slot.repeats(Rules::of(policy, facts), fingerprint) => {
                &Event::Login { proof: Proof::WrongAgain, change: *change }
            }
            _ => event,
        };
        let outcome = decide(&facts.with_counters(&slot.counters), policy, event, now);
        let store = economy::store(id, facts, &outcome, policy);
        slot.counters = outcome.next.counters;
        if let (Event::Login { proof: Proof::Wrong, .. }, Some(fingerprint)) = (event, fingerprint) {
            slot.remember(fingerprint);
        }
        let at = match store {
            Store::Nothing => None,
            // Due at once as well, so that a commit that fails is tried again by the flush.
            Store::Now => Some(now.steady),
            Store::Within(span) => Some(now.steady.saturating_add(span)),
        };
        if at.is_some_and(|at| slot.due_by(at)) {
            shard.due.push(id);
        }
        self.alarms.judged(&outcome, now);
        Resolved { outcome, store }
    }

    /// An attempt has ended: its place is free, and those who wait go on as far as they may.
    fn release(self: &Arc<Self>, account: EntryId) {
        let mut ended = 1_u16;
        while ended > 0 {
            let called = {
                let mut shard = self.shard(account);
                let Some(slot) = shard.slots.get_mut(&account) else { return };
                slot.in_flight = slot.in_flight.saturating_sub(ended);
                let called = slot.call(&self.limits);
                if called.is_empty() && slot.is_forgettable() {
                    shard.slots.remove(&account);
                }
                called
            };
            // Told outside the lock. Whoever has left the line in this moment gives the place back: in this loop, not
            // in its drop, so that a line of many who left is no deep recursion.
            ended = 0;
            for (waiter, goes) in called {
                if !goes {
                    let _ = waiter.sender.send(Answer::Again);
                    continue;
                }
                let reservation = Reservation::new(self, account, waiter.fingerprint);
                if let Err(Answer::Go(mut reservation)) = waiter.sender.send(Answer::Go(reservation)) {
                    reservation.open = false;
                    ended = ended.saturating_add(1);
                }
            }
        }
    }
}

/// The right to check one password of one account. Resolve it before the answer leaves; dropped, the attempt never was.
#[derive(Debug)]
#[must_use]
pub struct Reservation {
    inner: Arc<Inner>,
    account: EntryId,
    fingerprint: Option<Fingerprint>,
    open: bool,
}

impl Reservation {
    fn new(inner: &Arc<Inner>, account: EntryId, fingerprint: Option<Fingerprint>) -> Reservation {
        Reservation { inner: Arc::clone(inner), account, fingerprint, open: true }
    }

    /// The password has been checked. `facts` are read again, so that what has happened meanwhile counts.
    pub fn resolve(self, facts: &Account, policy: &Policy, right: bool, change: ChangePath, now: &Now) -> Resolved {
        let proof = if right { Proof::Right } else { Proof::Wrong };
        // The place becomes free when `self` is dropped at the end, after the counters have changed.
        self.inner.judge(self.account, facts, policy, &Event::Login { proof, change }, now, self.fingerprint)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.open {
            self.inner.release(self.account);
        }
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "numbers of tests are small; an overflow fails them")]
mod tests;

//! What is remembered of one account: its counters, the attempts under way, the line behind them. Pure but for the
//! senders that it keeps for those who wait.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use crate::clock::{Millis, Now, Span};
use crate::lifecycle::{Account, Audience, Counters, Policy, UserType, state};

use super::{Attempt, Fingerprint, Limits, Reservation};

/// Failures without a delay, and the delays in seconds after those that follow (policy `delay_tiers`).
const FREE_FAILURES: u16 = 3;
const TIERS: [u32; 4] = [1, 3, 5, 10];

/// What one look at an attempt finds.
pub(super) enum Step {
    Go,
    Wait(oneshot::Receiver<Answer>),
    State,
    Repeat,
    TooSoon,
    Crowded,
}

/// What those who wait are told.
#[derive(Debug)]
pub(super) enum Answer {
    Go(Reservation),
    /// Look again.
    Again,
}

/// One who waits.
#[derive(Debug)]
pub(super) struct Waiter {
    pub fingerprint: Option<Fingerprint>,
    pub sender: oneshot::Sender<Answer>,
    rules: Rules,
}

/// The part of the policy that says how many may be under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// The failure that locks; none when failures do not lock.
    threshold: Option<u16>,
    window: Span,
    tiers: bool,
    /// Only of passwords kept here: one that is kept elsewhere may have become right without our knowing.
    forgives: bool,
}

impl Rules {
    pub fn of(policy: &Policy, facts: &Account) -> Rules {
        let locks = policy.lockout && (policy.lock_api_accounts || facts.audience == Audience::Person);
        Rules {
            threshold: locks.then(|| policy.threshold()),
            window: policy.failure_window,
            tiers: policy.delay_tiers,
            forgives: policy.forgive_repeats && facts.user_type == UserType::Native,
        }
    }
}

/// What is remembered of one account.
#[derive(Debug)]
pub(super) struct Slot {
    pub counters: Counters,
    /// When the store has to know (`steady`); none when it knows enough.
    pub due: Option<Millis>,
    pub in_flight: u16,
    waiting: VecDeque<Waiter>,
    /// The last wrong passwords of this era, the newest first.
    recent: [Option<Fingerprint>; 3],
    /// What the store knows: era, sequence, last activity.
    known: (u32, u32, Option<Millis>),
    /// The latest moment that this slot has seen (`steady`).
    seen: Millis,
}

impl Slot {
    /// A slot that knows what the store knows.
    pub fn new(counters: &Counters) -> Slot {
        Slot {
            counters: *counters,
            due: None,
            in_flight: 0,
            waiting: VecDeque::new(),
            recent: [None; 3],
            known: known(counters),
            seen: Millis::MIN,
        }
    }

    /// Takes over counters from the store when they are newer.
    pub fn adopt(&mut self, counters: &Counters) {
        if counters.era > self.counters.era {
            self.recent = [None; 3];
            self.due = None;
        }
        self.counters = self.counters.newer(counters);
        self.known = self.known.max(known(counters));
    }

    /// One look at an attempt.
    pub fn step(&mut self, attempt: &Attempt<'_>, limits: &Limits) -> Step {
        self.adopt(&attempt.facts.counters);
        self.see(&attempt.now);
        let facts = attempt.facts.with_counters(&self.counters);
        let rules = Rules::of(attempt.policy, &facts);
        let now = Now { steady: self.seen, ..attempt.now };
        if !state(&facts, attempt.policy, &now).may_log_in() {
            return Step::State;
        }
        if self.repeats(rules, attempt.fingerprint) {
            return Step::Repeat;
        }
        if self.seen < self.not_before(rules) {
            return Step::TooSoon;
        }
        if self.in_flight < self.allowance(rules, limits) {
            self.in_flight = self.in_flight.saturating_add(1);
            return Step::Go;
        }
        if self.waiting.len() >= limits.waiting {
            self.waiting.retain(|waiter| !waiter.sender.is_closed());
            if self.waiting.len() >= limits.waiting {
                return Step::Crowded;
            }
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting.push_back(Waiter { fingerprint: attempt.fingerprint, sender, rules });
        Step::Wait(receiver)
    }

    /// Takes from the line whoever may go (true) or has to look again (false).
    pub fn call(&mut self, limits: &Limits) -> Vec<(Waiter, bool)> {
        let mut called = Vec::new();
        while let Some(waiter) = self.waiting.pop_front() {
            if waiter.sender.is_closed() {
                continue;
            }
            let stuck = self.counters.standing_lock(self.seen).is_some()
                || self.repeats(waiter.rules, waiter.fingerprint)
                || self.seen < self.not_before(waiter.rules);
            if stuck {
                called.push((waiter, false));
            } else if self.in_flight < self.allowance(waiter.rules, limits) {
                self.in_flight = self.in_flight.saturating_add(1);
                called.push((waiter, true));
            } else {
                self.waiting.push_front(waiter);
                break;
            }
        }
        called
    }

    /// A moment at which something happens.
    pub fn see(&mut self, now: &Now) {
        self.seen = self.seen.max(now.steady);
    }

    /// One of the last wrong passwords, within the window, where that counts once.
    pub fn repeats(&self, rules: Rules, fingerprint: Option<Fingerprint>) -> bool {
        rules.forgives && fingerprint.is_some() && self.count(rules) > 0 && self.recent.contains(&fingerprint)
    }

    pub fn remember(&mut self, fingerprint: Fingerprint) {
        if !self.recent.contains(&Some(fingerprint)) {
            self.recent.rotate_right(1);
            if let Some(first) = self.recent.first_mut() {
                *first = Some(fingerprint);
            }
        }
    }

    /// The store has to know by then. True when it is now to be listed as due.
    pub fn due_by(&mut self, at: Millis) -> bool {
        let listed = self.due.is_some();
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
        !listed
    }

    /// The store knows these.
    pub fn stored(&mut self, counters: &Counters) {
        self.known = self.known.max(known(counters));
        if self.is_known() {
            self.due = None;
        }
    }

    /// What the store does not know, if anything. It is not due again; it is known when the store says so.
    pub fn take(&mut self) -> Option<Counters> {
        self.due = None;
        (!self.is_known()).then_some(self.counters)
    }

    /// Nothing is lost with it, and nobody who has read the store a moment ago can miss a failure by it.
    pub fn is_forgettable(&self) -> bool {
        self.is_idle() && self.is_known() && self.counters.failures.count == 0 && self.recent == [None; 3]
    }

    /// Nothing is lost with it but fingerprints, and stamps that the store would not have been told yet.
    pub fn is_evictable(&self) -> bool {
        self.is_idle()
            && self.due.is_none()
            && (self.known.0, self.known.1) >= (self.counters.era, self.counters.sequence)
    }

    fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.waiting.is_empty()
    }

    fn is_known(&self) -> bool {
        self.known >= known(&self.counters)
    }

    /// Failures that count at this moment.
    fn count(&self, rules: Rules) -> u16 {
        let failures = self.counters.failures;
        let anew = self.counters.lock.is_some() || self.seen.since(failures.last) > rules.window;
        if anew { 0 } else { failures.count }
    }

    /// How many attempts may be under way: as many as may still be wrong.
    fn allowance(&self, rules: Rules, limits: &Limits) -> u16 {
        let count = self.count(rules);
        let until_lock = rules.threshold.map_or(limits.in_flight, |threshold| threshold.saturating_sub(count).max(1));
        let until_delay = if rules.tiers { FREE_FAILURES.saturating_sub(count).max(1) } else { limits.in_flight };
        until_lock.min(until_delay).min(limits.in_flight)
    }

    /// No attempt is looked at before (`steady`).
    fn not_before(&self, rules: Rules) -> Millis {
        let count = self.count(rules);
        let over = count.checked_sub(FREE_FAILURES).filter(|_| rules.tiers);
        let Some(tier) = over else { return Millis::MIN };
        let seconds = TIERS.get(usize::from(tier)).or(TIERS.last()).copied().unwrap_or(0);
        self.counters.failures.last.saturating_add(Span::from_secs(seconds))
    }
}

fn known(counters: &Counters) -> (u32, u32, Option<Millis>) {
    (counters.era, counters.sequence, counters.last_activity.max(counters.last_login))
}

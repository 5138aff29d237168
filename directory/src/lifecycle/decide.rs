//! The one function that judges: (facts, policy, event, now) → verdict, facts, effects. Total and pure.
//!
//! The branching is here, one arm per event; what logins, owners and time do to the facts is below, in the order of the
//! arms, and what administrators and provisioning do in `administer`.
//! Every cell of the table of requirements §2 is asserted as data in this module's tests.

mod administer;

use crate::clock::{Millis, Now};

use super::account::{Account, Audience, Failures, Hold, HoldCause, Lock, LockCause, Standing, UserType};
use super::event::{ChangePath, Event, Proof};
use super::outcome::{Denial, Effect, MustChange, Outcome, Rejection, Transition, Verdict};
use super::policy::{LockDuration, Policy, Unprompted};
use super::state::{State, inactive_since, must_change, never_used, purge_from, state};

/// What `event` at `now` does to an account. Never panics, whatever the facts, the policy and the time; equal inputs
/// give equal outcomes. A refusal leaves everything but the counters, and what inactivity had done already, as it was.
pub fn decide(account: &Account, policy: &Policy, event: &Event, now: &Now) -> Outcome {
    let before = state(account, policy, now);
    let mut work = Work { next: *account, policy, now, state: before, effects: Vec::new() };
    if !event.leaves_state() && (!now.frozen() || event.is_administrative()) {
        work.settle();
    }
    let verdict = match *event {
        Event::Login { proof: Proof::Right, change } => work.right(change, true),
        Event::Login { proof: Proof::Elsewhere, change } => work.right(change, false),
        Event::Login { proof: Proof::Wrong, .. } => work.wrong_password(),
        Event::Login { proof: Proof::WrongAgain, .. } => work.not_counted(Denial::WrongPassword),
        Event::Login { proof: Proof::Unchecked, .. } => work.not_counted(Denial::Unchecked),
        Event::Activity => work.activity(),
        Event::ChangePassword { by_link } => work.change_password(by_link),
        Event::SetPassword { force_change } => work.set_password(force_change),
        Event::RemovePassword => work.remove_password(),
        Event::ForceChange => work.force_change(),
        Event::SignOut => work.sign_out(),
        Event::Lock => work.lock(),
        Event::Unlock { new_password } => work.unlock(new_password),
        Event::Disable { by } => work.disable(HoldCause::Administrator, by),
        Event::Enable { new_password } => work.enable(new_password),
        Event::Delete { months, remover, by } => work.delete(months, remover, by),
        Event::ScimActive { active: false, by } => work.scim_inactive(by),
        Event::ScimActive { active: true, .. } => work.scim_active(),
        Event::Purge => work.purge(),
        Event::Sweep => work.sweep(account),
    };
    let after = state(&work.next, policy, now);
    Outcome { verdict, next: work.next, before, after, effects: work.effects }
}

/// An outcome in the making.
struct Work<'a> {
    next: Account,
    policy: &'a Policy,
    now: &'a Now,
    state: State,
    effects: Vec<Effect>,
}

impl Work<'_> {
    /// Makes inactivity that has been reached a fact. The state stays what it was derived to be.
    fn settle(&mut self) {
        if self.next.deletion.is_some() || self.next.hold.is_some() || self.next.dormant_at.is_some() {
            return;
        }
        let Some(from) = inactive_since(&self.next, self.policy, self.now) else { return };
        if never_used(&self.next, from) {
            self.next.hold = Some(Hold { at: from, cause: HoldCause::NeverUsed, by: None });
            self.effects.push(Effect::Audit(Transition::BecameDisabled));
        } else {
            self.next.dormant_at = Some(from);
            self.effects.push(Effect::Audit(Transition::BecameDormant));
        }
        self.end_everything();
    }

    /// A good login. Without the password neither its age matters nor what was guessed at it.
    fn right(&mut self, change: ChangePath, by_password: bool) -> Verdict {
        if let Some(denial) = self.state_denies() {
            return Verdict::Denied(denial);
        }
        let why = must_change(&self.next, self.policy, self.now);
        if let Some(why) = why.filter(|why| by_password || *why == MustChange::Forced) {
            let can = change != ChangePath::None || self.policy.must_change_without_control == Unprompted::Restrict;
            if !can {
                return Verdict::Denied(Denial::MustChange(why));
            }
            self.stamp_login(by_password);
            return Verdict::AdmittedMustChange(why);
        }
        if self.next.standing != Standing::Active {
            self.next.standing = Standing::Active;
            self.effects.push(Effect::Audit(Transition::BecameActive));
        }
        self.next.verified_at = self.next.verified_at.or(Some(self.now.wall));
        self.stamp_login(by_password);
        Verdict::Admitted
    }

    fn wrong_password(&mut self) -> Verdict {
        if let Some(denial) = self.state_denies() {
            return Verdict::Denied(denial);
        }
        let counters = &mut self.next.counters;
        // A lock that has ended starts a new row; so does a window that has passed.
        let anew = counters.lock.take().is_some()
            || self.now.steady.since(counters.failures.last) > self.policy.failure_window;
        let count = if anew { 1 } else { counters.failures.count.saturating_add(1) };
        counters.failures = Failures { count, last: self.now.steady };
        counters.sequence = counters.sequence.saturating_add(1);
        let locks = self.policy.lockout && (self.policy.lock_api_accounts || self.next.audience == Audience::Person);
        if !locks || count < self.policy.threshold() {
            return Verdict::Denied(Denial::WrongPassword);
        }
        let until = self.lock_ends();
        let counters = &mut self.next.counters;
        counters.lock = Some(Lock { at: self.now.wall, until, cause: LockCause::Failures });
        counters.locks_in_a_row = counters.locks_in_a_row.saturating_add(1);
        self.effects.push(Effect::Audit(Transition::BecameLocked));
        Verdict::Denied(Denial::WrongPasswordLocks)
    }

    /// The end of a lock that begins now (`steady`).
    fn lock_ends(&self) -> Option<Millis> {
        let duration = match (self.policy.lock_duration, self.next.system) {
            (LockDuration::For(duration), _) => duration,
            (LockDuration::UntilUnlocked, false) => return None,
            // Whoever can reach the port could otherwise lock the last way in for good.
            (LockDuration::UntilUnlocked, true) => self.policy.failure_window,
        };
        let cap = self.policy.lock_duration_cap.max(duration);
        Some(self.now.steady.saturating_add(duration.doubled(self.next.counters.locks_in_a_row, cap)))
    }

    fn not_counted(&self, denial: Denial) -> Verdict {
        Verdict::Denied(self.state_denies().unwrap_or(denial))
    }

    fn activity(&mut self) -> Verdict {
        match self.state_denies() {
            Some(denial) if !self.state.may_continue() => Verdict::Denied(denial),
            _ => {
                let counters = &mut self.next.counters;
                counters.last_activity = counters.last_activity.max(Some(self.now.wall));
                Verdict::Admitted
            }
        }
    }

    fn change_password(&mut self, by_link: bool) -> Verdict {
        if let Some(rejection) = self.unless(&[State::Unverified, State::Enabled, State::Active]) {
            return rejection;
        }
        if self.next.user_type != UserType::Native {
            return Verdict::Rejected(Rejection::PasswordElsewhere);
        }
        if self.next.audience == Audience::Api {
            return Verdict::Rejected(Rejection::NotForApplications);
        }
        let bound = !by_link && must_change(&self.next, self.policy, self.now).is_none();
        let age = self.next.password_changed_at.map(|at| self.now.wall.since(at));
        if bound && age.is_some_and(|age| age < self.policy.password_min_age) {
            return Verdict::Rejected(Rejection::PasswordTooYoung);
        }
        self.new_password(false);
        self.next.counters.clear();
        Verdict::Accepted
    }

    fn purge(&mut self) -> Verdict {
        if let Some(rejection) = self.unless(&[State::Deleted]) {
            return rejection;
        }
        let due = purge_from(&self.next).is_some_and(|from| from <= self.now.calendar);
        if !due && !self.policy.purge_early {
            return Verdict::Rejected(Rejection::PurgeNotDue);
        }
        if due && !self.policy.purge_early && self.now.frozen() {
            return Verdict::Rejected(Rejection::ClockInDoubt);
        }
        self.effects.push(Effect::Erase);
        Verdict::Accepted
    }

    /// Settling has done the rest; only the purge is the sweep's own.
    fn sweep(&mut self, before: &Account) -> Verdict {
        if self.state == State::Deleted && self.purge_is_due() {
            self.effects.push(Effect::Erase);
            return Verdict::Accepted;
        }
        if self.next == *before { Verdict::Unchanged } else { Verdict::Accepted }
    }

    fn purge_is_due(&self) -> bool {
        !self.now.frozen() && purge_from(&self.next).is_some_and(|from| from <= self.now.calendar)
    }

    // ---- what several arms share ----

    /// Why this state admits no login.
    fn state_denies(&self) -> Option<Denial> {
        match self.state {
            State::Unverified | State::Enabled | State::Active => None,
            State::Locked => Some(Denial::Locked),
            State::Dormant => Some(Denial::Dormant),
            State::Disabled => Some(Denial::Disabled),
            State::Deleted => Some(Denial::Deleted),
        }
    }

    fn unless(&self, states: &[State]) -> Option<Verdict> {
        let refused = !states.contains(&self.state);
        refused.then_some(Verdict::Rejected(Rejection::NotInState(self.state)))
    }

    fn built_in(&self) -> Option<Verdict> {
        self.next.system.then_some(Verdict::Rejected(Rejection::BuiltIn))
    }

    fn new_password(&mut self, force_change: bool) {
        self.next.password_changed_at = Some(self.now.wall);
        self.next.force_change = force_change && self.next.changes_own_password();
        self.end_sessions();
    }

    fn stamp_login(&mut self, by_password: bool) {
        let counters = &mut self.next.counters;
        let any = counters.failures.count > 0 || counters.lock.is_some() || counters.locks_in_a_row > 0;
        if by_password && any {
            counters.failures = Failures::default();
            counters.lock = None;
            counters.locks_in_a_row = 0;
            counters.sequence = counters.sequence.saturating_add(1);
        }
        counters.last_login = counters.last_login.max(Some(self.now.wall));
        counters.last_activity = counters.last_activity.max(Some(self.now.wall));
    }

    fn end_sessions(&mut self) {
        self.next.epoch = self.next.epoch.saturating_add(1);
        if !self.effects.contains(&Effect::EndSessions) {
            self.effects.push(Effect::EndSessions);
        }
    }

    fn end_everything(&mut self) {
        self.end_sessions();
        if !self.effects.contains(&Effect::EndTokens) {
            self.effects.push(Effect::EndTokens);
        }
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "numbers of tests are small; an overflow fails them")]
#[path = "law_tests.rs"]
mod laws;
#[cfg(test)]
#[path = "decide_lock_tests.rs"]
mod lock_tests;
#[cfg(test)]
#[path = "decide_password_tests.rs"]
mod password_tests;
#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;

//! The one function that judges: (facts, policy, event, now) → verdict, facts, effects. Total and pure.
//!
//! The branching is here, one arm per event; what each arm does to the facts is below, in the order of the arms.
//! Every cell of the table of requirements §2 is asserted as data in this module's tests.

use crate::clock::{Millis, Now};
use crate::id::EntryId;

use super::account::{Account, Audience, Deletion, Failures, Hold, HoldCause, Lock, LockCause, Standing, UserType};
use super::event::{ChangePath, Event, Proof, Remover};
use super::outcome::{Denial, Effect, MustChange, Outcome, Rejection, Transition, Verdict};
use super::policy::{LockDuration, Names, Policy, Unprompted, months_in_bounds};
use super::state::{State, inactive_since, must_change, never_used, purge_from, state};

/// What `event` at `now` does to an account. Never panics, whatever the facts, the policy and the time; equal inputs
/// give equal outcomes. A refusal leaves everything but the counters, and what inactivity had done already, as it was.
pub fn decide(account: &Account, policy: &Policy, event: &Event, now: &Now) -> Outcome {
    let before = state(account, policy, now);
    let mut work = Work { next: *account, policy, now, state: before, effects: Vec::new() };
    if !now.frozen() || event.is_administrative() {
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

/// What a deletion has not ended.
const NOT_DELETED: [State; 6] =
    [State::Unverified, State::Enabled, State::Active, State::Locked, State::Dormant, State::Disabled];

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

    /// In a state without logins the password is kept for when they are allowed again, and nothing else is: provisioning
    /// sends passwords without knowing of our locks, and lifts none.
    fn set_password(&mut self, force_change: bool) -> Verdict {
        if let Some(rejection) = self.built_in().or_else(|| self.unless(&NOT_DELETED)) {
            return rejection;
        }
        if self.next.user_type != UserType::Native {
            return Verdict::Rejected(Rejection::PasswordElsewhere);
        }
        self.new_password(force_change);
        if self.state_denies().is_none() {
            self.next.counters.clear();
        }
        Verdict::Accepted
    }

    fn remove_password(&mut self) -> Verdict {
        if let Some(rejection) = self.built_in().or_else(|| self.unless(&NOT_DELETED)) {
            return rejection;
        }
        self.end_sessions();
        Verdict::Accepted
    }

    fn force_change(&mut self) -> Verdict {
        if let Some(rejection) = self.built_in().or_else(|| self.unless(&[State::Active])) {
            return rejection;
        }
        if self.next.user_type != UserType::Native {
            return Verdict::Rejected(Rejection::PasswordElsewhere);
        }
        if self.next.audience == Audience::Api {
            return Verdict::Rejected(Rejection::NotForApplications);
        }
        self.next.force_change = true;
        Verdict::Accepted
    }

    fn sign_out(&mut self) -> Verdict {
        if let Some(rejection) = self.unless(&[State::Unverified, State::Enabled, State::Active, State::Locked]) {
            return rejection;
        }
        self.end_sessions();
        Verdict::Accepted
    }

    fn lock(&mut self) -> Verdict {
        let already = self.next.counters.standing_lock(self.now.steady).is_some_and(|lock| lock.until.is_none());
        let states = [State::Unverified, State::Enabled, State::Active, State::Locked];
        if let Some(rejection) = self.built_in().or_else(|| self.unless(&states)) {
            return rejection;
        }
        if already {
            return Verdict::Rejected(Rejection::NotInState(State::Locked));
        }
        let failures = self.next.counters.failures;
        self.next.counters.clear();
        self.next.counters.failures = failures;
        self.next.counters.lock = Some(Lock { at: self.now.wall, until: None, cause: LockCause::Administrator });
        Verdict::Accepted
    }

    fn unlock(&mut self, new_password: bool) -> Verdict {
        if let Some(rejection) = self.unless(&[State::Locked]) {
            return rejection;
        }
        if self.next.system && new_password {
            return Verdict::Rejected(Rejection::BuiltIn);
        }
        self.reinstate(new_password, self.policy.unlock_requires_password && !self.next.system)
    }

    fn disable(&mut self, cause: HoldCause, by: Option<EntryId>) -> Verdict {
        let states = [State::Unverified, State::Enabled, State::Active, State::Locked, State::Dormant];
        if let Some(rejection) = self.built_in().or_else(|| self.unless(&states)) {
            return rejection;
        }
        self.next.hold = Some(Hold { at: self.now.wall, cause, by });
        self.end_everything();
        Verdict::Accepted
    }

    fn enable(&mut self, new_password: bool) -> Verdict {
        if let Some(rejection) = self.built_in().or_else(|| self.unless(&[State::Dormant, State::Disabled])) {
            return rejection;
        }
        self.reinstate(new_password, self.policy.enable_requires_password)
    }

    fn delete(&mut self, months: Option<u16>, remover: Remover, by: Option<EntryId>) -> Verdict {
        if let Some(rejection) = self.built_in().or_else(|| self.unless(&NOT_DELETED)) {
            return rejection;
        }
        let months = months.unwrap_or(self.policy.purge_months);
        if !months_in_bounds(months) {
            return Verdict::Rejected(Rejection::TooManyMonths);
        }
        let names = match remover {
            Remover::Administrator => self.policy.names_after_deletion,
            Remover::Provisioning => self.policy.names_after_scim_deletion,
        };
        let names_free = names == Names::Free;
        self.next.deletion = Some(Deletion { at: self.now.wall, months, names_free, by });
        self.end_everything();
        if names_free {
            self.effects.push(Effect::FreeNames);
        }
        Verdict::Accepted
    }

    fn scim_inactive(&mut self, by: Option<EntryId>) -> Verdict {
        // Identity providers repeat themselves; the second time is no mistake.
        if self.state == State::Disabled { Verdict::Unchanged } else { self.disable(HoldCause::Provisioning, by) }
    }

    fn scim_active(&mut self) -> Verdict {
        match self.state {
            State::Deleted => Verdict::Rejected(Rejection::NotInState(State::Deleted)),
            State::Disabled => {
                // Provisioning lifts a hold, never a lock: a lock below the hold comes to light again.
                let lock = self.next.counters.standing_lock(self.now.steady);
                let verdict = self.reinstate(false, self.policy.enable_requires_password);
                if verdict == Verdict::Accepted {
                    self.next.counters.lock = lock;
                }
                verdict
            }
            State::Unverified | State::Enabled | State::Active | State::Locked | State::Dormant => Verdict::Unchanged,
        }
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

    /// Back to ENABLED: nothing holds, locks or counts, and dormancy counts from now.
    fn reinstate(&mut self, new_password: bool, password_required: bool) -> Verdict {
        let native = self.next.user_type == UserType::Native;
        if new_password && !native {
            return Verdict::Rejected(Rejection::PasswordElsewhere);
        }
        if password_required && native && !new_password {
            return Verdict::Rejected(Rejection::PasswordRequired);
        }
        self.next.hold = None;
        self.next.dormant_at = None;
        self.next.counters.clear();
        self.next.standing = Standing::Enabled;
        self.next.enabled_at = Some(self.now.wall);
        if new_password {
            self.new_password(true);
        }
        Verdict::Accepted
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

//! What administrators and provisioning do to an account, one function per event of theirs.

use super::Work;
use crate::id::EntryId;
use crate::lifecycle::account::{Audience, Deletion, Hold, HoldCause, Lock, LockCause, Standing, UserType};
use crate::lifecycle::event::Remover;
use crate::lifecycle::outcome::{Effect, Rejection, Verdict};
use crate::lifecycle::policy::{Names, months_in_bounds};
use crate::lifecycle::state::State;

/// What a deletion has not ended.
const NOT_DELETED: [State; 6] =
    [State::Unverified, State::Enabled, State::Active, State::Locked, State::Dormant, State::Disabled];

impl Work<'_> {
    /// In a state without logins the password is kept for when they are allowed again, and nothing else is: provisioning
    /// sends passwords without knowing of our locks, and lifts none.
    pub(super) fn set_password(&mut self, force_change: bool) -> Verdict {
        if let Some(rejection) = self.built_in().or_else(|| self.unless(&NOT_DELETED)) {
            return rejection;
        }
        if self.next.user_type != UserType::Native {
            return Verdict::Rejected(Rejection::PasswordElsewhere);
        }
        let held = self.state_denies().is_some();
        self.new_password(force_change || (held && self.next.force_change));
        if !held {
            self.next.counters.clear();
        }
        Verdict::Accepted
    }

    pub(super) fn remove_password(&mut self) -> Verdict {
        if let Some(rejection) = self.built_in().or_else(|| self.unless(&NOT_DELETED)) {
            return rejection;
        }
        self.end_sessions();
        Verdict::Accepted
    }

    pub(super) fn force_change(&mut self) -> Verdict {
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

    pub(super) fn sign_out(&mut self) -> Verdict {
        if let Some(rejection) = self.unless(&[State::Unverified, State::Enabled, State::Active, State::Locked]) {
            return rejection;
        }
        self.end_sessions();
        Verdict::Accepted
    }

    pub(super) fn lock(&mut self) -> Verdict {
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

    pub(super) fn unlock(&mut self, new_password: bool) -> Verdict {
        if let Some(rejection) = self.unless(&[State::Locked]) {
            return rejection;
        }
        if self.next.system && new_password {
            return Verdict::Rejected(Rejection::BuiltIn);
        }
        self.reinstate(new_password, self.policy.unlock_requires_password && !self.next.system)
    }

    pub(super) fn disable(&mut self, cause: HoldCause, by: Option<EntryId>) -> Verdict {
        let states = [State::Unverified, State::Enabled, State::Active, State::Locked, State::Dormant];
        if let Some(rejection) = self.built_in().or_else(|| self.unless(&states)) {
            return rejection;
        }
        self.next.hold = Some(Hold { at: self.now.wall, cause, by });
        self.end_everything();
        Verdict::Accepted
    }

    pub(super) fn enable(&mut self, new_password: bool) -> Verdict {
        if let Some(rejection) = self.built_in().or_else(|| self.unless(&[State::Dormant, State::Disabled])) {
            return rejection;
        }
        self.reinstate(new_password, self.policy.enable_requires_password)
    }

    pub(super) fn delete(&mut self, months: Option<u16>, remover: Remover, by: Option<EntryId>) -> Verdict {
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

    pub(super) fn scim_inactive(&mut self, by: Option<EntryId>) -> Verdict {
        // Identity providers repeat themselves; the second time is no mistake.
        if self.state == State::Disabled { Verdict::Unchanged } else { self.disable(HoldCause::Provisioning, by) }
    }

    pub(super) fn scim_active(&mut self) -> Verdict {
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
}

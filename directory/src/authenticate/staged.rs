//! Logins in steps: the password first, a second factor after it; and logins whose proof is somebody else's word.
//!
//! A right password of an account with a second factor is neither success nor failure until the factor is proven: it
//! resets no counter and makes no account ACTIVE. What stands between the steps is the door's to keep, sealed: it holds
//! the account, its epoch and when the password was proven, and brings them back.

use super::{Candidate, LoginName, Prior, Verdict};
use crate::clock::Now;
use crate::context::Context;
use crate::error::Refusal;
use crate::handle::Directory;
use crate::id::EntryId;
use crate::lifecycle::{Account, ChangePath, Denial, Event, Proof, Verdict as Judged, decide};
use crate::throttle::Store;

/// A login by password, as far as it has come.
#[derive(Debug)]
pub enum Step {
    /// It is decided.
    Done(Verdict),
    /// The password is right; a second factor is needed.
    Awaits(Awaiting),
}

/// A login that waits for its second factor. Says that the password was right: it never leaves the server in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaiting {
    /// Whose.
    pub account: EntryId,
    /// The account's epoch: another one later voids this.
    pub epoch: u64,
    /// One is needed and none is enrolled: enrol one, then [`Directory::complete_login`].
    pub must_enrol: bool,
}

impl Directory {
    /// Judges the password of a login whose door can ask for a second factor.
    pub async fn begin_login(&self, context: &Context, login: super::Login) -> Step {
        self.judge_login(context, login, true).await
    }

    /// The gate's answer to a login that a provider has proven: the account's state decides, as with a password. It clears
    /// neither a lock nor what was guessed at the password.
    pub async fn admit(&self, context: &Context, account: EntryId) -> Verdict {
        self.pass(context, account, None, Prior::Elsewhere).await
    }

    /// Whether the account's state would admit a login proven elsewhere: before a second factor is asked for.
    ///
    /// # Errors
    /// `Store`.
    pub fn would_admit(&self, account: EntryId, now: &Now) -> Result<Option<Awaiting>, Refusal> {
        let Some(candidate) = self.candidate(&LoginName::Account(account))? else { return Ok(None) };
        let facts = self.with_counters(account, candidate.facts);
        if !admits(self, &facts, Proof::Elsewhere, ChangePath::Page, now) {
            return Ok(None);
        }
        let factors = self.factors_of(account)?;
        Ok(Some(Awaiting { account, epoch: facts.epoch, must_enrol: factors.required && !factors.any() }))
    }

    /// Completes a login in steps whose last step was no proof of its own: a factor has been enrolled.
    pub async fn complete_login(&self, context: &Context, awaiting: &Awaiting, prior: Prior) -> Verdict {
        self.pass(context, awaiting.account, Some(awaiting.epoch), prior).await
    }

    /// What a login by a right password waits for, if it would be admitted and waits at all.
    pub(super) fn awaits(
        &self,
        account: EntryId,
        facts: &Account,
        change: ChangePath,
        now: &Now,
    ) -> Result<Option<Awaiting>, Refusal> {
        let factors = self.factors_of(account)?;
        let facts = self.with_counters(account, *facts);
        if !(factors.any() || factors.required) || !admits(self, &facts, Proof::Right, change, now) {
            return Ok(None);
        }
        Ok(Some(Awaiting { account, epoch: facts.epoch, must_enrol: !factors.any() }))
    }

    /// A login without a password to check.
    pub(super) async fn pass(&self, context: &Context, account: EntryId, epoch: Option<u64>, prior: Prior) -> Verdict {
        let candidate = match self.candidate(&LoginName::Account(account)) {
            Ok(Some(candidate)) if epoch.is_none_or(|epoch| candidate.facts.epoch == epoch) => candidate,
            Ok(_) => {
                self.remember(context, Some(account), "its logins have been ended meanwhile");
                return Verdict::Refused { hint: None };
            }
            Err(refusal) => {
                tracing::error!(detail = refusal.detail.as_deref(), "a login could not be looked up");
                return Verdict::Busy;
            }
        };
        let now = self.now();
        let throttle = &self.inner().gate.throttle;
        let proof = if prior == Prior::Password { Proof::Right } else { Proof::Elsewhere };
        let resolved = throttle.proven(account, &candidate.facts, self.policy(), proof, &now);
        self.settle(context, &candidate, resolved, &now).await
    }

    /// Stores an outcome when it must be, and answers. What was wrong, if anything, was a second factor.
    pub(super) async fn settle(
        &self,
        context: &Context,
        candidate: &Candidate,
        resolved: crate::throttle::Resolved,
        now: &Now,
    ) -> Verdict {
        if resolved.store == Store::Now && !self.store_outcome(context, candidate, &resolved.outcome).await {
            return Verdict::Refused { hint: None };
        }
        match resolved.outcome.verdict {
            Judged::Admitted | Judged::AdmittedMustChange(_) => {
                self.admitted(context, candidate.id, &resolved.outcome, now)
            }
            Judged::Denied(Denial::WrongPassword | Denial::WrongPasswordLocks) => {
                let locks = resolved.outcome.verdict == Judged::Denied(Denial::WrongPasswordLocks);
                let why = if locks { "wrong second factor; the account is locked now" } else { "wrong second factor" };
                self.remember(context, Some(candidate.id), why);
                Verdict::Refused { hint: None }
            }
            verdict => self.refused(context, candidate.id, verdict, false),
        }
    }
}

fn admits(directory: &Directory, facts: &Account, proof: Proof, change: ChangePath, now: &Now) -> bool {
    decide(facts, directory.policy(), &Event::Login { proof, change }, now).verdict.admits()
}

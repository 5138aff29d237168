//! What follows a judgement: the answer to the door with its audit record, facts stored before it, a better hash after it.

use super::{Admitted, Candidate, LoginName, Verdict};
use crate::change::{Op, Subject, prepare};
use crate::clock::Now;
use crate::context::{Actor, Context};
use crate::credential::{Secret, Verification};
use crate::entry::record::Record;
use crate::error::{PasswordReason, Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::lifecycle::{Denial, MustChange, Outcome, Verdict as Judged, password_expires_at};
use crate::store::codec::Credential;
use crate::store::view::View;

/// How often facts that moved during a login are judged again.
const ATTEMPTS: usize = 3;

impl Directory {
    pub(super) fn admitted(&self, context: &Context, id: EntryId, outcome: &Outcome, now: &Now) -> Verdict {
        let dn = self.snapshot().ok().and_then(|snapshot| {
            let guard = snapshot.record(id).ok()??;
            Record::parse(guard.value()).ok().map(|r| r.dn().to_owned())
        });
        let Some(dn) = dn else { return self.refused(context, id, Judged::Denied(Denial::Deleted), false) };
        let must_change = matches!(outcome.verdict, Judged::AdmittedMustChange(_));
        let what = if must_change { "gate: admitted, to change the password" } else { "gate: admitted" };
        self.tell(context, Some(id), what, None);
        let left =
            password_expires_at(&outcome.next, self.policy()).map(|at| at.0.saturating_sub(now.wall.0).max(0) / 1_000);
        Verdict::Admitted(Admitted {
            account: id,
            epoch: outcome.next.epoch,
            dn,
            must_change,
            expires_in_seconds: left.map(|s| u32::try_from(s).unwrap_or(u32::MAX)),
        })
    }

    pub(super) fn refused(&self, context: &Context, id: EntryId, verdict: Judged, right: bool) -> Verdict {
        let (reason, hint) = match verdict {
            Judged::Denied(denial) => match denial {
                Denial::MustChange(why) => ("the password has to be changed", right.then_some(why)),
                Denial::WrongPassword => ("wrong password", None),
                Denial::WrongPasswordLocks => ("wrong password; the account is locked now", None),
                Denial::Unchecked => ("not looked at: too many attempts", None),
                Denial::Locked => ("the account is LOCKED", None),
                Denial::Dormant => ("the account is DORMANT", None),
                Denial::Disabled => ("the account is DISABLED", None),
                Denial::Deleted => ("the account is DELETED", None),
            },
            _ => ("refused", None),
        };
        self.remember(context, Some(id), reason);
        let hint = hint.map(|why| match why {
            MustChange::Forced | MustChange::Expired => PasswordReason::ChangeAfterReset,
        });
        Verdict::Refused { hint }
    }

    pub(super) fn alarm(&self, candidate: &Candidate, found: &Verification) {
        if let Some(defect) = found.defect {
            tracing::warn!(entry = candidate.id.0, ?defect, "a stored password cannot be used");
        }
    }

    /// Makes the outcome durable before the answer. False: the facts moved in a way that no longer admits.
    pub(super) async fn store_outcome(&self, context: &Context, candidate: &Candidate, outcome: &Outcome) -> bool {
        let mut facts = candidate.facts;
        let mut next = outcome.next;
        for _ in 0..ATTEMPTS {
            let op = Op::Account {
                subject: Subject::Id(candidate.id),
                expected: Box::new(facts),
                next: Box::new(next),
                act: "login".into(),
                bury: false,
                password: None,
            };
            let internal = Context { actor: Actor::System, ..*context };
            let set = prepare::write_set(&self.inner().random, &internal, vec![op]);
            match self.submit(set).await {
                Ok(_) => {
                    self.forget_counters(candidate.id, &next);
                    return true;
                }
                Err(Refusal { reason: Reason::Conflict, .. }) => {}
                Err(refusal) => {
                    tracing::error!(detail = refusal.detail.as_deref(), "the outcome of a login could not be stored");
                    return false;
                }
            }
            // Somebody else wrote the facts. What they wrote stands; this login's counters are laid over it, and a
            // state that admits nobody any more refuses it.
            let Ok(Some(fresh)) = self.candidate(&LoginName::Account(candidate.id)) else { return false };
            facts = fresh.facts;
            let admits = outcome.verdict.admits();
            let judged = crate::lifecycle::state(&facts, self.policy(), &context.now);
            if admits && !judged.may_log_in() {
                return false;
            }
            next = facts.with_counters(&outcome.next.counters);
            if admits && !matches!(outcome.verdict, Judged::AdmittedMustChange(_)) {
                next.standing = outcome.next.standing;
                next.verified_at = facts.verified_at.or(outcome.next.verified_at);
            }
        }
        false
    }

    /// Replaces the hash of another server by one of ours; the login stands whether it succeeds or not.
    pub(super) async fn upgrade(&self, context: &Context, candidate: &Candidate, password: Secret) {
        let Ok(hash) = self.hash(password).await else { return };
        let former = candidate.credential.clone().unwrap_or_default();
        let next = Credential { password: Some(hash.as_str().to_owned()), history: former.history.clone() };
        let op = Op::Upgrade { id: candidate.id, expected: candidate.credential.clone(), next };
        let internal = Context { actor: Actor::System, ..*context };
        let set = prepare::write_set(&self.inner().random, &internal, vec![op]);
        if let Err(refusal) = self.submit(set).await
            && refusal.reason != Reason::Conflict
        {
            tracing::warn!(detail = refusal.detail.as_deref(), "a password hash could not be upgraded");
        }
    }
}

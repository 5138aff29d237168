//! The second factor at the gate: counted with wrong passwords, and by itself.
//!
//! A wrong factor is a wrong guess at the account, so it goes through the same throttle and locks it in the end. Whoever
//! knows the password could reset that count with it; therefore wrong factors in a row are also counted beside the
//! factor, where only a right factor resets them, and from the fifth on nobody looks at one for a while.

use super::staged::Awaiting;
use super::{Candidate, LoginName, Verdict};
use crate::clock::Now;
use crate::context::Context;
use crate::error::Refusal;
use crate::grant::apply::GrantOp;
use crate::grant::apply::factor::Used;
use crate::grant::factor::Stored;
use crate::grant::totp;
use crate::handle::Directory;
use crate::id::EntryId;
use crate::lifecycle::ChangePath;
use crate::throttle::{Admission, Attempt, Store};
use subtle::{Choice, ConstantTimeEq};

/// A second factor that is shown.
#[derive(Clone, Copy)]
pub enum FactorProof<'a> {
    /// A code of the authenticator app.
    Totp(&'a str),
    /// A recovery code.
    Recovery(&'a str),
}

/// What the second factor comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prior {
    /// The right password, just now: both together are a good login, which clears what was guessed before.
    Password,
    /// A provider's word, or a running session: it clears nothing of the password's.
    Elsewhere,
}

impl Directory {
    /// Judges a second factor. A code is good once; a wrong one counts as a wrong password does.
    pub async fn verify_factor(
        &self,
        context: &Context,
        awaiting: &Awaiting,
        prior: Prior,
        proof: FactorProof<'_>,
    ) -> Verdict {
        match self.try_factor(context, awaiting, prior, proof).await {
            Ok(verdict) => verdict,
            Err(refusal) => {
                let (detail, why) = (refusal.detail.as_deref(), refusal.message.as_str());
                tracing::error!(detail, why, "a second factor could not be checked");
                Verdict::Busy
            }
        }
    }

    async fn try_factor(
        &self,
        context: &Context,
        awaiting: &Awaiting,
        prior: Prior,
        proof: FactorProof<'_>,
    ) -> Result<Verdict, Refusal> {
        let account = awaiting.account;
        let refused = |why: &str| {
            self.remember(context, Some(account), why);
            Ok(Verdict::Refused { hint: None })
        };
        let Some(candidate) = self.candidate(&LoginName::Account(account))? else {
            return refused("there is no such account");
        };
        if candidate.facts.epoch != awaiting.epoch {
            return refused("its logins have been ended meanwhile");
        }
        let now = self.now();
        let stored = self.stored_factors(account)?;
        if stored.paused_until().is_some_and(|until| now.wall < until) {
            return refused("not looked at: too many wrong second factors");
        }
        let attempt = Attempt {
            account,
            facts: &candidate.facts,
            policy: self.policy(),
            change: ChangePath::Page,
            fingerprint: None,
            now,
        };
        let reservation = match self.inner().gate.throttle.reserve(attempt).await {
            Admission::Granted(reservation) => reservation,
            Admission::Refused { outcome, store, .. } => {
                if store == Store::Now {
                    self.store_outcome(context, &candidate, outcome.as_ref()).await;
                }
                return Ok(self.refused(context, account, outcome.verdict, false));
            }
        };
        // The line may have been long: what was used while it was is known now.
        let stored = self.stored_factors(account)?;
        let right = self.use_factor(context, account, &stored, proof, &now).await?;
        let fresh: Candidate = match self.candidate(&LoginName::Account(account))? {
            Some(fresh) if fresh.facts.epoch == awaiting.epoch => fresh,
            _ => return refused("its logins have been ended meanwhile"),
        };
        if right && prior == Prior::Elsewhere {
            drop(reservation);
            return Ok(self.pass(context, account, Some(awaiting.epoch), prior).await);
        }
        if !right {
            self.grant(context, GrantOp::FactorFailed { account }).await?;
        }
        let resolved = reservation.resolve(&fresh.facts, self.policy(), right, ChangePath::Page, &now);
        Ok(self.settle(context, &fresh, resolved, &now).await)
    }

    /// Looks at a factor, and uses it when it is right. The journal's order decides who of two is first.
    async fn use_factor(
        &self,
        context: &Context,
        account: EntryId,
        stored: &Stored,
        proof: FactorProof<'_>,
        now: &Now,
    ) -> Result<bool, Refusal> {
        let used = match (proof, &stored.totp) {
            (FactorProof::Totp(code), Some(totp)) => {
                let seed = self.totp_seed(account, totp)?;
                totp::find(&seed, code, now.wall, totp.last_step).map(Used::Step)
            }
            (FactorProof::Recovery(code), Some(_)) => {
                let digest = stored.code_digest(account, code);
                let mut found = Choice::from(0);
                for code in &stored.codes {
                    found |= code.ct_eq(&digest);
                }
                bool::from(found).then_some(Used::Code(digest))
            }
            (_, None) => None,
        };
        let Some(used) = used else { return Ok(false) };
        let receipt = self.grant(context, GrantOp::UseFactor { account, used }).await?;
        Ok(receipt.grants.denied.is_none())
    }
}

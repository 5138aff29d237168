//! Consent: what an account's owner lets an application see, once given, listed and taken back.

use super::apply::GrantOp;
use super::check_list;
use crate::change::Receipt;
use crate::clock::Millis;
use crate::context::Context;
use crate::error::Refusal;
use crate::handle::Directory;
use crate::id::EntryId;
use crate::store::{codec, membership};
use serde::{Deserialize, Serialize};

/// A consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The application.
    pub client: EntryId,
    /// What it may see.
    pub scopes: Vec<String>,
    /// First given (`wall`).
    pub given: Millis,
    /// Last widened (`wall`).
    pub updated: Millis,
}

impl Consent {
    /// Whether all of these have been consented to.
    pub fn covers(&self, scopes: &[String]) -> bool {
        scopes.iter().all(|scope| self.scopes.contains(scope))
    }
}

impl Directory {
    /// The consent of an account to an application.
    ///
    /// # Errors
    /// `Store`.
    pub fn consent(&self, account: EntryId, client: EntryId) -> Result<Option<Consent>, Refusal> {
        let snapshot = self.snapshot()?;
        let guard = snapshot.consents()?.get((account.0, client.0))?;
        guard.map(|g| codec::decode(g.value())).transpose()
    }

    /// Remembers that the owner, whose session the door has seen, consents to these scopes besides those before.
    ///
    /// # Errors
    /// `Constraint` for too many; `NoSuchEntry` when the account is gone.
    pub async fn give_consent(
        &self,
        context: &Context,
        account: EntryId,
        client: EntryId,
        scopes: Vec<String>,
    ) -> Result<Receipt, Refusal> {
        check_list(&scopes)?;
        self.grant(context, GrantOp::GiveConsent { account, client, scopes }).await
    }

    /// Takes a consent back, and ends what the application holds for the account.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub async fn withdraw_consent(
        &self,
        context: &Context,
        account: EntryId,
        client: EntryId,
    ) -> Result<Receipt, Refusal> {
        self.grant_as(context, GrantOp::WithdrawConsent { account, client }).await
    }

    /// The consents of an account, the latest first. For itself and for whoever writes it.
    ///
    /// # Errors
    /// `NotAllowed`, `Store`.
    pub fn consents_of(&self, context: &Context, account: EntryId) -> Result<Vec<Consent>, Refusal> {
        let snapshot = self.snapshot()?;
        let rights = self.rights(&snapshot, context.actor)?;
        super::apply::may_see(snapshot.as_ref(), &rights, account)?;
        let mut out: Vec<Consent> = Vec::new();
        for item in snapshot.consents()?.range(membership::all_of(account))? {
            out.push(codec::decode(item?.1.value())?);
        }
        out.sort_by_key(|consent| std::cmp::Reverse((consent.updated, consent.client)));
        Ok(out)
    }
}

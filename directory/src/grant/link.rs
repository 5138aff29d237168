//! Links: which account somebody is whom a provider has signed in, by the provider's immutable key and nothing else.
//!
//! A link also remembers which groups and roles the provider's mapping gave, so that it takes away those and no others.

use super::apply::GrantOp;
use super::{LIST, TEXT, check_texts, text};
use crate::change::{Receipt, Subject};
use crate::clock::Millis;
use crate::context::Context;
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::store::{codec, membership};
use serde::{Deserialize, Serialize};

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The provider's entry.
    pub provider: EntryId,
    /// The key there: issuer and subject, or tenant and object, as the provider's kind has it.
    pub key: String,
    /// The account.
    pub account: EntryId,
    /// Made (`wall`).
    pub created: Millis,
    /// The last login by it (`wall`).
    pub used: Millis,
    /// What the provider calls the person: shown, never compared.
    pub shown: String,
    /// SHA-256 of the claims that were seen last.
    pub claims: [u8; 32],
    /// The groups and roles that the mapping gave and would take away.
    pub mapped: Vec<EntryId>,
}

/// What a provider has said of somebody.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewLink {
    /// The provider's entry.
    pub provider: EntryId,
    /// The key there.
    pub key: String,
    /// What the provider calls the person.
    pub shown: String,
    /// SHA-256 of the claims.
    pub claims: [u8; 32],
    /// The groups and roles that the mapping gives.
    pub groups: Vec<EntryId>,
}

impl NewLink {
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        check_texts([self.key.as_str(), self.shown.as_str()], TEXT)?;
        if self.key.is_empty() {
            return Err(Refusal::new(Reason::Constraint, "a link needs a key"));
        }
        if self.groups.len() > LIST {
            return Err(Refusal::new(Reason::Constraint, format!("a mapping gives at most {LIST} groups")));
        }
        Ok(())
    }
}

/// The key of a link's row: the provider, and SHA-256 of the key there.
pub(crate) fn row(provider: EntryId, key: &str) -> [u8; 40] {
    let mut out = [0; 40];
    let (head, tail) = out.split_at_mut(8);
    head.copy_from_slice(&provider.0.to_be_bytes());
    tail.copy_from_slice(&text::digest(key.as_bytes()));
    out
}

impl Directory {
    /// The link of a provider's key.
    ///
    /// # Errors
    /// `Store`.
    pub fn link_of(&self, provider: EntryId, key: &str) -> Result<Option<Link>, Refusal> {
        let snapshot = self.snapshot()?;
        let guard = snapshot.links()?.get(row(provider, key).as_slice())?;
        let link: Option<Link> = guard.map(|g| codec::decode(g.value())).transpose()?;
        Ok(link.filter(|link| link.key == key))
    }

    /// Links a provider's key to an account, or remembers that the link was used, and makes the account's memberships those
    /// that the mapping gives now. One key is one account's, and an account has one key at a provider. The door has seen
    /// the owner, or has asked the provider's policy.
    ///
    /// A link to an account whose address nobody has verified takes away its password and ends all logins: whoever set the
    /// account up may not be the one who has come now.
    ///
    /// # Errors
    /// `EntryExists` when the key is another account's, or the account has another key there; `NoSuchEntry` when the
    /// account or the provider is gone; `Unwilling` for a system administrator, and when the mapping would take the last
    /// administrator away.
    pub async fn link(&self, context: &Context, account: EntryId, new: NewLink) -> Result<Receipt, Refusal> {
        new.check()?;
        self.grant(context, GrantOp::Link { account: Subject::Id(account), new: Box::new(new) }).await
    }

    /// Takes a link away: by its owner, or by whoever writes the account. Sessions that came by it end, and what its mapping
    /// gave goes.
    ///
    /// # Errors
    /// `NotAllowed`.
    pub async fn unlink(&self, context: &Context, account: EntryId, provider: EntryId) -> Result<Receipt, Refusal> {
        self.grant_as(context, GrantOp::Unlink { account, provider }).await
    }

    /// The links of an account. For itself and for whoever writes it.
    ///
    /// # Errors
    /// `NotAllowed`, `Store`.
    pub fn links_of(&self, context: &Context, account: EntryId) -> Result<Vec<Link>, Refusal> {
        let snapshot = self.snapshot()?;
        let rights = self.rights(&snapshot, context.actor)?;
        super::apply::may_see(snapshot.as_ref(), &rights, account)?;
        let mut out = Vec::new();
        for item in snapshot.link_owners()?.range(membership::all_of(account))? {
            let guard = snapshot.links()?.get(item?.1.value())?;
            out.extend(guard.map(|g| codec::decode::<Link>(g.value())).transpose()?);
        }
        Ok(out)
    }

    /// The links to a provider, at most `most`, for those who see the accounts; the others are left out.
    ///
    /// # Errors
    /// `Store`.
    pub fn links_to(&self, context: &Context, provider: EntryId, most: usize) -> Result<Vec<Link>, Refusal> {
        let snapshot = self.snapshot()?;
        let rights = self.rights(&snapshot, context.actor)?;
        let (from, to) = (provider.0.to_be_bytes(), provider.0.saturating_add(1).to_be_bytes());
        let mut out = Vec::new();
        for item in snapshot.links()?.range::<&[u8]>(from.as_slice()..to.as_slice())? {
            let link: Link = codec::decode(item?.1.value())?;
            if out.len() < most && super::apply::may_see(snapshot.as_ref(), &rights, link.account).is_ok() {
                out.push(link);
            }
        }
        Ok(out)
    }
}

//! Links: which account somebody is whom a provider has signed in, by the provider's immutable key and nothing else.

use super::apply::GrantOp;
use super::{TEXT, check_texts, text};
use crate::change::Receipt;
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
        let guard = snapshot.links().get(row(provider, key).as_slice())?;
        let link: Option<Link> = guard.map(|g| codec::decode(g.value())).transpose()?;
        Ok(link.filter(|link| link.key == key))
    }

    /// Links a provider's key to an account, or remembers that the link was used. One key is one account's, and an
    /// account has one key at a provider. The door has seen the owner, or has asked the provider's policy.
    ///
    /// # Errors
    /// `EntryExists` when the key is another account's, or the account has another key there; `NoSuchEntry` when the
    /// account or the provider is gone.
    pub async fn link(&self, context: &Context, link: Link) -> Result<Receipt, Refusal> {
        check_texts([link.key.as_str(), link.shown.as_str()], TEXT)?;
        if link.key.is_empty() {
            return Err(Refusal::new(Reason::Constraint, "a link needs a key"));
        }
        self.grant(context, GrantOp::Link { link: Box::new(link) }).await
    }

    /// Takes a link away: by its owner, or by whoever writes the account. Sessions that came by it end.
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
        for item in snapshot.link_owners().range(membership::all_of(account))? {
            let guard = snapshot.links().get(item?.1.value())?;
            out.extend(guard.map(|g| codec::decode::<Link>(g.value())).transpose()?);
        }
        Ok(out)
    }
}

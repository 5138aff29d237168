//! What may be used no more although its signature is good: revoked access tokens, and names that are good once.
//!
//! Access tokens that name a family end with it; this is for those without one (client credentials), and for the one
//! token that its client gives back. Rows go when the token would have expired anyway.

use super::apply::GrantOp;
use super::{check_life, text};
use crate::change::{Op, prepare};
use crate::clock::{Millis, Now};
use crate::context::Context;
use crate::error::Refusal;
use crate::handle::Directory;

/// The key of a row: SHA-256 of the kind and the name.
pub(crate) type Name = [u8; 32];

impl Directory {
    /// Revokes an access token by its `jti`, which would expire at `until`.
    ///
    /// # Errors
    /// `Constraint` for an end too far off, `Busy`, `Store`.
    pub async fn revoke_access(&self, context: &Context, jti: &str, until: Millis) -> Result<(), Refusal> {
        check_life(until.since(context.now.wall).max(crate::clock::Span::from_secs(1)))?;
        let op = GrantOp::Revoke { name: name("jti", jti), until, once: false };
        self.grant(context, op).await.map(|_| ())
    }

    /// Whether the access token of this `jti` is revoked.
    ///
    /// # Errors
    /// `Store`.
    pub fn is_access_revoked(&self, jti: &str) -> Result<bool, Refusal> {
        Ok(self.snapshot()?.revoked()?.get(name("jti", jti).as_slice())?.is_some())
    }

    /// Uses a name that is good once until it expires: the `jti` of a client's assertion, a state. False: it has been
    /// used. Decided by the journal's order.
    ///
    /// # Errors
    /// `Constraint` for an end too far off, `Busy`, `Store`.
    pub async fn use_once(&self, context: &Context, what: &str, until: Millis) -> Result<bool, Refusal> {
        check_life(until.since(context.now.wall).max(crate::clock::Span::from_secs(1)))?;
        let op = GrantOp::Revoke { name: name("once", what), until, once: true };
        Ok(self.grant(context, op).await?.grants.denied.is_none())
    }

    /// Removes the rows that say nothing any more.
    pub(crate) async fn purge_revoked(&self, now: &Now) -> Result<(), Refusal> {
        let mut old = Vec::new();
        for item in self.snapshot()?.revoked()?.range::<&[u8]>(..)? {
            let (key, until) = item?;
            if Millis(until.value()) <= now.wall {
                old.extend(Name::try_from(key.value()));
            }
        }
        if old.is_empty() {
            return Ok(());
        }
        let ops = vec![Op::Grant(Box::new(GrantOp::PurgeRevoked { names: old }))];
        self.submit(prepare::write_set(&self.inner().random, &self.internal(*now), ops)).await.map(|_| ())
    }
}

fn name(kind: &str, name: &str) -> Name {
    text::digest(format!("{kind}\0{name}").as_bytes())
}

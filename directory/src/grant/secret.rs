//! Secrets of applications and providers: the hashes of those that applications show us, sealed those that we show.

use super::apply::GrantOp;
use super::text;
use crate::change::Receipt;
use crate::clock::{Millis, Now, Span};
use crate::context::Context;
use crate::credential::Secret as Password;
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::store::codec;
use crate::token::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// What every client secret begins with.
pub const PREFIX: &str = "rba_";
/// The most client secrets of one application at a time.
pub const SECRETS: usize = 4;
/// The longest time that a client secret is good beside its successor.
pub const OVERLAP: Span = Span::from_days(30);

/// What the store holds for an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// Secrets that are shown to us, the latest last.
    pub shown: Vec<Shown>,
    /// The secret that we show, sealed.
    pub sealed: Option<Vec<u8>>,
}

/// A secret that is shown to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Made (`wall`).
    pub created: Millis,
    /// Good until (`wall`).
    pub expires: Option<Millis>,
    /// SHA-256 of it.
    pub(crate) digest: [u8; 32],
}

impl Directory {
    /// Makes a client secret for an application. Those before it are good for `overlap` yet.
    ///
    /// # Errors
    /// `NotAllowed`, `Constraint` for an overlap too long.
    pub async fn make_client_secret(
        &self,
        context: &Context,
        application: EntryId,
        overlap: Span,
    ) -> Result<Secret, Refusal> {
        if overlap > OVERLAP {
            return Err(Refusal::new(Reason::Constraint, "a client secret lives at most 30 days beside its successor"));
        }
        let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(self.inner().random.bytes::<32>()));
        let wall = context.now.wall;
        let shown = Shown { created: wall, expires: None, digest: text::digest(secret.as_bytes()) };
        let op = GrantOp::AddSecret { entry: application, shown, until: wall.saturating_add(overlap) };
        self.grant_as(context, op).await?;
        Ok(Secret::of(secret))
    }

    /// Whether this is a client secret of the application, good now. The same work for every text.
    ///
    /// # Errors
    /// `Store`.
    pub fn is_client_secret(&self, application: EntryId, presented: &str, now: &Now) -> Result<bool, Refusal> {
        let given = text::digest(presented.as_bytes().get(..256).unwrap_or(presented.as_bytes()));
        let mut good = subtle::Choice::from(0);
        for shown in self.secrets(application)?.shown {
            if shown.expires.is_none_or(|expires| now.wall < expires) {
                good |= given.ct_eq(&shown.digest);
            }
        }
        Ok(good.into())
    }

    /// The client secrets of an application: when each was made, and until when it is good.
    ///
    /// # Errors
    /// `Store`.
    pub fn client_secrets(&self, application: EntryId) -> Result<Vec<Shown>, Refusal> {
        Ok(self.secrets(application)?.shown)
    }

    /// Keeps the secret that we show to a provider.
    ///
    /// # Errors
    /// `NotAllowed`, `Unwilling` without the seal key.
    pub async fn keep_secret(&self, context: &Context, entry: EntryId, secret: &Password) -> Result<Receipt, Refusal> {
        let sealed = self.seal_key()?.seal(&self.inner().random, &place(entry), secret.expose())?;
        self.grant_as(context, GrantOp::KeepSecret { entry, sealed }).await
    }

    /// The secret that we show to a provider. For the server's own use: it leaves through no door but that provider's.
    ///
    /// # Errors
    /// `Store`, `Unwilling` without the seal key.
    pub fn kept_secret(&self, entry: EntryId) -> Result<Option<Password>, Refusal> {
        let Some(sealed) = self.secrets(entry)?.sealed else { return Ok(None) };
        Ok(Some(Password::new(self.seal_key()?.open(&place(entry), &sealed)?.to_vec())))
    }

    fn secrets(&self, entry: EntryId) -> Result<Secrets, Refusal> {
        let snapshot = self.snapshot()?;
        let guard = snapshot.secrets()?.get(entry.0)?;
        Ok(guard.map(|g| codec::decode(g.value())).transpose()?.unwrap_or_default())
    }
}

fn place(entry: EntryId) -> String {
    format!("secrets/{}", entry.0)
}

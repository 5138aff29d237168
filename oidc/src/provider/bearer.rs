//! An access token presented here: signed by us, for us, of the right type, and not revoked since.
//!
//! Nothing of it is believed for longer than the moment: its family, session and account are asked at every use, so that a
//! disabled account's token is void at once (requirement 34).

use super::{Provider, mint};
use crate::jose::token::{self, Expected, Lifetime};
use directory::clock::Now;
use directory::error::Refusal;
use directory::grant::{Family, FamilyId};
use serde_json::{Map, Value};

/// A good access token.
pub(super) struct Live {
    /// What it says.
    pub claims: Map<String, Value>,
    /// What it lives with; none for a client's own.
    pub family: Option<Family>,
}

impl Live {
    /// What it was granted.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.claims
            .get("scope")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .split(' ')
            .filter(|scope| !scope.is_empty())
    }

    /// Whose it is.
    pub fn client_id(&self) -> &str {
        self.claims.get("client_id").and_then(Value::as_str).unwrap_or_default()
    }
}

impl Provider {
    /// The token, when it is good now.
    ///
    /// # Errors
    /// `Store`.
    pub(super) fn access_token(&self, text: &str, now: &Now) -> Result<Option<Live>, Refusal> {
        let Ok(claims) = self.ring().prove(text, &mint::ACCESS_TYPES, now.wall) else { return Ok(None) };
        let issuer = self.issuer();
        // No skew for our own clock's times: what has ended, has ended.
        let expected = Expected { issuer, audience: Some(issuer), lifetime: Lifetime::Good, now: now.wall };
        let ends = token::moment(&claims, "exp").ok().flatten();
        if token::check(&claims, &expected).is_err() || ends.is_none_or(|ends| ends <= now.wall) {
            return Ok(None);
        }
        let Ok(jti) = token::text(&claims, "jti") else { return Ok(None) };
        if self.directory().is_access_revoked(jti)? {
            return Ok(None);
        }
        let family = match claims.get("fam").and_then(Value::as_str) {
            None => None,
            Some(text) => {
                let Some(id) = FamilyId::parse(text) else { return Ok(None) };
                let Some(live) = self.directory().family(id, now)? else { return Ok(None) };
                Some(live.family)
            }
        };
        Ok(Some(Live { claims, family }))
    }
}

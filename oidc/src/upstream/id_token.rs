//! The check of an ID token (OpenID Connect Core §3.1.3.7), one path for every kind of provider (R4, R5).
//!
//! The crate holds the keys and checks signatures. Its verifier of whole tokens is not used: it gives clocks no leeway, does
//! not look at `nbf` and `azp`, knows one issuer letter by letter (Entra has one for each tenant, Google two spellings, one
//! of which is no URL), and reads an object with a member twice.

use super::fault::Fault;
use super::keys::Keys;
use super::presets::Issuer;
use crate::jose::token::{self, Expected, Lifetime, SKEW};
use crate::jose::{Flaw, decode, encode, json};
use directory::clock::{Millis, Span};
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey as _, JsonWebKeyAlgorithm, JwsSigningAlgorithm as _};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

/// Octets of the longest token that is looked at: one with two hundred groups is a third of that.
const MOST: usize = 48 * 1024;
const BOUNDS: json::Bounds = json::Bounds { octets: MOST, ..json::Bounds::TOKEN };

/// A token that has been read, and not been checked.
#[derive(Debug)]
pub(super) struct Unproven<'a> {
    algorithm: CoreJwsSigningAlgorithm,
    /// The key that it says it is signed with.
    pub(super) kid: Option<String>,
    message: &'a str,
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) access_token: &'a str,
    /// The longest that the sign-in there may be ago.
    pub(super) max_age: Option<Span>,
    pub(super) now: Millis,
}

impl<'a> Unproven<'a> {
    /// Reads a token that is signed by one of these algorithms.
    ///
    /// # Errors
    /// [`Fault::Token`].
    pub(super) fn read(token: &'a str, algorithms: &[String]) -> Result<Unproven<'a>, Fault> {
        read(token, algorithms).map_err(Fault::Token)
    }

    /// Its issuer and what it says, once it is signed by one of the issuer's keys and everything else about it is right.
    ///
    /// # Errors
    /// The first thing that is not.
    pub(super) fn prove(
        self,
        keys: &Keys,
        published_by: &Issuer,
        wanted: &Wanted<'_>,
    ) -> Result<(String, Map<String, Value>), Fault> {
        let issuer = self.issuer(published_by)?;
        let key = self.key(keys, published_by, &issuer).map_err(Fault::Token)?;
        key.verify_signature(&self.algorithm, self.message.as_bytes(), &self.signature)
            .map_err(|_| Fault::Token(Flaw::Signature))?;
        self.check(wanted)?;
        if let Some(said) = self.claims.get("at_hash") {
            let hash = key.hash_bytes(wanted.access_token.as_bytes(), &self.algorithm).unwrap_or_default();
            let half = hash.get(..hash.len() / 2).filter(|half| !half.is_empty()).map(encode);
            if half.is_none() || said.as_str() != half.as_deref() {
                return Err(Fault::AccessTokenHash);
            }
        }
        Ok((issuer, self.claims))
    }

    /// The issuer whose token it may be, in its one spelling (R5).
    ///
    /// # Errors
    /// [`Fault::Issuer`].
    fn issuer(&self, published_by: &Issuer) -> Result<String, Fault> {
        let claim = |name: &str| self.claims.get(name).and_then(Value::as_str);
        let issuer = published_by.of(claim("tid")).ok_or(Fault::Issuer)?;
        let said = claim("iss").ok_or(Fault::Issuer)?;
        let is_it = match published_by {
            Issuer::One(_) | Issuer::Tenants(..) => said == issuer,
            Issuer::Bare(_) => published_by.fits(said),
        };
        if is_it { Ok(issuer) } else { Err(Fault::Issuer) }
    }

    /// The one key that it can be signed with: of its name, or, without a name, the only one for its algorithm.
    fn key<'k>(&self, keys: &'k Keys, published_by: &Issuer, issuer: &str) -> Result<&'k CoreJsonWebKey, Flaw> {
        let named =
            |key: &CoreJsonWebKey| self.kid.is_none() || key.key_id().map(|id| id.as_str()) == self.kid.as_deref();
        let mut fitting = keys.of(published_by, issuer).filter(|key| named(key) && is_for(key, &self.algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            _ => Err(Flaw::Key),
        }
    }

    /// Everything that it must say besides who issued it.
    fn check(&self, wanted: &Wanted<'_>) -> Result<(), Fault> {
        let claims = &self.claims;
        let said = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let (now, audience) = (wanted.now, Some(wanted.client_id));
        token::check(claims, &Expected { issuer: said, audience, lifetime: Lifetime::Good, now })?;
        token::moment(claims, "iat")?.ok_or(Flaw::Claim)?;
        // Of several audiences, `azp` says whose token it is; where it stands, it says so always.
        let several = token::audience(claims)?.len() > 1;
        if (several || claims.contains_key("azp")) && token::text(claims, "azp") != Ok(wanted.client_id) {
            return Err(Fault::Audience);
        }
        let nonce = token::text(claims, "nonce").map_err(|_| Fault::Nonce)?;
        if !bool::from(nonce.as_bytes().ct_eq(wanted.nonce.as_bytes())) {
            return Err(Fault::Nonce);
        }
        if let Some(span) = wanted.max_age {
            let signed_in = token::moment(claims, "auth_time")?;
            if signed_in.is_none_or(|then| then.saturating_add(span).saturating_add(SKEW) < now) {
                return Err(Fault::AuthTime);
            }
        }
        Ok(())
    }
}

fn read<'a>(token: &'a str, algorithms: &[String]) -> Result<Unproven<'a>, Flaw> {
    if token.len() > MOST {
        return Err(Flaw::TooLong);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(Flaw::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(Flaw::Malformed)?;
    let object = |part: &str| json::object(&decode(part)?, BOUNDS).map_err(|_| Flaw::Malformed);
    let header = object(header)?;
    // `none` and what is signed with a shared secret are on no list ([`super::presets`]).
    let algorithm = header.get("alg").and_then(Value::as_str).filter(|alg| algorithms.iter().any(|one| one == alg));
    let algorithm = serde_json::from_value(algorithm.ok_or(Flaw::Algorithm)?.into()).map_err(|_| Flaw::Algorithm)?;
    if ["crit", "b64", "zip", "enc"].iter().any(|name| header.contains_key(*name)) {
        return Err(Flaw::Header);
    }
    let kid = header.get("kid").map(|kid| kid.as_str().map(str::to_owned).ok_or(Flaw::Header)).transpose()?;
    Ok(Unproven { algorithm, kid, message, signature: decode(signature)?, claims: object(payload)? })
}

/// A key of this algorithm's kind that is for signatures, and for this algorithm or for no special one.
fn is_for(key: &CoreJsonWebKey, algorithm: &CoreJwsSigningAlgorithm) -> bool {
    let alg = match key.signing_alg() {
        JsonWebKeyAlgorithm::Unspecified => true,
        JsonWebKeyAlgorithm::Algorithm(own) => own == algorithm,
        JsonWebKeyAlgorithm::Unsupported => false,
    };
    let kind = algorithm.key_type().as_ref() == Some(key.key_type());
    kind && alg && key.key_use().is_none_or(openidconnect::JsonWebKeyUse::allows_signature)
}

impl From<Flaw> for Fault {
    fn from(flaw: Flaw) -> Fault {
        match flaw {
            Flaw::Issuer => Fault::Issuer,
            Flaw::Audience => Fault::Audience,
            Flaw::Expired => Fault::Expired,
            Flaw::Early => Fault::Early,
            other => Fault::Token(other),
        }
    }
}

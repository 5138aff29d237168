//! The keys that a provider signs with (RFC 7517 §5).

use super::fault::{Fault, What};
use super::metadata::document;
use super::presets::Issuer;
use crate::fetch::Fetcher;
use crate::jose;
use openidconnect::JsonWebKey as _;
use openidconnect::core::CoreJsonWebKey;
use serde_json::Value;
use std::time::Duration;

/// Keys that are looked at.
const MOST: usize = 100;
/// Octets of the smallest RSA modulus that is taken: 2048 bits.
const MODULUS: usize = 256;

/// A provider's keys.
#[derive(Debug)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    key: CoreJsonWebKey,
    /// Whose tokens it signs, where the set says so: Entra's does.
    issuer: Option<Issuer>,
}

impl Keys {
    /// A key of this name is there; without a name, any.
    pub(super) fn know(&self, kid: Option<&str>) -> bool {
        self.0.iter().any(|held| kid.is_none() || held.key.key_id().map(|id| id.as_str()) == kid)
    }

    /// The keys that sign for an issuer.
    ///
    /// Entra's keys for several tenants say for which: those of personal accounts are not good for the tenants of others
    /// (R5). There, a key that says nothing is good for nobody.
    pub(super) fn of(&self, published_by: &Issuer, issuer: &str) -> impl Iterator<Item = &CoreJsonWebKey> {
        let many = matches!(published_by, Issuer::Tenants(..));
        let signs = move |held: &&Key| held.issuer.as_ref().map_or(!many, |named| named.fits(issuer));
        self.0.iter().filter(signs).map(|held| &held.key)
    }
}

/// Fetches the keys, and says how long they are good. What is of no use here is passed over: other kinds, keys that are
/// too short.
///
/// # Errors
/// Why they cannot be used.
pub(super) async fn fetch(fetcher: &Fetcher, address: &str, of_entra: bool) -> Result<(Keys, Duration), Fault> {
    let (mut map, ttl) = document(fetcher, What::Keys, address).await?;
    let Some(Value::Array(listed)) = map.remove("keys") else {
        return Err(Fault::Document { what: What::Keys, why: "it lists no keys" });
    };
    let usable = listed.into_iter().take(MOST).filter(is_long_enough).filter_map(|jwk| {
        let issuer = jwk.get("issuer").and_then(Value::as_str).filter(|_| of_entra).map(Issuer::read);
        serde_json::from_value(jwk).ok().map(|key| Key { key, issuer })
    });
    Ok((Keys(usable.collect()), ttl))
}

/// The crate takes RSA keys of any length.
fn is_long_enough(jwk: &Value) -> bool {
    let Some(n) = jwk.get("n") else { return true };
    n.as_str().and_then(|n| jose::decode(n).ok()).is_some_and(|n| n.iter().skip_while(|o| **o == 0).count() >= MODULUS)
}

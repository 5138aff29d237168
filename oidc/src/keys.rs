//! The provider's signing keys: which one signs now, which ones are published, which ones still check.
//!
//! A key is published before it signs, so that whoever keeps the key set for a while knows it in time, and checks for
//! longer than the longest token that it signed. When keys are made and withdrawn is decided in `directory::grant`; after an
//! emergency roll what the others signed is void in that moment, because they are gone from here. Pure.

use crate::jose::jws::{self, Unproven};
use crate::jose::sign::SigningKey;
use crate::jose::{Algorithm, Flaw};
use directory::clock::Millis;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A key and its times.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its name in headers and in the key set.
    pub kid: String,
    /// The key.
    pub key: Arc<SigningKey>,
    /// It signs from here on, until another one of its algorithm does.
    pub use_from: Millis,
    /// It is neither published nor checks from here on.
    pub retire_at: Millis,
}

impl Key {
    fn is_published(&self, now: Millis) -> bool {
        now < self.retire_at
    }
}

/// The keys at hand.
#[derive(Debug, Clone, Default)]
pub struct Ring {
    keys: Vec<Key>,
}

impl Ring {
    /// These keys. Of two with one name only the first is kept.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Ring {
        let mut ring = Ring::default();
        for key in keys {
            if ring.keys.iter().all(|known| known.kid != key.kid) {
                ring.keys.push(key);
            }
        }
        ring
    }

    /// The key that signs now: of those whose time has come, the one whose time came last.
    pub fn signer(&self, algorithm: Algorithm, now: Millis) -> Option<&Key> {
        let ready = |key: &&Key| key.key.algorithm() == algorithm && key.use_from <= now && key.is_published(now);
        self.keys.iter().filter(ready).max_by(|a, b| (a.use_from, &a.kid).cmp(&(b.use_from, &b.kid)))
    }

    /// Algorithms with a key that signs now, in the order of [`Algorithm::ALL`].
    pub fn algorithms(&self, now: Millis) -> Vec<Algorithm> {
        Algorithm::ALL.into_iter().filter(|algorithm| self.signer(*algorithm, now).is_some()).collect()
    }

    /// Signs claims.
    ///
    /// # Errors
    /// [`Flaw::Key`] when there is no key for it.
    pub fn sign(
        &self,
        algorithm: Algorithm,
        typ: &str,
        claims: &Map<String, Value>,
        now: Millis,
    ) -> Result<String, Flaw> {
        let key = self.signer(algorithm, now).ok_or(Flaw::Key)?;
        jws::sign(&key.key, &key.kid, typ, claims)
    }

    /// The claims of a token that was signed here, by its type; the caller checks what they say.
    ///
    /// # Errors
    /// Why it is not one: [`Flaw::Type`] for another type, [`Flaw::Key`] for a key that is not published, the rest as
    /// [`Unproven`] has it.
    pub fn prove(&self, token: &str, types: &[&str], now: Millis) -> Result<Map<String, Value>, Flaw> {
        let unproven = Unproven::parse(token)?;
        if !unproven.typ.as_deref().is_some_and(|typ| types.contains(&typ)) {
            return Err(Flaw::Type);
        }
        let kid = unproven.kid.as_deref().ok_or(Flaw::Key)?;
        let key = self.keys.iter().find(|key| key.kid == kid && key.is_published(now)).ok_or(Flaw::Key)?;
        unproven.prove(key.key.public())
    }

    /// The key set (RFC 7517 §5): what checks now and what will sign soon; never a private part.
    pub fn jwks(&self, now: Millis) -> Value {
        let mut published: Vec<&Key> = self.keys.iter().filter(|key| key.is_published(now)).collect();
        published.sort_by(|a, b| (b.use_from, &a.kid).cmp(&(a.use_from, &b.kid)));
        json!({"keys": published.iter().map(|key| key.key.public().to_jwk(&key.kid)).collect::<Vec<_>>()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(algorithm: Algorithm, use_from: i64, retire_at: i64) -> Key {
        let key = SigningKey::from_pkcs8(algorithm, &algorithm.generate().unwrap()).unwrap();
        let kid = key.public().thumbprint();
        Key { kid, key: Arc::new(key), use_from: Millis(use_from), retire_at: Millis(retire_at) }
    }

    fn kids(jwks: &Value) -> Vec<&str> {
        jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect()
    }

    /// Goal: hostile row E14: a key is published before it signs, and checks what it signed until it is withdrawn.
    #[test]
    fn a_key_lives_its_life() {
        let (old, new) = (key(Algorithm::Es256, 100, 1_000), key(Algorithm::Es256, 500, 2_000));
        let ring = Ring::new([old.clone(), new.clone(), old.clone()]);
        let at = |now: i64| ring.signer(Algorithm::Es256, Millis(now)).map(|key| key.kid.clone());
        assert_eq!(at(99), None);
        assert_eq!(at(100), Some(old.kid.clone()));
        assert_eq!(at(499), Some(old.kid.clone()));
        assert_eq!(at(500), Some(new.kid.clone()));
        assert_eq!(at(2_000), None);
        assert_eq!(kids(&ring.jwks(Millis(100))).len(), 2);
        assert_eq!(kids(&ring.jwks(Millis(1_000))), [new.kid.as_str()]);
        let claims = Map::new();
        let token = ring.sign(Algorithm::Es256, "at+jwt", &claims, Millis(499)).unwrap();
        assert_eq!(ring.prove(&token, &["at+jwt"], Millis(999)), Ok(claims));
        assert_eq!(ring.prove(&token, &["at+jwt"], Millis(1_000)), Err(Flaw::Key));
        assert_eq!(ring.prove(&token, &["jwt"], Millis(999)), Err(Flaw::Type), "requirement 44");
        assert_eq!(ring.sign(Algorithm::EdDsa, "jwt", &Map::new(), Millis(499)), Err(Flaw::Key));
    }

    /// Goal: a key set shows no private part, and says what each key is for.
    #[test]
    fn a_key_set_is_public() {
        let keys = Algorithm::ALL.map(|algorithm| key(algorithm, 0, 1_000));
        let jwks = Ring::new(keys).jwks(Millis(1));
        for jwk in jwks["keys"].as_array().unwrap() {
            assert_eq!(jwk["use"], "sig");
            for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
                assert!(jwk.get(private).is_none(), "{private}");
            }
        }
        assert_eq!(kids(&jwks).len(), 3);
    }
}

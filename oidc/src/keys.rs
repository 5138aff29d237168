//! The provider's signing keys: which one signs now, which ones are published, which ones still check.
//!
//! A key is published before it signs, so that whoever keeps the key set for a while knows it in time, and checks for
//! longer than the longest token that it signed. When keys are made and withdrawn is decided in `directory::grant`; after an
//! emergency roll what the others signed is void in that moment, because they are gone from here. Pure, but for the memory of
//! what was signed or proven lately ([`Recent`]): the same token comes again and again, and its signature is the dearest part
//! of a request.

use crate::jose::jws::{self, Unproven};
use crate::jose::sign::SigningKey;
use crate::jose::{Algorithm, Flaw};
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Bytes;
use directory::clock::Millis;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Tokens that are remembered as proven, half of them at least.
const REMEMBERED: usize = 16_384;

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
    recent: Arc<Recent>,
    /// The key set as it is sent, and from when to when it is that.
    published: Arc<Mutex<Option<(Millis, Millis, Bytes)>>>,
}

/// SHA-256 of tokens whose signatures are known to be good. It belongs to one ring and goes with it: another ring, after keys
/// have come or gone, knows nothing. That a key is published, and what the claims say, is looked at every time.
#[derive(Default)]
struct Recent(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
}

impl std::fmt::Debug for Recent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

impl Recent {
    fn name(token: &str) -> [u8; 32] {
        digest(&SHA256, token.as_bytes()).as_ref().try_into().unwrap_or([0; 32])
    }

    fn knows(&self, name: &[u8; 32]) -> bool {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young.contains(name) || generations.old.contains(name)
    }

    fn learn(&self, name: [u8; 32]) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.young.len() >= REMEMBERED / 2 {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(name);
    }
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

    /// Signs the claims of a token that will be shown here again.
    ///
    /// # Errors
    /// As [`Ring::sign`].
    pub fn sign_ours(
        &self,
        algorithm: Algorithm,
        typ: &str,
        claims: &Map<String, Value>,
        now: Millis,
    ) -> Result<String, Flaw> {
        let token = self.sign(algorithm, typ, claims, now)?;
        self.recent.learn(Recent::name(&token));
        Ok(token)
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
        let name = Recent::name(token);
        if self.recent.knows(&name) {
            return unproven.claims_again();
        }
        let claims = unproven.prove(key.key.public())?;
        self.recent.learn(name);
        Ok(claims)
    }

    /// The key set (RFC 7517 §5): what checks now and what will sign soon; never a private part.
    pub fn jwks(&self, now: Millis) -> Value {
        let mut published: Vec<&Key> = self.keys.iter().filter(|key| key.is_published(now)).collect();
        published.sort_by(|a, b| (b.use_from, &a.kid).cmp(&(a.use_from, &b.kid)));
        json!({"keys": published.iter().map(|key| key.key.public().to_jwk(&key.kid)).collect::<Vec<_>>()})
    }

    /// The key set as it is sent: written once, until a key is withdrawn.
    pub fn jwks_octets(&self, now: Millis) -> Bytes {
        let mut kept = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, octets)) = kept.as_ref().filter(|(from, until, _)| *from <= now && now < *until) {
            return octets.clone();
        }
        let until = self.keys.iter().map(|key| key.retire_at).filter(|end| now < *end).min().unwrap_or(Millis::MAX);
        let octets = Bytes::from(self.jwks(now).to_string());
        *kept = Some((now, until, octets.clone()));
        octets
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

    /// Goal: what was proven once is not believed in another ring, nor with one octet changed, nor after its key has gone.
    #[test]
    fn what_is_remembered_proves_nothing_else() {
        let (signs, other) = (key(Algorithm::Es256, 0, 1_000), key(Algorithm::Es256, 1, 1_000));
        let ring = Ring::new([signs.clone()]);
        let mut claims = Map::new();
        claims.insert("sub".into(), "ada".into());
        let token = ring.sign_ours(Algorithm::Es256, "at+jwt", &claims, Millis(1)).unwrap();
        let proven = |ring: &Ring, token: &str, now| ring.prove(token, &["at+jwt"], Millis(now));
        assert_eq!(proven(&ring, &token, 2), Ok(claims.clone()));
        assert_eq!(proven(&ring, &token, 1_000), Err(Flaw::Key));
        assert_eq!(ring.prove(&token, &["jwt"], Millis(2)), Err(Flaw::Type));
        assert_eq!(proven(&Ring::new([other]), &token, 2), Err(Flaw::Key));
        let signs_again = Ring::new([signs]);
        assert_eq!(proven(&signs_again, &token, 2), Ok(claims.clone()));
        claims.insert("sub".into(), "eve".into());
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        parts[1] = crate::jose::encode(serde_json::to_vec(&claims).unwrap());
        assert_eq!(proven(&ring, &parts.join("."), 2), Err(Flaw::Signature));
        // The memory is bounded: the oldest half goes, and is proven anew.
        for number in 0..REMEMBERED {
            ring.recent.learn(Recent::name(&number.to_string()));
        }
        assert!(!ring.recent.knows(&Recent::name(&token)));
        assert!(proven(&ring, &token, 2).is_ok() && ring.recent.knows(&Recent::name(&token)));
    }

    /// Goal: the key set that is kept is the one that would be made now.
    #[test]
    fn the_kept_key_set_is_the_present_one() {
        let ring = Ring::new([key(Algorithm::Es256, 0, 500), key(Algorithm::EdDsa, 0, 1_000)]);
        for now in [0, 1, 499, 500, 499, 999, 1_000, 0] {
            let kept: Value = serde_json::from_slice(&ring.jwks_octets(Millis(now))).unwrap();
            assert_eq!(kept, ring.jwks(Millis(now)), "at {now}");
        }
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

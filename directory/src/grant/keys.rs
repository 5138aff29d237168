//! The keys that tokens are signed with: made here, sealed at rest, rolled before they are old.
//!
//! ```text
//! made ─▶ published ──(LEAD)──▶ signs ──(AGE)──▶ a successor signs, published yet ──(OVERLAP)──▶ retired, gone
//! emergency: the successors sign at once, the others are gone at once
//! ```

use super::apply::GrantOp;
use super::draw_id;
use crate::change::{Op, prepare};
use crate::clock::{Millis, Now, Span};
use crate::context::{Actor, Context};
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::store::codec;
use crate::store::tables::meta;
use crate::store::view::View;
use crate::token::TokenId;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// So long a key is published before it signs: whoever keeps our key set looks again by then.
pub const LEAD: Span = Span::from_hours(24);
/// So long a key signs.
pub const AGE: Span = Span::from_days(90);
/// So long a key is published after its successor signs: longer than any signed token lives.
pub const OVERLAP: Span = Span::from_days(2);

/// How a key signs (RFC 7518 §3.1, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];

    /// The name in `alg`.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Es256 => "ES256",
            Algorithm::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of that name.
    pub fn from_name(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// A new key, PKCS #8.
    ///
    /// # Errors
    /// `Store` when the system has no randomness to give.
    pub fn generate(self) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let refused = |_| Refusal::new(Reason::Store, "no key could be made");
        match self {
            Algorithm::Rs256 => {
                let key = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).map_err(refused)?;
                let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().map_err(refused)?;
                Ok(Zeroizing::new(der.as_ref().to_vec()))
            }
            Algorithm::Es256 => {
                let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(refused)?;
                let der = key.to_pkcs8v1().map_err(refused)?;
                Ok(Zeroizing::new(der.as_ref().to_vec()))
            }
            Algorithm::EdDsa => {
                let key = Ed25519KeyPair::generate().map_err(refused)?;
                let der = key.to_pkcs8().map_err(refused)?;
                Ok(Zeroizing::new(der.as_ref().to_vec()))
            }
        }
    }
}

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredKey {
    /// Its number; `kid` is the text of it.
    pub id: u64,
    /// How it signs.
    pub algorithm: Algorithm,
    /// Made (`wall`).
    pub created: Millis,
    /// Signs from then on (`wall`).
    pub use_from: Millis,
    /// Gone from then on (`wall`).
    pub retire_at: Option<Millis>,
    /// PKCS #8, sealed.
    pub(crate) sealed: Vec<u8>,
}

/// A key, opened.
#[derive(Clone)]
pub struct SigningKey {
    /// `kid`.
    pub kid: String,
    /// How it signs.
    pub algorithm: Algorithm,
    /// Made (`wall`).
    pub created: Millis,
    /// Signs from then on (`wall`).
    pub use_from: Millis,
    /// Gone from then on (`wall`).
    pub retire_at: Option<Millis>,
    /// PKCS #8.
    pub pkcs8: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({} {})", self.algorithm.name(), self.kid)
    }
}

impl SigningKey {
    /// Whether it is published at this moment.
    pub fn is_published(&self, wall: Millis) -> bool {
        self.retire_at.is_none_or(|at| wall < at)
    }
}

/// The key that signs at this moment: the youngest whose time has come.
pub fn signer(keys: &[SigningKey], algorithm: Algorithm, wall: Millis) -> Option<&SigningKey> {
    let of_it = keys.iter().filter(|key| key.algorithm == algorithm && key.is_published(wall));
    of_it.filter(|key| key.use_from <= wall).max_by_key(|key| (key.use_from, key.created))
}

/// The opened keys, and the generation of the table that they are of.
#[derive(Default)]
pub(crate) struct KeyRing(Mutex<Option<(u64, Arc<Vec<SigningKey>>)>>);

impl Directory {
    /// The keys, the oldest first. The same list for everybody until a key comes or goes.
    ///
    /// # Errors
    /// `Store`, also when the seal key is not the one that they were sealed with.
    pub fn signing_keys(&self) -> Result<Arc<Vec<SigningKey>>, Refusal> {
        let snapshot = self.snapshot()?;
        let generation = snapshot.as_ref().meta_u64(meta::KEYS)?.unwrap_or(0);
        let mut ring = self.inner().ring.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, keys)) = ring.as_ref()
            && *known == generation
        {
            return Ok(keys.clone());
        }
        let mut keys = Vec::new();
        for stored in stored_keys(snapshot.as_ref())? {
            keys.push(SigningKey {
                kid: kid(stored.id),
                algorithm: stored.algorithm,
                created: stored.created,
                use_from: stored.use_from,
                retire_at: stored.retire_at,
                pkcs8: self.seal_key()?.open(&place(stored.id), &stored.sealed)?,
            });
        }
        let keys = Arc::new(keys);
        *ring = Some((generation, keys.clone()));
        Ok(keys)
    }

    /// Makes a successor for every key that signs. In an emergency it signs at once and the others are gone.
    ///
    /// # Errors
    /// `NotAllowed` for anybody but a system administrator, `Unwilling` without the seal key.
    pub async fn roll_keys(&self, context: &Context, emergency: bool) -> Result<Vec<String>, Refusal> {
        let wall = context.now.wall;
        let (use_from, retire) = if emergency {
            (wall, wall)
        } else {
            let use_from = wall.saturating_add(LEAD);
            (use_from, use_from.saturating_add(OVERLAP))
        };
        self.make_keys(context, &Algorithm::ALL, use_from, retire).await
    }

    /// Makes the first keys of a new store, successors of those that are old, and removes the retired. Called at the
    /// start and by the sweep.
    ///
    /// # Errors
    /// `Unwilling` without the seal key; `Busy`, `Store`.
    pub async fn turn_keys(&self) -> Result<(), Refusal> {
        let now = self.now();
        let context = self.internal(now);
        let keys = self.signing_keys()?;
        let youngest = |algorithm| keys.iter().filter(move |k| k.algorithm == algorithm).max_by_key(|k| k.use_from);
        let missing: Vec<_> = Algorithm::ALL.into_iter().filter(|a| youngest(*a).is_none()).collect();
        if !missing.is_empty() {
            self.make_keys(&context, &missing, now.wall, now.wall).await?;
        }
        if now.frozen() {
            return Ok(());
        }
        let is_old = |key: &SigningKey| now.wall.saturating_add(LEAD).since(key.use_from) >= AGE;
        let old: Vec<_> = Algorithm::ALL.into_iter().filter(|a| youngest(*a).is_some_and(is_old)).collect();
        if !old.is_empty() {
            let use_from = now.wall.saturating_add(LEAD);
            self.make_keys(&context, &old, use_from, use_from.saturating_add(OVERLAP)).await?;
        }
        if keys.iter().any(|key| !key.is_published(now.wall)) {
            self.grant_as(&context, GrantOp::RetireKeys).await?;
        }
        Ok(())
    }

    async fn make_keys(
        &self,
        context: &Context,
        algorithms: &[Algorithm],
        use_from: Millis,
        retire: Millis,
    ) -> Result<Vec<String>, Refusal> {
        // Refused before the work, and again where the order is.
        if context.actor != Actor::System && !self.rights(self.snapshot()?.as_ref(), context.actor)?.is_system() {
            return Err(Refusal::not_allowed());
        }
        let (mut ops, mut made) = (Vec::new(), Vec::new());
        for algorithm in algorithms.iter().copied() {
            // Finding primes takes a while, and does not belong on a thread that serves others.
            let pkcs8 = tokio::task::spawn_blocking(move || algorithm.generate()).await;
            let pkcs8 = pkcs8.map_err(|_| Refusal::new(Reason::Busy, "the server is shutting down"))??;
            let id = draw_id(&self.inner().random, context.now.wall);
            let sealed = self.seal_key()?.seal(&self.inner().random, &place(id), &pkcs8)?;
            let key = StoredKey { id, algorithm, created: context.now.wall, use_from, retire_at: None, sealed };
            made.push(kid(id));
            ops.push(Op::Grant(Box::new(GrantOp::AddKey { key: Box::new(key), retire })));
        }
        self.submit(prepare::write_set(&self.inner().random, context, ops)).await?;
        Ok(made)
    }
}

/// The stored keys, the oldest first.
pub(crate) fn stored_keys(view: &impl View) -> Result<Vec<StoredKey>, Refusal> {
    let mut keys = Vec::new();
    for item in redb::ReadableTable::range::<u64>(view.signing_keys()?, ..)? {
        keys.push(codec::decode(item?.1.value())?);
    }
    Ok(keys)
}

fn kid(id: u64) -> String {
    TokenId(id).to_string()
}

fn place(id: u64) -> String {
    format!("signing-keys/{id}")
}

/// Whether a key is gone at this moment.
pub(crate) fn is_retired(key: &StoredKey, now: &Now) -> bool {
    key.retire_at.is_some_and(|at| at <= now.wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: of several keys the youngest whose time has come signs, and never a retired one.
    #[test]
    fn the_youngest_key_whose_time_has_come_signs() {
        let key = |kid: &str, from: i64, until: Option<i64>| SigningKey {
            kid: kid.into(),
            algorithm: Algorithm::Es256,
            created: Millis(0),
            use_from: Millis(from),
            retire_at: until.map(Millis),
            pkcs8: Zeroizing::default(),
        };
        let keys = [key("a", 0, Some(50)), key("b", 20, None), key("c", 90, None)];
        for (wall, expected) in [(-1, None), (0, Some("a")), (19, Some("a")), (20, Some("b")), (90, Some("c"))] {
            assert_eq!(signer(&keys, Algorithm::Es256, Millis(wall)).map(|k| k.kid.as_str()), expected, "{wall}");
        }
        assert!(signer(&keys[..1], Algorithm::Es256, Millis(50)).is_none());
        assert!(signer(&keys, Algorithm::Rs256, Millis(30)).is_none());
    }

    /// Goal: every algorithm makes keys that its own signer accepts.
    #[test]
    fn keys_are_what_they_say() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            let der = algorithm.generate().unwrap();
            let good = match algorithm {
                Algorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).is_ok(),
                _ => Ed25519KeyPair::from_pkcs8(&der).is_ok(),
            };
            assert!(good && Algorithm::from_name(algorithm.name()) == Some(algorithm));
        }
    }
}

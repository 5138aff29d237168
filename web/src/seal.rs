//! Values that leave the server and come back unchanged: sealed, each for one purpose, with an end.
//!
//! Owns the key and the form `base64url(nonce ‖ AEAD(time ‖ value))`, in AES-256-GCM-SIV (RFC 8452): a nonce drawn twice tells
//! no more than that two values were equal. The purpose is associated data, so that a value sealed for one cannot be used
//! for another. Knows no value's meaning: `return_to` and `progress` do.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use directory::clock::{Millis, Span};
use directory::handle::Directory;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Characters of a sealed value that are looked at.
pub const LONGEST: usize = 24 * 1024;

/// The keys of the pages.
pub struct Sealer {
    sealing: LessSafeKey,
    marking: hmac::Key,
}

impl Sealer {
    /// With keys that follow from this one; whoever has it can make sealed values. None: the cryptographic library refuses.
    pub fn new(key: &[u8; 32]) -> Option<Sealer> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, key);
        let sealing = hmac::sign(&root, b"rollbook web: sealing");
        let marking = hmac::sign(&root, b"rollbook web: marking");
        let sealing = UnboundKey::new(&AES_256_GCM_SIV, sealing.as_ref()).ok()?;
        let marking = hmac::Key::new(hmac::HMAC_SHA256, marking.as_ref());
        Some(Sealer { sealing: LessSafeKey::new(sealing), marking })
    }

    /// Seals a value until `now + lasting`. None when it is too long to come back.
    pub fn seal<T: Serialize>(
        &self,
        directory: &Directory,
        purpose: &str,
        value: &T,
        now: Millis,
        lasting: Span,
    ) -> Option<String> {
        let mut octets = now.saturating_add(lasting).0.to_be_bytes().to_vec();
        octets.extend(postcard::to_allocvec(value).ok()?);
        let nonce: [u8; NONCE_LEN] = directory.random_bytes();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.sealing.seal_in_place_append_tag(unique, Aad::from(purpose), &mut octets).ok()?;
        let mut whole = nonce.to_vec();
        whole.extend(octets);
        let text = BASE64.encode(whole);
        (text.len() <= LONGEST).then_some(text)
    }

    /// Opens what was sealed for this purpose and has not ended.
    pub fn open<T: DeserializeOwned>(&self, purpose: &str, text: &str, now: Millis) -> Option<T> {
        if text.len() > LONGEST {
            return None;
        }
        let mut whole = BASE64.decode(text).ok()?;
        let (nonce, octets) = whole.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.sealing.open_in_place(nonce, Aad::from(purpose), octets).ok()?;
        let (end, value) = opened.split_first_chunk::<8>()?;
        if i64::from_be_bytes(*end) < now.0 {
            return None;
        }
        postcard::from_bytes(value).ok()
    }

    /// A mark that only this server can make, over parts that cannot run into each other.
    pub fn mark(&self, purpose: &str, parts: &[&str]) -> String {
        let mut context = hmac::Context::with_key(&self.marking);
        for part in std::iter::once(&purpose).chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        BASE64.encode(context.sign())
    }
}

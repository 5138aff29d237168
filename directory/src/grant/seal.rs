//! Sealing at rest: signing keys, TOTP seeds and secrets of upstream providers are readable with the seal key alone.
//!
//! AES-256-GCM-SIV (RFC 8452: a nonce drawn twice gives away that two texts are equal, and nothing else), the row's
//! identity as associated data, so that a sealed value moved to another row does not open. The key lies in a file of its
//! own, beside the store or where `server.seal_key_file` says; the store remembers which key it was, so that a lost or
//! wrong file is told from damage and never papered over by a new key.
//!
//! Keys of other uses follow from it (HKDF, RFC 5869), so that a data directory has one secret file and no more.
//!
//! Form of a value: version 1 | nonce (12 bytes) | ciphertext and tag (16 bytes).

use crate::error::{Reason, Refusal};
use crate::random::Random;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The key's file beside a store.
pub const FILE: &str = "seal.key";
const VERSION: u8 = 1;
/// The longest file that is looked at.
const LONGEST: u64 = 4_096;

/// A key, and what it is known by.
pub struct SealKey {
    key: LessSafeKey,
    root: Prk,
    id: [u8; 8],
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(…)")
    }
}

impl SealKey {
    /// Of 32 random bytes.
    ///
    /// # Errors
    /// When the cipher refuses them, which it does for no 32 bytes.
    pub fn of(bytes: &[u8; 32]) -> Result<SealKey, Refusal> {
        let key =
            UnboundKey::new(&AES_256_GCM_SIV, bytes).map_err(|_| failed("the seal key does not fit the cipher"))?;
        let digest: [u8; 32] = Sha256::new().chain_update(b"rollbook seal key\0").chain_update(bytes).finalize().into();
        let id = digest.first_chunk::<8>().copied().unwrap_or_default();
        let root = Salt::new(HKDF_SHA256, b"rollbook seal key").extract(bytes);
        Ok(SealKey { key: LessSafeKey::new(key), root, id })
    }

    /// What the store remembers of it: says which key it was, and nothing about it.
    pub fn id(&self) -> [u8; 8] {
        self.id
    }

    /// The key of another use: the same as long as this key is, and nothing about this one or that of a third use.
    ///
    /// # Errors
    /// When the cryptographic library refuses, which it does for no purpose.
    pub fn derive(&self, purpose: &str) -> Result<Zeroizing<[u8; 32]>, Refusal> {
        let mut key = Zeroizing::new([0; 32]);
        let expanded = self.root.expand(&[purpose.as_bytes()], HKDF_SHA256).and_then(|okm| okm.fill(key.as_mut()));
        expanded.map_err(|_| failed("a key could not be derived"))?;
        Ok(key)
    }

    /// Seals a secret for one place: the table and the row.
    ///
    /// # Errors
    /// When it is too long for the cipher.
    pub fn seal(&self, random: &Random, place: &str, secret: &[u8]) -> Result<Vec<u8>, Refusal> {
        let nonce = random.bytes::<NONCE_LEN>();
        let mut text = Zeroizing::new(secret.to_vec());
        let (nonce_of, place) = (Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()));
        let tag = self.key.seal_in_place_separate_tag(nonce_of, place, &mut text);
        let tag = tag.map_err(|_| failed("a secret could not be sealed"))?;
        Ok([&[VERSION], nonce.as_slice(), &text, tag.as_ref()].concat())
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// `Store` when it was not, or has been changed.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let damaged = || failed(&format!("what is sealed at {place} does not open"));
        let (version, rest) = sealed.split_first().ok_or_else(damaged)?;
        let (nonce, text) =
            rest.split_first_chunk::<NONCE_LEN>().filter(|_| *version == VERSION).ok_or_else(damaged)?;
        let mut text = Zeroizing::new(text.to_vec());
        let (nonce, aad) = (Nonce::assume_unique_for_key(*nonce), Aad::from(place.as_bytes()));
        let length = self.key.open_in_place(nonce, aad, &mut text).map_err(|_| damaged())?.len();
        text.truncate(length);
        Ok(text)
    }
}

/// Where the key is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// In this file; made when it is missing and the store has never had a key.
    File(PathBuf),
    /// Given by whoever opens the store: tests, and programs that keep it elsewhere.
    Given([u8; 32]),
    /// Nowhere: drawn for this run, for a store in memory.
    Nowhere,
}

/// Reads the key, or makes it for a store that knows none. `known` is what the store remembers.
///
/// # Errors
/// In words: why there is no key, for the log and for whoever asks for a sealed secret.
pub fn ready(place: &Place, known: Option<[u8; 8]>, random: &Random) -> Result<SealKey, String> {
    let bytes = match place {
        Place::Nowhere => Zeroizing::new(random.bytes()),
        Place::Given(bytes) => Zeroizing::new(*bytes),
        Place::File(path) => {
            let shown = path.display();
            match read(path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound && known.is_none() => {
                    let bytes = Zeroizing::new(random.bytes());
                    make(path, &bytes).map_err(|error| format!("the seal key {shown} could not be made: {error}"))?;
                    bytes
                }
                Err(error) => return Err(format!("the seal key {shown} could not be read: {error}")),
            }
        }
    };
    let key = SealKey::of(&bytes).map_err(|refusal| refusal.message)?;
    if known.is_some_and(|known| known != key.id) {
        return Err("the seal key is not the one that the secrets of this store are sealed with".to_owned());
    }
    Ok(key)
}

/// Reads a key's file: 32 bytes, or their base64url text.
fn read(path: &Path) -> io::Result<Zeroizing<[u8; 32]>> {
    let file = std::fs::File::open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the seal key can be read by others than its owner");
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LONGEST).read_to_end(&mut bytes)?;
    if let Ok(raw) = <[u8; 32]>::try_from(bytes.as_slice()) {
        return Ok(Zeroizing::new(raw));
    }
    let decoded = URL_SAFE_NO_PAD.decode(bytes.trim_ascii()).map(Zeroizing::new).ok();
    let raw = decoded.and_then(|decoded| <[u8; 32]>::try_from(decoded.as_slice()).ok());
    raw.map(Zeroizing::new).ok_or_else(|| io::Error::other("it is neither 32 bytes nor their base64url text"))
}

/// Makes a key's file whole, or not at all; nobody but its owner may read it.
fn make(path: &Path, bytes: &[u8; 32]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let unfinished = PathBuf::from(name);
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(Zeroizing::new(format!("{}\n", URL_SAFE_NO_PAD.encode(bytes))).as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(parent)?.sync_all()
}

fn failed(why: &str) -> Refusal {
    Refusal::new(Reason::Store, "the store failed").with_detail(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what is sealed opens at its place with its key, and nowhere else, and not when a bit is changed.
    #[test]
    fn sealed_values_open_at_their_place_alone() {
        let random = Random::from_seed(9);
        let (key, other) = (SealKey::of(&[1; 32]).unwrap(), SealKey::of(&[2; 32]).unwrap());
        let sealed = key.seal(&random, "factors/7", b"a seed").unwrap();
        assert_eq!(key.open("factors/7", &sealed).unwrap().as_slice(), b"a seed");
        assert_ne!(sealed, key.seal(&random, "factors/7", b"a seed").unwrap(), "a nonce each");
        assert!(key.open("factors/8", &sealed).is_err() && other.open("factors/7", &sealed).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(key.open("factors/7", &changed).is_err(), "byte {place}");
            assert!(key.open("factors/7", &sealed[..place]).is_err(), "cut at {place}");
        }
        assert_ne!(key.id(), other.id());
    }

    /// Goal: a derived key is the same at every start, and another for every use and every seal key.
    #[test]
    fn derived_keys() {
        let (key, again, other) =
            (SealKey::of(&[1; 32]).unwrap(), SealKey::of(&[1; 32]).unwrap(), SealKey::of(&[2; 32]).unwrap());
        let pages = key.derive("pages").unwrap();
        assert_eq!(pages, again.derive("pages").unwrap());
        for another in [key.derive("page").unwrap(), other.derive("pages").unwrap(), Zeroizing::new([1; 32])] {
            assert_ne!(pages, another);
        }
    }

    /// Goal: a key is made once, for its owner alone; a lost or another one is told, and never replaced.
    #[test]
    fn a_lost_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (path, random) = (folder.path().join(FILE), Random::from_seed(9));
        let place = Place::File(path.clone());
        let made = ready(&place, None, &random).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(ready(&place, Some(made.id()), &random).unwrap().id(), made.id());
        assert!(ready(&place, Some([0; 8]), &random).unwrap_err().contains("not the one"));
        std::fs::remove_file(&path).unwrap();
        assert!(ready(&place, Some(made.id()), &random).unwrap_err().contains("could not be read"));
        assert!(!path.exists());
        std::fs::write(&path, [7; 32]).unwrap();
        assert_eq!(ready(&place, None, &random).unwrap().id(), SealKey::of(&[7; 32]).unwrap().id());
        std::fs::write(&path, "nothing").unwrap();
        assert!(ready(&place, None, &random).is_err());
    }
}

//! Cursors of pages: RFC 9865.
//!
//! Owns their form: where the next page begins, sealed with a key that only the service provider has and bound to the query
//! and the token that it was given to. A cursor keeps no state on the server, tells nothing, cannot be made up, and is good
//! for no other query. It is made of unreserved characters of URLs.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::{ScimError, ScimType};

/// The longest cursor, in characters.
pub const MAX_LENGTH: usize = 2_048;
/// The longest sort key that a cursor carries, in octets.
pub const MAX_KEY: usize = 1_024;

const VERSION: u8 = 1;
/// Version, time and last resource.
const FIXED: usize = 17;

/// Where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The last resource of this page.
    pub last: u64,
    /// What it was sorted by, when the query sorts: at most [`MAX_KEY`] octets.
    pub key: Vec<u8>,
}

/// What a cursor is good for: the query, the resource type, the token. Equal bindings come from equal parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding([u8; 32]);

impl Binding {
    /// The binding of these parts, in this order.
    pub fn of(parts: &[&[u8]]) -> Binding {
        let mut context = Context::new(&SHA256);
        for part in parts {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            context.update(&length.to_be_bytes());
            context.update(part);
        }
        Binding(context.finish().as_ref().first_chunk().copied().unwrap_or_default())
    }
}

/// Seals cursors; lives as long as the process.
pub struct CursorKey(RandomizedNonceKey);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey")
    }
}

impl CursorKey {
    /// A key of 32 random octets; none when the library does not take it.
    pub fn new(octets: &[u8; 32]) -> Option<CursorKey> {
        RandomizedNonceKey::new(&AES_256_GCM, octets).ok().map(CursorKey)
    }

    /// The cursor of a position. `now` is in seconds since 1970. None when the key is too long, or nothing could be sealed.
    pub fn seal(&self, position: &Position, binding: &Binding, now: u64) -> Option<String> {
        if position.key.len() > MAX_KEY {
            return None;
        }
        let mut sealed = vec![VERSION];
        sealed.extend(now.to_be_bytes());
        sealed.extend(position.last.to_be_bytes());
        sealed.extend(&position.key);
        let nonce = self.0.seal_in_place_append_tag(Aad::from(binding.0), &mut sealed).ok()?;
        let mut cursor = nonce.as_ref().to_vec();
        cursor.extend(sealed);
        Some(URL_SAFE_NO_PAD.encode(cursor))
    }

    /// The position of a cursor that is not older than `lifetime` seconds.
    ///
    /// # Errors
    /// 400 `invalidCursor` for what was not sealed with this key for this query, 400 `expiredCursor` for what is too old.
    pub fn open(&self, cursor: &str, binding: &Binding, now: u64, lifetime: u64) -> Result<Position, ScimError> {
        let (position, issued) = self
            .unseal(cursor, binding)
            .ok_or_else(|| ScimError::of(ScimType::InvalidCursor, "the cursor is none of this query: begin again"))?;
        if now.saturating_sub(issued) > lifetime {
            return Err(ScimError::of(ScimType::ExpiredCursor, "the cursor is too old: begin again"));
        }
        Ok(position)
    }

    fn unseal(&self, cursor: &str, binding: &Binding) -> Option<(Position, u64)> {
        if cursor.len() > MAX_LENGTH {
            return None;
        }
        let mut sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let nonce: [u8; NONCE_LEN] = *sealed.first_chunk()?;
        let rest = sealed.get_mut(NONCE_LEN..)?;
        let plain = self.0.open_in_place(Nonce::from(&nonce), Aad::from(binding.0), rest).ok()?;
        let (fixed, key) = plain.split_first_chunk::<FIXED>()?;
        let (version, numbers) = fixed.split_first()?;
        let (issued, last) = (numbers.first_chunk::<8>()?, numbers.last_chunk::<8>()?);
        let position = Position { last: u64::from_be_bytes(*last), key: key.to_vec() };
        (*version == VERSION).then(|| (position, u64::from_be_bytes(*issued)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_query_only() {
        // Goal: RFC 9865 §2: forged, altered, shortened and foreign cursors are invalidCursor, old ones expiredCursor.
        let key = CursorKey::new(&[1; 32]).unwrap();
        let own = Binding::of(&[b"User", b"userName pr", b"token-1"]);
        let position = Position { last: 99, key: b"bjensen".to_vec() };
        let cursor = key.seal(&position, &own, 1_000).unwrap();
        assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{cursor}");
        assert_eq!(key.open(&cursor, &own, 1_600, 600), Ok(position.clone()));
        assert_eq!(key.open(&cursor, &own, 900, 600), Ok(position.clone()), "a clock set back expires nothing");
        let refused = |key: &CursorKey, cursor: &str, binding: &Binding, now| {
            key.open(cursor, binding, now, 600).unwrap_err().scim_type.unwrap().name()
        };
        assert_eq!(refused(&key, &cursor, &own, 1_601), "expiredCursor");
        for foreign in [
            Binding::of(&[b"User", b"userName pr", b"token-2"]),
            Binding::of(&[b"Use", b"ruserName pr", b"token-1"]),
            Binding::of(&[]),
        ] {
            assert_eq!(refused(&key, &cursor, &foreign, 1_000), "invalidCursor");
        }
        assert_eq!(refused(&CursorKey::new(&[2; 32]).unwrap(), &cursor, &own, 1_000), "invalidCursor");
        for at in 0..cursor.len() {
            let mut altered = cursor.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            // The last character has bits that say nothing: those that do not decode are refused, all others are the same.
            if key.open(&altered, &own, 1_000, 600).is_ok() {
                assert_eq!(at, cursor.len() - 1);
            }
            assert_eq!(refused(&key, cursor.split_at(at).0, &own, 1_000), "invalidCursor");
        }
        for junk in ["x", "+/+/", "%00", &"A".repeat(5_000)] {
            assert_eq!(refused(&key, junk, &own, 1_000), "invalidCursor");
        }
        assert_ne!(key.seal(&position, &own, 1_000).unwrap(), cursor, "two cursors do not tell that they are the same");
        assert!(key.seal(&Position { last: 1, key: vec![0; MAX_KEY + 1] }, &own, 0).is_none());
        let longest = key.seal(&Position { last: 1, key: vec![0; MAX_KEY] }, &own, 0).unwrap();
        assert!(longest.len() <= MAX_LENGTH);
    }
}

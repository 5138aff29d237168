//! The written form of a token: `rbs_ID_SECRET`, 12 characters of id, 43 of secret (base64url, RFC 4648 §5).
//!
//! The prefix lets scanners of source code and logs know what they have found; the id names the token in lists and logs.

use super::TokenId;
use crate::random::Random;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;

/// What every token begins with.
pub const PREFIX: &str = "rbs_";
/// The longest text that is looked at; a token has 60 characters.
const LONGEST: usize = 128;

/// Letters and digits that are not taken for one another: five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A token with its secret, for the one who asked for it. Never logged, never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Of a text that was drawn elsewhere.
    pub(crate) fn of(text: String) -> Secret {
        Secret(text)
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl TokenId {
    /// A new one.
    pub(crate) fn draw(random: &Random) -> TokenId {
        TokenId((u64::from_le_bytes(random.bytes()) >> 4).max(1))
    }

    /// The id of this text.
    pub fn parse(text: &str) -> Option<TokenId> {
        if text.len() != 12 {
            return None;
        }
        let mut id = 0_u64;
        for byte in text.bytes() {
            let digit = ALPHABET.iter().position(|letter| *letter == byte)?;
            id = (id << 5) | digit as u64;
        }
        (id != 0).then_some(TokenId(id))
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..12_u32).rev() {
            let digit = (self.0 >> place.saturating_mul(5)) & 31;
            let letter = usize::try_from(digit).ok().and_then(|d| ALPHABET.get(d)).copied().unwrap_or(b'a');
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

/// Draws a secret: the text that is shown once, and the digest that is stored.
pub(crate) fn draw(random: &Random, id: TokenId) -> (Secret, [u8; 32]) {
    let text = format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(random.bytes::<32>()));
    let digest = digest(&text);
    (Secret(text), digest)
}

/// The stored form of a presented token. The whole text is hashed, so that the id is bound to the secret.
pub(crate) fn digest(presented: &str) -> [u8; 32] {
    let bytes = presented.as_bytes();
    Sha256::digest(bytes.get(..LONGEST).unwrap_or(bytes)).into()
}

/// The id that a presented text names; none: it is no token.
pub(crate) fn id_of(presented: &str) -> Option<TokenId> {
    if presented.len() > LONGEST {
        return None;
    }
    let (id, secret) = presented.strip_prefix(PREFIX)?.split_once('_')?;
    if secret.len() != 43 {
        return None;
    }
    TokenId::parse(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what is drawn is read back, has the length that is promised, and shows itself nowhere.
    #[test]
    fn tokens_are_read_back() {
        let random = Random::from_seed(3);
        for _ in 0..200 {
            let id = TokenId::draw(&random);
            let (secret, stored) = draw(&random, id);
            assert_eq!((secret.expose().len(), id_of(secret.expose())), (60, Some(id)));
            assert_eq!(TokenId::parse(&id.to_string()), Some(id));
            assert_eq!(digest(secret.expose()), stored);
            assert!(!format!("{secret:?}").contains("rbs_"));
        }
    }

    /// Goal: nothing else is a token.
    #[test]
    fn other_texts_are_none() {
        let (secret, _) = draw(&Random::from_seed(3), TokenId(77));
        let good = secret.expose();
        let shorter = good.get(..59).unwrap();
        let texts = ["", "rbs_", "rbs__", "Bearer x", shorter, &good.to_uppercase(), &good.replace("rbs", "rbt")];
        for text in texts.into_iter().chain([good.replacen('_', "-", 2).as_str(), &format!("{good}{good}{good}")]) {
            assert_eq!(id_of(text), None, "{text}");
        }
        for text in ["aaaaaaaaaaaa", "aaaaaaaaaaa", "lllllllllll1", "ääääää"] {
            assert_eq!(TokenId::parse(text), None, "{text}");
        }
    }
}

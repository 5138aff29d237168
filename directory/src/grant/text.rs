//! The written forms of what a browser or application shows: session, code, refresh token.
//!
//! | form | what it is |
//! |---|---|
//! | `rbw_ID_SECRET` | session: 12 characters of id, 43 of secret |
//! | `rbc_SEALED` | code: what it grants, sealed; three hundred characters, more with a long nonce or request of claims |
//! | `rbr_ID_ROOT+SECRET` | refresh token: the root is the family's for ever, the secret changes with every use |
//!
//! All base64url (RFC 4648 §5). A refresh token whose root is right and whose secret is not the present one has been used
//! before: nobody can make one without having held one, so it ends the family and guessing ends nothing.

use super::{FamilyId, SessionId};
use crate::clock::Millis;
use crate::random::Random;
use crate::token::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// What every session secret begins with.
pub const SESSION: &str = "rbw_";
/// What every code begins with.
pub const CODE: &str = "rbc_";
/// What every refresh token begins with.
pub const REFRESH: &str = "rbr_";
/// The longest text that is looked at; the longest of ours, but for codes, has 81 characters.
const LONGEST: usize = 128;
/// The longest code: it goes through addresses, for which 8,000 octets are the least that one may count on (RFC 9110 §4.1).
const LONGEST_CODE: usize = 6_000;

/// The name of a code: when it ends, so that old ones lie together, and SHA-256 of what is sealed.
pub type CodeKey = [u8; 40];

/// SHA-256.
pub(crate) fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// A session's text and the digest that is stored.
pub(crate) fn draw_session(random: &Random, id: SessionId) -> (Secret, [u8; 32]) {
    let text = format!("{SESSION}{id}_{}", URL_SAFE_NO_PAD.encode(random.bytes::<32>()));
    let digest = digest(text.as_bytes());
    (Secret::of(text), digest)
}

/// The session that a text names, and its digest; none: it is no session.
pub(crate) fn session(presented: &str) -> Option<(SessionId, [u8; 32])> {
    let (id, secret) = bounded(presented)?.strip_prefix(SESSION)?.split_once('_')?;
    let id = SessionId::parse(id).filter(|_| secret.len() == 43)?;
    Some((id, digest(presented.as_bytes())))
}

/// A code's text; none: there is too much in it.
pub(crate) fn code_of(sealed: &[u8]) -> Option<Secret> {
    let text = format!("{CODE}{}", URL_SAFE_NO_PAD.encode(sealed));
    (text.len() <= LONGEST_CODE).then(|| Secret::of(text))
}

/// What is sealed in a presented code; none: it is no code. There is one text for it, no other decodes to the same.
pub(crate) fn code(presented: &str) -> Option<Vec<u8>> {
    let text = Some(presented).filter(|text| text.len() <= LONGEST_CODE)?.strip_prefix(CODE)?;
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The name of a code.
pub(crate) fn code_key(expires: Millis, sealed: &[u8]) -> CodeKey {
    let mut key = [0; 40];
    let (head, tail) = key.split_at_mut(8);
    head.copy_from_slice(&u64::try_from(expires.0).unwrap_or(0).to_be_bytes());
    tail.copy_from_slice(&digest(sealed));
    key
}

/// A refresh token taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refresh {
    /// Its family.
    pub id: FamilyId,
    /// SHA-256 of the root, bound to the family.
    pub root: [u8; 32],
    /// SHA-256 of the text.
    pub digest: [u8; 32],
    /// The root itself, for the successor.
    bytes: [u8; 16],
}

/// The first refresh token of a family.
pub(crate) fn draw_refresh(random: &Random, id: FamilyId) -> (Secret, Refresh) {
    next_refresh(random, id, random.bytes())
}

/// The token that takes the place of another.
pub(crate) fn successor(random: &Random, former: &Refresh) -> (Secret, Refresh) {
    next_refresh(random, former.id, former.bytes)
}

fn next_refresh(random: &Random, id: FamilyId, root: [u8; 16]) -> (Secret, Refresh) {
    let parts = [root.as_slice(), &random.bytes::<32>()].concat();
    let text = format!("{REFRESH}{id}_{}", URL_SAFE_NO_PAD.encode(parts));
    let refresh = Refresh { id, root: root_digest(id, &root), digest: digest(text.as_bytes()), bytes: root };
    (Secret::of(text), refresh)
}

/// A presented refresh token; none: it is none.
pub(crate) fn refresh(presented: &str) -> Option<Refresh> {
    let (id, secret) = bounded(presented)?.strip_prefix(REFRESH)?.split_once('_')?;
    let bytes = URL_SAFE_NO_PAD.decode(secret).ok().filter(|bytes| bytes.len() == 48)?;
    let (id, root) = (FamilyId::parse(id)?, *bytes.first_chunk::<16>()?);
    Some(Refresh { id, root: root_digest(id, &root), digest: digest(presented.as_bytes()), bytes: root })
}

fn root_digest(id: FamilyId, root: &[u8; 16]) -> [u8; 32] {
    digest(&[id.0.to_be_bytes().as_slice(), root].concat())
}

fn bounded(presented: &str) -> Option<&str> {
    (presented.len() <= LONGEST).then_some(presented)
}

/// Whether a verifier fits a challenge by the method S256 (RFC 7636 §4.6), and is one at all (§4.1).
pub(crate) fn verifies(challenge: &str, verifier: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
        return false;
    }
    let made = URL_SAFE_NO_PAD.encode(digest(verifier.as_bytes()));
    subtle::ConstantTimeEq::ct_eq(made.as_bytes(), challenge.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what is drawn is read back to the same id and digest, and a successor keeps the root and nothing else.
    #[test]
    fn what_is_drawn_is_read_back() {
        let random = Random::from_seed(4);
        let (text, digest) = draw_session(&random, SessionId(77));
        assert_eq!((text.expose().len(), session(text.expose())), (60, Some((SessionId(77), digest))));
        let text = code_of(b"what it grants").unwrap();
        assert_eq!((text.expose().len(), code(text.expose()).as_deref()), (23, Some(&b"what it grants"[..])));
        assert!(code_of(&[0; 4_497]).is_some() && code_of(&[0; 4_498]).is_none());
        let (text, first) = draw_refresh(&random, FamilyId(78));
        assert_eq!((text.expose().len(), refresh(text.expose())), (81, Some(first)));
        let (text, second) = successor(&random, &first);
        assert_eq!(refresh(text.expose()), Some(second));
        assert_eq!((second.id, second.root), (first.id, first.root));
        assert_ne!(second.digest, first.digest);
        assert!(!format!("{text:?}").contains("rbr_"));
    }

    /// Goal: other texts are nothing, and never a panic.
    #[test]
    fn other_texts_are_none() {
        let random = Random::from_seed(4);
        let texts = [
            draw_session(&random, SessionId(77)).0.expose().to_owned(),
            code_of(b"what it grants").unwrap().expose().to_owned(),
            draw_refresh(&random, FamilyId(78)).0.expose().to_owned(),
        ];
        // What a code is shows when it is opened; here it is that no other text stands for the same.
        let same = |text: &str| code(text).as_deref() == Some(b"what it grants");
        let read = |text: &str| (session(text).is_some(), same(text), refresh(text).is_some());
        assert_eq!(read(&texts[0]), (true, false, false));
        assert_eq!(read(&texts[1]), (false, true, false));
        assert_eq!(read(&texts[2]), (false, false, true));
        for text in &texts {
            for cut in 0..text.len() {
                assert_eq!(read(text.get(..cut).unwrap_or_default()), (false, false, false), "{cut} of {text}");
            }
            for other in [format!("{text}A"), format!(" {text}"), text.to_uppercase(), text.repeat(3), "ä".repeat(64)]
            {
                assert_eq!(read(&other), (false, false, false), "{other}");
            }
        }
    }

    /// Goal: the example of RFC 7636 appendix B fits, and nothing that is no verifier does.
    #[test]
    fn verifiers_fit_their_challenge() {
        let (verifier, challenge) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(verifies(challenge, verifier));
        let long = "a".repeat(129);
        for other in ["", "short", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", challenge, long.as_str()] {
            assert!(!verifies(challenge, other), "{other}");
        }
        let spaced = format!("{} ", "a".repeat(50));
        assert!(!verifies(&URL_SAFE_NO_PAD.encode(digest(spaced.as_bytes())), &spaced));
        let short = "a".repeat(42);
        assert!(!verifies(&URL_SAFE_NO_PAD.encode(digest(short.as_bytes())), &short));
    }
}

//! What a login grants beyond itself: browser sessions, authorization codes, refresh families and what goes with them.
//!
//! ```text
//! sign-in ─▶ session ─▶ code ─(once)─▶ family ─ rotate ─ rotate ─ …
//!              │          └ a second use ends the family    └ an old secret ends the family
//!              └ sign-out, idleness, its greatest age, the account's epoch ─▶ ended, and told (`ended`)
//! ```
//!
//! Every grant carries the epoch of its account. What ends all logins (disabling, deletion, another password, a forced
//! sign-out) raises the epoch, and every grant of an older one is void in that moment; the same write set removes the
//! account's rows, found from the account (`held`), never by a walk over all. A lock raises nothing: what was granted
//! goes on (requirement 2.4). Secrets are 256 random bits, of which SHA-256 is stored.
//!
//! `text` owns the written forms, `session`, `code` and `family` one grant each, `seen` the moment of a session's last
//! use, `ended` the feed, `notice` whom to tell of it, `consent`, `revoked`, `link`, `join`, `factor`, `keys` and `secret` what goes with
//! them, `seal` what is kept sealed,
//! `apply` the write path's steps.

pub(crate) mod apply;
mod code;
mod consent;
pub(crate) mod ended;
pub(crate) mod factor;
mod family;
mod join;
pub(crate) mod keys;
pub(crate) mod link;
pub(crate) mod notice;
mod revoked;
pub mod seal;
pub(crate) mod secret;
pub(crate) mod seen;
mod session;
mod sweep;
pub mod text;
pub(crate) mod totp;

pub use code::{Code, NewCode, Redeemed, Redemption, Spent};
pub use consent::Consent;
pub use ended::{Cause, Ended, What};
pub use factor::{ATTEMPTS as FACTOR_ATTEMPTS, CODES as RECOVERY_CODES, Factors, NewTotp};
pub use family::{Family, FamilyTerms, LiveFamily, NewFamily, Rotated};
pub use join::{Addressed, NewPerson};
pub use keys::{AGE as KEY_AGE, Algorithm, LEAD as KEY_LEAD, OVERLAP as KEY_OVERLAP, SigningKey, signer};
pub use link::{Link, NewLink};
pub use notice::{Notice, NoticeId};
pub use secret::{PREFIX as CLIENT_SECRET, Shown};
pub use session::{LiveSession, NewSession, Session, Upstream};

use crate::clock::{Millis, Span};
use crate::error::{Reason, Refusal};
use crate::random::Random;
use crate::token::TokenId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most sessions of one account; the one that was made first ends when another is begun.
pub const SESSIONS: usize = 100;
/// The most families of one account; the tenth of them that was used longest ago ends when another is issued.
pub const FAMILIES: usize = 100;
/// The most applications that one session remembers.
pub const CLIENTS: usize = 64;
/// The longest life of a session or family.
pub const LONGEST: Span = Span::from_days(400);
/// The longest life of a code.
pub const CODE_LIFE: Span = Span::from_secs(60);
/// How long a code is remembered after its end, so that a late second use is known for one.
pub const CODE_MEMORY: Span = Span::from_mins(15);
/// The longest grace for a refresh whose answer was lost.
pub const GRACE: Span = Span::from_secs(60);
/// The longest text of one part of a grant (a nonce, a redirect URI, a label).
pub const TEXT: usize = 2_048;
/// The longest request of claims that a grant keeps.
pub const CLAIMS: usize = 8_192;
/// The most scopes or methods of one grant.
pub const LIST: usize = 64;

/// Names a session; no secret: the `sid` of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// Names a family; no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FamilyId(pub u64);

impl SessionId {
    /// The id of this text.
    pub fn parse(text: &str) -> Option<SessionId> {
        TokenId::parse(text).map(|id| SessionId(id.0))
    }
}

impl FamilyId {
    /// The id of this text.
    pub fn parse(text: &str) -> Option<FamilyId> {
        TokenId::parse(text).map(|id| FamilyId(id.0))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TokenId(self.0).fmt(f)
    }
}

impl fmt::Display for FamilyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TokenId(self.0).fmt(f)
    }
}

/// An id of 60 bits, later ones above earlier ones: 42 bits of milliseconds, 18 random ones.
pub(crate) fn draw_id(random: &Random, wall: Millis) -> u64 {
    let time = u64::try_from(wall.0).unwrap_or(0) & ((1 << 42) - 1);
    ((time << 18) | (u64::from_le_bytes(random.bytes()) >> 46)).max(1)
}

/// What became of a code or refresh token that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// It is good; it has been used.
    Granted(T),
    /// It is not.
    Refused(Why),
}

impl<T> Answer<T> {
    /// What was granted.
    pub fn granted(self) -> Option<T> {
        match self {
            Answer::Granted(granted) => Some(granted),
            Answer::Refused(_) => None,
        }
    }

    /// Why not.
    pub fn refused(&self) -> Option<Why> {
        match self {
            Answer::Granted(_) => None,
            Answer::Refused(why) => Some(*why),
        }
    }
}

/// Why a grant is not good. For logs; peers are told that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// Nobody knows it.
    Unknown,
    /// Its time has passed.
    Expired,
    /// It has been used before; what it had granted has been revoked.
    Reused,
    /// It is another client's.
    OtherClient,
    /// It was asked for with another redirect URI.
    OtherRedirect,
    /// The verifier does not fit the challenge (RFC 7636 §4.6).
    Verifier,
    /// More than was granted is asked for.
    Scope,
    /// The account admits nothing any more, or its logins have been ended.
    Account,
    /// The session that it depends on has ended.
    Session,
}

impl Why {
    /// In words, for logs.
    pub fn text(self) -> &'static str {
        match self {
            Why::Unknown => "it is not known",
            Why::Expired => "its time has passed",
            Why::Reused => "it has been used before; what it had granted is revoked",
            Why::OtherClient => "it is another client's",
            Why::OtherRedirect => "it was asked for with another redirect URI",
            Why::Verifier => "the verifier does not fit the challenge",
            Why::Scope => "it does not grant this scope",
            Why::Account => "the account admits nothing, or its logins have been ended",
            Why::Session => "its session has ended",
        }
    }
}

/// Stores a [`Span`] as its milliseconds.
pub(crate) mod as_millis {
    use crate::clock::Span;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(span.millis())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        i64::deserialize(deserializer).map(Span::from_millis)
    }
}

/// Whether everything that a peer could make long is not.
pub(crate) fn check_texts<'a>(texts: impl IntoIterator<Item = &'a str>, most: usize) -> Result<(), Refusal> {
    for text in texts {
        if text.len() > most || text.chars().any(char::is_control) {
            let why = format!("a text of a grant is longer than {most} bytes, or holds control characters");
            return Err(Refusal::new(Reason::Constraint, why));
        }
    }
    Ok(())
}

/// Whether a list is not too long, nor one of its texts.
pub(crate) fn check_list(list: &[String]) -> Result<(), Refusal> {
    if list.len() > LIST {
        return Err(Refusal::new(Reason::Constraint, format!("a list of a grant has more than {LIST} parts")));
    }
    check_texts(list.iter().map(String::as_str), 256)
}

/// Whether a span is within what a grant may live.
pub(crate) fn check_life(span: Span) -> Result<(), Refusal> {
    if span < Span::from_secs(1) || span > LONGEST {
        return Err(Refusal::new(Reason::Constraint, "a grant lives between a second and 400 days"));
    }
    Ok(())
}

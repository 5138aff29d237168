//! Why a sign-in at a provider is not taken: one variant for each check that can refuse.
//!
//! The texts are ours from end to end. The few that carry something of the other side carry a code of it that has been
//! looked at ([`plain`]), never a description, a claim or a header (R15).

use crate::fetch::Failure;
use crate::jose::Flaw;

/// What refused. For the log and for `login explain`; the person is told that the sign-in did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The provider's entry lacks something, or says what cannot be used.
    #[error("the provider is not set up: {0}")]
    Setup(&'static str),
    /// The answer belongs to another question, or to none (R1).
    #[error("the answer's state is not that of the question")]
    State,
    /// The answer is longer than any that we take, or has neither a code nor an error.
    #[error("the answer is malformed: {0}")]
    Answer(&'static str),
    /// The answer says that it is from another issuer, or does not say from which although it must (R3, RFC 9207).
    #[error("the answer does not come from the issuer that was asked")]
    AnswerIssuer,
    /// The provider answered with an error; its code, if that is one (R15).
    #[error("the provider answered with an error: {0}")]
    Denied(String),
    /// The provider could not be asked (R17).
    #[error("the provider could not be asked for its {what}: {failure}")]
    Fetch {
        /// For what.
        what: What,
        /// Why not.
        failure: Failure,
    },
    /// The provider answered something other than 200, or something other than the document that belongs there.
    #[error("the provider's {what} cannot be used: {why}")]
    Document {
        /// Which.
        what: What,
        /// Why not.
        why: &'static str,
    },
    /// The metadata is another issuer's (R18, R5).
    #[error("the provider's metadata names another issuer")]
    MetadataIssuer,
    /// The token endpoint refused the code; its error code, if that is one.
    #[error("the token endpoint refused the code: {0}")]
    Refused(String),
    /// The token answer is without an ID token.
    #[error("the token answer has no ID token")]
    NoIdToken,
    /// The ID token is malformed, signed in another way than is allowed, with a key that is not the provider's, or wrongly (R4).
    #[error("the ID token is not taken: {0}")]
    Token(Flaw),
    /// The token is issued by somebody else (R5).
    #[error("the ID token has another issuer")]
    Issuer,
    /// The token is for somebody else, or for several and not for us in the end (R4).
    #[error("the ID token is for another audience")]
    Audience,
    /// The token has expired (R4).
    #[error("the ID token has expired")]
    Expired,
    /// The token is not good yet, or made in the future (R4).
    #[error("the ID token is not good yet")]
    Early,
    /// The token answers another question (R4).
    #[error("the ID token's nonce is not that of the question")]
    Nonce,
    /// The token belongs to another access token (R4).
    #[error("the ID token belongs to another access token")]
    AccessTokenHash,
    /// What the provider tells of the person is about somebody else.
    #[error("the provider's user information is about somebody else")]
    Subject,
    /// The person signed in longer ago than was asked for, or that is not said.
    #[error("the person signed in too long ago, or when is not said")]
    AuthTime,
    /// The tenant may not sign in (R6).
    #[error("the tenant is not among those that may sign in")]
    Tenant,
    /// The hosted domain may not sign in, or the account is of none (R7).
    #[error("the hosted domain is not among those that may sign in")]
    HostedDomain,
    /// A claim that the link is made by is missing or unusable.
    #[error("the claim {0} is missing or cannot be used")]
    Claim(&'static str),
}

/// What the provider is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Its metadata.
    Metadata,
    /// Its key set.
    Keys,
    /// Its token endpoint's answer.
    Tokens,
    /// What it tells of the person.
    UserInfo,
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            What::Metadata => "metadata",
            What::Keys => "key set",
            What::Tokens => "token answer",
            What::UserInfo => "user information",
        })
    }
}

impl Fault {
    /// The rule that refused, as the manual numbers them.
    pub fn rule(&self) -> &'static str {
        match self {
            Fault::State | Fault::Answer(_) => "R1",
            Fault::AnswerIssuer => "R3",
            Fault::NoIdToken
            | Fault::Token(_)
            | Fault::Audience
            | Fault::Expired
            | Fault::Early
            | Fault::Nonce
            | Fault::AccessTokenHash
            | Fault::Subject => "R4",
            Fault::Issuer | Fault::Claim(_) => "R5",
            Fault::Setup(_) | Fault::Tenant => "R6",
            Fault::HostedDomain => "R7",
            Fault::AuthTime => "R14",
            Fault::Denied(_) | Fault::Refused(_) => "R15",
            Fault::Fetch { .. } | Fault::Document { .. } => "R17",
            Fault::MetadataIssuer => "R18",
        }
    }

    /// The provider answered with this error code.
    pub fn denied(code: &str) -> Fault {
        Fault::Denied(plain(code))
    }

    /// The token endpoint answered with this error code.
    pub fn refused(code: &str) -> Fault {
        Fault::Refused(plain(code))
    }

    /// The provider is down or answers nonsense: signing in with a password is what helps (R19).
    pub fn is_outage(&self) -> bool {
        matches!(self, Fault::Fetch { .. } | Fault::Document { .. })
    }
}

/// An error code of the other side, if it is spelled like one: the registered ones are of these characters alone
/// (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6). Anything else is shown as nothing but that.
fn plain(code: &str) -> String {
    let is_code = (1..=64).contains(&code.len()) && code.bytes().all(|o| matches!(o, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if is_code { code.to_owned() } else { "another error".to_owned() }
}

//! Signing in at another provider: Google, Microsoft Entra, any OpenID provider (OpenID Connect Core §3.1).
//!
//! From a provider's entry to a proven identity: what is asked ([`Upstreams::begin`]) and what the answer proves
//! ([`Upstreams::finish`]). No cookie, no page and no store here; who the identity belongs to is decided elsewhere.
//!
//! - [`fault`] is why not; [`identity`] is who.

pub mod fault;
pub mod identity;

pub use fault::Fault;
pub use identity::{Groups, Identity};

use crate::fetch::Fetcher;
use directory::application::Provider;
use directory::clock::{Millis, Span};
use serde::{Deserialize, Serialize};

/// Asks providers. Shared by all requests: what it has learnt of them is kept.
#[derive(Debug, Clone)]
pub struct Upstreams {
    fetcher: Fetcher,
}

/// What is asked of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask<'a> {
    /// Where the answer goes: an address of ours that belongs to this provider alone (R1).
    pub redirect_uri: &'a str,
    /// Who it probably is.
    pub login_hint: Option<&'a str>,
    /// The person signs in there again, whatever session there is.
    pub force_login: bool,
    /// The person has signed in there no longer ago than this.
    pub max_age: Option<Span>,
    /// Languages, best first, parted by spaces.
    pub ui_locales: Option<&'a str>,
}

/// A question.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Where the browser goes.
    pub address: String,
    /// What the answer is checked against.
    pub pending: Pending,
}

/// A question that waits for its answer. Secret: it is kept where the browser cannot read it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// 256 random bits; comes back in the answer.
    pub state: String,
    /// 256 random bits; comes back in the ID token.
    pub nonce: String,
    /// The verifier of PKCE (RFC 7636).
    pub verifier: String,
    /// Who was asked, as its metadata named it.
    pub issuer: String,
    /// The longest that the sign-in there may be ago, in seconds.
    pub max_age: Option<u64>,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// What came back through the browser: the parameters of the redirect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallbackAnswer {
    /// `code`.
    pub code: Option<String>,
    /// `state`.
    pub state: Option<String>,
    /// `iss` (RFC 9207).
    pub iss: Option<String>,
    /// `error`.
    pub error: Option<String>,
    /// `error_description`: taken so that it can be looked at, and never shown.
    pub error_description: Option<String>,
}

impl Upstreams {
    /// Asks through this.
    pub fn new(fetcher: Fetcher) -> Upstreams {
        Upstreams { fetcher }
    }

    /// Makes a question for a provider.
    ///
    /// # Errors
    /// [`Fault::Setup`], and whatever is wrong with its metadata.
    pub async fn begin(&self, provider: &Provider, ask: &Ask<'_>) -> Result<Begun, Fault> {
        let _ = (&self.fetcher, provider, ask);
        Err(Fault::Setup("not built"))
    }

    /// Checks an answer, redeems its code and proves who it is.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub async fn finish(
        &self,
        provider: &Provider,
        secret: Option<&[u8]>,
        pending: &Pending,
        redirect_uri: &str,
        answer: &CallbackAnswer,
        now: Millis,
    ) -> Result<Identity, Fault> {
        let _ = (&self.fetcher, provider, secret, pending, redirect_uri, answer, now);
        Err(Fault::Setup("not built"))
    }
}

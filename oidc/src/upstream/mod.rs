//! Signing in at another provider: Google, Microsoft Entra, any OpenID provider (OpenID Connect Core §3.1).
//!
//! From a provider's entry to a proven identity: what is asked ([`Upstreams::begin`]) and what the answer proves
//! ([`Upstreams::finish`]), without a cookie, a page or the store. Around it [`flow`] is the browser's way there and back, and
//! whose the identity is.
//!
//! ```text
//! begin:  presets ─▶ metadata ─▶ exchange::question ─▶ the browser goes there, and comes back with
//! finish: an answer (R1, R3, R15) ─▶ exchange::redeem ─▶ id_token (R4, R5) ─▶ presets::admit (R6, R7)
//!         ─▶ userinfo ─▶ identity
//! ```
//! - `presets` says what the kinds of provider differ in; `metadata` and `keys` are what a provider publishes, and `cache`
//!   how long that is believed (R17, R18).
//! - [`fault`] is why not; [`identity`] is who.
//! - [`policy`] and [`mapping`] say whose it is and what it gives, pure; `settle`, `join` and `trial` carry that out.
//!
//! The crate `openidconnect` makes the two requests and reads metadata, keys and signatures; where it does not hold is said
//! at the place.

mod cache;
mod exchange;
pub mod fault;
pub mod flow;
mod id_token;
pub mod identity;
mod join;
mod keys;
pub mod mapping;
mod metadata;
pub mod policy;
mod presets;
#[cfg(test)]
mod sample;
mod settle;
mod trial;
mod userinfo;

pub use fault::Fault;
pub use identity::{Groups, Identity};

use self::cache::{Cache, Need};
use self::fault::What;
use self::id_token::{Unproven, Wanted};
use self::keys::Keys;
use self::metadata::Metadata;
use self::presets::Preset;
use crate::fetch::Fetcher;
use directory::application::{Provider, ProviderKind};
use directory::clock::{Millis, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// Octets of the longest parameter of an answer.
const PARAMETER: usize = 4_096;

/// Asks providers. Shared by all requests: what it has learnt of them is kept.
#[derive(Debug, Clone)]
pub struct Upstreams(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    fetcher: Fetcher,
    metadata: Cache<Metadata>,
    keys: Cache<Keys>,
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
#[derive(Clone)]
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
    /// The longest that the sign-in there may be ago.
    pub max_age: Option<Span>,
}

// What is secret is in the address as well.
impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun").field("pending", &self.pending).finish_non_exhaustive()
    }
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
        Upstreams(Arc::new(Inner { fetcher, metadata: Cache::new(What::Metadata), keys: Cache::new(What::Keys) }))
    }

    /// Makes a question for a provider.
    ///
    /// # Errors
    /// [`Fault::Setup`], and whatever is wrong with its metadata.
    pub async fn begin(&self, provider: &Provider, ask: &Ask<'_>) -> Result<Begun, Fault> {
        let preset = Preset::of(provider)?;
        let metadata = self.metadata(provider, &preset).await?;
        exchange::question(provider, &preset, &metadata, ask)
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
        let preset = Preset::of(provider)?;
        answer.is_to(pending)?;
        let metadata = self.metadata(provider, &preset).await?;
        answer.is_from(pending, &metadata)?;
        let code = answer.code()?;
        let fetcher = &self.0.fetcher;
        let tokens = exchange::redeem(fetcher, provider, &metadata, secret, pending, redirect_uri, code).await?;
        let token = Unproven::read(&tokens.id, &preset.algorithms)?;
        let keys = self.keys(provider, &metadata, token.kid.as_deref()).await?;
        let wanted = Wanted {
            client_id: &provider.client_id,
            nonce: &pending.nonce,
            access_token: &tokens.access,
            max_age: pending.max_age,
            now,
        };
        let (issuer, claims) = token.prove(&keys, &metadata.issuer, &wanted)?;
        presets::admit(provider, &claims)?;
        let claims = userinfo::complete(fetcher, provider, &metadata, &tokens.access, claims).await?;
        Identity::of(provider, issuer, claims)
    }

    async fn metadata(&self, provider: &Provider, preset: &Preset) -> Result<Arc<Metadata>, Fault> {
        let name = format!("{} {}", provider.id.0, preset.document);
        self.0.metadata.get(&name, Need::Current, metadata::fetch(&self.0.fetcher, preset)).await
    }

    /// The provider's keys: asked for anew when the one that a token names is not among them.
    async fn keys(&self, provider: &Provider, metadata: &Metadata, kid: Option<&str>) -> Result<Arc<Keys>, Fault> {
        let name = format!("{} {}", provider.id.0, metadata.jwks_uri);
        let of_entra = provider.kind == ProviderKind::Entra;
        let fetch = || keys::fetch(&self.0.fetcher, &metadata.jwks_uri, of_entra);
        let keys = self.0.keys.get(&name, Need::Current, fetch()).await?;
        if keys.know(kid) { Ok(keys) } else { self.0.keys.get(&name, Need::Newer, fetch()).await }
    }
}

impl CallbackAnswer {
    /// It answers this question (R1), and is no longer than any answer is.
    fn is_to(&self, pending: &Pending) -> Result<(), Fault> {
        let parameters = [&self.code, &self.state, &self.iss, &self.error, &self.error_description];
        if parameters.into_iter().flatten().any(|text| text.len() > PARAMETER) {
            return Err(Fault::Answer("a parameter is too long"));
        }
        let state = self.state.as_deref().unwrap_or_default();
        // A pending question whose state is empty answers nobody, whatever it was unsealed from.
        let same = !state.is_empty() && bool::from(state.as_bytes().ct_eq(pending.state.as_bytes()));
        if same { Ok(()) } else { Err(Fault::State) }
    }

    /// It comes from who was asked, before its code goes anywhere (R3, RFC 9207 §2.4).
    fn is_from(&self, pending: &Pending, metadata: &Metadata) -> Result<(), Fault> {
        let asked = metadata.issuer.spelling() == pending.issuer;
        let said = self.iss.as_ref().map_or(!metadata.names_itself, |iss| metadata.issuer.fits(iss));
        if asked && said { Ok(()) } else { Err(Fault::AnswerIssuer) }
    }

    fn code(&self) -> Result<&str, Fault> {
        match (&self.error, &self.code) {
            (Some(error), _) => Err(Fault::denied(error)),
            (None, Some(code)) if !code.is_empty() => Ok(code),
            _ => Err(Fault::Answer("it has neither a code nor an error")),
        }
    }
}

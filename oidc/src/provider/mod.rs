//! The endpoints of the provider.
//!
//! ```text
//! authorize ─▶ table (is it a good request?) ─▶ decide (who, how, when?) ─▶ sign-in page ⟲ | consent ⟲ | code
//! token ─▶ who asks? ─▶ code | refresh token | the client itself ─▶ tokens
//! ```
//! Steps never call each other: whoever has to act is sent to a page, whose end leads back to authorize, which decides
//! again from what is stored.

mod answer;
mod authorize;
pub mod back_channel;
mod bearer;
pub mod client;
pub mod client_auth;
mod consent;
pub mod decide;
mod discovery;
mod end_session;
mod endpoint;
pub mod error;
mod introspect;
pub mod mint;
pub mod parameters;
mod resume;
mod stored;
pub mod table;
mod token;
mod userinfo;

#[cfg(test)]
mod table_tests;

use crate::claims::project::Faces;
use crate::fetch::Fetcher;
use crate::keys::Ring;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use axum::routing::{any, get};
use directory::clock::{Now, Span};
use directory::context::{Actor, Context, Door, Origin};
use directory::error::Refusal;
use directory::grant::SigningKey as StoredKey;
use directory::handle::Directory;
use directory::trail::Step;
use peer::Peer;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use web::Web;

/// Our name in tokens, and what the endpoints' addresses begin with: the public `https` origin, without a slash. Set once; until
/// then there is no provider. Never what a request says (hostile row E8).
#[derive(Debug, Clone, Default)]
pub struct Issuer(Arc<OnceLock<String>>);

impl Issuer {
    /// Sets it, if it has not been set.
    pub fn set(&self, issuer: &str) {
        _ = self.0.set(issuer.to_owned());
    }

    /// The issuer, once it is known.
    pub fn get(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

impl From<&str> for Issuer {
    fn from(issuer: &str) -> Issuer {
        let made = Issuer::default();
        made.set(issuer);
        made
    }
}

/// How long what is issued is good.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who we are.
    pub issuer: Issuer,
    /// An ID token.
    pub id_life: Span,
    /// The refresh token before the present one.
    pub refresh_grace: Span,
}

impl Settings {
    /// The defaults. How long access and refresh tokens live is said by each application.
    pub fn new(issuer: impl Into<Issuer>) -> Settings {
        Settings { issuer: issuer.into(), id_life: Span::from_mins(10), refresh_grace: Span::ZERO }
    }
}

/// The provider. Cheap to clone.
#[derive(Clone)]
pub struct Provider {
    inner: Arc<Inner>,
}

struct Inner {
    web: Web,
    settings: Settings,
    faces: Faces,
    /// The keys at hand, and what they were made of.
    ring: RwLock<(Arc<Vec<StoredKey>>, Arc<Ring>)>,
    clients: stored::Clients,
    /// The metadata document, once the issuer is known.
    metadata: OnceLock<Bytes>,
}

impl Provider {
    /// Opens the provider over a directory, whose keys must be there. Runs in the runtime that the tasks of the back
    /// channel are to live in.
    ///
    /// # Errors
    /// `Store`, or when a key cannot be used.
    pub fn open(web: Web, settings: Settings, fetcher: Fetcher) -> Result<Provider, Refusal> {
        let faces = Faces::of(web.directory().schema());
        let wake = back_channel::subscribe(web.directory());
        let keys = web.directory().signing_keys()?;
        let ring = Arc::new(stored::ring_of(&keys)?);
        let (clients, metadata) = (stored::Clients::default(), OnceLock::new());
        let inner = Inner { web, settings, faces, ring: RwLock::new((keys, ring)), clients, metadata };
        let provider = Provider { inner: Arc::new(inner) };
        tokio::spawn(back_channel::deliver(provider.clone(), fetcher, wake));
        Ok(provider)
    }

    fn directory(&self) -> &Directory {
        self.inner.web.directory()
    }

    fn web(&self) -> &Web {
        &self.inner.web
    }

    fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Our name in tokens.
    pub fn issuer(&self) -> &str {
        self.inner.settings.issuer.get().unwrap_or_default()
    }

    fn faces(&self) -> &Faces {
        &self.inner.faces
    }

    /// The keys as they are stored now.
    fn ring(&self) -> Arc<Ring> {
        let (known, ring) = self.inner.ring.read().unwrap_or_else(PoisonError::into_inner).clone();
        match self.directory().signing_keys() {
            Ok(keys) if Arc::ptr_eq(&keys, &known) => ring,
            Ok(keys) => match stored::ring_of(&keys) {
                Ok(fresh) => {
                    let fresh = Arc::new(fresh);
                    *self.inner.ring.write().unwrap_or_else(PoisonError::into_inner) = (keys, Arc::clone(&fresh));
                    fresh
                }
                Err(refusal) => failed(&refusal, ring),
            },
            Err(refusal) => failed(&refusal, ring),
        }
    }

    fn visitor(&self, parts: &Parts) -> Visitor {
        let peer = parts.extensions.get::<Peer>().cloned().unwrap_or_else(Peer::local);
        Visitor { peer, now: self.directory().now() }
    }

    /// Writes a step of a login down, for `rollbook login explain`; `Err` holds the rule that refused it.
    fn tell(
        &self,
        visitor: &Visitor,
        flow: Option<&str>,
        what: &'static str,
        client: Option<&str>,
        end: Result<(), &'static str>,
    ) {
        tracing::debug!(flow, what, client, refused = end.err(), "login");
        self.directory().trail().note(Step {
            at: visitor.now.wall,
            number: visitor.peer.number,
            request: visitor.peer.request_id.to_string(),
            flow: flow.unwrap_or_default().to_owned(),
            what: what.to_owned(),
            subject: client.unwrap_or_default().chars().take(128).collect(),
            account: None,
            refused: end.err().map(str::to_owned),
        });
    }
}

/// The keys of before, when the stored ones cannot be read: what they signed is still good.
fn failed(refusal: &Refusal, ring: Arc<Ring>) -> Arc<Ring> {
    tracing::error!(detail = refusal.detail.as_deref(), "the signing keys could not be read");
    ring
}

/// Who asks.
#[derive(Debug, Clone)]
struct Visitor {
    peer: Peer,
    now: Now,
}

impl Visitor {
    /// The circumstances, for the directory.
    fn context(&self) -> Context {
        let origin =
            Origin { door: Door::Oidc, address: Some(self.peer.address), confidential: self.peer.confidential };
        Context { actor: Actor::Anonymous, origin, now: self.now, request_id: self.peer.number }
    }
}

/// The name of a login's trail that goes with a code or a state: a short hash, so that a trail gives nothing away.
pub(crate) fn flow_of(code: &str) -> String {
    use aws_lc_rs::digest::{SHA256, digest};
    let hash = crate::jose::encode(digest(&SHA256, code.as_bytes()));
    hash.chars().take(16).collect()
}

/// The routes. Their endpoints take the provider as [`Opened`].
pub fn router(provider: Provider) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", any(discovery::metadata))
        .route("/.well-known/oauth-authorization-server", any(discovery::metadata))
        .route("/oauth2/jwks", any(discovery::jwks))
        .route("/oauth2/authorize", get(authorize::show).post(authorize::take))
        .route("/oauth2/consent", axum::routing::post(consent::take))
        .route("/oauth2/token", any(token::take))
        .route("/oauth2/introspect", any(introspect::introspect))
        .route("/oauth2/revoke", any(introspect::revoke))
        .route("/oauth2/userinfo", any(userinfo::take))
        .route("/oauth2/logout", get(end_session::show).post(end_session::take))
        .with_state(provider)
}

/// The provider, for an endpoint. Without an issuer there is none: nothing is answered.
struct Opened(Provider);

impl FromRequestParts<Provider> for Opened {
    type Rejection = Response<Body>;

    async fn from_request_parts(_: &mut Parts, provider: &Provider) -> Result<Opened, Response<Body>> {
        match provider.issuer() {
            "" => Err(answer::empty(StatusCode::NOT_FOUND)),
            _ => Ok(Opened(provider.clone())),
        }
    }
}

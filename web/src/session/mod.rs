//! Who is signed in: the session behind the cookie, judged at every use.
//!
//! Owns [`SignedIn`]. A session goes on while its account may (`directory` decides: a lock ends
//! nothing, everything that raises the account's epoch does), until it was not used for a while, and never longer than a day's
//! work.

pub(crate) mod page;

use crate::Web;
use crate::cookie;
use crate::return_to::{Acr, Hints, ReturnTo, Wish};
use crate::visit::Visit;
use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Response};
use directory::clock::{Now, Span};
use directory::context::Actor;
use directory::error::Refusal;
use directory::grant::{LiveSession, Session};
use directory::id::EntryId;

/// How old a sign-in may be for what needs a fresh one.
pub(crate) const FRESH: Span = Span::from_mins(10);

/// Somebody with a good session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The session, as the directory has it.
    pub live: LiveSession,
}

impl SignedIn {
    /// Whose session it is.
    pub fn account(&self) -> EntryId {
        self.session().account
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.live.session
    }

    /// The account as the one who acts.
    pub fn actor(&self) -> Actor {
        self.live.actor
    }

    /// How strongly the person is known.
    pub fn acr(&self) -> Acr {
        Acr::of(&self.session().acr).unwrap_or_default()
    }

    /// Whether the last sign-in was within this span.
    pub fn is_fresh(&self, now: &Now, span: Span) -> bool {
        now.wall.since(self.session().auth_time) <= span
    }

    /// Whether this session is what a wish asks for.
    pub fn satisfies(&self, wish: &Wish) -> bool {
        self.acr() >= wish.hints.need_acr.unwrap_or_default()
            && !(wish.hints.local && self.session().upstream.is_some())
            && wish.hints.auth_since.is_none_or(|since| self.session().auth_time >= since)
    }
}

impl Web {
    /// Who is signed in in the browser that sent these headers. Counts as a use of the session, not as a login.
    ///
    /// # Errors
    /// `Store`.
    pub fn signed_in(&self, headers: &HeaderMap, now: &Now) -> Result<Option<SignedIn>, Refusal> {
        let Some(secret) = cookie::read(headers, cookie::SESSION) else { return Ok(None) };
        Ok(self.directory().session(secret, now)?.map(|live| SignedIn { live }))
    }
}

impl Visit {
    /// Who is signed in in this browser.
    ///
    /// # Errors
    /// `Store`.
    pub fn signed_in(&self) -> Result<Option<SignedIn>, Refusal> {
        self.web.signed_in(&self.headers, &self.now())
    }

    /// Sends the browser to sign in and back to this page.
    pub(crate) fn to_sign_in(&self, hints: Hints) -> Response<Body> {
        self.see_other(&crate::sign_in_uri(&self.web, self.back(), hints))
    }
}

/// The extractor: who is not signed in is sent to the sign-in page and comes back; a request that is no GET comes back to
/// the page of the own sessions.
impl<S> FromRequestParts<S> for SignedIn
where
    S: Send + Sync,
    Web: FromRef<S>,
{
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<SignedIn, Response<Body>> {
        let web = Web::from_ref(state);
        let visit = web.visit(parts);
        match visit.signed_in() {
            Ok(Some(signed_in)) => Ok(signed_in),
            Ok(None) => {
                let here = parts.uri.path_and_query().map_or("/", |path| path.as_str());
                let to = if parts.method == Method::GET { ReturnTo::path(here) } else { None };
                let uri = crate::sign_in_uri(&web, to.unwrap_or_else(ReturnTo::home), Hints::default());
                Err(visit.see_other(&uri))
            }
            Err(refusal) => Err(crate::page::failed(&visit, &refusal)),
        }
    }
}

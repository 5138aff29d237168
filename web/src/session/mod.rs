//! Who is signed in: the session behind the cookie, judged at every use.
//!
//! Owns [`SignedIn`] and the lifetimes of sessions. A session goes on while its account may (`directory` decides: a lock ends
//! nothing, everything that raises the account's epoch does), until it was not used for a while, and never longer than a day's
//! work.

mod kept;
pub(crate) mod page;

pub(crate) use kept::Kept;

use crate::Web;
use crate::cookie;
use crate::return_to::{Acr, Hints, ReturnTo, Wish};
use crate::visit::Visit;
use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Response};
use directory::clock::{Millis, Now, Span};
use directory::context::Actor;
use directory::error::Refusal;
use directory::id::EntryId;
use std::net::IpAddr;

/// How old a sign-in may be for what needs a fresh one.
pub(crate) const FRESH: Span = Span::from_mins(10);

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its public name, the claim `sid`.
    pub id: String,
    /// Whose.
    pub account: EntryId,
    /// The account's epoch at the sign-in.
    pub epoch: u64,
    /// Begun.
    pub created: Millis,
    /// The last sign-in or step-up in it.
    pub auth_time: Millis,
    /// The last use.
    pub seen: Millis,
    /// How it was proven (RFC 8176).
    pub amr: Vec<String>,
    /// How strongly.
    pub acr: String,
    /// From where.
    pub address: Option<IpAddr>,
    /// The browser's description of itself.
    pub agent: String,
}

/// Somebody with a good session.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
}

impl SignedIn {
    /// Whose session it is.
    pub fn account(&self) -> EntryId {
        self.session.account
    }

    /// The account as the one who acts.
    pub fn actor(&self) -> Actor {
        Actor::Account { id: self.session.account, epoch: self.session.epoch, must_change_password: false }
    }

    /// How strongly the person is known.
    pub fn acr(&self) -> Acr {
        Acr::of(&self.session.acr).unwrap_or_default()
    }

    /// Whether the last sign-in was within this span.
    pub fn is_fresh(&self, now: &Now, span: Span) -> bool {
        now.wall.since(self.session.auth_time) <= span
    }

    /// Whether this session is what a wish asks for.
    pub fn satisfies(&self, wish: &Wish) -> bool {
        self.acr() >= wish.hints.need_acr.unwrap_or_default()
            && wish.hints.auth_since.is_none_or(|since| self.session.auth_time >= since)
    }
}

impl Web {
    /// Who is signed in in the browser that sent these headers. Counts as a use of the session, not as a login.
    ///
    /// # Errors
    /// `Store`.
    pub fn signed_in(&self, headers: &HeaderMap, now: &Now) -> Result<Option<SignedIn>, Refusal> {
        let Some(secret) = cookie::read(headers, cookie::SESSION) else { return Ok(None) };
        let Some(session) = self.kept().find(secret) else { return Ok(None) };
        let settings = self.settings();
        let idle = now.wall.since(session.seen) > settings.session_idle;
        let old = now.wall.since(session.created) > settings.session_life;
        if idle || old || !self.directory().activity(session.account, session.epoch)? {
            return Ok(None);
        }
        self.kept().touch(secret, |session| session.seen = now.wall);
        Ok(Some(SignedIn { session }))
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

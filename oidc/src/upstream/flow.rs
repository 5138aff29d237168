//! A browser's way to a provider and back (rules R1, R15, R19).
//!
//! ```text
//! sign-in page ─▶ /sso/NAME ─▶ provider ─▶ /sso/NAME/callback ─▶ settle: whose is it? ─▶ the steps of every sign-in
//!    (its mark)     (question sealed into a cookie)  (once, within ten minutes, this browser, this provider)
//! /sso/NAME/test?ticket= ─▶ the same way, for a provider that may be off ─▶ trial: what would happen
//! /sso/NAME/link ─▶ join: signed in here as well, and asked
//! ```
//! Owns the addresses, the cookie and the single use of a state. Every step is told to the trail; a person is told that it
//! did not work, never what the other side said.

use super::fault::Fault;
use super::{Ask, CallbackAnswer, Identity, Pending, Upstreams};
use crate::provider::{Issuer, flow_of};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{Request, Response};
use axum::routing::get;
use directory::application::Provider;
use directory::clock::Span;
use directory::context::Actor;
use directory::handle::Directory;
use directory::id::EntryId;
use directory::trail::Step;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use web::{Kept, Message, Visit, Web, Wish};

/// How long a question waits for its answer.
const LASTING: Span = Span::from_mins(10);
/// Answers that are being checked at a time: each asks the provider.
const AT_ONCE: usize = 64;

/// The way through providers. Cheap to clone.
#[derive(Clone)]
pub struct Flow {
    inner: Arc<Inner>,
}

struct Inner {
    web: Web,
    issuer: Issuer,
    upstreams: Upstreams,
    places: Semaphore,
}

/// A question, while the browser is at the provider.
#[derive(Serialize, Deserialize)]
struct Asked {
    provider: EntryId,
    pending: Pending,
    wish: Wish,
    /// It is a trial, by this ticket.
    trial: Option<String>,
}

impl Flow {
    /// Opens the way. Without an issuer there is none yet.
    pub fn open(web: Web, issuer: Issuer, upstreams: Upstreams) -> Flow {
        Flow { inner: Arc::new(Inner { web, issuer, upstreams, places: Semaphore::new(AT_ONCE) }) }
    }

    pub(super) fn web(&self) -> &Web {
        &self.inner.web
    }

    pub(super) fn directory(&self) -> &Directory {
        self.inner.web.directory()
    }

    /// R1: an address of ours that belongs to this provider alone.
    fn redirect_uri(&self, provider: &Provider) -> Option<String> {
        let issuer = self.inner.issuer.get()?;
        Some(format!("{issuer}{}/callback", path_of(&provider.name)))
    }

    /// The provider of this name, if it is in use.
    pub(super) fn provider(&self, name: &str) -> Option<Provider> {
        self.directory().provider(name).ok().flatten().filter(|provider| provider.enabled)
    }

    /// Writes a step down, for `rollbook login explain`; `Err` holds what refused it.
    pub(super) fn tell(&self, visit: &Visit, flow: &str, what: &str, subject: &str, end: Result<(), String>) {
        tracing::debug!(flow, what, subject, refused = end.as_ref().err(), "login");
        self.directory().trail().note(Step {
            at: visit.now().wall,
            number: visit.peer().number,
            request: visit.reference().to_owned(),
            flow: flow.to_owned(),
            what: what.to_owned(),
            subject: subject.chars().take(128).collect(),
            refused: end.err(),
            ..Step::default()
        });
    }

    /// Sends the browser to the provider.
    async fn ask(&self, visit: &Visit, provider: &Provider, wish: Wish, trial: Option<String>) -> Response<Body> {
        let Some(redirect_uri) = self.redirect_uri(provider) else { return visit.missing() };
        let ask = Ask {
            redirect_uri: &redirect_uri,
            login_hint: wish.hints.login_hint.as_deref(),
            force_login: wish.hints.auth_since.is_some(),
            max_age: None,
            ui_locales: wish.hints.ui_locales.as_deref(),
        };
        let begun = match self.inner.upstreams.begin(provider, &ask).await {
            Ok(begun) => begun,
            Err(fault) => return self.failed(visit, "", provider, &wish, trial.as_deref(), &fault),
        };
        let flow = flow_of(&begun.pending.state);
        self.directory().trail().join(&visit.flow(), &flow);
        let mut response = visit.leave_for(&begun.address);
        let asked = Asked { provider: provider.id, pending: begun.pending, wish, trial };
        if !Kept::UPSTREAM.give(visit, &mut response, &asked) {
            let fault = Fault::Setup("the request is too long to come back");
            return self.failed(visit, &flow, provider, &asked.wish, asked.trial.as_deref(), &fault);
        }
        self.tell(visit, &flow, "sent to the provider", &provider.name, Ok(()));
        response
    }

    /// What an answer proves.
    async fn prove(
        &self,
        visit: &Visit,
        asked: &Asked,
        provider: &Provider,
        answer: &CallbackAnswer,
    ) -> Result<Identity, Fault> {
        let redirect_uri = self.redirect_uri(provider).ok_or(Fault::Setup("there is no issuer"))?;
        let context = visit.context(Actor::Anonymous);
        let until = visit.now().wall.saturating_add(LASTING);
        let once = format!("sso {}", asked.pending.state);
        // Used up before anything is asked by it, whatever comes of that.
        if !matches!(self.directory().use_once(&context, &once, until).await, Ok(true)) {
            return Err(Fault::State);
        }
        let busy = |_| Fault::Setup("too many sign-ins at providers at once");
        let _place = self.inner.places.try_acquire().map_err(busy)?;
        let kept =
            self.directory().kept_secret(provider.id).map_err(|_| Fault::Setup("its secret cannot be opened"))?;
        let secret = kept.as_ref().map(directory::credential::Secret::expose);
        let now = visit.now().wall;
        self.inner.upstreams.finish(provider, secret, &asked.pending, &redirect_uri, answer, now).await
    }

    /// It did not work: why is for the log; the sign-in page is there, with the password (R19).
    fn failed(
        &self,
        visit: &Visit,
        flow: &str,
        provider: &Provider,
        wish: &Wish,
        trial: Option<&str>,
        fault: &Fault,
    ) -> Response<Body> {
        let why = format!("{}: {fault}", fault.rule());
        tracing::info!(provider = provider.name, rule = fault.rule(), %fault, "a sign-in at a provider is not taken");
        self.tell(visit, flow, "the provider's word", &provider.name, Err(why.clone()));
        match trial {
            Some(ticket) => self.tried(visit, provider, ticket, vec![("refused".to_owned(), why)]),
            None => web::back_to_sign_in(visit, wish, Message::UpstreamFailed, &provider.display_name),
        }
    }
}

/// The path of a provider's name.
pub(super) fn path_of(name: &str) -> String {
    let mut out = "/sso/".to_owned();
    for octet in name.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(octet));
        } else {
            out.push_str(&format!("%{octet:02X}"));
        }
    }
    out
}

/// The ways in that a sign-in page offers.
pub fn ways(directory: &Directory, wish: &Wish) -> Vec<web::Upstream> {
    let offered = directory.offered(wish.hints.tenant.as_deref()).unwrap_or_else(|refusal| {
        tracing::error!(detail = refusal.detail.as_deref(), "the providers could not be read");
        Vec::new()
    });
    offered.into_iter().map(|p| web::Upstream { path: path_of(&p.name), name: p.display_name }).collect()
}

/// The routes.
pub fn router(flow: Flow) -> Router {
    Router::new()
        .route("/sso/{provider}", get(begin))
        .route("/sso/{provider}/callback", get(callback))
        .route("/sso/{provider}/test", get(test))
        .route("/sso/{provider}/link", get(super::join::show).post(super::join::take))
        .with_state(flow)
}

fn parameter(parts: &Parts, name: &str) -> Option<String> {
    let query = parts.uri.query().unwrap_or_default();
    let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
    let (_, value) = found.next()?;
    // Twice is no browser's doing (RFC 6749 §3.1).
    found.next().is_none().then(|| value.into_owned())
}

/// `GET /sso/NAME`, from our sign-in page alone: nobody is signed in by a link that somebody else made.
async fn begin(State(flow): State<Flow>, Path(name): Path<String>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let mark = parameter(&parts, "t").unwrap_or_default();
    let visit = flow.web().visit(&parts);
    let Some(provider) = flow.provider(&name) else { return visit.start_again() };
    let expected = visit.token(&path_of(&provider.name));
    if !bool::from(mark.as_bytes().ct_eq(expected.as_bytes())) {
        return visit.start_again();
    }
    flow.ask(&visit, &provider, visit.wish(), None).await
}

/// `GET /sso/NAME/test`: a trial, by its ticket, whether the provider is in use or not.
async fn test(State(flow): State<Flow>, Path(name): Path<String>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let ticket = parameter(&parts, "ticket").unwrap_or_default();
    let visit = flow.web().visit(&parts);
    let id = flow.directory().trials().provider(&ticket, &visit.now());
    let provider = id.and_then(|id| flow.directory().provider_of(id).ok().flatten());
    match provider.filter(|provider| provider.name.eq_ignore_ascii_case(&name)) {
        Some(provider) => flow.ask(&visit, &provider, Wish::default(), Some(ticket)).await,
        None => visit.missing(),
    }
}

/// `GET /sso/NAME/callback`: the answer (R1). It fits the question that this browser keeps, or nothing happens.
async fn callback(State(flow): State<Flow>, Path(name): Path<String>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let said = |name| parameter(&parts, name);
    let answer = CallbackAnswer {
        code: said("code"),
        state: said("state"),
        iss: said("iss"),
        error: said("error"),
        error_description: said("error_description"),
    };
    let mut visit = flow.web().visit(&parts);
    let state = answer.state.clone().unwrap_or_default();
    let own = |asked: &Asked| bool::from(asked.pending.state.as_bytes().ct_eq(state.as_bytes()));
    let asked = Kept::UPSTREAM.read::<Asked>(&visit).filter(own);
    let provider = asked.as_ref().and_then(|asked| flow.directory().provider_of(asked.provider).ok().flatten());
    let fits = |provider: &Provider, asked: &Asked| {
        provider.name.eq_ignore_ascii_case(&name) && (provider.enabled || asked.trial.is_some())
    };
    let (asked, provider) = match (asked, provider) {
        (Some(asked), Some(provider)) if fits(&provider, &asked) => (asked, provider),
        _ => {
            let why = format!("R1: {}", Fault::State);
            flow.tell(&visit, &flow_of(&state), "the provider's word", &name, Err(why));
            return visit.start_again();
        }
    };
    visit.lead_to(&asked.wish);
    let flow_name = flow_of(&state);
    let proven = flow.prove(&visit, &asked, &provider, &answer).await;
    let mut response = match (proven, &asked.trial) {
        (Err(fault), trial) => flow.failed(&visit, &flow_name, &provider, &asked.wish, trial.as_deref(), &fault),
        (Ok(identity), Some(ticket)) => {
            let rows = flow.foresee(&provider, &identity);
            flow.tried(&visit, &provider, ticket, rows)
        }
        (Ok(identity), None) => {
            flow.tell(&visit, &flow_name, "the provider's word", &provider.name, Ok(()));
            flow.settle(&visit, &flow_name, &provider, &identity, &asked.wish).await
        }
    };
    Kept::UPSTREAM.forget(&visit, &mut response);
    response
}

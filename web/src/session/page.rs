//! The page of the own sessions: which browsers are signed in, and an end to any of them.
//!
//! Looking needs a session; ending another one needs a fresh sign-in (ASVS 7.5.2), so that who finds a browser open cannot
//! send its owner away.

use super::{FRESH, SignedIn};
use crate::Web;
use crate::agent;
use crate::application;
use crate::page::{Frame, failed};
use crate::return_to::{Acr, Hints, Message, ReturnTo, Wish, sign_in_uri};
use crate::sign_in::codes;
use crate::text::{SessionsTexts, Text, Texts};
use crate::time;
use crate::visit::Visit;
use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use directory::clock::Millis;
use directory::error::Refusal;
use directory::grant::{Cause, Session, SessionId};
use directory::id::EntryId;

/// A line of the table.
struct Line {
    id: String,
    this: bool,
    agent: String,
    address: String,
    since: time::Shown,
    seen: time::Shown,
    how: Text,
}

/// An application that may learn something.
struct App {
    id: u64,
    name: String,
    gets: String,
    agreed: time::Shown,
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage<'a> {
    p: Frame<'a>,
    apps: Vec<App>,
    second: bool,
    codes_left: Text,
    set_up: String,
    said: Option<Text>,
    lines: Vec<Line>,
    others: usize,
}

/// How somebody signed in.
fn how(web: &Web, t: &SessionsTexts, session: &Session) -> Text {
    let level = Acr::of(&session.acr).unwrap_or_default();
    let Some(upstream) = &session.upstream else {
        return match level {
            Acr::Password => t.pwd.clone(),
            Acr::SecondFactor => t.mfa.clone(),
        };
    };
    let provider = web.directory().provider_of(upstream.provider).ok().flatten();
    let name = provider.map_or_else(|| t.unknown_provider.to_string(), |provider| provider.display_name);
    match level {
        Acr::Password => t.by.with("provider", name),
        Acr::SecondFactor => t.by_mfa.with("provider", name),
    }
}

/// `GET /sessions`.
pub(crate) async fn show(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let visit = web.visit(&parts);
    match visit.signed_in() {
        Ok(Some(signed_in)) => page(&visit, &signed_in, |_| None).unwrap_or_else(|refusal| failed(&visit, &refusal)),
        Ok(None) => visit.to_sign_in(Hints::default()),
        Err(refusal) => failed(&visit, &refusal),
    }
}

/// `POST /sessions`: ends one session, or all others.
pub(crate) async fn take(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let posted = match web.posted(request).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let (visit, fields) = (posted.visit, posted.fields);
    let signed_in = match visit.signed_in() {
        Ok(Some(signed_in)) => signed_in,
        Ok(None) => return visit.to_sign_in(Hints { message: Some(Message::Ended), ..Hints::default() }),
        Err(refusal) => return failed(&visit, &refusal),
    };
    if !signed_in.is_fresh(&visit.now(), FRESH) {
        let since = visit.now().wall.0.saturating_sub(FRESH.millis());
        let hints = Hints { auth_since: Some(Millis(since)), message: Some(Message::Confirm), ..Hints::default() };
        return visit.to_sign_in(hints);
    }
    if let Ok(client) = fields.text("withdraw").parse() {
        let done = withdraw(&visit, &signed_in, EntryId(client)).await;
        return done.unwrap_or_else(|refusal| failed(&visit, &refusal));
    }
    let wanted = fields.text("end").into_owned();
    let ended = end(&visit, &signed_in, &wanted).await;
    ended
        .and_then(|count| page(&visit, &signed_in, |t| Some(ended_text(t, count))))
        .unwrap_or_else(|refusal| failed(&visit, &refusal))
}

async fn end(visit: &Visit, signed_in: &SignedIn, wanted: &str) -> Result<usize, Refusal> {
    let directory = visit.web.directory();
    let context = visit.context(signed_in.actor());
    let own = signed_in.session();
    if wanted == "others" {
        return directory.end_sessions(&context, own.account, Some(own.id)).await;
    }
    let Some(id) = SessionId::parse(wanted).filter(|id| *id != own.id) else { return Ok(0) };
    let known = directory.sessions_of(&context, own.account)?.iter().any(|session| session.id == id);
    if known {
        directory.end_session(&context, id, Cause::Revoked).await?;
    }
    Ok(usize::from(known))
}

async fn withdraw(visit: &Visit, signed_in: &SignedIn, client: EntryId) -> Result<Response<Body>, Refusal> {
    let name = visit.web.person(client)?.unwrap_or_default().name;
    let context = visit.context(signed_in.actor());
    visit.web.directory().withdraw_consent(&context, signed_in.account(), client).await?;
    page(visit, signed_in, |t| Some(t.withdrawn.with("app", name)))
}

fn ended_text(t: &SessionsTexts, count: usize) -> Text {
    match count {
        0 => t.ended_none.clone(),
        1 => t.ended_one.clone(),
        many => t.ended_many.with("count", many),
    }
}

fn apps(visit: &Visit, signed_in: &SignedIn, t: &Texts) -> Result<Vec<App>, Refusal> {
    let consents = visit.web.directory().consents_of(&visit.context(signed_in.actor()), signed_in.account())?;
    let mut apps = Vec::new();
    for consent in consents {
        let gets: Vec<String> =
            consent.scopes.iter().map(|scope| application::words(&t.consent, scope).to_string()).collect();
        apps.push(App {
            id: consent.client.0,
            name: visit.web.person(consent.client)?.unwrap_or_default().name,
            gets: gets.join(", "),
            agreed: time::Shown::new(consent.updated),
        });
    }
    Ok(apps)
}

fn page(
    visit: &Visit,
    signed_in: &SignedIn,
    said: impl FnOnce(&SessionsTexts) -> Option<Text>,
) -> Result<Response<Body>, Refusal> {
    let wish = Wish::default();
    let mut p = visit.frame(&wish);
    let t = &p.t.sessions;
    let own = signed_in.session();
    let mut sessions = visit.web.directory().sessions_of(&visit.context(signed_in.actor()), own.account)?;
    sessions.sort_by_key(|session| (session.id != own.id, std::cmp::Reverse(session.seen)));
    let lines: Vec<Line> = sessions
        .iter()
        .map(|session| Line {
            id: session.id.to_string(),
            this: session.id == own.id,
            agent: agent::name(&session.agent).unwrap_or_else(|| t.unknown_agent.to_string()),
            address: session.address.map(|address| address.to_string()).unwrap_or_default(),
            since: time::Shown::new(session.created),
            seen: time::Shown::new(session.seen),
            how: how(&visit.web, t, session),
        })
        .collect();
    let said = said(t);
    let factors = visit.web.directory().factors_of(own.account)?;
    let codes_left = match factors.recovery_codes {
        0 => p.t.sessions.no_codes.clone(),
        1 => p.t.codes.left_one.clone(),
        many => p.t.codes.left_many.with("count", many),
    };
    let apps = apps(visit, signed_in, p.t)?;
    let set_up = sign_in_uri(&visit.web, ReturnTo::home(), codes::confirm(visit));
    p.who = visit.web.person(own.account)?.map(|person| person.name);
    let others = lines.iter().filter(|line| !line.this).count();
    let page = SessionsPage { second: factors.any(), codes_left, apps, set_up, p, said, others, lines };
    Ok(visit.page(StatusCode::OK, &wish, &page))
}

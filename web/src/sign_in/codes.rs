//! Recovery codes: shown once, when they are made, until the visitor says that they are stored.

use super::finish::proceed;
use super::progress::{self, Progress};
use crate::Web;
use crate::page::{Frame, failed};
use crate::return_to::{Acr, Hints, Message, ReturnTo};
use crate::session::FRESH;
use crate::text::Text;
use crate::visit::Visit;
use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use directory::clock::Millis;
use directory::context::Actor;
use directory::id::EntryId;
use directory::token::Secret;

/// Why codes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The app has just been set up.
    Enrolled,
    /// New ones were asked for.
    Renewed,
    /// The last ones were not stored: these are others.
    NotStored,
}

#[derive(Template)]
#[template(path = "codes.html")]
struct CodesPage<'a> {
    p: Frame<'a>,
    why: Why,
    codes: Vec<&'a str>,
    all: String,
    username: String,
}

#[derive(Template)]
#[template(path = "left.html")]
struct LeftPage<'a> {
    p: Frame<'a>,
    left: Text,
}

/// `POST /sign-in/codes`: asks for new ones, or says that they are stored.
pub(crate) async fn take(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let posted = match web.posted(request).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let (visit, fields) = (posted.visit, posted.fields);
    let progress = visit.progress();
    let shown = fields.has("shown");
    if (shown && fields.has("stored")) || fields.has("go-on") {
        return match progress {
            Some(progress) => proceed(&visit, progress).await,
            None => visit.see_other(visit.wish().to.as_str()),
        };
    }
    let account = match &progress {
        Some(progress) if progress.has_second_factor() => progress.account,
        _ => match visit.signed_in() {
            Ok(Some(own)) if own.acr() == Acr::SecondFactor && own.is_fresh(&visit.now(), FRESH) => own.account(),
            // The form is on the page of the own sessions; here is nothing to come back to.
            Ok(_) => return visit.see_other(&crate::sign_in_uri(&visit.web, ReturnTo::home(), confirm(&visit))),
            Err(refusal) => return failed(&visit, &refusal),
        },
    };
    match web.directory().make_recovery_codes(&visit.context(Actor::Anonymous), account).await {
        Ok(made) => {
            let why = if shown { Why::NotStored } else { Why::Renewed };
            self::shown(&visit, progress.as_ref(), account, &made, why)
        }
        Err(refusal) => failed(&visit, &refusal),
    }
}

/// A fresh sign-in with both factors.
pub(crate) fn confirm(visit: &Visit) -> Hints {
    Hints {
        need_acr: Some(Acr::SecondFactor),
        auth_since: Some(Millis(visit.now().wall.0.saturating_sub(FRESH.millis()))),
        message: Some(Message::Confirm),
        ..Hints::default()
    }
}

/// The page with the codes.
pub(crate) fn shown(
    visit: &Visit,
    progress: Option<&Progress>,
    account: EntryId,
    made: &[Secret],
    why: Why,
) -> Response<Body> {
    let wish = visit.wish();
    let username = match visit.web.person(account) {
        Ok(person) => person.unwrap_or_default().username,
        Err(refusal) => return failed(visit, &refusal),
    };
    let codes: Vec<&str> = made.iter().map(Secret::expose).collect();
    let page = CodesPage { p: visit.frame(&wish), why, all: codes.join("\n"), codes, username };
    let status = if why == Why::NotStored { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mut response = visit.page(status, &wish, &page);
    if let Some(progress) = progress {
        progress::keep(&visit.web, &mut response, progress);
    }
    response
}

/// The page after a recovery code: how many are left.
pub(crate) fn left(visit: &Visit, progress: &Progress, count: usize) -> Response<Body> {
    let wish = visit.wish();
    let p = visit.frame(&wish);
    let t = &p.t.codes;
    let left = match count {
        0 => t.left_none.clone(),
        1 => t.left_one.clone(),
        many => t.left_many.with("count", many),
    };
    let mut response = visit.page(StatusCode::OK, &wish, &LeftPage { left, p });
    progress::keep(&visit.web, &mut response, progress);
    response
}

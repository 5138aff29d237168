//! Sign-out: asked for by a button on every page, asked about when a link leads here, and true: the session is over on the
//! server before the answer.

use crate::Web;
use crate::cookie::{self, Keep};
use crate::page::{Frame, failed, set_cookie};
use crate::session::SignedIn;
use crate::text::Text;
use crate::visit::Visit;
use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use directory::error::Refusal;
use directory::grant::Cause;

#[derive(Template)]
#[template(path = "sign-out.html")]
struct AskPage<'a> {
    p: Frame<'a>,
    question: Text,
    name: String,
    action: &'a str,
    apps: Vec<String>,
}

#[derive(Template)]
#[template(path = "signed-out.html")]
struct DonePage<'a> {
    p: Frame<'a>,
    was_in: bool,
}

/// `GET /sign-out`: asks, for a link may be somebody else's (hostile row E6).
pub(crate) async fn show(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let visit = web.visit(&parts);
    match visit.signed_in() {
        Ok(Some(signed_in)) => ask_sign_out(&visit, &signed_in, None, "/sign-out"),
        Ok(None) => signed_out(&visit, false),
        Err(refusal) => failed(&visit, &refusal),
    }
}

/// `POST /sign-out`.
pub(crate) async fn take(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let posted = match web.posted(request).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    match end_session(&posted.visit).await {
        Ok(was_in) => signed_out(&posted.visit, was_in),
        Err(refusal) => failed(&posted.visit, &refusal),
    }
}

/// The question whether to sign out; the form is sent to `action`, with the parameter `r`.
pub fn ask_sign_out(visit: &Visit, signed_in: &SignedIn, app: Option<&str>, action: &str) -> Response<Body> {
    let wish = visit.wish();
    let p = visit.frame(&wish);
    let t = &p.t.sign_out;
    let name = match visit.web.person(signed_in.account()) {
        Ok(person) => person.unwrap_or_default().name,
        Err(refusal) => return failed(visit, &refusal),
    };
    let question = app.map_or_else(|| t.question.clone(), |app| t.question_for.with("app", app));
    let apps =
        signed_in.session().clients.iter().filter_map(|id| visit.web.person(*id).ok().flatten()).map(|app| app.name);
    let apps = apps.collect();
    visit.page(StatusCode::OK, &wish, &AskPage { question, name, action, apps, p })
}

/// Ends the session of this browser. Says whether there was one.
///
/// # Errors
/// `Store`, `Busy`.
pub async fn end_session(visit: &Visit) -> Result<bool, Refusal> {
    let Some(signed_in) = visit.signed_in()? else { return Ok(false) };
    let context = visit.context(signed_in.actor());
    visit.web.directory().end_session(&context, signed_in.session().id, Cause::SignedOut).await?;
    Ok(true)
}

/// The page after it.
pub fn signed_out(visit: &Visit, was_in: bool) -> Response<Body> {
    let wish = visit.wish();
    leave(visit.page(StatusCode::OK, &wish, &DonePage { p: visit.frame(&wish), was_in }))
}

/// Takes the browser's cookies back with an answer.
pub fn leave(mut response: Response<Body>) -> Response<Body> {
    for name in [cookie::SESSION, cookie::STEP] {
        set_cookie(&mut response, name, "", Keep::Gone);
    }
    response
}

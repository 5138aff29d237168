//! Setting up an authenticator app: on the way in when it is demanded, from the page of the own sessions when it is wanted.
//!
//! The key is drawn by the directory and counts once a code of it has been entered. Between the two, the page carries it
//! sealed, so that a wrong code shows the same picture again.

use super::codes;
use super::finish::proceed;
use super::progress::{Method, Progress, Stage};
use super::qr::{Qr, in_groups};
use crate::Web;
use crate::page::{Frame, failed};
use crate::text::Text;
use crate::visit::Visit;
use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use directory::authenticate::Verdict;
use directory::clock::Span;
use directory::context::Actor;
use directory::error::{Reason, Refusal};
use directory::id::EntryId;

const PURPOSE: &str = "enrol";
/// How long a picture may be looked at.
const LASTING: Span = Span::from_mins(15);

#[derive(Template)]
#[template(path = "enrol.html")]
struct EnrolPage<'a> {
    p: Frame<'a>,
    demanded: bool,
    wrong: Option<Text>,
    qr: Qr,
    key: &'a str,
    key_in_groups: String,
    sealed: &'a str,
}

/// A key on its way: whose, as it is typed, as the picture holds it.
type Drawn = (EntryId, String, String);

/// Whether this sign-in may set up an app: it has proven the password, and the factor as well where there is one.
fn may(visit: &Visit, progress: &Progress) -> Result<bool, Refusal> {
    let waits = progress.stage == Stage::Awaits { must_enrol: true };
    let admitted = progress.stage == Stage::Admitted { must_change: false };
    let any = visit.web.directory().factors_of(progress.account)?.any();
    Ok((waits || admitted) && (!any || progress.has_second_factor()))
}

/// `GET /sign-in/enrol`.
pub(crate) async fn show(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let visit = web.visit(&parts);
    let Some(progress) = visit.progress() else { return visit.start_again() };
    match may(&visit, &progress) {
        Ok(true) => {}
        Ok(false) => return visit.start_again(),
        Err(refusal) => return failed(&visit, &refusal),
    }
    match draw(&visit, &progress).await {
        Ok(drawn) => page(&visit, &progress, &drawn, false),
        Err(refusal) => failed(&visit, &refusal),
    }
}

async fn draw(visit: &Visit, progress: &Progress) -> Result<Drawn, Refusal> {
    let web = &visit.web;
    let person = web.person(progress.account)?.unwrap_or_default();
    let issuer: String = web.dress(visit.wish().hints.tenant.as_deref()).theme.name.chars().take(64).collect();
    let name: String = person.username.chars().take(64).collect();
    let context = visit.context(Actor::Anonymous);
    let new = web.directory().begin_totp(&context, progress.account, &issuer, &name).await?;
    Ok((progress.account, new.seed.expose().to_owned(), new.uri.expose().to_owned()))
}

/// `POST /sign-in/enrol`.
pub(crate) async fn take(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let posted = match web.posted(request).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let (visit, fields) = (posted.visit, posted.fields);
    let Some(mut progress) = visit.progress() else { return visit.start_again() };
    let drawn: Option<Drawn> = web.sealer().open(PURPOSE, &fields.text("drawn"), visit.now().wall);
    let Some(drawn) = drawn.filter(|drawn| drawn.0 == progress.account) else { return visit.start_again() };
    match may(&visit, &progress) {
        Ok(true) => {}
        Ok(false) => return visit.start_again(),
        Err(refusal) => return failed(&visit, &refusal),
    }
    let typed: String = fields.text("code").chars().filter(|c| !c.is_whitespace()).take(16).collect();
    let directory = web.directory();
    let context = visit.context(Actor::Anonymous);
    match directory.confirm_totp(&context, progress.account, &typed).await {
        Ok(true) => visit.tell("app set up", Some(progress.account), Ok(())),
        Ok(false) => {
            visit.tell("app set up", Some(progress.account), Err("wrong code"));
            return page(&visit, &progress, &drawn, true);
        }
        // Set up in another window meanwhile.
        Err(Refusal { reason: Reason::NoSuchEntry { .. }, .. }) => return visit.start_again(),
        Err(refusal) => return failed(&visit, &refusal),
    }
    progress.methods.push(Method::OneTimeCode);
    if matches!(progress.stage, Stage::Awaits { .. }) {
        match directory.complete_login(&context, &progress.awaiting(), progress.prior()).await {
            Verdict::Admitted(admitted) => {
                progress.epoch = admitted.epoch;
                progress.stage = Stage::Admitted { must_change: admitted.must_change };
            }
            // Locked or disabled while the picture was looked at.
            Verdict::Refused { .. } | Verdict::Busy => return visit.start_again(),
        }
    }
    match directory.make_recovery_codes(&context, progress.account).await {
        Ok(made) => codes::shown(&visit, Some(&progress), progress.account, &made, codes::Why::Enrolled),
        Err(refusal) => {
            tracing::error!(detail = refusal.detail.as_deref(), "recovery codes could not be made");
            proceed(&visit, progress).await
        }
    }
}

fn page(visit: &Visit, progress: &Progress, drawn: &Drawn, wrong: bool) -> Response<Body> {
    let wish = visit.wish();
    let p = visit.frame(&wish);
    let web = &visit.web;
    let (_, key, uri) = drawn;
    let sealed = web.sealer().seal(web.directory(), PURPOSE, drawn, visit.now().wall, LASTING);
    let (Some(qr), Some(sealed)) = (Qr::of(uri), sealed) else {
        return failed(visit, &Refusal::new(Reason::Constraint, "the key does not fit a picture"));
    };
    let page = EnrolPage {
        demanded: progress.stage == Stage::Awaits { must_enrol: true },
        wrong: wrong.then(|| p.t.enrol.wrong.clone()),
        qr,
        key,
        key_in_groups: in_groups(key),
        sealed: &sealed,
        p,
    };
    visit.page(if wrong { StatusCode::FORBIDDEN } else { StatusCode::OK }, &wish, &page)
}

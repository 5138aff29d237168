//! The sign-in page: username and password on one page, and the buttons of the upstream providers above them.
//!
//! Owns the first step. Every refusal has one text, one status and one time, whoever is refused for whatever reason: the gate
//! sees to the time (`directory::authenticate`), this page to the rest. The username is kept, the password never.

pub(crate) mod codes;
pub(crate) mod enrol;
pub(crate) mod factor;
pub(crate) mod finish;
pub(crate) mod password;
pub(crate) mod progress;
mod qr;
pub(crate) mod sign_out;

use crate::Web;
use crate::page::{Frame, failed};
use crate::return_to::{Message, Wish};
use crate::session::{FRESH, SignedIn};
use crate::text::Text;
use crate::visit::Visit;
use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use directory::authenticate::{Awaiting, Login, LoginName, Step, Verdict};
use directory::context::Actor;
use directory::error::Refusal;
use directory::lifecycle::ChangePath;
use progress::{Method, Progress, Stage};

/// Characters of a username; longer ones are nobody's.
const LONGEST_NAME: usize = 256;
/// What the gate is too busy with.
const BUSY: &str = "too many logins are waiting";
/// Octets of a password; longer ones are nobody's.
const LONGEST_PASSWORD: usize = 1_024;

/// A way in through an upstream provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// What the provider is called.
    pub name: String,
    /// The path of this server that begins the way there; `r` is added to it, and `t`, which shows that this browser was
    /// given the way by the sign-in page.
    pub path: String,
}

/// What is wrong with what was entered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Username,
    Password,
    Refused,
    Busy,
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage<'a> {
    p: Frame<'a>,
    title: Text,
    notice: Option<Text>,
    wrong: Option<(Text, Text)>,
    username_missing: bool,
    password_missing: bool,
    username: &'a str,
    upstreams: Vec<Upstream>,
}

/// `GET /sign-in`.
pub(crate) async fn show(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let visit = web.visit(&parts);
    let wish = visit.wish();
    match visit.signed_in() {
        Ok(Some(signed_in)) if signed_in.satisfies(&wish) => {
            visit.tell("signed in already", Some(signed_in.account()), Ok(()));
            return visit.see_other(wish.to.as_str());
        }
        Ok(Some(signed_in)) => match step_up(&visit, &wish, &signed_in) {
            Ok(Some(progress)) => return finish::proceed(&visit, progress).await,
            Ok(None) => {}
            Err(refusal) => return failed(&visit, &refusal),
        },
        Ok(None) => {}
        Err(refusal) => return failed(&visit, &refusal),
    }
    let name = wish.hints.login_hint.clone().unwrap_or_default();
    visit.tell("sign-in page", None, Ok(()));
    page(&visit, &wish, &name, None)
}

/// `POST /sign-in`.
pub(crate) async fn take(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let posted = match web.posted(request).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let (visit, fields) = (posted.visit, posted.fields);
    let wish = visit.wish();
    let name = fields.text("username").trim().to_owned();
    let password = fields.secret("password");
    if name.is_empty() {
        return page(&visit, &wish, &name, Some(Wrong::Username));
    }
    if password.expose().is_empty() {
        return page(&visit, &wish, &name, Some(Wrong::Password));
    }
    if name.chars().count() > LONGEST_NAME || password.expose().len() > LONGEST_PASSWORD {
        visit.tell("username and password", None, Err("longer than any"));
        return page(&visit, &wish, "", Some(Wrong::Refused));
    }
    visit.tell("username and password", None, Ok(()));
    let login = Login { name: LoginName::Username(name.clone()), password, change: ChangePath::Page };
    let step = web.directory().begin_login(&visit.context(Actor::Anonymous), login).await;
    let (account, epoch, stage) = match step {
        Step::Awaits(Awaiting { account, epoch, must_enrol }) => (account, epoch, Stage::Awaits { must_enrol }),
        Step::Done(Verdict::Admitted(admitted)) => {
            (admitted.account, admitted.epoch, Stage::Admitted { must_change: admitted.must_change })
        }
        Step::Done(Verdict::Refused { .. }) => return page(&visit, &wish, &name, Some(Wrong::Refused)),
        Step::Done(Verdict::Busy) => {
            visit.tell("gate", None, Err(BUSY));
            return page(&visit, &wish, &name, Some(Wrong::Busy));
        }
    };
    finish::proceed(&visit, Progress::new(&visit, account, epoch, Method::Password, stage)).await
}

/// `GET /sign-in/restart`: forgets how far the sign-in was, for somebody else to begin.
pub(crate) async fn restart(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let mut response = web.visit(&parts).start_over();
    progress::forget(&mut response);
    response
}

/// A session that lacks nothing but a second factor goes on with that: the password is not asked for again.
fn step_up(visit: &Visit, wish: &Wish, signed_in: &SignedIn) -> Result<Option<Progress>, Refusal> {
    let directory = visit.web.directory();
    let young = wish.hints.auth_since.is_none_or(|since| signed_in.session().auth_time >= since);
    if !young || (wish.hints.local && signed_in.session().upstream.is_some()) {
        return Ok(None);
    }
    let Some(awaiting) = directory.would_admit(signed_in.account(), &visit.now())? else { return Ok(None) };
    if awaiting.epoch != signed_in.session().epoch {
        return Ok(None);
    }
    let stage = if directory.factors_of(signed_in.account())?.any() {
        Stage::Awaits { must_enrol: false }
    } else if signed_in.is_fresh(&visit.now(), FRESH) {
        Stage::Admitted { must_change: false }
    } else {
        return Ok(None);
    };
    Ok(Some(Progress::of_session(visit, signed_in, stage)))
}

fn page(visit: &Visit, wish: &Wish, username: &str, wrong: Option<Wrong>) -> Response<Body> {
    let p = visit.frame(wish);
    let t = &p.t.sign_in;
    let app = wish.hints.client_name.as_deref();
    let provider = wish.hints.provider.as_deref().unwrap_or_default();
    let page = SignInPage {
        title: app.map_or_else(|| t.title.clone(), |app| t.title_for.with("app", app)),
        notice: wish.hints.message.filter(|_| wrong.is_none()).map(|message| match message {
            Message::StepUp => t.step_up.with("app", app.unwrap_or(&p.theme.name)),
            Message::Confirm => t.confirm.clone(),
            Message::Changed => t.changed.clone(),
            Message::Expired => t.expired.clone(),
            Message::Ended => t.ended.clone(),
            Message::UpstreamFailed => t.upstream_failed.with("provider", provider),
            Message::LinkFirst => t.link_first.with("provider", provider),
            Message::Linked => t.linked.with("provider", provider),
        }),
        wrong: wrong.map(|wrong| match wrong {
            Wrong::Username => (t.refused_title.clone(), t.missing_username.clone()),
            Wrong::Password => (t.refused_title.clone(), t.missing_password.clone()),
            Wrong::Refused => (t.refused_title.clone(), t.refused.clone()),
            Wrong::Busy => (t.busy_title.clone(), t.busy.clone()),
        }),
        username_missing: wrong == Some(Wrong::Username),
        password_missing: wrong == Some(Wrong::Password),
        username,
        upstreams: if wish.hints.local { Vec::new() } else { visit.web.upstreams(wish) },
        p,
    };
    let status = match wrong {
        None => StatusCode::OK,
        Some(Wrong::Username | Wrong::Password) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(Wrong::Refused) => StatusCode::FORBIDDEN,
        Some(Wrong::Busy) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = visit.page(status, wish, &page);
    if wrong == Some(Wrong::Busy) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("3"));
    }
    response
}

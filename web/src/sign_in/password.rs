//! The forced change of a password, on the way in. The change makes nobody ACTIVE (requirement 2.10): the sign-in after it
//! does, so the page leads back to the first one, with the username.

use super::finish::proceed;
use super::progress;
use crate::Web;
use crate::page::Frame;
use crate::person::Person;
use crate::return_to::{Message, Wish};
use crate::text::Text;
use crate::visit::Visit;
use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use directory::change::{Change, Target};
use directory::error::{PasswordReason, Reason, Refusal};
use progress::Progress;

/// What is wrong with what was entered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Missing,
    Differ,
    Quality,
    Short,
    Reused,
    Young,
    Elsewhere,
    Failed,
}

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage<'a> {
    p: Frame<'a>,
    person: Person,
    length: u16,
    history: u16,
    not_name: bool,
    wrong: Option<Text>,
    wrong_at_again: bool,
}

/// `GET /sign-in/password`.
pub(crate) async fn show(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let visit = web.visit(&parts);
    match visit.progress().filter(Progress::must_change) {
        Some(progress) => page(&visit, &progress, None),
        None => visit.start_again(),
    }
}

/// `POST /sign-in/password`.
pub(crate) async fn take(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let posted = match web.posted(request).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let (visit, fields) = (posted.visit, posted.fields);
    let Some(progress) = visit.progress() else { return visit.start_again() };
    if !progress.must_change() {
        return proceed(&visit, progress).await;
    }
    let (new, again) = (fields.secret("new"), fields.secret("again"));
    if new.expose().is_empty() {
        return page(&visit, &progress, Some(Wrong::Missing));
    }
    if new.expose() != again.expose() {
        return page(&visit, &progress, Some(Wrong::Differ));
    }
    let change = Change::Password { target: Target::Id(progress.account), old: None, new: Some(new) };
    match web.directory().change(&visit.context(progress.actor()), change).await {
        Ok(_) => {
            visit.tell("new password", Some(progress.account), Ok(()));
            changed(&visit, &progress)
        }
        Err(refusal) => {
            visit.tell("new password", Some(progress.account), Err(&refusal.message));
            page(&visit, &progress, Some(wrong(&refusal)))
        }
    }
}

/// Back to the first page, which says so and knows the name.
fn changed(visit: &Visit, progress: &Progress) -> Response<Body> {
    let mut wish = visit.wish();
    wish.hints.message = Some(Message::Changed);
    wish.hints.login_hint = visit.web.person(progress.account).ok().flatten().map(|person| person.username);
    let mut response = visit.see_other(&visit.web.step_uri("/sign-in", &visit.web.wish_parameter(&wish)));
    progress::forget(&mut response);
    response
}

fn wrong(refusal: &Refusal) -> Wrong {
    match &refusal.reason {
        Reason::Password(reason) => match reason {
            PasswordReason::InsufficientQuality => Wrong::Quality,
            PasswordReason::TooShort => Wrong::Short,
            PasswordReason::InHistory => Wrong::Reused,
            PasswordReason::TooYoung => Wrong::Young,
            PasswordReason::ModificationNotAllowed => Wrong::Elsewhere,
            PasswordReason::ChangeAfterReset | PasswordReason::MustSupplyOld => Wrong::Failed,
        },
        reason => {
            tracing::warn!(?reason, detail = refusal.detail.as_deref(), "a password could not be changed");
            Wrong::Failed
        }
    }
}

fn page(visit: &Visit, progress: &Progress, wrong: Option<Wrong>) -> Response<Body> {
    let wish: Wish = visit.wish();
    let p = visit.frame(&wish);
    let t = &p.t.password;
    let person = match visit.web.person(progress.account) {
        Ok(person) => person.unwrap_or_default(),
        Err(refusal) => return crate::page::failed(visit, &refusal),
    };
    let policy = visit.web.directory().policy();
    let page = PasswordPage {
        person,
        length: policy.password_min_length,
        history: policy.password_history,
        not_name: policy.password_not_name,
        wrong: wrong.map(|wrong| match wrong {
            Wrong::Missing => t.missing.clone(),
            Wrong::Differ => t.differ.clone(),
            Wrong::Quality => t.quality.clone(),
            Wrong::Short => t.short.clone(),
            Wrong::Reused => t.reused.clone(),
            Wrong::Young => t.young.clone(),
            Wrong::Elsewhere => t.elsewhere.clone(),
            Wrong::Failed => t.failed.clone(),
        }),
        wrong_at_again: wrong == Some(Wrong::Differ),
        p,
    };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    visit.page(status, &wish, &page)
}

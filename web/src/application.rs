//! What `oidc` shows to people: consent, refusals, what an application did wrong. It asks for these pages by what they say,
//! and never writes any itself.

use crate::headers::Policy;
use crate::page::{Frame, Problem, failed, problem_page};
use crate::return_to::{Hints, Wish};
use crate::session::SignedIn;
use crate::text::{ConsentTexts, Text};
use crate::visit::Visit;
use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};

/// What an application asks a person for.
#[derive(Debug, Clone, Copy)]
pub struct Consent<'a> {
    /// The application's name.
    pub app: &'a str,
    /// The host that the answer goes to, for people to judge by.
    pub host: Option<&'a str>,
    /// The scopes.
    pub scopes: &'a [String],
    /// Where the form is sent: a path of this server, perhaps with a query. Its field `answer` is `allow`, `deny` or `other`.
    pub action: &'a str,
    /// Fields that come along.
    pub hidden: &'a [(&'a str, &'a str)],
    /// The languages that the application asked for.
    pub ui_locales: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage<'a> {
    p: Frame<'a>,
    consent: Consent<'a>,
    name: String,
    username: String,
    gets: Vec<Text>,
}

/// The question of consent.
pub fn ask_consent(visit: &Visit, signed_in: &SignedIn, consent: Consent<'_>) -> Response<Body> {
    let wish = of_application(consent.app, consent.ui_locales);
    let person = match visit.web.person(signed_in.account()) {
        Ok(person) => person.unwrap_or_default(),
        Err(refusal) => return failed(visit, &refusal),
    };
    let p = visit.frame(&wish);
    let gets = consent.scopes.iter().map(|scope| words(&p.t.consent, scope)).collect();
    visit.page(StatusCode::OK, &wish, &ConsentPage { p, consent, name: person.name, username: person.username, gets })
}

/// What a scope means to whom it concerns.
pub(crate) fn words(t: &ConsentTexts, scope: &str) -> Text {
    match scope {
        "openid" => t.scope_openid.clone(),
        "profile" => t.scope_profile.clone(),
        "email" => t.scope_email.clone(),
        "phone" => t.scope_phone.clone(),
        "address" => t.scope_address.clone(),
        "groups" => t.scope_groups.clone(),
        "roles" => t.scope_roles.clone(),
        "tenant" => t.scope_tenant.clone(),
        "offline_access" => t.scope_offline_access.clone(),
        other => t.scope_other.with("scope", other),
    }
}

/// A person whom an application is not open to, and nobody can be told so by redirection.
pub fn denied(visit: &Visit, app: &str) -> Response<Body> {
    let wish = of_application(app, None);
    let t = &visit.texts(&wish).problem;
    let problem = Problem {
        title: t.denied_title.with("app", app).to_string(),
        text: t.denied.to_string(),
        next: t.denied_next.with("app", app).to_string(),
        technical: None,
        again: false,
    };
    problem_page(visit, StatusCode::FORBIDDEN, &wish, &problem)
}

/// A request that an application, or whoever wrote it, made wrongly; nobody is sent anywhere.
pub fn application_problem(visit: &Visit, status: StatusCode, code: &str, why: &str) -> Response<Body> {
    let wish = Wish::default();
    let t = &visit.texts(&wish).problem;
    let technical = format!("{code}: {why}");
    let problem = Problem {
        title: t.request_title.to_string(),
        text: t.request.to_string(),
        next: t.request_next.to_string(),
        technical: Some(&technical),
        again: false,
    };
    problem_page(visit, status, &wish, &problem)
}

fn of_application(app: &str, ui_locales: Option<&str>) -> Wish {
    let hints =
        Hints { client_name: Some(app.to_owned()), ui_locales: ui_locales.map(str::to_owned), ..Hints::default() };
    let wish = Wish { hints, ..Wish::default() };
    debug_assert_eq!(wish.policy(), Policy::Authorization);
    wish
}

//! What a sign-in through another provider shows to people: that it is not taken, whether to link, what a trial has shown.
//! `oidc` asks for these pages by what they say.

use crate::page::{Frame, Problem, problem_page};
use crate::person::Person;
use crate::return_to::{Hints, Message, ReturnTo, Wish};
use crate::text::Text;
use crate::visit::Visit;
use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};

/// Whether to link an account.
#[derive(Debug, Clone, Copy)]
pub struct Linking<'a> {
    /// What the provider is called.
    pub provider: &'a str,
    /// What the provider calls the person.
    pub shown: &'a str,
    /// The account here.
    pub person: &'a Person,
    /// Nobody has verified the account's address: its password and all sign-ins end.
    pub takes_password: bool,
    /// Where the form is sent: a path of this server. Its field `answer` is `link` or `no`.
    pub action: &'a str,
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage<'a> {
    p: Frame<'a>,
    title: Text,
    link: Linking<'a>,
}

/// The question whether to link.
pub fn ask_link(visit: &Visit, wish: &Wish, link: Linking<'_>) -> Response<Body> {
    let p = visit.frame(wish);
    let title = p.t.link.title.with("provider", link.provider);
    visit.page(StatusCode::OK, wish, &LinkPage { p, title, link })
}

/// Nobody gets in by this account at the provider, for whatever reason: always the same page.
pub fn upstream_refused(visit: &Visit, wish: &Wish, provider: &str) -> Response<Body> {
    let t = &visit.texts(wish).problem;
    let problem = Problem {
        title: t.upstream_title.with("provider", provider).to_string(),
        text: t.upstream.to_string(),
        next: t.upstream_next.to_string(),
        technical: None,
        again: true,
    };
    problem_page(visit, StatusCode::FORBIDDEN, wish, &problem)
}

/// To the sign-in page, which says something about the provider; the password is always there.
pub fn back_to_sign_in(visit: &Visit, wish: &Wish, message: Message, provider: &str) -> Response<Body> {
    let hints = Hints { message: Some(message), provider: Some(provider.to_owned()), ..wish.hints.clone() };
    visit.see_other(&crate::sign_in_uri(&visit.web, wish.to.clone(), hints))
}

/// To the sign-in page for the account that is to be linked: here, anew, by the password and every factor.
pub fn sign_in_to_link(visit: &Visit, wish: &Wish, to: ReturnTo, provider: &str) -> Response<Body> {
    let hints = Hints {
        message: Some(Message::LinkFirst),
        provider: Some(provider.to_owned()),
        local: true,
        auth_since: Some(visit.now().wall),
        login_hint: None,
        need_acr: None,
        ..wish.hints.clone()
    };
    visit.see_other(&crate::sign_in_uri(&visit.web, to, hints))
}

#[derive(Template)]
#[template(path = "trial.html")]
struct TrialPage<'a> {
    p: Frame<'a>,
    title: Text,
    rows: &'a [(String, String)],
}

/// What a trial of a provider has shown, for whoever administers it.
pub fn trial(visit: &Visit, provider: &str, rows: &[(String, String)]) -> Response<Body> {
    let wish = Wish::default();
    let p = visit.frame(&wish);
    let title = p.t.trial.title.with("provider", provider);
    visit.page(StatusCode::OK, &wish, &TrialPage { p, title, rows })
}

impl Visit {
    /// From here on the visit leads to this.
    pub fn lead_to(&mut self, wish: &Wish) {
        self.parameter = self.web.wish_parameter(wish);
    }

    /// Sends the browser to the page that it wanted.
    pub fn go_on(&self, wish: &Wish) -> Response<Body> {
        self.see_other(wish.to.as_str())
    }

    /// Sends the browser to another server.
    pub fn leave_for(&self, address: &str) -> Response<Body> {
        self.see_other(address)
    }

    /// The page for what is the server's fault.
    pub fn failed(&self, why: &directory::error::Refusal) -> Response<Body> {
        crate::page::failed(self, why)
    }

    /// The page for an address that belongs to no page.
    pub fn missing(&self) -> Response<Body> {
        crate::page::problem(self, StatusCode::NOT_FOUND, |t| (&t.missing_title, &t.missing, &t.missing_next))
    }
}

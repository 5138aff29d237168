//! Pages: the frame around every one, and the ones that say what went wrong and what to do.
//!
//! Owns the answer to a browser: template to HTML, headers, the cookie that forms are bound to. Templates are in `templates/`;
//! each names its [`Frame`] as `p`.

use crate::cookie::{self, Keep};
use crate::headers;
use crate::return_to::{ReturnTo, Wish};
use crate::text::{Language, ProblemTexts, Text, Texts};
use crate::theme::Theme;
use crate::visit::{Colours, Visit};
use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

/// What every template gets.
pub(crate) struct Frame<'a> {
    pub(crate) t: &'a Texts,
    pub(crate) language: Language,
    pub(crate) colours: Colours,
    pub(crate) theme: &'a Theme,
    pub(crate) style: &'a str,
    pub(crate) theme_style: Option<&'a str>,
    pub(crate) script: &'a str,
    pub(crate) icon: &'a str,
    pub(crate) logo: &'a str,
    pub(crate) back: ReturnTo,
    /// The parameter that the page's forms carry on.
    pub(crate) r: &'a str,
    /// Who is signed in, where the page has a way out.
    pub(crate) who: Option<String>,
    visit: &'a Visit,
}

impl Frame<'_> {
    pub(crate) fn token(&self, path: &str) -> String {
        self.visit.token(path)
    }

    pub(crate) fn languages(&self) -> [Language; 2] {
        Language::ALL
    }

    pub(crate) fn all_colours(&self) -> [(Colours, &Text); 3] {
        let t = &self.t.frame;
        [(Colours::System, &t.system), (Colours::Light, &t.light), (Colours::Dark, &t.dark)]
    }

    pub(crate) fn reference(&self) -> Text {
        self.t.frame.reference.with("id", self.visit.reference())
    }

    /// The address of another step of the same sign-in.
    pub(crate) fn step(&self, path: &str) -> String {
        self.visit.web.step_uri(path, self.r)
    }
}

impl Visit {
    /// The frame of this visit's page.
    pub(crate) fn frame<'a>(&'a self, wish: &Wish) -> Frame<'a> {
        let language = self.language(wish);
        let dress = self.web.dress(wish.hints.tenant.as_deref());
        Frame {
            t: self.web.languages().of(language),
            language,
            colours: self.colours,
            theme: &dress.theme,
            style: self.web.style(),
            theme_style: dress.style.as_deref(),
            script: self.web.script(),
            icon: self.web.icon(),
            logo: &dress.logo,
            back: self.back(),
            r: &self.parameter,
            who: None,
            visit: self,
        }
    }

    /// The answer with this page.
    pub(crate) fn page(&self, status: StatusCode, wish: &Wish, page: &impl Template) -> Response<Body> {
        let html = match page.render() {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(%error, "a page could not be written");
                return plain(StatusCode::INTERNAL_SERVER_ERROR);
            }
        };
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = status;
        headers::set(response.headers_mut(), wish.policy(), self.language(wish).tag());
        if let Some(line) = self.introduction() {
            response.headers_mut().append(header::SET_COOKIE, line);
        }
        response
    }

    /// Sends the browser on (RFC 9110 §15.4.4): always with GET, whatever it came with.
    pub(crate) fn see_other(&self, place: &str) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let Ok(place) = HeaderValue::try_from(place) else { return plain(StatusCode::INTERNAL_SERVER_ERROR) };
        response.headers_mut().insert(header::LOCATION, place);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(line) = self.introduction() {
            response.headers_mut().append(header::SET_COOKIE, line);
        }
        response
    }
}

/// Adds a cookie to an answer.
pub(crate) fn set_cookie(response: &mut Response<Body>, name: &str, value: &str, keep: Keep) {
    match cookie::write(name, value, keep) {
        Some(line) => _ = response.headers_mut().append(header::SET_COOKIE, line),
        None => tracing::error!(name, "a cookie cannot hold its value"),
    }
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::from(status.canonical_reason().unwrap_or_default()));
    *response.status_mut() = status;
    response
}

/// What went wrong, in words for whoever sees it.
pub struct Problem<'a> {
    /// The heading.
    pub title: String,
    /// What happened.
    pub text: String,
    /// What to do.
    pub next: String,
    /// For those who run the application or the server; none: nothing that they could use.
    pub technical: Option<&'a str>,
    /// Whether the page offers to begin the sign-in again.
    pub again: bool,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    p: Frame<'a>,
    problem: &'a Problem<'a>,
}

/// The page for a problem.
pub fn problem_page(visit: &Visit, status: StatusCode, wish: &Wish, problem: &Problem<'_>) -> Response<Body> {
    visit.page(status, wish, &ProblemPage { p: visit.frame(wish), problem })
}

/// The page for one of the problems that all pages have.
pub(crate) fn problem(
    visit: &Visit,
    status: StatusCode,
    which: impl FnOnce(&ProblemTexts) -> (&Text, &Text, &Text),
) -> Response<Body> {
    let wish = visit.wish();
    let (title, text, next) = which(&visit.texts(&wish).problem);
    let problem = Problem {
        title: title.to_string(),
        text: text.to_string(),
        next: next.to_string(),
        technical: None,
        again: true,
    };
    problem_page(visit, status, &wish, &problem)
}

/// The page for what is the server's fault.
pub(crate) fn failed(visit: &Visit, why: &directory::error::Refusal) -> Response<Body> {
    tracing::error!(reason = ?why.reason, detail = why.detail.as_deref(), "a page could not be made");
    problem(visit, StatusCode::INTERNAL_SERVER_ERROR, |t| (&t.failed_title, &t.failed, &t.failed_next))
}

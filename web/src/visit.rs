//! One request of a browser: who it is, which language and colours it gets, what its page is framed with.
//!
//! Owns what every page needs and no page should ask for by itself. A visit knows nothing of accounts: `session` does.

use crate::Web;
use crate::cookie::{self, Keep};
use crate::return_to::{ReturnTo, Wish};
use crate::text::{Language, Texts};
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use directory::clock::Now;
use directory::context::{Actor, Context, Door, Origin};
use directory::id::EntryId;
use directory::trail::Step;
use peer::Peer;

/// Octets of randomness in the browser's cookie.
const BROWSER: usize = 16;
/// Characters of a `User-Agent` that are kept.
const AGENT: usize = 256;
/// What the name of a browser's flow is a mark for.
const FLOW: &str = "flow";
/// How long a browser keeps its choice of language and colours.
const YEAR: u32 = 365 * 86_400;

/// The colours that were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colours {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Colours {
    /// The word in the cookie and in the page.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Colours::System => "system",
            Colours::Light => "light",
            Colours::Dark => "dark",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Colours> {
        [Colours::System, Colours::Light, Colours::Dark].into_iter().find(|colours| colours.name() == name)
    }
}

/// A request of a browser.
pub struct Visit {
    pub(crate) web: Web,
    pub(crate) peer: Peer,
    /// The value of the cookie that forms are bound to.
    pub(crate) browser: String,
    /// The browser does not have that value yet.
    pub(crate) unknown: bool,
    /// What the browser chose, and what it says it reads.
    chosen: Option<Language>,
    accepted: Option<Language>,
    pub(crate) colours: Colours,
    pub(crate) headers: HeaderMap,
    path: String,
    /// The parameter `r`.
    pub(crate) parameter: String,
    now: Now,
}

impl Web {
    /// The visit that a request is.
    pub fn visit(&self, parts: &Parts) -> Visit {
        let headers = parts.headers.clone();
        let known = cookie::read(&headers, cookie::FORM).filter(|value| value.len() <= 64).map(str::to_owned);
        let unknown = known.is_none();
        let (language, colours) =
            cookie::read(&headers, cookie::LOOK).and_then(|look| look.split_once('.')).unwrap_or(("", ""));
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let query = parts.uri.query().unwrap_or("");
        let parameter = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "r");
        Visit {
            web: self.clone(),
            peer: parts.extensions.get::<Peer>().cloned().unwrap_or_else(Peer::local),
            browser: known.unwrap_or_else(|| self.new_browser()),
            unknown,
            chosen: Language::of(language),
            accepted: accepted.and_then(Language::accepted),
            colours: Colours::of(colours).unwrap_or_default(),
            path: parts.uri.path().to_owned(),
            parameter: parameter.map(|(_, value)| value.into_owned()).unwrap_or_default(),
            now: self.directory().now(),
            headers,
        }
    }

    pub(crate) fn new_browser(&self) -> String {
        BASE64.encode(self.directory().random_bytes::<BROWSER>())
    }
}

impl Visit {
    /// What the visitor wants, by the parameter `r`.
    pub fn wish(&self) -> Wish {
        self.web.wish(&self.parameter)
    }

    /// Who sent the request.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The time of the request.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The request's name in the log, for people to tell.
    pub fn reference(&self) -> &str {
        &self.peer.request_id
    }

    /// The language: what the visitor chose, what the application asked for, what the browser reads.
    pub(crate) fn language(&self, wish: &Wish) -> Language {
        let asked = wish.hints.ui_locales.as_deref().and_then(Language::of_list);
        self.chosen.or(asked).or(self.accepted).unwrap_or(self.web.settings().language)
    }

    pub(crate) fn texts(&self, wish: &Wish) -> &Texts {
        self.web.languages().of(self.language(wish))
    }

    /// The same page again, for the forms in its foot.
    pub(crate) fn back(&self) -> ReturnTo {
        ReturnTo::path(&self.web.step_uri(&self.path, &self.parameter)).unwrap_or_else(ReturnTo::home)
    }

    /// The name under which this sign-in's steps are told: the application's, or the browser's.
    pub fn flow(&self) -> String {
        let of_browser = || self.web.sealer().mark(FLOW, &[&self.browser]).chars().take(16).collect();
        self.wish().hints.flow.unwrap_or_else(of_browser)
    }

    /// Writes a step of the sign-in down, for `rollbook login explain`; `Err` holds the rule that refused it. Never a secret,
    /// nor what somebody typed.
    pub fn tell(&self, what: &str, account: Option<EntryId>, end: Result<(), &str>) {
        self.web.directory().trail().note(Step {
            at: self.now.wall,
            number: self.peer.number,
            request: self.reference().to_owned(),
            flow: self.flow(),
            what: what.to_owned(),
            account,
            refused: end.err().map(str::to_owned),
            ..Step::default()
        });
    }

    /// Sends the browser to the first page of the sign-in that it lost its way in.
    pub fn start_again(&self) -> Response<Body> {
        self.tell("next step", None, Err("how far the sign-in was is not known: too long ago, or in another browser"));
        self.start_over()
    }

    /// Sends the browser to the first page of its sign-in.
    pub(crate) fn start_over(&self) -> Response<Body> {
        self.see_other(&self.web.step_uri("/sign-in", &self.parameter))
    }

    /// The browser's description of itself.
    pub(crate) fn agent(&self) -> String {
        let agent = self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
        agent.chars().filter(|c| !c.is_control()).take(AGENT).collect()
    }

    /// The circumstances, for the directory.
    pub fn context(&self, actor: Actor) -> Context {
        let origin =
            Origin { door: Door::Console, address: Some(self.peer.address), confidential: self.peer.confidential };
        Context { actor, origin, now: self.now, request_id: self.peer.number }
    }

    /// The cookie that the browser gets because it had none.
    pub(crate) fn introduction(&self) -> Option<HeaderValue> {
        self.unknown.then(|| cookie::write(cookie::FORM, &self.browser, Keep::Visit)).flatten()
    }

    /// The cookie for another choice of language and colours.
    pub(crate) fn look(&self, language: Option<Language>, colours: Option<Colours>) -> Option<HeaderValue> {
        let language = language.or(self.chosen).map_or("", Language::tag);
        let colours = colours.unwrap_or(self.colours).name();
        cookie::write(cookie::LOOK, &format!("{language}.{colours}"), Keep::Seconds(YEAR))
    }
}

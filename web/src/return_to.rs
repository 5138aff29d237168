//! Where a sign-in leads, and what was asked of it: sealed, so that nobody else can say it.
//!
//! Owns [`ReturnTo`], a path of this server and nothing else, [`Hints`], and the parameter `r` that carries both through
//! the pages. There is no other way to make a page lead anywhere: no open redirect (RFC 9700 §4.11).

use crate::Web;
use crate::headers::Policy;
use directory::clock::{Millis, Span};
use serde::{Deserialize, Serialize};

/// The purpose that a request is sealed for.
const PURPOSE: &str = "return-to";
/// How long a sign-in may take. What it returns to is decided again there.
const LASTING: Span = Span::from_hours(8);
/// Octets of a path.
const LONGEST: usize = 16 * 1024;
/// Characters of a hint that are kept.
const HINT: usize = 256;

/// A path of this server, with its query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// A path. None for what a browser could take as anything else: another origin, a scheme, a fragment.
    pub fn path(path: &str) -> Option<ReturnTo> {
        let rest = path.strip_prefix('/')?;
        let plain =
            path.bytes().all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'\\' | b'#' | b'"' | b'<' | b'>'));
        let fits = path.len() <= LONGEST && plain && !rest.starts_with('/');
        // What dot segments would make of it is not looked at: a path that has any is none of ours.
        let dots = path.split(['/', '?']).any(|part| matches!(part, "." | ".."));
        (fits && !dots).then(|| ReturnTo(path.to_owned()))
    }

    /// The page of the own sessions: where those go who wanted nowhere else.
    pub fn home() -> ReturnTo {
        ReturnTo("/sessions".to_owned())
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How strongly a person has to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Acr {
    /// One factor.
    #[default]
    Password,
    /// Two.
    SecondFactor,
}

impl Acr {
    /// The value of the claim `acr`.
    pub fn name(self) -> &'static str {
        match self {
            Acr::Password => "pwd",
            Acr::SecondFactor => "mfa",
        }
    }

    /// By that value.
    pub fn of(name: &str) -> Option<Acr> {
        [Acr::Password, Acr::SecondFactor].into_iter().find(|acr| acr.name() == name)
    }
}

/// A sentence on top of the sign-in page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// The application wants to be sure.
    StepUp,
    /// A page of ours wants to be sure.
    Confirm,
    /// The password was changed.
    Changed,
    /// The session was too old.
    Expired,
    /// The session was ended.
    Ended,
    /// The upstream provider did not help.
    UpstreamFailed,
    /// Who has come from the upstream provider shows which account is theirs.
    LinkFirst,
    /// The account is linked now.
    Linked,
}

/// What is known about a sign-in before it begins. Texts are cut to 256 characters and only ever shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hints {
    /// The application that asked.
    pub client_name: Option<String>,
    /// Who probably wants in.
    pub login_hint: Option<String>,
    /// How strongly the person has to be known.
    pub need_acr: Option<Acr>,
    /// The sign-in has to be younger than this.
    pub auth_since: Option<Millis>,
    /// Languages, the preferred one first.
    pub ui_locales: Option<String>,
    /// The sign-in has to be here, through no provider.
    pub local: bool,
    /// The tenant, for its theme and its providers.
    pub tenant: Option<String>,
    /// What to say.
    pub message: Option<Message>,
    /// The upstream provider that `message` names.
    pub provider: Option<String>,
    /// The name under which this login's steps are told; none: the browser's.
    pub flow: Option<String>,
}

impl Hints {
    fn cut(mut self) -> Hints {
        let all =
            [&mut self.client_name, &mut self.login_hint, &mut self.ui_locales, &mut self.tenant, &mut self.provider];
        for text in all.into_iter().flatten() {
            *text = text.chars().filter(|c| !c.is_control()).take(HINT).collect();
        }
        self
    }
}

/// A sign-in as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Where to.
    pub to: ReturnTo,
    /// What was said about it.
    pub hints: Hints,
}

impl Default for Wish {
    fn default() -> Wish {
        Wish { to: ReturnTo::home(), hints: Hints::default() }
    }
}

impl Wish {
    /// The content security policy of its pages.
    pub fn policy(&self) -> Policy {
        if self.in_authorization() { Policy::Authorization } else { Policy::Own }
    }

    /// Whether this is a step of an authorization request: the answer may lead to another origin.
    pub fn in_authorization(&self) -> bool {
        let path = self.to.as_str().split('?').next().unwrap_or_default();
        path.ends_with("/oauth2/authorize") || self.hints.client_name.is_some()
    }
}

/// The address of the sign-in page for this wish.
pub fn sign_in_uri(web: &Web, to: ReturnTo, hints: Hints) -> String {
    web.step_uri("/sign-in", &web.wish_parameter(&Wish { to, hints }))
}

impl Web {
    /// The parameter `r` for a wish; empty when it is too long to come back.
    pub(crate) fn wish_parameter(&self, wish: &Wish) -> String {
        let now = self.directory().now().wall;
        let wish = Wish { to: wish.to.clone(), hints: wish.hints.clone().cut() };
        self.sealer().seal(self.directory(), PURPOSE, &wish, now, LASTING).unwrap_or_default()
    }

    /// The wish of a parameter `r`: the default one when it is not ours or too old.
    pub(crate) fn wish(&self, parameter: &str) -> Wish {
        let now = self.directory().now().wall;
        let wish: Option<Wish> = self.sealer().open(PURPOSE, parameter, now);
        // Sealed by us; looked at again all the same.
        wish.filter(|wish| ReturnTo::path(wish.to.as_str()).is_some()).unwrap_or_default()
    }

    /// The address of one of the pages, with the parameter.
    pub(crate) fn step_uri(&self, path: &str, parameter: &str) -> String {
        if parameter.is_empty() { path.to_owned() } else { format!("{path}?r={parameter}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: whatever a browser could read as another place is no path (hostile row E1's spellings).
    #[test]
    fn only_paths() {
        for good in [
            "/",
            "/sessions",
            "/oauth2/authorize?redirect_uri=https%3A%2F%2Fapp&x=a/b",
            "/t/acme/oauth2/authorize?a=//b",
        ] {
            assert!(ReturnTo::path(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "sessions",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/a b",
            "/a\t/evil",
            "/a\r\nLocation: https://evil.example",
            "/\t/evil.example",
            "/../\\evil",
            "/a/../..//evil.example",
            "/.//evil.example",
            "/a#https://evil.example",
            "/\u{ff0f}evil.example",
        ] {
            assert!(ReturnTo::path(bad).is_none(), "{bad:?}");
        }
        assert!(ReturnTo::path(&format!("/{}", "a".repeat(LONGEST))).is_none());
    }
}

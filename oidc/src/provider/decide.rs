//! What happens next with a good authorization request: by who is signed in, how, since when, and what was agreed.
//!
//! Pure, and asked again whenever the browser comes back: nothing is remembered between two visits but what is stored (the
//! session, the consent) and what this browser was already sent away for ([`Demanded`], sealed into the address).
//!
//! ```text
//!  nobody, or not as needed ─▶ sign in ─┐          not agreed ─▶ ask ─┐
//!        ▲                              │             ▲               │
//!        └──────── comes back ◀─────────┘             └─ comes back ◀─┘      may not enter ─▶ access_denied
//! ```

use super::client::Client;
use super::error::{Code, Wrong};
use super::table::{Request, height};
use directory::clock::{Millis, Span};

/// What a browser was already sent away for, in answer to this very request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Demanded {
    /// The login must be at least this young: set once, at the first visit, so that a slow person is not asked twice.
    pub since: Option<Millis>,
    /// A higher level was asked for; a wish is not repeated.
    pub level: bool,
    /// Consent was asked for anew and given.
    pub consented: bool,
}

/// What is known of the browser's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The account's `sub`.
    pub sub: String,
    /// When the person proved who they are.
    pub auth_time: Millis,
    /// By which level.
    pub acr: String,
    /// The account may enter this application: its groups and roles, its tenant.
    pub may_enter: bool,
    /// Scopes that were agreed to for this application before.
    pub agreed: Vec<String>,
}

/// The next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The person has to sign in.
    SignIn {
        /// Not earlier than this; what comes back has to show it.
        since: Option<Millis>,
        /// By at least this level.
        acr: Option<String>,
        /// Another account may be chosen: the present one is not proposed.
        anew: bool,
    },
    /// The person has to agree.
    Consent,
    /// The client gets a code.
    Issue,
    /// The client gets a refusal.
    Refuse(Wrong),
}

/// Decides.
pub fn decide(client: &Client, request: &Request, demanded: Demanded, who: Option<&SignedIn>, now: Millis) -> Next {
    let silent = request.prompt.none;
    let refuse = |code, why| Next::Refuse(Wrong::new(code, why));

    let since = demanded.since.or_else(|| needed_since(request, now));
    let essential = request.acr_essential.iter().filter_map(|acr| height(acr)).min();
    let wished = request.acr_values.iter().find_map(|acr| height(acr));
    let needed = if demanded.level { essential } else { essential.max(wished) };
    let level = |needed: Option<usize>| needed.and_then(|at| super::table::LEVELS.get(at)).map(|acr| (*acr).to_owned());

    let Some(who) = who else {
        if silent {
            return refuse(Code::LoginRequired, "nobody is signed in");
        }
        return Next::SignIn { since, acr: level(needed), anew: request.prompt.select_account };
    };
    // Whoever is to sign in anew is sent to do so at the first visit, even when the last login was in this very moment.
    let anew = demanded.since.is_none() && needs_new_login(request);
    if anew || since.is_some_and(|since| who.auth_time < since) {
        if silent {
            return refuse(Code::LoginRequired, "the login is too long ago");
        }
        return Next::SignIn { since, acr: level(needed), anew: request.prompt.select_account };
    }
    if request.hint.as_ref().is_some_and(|hint| hint.sub != who.sub) {
        if silent {
            return refuse(Code::LoginRequired, "somebody else is signed in");
        }
        // Asked once: whoever signs in again as somebody else has chosen so, and the client is told who it is not.
        if demanded.since.is_some() {
            return refuse(Code::LoginRequired, "somebody else has signed in");
        }
        return Next::SignIn { since: Some(now), acr: level(needed), anew: true };
    }
    let reached = height(&who.acr).unwrap_or(0);
    if needed.is_some_and(|needed| reached < needed) {
        // A wish is no reason to fail, and without a page there is nobody to ask.
        let must = essential.is_some_and(|essential| reached < essential);
        match (silent, must) {
            (true, true) => return refuse(Code::InteractionRequired, "a second factor is needed"),
            (true, false) => (),
            (false, _) => return Next::SignIn { since, acr: level(needed), anew: false },
        }
    }
    if !who.may_enter {
        return refuse(Code::AccessDenied, "this account may not enter this application");
    }
    let agreed = demanded.consented
        || (!request.prompt.consent
            && (client.first_party || request.scopes.iter().all(|scope| who.agreed.contains(scope))));
    if !agreed {
        if silent {
            return refuse(Code::ConsentRequired, "the person has not agreed yet");
        }
        return Next::Consent;
    }
    Next::Issue
}

/// Since when the login must be, by the request alone.
fn needed_since(request: &Request, now: Millis) -> Option<Millis> {
    if needs_new_login(request) {
        return Some(now);
    }
    request.max_age.map(|age| Millis(now.0.saturating_sub(age.millis())))
}

fn needs_new_login(request: &Request) -> bool {
    request.prompt.login || request.prompt.select_account || request.max_age == Some(Span::ZERO)
}

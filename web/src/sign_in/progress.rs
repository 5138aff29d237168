//! How far a sign-in has come: sealed in a cookie, bound to the browser, short.
//!
//! Owns [`Progress`]. Nothing of a sign-in that is not finished is kept here on the server, so nobody can fill it with them.

use crate::Web;
use crate::cookie::{self, Keep};
use crate::page::set_cookie;
use crate::return_to::Acr;
use crate::session::SignedIn;
use crate::visit::Visit;
use axum::body::Body;
use axum::http::Response;
use directory::authenticate::{Awaiting, Prior};
use directory::clock::{Millis, Span};
use directory::context::Actor;
use directory::grant::Upstream;
use directory::id::EntryId;
use serde::{Deserialize, Serialize};

const PURPOSE: &str = "step";
/// How long the steps after the password may take.
const LASTING: Span = Span::from_mins(15);

/// What has been proven (RFC 8176).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// The password.
    Password,
    /// A code of the authenticator app.
    OneTimeCode,
    /// A recovery code.
    RecoveryCode,
    /// An upstream provider vouched for the account.
    Upstream,
    /// And said that it asked for two factors.
    UpstreamFactors,
}

impl Method {
    /// The value of the claim `amr`.
    pub fn name(self) -> &'static str {
        match self {
            Method::Password => "pwd",
            Method::OneTimeCode => "otp",
            Method::RecoveryCode => "kba",
            Method::Upstream => "fed",
            Method::UpstreamFactors => "mfa",
        }
    }
}

/// How far the gate is with a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// It waits for a second factor; with `must_enrol`, for one to be set up.
    Awaits {
        /// One is demanded, and there is none.
        must_enrol: bool,
    },
    /// It is admitted; with `must_change`, to change the password and nothing else.
    Admitted {
        /// The password has to be changed first.
        must_change: bool,
    },
}

/// A sign-in between its first step and its session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Whose.
    pub account: EntryId,
    /// The account's epoch at the first step.
    pub epoch: u64,
    /// When the first step was.
    pub since: Millis,
    /// What has been proven.
    pub methods: Vec<Method>,
    /// What the gate said last.
    pub stage: Stage,
    /// Where the first step was, if not here.
    pub upstream: Option<Upstream>,
    /// It goes on from a running session.
    pub(crate) step_up: bool,
    /// The browser that it is in.
    pub(crate) browser: String,
}

impl Method {
    fn of(name: &str) -> Option<Method> {
        use Method::{OneTimeCode, Password, RecoveryCode, Upstream, UpstreamFactors};
        [Password, OneTimeCode, RecoveryCode, Upstream, UpstreamFactors]
            .into_iter()
            .find(|method| method.name() == name)
    }
}

impl Progress {
    /// From a running session, towards more than it proves.
    pub(crate) fn of_session(visit: &Visit, signed_in: &SignedIn, stage: Stage) -> Progress {
        let session = signed_in.session();
        Progress {
            account: session.account,
            epoch: session.epoch,
            since: session.auth_time,
            methods: session.amr.iter().filter_map(|name| Method::of(name)).collect(),
            stage,
            upstream: session.upstream.clone(),
            step_up: true,
            browser: visit.browser.clone(),
        }
    }

    /// After the first step.
    pub fn new(visit: &Visit, account: EntryId, epoch: u64, method: Method, stage: Stage) -> Progress {
        let since = visit.now().wall;
        Progress {
            account,
            epoch,
            since,
            methods: vec![method],
            stage,
            upstream: None,
            step_up: false,
            browser: visit.browser.clone(),
        }
    }

    /// Whether a second factor has been proven, here or upstream.
    pub fn has_second_factor(&self) -> bool {
        let second = |m: &Method| matches!(m, Method::OneTimeCode | Method::RecoveryCode | Method::UpstreamFactors);
        self.methods.iter().any(second)
    }

    /// How strongly the person is known.
    pub fn acr(&self) -> Acr {
        if self.has_second_factor() { Acr::SecondFactor } else { Acr::Password }
    }

    /// The values of `amr`: each method, and `mfa` when there are two.
    pub fn amr(&self) -> Vec<String> {
        let mut names: Vec<String> = self.methods.iter().map(|method| method.name().to_owned()).collect();
        if self.has_second_factor() && !names.iter().any(|name| name == "mfa") {
            names.push("mfa".to_owned());
        }
        names
    }

    /// Whether the password has to be changed before anything else.
    pub fn must_change(&self) -> bool {
        self.stage == Stage::Admitted { must_change: true }
    }

    /// What the gate is asked with about a second factor.
    pub(crate) fn awaiting(&self) -> Awaiting {
        let must_enrol = self.stage == Stage::Awaits { must_enrol: true };
        Awaiting { account: self.account, epoch: self.epoch, must_enrol }
    }

    /// What the second factor comes after: the password of a moment ago, or a proof that says nothing about it.
    pub(crate) fn prior(&self) -> Prior {
        let of_now = matches!(self.stage, Stage::Awaits { .. }) && self.methods.first() == Some(&Method::Password);
        if of_now && !self.step_up { Prior::Password } else { Prior::Elsewhere }
    }

    /// The account as the one who acts: it may do nothing but what the next step asks for.
    pub fn actor(&self) -> Actor {
        Actor::Account { id: self.account, epoch: self.epoch, must_change_password: self.must_change() }
    }
}

impl Visit {
    /// The sign-in that this browser is in the middle of.
    pub(crate) fn progress(&self) -> Option<Progress> {
        let text = cookie::read(&self.headers, cookie::STEP)?;
        let progress: Progress = self.web.sealer().open(PURPOSE, text, self.now().wall)?;
        (progress.browser == self.browser).then_some(progress)
    }
}

/// Lets the browser keep how far it is.
pub(crate) fn keep(web: &Web, response: &mut Response<Body>, progress: &Progress) {
    let now = web.directory().now().wall;
    if let Some(text) = web.sealer().seal(web.directory(), PURPOSE, progress, now, LASTING) {
        set_cookie(response, cookie::STEP, &text, Keep::Visit);
    }
}

/// Takes it back.
pub(crate) fn forget(response: &mut Response<Body>) {
    set_cookie(response, cookie::STEP, "", Keep::Gone);
}

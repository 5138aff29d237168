//! After each step: what is missing, or the session.
//!
//! ```text
//! password │ upstream ─▶ second factor, if there is one ─▶ new password, if it must be ─▶ enrolment, if it is demanded
//!                    ─▶ session (a new secret, a new cookie for forms) ─▶ where the visitor wanted
//! ```
//! Steps never call each other: each comes back here. The second factor comes before the new password, so that who has
//! only an old password changes nothing.

use super::progress::{self, Progress, Stage};
use crate::cookie::{self, Keep};
use crate::page::{failed, set_cookie};
use crate::return_to::Wish;
use crate::visit::Visit;
use axum::body::Body;
use axum::http::Response;
use directory::context::Actor;
use directory::error::Refusal;
use directory::grant::{Cause, NewSession};

/// Sends the visitor to the next step, or signs in.
pub async fn proceed(visit: &Visit, progress: Progress) -> Response<Body> {
    let wish = visit.wish();
    // Where the application demands more than the policy does, there was no factor to ask for.
    let needs_more = progress.acr() < wish.hints.need_acr.unwrap_or_default();
    match progress.stage {
        Stage::Awaits { must_enrol: false } => step(visit, &FACTOR, &progress),
        Stage::Admitted { must_change: true } => step(visit, &PASSWORD, &progress),
        Stage::Awaits { must_enrol: true } => step(visit, &ENROL, &progress),
        Stage::Admitted { must_change: false } if needs_more => step(visit, &ENROL, &progress),
        Stage::Admitted { must_change: false } => match begin(visit, &progress, &wish).await {
            Ok(response) => {
                visit.tell("session started", Some(progress.account), Ok(()));
                response
            }
            Err(refusal) => {
                visit.tell("session started", Some(progress.account), Err(&refusal.message));
                failed(visit, &refusal)
            }
        },
    }
}

/// A step's page, and what it is told as.
type Page = (&'static str, &'static str);
const FACTOR: Page = ("/sign-in/factor", "asked for a second factor");
const ENROL: Page = ("/sign-in/enrol", "asked to set up a second factor");
const PASSWORD: Page = ("/sign-in/password", "asked for a new password");

fn step(visit: &Visit, (path, what): &Page, progress: &Progress) -> Response<Body> {
    visit.tell(what, Some(progress.account), Ok(()));
    let mut response = visit.see_other(&visit.web.step_uri(path, &visit.parameter));
    progress::keep(&visit.web, &mut response, progress);
    response
}

async fn begin(visit: &Visit, progress: &Progress, wish: &Wish) -> Result<Response<Body>, Refusal> {
    let web = &visit.web;
    let directory = web.directory();
    let context = visit.context(Actor::Anonymous);
    let settings = web.settings();
    let new = NewSession {
        account: progress.account,
        epoch: progress.epoch,
        auth_time: progress.since,
        amr: progress.amr(),
        acr: progress.acr().name().to_owned(),
        upstream: progress.upstream.clone(),
        agent: visit.agent(),
        idle: settings.session_idle,
        life: settings.session_life,
    };
    // Whatever session this browser had has another secret now, or is over: nobody has seen the new one.
    let (secret, _) = match visit.signed_in()? {
        Some(former) if former.account() == progress.account => {
            directory.renew_session(&context, &former.live, new).await?
        }
        Some(former) => {
            let own = visit.context(former.actor());
            directory.end_session(&own, former.session().id, Cause::SignedOut).await?;
            directory.start_session(&context, new).await?
        }
        None => directory.start_session(&context, new).await?,
    };
    let mut response = visit.see_other(wish.to.as_str());
    set_cookie(&mut response, cookie::SESSION, secret.expose(), Keep::Visit);
    // Forms of before the sign-in are forms of nobody.
    set_cookie(&mut response, cookie::FORM, &web.new_browser(), Keep::Visit);
    progress::forget(&mut response);
    Ok(response)
}

//! After each step: what is missing, or the session.
//!
//! ```text
//! password │ upstream ─▶ second factor, if there is one ─▶ new password, if it must be ─▶ enrolment, if it is demanded
//!                    ─▶ session (a new secret, a new cookie for forms) ─▶ where the visitor wanted
//! ```
//! Steps never call each other: each comes back here. The second factor comes before the new password, so that who has
//! only an old password changes nothing.

use super::progress::{self, Progress};
use crate::cookie::{self, Keep};
use crate::page::{failed, set_cookie};
use crate::return_to::Wish;
use crate::session::Session;
use crate::visit::Visit;
use axum::body::Body;
use axum::http::Response;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use directory::error::{Reason, Refusal};

/// Sends the visitor to the next step, or signs in.
pub async fn proceed(visit: &Visit, progress: Progress) -> Response<Body> {
    let wish = visit.wish();
    if progress.must_change {
        return step(visit, "/sign-in/password", &progress);
    }
    match begin(visit, &progress, &wish).await {
        Ok(response) => response,
        Err(refusal) => failed(visit, &refusal),
    }
}

fn step(visit: &Visit, path: &str, progress: &Progress) -> Response<Body> {
    let mut response = visit.see_other(&visit.web.step_uri(path, &visit.parameter));
    progress::keep(&visit.web, &mut response, progress);
    response
}

async fn begin(visit: &Visit, progress: &Progress, wish: &Wish) -> Result<Response<Body>, Refusal> {
    let web = &visit.web;
    let now = visit.now().wall;
    // Whatever session this browser had is another one now: nobody has seen the new secret.
    if let Some(former) = visit.signed_in()? {
        web.kept().end(|session| session.id == former.session.id);
    }
    let session = Session {
        id: BASE64.encode(web.directory().random_bytes::<12>()),
        account: progress.account,
        epoch: progress.epoch,
        created: now,
        auth_time: progress.since,
        seen: now,
        amr: progress.amr(),
        acr: progress.acr().name().to_owned(),
        address: Some(visit.peer.address),
        agent: visit.agent(),
    };
    let busy = || Refusal::new(Reason::Busy, "too many sessions");
    let secret = web.kept().start(web.directory(), session).ok_or_else(busy)?;
    let mut response = visit.see_other(wish.to.as_str());
    set_cookie(&mut response, cookie::SESSION, &secret, Keep::Visit);
    // Forms of before the sign-in are forms of nobody.
    set_cookie(&mut response, cookie::FORM, &web.new_browser(), Keep::Visit);
    progress::forget(&mut response);
    Ok(response)
}

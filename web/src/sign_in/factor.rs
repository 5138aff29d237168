//! The second factor: a code of the authenticator app, or a recovery code in its place.
//!
//! A wrong one keeps the step; the gate counts it with the wrong passwords, and this page tells neither how many are left nor
//! that there are none (`directory::authenticate::factor`).

use super::codes;
use super::finish::proceed;
use super::progress::{Method, Stage};
use crate::Web;
use crate::page::{Frame, failed};
use crate::text::Text;
use crate::visit::Visit;
use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use directory::authenticate::{FactorProof, Verdict};
use directory::context::Actor;

/// Characters of a code that are looked at.
const LONGEST: usize = 64;

/// What is wrong with what was entered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Missing,
    Code,
    Busy,
}

#[derive(Template)]
#[template(path = "factor.html")]
struct FactorPage<'a> {
    p: Frame<'a>,
    recovery: bool,
    wrong: Option<Text>,
    other_way: String,
}

/// `GET /sign-in/factor`, with `way=recovery` for the other way.
pub(crate) async fn show(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let visit = web.visit(&parts);
    let Some(progress) = visit.progress() else { return visit.start_again() };
    if progress.stage != (Stage::Awaits { must_enrol: false }) {
        return proceed(&visit, progress).await;
    }
    let query = parts.uri.query().unwrap_or_default();
    let recovery = form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "way" && value == "recovery");
    page(&visit, recovery, None)
}

/// `POST /sign-in/factor`.
pub(crate) async fn take(State(web): State<Web>, request: Request<Body>) -> Response<Body> {
    let posted = match web.posted(request).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let (visit, fields) = (posted.visit, posted.fields);
    let Some(mut progress) = visit.progress() else { return visit.start_again() };
    if progress.stage != (Stage::Awaits { must_enrol: false }) {
        return proceed(&visit, progress).await;
    }
    let recovery = fields.text("way") == "recovery";
    let typed: String = fields.text("code").chars().filter(|c| !c.is_whitespace()).take(LONGEST).collect();
    if typed.is_empty() {
        return page(&visit, recovery, Some(Wrong::Missing));
    }
    let proof = if recovery { FactorProof::Recovery(&typed) } else { FactorProof::Totp(&typed) };
    let context = visit.context(Actor::Anonymous);
    visit.tell(if recovery { "recovery code" } else { "code of the app" }, Some(progress.account), Ok(()));
    match web.directory().verify_factor(&context, &progress.awaiting(), progress.prior(), proof).await {
        Verdict::Admitted(admitted) => {
            progress.epoch = admitted.epoch;
            progress.stage = Stage::Admitted { must_change: admitted.must_change };
            progress.methods.push(if recovery { Method::RecoveryCode } else { Method::OneTimeCode });
            if !recovery {
                return proceed(&visit, progress).await;
            }
            match web.directory().factors_of(progress.account) {
                Ok(factors) => codes::left(&visit, &progress, factors.recovery_codes),
                Err(refusal) => failed(&visit, &refusal),
            }
        }
        Verdict::Refused { .. } => page(&visit, recovery, Some(Wrong::Code)),
        Verdict::Busy => {
            visit.tell("gate", Some(progress.account), Err(super::BUSY));
            page(&visit, recovery, Some(Wrong::Busy))
        }
    }
}

fn page(visit: &Visit, recovery: bool, wrong: Option<Wrong>) -> Response<Body> {
    let wish = visit.wish();
    let p = visit.frame(&wish);
    let t = &p.t.factor;
    let here = p.step("/sign-in/factor");
    let page = FactorPage {
        other_way: if here.contains('?') { format!("{here}&way=recovery") } else { format!("{here}?way=recovery") },
        recovery,
        wrong: wrong.map(|wrong| match wrong {
            Wrong::Missing => t.missing.clone(),
            Wrong::Code if recovery => t.wrong_recovery.clone(),
            Wrong::Code => t.wrong.clone(),
            Wrong::Busy => p.t.sign_in.busy.clone(),
        }),
        p,
    };
    let status = match wrong {
        None => StatusCode::OK,
        Some(Wrong::Missing) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(Wrong::Code) => StatusCode::FORBIDDEN,
        Some(Wrong::Busy) => StatusCode::SERVICE_UNAVAILABLE,
    };
    visit.page(status, &wish, &page)
}

//! Sign-out that an application asks for (OpenID Connect RP-Initiated Logout 1.0).
//!
//! The browser's own session is the authority; a hint only says for which application and whom (requirement 65). Without a
//! hint that fits, the person is asked: a link may be somebody else's (hostile row E6). Nobody is sent to an address that is
//! not registered, exactly, for the application that asks.

use super::client::Registered;
use super::error::{Code, Wrong};
use super::parameters::{self, Parameters};
use super::table::{Hint, read_hint};
use super::{Opened, Provider, Visitor, answer};
use crate::jose::jws::Unproven;
use crate::jose::token;
use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{Request, Response};
use directory::error::Refusal;
use std::sync::Arc;
use web::Visit;

/// What was asked for, as far as it is good.
struct Asked {
    client: Option<Arc<Registered>>,
    hint: Option<Hint>,
    /// Where to go afterwards, with the state.
    back: Option<String>,
}

/// `GET /oauth2/logout`.
pub(super) async fn show(Opened(provider): Opened, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let parameters = Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes());
    provider.end_session(&parts, parameters).await
}

/// `POST /oauth2/logout`: by an application's page, or the person's own answer to the question.
pub(super) async fn take(Opened(provider): Opened, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if !answer::is_form(&parts.headers) {
        return provider.end_session(&parts, None).await;
    }
    let Ok(octets) = to_bytes(body, parameters::MOST).await else {
        return provider.end_session(&parts, None).await;
    };
    let parameters = Parameters::parse(&octets);
    if parameters.as_ref().is_some_and(|parameters| parameters.get("token").is_some()) {
        return provider.confirmed(Request::from_parts(parts, Body::from(octets))).await;
    }
    // From another site a browser shows its cookie with GET alone (`SameSite=Lax`).
    match parameters.map(|parameters| (parameters.has_twins(), parameters.encode_without(&[]))) {
        Some((false, query)) if query.len() <= 8_192 => answer::see_other(&format!("/oauth2/logout?{query}")),
        _ => provider.end_session(&parts, None).await,
    }
}

impl Provider {
    async fn end_session(&self, parts: &Parts, parameters: Option<Parameters>) -> Response<Body> {
        let visit = self.web().visit(parts);
        let visitor = self.visitor(parts);
        let asked = parameters
            .filter(|parameters| !parameters.has_twins())
            .ok_or(Wrong::new(Code::InvalidRequest, "the request is too long, or says something twice"))
            .and_then(|parameters| self.read_logout(&visitor, &parameters).map(|asked| (asked, parameters)));
        let (asked, parameters) = match asked {
            Ok(read) => read,
            Err(wrong) => {
                self.tell(&visitor, None, "sign-out", None, Err(wrong.why));
                return self.problem(&visit, wrong);
            }
        };
        let live = match visit.signed_in() {
            Ok(live) => live,
            Err(refusal) => return self.problem(&visit, super::endpoint::failed(&refusal)),
        };
        let Some(live) = live else { return self.after(&visit, false, &asked) };
        let sid = live.live.session.id.to_string();
        let is_theirs = match (&asked.hint, self.subject(live.account())) {
            (None, _) => false,
            (Some(hint), Ok(sub)) => hint.sub == sub && hint.sid.as_ref().is_none_or(|hinted| *hinted == sid),
            (Some(_), Err(refusal)) => return self.problem(&visit, super::endpoint::failed(&refusal)),
        };
        if is_theirs {
            return self.end_and_after(&visit, &visitor, &asked).await;
        }
        let name = asked.client.as_ref().map(|client| client.client.name.as_str());
        let kept = parameters.encode_without(&[]);
        web::ask_sign_out(&visit, &live, name, &format!("/oauth2/logout?{kept}"))
    }

    /// The person has said yes, on a page of ours.
    async fn confirmed(&self, request: Request<Body>) -> Response<Body> {
        let parameters = Parameters::parse(request.uri().query().unwrap_or_default().as_bytes()).unwrap_or_default();
        let posted = match self.web().posted(request).await {
            Ok(posted) => posted,
            Err(response) => return response,
        };
        let visitor = Visitor { peer: posted.visit.peer().clone(), now: posted.visit.now() };
        match self.read_logout(&visitor, &parameters) {
            Ok(asked) => self.end_and_after(&posted.visit, &visitor, &asked).await,
            Err(wrong) => self.problem(&posted.visit, wrong),
        }
    }

    fn read_logout(&self, visitor: &Visitor, parameters: &Parameters) -> Result<Asked, Wrong> {
        let now = visitor.now.wall;
        let failed = |refusal: Refusal| super::endpoint::failed(&refusal);
        let bad =
            Wrong::new(Code::InvalidRequest, "id_token_hint is no ID token that was issued here for this application");
        let named = parameters.get("client_id");
        let (mut client_id, mut hint) = (named.map(str::to_owned), None);
        if let Some(text) = parameters.get("id_token_hint") {
            let ring = self.ring();
            hint = Some(read_hint(text, named, self.issuer(), &ring, now).ok_or(bad)?);
            if client_id.is_none() {
                // Proven above; the audience is the application.
                client_id = audience_of(text, &ring, now);
            }
        }
        let client = client_id.map(|id| self.client(&id)).transpose().map_err(failed)?.flatten();
        if named.is_some() && client.is_none() {
            return Err(Wrong::new(Code::InvalidClient, "there is no such application"));
        }
        let back = match parameters.get("post_logout_redirect_uri") {
            None => None,
            Some(address) => {
                let registered = client.as_ref().is_some_and(|client| client.client.signs_out_to(address));
                if !registered {
                    let why =
                        "post_logout_redirect_uri is not registered for this application, or nothing says which it is";
                    return Err(Wrong::new(Code::InvalidRequest, why));
                }
                Some(match parameters.get("state") {
                    Some(state) => answer::with_parameters(address, &[("state", state)]),
                    None => address.to_owned(),
                })
            }
        };
        Ok(Asked { client, hint, back })
    }

    async fn end_and_after(&self, visit: &Visit, visitor: &Visitor, asked: &Asked) -> Response<Body> {
        let client = asked.client.as_ref().map(|client| client.client.client_id.as_str());
        match web::end_session(visit).await {
            Ok(was_in) => {
                self.tell(visitor, None, "signed out", client, Ok(()));
                self.after(visit, was_in, asked)
            }
            Err(refusal) => self.problem(visit, super::endpoint::failed(&refusal)),
        }
    }

    fn after(&self, visit: &Visit, was_in: bool, asked: &Asked) -> Response<Body> {
        match &asked.back {
            Some(back) => web::leave(answer::see_other(back)),
            None => web::signed_out(visit, was_in),
        }
    }
}

/// The application of an ID token that was proven already.
fn audience_of(text: &str, ring: &crate::keys::Ring, now: directory::clock::Millis) -> Option<String> {
    Unproven::parse(text).ok()?;
    let claims = ring.prove(text, &["jwt"], now).ok()?;
    let audience = token::audience(&claims).ok()?;
    audience.first().map(|id| (*id).to_owned())
}

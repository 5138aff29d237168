//! What a person agrees to: asked on a page, remembered, told to nobody (requirement 62).

use super::authorize::Checked;
use super::client::Registered;
use super::decide::Demanded;
use super::error::{Code, Wrong};
use super::parameters::Parameters;
use super::table::Request as Good;
use super::{Opened, Provider, Visitor, answer, resume};
use axum::body::Body;
use axum::http::{Request, Response};
use web::{Consent, SignedIn, Visit};

/// The path that the page's form is sent to.
pub(super) const PATH: &str = "/oauth2/consent";
/// The field that carries the request.
const TO: &str = "to";

impl Provider {
    /// The page that asks.
    pub(super) fn ask_consent(
        &self,
        visit: &Visit,
        live: &SignedIn,
        client: &Registered,
        request: &Good,
        back: &str,
    ) -> Response<Body> {
        let consent = Consent {
            app: &client.client.name,
            host: Some(host_of(&request.redirect_uri)),
            scopes: &request.scopes,
            action: PATH,
            hidden: &[(TO, back)],
            ui_locales: request.ui_locales.as_deref(),
        };
        web::ask_consent(visit, live, consent)
    }
}

/// `POST /oauth2/consent`.
pub(super) async fn take(Opened(provider): Opened, request: Request<Body>) -> Response<Body> {
    let posted = match provider.web().posted(request).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    let visit = &posted.visit;
    let visitor = Visitor { peer: visit.peer().clone(), now: visit.now() };
    // Whatever it says is checked again, as if it had come by itself.
    let to = posted.fields.text(TO).into_owned();
    let query = to.split_once('?').map_or("", |(_, query)| query);
    let parameters = Parameters::parse(query.as_bytes()).unwrap_or_default();
    let flow = parameters.get(resume::FLOW).unwrap_or_default().to_owned();
    let Checked { client, request } = match provider.checked(visit, &visitor, &parameters, &flow) {
        Ok(checked) => checked,
        Err(response) => return *response,
    };
    let long = Wrong::new(Code::InvalidRequest, "the request is too long");
    let on = |demanded: Demanded| match provider.way_back(&parameters, demanded, &flow) {
        Some(back) => answer::see_other(&back),
        None => provider.problem(visit, long),
    };
    let id = Some(client.client.client_id.as_str());
    let demanded = provider.demanded(&parameters);
    let answer = posted.fields.text("answer").into_owned();
    if answer == "other" {
        return on(Demanded { since: Some(visitor.now.wall), ..demanded });
    }
    if answer != "allow" {
        provider.tell(&visitor, Some(&flow), "consent", id, Err("the person did not agree"));
        let wrong = Wrong::new(Code::AccessDenied, "the person did not agree");
        return provider.refuse_to(&request.redirect_uri, request.state.as_deref(), wrong);
    }
    let live = match visit.signed_in() {
        Ok(live) => live,
        Err(refusal) => return provider.problem(visit, super::endpoint::failed(&refusal)),
    };
    // The session ended meanwhile: it is asked for again.
    let Some(live) = live else { return on(demanded) };
    let (context, scopes) = (visit.context(live.actor()), request.scopes.clone());
    let given = provider.directory().give_consent(&context, live.account(), client.entry, scopes).await;
    if let Err(refusal) = given {
        return provider.problem(visit, super::endpoint::failed(&refusal));
    }
    provider.tell(&visitor, Some(&flow), "consent", id, Ok(()));
    on(Demanded { consented: true, ..demanded })
}

/// The host of an address, for people to compare.
fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

//! The authorization endpoint (RFC 6749 §3.1): checks the request, decides, and sends the browser on.

use super::client::Registered;
use super::decide::{Demanded, Next, SignedIn, decide};
use super::error::{Code, Told, Wrong};
use super::parameters::{self, Parameters};
use super::table::{Asked, Request as Good, check};
use super::{Opened, Provider, Visitor, answer, flow_of, resume};
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use directory::error::{Reason, Refusal};
use directory::grant::NewCode;
use std::sync::Arc;
use web::{Acr, Hints, Message, ReturnTo, Visit, sign_in_uri};

/// `GET /oauth2/authorize`.
pub(super) async fn show(Opened(provider): Opened, request: Request<Body>) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let visit = provider.web().visit(&parts);
    let visitor = provider.visitor(&parts);
    let query = parts.uri.query().unwrap_or_default();
    match Parameters::parse(query.as_bytes()) {
        Some(parameters) => provider.authorize(&visit, &visitor, &parameters).await,
        None => provider.problem(&visit, Wrong::new(Code::InvalidRequest, "the request is too long")),
    }
}

/// `POST /oauth2/authorize`: the same with the parameters in a form. Sent on to the other form, because a browser that comes
/// from another site shows its cookie only there (`SameSite=Lax`).
pub(super) async fn take(Opened(provider): Opened, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let visit = provider.web().visit(&parts);
    let long = Wrong::new(Code::InvalidRequest, "the request is too long, or no form");
    if !answer::is_form(&parts.headers) {
        return provider.problem(&visit, long);
    }
    let Ok(octets) = to_bytes(body, parameters::MOST).await else { return provider.problem(&visit, long) };
    let Some(parameters) = Parameters::parse(&octets) else { return provider.problem(&visit, long) };
    if parameters.has_twins() {
        return provider.authorize(&visit, &provider.visitor(&parts), &parameters).await;
    }
    let query = parameters.encode_without(&[]);
    if query.len() > 8_192 {
        return provider.problem(&visit, long);
    }
    answer::see_other(&format!("/oauth2/authorize?{query}"))
}

/// A request that passed the table, and its client.
pub(super) struct Checked {
    pub client: Arc<Registered>,
    pub request: Good,
}

impl Provider {
    /// Checks a request; the other case is the answer.
    pub(super) fn checked(
        &self,
        visit: &Visit,
        visitor: &Visitor,
        parameters: &Parameters,
        flow: &str,
    ) -> Result<Checked, Box<Response<Body>>> {
        let client_id = parameters.get("client_id");
        let client = match client_id.map(|id| self.client(id)).transpose() {
            Ok(client) => client.flatten(),
            Err(refusal) => return Err(Box::new(self.problem(visit, super::endpoint::failed(&refusal)))),
        };
        let ring = self.ring();
        let asked = Asked {
            parameters,
            client: client.as_ref().map(|client| &client.client),
            issuer: self.issuer(),
            ring: &ring,
            now: visitor.now.wall,
        };
        match (check(&asked), client) {
            (Ok(request), Some(client)) => Ok(Checked { client, request }),
            (Ok(_), None) => {
                let wrong = Wrong::new(Code::InvalidClient, "there is no such application");
                Err(Box::new(self.problem(visit, wrong)))
            }
            (Err((told, rule)), _) => {
                self.tell(visitor, Some(flow), "authorization request", client_id, Err(rule));
                Err(Box::new(match told {
                    Told::Page(wrong) => self.problem(visit, wrong),
                    Told::Client { wrong, redirect_uri, state } => {
                        self.refuse_to(&redirect_uri, state.as_deref(), wrong)
                    }
                }))
            }
        }
    }

    async fn authorize(&self, visit: &Visit, visitor: &Visitor, parameters: &Parameters) -> Response<Body> {
        let flow = match parameters.get(resume::FLOW).filter(|flow| is_flow(flow)) {
            Some(flow) => flow.to_owned(),
            None => flow_of(&visitor.peer.request_id),
        };
        let Checked { client, request } = match self.checked(visit, visitor, parameters, &flow) {
            Ok(checked) => checked,
            Err(response) => return *response,
        };
        let demanded = self.demanded(parameters);
        let live = match visit.signed_in() {
            Ok(live) => live,
            Err(refusal) => return self.problem(visit, super::endpoint::failed(&refusal)),
        };
        let who = live.as_ref().map(|live| self.who(&client, live)).transpose();
        let who = match who {
            Ok(who) => who,
            Err(refusal) => return self.problem(visit, super::endpoint::failed(&refusal)),
        };
        let next = decide(&client.client, &request, demanded, who.as_ref(), visitor.now.wall);
        let id = Some(client.client.client_id.as_str());
        match (next, live) {
            (Next::SignIn { since, acr, anew }, _) => {
                self.tell(visitor, Some(&flow), "sent to sign in", id, Ok(()));
                let demanded = Demanded { since, level: demanded.level || acr.is_some(), ..demanded };
                let step_up = who.is_some() && acr.is_some();
                let hints = Hints {
                    client_name: Some(client.client.name.clone()),
                    login_hint: request.login_hint.clone(),
                    need_acr: acr.as_deref().and_then(Acr::of),
                    auth_since: if anew { Some(since.unwrap_or(visitor.now.wall)) } else { since },
                    ui_locales: request.ui_locales.clone(),
                    tenant: self.directory().tenant_name(client.entry).ok().flatten(),
                    message: step_up.then_some(Message::StepUp),
                    flow: Some(flow.clone()),
                    ..Hints::default()
                };
                match self.way_back(parameters, demanded, &flow).as_deref().and_then(ReturnTo::path) {
                    Some(back) => answer::see_other(&sign_in_uri(self.web(), back, hints)),
                    None => self.problem(visit, Wrong::new(Code::InvalidRequest, "the request is too long")),
                }
            }
            (Next::Consent, Some(live)) => {
                self.tell(visitor, Some(&flow), "asked for consent", id, Ok(()));
                match self.way_back(parameters, demanded, &flow) {
                    Some(back) => self.ask_consent(visit, &live, &client, &request, &back),
                    None => self.problem(visit, Wrong::new(Code::InvalidRequest, "the request is too long")),
                }
            }
            (Next::Issue, Some(live)) => match self.issue_code(visitor, &live, &client, &request) {
                Ok((code, name)) => {
                    self.tell(visitor, Some(&flow), "code issued", id, Ok(()));
                    self.directory().trail().join(&flow, &name);
                    let mut answers = vec![("code", code.as_str()), ("iss", self.issuer())];
                    answers.extend(request.state.as_deref().map(|state| ("state", state)));
                    answer::see_other(&answer::with_parameters(&request.redirect_uri, &answers))
                }
                Err(refusal) => {
                    let wrong = match refusal.reason {
                        Reason::Constraint => {
                            Wrong::new(Code::InvalidRequest, "the request is longer than a code can hold")
                        }
                        _ => super::endpoint::failed(&refusal),
                    };
                    self.tell(visitor, Some(&flow), "code issued", id, Err(wrong.why));
                    self.refuse_to(&request.redirect_uri, request.state.as_deref(), wrong)
                }
            },
            (Next::Refuse(wrong), _) => {
                self.tell(visitor, Some(&flow), "decision", id, Err(wrong.why));
                self.refuse_to(&request.redirect_uri, request.state.as_deref(), wrong)
            }
            (Next::Consent | Next::Issue, None) => self.refuse_to(
                &request.redirect_uri,
                request.state.as_deref(),
                Wrong::new(Code::LoginRequired, "nobody is signed in"),
            ),
        }
    }

    /// What is known of the browser's session, for this client.
    pub(super) fn who(&self, client: &Registered, live: &web::SignedIn) -> Result<SignedIn, Refusal> {
        let account = live.account();
        Ok(SignedIn {
            sub: self.subject(account)?,
            auth_time: live.live.session.auth_time,
            acr: live.live.session.acr.clone(),
            may_enter: self.may_enter(client, account)?,
            agreed: self.directory().consent(account, client.entry)?.map(|consent| consent.scopes).unwrap_or_default(),
        })
    }

    fn issue_code(
        &self,
        visitor: &Visitor,
        live: &web::SignedIn,
        client: &Registered,
        request: &Good,
    ) -> Result<(String, String), Refusal> {
        let new = NewCode {
            client: client.entry,
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            nonce: request.nonce.clone(),
            scopes: request.scopes.clone(),
            claims: request.claims_text.clone(),
        };
        let secret = self.directory().issue_code(&visitor.now, &live.live, new)?;
        let code = secret.expose().to_owned();
        let name = flow_of(&code);
        Ok((code, name))
    }

    /// Tells the client at its address that it gets nothing (RFC 6749 §4.1.2.1), and by whom (RFC 9207).
    pub(super) fn refuse_to(&self, redirect_uri: &str, state: Option<&str>, wrong: Wrong) -> Response<Body> {
        let mut answers = vec![("error", wrong.code.name()), ("error_description", wrong.why), ("iss", self.issuer())];
        answers.extend(state.map(|state| ("state", state)));
        answer::see_other(&answer::with_parameters(redirect_uri, &answers))
    }

    /// A page of ours that says what is wrong; nobody is sent anywhere (requirement 47).
    pub(super) fn problem(&self, visit: &Visit, wrong: Wrong) -> Response<Body> {
        let status = match wrong.code {
            Code::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Code::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        web::application_problem(visit, status, wrong.code.name(), wrong.why)
    }
}

fn is_flow(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
}

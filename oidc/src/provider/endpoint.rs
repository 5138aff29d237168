//! What every endpoint of programs begins with: its parameters, its client, and the end of a panic-free refusal.

use super::answer;
use super::client::{Method, Registered};
use super::client_auth::{self, Shown, check_assertion};
use super::error::{Code, Wrong};
use super::parameters::{self, Parameters};
use super::{Provider, Visitor};
use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{Request, Response};
use directory::error::{Reason, Refusal};
use std::sync::Arc;

/// The refusal for what is the server's fault; what it was goes to the log.
pub(super) fn failed(refusal: &Refusal) -> Wrong {
    match refusal.reason {
        Reason::Busy | Reason::Limit(_) => Wrong::new(Code::TemporarilyUnavailable, "too much is going on here"),
        _ => {
            tracing::error!(reason = ?refusal.reason, detail = refusal.detail.as_deref(), "an endpoint failed");
            Wrong::new(Code::ServerError, "something went wrong here")
        }
    }
}

/// The form in a request's body.
pub(super) async fn form(request: Request<Body>) -> Result<(Parts, Parameters), Wrong> {
    let (parts, body) = request.into_parts();
    if !answer::is_form(&parts.headers) {
        return Err(Wrong::new(Code::InvalidRequest, "the body is no application/x-www-form-urlencoded"));
    }
    let too_much = Wrong::new(Code::InvalidRequest, "the body is too long");
    let octets = to_bytes(body, parameters::MOST).await.map_err(|_| too_much)?;
    let parameters = Parameters::parse(&octets).ok_or(too_much)?;
    Ok((parts, parameters))
}

/// A request to the token endpoint and its kin, of a client that has proven who it is.
pub(super) struct Proven {
    /// Who asks, from where, when.
    pub visitor: Visitor,
    /// The client.
    pub client: Arc<Registered>,
    /// What it says.
    pub parameters: Parameters,
}

impl Provider {
    /// Reads a request and proves its client.
    pub(super) async fn proven(&self, request: Request<Body>) -> Result<Proven, Response<Body>> {
        let (parts, parameters) = form(request).await.map_err(|wrong| answer::refuse(wrong, false))?;
        let visitor = self.visitor(&parts);
        // RFC 6749 §2.3.1: credentials in the address end in logs; they are not looked at.
        if parts.uri.query().is_some_and(|query| !query.is_empty()) {
            let wrong = Wrong::new(Code::InvalidRequest, "parameters belong into the body");
            return Err(answer::refuse(wrong, false));
        }
        if parameters.has_twins() {
            let wrong = Wrong::new(Code::InvalidRequest, "a parameter stands there twice");
            return Err(answer::refuse(wrong, false));
        }
        let claimed = client_auth::claimed(&parts.headers, &parameters)
            .map_err(|(wrong, by_header)| answer::refuse(wrong, by_header))?;
        let by_header = claimed.by_header;
        let refuse = |wrong: Wrong| answer::refuse(wrong, by_header);
        let known = self.client(&claimed.client_id).map_err(|refusal| refuse(failed(&refusal)))?;
        let good = match &known {
            None => Err("the client is not known"),
            Some(client) if !is_method(client.method, claimed.shown.method()) => {
                Err("another method than the registered one")
            }
            Some(client) => match &claimed.shown {
                Shown::Nothing => Ok(()),
                Shown::Secret(_, secret) => match self.directory().is_client_secret(client.entry, secret, &visitor.now)
                {
                    Ok(true) => Ok(()),
                    Ok(false) => Err("the secret is wrong"),
                    Err(refusal) => return Err(refuse(failed(&refusal))),
                },
                Shown::Assertion(assertion) => match self.assertion_is_good(client, assertion, &visitor).await {
                    Ok(good) => good,
                    Err(refusal) => return Err(refuse(failed(&refusal))),
                },
            },
        };
        if let Err(why) = good {
            self.tell(&visitor, None, "client authentication", Some(&claimed.client_id), Err(why));
            return Err(refuse(client_auth::unknown()));
        }
        let Some(client) = known else { return Err(refuse(client_auth::unknown())) };
        Ok(Proven { visitor, client, parameters })
    }

    /// Whether an assertion is good, and is used for the first time.
    async fn assertion_is_good(
        &self,
        client: &Registered,
        assertion: &str,
        visitor: &Visitor,
    ) -> Result<Result<(), &'static str>, Refusal> {
        let id = &client.client.client_id;
        let (jti, until) = match check_assertion(assertion, id, &client.jwks, self.issuer(), visitor.now.wall) {
            Ok(checked) => checked,
            Err(flaw) => {
                tracing::info!(client = id, %flaw, "a client assertion is refused");
                return Ok(Err("the assertion is not good"));
            }
        };
        let first = self.directory().use_once(&visitor.context(), &format!("assertion\0{id}\0{jti}"), until).await?;
        Ok(if first { Ok(()) } else { Err("the assertion was used before") })
    }
}

/// Whether the way that a client shows is the registered one; a secret is the same in the header and in the body.
fn is_method(registered: Method, shown: Method) -> bool {
    let secret = |method| matches!(method, Method::SecretBasic | Method::SecretPost);
    registered == shown || (secret(registered) && secret(shown))
}

/// Whether a client proves itself at all: a public one may not ask what only its owner should know.
pub(super) fn is_confidential(client: &Registered) -> bool {
    client.method != Method::None
}

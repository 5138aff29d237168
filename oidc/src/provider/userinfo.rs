//! The userinfo endpoint (OpenID Connect Core §5.3): what an access token lets its client know of the account, now.

use super::bearer::Live;
use super::endpoint::{failed, form};
use super::error::{Code, Wrong};
use super::{Opened, Provider, answer};
use crate::claims::request::ClaimsRequest;
use crate::claims::scope::{self, OPENID};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use directory::error::Refusal;
use directory::grant::Family;
use serde_json::{Map, Value};

/// `GET` and `POST /oauth2/userinfo`.
pub(super) async fn take(Opened(provider): Opened, request: Request<Body>) -> Response<Body> {
    let response = match *request.method() {
        Method::GET | Method::HEAD | Method::POST => provider.userinfo(request).await,
        Method::OPTIONS => return answer::preflight("GET, POST, OPTIONS"),
        _ => answer::wrong_method("GET, POST, OPTIONS"),
    };
    answer::any_origin(response)
}

impl Provider {
    async fn userinfo(&self, request: Request<Body>) -> Response<Body> {
        let now = self.directory().now();
        let text = match presented(request).await {
            Ok(Some(text)) => text,
            // RFC 6750 §3.1: whoever shows nothing is told no reason.
            Ok(None) => return answer::challenge(StatusCode::UNAUTHORIZED, None),
            Err(wrong) => return answer::challenge(StatusCode::BAD_REQUEST, Some(wrong)),
        };
        let told = self.access_token(&text, &now).and_then(|live| match live {
            Some(Live { family: Some(family), claims }) => {
                let live = Live { family: None, claims };
                let scopes: Vec<&str> = live.scopes().collect();
                self.told(&family, &scopes).map(Some)
            }
            _ => Ok(None),
        });
        match told {
            Ok(Some(Some(claims))) => answer::json(StatusCode::OK, &Value::Object(claims)),
            Ok(Some(None)) => {
                let wrong = Wrong::new(Code::InsufficientScope, "the token was not granted the scope openid");
                answer::challenge(StatusCode::FORBIDDEN, Some(wrong))
            }
            Ok(None) => {
                let wrong = Wrong::new(Code::InvalidToken, "the access token is not good, or not any more");
                answer::challenge(StatusCode::UNAUTHORIZED, Some(wrong))
            }
            Err(refusal) => {
                let wrong = failed(&refusal);
                answer::refuse(wrong, false)
            }
        }
    }

    fn told(&self, family: &Family, scopes: &[&str]) -> Result<Option<Map<String, Value>>, Refusal> {
        if !scopes.contains(&OPENID) {
            return Ok(None);
        }
        let request = family.claims.as_deref().and_then(|text| ClaimsRequest::parse(text).ok()).unwrap_or_default();
        let nameable = if request.userinfo.is_empty() { Vec::new() } else { self.nameable(family.client)? };
        let wanted = |claim: &str| {
            scopes.iter().any(|scope| scope::covers(scope, claim))
                || (request.userinfo.iter().any(|(name, _)| name == claim)
                    && nameable.iter().any(|scope| scope::covers(scope, claim)))
        };
        let mut claims = self.faces().claims(self.directory().snapshot()?.as_ref(), family.account, wanted)?;
        claims.insert("sub".into(), self.subject(family.account)?.into());
        Ok(Some(claims))
    }
}

/// The token of a request: in the header or in a form, never in the address (RFC 9700 §4.3.2), and not twice.
async fn presented(request: Request<Body>) -> Result<Option<String>, Wrong> {
    let twice = Wrong::new(Code::InvalidRequest, "more than one access token in one request");
    let by_header = bearer(request.headers())?;
    let by_form = if request.method() == Method::POST && answer::is_form(request.headers()) {
        let (_, parameters) = form(request).await?;
        parameters.one("access_token").map_err(|_| twice)?.map(str::to_owned)
    } else {
        None
    };
    match (by_header, by_form) {
        (Some(_), Some(_)) => Err(twice),
        (by_header, by_form) => Ok(by_header.or(by_form)),
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, Wrong> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Wrong::new(Code::InvalidRequest, "more than one Authorization header"));
    }
    let value = value.to_str().ok().and_then(|value| value.split_once(' '));
    Ok(value.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim().to_owned()))
}

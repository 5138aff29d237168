//! Introspection (RFC 7662) and revocation (RFC 7009).

use super::endpoint::{Proven, failed, is_confidential};
use super::error::{Code, Wrong};
use super::{Opened, Provider, answer};
use crate::claims::project::seconds;
use crate::jose::token;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use directory::error::Refusal;
use serde_json::{Map, Value, json};

/// `POST /oauth2/introspect`.
pub(super) async fn introspect(Opened(provider): Opened, request: Request<Body>) -> Response<Body> {
    if request.method() != Method::POST {
        return answer::wrong_method("POST");
    }
    let proven = match provider.proven(request).await {
        Ok(proven) => proven,
        Err(response) => return response,
    };
    if !is_confidential(&proven.client) {
        let wrong = Wrong::new(Code::InvalidClient, "a public client may not ask about tokens");
        return answer::refuse(wrong, false);
    }
    let Some(text) = proven.parameters.get("token") else {
        return answer::refuse(Wrong::new(Code::InvalidRequest, "token is missing"), false);
    };
    match provider.describe(&proven, text) {
        Ok(Some(claims)) => answer::json(StatusCode::OK, &Value::Object(claims)),
        // The same for a token that is no token, one of another client, and one that has ended (RFC 7662 §2.2).
        Ok(None) => answer::json(StatusCode::OK, &json!({"active": false})),
        Err(refusal) => answer::refuse(failed(&refusal), false),
    }
}

/// `POST /oauth2/revoke`.
pub(super) async fn revoke(Opened(provider): Opened, request: Request<Body>) -> Response<Body> {
    if request.method() != Method::POST {
        return answer::wrong_method("POST");
    }
    let proven = match provider.proven(request).await {
        Ok(proven) => proven,
        Err(response) => return response,
    };
    let Some(text) = proven.parameters.get("token") else {
        return answer::refuse(Wrong::new(Code::InvalidRequest, "token is missing"), false);
    };
    match provider.end(&proven, text).await {
        // Nothing is told about a token that is not the client's (RFC 7009 §2.2).
        Ok(()) => answer::empty(StatusCode::OK),
        Err(refusal) => answer::refuse(failed(&refusal), false),
    }
}

impl Provider {
    /// What is told about a token: to the client that it was issued to, and to those that it is for.
    fn describe(&self, proven: &Proven, text: &str) -> Result<Option<Map<String, Value>>, Refusal> {
        let now = &proven.visitor.now;
        let asks = proven.client.client.client_id.as_str();
        if let Some(live) = self.access_token(text, now)? {
            let is_for = token::audience(&live.claims).is_ok_and(|audience| audience.contains(&asks));
            if live.client_id() != asks && !is_for {
                return Ok(None);
            }
            let mut claims = live.claims;
            claims.remove("fam");
            claims.insert("active".into(), true.into());
            claims.insert("token_type".into(), "Bearer".into());
            if let Some(family) = live.family {
                claims.extend(self.username(family.account)?.map(|name| ("username".to_owned(), name.into())));
            }
            return Ok(Some(claims));
        }
        let Some(live) = self.directory().family_of(text, now)? else { return Ok(None) };
        let family = live.family;
        if family.client != proven.client.entry {
            return Ok(None);
        }
        let ends = family.until.min(family.used.saturating_add(family.idle));
        let Value::Object(claims) = json!({
            "active": true,
            "token_type": "refresh_token",
            "iss": self.issuer(),
            "sub": self.subject(family.account)?,
            "client_id": asks,
            "scope": family.scopes.join(" "),
            "iat": seconds(family.created),
            "exp": seconds(ends),
        }) else {
            return Ok(None);
        };
        Ok(Some(claims))
    }

    /// Ends a token of this client: a refresh token with its whole family, an access token by itself.
    async fn end(&self, proven: &Proven, text: &str) -> Result<(), Refusal> {
        let (directory, context) = (self.directory(), proven.visitor.context());
        if let Some(live) = directory.family_of(text, &proven.visitor.now)? {
            if live.family.client == proven.client.entry {
                directory.revoke_own_family(&context, live.family.id, proven.client.entry).await?;
            }
            return Ok(());
        }
        let Some(live) = self.access_token(text, &proven.visitor.now)? else { return Ok(()) };
        if live.client_id() != proven.client.client.client_id {
            return Ok(());
        }
        let ends = token::moment(&live.claims, "exp").ok().flatten();
        if let (Ok(jti), Some(ends)) = (token::text(&live.claims, "jti"), ends) {
            directory.revoke_access(&context, jti, ends).await?;
        }
        Ok(())
    }
}

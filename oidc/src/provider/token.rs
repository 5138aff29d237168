//! The token endpoint (RFC 6749 §3.2): a code, a refresh token or the client itself for tokens.

use super::client::{Grant, Registered};
use super::endpoint::{Proven, failed};
use super::error::{Code, Wrong};
use super::mint::{self, About, Login};
use super::parameters::words;
use super::{Opened, Provider, Visitor, answer};
use crate::claims::request::ClaimsRequest;
use crate::claims::scope::{self, OFFLINE_ACCESS, OPENID};
use crate::jose::encode;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use directory::error::Refusal;
use directory::grant::{Answer, Family, FamilyTerms, Redemption, Why};
use serde_json::{Map, Value, json};

const BAD_CODE: Wrong = Wrong::new(Code::InvalidGrant, "the code is not good, or not for this request");
const BAD_REFRESH: Wrong = Wrong::new(Code::InvalidGrant, "the refresh token is not good, or not for this client");

/// `POST /oauth2/token`.
pub(super) async fn take(Opened(provider): Opened, request: Request<Body>) -> Response<Body> {
    let response = match *request.method() {
        Method::POST => provider.token(request).await,
        Method::OPTIONS => return answer::preflight("POST, OPTIONS"),
        _ => answer::wrong_method("POST, OPTIONS"),
    };
    answer::any_origin(response)
}

impl Provider {
    async fn token(&self, request: Request<Body>) -> Response<Body> {
        let proven = match self.proven(request).await {
            Ok(proven) => proven,
            Err(response) => return response,
        };
        let given = match proven.parameters.get("grant_type") {
            None => Err(Wrong::new(Code::InvalidRequest, "grant_type is missing")),
            Some(name) => {
                Grant::from_name(name).ok_or(Wrong::new(Code::UnsupportedGrantType, "this grant is not known here"))
            }
        };
        let granted = match given {
            Ok(grant) if !proven.client.client.may(grant) => {
                Err(Wrong::new(Code::UnauthorizedClient, "this client may not use this grant"))
            }
            Ok(Grant::AuthorizationCode) => self.by_code(&proven).await,
            Ok(Grant::RefreshToken) => self.by_refresh(&proven).await,
            Ok(Grant::ClientCredentials) => self.by_itself(&proven),
            Err(wrong) => Err(wrong),
        };
        let client_id = Some(proven.client.client.client_id.as_str());
        match granted {
            Ok((body, flow)) => {
                self.tell(&proven.visitor, flow.as_deref(), "token", client_id, Ok(()));
                answer::json(StatusCode::OK, &Value::Object(body))
            }
            Err(wrong) => {
                self.tell(&proven.visitor, None, "token", client_id, Err(wrong.why));
                answer::refuse(wrong, false)
            }
        }
    }

    async fn by_code(&self, proven: &Proven) -> Result<(Map<String, Value>, Option<String>), Wrong> {
        let Proven { visitor, client, parameters } = proven;
        let needed = |name: &str, why| parameters.get(name).ok_or(Wrong::new(Code::InvalidRequest, why));
        let shown = Redemption {
            code: needed("code", "code is missing")?,
            client: client.entry,
            redirect_uri: needed("redirect_uri", "redirect_uri is missing")?,
            verifier: needed("code_verifier", "code_verifier is missing: PKCE is needed")?,
        };
        let flow = super::flow_of(shown.code);
        let terms = self.terms(client);
        let redeemed = self.directory().redeem_code(&visitor.context(), shown, terms).await;
        let redeemed = match redeemed.map_err(|refusal| failed(&refusal))? {
            Answer::Granted(redeemed) => redeemed,
            Answer::Refused(why) => {
                self.tell(visitor, Some(&flow), "code", Some(&client.client.client_id), Err(why.text()));
                return Err(BAD_CODE);
            }
        };
        let tokens =
            self.issue(visitor, client, &redeemed.family, &redeemed.family.scopes, redeemed.code.nonce.as_deref());
        let mut body = tokens.map_err(|refusal| failed(&refusal))?;
        if let Some(refresh) = redeemed.refresh {
            body.insert("refresh_token".into(), refresh.expose().into());
        }
        Ok((body, Some(flow)))
    }

    async fn by_refresh(&self, proven: &Proven) -> Result<(Map<String, Value>, Option<String>), Wrong> {
        let Proven { visitor, client, parameters } = proven;
        let presented = parameters.get("refresh_token");
        let presented = presented.ok_or(Wrong::new(Code::InvalidRequest, "refresh_token is missing"))?;
        let scopes = parameters.get("scope").map(words);
        let rotated = self.directory().rotate(&visitor.context(), presented, client.entry, scopes.as_deref()).await;
        let rotated = match rotated.map_err(|refusal| failed(&refusal))? {
            Answer::Granted(rotated) => rotated,
            Answer::Refused(Why::Scope) => {
                return Err(Wrong::new(Code::InvalidScope, "more is asked for than was granted"));
            }
            Answer::Refused(why) => {
                self.tell(visitor, None, "refresh token", Some(&client.client.client_id), Err(why.text()));
                return Err(BAD_REFRESH);
            }
        };
        // The rules of who may enter are asked anew: a group that was left closes the door at the next refresh.
        let enters = self.may_enter(client, rotated.family.account).map_err(|refusal| failed(&refusal))?;
        if !enters {
            let ended = self.directory().revoke_own_family(&visitor.context(), rotated.family.id, client.entry).await;
            ended.map_err(|refusal| failed(&refusal))?;
            return Err(BAD_REFRESH);
        }
        let tokens = self.issue(visitor, client, &rotated.family, &rotated.scopes, None);
        let mut body = tokens.map_err(|refusal| failed(&refusal))?;
        body.insert("refresh_token".into(), rotated.refresh.expose().into());
        Ok((body, None))
    }

    fn by_itself(&self, proven: &Proven) -> Result<(Map<String, Value>, Option<String>), Wrong> {
        let Proven { visitor, client, parameters } = proven;
        let id = client.client.client_id.as_str();
        // Requirement 63: an identifier that could be an account's must never stand where accounts stand.
        if !super::endpoint::is_confidential(client) || uuid::Uuid::try_parse(id).is_ok() {
            return Err(Wrong::new(Code::UnauthorizedClient, "this client may not act for itself"));
        }
        let of_people = |scope: &String| scope == OPENID || scope == OFFLINE_ACCESS;
        let own: Vec<String> = client.client.scopes.iter().filter(|scope| !of_people(scope)).cloned().collect();
        let scopes = match parameters.get("scope").map(words) {
            None => own,
            Some(asked) if asked.iter().all(|scope| own.contains(scope) && scope::is_scope(scope)) => asked,
            Some(_) => {
                return Err(Wrong::new(Code::InvalidScope, "a scope is asked for that this client may not have"));
            }
        };
        let about = self.about(visitor, id, id, client.application.access);
        let claims = mint::access(&about, &self.jti(), &scopes, None);
        let token = self.sign_access(client, &claims, visitor.now.wall);
        let token = token.map_err(|refusal| failed(&refusal))?;
        Ok((bearer(&token, &about, &scopes), None))
    }

    /// The tokens of a family: an access token, and an ID token when `openid` was granted.
    fn issue(
        &self,
        visitor: &Visitor,
        client: &Registered,
        family: &Family,
        scopes: &[String],
        nonce: Option<&str>,
    ) -> Result<Map<String, Value>, Refusal> {
        let sub = self.subject(family.account)?;
        let id = client.client.client_id.as_str();
        let sid = family.session.map(|session| session.to_string());
        let login = Login { auth_time: family.auth_time, acr: &family.acr, amr: &family.amr, sid: sid.as_deref() };
        let about = self.about(visitor, &sub, id, client.application.access);
        let claims = mint::access(&about, &self.jti(), scopes, Some((&family.id.to_string(), login)));
        let token = self.sign_access(client, &claims, visitor.now.wall)?;
        let mut body = bearer(&token, &about, scopes);
        if scopes.iter().any(|scope| scope == OPENID) {
            let more = self.named_claims(family)?;
            let about = self.about(visitor, &sub, id, self.settings().id_life);
            let claims = mint::id(&about, login, nonce, &token, client.client.algorithm, more);
            let token = self.sign(client.client.algorithm, mint::ID, &claims, visitor.now.wall)?;
            body.insert("id_token".into(), token.into());
        }
        Ok(body)
    }

    /// The claims of the ID token that were asked for by name; what scopes stand for is told at the userinfo endpoint.
    fn named_claims(&self, family: &Family) -> Result<Map<String, Value>, Refusal> {
        let request = family.claims.as_deref().and_then(|text| ClaimsRequest::parse(text).ok()).unwrap_or_default();
        if request.id_token.is_empty() {
            return Ok(Map::new());
        }
        let scopes = self.nameable(family.client)?;
        let may = |claim: &str| scopes.iter().any(|scope| scope::covers(scope, claim));
        let wanted = |claim: &str| request.in_id_token(claim).is_some() && may(claim);
        self.faces().claims(self.directory().snapshot()?.as_ref(), family.account, wanted)
    }

    fn about<'a>(
        &'a self,
        visitor: &Visitor,
        sub: &'a str,
        client_id: &'a str,
        life: directory::clock::Span,
    ) -> About<'a> {
        About { issuer: self.issuer(), sub, client_id, now: visitor.now.wall, life }
    }

    /// A name for a token: 128 random bits.
    pub(super) fn jti(&self) -> String {
        encode(self.directory().random_bytes::<16>())
    }

    fn terms(&self, client: &Registered) -> FamilyTerms {
        let settings = self.settings();
        FamilyTerms {
            refresh: client.client.may(Grant::RefreshToken),
            offline: client.client.scopes.iter().any(|scope| scope == OFFLINE_ACCESS),
            idle: client.application.refresh_idle,
            life: client.application.refresh,
            grace: settings.refresh_grace,
        }
    }
}

fn bearer(token: &str, about: &About<'_>, scopes: &[String]) -> Map<String, Value> {
    let Value::Object(body) = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": about.life.millis() / 1_000,
        "scope": scopes.join(" "),
    }) else {
        return Map::new();
    };
    body
}

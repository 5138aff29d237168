//! A relying party: sends people to the provider, and asks the endpoints for programs with its secret.

use crate::{HttpAnswer, HttpClient};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Where it is returned to, unless it says otherwise.
pub const CALLBACK: &str = "https://app.example/callback";
/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A relying party over one connection.
pub struct RelyingParty {
    http: HttpClient,
    /// Its client identifier.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// Where it is returned to.
    pub callback: String,
}

impl RelyingParty {
    /// One that is registered under this identifier with this secret.
    pub fn over(http: HttpClient, id: &str, secret: &str) -> RelyingParty {
        RelyingParty { http, id: id.to_owned(), secret: secret.to_owned(), callback: CALLBACK.to_owned() }
    }

    /// Where it sends a browser to, asking for these scopes.
    pub fn authorize(&self, scopes: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.id)
            .append_pair("redirect_uri", &self.callback)
            .append_pair("response_type", "code")
            .append_pair("scope", scopes)
            .append_pair("state", "st")
            .append_pair("nonce", "no")
            .append_pair("code_challenge", CHALLENGE)
            .append_pair("code_challenge_method", "S256")
            .finish();
        format!("/oauth2/authorize?{query}")
    }

    /// Sends a form with its secret in the header (`client_secret_basic`).
    pub async fn ask(&mut self, path: &str, form: &[(&str, &str)]) -> HttpAnswer {
        let basic = BASE64_STANDARD.encode(format!("{}:{}", self.id, self.secret));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, format!("Basic {basic}"));
        self.http.send(request.body(Body::from(body)).unwrap()).await
    }

    /// A code for tokens.
    pub async fn redeem(&mut self, code: &str) -> HttpAnswer {
        let callback = self.callback.clone();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &callback),
            ("code_verifier", VERIFIER),
        ];
        self.ask("/oauth2/token", &form).await
    }

    /// A refresh token for the next one.
    pub async fn refresh(&mut self, token: &str) -> HttpAnswer {
        self.ask("/oauth2/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// A token for itself.
    pub async fn by_itself(&mut self) -> HttpAnswer {
        self.ask("/oauth2/token", &[("grant_type", "client_credentials")]).await
    }

    /// Whether introspection says that a token is good.
    pub async fn is_active(&mut self, token: &str) -> bool {
        let answer = self.ask("/oauth2/introspect", &[("token", token)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json().get("active") == Some(&true.into())
    }

    /// What the userinfo endpoint says to whoever holds an access token.
    pub async fn userinfo(&mut self, token: &str) -> HttpAnswer {
        let request = Request::get("/oauth2/userinfo").header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.http.send(request.body(Body::empty()).unwrap()).await
    }
}

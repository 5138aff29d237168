//! A relying party: sends people to the provider, and asks the endpoints for programs with its secret.

use crate::{BASE, HttpAnswer, HttpClient, Server};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use directory::bootstrap;
use directory::clock::Span;

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

impl Server {
    /// A new relying party of the deployment itself, which may sign people in, refresh, and ask for itself. The server needs
    /// a public address: [`crate::Setup::provider`].
    pub async fn relying_party(&self, id: &str, more: &[(&str, &str)]) -> RelyingParty {
        let dn = format!("cn={id},ou=applications,{BASE}");
        let mut attributes = vec![
            ("objectClass", "rollbookApplication"),
            ("cn", id),
            ("rollbookClientId", id),
            ("rollbookRedirectUri", CALLBACK),
            ("rollbookFirstParty", "TRUE"),
        ];
        let grants = ["authorization_code", "refresh_token", "client_credentials"];
        attributes.extend(grants.map(|grant| ("rollbookGrantType", grant)));
        let scopes = ["openid", "profile", "email", "groups", "offline_access"];
        attributes.extend(scopes.map(|scope| ("rollbookAllowedScope", scope)));
        attributes.extend(more);
        self.add(&dn, &attributes).await.unwrap();
        let operator = bootstrap::operator(&self.directory);
        let secret = self.directory.make_client_secret(&operator, self.id(&dn), Span::ZERO).await.unwrap();
        RelyingParty::over(self.http().await, id, secret.expose())
    }
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

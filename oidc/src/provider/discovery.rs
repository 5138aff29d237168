//! What the provider says of itself: OpenID Connect Discovery 1.0 §3, RFC 8414, RFC 9207 §3, and the key set.

use super::client::{Grant, Method};
use super::table::LEVELS;
use super::{Opened, Provider, answer};
use crate::claims::scope::SCOPES;
use crate::jose::Algorithm;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use serde_json::{Value, json};

/// How long the documents may be kept: far less than a key is published before it signs.
const KEPT: &str = "public, max-age=3600";
/// The same for the key set, which an emergency changes.
const KEYS_KEPT: &str = "public, max-age=300";

/// `GET /.well-known/openid-configuration` and `GET /.well-known/oauth-authorization-server`.
pub(super) async fn metadata(Opened(provider): Opened, request: Request<Body>) -> Response<Body> {
    let text = || provider.inner.metadata.get_or_init(|| Bytes::from(provider.metadata().to_string())).clone();
    public(&request, KEPT, text)
}

/// `GET /oauth2/jwks`.
pub(super) async fn jwks(Opened(provider): Opened, request: Request<Body>) -> Response<Body> {
    let now = provider.directory().now().wall;
    public(&request, KEYS_KEPT, || provider.ring().jwks_octets(now))
}

fn public(request: &Request<Body>, control: &'static str, document: impl FnOnce() -> Bytes) -> Response<Body> {
    match request.method() {
        method if answer::reads(method) => answer::any_origin(answer::document(document(), control)),
        &axum::http::Method::OPTIONS => answer::preflight("GET, OPTIONS"),
        _ => answer::wrong_method("GET, OPTIONS"),
    }
}

impl Provider {
    /// The metadata document.
    pub(super) fn metadata(&self) -> Value {
        let issuer = self.issuer();
        let at = |path: &str| format!("{issuer}/oauth2/{path}");
        let algorithms: Vec<&str> = Algorithm::ALL.map(Algorithm::name).to_vec();
        let methods: Vec<&str> = Method::ALL.map(Method::name).to_vec();
        let proven: Vec<&str> = methods.iter().copied().filter(|method| *method != Method::None.name()).collect();
        json!({
            "issuer": issuer,
            "authorization_endpoint": at("authorize"),
            "token_endpoint": at("token"),
            "userinfo_endpoint": at("userinfo"),
            "jwks_uri": at("jwks"),
            "introspection_endpoint": at("introspect"),
            "revocation_endpoint": at("revoke"),
            "end_session_endpoint": at("logout"),
            "scopes_supported": SCOPES.map(|(name, _)| name),
            "claims_supported": self.faces().names(),
            "claim_types_supported": ["normal"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": Grant::ALL.map(Grant::name),
            "subject_types_supported": ["public"],
            "acr_values_supported": LEVELS,
            "id_token_signing_alg_values_supported": algorithms,
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "introspection_endpoint_auth_methods_supported": proven,
            "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
            "revocation_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "display_values_supported": ["page", "popup", "touch", "wap"],
            "ui_locales_supported": ["en", "de"],
            "claims_parameter_supported": true,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "require_request_uri_registration": false,
            "authorization_response_iss_parameter_supported": true,
            "backchannel_logout_supported": true,
            "backchannel_logout_session_supported": true,
        })
    }
}

//! The two requests of the code flow (OpenID Connect Core §3.1.2.1, §3.1.3.1): the address that the browser is sent to, and
//! the code redeemed for tokens. The crate makes both; what goes over the wire goes through our own [`Fetcher`].

use super::fault::{Fault, What};
use super::metadata::Metadata;
use super::presets::Preset;
use super::{Ask, Begun, Pending};
use crate::fetch::{Failure, Fetcher};
use crate::jose::json;
use directory::application::Provider;
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient};
use openidconnect::{
    AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, JsonWebKeySet,
    LanguageTag, LoginHint, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope,
};
use serde_json::Value;
use std::borrow::Cow;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

/// Octets of the longest hint that is handed on.
const HINT: usize = 256;
/// Languages that are handed on.
const LANGUAGES: usize = 8;
/// 256 bits.
const RANDOM: u32 = 32;

/// The question, always with state, nonce and PKCE by S256 (R2); that Entra does not announce PKCE changes nothing.
///
/// # Errors
/// [`Fault::Setup`].
pub(super) fn question(
    provider: &Provider,
    preset: &Preset,
    metadata: &Metadata,
    ask: &Ask<'_>,
) -> Result<Begun, Fault> {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256_len(RANDOM);
    let client = CoreClient::new(client_id(provider), metadata.issuer_url.clone(), JsonWebKeySet::default())
        .set_auth_uri(metadata.authorization.clone());
    let mut request = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            || CsrfToken::new_random_len(RANDOM),
            || Nonce::new_random_len(RANDOM),
        )
        .set_redirect_uri(Cow::Owned(redirect(ask.redirect_uri)?))
        .set_pkce_challenge(challenge)
        .add_scopes(preset.scopes.iter().cloned().map(Scope::new));
    if ask.force_login {
        request = request.add_prompt(CoreAuthPrompt::Extension(preset.again.to_owned()));
    }
    if let Some(span) = ask.max_age {
        request = request.set_max_age(Duration::from_millis(span.millis().unsigned_abs()));
    }
    if let Some(hint) = ask.login_hint.filter(|hint| hint.len() <= HINT) {
        request = request.set_login_hint(LoginHint::new(hint.to_owned()));
    }
    for language in ask.ui_locales.unwrap_or_default().split_whitespace().take(LANGUAGES) {
        request = request.add_ui_locale(LanguageTag::new(language.to_owned()));
    }
    if let Some(domain) = &preset.hosted_domain {
        request = request.add_extra_param("hd", domain.clone());
    }
    let (address, state, nonce) = request.url();
    let pending = Pending {
        state: state.into_secret(),
        nonce: nonce.secret().clone(),
        verifier: verifier.into_secret(),
        issuer: metadata.issuer.spelling(),
        max_age: ask.max_age,
    };
    Ok(Begun { address: address.into(), pending })
}

/// What a code is redeemed for. The access token is needed for its hash and goes then; no token is kept (R16).
pub(super) struct Tokens {
    pub(super) id: String,
    pub(super) access: String,
}

/// Redeems a code.
///
/// # Errors
/// Why there are no tokens.
pub(super) async fn redeem(
    fetcher: &Fetcher,
    provider: &Provider,
    metadata: &Metadata,
    secret: Option<&[u8]>,
    pending: &Pending,
    redirect_uri: &str,
    code: &str,
) -> Result<Tokens, Fault> {
    let mut client = CoreClient::new(client_id(provider), metadata.issuer_url.clone(), JsonWebKeySet::default())
        .set_token_uri(metadata.token.clone())
        .set_redirect_uri(redirect(redirect_uri)?);
    if let Some(secret) = secret {
        let way = metadata.authentication.clone().ok_or(Fault::Setup("the provider takes no client secret"))?;
        let secret = str::from_utf8(secret).map_err(|_| Fault::Setup("the client secret is no text"))?;
        client = client.set_auth_type(way).set_client_secret(ClientSecret::new(secret.to_owned()));
    }
    let wire = Wire { fetcher, id: OnceLock::new() };
    let answer = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
        .request_async(&wire)
        .await
        .map_err(|error| match error {
            RequestTokenError::Request(failure) => Fault::Fetch { what: What::Tokens, failure },
            RequestTokenError::ServerResponse(refusal) => Fault::refused(refusal.error().as_ref()),
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                Fault::Document { what: What::Tokens, why: "it is no token answer" }
            }
        })?;
    let access = answer.access_token().secret().clone();
    Ok(Tokens { id: wire.id.into_inner().ok_or(Fault::NoIdToken)?, access })
}

/// The crate's requests over our own client: guarded, bounded, without redirects (R17).
struct Wire<'a> {
    fetcher: &'a Fetcher,
    /// The ID token is taken out of the answer: the crate's type of one demands that `iss` is a URL, and Google's may be
    /// without its scheme.
    id: OnceLock<String>,
}

impl Wire<'_> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let (parts, body) = request.into_parts();
        let headers: Vec<_> = parts.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let answer = self.fetcher.send(parts.method, &parts.uri.to_string(), &headers, body).await?;
        // Read strictly before the crate sees it: an object with a member twice is none.
        let body = json::object(&answer.body, json::Bounds::DOCUMENT).map_or_else(
            |_| Vec::new(),
            |mut map| {
                if let Some(Value::String(token)) = map.remove("id_token") {
                    _ = self.id.set(token);
                }
                Value::Object(map).to_string().into_bytes()
            },
        );
        let mut response = HttpResponse::new(body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Wire<'_> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Failure>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

fn client_id(provider: &Provider) -> ClientId {
    ClientId::new(provider.client_id.clone())
}

fn redirect(address: &str) -> Result<RedirectUrl, Fault> {
    RedirectUrl::new(address.to_owned()).map_err(|_| Fault::Setup("the return address is no address"))
}

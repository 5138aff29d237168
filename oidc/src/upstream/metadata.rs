//! What a provider publishes about itself (OpenID Connect Discovery §3): fetched, checked, and cut down to what is used.

use super::cache::ttl;
use super::fault::{Fault, What};
use super::presets::{Issuer, Preset};
use crate::fetch::{Answer, Failure, Fetcher};
use crate::jose::json;
use axum::http::{HeaderMap, StatusCode};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, AuthType, AuthUrl, IssuerUrl, ProviderMetadata, TokenUrl};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// What is used of a provider's metadata.
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    /// Who it is of: the issuer, or the one of each tenant.
    pub(super) issuer: Issuer,
    /// The same for the crate's types.
    pub(super) issuer_url: IssuerUrl,
    /// Where browsers go.
    pub(super) authorization: AuthUrl,
    /// Where codes are redeemed.
    pub(super) token: TokenUrl,
    /// Where it tells more of a person.
    pub(super) userinfo: Option<String>,
    /// Where the keys are.
    pub(super) jwks_uri: String,
    /// How we prove ourselves there; none: in no way that we know.
    pub(super) authentication: Option<AuthType>,
    /// Answers say who they are from (RFC 9207 §3).
    pub(super) names_itself: bool,
}

type Document = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What the crate's own type does not have.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct More {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

/// Fetches the metadata, and says how long it is good.
///
/// The crate's own discovery compares the issuer letter by letter, which Entra's metadata for several tenants does not stand
/// (its issuer has a place for the tenant), and it fetches the keys along with it, once: the document is fetched here, and
/// read by the crate.
///
/// # Errors
/// Why it cannot be used.
pub(super) async fn fetch(fetcher: &Fetcher, preset: &Preset) -> Result<(Metadata, Duration), Fault> {
    let (map, ttl) = document(fetcher, What::Metadata, &preset.document).await?;
    let bad = |why| Fault::Document { what: What::Metadata, why };
    // R18 first: of a document of somebody else nothing is read.
    if map.get("issuer").and_then(Value::as_str) != Some(preset.issuer.spelling().as_str()) {
        return Err(Fault::MetadataIssuer);
    }
    let document: Document =
        serde_json::from_value(Value::Object(map)).map_err(|_| bad("a member is missing or of the wrong kind"))?;
    let token = document.token_endpoint().cloned().ok_or_else(|| bad("it names no token endpoint"))?;
    let metadata = Metadata {
        issuer: preset.issuer.clone(),
        issuer_url: document.issuer().clone(),
        authorization: document.authorization_endpoint().clone(),
        token,
        userinfo: document.userinfo_endpoint().map(ToString::to_string),
        jwks_uri: document.jwks_uri().to_string(),
        authentication: match document.token_endpoint_auth_methods_supported() {
            None => Some(AuthType::BasicAuth),
            Some(methods) if methods.contains(&CoreClientAuthMethod::ClientSecretBasic) => Some(AuthType::BasicAuth),
            Some(methods) => methods.contains(&CoreClientAuthMethod::ClientSecretPost).then_some(AuthType::RequestBody),
        },
        names_itself: document.additional_metadata().authorization_response_iss_parameter_supported,
    };
    let needed = [metadata.authorization.as_str(), metadata.token.as_str(), &metadata.jwks_uri];
    for address in needed.into_iter().chain(metadata.userinfo.as_deref()) {
        if !address.starts_with("https://") || address.contains(['#', '@']) {
            return Err(bad("an address in it is not one of https"));
        }
    }
    Ok((metadata, ttl))
}

/// A JSON object that a provider publishes, and how long it is good.
///
/// # Errors
/// [`Fault::Fetch`], [`Fault::Document`].
pub(super) async fn document(
    fetcher: &Fetcher,
    what: What,
    address: &str,
) -> Result<(Map<String, Value>, Duration), Fault> {
    let (map, headers) = read(what, fetcher.get(address).await)?;
    Ok((map, ttl(&headers)))
}

/// The JSON object in an answer, read strictly.
///
/// # Errors
/// [`Fault::Fetch`], [`Fault::Document`].
pub(super) fn read(what: What, answer: Result<Answer, Failure>) -> Result<(Map<String, Value>, HeaderMap), Fault> {
    let Answer { status, headers, body } = answer.map_err(|failure| Fault::Fetch { what, failure })?;
    if status != StatusCode::OK {
        return Err(Fault::Document { what, why: "its status is not 200" });
    }
    let map = json::object(&body, json::Bounds::DOCUMENT).map_err(|why| Fault::Document { what, why })?;
    Ok((map, headers))
}

//! What a provider tells of a person at an endpoint of its own instead of in the ID token (OpenID Connect Core §5.3, §5.4).
//!
//! Of any OpenID provider only: Google's and Entra's tokens say all that their endpoints do. Asked when the token names nobody,
//! or no groups although some are mapped. It fills in what the token does not say and changes nothing of what it says.

use super::fault::{Fault, What};
use super::metadata::{Metadata, read};
use crate::fetch::Fetcher;
use axum::http::Method;
use axum::http::header::{AUTHORIZATION, HeaderValue};
use directory::application::{Provider, ProviderKind};
use serde_json::{Map, Value};

/// What is taken from there: who somebody is called, never how and when they signed in.
const TAKEN: [&str; 8] =
    ["name", "given_name", "family_name", "preferred_username", "groups", "hasgroups", "_claim_names", "roles"];

/// The claims of a proven token, with what the endpoint adds.
///
/// # Errors
/// [`Fault::Fetch`], [`Fault::Document`], [`Fault::Subject`] when it is about somebody else.
pub(super) async fn complete(
    fetcher: &Fetcher,
    provider: &Provider,
    metadata: &Metadata,
    access_token: &str,
    mut claims: Map<String, Value>,
) -> Result<Map<String, Value>, Fault> {
    let lacks = |names: &[&str]| names.iter().all(|name| !claims.contains_key(*name));
    let groups = ["groups", "hasgroups", "_claim_names", "roles"];
    let wanted =
        lacks(&["email", "name", "preferred_username"]) || (!provider.group_mapping.is_empty() && lacks(&groups));
    let address = metadata.userinfo.as_ref().filter(|_| wanted && provider.kind == ProviderKind::Oidc);
    let Some(address) = address else { return Ok(claims) };
    let bearer = HeaderValue::try_from(format!("Bearer {access_token}"))
        .map_err(|_| Fault::Document { what: What::Tokens, why: "its access token is none" })?;
    let answer = fetcher.send(Method::GET, address, &[(AUTHORIZATION, bearer)], Vec::new()).await;
    let (mut said, _) = read(What::UserInfo, answer)?;
    // §5.3.2: an access token that was slipped in tells of somebody else.
    if said.get("sub").is_none() || said.get("sub") != claims.get("sub") {
        return Err(Fault::Subject);
    }
    // An address and whether it is proven come from one place, or the one would vouch for the other's.
    if !claims.contains_key("email") {
        for name in ["email", "email_verified"] {
            claims.remove(name);
            claims.extend(said.remove_entry(name));
        }
    }
    for name in TAKEN {
        if !claims.contains_key(name) {
            claims.extend(said.remove_entry(name));
        }
    }
    Ok(claims)
}

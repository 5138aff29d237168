//! What the server is: `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas` (RFC 7644 §4), and the OpenAPI document.
//!
//! Owns which of it a client is shown: the strict dialect sees what the RFCs define and nothing of ours. A filter is refused
//! with 403, as §4 has it.

use crate::call::{Reply, Shared};
use crate::dialect::Dialect;
use crate::protocol::error::ScimError;
use crate::route::{Endpoint, Query};
use crate::schema::discovery::{self, Facts, Roles};
use crate::schema::openapi;
use serde_json::Value;

/// Answers a discovery endpoint.
pub(crate) fn answer(
    shared: &Shared,
    endpoint: &Endpoint,
    query: &Query,
    base: &str,
    dialect: &Dialect,
) -> Result<Reply, ScimError> {
    if query.value("filter").is_some() {
        return Err(ScimError::new(403, "what the server tells of itself is not filtered"));
    }
    let schemas = shared.schemas(dialect);
    let roles = if dialect.name.starts_with("okta") { Roles::Okta } else { Roles::Own };
    let missing = |what: &str| ScimError::new(404, format!("there is no such {what}"));
    let body: Value = match endpoint {
        Endpoint::Schemas => discovery::schemas(schemas, base),
        Endpoint::Schema(uri) => {
            discovery::schema(schemas.schema(uri).ok_or_else(|| missing("schema"))?.as_ref(), base)
        }
        Endpoint::ResourceTypes => discovery::resource_types(schemas, roles, base),
        Endpoint::ResourceType(name) => {
            let found = schemas.resource_types.iter().find(|kind| kind.name == *name);
            discovery::resource_type(found.ok_or_else(|| missing("resource type"))?, roles, base)
        }
        Endpoint::Config => discovery::service_provider_config(&facts(shared), base),
        Endpoint::OpenApi => {
            let document = openapi::document(&shared.schemas, env!("CARGO_PKG_VERSION"), base);
            return Ok(Reply { media: Some("application/json"), ..Reply::json(200, &document) });
        }
        _ => return Err(missing("endpoint")),
    };
    Ok(Reply::json(200, &body))
}

/// What clients are told of the bounds.
fn facts(shared: &Shared) -> Facts {
    let settings = &shared.settings;
    Facts {
        max_operations: settings.max_bulk_operations,
        max_payload: settings.max_bulk_body,
        default_page: u32::try_from(settings.default_page).unwrap_or(u32::MAX),
        max_page: u32::try_from(settings.max_page).unwrap_or(u32::MAX),
        cursor_timeout: settings.cursor_timeout.as_secs(),
        documentation: None,
    }
}

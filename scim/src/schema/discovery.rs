//! What the discovery endpoints answer: RFC 7643 §5, §6, §7, RFC 7644 §4, RFC 9865 §4.
//!
//! Owns the JSON of `/Schemas`, `/ResourceTypes` and `/ServiceProviderConfig`. No member is null, every keyword is written as
//! in the RFC: some clients read nothing else. `base` is the URL of the door, without a slash at its end.

use serde_json::{Map, Value, json};

use super::{Attribute, Kind, Mutability, ROLE, ResourceType, Returned, Schema, Schemas, Uniqueness};
use crate::protocol::list::List;

/// The schema of a schema.
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
/// The schema of a resource type.
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The schema of the configuration.
pub const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// The schema by which Okta finds roles.
pub const OKTA_ROLE: &str = "urn:okta:scim:schemas:core:1.0:Role";

/// How the service provider is set up, as far as clients are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Operations of a bulk request.
    pub max_operations: usize,
    /// Octets of a bulk request.
    pub max_payload: usize,
    /// Resources of one page, when the client does not say.
    pub default_page: u32,
    /// Resources of one page at most.
    pub max_page: u32,
    /// Seconds that a cursor is good for.
    pub cursor_timeout: u64,
    /// Where the documentation is.
    pub documentation: Option<String>,
}

/// How roles are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roles {
    /// By our schema.
    Own,
    /// By Okta's, with ours as an extension.
    Okta,
}

/// `/Schemas`.
pub fn schemas(schemas: &Schemas, base: &str) -> Value {
    list(schemas.schemas.iter().map(|schema| self::schema(schema, base)).collect())
}

/// `/Schemas/{uri}`.
pub fn schema(schema: &Schema, base: &str) -> Value {
    json!({
        "schemas": [SCHEMA],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes.iter().map(|attribute| self::attribute(attribute)).collect::<Vec<_>>(),
        "meta": {"resourceType": "Schema", "location": format!("{base}/Schemas/{}", schema.id)},
    })
}

/// `/ResourceTypes`.
pub fn resource_types(schemas: &Schemas, roles: Roles, base: &str) -> Value {
    list(schemas.resource_types.iter().map(|kind| resource_type(kind, roles, base)).collect())
}

/// `/ResourceTypes/{name}`.
pub fn resource_type(kind: &ResourceType, roles: Roles, base: &str) -> Value {
    let mut extensions: Vec<Value> = kind
        .extensions
        .iter()
        .map(|extension| json!({"schema": extension.schema.id, "required": extension.required}))
        .collect();
    let mut schema = kind.uri();
    if roles == Roles::Okta && schema == ROLE {
        extensions.insert(0, json!({"schema": schema, "required": true}));
        schema = OKTA_ROLE;
    }
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": kind.name,
        "name": kind.name,
        "endpoint": kind.endpoint,
        "description": kind.description,
        "schema": schema,
        "schemaExtensions": extensions,
        "meta": {"resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{}", kind.name)},
    })
}

/// `/ServiceProviderConfig`.
pub fn service_provider_config(facts: &Facts, base: &str) -> Value {
    let mut config = json!({
        "schemas": [SERVICE_PROVIDER_CONFIG],
        "patch": {"supported": true},
        "bulk": {"supported": true, "maxOperations": facts.max_operations, "maxPayloadSize": facts.max_payload},
        "filter": {"supported": true, "maxResults": facts.max_page},
        "changePassword": {"supported": true},
        "sort": {"supported": true},
        "etag": {"supported": true},
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": facts.default_page,
            "maxPageSize": facts.max_page,
            "cursorTimeout": facts.cursor_timeout,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A token in the header Authorization, made by an administrator",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig")},
    });
    if let (Some(uri), Some(map)) = (&facts.documentation, config.as_object_mut()) {
        map.insert("documentationUri".to_owned(), uri.as_str().into());
    }
    config
}

fn list(resources: Vec<Value>) -> Value {
    let total = u64::try_from(resources.len()).ok();
    List { total, start: Some(1), next: None, resources }.body()
}

fn attribute(attribute: &Attribute) -> Value {
    let mut map = Map::new();
    let mut put = |name: &str, value: Value| drop(map.insert(name.to_owned(), value));
    put("name", attribute.name.as_str().into());
    put("type", type_name(&attribute.kind).into());
    put("multiValued", attribute.multi_valued.into());
    put("description", attribute.description.as_str().into());
    put("required", attribute.required.into());
    put("caseExact", attribute.case_exact.into());
    put("mutability", mutability(attribute.mutability).into());
    put("returned", returned(attribute.returned).into());
    put("uniqueness", uniqueness(attribute.uniqueness).into());
    if !attribute.canonical.is_empty() {
        put("canonicalValues", attribute.canonical.clone().into());
    }
    match &attribute.kind {
        Kind::Reference(types) => put("referenceTypes", types.clone().into()),
        Kind::Complex(subs) => put("subAttributes", subs.iter().map(|sub| self::attribute(sub)).collect()),
        _ => {}
    }
    Value::Object(map)
}

/// The keyword of a data type (RFC 7643 §7).
pub fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Boolean => "boolean",
        Kind::Decimal => "decimal",
        Kind::Integer => "integer",
        Kind::DateTime => "dateTime",
        Kind::Binary => "binary",
        Kind::Reference(_) => "reference",
        Kind::Complex(_) => "complex",
    }
}

fn mutability(mutability: Mutability) -> &'static str {
    match mutability {
        Mutability::ReadWrite => "readWrite",
        Mutability::ReadOnly => "readOnly",
        Mutability::Immutable => "immutable",
        Mutability::WriteOnly => "writeOnly",
    }
}

fn returned(returned: Returned) -> &'static str {
    match returned {
        Returned::Always => "always",
        Returned::Never => "never",
        Returned::Default => "default",
        Returned::Request => "request",
    }
}

fn uniqueness(uniqueness: Uniqueness) -> &'static str {
    match uniqueness {
        Uniqueness::None => "none",
        Uniqueness::Server => "server",
        Uniqueness::Global => "global",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{ENTERPRISE_USER, GROUP, USER};

    fn standard() -> Schemas {
        Schemas::of(&directory::schema::Schema::standard())
    }

    fn nulls(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Array(elements) => elements.iter().any(nulls),
            Value::Object(map) => map.values().any(nulls),
            _ => false,
        }
    }

    #[test]
    fn schemas_are_as_clients_read_them() {
        // Goal: a ListResponse without null, keywords of RFC 7643 §7, and what the text of the RFC says of well-known attributes.
        let all = schemas(&standard(), "https://x/scim/v2");
        assert!(!nulls(&all));
        assert_eq!(all["totalResults"], 5);
        let user = &all["Resources"][0];
        assert_eq!(user["id"], USER);
        assert_eq!(user["meta"]["location"], format!("https://x/scim/v2/Schemas/{USER}"));
        let wanted = json!({
            "name": "userName", "type": "string", "multiValued": false, "required": true, "caseExact": false,
            "mutability": "immutable", "returned": "default", "uniqueness": "server",
            "description": "Name that the account logs in with; it never changes"
        });
        assert_eq!(user["attributes"][0], wanted);
        let find = |schema: &Value, name: &str| {
            schema["attributes"].as_array().unwrap().iter().find(|attribute| attribute["name"] == name).unwrap().clone()
        };
        let password = find(user, "password");
        assert_eq!((&password["mutability"], &password["returned"]), (&json!("writeOnly"), &json!("never")));
        let emails = find(user, "emails");
        assert_eq!(emails["subAttributes"][2]["canonicalValues"], json!(["work", "home", "other"]));
        let groups = find(user, "groups");
        assert_eq!(
            (&groups["mutability"], &groups["subAttributes"][1]["referenceTypes"]),
            (&json!("readOnly"), &json!(["User", "Group"]))
        );
        let group = all["Resources"].as_array().unwrap().iter().find(|schema| schema["id"] == GROUP).unwrap();
        assert_eq!(find(group, "displayName")["required"], true);
        assert_eq!(find(group, "members")["subAttributes"][0]["mutability"], "immutable");
        assert_eq!(find(user, "x509Certificates")["subAttributes"][0]["type"], "binary");
    }

    #[test]
    fn resource_types_name_their_extensions() {
        // Goal: RFC 7643 §6; for Okta the roles go by its schema and keep ours.
        let all = resource_types(&standard(), Roles::Own, "https://x");
        assert!(!nulls(&all));
        let user = &all["Resources"][0];
        assert_eq!(user["id"], "User");
        assert_eq!(user["schemaExtensions"][0], json!({"schema": ENTERPRISE_USER, "required": false}));
        assert_eq!(all["Resources"][2]["schema"], ROLE);
        let okta = resource_types(&standard(), Roles::Okta, "https://x");
        assert_eq!(okta["Resources"][2]["schema"], OKTA_ROLE);
        assert_eq!(okta["Resources"][2]["schemaExtensions"], json!([{"schema": ROLE, "required": true}]));
        assert_eq!(okta["Resources"][2]["endpoint"], "/Roles");
    }

    #[test]
    fn the_configuration_tells_what_is_supported() {
        // Goal: every member that RFC 7643 §5 requires, and the pagination of RFC 9865 §4.
        let facts = Facts {
            max_operations: 1_000,
            max_payload: 1_048_576,
            default_page: 100,
            max_page: 1_000,
            cursor_timeout: 3_600,
            documentation: Some("https://docs".into()),
        };
        let config = service_provider_config(&facts, "https://x");
        assert!(!nulls(&config));
        for required in ["patch", "bulk", "filter", "changePassword", "sort", "etag", "authenticationSchemes"] {
            assert!(config.get(required).is_some(), "{required}");
        }
        assert_eq!(config["bulk"]["maxPayloadSize"], 1_048_576);
        assert_eq!(config["pagination"]["cursor"], true);
        assert_eq!(config["pagination"]["defaultPaginationMethod"], "index");
        assert_eq!(config["documentationUri"], "https://docs");
    }
}

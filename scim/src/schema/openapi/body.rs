//! The bodies of requests and answers as JSON Schema (draft 2020-12).

use serde_json::{Map, Value, json};

use crate::protocol::bulk::{BULK_REQUEST, BULK_RESPONSE};
use crate::protocol::error::{ERROR, ScimType};
use crate::protocol::list::{LIST_RESPONSE, SEARCH_REQUEST};
use crate::protocol::patch::PATCH_OP;
use crate::schema::discovery::{RESOURCE_TYPE, SCHEMA, SERVICE_PROVIDER_CONFIG};
use crate::schema::{Attribute, Kind, Mutability, ResourceType, Schemas};

/// The schema of what a dry run answers.
const DRY_RUN: &str = "urn:ietf:params:scim:api:messages:rollbook:2.0:DryRun";

/// Whether a resource is read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As the service provider returns it: any attribute but `schemas` and `id` may be left out by a projection.
    Answer,
    /// As a client sends it.
    Input,
}

impl Form {
    /// The reference to the form of a resource type.
    pub(super) fn of(self, name: &str) -> Value {
        match self {
            Form::Answer => reference(name),
            Form::Input => reference(&format!("{name}Input")),
        }
    }

    fn shows(self, attribute: &Attribute) -> bool {
        match self {
            Form::Answer => !attribute.is_secret(),
            Form::Input => attribute.mutability != Mutability::ReadOnly,
        }
    }

    fn needs(self, attribute: &Attribute) -> bool {
        match self {
            Form::Answer => false,
            Form::Input => attribute.required && self.shows(attribute),
        }
    }
}

/// A reference to a component.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Every component.
pub(super) fn components(schemas: &Schemas) -> Value {
    let mut map = Map::new();
    for kind in &schemas.resource_types {
        map.insert(kind.name.clone(), resource(kind, Form::Answer));
        map.insert(format!("{}List", kind.name), list_of(&Form::Answer.of(&kind.name)));
        if kind.is_writable() {
            map.insert(format!("{}Input", kind.name), resource(kind, Form::Input));
        }
    }
    map.extend(messages().into_iter().chain(discovery()).map(|(name, schema)| (name.to_owned(), schema)));
    map.into()
}

/// A ListResponse of resources of this form.
pub(super) fn list_of(resource: &Value) -> Value {
    let number = json!({"type": "integer", "minimum": 0});
    object(
        &[
            ("schemas", named(LIST_RESPONSE)),
            ("totalResults", number.clone()),
            ("itemsPerPage", number),
            ("startIndex", json!({"type": "integer", "minimum": 1})),
            ("nextCursor", text()),
            ("Resources", json!({"type": "array", "items": resource})),
        ],
        &["schemas", "itemsPerPage", "Resources"],
    )
}

fn resource(kind: &ResourceType, form: Form) -> Value {
    let mut properties = Map::new();
    let mut required = vec!["schemas".to_owned()];
    if form == Form::Answer {
        required.push("id".to_owned());
    }
    for attribute in kind.attributes().filter(|attribute| form.shows(attribute)) {
        properties.insert(attribute.name.clone(), whole(attribute, form));
        if form.needs(attribute) && attribute.name != "schemas" {
            required.push(attribute.name.clone());
        }
    }
    if form == Form::Input {
        let any: Vec<&str> = kind.schemas().map(|schema| schema.id.as_str()).collect();
        let schemas =
            json!({"type": "array", "items": {"enum": any}, "contains": {"const": kind.uri()}, "uniqueItems": true});
        properties.insert("schemas".into(), schemas);
    }
    for extension in &kind.extensions {
        let attributes = extension.schema.attributes.iter().filter(|attribute| form.shows(attribute));
        let inside: Map<String, Value> =
            attributes.map(|attribute| (attribute.name.clone(), whole(attribute, form))).collect();
        if !inside.is_empty() {
            properties.insert(extension.schema.id.clone(), closed(inside, &[]));
        }
    }
    let required: Vec<&str> = required.iter().map(String::as_str).collect();
    closed(properties, &required)
}

fn whole(attribute: &Attribute, form: Form) -> Value {
    let one = single(attribute, form);
    if attribute.multi_valued { json!({"type": "array", "items": one}) } else { one }
}

fn single(attribute: &Attribute, form: Form) -> Value {
    let mut schema = match &attribute.kind {
        Kind::String => text(),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Decimal => json!({"type": "number"}),
        Kind::Integer => json!({"type": "integer"}),
        Kind::DateTime => json!({"type": "string", "format": "date-time"}),
        Kind::Binary => json!({"type": "string", "contentEncoding": "base64"}),
        Kind::Reference(_) => json!({"type": "string"}),
        Kind::Complex(subs) => {
            let shown = subs.iter().filter(|sub| form.shows(sub));
            let inside: Map<String, Value> = shown.map(|sub| (sub.name.clone(), whole(sub, form))).collect();
            let required: Vec<&str> = subs.iter().filter(|sub| form.needs(sub)).map(|sub| sub.name.as_str()).collect();
            closed(inside, &required)
        }
    };
    if let Some(map) = schema.as_object_mut() {
        map.insert("description".into(), attribute.description.as_str().into());
        if attribute.mutability == Mutability::ReadOnly {
            map.insert("readOnly".into(), true.into());
        }
        if !attribute.canonical.is_empty() {
            // What the service provider writes is one of them; clients may write others.
            let word = if attribute.mutability == Mutability::ReadOnly { "enum" } else { "examples" };
            map.insert(word.into(), attribute.canonical.clone().into());
        }
        if form == Form::Input && attribute.required && attribute.kind == Kind::String {
            map.insert("minLength".into(), 1.into());
        }
    }
    schema
}

fn messages() -> Vec<(&'static str, Value)> {
    let types: Vec<&str> = ScimType::ALL.iter().map(|kind| kind.name()).collect();
    let status = json!({"type": "string", "pattern": "^[1-5][0-9][0-9]$"});
    let method = json!({"type": "string", "enum": ["POST", "PUT", "PATCH", "DELETE"]});
    let names = json!({"type": "array", "items": text()});
    let operation = object(
        &[
            ("op", json!({"type": "string", "enum": ["add", "remove", "replace"]})),
            (
                "path",
                json!({"type": "string", "examples": ["displayName", "emails[type eq \"work\"].value", "members"]}),
            ),
            ("value", json!({})),
        ],
        &["op"],
    );
    let asked = object(
        &[
            ("method", method.clone()),
            ("path", json!({"type": "string", "examples": ["/Users", "/Groups/bulkId:g1"]})),
            ("bulkId", text()),
            ("version", text()),
            ("data", json!({"type": "object"})),
        ],
        &["method", "path"],
    );
    let ended = object(
        &[
            ("method", method),
            ("bulkId", text()),
            ("version", text()),
            ("location", text()),
            ("status", status.clone()),
            ("response", json!({"type": "object"})),
        ],
        &["status"],
    );
    vec![
        (
            "Error",
            object(
                &[
                    ("schemas", named(ERROR)),
                    ("status", status.clone()),
                    ("scimType", json!({"type": "string", "enum": types})),
                    ("detail", text()),
                ],
                &["schemas", "status"],
            ),
        ),
        (
            "SearchRequest",
            object(
                &[
                    ("schemas", named(SEARCH_REQUEST)),
                    ("filter", text()),
                    ("sortBy", text()),
                    ("sortOrder", json!({"type": "string", "enum": ["ascending", "descending"]})),
                    ("startIndex", json!({"type": "integer"})),
                    ("count", json!({"type": "integer"})),
                    ("cursor", text()),
                    ("attributes", names.clone()),
                    ("excludedAttributes", names),
                ],
                &["schemas"],
            ),
        ),
        (
            "PatchOp",
            object(
                &[
                    ("schemas", named(PATCH_OP)),
                    ("Operations", json!({"type": "array", "minItems": 1, "items": operation})),
                ],
                &["schemas", "Operations"],
            ),
        ),
        (
            "BulkRequest",
            object(
                &[
                    ("schemas", named(BULK_REQUEST)),
                    ("failOnErrors", json!({"type": "integer", "minimum": 1})),
                    ("Operations", json!({"type": "array", "items": asked})),
                ],
                &["schemas", "Operations"],
            ),
        ),
        (
            "BulkResponse",
            object(
                &[("schemas", named(BULK_RESPONSE)), ("Operations", json!({"type": "array", "items": ended}))],
                &["schemas", "Operations"],
            ),
        ),
        (
            "DryRun",
            object(
                &[
                    ("schemas", named(DRY_RUN)),
                    ("status", status),
                    ("changes", json!({"type": "array", "items": {"type": "object"}})),
                ],
                &["schemas", "status", "changes"],
            ),
        ),
    ]
}

fn discovery() -> Vec<(&'static str, Value)> {
    let flag = json!({"type": "boolean"});
    let supported = object(&[("supported", flag.clone())], &["supported"]);
    let meta = object(&[("resourceType", text()), ("location", text())], &["resourceType", "location"]);
    let extension = object(&[("schema", text()), ("required", flag.clone())], &["schema", "required"]);
    let about = |schema: &str, more: &[(&str, Value)], required: &[&str]| {
        let mut properties = vec![("schemas", named(schema)), ("meta", meta.clone())];
        properties.extend(more.iter().cloned());
        let required: Vec<&str> = ["schemas", "meta"].iter().chain(required).copied().collect();
        object(&properties, &required)
    };
    let described = [("id", text()), ("name", text()), ("description", text())];
    let schema: Vec<(&str, Value)> = described
        .iter()
        .cloned()
        .chain([("attributes", json!({"type": "array", "items": {"type": "object", "required": ["name", "type"]}}))])
        .collect();
    let types: Vec<(&str, Value)> = described
        .iter()
        .cloned()
        .chain([
            ("endpoint", text()),
            ("schema", text()),
            ("schemaExtensions", json!({"type": "array", "items": extension})),
        ])
        .collect();
    let config: Vec<(&str, Value)> = vec![
        ("documentationUri", text()),
        ("patch", supported.clone()),
        ("bulk", json!({"type": "object", "required": ["supported", "maxOperations", "maxPayloadSize"]})),
        ("filter", json!({"type": "object", "required": ["supported", "maxResults"]})),
        ("changePassword", supported.clone()),
        ("sort", supported.clone()),
        ("etag", supported),
        ("pagination", json!({"type": "object", "required": ["cursor", "index"]})),
        (
            "authenticationSchemes",
            json!({"type": "array", "items": {"type": "object", "required": ["type", "name", "description"]}}),
        ),
    ];
    let features = ["patch", "bulk", "filter", "changePassword", "sort", "etag", "pagination", "authenticationSchemes"];
    vec![
        ("Schema", about(SCHEMA, &schema, &["id", "name", "attributes"])),
        ("ResourceType", about(RESOURCE_TYPE, &types, &["id", "name", "endpoint", "schema"])),
        ("ServiceProviderConfig", about(SERVICE_PROVIDER_CONFIG, &config, &features)),
    ]
}

fn text() -> Value {
    json!({"type": "string"})
}

/// `schemas` of a message.
fn named(uri: &str) -> Value {
    json!({"type": "array", "items": {"const": uri}, "minItems": 1, "maxItems": 1})
}

fn object(properties: &[(&str, Value)], required: &[&str]) -> Value {
    closed(properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect(), required)
}

/// An object with these members and no others.
fn closed(properties: Map<String, Value>, required: &[&str]) -> Value {
    let properties = Value::Object(properties);
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if let (false, Some(map)) = (required.is_empty(), schema.as_object_mut()) {
        map.insert("required".into(), required.into());
    }
    schema
}

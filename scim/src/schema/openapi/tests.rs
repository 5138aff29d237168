//! The document is whole, and true of what the other modules make.

use serde_json::{Value, json};

use super::*;
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::list::List;
use crate::schema::discovery::{self, Facts, Roles};
use crate::schema::{ENTERPRISE_USER, USER};

fn standard() -> Schemas {
    Schemas::of(&directory::schema::Schema::standard())
}

/// A validator of what the document uses of JSON Schema, enough to find a lie. The place of the first one.
fn lie(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let Value::Object(rules) = schema else { return Some(format!("{at}: no schema")) };
    let no = |why: &str| Some(format!("{at}: {why}: {value}"));
    for (word, rule) in rules {
        let found = match word.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                lie(document, document.pointer(pointer).expect(pointer), value, at)
            }
            "anyOf" => {
                let one = rule.as_array().unwrap().iter().any(|schema| lie(document, schema, value, at).is_none());
                if one { None } else { no("none of anyOf") }
            }
            "type" => {
                let is = match rule.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "number" => value.is_number(),
                    other => panic!("{other}"),
                };
                if is { None } else { no("type") }
            }
            "required" => {
                let missing = rule.as_array().unwrap().iter().find(|name| value.get(name.as_str().unwrap()).is_none());
                missing.and_then(|name| no(&format!("without {name}")))
            }
            "properties" => value.as_object().into_iter().flatten().find_map(|(name, inner)| {
                rule.get(name).and_then(|schema| lie(document, schema, inner, &format!("{at}/{name}")))
            }),
            "additionalProperties" => {
                let known = rules["properties"].as_object().unwrap();
                let other = value.as_object().into_iter().flatten().find(|(name, _)| !known.contains_key(*name));
                other.and_then(|(name, _)| no(&format!("has {name}")))
            }
            "items" => {
                let elements = value.as_array().map(Vec::as_slice).unwrap_or_default();
                elements.iter().find_map(|element| lie(document, rule, element, &format!("{at}[]")))
            }
            "const" => {
                if rule == value {
                    None
                } else {
                    no("const")
                }
            }
            "enum" => {
                if rule.as_array().unwrap().contains(value) {
                    None
                } else {
                    no("enum")
                }
            }
            "contains" => {
                let elements = value.as_array().map(Vec::as_slice).unwrap_or_default();
                if elements.iter().any(|element| lie(document, rule, element, at).is_none()) {
                    None
                } else {
                    no("contains")
                }
            }
            "minItems" => {
                if value.as_array().is_none_or(|a| a.len() as u64 >= rule.as_u64().unwrap()) {
                    None
                } else {
                    no("minItems")
                }
            }
            "maxItems" => {
                if value.as_array().is_none_or(|a| a.len() as u64 <= rule.as_u64().unwrap()) {
                    None
                } else {
                    no("maxItems")
                }
            }
            "minLength" => {
                if value.as_str().is_none_or(|t| t.len() as u64 >= rule.as_u64().unwrap()) {
                    None
                } else {
                    no("minLength")
                }
            }
            "minimum" => {
                if value.as_i64().is_none_or(|n| n >= rule.as_i64().unwrap()) {
                    None
                } else {
                    no("minimum")
                }
            }
            "pattern" | "format" | "contentEncoding" | "description" | "readOnly" | "examples" | "uniqueItems" => None,
            other => panic!("{at}: the validator does not know {other}"),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn check(document: &Value, component: &str, value: &Value) -> Option<String> {
    lie(document, &body::reference(component), value, component)
}

#[test]
fn every_reference_leads_somewhere() {
    // Goal: a generator of clients can read the document: references, operation ids, answers, parameters of paths.
    let document = document(&standard(), "1", "https://x/scim/v2");
    let mut ids = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method == "parameters" {
                assert!(path.contains("{id}"));
                continue;
            }
            ids.push(operation["operationId"].as_str().unwrap().to_owned());
            assert!(operation["responses"].get("default").is_some(), "{path}");
            assert!(operation["responses"].as_object().unwrap().len() > 1, "{path}");
        }
        assert_eq!(path.contains("{id}"), item.get("parameters").is_some(), "{path}");
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "operation ids are different");
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(elements) => open.extend(elements),
            Value::Object(map) => {
                if let Some(Value::String(target)) = map.get("$ref").filter(|_| map.len() == 1) {
                    assert!(document.pointer(target.strip_prefix('#').unwrap()).is_some(), "{target}");
                }
                open.extend(map.values());
            }
            _ => {}
        }
    }
    for path in [
        "/Users",
        "/Users/{id}",
        "/Users/.search",
        "/Groups",
        "/Roles/{id}",
        "/.search",
        "/Bulk",
        "/Me",
        "/Schemas/{id}",
    ] {
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
    assert!(document["paths"]["/Roles"].get("post").is_none(), "roles are read-only");
}

#[test]
fn what_is_answered_is_as_described() {
    // Goal: what discovery, lists, errors and projections make obeys the document; what no answer holds does not.
    let schemas = standard();
    let document = document(&schemas, "1", "https://x");
    let facts = Facts {
        max_operations: 1,
        max_payload: 1,
        default_page: 1,
        max_page: 1,
        cursor_timeout: 1,
        documentation: Some("https://d".into()),
    };
    let config = discovery::service_provider_config(&facts, "https://x");
    assert_eq!(check(&document, "ServiceProviderConfig", &config), None);
    for schema in &schemas.schemas {
        assert_eq!(check(&document, "Schema", &discovery::schema(schema, "https://x")), None);
    }
    for (kind, roles) in schemas.resource_types.iter().flat_map(|kind| [(kind, Roles::Own), (kind, Roles::Okta)]) {
        assert_eq!(check(&document, "ResourceType", &discovery::resource_type(kind, roles, "https://x")), None);
    }
    let error = ScimError::of(ScimType::ExpiredCursor, "x").body();
    assert_eq!(check(&document, "Error", &error), None);
    let user = json!({
        "schemas": [USER, ENTERPRISE_USER], "id": "u", "userName": "b", "active": true,
        "emails": [{"value": "a", "type": "anything"}], "groups": [{"value": "g", "type": "direct"}],
        ENTERPRISE_USER: {"manager": {"value": "m", "displayName": "M"}},
        "meta": {"resourceType": "User", "version": "W/\"1\""}
    });
    let list = List { total: Some(1), start: Some(1), next: Some("c".into()), resources: vec![user.clone()] };
    assert_eq!(check(&document, "UserList", &list.body()), None);
    assert_eq!(check(&document, "User", &json!({"schemas": [USER], "id": "u"})), None, "a projection");
    let lies = [
        json!({"schemas": [USER]}),
        json!({"schemas": [USER], "id": "u", "password": "x"}),
        json!({"schemas": [USER], "id": "u", "active": "true"}),
        json!({"schemas": [USER], "id": "u", "emails": {"value": "a"}}),
        json!({"schemas": [USER], "id": "u", "name": {"unknown": "x"}}),
        json!({"schemas": [USER], "id": "u", "title": null}),
    ];
    for value in lies {
        assert!(check(&document, "User", &value).is_some(), "{value}");
    }
}

#[test]
fn what_is_accepted_is_as_described() {
    // Goal: a body of the described form is one that the strict rules take, and what they refuse is not described.
    let schemas = standard();
    let document = document(&schemas, "1", "https://x");
    let user = schemas.resource_type("User").unwrap();
    let bodies = [
        (json!({"schemas": [USER], "userName": "b", "password": "x", "emails": [{"value": "a"}]}), true),
        (json!({"schemas": [USER, ENTERPRISE_USER], "userName": "b", ENTERPRISE_USER: {"division": "D"}}), true),
        (json!({"schemas": [ENTERPRISE_USER], "userName": "b"}), false),
        (json!({"schemas": [USER, "urn:x"], "userName": "b"}), false),
        (json!({"schemas": [USER], "userName": "b", "unknown": 1}), false),
        (json!({"schemas": [USER], "userName": "b", "active": "yes"}), false),
    ];
    for (body, good) in bodies {
        let taken = crate::protocol::accept::accept(user, body.clone(), &crate::protocol::rules::Rules::STRICT);
        assert_eq!((taken.is_ok(), check(&document, "UserInput", &body).is_none()), (good, good), "{body}");
    }
}

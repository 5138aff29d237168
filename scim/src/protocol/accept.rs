//! The body of a POST or PUT as a resource in the form of the schema: RFC 7644 §3.3, §3.5.1.
//!
//! Owns what becomes of names, schemas and read-only attributes. What the service provider keeps (`id`, `meta`, `groups`) is
//! left out, whatever a client gives for it: nobody is made an administrator by a body.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::{ScimError, echo};
use super::normal::{Formed, Normal, in_place};
use super::rules::{Coercion, Rules};
use super::value::is_present;
use crate::schema::{Attribute, Mutability, ResourceType, Schema};

/// The most URIs in `schemas`.
const MAX_SCHEMAS: usize = 64;

/// What came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The resource: names in the spelling of the schema, values in its types, `schemas` restated, nothing read-only.
    pub resource: Map<String, Value>,
    /// What was accepted only because of a switch, with the number of times.
    pub coercions: BTreeMap<Coercion, usize>,
}

/// Reads the body of a POST or PUT. Whether everything required is there is for [`complete`] to say.
///
/// # Errors
/// 400 `invalidSyntax` for a body that is no resource of this type, 400 `invalidValue` for a value that is none of its
/// attribute.
pub fn accept(kind: &ResourceType, given: Value, rules: &Rules) -> Result<Accepted, ScimError> {
    let Value::Object(mut resource) = given else {
        return Err(ScimError::invalid_syntax("a resource is a JSON object"));
    };
    let mut normal = Normal::new(rules);
    let mut named = false;
    in_place(&mut resource, |name, value| {
        if name.eq_ignore_ascii_case("schemas") {
            named = schemas(kind, &value, &mut normal)?;
        } else if let Some(attribute) = kind.attribute(name) {
            return written(attribute, value, &mut normal);
        } else if let Some(extension) = kind.extension(name) {
            return extension_object(&extension.schema, value, &mut normal);
        } else if rules.drop_unknown {
            normal.note(Coercion::DropUnknown);
        } else {
            return Err(ScimError::invalid_syntax(format!("a {} has no `{}`", kind.name, echo(name))));
        }
        Ok(None)
    })?;
    if !named && !rules.schemas_missing {
        return Err(ScimError::invalid_syntax(format!("`schemas` lists `{}`", kind.uri())));
    }
    if !named {
        normal.note(Coercion::SchemasMissing);
    }
    restate_schemas(kind, &mut resource);
    Ok(Accepted { resource, coercions: normal.touched.coercions })
}

/// Checks that everything required is there.
///
/// # Errors
/// 400 `invalidValue` that names the attribute.
pub fn complete(kind: &ResourceType, resource: &Map<String, Value>) -> Result<(), ScimError> {
    let missing = |attributes: &[std::sync::Arc<Attribute>], of: Option<&Map<String, Value>>| {
        let lacks = |attribute: &&std::sync::Arc<Attribute>| {
            attribute.required
                && attribute.mutability != Mutability::ReadOnly
                && !of.and_then(|map| map.get(&attribute.name)).is_some_and(is_present)
        };
        attributes.iter().find(lacks).map(|attribute| attribute.name.clone())
    };
    let mut found = missing(&kind.schema.attributes, Some(resource));
    let demands = |schema: &Schema| schema.attributes.iter().any(|attribute| attribute.required);
    for extension in kind.extensions.iter().filter(|extension| demands(&extension.schema)) {
        let inside = resource.get(&extension.schema.id).and_then(Value::as_object);
        if extension.required || inside.is_some() {
            let within = missing(&extension.schema.attributes, inside);
            found = found.or(within.map(|name| format!("{}:{name}", extension.schema.id)));
        }
    }
    match found {
        None => Ok(()),
        Some(name) => Err(ScimError::invalid_value(format!("`{name}` is required"))),
    }
}

/// Writes `schemas`: the core schema, and each extension that has data (RFC 7643 §3).
pub fn restate_schemas(kind: &ResourceType, resource: &mut Map<String, Value>) {
    let mut uris = vec![Value::String(kind.uri().to_owned())];
    for extension in &kind.extensions {
        if resource.get(&extension.schema.id).is_some_and(is_present) {
            uris.push(Value::String(extension.schema.id.clone()));
        }
    }
    resource.insert("schemas".to_owned(), Value::Array(uris));
}

/// Whether `schemas` names the type; strictly, it names nothing that is not known.
fn schemas(kind: &ResourceType, value: &Value, normal: &mut Normal<'_>) -> Result<bool, ScimError> {
    let uris = match value {
        Value::Null => return Ok(false),
        Value::Array(uris) if uris.len() <= MAX_SCHEMAS => uris,
        _ => return Err(ScimError::invalid_syntax(format!("`schemas` is an array of at most {MAX_SCHEMAS} URIs"))),
    };
    let mut named = false;
    for uri in uris {
        let Value::String(uri) = uri else { return Err(ScimError::invalid_syntax("`schemas` is an array of URIs")) };
        if uri.eq_ignore_ascii_case(kind.uri()) {
            named = true;
        } else if kind.extension(uri).is_none() {
            if !normal.rules.drop_unknown {
                return Err(ScimError::invalid_syntax(format!("a {} has no schema `{}`", kind.name, echo(uri))));
            }
            normal.note(Coercion::DropUnknown);
        }
    }
    Ok(named)
}

fn extension_object<'s>(schema: &'s Schema, value: Value, normal: &mut Normal<'_>) -> Formed<'s> {
    let uri = &schema.id;
    let mut inside = match value {
        Value::Object(given) => given,
        Value::Null => return Ok(None),
        _ => return Err(ScimError::invalid_syntax(format!("`{uri}` is an object"))),
    };
    in_place(&mut inside, |name, value| match schema.attribute(name) {
        Some(attribute) => written(attribute, value, normal),
        None if normal.rules.drop_unknown => {
            normal.note(Coercion::DropUnknown);
            Ok(None)
        }
        None => Err(ScimError::invalid_syntax(format!("`{uri}` has no `{}`", echo(name)))),
    })?;
    Ok((!inside.is_empty()).then_some((uri.as_str(), Value::Object(inside))))
}

/// The value of an attribute, unless it is the service provider's.
fn written<'s>(attribute: &'s Attribute, value: Value, normal: &mut Normal<'_>) -> Formed<'s> {
    if attribute.mutability == Mutability::ReadOnly {
        return Ok(None);
    }
    let value = normal.value(attribute, value)?;
    Ok(value.map(|value| (attribute.name.as_str(), value)))
}

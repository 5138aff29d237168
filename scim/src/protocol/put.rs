//! PUT: RFC 7644 §3.5.1.
//!
//! Owns what becomes of each attribute when one resource replaces another. Edges are taken out before, by [`edges`]: they are
//! replaced where they are kept.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::accept::{complete, restate_schemas};
use super::error::ScimError;
use super::normal::same_element;
use super::patch::{Touched, differences, member_ids};
use super::rules::Rules;
use crate::schema::{Attribute, Mutability, ResourceType, Schema};

/// What an omission leaves as it is: a client that replaces a profile does not mean to disable or enable the account.
const KEPT: [&str; 1] = ["active"];

/// Takes the edges out of a body that [`super::accept`] has read: the identifiers of the members, when the client gave any
/// value for them. None: not given.
///
/// # Errors
/// 400 `invalidValue` for a member without identifier.
pub fn edges(
    kind: &ResourceType,
    given: &mut Map<String, Value>,
    rules: &Rules,
) -> Result<Option<Vec<String>>, ScimError> {
    let Some(attribute) = kind.schema.attributes.iter().find(|attribute| attribute.edges) else { return Ok(None) };
    if attribute.mutability == Mutability::ReadOnly {
        return Ok(None);
    }
    match given.remove(&attribute.name) {
        None => Ok(None),
        Some(value) => member_ids(attribute, value, rules, &mut Touched::default()).map(Some),
    }
}

/// The resource after `given` replaces `present`. Read-only attributes stay; read-write ones that are not given are cleared,
/// but for `active`; immutable ones must be given as they are, or not at all; a password is only ever set.
///
/// # Errors
/// 400 `mutability` for an immutable attribute with another value, 400 `invalidValue` when something required is not given.
pub fn merge(
    kind: &ResourceType,
    present: &Map<String, Value>,
    given: Map<String, Value>,
    rules: &Rules,
) -> Result<(Map<String, Value>, Touched), ScimError> {
    let mut given = given;
    let mut result = Map::new();
    for attribute in kind.attributes() {
        let value = one(attribute, present.get(&attribute.name), given.remove(&attribute.name), rules)?;
        result.extend(value.map(|value| (attribute.name.clone(), value)));
    }
    for extension in &kind.extensions {
        let (id, schema) = (&extension.schema.id, &extension.schema);
        let inside = extension_of(schema, present.get(id), given.remove(id), rules)?;
        if !inside.is_empty() {
            result.insert(id.clone(), Value::Object(inside));
        }
    }
    restate_schemas(kind, &mut result);
    complete(kind, &result)?;
    let attributes = differences(kind, present, &result);
    Ok((result, Touched { attributes, coercions: BTreeMap::new() }))
}

fn extension_of(
    schema: &Schema,
    present: Option<&Value>,
    given: Option<Value>,
    rules: &Rules,
) -> Result<Map<String, Value>, ScimError> {
    let present = present.and_then(Value::as_object);
    let mut given = match given {
        Some(Value::Object(given)) => given,
        _ => Map::new(),
    };
    let mut inside = Map::new();
    for attribute in &schema.attributes {
        let before = present.and_then(|map| map.get(&attribute.name));
        let value = one(attribute, before, given.remove(&attribute.name), rules)?;
        inside.extend(value.map(|value| (attribute.name.clone(), value)));
    }
    Ok(inside)
}

fn one(
    attribute: &Attribute,
    present: Option<&Value>,
    given: Option<Value>,
    rules: &Rules,
) -> Result<Option<Value>, ScimError> {
    Ok(match (attribute.mutability, present, given) {
        (Mutability::ReadOnly, present, _) => present.cloned(),
        (Mutability::Immutable, Some(present), Some(given)) if !unchanged(attribute, present, &given, rules) => {
            return Err(ScimError::mutability(format!("`{}` cannot be changed", attribute.name)));
        }
        (Mutability::Immutable, Some(present), _) => Some(present.clone()),
        (_, Some(present), None) if KEPT.contains(&attribute.name.as_str()) => Some(present.clone()),
        (_, Some(present), Some(given)) if says_the_same(attribute, present, &given) => Some(present.clone()),
        (_, _, given) => given,
    })
}

/// Whether an object differs in what the service provider keeps at most: `manager` without its `displayName`.
fn says_the_same(attribute: &Attribute, present: &Value, given: &Value) -> bool {
    let (Value::Object(present), Value::Object(given)) = (present, given) else { return false };
    let written = attribute.subs().iter().filter(|sub| sub.mutability != Mutability::ReadOnly);
    written.into_iter().all(|sub| present.get(&sub.name) == given.get(&sub.name))
}

/// Whether a value is the one that is there, by the attribute's own matching.
pub(crate) fn unchanged(attribute: &Attribute, present: &Value, given: &Value, rules: &Rules) -> bool {
    match (present, given) {
        (Value::String(present), Value::String(given)) => (rules.same)(attribute, present, given),
        _ => same_element(attribute, present, given),
    }
}

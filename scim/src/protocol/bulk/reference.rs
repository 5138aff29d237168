//! `bulkId:NAME` in the place of an identifier: RFC 7644 §3.7.2.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::{Id, Operation};
use crate::protocol::error::{ScimError, echo};
use crate::protocol::patch::PATCH_OP;

/// The `bulkId` that a text stands for.
fn name_of(text: &str) -> Option<&str> {
    let (prefix, name) = text.split_once(':')?;
    prefix.eq_ignore_ascii_case("bulkId").then_some(name).filter(|name| !name.is_empty())
}

/// The `bulkId`s that an operation refers to, in its body and its path.
pub fn references(operation: &Operation) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(&operation.data, &mut found);
    if let Some(Id::Bulk(name)) = &operation.id {
        found.insert(name.clone());
    }
    found
}

/// The `bulkId`s in a body.
pub(super) fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => found.extend(name_of(text).map(str::to_owned)),
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
        Value::Object(map) => map.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// Puts the identifiers of made resources in the places of their `bulkId`s.
///
/// # Errors
/// 409 for a `bulkId` that no resource was made for.
pub fn substitute(value: &mut Value, made: &HashMap<String, String>) -> Result<(), ScimError> {
    match value {
        Value::String(text) => {
            let Some(name) = name_of(text) else { return Ok(()) };
            match made.get(name) {
                Some(id) => text.clone_from(id),
                None => return Err(ScimError::new(409, format!("no resource was made for bulkId `{}`", echo(name)))),
            }
        }
        Value::Array(elements) => {
            for element in elements {
                substitute(element, made)?;
            }
        }
        Value::Object(map) => {
            for (_, value) in map.iter_mut() {
                substitute(value, made)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Takes what refers to `unknown` out of the body of a POST. What is taken out comes back as the body of a PATCH that adds it.
pub fn hold(data: &mut Value, unknown: &BTreeSet<String>) -> Value {
    let mut operations = Vec::new();
    if let Value::Object(map) = data {
        hold_map(map, None, unknown, &mut operations);
    }
    json!({"schemas": [PATCH_OP], "Operations": operations})
}

fn hold_map(map: &mut Map<String, Value>, urn: Option<&str>, unknown: &BTreeSet<String>, operations: &mut Vec<Value>) {
    let names: Vec<String> =
        map.iter().filter(|(_, value)| refers(value, unknown)).map(|(name, _)| name.clone()).collect();
    for name in names {
        let Some(mut value) = map.remove(&name) else { continue };
        // A key with a colon is the URN of an extension: its attributes are held one by one.
        if let (true, None, Value::Object(inside)) = (name.contains(':'), urn, &mut value) {
            hold_map(inside, Some(&name), unknown, operations);
            map.insert(name, value);
            continue;
        }
        let path = urn.map_or(name.clone(), |urn| format!("{urn}:{name}"));
        let held = match value {
            Value::Array(elements) => {
                let (held, kept): (Vec<Value>, Vec<Value>) =
                    elements.into_iter().partition(|element| refers(element, unknown));
                if !kept.is_empty() {
                    map.insert(name, Value::Array(kept));
                }
                Value::Array(held)
            }
            one => one,
        };
        operations.push(json!({"op": "add", "path": path, "value": held}));
    }
}

fn refers(value: &Value, unknown: &BTreeSet<String>) -> bool {
    match value {
        Value::String(text) => name_of(text).is_some_and(|name| unknown.contains(name)),
        Value::Array(elements) => elements.iter().any(|element| refers(element, unknown)),
        Value::Object(map) => map.values().any(|value| refers(value, unknown)),
        _ => false,
    }
}

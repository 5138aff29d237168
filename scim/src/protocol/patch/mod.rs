//! PATCH: RFC 7644 §3.5.2.
//!
//! Owns the operations and what they do to the JSON of a resource. Three steps: [`parse`] reads the message, [`split_edges`]
//! takes out what is about members, so that adding one never loads the others, [`apply`] does the rest on the resource, all
//! or nothing.

mod apply;
mod edges;
mod operation;
mod parse;
mod place;
mod select;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::schema::ResourceType;

pub use apply::apply;
pub(crate) use edges::member_ids;
pub use edges::split_edges;
pub use operation::{EdgeOp, Op, Operation, Target, Touched};
pub use parse::{MAX_OPERATIONS, PATCH_OP, parse};

/// The attributes whose values differ between two states of a resource, as `name` or `URN:name`. `schemas` is none: it
/// follows from the others.
pub fn differences(kind: &ResourceType, before: &Map<String, Value>, after: &Map<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for attribute in kind.attributes().filter(|attribute| attribute.name != "schemas") {
        if before.get(&attribute.name) != after.get(&attribute.name) {
            found.insert(attribute.name.clone());
        }
    }
    for extension in &kind.extensions {
        let id = &extension.schema.id;
        let [before, after] = [before, after].map(|map| map.get(id).and_then(Value::as_object));
        for attribute in &extension.schema.attributes {
            let [before, after] = [before, after].map(|map| map.and_then(|map| map.get(&attribute.name)));
            if before != after {
                found.insert(format!("{id}:{}", attribute.name));
            }
        }
    }
    found
}

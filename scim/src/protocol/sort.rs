//! `sortBy` and `sortOrder`: RFC 7644 §3.4.2.3.
//!
//! Owns what is compared: of several values the primary one, else the first; resources without a value come last when the order
//! ascends and first when it descends.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::error::{ScimError, echo};
use super::path::AttrPath;
use super::value::{is_present, order};
use crate::schema::{Place, ResourceType};

/// An order of resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// What is compared; never complex.
    pub place: Place,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl Sort {
    /// Finds the attribute of `sortBy`.
    ///
    /// # Errors
    /// 400 `invalidValue` for an attribute that is unknown, secret, or complex without a `value`.
    pub fn resolve(kind: &ResourceType, sort_by: &str, descending: bool) -> Result<Sort, ScimError> {
        let wrong = |why: &str| ScimError::invalid_value(format!("`sortBy`: `{}` {why}", echo(sort_by)));
        let path = AttrPath::read(sort_by.trim()).ok_or_else(|| wrong("is no attribute"))?;
        let mut place = path.place(kind).ok_or_else(|| wrong("is no attribute"))?;
        if place.attribute.is_secret() || place.leaf().is_secret() {
            return Err(wrong("cannot be asked for"));
        }
        if place.leaf().is_complex() {
            let value = place.attribute.sub("value").cloned();
            place.sub = Some(value.ok_or_else(|| wrong("is complex"))?);
        }
        Ok(Sort { place, descending })
    }

    /// The value that a resource is sorted by.
    pub fn key<'a>(&self, resource: &'a Map<String, Value>) -> Option<&'a Value> {
        let holder = match &self.place.extension {
            None => resource,
            Some(schema) => resource.get(&schema.id)?.as_object()?,
        };
        let value = holder.get(&self.place.attribute.name)?;
        let one = match value {
            Value::Array(elements) => {
                let primary = elements.iter().find(|element| element.get("primary") == Some(&Value::Bool(true)));
                primary.or_else(|| elements.first())?
            }
            one => one,
        };
        let leaf = match &self.place.sub {
            None => one,
            Some(sub) => one.get(&sub.name)?,
        };
        Some(leaf).filter(|value| is_present(value))
    }

    /// The order of two resources. Equal ones keep their order: sort with a stable sort.
    pub fn compare(&self, one: &Map<String, Value>, other: &Map<String, Value>) -> Ordering {
        self.compare_keys(self.key(one), self.key(other))
    }

    /// As [`Sort::compare`], for keys.
    pub fn compare_keys(&self, one: Option<&Value>, other: Option<&Value>) -> Ordering {
        let ascending = match (one, other) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(other)) => order(self.place.leaf(), one, other),
        };
        if self.descending { ascending.reverse() } else { ascending }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schemas;
    use serde_json::json;

    fn sorted(by: &str, descending: bool) -> String {
        let schemas = Schemas::of(&directory::schema::Schema::standard());
        let sort = Sort::resolve(schemas.resource_type("User").unwrap(), by, descending).unwrap();
        let mut resources: Vec<Map<String, Value>> = [
            json!({"id": "1", "userName": "b", "emails": [{"value": "z"}, {"value": "a", "primary": true}]}),
            json!({"id": "2", "userName": "A", "externalId": "b", "emails": [{"value": "M"}]}),
            json!({"id": "3", "userName": "É", "externalId": "B", "active": true, "meta": {"created": "2020-01-01T01:00:00+02:00"}}),
            json!({"id": "4", "userName": "c", "active": false, "meta": {"created": "2020-01-01T00:00:00Z"}}),
        ]
        .map(|value| value.as_object().unwrap().clone())
        .into();
        resources.sort_by(|one, other| sort.compare(one, other));
        resources.iter().map(|resource| resource["id"].as_str().unwrap()).collect()
    }

    #[test]
    fn resources_are_put_in_order() {
        // Goal: by type and case of the attribute, the primary value, the missing ones last or first (RFC 7644 §3.4.2.3).
        let rows = [
            ("userName", false, "2143"),
            ("USERNAME", true, "3412"),
            ("externalId", false, "3214"),
            ("externalId", true, "1423"),
            ("emails", false, "1234"),
            ("emails.value", true, "3421"),
            ("meta.created", false, "3412"),
            ("active", false, "4312"),
            ("id", true, "4321"),
        ];
        for (by, descending, wanted) in rows {
            assert_eq!(sorted(by, descending), wanted, "{by} {descending}");
        }
    }

    #[test]
    fn what_has_no_order_is_refused() {
        // Goal: hostile row D1: a password is not guessed by its place.
        let schemas = Schemas::of(&directory::schema::Schema::standard());
        for by in ["password", "nobody", "name", "addresses", "", "name.", "a b"] {
            let error = Sort::resolve(schemas.resource_type("User").unwrap(), by, false).unwrap_err();
            assert_eq!(error.scim_type.unwrap().name(), "invalidValue", "{by}");
        }
    }
}

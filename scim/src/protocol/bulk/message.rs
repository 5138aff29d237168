//! The bulk request and its answer.
//!
//! A request that is none is refused as a whole; an operation that is none fails alone, with a status of its own.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::protocol::error::{ScimError, echo};
use crate::schema::{ResourceType, Schemas};

/// The schema of the request.
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The schema of the answer.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// The longest `bulkId`, identifier and version, in octets.
const MAX_ID: usize = 256;

/// How much a request may hold. The octets of its body are the transport's to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Operations.
    pub operations: usize,
    /// Octets of the body: 413 beyond.
    pub payload: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { operations: 1_000, payload: 1024 * 1024 }
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Makes a resource.
    Post,
    /// Replaces one.
    Put,
    /// Changes one.
    Patch,
    /// Removes one.
    Delete,
}

impl Method {
    const ALL: [(Method, &'static str); 4] =
        [(Method::Post, "POST"), (Method::Put, "PUT"), (Method::Patch, "PATCH"), (Method::Delete, "DELETE")];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(method, _)| *method == self).map_or("", |(_, name)| name)
    }
}

/// Which resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Id {
    /// One that is there.
    Known(String),
    /// One that another operation makes.
    Bulk(String),
}

/// An operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What is done.
    pub method: Method,
    /// To a resource of this type.
    pub kind: Arc<ResourceType>,
    /// Which one; none for POST, and only for it.
    pub id: Option<Id>,
    /// The name that other operations know it by.
    pub bulk_id: Option<String>,
    /// The version that it must have: an ETag.
    pub version: Option<String>,
    /// The body; `Null` for DELETE.
    pub data: Value,
}

/// An operation as it stands in the request.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// `method`, for the answer.
    pub method: Option<Method>,
    /// `bulkId`, for the answer.
    pub bulk_id: Option<String>,
    /// The operation, or why it is none.
    pub operation: Result<Operation, ScimError>,
}

/// A bulk request.
#[derive(Debug, Clone, PartialEq)]
pub struct Bulk {
    /// After so many errors the rest is not done; none: everything is.
    pub fail_on_errors: Option<u64>,
    /// In the order of the request.
    pub items: Vec<Item>,
}

/// Reads a bulk request.
///
/// # Errors
/// 400 `invalidSyntax` for what is no such request, 413 for too many operations.
pub fn parse(body: Value, schemas: &Schemas, limits: &Limits) -> Result<Bulk, ScimError> {
    let Value::Object(body) = body else { return Err(ScimError::invalid_syntax("a bulk request is a JSON object")) };
    let (mut named, mut fail_on_errors, mut operations) = (false, None, None);
    for (name, value) in body {
        if name.eq_ignore_ascii_case("schemas") {
            let uris = value.as_array().map(Vec::as_slice).unwrap_or_default();
            named = uris.iter().any(|uri| uri.as_str().is_some_and(|uri| uri.eq_ignore_ascii_case(BULK_REQUEST)));
        } else if name.eq_ignore_ascii_case("failOnErrors") && !value.is_null() {
            let count = value.as_u64().ok_or_else(|| ScimError::invalid_value("`failOnErrors` is a whole number"))?;
            fail_on_errors = Some(count).filter(|count| *count > 0);
        } else if name.eq_ignore_ascii_case("Operations") {
            operations = Some(value);
        }
    }
    if !named {
        return Err(ScimError::invalid_syntax(format!("`schemas` lists `{BULK_REQUEST}`")));
    }
    let Some(Value::Array(operations)) = operations else {
        return Err(ScimError::invalid_syntax("`Operations` is an array"));
    };
    if operations.len() > limits.operations {
        return Err(ScimError::new(413, format!("a bulk request has at most {} operations", limits.operations)));
    }
    let mut seen = HashSet::new();
    let items = operations.into_iter().map(|value| item(value, schemas, &mut seen)).collect();
    Ok(Bulk { fail_on_errors, items })
}

fn item(value: Value, schemas: &Schemas, seen: &mut HashSet<String>) -> Item {
    let mut fields: Map<String, Value> = match value {
        Value::Object(map) => map,
        _ => {
            let operation = Err(ScimError::invalid_syntax("an operation is a JSON object"));
            return Item { method: None, bulk_id: None, operation };
        }
    };
    let mut take = |wanted: &str| {
        let name = fields.keys().find(|name| name.eq_ignore_ascii_case(wanted))?.clone();
        fields.remove(&name).filter(|value| !value.is_null())
    };
    let (method, path, bulk_id, version, data) =
        (take("method"), take("path"), take("bulkId"), take("version"), take("data"));
    let method = method.as_ref().and_then(Value::as_str).and_then(|word| {
        Method::ALL.iter().find(|(_, name)| name.eq_ignore_ascii_case(word)).map(|(method, _)| *method)
    });
    let known = bulk_id.as_ref().and_then(Value::as_str).map(str::to_owned).filter(|id| id.len() <= MAX_ID);
    let operation = check_bulk_id(bulk_id.as_ref(), method, seen).and_then(|()| {
        let method = method.ok_or_else(|| ScimError::invalid_syntax("`method` is POST, PUT, PATCH or DELETE"))?;
        let (kind, id) = read_path(path.as_ref(), schemas)?;
        if (method == Method::Post) != id.is_none() {
            let detail = "`path` names a resource, or for POST the endpoint of its type";
            return Err(ScimError::of(crate::protocol::error::ScimType::InvalidPath, detail));
        }
        let version = match version {
            None => None,
            Some(Value::String(version)) if version.len() <= MAX_ID => Some(version),
            Some(_) => return Err(ScimError::invalid_syntax("`version` is a text")),
        };
        let data = data.unwrap_or_default();
        if (method != Method::Delete) != data.is_object() {
            return Err(ScimError::invalid_syntax("`data` is an object, and for DELETE not there"));
        }
        Ok(Operation { method, kind, id, bulk_id: known.clone(), version, data })
    });
    Item { method, bulk_id: known, operation }
}

fn check_bulk_id(bulk_id: Option<&Value>, method: Option<Method>, seen: &mut HashSet<String>) -> Result<(), ScimError> {
    match bulk_id {
        None if method == Some(Method::Post) => Err(ScimError::invalid_syntax("POST needs a `bulkId`")),
        None => Ok(()),
        Some(Value::String(id)) if !id.is_empty() && id.len() <= MAX_ID => {
            if seen.insert(id.clone()) {
                return Ok(());
            }
            Err(ScimError::invalid_syntax(format!("the bulkId `{}` stands twice", echo(id))))
        }
        Some(_) => Err(ScimError::invalid_syntax(format!("`bulkId` is a text of at most {MAX_ID} octets"))),
    }
}

/// `/Users`, `/Users/ID`, `/Users/bulkId:NAME`.
fn read_path(path: Option<&Value>, schemas: &Schemas) -> Result<(Arc<ResourceType>, Option<Id>), ScimError> {
    let wrong = |why: &str| ScimError::invalid_path(why.to_owned());
    let path = path.and_then(Value::as_str).ok_or_else(|| wrong("`path` is missing"))?;
    let path = path.strip_prefix('/').unwrap_or(path);
    let (endpoint, id) = match path.split_once('/') {
        None => (path, None),
        Some((endpoint, id)) => (endpoint, Some(id)),
    };
    let kind = schemas.resource_types.iter().find(|kind| kind.endpoint.trim_start_matches('/') == endpoint);
    let kind = kind.ok_or_else(|| wrong("`path` begins with the endpoint of a resource type"))?;
    let id = match id {
        None | Some("") => None,
        Some(id) if id.len() > MAX_ID || id.contains(['/', '?', '#', '%']) => {
            return Err(wrong("`path` ends with an identifier"));
        }
        Some(id) => Some(match id.split_once(':') {
            Some((prefix, name)) if prefix.eq_ignore_ascii_case("bulkId") => Id::Bulk(name.to_owned()),
            _ => Id::Known(id.to_owned()),
        }),
    };
    Ok((Arc::clone(kind), id))
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// `method`.
    pub method: Option<Method>,
    /// `bulkId`.
    pub bulk_id: Option<String>,
    /// The ETag of the resource.
    pub version: Option<String>,
    /// The URI of the resource; not for a POST that failed.
    pub location: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// The body of an error, or of the resource.
    pub response: Option<Value>,
}

/// The answer, its operations in the order of `outcomes`.
pub fn response(outcomes: Vec<Outcome>) -> Value {
    let operations: Vec<Value> = outcomes.into_iter().map(outcome).collect();
    json!({"schemas": [BULK_RESPONSE], "Operations": operations})
}

fn outcome(outcome: Outcome) -> Value {
    let mut map = Map::new();
    let texts = [
        ("method", outcome.method.map(|method| method.name().to_owned())),
        ("bulkId", outcome.bulk_id),
        ("version", outcome.version),
        ("location", outcome.location),
        ("status", Some(outcome.status.to_string())),
    ];
    map.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::String(text?)))));
    map.extend(outcome.response.map(|response| ("response".to_owned(), response)));
    Value::Object(map)
}

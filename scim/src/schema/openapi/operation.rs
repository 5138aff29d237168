//! One operation of the document: its parameters, body and answers.

use serde_json::{Map, Value, json};

use super::MEDIA_TYPE;
use super::body::reference;

/// What the header `Prefer` may ask for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Prefer {
    /// To tell what would change, and to change nothing.
    DryRun,
}

/// An operation that is being described.
pub(super) struct Operation {
    map: Map<String, Value>,
    parameters: Vec<Value>,
    responses: Map<String, Value>,
}

impl Operation {
    pub(super) fn new(id: &str, summary: &str) -> Operation {
        let map = Map::from_iter([("operationId".to_owned(), id.into()), ("summary".to_owned(), summary.into())]);
        Operation { map, parameters: Vec::new(), responses: Map::new() }
    }

    pub(super) fn parameters(mut self, parameters: Vec<Value>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// `If-Match` or `If-None-Match` (RFC 7644 §3.14).
    pub(super) fn condition(mut self, header: &str) -> Self {
        self.parameters.push(json!({
            "name": header, "in": "header", "schema": {"type": "string", "pattern": "^(\\*|(W/)?\"[!#-~]*\")$"},
            "description": "Versions as in the header ETag",
        }));
        self
    }

    pub(super) fn prefer(mut self, what: Prefer) -> Self {
        let Prefer::DryRun = what;
        self.parameters.push(json!({
            "name": "Prefer", "in": "header", "schema": {"type": "string", "enum": ["handling=dry-run"]},
            "description": "Tells what would change, and changes nothing (RFC 7240)",
        }));
        self
    }

    pub(super) fn takes(mut self, schema: &Value) -> Self {
        let body = json!({"required": true, "content": {MEDIA_TYPE: {"schema": &schema}}});
        self.map.insert("requestBody".into(), body);
        self
    }

    pub(super) fn answers(mut self, status: u16, description: &str, schema: &Value) -> Self {
        let mut response = json!({"description": description, "content": {MEDIA_TYPE: {"schema": schema}}});
        if status == 201
            && let Some(map) = response.as_object_mut()
        {
            let location = json!({"Location": {"schema": {"type": "string"}, "description": "URI of the resource"}});
            map.insert("headers".into(), location);
        }
        self.responses.insert(status.to_string(), response);
        self
    }

    /// An answer that is no message of the protocol.
    pub(super) fn answers_json(mut self, status: u16, description: &str) -> Self {
        let content = json!({"application/json": {"schema": {"type": "object"}}});
        self.responses.insert(status.to_string(), json!({"description": description, "content": content}));
        self
    }

    pub(super) fn empty(mut self, status: u16, description: &str) -> Self {
        self.responses.insert(status.to_string(), json!({"description": description}));
        self
    }

    /// For everybody, unless the deployment gates discovery.
    pub(super) fn public(mut self) -> Self {
        self.map.insert("security".into(), json!([{}, {"bearer": []}]));
        self
    }

    pub(super) fn done(mut self) -> Value {
        let error = json!({"description": "An error", "content": {MEDIA_TYPE: {"schema": reference("Error")}}});
        self.responses.insert("default".into(), error);
        self.map.insert("responses".into(), self.responses.into());
        if !self.parameters.is_empty() {
            self.map.insert("parameters".into(), self.parameters.into());
        }
        self.map.into()
    }
}

/// The identifier in a path.
pub(super) fn id_parameter() -> Value {
    json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}})
}

/// What says which attributes an answer holds (RFC 7644 §3.9).
pub(super) fn shown_parameters() -> Vec<Value> {
    vec![
        query("attributes", "string", "Attributes to return, divided by commas"),
        query("excludedAttributes", "string", "Attributes not to return, divided by commas"),
    ]
}

/// What a query may say (RFC 7644 §3.4.2, RFC 9865 §2).
pub(super) fn search_parameters() -> Vec<Value> {
    let mut parameters = vec![
        query("filter", "string", "Which resources (RFC 7644 §3.4.2.2)"),
        query("sortBy", "string", "Attribute to sort by"),
        json!({
            "name": "sortOrder", "in": "query", "description": "Direction of the order",
            "schema": {"type": "string", "enum": ["ascending", "descending"]},
        }),
        query("startIndex", "integer", "Number of the first resource, from 1"),
        query("count", "integer", "Most resources of the page"),
        query("cursor", "string", "Cursor of the page; empty for the first one"),
    ];
    parameters.extend(shown_parameters());
    parameters
}

fn query(name: &str, kind: &str, description: &str) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": {"type": kind}})
}

//! The OpenAPI 3.1 document of the door.
//!
//! Owns the description of every path, made from the schemas: what a deployment adds at run time is in it. It is true of what
//! the door answers: objects have no other members than those that are described, and every status that is not listed comes
//! with the error of RFC 7644 §3.12. `base` is the URL of the door, without a slash at its end.

mod body;
mod operation;

use serde_json::{Map, Value, json};

use super::{ResourceType, Schemas};
use body::{Form, reference};
use operation::{Operation, Prefer, id_parameter, search_parameters, shown_parameters};

/// The media type of the protocol (RFC 7644 §3.1).
pub const MEDIA_TYPE: &str = "application/scim+json";

/// The document.
pub fn document(schemas: &Schemas, version: &str, base: &str) -> Value {
    let mut paths = Map::new();
    for kind in &schemas.resource_types {
        resource_paths(kind, &mut paths);
    }
    common_paths(schemas, &mut paths);
    discovery_paths(&mut paths);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "SCIM 2.0",
            "version": version,
            "description": "Provisioning of users and groups: RFC 7643, RFC 7644, RFC 9865",
        },
        "servers": [{"url": base}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": body::components(schemas),
        },
    })
}

fn resource_paths(kind: &ResourceType, paths: &mut Map<String, Value>) {
    let name = &kind.name;
    let list = reference(&format!("{name}List"));
    let mut all = Map::new();
    let query = Operation::new(&format!("list{name}s"), &format!("Finds {name}s"))
        .parameters(search_parameters())
        .answers(200, "A page of the list", &list);
    all.insert("get".into(), query.done());
    if kind.is_writable() {
        let create = Operation::new(&format!("create{name}"), &format!("Makes a {name}"))
            .parameters(shown_parameters())
            .prefer(Prefer::DryRun)
            .takes(&Form::Input.of(name))
            .answers(200, "What the request would change", &reference("DryRun"))
            .answers(201, "The resource that was made", &Form::Answer.of(name));
        all.insert("post".into(), create.done());
    }
    paths.insert(kind.endpoint.clone(), all.into());

    let search = Operation::new(&format!("search{name}s"), &format!("Finds {name}s, asked for in the body"))
        .takes(&reference("SearchRequest"))
        .answers(200, "A page of the list", &list);
    paths.insert(format!("{}/.search", kind.endpoint), json!({"post": search.done()}));

    let mut one = one(name, name, kind.is_writable());
    one.insert("parameters".into(), json!([id_parameter()]));
    paths.insert(format!("{}/{{id}}", kind.endpoint), one.into());
}

/// The operations on one resource: `called` distinguishes `/Users/{id}` from `/Me`.
fn one(called: &str, name: &str, writable: bool) -> Map<String, Value> {
    let mut operations = Map::new();
    let read = Operation::new(&format!("read{called}"), &format!("Reads a {name}"))
        .parameters(shown_parameters())
        .condition("If-None-Match")
        .answers(200, "The resource", &Form::Answer.of(name))
        .empty(304, "The version that the client has is the present one");
    operations.insert("get".into(), read.done());
    if !writable {
        return operations;
    }
    let changed = json!({"anyOf": [Form::Answer.of(name), reference("DryRun")]});
    let change = |id: &str, what: &str| {
        Operation::new(&format!("{id}{called}"), what)
            .parameters(shown_parameters())
            .condition("If-Match")
            .prefer(Prefer::DryRun)
            .answers(200, "The resource, or what the request would change", &changed)
            .empty(204, "Done")
    };
    let replace = change("replace", &format!("Replaces a {name}")).takes(&Form::Input.of(name));
    let patch = change("patch", &format!("Changes a {name}")).takes(&reference("PatchOp"));
    let delete = Operation::new(&format!("delete{called}"), &format!("Removes a {name}"))
        .condition("If-Match")
        .prefer(Prefer::DryRun)
        .answers(200, "What the request would change", &reference("DryRun"))
        .empty(204, "Done");
    operations.insert("put".into(), replace.done());
    operations.insert("patch".into(), patch.done());
    operations.insert("delete".into(), delete.done());
    operations
}

fn common_paths(schemas: &Schemas, paths: &mut Map<String, Value>) {
    let any: Vec<Value> = schemas.resource_types.iter().map(|kind| Form::Answer.of(&kind.name)).collect();
    let search = Operation::new("search", "Finds resources of every type").takes(&reference("SearchRequest")).answers(
        200,
        "A page of the list",
        &body::list_of(&json!({"anyOf": any})),
    );
    paths.insert("/.search".into(), json!({"post": search.done()}));
    let bulk = Operation::new("bulk", "Carries out many operations").takes(&reference("BulkRequest")).answers(
        200,
        "How each operation ended",
        &reference("BulkResponse"),
    );
    paths.insert("/Bulk".into(), json!({"post": bulk.done()}));
    paths.insert("/Me".into(), one("Me", "User", true).into());
}

fn discovery_paths(paths: &mut Map<String, Value>) {
    let rows = [
        ("/Schemas", "schemas", "The schemas", body::list_of(&reference("Schema"))),
        ("/Schemas/{id}", "schema", "A schema", reference("Schema")),
        ("/ResourceTypes", "resourceTypes", "The resource types", body::list_of(&reference("ResourceType"))),
        ("/ResourceTypes/{id}", "resourceType", "A resource type", reference("ResourceType")),
        (
            "/ServiceProviderConfig",
            "serviceProviderConfig",
            "What the service provider supports",
            reference("ServiceProviderConfig"),
        ),
    ];
    for (path, id, summary, answer) in rows {
        let operation = Operation::new(id, summary).public().answers(200, summary, &answer);
        let mut item = Map::from_iter([("get".to_owned(), operation.done())]);
        if path.ends_with("{id}") {
            item.insert("parameters".into(), json!([id_parameter()]));
        }
        paths.insert(path.into(), item.into());
    }
    let document = Operation::new("openApi", "This document").public().answers_json(200, "The document");
    paths.insert("/openapi.json".into(), json!({"get": document.done()}));
}

#[cfg(test)]
mod tests;

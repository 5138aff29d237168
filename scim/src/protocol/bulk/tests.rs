//! Tables of Bulk: the message, the order, the references.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::*;
use crate::protocol::error::{ScimError, ScimType};
use crate::schema::{ENTERPRISE_USER, Schemas};

fn read(operations: &Value) -> Result<Bulk, ScimError> {
    let schemas = Schemas::of(&directory::schema::Schema::standard());
    let body = json!({"schemas": [BULK_REQUEST], "failOnErrors": 1, "Operations": operations});
    parse(body, &schemas, &Limits { operations: 9, payload: 0 })
}

/// A POST of a group with members by bulkId.
fn group(id: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|name| json!({"value": format!("bulkId:{name}")})).collect();
    json!({"method": "POST", "path": "/Groups", "bulkId": id, "data": {"displayName": id, "members": members}})
}

#[test]
fn operations_are_read_each_for_itself() {
    // Goal: RFC 7644 §3.7: a bad operation fails alone, with the keyword that says why.
    let good = [
        json!({"method": "POST", "path": "/Users", "bulkId": "q", "data": {"userName": "a"}}),
        json!({"method": "put", "path": "/Users/u-1", "version": "W/\"7\"", "data": {}}),
        json!({"method": "PATCH", "path": "/Groups/bulkId:g", "data": {}}),
        json!({"method": "DELETE", "path": "/Users/u-1", "data": null}),
    ];
    let bulk = read(&json!(good)).unwrap();
    assert_eq!(bulk.fail_on_errors, Some(1));
    let operations: Vec<&Operation> = bulk.items.iter().map(|item| item.operation.as_ref().unwrap()).collect();
    assert_eq!(operations[0].kind.name, "User");
    assert_eq!(operations[1].version.as_deref(), Some("W/\"7\""));
    assert_eq!(operations[2].id, Some(Id::Bulk("g".into())));
    assert_eq!(operations[3].id, Some(Id::Known("u-1".into())));
    let bad = [
        ("invalidSyntax", json!(7)),
        ("invalidSyntax", json!({"method": "GET", "path": "/Users/u-1"})),
        ("invalidSyntax", json!({"method": "POST", "path": "/Users", "data": {}})),
        ("invalidSyntax", json!({"method": "POST", "path": "/Users", "bulkId": 7, "data": {}})),
        ("invalidSyntax", json!({"method": "POST", "path": "/Users", "bulkId": "x".repeat(257), "data": {}})),
        ("invalidSyntax", json!({"method": "POST", "path": "/Users", "bulkId": "a"})),
        ("invalidSyntax", json!({"method": "DELETE", "path": "/Users/u-1", "data": {}})),
        ("invalidSyntax", json!({"method": "PUT", "path": "/Users/u-1", "data": {}, "version": 7})),
        ("invalidPath", json!({"method": "POST", "path": "/Users/u-1", "bulkId": "a", "data": {}})),
        ("invalidPath", json!({"method": "PUT", "path": "/Users", "data": {}})),
        ("invalidPath", json!({"method": "DELETE", "path": "/Things/1"})),
        ("invalidPath", json!({"method": "DELETE", "path": "/Users/../Groups/1"})),
        ("invalidPath", json!({"method": "DELETE", "path": "/Users/%2e%2e"})),
        ("invalidPath", json!({"method": "DELETE", "path": "https://elsewhere/Users/1"})),
        ("invalidPath", json!({"method": "DELETE"})),
    ];
    for (keyword, operation) in bad {
        let bulk = read(&json!([operation])).unwrap();
        let error = bulk.items[0].operation.clone().unwrap_err();
        assert_eq!(error.scim_type.unwrap().name(), keyword, "{operation}");
    }
    let twice = read(&json!([group("a", &[]), group("a", &[])])).unwrap();
    assert!(twice.items[0].operation.is_ok() && twice.items[1].operation.is_err());
}

#[test]
fn a_request_that_is_none_is_refused() {
    // Goal: hostile row D5: the number of operations is bounded, the form is checked.
    assert_eq!(read(&json!(vec![group("a", &[]); 10])).unwrap_err().status, 413);
    let schemas = Schemas::of(&directory::schema::Schema::standard());
    for bad in [
        json!([]),
        json!({"Operations": []}),
        json!({"schemas": [BULK_REQUEST]}),
        json!({"schemas": [BULK_REQUEST], "Operations": {}}),
    ] {
        let error = parse(bad, &schemas, &Limits::default()).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidSyntax));
    }
    let negative = json!({"schemas": [BULK_REQUEST], "failOnErrors": -1, "Operations": []});
    assert_eq!(parse(negative, &schemas, &Limits::default()).unwrap_err().scim_type, Some(ScimType::InvalidValue));
}

/// `0 1(-b) 2 +1`: run 0, run 1 without b, run 2, complete 1.
fn order(operations: &Value) -> String {
    let steps = plan(&read(operations).unwrap());
    let show = |step: &Step| match step {
        Step::Run(at, held) if held.is_empty() => at.to_string(),
        Step::Run(at, held) => format!("{at}(-{})", held.iter().cloned().collect::<Vec<_>>().join(",")),
        Step::Complete(at) => format!("+{at}"),
    };
    steps.iter().map(show).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_referred_to_comes_first() {
    // Goal: forward references, paths, and circles of one, two and three (RFC 7644 §3.7.1, §3.7.2).
    let patch = json!({"method": "PATCH", "path": "/Groups/bulkId:a", "data": {"Operations": []}});
    let rows = [
        (json!([group("a", &[]), group("b", &["a"])]), "0 1"),
        (json!([group("a", &["b"]), group("b", &[])]), "1 0"),
        (json!([group("a", &["b"]), group("b", &["c"]), group("c", &[])]), "2 1 0"),
        (json!([patch, group("a", &[])]), "1 0"),
        (json!([group("a", &["nobody"])]), "0"),
        (json!([group("a", &["a"])]), "0(-a) +0"),
        (json!([group("a", &["b"]), group("b", &["a"])]), "0(-b) 1 +0"),
        (json!([group("x", &["a"]), group("a", &["b"]), group("b", &["c"]), group("c", &["a"])]), "1(-b) 0 3 2 +1"),
        (json!([group("a", &["b", "c"]), group("b", &["a"]), group("c", &["a"])]), "0(-b,c) 1 2 +0"),
        (
            json!([7, group("a", &["b"]), group("b", &["a"]), group("c", &["d"]), group("d", &["c"])]),
            "1(-b) 2 +1 3(-d) 4 +3",
        ),
        (json!([]), ""),
    ];
    for (operations, wanted) in rows {
        assert_eq!(order(&operations), wanted, "{operations}");
    }
}

#[test]
fn references_become_identifiers() {
    // Goal: every place of a bulkId is filled, an unknown one is a conflict, other texts stay.
    let made = HashMap::from([("q".to_owned(), "u-1".to_owned())]);
    let mut data = json!({"members": [{"value": "bulkId:q"}, {"value": "BULKID:q"}, {"value": "u-2"}], "x": "bulkId:", "y": "bulk:q"});
    substitute(&mut data, &made).unwrap();
    assert_eq!(
        data,
        json!({"members": [{"value": "u-1"}, {"value": "u-1"}, {"value": "u-2"}], "x": "bulkId:", "y": "bulk:q"})
    );
    assert_eq!(substitute(&mut json!(["bulkId:other"]), &made).unwrap_err().status, 409);
}

#[test]
fn what_is_held_back_is_added_later() {
    // Goal: a resource of a circle is made without the reference, and the PATCH that follows adds exactly what was left out.
    let mut data = json!({
        "userName": "a", "roles": [{"value": "bulkId:r"}],
        "members": [{"value": "u-1"}, {"value": "bulkId:g"}],
        ENTERPRISE_USER: {"division": "D", "manager": {"value": "bulkId:g"}}
    });
    let held = hold(&mut data, &BTreeSet::from(["g".to_owned()]));
    let left = json!({
        "userName": "a", "roles": [{"value": "bulkId:r"}], "members": [{"value": "u-1"}], ENTERPRISE_USER: {"division": "D"}
    });
    assert_eq!(data, left);
    let wanted = json!([
        {"op": "add", "path": "members", "value": [{"value": "bulkId:g"}]},
        {"op": "add", "path": format!("{ENTERPRISE_USER}:manager"), "value": {"value": "bulkId:g"}}
    ]);
    assert_eq!(held["Operations"], wanted);
}

#[test]
fn the_answer_has_the_form_of_the_rfc() {
    // Goal: statuses are strings, errors carry their body, nothing is null (RFC 7644 §3.7.3).
    let made = Outcome {
        method: Some(Method::Post),
        bulk_id: Some("q".into()),
        version: Some("W/\"1\"".into()),
        location: Some("https://x/Users/1".into()),
        status: 201,
        response: None,
    };
    let error = ScimError::of(ScimType::InvalidSyntax, "x");
    let failed = Outcome {
        bulk_id: None,
        version: None,
        location: None,
        status: 400,
        response: Some(error.body()),
        ..made.clone()
    };
    let wanted = json!({"schemas": [BULK_RESPONSE], "Operations": [
        {"method": "POST", "bulkId": "q", "version": "W/\"1\"", "location": "https://x/Users/1", "status": "201"},
        {"method": "POST", "status": "400", "response": error.body()}
    ]});
    assert_eq!(response(vec![made, failed]), wanted);
}

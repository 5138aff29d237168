//! Tables of bodies: what POST and PUT make of what clients send (RFC 7644 §3.3, §3.5.1; hostile rows D2, D3).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::accept::{accept, complete};
use super::error::{ScimError, ScimType};
use super::put;
use super::rules::{Coercion, Rules};
use crate::schema::{ACCOUNT_STATE, ENTERPRISE_USER as E, GROUP, ResourceType, Schemas, USER};

fn kind(name: &str) -> Arc<ResourceType> {
    let schemas = Schemas::of(&directory::schema::Schema::standard());
    Arc::clone(schemas.resource_type(name).unwrap())
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn keyword(error: &ScimError) -> &'static str {
    error.scim_type.map(ScimType::name).unwrap_or_default()
}

#[test]
fn bodies_come_out_in_the_form_of_the_schema() {
    // Goal: names in the spelling of the schema, values in its types, what is nothing is nothing, what is ours is left out.
    let rows = [
        (json!({"USERNAME": "b", "SCHEMAS": [USER]}), json!({"schemas": [USER], "userName": "b"}), vec![]),
        (
            json!({"schemas": [USER], "userName": "b", "addresses": null, "roles": [], "name": {}, "meta": {"resourceType": "User"}}),
            json!({"schemas": [USER], "userName": "b"}),
            vec![],
        ),
        (
            json!({"schemas": [USER], "id": "x", "userName": "b", "groups": [{"value": "admins"}], ACCOUNT_STATE: {"locked": false}}),
            json!({"schemas": [USER], "userName": "b"}),
            vec![],
        ),
        (
            json!({"schemas": [USER, E], "userName": "b", E.to_uppercase(): {"Division": "D", "manager": {"VALUE": "m", "displayName": "M"}}}),
            json!({"schemas": [USER, E], "userName": "b", E: {"division": "D", "manager": {"value": "m"}}}),
            vec![],
        ),
        (
            json!({"schemas": [USER], "userName": "b", "emails": [{"value": "a", "type": "WORK"}, {"value": "A", "type": "work"}, null]}),
            json!({"schemas": [USER], "userName": "b", "emails": [{"value": "a", "type": "work"}]}),
            vec![],
        ),
        (
            json!({"schemas": [USER], "userName": "b", "emails": {"value": "a", "type": "ours"}}),
            json!({"schemas": [USER], "userName": "b", "emails": [{"value": "a", "type": "ours"}]}),
            vec![],
        ),
        (
            json!({"userName": "b", "active": "True", "title": "", "nickName": 7, "locale": ["en"], "isAdmin": true, E: {"manager": "m"}}),
            json!({"schemas": [USER, E], "userName": "b", "active": true, "nickName": "7", "locale": "en", E: {"manager": {"value": "m"}}}),
            vec![
                Coercion::SchemasMissing,
                Coercion::BooleanText,
                Coercion::EmptyClears,
                Coercion::ValueNumber,
                Coercion::ManyForOne,
                Coercion::DropUnknown,
                Coercion::PlainComplex,
            ],
        ),
        (
            json!({"schemas": [USER, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/User"], "userName": "b"}),
            json!({"schemas": [USER], "userName": "b"}),
            vec![Coercion::DropUnknown],
        ),
    ];
    let user = kind("User");
    for (given, wanted, mut coercions) in rows {
        let accepted = accept(&user, given.clone(), &Rules::LENIENT).unwrap();
        assert_eq!(Value::Object(accepted.resource), wanted, "{given}");
        coercions.sort();
        assert_eq!(accepted.coercions.into_keys().collect::<Vec<_>>(), coercions, "{given}");
        let strict = accept(&user, given.clone(), &Rules::STRICT);
        assert_eq!(strict.is_ok(), coercions.is_empty(), "{given}");
    }
}

#[test]
fn bodies_that_are_none_are_refused() {
    // Goal: each with its keyword, and no detail repeats a value that may be a secret.
    let user = kind("User");
    let with = |name: &str, value: Value| json!({"schemas": [USER], "userName": "b", name: value});
    let rows = [
        ("invalidSyntax", json!([])),
        ("invalidSyntax", json!("x")),
        ("invalidSyntax", json!({"schemas": "x"})),
        ("invalidSyntax", json!({"schemas": [7]})),
        ("invalidSyntax", json!({"schemas": vec!["x"; 65]})),
        ("invalidSyntax", with(E, json!("x"))),
        ("invalidValue", with("active", json!("maybe"))),
        ("invalidValue", with("active", json!(1))),
        ("invalidValue", with("title", json!({"a": 1}))),
        ("invalidValue", with("title", json!(["a", "b"]))),
        ("invalidValue", with("password", json!({"secret": "hunter2"}))),
        ("invalidValue", with("name", json!("hunter2"))),
        ("invalidValue", with("emails", json!([["hunter2"]]))),
        ("invalidValue", with("emails", json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]))),
        (
            "invalidValue",
            with("emails", json!((0..1_001).map(|n| json!({"value": n.to_string()})).collect::<Vec<_>>())),
        ),
        ("invalidValue", with("x509Certificates", json!([{"value": "no base64!"}]))),
        ("invalidValue", with("profileUrl", json!(7))),
    ];
    for (wanted, body) in rows {
        let error = accept(&user, body.clone(), &Rules::LENIENT).unwrap_err();
        assert_eq!(keyword(&error), wanted, "{error}");
        assert!(!error.detail.contains("hunter2"), "{error}");
    }
    let choosy = Rules { beyond_canonical: false, ..Rules::STRICT };
    let odd = with("emails", json!([{"value": "a", "type": "odd"}]));
    assert_eq!(keyword(&accept(&user, odd, &choosy).unwrap_err()), "invalidValue");
}

#[test]
fn what_is_required_is_there() {
    // Goal: 400 invalidValue names what is missing; what is empty is missing.
    let user = kind("User");
    let group = kind("Group");
    assert!(complete(&user, &map(&json!({"userName": "b"}))).is_ok());
    for missing in [json!({}), json!({"userName": ""}), json!({"userName": null})] {
        assert_eq!(complete(&user, &map(&missing)).unwrap_err().detail, "`userName` is required");
    }
    assert_eq!(complete(&group, &map(&json!({}))).unwrap_err().detail, "`displayName` is required");
    let members = json!({"schemas": [GROUP], "displayName": "g", "members": [{"display": "nobody"}]});
    assert_eq!(keyword(&accept(&group, members, &Rules::STRICT).unwrap_err()), "invalidValue", "a member of nothing");
}

fn replaced(present: &Value, given: Value) -> Result<(Value, Vec<String>), &'static str> {
    let user = kind("User");
    let accepted = accept(&user, given, &Rules::STRICT).map_err(|error| keyword(&error))?;
    let done = put::merge(&user, &map(present), accepted.resource, &Rules::STRICT).map_err(|error| keyword(&error))?;
    Ok((Value::Object(done.0), done.1.attributes.into_iter().collect()))
}

#[test]
fn put_replaces_what_clients_write() {
    // Goal: RFC 7644 §3.5.1: cleared, kept, ignored or refused, by the mutability of each attribute; `active` and a password
    // that are not given stay.
    let present = json!({
        "schemas": [USER, E], "id": "u", "externalId": "x", "userName": "Bob", "active": false, "displayName": "B", "title": "T",
        "meta": {"created": "2020-01-01T00:00:00Z"}, "groups": [{"value": "g"}],
        E: {"division": "D", "manager": {"value": "m", "displayName": "M"}}, ACCOUNT_STATE: {"locked": true}
    });
    let all = [USER, E, ACCOUNT_STATE];
    let given = json!({
        "schemas": all, "id": "other", "userName": "BOB", "displayName": "B2", "password": "p", "meta": {}, "groups": [],
        E: {"division": "D2"}, ACCOUNT_STATE: {"locked": false}
    });
    let (after, changed) = replaced(&present, given).unwrap();
    let wanted = json!({
        "schemas": all, "id": "u", "userName": "Bob", "active": false, "displayName": "B2", "password": "p",
        "meta": {"created": "2020-01-01T00:00:00Z"}, "groups": [{"value": "g"}],
        E: {"division": "D2"}, ACCOUNT_STATE: {"locked": true}
    });
    assert_eq!(after, wanted);
    let names = ["displayName", "externalId", "password", "title"].map(str::to_owned);
    let inside = [format!("{E}:division"), format!("{E}:manager")];
    assert_eq!(changed, [names.as_slice(), &inside].concat());

    let same = json!({
        "schemas": all, "externalId": "x", "userName": "Bob", "displayName": "B", "title": "T",
        E: {"division": "D", "manager": {"value": "m"}}
    });
    let (_, changed) = replaced(&present, same).unwrap();
    assert_eq!(changed, [""; 0], "what the service provider keeps is no difference");
    assert_eq!(replaced(&present, json!({"schemas": [USER], "userName": "eve"})), Err("mutability"));
    let omitted = replaced(&present, json!({"schemas": [USER], "displayName": "B2"})).unwrap();
    assert_eq!(omitted.0["userName"], "Bob", "an immutable attribute that is not given stays");
    assert_eq!(replaced(&json!({"id": "u"}), json!({"schemas": [USER]})), Err("invalidValue"));
}

#[test]
fn members_of_a_body_are_taken_out() {
    // Goal: PUT and POST of a group give the identifiers of its members; not given is something else than none.
    let group = kind("Group");
    let edges = |given: Value| {
        let mut given = map(&given);
        let taken = put::edges(&group, &mut given, &Rules::STRICT).unwrap();
        assert!(!given.contains_key("members"));
        taken
    };
    assert_eq!(edges(json!({"displayName": "g"})), None);
    assert_eq!(edges(json!({"members": []})), Some(vec![]));
    assert_eq!(edges(json!({"members": [{"value": "a"}, {"value": "b"}]})), Some(vec!["a".into(), "b".into()]));
    let user = kind("User");
    assert_eq!(put::edges(&user, &mut map(&json!({"groups": [{"value": "g"}]})), &Rules::STRICT).unwrap(), None);
}

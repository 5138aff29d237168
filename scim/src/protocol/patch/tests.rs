//! Tables of PATCH: the examples of the RFC, what Entra and Okta send, what is refused.

#![expect(clippy::needless_pass_by_value, reason = "rows of tables are handed over as they are written")]

mod edges;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::rules::{Coercion, Rules};
use crate::schema::{ENTERPRISE_USER as E, GROUP, Schemas, USER};

fn kind(name: &str) -> Arc<ResourceType> {
    let schemas = Schemas::of(&directory::schema::Schema::standard());
    Arc::clone(schemas.resource_type(name).unwrap())
}

fn user() -> Value {
    json!({
        "schemas": [USER, E], "id": "u-1", "userName": "bjensen", "active": true, "displayName": "Babs",
        "name": {"familyName": "Jensen", "givenName": "Barbara"},
        "emails": [
            {"value": "b@work.org", "type": "work", "primary": true},
            {"value": "b@home.org", "type": "home"}
        ],
        "meta": {"resourceType": "User", "created": "2020-01-01T00:00:00Z"},
        E: {"employeeNumber": "7", "manager": {"value": "u-9", "displayName": "Boss"}}
    })
}

/// Values at JSON pointers; null: removed.
type Changes<'a> = Vec<(&'a str, Value)>;

type Outcome = Result<(Value, Touched), (String, u16)>;

fn run(kind: &ResourceType, resource: Value, operations: Value, rules: &Rules) -> Outcome {
    let mut map = resource.as_object().unwrap().clone();
    let before = map.clone();
    let mut touched = Touched::default();
    let body = json!({"schemas": [PATCH_OP], "Operations": operations});
    let done = parse(body, rules, &mut touched).and_then(|operations| apply(kind, &mut map, operations, rules));
    match done {
        Ok(mut done) => {
            done.extend(touched.coercions);
            Ok((Value::Object(map), done))
        }
        Err(error) => {
            assert_eq!(map, before, "a refused PATCH changes nothing");
            Err((error.scim_type.map(ScimType::name).unwrap_or_default().to_owned(), error.status))
        }
    }
}

fn lenient(operations: Value) -> (Value, Touched) {
    run(&kind("User"), user(), operations, &Rules::LENIENT).unwrap()
}

fn strict(operations: Value) -> (Value, Touched) {
    run(&kind("User"), user(), operations, &Rules::STRICT).unwrap()
}

fn refusal(operations: Value, rules: &Rules) -> String {
    run(&kind("User"), user(), operations, rules).unwrap_err().0
}

/// The user with changes at JSON pointers; null removes.
fn with(changes: &[(&str, Value)]) -> Value {
    let mut resource = user();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let holder = resource.pointer_mut(parent).unwrap();
        match (holder, value) {
            (Value::Object(map), Value::Null) => drop(map.remove(name)),
            (Value::Object(map), value) => drop(map.insert(name.to_owned(), value.clone())),
            (Value::Array(list), Value::Null) => drop(list.remove(name.parse().unwrap())),
            (Value::Array(list), value) if name == "-" => list.push(value.clone()),
            (Value::Array(list), value) => list[name.parse::<usize>().unwrap()] = value.clone(),
            _ => unreachable!(),
        }
    }
    resource
}

#[test]
fn add_remove_and_replace_do_what_the_rfc_says() {
    // Goal: RFC 7644 §3.5.2.1 to §3.5.2.3, with the strict rules: nothing here is a coercion.
    let new = json!({"value": "c@x.org", "type": "other"});
    let rows: Vec<(Value, Changes<'_>)> = vec![
        (json!([{"op": "add", "path": "nickName", "value": "Zed"}]), vec![("/nickName", json!("Zed"))]),
        (json!([{"op": "add", "path": "displayName", "value": "Zed"}]), vec![("/displayName", json!("Zed"))]),
        (json!([{"op": "add", "path": "emails", "value": [new]}]), vec![("/emails/-", new.clone())]),
        (json!([{"op": "add", "path": "emails", "value": new}]), vec![("/emails/-", new.clone())]),
        (json!([{"op": "add", "path": "emails", "value": [{"value": "b@home.org"}]}]), vec![]),
        (json!([{"op": "add", "path": "emails", "value": [{"value": "B@HOME.org", "type": "HOME"}]}]), vec![]),
        (
            json!([{"op": "add", "path": "emails", "value": [{"value": "c@x.org", "primary": true}]}]),
            vec![("/emails/-", json!({"value": "c@x.org", "primary": true})), ("/emails/0/primary", json!(false))],
        ),
        (
            json!([{"op": "add", "value": {"nickName": "Z", "name": {"middleName": "M"}, "emails": [new]}}]),
            vec![("/nickName", json!("Z")), ("/name/middleName", json!("M")), ("/emails/-", new.clone())],
        ),
        (json!([{"op": "add", "path": "name.middleName", "value": "M"}]), vec![("/name/middleName", json!("M"))]),
        (
            json!([{"op": "replace", "path": "name", "value": {"givenName": "Z"}}]),
            vec![("/name/givenName", json!("Z"))],
        ),
        (
            json!([{"op": "replace", "path": "name", "value": {"givenName": null}}]),
            vec![("/name/givenName", Value::Null)],
        ),
        (json!([{"op": "replace", "path": "name", "value": {}}]), vec![]),
        (json!([{"op": "replace", "path": "emails", "value": [new]}]), vec![("/emails", json!([new]))]),
        (json!([{"op": "replace", "path": "emails", "value": []}]), vec![("/emails", Value::Null)]),
        (json!([{"op": "replace", "path": "displayName", "value": null}]), vec![("/displayName", Value::Null)]),
        (json!([{"op": "add", "path": "displayName", "value": null}]), vec![]),
        (
            json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "z@x"}]),
            vec![("/emails/0/value", json!("z@x"))],
        ),
        (
            json!([{"op": "replace", "path": "emails[type eq \"home\"]", "value": {"value": "z@x"}}]),
            vec![("/emails/1", json!({"value": "z@x"}))],
        ),
        (
            json!([{"op": "add", "path": "emails[type eq \"home\"]", "value": {"display": "Z"}}]),
            vec![("/emails/1/display", json!("Z"))],
        ),
        (
            json!([{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}]),
            vec![("/emails/1/primary", json!(true)), ("/emails/0/primary", json!(false))],
        ),
        (
            json!([{"op": "replace", "path": "emails.type", "value": "other"}]),
            vec![("/emails/0/type", json!("other")), ("/emails/1/type", json!("other"))],
        ),
        (
            json!([{"op": "add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+33 1"}]),
            vec![("/phoneNumbers", json!([{"type": "mobile", "value": "+33 1"}]))],
        ),
        (json!([{"op": "remove", "path": "displayName"}]), vec![("/displayName", Value::Null)]),
        (json!([{"op": "remove", "path": "nickName"}]), vec![]),
        (json!([{"op": "remove", "path": "name.givenName"}]), vec![("/name/givenName", Value::Null)]),
        (json!([{"op": "remove", "path": "emails"}]), vec![("/emails", Value::Null)]),
        (
            json!([{"op": "remove", "path": "emails[type eq \"home\" and value ew \".org\"]"}]),
            vec![("/emails/1", Value::Null)],
        ),
        (json!([{"op": "remove", "path": "emails[not (type eq \"home\")]"}]), vec![("/emails/0", Value::Null)]),
        (json!([{"op": "remove", "path": "emails[value pr]"}]), vec![("/emails", Value::Null)]),
        (
            json!([{"op": "remove", "path": "emails[type eq \"work\"].primary"}]),
            vec![("/emails/0/primary", Value::Null)],
        ),
        (json!([{"op": "remove", "path": "emails[type eq \"work\"].value"}]), vec![("/emails/0", Value::Null)]),
        (
            json!([{"op": "replace", "path": format!("{E}:employeeNumber"), "value": "8"}]),
            vec![(&*format!("/{E}/employeeNumber").leak(), json!("8"))],
        ),
        (
            json!([{"op": "add", "path": format!("{E}:manager"), "value": {"value": "u-2"}}]),
            vec![(&*format!("/{E}/manager/value").leak(), json!("u-2"))],
        ),
        (
            json!([{"op": "add", "value": {E: {"division": "D"}}}]),
            vec![(&*format!("/{E}/division").leak(), json!("D"))],
        ),
        (
            json!([{"op": "add", "path": E, "value": {"division": "D"}}]),
            vec![(&*format!("/{E}/division").leak(), json!("D"))],
        ),
        (
            json!([{"op": "remove", "path": format!("{E}:manager.value")}]),
            vec![(&*format!("/{E}/manager").leak(), Value::Null)],
        ),
        (
            json!([{"op": "remove", "path": E}]),
            vec![(&*format!("/{E}").leak(), Value::Null), ("/schemas", json!([USER]))],
        ),
        (
            json!([{"op": "replace", "path": format!("{USER}:DISPLAYNAME"), "value": "Z"}]),
            vec![("/displayName", json!("Z"))],
        ),
        (json!([{"op": "replace", "path": "userName", "value": "BJENSEN"}]), vec![]),
        (json!([{"op": "replace", "path": "id", "value": "u-1"}]), vec![]),
        (
            json!([
                {"op": "remove", "path": "emails[type eq \"work\"]"},
                {"op": "add", "path": "emails", "value": new},
                {"op": "replace", "path": "emails[type eq \"other\"].value", "value": "d@x.org"}
            ]),
            vec![("/emails/0", Value::Null), ("/emails/-", json!({"value": "d@x.org", "type": "other"}))],
        ),
    ];
    for (operations, changes) in rows {
        let (after, touched) = strict(operations.clone());
        assert_eq!(after, with(&changes), "{operations}");
        assert_eq!(touched.attributes.is_empty(), changes.is_empty(), "{operations}");
        assert_eq!(touched.coercions, [].into(), "{operations}");
    }
}

#[test]
fn what_changes_is_told_by_its_path() {
    // Goal: the caller learns which attributes differ, and only those.
    let operations = json!([{"op": "replace", "value": {"active": true, "title": "T", "name": {"givenName": "Z"}, E: {"division": "D", "employeeNumber": "7"}}}]);
    let wanted = ["title".to_owned(), "name".to_owned(), format!("{E}:division")];
    assert_eq!(strict(operations).1.attributes, wanted.into());
}

#[test]
fn what_clients_send_is_understood_and_named() {
    // Goal: every shape that Entra, Okta and JumpCloud send becomes what was meant, and the switch that let it pass is told.
    use Coercion::{
        BooleanText, DropReadOnly, DropUnknown, EmptyClears, LenientFilter, ManyForOne, OpAnyCase, PackedComplex,
        PatchReplaceMissing, PathKeys, PlainComplex, RemoveAbsent, RemoveListed,
    };
    let manager: &str = format!("/{E}/manager").leak();
    let number: &str = format!("/{E}/employeeNumber").leak();
    let boss = |id: &str| json!({"value": id, "displayName": "Boss"});
    let packed = "{\"id\":\"1\",\"value\":\"Admin\",\"displayName\":\"Administrator\"}";
    let rows: Vec<(Value, Changes<'_>, Vec<Coercion>)> = vec![
        (
            json!([{"op": "Replace", "path": "active", "value": "False"}]),
            vec![("/active", json!(false))],
            vec![OpAnyCase, BooleanText],
        ),
        (
            json!([{"op": "Add", "path": "nickName", "value": "Zed"}]),
            vec![("/nickName", json!("Zed"))],
            vec![OpAnyCase],
        ),
        (json!([{"op": "replace", "value": {"active": false}}]), vec![("/active", json!(false))], vec![]),
        (
            json!([{"op": "replace", "path": "addresses[type eq \"work\"].locality", "value": "Lyon"}]),
            vec![("/addresses", json!([{"type": "work", "locality": "Lyon"}]))],
            vec![PatchReplaceMissing],
        ),
        (
            json!([{"op": "replace", "value": {"displayName": "Zed", "name.givenName": "Zoe", format!("{E}:employeeNumber"): "9"}}]),
            vec![("/displayName", json!("Zed")), ("/name/givenName", json!("Zoe")), (number, json!("9"))],
            vec![PathKeys, PathKeys],
        ),
        (
            json!([{"op": "replace", "value": {"emails[type eq \"work\"].value": "z@x"}}]),
            vec![("/emails/0/value", json!("z@x"))],
            vec![PathKeys],
        ),
        (
            json!([{"op": "Add", "path": format!("{E}:manager"), "value": "u-77"}]),
            vec![(manager, boss("u-77"))],
            vec![OpAnyCase, PlainComplex],
        ),
        (
            json!([{"op": "add", "path": format!("{E}:manager"), "value": [{"$ref": null, "value": "u-77"}]}]),
            vec![(manager, boss("u-77"))],
            vec![ManyForOne],
        ),
        (json!([{"op": "remove", "path": format!("{E}:manager")}]), vec![(manager, Value::Null)], vec![]),
        (
            json!([{"op": "replace", "path": format!("{E}:manager"), "value": ""}]),
            vec![(manager, Value::Null)],
            vec![EmptyClears],
        ),
        (
            json!([{"op": "replace", "path": format!("{E}:manager"), "value": {"value": ""}}]),
            vec![(manager, Value::Null)],
            vec![EmptyClears],
        ),
        (
            json!([{"op": "add", "path": "roles", "value": [{"value": packed}]}]),
            vec![("/roles", json!([{"value": "Admin", "display": "Administrator"}]))],
            vec![PackedComplex],
        ),
        (
            json!([{"op": "add", "path": "roles", "value": [packed]}]),
            vec![("/roles", json!([{"value": "Admin", "display": "Administrator"}]))],
            vec![PackedComplex],
        ),
        (
            json!([{"op": "replace", "path": "roles[primary eq \"True\"].value", "value": "Admin"}]),
            vec![("/roles", json!([{"value": "Admin", "primary": true}]))],
            vec![LenientFilter, BooleanText, PatchReplaceMissing],
        ),
        (
            json!([{"op": "remove", "path": "emails", "value": [{"value": "b@home.org"}]}]),
            vec![("/emails/1", Value::Null)],
            vec![RemoveListed],
        ),
        (json!([{"op": "remove", "path": "emails[type eq \"other\"]"}]), vec![], vec![RemoveAbsent]),
        (
            json!([{"op": "replace", "value": {"id": "u-1", "displayName": "Ops"}}]),
            vec![("/displayName", json!("Ops"))],
            vec![],
        ),
        (json!([{"op": "replace", "value": {"id": "u-1", "displayName": "Babs"}}]), vec![], vec![]),
        (json!([{"op": "replace", "value": {"groups": [], "schemas": [USER]}}]), vec![], vec![]),
        (json!([{"op": "replace", "value": {"groups": [{"value": "admins"}]}}]), vec![], vec![DropReadOnly]),
        (json!([{"op": "replace", "value": {"isAdmin": true, "title": ""}}]), vec![], vec![DropUnknown, EmptyClears]),
        (
            json!([{"op": "replace", "path": "displayName", "value": ""}]),
            vec![("/displayName", Value::Null)],
            vec![EmptyClears],
        ),
        (json!([{"op": "add", "path": "", "value": {"title": "T"}}]), vec![("/title", json!("T"))], vec![]),
    ];
    for (operations, changes, coercions) in rows {
        let (after, touched) = lenient(operations.clone());
        assert_eq!(after, with(&changes), "{operations}");
        let mut counted = std::collections::BTreeMap::new();
        for coercion in coercions {
            *counted.entry(coercion).or_default() += 1;
        }
        assert_eq!(touched.coercions, counted, "{operations}");
    }
}

#[test]
fn what_is_refused_has_its_keyword_and_changes_nothing() {
    // Goal: RFC 7644 table 9, hostile row D2; a good operation before a bad one is undone.
    let s = Rules::STRICT;
    let l = Rules::LENIENT;
    let first = json!({"op": "replace", "path": "displayName", "value": "gone"});
    let rows = [
        ("noTarget", json!({"op": "remove"}), s),
        ("noTarget", json!({"op": "replace", "path": "addresses[type eq \"work\"].locality", "value": "x"}), s),
        (
            "noTarget",
            json!({"op": "replace", "path": "emails[type eq \"x\" or value pr and not (value pr)].value", "value": "x"}),
            l,
        ),
        ("noTarget", json!({"op": "remove", "path": "emails[type eq \"other\"]"}), s),
        ("noTarget", json!({"op": "add", "path": "emails[type sw \"q\"].value", "value": "x"}), l),
        ("invalidPath", json!({"op": "add", "path": "roles[0]", "value": "x"}), l),
        ("invalidPath", json!({"op": "add", "path": "nobody", "value": "x"}), l),
        ("invalidPath", json!({"op": "add", "path": "name.nobody", "value": "x"}), l),
        ("invalidPath", json!({"op": "add", "path": "emails[nobody eq 1].value", "value": "x"}), l),
        ("invalidPath", json!({"op": "add", "path": "emails[type eq \"work\"].nobody", "value": "x"}), l),
        ("invalidPath", json!({"op": "add", "path": "emails[type eq \"work\"", "value": "x"}), l),
        ("invalidPath", json!({"op": "add", "path": "urn:x:User:userName", "value": "x"}), l),
        ("invalidPath", json!({"op": "add", "value": {"nobody": 1}}), s),
        ("invalidPath", json!({"op": "add", "value": {"name.givenName": "x"}}), s),
        ("mutability", json!({"op": "replace", "path": "id", "value": "u-2"}), l),
        ("mutability", json!({"op": "remove", "path": "id"}), l),
        ("mutability", json!({"op": "replace", "path": "meta.created", "value": "2021-01-01T00:00:00Z"}), l),
        ("mutability", json!({"op": "add", "path": "groups", "value": [{"value": "g"}]}), l),
        ("mutability", json!({"op": "add", "path": "schemas", "value": ["urn:x"]}), l),
        ("mutability", json!({"op": "replace", "path": "userName", "value": "other"}), l),
        ("mutability", json!({"op": "remove", "path": "userName"}), l),
        ("mutability", json!({"op": "replace", "path": "userName", "value": null}), l),
        ("mutability", json!({"op": "replace", "path": format!("{E}:manager.displayName"), "value": "x"}), l),
        (
            "mutability",
            json!({"op": "replace", "path": "urn:ietf:params:scim:schemas:extension:rollbook:2.0:AccountState:locked", "value": false}),
            l,
        ),
        ("mutability", json!({"op": "add", "value": {"groups": [{"value": "g"}]}}), s),
        ("mutability", json!({"op": "remove", "path": USER}), l),
        ("invalidValue", json!({"op": "add", "path": "nickName"}), l),
        ("invalidValue", json!({"op": "add", "value": "x"}), l),
        ("invalidValue", json!({"op": "replace", "path": "active", "value": "maybe"}), l),
        ("invalidValue", json!({"op": "replace", "path": "active", "value": "true"}), s),
        ("invalidValue", json!({"op": "replace", "path": "name", "value": "x"}), l),
        ("invalidValue", json!({"op": "replace", "path": "displayName", "value": {"a": 1}}), l),
        ("invalidValue", json!({"op": "add", "path": format!("{E}:manager"), "value": "u-77"}), s),
        (
            "invalidValue",
            json!({"op": "add", "path": "emails", "value": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]}),
            l,
        ),
        ("invalidValue", json!({"op": "replace", "path": "emails.primary", "value": true}), l),
        ("invalidValue", json!({"op": "remove", "path": "emails", "value": [{"value": "b@home.org"}]}), s),
        ("invalidSyntax", json!({"op": "move", "path": "a", "value": 1}), l),
        ("invalidSyntax", json!({"path": "a", "value": 1}), l),
        ("invalidSyntax", json!({"op": "add", "path": 7, "value": 1}), l),
        ("invalidSyntax", json!(7), l),
    ];
    for (keyword, operation, rules) in rows {
        assert_eq!(refusal(json!([first, operation]), &rules), keyword, "{operation}");
    }
}

#[test]
fn the_message_is_checked_as_a_whole() {
    // Goal: schemas, the array and its length; leniently a missing `schemas` is noted.
    let read = |body: Value, rules: &Rules| parse(body, rules, &mut Touched::default());
    let operation = json!({"op": "remove", "path": "title"});
    assert!(read(json!({"Operations": [operation]}), &Rules::STRICT).is_err());
    let mut touched = Touched::default();
    parse(json!({"operations": [operation]}), &Rules::LENIENT, &mut touched).unwrap();
    assert_eq!(touched.coercions, [(Coercion::PatchWithoutSchema, 1)].into());
    for bad in [json!([]), json!({"schemas": [PATCH_OP]}), json!({"schemas": [PATCH_OP], "Operations": []})] {
        assert_eq!(read(bad, &Rules::LENIENT).unwrap_err().scim_type.unwrap().name(), "invalidSyntax");
    }
    let many = json!({"schemas": [PATCH_OP], "Operations": vec![operation; MAX_OPERATIONS + 1]});
    assert_eq!(read(many, &Rules::LENIENT).unwrap_err().status, 413);
}

#[test]
fn the_work_of_a_request_is_bounded() {
    // Goal: operations that compare everything with everything, again and again, end in an error, not in minutes; what is usual is far from it.
    let element = |n: usize| json!({"value": format!("{n}@x")});
    let many: Vec<Value> = (0..900).map(element).collect();
    let again: Vec<Value> = (0..10).map(|_| json!({"op": "add", "path": "emails", "value": many})).collect();
    let refused = run(&kind("User"), user(), json!(again), &Rules::LENIENT).unwrap_err();
    assert_eq!(refused, (String::new(), 413));
    let one_by_one: Vec<Value> =
        (0..900).map(|n| json!({"op": "add", "path": "emails", "value": [element(n)]})).collect();
    assert_eq!(lenient(json!(one_by_one)).0["emails"].as_array().unwrap().len(), 902);
}

//! Membership changes: split off from the other operations before the group is read.

use super::*;

fn edges(operations: Value, rules: &Rules) -> Result<(usize, Vec<EdgeOp>), ScimError> {
    let group = kind("Group");
    let mut touched = Touched::default();
    let operations = parse(json!({"schemas": [PATCH_OP], "Operations": operations}), rules, &mut touched)?;
    split_edges(&group, operations, rules, &mut touched).map(|(others, edges)| (others.len(), edges))
}

#[test]
fn members_are_split_off() {
    // Goal: every shape of a membership change becomes a list of identifiers; the group is not needed for it.
    let add = |ids: &[&str]| EdgeOp::Add(ids.iter().map(|&id| id.to_owned()).collect());
    let remove = |ids: &[&str]| EdgeOp::Remove(ids.iter().map(|&id| id.to_owned()).collect());
    let replace = |ids: &[&str]| EdgeOp::Replace(ids.iter().map(|&id| id.to_owned()).collect());
    let rows: Vec<(Value, usize, Vec<EdgeOp>)> = vec![
        (
            json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": "u-1"}, {"VALUE": "u-2", "display": "z"}]}]),
            0,
            vec![add(&["u-1", "u-2"])],
        ),
        (json!([{"op": "add", "path": "members", "value": {"value": "u-1"}}]), 0, vec![add(&["u-1"])]),
        (json!([{"op": "add", "path": "MEMBERS", "value": ["u-1", null]}]), 0, vec![add(&["u-1"])]),
        (
            json!([{"op": "add", "path": format!("{GROUP}:members"), "value": [{"value": "u-1"}]}]),
            0,
            vec![add(&["u-1"])],
        ),
        (json!([{"op": "add", "value": {"members": [{"value": "u-1"}]}}]), 0, vec![add(&["u-1"])]),
        (
            json!([{"op": "replace", "value": {"displayName": "Ops", "members": [{"value": "u-1"}]}}]),
            1,
            vec![replace(&["u-1"])],
        ),
        (json!([{"op": "replace", "value": {GROUP: {"displayName": "Ops", "members": []}}}]), 1, vec![replace(&[])]),
        (
            json!([{"op": "replace", "value": {format!("{GROUP}:members"): [{"value": "u-1"}]}}]),
            0,
            vec![replace(&["u-1"])],
        ),
        (json!([{"op": "replace", "path": "members", "value": null}]), 0, vec![replace(&[])]),
        (
            json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "u-1"}]}]),
            0,
            vec![remove(&["u-1"])],
        ),
        (json!([{"op": "remove", "path": "members"}]), 0, vec![EdgeOp::RemoveAll]),
        (
            json!([{"op": "remove", "path": "members[value eq \"u-1\"]"}, {"op": "add", "path": "members", "value": [{"value": "u-2"}]}]),
            0,
            vec![remove(&["u-1"]), add(&["u-2"])],
        ),
        (
            json!([{"op": "remove", "path": "members[value eq \"u-1\" or value eq \"u-2\"]"}]),
            0,
            vec![remove(&["u-1", "u-2"])],
        ),
        (json!([{"op": "add", "path": "members[value eq \"u-1\"]", "value": null}]), 0, vec![add(&["u-1"])]),
        (json!([{"op": "replace", "path": "displayName", "value": "Ops"}]), 1, vec![]),
    ];
    for (operations, others, wanted) in rows {
        let found = edges(operations.clone(), &Rules::LENIENT).unwrap();
        assert_eq!(found, (others, wanted), "{operations}");
    }
    let (_, found) = edges(json!([{"op": "remove", "path": "members[type eq \"Group\"]"}]), &Rules::STRICT).unwrap();
    let [EdgeOp::RemoveWhere(filter)] = &found[..] else { panic!("{found:?}") };
    assert!(
        filter.matches(&json!({"value": "g", "type": "Group"}))
            && !filter.matches(&json!({"value": "u", "type": "User"}))
    );
}

#[test]
fn what_is_no_membership_change_is_refused() {
    // Goal: the dangerous readings are errors: a member without identifier, a list that would remove everybody.
    let rows = [
        ("invalidValue", json!({"op": "add", "path": "members", "value": [{"display": "z"}]}), Rules::LENIENT),
        ("invalidValue", json!({"op": "add", "path": "members", "value": [{"value": ""}]}), Rules::LENIENT),
        ("invalidValue", json!({"op": "add", "path": "members", "value": [{"value": 7}]}), Rules::LENIENT),
        ("invalidValue", json!({"op": "add", "path": "members", "value": ["u-1"]}), Rules::STRICT),
        ("invalidValue", json!({"op": "remove", "path": "members", "value": [{"value": "u-1"}]}), Rules::STRICT),
        (
            "mutability",
            json!({"op": "replace", "path": "members[value eq \"u-1\"].value", "value": "u-2"}),
            Rules::LENIENT,
        ),
        (
            "mutability",
            json!({"op": "replace", "path": "members[value eq \"u-1\"].display", "value": "z"}),
            Rules::LENIENT,
        ),
        ("mutability", json!({"op": "remove", "path": "members.value"}), Rules::LENIENT),
        ("invalidPath", json!({"op": "remove", "path": "members[nobody eq 1]"}), Rules::LENIENT),
        ("invalidPath", json!({"op": "remove", "path": "members[0]"}), Rules::LENIENT),
        (
            "noTarget",
            json!({"op": "add", "path": "members[type eq \"User\"]", "value": {"value": "u"}}),
            Rules::LENIENT,
        ),
        ("invalidPath", json!({"op": "add", "value": {format!("{GROUP}:members"): []}}), Rules::STRICT),
    ];
    for (keyword, operation, rules) in rows {
        let error = edges(json!([operation]), &rules).unwrap_err();
        assert_eq!(error.scim_type.unwrap().name(), keyword, "{operation}: {}", error.detail);
    }
    // Roles are read-only: their members stay where they are, and the change is refused when it is applied.
    let role = kind("Role");
    let operations = json!([{"op": "add", "path": "members", "value": [{"value": "u-1"}]}]);
    let refused = run(&role, json!({"id": "r"}), operations, &Rules::LENIENT).unwrap_err();
    assert_eq!(refused.0, "mutability");
}

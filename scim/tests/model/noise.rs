//! Noise: nothing that a stranger sends makes the protocol panic, hang or grow, and what it takes it can print again.

use proptest::prelude::*;
use scim::protocol::accept::accept;
use scim::protocol::bulk::{self, Limits};
use scim::protocol::filter::{MAX_LENGTH, Mode, parse, parse_path};
use scim::protocol::json::{self, Bounds};
use scim::protocol::list::{PageSizes, Query};
use scim::protocol::patch::{self, Touched};
use scim::protocol::path::AttrPath;
use scim::protocol::projection::Projection;
use scim::protocol::put;
use scim::protocol::rules::Rules;
use scim::protocol::time::Instant;
use serde_json::{Map, Value};

use crate::{SCHEMAS, kind};

/// Pieces of the languages, glued at random.
fn pieces() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "emails",
        "[",
        "]",
        "(",
        ")",
        ".value",
        " eq ",
        " pr",
        " and ",
        " or ",
        "not ",
        "\"",
        "\\",
        "\\u00",
        "\"x\"",
        "True",
        "1e999",
        "-",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        ":",
        "userName",
        "password",
        "\u{0}",
        "é",
        "\u{1f600}",
        "$ref",
        "%",
        "\t",
    ]);
    prop::collection::vec(
        prop_oneof![4 => words.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)],
        0..40,
    )
    .prop_map(|words| words.concat())
}

/// JSON with the names of the protocol in it.
fn value() -> impl Strategy<Value = Value> {
    let texts = prop::sample::select(vec![
        "",
        "a",
        "add",
        "Replace",
        "remove",
        "True",
        "members",
        "emails[type eq \"work\"].value",
        "emails",
        "name.givenName",
        "userName",
        "bulkId:a",
        "/Users/1",
        "/Users",
        "POST",
        "PATCH",
        "work",
        "{\"value\":\"x\"}",
        "urn:ietf:params:scim:api:messages:2.0:PatchOp",
        "urn:ietf:params:scim:api:messages:2.0:BulkRequest",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "2011-05-13T04:42:34Z",
    ]);
    let names = prop::sample::select(vec![
        "schemas",
        "Operations",
        "op",
        "path",
        "value",
        "method",
        "bulkId",
        "data",
        "userName",
        "displayName",
        "emails",
        "type",
        "primary",
        "name",
        "givenName",
        "members",
        "active",
        "groups",
        "id",
        "meta",
        "roles",
        "manager",
        "$ref",
        "failOnErrors",
        "password",
        "x",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "name.givenName",
        "emails[type eq \"work\"].value",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(names.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The body of a PATCH or Bulk around drawn operations.
fn message(schema: &str, operations: &[Value]) -> Value {
    serde_json::json!({"schemas": [schema], "Operations": operations})
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![pieces(), any::<String>()], at in any::<proptest::sample::Index>()) {
        // Goal: filters, paths, projections, times: an answer for every text, errors at a place inside it.
        let user = kind("User");
        for mode in [Mode::Strict, Mode::Lenient] {
            match parse(&text, mode) {
                Ok(filter) => {
                    prop_assert_eq!(&parse(&filter.to_string(), mode).unwrap(), &filter, "{}", text);
                    if let Ok(resolved) = filter.resolve(&user, mode) {
                        resolved.matches(&serde_json::json!({"userName": text, "emails": [{"value": text}]}));
                    }
                }
                Err(invalid) => prop_assert!(invalid.position <= text.len().min(MAX_LENGTH)),
            }
            let _ = parse_path(&text, mode);
        }
        if let Some(path) = AttrPath::read(&text) {
            prop_assert_eq!(path.to_string(), text.as_str());
        }
        let _ = Projection::parse(&user, Some(&text), None);
        let _ = Instant::read(&text);
        let _ = Query::of_pairs([("count", text.as_str()), ("cursor", &text)]);
        // Cut anywhere: half a request is no reason to panic.
        let cut = at.index(text.len() + 1);
        let _ = text.get(..cut).map(|half| parse(half, Mode::Lenient));
    }

    #[test]
    fn any_octets_are_json_as_serde_reads_it_or_refused(octets in prop::collection::vec(any::<u8>(), 0..64), value in value()) {
        // Goal: what the bounded reader takes is what serde_json takes; what it writes it reads (hostile row D10).
        if let Ok(read) = json::read(&octets, &Bounds::default()) {
            prop_assert_eq!(read, serde_json::from_slice::<Value>(&octets).unwrap());
        }
        let written = serde_json::to_vec(&value).unwrap();
        if let Ok(read) = json::read(&written, &Bounds::default()) {
            prop_assert_eq!(read, serde_json::from_slice::<Value>(&written).unwrap());
        }
    }

    #[test]
    fn any_body_is_taken_or_refused(value in value(), rules in prop::sample::select(vec![Rules::STRICT, Rules::LENIENT])) {
        // Goal: POST, PUT, search: 400 or a resource that is taken again as it is.
        for name in ["User", "Group"] {
            let kind = kind(name);
            if let Ok(accepted) = accept(&kind, value.clone(), &rules) {
                let again = accept(&kind, Value::Object(accepted.resource.clone()), &rules).unwrap();
                prop_assert_eq!(&again.resource, &accepted.resource);
                let mut given = accepted.resource;
                if put::edges(&kind, &mut given, &rules).is_ok() {
                    let _ = put::merge(&kind, &Map::new(), given, &rules);
                }
            }
        }
        if let Ok(query) = Query::of_body(value) {
            let _ = query.page(PageSizes { default: 100, max: 1_000 }, false);
        }
    }

    #[test]
    fn any_patch_is_done_or_undone(
        operations in prop::collection::vec(value(), 1..4),
        resource in value(),
        rules in prop::sample::select(vec![Rules::STRICT, Rules::LENIENT]),
    ) {
        // Goal: an error leaves the resource as it was; a success leaves one in the form of the schema.
        let user = kind("User");
        let before = accept(&user, resource, &Rules::LENIENT).map(|accepted| accepted.resource).unwrap_or_default();
        let mut touched = Touched::default();
        let body = message(patch::PATCH_OP, &operations);
        let Ok(operations) = patch::parse(body, &rules, &mut touched) else { return Ok(()) };
        let group = kind("Group");
        let _ = patch::split_edges(&group, operations.clone(), &rules, &mut touched);
        let mut after = before.clone();
        match patch::apply(&user, &mut after, operations, &rules) {
            Err(_) => prop_assert_eq!(after, before),
            Ok(touched) => {
                let again = accept(&user, Value::Object(after.clone()), &rules).unwrap().resource;
                prop_assert_eq!(again, after.clone());
                let same = before.iter().filter(|(name, _)| *name != "schemas").eq(after.iter().filter(|(name, _)| *name != "schemas"));
                prop_assert_eq!(touched.attributes.is_empty(), same);
            }
        }
    }

    #[test]
    fn any_bulk_has_an_order(operations in prop::collection::vec(value(), 0..8)) {
        // Goal: every good operation is run exactly once, whatever refers to what (hostile row D5).
        let body = message(bulk::BULK_REQUEST, &operations);
        let Ok(bulk) = bulk::parse(body, &SCHEMAS, &Limits::default()) else { return Ok(()) };
        let mut run: Vec<usize> = bulk::plan(&bulk)
            .into_iter()
            .filter_map(|step| match step {
                bulk::Step::Run(at, _) => Some(at),
                bulk::Step::Complete(_) => None,
            })
            .collect();
        run.sort_unstable();
        let good: Vec<usize> = (0..bulk.items.len()).filter(|at| bulk.items[*at].operation.is_ok()).collect();
        prop_assert_eq!(run, good);
    }
}

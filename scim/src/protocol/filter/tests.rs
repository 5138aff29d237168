//! Tables of the grammar, of what may be asked, and of what matches.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::schema::{ENTERPRISE_USER, ResourceType, Schemas};

fn kind(name: &str) -> Arc<ResourceType> {
    let schemas = Schemas::of(&directory::schema::Schema::standard());
    Arc::clone(schemas.resource_type(name).unwrap())
}

/// A filter with every group in parentheses, `!` when it is refused.
fn shape(text: &str, mode: Mode) -> String {
    fn show(filter: &Filter) -> String {
        let all = |parts: &[Filter], sign: &str| format!("({})", parts.iter().map(show).collect::<Vec<_>>().join(sign));
        match filter {
            Filter::And(parts) => all(parts, "&"),
            Filter::Or(parts) => all(parts, "|"),
            Filter::Not(part) => format!("!{}", show(part)),
            other => other.to_string(),
        }
    }
    parse(text, mode).map_or_else(|e| format!("{}: {}", e.position, e.reason), |filter| show(&filter))
}

#[test]
fn precedence_is_not_then_and_then_or() {
    // Goal: RFC 7644 §3.4.2.2: grouping first, then not, and, or; keywords and names in any case.
    let rows = [
        ("a pr", "a pr"),
        ("a pr and b pr or c pr", "((a pr&b pr)|c pr)"),
        ("a pr or b pr and c pr", "(a pr|(b pr&c pr))"),
        ("a pr or b pr or c pr", "(a pr|b pr|c pr)"),
        ("a pr and (b pr or c pr)", "(a pr&(b pr|c pr))"),
        ("not (a pr) and b pr", "(!a pr&b pr)"),
        ("not(a pr or b pr)", "!(a pr|b pr)"),
        ("(not (not (a pr)))", "!!a pr"),
        ("A PR AND NOT (b Eq 1)", "(A pr&!b eq 1)"),
        ("e[type eq \"work\" and value co \"@\"] or t pr", "(e[type eq \"work\" and value co \"@\"]|t pr)"),
        ("e[not (type eq \"work\")]", "e[not (type eq \"work\")]"),
        ("$ref eq \"x\"", "$ref eq \"x\""),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName sw \"J\"",
            "urn:ietf:params:scim:schemas:core:2.0:User:name.givenName sw \"J\"",
        ),
        ("a eq \"q\\\"\\u00e9\\n\"", "a eq \"q\\\"é\\n\""),
        ("a eq -1.5", "a eq -1.5"),
        ("a eq null and b eq true and c ne false", "(a eq null&b eq true&c ne false)"),
        ("  a   pr  ", "a pr"),
    ];
    for (text, wanted) in rows {
        assert_eq!(shape(text, Mode::Strict), wanted, "{text}");
        assert_eq!(shape(text, Mode::Lenient), wanted, "{text}");
    }
}

#[test]
fn what_clients_send_beyond_the_grammar_is_lenient_only() {
    // Goal: each departure is read in lenient mode and refused in strict mode, with the place of the error.
    let rows = [
        (
            "emails[type eq \"work\"].value eq \"x\"",
            "emails[type eq \"work\"].value eq \"x\"",
            "22: a value path in a filter takes no sub-attribute",
        ),
        (
            "emails[type eq \"work\"].value pr",
            "emails[type eq \"work\"].value pr",
            "22: a value path in a filter takes no sub-attribute",
        ),
        (
            "externalId eq jyoung",
            "externalId eq jyoung",
            "14: a value is expected: a string, a number, true, false or null",
        ),
        (
            "externalId eq u-77@ex.org and a pr",
            "(externalId eq u-77@ex.org&a pr)",
            "14: a value is expected: a string, a number, true, false or null",
        ),
        ("not title pr and a pr", "(!title pr&a pr)", "4: a parenthesis is expected after `not`"),
        ("a\tpr", "a pr", "1: a character that has no place in a filter"),
        ("(a pr)and(b pr)", "(a pr&b pr)", "6: a space is expected"),
    ];
    for (text, lenient, strict) in rows {
        assert_eq!(shape(text, Mode::Lenient), lenient, "{text}");
        assert_eq!(shape(text, Mode::Strict), strict, "{text}");
    }
}

#[test]
fn what_is_no_filter_is_refused_where_it_stops_making_sense() {
    // Goal: hostile row D1: nothing is guessed, and the position is exact.
    let operator = "an operator is expected: eq ne co sw ew gt ge lt le pr";
    let value = "a value is expected: a string, a number, true, false or null";
    let rows = [
        ("", 0, "an attribute is expected"),
        ("   ", 3, "an attribute is expected"),
        ("a", 1, operator),
        ("a xx \"b\"", 2, operator),
        ("a eq", 4, "a space is expected"),
        ("a eq ", 5, value),
        ("a eq \"b", 5, "the string has no end"),
        ("a eq \"\\x\"", 5, "the string is no JSON string"),
        ("a eq \"\\ud800\"", 5, "the string is no JSON string"),
        ("a eq 'b'", 5, value),
        ("a co b", 5, value),
        ("a eq and b pr", 5, value),
        ("userName eq \"a\" or 1 eq 1", 19, "an attribute is expected"),
        ("a pr b pr", 5, "`and`, `or` or the end is expected"),
        ("a pr and", 8, "a space is expected"),
        ("a pr and ", 9, "an attribute is expected"),
        ("(a pr", 5, "a closing parenthesis is expected"),
        ("a pr)", 4, "`and`, `or` or the end is expected"),
        ("()", 1, "an attribute is expected"),
        ("a[b pr", 6, "a closing bracket is expected"),
        ("a [b pr]", 2, "a bracket follows the attribute at once"),
        ("a[b[c pr]]", 3, "brackets inside brackets"),
        ("a.b[c pr]", 0, "a sub-attribute takes no filter"),
        ("meta.* pr", 0, "an attribute is expected"),
        ("a eq \"b\" or \"\"=\"", 12, "an attribute is expected"),
        ("a eq tru", 5, value),
        ("a eq 01", 5, value),
        ("a eq 1e999", 5, value),
        ("\u{feff}a pr", 0, "an attribute is expected"),
    ];
    for (text, position, reason) in rows {
        assert_eq!(parse(text, Mode::Strict), Err(Invalid { position, reason }), "{text}");
    }
    let error: ScimError = parse("a xx", Mode::Strict).unwrap_err().into();
    assert_eq!(error.body()["scimType"], "invalidFilter");
    assert!(error.detail.starts_with("at octet 2: "));
}

#[test]
fn length_depth_and_number_are_bounded() {
    // Goal: hostile row D1: the bound is exact, and no text overflows the stack.
    let nested = |n: usize| format!("{}a pr{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&nested(MAX_DEPTH), Mode::Strict).is_ok());
    assert_eq!(parse(&nested(MAX_DEPTH + 1), Mode::Strict).unwrap_err().reason, "nested too deeply");
    assert_eq!(parse(&nested(4_000), Mode::Strict).unwrap_err().reason, "nested too deeply");
    assert_eq!(parse(&format!("{}a pr", "not ".repeat(500)), Mode::Lenient).unwrap_err().reason, "nested too deeply");
    let many = |n: usize| vec!["a pr"; n].join(" or ");
    assert!(parse(&many(MAX_NODES - 1), Mode::Strict).is_ok(), "the `or` is one as well");
    let brackets = |n: usize| vec!["a[b pr]"; n].join(" or ");
    assert!(parse(&brackets(511), Mode::Strict).is_ok());
    assert_eq!(parse(&brackets(512), Mode::Strict).unwrap_err().reason, "too many expressions");
    assert_eq!(parse(&"a".repeat(MAX_LENGTH + 1), Mode::Strict).unwrap_err().reason, "too long");
}

#[test]
fn only_what_can_be_compared_is_asked() {
    // Goal: unknown and secret attributes and wrong types are refused as invalidFilter, never ignored (hostile row D1).
    let user = kind("User");
    let group = kind("Group");
    let ask = |text: &str, mode| {
        parse(text, mode).unwrap().resolve(&user, mode).map(|_| ()).map_err(|e| (e.scim_type, e.detail))
    };
    let refused = [
        ("nobody eq \"x\"", "no attribute `nobody`"),
        ("name.nobody pr", "no attribute `name.nobody`"),
        ("emails[nobody pr]", "no attribute `nobody`"),
        ("emails[value.x pr]", "no attribute `value.x`"),
        ("password pr", "`password` cannot be asked for"),
        ("password sw \"a\"", "`password` cannot be asked for"),
        ("PASSWORD eq \"a\"", "`PASSWORD` cannot be asked for"),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:password pr",
            "`urn:ietf:params:scim:schemas:core:2.0:User:password` cannot be asked for",
        ),
        ("active gt true", "`active` cannot be compared by gt"),
        ("active co true", "`active` cannot be compared by co"),
        ("active eq \"maybe\"", "`active` cannot be compared with \"maybe\""),
        ("active eq 1", "`active` cannot be compared with 1"),
        ("userName co \"\"", "`userName` is asked by co for nothing"),
        ("userName gt null", "`userName` is compared with null by eq and ne only"),
        ("meta.created gt \"yesterday\"", "`meta.created` cannot be compared with \"yesterday\""),
        ("name eq \"x\"", "`name` is complex: a sub-attribute is compared"),
        ("addresses eq \"x\"", "`addresses` is complex: a sub-attribute is compared"),
        ("x509Certificates.value gt \"AA==\"", "`x509Certificates.value` cannot be compared by gt"),
    ];
    for (text, why) in refused {
        assert_eq!(
            ask(text, Mode::Lenient),
            Err((Some(crate::protocol::error::ScimType::InvalidFilter), why.into())),
            "{text}"
        );
    }
    for lenient_only in ["manager pr", "active eq \"True\"", "userName eq 7", "userName eq true"] {
        assert!(ask(lenient_only, Mode::Strict).is_err(), "{lenient_only}");
        assert!(ask(lenient_only, Mode::Lenient).is_ok(), "{lenient_only}");
    }
    let both = parse("members eq \"u\" and userName ne \"x\"", Mode::Strict).unwrap();
    assert!(both.resolve(&user, Mode::Strict).is_err());
    let across = resolve_across(&both, &[&user, &group], Mode::Strict).unwrap();
    assert!(!across[0].matches(&json!({"userName": "y"})), "a user has no members");
    assert!(across[1].matches(&json!({"members": [{"value": "u"}]})), "a group has no userName, which is not x");
    let secret = parse("password pr", Mode::Strict).unwrap();
    assert!(resolve_across(&secret, &[&group, &user], Mode::Strict).is_err());
}

fn resource() -> Value {
    json!({
        "id": "Ab-1", "externalId": "Ext", "userName": "Bjensen", "active": true, "title": "",
        "name": {"familyName": "Jénsen", "givenName": "Barbara"},
        "emails": [
            {"value": "bjensen@example.com", "type": "work", "primary": true},
            {"value": "babs@jensen.org", "type": "home"}
        ],
        "meta": {"lastModified": "2011-05-13T04:42:34Z", "resourceType": "User"},
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE_USER],
        "phoneNumbers": [],
        ENTERPRISE_USER: {"employeeNumber": "701984", "manager": {"value": "26118915-6090-4610"}}
    })
}

#[test]
fn matching_follows_the_rfc() {
    // Goal: every operator, caseExact, moments, several values, one element, no value (RFC 7644 §3.4.2.2).
    let user = kind("User");
    let resource = resource();
    let e = ENTERPRISE_USER;
    let rows = [
        ("userName eq \"bJENSEN\"", true),
        ("externalId eq \"ext\"", false),
        ("externalId eq \"Ext\"", true),
        ("id ne \"ab-1\"", true),
        ("name.familyName co \"ÉN\"", true),
        ("name.familyName sw \"jé\"", true),
        ("name.familyName ew \"SEN\"", true),
        ("userName sw \"bjensenx\"", false),
        ("userName ew \"xbjensen\"", false),
        ("userName gt \"bjenseM\"", true),
        ("userName ge \"BJENSEN\"", true),
        ("userName lt \"c\"", true),
        ("userName le \"a\"", false),
        ("active eq true", true),
        ("active ne false", true),
        ("active eq \"True\"", true),
        ("title pr", false),
        ("title eq null", true),
        ("title ne \"x\"", true),
        ("userName ne null", true),
        ("nickName sw \"x\"", false),
        ("phoneNumbers pr", false),
        ("emails pr", true),
        ("emails co \"jensen.org\"", true),
        ("emails.type eq \"WORK\"", true),
        ("emails.type ne \"work\"", true),
        ("emails[type eq \"work\" and value co \"jensen.org\"]", false),
        ("emails.type eq \"work\" and emails.value co \"jensen.org\"", true),
        ("emails[type eq \"work\"].value eq \"BJENSEN@example.com\"", true),
        ("emails[type eq \"home\"].value eq \"bjensen@example.com\"", false),
        ("emails[primary eq true]", true),
        ("emails[not (primary eq true)].type eq \"home\"", true),
        ("emails[primary eq \"True\"].type eq \"home\"", false),
        ("meta.lastModified gt \"2011-05-13T06:42:33+02:00\"", true),
        ("meta.lastModified eq \"2011-05-13T04:42:34.000Z\"", true),
        ("meta.lastModified lt \"2011-05-13T04:42:34Z\"", false),
        ("meta.lastModified sw \"2011-05\"", true),
        ("schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"", true),
        ("name pr", true),
        (&format!("{e}:employeeNumber eq 701984"), true),
        (&format!("{e}:manager eq \"26118915-6090-4610\""), true),
        (&format!("{e}:manager.displayName pr"), false),
        (&format!("{}:EMPLOYEENUMBER pr", e.to_uppercase()), true),
        ("not (userName eq \"x\") and (active eq true or title pr)", true),
    ];
    for (text, wanted) in rows {
        let filter = parse(text, Mode::Lenient).unwrap().resolve(&user, Mode::Lenient).unwrap();
        assert_eq!(filter.matches(&resource), wanted, "{text}");
        let read_again = parse(&parse(text, Mode::Lenient).unwrap().to_string(), Mode::Lenient).unwrap();
        assert_eq!(read_again, parse(text, Mode::Lenient).unwrap(), "{text}");
    }
}

#[test]
fn a_number_is_the_one_that_was_sent() {
    // Goal: what is read of a number with many digits prints and reads again as the same (found by the fuzzer).
    for text in
        ["x gt -51111100000000000000000000000000000000000000000000000000000000016397105843297379214", "x eq 0.1e-7"]
    {
        let filter = parse(text, Mode::Strict).unwrap();
        assert_eq!(parse(&filter.to_string(), Mode::Strict), Ok(filter), "{text}");
    }
}

#[test]
fn long_texts_are_searched_in_linear_time() {
    // Goal: hostile row B4: the worst text for a naive search, of a megabyte, is done at once, with the same answer.
    let user = kind("User");
    let ask = |wanted: &str| {
        let text = format!("title co \"{wanted}\"");
        parse(&text, Mode::Strict).unwrap().resolve(&user, Mode::Strict).unwrap()
    };
    let long = json!({"title": "aA".repeat(500_000) + "B"});
    assert!(ask(&("a".repeat(4_000) + "b")).matches(&long));
    assert!(!ask(&("a".repeat(4_000) + "ba")).matches(&long));
    let short = json!({"title": "xAaBx"});
    assert!(ask("aab").matches(&short) && !ask("aabb").matches(&short));
}

#[test]
fn plain_values_are_asked_by_value() {
    // Goal: a multi-valued attribute without sub-attributes takes value paths on `value` (RFC 7644 §3.5.2).
    let role = kind("Role");
    let ask = |text: &str| parse(text, Mode::Strict).unwrap().resolve(&role, Mode::Strict).unwrap();
    let resource = json!({"privileges": ["ORDER:write", "STOCK:read"], "rank": 3});
    assert!(ask("privileges[value eq \"stock:READ\"]").matches(&resource));
    assert!(ask("privileges co \"order\"").matches(&resource));
    assert!(ask("rank lt 3.5 and rank ge 3 and rank ne 4").matches(&resource));
    assert!(!ask("rank gt 3").matches(&resource));
}

//! Filters and paths as crates.io's `scim_v2` reads them, where both speak the language of the RFC.
//!
//! What it is known not to read (`not(` without a space, `$ref`, a value path with a sub-attribute in a filter) is not drawn.

use std::str::FromStr;

use proptest::prelude::*;
use scim::protocol::filter::{Filter, Literal, Mode, parse, parse_path};
use scim_v2::filter as other;

/// One form for both trees: chains are flat, whatever parentheses stood in them.
fn ours(filter: &Filter) -> String {
    let chain = |parts: &[Filter], sign: &str| {
        let shown = parts.iter().map(|part| match part {
            Filter::And(inner) if sign == "&" => strip(&ours(&Filter::And(inner.clone()))),
            Filter::Or(inner) if sign == "|" => strip(&ours(&Filter::Or(inner.clone()))),
            part => ours(part),
        });
        format!("({})", shown.collect::<Vec<_>>().join(sign))
    };
    match filter {
        Filter::And(parts) => chain(parts, "&"),
        Filter::Or(parts) => chain(parts, "|"),
        Filter::Not(part) => format!("!{}", ours(part)),
        Filter::Present { path } => format!("{path} pr"),
        Filter::Compare { path, op, value } => format!("{path} {} {}", op.name(), literal(value)),
        Filter::ValuePath { path, inner, .. } => format!("{path}[{}]", ours(inner)),
    }
}

fn literal(value: &Literal) -> String {
    value.to_string()
}

fn strip(text: &str) -> String {
    text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text).to_owned()
}

fn theirs(filter: &other::Filter) -> String {
    let chain = |parts: &[other::Filter], sign: &str| {
        let shown = parts.iter().map(|part| match part {
            other::Filter::And(_) if sign == "&" => strip(&theirs(part)),
            other::Filter::Or(_) if sign == "|" => strip(&theirs(part)),
            part => theirs(part),
        });
        format!("({})", shown.collect::<Vec<_>>().join(sign))
    };
    match filter {
        other::Filter::Attr(test) => test.to_string(),
        other::Filter::ValuePath(path) => format!("{}[{}]", path.attr, inner(&path.filter)),
        other::Filter::Not(part) => format!("!{}", theirs(part)),
        other::Filter::And(parts) => chain(parts.as_slice(), "&"),
        other::Filter::Or(parts) => chain(parts.as_slice(), "|"),
    }
}

fn inner(filter: &other::ValFilter) -> String {
    let chain = |parts: &[other::ValFilter], sign: &str| {
        let shown = parts.iter().map(|part| match part {
            other::ValFilter::And(_) if sign == "&" => strip(&inner(part)),
            other::ValFilter::Or(_) if sign == "|" => strip(&inner(part)),
            part => inner(part),
        });
        format!("({})", shown.collect::<Vec<_>>().join(sign))
    };
    match filter {
        other::ValFilter::Attr(test) => test.to_string(),
        other::ValFilter::Not(part) => format!("!{}", inner(part)),
        other::ValFilter::And(parts) => chain(parts.as_slice(), "&"),
        other::ValFilter::Or(parts) => chain(parts.as_slice(), "|"),
    }
}

/// Words of filters in any order: most of what comes out is no filter.
fn soup() -> impl Strategy<Value = String> {
    let words = vec![
        "a",
        "name.b",
        "urn:ietf:params:scim:schemas:core:2.0:User:c",
        "eq",
        "Ne",
        "CO",
        "sw",
        "ew",
        "gt",
        "ge",
        "lt",
        "le",
        "pr",
        "and",
        "OR",
        "not",
        "(",
        ")",
        "[",
        "]",
        "\"x\"",
        "\"q\\\"\\u00e9\"",
        "7",
        "-1.5",
        "true",
        "false",
        "null",
    ];
    prop::collection::vec(prop::sample::select(words), 0..10).prop_map(|words| {
        let mut text = String::new();
        for word in words {
            // A bracket follows its attribute at once, and no parenthesis does.
            if !text.is_empty() && !text.ends_with(['(', '[']) && !matches!(word, ")" | "]" | "[") {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    })
}

fn filter() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec!["a", "name.b", "urn:ietf:params:scim:schemas:core:2.0:User:name.c"]);
    let op = prop::sample::select(vec!["eq", "NE", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    let value = prop_oneof![
        "[a-z é\"\\\\]{0,4}".prop_map(|text| serde_json::Value::String(text).to_string()),
        prop::sample::select(vec!["true", "false", "null", "0", "-7", "1.5"]).prop_map(str::to_owned),
    ];
    let test = prop_oneof![
        (path.clone(), op, value).prop_map(|(path, op, value)| format!("{path} {op} {value}")),
        path.prop_map(|path| format!("{path} PR")),
    ];
    let tree = |leaf: BoxedStrategy<String>| {
        leaf.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" and ")),
                prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" or ")),
                inner.clone().prop_map(|part| format!("({part})")),
                inner.prop_map(|part| format!("not ({part})")),
            ]
        })
    };
    let element = tree(test.clone().boxed()).prop_map(|inner| format!("emails[{inner}]"));
    tree(prop_oneof![3 => test, 1 => element].boxed())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn filters_are_read_as_the_other_reads_them(text in filter()) {
        // Goal: two readers of one grammar make one tree.
        let own = parse(&text, Mode::Strict).map_err(|error| TestCaseError::fail(format!("{error:?}: {text}")))?;
        let foreign = other::Filter::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
        prop_assert_eq!(ours(&own), theirs(&foreign), "{}", text);
    }

    #[test]
    fn what_the_other_refuses_is_refused(text in soup()) {
        // Goal: both agree on what is a filter at all.
        // By the grammar an attribute may be called `true`; the other keeps the word for values.
        let words: Vec<&str> = text.split([' ', '(', ')', '[', ']']).collect();
        let literal = |word: &str| matches!(word, "true" | "false" | "null");
        let is_value = |before: Option<&str>| before.is_some_and(|word| word.len() == 2 && !literal(word));
        prop_assume!((0..words.len()).all(|at| !literal(words[at]) || is_value(at.checked_sub(1).map(|at| words[at]))));
        let (own, foreign) = (parse(&text, Mode::Strict), other::Filter::from_str(&text));
        prop_assert_eq!(own.is_ok(), foreign.is_ok(), "{}: {:?} {:?}", text, own, foreign.map(|filter| filter.to_string()));
        if let (Ok(own), Ok(foreign)) = (own, foreign) {
            prop_assert_eq!(ours(&own), theirs(&foreign), "{}", text);
        }
    }

    #[test]
    fn paths_are_read_as_the_other_reads_them(path in prop_oneof![
        Just("a".to_owned()), Just("name.b".to_owned()), Just("a.b.c".to_owned()), Just("roles[0]".to_owned()), Just(".a".to_owned()),
        filter().prop_map(|inner| format!("emails[{inner}]")),
        filter().prop_map(|inner| format!("urn:ietf:params:scim:schemas:core:2.0:User:emails[{inner}].value")),
    ]) {
        // Goal: the paths of PATCH (RFC 7644 figure 7).
        let (own, foreign) = (parse_path(&path, Mode::Strict), other::PatchPath::from_str(&path));
        prop_assert_eq!(own.is_ok(), foreign.is_ok(), "{}", path);
        if let (Ok(own), Ok(other::PatchPath::Value(foreign))) = (own, foreign) {
            prop_assert_eq!(own.path.to_string(), foreign.attr.to_string());
            prop_assert_eq!(own.sub, foreign.sub_attr);
            prop_assert_eq!(ours(&own.filter.unwrap()), inner(&foreign.filter));
        }
    }
}

//! Filters against a naive model: expressions are drawn, written down in random spelling, read again, and decided twice.
//!
//! The model knows nothing of schemas, places or folding: it has a list of columns, lower-cases everything and looks at every
//! value in turn.

use proptest::prelude::*;
use scim::protocol::filter::{Mode, parse, resolve_across};
use scim::schema::ENTERPRISE_USER as E;
use serde_json::{Value, json};

use crate::kind;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Folded,
    Exact,
    Flag,
    /// Moments are numbers in the model.
    Time,
}

/// A column: how it is called in a filter, and where it is in JSON.
#[derive(Debug, Clone, Copy)]
struct Column {
    name: &'static str,
    pointer: &'static [&'static str],
    kind: Type,
}

const COLUMNS: [Column; 10] = [
    Column { name: "userName", pointer: &["userName"], kind: Type::Folded },
    Column { name: "externalId", pointer: &["externalId"], kind: Type::Exact },
    Column { name: "active", pointer: &["active"], kind: Type::Flag },
    Column { name: "name.familyName", pointer: &["name", "familyName"], kind: Type::Folded },
    Column { name: "emails.value", pointer: &["emails", "value"], kind: Type::Folded },
    Column { name: "emails", pointer: &["emails", "value"], kind: Type::Folded },
    Column { name: "emails.primary", pointer: &["emails", "primary"], kind: Type::Flag },
    Column { name: "meta.lastModified", pointer: &["meta", "lastModified"], kind: Type::Time },
    Column {
        name: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        pointer: &[E, "department"],
        kind: Type::Folded,
    },
    Column {
        name: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        pointer: &[E, "manager", "value"],
        kind: Type::Exact,
    },
];

const OF_ELEMENTS: [Column; 3] = [
    Column { name: "value", pointer: &["value"], kind: Type::Folded },
    Column { name: "type", pointer: &["type"], kind: Type::Folded },
    Column { name: "primary", pointer: &["primary"], kind: Type::Flag },
];

#[derive(Debug, Clone)]
enum Word {
    Null,
    Flag(bool),
    Text(String),
    /// Minutes after 2020-01-01T00:00Z, and the zone to write it in.
    Time(i64, i64),
}

#[derive(Debug, Clone)]
enum Expression {
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Compare(Column, &'static str, Word),
    Present(Column),
    Element(Box<Expression>),
}

// --- drawing ---

const TEXTS: [&str; 9] = ["a", "A", "ab", "Ba", "é", "É", "b\"\\", "ba é", "z"];

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(TEXTS.to_vec()).prop_map(str::to_owned)
}

fn time() -> impl Strategy<Value = Word> {
    (0i64..4, prop::sample::select(vec![0i64, 60, -330])).prop_map(|(at, zone)| Word::Time(at, zone))
}

fn comparison(columns: &'static [Column]) -> impl Strategy<Value = Expression> {
    prop::sample::select(columns.to_vec()).prop_flat_map(|column| {
        let operators: Vec<&str> = match column.kind {
            Type::Flag => vec!["eq", "ne"],
            Type::Time => vec!["eq", "ne", "gt", "ge", "lt", "le"],
            _ => vec!["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"],
        };
        let word = match column.kind {
            Type::Flag => any::<bool>().prop_map(Word::Flag).boxed(),
            Type::Time => time().boxed(),
            _ => text().prop_map(Word::Text).boxed(),
        };
        prop_oneof![
            6 => (prop::sample::select(operators), word).prop_map(move |(op, word)| Expression::Compare(column, op, word)),
            1 => prop::sample::select(vec!["eq", "ne"]).prop_map(move |op| Expression::Compare(column, op, Word::Null)),
            2 => Just(Expression::Present(column)),
        ]
    })
}

fn tree(leaf: BoxedStrategy<Expression>) -> impl Strategy<Value = Expression> {
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Expression::And(a.into(), b.into())),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Expression::Or(a.into(), b.into())),
            inner.prop_map(|a| Expression::Not(a.into())),
        ]
    })
}

fn expression() -> impl Strategy<Value = Expression> {
    let element = tree(comparison(&OF_ELEMENTS).boxed()).prop_map(|inner| Expression::Element(inner.into()));
    tree(prop_oneof![3 => comparison(&COLUMNS), 1 => element].boxed())
}

fn resource() -> impl Strategy<Value = Value> {
    let some_text = || prop::option::of(text());
    let email = (some_text(), some_text(), prop::option::of(any::<bool>()))
        .prop_map(|(value, kind, primary)| json!({"value": value, "type": kind, "primary": primary}));
    (
        (some_text(), some_text(), prop::option::of(any::<bool>()), some_text()),
        prop::collection::vec(email, 0..3),
        (prop::option::of(time()), some_text(), some_text()),
    )
        .prop_map(|((user, external, active, family), emails, (modified, department, manager))| {
            let modified = modified.map(|word| spell_time(&word));
            json!({
                "userName": user, "externalId": external, "active": active, "name": {"familyName": family}, "emails": emails,
                "meta": {"lastModified": modified}, E: {"department": department, "manager": {"value": manager}}
            })
        })
}

// --- writing ---

fn spell_time(word: &Word) -> String {
    let Word::Time(at, zone) = word else { unreachable!() };
    let local = at + zone + 24 * 60;
    let (day, hour, minute) = (local / 1440, local / 60 % 24, local % 60);
    let date = if day == 0 { "2019-12-31".to_owned() } else { format!("2020-01-0{day}") };
    let zone = match zone {
        0 => "Z".to_owned(),
        zone => format!("{}{:02}:{:02}", if *zone < 0 { '-' } else { '+' }, zone.abs() / 60, zone.abs() % 60),
    };
    format!("{date}T{hour:02}:{minute:02}:00{zone}")
}

/// The text, with parentheses only where precedence demands them, spelled as the bits say.
fn write(expression: &Expression, bits: u64) -> String {
    let case = |word: &str| if bits & 1 == 0 { word.to_owned() } else { word.to_ascii_uppercase() };
    let inside = |part: &Expression| write(part, bits >> 1);
    match expression {
        Expression::And(a, b) => {
            let grouped = |part: &Expression| {
                if matches!(part, Expression::Or(..)) { format!("({})", inside(part)) } else { inside(part) }
            };
            format!("{} {} {}", grouped(a), case("and"), grouped(b))
        }
        Expression::Or(a, b) => format!("{} {} {}", inside(a), case("or"), inside(b)),
        Expression::Not(a) => format!("{}{}({})", case("not"), if bits & 2 == 0 { "" } else { " " }, inside(a)),
        Expression::Present(column) => format!("{} {}", case(column.name), case("pr")),
        Expression::Element(inner) => format!("{}[{}]", case("emails"), inside(inner)),
        Expression::Compare(column, op, word) => {
            let word = match word {
                Word::Null => "null".to_owned(),
                Word::Flag(flag) => flag.to_string(),
                Word::Text(text) => json!(text).to_string(),
                Word::Time(..) => json!(spell_time(word)).to_string(),
            };
            format!("{} {} {word}", case(column.name), case(op))
        }
    }
}

// --- the model ---

fn values<'a>(value: &'a Value, pointer: &[&str]) -> Vec<&'a Value> {
    if let Value::Array(elements) = value {
        return elements.iter().flat_map(|element| values(element, pointer)).collect();
    }
    match pointer {
        [] => Vec::from_iter(Some(value).filter(|value| !value.is_null() && **value != json!(""))),
        [first, rest @ ..] => value.get(first).map(|inner| values(inner, rest)).unwrap_or_default(),
    }
}

fn minutes(text: &str) -> i64 {
    (0..4).find(|at| [0, 60, -330].iter().any(|zone| spell_time(&Word::Time(*at, *zone)) == text)).unwrap()
}

fn holds(kind: Type, op: &str, value: &Value, word: &Word) -> bool {
    match (word, value) {
        (Word::Flag(flag), value) => (op == "eq") == (*value == json!(flag)),
        (Word::Time(at, _), Value::String(value)) => compares(op, &minutes(value), at),
        (Word::Text(word), Value::String(value)) => {
            let fold = |text: &str| if kind == Type::Exact { text.to_owned() } else { text.to_lowercase() };
            let (value, word) = (fold(value), fold(word));
            match op {
                "co" => value.contains(&word),
                "sw" => value.starts_with(&word),
                "ew" => value.ends_with(&word),
                op => compares(op, &value, &word),
            }
        }
        other => panic!("{other:?}"),
    }
}

fn compares<T: Ord>(op: &str, value: &T, word: &T) -> bool {
    match op {
        "eq" => value == word,
        "ne" => value != word,
        "gt" => value > word,
        "ge" => value >= word,
        "lt" => value < word,
        "le" => value <= word,
        other => panic!("{other}"),
    }
}

fn decide(expression: &Expression, resource: &Value) -> bool {
    match expression {
        Expression::And(a, b) => decide(a, resource) && decide(b, resource),
        Expression::Or(a, b) => decide(a, resource) || decide(b, resource),
        Expression::Not(a) => !decide(a, resource),
        Expression::Present(column) => !values(resource, column.pointer).is_empty() || has_element(column, resource),
        Expression::Element(inner) => {
            resource["emails"].as_array().unwrap().iter().any(|element| decide(inner, element))
        }
        Expression::Compare(column, op, word) => {
            let found = values(resource, column.pointer);
            match (word, *op) {
                (Word::Null, "eq") => found.is_empty(),
                (Word::Null, _) => !found.is_empty(),
                (_, "ne") => found.is_empty() || found.iter().any(|value| holds(column.kind, "ne", value, word)),
                (_, op) => found.iter().any(|value| holds(column.kind, op, value, word)),
            }
        }
    }
}

/// `emails pr` asks for an element with anything in it, not for one with a `value`.
fn has_element(column: &Column, resource: &Value) -> bool {
    column.name == "emails"
        && ["value", "type", "primary"].iter().any(|sub| !values(resource, &["emails", sub]).is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn filters_decide_as_the_model_does(expression in expression(), resource in resource(), bits: u64) {
        // Goal: grammar, precedence, spelling, types, case, elements and missing values, all at once (RFC 7644 §3.4.2.2).
        let text = write(&expression, bits);
        let user = kind("User");
        let filter = parse(&text, Mode::Strict).unwrap();
        let resolved = filter.resolve(&user, Mode::Strict).unwrap();
        prop_assert_eq!(resolved.matches(&resource), decide(&expression, &resource), "{}", text);
        // What is printed reads as the same; the lenient grammar is a superset; alone, a type is searched as among others.
        prop_assert_eq!(&parse(&filter.to_string(), Mode::Strict).unwrap(), &filter);
        prop_assert_eq!(&parse(&text, Mode::Lenient).unwrap(), &filter);
        let among = resolve_across(&filter, &[&user], Mode::Strict).unwrap();
        prop_assert_eq!(&among[0], &resolved);
    }
}

//! Filters on the wire and as strings.

use super::*;
use bytes::BytesMut;
use proptest::prelude::*;

const LIMITS: Limits = Limits::AFTER_BIND;

fn decode(octets: &[u8]) -> Result<FilterBuf, FilterError> {
    Filter::decode(octets, &LIMITS).map(FilterBuf::from)
}

fn octets_of(filter: &FilterBuf) -> BytesMut {
    let mut octets = BytesMut::new();
    filter.as_filter().encode(&mut Writer::new(&mut octets));
    octets
}

fn nested_not(nots: usize) -> BytesMut {
    let mut octets = BytesMut::new();
    let mut w = Writer::new(&mut octets);
    let open: Vec<_> = (0..nots).map(|_| w.open(NOT)).collect();
    w.octets(PRESENT, b"cn");
    open.into_iter().rev().for_each(|negation| w.close(negation));
    octets
}

/// Goal: what the grammar forbids is refused, never read as something wider.
#[test]
fn a4_malformed_filters_are_refused() {
    let trailing = FilterError::Ber(BerError::Trailing);
    let truncated = FilterError::Ber(BerError::Truncated);
    let cases: &[(&[u8], FilterError)] = &[
        (b"", FilterError::Ber(BerError::Choice(None))),
        (b"\x80\x00", FilterError::Ber(BerError::Choice(Some(Tag(0x80))))),
        (b"\xaa\x00", FilterError::Ber(BerError::Choice(Some(Tag(0xaa))))),
        (b"\xa7\x02cn", FilterError::Ber(BerError::Choice(Some(Tag(0xa7))))),
        // a set whose operand is cut short must not become the empty set, which is TRUE
        (b"\xa0\x02\x87\x02", truncated),
        (b"\xa0\x01\x87", truncated),
        (b"\xa1\x06\x87\x02cn\x87\x01", truncated),
        // a negation of none or of two
        (b"\xa2\x00", FilterError::Ber(BerError::Choice(None))),
        (b"\xa2\x08\x87\x02cn\x87\x02sn", trailing),
        // an assertion of one, or of three
        (b"\xa3\x04\x04\x02cn", FilterError::Ber(BerError::Expected { expected: Tag::OCTET_STRING, found: None })),
        (b"\xa3\x0a\x04\x02cn\x04\x01a\x04\x01b", trailing),
        // substrings: no part, empty part, initial after any, two initials, anything after final, unknown part
        (b"\xa4\x06\x04\x02cn\x30\x00", FilterError::NoPart),
        (b"\xa4\x08\x04\x02cn\x30\x02\x81\x00", FilterError::EmptyPart),
        (b"\xa4\x0c\x04\x02cn\x30\x06\x81\x01a\x80\x01b", FilterError::PartOrder),
        (b"\xa4\x0c\x04\x02cn\x30\x06\x80\x01a\x80\x01b", FilterError::PartOrder),
        (b"\xa4\x0c\x04\x02cn\x30\x06\x82\x01a\x81\x01b", FilterError::PartOrder),
        (b"\xa4\x0c\x04\x02cn\x30\x06\x82\x01a\x82\x01b", FilterError::PartOrder),
        (b"\xa4\x09\x04\x02cn\x30\x03\x83\x01a", FilterError::Ber(BerError::Choice(Some(Tag(0x83))))),
        (b"\xa4\x0b\x04\x02cn\x30\x03\x81\x01a\x04\x00", trailing),
        // extensible: no value, no target, fields out of order or twice, unknown field
        (b"\xa9\x04\x82\x02cn", FilterError::Ber(BerError::Expected { expected: VALUE, found: None })),
        (b"\xa9\x03\x83\x01a", FilterError::NoTarget),
        (b"\xa9\x06\x83\x01a\x84\x01\xff", FilterError::NoTarget),
        (b"\xa9\x07\x83\x01a\x82\x02cn", trailing),
        (
            b"\xa9\x0b\x82\x02cn\x82\x02sn\x83\x01a",
            FilterError::Ber(BerError::Expected { expected: VALUE, found: Some(TYPE) }),
        ),
        (b"\xa9\x0a\x82\x02cn\x83\x01a\x85\x01\xff", trailing),
        (b"\xa9\x0c\x82\x02cn\x83\x01a\x84\x03\x00\x00\xff", FilterError::Ber(BerError::BooleanLength)),
    ];
    for (octets, expected) in cases {
        assert_eq!(decode(octets).err(), Some(*expected), "{octets:02x?}");
    }
}

/// Goal: the empty sets of RFC 4526 are legal and stay what they are.
#[test]
fn b1_empty_sets_are_absolute_true_and_false() {
    assert_eq!(decode(b"\xa0\x00").unwrap().to_string(), "(&)");
    assert_eq!(decode(b"\xa1\x00").unwrap().to_string(), "(|)");
    assert_eq!(octets_of(&parse_string("(&)").unwrap())[..], b"\xa0\x00"[..]);
    assert_eq!(octets_of(&parse_string("(!(|))").unwrap())[..], b"\xa2\x02\xa1\x00"[..]);
}

/// Goal: forty filters on a path are read, 41 refused – on the wire and as a string.
#[test]
fn b1_depth_is_bounded() {
    let limit = LIMITS.filter_depth;
    assert!(decode(&nested_not(limit - 1)).is_ok());
    assert_eq!(decode(&nested_not(limit)).err(), Some(FilterError::Depth { limit }));

    let text = |nots: usize| format!("{}(cn=*){}", "(!".repeat(nots), ")".repeat(nots));
    assert_eq!(parse_string(&text(limit - 1)).unwrap().to_string(), text(limit - 1));
    let problem = StringProblem::Filter(FilterError::Depth { limit });
    assert_eq!(parse_string(&text(limit)).err().map(|error| error.problem), Some(problem));
    assert_eq!(parse_string(&text(100_000)).err().map(|error| error.problem), Some(problem));
}

/// Goal: the number of filters is bounded, whatever their arrangement.
#[test]
fn nodes_are_bounded() {
    let limit = LIMITS.filter_nodes;
    let set = |items: usize| FilterBuf::or(&vec![FilterBuf::present(b"a"); items]);
    assert!(Filter::decode(&octets_of(&set(limit - 1)), &LIMITS).is_ok());
    assert_eq!(Filter::decode(&octets_of(&set(limit)), &LIMITS), Err(FilterError::Nodes { limit }));
}

/// Goal: what a username holds cannot change the filter it is put into.
#[test]
fn b2_a_value_cannot_end_its_filter() {
    for hostile in ["*)(uid=*))(|(uid=*", "*", "\\2a", "a)(b", "\0", "(|(cn=*))"] {
        let filter = FilterBuf::and([
            &FilterBuf::equality(b"objectClass", b"person"),
            &FilterBuf::equality(b"uid", hostile.as_bytes()),
        ]);
        let Filter::And(items) = filter.as_filter() else { panic!("not a conjunction") };
        let items: Vec<_> = items.iter().collect();
        let uid = Filter::Equality(Assertion { attribute: b"uid", value: hostile.as_bytes() });
        assert_eq!(items[1..], [uid]);
        assert_eq!(parse_string(&filter.to_string()).unwrap(), filter, "{hostile:?}");
    }
}

/// Goal: string filters by the grammar of RFC 4515, with its own examples; each prints as given or as noted.
#[test]
fn rfc4515_strings() {
    for (text, printed) in [
        ("(cn=Babs Jensen)", None),
        ("(!(cn=Tim Howes))", None),
        ("(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))", None),
        ("(o=univ*of*mich*)", None),
        ("(seeAlso=)", None),
        ("(cn:caseExactMatch:=Fred Flintstone)", None),
        ("(cn:=Betty Rubble)", None),
        ("(sn:dn:2.4.6.8.10:=Barney Rubble)", None),
        ("(o:dn:=Ace Industry)", None),
        ("(:1.2.3:=Wilma Flintstone)", None),
        ("(:DN:2.4.6.8.10:=Dino)", Some("(:dn:2.4.6.8.10:=Dino)")),
        ("(o=Parens R Us \\28for all your parenthetical needs\\29)", None),
        ("(cn=*\\2A*)", Some("(cn=*\\2a*)")),
        ("(filename=C:\\5cMyFile)", None),
        ("(bin=\\00\\00\\00\\04)", None),
        ("(sn=Lu\\c4\\8di\\c4\\87)", Some("(sn=Lu\u{10d}i\u{107})")),
        ("(1.3.6.1.4.1.1466.0=\\04\\02\\48\\69)", Some("(1.3.6.1.4.1.1466.0=\\04\\02Hi)")),
        ("(cn=*)", None),
        ("(cn=a*)", None),
        ("(cn=*a)", None),
        ("(cn=*a*b*)", None),
        ("(cn;lang-de;x-b>=5)", None),
        ("(cn<=a=b)", None),
        ("(cn~=a:=b)", None),
        ("(cn=a**b)", Some("(cn=a*b)")),
        ("(cn=**)", Some("(cn=*)")),
        ("(cn=a&|!~<>=:b)", None),
        ("(objectGUID=\\ff\\fe)", None),
        ("(&)", None),
        ("(|)", None),
    ] {
        let filter = parse_string(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.to_string(), printed.unwrap_or(text));
    }
}

/// Goal: what RFC 4515 does not allow is an error at the right place.
#[test]
fn b3_strings_outside_the_grammar_are_refused() {
    use StringProblem::{Attribute, Escape, ExpectedClose, ExpectedOpen, Extensible, Operator, Trailing, Unescaped};
    for (text, offset, problem) in [
        ("", 0, ExpectedOpen),
        ("cn=a", 0, ExpectedOpen),
        (" (cn=a)", 0, ExpectedOpen),
        ("(cn=a", 5, ExpectedClose),
        ("(cn=a) ", 6, Trailing),
        ("(cn=a)(cn=b)", 6, Trailing),
        ("()", 1, Operator),
        ("(cn)", 3, Operator),
        ("(=a)", 1, Attribute),
        ("( cn=a)", 1, Attribute),
        ("(cn =a)", 1, Attribute),
        ("(c_n=a)", 1, Attribute),
        ("(cn;=a)", 1, Attribute),
        ("(1.02=a)", 1, Attribute),
        ("(\u{e9}=a)", 1, Attribute),
        ("(cn>a)", 3, Operator),
        ("(cn=\\zz)", 4, Escape),
        ("(cn=ab\\)", 6, Escape),
        ("(cn=\\0)", 4, Escape),
        ("(cn=\\", 4, Escape),
        ("(cn=a\0b)", 5, Unescaped),
        ("(cn=a(b)", 5, Unescaped),
        ("(cn>=a*)", 6, Unescaped),
        ("(cn~=*)", 5, Unescaped),
        ("(cn:=a*)", 6, Unescaped),
        ("(cn=a*\\x)", 6, Escape),
        ("(!(cn=a)(cn=b))", 8, ExpectedClose),
        ("(!)", 2, ExpectedOpen),
        ("(&cn=a)", 2, ExpectedClose),
        ("(& (cn=a))", 2, ExpectedClose),
        ("(:=a)", 1, Extensible),
        ("(:dn:=a)", 1, Extensible),
        ("(cn::=a)", 1, Extensible),
        ("(cn:dn:a:b:=a)", 1, Extensible),
        ("(cn:a b:=a)", 1, Extensible),
        ("(c n:rule:=a)", 1, Attribute),
    ] {
        assert_eq!(parse_string(text).err(), Some(FilterStringError { offset, problem }), "{text:?}");
    }
}

/// Goal: a hostile name prints so that it cannot pose as filter syntax or break a log line.
#[test]
fn hostile_names_print_escaped() {
    let filter = FilterBuf::equality(b"cn=a)(uid=*\n", b"x\ny");
    assert_eq!(filter.to_string(), "(cn\\3da\\29\\28uid\\3d\\2a\\0a=x\\0ay)");
}

/// Goal: B4 – ten thousand stars cost time in proportion, on the wire and as a string.
#[test]
fn b4_many_stars_are_linear() {
    let text = format!("(cn={}b)", "*a".repeat(10_000));
    let filter = parse_string(&text).unwrap();
    assert_eq!(filter.to_string(), text);
    let Filter::Substrings(substrings) = filter.as_filter() else { panic!("not a substring") };
    assert_eq!(substrings.parts.count(), 10_000);
    assert_eq!(substrings.parts.iter().last(), Some(Part::Final(b"ab")));
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"()*\\\0a:=".to_vec())], 0..8)
}

fn description() -> impl Strategy<Value = Vec<u8>> {
    "[a-zA-Z][a-zA-Z0-9-]{0,5}(;[a-z0-9-]{1,3})?|[0-2](\\.(0|[1-9][0-9]{0,2})){1,3}".prop_map(String::into_bytes)
}

fn non_empty() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..6)
}

pub(in crate::wire) fn any_filter() -> impl Strategy<Value = FilterBuf> {
    let rule = "[a-zA-Z][a-zA-Z0-9]{2,6}|1\\.2\\.[1-9]";
    let item = prop_oneof![
        (description(), value()).prop_map(|(a, v)| FilterBuf::equality(&a, &v)),
        (description(), value()).prop_map(|(a, v)| FilterBuf::greater_or_equal(&a, &v)),
        (description(), value()).prop_map(|(a, v)| FilterBuf::less_or_equal(&a, &v)),
        (description(), value()).prop_map(|(a, v)| FilterBuf::approx(&a, &v)),
        description().prop_map(|a| FilterBuf::present(&a)),
        (
            description(),
            prop::option::of(non_empty()),
            prop::collection::vec(non_empty(), 0..3),
            prop::option::of(non_empty())
        )
            .prop_filter_map("no part", |(a, initial, any, last)| {
                let parts: Vec<_> = initial
                    .iter()
                    .map(|part| Part::Initial(part))
                    .chain(any.iter().map(|part| Part::Any(part)))
                    .chain(last.iter().map(|part| Part::Final(part)))
                    .collect();
                FilterBuf::substrings(&a, &parts).ok()
            }),
        (prop::option::of(rule), prop::option::of(description()), value(), any::<bool>()).prop_filter_map(
            "no target",
            |(rule, attribute, value, dn_attributes)| {
                let rule = rule.as_ref().map(String::as_bytes);
                FilterBuf::extensible(&Extensible {
                    rule,
                    attribute: attribute.as_deref(),
                    value: &value,
                    dn_attributes,
                })
                .ok()
            }
        ),
    ];
    item.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|filters| FilterBuf::and(&filters)),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|filters| FilterBuf::or(&filters)),
            inner.prop_map(|filter| FilterBuf::negated(&filter)),
        ]
    })
}

proptest! {
    /// Goal: octets and string are two forms of one filter: each leads back to the other.
    #[test]
    fn both_forms_survive(filter in any_filter()) {
        let octets = octets_of(&filter);
        prop_assert_eq!(&decode(&octets).unwrap(), &filter);
        prop_assert_eq!(&parse_string(&filter.to_string()).unwrap(), &filter);
        prop_assert_eq!(octets_of(&parse_string(&filter.to_string()).unwrap()), octets);
    }

    /// Goal: no string makes the parser panic, and what it accepts prints as a string it accepts as the same.
    #[test]
    fn any_string_parses_or_fails(text in "[()&|!=~<>:*\\\\a-c0-9.;\\- \u{0}é]{0,24}") {
        if let Ok(filter) = parse_string(&text) {
            prop_assert_eq!(parse_string(&filter.to_string()).unwrap(), filter);
        }
    }
}

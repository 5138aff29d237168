//! Laws and examples of comparison keys: RFC 4517 §4.2 and RFC 4518.

use proptest::prelude::*;

use super::{MatchingRule, MatchingRule as Rule, Part, RuleKind};
use crate::schema::{Schema, Syntax};

fn key(rule: Rule, value: &str) -> Option<Vec<u8>> {
    Schema::standard().key(rule, value.as_bytes()).ok()
}

#[test]
fn equal_values_have_equal_keys_and_others_do_not() {
    // Goal: for each rule, the first group of spellings is one value, and each of the second is another.
    let cases: &[(Rule, &[&str], &[&str])] = &[
        (
            Rule::CaseIgnoreMatch,
            &["Foo Bar", "foo  bar", " FOO\tBAR ", "foo\u{a0}bar", "f\u{ad}oo bar", "ＦＯＯ bar"],
            &["foobar", "foo bar x"],
        ),
        (Rule::CaseIgnoreMatch, &["Straße", "STRASSE", "strasse", "straẞe"], &["strase"]),
        (Rule::CaseIgnoreMatch, &["Zoë", "zoe\u{308}", "ZOË"], &["zoe"]),
        (Rule::CaseIgnoreMatch, &["ΣΊΣΥΦΟΣ", "σίσυφος", "σίσυφοσ"], &["sisyphos"]),
        (Rule::CaseIgnoreMatch, &["℡", "TEL", "tel"], &["te"]),
        (Rule::CaseIgnoreMatch, &["ﬁn", "FIN", "fin"], &["fn"]),
        (Rule::CaseIgnoreMatch, &["ı"], &["i", "I"]),
        (Rule::CaseIgnoreMatch, &["a\u{200b}b", "ab", "a\u{feff}b"], &["a b"]),
        (Rule::CaseExactMatch, &["Foo Bar", " Foo  Bar"], &["foo bar", "FooBar"]),
        (Rule::CaseIgnoreIa5Match, &["A@B.c", "a@b.C", " a@b.c "], &["a@b.d"]),
        (Rule::CaseExactIa5Match, &["/bin/Sh", "/bin/Sh "], &["/bin/sh"]),
        (Rule::NumericStringMatch, &["15 079 672", "15079672", " 15079672 "], &["15079673"]),
        (
            Rule::TelephoneNumberMatch,
            &["+1 512-315", "+1512315", "+ 1 5-1-2 315 ", "+1\u{2010}512\u{2212}315"],
            &["+1512316", "1512315"],
        ),
        (
            Rule::CaseIgnoreListMatch,
            &["Main St.$Town", "main  st. $ TOWN"],
            &["Main St. Town", "Main St.$Town$X", r"Main St.\24Town"],
        ),
        (Rule::IntegerMatch, &["12"], &["-12", "120", "1"]),
        (Rule::BooleanMatch, &["TRUE", "true"], &["FALSE", "false"]),
        (
            Rule::GeneralizedTimeMatch,
            &[
                "20240101120000Z",
                "202401011200Z",
                "2024010112Z",
                "20240101130000+0100",
                "20240101120000,0Z",
                "202401010700-0500",
            ],
            &["20240101120001Z", "20240101120000.1Z"],
        ),
        (Rule::GeneralizedTimeMatch, &["20161231235960Z"], &["20170101000000Z", "20161231235959Z"]),
        (
            Rule::ObjectIdentifierMatch,
            &["inetOrgPerson", "INETORGPERSON", "2.16.840.1.113730.3.2.2"],
            &["person", "1.2.3"],
        ),
        (Rule::ObjectIdentifierMatch, &["cn", "commonName", "2.5.4.3"], &["sn"]),
        (
            Rule::ObjectIdentifierFirstComponentMatch,
            &["( 2.5.4.3 NAME ( 'cn' ) )", "(2.5.4.3)", "cn", "2.5.4.3"],
            &["sn"],
        ),
        (Rule::IntegerFirstComponentMatch, &["( 2 FORM x )", "2"], &["3"]),
        (
            Rule::UuidMatch,
            &["597ae2f6-16a6-1027-98f4-d28b5365dc14", "597AE2F6-16A6-1027-98F4-D28B5365DC14"],
            &["597ae2f6-16a6-1027-98f4-d28b5365dc15"],
        ),
        (Rule::BitStringMatch, &["'0101'B"], &["'01010'B", "'0100'B"]),
        (Rule::OctetStringMatch, &["a"], &["A", "a "]),
    ];
    for (rule, same, different) in cases {
        let first = key(*rule, same[0]).unwrap();
        for value in *same {
            assert_eq!(key(*rule, value), Some(first.clone()), "{rule:?} {value:?}");
        }
        for value in *different {
            let other = key(*rule, value);
            assert!(other.is_some() && other != Some(first.clone()), "{rule:?} {value:?}");
        }
    }
}

#[test]
fn names_match_by_the_rules_of_their_types() {
    // Goal: case, spaces, escapes, names or OIDs and the order in an RDN do not matter; the order of RDNs does.
    for rule in [Rule::DistinguishedNameMatch, Rule::UniqueMemberMatch] {
        let first = key(rule, "CN=Ann Lee+UID=ann,DC=Example,dc=com").unwrap();
        let same = [
            "uid=ANN+cn=ann  lee,dc=example,dc=COM",
            "2.5.4.3=Ann Lee + 0.9.2342.19200300.100.1.1=ann , dc=example , dc=com",
            r"commonName=\41nn Lee+userid=ann,domainComponent=example,dc=com",
        ];
        for name in same {
            assert_eq!(key(rule, name), Some(first.clone()), "{name}");
        }
        for name in [
            "cn=Ann Lee,dc=example,dc=com",
            "dc=example,cn=Ann Lee+uid=ann,dc=com",
            "cn=Ann Lee,uid=ann,dc=example,dc=com",
        ] {
            assert_ne!(key(rule, name), Some(first.clone()), "{name}");
        }
    }
    let plain = key(Rule::DistinguishedNameMatch, "cn=a");
    assert_eq!(key(Rule::UniqueMemberMatch, "CN=A"), plain);
    assert_eq!(key(Rule::UniqueMemberMatch, "cn=a#'01'B"), key(Rule::UniqueMemberMatch, "CN=A #'01'B"));
    assert_ne!(key(Rule::UniqueMemberMatch, "cn=a#'01'B"), plain);
}

#[test]
fn values_without_a_key_are_undefined() {
    // Goal: what a rule cannot compare is an error and never a false match (RFC 4511 §4.5.1.7).
    let cases: &[(Rule, &[&str])] = &[
        (Rule::CaseIgnoreMatch, &["", "\u{e000}", "\u{fffd}", "\u{ffff}", "\u{301}a"]),
        (Rule::CaseIgnoreIa5Match, &["é"]),
        (Rule::NumericStringMatch, &["", "1a"]),
        (Rule::IntegerMatch, &["", "01", "1a", "1 "]),
        (Rule::BooleanMatch, &["", "yes"]),
        (Rule::GeneralizedTimeMatch, &["", "2024", "20240230000000Z"]),
        (Rule::ObjectIdentifierMatch, &["", "noSuchThing", "1."]),
        (Rule::DistinguishedNameMatch, &["cn", "noSuchType=a", "cn=a,"]),
        (Rule::UuidMatch, &["", "597ae2f6", "597ae2f6-16a6-1027-98f4-d28b5365dc1z"]),
        (Rule::BitStringMatch, &["01"]),
    ];
    for (rule, values) in cases {
        for value in *values {
            assert_eq!(key(*rule, value), None, "{rule:?} {value:?}");
        }
    }
    assert!(Schema::standard().key(Rule::CaseIgnoreMatch, b"a\xff").is_err(), "UTF-8");
}

#[test]
fn raw_and_text_uuids_are_the_same() {
    // Goal: clients of Active Directory assert the sixteen bytes.
    let uuid = uuid::Uuid::parse_str("597ae2f6-16a6-1027-98f4-d28b5365dc14").unwrap();
    let schema = Schema::standard();
    let text = schema.key(Rule::UuidMatch, uuid.to_string().as_bytes()).unwrap();
    assert_eq!(text, uuid.as_bytes());
    assert_eq!(schema.key(Rule::UuidMatch, uuid.as_bytes()).unwrap(), text);
}

#[test]
fn spaces_are_prepared_as_rfc_4518_says() {
    // Goal: §2.6.1, with one space for the RFC's two and none at the ends; a space with a mark on it is significant.
    let cases = [
        ("foo bar  ", "foo bar"),
        ("  ", ""),
        ("a \u{301}", "a \u{301}"),
        ("a  \u{301}b", "a  \u{301}b"),
        ("\u{3000}日\u{3000}\u{3000}本\u{3000}", "日 本"),
    ];
    for (value, expected) in cases {
        assert_eq!(key(Rule::CaseIgnoreMatch, value).unwrap(), expected.as_bytes(), "{value:?}");
    }
    let parts = [
        (Part::Initial, " foo  bar ", "foo bar "),
        (Part::Any, " foo  bar ", " foo bar "),
        (Part::Final, " foo  bar ", " foo bar"),
        (Part::Initial, "  ", " "),
        (Part::Any, "  ", " "),
        (Part::Final, "É ", "é"),
    ];
    for (part, value, expected) in parts {
        let mut out = Vec::new();
        Rule::CaseIgnoreSubstringsMatch.normalize_substring(part, value.as_bytes(), &mut out).unwrap();
        assert_eq!(out, expected.as_bytes(), "{part:?} {value:?}");
    }
}

#[test]
fn every_character_has_a_stable_key() {
    // Goal: preparing a key again changes nothing, for each character but ideographs, syllables and private ones.
    let schema = Schema::standard();
    let planes = [
        '\0'..='\u{33ff}',
        '\u{a000}'..='\u{abff}',
        '\u{f900}'..='\u{11fff}',
        '\u{1d000}'..='\u{1ffff}',
        '\u{2f800}'..='\u{2fa1f}',
        '\u{e0000}'..='\u{e01ff}',
    ];
    for rule in [Rule::CaseIgnoreMatch, Rule::CaseExactMatch] {
        for character in planes.iter().cloned().flatten() {
            let value = format!("x{character}y");
            let Ok(first) = schema.key(rule, value.as_bytes()) else { continue };
            assert_eq!(schema.key(rule, &first).as_ref(), Ok(&first), "{rule:?} U+{:04X}", u32::from(character));
        }
    }
}

#[test]
fn special_rules_look_inside_of_values() {
    // Goal: bits, words, substrings and order are answered by `matches`; chains are not.
    let schema = Schema::standard();
    let cases = [
        (Rule::BitAnd, "514", "2", Some(true)),
        (Rule::BitAnd, "512", "2", Some(false)),
        (Rule::BitAnd, "3", "6", Some(false)),
        (Rule::BitOr, "3", "6", Some(true)),
        (Rule::BitOr, "1", "6", Some(false)),
        (Rule::BitAnd, "-2147483646", "2", Some(true)),
        (Rule::BitAnd, "x", "2", None),
        (Rule::BitAnd, "99999999999999999999", "1", None),
        (Rule::WordMatch, "The quick, brown Fox", "QUICK", Some(true)),
        (Rule::WordMatch, "The quick, brown Fox", "qui", Some(false)),
        (Rule::CaseIgnoreOrderingMatch, "apple", "Banana", Some(true)),
        (Rule::IntegerOrderingMatch, "10", "9", Some(false)),
        (Rule::CaseIgnoreSubstringsMatch, "The quick", "t*QUI*", Some(true)),
        (Rule::CaseIgnoreMatch, "A", "a", Some(true)),
        (Rule::InChain, "cn=a", "cn=a", None),
    ];
    for (rule, value, assertion, expected) in cases {
        let answer = schema.matches(rule, value.as_bytes(), assertion.as_bytes()).ok();
        assert_eq!(answer, expected, "{rule:?} {value} {assertion}");
    }
}

#[test]
fn rules_are_found_by_name_and_oid() {
    // Goal: extensible filters name rules either way, in any case.
    let schema = Schema::standard();
    for rule in MatchingRule::ALL {
        assert_eq!(schema.find_rule(rule.oid().as_bytes()), Some(*rule));
        assert_eq!(schema.find_rule(rule.name().to_uppercase().as_bytes()), Some(*rule));
        assert!(rule.kind() != RuleKind::Substrings || rule.syntax() != Syntax::DirectoryString, "{rule:?}");
    }
    assert_eq!(schema.find_rule(b"2.5.13.999"), None);
}

/// Decimal numbers without leading zeros, up to 300 digits.
fn integers() -> impl Strategy<Value = String> {
    "(0|-?[1-9][0-9]{0,9}|-?[1-9][0-9]{95,105}|-?[1-9][0-9]{299})"
}

fn compare_integers(a: &str, b: &str) -> std::cmp::Ordering {
    let sign = |text: &str| !text.starts_with('-');
    let digits = |text: &str| text.trim_start_matches('-').to_owned();
    let magnitude = |a: &str, b: &str| digits(a).len().cmp(&digits(b).len()).then(digits(a).cmp(&digits(b)));
    match (sign(a), sign(b)) {
        (true, true) => magnitude(a, b),
        (false, false) => magnitude(b, a),
        (a, b) => a.cmp(&b),
    }
}

proptest! {
    #[test]
    fn keys_of_text_are_keys_of_themselves(text in "\\PC{0,12}|[ -~]{0,20}|[\\u{0}-\\u{3ff}]{0,12}") {
        // Goal: preparation is idempotent, so that a stored key and a key made from it agree.
        for rule in [Rule::CaseIgnoreMatch, Rule::CaseExactMatch, Rule::CaseIgnoreIa5Match, Rule::TelephoneNumberMatch] {
            if let Some(first) = key(rule, &text).filter(|key| !key.is_empty()) {
                prop_assert_eq!(Schema::standard().key(rule, &first), Ok(first), "{:?}", rule);
            }
        }
    }

    #[test]
    fn case_and_spaces_do_not_count(text in "[a-z]{1,5}( [a-zäöü]{1,5}){0,3}") {
        // Goal: upper case and more spaces are the same value to people and to the directory.
        let louder = format!("  {}  ", text.to_uppercase().replace(' ', " \t "));
        prop_assert_eq!(key(Rule::CaseIgnoreMatch, &louder), key(Rule::CaseIgnoreMatch, &text));
    }

    #[test]
    fn ascii_and_unicode_ways_agree(text in "[\\x00-\\x7f]{1,20}") {
        // Goal: the fast way is only faster: beside a character that is not ASCII, the same bytes come out.
        let fast = key(Rule::CaseIgnoreMatch, &format!("x{text}x")).unwrap();
        let slow = key(Rule::CaseIgnoreMatch, &format!("éx{text}x")).unwrap();
        prop_assert_eq!(&slow["é".len()..], fast);
    }

    #[test]
    fn integer_keys_are_in_the_order_of_integers(a in integers(), b in integers()) {
        // Goal: an index on numbers is a range scan.
        let (left, right) = (key(Rule::IntegerMatch, &a).unwrap(), key(Rule::IntegerMatch, &b).unwrap());
        prop_assert_eq!(left.cmp(&right), compare_integers(&a, &b), "{} {}", a, b);
    }

    #[test]
    fn small_integers_too(a in any::<i32>(), b in any::<i32>()) {
        // Goal: as above, against the machine's own order.
        let (left, right) = (key(Rule::IntegerMatch, &a.to_string()), key(Rule::IntegerMatch, &b.to_string()));
        prop_assert_eq!(left.cmp(&right), a.cmp(&b));
    }

    #[test]
    fn time_keys_are_in_the_order_of_time(
        a in (1800u32..2200, 1u32..13, 1u32..29, 0u32..24, 0u32..60, 0u32..60, 0u32..1000),
        b in (1800u32..2200, 1u32..13, 1u32..29, 0u32..24, 0u32..60, 0u32..60, 0u32..1000),
        zone in -23i32..24,
    ) {
        // Goal: an index on times is a range scan, and the zone of the spelling does not matter.
        let text = |t: (u32, u32, u32, u32, u32, u32, u32), zone: &str| {
            format!("{:04}{:02}{:02}{:02}{:02}{:02}.{:03}{zone}", t.0, t.1, t.2, t.3, t.4, t.5, t.6)
        };
        let rule = Rule::GeneralizedTimeOrderingMatch;
        prop_assert_eq!(key(rule, &text(a, "Z")).cmp(&key(rule, &text(b, "Z"))), a.cmp(&b));
        let zone = format!("{}{:02}30", if zone < 0 { '-' } else { '+' }, zone.abs());
        prop_assert_eq!(key(rule, &text(a, &zone)).cmp(&key(rule, &text(b, &zone))), a.cmp(&b));
    }

    #[test]
    fn nothing_makes_a_rule_or_syntax_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        // Goal: values come from the network.
        let schema = Schema::standard();
        for rule in MatchingRule::ALL {
            let _ = schema.key(*rule, &bytes);
            let _ = schema.matches(*rule, &bytes, &bytes);
            for part in [Part::Initial, Part::Any, Part::Final] {
                let _ = rule.normalize_substring(part, &bytes, &mut Vec::new());
            }
        }
        for syntax in Syntax::ALL {
            let _ = syntax.validate(&bytes);
        }
    }

    #[test]
    fn a_part_of_a_value_is_found_in_it(text in "[a-zA-Z ]{1,12}", from in 0usize..12, length in 1usize..12) {
        // Goal: any stretch of a value, asserted between stars, matches the value (RFC 4518 appendix B).
        let part: String = text.chars().skip(from).take(length).collect();
        prop_assume!(!part.is_empty());
        let matched = Schema::standard().matches(Rule::CaseIgnoreSubstringsMatch, text.as_bytes(), format!("*{part}*").as_bytes());
        prop_assert_eq!(matched, Ok(true));
    }
}

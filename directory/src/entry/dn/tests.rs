//! Names in all their spellings, the laws of the key, and the hostile rows.

#![expect(clippy::arithmetic_side_effects, reason = "tests count in small numbers")]

use proptest::prelude::*;

use super::{
    Ava, Dn, DnKey, InvalidDn as E, MAX_BYTES, MAX_RDNS, Rdn, RdnKey, is_within, parent_of, rebase, split_rdn,
    subtree_end,
};
use crate::schema::Schema;

fn key(text: &str) -> Result<DnKey, E> {
    let schema = Schema::standard();
    let key = DnKey::parse(&schema, text.as_bytes());
    // Both ways to a key must agree, on what they refuse as well.
    assert_eq!(key, Dn::parse(text.as_bytes()).and_then(|dn| DnKey::of(&schema, &dn)), "{text:?}");
    key
}

#[test]
fn spellings_of_one_name_have_one_key() {
    // Goal: row B6: every spelling of a name leads to the same key, so to the same entry and the same rights.
    let table: &[&[&str]] = &[
        &[
            "uid=bob,ou=people,dc=example,dc=com",
            "UID=Bob , OU=People,DC=EXAMPLE,dc=com",
            "  uid  =  bob  ,  ou=people,dc=example,dc=com  ",
            "0.9.2342.19200300.100.1.1=bob,ou=people,dc=example,dc=com",
            "userid=bob,organizationalUnitName=people,domainComponent=example,0.9.2342.19200300.100.1.25=com",
            "uid=b\\6fb,ou=people,dc=example,dc=com",
            "uid=b\\6Fb,ou=\\70eople,dc=example,dc=com",
            "uid=#0403626f62,ou=people,dc=example,dc=com",
            "uid=#0C03626F62 ,ou=people,dc=example,dc=com",
            "uid= #1303626f62,ou=people,dc=example,dc=com",
            "uid=#048103626f62,ou=people,dc=example,dc=com",
            "uid=\"bob\",ou=\" people \" ,dc=example,dc=com",
            "uid=\"b\\6fb\",ou=people,dc=example,dc=com",
            "uid=bob;ou=people;dc=example,dc=com",
            "uid=\\ bob\\ ,ou=people,dc=example,dc=com",
        ],
        &["uid=bob+cn=x", "cn=x+uid=bob", "CN = X + uid = Bob", "userid=BOB+2.5.4.3=x"],
        &["cn=a b", "cn=a   b", "CN=\"A B\"", "cn=a\\20\\20b"],
        &["cn=x", "2.5.4.3=X", "commonName=x"],
        &["cn=a\\,b", "cn=\"a,b\"", "cn=a\\2cb", "cn=a\\2Cb"],
        &["cn=a=b", "cn=a\\=b", "cn=a\\3db"],
        &["cn=\\#1", "cn=\\231", "cn=\"#1\""],
        &["cn=é", "cn=É", "cn=\\c3\\a9", "cn=e\u{301}"],
        &["cn=a\\\\b", "cn=\"a\\\\b\""],
        &["cn=a\\\"b", "cn=\"a\\\"b\""],
        &[""],
    ];
    for names in table {
        let first = key(names[0]).unwrap_or_else(|e| panic!("{:?}: {e}", names[0]));
        for name in *names {
            assert_eq!(key(name).as_ref(), Ok(&first), "{name:?}");
            assert_eq!(DnKey::from_bytes(first.as_bytes().to_vec()).as_ref(), Some(&first));
        }
    }
    let mut all: Vec<_> = table.iter().map(|names| key(names[0]).unwrap()).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), table.len(), "different names have different keys");
}

#[test]
fn what_is_no_name_is_refused() {
    // Goal: rows B6 and B7: each malformed name has its reason.
    let table: &[(&str, E)] = &[
        (" ", E::EmptyRdn),
        (",", E::EmptyRdn),
        ("uid=bob,", E::EmptyRdn),
        ("uid=bob, ", E::EmptyRdn),
        (",uid=bob", E::EmptyRdn),
        ("uid=bob,,dc=com", E::EmptyRdn),
        ("uid=bob+", E::EmptyRdn),
        ("uid=bob++cn=x", E::EmptyRdn),
        ("uid=bob;", E::EmptyRdn),
        ("bob", E::BadType),
        ("=bob", E::BadType),
        ("u id=bob", E::BadType),
        ("uid_=bob", E::BadType),
        ("-uid=bob", E::BadType),
        ("uid.x=bob", E::BadType),
        ("2=bob", E::BadType),
        ("2.05.4=bob", E::BadType),
        ("2..5=bob", E::BadType),
        ("2.5.4.3.=bob", E::BadType),
        ("OID.2.5.4.3=bob", E::BadType),
        ("oid.2.5.4.3=bob", E::BadType),
        ("cn;lang-de=bob", E::BadType),
        ("<cn=a>", E::BadType),
        ("ünit=x", E::BadType),
        ("uid=", E::EmptyValue),
        ("uid= ", E::EmptyValue),
        ("uid=,dc=com", E::EmptyValue),
        ("uid=\"\"", E::EmptyValue),
        ("uid=#0400", E::EmptyValue),
        ("uid=bob\\", E::BadEscape),
        ("uid=b\\zz", E::BadEscape),
        ("uid=b\\6", E::BadEscape),
        ("uid=b\\6,dc=com", E::BadEscape),
        ("uid=\"b\\\"", E::BadQuote),
        ("uid=#", E::BadHex),
        ("uid=#0", E::BadHex),
        ("uid=#04", E::BadHex),
        ("uid=#040", E::BadHex),
        ("uid=#0403626f", E::BadHex),
        ("uid=#0403626f6263", E::BadHex),
        ("uid=#0203626f62", E::BadHex),
        ("uid=#3003626f62", E::BadHex),
        ("uid=#2403626f62", E::BadHex),
        ("uid=#0480626f62", E::BadHex),
        ("uid=#04ff", E::BadHex),
        ("uid=#0403626f6g", E::BadHex),
        ("uid=#0403 626f62", E::BadHex),
        ("uid=b\"ob", E::Unescaped),
        ("uid=b<ob", E::Unescaped),
        ("uid=b>ob", E::Unescaped),
        ("uid=b\0ob", E::Unescaped),
        ("uid=\"b\0ob\"", E::Unescaped),
        ("uid=\"bob", E::BadQuote),
        ("uid=\"bob\"x", E::BadQuote),
        ("uid=\"bob\" x,dc=com", E::BadQuote),
        ("nonsense=bob", E::UnknownAttribute),
        ("1.2.3.4=bob", E::UnknownAttribute),
        ("cn=x+cn=x", E::RepeatedType),
        ("cn=x+commonName=y", E::RepeatedType),
        ("cn=x+uid=b+2.5.4.3=y", E::RepeatedType),
        ("member=cn\\=x", E::NotNaming),
        ("seeAlso=seeAlso=seeAlso=cn=x", E::NotNaming),
        ("userPassword=x", E::NotNaming),
        ("cn=\\ff", E::BadValue),
        ("dc=\\c3\\a9", E::BadValue),
    ];
    for (text, expected) in table {
        assert_eq!(key(text), Err(*expected), "{text:?}");
    }
    assert_eq!(DnKey::parse(&Schema::standard(), b"cn=\xff"), Err(E::NotUtf8));
}

#[test]
fn the_bounds_hold() {
    // Goal: row B7: 64 KiB and 10 000 RDNs are refused, whatever they are made of, after one pass.
    let schema = Schema::standard();
    let rdns = |count: usize| vec!["cn=a"; count].join(",");
    assert_eq!(key(&rdns(MAX_RDNS)).map(|key| key.depth()), Ok(MAX_RDNS));
    assert_eq!(key(&rdns(MAX_RDNS + 1)), Err(E::TooManyRdns));
    assert_eq!(key(&rdns(10_000)), Err(E::TooManyRdns));
    let long = format!("cn={}", "a".repeat(MAX_BYTES - 3));
    assert!(key(&long).is_ok());
    assert_eq!(DnKey::parse(&schema, format!("{long}a").as_bytes()), Err(E::TooLong));
    assert_eq!(key(&vec!["cn=a"; 13_000].join("+")), Err(E::RepeatedType));
    for text in ["\\", "\"", "#04", " ", ",", "+", "=", "seeAlso="] {
        let text = text.repeat(MAX_BYTES / text.len());
        assert!(DnKey::parse(&schema, text.as_bytes()).is_err(), "{text:.10}");
    }
    let wide = Dn { rdns: vec![Rdn::single("cn", vec![b'a'; MAX_BYTES])] };
    assert_eq!(DnKey::of(&schema, &wide), Err(E::TooLong), "a name that was put together obeys the same bound");
    let empty = Dn { rdns: vec![Rdn { avas: Vec::new() }] };
    assert_eq!(DnKey::of(&schema, &empty), Err(E::EmptyRdn));
    assert_eq!(DnKey::of(&schema, &Dn { rdns: vec![Rdn::single("cn", "")] }), Err(E::EmptyValue));
}

#[test]
fn names_are_printed_with_the_least_escapes() {
    // Goal: RFC 4514 §2.4 and its examples in §4.
    let table: &[(&str, &str)] = &[
        ("UID=jsmith , DC=example,DC=net", "UID=jsmith,DC=example,DC=net"),
        ("OU=Sales+CN=J.  Smith,DC=example", "OU=Sales+CN=J.  Smith,DC=example"),
        ("CN=James \\\"Jim\\\" Smith\\, III", "CN=James \\\"Jim\\\" Smith\\, III"),
        ("CN=Before\\0dAfter", "CN=Before\\0dAfter"),
        ("1.3.6.1.4.1.1466.0=#04024869", "1.3.6.1.4.1.1466.0=Hi"),
        ("CN=Lu\\C4\\8Di\\C4\\87", "CN=Lučić"),
        ("cn=\\20a\\20", "cn=\\ a\\ "),
        ("cn=\\20", "cn=\\ "),
        ("cn=\"#a;b\"", "cn=\\#a\\;b"),
        ("cn=a\\#b\\=c", "cn=a#b=c"),
        ("cn=\\00\\7f\\ff\\20", "cn=\\00\\7f\\ff\\ "),
        ("", ""),
    ];
    for (text, printed) in table {
        assert_eq!(Dn::parse(text.as_bytes()).unwrap().to_string(), *printed, "{text:?}");
    }
}

#[test]
fn the_parts_of_a_name_are_at_hand() {
    // Goal: parent, child and RDN agree between the written form and the key.
    let schema = Schema::standard();
    let (text, parent, rdn) = ("cn=b+sn=x,ou=p,o=t", "ou=p,o=t", "sn=X+cn=B");
    let dn = Dn::parse(text.as_bytes()).unwrap();
    assert_eq!(dn.parent().unwrap().to_string(), parent);
    assert_eq!(dn.parent().unwrap().child(dn.rdn().unwrap().clone()), dn);
    assert_eq!(Dn::default().parent(), None);
    let key_of = |text: &str| key(text).unwrap();
    let rdn_key = RdnKey::parse(&schema, rdn.as_bytes()).unwrap();
    assert_eq!(RdnKey::of(&schema, dn.rdn().unwrap()).as_ref(), Ok(&rdn_key));
    assert_eq!(key_of(text).parent(), Some(key_of(parent).as_bytes()));
    assert_eq!(key_of(text).parent_len(), key_of(parent).as_bytes().len());
    assert_eq!(key_of(text).rdn_key(), rdn_key.as_bytes());
    assert_eq!(key_of(parent).append(&rdn_key), key_of(text));
    assert_eq!(DnKey::ROOT, key_of(""));
    assert_eq!((DnKey::ROOT.parent(), DnKey::ROOT.rdn_key(), DnKey::ROOT.depth()), (None, [].as_slice(), 0));
    assert_eq!(key_of("o=t").parent(), Some([].as_slice()));
    let path: Vec<_> = ["o=t", "ou=p,o=t", text].iter().map(|text| key_of(text).into_bytes()).collect();
    assert_eq!(key_of(text).path().collect::<Vec<_>>(), path);
    for wrong in ["", "cn=a,cn=b", "cn=a,"] {
        assert!(RdnKey::parse(&schema, wrong.as_bytes()).is_err() && Rdn::parse(wrong.as_bytes()).is_err());
    }
    assert_eq!(Rdn::parse(b"cn=a").unwrap(), Rdn::single("cn", "a"));
}

#[test]
fn a_rename_moves_keys() {
    // Goal: after a rename every key below the old name begins with the new one, and no other key moves.
    let key_of = |text: &str| key(text).unwrap().into_bytes();
    let (from, to) = (key_of("ou=a,o=t"), key_of("ou=b,ou=c,o=t"));
    assert_eq!(rebase(&key_of("cn=x,ou=a,o=t"), &from, &to), Some(key_of("cn=x,ou=b,ou=c,o=t")));
    assert_eq!(rebase(&from, &from, &to), Some(to.clone()));
    assert_eq!(rebase(&key_of("cn=x,ou=ab,o=t"), &from, &to), None);
    assert_eq!(rebase(&key_of("o=t"), &from, &to), None);
}

#[test]
fn bytes_that_are_no_key_are_refused() {
    // Goal: a damaged row of the store is noticed, not misread.
    let key = key("cn=a,o=t").unwrap().into_bytes();
    for length in 1..key.len() {
        let expected = (length == key.len() - split_rdn(&key).unwrap().1.len()).then_some(length);
        assert_eq!(DnKey::from_bytes(key[..length].to_vec()).map(|key| key.as_bytes().len()), expected);
    }
    assert_eq!(DnKey::from_bytes(vec![0, 3, b'a', 0, 7]), None);
    assert_eq!(split_rdn(b""), None);
}

/// Values of naming types, from what is likely to go wrong.
fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]{1,3}", "[ -~]{1,8}", "[ab,+;=\"<>#\\\\ ]{1,6}", "\\PC{1,4}"]
        .prop_filter("a value of spaces has no key", |value| !value.trim().is_empty())
}

/// Types with an alias and an OID each.
const TYPES: [[&str; 3]; 4] = [
    ["cn", "commonName", "2.5.4.3"],
    ["ou", "organizationalUnitName", "2.5.4.11"],
    ["uid", "userid", "0.9.2342.19200300.100.1.1"],
    ["o", "organizationName", "2.5.4.10"],
];

fn rdn() -> impl Strategy<Value = Rdn> {
    proptest::sample::subsequence(vec![0_usize, 1, 2, 3], 1..3)
        .prop_flat_map(|types| types.into_iter().map(|t| (Just(t), value())).collect::<Vec<_>>())
        .prop_map(|avas| Rdn {
            avas: avas
                .into_iter()
                .map(|(t, value)| Ava { attribute: TYPES[t][0].to_owned(), value: value.into_bytes() })
                .collect(),
        })
}

fn dn() -> impl Strategy<Value = Dn> {
    proptest::collection::vec(rdn(), 0..5).prop_map(|rdns| Dn { rdns })
}

/// Writes a name in another way: types, case of ASCII, escapes, quotes, spaces, separators and the order of
/// assertions as the bits of `choice` say.
fn respell(dn: &Dn, mut choice: u64) -> String {
    let mut next = |below: u64| {
        choice = choice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (choice >> 33) % below
    };
    let mut out = String::new();
    for (position, rdn) in dn.rdns.iter().enumerate() {
        if position > 0 {
            out += [",", ";", " , ", "  ,"][usize::try_from(next(4)).unwrap()];
        }
        let mut avas: Vec<_> = rdn.avas.iter().collect();
        if next(2) == 0 {
            avas.reverse();
        }
        for (position, ava) in avas.into_iter().enumerate() {
            out += if position == 0 { "" } else { [" + ", "+"][usize::try_from(next(2)).unwrap()] };
            let names = TYPES.iter().find(|names| names[0] == ava.attribute).unwrap();
            let name = names[usize::try_from(next(3)).unwrap()];
            out += &if next(2) == 0 { name.to_uppercase() } else { name.to_owned() };
            out += [" = ", "="][usize::try_from(next(2)).unwrap()];
            match next(4) {
                0 => {
                    out += "\"";
                    for &byte in &ava.value {
                        out += &format!("\\{byte:02X}");
                    }
                    out += "\"";
                }
                1 if ava.value.len() < 128 => {
                    out += &format!("#0c{:02x}", ava.value.len());
                    ava.value.iter().for_each(|byte| out += &format!("{byte:02x}"));
                }
                2 => out += Rdn { avas: vec![ava.clone()] }.to_string().split_once('=').unwrap().1,
                _ => {
                    for &byte in &ava.value {
                        let byte = if next(2) == 0 { byte.to_ascii_uppercase() } else { byte };
                        out += &format!("\\{byte:02x}");
                    }
                }
            }
        }
    }
    out
}

proptest! {
    #[test]
    fn a_printed_name_is_read_as_the_same(
        rdns in proptest::collection::vec(
            proptest::collection::vec(("[a-zA-Z][a-zA-Z0-9-]{0,4}|2\\.5\\.4\\.[1-9]", proptest::collection::vec(
                prop_oneof![any::<u8>(), Just(b' '), Just(b'\\'), Just(b'#'), Just(b'"')], 1..6)), 1..3),
            0..5),
    ) {
        // Goal: parse ∘ print = id for any bytes.
        let dn = Dn {
            rdns: rdns.into_iter()
                .map(|avas| Rdn { avas: avas.into_iter().map(|(attribute, value)| Ava { attribute, value }).collect() })
                .collect(),
        };
        let printed = dn.to_string();
        let has_control = printed.chars().any(|c| c.is_ascii_control());
        prop_assert!(!has_control);
        prop_assert_eq!(Dn::parse(printed.as_bytes()), Ok(dn));
    }

    #[test]
    fn every_spelling_has_the_same_key(dn in dn(), choice in any::<u64>()) {
        // Goal: case, spaces, escapes, aliases and order never make another name (row B6).
        let schema = Schema::standard();
        let text = respell(&dn, choice);
        if let Ok(key) = DnKey::of(&schema, &dn) {
            prop_assert_eq!(DnKey::parse(&schema, text.as_bytes()), Ok(key.clone()), "{}", text);
            prop_assert_eq!(DnKey::parse(&schema, dn.to_string().as_bytes()), Ok(key.clone()));
            prop_assert_eq!(DnKey::from_bytes(key.as_bytes().to_vec()), Some(key));
        }
    }

    #[test]
    fn a_key_begins_with_exactly_the_keys_of_its_ancestors(one in dn(), other in dn(), cut in any::<prop::sample::Index>()) {
        // Goal: the prefix law, also for near relatives; and that the subtree is the range up to `subtree_end`.
        let schema = Schema::standard();
        let cut = cut.index(one.rdns.len() + 1);
        let ancestor = Dn { rdns: one.rdns[cut..].to_vec() };
        let cousin = Dn { rdns: other.rdns.iter().cloned().chain(ancestor.rdns.iter().cloned()).collect() };
        let keys = |dn: &Dn| -> Option<Vec<DnKey>> {
            // Root first, by definition: the key of each RDN alone.
            dn.rdns.iter().rev().map(|rdn| DnKey::of(&schema, &Dn { rdns: vec![rdn.clone()] }).ok()).collect()
        };
        let names = [&one, &other, &ancestor, &cousin];
        for (a, b) in names.iter().flat_map(|a| names.iter().map(move |b| (a, b))) {
            let (Some(rdns_a), Some(rdns_b)) = (keys(a), keys(b)) else { continue };
            let (key_a, key_b) = (DnKey::of(&schema, a).unwrap(), DnKey::of(&schema, b).unwrap());
            let within = rdns_a.starts_with(&rdns_b);
            prop_assert_eq!(key_a.is_within(&key_b), within);
            prop_assert_eq!(is_within(key_a.as_bytes(), key_b.as_bytes()), within);
            let in_range = key_a >= key_b
                && subtree_end(key_b.as_bytes()).is_none_or(|end| key_a.as_bytes() < end.as_slice());
            prop_assert_eq!(in_range, within);
            prop_assert_eq!(key_a.depth(), a.rdns.len());
            prop_assert_eq!(parent_of(key_a.as_bytes()), key_a.parent());
            let parent = a.parent().map(|parent| DnKey::of(&schema, &parent).unwrap());
            prop_assert_eq!(key_a.parent(), parent.as_ref().map(DnKey::as_bytes));
        }
    }

    #[test]
    fn no_text_is_too_strange(text in "[a-c=,+;\\\\\"# 0-9.]{0,30}|\\PC{0,30}", bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        // Goal: no panic, and both ways to a key agree.
        let schema = Schema::standard();
        for text in [text.as_bytes(), &bytes, &[b"cn=", bytes.as_slice()].concat()] {
            prop_assert_eq!(DnKey::parse(&schema, text), Dn::parse(text).and_then(|dn| DnKey::of(&schema, &dn)));
        }
    }
}

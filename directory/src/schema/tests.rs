//! Lookups and relations of the schema as a whole.

use super::*;

#[test]
fn types_are_found_by_every_name_in_any_case() {
    // Goal: names and OIDs of all types and classes lead back to them, and nothing else does.
    let schema = Schema::standard();
    for attribute in schema.attributes() {
        for name in attribute.names.iter().copied().chain([attribute.oid]) {
            for spelling in [name.to_owned(), name.to_uppercase(), name.to_lowercase()] {
                assert_eq!(schema.find_attribute(spelling.as_bytes()).map(|found| found.id), Some(attribute.id));
            }
        }
        assert_eq!(schema.attribute(attribute.id).name(), attribute.name());
    }
    for class in schema.classes() {
        assert_eq!(schema.find_class(class.name().to_uppercase().as_bytes()).map(|found| found.id), Some(class.id));
    }
    for name in [&b""[..], b"cn;lang-de", b" cn", b"nothing", b"2.5.4.3.1", &[0xff; 300]] {
        assert!(schema.find_attribute(name).is_none() && schema.find_class(name).is_none());
    }
}

#[test]
fn foreign_numbers_are_harmless() {
    // Goal: a number that no type has gives the placeholder, which stores and matches nothing.
    let schema = Schema::standard();
    for number in [0, 0x7fff, FIRST_CUSTOM, u16::MAX] {
        let attribute = schema.attribute(AttributeId(number));
        assert_eq!(
            (attribute.storage, attribute.equality, attribute.is_operational()),
            (Storage::Computed, None, true)
        );
        assert!(schema.subtypes(AttributeId(number)).is_empty());
        assert!(schema.class(ClassId(number)).is_none() && schema.superclasses(ClassId(number)).is_empty());
    }
}

#[test]
fn subtypes_and_superclasses_are_transitive() {
    // Goal: a filter on a supertype finds values of its subtypes, an entry is of all classes above its own.
    let schema = Schema::standard();
    let names = |ids: &[AttributeId]| ids.iter().map(|id| schema.attribute(*id).name()).collect::<Vec<_>>();
    let subtypes = |name: &[u8]| names(schema.subtypes(schema.find_attribute(name).unwrap().id));
    assert_eq!(subtypes(b"cn"), ["cn"]);
    assert!(["name", "cn", "sn", "ou", "nisMapName"].iter().all(|name| subtypes(b"name").contains(name)));
    assert_eq!(subtypes(b"distinguishedName"), ["distinguishedName", "member", "owner", "roleOccupant", "seeAlso"]);
    let class = schema.find_class(b"inetOrgPerson").unwrap();
    let above: Vec<&str> =
        schema.superclasses(class.id).iter().filter_map(|id| schema.class(*id)).map(ObjectClass::name).collect();
    assert_eq!(above, ["inetOrgPerson", "organizationalPerson", "person", "top"]);
}

#[test]
#[ignore = "a measurement, not a check: cargo test --release -p directory schema::tests::cost -- --ignored --nocapture"]
fn cost_of_lookups_and_keys() {
    // Goal: figures for what every search does: about 50 ns for a key of a short ASCII value.
    let schema = Schema::standard();
    let mut out = Vec::with_capacity(256);
    let mut measure = |name: &str, run: &mut dyn FnMut(&mut Vec<u8>)| {
        let rounds = 2_000_000_u32;
        let start = std::time::Instant::now();
        for _ in 0..rounds {
            out.clear();
            run(&mut out);
            std::hint::black_box(&out);
        }
        println!("{name}: {:.1} ns", start.elapsed().as_nanos() as f64 / f64::from(rounds));
    };
    let values: [(&str, MatchingRule, &str); 9] = [
        ("caseIgnore, 12 bytes", MatchingRule::CaseIgnoreMatch, "Jane Example"),
        (
            "caseIgnore, 60 bytes",
            MatchingRule::CaseIgnoreMatch,
            "The quick brown fox jumps over the lazy dog and runs away by",
        ),
        ("caseIgnore, not ASCII", MatchingRule::CaseIgnoreMatch, "Jané Example"),
        ("caseIgnoreIA5", MatchingRule::CaseIgnoreIa5Match, "jane@example.com"),
        ("integer", MatchingRule::IntegerMatch, "100042"),
        ("generalizedTime", MatchingRule::GeneralizedTimeMatch, "20260101120000Z"),
        ("objectIdentifier", MatchingRule::ObjectIdentifierMatch, "inetOrgPerson"),
        ("telephoneNumber", MatchingRule::TelephoneNumberMatch, "+49 89 1234-567"),
        ("uuid", MatchingRule::UuidMatch, "597ae2f6-16a6-1027-98f4-d28b5365dc14"),
    ];
    for (name, rule, value) in values {
        measure(name, &mut |out| {
            schema.normalize(std::hint::black_box(rule), std::hint::black_box(value.as_bytes()), out).unwrap();
        });
    }
    measure("distinguishedName", &mut |out| {
        let name = std::hint::black_box(&b"uid=jane,ou=people,dc=example,dc=com"[..]);
        schema.normalize(MatchingRule::DistinguishedNameMatch, name, out).unwrap();
    });
    measure("find_attribute", &mut |_| {
        std::hint::black_box(schema.find_attribute(std::hint::black_box(b"telephoneNumber")));
    });
    measure("description", &mut |_| {
        std::hint::black_box(AttributeDescription::parse(&schema, std::hint::black_box(b"givenName")).unwrap());
    });
}

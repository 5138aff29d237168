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

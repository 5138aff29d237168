//! The tables, read as a whole.

use super::*;

fn standard() -> Schemas {
    Schemas::of(&directory::schema::Schema::standard())
}

#[test]
fn every_type_and_schema_is_found_in_any_spelling() {
    // Goal: names, endpoints and URIs lead to the tables (RFC 7643 §6, §7).
    let schemas = standard();
    assert_eq!(
        schemas.resource_types.iter().map(|kind| kind.name.as_str()).collect::<Vec<_>>(),
        ["User", "Group", "Role"]
    );
    for name in ["User", "/Users", "Users"] {
        assert_eq!(schemas.resource_type(name).unwrap().uri(), USER);
    }
    assert!(schemas.resource_type("/Things").is_none());
    assert_eq!(schemas.schema(&USER.to_uppercase()).unwrap().id, USER);
    let ids: Vec<_> = schemas.schemas.iter().map(|schema| schema.id.as_str()).collect();
    assert_eq!(ids, [USER, ENTERPRISE_USER, ACCOUNT_STATE, GROUP, ROLE]);
}

#[test]
fn a_path_leads_to_its_attribute() {
    // Goal: URNs and names in any case, extensions only by their URN (RFC 7644 §3.10).
    let schemas = standard();
    let user = schemas.resource_type("User").unwrap();
    let path = |urn, name, sub| user.place(urn, name, sub).map(|place| place.path());
    assert_eq!(path(None, "USERNAME", None).unwrap(), "userName");
    let lower = USER.to_lowercase();
    assert_eq!(path(Some(&lower), "name", Some("FAMILYname")).unwrap(), "name.familyName");
    assert_eq!(path(None, "meta", Some("lastmodified")).unwrap(), "meta.lastModified");
    assert_eq!(
        path(Some(ENTERPRISE_USER), "manager", Some("$REF")).unwrap(),
        format!("{ENTERPRISE_USER}:manager.$ref")
    );
    assert_eq!(path(None, "manager", None), None);
    assert_eq!(path(None, "userName", Some("x")), None);
    assert_eq!(path(Some("urn:x"), "userName", None), None);
}

#[test]
fn the_tables_obey_the_rules_of_tables() {
    // Goal: no name twice, no complex inside complex, secrets are not returned, read-only reaches down (RFC 7643 §2, §7).
    for schema in standard().schemas {
        let mut names: Vec<_> = schema.attributes.iter().map(|a| a.name.to_ascii_lowercase()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), schema.attributes.len(), "{}", schema.id);
        for attribute in &schema.attributes {
            assert!(!attribute.description.is_empty(), "{}", attribute.name);
            assert!(attribute.subs().iter().all(|sub| !sub.is_complex() && !sub.multi_valued), "{}", attribute.name);
            if attribute.mutability == Mutability::ReadOnly {
                assert!(
                    attribute.subs().iter().all(|sub| sub.mutability == Mutability::ReadOnly),
                    "{}",
                    attribute.name
                );
            }
            assert_eq!(attribute.mutability == Mutability::WriteOnly, attribute.returned == Returned::Never);
        }
    }
}

#[test]
fn attributes_made_at_run_time_make_extensions() {
    // Goal: X-SCIM 'URN:name' is an attribute of the extension URN, with type, case and number of values from its syntax and
    // rules; a URN that ends in Group is of groups; core URNs take nothing.
    use directory::schema::{FIRST_CUSTOM, SchemaBuilder, extension::attribute_type};
    let lines = [
        "( 1.3.9.1 NAME 'acmeBadge' DESC 'badge' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 \
         SINGLE-VALUE X-SCIM 'urn:acme:2.0:User:badge' )",
        "( 1.3.9.2 NAME 'acmeSkill' DESC 'skill' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 \
         X-SCIM 'urn:acme:2.0:User:skills' )",
        "( 1.3.9.3 NAME 'acmeFloor' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE \
         NO-USER-MODIFICATION X-SCIM 'urn:acme:2.0:Group:floor' )",
    ];
    let mut builder = SchemaBuilder::with_catalog();
    for (line, number) in lines.iter().zip(FIRST_CUSTOM..) {
        builder.attribute(attribute_type(number, line).unwrap());
    }
    let schemas = Schemas::of(&builder.build().unwrap());
    let user = schemas.resource_type("User").unwrap();
    let own = schemas.schema("urn:acme:2.0:User").unwrap();
    assert_eq!((own.name.as_str(), own.attributes.len()), ("User", 2));
    let badge = user.place(Some("URN:ACME:2.0:user"), "BADGE", None).unwrap();
    assert_eq!(badge.path(), "urn:acme:2.0:User:badge");
    assert!(badge.attribute.case_exact && !badge.attribute.multi_valued && badge.attribute.description == "badge");
    let skills = user.place(Some("urn:acme:2.0:User"), "skills", None).unwrap().attribute;
    assert!(!skills.case_exact && skills.multi_valued);
    let group = schemas.resource_type("Group").unwrap();
    let floor = group.place(Some("urn:acme:2.0:Group"), "floor", None).unwrap().attribute;
    assert_eq!((&floor.kind, floor.mutability), (&Kind::Integer, Mutability::ReadOnly));
    assert!(user.extension("urn:acme:2.0:Group").is_none());
}

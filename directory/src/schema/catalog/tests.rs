//! What holds for the whole catalog: it builds, its numbers are pinned, and its lines obey the rules of RFC 4512.

use std::fmt::Write as _;

use crate::schema::{
    AttributeType, Index, MatchingRule, ObjectClass, RuleKind, Schema, SchemaBuilder, Storage, Usage, kind::ClassKind,
};

#[test]
fn the_catalog_is_free_of_errors() {
    // Goal: every name resolves, no number, name or OID is given twice.
    assert_eq!(SchemaBuilder::with_catalog().build().err(), None);
}

#[test]
fn numbers_never_change() {
    // Goal: records hold these numbers. The golden file only ever grows at the ends of its two lists.
    let schema = Schema::standard();
    let mut text = String::from("# number OID name, append-only\nattribute types\n");
    for attribute in schema.attributes() {
        writeln!(text, "{} {} {}", attribute.id.0, attribute.oid, attribute.name()).unwrap();
    }
    text.push_str("object classes\n");
    for class in schema.classes() {
        writeln!(text, "{} {} {}", class.id.0, class.oid, class.name()).unwrap();
    }
    crate::schema::golden::check("catalog.txt", &text);
}

#[test]
fn rules_fit_their_place() {
    // Goal: an equality rule is one, operational attributes with user values are not indexed by accident.
    let kind = |rule: Option<MatchingRule>| rule.map(MatchingRule::kind);
    for attribute in Schema::standard().attributes() {
        let name = attribute.name();
        assert!(matches!(kind(attribute.equality), None | Some(RuleKind::Equality)), "{name}");
        assert!(matches!(kind(attribute.ordering), None | Some(RuleKind::Ordering)), "{name}");
        assert!(matches!(kind(attribute.substring), None | Some(RuleKind::Substrings)), "{name}");
        assert!(attribute.index == Index::None || attribute.storage == Storage::Entry, "{name}: index of nothing");
        assert!(attribute.index == Index::None || attribute.equality.is_some(), "{name}: index without a rule");
        assert!(attribute.index != Index::Text || attribute.substring.is_some(), "{name}: trigrams without a rule");
        // RFC 4512 §4.1.2; Apache Directory's LDAP API, which Studio is made of, refuses the whole schema otherwise.
        assert!(!attribute.no_user_modification || attribute.usage != Usage::User, "{name}");
        assert!(!attribute.description.is_empty() && !attribute.origin.is_empty(), "{name}");
    }
}

#[test]
fn what_a_class_demands_it_does_not_also_allow() {
    // Goal: no type stands in both lists of a class; Apache Directory's LDAP API refuses the whole schema otherwise.
    for class in Schema::standard().classes() {
        assert!(class.must.iter().all(|id| !class.may.contains(id)), "{}", class.name());
    }
}

#[test]
fn trigrams_are_kept_for_few() {
    // Goal: every further type in the shared trigram index costs each write; adding one is a decision.
    let text: Vec<&str> =
        Schema::standard().attributes().filter(|a| a.index == Index::Text).map(AttributeType::name).collect();
    let expected = ["cn", "givenName", "o", "ou", "sn", "uid", "mail", "displayName"];
    assert_eq!(text, expected);
}

#[test]
fn faces_are_unambiguous() {
    // Goal: a SCIM path or an OIDC claim belongs to one attribute type.
    let schema = Schema::standard();
    for face in [|a: &AttributeType| a.scim, |a: &AttributeType| a.claim] {
        let mut faces: Vec<&str> = schema.attributes().filter_map(face).collect();
        let count = faces.len();
        faces.sort_unstable();
        faces.dedup();
        assert_eq!(faces.len(), count);
    }
}

#[test]
fn special_types_live_where_they_must() {
    // Goal: passwords are never read or searched, memberships are edges, account state is not in the entry.
    let schema = Schema::standard();
    let cases = [
        ("userPassword", Storage::Credential, Index::None, false),
        ("pwdHistory", Storage::Credential, Index::None, false),
        ("member", Storage::Edge, Index::None, true),
        ("uniqueMember", Storage::Edge, Index::None, true),
        ("memberOf", Storage::Edge, Index::None, true),
        ("pwdAccountLockedTime", Storage::Account, Index::None, true),
        ("rollbookState", Storage::Account, Index::None, true),
        ("entryDN", Storage::Computed, Index::None, true),
        ("entryUUID", Storage::Computed, Index::None, true),
        ("jpegPhoto", Storage::Entry, Index::None, true),
        ("uidNumber", Storage::Entry, Index::Equality, true),
    ];
    for (name, storage, index, filterable) in cases {
        let attribute = schema.find_attribute(name.as_bytes()).unwrap();
        assert_eq!(
            (attribute.storage, attribute.index, attribute.is_filterable()),
            (storage, index, filterable),
            "{name}"
        );
    }
}

#[test]
fn only_classes_of_both_rfc_2307_forms_stand_alone() {
    // Goal: the exception to RFC 4512 §2.4.2 stays an exception.
    let schema = Schema::standard();
    let alone: Vec<&str> = schema.classes().filter(|class| class.stands_alone).map(ObjectClass::name).collect();
    assert_eq!(alone, ["posixGroup"]);
    assert!(schema.classes().filter(|class| class.stands_alone).all(|class| class.kind == ClassKind::Auxiliary));
}

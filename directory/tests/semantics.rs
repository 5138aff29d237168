//! What a request means: each rule here was a difference from what the RFCs say, found by comparing with another server.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "other test programs use the rest")]
mod common;

use common::World;
use directory::change::{Change, ModificationKind, Target};
use directory::error::Reason;
use directory::filter::Filter;
use directory::search::Scope;

const HOME: &str = "dc=example,dc=com";
const ADA: &str = "uid=ada,ou=people,dc=example,dc=com";
const GROUP: &str = "cn=group,dc=example,dc=com";

fn extensible(rule: Option<&str>, attribute: Option<&str>, value: &str) -> Filter {
    let octets = |text: &str| text.as_bytes().to_vec();
    let (rule, attribute) = (rule.map(octets), attribute.map(octets));
    Filter::Extensible { rule, attribute, value: octets(value), dn_attributes: false }
}

fn equal(attribute: &str, value: &str) -> Filter {
    Filter::Equal(attribute.into(), value.into())
}

#[tokio::test]
async fn a_request_is_refused_for_what_it_says_before_what_the_entry_holds() {
    // Goal: what no entry could take is refused without one: two values of a single-valued type (19), a value twice (20),
    // a sum of texts (19), values of a range of languages (17), unknown classes (21), and a name that is none (34) before.
    let world = World::new().await;
    let nobody = "uid=nobody,dc=example,dc=com";
    let cases: [(ModificationKind, &str, &[&str], Reason); 6] = [
        (ModificationKind::Replace, "employeeNumber", &["1", "2"], Reason::Constraint),
        (ModificationKind::Add, "title", &["One", "one"], Reason::ValueExists),
        (ModificationKind::Increment, "title", &["1"], Reason::Constraint),
        (ModificationKind::Add, "title;lang-", &["x"], Reason::UndefinedAttribute),
        (ModificationKind::Delete, "objectClass", &["noSuchClass"], Reason::InvalidValue),
        (ModificationKind::Add, "manager", &["noSuchType=x,dc=example,dc=com"], Reason::InvalidValue),
    ];
    for (kind, attribute, values, reason) in cases {
        let refused = world.modify(nobody, kind, attribute, values).await.unwrap_err();
        assert_eq!(refused.reason, reason, "{attribute}");
        let refused = world.modify("no dn", kind, attribute, values).await.unwrap_err();
        assert_eq!(refused.reason, Reason::InvalidName, "{attribute}");
    }
    world.verify();
}

#[tokio::test]
async fn an_entry_is_judged_by_what_it_is_then_by_what_it_has() {
    // Goal: another structural class is ClassChange though its attributes would not be allowed either, and a value of the
    // RDN that is deleted is NotAllowedOnRdn though it is required too (RFC 4511 §4.6).
    let world = World::new().await;
    world.person("ada", "ou=people,dc=example,dc=com").await.unwrap();
    world.modify(ADA, ModificationKind::Add, "givenName", &["Ada"]).await.unwrap();
    world.modify(ADA, ModificationKind::Add, "objectClass", &["person", "organizationalPerson"]).await.unwrap();
    let refused = world.modify(ADA, ModificationKind::Delete, "objectClass", &["inetOrgPerson"]).await.unwrap_err();
    assert_eq!(refused.reason, Reason::ClassChange);

    world.add(GROUP, &[("objectClass", "groupOfNames")]).await.unwrap();
    let refused = world.modify(GROUP, ModificationKind::Delete, "cn", &["group"]).await.unwrap_err();
    assert_eq!(refused.reason, Reason::NotAllowedOnRdn);
    world.verify();
}

#[tokio::test]
async fn names_are_kept_under_the_short_names_of_their_types() {
    // Goal: RFC 4514 §2.3: an entry added or renamed under numbers and long names is shown under the short ones.
    let world = World::new().await;
    let unit = [("objectClass", "organizationalUnit")];
    world.add("2.5.4.11=North,dc=example,dc=com", &unit).await.unwrap();
    assert_eq!(world.search(HOME, Scope::One, "ou", "north").await, ["ou=North,dc=example,dc=com"]);
    let change = Change::Rename {
        target: Target::Dn(b"ou=north,dc=example,dc=com".to_vec()),
        new_rdn: b"organizationalUnitName=South".to_vec(),
        delete_old: true,
        new_superior: None,
    };
    world.change(change).await.unwrap();
    assert_eq!(world.search(HOME, Scope::One, "ou", "south").await, ["ou=South,dc=example,dc=com"]);
    world.verify();
}

#[tokio::test]
async fn nothing_is_put_below_an_alias_or_itself() {
    // Goal: add and rename below an alias are AliasProblem and name it; below oneself is refused, existing or not.
    let world = World::new().await;
    world.person("ada", "ou=people,dc=example,dc=com").await.unwrap();
    let alias = "cn=alias,dc=example,dc=com";
    let classes = [("objectClass", "alias"), ("objectClass", "extensibleObject"), ("aliasedObjectName", ADA)];
    world.add(alias, &classes).await.unwrap();
    let unit = [("objectClass", "organizationalUnit")];
    let named = Reason::AliasProblem { matched: alias.to_owned() };
    assert_eq!(world.add("ou=x,cn=alias,dc=example,dc=com", &unit).await.unwrap_err().reason, named);
    let to = |from: &str, superior: &str| Change::Rename {
        target: Target::Dn(from.into()),
        new_rdn: b"ou=x".to_vec(),
        delete_old: false,
        new_superior: Some(superior.into()),
    };
    assert_eq!(world.change(to("ou=people,dc=example,dc=com", alias)).await.unwrap_err().reason, named);
    for own in ["ou=people,dc=example,dc=com", "ou=nowhere,dc=example,dc=com"] {
        assert_eq!(world.change(to(own, &format!("ou=y,{own}"))).await.unwrap_err().reason, Reason::Unwilling);
    }
    world.verify();
}

#[tokio::test]
async fn rules_and_supertypes_reach_what_they_compare() {
    // Goal: a rule applies to the types whose syntax it compares (RFC 4517 §4.1), names are found in edges too, an unknown
    // class is Undefined by name and false by number (§4.2.26), options are covered by ranges and nothing else.
    let world = World::new().await;
    world.person("ada", "ou=people,dc=example,dc=com").await.unwrap();
    world.modify(ADA, ModificationKind::Add, "telephoneNumber", &["+49 30 1"]).await.unwrap();
    world.modify(ADA, ModificationKind::Add, "title;lang-de-AT", &["Gräfin"]).await.unwrap();

    world.add(GROUP, &[("objectClass", "groupOfNames"), ("member", ADA)]).await.unwrap();
    let not = |filter| Filter::Not(Box::new(filter));
    let both = |filter| Filter::And(vec![equal("uid", "ada"), filter]);
    let cases: Vec<(Filter, &[&str])> = vec![
        (extensible(Some("caseExactMatch"), None, "+49 30 1"), &[ADA]),
        (extensible(Some("caseIgnoreMatch"), Some("telephoneNumber"), "+49 30 1"), &[ADA]),
        (extensible(Some("integerMatch"), Some("telephoneNumber"), "1"), &[]),
        (extensible(Some("distinguishedNameMatch"), None, ADA), &[GROUP]),
        (extensible(Some("distinguishedNameMatch"), Some("memberOf"), GROUP), &[ADA]),
        (equal("distinguishedName", ADA), &[GROUP]),
        (Filter::Present(b"distinguishedName".to_vec()), &[GROUP]),
        (both(not(equal("objectClass", "noSuchClass"))), &[]),
        (both(not(equal("objectClass", "1.2.3.4.5"))), &[ADA]),
        (both(not(equal("cn;binary", "x"))), &[]),
        (both(not(equal("entryUUID;x-a", "x"))), &[]),
        (equal("title", "gräfin"), &[ADA]),
        (equal("name;lang-de-", "gräfin"), &[ADA]),
        (equal("title;lang-de-at-", "gräfin"), &[ADA]),
        (equal("title;lang-de", "gräfin"), &[]),
        (both(not(equal("userCertificate", "x"))), &[]),
    ];
    for (filter, found) in cases {
        assert_eq!(world.find(HOME, Scope::Subtree, &filter).await, found, "{filter:?}");
    }
    world.verify();
}

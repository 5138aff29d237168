//! Attribute types and classes of the deployment's own, at the LDAP door: written, searched, shown, kept.

use directory::schema::FIRST_CUSTOM;
use directory::schema::custom::{Defines, Given};
use testkit::{BASE, Kind, PASSWORD, Scope, Server, Setup};

const BADGE: &str = "( 1.2.3.1 NAME ( 'acmeBadge' 'badgeNumber' ) DESC 'what opens doors' EQUALITY caseIgnoreMatch \
                     SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32} SINGLE-VALUE \
                     X-SCIM 'urn:acme:2.0:User:badge' X-CLAIM 'badge' )";
const FLOOR: &str = "( 1.2.3.2 NAME 'acmeFloor' EQUALITY integerMatch ORDERING integerOrderingMatch \
                     SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 X-SCIM 'urn:acme:2.0:User:floors' )";
const PERSON: &str = "( 1.2.3.9 NAME 'acmePerson' DESC 'somebody with a badge' SUP top AUXILIARY \
                      MAY ( acmeBadge $ acmeFloor ) )";

fn given(texts: &[&str]) -> Vec<Given> {
    let one = |text: &&str| Given {
        defines: if text.contains("AUXILIARY") { Defines::ObjectClass } else { Defines::AttributeType },
        text: (*text).to_owned(),
        place: "acme.ldif:1".to_owned(),
    };
    texts.iter().map(one).collect()
}

async fn finds(server: &Server, filter: &str) -> Vec<String> {
    let found = server.admin().await.search(BASE, Scope::Subtree, filter, &["1.1"]).await;
    assert!(found.reply.is_good(), "{filter}: {:?}", found.reply);
    found.dns().into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn own_definitions_are_as_good_as_shipped_ones() {
    // Goal: an attribute of a schema file is written under its rules, searched by every filter that its rules allow,
    // returned, renamed by its second name, and shown in the subschema with its faces.
    let server = Setup { definitions: given(&[BADGE, FLOOR, PERSON]), ..Setup::default() }.start().await;
    let ada = server.person("ada").await;
    let mut admin = server.admin().await;
    let refused = admin.modify(&ada.dn, &[(Kind::Add, "acmeBadge", &["A-17"])]).await;
    assert_eq!(refused.code, 65, "no class of the entry allows it: {refused:?}");
    let changes: &[(Kind, &str, &[&str])] = &[
        (Kind::Add, "objectClass", &["acmePerson"]),
        (Kind::Add, "acmeBadge", &["A-17"]),
        (Kind::Add, "acmeFloor", &["2", "30"]),
    ];
    assert!(admin.modify(&ada.dn, changes).await.is_good());
    for filter in [
        "(acmeBadge=a-17)",
        "(badgeNumber=A-17)",
        "(1.2.3.1=A-17)",
        "(acmeBadge=*)",
        "(acmeBadge=A*7)",
        "(acmeFloor=30)",
        "(&(acmeFloor>=3)(objectClass=acmePerson))",
    ] {
        assert_eq!(finds(&server, filter).await, [ada.dn.as_str()], "{filter}");
    }
    for filter in ["(acmeBadge=A-18)", "(acmeFloor>=31)", "(acmeBadge=B*)"] {
        assert!(finds(&server, filter).await.is_empty(), "{filter}");
    }
    let found = admin.search(&ada.dn, Scope::Base, "(objectClass=*)", &["badgeNumber", "acmeFloor"]).await;
    let entry = found.entries.first().unwrap();
    assert_eq!(entry.values("acmeFloor"), ["2", "30"]);
    assert!(entry.value("badgeNumber").or_else(|| entry.value("acmeBadge")).is_some_and(|badge| badge == "A-17"));

    for (attribute, values, code) in [
        ("acmeBadge", &["A-18"] as &[&str], 19),
        ("acmeFloor", &["ground"], 21),
        ("acmeFloor", &["2"], 20),
        ("acmeShoe", &["44"], 17),
    ] {
        let reply = admin.modify(&ada.dn, &[(Kind::Add, attribute, values)]).await;
        assert_eq!(reply.code, code, "{attribute}: {reply:?}");
    }
    let shown = admin
        .search("cn=Subschema", Scope::Base, "(objectClass=subschema)", &["attributeTypes", "objectClasses"])
        .await;
    let subschema = shown.entries.first().unwrap();
    let types = subschema.values("attributeTypes");
    let badge = types.iter().find(|text| text.contains("'acmeBadge'")).unwrap();
    assert!(badge.contains("X-SCIM 'urn:acme:2.0:User:badge'") && badge.contains("X-CLAIM 'badge'"), "{badge}");
    assert!(subschema.values("objectClasses").iter().any(|text| text.contains("'acmePerson'")));
    let schema = server.directory.schema();
    let kind = schema.find_attribute(b"badgenumber").unwrap();
    assert_eq!((kind.id.0, kind.scim, kind.claim), (FIRST_CUSTOM, Some("urn:acme:2.0:User:badge"), Some("badge")));
    server.verify().await;
}

#[tokio::test]
async fn what_was_defined_once_stays() {
    // Goal: entries keep their attributes when the files come in another order, when they are gone, and after a crash;
    // indexes follow.
    let mut server = Setup { definitions: given(&[FLOOR, BADGE, PERSON]), ..Setup::default() }.start().await;
    let ada = server.active("ada").await;
    let changes: &[(Kind, &str, &[&str])] =
        &[(Kind::Add, "objectClass", &["acmePerson"]), (Kind::Add, "acmeBadge", &["A-17"])];
    assert!(server.admin().await.modify(&ada.dn, changes).await.is_good());
    for definitions in [given(&[BADGE, PERSON, FLOOR]), Vec::new(), given(&[PERSON])] {
        server = server.restart_defining(definitions).await;
        assert_eq!(finds(&server, "(acmeBadge=A-17)").await, [ada.dn.as_str()]);
        assert!(server.bind(&ada.dn, PASSWORD).await.is_good());
        server = server.crash().await;
        assert_eq!(finds(&server, "(acmeBadge=*17)").await, [ada.dn.as_str()]);
    }
    server.verify().await;
}

#[tokio::test]
async fn own_definitions_are_an_extension_over_scim() {
    // Goal: an attribute of a schema file is discovered, written, found and patched over SCIM, and is the same value over LDAP;
    // the class that allows it is added where it is missing.
    let server = Setup { definitions: given(&[BADGE, FLOOR, PERSON]), ..Setup::default() }.start().await;
    let mut scim = crate::scim::Scim::of(&server, None, "").await;
    let urn = "urn:acme:2.0:User";
    let schema = scim.get(&format!("/Schemas/{urn}")).await.json();
    assert_eq!(
        (schema["id"].as_str(), schema["attributes"][1]["type"].as_str()),
        (Some(urn), Some("integer")),
        "{schema}"
    );
    let body = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", urn],
        "userName": "ada",
        urn: {"badge": "A-17", "floors": [2, 30]},
    });
    let made = scim.post("/Users", body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    assert_eq!((made[urn]["badge"].as_str(), made[urn]["floors"].clone()), (Some("A-17"), serde_json::json!([2, 30])));
    let dn = format!("uid=ada,ou=people,{BASE}");
    assert_eq!(finds(&server, "(&(objectClass=acmePerson)(acmeBadge=a-17)(acmeFloor=30))").await, [dn.as_str()]);
    let found =
        scim.get(&format!("/Users?filter={urn}:badge%20eq%20%22a-17%22%20and%20{urn}:floors%20eq%2030")).await.json();
    assert_eq!(found["totalResults"], 1, "{found}");
    let grace = server.person("grace").await;
    let id = scim.get("/Users?filter=userName%20eq%20%22grace%22").await.json()["Resources"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let patch = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": format!("{urn}:badge"), "value": "B-1"}],
    });
    let done = scim.patch(&format!("/Users/{id}"), patch).await;
    assert_eq!((done.status.as_u16(), done.json()[urn]["badge"].as_str()), (200, Some("B-1")), "{done:?}");
    assert_eq!(finds(&server, "(acmeBadge=b-1)").await, [grace.dn.as_str()]);
    server.verify().await;
}

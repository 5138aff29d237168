//! Names: unique in the deployment, and never changed (requirements 1.1, 1.2, 1.3).

use testkit::{Kind, PASSWORD, Scope, Server};

#[tokio::test]
async fn r1_02_usernames_and_addresses_are_unique_in_every_spelling() {
    // Goal: one name space for people and applications in all tenants; equal by case, width and composition is equal; the
    // refusal says which name and not whose.
    let server = Server::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let bob = server.person_of(&acme, "bob", None).await;
    server.person_of(&acme, "jos\u{e9}", None).await;
    server.application("indexer").await;
    let admin_of_globex = server.person_of(&globex, "boss", Some("TENANT_ADMIN")).await;
    let mut client = server.bound(&admin_of_globex.dn, PASSWORD).await;
    let people = globex.container("people");
    let person = [("objectClass", "inetOrgPerson"), ("cn", "x"), ("sn", "x")];
    for (n, (uid, mail)) in [
        ("bob", None),
        ("BOB", None),
        ("ｂｏｂ", None),
        ("jose\u{301}", None),
        ("JOS\u{c9}", None),
        ("indexer", None),
        ("Indexer", None),
        ("free1", Some("bob@example.com")),
        ("free2", Some("BOB@EXAMPLE.com")),
        ("bob@example.com", None),
    ]
    .into_iter()
    .enumerate()
    {
        let mut attributes = person.to_vec();
        attributes.push(("uid", uid));
        attributes.extend(mail.map(|m| ("mail", m)));
        let reply = client.add(&format!("cn=n{n},{people}"), &attributes).await;
        assert_eq!(reply.code, 68, "{uid:?} {mail:?}: {reply:?}");
        let what =
            if mail.is_some() || uid.contains('@') { "the e-mail address is taken" } else { "the username is taken" };
        assert!(reply.message == what || reply.message == "the username is taken", "{reply:?}");
        assert!(reply.matched.is_empty(), "no other tenant's account is named: {reply:?}");
    }
    let free = server.person_of(&globex, "carol", None).await;
    let reply = client.modify(&free.dn, &[(Kind::Replace, "mail", &[&bob.mail])]).await;
    assert_eq!((reply.code, reply.message.as_str(), reply.matched.as_str()), (19, "the e-mail address is taken", ""));
    server.verify().await;
}

#[tokio::test]
async fn r1_02_names_that_look_alike_cannot_both_exist() {
    // Goal: a username that a person would take for an existing one is refused (Unicode UTS 39 skeletons).
    let server = Server::start().await;
    server.person("paypal").await;
    let mut admin = server.admin().await;
    for uid in ["p\u{430}ypal", "paypa\u{4cf}", "\u{440}aypal"] {
        let attributes = [("objectClass", "inetOrgPerson"), ("cn", "x"), ("sn", "x"), ("uid", uid)];
        let reply = admin.add("cn=lookalike,ou=people,dc=example,dc=com", &attributes).await;
        assert!(matches!(reply.code, 68 | 19), "{uid}: {reply:?}");
    }
    server.verify().await;
}

#[tokio::test]
async fn r1_03_the_username_never_changes() {
    // Goal: no operation changes, adds or removes a username; everything else can be edited; the technical id stays through
    // renames and moves and is never used again.
    let server = Server::start().await;
    let ada = server.active("ada").await;
    let mut admin = server.admin().await;
    let uuid = |found: testkit::Found| found.entries.first().unwrap().value("entryUUID").unwrap();
    let before = uuid(admin.search(&ada.dn, Scope::Base, "(objectClass=*)", &["entryUUID"]).await);
    let dn = ada.dn.as_str();
    for (kind, values) in
        [(Kind::Replace, &["eve"][..]), (Kind::Add, &["eve"]), (Kind::Delete, &[]), (Kind::Delete, &["ada"])]
    {
        let reply = admin.modify(dn, &[(kind, "uid", values)]).await;
        assert!(matches!(reply.code, 19 | 67), "{kind:?} {values:?}: {reply:?}");
    }
    for (rdn, delete_old) in [("uid=eve", true), ("uid=eve", false), ("cn=ada", true)] {
        let reply = admin.rename(dn, rdn, delete_old, None).await;
        assert!(matches!(reply.code, 19 | 64 | 67), "{rdn} {delete_old}: {reply:?}");
    }
    let fields: &[(Kind, &str, &[&str])] = &[
        (Kind::Replace, "cn", &["Ada King"]),
        (Kind::Replace, "sn", &["King"]),
        (Kind::Replace, "givenName", &["Augusta"]),
        (Kind::Replace, "mail", &["countess@example.com"]),
        (Kind::Replace, "displayName", &["The Countess"]),
    ];
    assert!(admin.modify(dn, fields).await.is_good());
    assert!(admin.rename(dn, "cn=Ada King", false, Some("ou=system,dc=example,dc=com")).await.is_good());
    let moved = "cn=Ada King,ou=system,dc=example,dc=com";
    assert_eq!(uuid(admin.search(moved, Scope::Base, "(uid=ada)", &["entryUUID"]).await), before);
    assert_eq!(server.id(moved), ada.id);
    assert!(server.bind(moved, PASSWORD).await.is_good());
    for attribute in ["entryUUID", "createTimestamp"] {
        assert_eq!(admin.modify(moved, &[(Kind::Replace, attribute, &["x"])]).await.code, 19, "{attribute}");
    }
    assert!(admin.delete(moved).await.is_good());
    let again = server.person("ada").await;
    assert_ne!(again.id, ada.id);
    server.verify().await;
}

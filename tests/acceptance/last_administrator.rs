//! Administrators stay (requirement 1.7).

use directory::change::Act;
use directory::lifecycle::State;
use testkit::{ADMIN, BASE, Kind, PASSWORD, Person, Server};

const ROLE: &str = "cn=SYSTEM_ADMIN,ou=roles,dc=example,dc=com";

fn first(server: &Server) -> Person {
    Person { dn: ADMIN.0.into(), uid: String::new(), mail: String::new(), id: server.id(ADMIN.0) }
}

#[tokio::test]
async fn r1_07_system_administrators_are_not_deleted() {
    // Goal: no door deletes a system administrator, direct or through a group, not even by another one or by deleting
    // what lies above; the role cannot be deleted either.
    let server = Server::start().await;
    let first = first(&server);
    let second = server.person("second").await;
    server.grant(ROLE, &second).await;
    let third = server.person("third").await;
    let group = server.group("operators", &[&third.dn]).await;
    let mut admin = server.admin().await;
    assert!(admin.modify(ROLE, &[(Kind::Add, "member", &[&group])]).await.is_good());
    for person in [&first, &second, &third] {
        assert!(server.act(person, Act::Delete { months: None }).await.is_err(), "{}", person.dn);
        assert_eq!(admin.delete(&person.dn).await.code, 53, "{}", person.dn);
    }
    assert_eq!(admin.delete(ROLE).await.code, 53);
    assert!(
        server
            .change(directory::change::Change::Delete {
                target: directory::change::Target::Dn(b"ou=people,dc=example,dc=com".to_vec()),
                subtree: true,
            })
            .await
            .is_err()
    );
    for person in [&second, &third] {
        assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    }
    server.verify().await;
}

#[tokio::test]
async fn r1_07_they_are_disabled_while_another_active_one_remains() {
    // Goal: the last active system administrator is disabled neither by itself nor by the operator; one of two is.
    let server = Server::start().await;
    let first = first(&server);
    assert!(server.act_as(&first, &first, Act::Disable).await.is_err());
    assert!(server.act(&first, Act::Disable).await.is_err());
    let second = server.person("second").await;
    server.grant(ROLE, &second).await;
    server.act(&first, Act::Disable).await.unwrap();
    assert!(server.act(&second, Act::Disable).await.is_err(), "now it is the last one");
    assert_eq!(server.state(&first), State::Disabled);
    server.act(&first, Act::Enable { password: None }).await.unwrap();
    server.act(&second, Act::Disable).await.unwrap();
    server.verify().await;
}

#[tokio::test]
async fn r1_07_nobody_takes_the_own_right_away() {
    // Goal: neither directly, nor by replacing all members, nor through a group that gives the right, nor in a tenant.
    let server = Server::start().await;
    let mut admin = server.admin().await;
    let second = server.person("second").await;
    server.grant(ROLE, &second).await;
    assert_eq!(admin.modify(ROLE, &[(Kind::Delete, "member", &[ADMIN.0])]).await.code, 53);
    assert_eq!(admin.modify(ROLE, &[(Kind::Replace, "member", &[&second.dn])]).await.code, 53);
    let third = server.person("third").await;
    let group = server.group("operators", &[&third.dn, &second.dn]).await;
    assert!(admin.modify(ROLE, &[(Kind::Add, "member", &[&group])]).await.is_good());
    let mut client = server.bound(&third.dn, PASSWORD).await;
    assert_eq!(client.modify(&group, &[(Kind::Delete, "member", &[&third.dn])]).await.code, 53, "through a group");
    assert_eq!(client.modify(ROLE, &[(Kind::Delete, "member", &[&group])]).await.code, 53, "the group from the role");
    assert_eq!(client.delete(&group).await.code, 53, "the group itself");
    assert!(
        client.search(BASE, testkit::Scope::Subtree, "(uid=second)", &["1.1"]).await.entries.len() == 1,
        "still one"
    );
    assert!(admin.modify(&group, &[(Kind::Delete, "member", &[&third.dn])]).await.is_good(), "another one may");
    assert!(client.search(BASE, testkit::Scope::Subtree, "(uid=second)", &["1.1"]).await.is_nothing(), "gone at once");

    let acme = server.tenant("acme").await;
    let tenant = server.person_of(&acme, "tenant-admin", Some("TENANT_ADMIN")).await;
    let other = server.person_of(&acme, "other-admin", Some("TENANT_ADMIN")).await;
    let role = acme.role("TENANT_ADMIN");
    let mut client = server.bound(&tenant.dn, PASSWORD).await;
    assert_eq!(client.modify(&role, &[(Kind::Delete, "member", &[&tenant.dn])]).await.code, 53);
    assert_eq!(client.modify(&role, &[(Kind::Replace, "member", &[&other.dn])]).await.code, 53);
    server.verify().await;
}

#[tokio::test]
async fn r1_07_every_tenant_keeps_an_active_administrator() {
    // Goal: the last usable administrator of a tenant is neither disabled, nor deleted, nor taken out of the role; with a
    // second one all of that is possible. A tenant that never had one asks for none.
    let server = Server::start().await;
    let (acme, empty) = (server.tenant("acme").await, server.tenant("empty").await);
    let (one, two) =
        (server.person_of(&acme, "one", Some("TENANT_ADMIN")).await, server.person_of(&acme, "two", None).await);
    let nobody = server.person_of(&empty, "nobody", None).await;
    server.act(&nobody, Act::Disable).await.unwrap();
    let mut admin = server.admin().await;
    let role = acme.role("TENANT_ADMIN");
    assert!(server.act(&one, Act::Disable).await.is_err());
    assert!(server.act(&one, Act::Active(false)).await.is_err(), "SCIM neither");
    assert!(server.act(&one, Act::Delete { months: None }).await.is_err());
    assert_eq!(admin.delete(&one.dn).await.code, 53);
    assert_eq!(admin.modify(&role, &[(Kind::Delete, "member", &[&one.dn])]).await.code, 53);
    server.grant(&role, &two).await;
    server.act(&two, Act::Disable).await.unwrap();
    assert!(server.act(&one, Act::Disable).await.is_err(), "a disabled second one is none");
    server.act(&two, Act::Enable { password: None }).await.unwrap();
    server.act(&one, Act::Delete { months: None }).await.unwrap();
    assert!(server.act(&two, Act::Disable).await.is_err());
    server.verify().await;
}

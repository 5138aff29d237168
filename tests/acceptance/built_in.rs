//! The built-in system account (requirement 1.6).

use directory::authenticate::{LoginName, Verdict};
use directory::change::{Act, Change, Target};
use directory::lifecycle::{LockDuration, PolicyOverlay, State};
use testkit::{BASE, Kind, Person, Scope, Server, WRONG};

const DN: &str = "uid=system,ou=system,dc=example,dc=com";

fn built_in(server: &Server) -> Person {
    Person { dn: DN.into(), uid: "system".into(), mail: String::new(), id: server.id(DN) }
}

#[tokio::test]
async fn r1_06_it_is_there_from_the_first_start() {
    // Goal: one account, made with the first naming context, marked as the system's, without a password; a second naming
    // context makes no second one; nobody gets in as it, by any door, and it counts for no administrator.
    let server = Server::start().await;
    let system = built_in(&server);
    let facts = server.facts(&system).unwrap();
    assert!(facts.system);
    let directory = server.directory.clone();
    tokio::task::spawn_blocking(move || directory::bootstrap::suffix(&directory, "o=other")).await.unwrap().unwrap();
    let mut admin = server.admin().await;
    assert_eq!(admin.search("o=other", Scope::Subtree, "(uid=system)", &["1.1"]).await.entries.len(), 0);
    assert_eq!(admin.search(BASE, Scope::Subtree, "(uid=system)", &["1.1"]).await.dns(), [DN]);
    for password in ["system", "", "{SSHA}", "x"] {
        assert!(!server.bind(DN, password).await.is_good(), "{password:?}");
        let verdict = server.login(LoginName::Username("system".into()), password).await;
        assert!(matches!(verdict, Verdict::Refused { .. }), "{password:?}: {verdict:?}");
    }
    server.verify().await;
}

#[tokio::test]
async fn r1_06_it_cannot_be_edited_disabled_or_deleted() {
    // Goal: neither the administrator through LDAP nor the operator of the machine changes anything about it.
    let server = Server::start().await;
    let system = built_in(&server);
    let before = server.stored(&system).unwrap();
    let mut operator = server.local().await;
    assert!(operator.external().await.is_good());
    for client in [&mut server.admin().await, &mut operator] {
        for (kind, attribute, values) in [
            (Kind::Replace, "description", &["mine"][..]),
            (Kind::Replace, "userPassword", &["nine wooden ladders"]),
            (Kind::Replace, "pwdReset", &["TRUE"]),
            (Kind::Replace, "pwdAccountLockedTime", &["000001010000Z"]),
            (Kind::Add, "objectClass", &["uidObject"]),
        ] {
            let reply = client.modify(DN, &[(kind, attribute, values)]).await;
            assert_eq!(reply.code, 53, "{attribute}: {reply:?}");
        }
        assert_eq!(client.change_password(Some(DN), None, Some("nine wooden ladders")).await.code, 53);
        assert_eq!(client.change_password(Some(DN), None, None).await.code, 53);
        assert_eq!(client.delete(DN).await.code, 53);
        assert_eq!(client.rename(DN, "uid=daemon", true, None).await.code, 53);
        assert_eq!(client.rename(DN, "uid=system", false, Some("ou=people,dc=example,dc=com")).await.code, 53);
    }
    for act in [
        Act::Disable,
        Act::Enable { password: Some("nine wooden ladders".into()) },
        Act::Unlock { password: Some("nine wooden ladders".into()) },
        Act::Lock,
        Act::Delete { months: Some(0) },
        Act::ForceChange,
        Act::Active(false),
    ] {
        let name = act.name();
        assert!(server.act(&system, act).await.is_err(), "{name}");
    }
    for above in ["ou=system,dc=example,dc=com", BASE] {
        let target = Target::Dn(above.as_bytes().to_vec());
        assert!(server.change(Change::Delete { target, subtree: true }).await.is_err(), "{above}");
    }
    assert_eq!(server.stored(&system).unwrap(), before);
    server.verify().await;
}

#[tokio::test]
async fn r1_06_it_is_never_dormant_and_never_locked_for_good() {
    // Goal: no time and no stranger takes it away: the sweep leaves it, and wrong passwords lock it for a while only, even
    // where locks have no end.
    let forever = PolicyOverlay { lock_duration: Some(LockDuration::UntilUnlocked), ..PolicyOverlay::default() };
    let server = Server::with(forever).await;
    let system = built_in(&server);
    for _ in 0..7 {
        assert!(server.bind(DN, WRONG).await.is_generic_failure());
    }
    assert_eq!(server.state(&system), State::Locked);
    server.pass(directory::clock::Span::from_mins(15));
    assert_eq!(server.state(&system), State::Unverified);
    server.pass_months(60);
    server.directory.sweep().await.unwrap();
    assert_eq!(server.state(&system), State::Unverified);
    server.verify().await;
}

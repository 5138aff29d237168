//! A new account and its first login (requirements 2.1, 2.2, 2.3).

use directory::change::Act;
use directory::lifecycle::{HoldCause, State};
use testkit::{Door, Kind, NEW_PASSWORD, PASSWORD, Server};

#[tokio::test]
async fn r2_01_a_new_account_is_unverified() {
    // Goal: whoever makes an account and however, it is UNVERIFIED until somebody logs in.
    let server = Server::start().await;
    let person = server.person("ada").await;
    let application = server.application("indexer").await;
    let mut admin = server.admin().await;
    let dn = "uid=grace,ou=people,dc=example,dc=com";
    let attributes =
        [("objectClass", "inetOrgPerson"), ("cn", "grace"), ("sn", "hopper"), ("userPassword", "nine wooden ladders")];
    assert!(admin.add(dn, &attributes).await.is_good());
    for made in [person.dn.as_str(), application.dn.as_str(), dn] {
        let found = admin.search(made, testkit::Scope::Base, "(objectClass=*)", &["rollbookState"]).await;
        assert_eq!(found.entries.first().unwrap().values("rollbookState"), ["UNVERIFIED"], "{made}");
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_03_first_login_makes_active() {
    // Goal: UNVERIFIED and ENABLED become ACTIVE on the first good login, through every door, at once in every list.
    let server = Server::start().await;
    for (n, door) in Door::ALL.into_iter().enumerate() {
        for from in [State::Unverified, State::Enabled] {
            let person = server.person(&format!("p{n}-{}", from.name().to_lowercase())).await;
            server.put(&person, from).await;
            assert!(!server.enters(door, &person, testkit::WRONG).await);
            assert_eq!(server.state(&person), from, "{door:?}: a wrong password changes no state");
            assert!(server.enters(door, &person, PASSWORD).await, "{door:?} from {from:?}");
            assert_eq!(server.state(&person), State::Active, "{door:?} from {from:?}");
            assert!(server.facts(&person).unwrap().verified_at.is_some());
            let filter = format!("(&(uid={})(rollbookState=ACTIVE))", person.uid);
            let found = server.admin().await.search(testkit::BASE, testkit::Scope::Subtree, &filter, &["1.1"]).await;
            assert_eq!(found.dns(), [person.dn.as_str()]);
            assert!(server.enters(door, &person, PASSWORD).await, "and the next login is as good");
            assert_eq!(server.state(&person), State::Active);
        }
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_02_the_dormancy_check_runs_before_the_first_login() {
    // Goal: an account that nobody has used within the period is DISABLED by its first login, which fails, through every
    // door; a forced change does not come before that, and the right password opens nothing afterwards.
    let server = Server::start().await;
    let mut people = Vec::new();
    for (n, door) in Door::ALL.into_iter().enumerate() {
        people.push((door, server.person(&format!("late{n}")).await));
    }
    let forced = server.person("forced").await;
    let mut admin = server.admin().await;
    let changes: &[(Kind, &str, &[&str])] =
        &[(Kind::Replace, "userPassword", &[NEW_PASSWORD]), (Kind::Replace, "pwdReset", &["TRUE"])];
    assert!(admin.modify(&forced.dn, changes).await.is_good());
    server.pass(directory::clock::Span::from_millis(1));
    let in_time = server.person("in-time").await;
    let created = server.facts(&people[0].1).unwrap().created;
    server.pass_to_months_from(created, 6);
    assert!(server.enters(Door::Ldap, &in_time, PASSWORD).await, "made a moment later than the others");
    for (door, person) in &people {
        assert!(!server.enters(*door, person, PASSWORD).await, "{door:?}");
        let stored = server.stored(person).unwrap();
        assert_eq!(stored.hold.map(|h| h.cause), Some(HoldCause::NeverUsed), "{door:?}: found, and stored at once");
        assert_eq!(server.state(person), State::Disabled);
        assert_eq!(server.last_refusal(Some(person)).await.unwrap(), "the account is DISABLED");
    }
    assert!(server.bind_with_control(&forced.dn, NEW_PASSWORD).await.is_generic_failure());
    assert_eq!(server.state(&forced), State::Disabled);
    server.act(&forced, Act::Enable { password: None }).await.expect("an administrator can give it back");
    server.verify().await;
}

#[tokio::test]
async fn r2_02_a_first_login_with_a_forced_change() {
    // Goal: an UNVERIFIED account whose change is forced gets in for the change alone, stays UNVERIFIED through it, and
    // becomes ACTIVE at the login after it.
    let server = Server::start().await;
    let person = server.person("ada").await;
    let changes: &[(Kind, &str, &[&str])] =
        &[(Kind::Replace, "userPassword", &["handed over on paper"]), (Kind::Replace, "pwdReset", &["TRUE"])];
    assert!(server.admin().await.modify(&person.dn, changes).await.is_good());
    assert!(server.bind(&person.dn, "handed over on paper").await.is_generic_failure(), "without the control");
    assert_eq!(server.last_refusal(Some(&person)).await.unwrap(), "the password has to be changed");
    let mut client = server.client().await.with_policy_control();
    let outcome = client.bind(&person.dn, "handed over on paper").await;
    assert!(outcome.is_good(), "{outcome:?}");
    assert_eq!(server.state(&person), State::Unverified);
    assert!(client.change_password(None, None, Some(NEW_PASSWORD)).await.is_good());
    assert_eq!(server.state(&person), State::Unverified, "the change itself makes nothing ACTIVE");
    assert!(server.bind(&person.dn, NEW_PASSWORD).await.is_good());
    assert_eq!(server.state(&person), State::Active);
    server.verify().await;
}

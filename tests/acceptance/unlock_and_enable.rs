//! What administrators give back (requirement 2.8 and the column "administrator" of the machine).

use directory::change::Act;
use directory::lifecycle::{PolicyOverlay, State};
use ldap::wire::control::PasswordPolicyError;
use testkit::{Door, Kind, NEW_PASSWORD, OTHER_PASSWORD, PASSWORD, Server};

#[tokio::test]
async fn r2_08_unlocking_takes_a_new_password_that_must_be_changed() {
    // Goal: LOCKED → ENABLED with a new password only; it opens the door for its change and nothing else; after the
    // change the account is ENABLED still, and the next login makes it ACTIVE. Through LDAP from end to end.
    let server = Server::start().await;
    let person = server.person("ada").await;
    server.put(&person, State::Locked).await;
    let mut admin = server.admin().await;
    let bare = admin.modify(&person.dn, &[(Kind::Delete, "pwdAccountLockedTime", &[])]).await;
    assert_eq!(bare.code, 50, "without a password: {bare:?}");
    assert_eq!(server.state(&person), State::Locked);
    let changes: &[(Kind, &str, &[&str])] =
        &[(Kind::Delete, "pwdAccountLockedTime", &[]), (Kind::Replace, "userPassword", &[NEW_PASSWORD])];
    let reply = admin.modify(&person.dn, changes).await;
    assert!(reply.is_good(), "{reply:?}");
    assert_eq!(server.state(&person), State::Enabled);

    assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure(), "the old password is gone");
    assert!(server.bind(&person.dn, NEW_PASSWORD).await.is_generic_failure(), "a client without the control");
    let mut client = server.client().await.with_policy_control();
    let outcome = client.bind(&person.dn, NEW_PASSWORD).await;
    assert_eq!((outcome.code, outcome.policy_error()), (0, Some(PasswordPolicyError::ChangeAfterReset)));
    assert_eq!(server.state(&person), State::Enabled, "a restricted login makes nothing ACTIVE");
    let reply = client.change_password(None, None, Some(OTHER_PASSWORD)).await;
    assert!(reply.is_good(), "{reply:?}");
    assert_eq!(server.state(&person), State::Enabled, "nor does the change");
    assert!(server.bind(&person.dn, NEW_PASSWORD).await.is_generic_failure());
    assert!(server.bind(&person.dn, OTHER_PASSWORD).await.is_good());
    assert_eq!(server.state(&person), State::Active);
    server.verify().await;
}

#[tokio::test]
async fn r2_08_unlocking_forgets_failures_and_locks() {
    // Goal: after an unlock the row and the doubling begin again.
    let server = Server::start().await;
    let person = server.person("ada").await;
    server.put(&person, State::Locked).await;
    server.unlock(&person).await;
    let facts = server.facts(&person).unwrap();
    assert_eq!((facts.counters.failures.count, facts.counters.lock, facts.counters.locks_in_a_row), (0, None, 0));
    server.fail(&person, 5).await;
    assert_eq!(server.state(&person), State::Enabled);
    server.fail(&person, 1).await;
    assert_eq!(server.state(&person), State::Locked);
    server.verify().await;
}

#[tokio::test]
async fn r2_08_enabling_gives_the_last_password_or_a_new_one() {
    // Goal: DORMANT and DISABLED become ENABLED; without a password the last one stands and nothing is forced, with one
    // its change is forced; the next login makes ACTIVE, through every door.
    let server = Server::start().await;
    for from in [State::Dormant, State::Disabled] {
        for door in Door::ALL {
            let name = format!("{}-{door:?}", from.name()).to_lowercase();
            let person = server.person(&name).await;
            server.put(&person, from).await;
            server.act(&person, Act::Enable { password: None }).await.unwrap();
            assert_eq!(server.state(&person), State::Enabled);
            assert!(server.enters(door, &person, PASSWORD).await, "{from:?} {door:?}");
            assert_eq!(server.state(&person), State::Active);
        }
        let person = server.person(&format!("{}-anew", from.name().to_lowercase())).await;
        server.put(&person, from).await;
        server.act(&person, Act::Enable { password: Some(NEW_PASSWORD.into()) }).await.unwrap();
        assert_eq!(server.state(&person), State::Enabled);
        assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure());
        let mut client = server.client().await.with_policy_control();
        let outcome = client.bind(&person.dn, NEW_PASSWORD).await;
        assert_eq!((outcome.code, outcome.policy_error()), (0, Some(PasswordPolicyError::ChangeAfterReset)));
        assert!(client.change_password(None, None, Some(OTHER_PASSWORD)).await.is_good());
        assert_eq!(server.state(&person), State::Enabled);
        assert!(server.bind(&person.dn, OTHER_PASSWORD).await.is_good());
        assert_eq!(server.state(&person), State::Active);
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_08_the_policy_can_demand_and_waive_the_password() {
    // Goal: `enable_requires_password` and `unlock_requires_password` mean what they say.
    let policy = PolicyOverlay {
        enable_requires_password: Some(true),
        unlock_requires_password: Some(false),
        ..PolicyOverlay::default()
    };
    let server = Server::with(policy).await;
    let (locked, disabled) = (server.person("locked").await, server.person("disabled").await);
    server.put(&locked, State::Locked).await;
    server.put(&disabled, State::Disabled).await;
    assert!(server.act(&disabled, Act::Enable { password: None }).await.is_err());
    assert_eq!(server.state(&disabled), State::Disabled);
    server.act(&disabled, Act::Enable { password: Some(NEW_PASSWORD.into()) }).await.unwrap();
    server.act(&locked, Act::Unlock { password: None }).await.unwrap();
    assert_eq!(server.state(&locked), State::Enabled);
    assert!(server.bind(&locked.dn, PASSWORD).await.is_good(), "the last password stands, nothing is forced");
    assert_eq!(server.state(&locked), State::Active);
    server.verify().await;
}

#[tokio::test]
async fn r2_08_a_new_password_obeys_the_policy() {
    // Goal: the password given with an unlock is judged like any other; a bad one unlocks nothing.
    let server = Server::start().await;
    let person = server.person("lovelace").await;
    server.put(&person, State::Locked).await;
    for bad in ["short", "password123", "lovelace is my name"] {
        assert!(server.act(&person, Act::Unlock { password: Some(bad.into()) }).await.is_err(), "{bad}");
        assert_eq!(server.state(&person), State::Locked);
    }
    server.verify().await;
}

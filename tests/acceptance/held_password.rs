//! The password of an account that may not log in: it is set and taken away in any state but DELETED, moves none of them,
//! and is the one that counts once logins are allowed again.

use crate::scim::{Scim, Wish, patch};
use directory::bootstrap;
use directory::change::Act;
use directory::clock::Span;
use directory::lifecycle::State;
use serde_json::{Value, json};
use testkit::{Door, Kind, NEW_PASSWORD, OTHER_PASSWORD, PASSWORD, Person, Server};

/// The person as SCIM's resource.
async fn found(scim: &mut Scim, person: &Person) -> Value {
    scim.get(&format!("/Users?filter=userName%20eq%20%22{}%22", person.uid)).await.json()["Resources"][0].clone()
}

/// The doors that this password opens.
async fn opened(server: &Server, person: &Person, password: &str) -> Vec<Door> {
    let mut opened = Vec::new();
    for door in Door::ALL {
        if server.enters(door, person, password).await {
            opened.push(door);
        }
    }
    opened
}

#[tokio::test]
async fn r2_09_a_password_set_in_a_held_state_moves_no_state() {
    // Goal: an identity provider passes on changes of passwords without knowing of our locks. In LOCKED, DORMANT and
    // DISABLED a password is taken over SCIM and LDAP, opens no door, lifts nothing and forgives nothing.
    let server = Server::start().await;
    for state in [State::Locked, State::Disabled, State::Dormant] {
        let uid = state.name().to_lowercase();
        let person = server.person(&uid).await;
        server.put(&person, state).await;
        let mut scim = Scim::with(&server, Wish { label: &format!("idp-{uid}"), ..Wish::default() }).await;
        let path = format!("/Users/{}", found(&mut scim, &person).await["id"].as_str().unwrap());
        let before = server.facts(&person).unwrap();
        let set = patch(json!([{"op": "replace", "path": "password", "value": NEW_PASSWORD}]));
        let answer = scim.patch(&path, set).await;
        assert_eq!(answer.status, 200, "{uid}: {answer:?}");
        let after = server.facts(&person).unwrap();
        assert_eq!(server.state(&person), state, "{uid}");
        assert_eq!((after.hold, after.counters), (before.hold, before.counters), "{uid}: nothing lifted or forgiven");
        assert!(after.epoch > before.epoch, "{uid}: what was granted ends, as with any new password");
        let reply = server.operator().await.change_password(Some(&person.dn), None, Some(OTHER_PASSWORD)).await;
        assert!(reply.is_good(), "{uid}: {reply:?}");
        for password in [PASSWORD, NEW_PASSWORD, OTHER_PASSWORD] {
            assert_eq!(opened(&server, &person, password).await, [], "{uid}");
        }
        assert_eq!(server.state(&person), state, "{uid}");
        assert!(server.has_password(&person));
        for _ in 0..2 {
            let removed = scim.patch(&path, patch(json!([{"op": "remove", "path": "password"}]))).await;
            assert_eq!(removed.status, 200, "{uid}: {removed:?}");
            assert_eq!((server.has_password(&person), server.state(&person)), (false, state), "{uid}");
        }
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_04_a_lock_ends_with_the_password_that_was_set_meanwhile() {
    // Goal: somebody is locked out here and changes the password at the provider, which passes it on. The lock stays until
    // its time, and after it the new password is good at every door.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "okta").await;
    let person = server.person("ada").await;
    server.put(&person, State::Locked).await;
    let path = format!("/Users/{}", found(&mut scim, &person).await["id"].as_str().unwrap());
    let set = patch(json!([{"op": "replace", "value": {"password": NEW_PASSWORD}}]));
    assert!(scim.patch(&path, set).await.status.is_success());
    assert_eq!(opened(&server, &person, NEW_PASSWORD).await, []);
    server.pass(Span::from_mins(14));
    assert_eq!((server.state(&person), opened(&server, &person, NEW_PASSWORD).await), (State::Locked, vec![]));
    server.pass(Span::from_mins(2));
    assert_eq!(server.state(&person), State::Active, "the lock has lifted itself");
    assert_eq!(opened(&server, &person, PASSWORD).await, []);
    assert_eq!(opened(&server, &person, NEW_PASSWORD).await, Door::ALL);
    server.verify().await;
}

#[tokio::test]
async fn r2_08_enabling_gives_back_the_password_that_was_set_meanwhile() {
    // Goal: the last password stands when an account is enabled without one, and the last is the one of the provider. A change
    // that was forced while nobody could come in is forced still.
    let server = Server::start().await;
    for state in [State::Disabled, State::Dormant] {
        let person = server.person(&state.name().to_lowercase()).await;
        server.put(&person, state).await;
        let mut scim = Scim::with(&server, Wish { label: &format!("idp-{}", person.uid), ..Wish::default() }).await;
        let path = format!("/Users/{}", found(&mut scim, &person).await["id"].as_str().unwrap());
        let set = |password: &str| patch(json!([{"op": "add", "path": "password", "value": password}]));
        assert_eq!(scim.patch(&path, set(NEW_PASSWORD)).await.status, 200);
        server.act(&person, Act::Enable { password: None }).await.unwrap();
        assert_eq!(opened(&server, &person, PASSWORD).await, []);
        assert_eq!(opened(&server, &person, NEW_PASSWORD).await, Door::ALL);
        server.act(&person, Act::Disable).await.unwrap();
        let reset: &[(Kind, &str, &[&str])] =
            &[(Kind::Replace, "pwdReset", &["TRUE"]), (Kind::Replace, "userPassword", &[OTHER_PASSWORD])];
        assert!(server.operator().await.modify(&person.dn, reset).await.is_good());
        assert_eq!(scim.patch(&path, set(PASSWORD)).await.status, 200);
        server.act(&person, Act::Enable { password: None }).await.unwrap();
        assert!(server.facts(&person).unwrap().force_change, "the provider lifts no forced change");
        assert!(!server.enters(Door::Ldap, &person, PASSWORD).await);
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_05_dormancy_that_nobody_has_noticed_yet_ends_the_tokens_all_the_same() {
    // Goal: an account sleeps past its period, and before any sweep its password is set, or it is enabled, or both. Its API
    // tokens have ended with the dormancy and do not come back.
    let server = Server::start().await;
    for (label, password) in [("with", true), ("without", false)] {
        let mut scim = Scim::with(&server, Wish { label, ..Wish::default() }).await;
        assert_eq!(scim.get("/Users").await.status, 200);
        let known = server.directory.tokens(&bootstrap::operator(&server.directory)).unwrap();
        let dn = known.into_iter().find(|(token, _)| token.label == label).unwrap().1;
        let client = Person { id: server.id(&dn), uid: String::new(), mail: String::new(), dn };
        server.pass(Span::from_days(190));
        let before = server.stored(&client).unwrap();
        assert!(!server.state(&client).may_log_in());
        if password {
            server.set_password(&client.dn, NEW_PASSWORD).await.unwrap();
            let after = server.stored(&client).unwrap();
            assert_eq!((after.hold, after.dormant_at), (before.hold, before.dormant_at), "left to be found");
        }
        server.act(&client, Act::Enable { password: None }).await.unwrap();
        assert_eq!(server.state(&client), State::Enabled);
        let mut scim = Scim::presenting(&server, &scim.secret).await;
        assert_eq!(scim.get("/Users").await.status, 401, "{label} a password");
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_06_an_account_is_prepared_before_it_is_enabled() {
    // Goal: an account arrives disabled, gets its password, is changed as a whole, and is enabled: with that password.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let mut user =
        json!({"schemas": [crate::scim::USER], "userName": "eve", "name": {"familyName": "Lee"}, "active": false});
    let made = scim.post("/Users", user.clone()).await;
    assert_eq!((made.status.as_u16(), made.json()["active"].clone()), (201, json!(false)), "{made:?}");
    let path = format!("/Users/{}", made.json()["id"].as_str().unwrap());
    user["password"] = json!(NEW_PASSWORD);
    let put = scim.put(&path, user.clone()).await;
    assert_eq!((put.status.as_u16(), put.json()["active"].clone()), (200, json!(false)), "{put:?}");
    assert!(!put.text().contains(NEW_PASSWORD));
    let entry = scim.get(&path).await.json();
    let dn = format!("uid=eve,ou=people,{}", testkit::BASE);
    let person = Person { id: server.id(&dn), uid: "eve".into(), mail: String::new(), dn };
    assert_eq!((server.state(&person), entry["active"].clone()), (State::Disabled, json!(false)));
    assert!(!server.enters(Door::Ldap, &person, NEW_PASSWORD).await);
    // The switch and another password in one request.
    user["active"] = json!(true);
    user["password"] = json!(OTHER_PASSWORD);
    let put = scim.put(&path, user.clone()).await;
    assert_eq!((put.status.as_u16(), put.json()["active"].clone()), (200, json!(true)), "{put:?}");
    // Null says nothing of a password, which the client cannot have read: only `remove` takes it away.
    user["password"] = Value::Null;
    assert_eq!(scim.put(&path, user).await.status, 200);
    for op in ["add", "replace"] {
        let nothing = scim.patch(&path, patch(json!([{"op": op, "value": {"password": null}}]))).await;
        assert!(nothing.status.is_success(), "{nothing:?}");
    }
    assert!(!server.enters(Door::Ldap, &person, NEW_PASSWORD).await);
    for door in [Door::Ldap, Door::Ldapi, Door::Username] {
        assert!(server.enters(door, &person, OTHER_PASSWORD).await, "{door:?}");
    }
    server.act(&person, Act::Disable).await.unwrap();
    assert!(!server.enters(Door::Username, &person, OTHER_PASSWORD).await);
    server.verify().await;
}

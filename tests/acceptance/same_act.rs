//! One act is one change, whichever door it comes through, and is seen through the others at once (requirement 7.4).

use crate::scim::{Scim, group, made, patch, user};
use directory::change::{Act, Change, Target};
use directory::id::EntryId;
use directory::journal::record::Event;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};
use testkit::Kind::{Add, Delete, Replace};
use testkit::{NEW_PASSWORD, Scope, Server};

/// What the journal says from this record on, without what tells one account from another, and without notes and logins.
async fn since(server: &Server, begin: usize, name: &str) -> Vec<Event> {
    let (entry, dn) = (EntryId(0), String::new());
    let plain = |event: Event| match event {
        Event::Modified { mut values, .. } => {
            for value in values.iter_mut().flat_map(|v| v.added.iter_mut().chain(v.removed.iter_mut())) {
                *value = String::from_utf8_lossy(value).replace(name, "P").into_bytes();
            }
            Some(Event::Modified { entry, dn: dn.clone(), values })
        }
        Event::Account { act, .. } if act != "login" => {
            // The journal tells a provider's switch from an administrator's act; what they do is one thing.
            let act = act.replace("deactivate", "disable").replace("activate", "enable");
            Some(Event::Account { entry, dn: dn.clone(), act })
        }
        Event::Password { own, .. } => Some(Event::Password { entry, dn: dn.clone(), own }),
        Event::Account { .. } | Event::Noted(_) => None,
        other => Some(other),
    };
    let records = server.trail().await.records.into_iter().skip(begin);
    records.flat_map(|record| record.events).filter_map(plain).collect()
}

/// Runs the built program as the operator, against this server's local socket.
async fn rollbook(server: &Server, words: &[&str], input: &'static str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
    command.env_remove("ROLLBOOK_CONFIG").args(words).arg("--socket").arg(&server.ldapi);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // The server runs on this thread: who waits for the program must not hold it.
    let run = move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn r7_04_an_act_of_the_command_line_is_the_act_of_the_other_doors() {
    // Goal: an account gets a password, is disabled, enabled and deleted: over LDAP, over SCIM and with the built program the
    // journal holds the same changes, and the account is the same afterwards.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let mut outcomes = Vec::new();
    for door in ["ldap", "scim", "command"] {
        let person = server.active(door).await;
        let found = scim.get(&format!("/Users?filter=userName%20eq%20%22{door}%22")).await.json();
        let path = format!("/Users/{}", found["Resources"][0]["id"].as_str().unwrap());
        let mut admin = server.admin().await;
        let begin = server.trail().await.records.len();
        let mut states = Vec::new();
        for act in ["password", "disable", "enable", "delete"] {
            match (door, act) {
                ("ldap", "password") => {
                    let change = (Replace, "userPassword", &[NEW_PASSWORD][..]);
                    assert!(admin.modify(&person.dn, &[change]).await.is_good());
                }
                ("ldap", act) => {
                    let state = [("disable", "DISABLED"), ("enable", "ENABLED"), ("delete", "DELETED")]
                        .into_iter()
                        .find_map(|(known, state)| (known == act).then_some(state));
                    assert!(admin.modify(&person.dn, &[(Replace, "rollbookState", &[state.unwrap()])]).await.is_good());
                }
                ("scim", "delete") => assert_eq!(scim.delete(&path).await.status, 204),
                ("scim", act) => {
                    let (name, value) = match act {
                        "password" => ("password", json!(NEW_PASSWORD)),
                        act => ("active", json!(act == "enable")),
                    };
                    let body = patch(json!([{"op": "replace", "path": name, "value": value}]));
                    assert!(scim.patch(&path, body).await.status.is_success(), "{act}");
                }
                (_, "password") => {
                    let words = ["account", "passwd", door, "--keep", "--password-file", "-"];
                    rollbook(&server, &words, NEW_PASSWORD).await;
                }
                (_, "enable") => rollbook(&server, &["account", "enable", door], "").await,
                (_, act) => rollbook(&server, &["account", act, door, "--yes"], "").await,
            }
            states.push((server.state(&person), server.bind(&person.dn, NEW_PASSWORD).await.is_good()));
        }
        outcomes.push((since(&server, begin, door).await, states));
    }
    assert_eq!(outcomes[0], outcomes[1], "LDAP and SCIM");
    assert_eq!(outcomes[0], outcomes[2], "LDAP and the command line");
    assert_eq!(outcomes[0].0.len(), 5, "a password and its attributes, three acts: {:#?}", outcomes[0]);
    server.verify().await;
}

#[tokio::test]
async fn the_same_act_is_the_same_change_through_every_door() {
    // Goal: a value changed, a member added and taken, an account deleted: the journal holds the same for LDAP, for SCIM and
    // for the operator's own connection, value by value.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let mut events: Vec<Vec<Event>> = Vec::new();
    for (at, door) in ["ldap", "scim", "operator"].into_iter().enumerate() {
        let name = format!("p{at}");
        let dn = format!("uid={name},ou=people,dc=example,dc=com");
        let id = made(&mut scim, "/Users", user(&name)).await;
        let team = made(&mut scim, "/Groups", group(&format!("t{at}"), &[])).await;
        let team_dn = format!("cn=t{at},ou=groups,dc=example,dc=com");
        let begin = server.trail().await.records.len();
        if door == "scim" {
            let member = |op: &str| patch(json!([{"op": op, "path": "members", "value": [{"value": id}]}]));
            let title = patch(json!([{"op": "replace", "path": "title", "value": "chief"}]));
            assert_eq!(scim.patch(&format!("/Users/{id}"), title).await.status, 200);
            for op in ["add", "remove"] {
                assert_eq!(scim.patch(&format!("/Groups/{team}"), member(op)).await.status, 204);
            }
            assert_eq!(scim.delete(&format!("/Users/{id}")).await.status, 204);
        } else {
            let mut client = if door == "ldap" { server.admin().await } else { server.operator().await };
            assert!(client.modify(&dn, &[(Replace, "title", &["chief"])]).await.is_good());
            assert!(client.modify(&team_dn, &[(Add, "member", &[&dn])]).await.is_good());
            assert!(client.modify(&team_dn, &[(Delete, "member", &[&dn])]).await.is_good());
            assert!(client.modify(&dn, &[(Replace, "rollbookState", &["DELETED"])]).await.is_good());
        }
        events.push(since(&server, begin, &name).await);
    }
    assert_eq!(events[0], events[1], "LDAP and SCIM");
    assert_eq!(events[0], events[2], "LDAP and the operator");
    assert_eq!(events[0].len(), 4, "{:#?}", events[0]);
    server.verify().await;
}

#[tokio::test]
async fn what_another_door_changes_is_seen_at_once() {
    // Goal: requirement 7.4: the directory's values are the truth, decorations follow them, accounts made elsewhere are users.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let mut ada = user("ada");
    ada["emails"] = json!([{"value": "a@x.example", "type": "work", "primary": true, "display": "A"}, {"value": "b@x.example", "type": "home"}]);
    ada["addresses"] = json!([{"type": "work", "country": "France", "locality": "Lyon", "formatted": "1 Rue\nLyon"}]);
    ada["phoneNumbers"] = json!([{"value": "tel:+1;ext=5", "type": "work"}, {"value": "+33 1", "type": "mobile"}]);
    ada["ims"] = json!([{"value": "ada", "type": "xmpp"}]);
    let id = made(&mut scim, "/Users", ada.clone()).await;
    let read = scim.get(&format!("/Users/{id}")).await.json();
    for name in ["emails", "addresses", "phoneNumbers", "ims"] {
        assert_eq!(read[name], ada[name], "{name}");
    }
    assert_eq!(
        (read["name"].clone(), read["displayName"].clone()),
        (Value::Null, Value::Null),
        "nothing is invented: {read}"
    );
    let mut ldap = server.admin().await;
    let dn = "uid=ada,ou=people,dc=example,dc=com";
    assert!(
        ldap.modify(
            dn,
            &[(Delete, "mail", &["b@x.example"]), (Replace, "l", &["Paris"]), (Replace, "sn", &["Lovelace"])]
        )
        .await
        .is_good()
    );
    let read = scim.get(&format!("/Users/{id}")).await.json();
    assert_eq!(read["emails"], json!([{"value": "a@x.example", "type": "work", "primary": true, "display": "A"}]));
    assert_eq!(read["addresses"][0]["locality"], "Paris");
    assert_eq!(
        (read["addresses"][0]["country"].clone(), read["name"]["familyName"].clone()),
        (json!("France"), json!("Lovelace"))
    );
    let person = server.person("grace").await;
    let list = scim.get("/Users?filter=emails.value%20eq%20%22GRACE@example.com%22").await.json();
    assert_eq!(list["Resources"][0]["userName"], "grace", "{list}");
    server.change(Change::Account { target: Target::Id(person.id), act: Act::Disable }).await.unwrap();
    assert_eq!(scim.get("/Users?filter=userName%20eq%20%22grace%22").await.json()["Resources"][0]["active"], false);
    let found = ldap.search("dc=example,dc=com", Scope::Subtree, "(uid=ada)", &["*"]).await;
    assert_eq!(found.entries[0].value("cn").as_deref(), Some("ada"));
    server.verify().await;
}

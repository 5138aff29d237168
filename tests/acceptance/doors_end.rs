//! What ends an account's logins ends them at every door, in one commit (requirements 2.6, 2.7, 7.4).

use crate::holding::{Good, Holding, signs_in};
use crate::scim::{Scim, patch};
use directory::lifecycle::State;
use serde_json::json;
use testkit::{Kind, NEW_PASSWORD, PASSWORD, Person, Server, Setup};

/// The ways to end all logins of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    ScimInactive,
    ScimDelete,
    ScimPassword,
    LdapDisable,
    LdapDelete,
    LdapPassword,
    OwnPassword,
}

impl End {
    const ALL: [End; 7] = [
        End::ScimInactive,
        End::ScimDelete,
        End::ScimPassword,
        End::LdapDisable,
        End::LdapDelete,
        End::LdapPassword,
        End::OwnPassword,
    ];

    fn state(self) -> State {
        match self {
            End::ScimInactive | End::LdapDisable => State::Disabled,
            End::ScimDelete | End::LdapDelete => State::Deleted,
            End::ScimPassword | End::LdapPassword | End::OwnPassword => State::Active,
        }
    }
}

async fn happens(server: &Server, scim: &mut Scim, person: &Person, end: End) {
    let found = scim.get(&format!("/Users?filter=userName%20eq%20%22{}%22", person.uid)).await.json();
    let path = format!("/Users/{}", found["Resources"][0]["id"].as_str().unwrap());
    let (mut admin, mut own) = (server.admin().await, server.bound(&person.dn, PASSWORD).await);
    let before = server.directory.lane_figures();
    match end {
        End::ScimInactive => {
            let answer = scim.patch(&path, patch(json!([{"op": "replace", "path": "active", "value": false}]))).await;
            assert_eq!(answer.json()["active"], false, "{}", answer.text());
        }
        End::ScimDelete => assert_eq!(scim.delete(&path).await.status, 204),
        End::ScimPassword => {
            assert!(
                scim.patch(&path, patch(json!([{"op": "replace", "path": "password", "value": NEW_PASSWORD}])))
                    .await
                    .status
                    .is_success()
            );
        }
        End::LdapDisable | End::LdapDelete => {
            let state = end.state();
            let change = (Kind::Replace, "rollbookState", &[state.name()][..]);
            assert!(admin.modify(&person.dn, &[change]).await.is_good());
        }
        End::LdapPassword => {
            assert!(admin.change_password(Some(&person.dn), None, Some(NEW_PASSWORD)).await.is_good());
        }
        End::OwnPassword => {
            assert!(own.change_password(None, Some(PASSWORD), Some(NEW_PASSWORD)).await.is_good());
        }
    }
    let after = server.directory.lane_figures();
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "{end:?}: one commit of one write set");
}

#[tokio::test]
async fn r2_06_every_end_is_an_end_at_every_door() {
    // Goal: with the answer to the act, and nothing in between, session, introspection, userinfo, refresh token and connection
    // have ended and the old password opens no door; nothing comes back when the account does.
    let server = Setup::default().provider().start().await;
    let mut scim = Scim::of(&server, None, "").await;
    for end in End::ALL {
        let name = format!("{end:?}").to_lowercase();
        let person = server.active(&name).await;
        let mut holding = Holding::of(&server, server.relying_party(&name, &[]).await, &person).await;
        happens(&server, &mut scim, &person, end).await;
        assert_eq!(holding.good().await, Good::NONE, "{end:?}");
        assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure(), "{end:?}");
        assert!(!signs_in(&server, &person.uid, PASSWORD).await, "{end:?}");
        assert_eq!(server.state(&person), end.state(), "{end:?}");
        if end.state() == State::Disabled {
            server.act(&person, directory::change::Act::Enable { password: None }).await.unwrap();
            assert!(signs_in(&server, &person.uid, PASSWORD).await, "{end:?}: the last password stands");
        } else if end.state() == State::Active {
            assert!(server.bind_with_control(&person.dn, NEW_PASSWORD).await.is_good(), "{end:?}");
        }
        let former = holding.good().await;
        assert_eq!(former, Good::NONE, "{end:?}: nothing comes back");
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_06_a_login_that_is_half_done_ends_too() {
    // Goal: whoever has shown the password and not finished gets no session once SCIM has deactivated the account, nor when it
    // is active again: the login has to begin anew.
    let server = Server::start().await;
    let mut scim = Scim::of(&server, None, "").await;
    let person = server.active("ada").await;
    server.act(&person, directory::change::Act::ForceChange).await.unwrap();
    let mut browser = testkit::Browser::open(&server).await;
    browser.sign_in("ada", PASSWORD).await;
    assert_eq!(browser.heading(), "Choose a new password");
    let found = scim.get("/Users?filter=userName%20eq%20%22ada%22").await.json();
    let path = format!("/Users/{}", found["Resources"][0]["id"].as_str().unwrap());
    for active in [false, true] {
        assert!(
            scim.patch(&path, patch(json!([{"op": "replace", "path": "active", "value": active}])))
                .await
                .status
                .is_success()
        );
        let mut late = browser.page.clone();
        std::mem::swap(&mut browser.page, &mut late);
        browser.submit("/sign-in/password", &[("new", NEW_PASSWORD), ("again", NEW_PASSWORD)]).await;
        assert!(!browser.cookies.contains_key("__Host-rollbook"), "active: {active}");
        browser.page = late;
        assert!(!server.bind_with_control(&person.dn, NEW_PASSWORD).await.is_good(), "the password is as it was");
    }
    server.verify().await;
}

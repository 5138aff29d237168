//! What keeps an account awake, and what does not (requirement 2.11).

use directory::change::{Act, Change, Target};
use directory::clock::Span;
use directory::lifecycle::State;
use testkit::{Door, Kind, NEW_PASSWORD, PASSWORD, Person, Scope, Server, WRONG};

/// What may happen in the fifth month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happening {
    Login(Door),
    TokenUse,
    WrongPassword,
    LoginWhileLocked,
    AdministratorEdits,
    AdministratorSetsPassword,
    ScimActive,
    GroupChange,
    Read,
    Sweep,
}

impl Happening {
    fn counts(self) -> bool {
        matches!(self, Happening::Login(_) | Happening::TokenUse)
    }
}

async fn happens(server: &Server, person: &Person, what: Happening) {
    let mut admin = server.admin().await;
    match what {
        Happening::Login(door) => assert!(server.enters(door, person, PASSWORD).await),
        Happening::TokenUse => {
            let epoch = server.facts(person).unwrap().epoch;
            assert!(server.directory.activity(person.id, epoch).unwrap());
            assert!(!server.directory.activity(person.id, epoch + 1).unwrap(), "not by a token of another epoch");
        }
        Happening::WrongPassword => assert!(!server.enters(Door::Ldap, person, WRONG).await),
        Happening::LoginWhileLocked => {
            server.fail(person, 6).await;
            assert!(!server.enters(Door::Ldap, person, PASSWORD).await);
        }
        Happening::AdministratorEdits => {
            assert!(admin.modify(&person.dn, &[(Kind::Replace, "title", &["Countess"])]).await.is_good());
        }
        Happening::AdministratorSetsPassword => {
            assert!(admin.change_password(Some(&person.dn), None, Some(NEW_PASSWORD)).await.is_good());
        }
        Happening::ScimActive => {
            let target = Target::Id(person.id);
            server.change(Change::Account { target, act: Act::Active(true) }).await.unwrap();
        }
        Happening::GroupChange => {
            server.group(&format!("g-{}", person.uid), &[&person.dn]).await;
        }
        Happening::Read => {
            assert_eq!(admin.search(&person.dn, Scope::Base, "(objectClass=*)", &["*", "+"]).await.entries.len(), 1);
            assert_eq!(admin.compare(&person.dn, "uid", &person.uid).await.code, 6);
        }
        Happening::Sweep => {
            server.directory.sweep().await.unwrap();
        }
    }
}

#[tokio::test]
async fn r2_11_only_activity_of_the_account_keeps_it_awake() {
    // Goal: a good login by any door and the use of a token begin the period again; wrong passwords, administrators,
    // provisioning, reading and the sweep do not.
    let all = Door::ALL.map(Happening::Login).into_iter().chain([
        Happening::TokenUse,
        Happening::WrongPassword,
        Happening::LoginWhileLocked,
        Happening::AdministratorEdits,
        Happening::AdministratorSetsPassword,
        Happening::ScimActive,
        Happening::GroupChange,
        Happening::Read,
        Happening::Sweep,
    ]);
    let server = Server::start().await;
    let mut people = Vec::new();
    for (n, what) in all.enumerate() {
        people.push((server.active(&format!("p{n}")).await, what));
    }
    server.pass(Span::from_days(150));
    for (person, what) in &people {
        happens(&server, person, *what).await;
    }
    server.pass(Span::from_days(35));
    for (person, what) in &people {
        let expected = if what.counts() { State::Active } else { State::Dormant };
        assert_eq!(server.state(person), expected, "{what:?}");
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_11_activity_survives_a_restart() {
    // Goal: the stamps that keep accounts awake reach the store: after a restart in order nobody has become dormant by it.
    let server = Server::start().await;
    let (login, token) = (server.active("login").await, server.active("token").await);
    server.pass(Span::from_days(150));
    assert!(server.bind(&login.dn, PASSWORD).await.is_good());
    assert!(server.directory.activity(token.id, server.facts(&token).unwrap().epoch).unwrap());
    let server = server.restart().await;
    server.pass(Span::from_days(25));
    for person in [&login, &token] {
        assert!(server.bind(&person.dn, PASSWORD).await.is_good(), "{}", person.dn);
    }
    server.verify().await;
}

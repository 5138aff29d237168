//! One answer for every refused login; the reason is for the journal (requirement 2.9, hostile row C1).

use directory::authenticate::{LoginName, Verdict};
use directory::lifecycle::State;
use testkit::{Door, PASSWORD, Person, Server, WRONG};

/// One refusal: the DN to bind with, the password, the account behind it, the reason that the journal has to tell.
struct Case {
    dn: String,
    password: &'static str,
    person: Option<Person>,
    reason: &'static str,
}

async fn cases(server: &Server) -> Vec<Case> {
    let mut cases = Vec::new();
    let unknown = "uid=nobody,ou=people,dc=example,dc=com".to_owned();
    cases.push(Case { dn: unknown, password: PASSWORD, person: None, reason: "there is no such account" });
    let states = [
        State::Dormant,
        State::Locked,
        State::Disabled,
        State::Deleted,
        State::Unverified,
        State::Enabled,
        State::Active,
    ];
    for state in states {
        for password in [WRONG, PASSWORD] {
            if state.may_log_in() && password == PASSWORD {
                continue;
            }
            let kind = if password == WRONG { "wrong" } else { "right" };
            let person = server.person(&format!("{}-{kind}", state.name().to_lowercase())).await;
            server.put(&person, state).await;
            let reason = match state {
                State::Dormant => "the account is DORMANT",
                State::Locked => "the account is LOCKED",
                State::Disabled => "the account is DISABLED",
                State::Deleted => "the account is DELETED",
                State::Unverified | State::Enabled | State::Active => "wrong password",
            };
            cases.push(Case { dn: person.dn.clone(), password, person: Some(person), reason });
        }
    }
    cases
}

#[tokio::test]
async fn r2_09_every_refusal_looks_the_same() {
    // Goal: for unknown names, wrong passwords and every state that admits nobody, the answer to a bind is the same octet
    // for octet, with and without the password-policy control, over TCP and over the local socket; the journal tells
    // the real reason each time.
    let server = Server::start().await;
    let cases = cases(&server).await;
    let plain = server.bind(&cases[0].dn, WRONG).await;
    let answered = server.bind_with_control(&cases[0].dn, WRONG).await;
    assert!(plain.is_generic_failure() && plain.ppolicy.is_none(), "{plain:?}");
    assert!(answered.is_generic_failure() && answered.ppolicy.is_some(), "{answered:?}");
    for Case { dn, password, person, reason } in &cases {
        assert_eq!(server.bind(dn, password).await, plain, "{dn} {reason}");
        assert_eq!(server.last_refusal(person.as_ref()).await.as_deref(), Some(*reason), "{dn}");
        assert_eq!(server.local().await.bind(dn, password).await, plain, "{dn} {reason}, local socket");
        assert_eq!(server.bind_with_control(dn, password).await, answered, "{dn} {reason}, with the control");
    }
    server.verify().await;
}

#[tokio::test]
async fn c1_every_refusal_costs_one_hash() {
    // Goal: the work of a refusal is exactly one job of the hash pool and nothing on the spot, whoever is refused and
    // why, so that time tells nothing. The first login that finds somebody dormant is measured as well.
    let server = Server::start().await;
    for Case { dn, password, person, reason } in &cases(&server).await {
        for door in [Door::Ldap, Door::Ldapi, Door::Username, Door::Mail] {
            let before = server.directory.pool_figures();
            let name = |name: &String| LoginName::Username(name.clone());
            let refused = match (door, person) {
                (Door::Ldap, _) => server.bind(dn, password).await.is_generic_failure(),
                (Door::Ldapi, _) => server.local().await.bind(dn, password).await.is_generic_failure(),
                (Door::Username, Some(person)) => is_refused(&server.login(name(&person.uid), password).await),
                (Door::Mail, Some(person)) => is_refused(&server.login(name(&person.mail), password).await),
                (Door::Username, None) => {
                    is_refused(&server.login(LoginName::Username("nobody".into()), password).await)
                }
                (Door::Mail, None) => {
                    is_refused(&server.login(LoginName::Username("nobody@example.com".into()), password).await)
                }
            };
            assert!(refused, "{dn} {door:?}");
            let after = server.directory.pool_figures();
            assert_eq!((after.done - before.done, after.inline - before.inline), (1, 0), "{dn} {reason} {door:?}");
        }
    }
    server.verify().await;
}

fn is_refused(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Refused { hint: None })
}

#[tokio::test]
async fn r2_09_administrators_see_the_reason_on_the_account() {
    // Goal: what no peer is told stands on the account for administrators, and for nobody else.
    let server = Server::start().await;
    let dormant = server.person("dormant").await;
    server.put(&dormant, State::Dormant).await;
    let locked = server.person("locked").await;
    server.put(&locked, State::Locked).await;
    let disabled = server.person("disabled").await;
    server.put(&disabled, State::Disabled).await;
    let (mut admin, mut reader) = (server.admin().await, server.reader().await);
    for (person, state) in [(&dormant, "DORMANT"), (&locked, "LOCKED"), (&disabled, "DISABLED")] {
        let filter = format!("(rollbookState={state})");
        let attributes = ["rollbookState", "pwdAccountLockedTime"];
        let found = admin.search(&person.dn, testkit::Scope::Base, &filter, &attributes).await;
        assert_eq!(found.entries.first().unwrap().values("rollbookState"), [state]);
        assert_eq!(found.entries.first().unwrap().value("pwdAccountLockedTime").is_some(), state == "LOCKED");
        assert!(reader.search(&person.dn, testkit::Scope::Base, &filter, &attributes).await.entries.is_empty());
        let plain = reader.search(&person.dn, testkit::Scope::Base, "(objectClass=*)", &["*", "+"]).await;
        let plain = plain.entries.first().unwrap();
        assert!(plain.values("rollbookState").is_empty() && plain.values("pwdAccountLockedTime").is_empty());
    }
    server.verify().await;
}

//! A password that has to be changed (requirement 2.10).

use directory::change::Act;
use directory::clock::Span;
use directory::lifecycle::{Period, PolicyOverlay, State, Unprompted};
use ldap::wire::control::{PasswordPolicyError, PasswordPolicyWarning};
use testkit::{Client, Kind, NEW_PASSWORD, OTHER_PASSWORD, PASSWORD, Person, Scope, Server};

async fn forced(server: &Server, uid: &str) -> Person {
    let person = server.active(uid).await;
    let reply = server.admin().await.modify(&person.dn, &[(Kind::Replace, "pwdReset", &["TRUE"])]).await;
    assert!(reply.is_good(), "{reply:?}");
    person
}

/// Everything but the change of the own password is refused, and leaves the restriction in place.
async fn only_the_change(client: &mut Client, person: &Person) {
    let dn = person.dn.as_str();
    let other = "uid=other,ou=people,dc=example,dc=com";
    let search = client.search(dn, Scope::Base, "(objectClass=*)", &[]).await;
    assert_eq!((search.reply.code, search.entries.len()), (50, 0));
    let compare = client.compare(dn, "uid", &person.uid).await;
    let add = client.add(other, &[("objectClass", "inetOrgPerson"), ("cn", "o"), ("sn", "o")]).await;
    let delete = client.delete(dn).await;
    let rename = client.rename(dn, "cn=other", false, None).await;
    let own = client.modify(dn, &[(Kind::Replace, "telephoneNumber", &["+49 30 1"])]).await;
    let both: &[(Kind, &str, &[&str])] =
        &[(Kind::Replace, "telephoneNumber", &["+49 30 1"]), (Kind::Replace, "userPassword", &[OTHER_PASSWORD])];
    let both = client.modify(dn, both).await;
    let others = client.change_password(Some(other), None, Some(OTHER_PASSWORD)).await;
    for (what, reply) in [
        ("compare", compare),
        ("add", add),
        ("delete", delete),
        ("rename", rename),
        ("modify", own),
        ("modify with password", both),
    ] {
        assert_eq!(reply.code, 50, "{what}: {reply:?}");
        let said = reply.ppolicy.and_then(|p| p.error);
        let knows = !matches!(what, "compare" | "delete" | "rename") && reply.ppolicy.is_some();
        assert!(!knows || said == Some(PasswordPolicyError::ChangeAfterReset), "{what}: {reply:?}");
    }
    assert!(!others.is_good(), "somebody else's password: {others:?}");
    assert_eq!(client.search(dn, Scope::Base, "(objectClass=*)", &[]).await.reply.code, 50, "still restricted");
}

#[tokio::test]
async fn r2_10_with_the_control_the_bind_is_good_for_the_change_alone() {
    // Goal: with the control the bind succeeds with changeAfterReset, nothing but the change is allowed until it is done,
    // then everything on the same connection; the account stays what it was and the next login is a whole one.
    let server = Server::start().await;
    let ways = ["modify", "modify by value", "password modify", "password modify with the old one"];
    for (n, way) in ways.into_iter().enumerate() {
        let person = forced(&server, &format!("p{n}")).await;
        let dn = person.dn.as_str();
        let mut client = server.client().await.with_policy_control();
        let outcome = client.bind(dn, PASSWORD).await;
        assert_eq!((outcome.code, outcome.policy_error()), (0, Some(PasswordPolicyError::ChangeAfterReset)), "{way}");
        only_the_change(&mut client, &person).await;
        let reply = match way {
            "modify" => client.modify(dn, &[(Kind::Replace, "userPassword", &[NEW_PASSWORD])]).await,
            "modify by value" => {
                let changes: &[(Kind, &str, &[&str])] =
                    &[(Kind::Delete, "userPassword", &[PASSWORD]), (Kind::Add, "userPassword", &[NEW_PASSWORD])];
                client.modify(dn, changes).await
            }
            "password modify" => client.change_password(None, None, Some(NEW_PASSWORD)).await,
            _ => client.change_password(Some(dn), Some(PASSWORD), Some(NEW_PASSWORD)).await,
        };
        assert!(reply.is_good(), "{way}: {reply:?}");
        assert_eq!(client.search(dn, Scope::Base, "(objectClass=*)", &[]).await.entries.len(), 1, "{way}: free again");
        assert!(client.modify(dn, &[(Kind::Replace, "telephoneNumber", &["+49 30 1"])]).await.is_good());
        let outcome = server.bind_with_control(dn, NEW_PASSWORD).await;
        assert_eq!((outcome.code, outcome.policy_error()), (0, None), "{way}");
        assert!(server.bind(dn, NEW_PASSWORD).await.is_good());
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_10_without_the_control_the_policy_says() {
    // Goal: by default such a bind is refused like a wrong password (the right one counts no failure); where the policy
    // restricts, it succeeds and only the change is allowed.
    let server = Server::start().await;
    let person = forced(&server, "ada").await;
    for _ in 0..10 {
        assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure());
    }
    assert_eq!(server.facts(&person).unwrap().counters.failures.count, 0);
    assert_eq!(server.state(&person), State::Active, "still the right password: nothing is counted");
    assert_eq!(server.last_refusal(Some(&person)).await.unwrap(), "the password has to be changed");
    server.verify().await;

    let restrict =
        PolicyOverlay { must_change_without_control: Some(Unprompted::Restrict), ..PolicyOverlay::default() };
    let server = Server::with(restrict).await;
    let person = forced(&server, "ada").await;
    let mut client = server.client().await;
    let outcome = client.bind(&person.dn, PASSWORD).await;
    assert!(outcome.is_good() && outcome.ppolicy.is_none(), "{outcome:?}");
    only_the_change(&mut client, &person).await;
    assert!(client.change_password(None, None, Some(NEW_PASSWORD)).await.is_good());
    assert_eq!(client.search(&person.dn, Scope::Base, "(objectClass=*)", &[]).await.entries.len(), 1);
    server.verify().await;
}

#[tokio::test]
async fn r2_10_a_refused_change_leaves_the_restriction() {
    // Goal: a new password that the policy refuses (the same one, one of the last, too short, the name) changes nothing;
    // the restriction stands until a good one is set.
    let server = Server::start().await;
    let person = forced(&server, "lovelace").await;
    let mut client = server.client().await.with_policy_control();
    assert!(client.bind(&person.dn, PASSWORD).await.is_good());
    for (new, error) in [
        (PASSWORD, PasswordPolicyError::PasswordInHistory),
        ("short", PasswordPolicyError::PasswordTooShort),
        ("lovelace forever", PasswordPolicyError::InsufficientPasswordQuality),
    ] {
        let reply = client.change_password(None, None, Some(new)).await;
        assert_eq!((reply.code, reply.ppolicy.unwrap().error), (19, Some(error)), "{new}");
        assert_eq!(client.search(&person.dn, Scope::Base, "(objectClass=*)", &[]).await.reply.code, 50);
    }
    let wrong_old = client.change_password(None, Some("not it at all"), Some(NEW_PASSWORD)).await;
    assert_eq!(wrong_old.code, 49);
    assert!(client.change_password(None, None, Some(NEW_PASSWORD)).await.is_good());
    server.verify().await;
}

#[tokio::test]
async fn r2_10_an_expired_password_is_a_forced_change() {
    // Goal: at its greatest age a password is good for its change alone; before that the control warns with the seconds.
    let server = Server::with(PolicyOverlay {
        password_max_age: Some(Period::After(Span::from_days(90))),
        ..PolicyOverlay::default()
    })
    .await;
    let person = server.active("ada").await;
    server.pass(Span::from_days(89));
    let outcome = server.bind_with_control(&person.dn, PASSWORD).await;
    assert_eq!(
        (outcome.code, outcome.policy_warning()),
        (0, Some(PasswordPolicyWarning::TimeBeforeExpiration(86_400)))
    );
    server.pass(Span::from_days(1));
    assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure());
    let mut client = server.client().await.with_policy_control();
    let outcome = client.bind(&person.dn, PASSWORD).await;
    assert_eq!((outcome.code, outcome.policy_error()), (0, Some(PasswordPolicyError::ChangeAfterReset)));
    only_the_change(&mut client, &person).await;
    assert!(client.change_password(None, None, Some(NEW_PASSWORD)).await.is_good());
    assert!(server.bind(&person.dn, NEW_PASSWORD).await.is_good());
    server.verify().await;
}

#[tokio::test]
async fn r2_10_an_application_is_never_forced() {
    // Goal: applications cannot change their password, so none is forced on them, not even by an enabling with a new one.
    let server = Server::start().await;
    let application = server.application("indexer").await;
    assert!(server.bind(&application.dn, PASSWORD).await.is_good());
    assert!(server.act(&application, Act::ForceChange).await.is_err());
    server.act(&application, Act::Disable).await.unwrap();
    server.act(&application, Act::Enable { password: Some(NEW_PASSWORD.into()) }).await.unwrap();
    assert!(server.bind(&application.dn, NEW_PASSWORD).await.is_good());
    assert_eq!(server.state(&application), State::Active);
    server.verify().await;
}

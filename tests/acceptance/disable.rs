//! Disabled at once, and given back whole (requirement 2.6).

use directory::change::Act;
use directory::lifecycle::State;
use testkit::{Door, Kind, PASSWORD, Scope, Server};

#[tokio::test]
async fn r2_06_disabling_ends_everything_at_once() {
    // Goal: connections that are bound as the account are ended at their next operation, whatever it is, session and
    // token use is refused, and no door lets it in.
    let server = Server::start().await;
    for from in [State::Unverified, State::Enabled, State::Active, State::Locked] {
        let person = server.person(&from.name().to_lowercase()).await;
        assert!(server.bind(&person.dn, PASSWORD).await.is_good());
        let mut clients = Vec::new();
        for _ in 0..5 {
            clients.push(server.bound(&person.dn, PASSWORD).await);
        }
        let epoch = server.facts(&person).unwrap().epoch;
        if from == State::Locked {
            server.fail(&person, 6).await;
        }
        server.act(&person, Act::Disable).await.unwrap();
        let mut clients = clients.into_iter();
        let mut next = || clients.next().unwrap();
        assert!(next().who_am_i().await.ended);
        assert!(next().search(&person.dn, Scope::Base, "(objectClass=*)", &[]).await.reply.ended);
        assert!(next().modify(&person.dn, &[(Kind::Replace, "mobile", &["1"])]).await.ended);
        assert!(next().compare(&person.dn, "cn", &person.uid).await.ended);
        assert!(next().change_password(None, Some(PASSWORD), Some("never to be set")).await.ended);
        assert!(!server.directory.activity(person.id, epoch).unwrap(), "tokens end with it");
        for door in Door::ALL {
            assert!(!server.enters(door, &person, PASSWORD).await, "{door:?}");
        }
        assert_eq!(server.state(&person), State::Disabled);
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_06_reactivation_gives_back_what_was_there() {
    // Goal: after enabling, the last password, every group and every role are there again, and were shown all the time;
    // the connections of before stay ended.
    let server = Server::start().await;
    let tenant = server.tenant("acme").await;
    let person = server.person_of(&tenant, "ada", Some("DIRECTORY_READER")).await;
    let group = server.group("engineers", &[&person.dn]).await;
    let nested = server.group("everybody", &[&group]).await;
    assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    let mut before = server.bound(&person.dn, PASSWORD).await;
    let seen = before.search(&tenant.dn, Scope::Subtree, "(objectClass=*)", &["1.1"]).await.entries.len();
    assert!(seen > 1, "the role gives sight");
    server.act(&person, Act::Disable).await.unwrap();

    let mut admin = server.admin().await;
    let entry = admin.search(&person.dn, Scope::Base, "(objectClass=*)", &["memberOf", "rollbookState"]).await;
    let entry = entry.entries.first().unwrap();
    assert_eq!(entry.values("rollbookState"), ["DISABLED"]);
    assert!(entry.values("memberOf").contains(&group));
    server.pass(directory::clock::Span::from_days(30));
    server.act(&person, Act::Enable { password: None }).await.unwrap();

    assert!(before.who_am_i().await.ended, "what was ended stays ended");
    let mut after = server.bound(&person.dn, PASSWORD).await;
    assert_eq!(server.state(&person), State::Active);
    assert_eq!(after.search(&tenant.dn, Scope::Subtree, "(objectClass=*)", &["1.1"]).await.entries.len(), seen);
    let chain = format!("(memberOf:1.2.840.113556.1.4.1941:={nested})");
    assert_eq!(
        admin.search(testkit::BASE, Scope::Subtree, &chain, &["1.1"]).await.dns(),
        [group.as_str(), person.dn.as_str()]
    );
    server.verify().await;
}

//! Deleted, hidden, reserved, purged (requirement 2.7).

use directory::change::Act;
use directory::clock::Span;
use directory::lifecycle::{Names, PolicyOverlay, State};
use testkit::{BASE, Door, PASSWORD, Person, Scope, Server};

/// Every question that could show an entry, as the one who sees everything.
async fn is_shown(server: &Server, person: &Person, group: &str) -> bool {
    let mut admin = server.operator().await;
    let filters = [
        "(objectClass=*)".to_owned(),
        format!("(uid={})", person.uid),
        format!("(uid={}*)", person.uid),
        format!("(mail={})", person.mail),
        format!("(memberOf={group})"),
        "(rollbookState=DELETED)".to_owned(),
        "(!(objectClass=organizationalUnit))".to_owned(),
    ];
    for filter in filters {
        for scope in [Scope::One, Scope::Subtree] {
            let base = if scope == Scope::One { "ou=people,dc=example,dc=com" } else { BASE };
            if admin.search(base, scope, &filter, &["1.1"]).await.dns().contains(&person.dn.as_str()) {
                return true;
            }
        }
    }
    let held = admin.search(group, Scope::Base, "(objectClass=*)", &["member"]).await;
    held.entries.first().unwrap().values("member").contains(&person.dn)
        || !admin.search(&person.dn, Scope::Base, "(objectClass=*)", &[]).await.is_nothing()
        || admin.compare(&person.dn, "uid", &person.uid).await.code == 6
}

#[tokio::test]
async fn r2_07_deletion_is_soft_and_shown_nowhere() {
    // Goal: from every state a deletion takes the account out of every list and every login at once, ends its
    // connections, and cannot be undone; its facts wait for the purge.
    let server = Server::start().await;
    let keeper = server.person("keeper").await;
    for from in State::ALL.into_iter().filter(|s| *s != State::Deleted) {
        let person = server.person(&format!("was-{}", from.name().to_lowercase())).await;
        let group = server.group(from.name(), &[&person.dn, &keeper.dn]).await;
        server.put(&person, from).await;
        let mut bound = if from.may_log_in() { Some(server.bound(&person.dn, PASSWORD).await) } else { None };
        let epoch = server.facts(&person).unwrap().epoch;
        assert!(is_shown(&server, &person, &group).await, "{from:?}: shown before");
        server.act(&person, Act::Delete { months: None }).await.unwrap();
        assert!(!is_shown(&server, &person, &group).await, "{from:?}: shown after");
        if let Some(bound) = &mut bound {
            assert!(bound.who_am_i().await.ended);
        }
        assert!(!server.directory.activity(person.id, epoch).unwrap());
        for door in Door::ALL {
            assert!(!server.enters(door, &person, PASSWORD).await, "{from:?} {door:?}");
            assert_eq!(server.last_refusal(Some(&person)).await.as_deref(), Some("the account is DELETED"), "{door:?}");
        }
        assert_eq!(server.state(&person), State::Deleted);
        for act in [Act::Enable { password: None }, Act::Unlock { password: Some(PASSWORD.into()) }, Act::Disable] {
            assert!(server.act(&person, act).await.is_err(), "{from:?}: not restorable");
        }
        assert_eq!(server.state(&person), State::Deleted);
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_07_names_stay_reserved_until_the_purge() {
    // Goal: for the months given with the deletion (or the policy's) nobody gets username or address, under whatever DN;
    // then the sweep purges, and a new account of the same name inherits nothing.
    for (given, policy, months) in [(None, None, 1), (None, Some(4), 4), (Some(3), None, 3), (Some(2), Some(9), 2)] {
        let server = Server::with(PolicyOverlay { purge_months: policy, ..PolicyOverlay::default() }).await;
        let person = server.active("ada").await;
        let keeper = server.person("keeper").await;
        let group = server.group("engineers", &[&person.dn, &keeper.dn]).await;
        server.act(&person, Act::Delete { months: given }).await.unwrap();
        let deleted = server.directory.now().wall;
        let mut admin = server.admin().await;
        server.pass(Span::from_millis(deleted.add_months(months).unwrap().since(deleted).millis() - 1));
        assert_eq!(server.directory.sweep().await.unwrap(), 0, "{months} months are not over");
        let classes = [("objectClass", "inetOrgPerson"), ("cn", "x"), ("sn", "x")];
        let same_dn = admin.add(&person.dn, &classes).await;
        assert_eq!((same_dn.code, same_dn.message.as_str()), (68, "the username is taken"));
        let elsewhere = admin.add("uid=ADA,ou=system,dc=example,dc=com", &classes).await;
        assert_eq!(elsewhere.code, 68, "{elsewhere:?}");
        let attributes = [classes.as_slice(), &[("mail", person.mail.as_str())]].concat();
        let address = admin.add("uid=other,ou=people,dc=example,dc=com", &attributes).await;
        assert_eq!((address.code, address.message.as_str()), (68, "the e-mail address is taken"));

        server.pass(Span::from_millis(1));
        assert_eq!(server.directory.sweep().await.unwrap(), 1, "{months} months are over");
        assert!(server.facts(&person).is_none(), "purged for good");
        assert_eq!(server.trail().await.acts(person.id).last(), Some(&"purge"));
        inherits_nothing(&server, &person, &group).await;
        server.verify().await;
    }
}

/// Makes an account of the same name and DN and looks at what it has.
async fn inherits_nothing(server: &Server, former: &Person, group: &str) {
    let dn = former.dn.as_str();
    let attributes = [("objectClass", "inetOrgPerson"), ("cn", "x"), ("sn", "x"), ("mail", former.mail.as_str())];
    server.add(dn, &attributes).await.expect("the names are free");
    let new = Person { id: server.id(dn), ..former.clone() };
    assert_ne!(new.id, former.id, "a technical id is never used again");
    assert_eq!(server.state(&new), State::Unverified);
    assert!(server.bind(dn, PASSWORD).await.is_generic_failure(), "no password");
    let mut admin = server.admin().await;
    let entry = admin.search(dn, Scope::Base, "(objectClass=*)", &["memberOf", "entryUUID"]).await;
    assert_eq!(entry.entries.first().unwrap().values("memberOf"), Vec::<String>::new(), "no groups");
    let held = admin.search(group, Scope::Base, "(objectClass=*)", &["member"]).await;
    assert!(!held.entries.first().unwrap().values("member").contains(&new.dn));
    let facts = server.facts(&new).unwrap();
    assert_eq!(
        (facts.epoch, facts.counters.last_login, facts.counters.failures.count),
        (0, None, 1),
        "only its own failure"
    );
}

#[tokio::test]
async fn r2_07_zero_months_are_allowed() {
    // Goal: a deletion with zero months is purged by the next sweep; one with more than ten years is refused.
    let server = Server::start().await;
    let person = server.active("ada").await;
    let keeper = server.person("keeper").await;
    let group = server.group("engineers", &[&person.dn, &keeper.dn]).await;
    assert!(server.act(&person, Act::Delete { months: Some(121) }).await.is_err());
    assert_eq!(server.state(&person), State::Active);
    server.act(&person, Act::Delete { months: Some(0) }).await.unwrap();
    assert_eq!(server.directory.sweep().await.unwrap(), 1);
    inherits_nothing(&server, &person, &group).await;
    server.verify().await;
}

#[tokio::test]
async fn r2_07_the_policy_may_free_names_at_once() {
    // Goal: with free names a new account of the same name is made at once and inherits nothing, and the purge of the
    // former one takes nothing from it.
    let server =
        Server::with(PolicyOverlay { names_after_deletion: Some(Names::Free), ..PolicyOverlay::default() }).await;
    let person = server.active("ada").await;
    let keeper = server.person("keeper").await;
    let group = server.group("engineers", &[&person.dn, &keeper.dn]).await;
    server.act(&person, Act::Delete { months: None }).await.unwrap();
    inherits_nothing(&server, &person, &group).await;
    let new = Person { id: server.id(&person.dn), ..person.clone() };
    server.set_password(&new.dn, PASSWORD).await.unwrap();
    server.pass_months(2);
    assert_eq!(server.directory.sweep().await.unwrap(), 1, "the former one is purged");
    assert!(server.facts(&person).is_none());
    for door in Door::ALL {
        assert!(server.enters(door, &new, PASSWORD).await, "{door:?}: the new one keeps its names");
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_07_an_ldap_delete_is_soft_and_frees_the_names() {
    // Goal: a plain LDAP delete of an account ends it as any deletion does: its logins and its connections end, the
    // journal says so, its facts wait for the purge; its names are free at once for a new account that inherits nothing.
    let server = Server::start().await;
    let person = server.active("ada").await;
    let keeper = server.person("keeper").await;
    let group = server.group("engineers", &[&person.dn, &keeper.dn]).await;
    let mut bound = server.bound(&person.dn, PASSWORD).await;
    let deleted = server.admin().await.delete(&person.dn).await;
    assert_eq!(deleted.code, 0, "{deleted:?}");
    assert!(!is_shown(&server, &person, &group).await);
    assert!(bound.who_am_i().await.ended);
    assert_eq!(server.state(&person), State::Deleted);
    assert_eq!(server.trail().await.acts(person.id).last(), Some(&"delete"));
    for door in Door::ALL {
        assert!(!server.enters(door, &person, PASSWORD).await, "{door:?}");
    }
    inherits_nothing(&server, &person, &group).await;
    server.pass_months(1);
    assert_eq!(server.directory.sweep().await.unwrap(), 1);
    assert!(server.facts(&person).is_none(), "purged for good");
    server.verify().await;
}

//! Hostile rows C2 to C10 and C12 at the gate: guesses in every form, in parallel, across restarts.

use directory::authenticate::{Login, LoginName, Verdict};
use directory::bootstrap;
use directory::clock::Span;
use directory::context::Door as Whence;
use directory::lifecycle::{ChangePath, LockDuration, Policy, PolicyOverlay, State};
use std::time::Duration;
use testkit::{Door, Kind, NEW_PASSWORD, PASSWORD, Scope, Server, WRONG};

#[tokio::test]
async fn c2_hashes_of_other_servers_cost_the_same_and_are_upgraded() {
    // Goal: a wrong password against a foreign hash costs one whole job like any other; a right one logs in and leaves a
    // hash of ours; the next one goes by that.
    let server = Server::start().await;
    // Both with the salt `salt`.
    let foreign = [
        ("ssha", "{SSHA}aaC298pPe9FG8cpireOx2UF65qxzYWx0", "nine wooden ladders"),
        ("ssha256", "{SSHA256}xIJN+9froAawmCNBdMAdy9pFQssy6EtJtoz5mo0vhOJzYWx0", "nine wooden ladders"),
    ];
    let mut admin = server.admin().await;
    for (uid, hash, password) in foreign {
        let person = server.person(uid).await;
        let reply = admin.modify(&person.dn, &[(Kind::Replace, "userPassword", &[hash])]).await;
        assert!(reply.is_good(), "{uid}: {reply:?}");
        let before = server.directory.pool_figures().done;
        assert!(server.bind(&person.dn, WRONG).await.is_generic_failure());
        assert_eq!(server.directory.pool_figures().done - before, 1, "{uid}: one job for a wrong one");
        assert!(server.bind(&person.dn, password).await.is_good(), "{uid}");
        let trail = server.trail().await;
        assert_eq!(trail.acts(person.id).last(), Some(&"upgrade-hash"), "{uid}");
        assert!(server.bind(&person.dn, password).await.is_good(), "{uid}: by the new hash");
        assert!(server.bind(&person.dn, WRONG).await.is_generic_failure());
    }
    server.verify().await;
}

#[tokio::test]
async fn c3_a_broken_stored_hash_admits_nobody() {
    // Goal: hashes that are cut off, empty, of unknown schemes or with absurd costs are refused at the door where it can be
    // seen, and where they are taken a login is a generic failure at the usual price; nothing panics.
    let server = Server::start().await;
    let mut admin = server.admin().await;
    let broken = [
        "{SSHA}",
        "{SSHA}AAAA",
        "{SSHA}not base64 at all",
        "{CRYPT}$6$",
        "{CRYPT}$6$salt$x",
        "{CRYPT}*",
        "{MD4}abcd",
        "{PBKDF2-SHA256}0$c2FsdA$aGFzaA",
        "{ARGON2}$argon2id$v=19$m=4294967295,t=4294967295,p=255$c2FsdA$aGFzaA",
        "{SASL}ada@EXAMPLE.COM",
    ];
    for (n, hash) in broken.into_iter().enumerate() {
        let person = server.person(&format!("p{n}")).await;
        let reply = admin.modify(&person.dn, &[(Kind::Replace, "userPassword", &[hash])]).await;
        let before = server.directory.pool_figures();
        if reply.is_good() {
            for password in [PASSWORD, hash, "x"] {
                assert!(server.bind(&person.dn, password).await.is_generic_failure(), "{hash}");
            }
            assert_eq!(server.directory.pool_figures().done - before.done, 3, "{hash}");
        } else {
            assert_eq!(reply.code, 19, "{hash}: {reply:?}");
            assert!(server.bind(&person.dn, PASSWORD).await.is_good(), "{hash}: the old one stands");
        }
    }
    server.verify().await;
}

/// So many logins at once through the gate; the verdicts.
async fn at_once(server: &Server, dn: &str, password: &'static str, count: usize) -> Vec<Verdict> {
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let (directory, context) = (server.directory.clone(), server.context(Whence::Ldap));
            let login = Login { name: LoginName::Dn(dn.into()), password: password.into(), change: ChangePath::None };
            tokio::spawn(async move { directory.authenticate(&context, login).await })
        })
        .collect();
    let mut verdicts = Vec::new();
    for task in tasks {
        verdicts.push(task.await.unwrap());
    }
    verdicts
}

#[tokio::test]
async fn c4_two_thousand_guesses_at_once() {
    // Goal: of 2000 wrong passwords in parallel exactly as many are looked at as lock the account; of 2000 right ones
    // every one gets in.
    let server = Server::start().await;
    let (victim, owner) = (server.active("victim").await, server.active("owner").await);
    let verdicts = at_once(&server, &victim.dn, WRONG, 2_000).await;
    assert!(verdicts.iter().all(|v| matches!(v, Verdict::Refused { hint: None })));
    assert_eq!(server.state(&victim), State::Locked);
    let trail = server.trail().await;
    let counted = |reason: &str| {
        let notes = trail
            .notes("login-refused")
            .into_iter()
            .filter(|n| n.entry == Some(victim.id) && n.reason.contains(reason));
        notes.map(|n| n.count).sum::<u32>()
    };
    assert_eq!(counted("wrong password"), 6, "as many as the policy lets pass, and the one that locks");
    assert_eq!(counted("LOCKED") + counted("not looked at"), 1_994);
    assert_eq!(server.facts(&victim).unwrap().counters.failures.count, 6);

    let verdicts = at_once(&server, &owner.dn, PASSWORD, 2_000).await;
    assert_eq!(verdicts.iter().filter(|v| matches!(v, Verdict::Admitted(_))).count(), 2_000);
    server.verify().await;
}

#[tokio::test]
async fn c5_the_right_password_while_locked_changes_nothing() {
    // Goal: a locked account answers its right password as any wrong one, and its facts stay as they are to the last bit.
    let server = Server::start().await;
    let person = server.active("ada").await;
    server.fail(&person, 6).await;
    let (facts, wrong) = (server.facts(&person).unwrap(), server.bind(&person.dn, WRONG).await);
    for _ in 0..20 {
        for door in Door::ALL {
            assert!(!server.enters(door, &person, PASSWORD).await);
        }
        assert_eq!(server.bind(&person.dn, PASSWORD).await, wrong);
    }
    assert_eq!(server.facts(&person).unwrap(), facts, "no failure counted, no lock prolonged, no stamp");
    server.verify().await;
}

#[tokio::test]
async fn c6_all_doors_share_one_counter() {
    // Goal: guesses that alternate between the doors, bound and unbound, and between addresses are counted together.
    let server = Server::start().await;
    let person = server.active("ada").await;
    let mut bound = server.bound(&person.dn, PASSWORD).await;
    assert!(!server.enters(Door::Ldap, &person, WRONG).await);
    assert!(!server.enters(Door::Ldapi, &person, WRONG).await);
    assert!(!server.enters(Door::Username, &person, WRONG).await);
    assert!(!server.enters(Door::Mail, &person, WRONG).await);
    let reply = bound.change_password(None, Some(WRONG), Some(NEW_PASSWORD)).await;
    assert_eq!(reply.code, 49, "the old password in a change is a guess as well");
    assert_eq!(server.facts(&person).unwrap().counters.failures.count, 5);
    let mut context = server.context(Whence::Ldap);
    context.origin.address = Some("2001:db8::7".parse().unwrap());
    let login = Login { name: LoginName::Account(person.id), password: WRONG.into(), change: ChangePath::None };
    assert!(matches!(server.directory.authenticate(&context, login).await, Verdict::Refused { .. }));
    assert_eq!(server.state(&person), State::Locked);
    server.verify().await;
}

#[tokio::test]
async fn c7_every_spelling_of_a_name_is_one_account() {
    // Goal: failures count on one account in whatever spelling DN, username or address come, and the right password gets in
    // by each of them.
    let spellings = [
        "uid=bob,ou=people,dc=example,dc=com",
        "UID=BOB,OU=People,DC=Example,DC=Com",
        " uid = bob , ou = people , dc=example, dc=com ",
        "0.9.2342.19200300.100.1.1=bob,ou=people,dc=example,dc=com",
        "uid=b\\6fb,ou=people,dc=example,dc=com",
        "uid=#0403626f62,ou=people,dc=example,dc=com",
        "userid=bob,ou=people,dc=example,dc=com",
        "uid=  bob  ,ou=people,dc=example,dc=com",
        "uid=ｂｏｂ,ou=people,dc=example,dc=com",
        "bob",
        "BOB",
        "ｂｏｂ",
        "bob@example.com",
        "Bob@EXAMPLE.com",
    ];
    let server = Server::start().await;
    let person = server.person("bob").await;
    for spelling in spellings {
        assert!(server.bind(spelling, PASSWORD).await.is_good(), "{spelling}");
    }
    for chunk in spellings.chunks(6) {
        assert!(server.bind(&person.dn, PASSWORD).await.is_good());
        for (n, spelling) in chunk.iter().enumerate() {
            assert!(server.bind(spelling, WRONG).await.is_generic_failure(), "{spelling}");
            assert_eq!(usize::from(server.facts(&person).unwrap().counters.failures.count), n + 1, "{spelling}");
        }
        if chunk.len() == 6 {
            assert_eq!(server.state(&person), State::Locked);
            server.pass(Span::from_hours(25));
        }
    }
    server.verify().await;
}

#[tokio::test]
async fn c8_a_bound_connection_of_an_account_that_ended() {
    // Goal: what was granted ends with DISABLED, DORMANT (found) and DELETED at its next use, and goes on with LOCKED.
    let server = Server::start().await;
    for (state, goes_on) in
        [(State::Dormant, false), (State::Locked, true), (State::Disabled, false), (State::Deleted, false)]
    {
        let person = server.active(&state.name().to_lowercase()).await;
        let mut client = server.bound(&person.dn, PASSWORD).await;
        let epoch = server.facts(&person).unwrap().epoch;
        server.put(&person, state).await;
        server.directory.sweep().await.unwrap();
        assert_eq!(server.directory.activity(person.id, epoch).unwrap(), goes_on, "{state:?}: a token");
        let found = client.search(&person.dn, Scope::Base, "(objectClass=*)", &["1.1"]).await;
        assert_eq!((found.entries.len() == 1, found.reply.ended), (goes_on, !goes_on), "{state:?}: a connection");
    }
    server.verify().await;
}

#[test]
fn c9_no_number_switches_locking_off() {
    // Goal: durations outside one second to 3650 days are refused as a whole; what is accepted locks.
    let refused = |lock: LockDuration| {
        let overlay = PolicyOverlay { lock_duration: Some(lock), ..PolicyOverlay::default() };
        Policy::default().with(&overlay).is_err()
    };
    let spans = [
        (Span::from_days(21_900), true),
        (Span::from_secs(2_147_483_648), true),
        (Span::from_millis(i64::MAX), true),
        (Span::from_millis(-1), true),
        (Span::ZERO, true),
        (Span::from_millis(999), true),
        (Span::from_secs(1), false),
        (Span::from_days(3_650), false),
    ];
    for (span, wrong) in spans {
        assert_eq!(refused(LockDuration::For(span)), wrong, "{span}");
    }
}

#[tokio::test]
async fn c9_the_longest_and_the_shortest_lock_are_locks() {
    // Goal: at both ends of what is accepted, at the bind: locked, for so long, however often it is doubled.
    for (span, cap) in [(Span::from_secs(1), Span::from_secs(1)), (Span::from_days(3_650), Span::from_days(3_650))] {
        let policy = PolicyOverlay {
            lock_duration: Some(LockDuration::For(span)),
            lock_duration_cap: Some(cap),
            dormancy_months: Some(directory::lifecycle::Period::Never),
            ..PolicyOverlay::default()
        };
        let server = Server::with(policy).await;
        let person = server.active("ada").await;
        for round in 0..4 {
            server.fail(&person, 6).await;
            server.pass(Span::from_millis(span.millis() - 1));
            assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure(), "{span}, round {round}");
            server.pass(Span::from_millis(1));
            assert_ne!(server.state(&person), State::Locked, "{span}, round {round}");
        }
        assert!(server.bind(&person.dn, PASSWORD).await.is_good());
        server.verify().await;
    }
}

#[tokio::test]
async fn c10_the_cap_means_nothing_to_a_lock_without_an_end() {
    // Goal: parameters of temporary locks do not shorten a permanent one.
    let policy = PolicyOverlay {
        lock_duration: Some(LockDuration::UntilUnlocked),
        lock_duration_cap: Some(Span::from_secs(1)),
        failure_window: Some(Span::from_secs(1)),
        ..PolicyOverlay::default()
    };
    let server = Server::with(policy).await;
    let person = server.active("ada").await;
    server.fail(&person, 6).await;
    server.pass(Span::from_days(30));
    assert_eq!(server.state(&person), State::Locked);
    assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure());
    server.verify().await;
}

#[tokio::test]
async fn c12_failures_survive_a_restart() {
    // Goal: a restart in order keeps every failure; a crash keeps those that the flush of a second has taken, and a lock
    // always, because it was stored before its answer.
    let server = Server::start().await;
    let (person, locked) = (server.active("ada").await, server.active("grace").await);
    server.fail(&person, 2).await;
    let server = server.restart().await;
    assert_eq!(server.facts(&person).unwrap().counters.failures.count, 2, "two of six, in order");
    server.fail(&person, 2).await;
    server.pass(Span::from_secs(1));
    server.tick().await;
    server.fail(&locked, 6).await;
    let server = server.crash().await;
    assert_eq!(server.state(&locked), State::Locked, "a lock is never lost");
    assert!(server.bind(&locked.dn, PASSWORD).await.is_generic_failure());
    assert_eq!(server.facts(&person).unwrap().counters.failures.count, 4, "stored within the second");
    server.fail(&person, 2).await;
    assert_eq!(server.state(&person), State::Locked, "no guess was given twice");
    let server = server.restart().await;
    assert_eq!(server.state(&person), State::Locked);
    server.pass(Span::from_mins(15));
    assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    server.verify().await;
}

#[tokio::test]
async fn c12_guesses_between_crashes() {
    // Goal: crashing the machine within a second after each guess buys an attacker the guesses of that second, no more:
    // what has been flushed stays counted.
    let server = Server::start().await;
    let person = server.active("ada").await;
    server.fail(&person, 3).await;
    server.pass(Span::from_secs(1));
    server.tick().await;
    let mut server = server;
    for _ in 0..5 {
        server.fail(&person, 1).await;
        server = server.crash().await;
        assert_eq!(server.facts(&person).unwrap().counters.failures.count, 3, "the flushed ones");
    }
    server.fail(&person, 3).await;
    assert_eq!(server.state(&person), State::Locked);
    server.verify().await;
}

#[tokio::test]
async fn c12_flushing_costs_no_commit_per_failure() {
    // Goal: a hundred accounts with failures are stored by one commit, not by a hundred.
    let server = Server::start().await;
    let mut people = Vec::new();
    for n in 0..100 {
        people.push(server.person(&format!("p{n}")).await);
    }
    server.directory.flush(true).await.unwrap();
    let before = server.directory.lane_figures().0;
    for person in &people {
        server.fail(person, 4).await;
    }
    assert_eq!(server.directory.lane_figures().0, before, "a failed bind never costs a commit of its own");
    server.pass(Span::from_secs(1));
    server.tick().await;
    assert_eq!(server.directory.lane_figures().0, before + 1);
    for person in &people {
        assert_eq!(server.stored(person).unwrap().counters.failures.count, 4);
    }
    server.verify().await;
}

#[tokio::test]
async fn c13_the_operator_always_gets_in() {
    // Goal: with every administrator locked by an attacker, the local socket still lets the operator of the machine in, and
    // he unlocks.
    let server = Server::start().await;
    for _ in 0..7 {
        assert!(server.bind(testkit::ADMIN.0, WRONG).await.is_generic_failure());
    }
    assert!(server.bind(testkit::ADMIN.0, testkit::ADMIN.1).await.is_generic_failure());
    let mut operator = server.local().await;
    assert!(operator.external().await.is_good());
    assert_eq!(operator.identity().await.as_deref(), Some("u:operator"));
    let unlock: &[(Kind, &str, &[&str])] =
        &[(Kind::Delete, "pwdAccountLockedTime", &[]), (Kind::Replace, "userPassword", &[NEW_PASSWORD])];
    let reply = operator.modify(testkit::ADMIN.0, unlock).await;
    assert!(reply.is_good(), "{reply:?}");
    assert!(server.bind(testkit::ADMIN.0, NEW_PASSWORD).await.is_good());
    assert_eq!(server.client().await.external().await.code, 7, "not over TCP");
    server.verify().await;
}

#[tokio::test]
async fn c14_one_source_is_limited() {
    // Goal: one password tried on very many names from one network is stopped by the source's limit, before any hash, and
    // another source is not.
    let server = Server::start().await;
    let person = server.active("ada").await;
    let try_one = async |n: usize, address: &str| {
        let mut context = server.context(Whence::Ldap);
        context.origin.address = Some(address.parse().unwrap());
        let name = LoginName::Username(format!("user{n}"));
        let login = Login { name, password: WRONG.into(), change: ChangePath::None };
        tokio::time::timeout(Duration::from_mins(1), server.directory.authenticate(&context, login)).await.unwrap()
    };
    for n in 0..1_000 {
        assert!(matches!(try_one(n, &format!("2001:db8::{n:x}")).await, Verdict::Refused { .. }), "{n}");
    }
    let before = server.directory.pool_figures().done;
    assert!(matches!(try_one(1_000, "2001:db8::ffff").await, Verdict::Busy), "the /64 has had its share");
    assert_eq!(server.directory.pool_figures().done, before, "and no hash is spent on it");
    assert!(matches!(try_one(1_001, "2001:db8:0:1::1").await, Verdict::Refused { .. }), "the next network has its own");
    assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    let _ = bootstrap::operator(&server.directory);
    server.verify().await;
}

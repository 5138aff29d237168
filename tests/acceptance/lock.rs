//! Too many wrong passwords (requirement 2.4).

use directory::clock::Span;
use directory::lifecycle::{LockDuration, PolicyOverlay, State};
use testkit::{Door, NEW_PASSWORD, PASSWORD, Scope, Server, WRONG};

fn rules(attempts: u16) -> PolicyOverlay {
    PolicyOverlay { attempts: Some(attempts), ..PolicyOverlay::default() }
}

#[tokio::test]
async fn r2_04_more_than_the_policy_lets_pass_locks() {
    // Goal: as many failures as the policy says are let pass, one more locks, whatever the policy's number and the state
    // before; the lock is stored before the answer.
    for attempts in [1, 3, 5, 99] {
        let server = Server::with(rules(attempts)).await;
        for state in [State::Unverified, State::Enabled, State::Active] {
            let person = server.person(&state.name().to_lowercase()).await;
            server.put(&person, state).await;
            server.fail(&person, usize::from(attempts)).await;
            assert_eq!(server.state(&person), state, "{attempts} are let pass");
            assert!(server.stored(&person).unwrap().counters.lock.is_none());
            server.fail(&person, 1).await;
            assert_eq!(server.state(&person), State::Locked, "one more than {attempts} from {state:?}");
            assert!(server.stored(&person).unwrap().counters.lock.is_some(), "durable before the answer");
            for door in Door::ALL {
                assert!(!server.enters(door, &person, PASSWORD).await, "{door:?}");
            }
        }
        server.verify().await;
    }
}

#[tokio::test]
async fn r2_04_a_good_login_begins_the_row_again() {
    // Goal: failures are counted in a row: a good login forgets them, and so does the policy's window.
    let server = Server::start().await;
    let person = server.active("ada").await;
    for _ in 0..4 {
        server.fail(&person, 5).await;
        assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    }
    server.fail(&person, 5).await;
    server.pass(Span::from_mins(15));
    server.pass(Span::from_secs(1));
    server.fail(&person, 5).await;
    assert_eq!(server.state(&person), State::Active, "yesterday's mistakes are not today's");
    server.fail(&person, 1).await;
    assert_eq!(server.state(&person), State::Locked);
    server.verify().await;
}

#[tokio::test]
async fn r2_04_a_lock_stops_logins_only() {
    // Goal: what was granted before goes on through a lock: a bound connection reads and changes, a session's use is
    // admitted; only new logins are stopped.
    let server = Server::start().await;
    let person = server.active("ada").await;
    let mut bound = server.bound(&person.dn, PASSWORD).await;
    let epoch = server.facts(&person).unwrap().epoch;
    server.fail(&person, 6).await;
    assert_eq!(server.state(&person), State::Locked);
    let own = bound.search(&person.dn, Scope::Base, "(objectClass=*)", &["cn"]).await;
    assert_eq!(own.entries.len(), 1);
    assert!(bound.modify(&person.dn, &[(testkit::Kind::Replace, "telephoneNumber", &["+49 30 1"])]).await.is_good());
    assert_eq!(bound.identity().await.unwrap(), format!("dn:{}", person.dn));
    assert!(server.directory.activity(person.id, epoch).unwrap(), "refresh tokens and API tokens go on");
    assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure());
    assert!(bound.bind(&person.dn, PASSWORD).await.is_generic_failure(), "a new login on an old connection is new");
    server.verify().await;
}

#[tokio::test]
async fn r2_04_a_lock_lifts_itself_and_doubles() {
    // Goal: a lock lasts its duration to the second, gives back the state before it, the next one in a row lasts twice as
    // long up to the cap, and a good login begins again.
    let policy = PolicyOverlay { lock_duration_cap: Some(Span::from_mins(45)), ..PolicyOverlay::default() };
    for before in [State::Unverified, State::Enabled, State::Active] {
        let server = Server::with(policy.clone()).await;
        let person = server.person("ada").await;
        server.put(&person, before).await;
        for minutes in [15, 30, 45, 45] {
            server.fail(&person, 6).await;
            server.pass(Span::from_mins(minutes - 1));
            server.pass(Span::from_secs(59));
            assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure(), "{minutes} minutes are not over");
            assert_eq!(server.state(&person), State::Locked);
            server.pass(Span::from_secs(1));
            assert_eq!(server.state(&person), before, "as before the lock, without anything being written");
        }
        assert!(server.bind(&person.dn, PASSWORD).await.is_good());
        assert_eq!(server.state(&person), State::Active);
        server.fail(&person, 6).await;
        server.pass(Span::from_mins(15));
        assert!(server.bind(&person.dn, PASSWORD).await.is_good(), "after a good login the first lock is short again");
        server.verify().await;
    }
}

#[tokio::test]
async fn r2_04_a_lock_without_an_end_waits_for_an_administrator() {
    // Goal: with `until-unlocked` no time lifts a lock of failures, nor the lock that an administrator sets.
    let forever = PolicyOverlay { lock_duration: Some(LockDuration::UntilUnlocked), ..PolicyOverlay::default() };
    let server = Server::with(forever).await;
    let (failed, held) = (server.active("ada").await, server.active("grace").await);
    server.fail(&failed, 6).await;
    let reply = server
        .admin()
        .await
        .modify(&held.dn, &[(testkit::Kind::Replace, "pwdAccountLockedTime", &["000001010000Z"])])
        .await;
    assert!(reply.is_good(), "{reply:?}");
    server.pass(Span::from_days(100));
    for person in [&failed, &held] {
        assert_eq!(server.state(person), State::Locked);
        assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure());
        server.unlock(person).await;
        assert!(server.bind_with_control(&person.dn, NEW_PASSWORD).await.is_good());
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_04_applications_are_locked_as_people_are() {
    // Goal: an API account is guessed like any other; the policy may spare it.
    let server = Server::start().await;
    let application = server.application("indexer").await;
    server.fail(&application, 6).await;
    assert_eq!(server.state(&application), State::Locked);
    server.verify().await;

    let spared = PolicyOverlay { lock_api_accounts: Some(false), delay_tiers: Some(true), ..PolicyOverlay::default() };
    let server = Server::with(spared).await;
    let application = server.application("indexer").await;
    for _ in 0..20 {
        assert!(server.bind(&application.dn, WRONG).await.is_generic_failure());
        server.pass(Span::from_secs(11));
    }
    assert!(server.bind(&application.dn, PASSWORD).await.is_good());
    server.verify().await;
}

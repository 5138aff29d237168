//! Clocks that jump (hostile row C11): locks keep their length, nobody falls asleep, nothing is purged by mistake.

use directory::change::Act;
use directory::clock::Span;
use directory::lifecycle::State;
use testkit::{PASSWORD, Server};

const HOUR: i64 = 3_600_000;
const YEAR: i64 = 365 * 24 * HOUR;

#[tokio::test]
async fn c11_a_lock_lasts_its_length_whatever_the_clock_does() {
    // Goal: jumps by an hour, a year and ten years, forward and back, before, during and at the end of a lock, neither
    // lengthen nor shorten it by more than a second.
    for step in [-HOUR, -YEAR, HOUR, YEAR, 10 * YEAR, -10 * YEAR] {
        for at in [0, 1, 14 * 60 + 59] {
            let server = Server::start().await;
            let person = server.active("ada").await;
            server.fail(&person, 6).await;
            server.pass(Span::from_secs(at));
            server.clock.step(step);
            assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure(), "{step} at {at}");
            let rest = 15 * 60 - at;
            server.pass(Span::from_secs(rest - 1));
            assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure(), "{step} at {at}: a second early");
            server.pass(Span::from_secs(1));
            assert!(server.bind(&person.dn, PASSWORD).await.is_good(), "{step} at {at}: at its end");
            server.verify().await;
        }
    }
}

#[tokio::test]
async fn c11_small_corrections_do_not_matter() {
    // Goal: the steps of NTP and a leap second move neither locks nor windows.
    let server = Server::start().await;
    let person = server.active("ada").await;
    server.fail(&person, 6).await;
    for step in [500, -500, 1_000, -1_000, 128, -128] {
        server.clock.step(step);
        server.pass(Span::from_mins(2));
        assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure());
    }
    server.pass(Span::from_mins(3));
    assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    server.verify().await;
}

#[tokio::test]
async fn c11_a_jump_forward_makes_nobody_dormant() {
    // Goal: a clock that is ten years ahead, for a moment or for good, disables nobody and purges nothing, neither at a
    // login nor by the sweep, before and after it has been steady; when it is set right again all is as before.
    let server = Server::start().await;
    let (person, other) = (server.active("ada").await, server.active("grace").await);
    let deleted = server.active("gone").await;
    server.act(&deleted, Act::Delete { months: None }).await.unwrap();
    server.clock.step(10 * YEAR);
    assert_eq!(server.directory.sweep().await.unwrap(), 0);
    assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    server.pass(Span::from_mins(11));
    assert_eq!(server.directory.sweep().await.unwrap(), 0, "steady, and still not followed by ten years");
    assert_eq!(server.state(&other), State::Active);
    assert!(server.bind(&other.dn, PASSWORD).await.is_good());
    assert!(server.facts(&deleted).is_some(), "not purged");
    server.clock.step(-10 * YEAR);
    server.pass(Span::from_mins(11));
    assert_eq!(server.directory.sweep().await.unwrap(), 0);
    for person in [&person, &other] {
        assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    }
    server.verify().await;
}

#[tokio::test]
async fn c11_three_days_asleep_are_three_days() {
    // Goal: a machine that was suspended has lost no lock and no clock: the lock is over because its time is.
    let server = Server::start().await;
    let person = server.active("ada").await;
    server.fail(&person, 6).await;
    server.pass(Span::from_days(3));
    assert!(!server.directory.now().frozen());
    assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    server.verify().await;
}

#[tokio::test]
async fn c11_a_start_with_a_clock_that_is_wrong() {
    // Goal: a machine that comes back with its clock years behind or ahead goes on from where the last run was: nobody is
    // dormant, nothing is purged, a lock stands.
    for step in [-YEAR, 10 * YEAR, -HOUR] {
        let server = Server::start().await;
        let (person, locked) = (server.active("ada").await, server.active("grace").await);
        let deleted = server.active("gone").await;
        server.act(&deleted, Act::Delete { months: None }).await.unwrap();
        server.fail(&locked, 6).await;
        server.clock.step(step);
        let server = server.restart().await;
        assert!(server.directory.now().frozen(), "{step}: in doubt");
        assert_eq!(server.directory.sweep().await.unwrap(), 0, "{step}");
        assert!(server.bind(&person.dn, PASSWORD).await.is_good(), "{step}");
        assert!(server.bind(&locked.dn, PASSWORD).await.is_generic_failure(), "{step}: the lock stands");
        server.pass(Span::from_mins(16));
        assert!(server.bind(&locked.dn, PASSWORD).await.is_good(), "{step}: and ends");
        assert!(server.facts(&deleted).is_some(), "{step}");
        server.verify().await;
    }
}

//! Nobody was there for months (requirement 2.5 and the column "inactivity" of the machine).

use directory::clock::Span;
use directory::lifecycle::{Period, PolicyOverlay, State};
use testkit::{Door, PASSWORD, Person, Scope, Server};

async fn shown(server: &Server, person: &Person) -> String {
    let found = server.operator().await.search(&person.dn, Scope::Base, "(objectClass=*)", &["rollbookState"]).await;
    found.entries.first().unwrap().value("rollbookState").unwrap()
}

#[tokio::test]
async fn r2_05_dormancy_is_found_at_login() {
    // Goal: to the millisecond of the policy's calendar months, every door refuses, the finding becomes a fact with the
    // login that met it, and a longer wait or a good password changes nothing any more.
    for months in [1, 3, 6, 12] {
        let policy = PolicyOverlay { dormancy_months: Some(Period::After(months)), ..PolicyOverlay::default() };
        let server = Server::with(policy).await;
        let mut people = Vec::new();
        for (n, door) in Door::ALL.into_iter().enumerate() {
            people.push((door, server.active(&format!("p{n}")).await));
        }
        let last = server.facts(&people[0].1).unwrap().counters.last_login.unwrap();
        server.pass(Span::from_millis(last.add_months(months).unwrap().since(last).millis() - 1));
        let (_, spare) = people.pop().unwrap();
        assert!(server.enters(Door::Ldap, &spare, PASSWORD).await, "one millisecond before {months} months");
        server.pass(Span::from_millis(1));
        for (door, person) in &people {
            assert_eq!(server.state(person), State::Dormant);
            assert!(server.stored(person).unwrap().dormant_at.is_none(), "nobody has looked yet");
            assert!(!server.enters(*door, person, PASSWORD).await, "{door:?}");
            assert!(server.stored(person).unwrap().dormant_at.is_some(), "{door:?}: found, and stored at once");
            assert_eq!(server.last_refusal(Some(person)).await.unwrap(), "the account is DORMANT");
        }
        server.verify().await;
    }
}

#[tokio::test]
async fn r2_05_dormancy_is_found_by_the_sweep() {
    // Goal: the daily sweep makes facts of what time has done, ends the connections of the found, and is late for nobody:
    // lists show the state before it has run.
    let server = Server::start().await;
    let (active, enabled) = (server.active("active").await, server.person("enabled").await);
    server.put(&enabled, State::Enabled).await;
    let never = server.person("never").await;
    let mut bound = server.bound(&active.dn, PASSWORD).await;
    server.pass_months(7);
    for (person, state) in [(&active, State::Dormant), (&enabled, State::Dormant), (&never, State::Disabled)] {
        assert_eq!(shown(&server, person).await, state.name(), "before the sweep");
    }
    assert!(bound.identity().await.is_some(), "nobody has looked yet");
    let epoch = server.facts(&active).unwrap().epoch;
    let found = server.directory.sweep().await.unwrap();
    assert!(found >= 3, "{found}");
    for (person, state) in [(&active, State::Dormant), (&enabled, State::Dormant), (&never, State::Disabled)] {
        assert_eq!(shown(&server, person).await, state.name(), "after the sweep");
        assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure());
        assert_eq!(server.trail().await.acts(person.id).last(), Some(&"sweep"));
    }
    assert!(server.stored(&active).unwrap().dormant_at.is_some());
    assert!(server.stored(&never).unwrap().hold.is_some());
    assert!(bound.who_am_i().await.ended, "what was granted ends");
    assert!(!server.directory.activity(active.id, epoch).unwrap(), "and so do tokens");
    assert_eq!(server.directory.sweep().await.unwrap(), 0, "the next sweep has nothing to do");
    server.verify().await;
}

#[tokio::test]
async fn r2_05_inactivity_from_every_state() {
    // Goal: the table's column: UNVERIFIED becomes DISABLED; ENABLED (counted from enabling), ACTIVE and LOCKED become
    // DORMANT; the others stay what they are.
    let server = Server::start().await;
    let mut people = Vec::new();
    for state in State::ALL.into_iter().filter(|s| *s != State::Dormant) {
        let person = server.person(&state.name().to_lowercase()).await;
        server.put(&person, state).await;
        people.push((person, state));
    }
    server.pass_months(6);
    for (person, before) in &people {
        let expected = match before {
            State::Unverified => State::Disabled,
            State::Enabled | State::Active | State::Locked => State::Dormant,
            State::Dormant | State::Disabled | State::Deleted => *before,
        };
        assert_eq!(server.state(person), expected, "from {before:?}");
        assert!(!server.enters(Door::Username, person, PASSWORD).await, "from {before:?}");
        assert_eq!(server.state(person), expected, "and after the login that met it, from {before:?}");
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_05_enabled_counts_from_enabling() {
    // Goal: an administrator who enables a dormant account gives it a whole new period.
    let server = Server::start().await;
    let person = server.person("ada").await;
    server.put(&person, State::Dormant).await;
    server.act(&person, directory::change::Act::Enable { password: None }).await.unwrap();
    let enabled = server.directory.now().wall;
    server.pass_to_months_from(enabled, 6);
    assert_eq!(server.state(&person), State::Dormant, "a second time, six months after enabling");
    server.act(&person, directory::change::Act::Enable { password: None }).await.unwrap();
    server.pass(Span::from_days(180));
    assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    assert_eq!(server.state(&person), State::Active);
    server.verify().await;
}

#[tokio::test]
async fn r2_05_the_policy_may_know_no_dormancy() {
    // Goal: with `never` no time makes anybody dormant.
    let server = Server::with(PolicyOverlay { dormancy_months: Some(Period::Never), ..PolicyOverlay::default() }).await;
    let (used, unused) = (server.active("used").await, server.person("unused").await);
    server.pass_months(240);
    assert_eq!(server.directory.sweep().await.unwrap(), 0);
    for person in [&used, &unused] {
        assert!(server.bind(&person.dn, PASSWORD).await.is_good());
    }
    server.verify().await;
}

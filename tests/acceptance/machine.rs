//! The whole machine: every cell of the table of requirements §2, and that every cell not in it is refused and audited.
//!
//! Each cell has an account of its own, brought into the row's state by what leads there.

use directory::change::Act;
use directory::lifecycle::State;
use testkit::{Door, Kind, NEW_PASSWORD, PASSWORD, Person, Server, WRONG};

/// The columns. Inactivity is shown in `dormancy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    GoodLogin,
    TooManyFailures,
    Lock,
    Unlock,
    UnlockBare,
    Disable,
    Enable,
    EnableAnew,
    Delete,
    ForceChange,
    SetPassword,
    ScimTrue,
    ScimFalse,
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    /// It happens; the state afterwards.
    To(State),
    /// Nothing to do, and no mistake.
    Same,
    /// Refused, audited, and nothing has changed.
    No,
}

use Cell::{No, Same, To};
use State::{Active as A, Deleted as X, Disabled as D, Dormant as Z, Enabled as E, Locked as L, Unverified as U};

#[rustfmt::skip]
const TABLE: [(Event, [Cell; 7]); 13] = [
    // event                  UNVERIFIED  ENABLED  ACTIVE   LOCKED   DORMANT  DISABLED  DELETED
    (Event::GoodLogin,       [To(A),      To(A),   To(A),   No,      No,      No,       No]),
    (Event::TooManyFailures, [To(L),      To(L),   To(L),   No,      No,      No,       No]),
    (Event::Lock,            [To(L),      To(L),   To(L),   To(L),   No,      No,       No]),
    (Event::Unlock,          [No,         No,      No,      To(E),   No,      No,       No]),
    (Event::UnlockBare,      [No,         No,      No,      No,      No,      No,       No]),
    (Event::Disable,         [To(D),      To(D),   To(D),   To(D),   To(D),   No,       No]),
    (Event::Enable,          [No,         No,      No,      No,      To(E),   To(E),    No]),
    (Event::EnableAnew,      [No,         No,      No,      No,      To(E),   To(E),    No]),
    (Event::Delete,          [To(X),      To(X),   To(X),   To(X),   To(X),   To(X),    No]),
    (Event::ForceChange,     [No,         No,      To(A),   No,      No,      No,       No]),
    (Event::SetPassword,     [To(U),      To(E),   To(A),   No,      No,      No,       No]),
    (Event::ScimTrue,        [Same,       Same,    Same,    Same,    Same,    To(E),    No]),
    (Event::ScimFalse,       [To(D),      To(D),   To(D),   To(D),   To(D),   Same,     No]),
];
const ROWS: [State; 7] = [U, E, A, L, Z, D, X];

/// Makes it happen; true when it was let happen.
async fn happens(server: &Server, person: &Person, event: Event) -> bool {
    let new = || Some(NEW_PASSWORD.into());
    let act = match event {
        Event::GoodLogin => return server.enters(Door::Ldap, person, PASSWORD).await,
        Event::TooManyFailures => {
            for _ in 0..6 {
                assert!(!server.enters(Door::Ldap, person, WRONG).await);
            }
            return server.state(person) == State::Locked
                && server.last_refusal(Some(person)).await.unwrap().contains("now");
        }
        Event::SetPassword => return server.set_password(&person.dn, NEW_PASSWORD).await.is_ok(),
        Event::Lock => Act::Lock,
        Event::Unlock => Act::Unlock { password: new() },
        Event::UnlockBare => Act::Unlock { password: None },
        Event::Disable => Act::Disable,
        Event::Enable => Act::Enable { password: None },
        Event::EnableAnew => Act::Enable { password: new() },
        Event::Delete => Act::Delete { months: None },
        Event::ForceChange => Act::ForceChange,
        Event::ScimTrue => Act::Active(true),
        Event::ScimFalse => Act::Active(false),
    };
    server.act(person, act).await.is_ok()
}

#[tokio::test]
async fn r2_the_whole_machine() {
    // Goal: thirteen events meet seven states; each does what its cell says, in every refused cell the facts stay as they
    // were (counters apart) and the journal tells of the refusal.
    let server = Server::start().await;
    for (event, cells) in TABLE {
        for (before, cell) in ROWS.into_iter().zip(cells) {
            let what = format!("{event:?} in {}", before.name());
            let person = server.person(&format!("{event:?}-{}", before.name()).to_lowercase()).await;
            server.put(&person, before).await;
            let facts = server.stored(&person).unwrap();
            let notes = |trail: &testkit::Trail| {
                let all = [trail.notes("login-refused"), trail.notes("act-refused")].concat();
                all.iter().filter(|n| n.entry == Some(person.id)).map(|n| n.count).sum::<u32>()
            };
            let audited = notes(&server.trail().await);
            let happened = happens(&server, &person, event).await;
            let after = notes(&server.trail().await);
            match cell {
                To(state) => {
                    assert!(happened, "{what}");
                    assert_eq!(server.state(&person), state, "{what}");
                }
                Same => {
                    assert!(happened, "{what}");
                    assert_eq!(server.state(&person), before, "{what}");
                }
                No => {
                    assert!(!happened, "{what}");
                    assert_eq!(server.state(&person), before, "{what}");
                    assert!(after > audited, "{what}: the refusal is in the journal");
                    let mut now = server.stored(&person).unwrap();
                    // A login that finds somebody dormant makes that a fact; nothing else may have changed.
                    now.counters = facts.counters;
                    if before == State::Dormant {
                        (now.dormant_at, now.epoch) = (facts.dormant_at, facts.epoch);
                    }
                    assert_eq!(now, facts, "{what}: nothing has changed");
                }
            }
        }
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_scim_lifts_a_hold_and_never_a_lock() {
    // Goal: `active: true` enables a DISABLED account and does nothing to a LOCKED one, nor to a lock under a hold.
    let server = Server::start().await;
    let person = server.person("ada").await;
    server.put(&person, State::Locked).await;
    server.act(&person, Act::Active(true)).await.unwrap();
    assert_eq!(server.state(&person), State::Locked);
    server.act(&person, Act::Active(false)).await.unwrap();
    assert_eq!(server.state(&person), State::Disabled);
    server.act(&person, Act::Active(true)).await.unwrap();
    assert_eq!(server.state(&person), State::Locked, "the lock comes to light again");
    assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure());
    server.verify().await;
}

#[tokio::test]
async fn r2_acts_refused_through_ldap_are_audited_too() {
    // Goal: an act that LDAP spells as a modification is refused with the same care: code, unchanged state, journal.
    let server = Server::start().await;
    let person = server.active("ada").await;
    let mut admin = server.admin().await;
    let unlock: &[(Kind, &str, &[&str])] =
        &[(Kind::Delete, "pwdAccountLockedTime", &[]), (Kind::Replace, "userPassword", &[NEW_PASSWORD])];
    assert_eq!(admin.modify(&person.dn, unlock).await.code, 53, "it is not locked");
    let trail = server.trail().await;
    let note = trail.notes("act-refused").into_iter().next_back().expect("a note").clone();
    assert_eq!(
        (note.entry, note.reason.as_str()),
        (Some(person.id), "unlock: the account is ACTIVE and this cannot be done to it")
    );
    assert!(server.bind(&person.dn, PASSWORD).await.is_good(), "the password was not changed on the way");
    server.verify().await;
}

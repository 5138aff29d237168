//! The whole machine: every cell of the table of requirements §2, and that every cell not in it is refused and audited.
//!
//! Each cell has an account of its own, brought into the row's state by what leads there.

use directory::change::{Act, Change, Modification, ModificationKind, Target};
use directory::lifecycle::{Account, State};
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
    RemovePassword,
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
const TABLE: [(Event, [Cell; 7]); 14] = [
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
    (Event::SetPassword,     [To(U),      To(E),   To(A),   To(L),   To(Z),   To(D),    No]),
    (Event::RemovePassword,  [To(U),      To(E),   To(A),   To(L),   To(Z),   To(D),    No]),
    (Event::ScimTrue,        [Same,       Same,    Same,    Same,    Same,    To(E),    No]),
    (Event::ScimFalse,       [To(D),      To(D),   To(D),   To(D),   To(D),   Same,     No]),
];
const ROWS: [State; 7] = [U, E, A, L, Z, D, X];

/// The same through LDAP, as an administrator's client spells it; none: LDAP has no word for it in this state.
async fn happens_in_ldap(server: &Server, person: &Person, event: Event, before: State) -> Option<bool> {
    let dn = person.dn.as_str();
    let mut admin = server.operator().await;
    let state = |name: &'static str| (Kind::Replace, "rollbookState", name);
    let (act, password) = match event {
        // Of a LOCKED account, ENABLED means to unlock it.
        Event::Enable | Event::EnableAnew if before == State::Locked => return None,
        Event::GoodLogin | Event::TooManyFailures | Event::ScimTrue | Event::ScimFalse => return None,
        Event::SetPassword => return Some(admin.change_password(Some(dn), None, Some(NEW_PASSWORD)).await.is_good()),
        Event::RemovePassword => ((Kind::Delete, "userPassword", ""), false),
        Event::Lock => (state("LOCKED"), false),
        Event::Unlock => ((Kind::Delete, "pwdAccountLockedTime", ""), true),
        Event::UnlockBare => ((Kind::Delete, "pwdAccountLockedTime", ""), false),
        Event::Disable => (state("DISABLED"), false),
        Event::Enable => (state("ENABLED"), false),
        Event::EnableAnew => (state("ENABLED"), true),
        Event::Delete => (state("DELETED"), false),
        Event::ForceChange => ((Kind::Replace, "pwdReset", "TRUE"), false),
    };
    let (kind, attribute, value) = act;
    let values: &[&str] = if value.is_empty() { &[] } else { &[value] };
    let mut changes: Vec<(Kind, &str, &[&str])> = vec![(kind, attribute, values)];
    if password {
        changes.push((Kind::Replace, "userPassword", &[NEW_PASSWORD]));
    }
    let done = admin.modify(dn, &changes).await.is_good();
    assert!(event != Event::RemovePassword || !done || !server.has_password(person));
    Some(done)
}

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
        Event::RemovePassword => {
            let gone = Modification {
                kind: ModificationKind::Delete,
                attribute: b"userPassword".to_vec(),
                values: Vec::new(),
            };
            let target = Target::Id(person.id);
            let done = server.change(Change::Modify { target, modifications: vec![gone] }).await.is_ok();
            assert!(!done || !server.has_password(person));
            return done;
        }
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
    // Goal: fourteen events meet seven states; each does what its cell says, in every refused cell the facts stay as they
    // were (counters apart) and the journal tells of the refusal.
    let server = Server::start().await;
    for (event, cells) in TABLE {
        for (before, cell) in ROWS.into_iter().zip(cells) {
            let meeting = Meeting::new(&server, event, before, "gate").await;
            let happened = happens(&server, &meeting.person, event).await;
            meeting.ends(&server, cell, happened).await;
        }
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_the_whole_machine_through_ldap() {
    // Goal: the same cells, with the acts as an LDAP client writes them.
    let server = Server::start().await;
    let mut met = 0;
    for (event, cells) in TABLE {
        for (before, cell) in ROWS.into_iter().zip(cells) {
            let meeting = Meeting::new(&server, event, before, "ldap").await;
            if let Some(happened) = happens_in_ldap(&server, &meeting.person, event, before).await {
                meeting.ends(&server, cell, happened).await;
                met += 1;
            }
        }
    }
    assert_eq!(met, 10 * 7 - 2);
    server.verify().await;
}

/// One cell: an account in the row's state, and what the journal said of it before.
struct Meeting {
    person: Person,
    before: State,
    facts: Account,
    audited: u32,
    what: String,
}

impl Meeting {
    async fn new(server: &Server, event: Event, before: State, way: &str) -> Meeting {
        let person = server.person(&format!("{way}-{event:?}-{}", before.name()).to_lowercase()).await;
        server.put(&person, before).await;
        let facts = server.stored(&person).unwrap();
        let audited = refusals(server, &person).await;
        Meeting { person, before, facts, audited, what: format!("{event:?} in {} ({way})", before.name()) }
    }

    async fn ends(self, server: &Server, cell: Cell, happened: bool) {
        let Meeting { person, before, facts, audited, what } = self;
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
                assert!(refusals(server, &person).await > audited, "{what}: the refusal is in the journal");
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

/// How often the journal tells of something refused to or about somebody.
async fn refusals(server: &Server, person: &Person) -> u32 {
    let trail = server.trail().await;
    let notes = [trail.notes("login-refused"), trail.notes("act-refused")].concat();
    notes.iter().filter(|n| n.entry == Some(person.id)).map(|n| n.count).sum()
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

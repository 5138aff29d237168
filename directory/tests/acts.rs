//! Acts on accounts as any LDAP tool writes them: by operational attributes, judged by the life cycle, for
//! administrators only.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "what the tests have in common is more than these need")]
mod common;

use common::World;
use directory::authenticate::{LoginName, Verdict};
use directory::bootstrap;
use directory::change::ModificationKind::{self, Add, Delete, Replace};
use directory::change::{Change, Modification, Target};
use directory::context::{Actor, Context};
use directory::entry::dn::DnKey;
use directory::error::{PasswordReason, Reason, Refusal};
use directory::filter::Filter;
use directory::lifecycle::State;
use directory::search::{self, Deref, Scope, SearchRequest};
use directory::store::view::View;

const PEOPLE: &str = "ou=people,dc=example,dc=com";
const PASSWORD: &str = "correct horse battery";
const NEW: &str = "another fine secret";

type Line<'a> = (ModificationKind, &'a str, &'a [&'a str]);

async fn write_as(world: &World, context: &Context, dn: &str, lines: &[Line<'_>]) -> Result<(), Refusal> {
    let modifications = lines.iter().map(|(kind, attribute, values)| Modification {
        kind: *kind,
        attribute: attribute.as_bytes().to_vec(),
        values: values.iter().map(|v| v.as_bytes().to_vec()).collect(),
    });
    let target = Target::Dn(dn.as_bytes().to_vec());
    let change = Change::Modify { target, modifications: modifications.collect() };
    world.directory.change(context, change).await.map(|_| ())
}

async fn write(world: &World, dn: &str, lines: &[Line<'_>]) -> Result<(), Refusal> {
    write_as(world, &bootstrap::operator(&world.directory), dn, lines).await
}

/// A person who is ACTIVE.
async fn person(world: &World, uid: &str) -> String {
    let dn = format!("uid={uid},{PEOPLE}");
    world.person(uid, PEOPLE).await.unwrap();
    world.set_password(&dn, PASSWORD).await;
    assert!(matches!(world.login(&dn, PASSWORD).await, Verdict::Admitted(_)));
    assert_eq!(world.state(&dn), State::Active);
    dn
}

async fn logged_in(world: &World, dn: &str, password: &str) -> Context {
    let Verdict::Admitted(admitted) = world.login_as(LoginName::Dn(dn.as_bytes().to_vec()), password).await else {
        panic!("{dn} is admitted")
    };
    let actor = Actor::Account { id: admitted.account, epoch: admitted.epoch, must_change_password: false };
    Context { actor, ..bootstrap::operator(&world.directory) }
}

#[tokio::test]
async fn every_act_can_be_written() {
    // Goal: each state that is written is reached, with the password beside it, and the login follows.
    let world = World::new().await;
    let dn = &person(&world, "eve").await;
    let rows: &[(&[Line<'_>], State, Option<&str>)] = &[
        (&[(Replace, "rollbookState", &["LOCKED"])], State::Locked, None),
        (&[(Replace, "rollbookState", &["ENABLED"]), (Replace, "userPassword", &[NEW])], State::Enabled, None),
        (&[(Replace, "rollbookState", &["disabled"])], State::Disabled, None),
        (&[(Replace, "rollbookState", &["ENABLED"])], State::Enabled, None),
        (&[(Replace, "userPassword", &[PASSWORD])], State::Enabled, Some(PASSWORD)),
        (&[(Replace, "rollbookState", &["DISABLED"]), (Replace, "title", &["on leave"])], State::Disabled, None),
        (&[(Replace, "userPassword", &[NEW]), (Replace, "rollbookState", &["ENABLED"])], State::Enabled, None),
        (&[(Replace, "pwdAccountLockedTime", &["000001010000Z"])], State::Locked, None),
        (&[(Delete, "pwdAccountLockedTime", &[]), (Add, "userPassword", &[PASSWORD])], State::Enabled, None),
    ];
    for (lines, state, password) in rows {
        write(&world, dn, lines).await.unwrap_or_else(|refusal| panic!("{lines:?}: {refusal:?}"));
        assert_eq!(world.state(dn), *state, "{lines:?}");
        let admitted = matches!(world.login(dn, PASSWORD).await, Verdict::Admitted(_));
        assert_eq!(admitted, password.is_some(), "{lines:?}");
    }
    assert_eq!(world.search(PEOPLE, Scope::Subtree, "title", "on leave").await.len(), 1);
    world.verify();
}

#[tokio::test]
async fn a_written_deletion_buries() {
    // Goal: requirement 2.7 by an attribute: in no list, no login, the name reserved, purged after the months given.
    let world = World::new().await;
    for (uid, lines) in [
        ("one", &[(Replace, "rollbookState", &["DELETED"] as &[&str])] as &[Line<'_>]),
        ("two", &[(Replace, "rollbookPurgeMonths", &["0"]), (Replace, "rollbookState", &["DELETED"])]),
    ] {
        let dn = &person(&world, uid).await;
        let id = world.id(dn);
        write(&world, dn, lines).await.unwrap();
        assert!(world.search("dc=example,dc=com", Scope::Subtree, "uid", uid).await.is_empty());
        assert_eq!(world.directory.state_of(id).unwrap(), Some(State::Deleted));
        assert!(matches!(world.login(dn, PASSWORD).await, Verdict::Refused { hint: None }));
        assert!(matches!(world.person(uid, PEOPLE).await.unwrap_err().reason, Reason::NameTaken { .. }));
        assert!(matches!(write(&world, dn, lines).await.unwrap_err().reason, Reason::NoSuchEntry { .. }));
        world.verify();
    }
    world.directory.sweep().await.unwrap();
    assert!(world.person("two", PEOPLE).await.is_ok(), "purged at once, its name is free");
    assert!(world.person("one", PEOPLE).await.is_err(), "it waits");
    world.verify();
}

#[tokio::test]
async fn what_the_life_cycle_refuses_is_refused() {
    // Goal: every other write is refused with its reason and changes nothing.
    let world = World::new().await;
    let dn = &person(&world, "eve").await;
    let locked = &person(&world, "lou").await;
    write(&world, locked, &[(Replace, "rollbookState", &["LOCKED"])]).await.unwrap();
    world
        .add("cn=staff,ou=groups,dc=example,dc=com", &[("objectClass", "groupOfNames"), ("cn", "staff")])
        .await
        .unwrap();
    let policy = Reason::Password(PasswordReason::ModificationNotAllowed);
    let rows: &[(&str, &[Line<'_>], Reason, &str)] = &[
        (dn, &[(Replace, "rollbookState", &["ENABLED"])], Reason::Unwilling, "ACTIVE"),
        (dn, &[(Replace, "rollbookState", &["ACTIVE"])], Reason::Unwilling, "not of an act"),
        (dn, &[(Replace, "rollbookState", &["FROZEN"])], Reason::Constraint, "can be written"),
        (dn, &[(Add, "rollbookState", &["LOCKED"])], Reason::ValueExists, "replaced"),
        (dn, &[(Delete, "rollbookState", &[])], Reason::Constraint, "always"),
        (
            dn,
            &[(Replace, "rollbookState", &["DELETED"]), (Replace, "rollbookPurgeMonths", &["121"])],
            Reason::Constraint,
            "months",
        ),
        (dn, &[(Replace, "rollbookState", &["DELETED"]), (Replace, "title", &["x"])], Reason::Unwilling, "deletion"),
        (
            dn,
            &[(Replace, "rollbookState", &["DISABLED"]), (Replace, "userPassword", &[NEW])],
            Reason::Unwilling,
            "password",
        ),
        (dn, &[(Replace, "rollbookPurgeMonths", &["1"])], Reason::ClassViolation, ""),
        (dn, &[(Replace, "rollbookHold", &["x"])], Reason::Constraint, "only the server"),
        (locked, &[(Replace, "rollbookState", &["ENABLED"])], policy, "new password"),
        (locked, &[(Replace, "rollbookState", &["LOCKED"])], Reason::Unwilling, "LOCKED"),
        (
            locked,
            &[(Replace, "rollbookState", &["ENABLED"]), (Replace, "userPassword", &["short"])],
            Reason::Password(PasswordReason::TooShort),
            "",
        ),
        (
            "cn=staff,ou=groups,dc=example,dc=com",
            &[(Replace, "rollbookState", &["DISABLED"])],
            Reason::Constraint,
            "not an account",
        ),
    ];
    for (dn, lines, reason, words) in rows {
        let refusal = write(&world, dn, lines).await.unwrap_err();
        assert_eq!(refusal.reason, *reason, "{lines:?}: {refusal:?}");
        assert!(refusal.message.contains(words), "{lines:?}: {refusal:?}");
    }
    assert_eq!((world.state(dn), world.state(locked)), (State::Active, State::Locked));
    assert!(matches!(world.login(dn, PASSWORD).await, Verdict::Admitted(_)));
    let add = world.add(
        "uid=new,ou=people,dc=example,dc=com",
        &[
            ("objectClass", "inetOrgPerson"),
            ("uid", "new"),
            ("cn", "new"),
            ("sn", "new"),
            ("rollbookState", "DISABLED"),
        ],
    );
    assert_eq!(add.await.unwrap_err().reason, Reason::Constraint);
    world.verify();
}

#[tokio::test]
async fn administrators_are_protected_from_themselves() {
    // Goal: requirement 1.7: no system administrator is deleted, and one who may log in remains.
    let world = World::new().await;
    let (first, second) = ("uid=root,ou=system,dc=example,dc=com", "cn=other,ou=system,dc=example,dc=com");
    bootstrap::administrator(&world.directory, first, PASSWORD.into()).await.unwrap();
    let own = &logged_in(&world, first, PASSWORD).await;
    let disable: &[Line<'_>] = &[(Replace, "rollbookState", &["DISABLED"])];
    let delete: &[Line<'_>] = &[(Replace, "rollbookState", &["DELETED"])];
    for context in [&bootstrap::operator(&world.directory), own] {
        for lines in [disable, delete] {
            assert_eq!(write_as(&world, context, first, lines).await.unwrap_err().reason, Reason::Unwilling);
        }
    }
    bootstrap::administrator(&world.directory, second, PASSWORD.into()).await.unwrap();
    assert_eq!(write_as(&world, own, second, delete).await.unwrap_err().reason, Reason::Unwilling);
    write_as(&world, own, second, disable).await.unwrap();
    assert_eq!(write_as(&world, own, first, disable).await.unwrap_err().reason, Reason::Unwilling);
    write_as(&world, own, second, &[(Replace, "rollbookState", &["ENABLED"])]).await.unwrap();
    write_as(&world, own, first, disable).await.unwrap();
    // The login ended with the account.
    assert_eq!(write_as(&world, own, second, disable).await.unwrap_err().reason, Reason::NotAllowed);
    world.verify();
}

#[tokio::test]
async fn the_state_is_for_administrators() {
    // Goal: whoever is none can neither search for a state, compare it, nor tell it from how a write is refused.
    let world = World::new().await;
    let (admin, reader) = ("uid=root,ou=system,dc=example,dc=com", "uid=app,ou=applications,dc=example,dc=com");
    bootstrap::administrator(&world.directory, admin, PASSWORD.into()).await.unwrap();
    bootstrap::reader(&world.directory, reader, PASSWORD.into()).await.unwrap();
    let dn = &person(&world, "eve").await;
    let locked = &person(&world, "lou").await;
    write(&world, locked, &[(Replace, "rollbookState", &["LOCKED"])]).await.unwrap();

    let admin = logged_in(&world, admin, PASSWORD).await;
    let reader = logged_in(&world, reader, PASSWORD).await;
    let eve = logged_in(&world, dn, PASSWORD).await;
    assert_eq!(find(&world, &admin, "rollbookState", b"locked"), std::slice::from_ref(locked));
    assert!(compare(&world, &admin, locked, b"LOCKED").unwrap());
    assert!(!compare(&world, &admin, dn, b"LOCKED").unwrap());
    for context in [&reader, &eve] {
        assert!(find(&world, context, "rollbookState", b"LOCKED").is_empty());
        assert!(find(&world, context, "rollbookHold", b"LOCKED").is_empty());
        assert_eq!(compare(&world, context, dn, b"ACTIVE").unwrap_err().reason, Reason::NotAllowed);
    }
    let acts: &[&[Line<'_>]] = &[
        &[(Replace, "rollbookState", &["LOCKED"])],
        &[(Replace, "rollbookState", &["DISABLED"])],
        &[(Replace, "rollbookState", &["ENABLED"])],
        &[(Replace, "rollbookState", &["DELETED"])],
        &[(Replace, "pwdAccountLockedTime", &["000001010000Z"])],
        &[(Delete, "pwdAccountLockedTime", &[])],
        &[(Replace, "pwdReset", &["TRUE"])],
        &[(Replace, "pwdReset", &["TRUE"]), (Replace, "userPassword", &["short"])],
    ];
    for act in acts {
        for (context, dn) in [(&reader, dn), (&reader, locked), (&eve, dn)] {
            let refusal = write_as(&world, context, dn, act).await.unwrap_err();
            assert_eq!((refusal.reason, refusal.message), told_nothing(), "{act:?} {dn}");
        }
        let unseen = write_as(&world, &eve, locked, act).await.unwrap_err();
        assert!(matches!(unseen.reason, Reason::NoSuchEntry { .. }), "{unseen:?}");
    }
    for dn in [dn, locked] {
        let refusal = write_as(&world, &reader, dn, &[(Replace, "userPassword", &["short"])]).await.unwrap_err();
        assert_eq!((refusal.reason, refusal.message), told_nothing());
    }
    assert_eq!((world.state(dn), world.state(locked)), (State::Active, State::Locked));
    world.verify();
}

/// The refusal of those who may not, whatever the state.
fn told_nothing() -> (Reason, String) {
    let refusal = Refusal::not_allowed();
    (refusal.reason, refusal.message)
}

fn find(world: &World, context: &Context, attribute: &str, value: &[u8]) -> Vec<String> {
    let snapshot = world.directory.snapshot().unwrap();
    let rights = world.directory.rights(&snapshot, context.actor).unwrap();
    let filter = &Filter::Equal(attribute.as_bytes().to_vec(), value.to_vec());
    let reading = world.directory.reading(&snapshot, &rights, world.directory.now());
    let request = |base: &'static str| SearchRequest {
        base: base.as_bytes(),
        scope: Scope::Subtree,
        deref: Deref::Never,
        filter,
        size_limit: 0,
        time_limit_seconds: 0,
        after: None,
    };
    // Who sees nothing of the tree has no base there either.
    let Ok(mut cursor) = search::begin(reading, &request("dc=example,dc=com")) else { return Vec::new() };
    let mut found = Vec::new();
    while let Some(entry) = cursor.next().unwrap() {
        found.push(entry.dn().to_owned());
    }
    found
}

fn compare(world: &World, context: &Context, dn: &str, value: &[u8]) -> Result<bool, Refusal> {
    let snapshot = world.directory.snapshot().unwrap();
    let rights = world.directory.rights(&snapshot, context.actor).unwrap();
    let key = DnKey::parse(world.directory.schema(), dn.as_bytes()).unwrap();
    assert!(snapshot.id_of(key.as_bytes()).unwrap().is_some());
    let reading = world.directory.reading(&snapshot, &rights, world.directory.now());
    search::compare(reading, dn.as_bytes(), b"rollbookState", value)
}

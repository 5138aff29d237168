//! Several changes in one request: together or not at all, each on what the ones before leave behind; rehearsals.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "what the tests have in common is more than these need")]
mod common;

use common::World;
use directory::authenticate::Verdict;
use directory::bootstrap;
use directory::change::{Act, Change, Modification, ModificationKind, Request, Target};
use directory::context::{Context, Door};
use directory::error::Reason;
use directory::id::{EntryId, Position};
use directory::journal::record::Event;
use directory::lifecycle::State;
use directory::search::Scope;
use directory::store::view::View;

const BASE: &str = "dc=example,dc=com";
const PEOPLE: &str = "ou=people,dc=example,dc=com";
const STAFF: &str = "cn=staff,ou=groups,dc=example,dc=com";
const PASSWORD: &str = "correct horse battery";
const NEW: &str = "another fine secret";

fn dn(text: &str) -> Target {
    Target::Dn(text.as_bytes().to_vec())
}

fn add(name: &str, attributes: &[(&str, &str)]) -> Change {
    let attributes = attributes.iter().map(|(n, v)| (n.as_bytes().to_vec(), vec![v.as_bytes().to_vec()]));
    Change::Add { dn: name.as_bytes().to_vec(), attributes: attributes.collect() }
}

fn person(uid: &str, parent: &str) -> Change {
    let name = format!("uid={uid},{parent}");
    add(&name, &[("objectClass", "inetOrgPerson"), ("cn", uid), ("sn", uid), ("userPassword", PASSWORD)])
}

fn replace(target: &str, attribute: &str, value: &str) -> Change {
    let (kind, values) = (ModificationKind::Replace, vec![value.as_bytes().to_vec()]);
    let modification = Modification { kind, attribute: attribute.as_bytes().to_vec(), values };
    Change::Modify { target: dn(target), modifications: vec![modification] }
}

fn act(target: &str, act: Act) -> Change {
    Change::Account { target: dn(target), act }
}

fn members(add: &[&str], remove: &[&str]) -> Change {
    let targets = |names: &[&str]| names.iter().map(|name| dn(name)).collect();
    Change::Members { target: dn(STAFF), add: targets(add), remove: targets(remove) }
}

fn of(changes: Vec<Change>) -> Request {
    Request { changes, expected: Vec::new() }
}

fn operator(world: &World) -> Context {
    bootstrap::operator(&world.directory)
}

fn version(world: &World, id: EntryId) -> Position {
    let snapshot = world.directory.snapshot().unwrap();
    let guard = snapshot.record(id).unwrap().expect("the entry is there");
    directory::entry::record::Record::parse(guard.value()).unwrap().header().version
}

async fn with_staff() -> World {
    let world = World::new().await;
    world.add(STAFF, &[("objectClass", "groupOfNames")]).await.unwrap();
    world
}

#[tokio::test]
async fn later_changes_build_on_earlier_ones() {
    // Goal: a container, a person in it with a password, its membership, its switch and a second password, in one write
    // set; the receipt names the entry of each change.
    let world = with_staff().await;
    let (before, sales) = (world.directory.position().unwrap(), format!("ou=sales,{BASE}"));
    let ada = &format!("uid=ada,{sales}");
    let request = of(vec![
        add(&sales, &[("objectClass", "organizationalUnit")]),
        person("ada", &sales),
        members(&[ada], &[]),
        act(ada, Act::Active(true)),
        act(ada, Act::Disable),
        act(ada, Act::Enable { password: Some(NEW.into()) }),
    ]);
    let receipt = world.directory.carry(&operator(&world), request).await.unwrap();
    assert_eq!(receipt.position.0, before.0 + 1);
    let (id, staff) = (world.id(ada), world.id(STAFF));
    let expected = [Some(world.id(&sales)), Some(id), Some(staff), None, Some(id), Some(id)];
    assert_eq!(receipt.entries, expected);
    assert_eq!(world.state(ada), State::Enabled);
    assert!(world.directory.snapshot().unwrap().is_member(staff, id).unwrap());
    assert!(world.directory.snapshot().unwrap().account(id).unwrap().unwrap().force_change);

    // On an entry that is there: attributes, password, switch and membership of one request.
    let request = of(vec![
        replace(ada, "title", "Countess"),
        Change::Password { target: dn(ada), old: None, new: Some(PASSWORD.into()) },
        members(&[], &[ada]),
    ]);
    world.directory.carry(&operator(&world), request).await.unwrap();
    assert!(matches!(world.login(ada, PASSWORD).await, Verdict::Admitted(_)));
    let request = of(vec![
        replace(ada, "title", "Enchantress"),
        Change::Password { target: dn(ada), old: None, new: Some(NEW.into()) },
        act(ada, Act::Active(false)),
    ]);
    world.directory.carry(&operator(&world), request).await.unwrap();
    assert_eq!(world.state(ada), State::Disabled);
    assert_eq!(world.search(BASE, Scope::Subtree, "title", "enchantress").await.len(), 1);
    assert!(matches!(world.login(ada, NEW).await, Verdict::Refused { .. }));
    world.verify();
}

#[tokio::test]
async fn later_changes_see_the_references_of_earlier_ones() {
    // Goal: a reference that a request makes is followed when a later change of it moves or deletes who is meant, though
    // neither has been written yet; and one that it has taken away is followed no more.
    let world = with_staff().await;
    let boss = &format!("uid=boss,{PEOPLE}");
    let board = &format!("ou=board,{BASE}");
    let (moved, ada, bob) = (format!("uid=boss,{board}"), format!("uid=ada,{PEOPLE}"), format!("uid=bob,{PEOPLE}"));
    let rename = Change::Rename {
        target: dn(boss),
        new_rdn: b"uid=boss".to_vec(),
        delete_old: true,
        new_superior: Some(board.as_bytes().to_vec()),
    };
    let request = of(vec![
        add(board, &[("objectClass", "organizationalUnit")]),
        person("boss", PEOPLE),
        person("ada", PEOPLE),
        person("bob", PEOPLE),
        replace(&ada, "manager", boss),
        replace(&bob, "manager", boss),
        replace(&bob, "manager", &ada),
        rename,
    ]);
    world.directory.carry(&operator(&world), request).await.unwrap();
    assert_eq!(world.search(BASE, Scope::Subtree, "manager", &moved).await.len(), 1);
    assert_eq!(world.search(BASE, Scope::Subtree, "manager", &ada).await.len(), 1);
    let request = of(vec![
        replace(&bob, "manager", &moved),
        Change::Delete { target: dn(&moved), subtree: false },
        Change::Delete { target: dn(&ada), subtree: false },
    ]);
    world.directory.carry(&operator(&world), request).await.unwrap();
    assert_eq!(world.search(BASE, Scope::Subtree, "manager", &moved).await.len(), 0);
    assert_eq!(world.search(BASE, Scope::Subtree, "manager", &ada).await.len(), 0);
    world.verify();
}

#[tokio::test]
async fn one_refusal_refuses_all() {
    // Goal: whatever step is refused, nothing of the request stands, and the position does not move.
    let world = with_staff().await;
    world.change(person("eve", PEOPLE)).await.unwrap();
    let eve = &format!("uid=eve,{PEOPLE}");
    let before = world.directory.position().unwrap();
    let rows: Vec<(Change, Reason)> = vec![
        (replace(eve, "mail", "not an address"), Reason::Constraint),
        (replace(eve, "noSuchType", "x"), Reason::UndefinedAttribute),
        (act(eve, Act::ForceChange), Reason::Unwilling),
        (members(&["uid=nobody,dc=example,dc=com"], &[]), Reason::Constraint),
        (person("eve", BASE), Reason::NameTaken { what: "username", holder: world.id(eve) }),
    ];
    for (last, reason) in rows {
        let shown = format!("{last:?}");
        let changes = vec![replace(eve, "title", "spy"), act(eve, Act::Disable), members(&[eve], &[]), last];
        let refusal = world.directory.carry(&operator(&world), of(changes)).await.unwrap_err();
        assert_eq!(refusal.reason, reason, "{shown}");
        assert_eq!((world.state(eve), world.directory.position().unwrap()), (State::Unverified, before), "{shown}");
    }
    let many = (0..=directory::change::carry::CHANGES).map(|_| replace(eve, "title", "spy")).collect();
    let refusal = world.directory.carry(&operator(&world), of(many)).await.unwrap_err();
    assert!(matches!(refusal.reason, Reason::Limit(_)));
    world.verify();
}

#[tokio::test]
async fn versions_are_demanded() {
    // Goal: another version than the expected one is Stale, whatever changed the entry since, and nothing else changes.
    let world = with_staff().await;
    world.change(person("eve", PEOPLE)).await.unwrap();
    let eve = &format!("uid=eve,{PEOPLE}");
    let id = world.id(eve);
    let with = |version, changes| Request { changes, expected: vec![(id, version)] };
    let carry = |request| {
        let (directory, context) = (world.directory.clone(), operator(&world));
        async move { directory.carry(&context, request).await.map_err(|refusal| refusal.reason) }
    };
    let mut known = version(&world, id);
    for change in [
        replace(eve, "title", "spy"),
        act(eve, Act::Active(false)),
        act(eve, Act::Active(true)),
        Change::Password { target: dn(eve), old: None, new: Some(NEW.into()) },
    ] {
        let shown = format!("{change:?}");
        let receipt = carry(with(known, vec![change])).await.unwrap();
        assert_eq!(version(&world, id), receipt.position, "{shown}");
        let stale = carry(with(known, vec![replace(eve, "title", "late")])).await;
        assert_eq!(stale.unwrap_err(), Reason::Stale, "{shown}");
        // Even when there is nothing to do.
        let stale = carry(with(known, vec![act(eve, Act::Active(true))])).await;
        assert_eq!(stale.unwrap_err(), Reason::Stale, "{shown}");
        known = receipt.position;
    }
    assert!(carry(with(known, vec![act(eve, Act::Active(true))])).await.is_ok());
    assert_eq!(version(&world, id), known, "a repeated switch is no change");
    let gone = Request { changes: Vec::new(), expected: vec![(EntryId(999_999), known)] };
    assert!(matches!(carry(gone).await.unwrap_err(), Reason::NoSuchEntry { .. }));
    world.verify();
}

#[tokio::test]
async fn repeated_members_are_no_mistake() {
    // Goal: adding who is there and removing who is not changes nothing: no version, no record; mixed wishes do the rest.
    let world = with_staff().await;
    for uid in ["ada", "bob", "cyd"] {
        world.change(person(uid, PEOPLE)).await.unwrap();
    }
    let [ada, bob, cyd] = ["ada", "bob", "cyd"].map(|uid| format!("uid={uid},{PEOPLE}"));
    let staff = world.id(STAFF);
    let held = || -> Vec<bool> {
        let snapshot = world.directory.snapshot().unwrap();
        [&ada, &bob, &cyd].iter().map(|dn| snapshot.is_member(staff, world.id(dn)).unwrap()).collect()
    };
    let carry = |change| {
        let (directory, context) = (world.directory.clone(), operator(&world));
        async move { directory.change(&context, change).await }
    };
    carry(members(&[&ada, &bob, &ada], &[&cyd])).await.unwrap();
    assert_eq!(held(), [true, true, false]);
    let (at, stood) = (world.directory.position().unwrap(), version(&world, staff));
    let receipt = carry(members(&[&ada], &[&cyd, "uid=nobody,dc=example,dc=com"])).await.unwrap();
    assert_eq!((receipt.position, receipt.entries), (at, vec![Some(staff)]));
    assert_eq!((world.directory.position().unwrap(), version(&world, staff)), (at, stood));
    carry(members(&[&ada, &cyd], &[&ada, &bob])).await.unwrap();
    assert_eq!(held(), [true, false, true], "who goes and comes is there");
    assert!(version(&world, staff) > stood);

    // Groups of either class, and what is none; a cycle is refused.
    world.add("cn=all,ou=groups,dc=example,dc=com", &[("objectClass", "groupOfUniqueNames")]).await.unwrap();
    let all = dn("cn=all,ou=groups,dc=example,dc=com");
    carry(Change::Members { target: all.clone(), add: vec![dn(STAFF)], remove: Vec::new() }).await.unwrap();
    assert_eq!(world.search(BASE, Scope::Subtree, "uniqueMember", STAFF).await.len(), 1);
    let refusal = carry(members(&["cn=all,ou=groups,dc=example,dc=com"], &[])).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::Constraint);
    carry(Change::Members { target: all, add: Vec::new(), remove: vec![dn(STAFF)] }).await.unwrap();
    assert!(world.search(BASE, Scope::Subtree, "uniqueMember", STAFF).await.is_empty());
    let refusal = carry(Change::Members { target: dn(&ada), add: vec![dn(&bob)], remove: Vec::new() }).await;
    assert_eq!(refusal.unwrap_err().reason, Reason::ClassViolation);
    world.verify();
}

#[tokio::test]
async fn a_rehearsal_tells_and_changes_nothing() {
    // Goal: the events of a rehearsal are those of the journal afterwards; its refusals are those of the act.
    let world = with_staff().await;
    world.change(person("eve", PEOPLE)).await.unwrap();
    let eve = &format!("uid=eve,{PEOPLE}");
    let changes = || vec![replace(eve, "title", "spy"), act(eve, Act::Active(false)), members(&[eve], &[])];
    let (at, context) = (world.directory.position().unwrap(), operator(&world));
    let told = world.directory.rehearse(&context, of(changes())).await.unwrap();
    assert_eq!((world.directory.position().unwrap(), world.state(eve)), (at, State::Unverified));
    world.directory.carry(&context, of(changes())).await.unwrap();
    let mut recorded = Vec::new();
    let snapshot = world.directory.snapshot().unwrap();
    directory::journal::record::read(&snapshot.journal(), |_, record| recorded.clone_from(&record.events)).unwrap();
    assert_eq!(told, recorded);
    assert!(matches!(told.as_slice(), [Event::Modified { .. }, Event::Account { .. }, Event::Modified { .. }]));

    let refused = world.directory.rehearse(&context, of(vec![act(eve, Act::ForceChange)])).await.unwrap_err();
    assert_eq!(refused.reason, Reason::Unwilling);
    let at = world.directory.position().unwrap();
    world.directory.flush(true).await.unwrap();
    assert_eq!(world.directory.position().unwrap(), at, "a refused rehearsal is no event");
    world.verify();
}

#[tokio::test]
async fn provisioning_frees_names_and_bequeaths_nothing() {
    // Goal: requirement 2.7: a deletion over SCIM frees the names at once; the new account of that name has a new id and
    // none of the old one's groups, password or facts.
    let world = with_staff().await;
    let eve = &format!("uid=eve,{PEOPLE}");
    world.change(person("eve", PEOPLE)).await.unwrap();
    world.directory.carry(&operator(&world), of(vec![members(&[eve], &[])])).await.unwrap();
    assert!(matches!(world.login(eve, PASSWORD).await, Verdict::Admitted(_)));
    let old = world.id(eve);
    let mut scim = operator(&world);
    scim.origin.door = Door::Scim;
    world.directory.change(&scim, act(eve, Act::Delete { months: None })).await.unwrap();
    assert_eq!(world.directory.state_of(old).unwrap(), Some(State::Deleted));

    let parents: &[(&str, &str)] = &[("objectClass", "inetOrgPerson"), ("cn", "eve"), ("sn", "eve")];
    world.directory.change(&scim, add(eve, parents)).await.expect("the name is free");
    let new = world.id(eve);
    assert_ne!(old, new);
    let snapshot = world.directory.snapshot().unwrap();
    assert!(snapshot.groups_of(new, 10).unwrap().is_empty());
    assert!(snapshot.credential(new).unwrap().is_none());
    assert_eq!(world.state(eve), State::Unverified);
    assert!(matches!(world.login(eve, PASSWORD).await, Verdict::Refused { .. }));
    // The other way keeps the name.
    world.act(eve, Act::Delete { months: None }).await.unwrap();
    assert!(matches!(world.change(person("eve", PEOPLE)).await.unwrap_err().reason, Reason::NameTaken { .. }));
    world.verify();
}

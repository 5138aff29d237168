//! What a provisioning client may do: people and groups of its tenant, and nothing that gives rights.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "what the tests have in common is more than these need")]
mod common;

use common::World;
use directory::access::Sight;
use directory::bootstrap;
use directory::change::{Act, Change, Modification, ModificationKind, Target};
use directory::clock::Span;
use directory::context::Context;
use directory::entry::record::Record;
use directory::error::Reason;
use directory::lifecycle::State;
use directory::store::view::View;

const BASE: &str = "dc=example,dc=com";
const NORTH: &str = "o=north,dc=example,dc=com";

fn dn(text: &str) -> Target {
    Target::Dn(text.as_bytes().to_vec())
}

fn adding(name: &str, classes: &[&str], more: &[(&str, &str)]) -> Change {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let classes = (bytes("objectClass"), classes.iter().map(|c| bytes(c)).collect());
    let more = more.iter().map(|(n, v)| (bytes(n), vec![bytes(v)]));
    Change::Add { dn: bytes(name), attributes: std::iter::once(classes).chain(more).collect() }
}

fn modifying(target: &str, kind: ModificationKind, attribute: &str, value: &str) -> Change {
    let values = vec![value.as_bytes().to_vec()];
    let modification = Modification { kind, attribute: attribute.as_bytes().to_vec(), values };
    Change::Modify { target: dn(target), modifications: vec![modification] }
}

fn joining(group: &str, member: &str) -> Change {
    Change::Members { target: dn(group), add: vec![dn(member)], remove: Vec::new() }
}

fn leaving(group: &str, member: &str) -> Change {
    Change::Members { target: dn(group), add: Vec::new(), remove: vec![dn(member)] }
}

fn person(uid: &str, tenant: &str) -> (String, Change) {
    let name = format!("uid={uid},ou=people,{tenant}");
    let change = adding(&name, &["inetOrgPerson"], &[("cn", uid), ("sn", uid)]);
    (name, change)
}

/// Two tenants with people, a plain group, and one of each role; and the circumstances of the first one's client.
async fn world() -> (World, Context) {
    let world = World::new().await;
    let directory = world.directory.clone();
    world.add(NORTH, &[("objectClass", "organization"), ("objectClass", "rollbookTenant")]).await.unwrap();
    tokio::task::spawn_blocking(move || bootstrap::complete(&directory, NORTH)).await.unwrap().unwrap();
    for tenant in [BASE, NORTH] {
        let at = if tenant == BASE { "base" } else { "north" };
        for (uid, role) in [
            ("plain", None),
            ("tina", Some("TENANT_ADMIN")),
            ("ula", Some("USER_ADMIN")),
            ("rita", Some("DIRECTORY_READER")),
            ("prov", Some("SCIM_PROVISIONER")),
        ] {
            let (name, change) = person(&format!("{uid}-{at}"), tenant);
            world.change(change).await.unwrap();
            if let Some(role) = role {
                world.change(joining(&format!("cn={role},ou=roles,{tenant}"), &name)).await.unwrap();
            }
        }
        for group in ["plain", "admins", "outer"] {
            world.change(adding(&format!("cn={group},ou=groups,{tenant}"), &["groupOfNames"], &[])).await.unwrap();
        }
        let [admins, outer] = ["admins", "outer"].map(|g| format!("cn={g},ou=groups,{tenant}"));
        world.change(joining(&outer, &admins)).await.unwrap();
        world.change(joining(&format!("cn=TENANT_ADMIN,ou=roles,{tenant}"), &outer)).await.unwrap();
    }
    let secret = bootstrap::scim_token(&world.directory, "north", "entra", Span::from_days(9)).await.unwrap();
    let live = world.directory.token(&secret, &world.directory.now()).unwrap().expect("it is good");
    let context = Context { actor: live.actor, ..bootstrap::operator(&world.directory) };
    (world, context)
}

#[tokio::test]
async fn people_and_groups_of_its_tenant_are_its_to_write() {
    // Goal: the whole life of a person and of a group, with memberships between them, in the own tenant.
    let (world, context) = world().await;
    let carry = |change| {
        let (directory, context) = (world.directory.clone(), context);
        async move { directory.change(&context, change).await }
    };
    let (ada, add) = person("ada", NORTH);
    let (staff, plain) = (&format!("cn=staff,ou=groups,{NORTH}"), &format!("cn=plain,ou=groups,{NORTH}"));
    carry(adding(&format!("ou=more,{NORTH}"), &["organizationalUnit"], &[])).await.unwrap();
    carry(add).await.unwrap();
    carry(adding(staff, &["groupOfNames", "rollbookProvisioned"], &[])).await.unwrap();
    carry(joining(staff, &ada)).await.unwrap();
    carry(joining(plain, staff)).await.unwrap();
    carry(modifying(&ada, ModificationKind::Replace, "title", "Countess")).await.unwrap();
    let new = Some("another fine secret".into());
    carry(Change::Password { target: dn(&ada), old: None, new }).await.unwrap();
    carry(Change::Account { target: dn(&ada), act: Act::Active(false) }).await.unwrap();
    assert_eq!(world.state(&ada), State::Disabled);
    carry(Change::Account { target: dn(&ada), act: Act::Active(true) }).await.unwrap();
    carry(leaving(plain, staff)).await.unwrap();
    let rename =
        Change::Rename { target: dn(staff), new_rdn: b"cn=team".to_vec(), delete_old: true, new_superior: None };
    carry(rename).await.unwrap();
    carry(Change::Delete { target: dn(&format!("cn=team,ou=groups,{NORTH}")), subtree: false }).await.unwrap();
    // Who only reads has no more than the client itself.
    let rita = format!("uid=rita-north,ou=people,{NORTH}");
    carry(Change::Account { target: dn(&rita), act: Act::Active(false) }).await.unwrap();
    carry(Change::Account { target: dn(&ada), act: Act::Delete { months: None } }).await.unwrap();
    world.verify();
}

#[tokio::test]
async fn nothing_that_gives_rights_is() {
    // Goal: roles, groups through which somebody has rights, those who have them, other kinds of entries: refused, and
    // nothing is changed.
    let (world, context) = world().await;
    let at = world.directory.position().unwrap();
    let own = "cn=entra,ou=applications,o=north,dc=example,dc=com";
    let plain = &format!("uid=plain-north,ou=people,{NORTH}");
    let crew = &format!("cn=plain,ou=groups,{NORTH}");
    let role = |name: &str| format!("cn={name},ou=roles,{NORTH}");
    let mut rows: Vec<Change> = Vec::new();
    for name in ["TENANT_ADMIN", "USER_ADMIN", "SCIM_PROVISIONER", "DIRECTORY_READER", "TENANT_USER", "SYSTEM_ADMIN"] {
        rows.extend([
            joining(&role(name), plain),
            joining(&role(name), crew),
            joining(&role(name), own),
            modifying(&role(name), ModificationKind::Replace, "description", "mine"),
            Change::Delete { target: dn(&role(name)), subtree: false },
        ]);
    }
    for group in ["admins", "outer"] {
        let group = &format!("cn={group},ou=groups,{NORTH}");
        rows.extend([
            joining(group, plain),
            joining(group, crew),
            modifying(group, ModificationKind::Add, "member", plain),
            modifying(group, ModificationKind::Replace, "description", "mine"),
            Change::Delete { target: dn(group), subtree: false },
        ]);
    }
    for uid in ["tina", "ula", "prov"] {
        let name = &format!("uid={uid}-north,ou=people,{NORTH}");
        rows.extend([
            Change::Password { target: dn(name), old: None, new: Some("another fine secret".into()) },
            Change::Account { target: dn(name), act: Act::Active(false) },
            Change::Account { target: dn(name), act: Act::Delete { months: None } },
            modifying(name, ModificationKind::Replace, "mail", "mine@example.org"),
            Change::Delete { target: dn(name), subtree: false },
        ]);
    }
    rows.extend([
        // Itself, and other kinds.
        modifying(own, ModificationKind::Replace, "description", "mine"),
        Change::Password { target: dn(own), old: None, new: Some("another fine secret".into()) },
        modifying(NORTH, ModificationKind::Replace, "description", "mine"),
        modifying(&format!("ou=people,{NORTH}"), ModificationKind::Replace, "description", "mine"),
        Change::Delete { target: dn(&format!("ou=system,{NORTH}")), subtree: false },
        adding(&format!("cn=mine,ou=roles,{NORTH}"), &["rollbookRole"], &[]),
        adding(&format!("cn=mine,{NORTH}"), &["rollbookPolicy"], &[]),
        adding(&format!("o=mine,{NORTH}"), &["organization", "rollbookTenant"], &[]),
        adding(&format!("cn=mine,ou=applications,{NORTH}"), &["applicationProcess", "rollbookAccount"], &[]),
        // What becomes another kind.
        modifying(plain, ModificationKind::Add, "objectClass", "rollbookTenant"),
    ]);
    for change in rows {
        let shown = format!("{change:?}");
        let refusal = world.directory.change(&context, change).await.unwrap_err();
        // What is refused for a reason of its own before rights are asked for changes nothing either.
        let refused = matches!(
            refusal.reason,
            Reason::NotAllowed | Reason::HasChildren | Reason::Unwilling | Reason::Password(_)
        );
        assert!(refused, "{shown}: {refusal:?}");
    }
    assert_eq!(world.directory.position().unwrap(), at);
    world.verify();
}

#[tokio::test]
async fn other_tenants_are_not_there() {
    // Goal: requirement 4.1: what lies outside the tenant is neither seen nor named, not even as a member.
    let (world, context) = world().await;
    let snapshot = world.directory.snapshot().unwrap();
    let rights = world.directory.rights(&snapshot, context.actor).unwrap();
    let sight = |name: &str| {
        let id = world.id(name);
        let guard = snapshot.record(id).unwrap().unwrap();
        rights.sight(id, &Record::parse(guard.value()).unwrap())
    };
    let (far, near) = (&format!("uid=plain-base,ou=people,{BASE}"), &format!("uid=plain-north,ou=people,{NORTH}"));
    assert_eq!((sight(far), sight(near), sight(BASE)), (Sight::None, Sight::Administrative, Sight::None));
    let group = &format!("cn=plain,ou=groups,{BASE}");
    for change in [
        modifying(far, ModificationKind::Replace, "title", "x"),
        Change::Account { target: dn(far), act: Act::Active(false) },
        Change::Password { target: dn(far), old: None, new: Some("another fine secret".into()) },
        joining(group, near),
        Change::Delete { target: dn(group), subtree: false },
    ] {
        let shown = format!("{change:?}");
        let refusal = world.directory.change(&context, change).await.unwrap_err();
        assert!(matches!(refusal.reason, Reason::NoSuchEntry { .. }), "{shown}: {refusal:?}");
    }
    let refusal = world.directory.change(&context, joining(&format!("cn=plain,ou=groups,{NORTH}"), far)).await;
    assert_eq!(refusal.unwrap_err().reason, Reason::Constraint);
    let refusal = world.directory.change(&context, person("new", BASE).1).await;
    assert_eq!(refusal.unwrap_err().reason, Reason::NotAllowed);
    let rename = Change::Rename {
        target: dn(near),
        new_rdn: b"uid=plain-north".to_vec(),
        delete_old: false,
        new_superior: Some(format!("ou=people,{BASE}").into_bytes()),
    };
    assert!(world.directory.change(&context, rename).await.is_err());
    world.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_right_taken_away_is_gone_within_the_same_commit() {
    // Goal: of many additions and the end of what admits them, all at once so that they share commits, those before the
    // end in the journal stand and those after it are refused: when a role is lost, and when somebody becomes a tenant.
    let people = format!("ou=people,{NORTH}");
    let house = format!("uid=house,{people}");
    let role = format!("cn=SCIM_PROVISIONER,ou=roles,{NORTH}");
    let client = format!("cn=entra,ou=applications,{NORTH}");
    let losing = || leaving(&role, &client);
    let parting = || Change::Modify {
        target: dn(&house),
        modifications: vec![Modification {
            kind: ModificationKind::Add,
            attribute: b"objectClass".to_vec(),
            values: vec![b"rollbookTenant".to_vec()],
        }],
    };
    let ends: [(&dyn Fn() -> Change, &str); 2] = [(&losing, &people), (&parting, &house)];
    for (ending, parent) in ends {
        for _ in 0..4 {
            let (world, context) = world().await;
            world.directory.change(&context, person("house", NORTH).1).await.unwrap();
            let mut tasks = tokio::task::JoinSet::new();
            for number in 0..200 {
                let (directory, operator) = (world.directory.clone(), bootstrap::operator(&world.directory));
                let change = match number {
                    100 => ending(),
                    _ => adding(&format!("uid=p{number},{parent}"), &["inetOrgPerson"], &[("cn", "p"), ("sn", "p")]),
                };
                tasks.spawn(async move {
                    let context = if number == 100 { operator } else { context };
                    (number, directory.change(&context, change).await.map(|receipt| receipt.position))
                });
            }
            let answers = tasks.join_all().await;
            let end = answers.iter().find(|(number, _)| *number == 100).unwrap().1.as_ref().unwrap();
            let taken = answers.iter().filter(|(_, answer)| answer.is_ok()).count();
            assert!(taken > 1, "nothing was let in");
            for (number, answer) in answers.iter().filter(|(number, _)| *number != 100) {
                match answer {
                    Ok(position) => assert!(position < end, "{number}"),
                    Err(refusal) => assert_eq!(refusal.reason, Reason::NotAllowed, "{number}"),
                }
            }
            world.verify();
        }
    }
}

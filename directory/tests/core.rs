//! The directory as a whole, in memory: what doors ask for, one after another, each test ending with `verify()`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "other test programs use the rest")]
mod common;

use common::World;
use directory::authenticate::{LoginName, Verdict};
use directory::change::{Act, Change, Modification, ModificationKind, Target};
use directory::entry::record::Record;
use directory::error::Reason;
use directory::lifecycle::State;
use directory::search::Scope;
use directory::store::view::View;

#[tokio::test]
async fn entries_come_change_move_and_go() {
    // Goal: add, modify, rename with a subtree, delete; each is found afterwards by what it is now and not by before.
    let world = World::new().await;
    world.add("ou=north,ou=people,dc=example,dc=com", &[("objectClass", "organizationalUnit")]).await.unwrap();
    world.person("ada", "ou=north,ou=people,dc=example,dc=com").await.unwrap();
    assert_eq!(
        world.search("dc=example,dc=com", Scope::Subtree, "uid", "ADA").await,
        ["uid=ada,ou=north,ou=people,dc=example,dc=com"]
    );

    world
        .modify("uid=ada,ou=north,ou=people,dc=example,dc=com", ModificationKind::Replace, "title", &["Countess"])
        .await
        .unwrap();
    assert_eq!(world.search("dc=example,dc=com", Scope::Subtree, "title", "countess").await.len(), 1);

    let change = Change::Rename {
        target: Target::Dn(b"ou=north,ou=people,dc=example,dc=com".to_vec()),
        new_rdn: b"ou=south".to_vec(),
        delete_old: true,
        new_superior: Some(b"dc=example,dc=com".to_vec()),
    };
    world.change(change).await.unwrap();
    assert_eq!(
        world.search("dc=example,dc=com", Scope::Subtree, "uid", "ada").await,
        ["uid=ada,ou=south,dc=example,dc=com"]
    );
    assert!(world.search("ou=people,dc=example,dc=com", Scope::Subtree, "uid", "ada").await.is_empty());

    let refused = world.delete("ou=south,dc=example,dc=com", false).await.unwrap_err();
    assert_eq!(refused.reason, Reason::HasChildren);
    world.delete("ou=south,dc=example,dc=com", true).await.unwrap();
    assert!(world.search("dc=example,dc=com", Scope::Subtree, "uid", "ada").await.is_empty());
    world.person("ada", "ou=people,dc=example,dc=com").await.expect("the name is free again");
    world.verify();
}

#[tokio::test]
async fn membership_is_seen_from_both_sides_and_has_no_cycles() {
    // Goal: edges appear as member and memberOf, nested chains are followed, cycles refused, deletion cleans up.
    let world = World::new().await;
    world.person("bob", "ou=people,dc=example,dc=com").await.unwrap();
    let group = |n: &str| format!("cn={n},ou=groups,dc=example,dc=com");
    world
        .add(&group("a"), &[("objectClass", "groupOfNames"), ("member", "uid=bob,ou=people,dc=example,dc=com")])
        .await
        .unwrap();
    world.add(&group("b"), &[("objectClass", "groupOfNames"), ("member", &group("a"))]).await.unwrap();
    assert_eq!(
        world.search("dc=example,dc=com", Scope::Subtree, "memberOf", &group("a")).await,
        ["uid=bob,ou=people,dc=example,dc=com"]
    );
    assert_eq!(
        world.search("dc=example,dc=com", Scope::Subtree, "member", "uid=bob,ou=people,dc=example,dc=com").await,
        [group("a")]
    );

    let cycle = world.modify(&group("a"), ModificationKind::Add, "member", &[&group("b")]).await.unwrap_err();
    assert_eq!(cycle.reason, Reason::Constraint);
    let nobody = world
        .modify(&group("a"), ModificationKind::Add, "member", &["uid=nobody,dc=example,dc=com"])
        .await
        .unwrap_err();
    assert_eq!(nobody.reason, Reason::Constraint);
    let twice = world
        .modify(&group("a"), ModificationKind::Add, "member", &["UID=Bob, ou=People,dc=example,dc=com"])
        .await
        .unwrap_err();
    assert_eq!(twice.reason, Reason::ValueExists);

    world.delete("uid=bob,ou=people,dc=example,dc=com", false).await.unwrap();
    assert!(world.search("dc=example,dc=com", Scope::Subtree, "memberOf", &group("a")).await.is_empty());
    world.verify();
}

#[tokio::test]
async fn a_username_may_be_a_uuid_but_nobodys_id() {
    // Goal: hostile row B12: provisioning clients may draw UUIDs as names; an account called by another's id is refused.
    let world = World::new().await;
    world.person("bob", "ou=people,dc=example,dc=com").await.unwrap();
    let bob = world.id("uid=bob,ou=people,dc=example,dc=com");
    let bobs = {
        let snapshot = world.directory.snapshot().unwrap();
        let record = snapshot.as_ref().record(bob).unwrap().unwrap();
        Record::parse(record.value()).unwrap().uuid().to_string()
    };
    for same in [bobs.clone(), bobs.to_uppercase(), bobs.replace('-', "")] {
        let refused = world.person(&same, "ou=people,dc=example,dc=com").await.unwrap_err();
        assert!(matches!(refused.reason, Reason::NameTaken { .. }), "{same}: {refused:?}");
    }
    world.person("6ba7b810-9dad-41d1-80b4-00c04fd430c8", "ou=people,dc=example,dc=com").await.unwrap();
    world.verify();
}

#[tokio::test]
async fn names_are_unique_in_every_spelling() {
    // Goal: hostile row B9: a second account of an equal name is refused whatever the spelling; usernames never change.
    let world = World::new().await;
    world.person("bob", "ou=people,dc=example,dc=com").await.unwrap();
    for same in ["BOB", "ｂｏｂ"] {
        let dn = format!("uid={same},ou=system,dc=example,dc=com");
        let refused = world.person_at(same, &dn).await.unwrap_err();
        assert!(matches!(refused.reason, Reason::NameTaken { .. }), "{same}: {refused:?}");
    }
    let renamed = Change::Rename {
        target: Target::Dn(b"uid=bob,ou=people,dc=example,dc=com".to_vec()),
        new_rdn: b"uid=rob".to_vec(),
        delete_old: true,
        new_superior: None,
    };
    assert_eq!(world.change(renamed).await.unwrap_err().reason, Reason::Constraint);
    world.verify();
}

#[tokio::test]
async fn a_login_is_judged_by_the_life_cycle() {
    // Goal: first login makes ACTIVE, too many failures lock, disabling and unlocking act on the very next login.
    let world = World::new().await;
    world.person("eve", "ou=people,dc=example,dc=com").await.unwrap();
    let dn = "uid=eve,ou=people,dc=example,dc=com";
    world.set_password(dn, "correct horse battery").await;
    assert_eq!(world.state(dn), State::Unverified);
    assert!(matches!(world.login(dn, "correct horse battery").await, Verdict::Admitted(_)));
    assert_eq!(world.state(dn), State::Active);

    for _ in 0..6 {
        assert!(matches!(world.login(dn, "wrong").await, Verdict::Refused { hint: None }));
    }
    assert_eq!(world.state(dn), State::Locked);
    assert!(matches!(world.login(dn, "correct horse battery").await, Verdict::Refused { hint: None }));

    let unlock = Act::Unlock { password: Some("another fine secret".into()) };
    world.act(dn, unlock).await.unwrap();
    assert_eq!(world.state(dn), State::Enabled);
    let Verdict::Refused { hint } = world.login(dn, "another fine secret").await else {
        panic!("refused without control")
    };
    assert!(hint.is_some());
    world.act(dn, Act::Disable).await.unwrap();
    assert!(matches!(world.login(dn, "another fine secret").await, Verdict::Refused { hint: None }));
    assert!(matches!(world.login_as(LoginName::Username("nobody".into()), "x").await, Verdict::Refused { hint: None }));
    world.directory.flush(true).await.unwrap();
    world.verify();
}

#[tokio::test]
async fn a_refused_set_leaves_the_others_of_its_batch() {
    // Goal: a change that is refused half way through its batch costs the others nothing (value twice in one modify).
    let world = World::new().await;
    let changes = (0..40).map(|n| {
        let world = &world;
        async move {
            let uid = if n % 4 == 0 { "same".to_owned() } else { format!("user{n}") };
            world.person_at(&uid, &format!("cn=p{n},ou=people,dc=example,dc=com")).await
        }
    });
    let outcomes = futures_lite(changes).await;
    assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 31);
    let twice = Modification {
        kind: ModificationKind::Add,
        attribute: b"title".to_vec(),
        values: vec![b"a".to_vec(), b"A ".to_vec()],
    };
    let change = Change::Modify {
        target: Target::Dn(b"cn=p1,ou=people,dc=example,dc=com".to_vec()),
        modifications: vec![twice],
    };
    assert_eq!(world.change(change).await.unwrap_err().reason, Reason::ValueExists);
    world.verify();
}

/// Runs futures side by side on this task.
async fn futures_lite<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = futures.map(|f| (Box::pin(f), None)).collect();
    std::future::poll_fn(|context| {
        let mut open = false;
        for (future, done) in &mut pending {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => open = true,
                }
            }
        }
        if open { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    pending.into_iter().filter_map(|(_, done)| done).collect()
}

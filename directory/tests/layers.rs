//! What commits leave in memory: it is there for everybody who reads, whatever of it has reached the tables, and a state that
//! somebody holds stays as it was.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "other test programs use the rest")]
mod common;
#[path = "common/digest.rs"]
mod digest;
#[expect(dead_code, reason = "other test programs use the rest")]
#[path = "common/disk.rs"]
mod disk;
#[expect(dead_code, reason = "other test programs use the rest")]
#[path = "common/workload.rs"]
mod workload;

use common::World;
use digest::digest;
use directory::change::{Act, ModificationKind};
use directory::context::Actor;
use directory::export::{self, Piece};
use directory::filter::Filter;
use directory::handle::{Backend, Options};
use directory::id::Position;
use directory::journal::since::touched;
use directory::search::Scope;
use directory::store::staged::Limits;
use directory::store::tables::meta;
use directory::store::view::View;
use directory::wal;
use disk::{Dice, Disk};
use std::sync::Arc;

const SUFFIX: &str = "dc=example,dc=com";

/// So many commits may stay, and the log holds them all.
fn staying(commits: usize) -> impl FnOnce(&mut Options) {
    move |options| {
        options.late = Limits { commits, ..options.late };
        options.wal = wal::Limits { frames: u32::MAX, octets: 8 * 1024 * 1024 };
    }
}

async fn world(disk: &Disk, commits: usize) -> World {
    let world = World::open_with(Backend::Other(disk.backend()), staying(commits)).unwrap();
    world.begin().await;
    world
}

/// What can be had of a state by every way that walks over tables.
async fn readings(world: &World) -> Vec<String> {
    let mut out = Vec::new();
    for base in [SUFFIX, "ou=people,dc=example,dc=com"] {
        for scope in [Scope::Base, Scope::One, Scope::Subtree, Scope::Children] {
            for filter in [
                Filter::And(Vec::new()),
                Filter::Present(b"uid".to_vec()),
                Filter::Not(Box::new(Filter::Or(Vec::new()))),
            ] {
                let mut found = world.find(base, scope, &filter).await;
                found.sort();
                out.push(format!("{base} {scope:?} {filter:?}: {found:?}"));
            }
        }
    }
    for base in [None, Some(b"ou=people,dc=example,dc=com".as_slice())] {
        let mut lines = Vec::new();
        let options = export::Options { base, operational: false, passwords: true };
        let take = |piece: Piece<'_>| {
            lines.push(format!("{piece:?}"));
            Ok::<(), ()>(())
        };
        let entries = world.directory.export(options, take).unwrap();
        out.push(format!("{entries} entries: {lines:?}"));
    }
    let snapshot = world.directory.snapshot().unwrap();
    let last = snapshot.position();
    for back in [1, 3, 20] {
        let after = Position(last.0.saturating_sub(back));
        out.push(format!("since {back}: {:?}", touched(&snapshot, after, 100).unwrap()));
    }
    out
}

#[tokio::test]
async fn what_is_in_memory_makes_no_difference() {
    // Goal: however many commits may stay in memory, a state holds the same rows as one of which all are in the tables, the
    // same entries are found in it by every search, exported in the same octets and told of by the journal; after a crash too.
    for (commits, expected) in [(0, 0), (2, 20), (50, 20)] {
        let disk = Disk::default();
        let world = world(&disk, commits).await;
        let (mut dice, mut layered) = (Dice::new(23), 0);
        for round in 0..400 {
            workload::step(&world, &mut dice, Some(&disk)).await;
            let snapshot = world.directory.snapshot().unwrap();
            assert!(snapshot.layers().len() <= commits);
            if round % 40 != 0 && (snapshot.layers().is_empty() || round % 5 != 0) {
                continue;
            }
            layered += usize::from(!snapshot.layers().is_empty());
            let whole = World::open_with(Backend::Other(Disk::of(disk.bytes()).backend()), staying(0)).unwrap();
            let stored = whole.directory.snapshot().unwrap();
            assert!(stored.layers().is_empty() && stored.position() == snapshot.position());
            assert_eq!(digest(&snapshot), digest(&stored), "{commits} commits, round {round}");
            assert_eq!(readings(&world).await, readings(&whole).await, "{commits} commits, round {round}");
            world.verify();
            whole.verify();
        }
        assert!(layered >= expected, "{layered} states with layers");
    }
}

#[tokio::test]
async fn a_commit_stays_until_there_is_no_room_or_another_table_is_touched() {
    // Goal: the tables hold what they held while commits stay; the one that finds no room, and one that sets a password, or
    // is a mark of the clock, bring everything before them along.
    let world = world(&Disk::default(), 3).await;
    let look = |world: &World| {
        let snapshot = world.directory.snapshot().unwrap();
        let stored = snapshot.meta_u64(meta::POSITION).unwrap().unwrap();
        (snapshot.layers().len(), snapshot.position().0 - stored)
    };
    let mut number = 0;
    let mut add = async || {
        number += 1;
        world.person(&format!("p{number}"), "ou=people,dc=example,dc=com").await.unwrap();
        look(&world)
    };
    while add().await.0 != 0 {}
    for expected in [(1, 1), (2, 2), (3, 3), (0, 0), (1, 1)] {
        assert_eq!(add().await, expected);
    }
    world.set_password("uid=p1,ou=people,dc=example,dc=com", "correct horse battery").await;
    assert_eq!(look(&world), (0, 0));
    assert_eq!(add().await, (1, 1));
    world.directory.store_mark();
    // Nobody is told when the mark is stored.
    while look(&world) != (0, 0) {
        tokio::task::yield_now().await;
    }
    world.verify();
}

#[tokio::test]
async fn a_state_that_somebody_holds_stays_as_it_was() {
    // Goal: while others write, what stays and what goes into the tables, a held state says the same; each is of its moment.
    let world = world(&Disk::default(), 3).await;
    let mut held = Vec::new();
    let mut dice = Dice::new(5);
    for _ in 0..40 {
        workload::step(&world, &mut dice, None).await;
        let snapshot = world.directory.snapshot().unwrap();
        let now = digest(&snapshot);
        held.push((snapshot, now));
        for (snapshot, then) in &held {
            assert_eq!(digest(snapshot), *then);
        }
    }
    assert!(held.iter().any(|(snapshot, _)| snapshot.layers().len() == 3));
    world.verify();
}

#[tokio::test]
async fn rights_are_worked_out_again_when_they_may_have_moved() {
    // Goal: people who come and their values leave what is remembered of rights; whatever touches an account, a role, a
    // membership, a tree or is given up half-way makes it new, and a login that was ended has none in the next state.
    let world = world(&Disk::default(), 3).await;
    let person = |name: &str| format!("uid={name},ou=people,{SUFFIX}");
    for name in ["ada", "bob"] {
        world.person(name, &format!("ou=people,{SUFFIX}")).await.unwrap();
    }
    let group = format!("cn=crew,ou=groups,{SUFFIX}");
    world.add(&group, &[("objectClass", "groupOfNames"), ("cn", "crew"), ("member", &person("ada"))]).await.unwrap();
    let rights = |world: &World| world.directory.snapshot().unwrap().rights.clone();
    let mut before = rights(&world);
    let mut moves = |world: &World| !Arc::ptr_eq(&std::mem::replace(&mut before, rights(world)), &rights(world));
    world.person("eve", &format!("ou=people,{SUFFIX}")).await.unwrap();
    assert!(!moves(&world), "a person");
    world.modify(&person("ada"), ModificationKind::Replace, "title", &["Countess"]).await.unwrap();
    assert!(!moves(&world), "a value");
    world.modify(&person("ada"), ModificationKind::Replace, "uid", &["ada", "bob"]).await.unwrap_err();
    assert!(!moves(&world), "a refusal");
    world.modify(&group, ModificationKind::Add, "member", &[&person("bob")]).await.unwrap();
    assert!(moves(&world), "a member");
    world.add(&format!("ou=unit,{SUFFIX}"), &[("objectClass", "organizationalUnit")]).await.unwrap();
    assert!(moves(&world), "a unit");
    world.delete(&person("eve"), false).await.unwrap();
    assert!(moves(&world), "a deletion");
    let id = world.id(&person("bob"));
    let epoch = world.directory.snapshot().unwrap().account(id).unwrap().unwrap().epoch;
    let actor = Actor::Account { id, epoch, must_change_password: false };
    let snapshot = world.directory.snapshot().unwrap();
    assert!(world.directory.rights(&snapshot, actor).is_ok());
    world.act(&person("bob"), Act::Disable).await.unwrap();
    assert!(moves(&world), "an account");
    let snapshot = world.directory.snapshot().unwrap();
    assert!(world.directory.rights(&snapshot, actor).is_err());
    world.verify();
}

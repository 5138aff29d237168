//! Many at once: guesses at one account, one name, one group, one write set.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "other test programs use the rest")]
mod common;

use common::World;
use directory::authenticate::Verdict;
use directory::change::apply::Head;
use directory::change::{Act, ModificationKind, Op, WriteSet, prepare};
use directory::clock::{Mark, Millis, Now};
use directory::context::{Actor, Context, Door, Origin};
use directory::error::Reason;
use directory::journal::local::Lane;
use directory::lifecycle::State;
use directory::random::Random;
use directory::schema::Schema;
use directory::store::migrate;
use directory::store::pending::Staging;
use directory::store::view::{Snapshot, Tables};
use directory::wal::{self, Wal};
use redb::{Database, ReadableDatabase};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const MANY: usize = 2_000;
const PEOPLE: &str = "ou=people,dc=example,dc=com";

/// Asks many times at once, on all threads, and returns the answers.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    count: usize,
    ask: impl Fn(usize) -> F,
) -> Vec<T> {
    let gate = Arc::new(tokio::sync::Barrier::new(count));
    let tasks: Vec<_> = (0..count)
        .map(|number| {
            let (gate, asked) = (gate.clone(), ask(number));
            tokio::spawn(async move {
                gate.wait().await;
                asked.await
            })
        })
        .collect();
    let mut answers = Vec::with_capacity(count);
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

async fn world_with(uid: &str) -> (Arc<World>, String) {
    let world = Arc::new(World::new().await);
    world.person(uid, PEOPLE).await.unwrap();
    let dn = format!("uid={uid},{PEOPLE}");
    world.set_password(&dn, "a fine secret of ours").await;
    (world, dn)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_guesses_pass_the_threshold_no_further_than_single_ones() {
    // Goal: hostile row C4: of 2,000 wrong logins at once no more than the threshold are looked at, and the lock stands.
    let (world, dn) = world_with("eve").await;
    let verdicts = at_once(MANY, |number| {
        let (world, dn) = (world.clone(), dn.clone());
        async move { world.login(&dn, &format!("guess {number}")).await }
    })
    .await;
    assert!(verdicts.iter().all(|v| !matches!(v, Verdict::Admitted(_))));
    let alarms = world.directory.gate().throttle().alarms();
    let threshold = u64::from(world.directory.policy().threshold());
    assert_eq!(alarms.failures.load(Ordering::SeqCst), threshold);
    assert_eq!(alarms.locks.load(Ordering::SeqCst), 1);
    assert_eq!(world.state(&dn), State::Locked);
    assert!(matches!(world.login(&dn, "a fine secret of ours").await, Verdict::Refused { hint: None }));
    world.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_right_password_among_many_guesses_is_worth_no_more_than_before() {
    // Goal: right and wrong passwords at once: whatever the order, no more wrong ones than the threshold in a row count.
    let (world, dn) = world_with("eve").await;
    let verdicts = at_once(500, |number| {
        let (world, dn) = (world.clone(), dn.clone());
        let password = if number % 10 == 0 { "a fine secret of ours".to_owned() } else { format!("guess {number}") };
        async move { world.login(&dn, &password).await }
    })
    .await;
    let admitted = verdicts.iter().filter(|v| matches!(v, Verdict::Admitted(_))).count() as u64;
    let failures = world.directory.gate().throttle().alarms().failures.load(Ordering::SeqCst);
    let threshold = u64::from(world.directory.policy().threshold());
    assert!(failures <= threshold * (admitted + 1), "{failures} failures around {admitted} logins");
    world.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_right_logins_are_all_admitted() {
    // Goal: the other half of row C4: nobody is refused because somebody else logs in with the same name.
    let (world, dn) = world_with("ada").await;
    let verdicts = at_once(MANY, |_| {
        let (world, dn) = (world.clone(), dn.clone());
        async move { world.login(&dn, "a fine secret of ours").await }
    })
    .await;
    let admitted = verdicts.iter().filter(|v| matches!(v, Verdict::Admitted(_))).count();
    assert_eq!(admitted, MANY);
    assert_eq!(world.state(&dn), State::Active);
    world.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_disabled_account_is_out_whatever_was_under_way() {
    // Goal: once the disabling is acknowledged no login is admitted, though logins were being hashed meanwhile.
    let (world, dn) = world_with("ada").await;
    for round in 0..40 {
        let logins = at_once(8, |number| {
            let (world, dn) = (world.clone(), dn.clone());
            async move {
                if number == 3 {
                    world.act(&dn, Act::Disable).await.map(|_| None).unwrap_or_else(|refusal| Some(refusal.reason))
                } else {
                    let _ = world.login(&dn, "a fine secret of ours").await;
                    None
                }
            }
        })
        .await;
        // A first login may have moved the facts under the act once too often.
        let refused: Vec<_> = logins.into_iter().flatten().collect();
        assert!(refused.iter().all(|r| *r == Reason::Conflict), "round {round}: {refused:?}");
        if refused.is_empty() {
            assert_eq!(world.state(&dn), State::Disabled);
            assert!(
                matches!(world.login(&dn, "a fine secret of ours").await, Verdict::Refused { .. }),
                "round {round}"
            );
            world.act(&dn, Act::Enable { password: None }).await.unwrap();
        }
    }
    world.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_name_has_one_winner() {
    // Goal: of many additions of one username at different places exactly one succeeds; the rest are told why.
    let world = Arc::new(World::new().await);
    let outcomes = at_once(200, |number| {
        let world = world.clone();
        let spelling = ["Bob", "bob", "BOB"][number % 3];
        async move { world.person_at(spelling, &format!("cn=b{number},{PEOPLE}")).await }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
    let taken = |o: &Result<_, directory::error::Refusal>| {
        o.as_ref().err().is_some_and(|r| matches!(r.reason, Reason::NameTaken { .. }))
    };
    assert_eq!(outcomes.iter().filter(|o| taken(o)).count(), 199);
    world.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn members_come_from_many_sides_at_once() {
    // Goal: additions of different members to one group do not meet; a cycle from two sides is closed by neither.
    let world = Arc::new(World::new().await);
    let group = "cn=all,ou=groups,dc=example,dc=com";
    world.add(group, &[("objectClass", "groupOfNames")]).await.unwrap();
    let joined = at_once(300, |number| {
        let world = world.clone();
        async move {
            let uid = format!("user{number}");
            world.person(&uid, PEOPLE).await.unwrap();
            world.modify(group, ModificationKind::Add, "member", &[&format!("uid={uid},{PEOPLE}")]).await
        }
    })
    .await;
    assert!(joined.iter().all(Result::is_ok));
    let members = directory::filter::Filter::Present(b"memberOf".to_vec());
    assert_eq!(world.find(PEOPLE, directory::search::Scope::One, &members).await.len(), 300);

    for number in 0..20 {
        for name in ["a", "b"] {
            let dn = format!("cn={name}{number},ou=groups,dc=example,dc=com");
            world.add(&dn, &[("objectClass", "groupOfNames")]).await.unwrap();
        }
        let outcomes = at_once(2, |side| {
            let world = world.clone();
            async move {
                let dn = |name: &str| format!("cn={name}{number},ou=groups,dc=example,dc=com");
                let (group, member) = if side == 0 { (dn("a"), dn("b")) } else { (dn("b"), dn("a")) };
                world.modify(&group, ModificationKind::Add, "member", &[&member]).await
            }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1, "{outcomes:?}");
    }
    world.verify();
}

/// A lane over an empty store.
struct Bare {
    lane: Lane,
    database: Arc<Database>,
    staging: Arc<Staging>,
    schema: Arc<Schema>,
    random: Random,
}

impl Bare {
    fn new() -> Bare {
        let (schema, random) = (Schema::standard(), Random::from_seed(1));
        let memory = Box::new(redb::backends::InMemoryBackend::new());
        let (wal, pages) = Wal::open(memory, wal::Limits::default(), &random).unwrap();
        let database = Arc::new(Database::builder().create_with_backend(pages).unwrap());
        let staging = Arc::new(Staging::default());
        let txn = database.begin_write().unwrap();
        migrate::bring_up_to_date(&mut Tables::open(&txn, &staging).unwrap(), &random).unwrap();
        txn.commit().unwrap();
        let lane = Lane::start(database.clone(), wal, schema.clone(), staging.clone(), |_| {}, |_| {}).unwrap();
        Bare { lane, database, staging, schema, random }
    }

    /// Makes these entries, one after another; those without a parent are suffixes.
    fn set(&self, names: &[&str]) -> WriteSet {
        let origin = Origin { door: Door::Internal, address: None, confidential: true };
        let now = Now::at(Millis(1_790_000_000_000));
        let context = Context { actor: Actor::System, origin, now, request_id: 1 };
        let add = |dn: &&str| {
            let class = if dn.starts_with("ou=") { b"organizationalUnit".to_vec() } else { b"organization".to_vec() };
            let attributes = [(b"objectClass".to_vec(), vec![class])];
            let (mut add, _) = prepare::add(&self.schema, &self.random, &now, dn.as_bytes(), &attributes).unwrap();
            if !dn.contains(',') {
                add.suffix = true;
                add.rdn = (*dn).to_owned();
            }
            Op::Add(Box::new(add))
        };
        prepare::write_set(&self.random, &context, names.iter().map(add).collect())
    }

    /// Submits them all, then gives the positions; none: refused.
    fn answers<'s>(&self, sets: impl IntoIterator<Item = &'s WriteSet>) -> Vec<Option<u64>> {
        let asked: Vec<_> = sets.into_iter().map(|set| self.lane.submit(set.clone()).unwrap()).collect();
        asked.into_iter().map(|a| a.blocking_recv().unwrap().ok().map(|receipt| receipt.position.0)).collect()
    }

    /// The position, the number of entries, and of records of the journal, in the end.
    fn stop(self) -> (u64, u64, u64) {
        self.lane.stop();
        let snapshot = Snapshot::open(self.database.begin_read().unwrap(), &self.staging).unwrap();
        let position = Head::read(&snapshot).unwrap().position.0;
        (position, snapshot.entries().count().unwrap(), snapshot.journal().count().unwrap())
    }
}

#[test]
fn the_same_write_set_twice_is_carried_out_once() {
    // Goal: a repeated submission, in the same commit or later, gets the first one's position and changes nothing.
    let bare = Bare::new();
    let (one, other) = (bare.set(&["o=suffix 1"]), bare.set(&["o=suffix 2"]));
    // Side by side, so that some of them share a commit, and then again.
    for _ in 0..2 {
        assert_eq!(bare.answers([&one, &other, &one, &one, &other]), [1, 2, 1, 1, 2].map(Some));
    }
    assert_eq!(bare.stop(), (2, 2, 2));
}

#[test]
fn who_is_refused_half_way_takes_nobody_along() {
    // Goal: a set that is refused after its first write leaves nothing behind, alone or beside others, whether commits before
    // it have stayed in memory or not; the others of its commit are carried out once, in their order.
    let bare = Bare::new();
    assert_eq!(bare.answers([&bare.set(&["o=top"])]), [Some(1)]);
    let mut position = 1;
    for round in 0..40 {
        let name = |number: u32| format!("ou={round} {number},o=top");
        let good: Vec<_> = (0..round % 5).map(|number| bare.set(&[&name(number)])).collect();
        let half = bare.set(&[&name(100), &name(100)]);
        let mut sets: Vec<&WriteSet> = good.iter().chain(&good).collect();
        let at = (round as usize * 7) % (sets.len() + 1);
        sets.insert(at, &half);
        // In the same batch, perhaps: a checkpoint, or work that has the store to itself.
        if round % 7 == 3 {
            bare.lane.mark(Mark { wall: Millis(0), calendar: Millis(0) });
        }
        let alone = (round % 4 == 1).then(|| bare.lane.exclusive(round % 8 == 1, move |_, _| round).unwrap());
        let answers = bare.answers(sets);
        let mut wanted: Vec<_> = (0..good.len() as u64).cycle().take(good.len() * 2).collect();
        wanted.iter_mut().for_each(|number| *number += position + 1);
        let mut wanted: Vec<_> = wanted.into_iter().map(Some).collect();
        wanted.insert(at, None);
        assert_eq!(answers, wanted, "round {round}");
        assert_eq!(alone.map(|alone| alone.blocking_recv().unwrap()), (round % 4 == 1).then_some(round));
        position += good.len() as u64;
        // What it would have made is free.
        assert_eq!(bare.answers([&bare.set(&[&name(100)])]), [Some(position + 1)]);
        position += 1;
    }
    assert_eq!(bare.stop(), (position, position, position));
}

#[test]
fn a_lane_that_has_panicked_says_that_nothing_is_written() {
    // Goal: a defect ends the lane, not the truth: whoever waits is let go, whoever comes is told that the store has failed,
    // and the counter that readiness asks has it. An end that was asked for is none of that.
    let bare = Bare::new();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let broken = bare.lane.exclusive(false, move |_, _| wait.recv().unwrap()).unwrap();
    let behind = bare.lane.submit(bare.set(&["o=suffix 1"])).unwrap();
    assert_eq!(bare.lane.counters().failed.load(Ordering::SeqCst), 0);
    drop(go);
    assert!(broken.blocking_recv().is_err());
    assert_eq!(bare.lane.over().reason, Reason::Store, "as soon as the first learns of it");
    assert!(behind.blocking_recv().is_err());
    assert_eq!(bare.lane.counters().failed.load(Ordering::SeqCst), 1);
    assert_eq!(bare.lane.submit(bare.set(&["o=suffix 2"])).unwrap_err().reason, Reason::Store);
    assert_eq!(bare.stop(), (0, 0, 0), "and nothing has been written");
    let bare = Bare::new();
    bare.lane.stop();
    assert_eq!(bare.lane.submit(bare.set(&["o=suffix 1"])).unwrap_err().reason, Reason::Busy);
    assert_eq!(bare.lane.counters().failed.load(Ordering::SeqCst), 0);
}

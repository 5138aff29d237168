//! Power cuts: whatever part of the unsynced writes reached the disk, the store opens, holds everything that was
//! acknowledged, and is exactly one of the states that it has been in.
//!
//! A busy directory runs once over a disk that logs every operation. Then the power is cut at operations of the log,
//! chosen by chance: unsynced writes lost, reordered, one torn at a sector, growth lost (redb's own crash test has one
//! scenario, its fuzzer none). For a part of the points it is cut again while the store recovers and works on.
//!
//! `ROLLBOOK_CRASH_POINTS` sets how many (10,000 unless set), `ROLLBOOK_CRASH_SEED` which.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
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
#[path = "common/workload.rs"]
mod workload;

use common::World;
use digest::digest;
use directory::error::Reason;
use directory::handle::Backend;
use directory::store::verify::verify;
use disk::{Dice, Disk, Event, Platter};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use workload::Answer;

/// Steps of the workload.
const STEPS: usize = 1_200;
/// Every so many points the power is cut again during recovery.
const AGAIN: usize = 8;
/// Every so many points the whole store is verified, besides the points whose state has no digest of its own.
const VERIFIED: usize = 16;

/// What the directory said of itself while it ran.
struct Run {
    log: Vec<Event>,
    /// Digest by position.
    states: HashMap<u64, [u8; 32]>,
}

#[test]
fn power_cuts_lose_nothing_that_was_acknowledged() {
    // Goal: 10,000 crash points, each reopened store equal to a commit not older than the last acknowledged one.
    let points = number("ROLLBOOK_CRASH_POINTS", 10_000);
    let seed = number("ROLLBOOK_CRASH_SEED", 1);
    let run = run();
    // A file gets its name when it is made (`store::file`): before that, nobody opens it.
    let made = run.log.iter().position(|event| !event.is_operation()).unwrap();
    let operations: Vec<usize> =
        run.log.iter().enumerate().skip(made).filter(|(_, event)| event.is_operation()).map(|(at, _)| at).collect();
    assert!(operations.len() > 5_000, "{} operations are no workload", operations.len());

    // Each operation is as likely as any other; with more points than operations each is hit in turn.
    let mut dice = Dice::new(seed as u64);
    let mut chosen: HashMap<usize, Vec<usize>> = HashMap::new();
    for point in 0..points {
        let at = if points < operations.len() { dice.below(operations.len()) } else { point % operations.len() };
        chosen.entry(operations[at]).or_default().push(point);
    }
    let tally = Tally::default();
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let (run, chosen, tally) = (&run, &chosen, &tally);
            scope.spawn(move || cut(run, chosen, seed, worker, tally));
        }
    });
    let read = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    println!(
        "{} operations, {} positions; {} cuts, {} of them again during recovery, {} verified, {} between two answers",
        operations.len(),
        run.states.len(),
        read(&tally.cuts),
        read(&tally.again),
        read(&tally.verified),
        read(&tally.between),
    );
    assert_eq!(read(&tally.cuts), points);
    assert!(read(&tally.between) < points / 10, "too many states without a digest of their own");
}

#[derive(Default)]
struct Tally {
    cuts: AtomicUsize,
    again: AtomicUsize,
    verified: AtomicUsize,
    between: AtomicUsize,
}

impl Tally {
    fn count(counter: &AtomicUsize) -> usize {
        counter.fetch_add(1, Ordering::Relaxed)
    }
}

/// The workload, once, with the power on.
fn run() -> Run {
    let disk = Disk::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut states = HashMap::new();
    let mut dice = Dice::new(7);
    let (mut done, mut logins) = (0, 0);
    workload::granting::forget();
    runtime.block_on(async {
        let world = World::open(Backend::Other(disk.backend())).unwrap();
        note(&world, &disk, &mut states);
        world.begin().await;
        note(&world, &disk, &mut states);
        for _ in 0..STEPS {
            for answer in workload::step(&world, &mut dice, Some(&disk)).await {
                match answer {
                    Answer::Done => done += 1,
                    Answer::Admitted => logins += 1,
                    Answer::Refused(Reason::Store | Reason::Busy) => panic!("the disk is well"),
                    Answer::Refused(_) | Answer::NotAdmitted => {}
                    Answer::Busy => panic!("the workload is too much for the pool"),
                }
            }
            note(&world, &disk, &mut states);
        }
        world.verify();
        world.directory.stop();
        note(&world, &disk, &mut states);
    });
    assert!(done > STEPS / 3 && logins > 5, "{done} changes, {logins} logins");
    Run { log: disk.log(), states }
}

/// Whoever has asked so far has an answer.
fn note(world: &World, disk: &Disk, states: &mut HashMap<u64, [u8; 32]>) {
    let snapshot = world.directory.snapshot().unwrap();
    let (position, digest) = (snapshot.position().0, digest(&snapshot));
    let before = states.insert(position, digest);
    assert!(before.is_none_or(|b| b == digest), "two states at position {position}");
    disk.note(Event::Acknowledged(position, digest));
}

/// Replays the log and cuts the power at every second of the chosen points.
fn cut(run: &Run, chosen: &HashMap<usize, Vec<usize>>, seed: usize, worker: usize, tally: &Tally) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut platter = Platter::default();
    let mut acknowledged = 0;
    for (at, event) in run.log.iter().enumerate() {
        if let Event::Acknowledged(position, _) = event {
            acknowledged = *position;
        }
        let points = chosen.get(&at).map(Vec::as_slice).unwrap_or_default();
        // A cut while a sync is under way finds what was there before it: the sync itself comes after.
        if !matches!(event, Event::Sync) {
            platter.apply(event);
        }
        for point in points.iter().filter(|point| *point % 2 == worker) {
            let mut dice = Dice::new(((seed as u64) << 32) | *point as u64);
            let image = platter.cut(&mut dice);
            let here = format!("seed {seed}, point {point}, operation {at}, acknowledged {acknowledged}");
            let found = check(image.clone(), acknowledged, run, point % VERIFIED == 0, tally).expect(&here);
            assert!(found >= acknowledged, "{here}: found {found}");
            Tally::count(&tally.cuts);
            if point % AGAIN == 0 {
                runtime.block_on(cut_again(image, acknowledged, run, &mut dice, &here, tally));
                Tally::count(&tally.again);
            }
        }
        if matches!(event, Event::Sync) {
            platter.apply(event);
        }
    }
}

/// Opens an image and compares it with what the directory was; the position that it has.
fn check(image: Vec<u8>, acknowledged: u64, run: &Run, deep: bool, tally: &Tally) -> Result<u64, String> {
    let world = World::open(Backend::Other(Disk::of(image).backend())).map_err(|e| format!("not opened: {e:?}"))?;
    judge(&world, acknowledged, &run.states, deep, tally)
}

fn judge(
    world: &World,
    acknowledged: u64,
    states: &HashMap<u64, [u8; 32]>,
    deep: bool,
    tally: &Tally,
) -> Result<u64, String> {
    let snapshot = world.directory.snapshot().map_err(|e| format!("not read: {e:?}"))?;
    let position = snapshot.position().0;
    if position < acknowledged {
        return Err(format!("position {position} is older than what was acknowledged"));
    }
    let known = states.get(&position);
    if known.is_some_and(|known| *known != digest(&snapshot)) {
        return Err(format!("the state at {position} is not the one that was there"));
    }
    if known.is_none() {
        Tally::count(&tally.between);
    }
    if deep || known.is_none() {
        Tally::count(&tally.verified);
        let findings = verify(&snapshot, world.directory.schema()).map_err(|e| format!("not verified: {e:?}"))?;
        if !findings.is_empty() {
            return Err(format!("position {position}: {findings:?}"));
        }
    }
    Ok(position)
}

/// The store recovers and works on, and the power goes again: during recovery, during the work, or while closing.
async fn cut_again(image: Vec<u8>, mut acknowledged: u64, run: &Run, dice: &mut Dice, here: &str, tally: &Tally) {
    let disk = Disk::of(image.clone());
    let mut states = run.states.clone();
    {
        let world = World::open(Backend::Other(disk.backend())).unwrap();
        let found = world.directory.position().unwrap().0;
        // Not acknowledged, but seen: whoever has read it may count on it from now on, once recovery is durable.
        disk.note(Event::Acknowledged(found, digest(&world.directory.snapshot().unwrap())));
        if found >= 2 {
            let unit = [("objectClass", "organizationalUnit")];
            world.add("ou=after,dc=example,dc=com", &unit).await.unwrap();
            let snapshot = world.directory.snapshot().unwrap();
            // The next position is another one's in the first run.
            states.retain(|position, _| *position <= found);
            states.insert(snapshot.position().0, digest(&snapshot));
            disk.note(Event::Acknowledged(snapshot.position().0, digest(&snapshot)));
        }
    }
    let log = disk.log();
    let stop = dice.below(log.len());
    let mut platter = Platter::of(image);
    for event in &log[..stop] {
        platter.apply(event);
        if let Event::Acknowledged(position, _) = event {
            acknowledged = *position;
        }
    }
    let again = World::open(Backend::Other(Disk::of(platter.cut(dice)).backend())).expect(here);
    judge(&again, acknowledged, &states, dice.below(4) == 0, tally).expect(here);
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect(name))
}

//! The write-ahead log: what it holds and the tables do not is there after a crash, to the octet; what is damaged, or not its
//! own, is refused or passed over, never taken.
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
#[expect(dead_code, reason = "other test programs use the rest")]
#[path = "common/workload.rs"]
mod workload;

use common::World;
use digest::digest;
use directory::bootstrap;
use directory::change::apply::Head;
use directory::change::{Change, WriteSet};
use directory::clock::Span;
use directory::error::{Reason, Refusal};
use directory::handle::{Backend, Options};
use directory::id::Position;
use directory::import;
use directory::schema::custom::{Defines, Given};
use directory::store::tables::{META, meta};
use directory::wal::frame::{self, Frame, HEADER};
use directory::wal::layout::{Layout, PAGE};
use directory::wal::{Limits, Wal};
use disk::{Dice, Disk, Fault};
use sha2::{Digest, Sha256};

/// The whole run stays in the log.
const ROOMY: Limits = Limits { frames: u32::MAX, octets: 8 * 1024 * 1024 };

fn roomy(options: &mut Options) {
    options.wal = ROOMY;
}

fn open(image: &[u8]) -> Result<World, Refusal> {
    World::open_with(Backend::Other(Disk::of(image.to_vec()).backend()), roomy)
}

/// What the machine finds that stops now.
fn reopened(disk: &Disk) -> World {
    open(&disk.bytes()).unwrap()
}

fn state(world: &World) -> (Position, [u8; 32]) {
    let snapshot = world.directory.snapshot().unwrap();
    (snapshot.position(), digest(&snapshot))
}

async fn begun(disk: &Disk, change: impl FnOnce(&mut Options)) -> World {
    let world = World::open_with(Backend::Other(disk.backend()), change).unwrap();
    world.begin().await;
    world
}

/// A store that was never closed, with units `0` to `9`, each of them one frame of the log.
async fn units() -> (Vec<u8>, Vec<(Position, [u8; 32])>) {
    let disk = Disk::default();
    let world = begun(&disk, roomy).await;
    let mut states = Vec::new();
    for number in 0..10 {
        let dn = format!("ou={number},dc=example,dc=com");
        world.add(&dn, &[("objectClass", "organizationalUnit")]).await.unwrap();
        states.push(state(&world));
    }
    (disk.bytes(), states)
}

/// Where the frames of a log lie, and what they say.
fn frames(image: &[u8]) -> Vec<(usize, Frame)> {
    let layout = Layout::read(&Disk::of(image.to_vec())).unwrap();
    let (mut at, mut out) = (usize::try_from(PAGE).unwrap(), Vec::new());
    while let Some(frame) =
        frame::read(&image[at..], &layout.key).filter(|_| at < usize::try_from(layout.pages_at).unwrap())
    {
        out.push((at, frame));
        at += usize::try_from(frame.takes()).unwrap();
    }
    out
}

/// The same store, had there been no log.
fn without_log(image: &[u8]) -> Vec<u8> {
    let mut image = image.to_vec();
    let pages_at = usize::try_from(Layout::read(&Disk::of(image.clone())).unwrap().pages_at).unwrap();
    image[usize::try_from(PAGE).unwrap()..pages_at].fill(0);
    image
}

/// Imports a unit.
async fn imported(world: &World, dn: &str) -> Result<import::Summary, Refusal> {
    let (handle, dn) = (world.directory.clone(), dn.as_bytes().to_vec());
    let import = move || {
        let mut entry = import::Entry::new(import::Place { file: 0, line: 1 }, &dn);
        entry.push(b"objectClass", b"organizationalUnit");
        let mut import = handle.import(&bootstrap::operator(&handle), import::Options::default(), |_| {})?;
        // When the lane takes nothing, the end says why.
        let _ = import.push(entry);
        import.finish()
    };
    tokio::task::spawn_blocking(import).await.unwrap()
}

fn refused(image: &[u8], word: &str) {
    let Err(refusal) = open(image) else { panic!("the store was opened") };
    let detail = refusal.detail.unwrap();
    assert!(refusal.reason == Reason::Store && detail.contains(word), "{detail}");
}

#[tokio::test]
async fn after_a_crash_the_log_leads_to_the_same_state() {
    // Goal: entries, values, members, names, passwords, life cycle, tokens, sessions, codes, families, factors and links that
    // are in the log alone are applied again to the same rows; without the log they are not there.
    let disk = Disk::default();
    let world = begun(&disk, roomy).await;
    let mut dice = Dice::new(11);
    for round in 0..500 {
        workload::step(&world, &mut dice, Some(&disk)).await;
        if round % 40 == 0 {
            let again = reopened(&disk);
            assert_eq!(state(&again), state(&world), "round {round}");
            again.verify();
        }
    }
    let (image, live) = (disk.bytes(), state(&world));
    assert!(live.0.0 > 150 && frames(&image).len() > 40, "{live:?}, {} frames", frames(&image).len());
    assert_eq!(state(&open(&image).unwrap()), live);
    assert!(open(&without_log(&image)).unwrap().directory.position().unwrap() < live.0);
    // Twice is once.
    let twice = Disk::of(image);
    drop(World::open_with(Backend::Other(twice.backend()), roomy).unwrap());
    assert_eq!(state(&reopened(&twice)), live);
    world.verify();
}

#[tokio::test]
async fn the_schema_of_the_time_holds() {
    // Goal: changes of a definition that the store knew are applied again, even when it is given no more.
    let given = |defines, text: &str| Given { defines, text: text.to_owned(), place: "here".to_owned() };
    let given = vec![
        given(
            Defines::AttributeType,
            "( 1.3.6.1.4.1.99999.1 NAME 'shoeSize' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )",
        ),
        given(Defines::ObjectClass, "( 1.3.6.1.4.1.99999.2 NAME 'walker' AUXILIARY MAY shoeSize )"),
    ];
    let disk = Disk::default();
    let world = begun(&disk, |options| {
        roomy(options);
        options.definitions = given;
    })
    .await;
    let dn = "uid=ada,dc=example,dc=com";
    let values =
        [("objectClass", "inetOrgPerson"), ("objectClass", "walker"), ("cn", "Ada"), ("sn", "L"), ("shoeSize", "36")];
    world.add(dn, &values).await.unwrap();
    let again = reopened(&disk);
    assert_eq!(state(&again), state(&world));
    again.verify();
}

#[tokio::test]
async fn a_torn_frame_is_the_end() {
    // Goal: whatever octet of the last frame is wrong, the store is as before it; and goes on from there.
    let (image, states) = units().await;
    let (at, last) = frames(&image).pop().unwrap();
    for octet in (at..at + HEADER + last.length).step_by(7).chain([at + HEADER + last.length - 1]) {
        let mut image = image.clone();
        image[octet] ^= 0x20;
        let disk = Disk::of(image);
        let world = World::open_with(Backend::Other(disk.backend()), roomy).unwrap();
        assert_eq!(state(&world), states[8], "octet {octet}");
        world.add("ou=other,dc=example,dc=com", &[("objectClass", "organizationalUnit")]).await.unwrap();
        assert_eq!(state(&reopened(&disk)), state(&world));
    }
}

#[tokio::test]
async fn an_acknowledged_frame_that_is_damaged_is_missed() {
    // Goal: a store whose log lacks what others follow is not opened; nobody takes a part for the whole.
    let (image, _) = units().await;
    for (at, frame) in &frames(&image)[..10] {
        let mut flipped = image.clone();
        flipped[at + HEADER + 3] ^= 1;
        refused(&flipped, "the log is damaged");
        let mut wiped = image.clone();
        wiped[*at..at + usize::try_from(frame.takes()).unwrap()].fill(0);
        refused(&wiped, "the log is damaged");
    }
}

#[tokio::test]
async fn what_does_not_follow_is_not_applied() {
    // Goal: frames of another key, as a stranger may have stored, are nothing; those of this store that do not follow the
    // tables are refused, and so is one for a change that another frame has; older ones are passed over.
    let (image, states) = units().await;
    let layout = Layout::read(&Disk::of(image.clone())).unwrap();
    let (at, last) = frames(&image).pop().unwrap();
    let end = at + usize::try_from(last.takes()).unwrap();
    let with = |octets: &[u8]| {
        let mut image = image.clone();
        image[end..end + octets.len()].copy_from_slice(octets);
        image
    };
    let head = |position: u64| Head { position: Position(position), hash: [7; 32] };
    let here = last.after.position.0;
    let mut made = Vec::new();
    for (key, from, word) in [
        ([9; 32], head(here), None),
        (layout.key, head(here), Some("does not follow")),
        (layout.key, head(here + 3), Some("does not follow")),
        (layout.key, head(here - 3), Some("twice")),
    ] {
        let to = Head { position: Position(from.position.0 + 1), ..from };
        frame::write(&mut made, &key, &from, &to, &[]).unwrap();
        match word {
            Some(word) => refused(&with(&made), word),
            None => assert_eq!(state(&open(&with(&made)).unwrap()), states[9]),
        }
    }
    // Once the tables hold all of it, every frame is an older one.
    let disk = Disk::of(image.clone());
    drop(World::open_with(Backend::Other(disk.backend()), roomy).unwrap());
    let held = disk.bytes();
    assert!(frames(&held).len() >= 10);
    assert_eq!(state(&open(&held).unwrap()), states[9]);
    // A frame that is sound, and leads elsewhere than it says.
    frame::write(&mut made, &layout.key, &last.after, &head(here + 1), &[]).unwrap();
    refused(&with(&made), "leads elsewhere");
}

#[tokio::test]
async fn changes_of_another_version_wait_for_it() {
    // Goal: tables of an older format are not brought up to date over a log that is not theirs any more.
    let (image, _) = units().await;
    let disk = Disk::of(image);
    {
        let txn = common::database(disk.clone()).begin_write().unwrap();
        txn.open_table(META).unwrap().insert(meta::FORMAT, 6_u32.to_le_bytes().as_slice()).unwrap();
        txn.commit().unwrap();
    }
    refused(&disk.bytes(), "another version");
}

#[tokio::test]
async fn what_has_no_room_goes_to_the_tables() {
    // Goal: a log that is full, or too small for a change, costs nothing but a checkpoint.
    let disk = Disk::default();
    let world = begun(&disk, |options| options.wal = Limits { frames: u32::MAX, octets: 4 * PAGE }).await;
    for number in 0..20 {
        let (dn, text) = (format!("ou={number},dc=example,dc=com"), "x".repeat(1 + number * 1_500));
        world.add(&dn, &[("objectClass", "organizationalUnit"), ("description", &text)]).await.unwrap_or_else(|_| {
            panic!("unit {number} was refused");
        });
        let again = reopened(&disk);
        assert_eq!(state(&again), state(&world), "unit {number}");
        again.verify();
    }
    assert!(frames(&disk.bytes()).len() < 5);
}

#[tokio::test]
async fn work_that_has_the_store_to_itself_finds_everything_in_the_tables() {
    // Goal: what was in the log before a trial is there after it and a crash; so is what follows.
    let disk = Disk::default();
    let world = begun(&disk, roomy).await;
    let unit = |name: &str| Change::Add {
        dn: format!("ou={name},dc=example,dc=com").into_bytes(),
        attributes: vec![(b"objectClass".to_vec(), vec![b"organizationalUnit".to_vec()])],
    };
    for name in ["one", "two"] {
        world.change(unit(name)).await.unwrap();
        let before = state(&world);
        let context = bootstrap::operator(&world.directory);
        let events = world.directory.rehearse(&context, unit("tried").into()).await.unwrap();
        assert!(!events.is_empty());
        assert_eq!((state(&world), state(&reopened(&disk))), (before, before), "{name}");
    }
    world.directory.stop();
    let closed = disk.bytes();
    assert_eq!(state(&open(&closed).unwrap()), state(&world));
}

#[tokio::test]
async fn after_a_frame_that_failed_nothing_is_made_durable() {
    // Goal: what the disk has lost by then nobody knows. No change, no import and no end of the program moves the tables, so
    // that the log is applied to what was surely there; readers stay where they were.
    for failing in [0, 1] {
        let disk = Disk::default();
        let world = begun(&disk, roomy).await;
        let unit = [("objectClass", "organizationalUnit")];
        world.add("ou=one,dc=example,dc=com", &unit).await.unwrap();
        let before = state(&world);
        disk.fail(Some(Fault { at: failing, lasts: false, kind: std::io::ErrorKind::Other }));
        let failed = world.add("ou=two,dc=example,dc=com", &unit).await;
        assert_eq!(failed.unwrap_err().reason, Reason::Store);
        disk.fail(None);
        assert_eq!(world.add("ou=three,dc=example,dc=com", &unit).await.unwrap_err().reason, Reason::Store);
        assert!(!world.directory.writes());
        let add = Change::Add { dn: b"ou=four,dc=example,dc=com".to_vec(), attributes: Vec::new() };
        let context = bootstrap::operator(&world.directory);
        assert!(world.directory.rehearse(&context, add.into()).await.is_err());
        let imported = imported(&world, "ou=five,dc=example,dc=com").await;
        assert_eq!(imported.unwrap_err().reason, Reason::Store);
        assert_eq!(state(&world), before);
        world.directory.stop();
        drop(world);
        let image = disk.bytes();
        assert_eq!(
            open(&without_log(&image)).unwrap().directory.position().unwrap(),
            Position(0),
            "operation {failing}"
        );
        let found = open(&image).unwrap();
        found.verify();
        // The frame whose sync failed is there, and in doubt; the one whose write failed is not.
        assert_eq!(found.directory.position().unwrap().0, before.0.0 + failing as u64);
    }
}

#[tokio::test]
async fn an_import_comes_after_what_the_log_holds() {
    // Goal: both are there after a crash, and so is what follows.
    let disk = Disk::default();
    let world = begun(&disk, roomy).await;
    let unit = [("objectClass", "organizationalUnit")];
    world.add("ou=one,dc=example,dc=com", &unit).await.unwrap();
    imported(&world, "ou=two,dc=example,dc=com").await.unwrap();
    assert_eq!(state(&reopened(&disk)), state(&world));
    assert_eq!(state(&open(&without_log(&disk.bytes())).unwrap()), state(&world));
    world.add("ou=three,dc=example,dc=com", &unit).await.unwrap();
    assert_eq!(state(&reopened(&disk)), state(&world));
    reopened(&disk).verify();
}

#[tokio::test]
async fn receipts_are_forgotten_whatever_makes_the_checkpoints() {
    // Goal: of a quiet store, whose only checkpoints are the clock's marks, and of a busy one, whose log is never due because
    // it is full first, only the receipts of the last ten minutes are kept, and those of 256 commits.
    let quiet = |options: &mut Options| options.wal = ROOMY;
    let busy = |options: &mut Options| options.wal = Limits { frames: u32::MAX, octets: 3 * PAGE };
    for marks in [true, false] {
        let disk = Disk::default();
        let world = if marks { begun(&disk, quiet).await } else { begun(&disk, busy).await };
        for number in 0..300 {
            world.clock.advance(Span::from_secs(60));
            let dn = format!("ou={number},dc=example,dc=com");
            world.add(&dn, &[("objectClass", "organizationalUnit")]).await.unwrap();
            if marks {
                let commits = world.directory.lane_figures().0;
                world.directory.store_mark();
                while world.directory.lane_figures().0 == commits {
                    tokio::task::yield_now().await;
                }
            }
            let snapshot = world.directory.snapshot().unwrap();
            let kept = snapshot.receipts().range(..).unwrap().count();
            assert!(kept <= 256 + 15, "{kept} receipts after {number} minutes");
        }
        assert_eq!(state(&reopened(&disk)), state(&world));
    }
}

#[tokio::test]
async fn every_commit_is_a_checkpoint_when_there_is_to_be_no_log() {
    let disk = Disk::default();
    let world = begun(&disk, |options| options.wal = Limits { frames: 0, octets: 0 }).await;
    world.person("ada", "dc=example,dc=com").await.unwrap();
    assert_eq!(Layout::read(&disk).unwrap().pages_at, PAGE);
    assert_eq!(state(&reopened(&disk)), state(&world));
}

#[test]
fn a_header_that_is_not_ours_is_no_store() {
    // Goal: whatever octet of the header is wrong, and whatever file it is, nothing is written to it.
    let disk = Disk::default();
    let random = directory::random::Random::from_seed(1);
    drop(Wal::open(disk.backend(), Limits::default(), &random).unwrap());
    let sound = disk.bytes();
    for octet in 0..84 {
        let mut image = sound.clone();
        image[octet] ^= 1;
        let disk = Disk::of(image);
        assert!(Wal::open(disk.backend(), Limits::default(), &random).is_err(), "octet {octet}");
        assert_eq!(disk.operations(), 0);
    }
    for other in [vec![0; 10], b"redb\x1a\x0a\xa9\x0d\x0a".repeat(20)] {
        assert!(Wal::open(Disk::of(other).backend(), Limits::default(), &random).is_err());
    }
}

#[tokio::test]
async fn a_store_that_is_cut_off_is_not_a_new_one() {
    // Goal: whatever is missing at its end, it is refused, and nothing is written to it.
    let (image, _) = units().await;
    let pages_at = usize::try_from(Layout::read(&Disk::of(image.clone())).unwrap().pages_at).unwrap();
    for length in [1, 50, 4_096, pages_at - 1, pages_at] {
        let disk = Disk::of(image[..length].to_vec());
        let opened = World::open_with(Backend::Other(disk.backend()), roomy);
        assert_eq!(opened.err().map(|refusal| refusal.reason), Some(Reason::Store), "{length} octets");
        assert_eq!((disk.operations(), disk.bytes().len()), (0, length));
    }
}

/// Write sets of every kind that the workload has, as this version writes them.
const KEPT: &[u8] = include_bytes!("log/write-sets.bin");
/// SHA-256 of what they say.
const SAID: &str = include_str!("log/write-sets.sha256");

#[tokio::test]
async fn the_form_of_write_sets_has_a_version() {
    // Goal: who changes a type that is in the log sees it here: then frame::VERSION rises, and ROLLBOOK_WRITE_LOG=1 makes the
    // two files anew.
    if std::env::var_os("ROLLBOOK_WRITE_LOG").is_some() {
        let disk = Disk::default();
        let world = begun(&disk, roomy).await;
        let mut dice = Dice::new(3);
        workload::granting::forget();
        for _ in 0..250 {
            workload::step(&world, &mut dice, None).await;
        }
        let image = disk.bytes();
        let sets: Vec<WriteSet> = frames(&image)
            .iter()
            .flat_map(|(at, frame)| frame::sets(&image[at + HEADER..at + HEADER + frame.length]).unwrap())
            .collect();
        std::fs::write("tests/log/write-sets.bin", postcard::to_extend(&sets, Vec::new()).unwrap()).unwrap();
        std::fs::write("tests/log/write-sets.sha256", said(&sets)).unwrap();
        return;
    }
    let sets = frame::sets(KEPT).unwrap_or_default();
    assert!(sets.len() > 100, "the form of write sets has changed: raise frame::VERSION");
    assert_eq!(said(&sets), SAID.trim(), "the form of write sets has changed: raise frame::VERSION");
    assert_eq!(frame::VERSION, 1, "and then make the files anew");
}

fn said(sets: &[WriteSet]) -> String {
    let digest = Sha256::digest(format!("{sets:?}"));
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

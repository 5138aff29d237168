//! Bulk import and export: the same rows as by ordinary changes, every refusal with its reason, all or nothing, and back.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "other test programs use the rest")]
mod common;

use common::World;
use directory::bootstrap;
use directory::change::{Change, Modification, ModificationKind, Target};
use directory::clock::Millis;
use directory::entry::record::Record;
use directory::error::{Reason, Refusal};
use directory::export::{self, Piece, Stopped};
use directory::handle::{Backend, Directory};
use directory::id::EntryId;
use directory::import::{Entry, Finding, FindingKind, Options, Place, Summary};
use directory::journal::local;
use directory::journal::record::Event;
use directory::lifecycle::State;
use directory::schema::known;
use directory::store::view::{Snapshot, View};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

const BASE: &str = "dc=example,dc=com";
const HASH: &str = "{SSHA}6HL2uk6/TdJw5zPHYqoCxXyXtLUUNQpU";

fn entry(line: u64, dn: &str, lines: &[(&str, &str)]) -> Entry {
    let mut entry = Entry::new(Place { file: 0, line }, dn.as_bytes());
    for (name, value) in lines {
        entry.push(name.as_bytes(), value.as_bytes());
    }
    entry
}

/// The values of each description together.
fn grouped(entry: &Entry) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let mut attributes: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
    for (name, value) in entry.values() {
        match attributes.iter_mut().find(|(n, _)| n == name) {
            Some((_, values)) => values.push(value.to_vec()),
            None => attributes.push((name.to_vec(), vec![value.to_vec()])),
        }
    }
    attributes
}

/// Imports on a thread where waiting is allowed.
async fn import(
    directory: &Directory,
    options: Options,
    entries: Vec<Entry>,
) -> (Result<Summary, Refusal>, Vec<Finding>) {
    let directory = directory.clone();
    let work = move || {
        let findings = Arc::new(Mutex::new(Vec::new()));
        let told = findings.clone();
        let tell = move |finding| told.lock().unwrap().push(finding);
        let mut import = directory.import(&bootstrap::operator(&directory), options, tell).unwrap();
        for entry in entries {
            if import.push(entry).is_err() {
                break;
            }
        }
        let summary = import.finish();
        let findings = std::mem::take(&mut *findings.lock().unwrap());
        (summary, findings)
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// An organisation in an awkward order: groups before their members, a branch before its top.
fn organisation(people: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |dn: &str, lines: &[(&str, &str)]| entries.push(entry(entries.len() as u64 + 1, dn, lines));
    let unit = |ou| [("objectClass", "organizationalUnit"), ("ou", ou)];
    add(&format!("ou=people,{BASE}"), &unit("people"));
    for group in 0..5 {
        let dn = format!("cn=g{group},ou=groups,{BASE}");
        let name = format!("g{group}");
        let members: Vec<String> =
            (0..people).filter(|p| p % (group + 1) == 0).map(|p| format!("uid=user{p}, ou=people,{BASE}")).collect();
        let mut lines = vec![("objectClass", "groupOfNames"), ("cn", name.as_str())];
        lines.extend(members.iter().map(|m| ("member", m.as_str())));
        let nested = format!("cn=g{},ou=groups,{BASE}", group + 1);
        if group < 4 {
            lines.push(("member", nested.as_str()));
        }
        add(&dn, &lines);
    }
    add(&format!("ou=teams,ou=branch,{BASE}"), &unit("teams"));
    add(&format!("uid=early,ou=teams,ou=branch,{BASE}"), &person("early", "Early Bird"));
    add(&format!("ou=branch,{BASE}"), &unit("branch"));
    for number in 0..people {
        let (uid, cn) = (format!("user{number}"), format!("Usér Number{} of {}", number, number % 7));
        let mail = format!("user{number}@example.com");
        let mut lines = person(&uid, &cn);
        lines.extend([("mail", mail.as_str()), ("userPassword", HASH), ("telephoneNumber", "+49 30 1234")]);
        lines.extend([
            ("description", "short"),
            ("description;lang-de", "kürzer"),
            ("manager", "uid=user0,ou=people,dc=example,dc=com"),
        ]);
        add(&format!("uid={uid},ou=people,{BASE}"), &lines);
    }
    add(
        &format!("cn=Unique+ou=x,ou=groups,{BASE}"),
        &[
            ("objectClass", "groupOfUniqueNames"),
            ("uniqueMember", "uid=user1,ou=people,dc=example,dc=com"),
            ("uniqueMember", "UID=USER2,ou=people,dc=example,dc=com"),
        ],
    );
    entries
}

fn person<'a>(uid: &'a str, cn: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![("objectClass", "top"), ("objectClass", "inetOrgPerson"), ("uid", uid), ("cn", cn), ("sn", cn)]
}

/// The same by ordinary changes, in the order in which an import gives ids: what waits for its parent comes last, and
/// members come when everybody is there.
async fn add_one_by_one(world: &World, entries: Vec<Entry>) {
    let mut members = Vec::new();
    let mut later = Vec::new();
    for entry in entries {
        let (edges, attributes): (Vec<_>, Vec<_>) =
            grouped(&entry).into_iter().partition(|(name, _)| name.to_ascii_lowercase().ends_with(b"member"));
        members.extend(edges.into_iter().map(|edge| (entry.dn().to_vec(), edge)));
        let change = |a: &Vec<(Vec<u8>, Vec<Vec<u8>>)>| Change::Add { dn: entry.dn().to_vec(), attributes: a.clone() };
        match world.change(change(&attributes)).await {
            Err(Refusal { reason: Reason::NoSuchEntry { .. }, .. }) => later.push(change(&attributes)),
            Err(Refusal { reason: Reason::EntryExists, .. }) => {}
            other => {
                other.unwrap();
            }
        }
    }
    later.reverse();
    later.sort_by_key(|c| if let Change::Add { dn, .. } = c { dn.len() } else { 0 });
    for change in later {
        world.change(change).await.unwrap();
    }
    for (dn, (attribute, mut values)) in members {
        values.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        for value in values {
            let modification =
                Modification { kind: ModificationKind::Add, attribute: attribute.clone(), values: vec![value] };
            let target = Target::Dn(dn.clone());
            world.change(Change::Modify { target, modifications: vec![modification] }).await.unwrap();
        }
    }
}

/// Every row of every table but journal, receipts and what names the moment or the random UUID.
fn rows(snapshot: &Snapshot) -> BTreeMap<&'static str, Vec<String>> {
    let mut tables = BTreeMap::new();
    let all = |list: Vec<String>| list;
    let entries = snapshot.entries().range::<u64>(..).unwrap().map(|item| {
        let (id, bytes) = item.unwrap();
        let mut draft = Record::parse(bytes.value()).unwrap().draft().unwrap();
        draft.header.uuid = uuid::Uuid::nil();
        draft.header.version = directory::id::Position(0);
        format!("{} {draft:?}", id.value())
    });
    tables.insert("entries", all(entries.collect()));
    let accounts = snapshot.accounts().range::<u64>(..).unwrap().map(|item| {
        let id = item.unwrap().0.value();
        let mut account = snapshot.account(EntryId(id)).unwrap().unwrap();
        account.imported_at = None;
        format!("{id} {account:?}")
    });
    tables.insert("accounts", all(accounts.collect()));
    let uuid = known::attribute::ENTRY_UUID.0.to_be_bytes();
    let index = snapshot.index().range::<&[u8]>(..).unwrap().map(|item| item.unwrap().0.value().to_vec());
    tables.insert("index", all(index.filter(|k| !k.starts_with(&uuid)).map(|k| format!("{k:?}")).collect()));
    macro_rules! plain {
        ($($name:ident: $key:ty),*) => {$(
            let rows = snapshot.$name().range::<$key>(..).unwrap().map(|item| {
                let (key, value) = item.unwrap();
                format!("{:?} {:?}", key.value(), value.value())
            });
            tables.insert(stringify!($name), all(rows.collect()));
        )*};
    }
    plain!(names: &[u8], children: (u64, u64), counts: u64, text: &[u8], members: (u64, u64), groups: (u64, u64));
    plain!(claims: &[u8], credentials: u64, graves: u64);
    tables
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_makes_the_rows_of_ordinary_changes() {
    // Goal: whatever is held in memory and by however many threads it is prepared, the tables are those of one add after
    // another; nothing but the containers of the naming context is found on the way.
    let ordinary = World::new().await;
    add_one_by_one(&ordinary, organisation(90)).await;
    ordinary.verify();
    let expected = rows(&ordinary.directory.snapshot().unwrap());
    for (memory, workers) in [(Options::default().memory, 2), (64 * 1024, 3), (64 * 1024, 1)] {
        let world = World::new().await;
        let options = Options { memory, workers, ..Options::default() };
        let (summary, findings) = import(&world.directory, options, organisation(90)).await;
        let summary = summary.unwrap();
        let kinds: Vec<_> = findings.iter().map(|f| (f.kind, f.dn.as_str())).collect();
        assert_eq!(kinds, [(FindingKind::AlreadyThere, "ou=people,dc=example,dc=com")]);
        assert_eq!((summary.entries, summary.refused, summary.already_there), (99, 0, 1));
        let found = rows(&world.directory.snapshot().unwrap());
        for (table, rows) in &expected {
            assert_eq!(found.get(table), Some(rows), "{table}, {memory} bytes");
        }
        world.verify();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_import_joins_the_first() {
    // Goal: rows between, before and after existing ones, and in the same chunk of ids, are as verify would make them; the
    // journal has one record for each import, and its chain holds.
    let world = World::new().await;
    let mut all = organisation(60);
    let second: Vec<Entry> =
        all.iter().filter(|e| e.place.line % 3 == 0 && e.dn().starts_with(b"uid=u")).cloned().collect();
    all.retain(|e| !(e.place.line % 3 == 0 && e.dn().starts_with(b"uid=u")) && e.dn().starts_with(b"uid=u"));
    for part in [all, second] {
        let count = part.len() as u64;
        let (summary, findings) = import(&world.directory, Options::default(), part).await;
        assert_eq!(summary.unwrap().entries, count, "{findings:?}");
        world.verify();
    }
    world.person("after", "ou=people,dc=example,dc=com").await.unwrap();
    world.verify();
    let mut imported = Vec::new();
    let snapshot = world.directory.snapshot().unwrap();
    local::read(snapshot.journal(), |_, record| {
        imported.extend(
            record
                .events
                .iter()
                .filter_map(|e| if let Event::Imported { entries } = e { Some(*entries) } else { None }),
        );
    })
    .unwrap();
    assert_eq!(imported, [40, 20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_reason() {
    // Goal: what an add would refuse is refused with its line and reason, and the rest is imported; the store is sound.
    let world = World::new().await;
    world.person("taken", "ou=people,dc=example,dc=com").await.unwrap();
    let people = |uid: &str| format!("uid={uid},ou=people,{BASE}");
    let groups = |cn: &str| format!("cn={cn},ou=groups,{BASE}");
    let uuid = "0f8b6c0e-3c5a-4d5e-9d7e-2f1c7a1b2c3d";
    let cases: Vec<(Entry, Option<(FindingKind, &str)>)> = vec![
        (entry(1, &people("good"), &person("good", "Good")), None),
        (entry(2, &people("good"), &person("good", "Good")), Some((FindingKind::Refused, "is there already"))),
        (entry(3, &people("taken"), &person("taken", "T")), Some((FindingKind::Refused, "is there already"))),
        (entry(4, "not a dn", &person("x", "X")), Some((FindingKind::Refused, "attribute type"))),
        (entry(5, "uid=x,dc=elsewhere", &person("x", "X")), Some((FindingKind::Refused, "no naming context"))),
        (
            entry(6, &people("orphan").replace("ou=p", "ou=none,ou=p"), &person("orphan", "O")),
            Some((FindingKind::Refused, "parent is not there")),
        ),
        (entry(7, &groups("taken"), &person("taken", "X")), Some((FindingKind::Refused, "username is taken"))),
        (entry(8, &people("Ⅻ bad"), &person("bad", "X")), Some((FindingKind::Refused, "username"))),
        (
            entry(9, &people("nosn"), &[("objectClass", "inetOrgPerson"), ("cn", "x")]),
            Some((FindingKind::Refused, "sn")),
        ),
        (
            entry(10, &people("what"), &[&person("what", "W")[..], &[("whatever", "1")]].concat()),
            Some((FindingKind::Refused, "not known")),
        ),
        (
            entry(11, &people("class"), &[&person("class", "W")[..], &[("objectClass", "noSuch")]].concat()),
            Some((FindingKind::Refused, "noSuch")),
        ),
        (
            entry(12, &people("twice"), &[&person("twice", "W")[..], &[("mail", "a@b.c"), ("mail", "a@b.c")]].concat()),
            Some((FindingKind::Refused, "twice")),
        ),
        (
            entry(13, &people("time"), &[&person("time", "W")[..], &[("createTimestamp", "now")]].concat()),
            Some((FindingKind::Refused, "createTimestamp")),
        ),
        (entry(14, &people("uuid1"), &[&person("uuid1", "W")[..], &[("entryUUID", uuid)]].concat()), None),
        (
            entry(15, &people("uuid2"), &[&person("uuid2", "W")[..], &[("entryUUID", uuid)]].concat()),
            Some((FindingKind::Refused, "entryUUID")),
        ),
        (
            entry(16, &people("hash"), &[&person("hash", "W")[..], &[("userPassword", "{SASL}x@Y")]].concat()),
            Some((FindingKind::LeftOut, "userPassword")),
        ),
        (
            entry(
                17,
                &groups("gone"),
                &[("objectClass", "groupOfNames"), ("cn", "gone"), ("member", "uid=nobody,dc=x")],
            ),
            Some((FindingKind::LeftOut, "uid=nobody")),
        ),
        (
            entry(18, &groups("self"), &[("objectClass", "groupOfNames"), ("cn", "self"), ("member", &groups("self"))]),
            Some((FindingKind::LeftOut, "cannot hold itself")),
        ),
        (
            entry(
                19,
                &groups("ring1"),
                &[("objectClass", "groupOfNames"), ("cn", "ring1"), ("member", &groups("ring2"))],
            ),
            None,
        ),
        (
            entry(
                20,
                &groups("ring2"),
                &[("objectClass", "groupOfNames"), ("cn", "ring2"), ("member", &groups("ring1"))],
            ),
            Some((FindingKind::LeftOut, "cannot hold itself")),
        ),
        (entry(21, &people("pair1"), &[&person("pair1", "W")[..], &[("mail", "Same@Example.com")]].concat()), None),
        (
            entry(22, &people("pair2"), &[&person("pair2", "W")[..], &[("mail", "same@example.com")]].concat()),
            Some((FindingKind::Refused, "e-mail address is taken")),
        ),
    ];
    let entries: Vec<Entry> = cases.iter().map(|(e, _)| e.clone()).collect();
    let (summary, findings) = import(&world.directory, Options::default(), entries).await;
    let summary = summary.unwrap();
    for (entry, expected) in &cases {
        let found: Vec<_> = findings.iter().filter(|f| f.place == entry.place).collect();
        match expected {
            None => assert!(found.is_empty(), "{found:?}"),
            Some((kind, reason)) => {
                assert_eq!(found.len(), 1, "line {}: {found:?}", entry.place.line);
                assert_eq!(found[0].kind, *kind, "{found:?}");
                assert!(found[0].reason.contains(reason), "{reason}: {found:?}");
            }
        }
    }
    let refused = cases.iter().filter(|(_, f)| matches!(f, Some((FindingKind::Refused, _)))).count() as u64;
    assert_eq!((summary.entries, summary.refused, summary.left_out), (22 - refused, refused, 4));
    world.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing_and_giving_up_leave_nothing() {
    // Goal: one refusal with `all_or_nothing`, and an import that is dropped, leave the store as it was.
    let world = World::new().await;
    let before = rows(&world.directory.snapshot().unwrap());
    let entries = vec![
        entry(1, &format!("uid=a,ou=people,{BASE}"), &person("a", "A")),
        entry(2, &format!("uid=b,ou=people,{BASE}"), &[("objectClass", "inetOrgPerson")]),
    ];
    let options = Options { all_or_nothing: true, ..Options::default() };
    let (summary, _) = import(&world.directory, options, entries.clone()).await;
    let summary = summary.unwrap();
    assert_eq!((summary.position, summary.entries, summary.refused), (None, 1, 1));
    assert_eq!(rows(&world.directory.snapshot().unwrap()), before);

    let directory = world.directory.clone();
    let given_up = move || {
        let context = bootstrap::operator(&directory);
        let mut import = directory.import(&context, Options::default(), |_| ()).unwrap();
        for entry in organisation(50) {
            import.push(entry).unwrap();
        }
    };
    tokio::task::spawn_blocking(given_up).await.unwrap();
    // An ordinary change waits until the lane is free.
    world.person("next", "ou=people,dc=example,dc=com").await.unwrap();
    world.delete("uid=next,ou=people,dc=example,dc=com", true).await.unwrap();
    assert_eq!(rows(&world.directory.snapshot().unwrap()), before);
    world.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn lenient_drops_what_is_unknown() {
    // Goal: unknown attributes and classes are dropped and counted, operational ones of other servers counted apart.
    let world = World::new().await;
    let mut lines = person("a", "A");
    lines.extend([
        ("shoeSize", "45"),
        ("shoeSize", "46"),
        ("objectClass", "feet"),
        ("entryCSN", "x"),
        ("memberOf", "cn=x"),
    ]);
    let entries = vec![entry(1, &format!("uid=a,ou=people,{BASE}"), &lines)];
    let options = Options { lenient: true, ..Options::default() };
    let (summary, findings) = import(&world.directory, options, entries).await;
    let summary = summary.unwrap();
    assert!(findings.is_empty(), "{findings:?}");
    let counts = |map: &BTreeMap<String, u64>| map.iter().map(|(k, v)| format!("{k} {v}")).collect::<Vec<_>>();
    assert_eq!(counts(&summary.dropped), ["objectClass: feet 1", "shoeSize 2"]);
    assert_eq!(counts(&summary.ignored), ["entryCSN 1", "memberOf 1"]);
    world.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn operational_attributes_are_kept() {
    // Goal: UUID, times, authors that come later, hashes and states of other servers are there after the import.
    let world = World::new().await;
    let dn = format!("uid=a,ou=people,{BASE}");
    let mut lines = person("a", "A");
    let uuid = "0f8b6c0e-3c5a-4d5e-9d7e-2f1c7a1b2c3d";
    let later = format!("uid=later,ou=people,{BASE}");
    lines.extend([("entryUUID", uuid), ("createTimestamp", "20200101000000Z"), ("modifyTimestamp", "20210101000000Z")]);
    lines.extend([("creatorsName", later.as_str()), ("modifiersName", "cn=Manager,dc=example,dc=com")]);
    lines.extend([("userPassword", "{SASL}x"), ("userPassword", HASH), ("pwdLastSuccess", "20260101000000Z")]);
    let mut locked = person("locked", "L");
    locked.extend([("pwdAccountLockedTime", "000001010000Z"), ("userPassword", "correct horse battery")]);
    let mut off = person("off", "O");
    off.extend([("nsAccountLock", "true"), ("nsUniqueId", "8f6a2c01-1dd211b2-80c5a3f1-2f0c0000")]);
    let mut deleted = person("deleted", "D");
    deleted.push(("rollbookState", "DELETED"));
    let at = |uid: &str| format!("uid={uid},ou=people,{BASE}");
    let entries = vec![
        entry(1, &dn, &lines),
        entry(2, &at("locked"), &locked),
        entry(3, &at("off"), &off),
        entry(4, &later, &person("later", "Later")),
        entry(5, &at("deleted"), &deleted),
        entry(6, &format!("cn=x,ou=people,{BASE}"), &person("deleted", "D")),
    ];
    let (summary, findings) = import(&world.directory, Options::default(), entries).await;
    assert_eq!(summary.unwrap().entries, 5, "{findings:?}");
    assert_eq!(findings.len(), 1, "the name of a deleted account stays taken: {findings:?}");
    world.verify();
    assert_eq!(world.state(&dn), State::Active);
    assert_eq!(world.state(&at("locked")), State::Locked);
    assert_eq!(world.state(&at("off")), State::Disabled);
    assert_eq!(world.state(&later), State::Unverified);
    let snapshot = world.directory.snapshot().unwrap();
    let guard = snapshot.record(world.id(&dn)).unwrap().unwrap();
    let header = Record::parse(guard.value()).unwrap().header();
    assert_eq!(header.uuid.to_string(), uuid);
    assert_eq!(header.created, Millis::from_generalized_time(b"20200101000000Z").unwrap());
    assert_eq!(header.modified, Millis::from_generalized_time(b"20210101000000Z").unwrap());
    assert_eq!((header.creator, header.modifier), (world.id(&later), EntryId::NONE));
    assert_eq!(snapshot.credential(world.id(&dn)).unwrap().unwrap().password.as_deref(), Some(HASH));
    let hashed = snapshot.credential(world.id(&at("locked"))).unwrap().unwrap().password.unwrap();
    assert!(hashed.starts_with("$argon2id$"), "{hashed}");
}

/// The export as lines.
/// A DN, and descriptions with values.
type Written = (String, Vec<(String, Vec<u8>)>);

fn exported(directory: &Directory, base: Option<&str>) -> Vec<Written> {
    let mut entries: Vec<Written> = Vec::new();
    let options = export::Options { base: base.map(str::as_bytes), operational: true, passwords: true };
    let take = |piece: Piece<'_>| -> Result<(), Infallible> {
        match piece {
            Piece::Entry(dn) => entries.push((dn.to_owned(), Vec::new())),
            Piece::Value(name, value) => {
                let lines = &mut entries.last_mut().unwrap().1;
                lines.push((String::from_utf8(name.to_vec()).unwrap(), value.to_vec()));
            }
            Piece::End => {}
        }
        Ok(())
    };
    match directory.export(options, take) {
        Ok(count) => assert_eq!(count, entries.len() as u64),
        Err(Stopped::Refused(refusal)) => panic!("{refusal:?}"),
        Err(Stopped::Taker(never)) => match never {},
    }
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_restores_the_directory() {
    // Goal: what is exported and imported into a store without naming contexts is exported again to the byte, roles and
    // administrators work, and states are what they were.
    let world = World::new().await;
    import(&world.directory, Options::default(), organisation(40)).await.0.unwrap();
    bootstrap::administrator(&world.directory, "uid=root,ou=system,dc=example,dc=com", "a long passphrase".into())
        .await
        .unwrap();
    let dn = "uid=user3,ou=people,dc=example,dc=com";
    world.set_password(dn, "another passphrase").await;
    world.login("uid=user4,ou=people,dc=example,dc=com", "wrong").await;
    world.act("uid=user5,ou=people,dc=example,dc=com", directory::change::Act::Disable).await.unwrap();
    world.act("uid=user6,ou=people,dc=example,dc=com", directory::change::Act::Lock).await.unwrap();
    world.directory.flush(true).await.unwrap();
    let first = exported(&world.directory, None);

    let mut options = directory::handle::Options::new(Backend::Memory).unwrap();
    options.clock = Box::new(world.clock.clone());
    let restored = Directory::open(options).unwrap();
    let to_entry = |(line, (dn, lines)): (u64, &Written)| {
        let lines: Vec<(&str, &str)> =
            lines.iter().map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap())).collect();
        entry(line, dn, &lines)
    };
    let entries = (1..).zip(&first).map(to_entry).collect();
    let (summary, findings) = import(&restored, Options::default(), entries).await;
    assert!(findings.is_empty(), "{findings:#?}");
    summary.unwrap();
    assert_eq!(exported(&restored, None), first);
    let again = World { directory: restored, clock: world.clock.clone() };
    again.verify();
    assert_eq!(again.state("uid=user5,ou=people,dc=example,dc=com"), State::Disabled);
    assert_eq!(again.state("uid=user6,ou=people,dc=example,dc=com"), State::Locked);
    assert_eq!(exported(&again.directory, Some(dn)).len(), 1);
    let root = again.id("uid=root,ou=system,dc=example,dc=com");
    let actor = directory::context::Actor::Account { id: root, epoch: 0, must_change_password: false };
    let snapshot = again.directory.snapshot().unwrap();
    assert!(again.directory.rights(&snapshot, actor).unwrap().sees_all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_file_needs_a_naming_context() {
    // Goal: a file without our roles cannot become a store's beginning; the refusal says what to do.
    let directory = Directory::open(directory::handle::Options::new(Backend::Memory).unwrap()).unwrap();
    let entries = vec![entry(1, BASE, &[("objectClass", "domain"), ("dc", "example")])];
    let (summary, _) = import(&directory, Options::default(), entries).await;
    let refusal = summary.unwrap_err();
    assert_eq!(refusal.reason, Reason::Unwilling);
    assert!(refusal.message.contains("rollbook init"), "{}", refusal.message);
    assert!(directory.suffixes().unwrap().is_empty());
}

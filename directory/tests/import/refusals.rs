//! What an import refuses: everything with its reason, and then nothing is left of it.

use crate::common::World;
use crate::rows::rows;
use crate::{BASE, entry, import, organisation, person};
use directory::bootstrap;
use directory::error::Reason;
use directory::handle::{Backend, Directory};
use directory::import::{Entry, FindingKind, Options};
use std::collections::BTreeMap;

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

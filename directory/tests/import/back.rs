//! An export that is imported again: to the byte, with states, roles and passwords.

use crate::common::World;
use crate::{BASE, HASH, entry, import, organisation, person};
use directory::clock::Millis;
use directory::entry::record::Record;
use directory::export::{Piece, Stopped};
use directory::handle::{Backend, Directory};
use directory::id::EntryId;
use directory::import::Options;
use directory::lifecycle::State;
use directory::store::view::View;
use directory::{bootstrap, export};
use std::convert::Infallible;

/// A DN, and descriptions with values.
type Written = (String, Vec<(String, Vec<u8>)>);

/// The export as lines.
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

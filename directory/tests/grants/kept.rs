//! How grants are kept: so many, through a restart, without a secret.

use crate::common::shared::Shared;
use crate::common::{World, database};
use crate::{ADA, PASSWORD, code, live, redeem, refresh, sign_in, terms, world};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use directory::clock::Span;
use directory::grant::{FAMILIES, FamilyTerms, SESSIONS, Why};
use directory::handle::Backend;
use directory::store::tables;
use redb::{ReadableTable, StorageBackend};
use sha2::Digest;

#[tokio::test]
async fn there_are_only_so_many() {
    // Goal: the bounds hold; what goes is the oldest session, and the tenth of the families that was used longest ago.
    let world = world().await;
    let (first, _) = sign_in(&world).await;
    world.clock.advance(Span::from_millis(5));
    let (second, live_one) = sign_in(&world).await;
    for _ in 0..SESSIONS - 1 {
        world.clock.advance(Span::from_millis(5));
        sign_in(&world).await;
    }
    assert!(live(&world, &first).is_none() && live(&world, &second).is_some());
    let kept = redeem(&world, &code(&world, &live_one), terms()).await.granted().unwrap();
    let mut kept = kept.refresh.unwrap();
    let mut others = Vec::new();
    for _ in 0..FAMILIES {
        let code = code(&world, &live_one);
        others.push(redeem(&world, &code, terms()).await.granted().unwrap().refresh.unwrap());
        world.clock.advance(Span::from_millis(5));
        kept = refresh(&world, kept.expose()).await.unwrap();
    }
    for gone in &others[..FAMILIES / 10] {
        assert_eq!(refresh(&world, gone.expose()).await, Err(Why::Unknown));
    }
    refresh(&world, others[FAMILIES / 10].expose()).await.unwrap();
    world.verify();
}

#[tokio::test]
async fn what_was_granted_survives_a_restart_and_tampering_is_found() {
    // Goal: the store alone makes them good; an edited row is found by the check.
    let shared = Shared::default();
    let world = World::open(Backend::Other(Box::new(shared.clone()))).unwrap();
    world.begin().await;
    world.person("ada", "ou=people,dc=example,dc=com").await.unwrap();
    world.set_password(ADA, PASSWORD).await;
    let (secret, live_one) = sign_in(&world).await;
    let offline = FamilyTerms { offline: true, ..terms() };
    let redeemed = redeem(&world, &code(&world, &live_one), offline).await.granted().unwrap();
    world.directory.stop();
    drop(world);

    let database = database(shared.clone());
    let txn = database.begin_write().unwrap();
    let id = redeemed.family.id.0;
    let owner = (redeemed.family.account.0, id);
    txn.open_table(tables::FAMILY_OWNERS).unwrap().remove(owner).unwrap();
    {
        let mut table = txn.open_table(tables::SESSIONS).unwrap();
        let mut row = table.get(live_one.session.id.0).unwrap().unwrap().value().to_vec();
        row.truncate(20);
        table.insert(live_one.session.id.0, row.as_slice()).unwrap();
    }
    txn.commit().unwrap();
    drop(database);

    let world = World::open(Backend::Other(Box::new(shared))).unwrap();
    assert!(world.directory.family(redeemed.family.id, &world.directory.now()).unwrap().is_some());
    assert!(world.directory.session(secret.expose(), &world.directory.now()).is_err());
    let snapshot = world.directory.snapshot().unwrap();
    let findings = directory::store::verify::verify(&snapshot, world.directory.schema()).unwrap();
    let tables: Vec<_> = findings.iter().map(|f| f.table).collect();
    for table in ["sessions", "family-owners"] {
        assert!(tables.contains(&table), "{findings:?}");
    }
}

#[tokio::test]
async fn the_stored_form_holds_no_secret() {
    // Goal: neither cookie nor code nor refresh token can be read out of the store's file.
    let shared = Shared::default();
    let world = World::open(Backend::Other(Box::new(shared.clone()))).unwrap();
    world.begin().await;
    world.person("ada", "ou=people,dc=example,dc=com").await.unwrap();
    world.set_password(ADA, PASSWORD).await;
    let (session, live_one) = sign_in(&world).await;
    let code = code(&world, &live_one);
    let refresh = redeem(&world, &code, terms()).await.granted().unwrap().refresh.unwrap();
    world.directory.stop();
    let mut bytes = vec![0; usize::try_from(shared.len().unwrap()).unwrap()];
    shared.read(0, &mut bytes).unwrap();
    for secret in [session.expose(), code.expose(), refresh.expose()] {
        let tail = &secret.as_bytes()[secret.len() - 40..];
        assert!(!bytes.windows(tail.len()).any(|window| window == tail));
        let raw = URL_SAFE_NO_PAD.decode(&secret[secret.len() - 40..]).unwrap();
        assert!(!bytes.windows(raw.len()).any(|window| window == raw));
    }
    let digest: [u8; 32] = sha2::Sha256::digest(session.expose().as_bytes()).into();
    assert!(bytes.windows(32).any(|window| window == digest), "the search would have found it");
}

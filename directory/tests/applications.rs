//! Applications, providers, and what is kept for them: client secrets, consents, signing keys, revocations.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

#[expect(dead_code, reason = "what the tests have in common is more than these need")]
mod common;

use common::World;
use common::shared::Shared;
use directory::application::{ClientAuthentication, GrantType, LinkPolicy, ProviderKind};
use directory::bootstrap;
use directory::change::{Act, ModificationKind};
use directory::clock::{Millis, Span};
use directory::context::{Actor, Context};
use directory::error::Reason;
use directory::grant::seal::Place;
use directory::grant::{Algorithm, FamilyTerms, KEY_AGE, KEY_LEAD, KEY_OVERLAP, NewFamily, SigningKey, signer};
use directory::handle::{Backend, Directory, Options};
use directory::id::EntryId;
use directory::store::tables;
use directory::store::view::View;
use redb::ReadableTableMetadata;

const APP: &str = "cn=wiki,ou=applications,dc=example,dc=com";
const ADA: &str = "uid=ada,ou=people,dc=example,dc=com";
const STAFF: &str = "cn=staff,ou=groups,dc=example,dc=com";

fn operator(world: &World) -> Context {
    bootstrap::operator(&world.directory)
}

async fn world() -> World {
    begun(World::new().await).await
}

async fn begun(world: World) -> World {
    world.person("ada", "ou=people,dc=example,dc=com").await.unwrap();
    let attributes = [
        ("objectClass", "rollbookApplication"),
        ("cn", "wiki"),
        ("rollbookClientId", "wiki-1"),
        ("rollbookRedirectUri", "https://wiki.example/cb"),
    ];
    world.add(APP, &attributes).await.unwrap();
    world
}

fn account(world: &World, dn: &str) -> Context {
    let id = world.id(dn);
    let epoch = world.directory.snapshot().unwrap().account(id).unwrap().unwrap().epoch;
    Context { actor: Actor::Account { id, epoch, must_change_password: false }, ..operator(world) }
}

#[tokio::test]
async fn an_application_is_what_its_entry_says() {
    // Goal: defaults are the safe ones, every word of the entry is read, nonsense makes it no application at all.
    let world = world().await;
    let found = world.directory.application("wiki-1").unwrap().unwrap();
    assert_eq!((found.id, found.name.as_str(), found.enabled), (world.id(APP), "wiki", true));
    assert_eq!(found.redirect_uris, ["https://wiki.example/cb"]);
    assert_eq!(found.grants, [GrantType::Code, GrantType::Refresh]);
    assert!(found.asks_consent && !found.is_public() && !found.may_use(GrantType::ClientCredentials));
    assert_eq!((found.authentication, found.algorithm), (ClientAuthentication::Basic, Algorithm::Rs256));
    assert!(world.directory.application("WIKI-1").unwrap().is_none(), "case matters");
    let set = [
        ("rollbookGrantType", "client_credentials"),
        ("rollbookClientAuthentication", "none"),
        ("rollbookTokenAlgorithm", "EdDSA"),
        ("rollbookAccessSeconds", "999999"),
        ("rollbookFirstParty", "TRUE"),
        ("rollbookEnabled", "FALSE"),
        ("displayName", "The wiki"),
        ("rollbookRequiredLevel", "mfa"),
    ];
    for (name, value) in set {
        world.modify(APP, ModificationKind::Replace, name, &[value]).await.unwrap();
    }
    let found = world.directory.application("wiki-1").unwrap().unwrap();
    assert_eq!(
        (found.grants.as_slice(), found.algorithm),
        ([GrantType::ClientCredentials].as_slice(), Algorithm::EdDsa)
    );
    assert!(found.is_public() && !found.asks_consent && !found.enabled && found.first_party);
    assert_eq!((found.access, found.name.as_str()), (Span::from_hours(1), "The wiki"));
    assert_eq!(found.required_acr.as_deref(), Some("mfa"));
    world.modify(APP, ModificationKind::Replace, "rollbookTokenAlgorithm", &["none"]).await.unwrap();
    assert!(world.directory.application("wiki-1").unwrap().is_none());
    world.modify(APP, ModificationKind::Delete, "rollbookTokenAlgorithm", &[]).await.unwrap();
    let twin = [("objectClass", "rollbookApplication"), ("cn", "twin"), ("rollbookClientId", "wiki-1")];
    let refused = world.add("cn=twin,ou=applications,dc=example,dc=com", &twin).await.unwrap_err();
    assert!(matches!(refused.reason, Reason::NameTaken { what: "client identifier", .. }), "{refused:?}");
    world.verify();
}

/// A store with an application, opened again after it was made one of an older format.
async fn older(format: u32, make_older: impl FnOnce(&redb::WriteTransaction)) -> World {
    let memory = Shared::default();
    let world = World::open(Backend::Other(Box::new(memory.clone()))).unwrap();
    world.begin().await;
    begun(world).await.directory.stop();
    {
        let database = common::database(memory.clone());
        let txn = database.begin_write().unwrap();
        txn.open_table(tables::META).unwrap().insert(tables::meta::FORMAT, format.to_le_bytes().as_slice()).unwrap();
        make_older(&txn);
        txn.commit().unwrap();
    }
    World::open(Backend::Other(Box::new(memory))).unwrap()
}

#[tokio::test]
async fn an_older_store_learns_whose_identifiers_are_whose() {
    // Goal: a store that was written before identifiers were claimed claims them when it is opened.
    let world = older(3, |txn| {
        assert!(txn.open_table(tables::CLAIMS).unwrap().remove(b"cwiki-1".as_slice()).unwrap().is_some());
    });
    let world = world.await;
    assert_eq!(world.directory.application("wiki-1").unwrap().unwrap().id, world.id(APP));
    world.verify();
}

#[tokio::test]
async fn an_older_store_forgets_its_codes() {
    // Goal: codes as they stood in the store before they were sealed are gone when it is opened, and nothing else is.
    let world = older(5, |txn| {
        let key = [[0, 0, 1, 0xa0, 0, 0, 0, 0].as_slice(), &[7; 32]].concat();
        txn.open_table(tables::CODES).unwrap().insert(key.as_slice(), b"another form".as_slice()).unwrap();
    });
    let world = world.await;
    assert!(world.directory.snapshot().unwrap().codes().unwrap().is_empty().unwrap());
    assert_eq!(world.directory.application("wiki-1").unwrap().unwrap().id, world.id(APP));
    world.verify();
}

#[tokio::test]
async fn a_client_identifier_is_one_applications() {
    // Goal: whoever comes first has the identifier, through whatever change; it is free when it is given up, and a
    // provider's own identifier there is none of ours.
    let world = world().await;
    let other = "cn=other,ou=applications,dc=example,dc=com";
    let attributes = [("objectClass", "rollbookApplication"), ("cn", "other"), ("rollbookClientId", "other-1")];
    world.add(other, &attributes).await.unwrap();
    let taken = world.modify(other, ModificationKind::Replace, "rollbookClientId", &["wiki-1"]).await.unwrap_err();
    assert!(matches!(taken.reason, Reason::NameTaken { what: "client identifier", .. }), "{taken:?}");
    assert_eq!(world.directory.application("other-1").unwrap().unwrap().id, world.id(other));
    let provider = [
        ("objectClass", "rollbookProvider"),
        ("cn", "there"),
        ("rollbookProviderKind", "google"),
        ("rollbookClientId", "wiki-1"),
    ];
    world.add("cn=there,ou=system,dc=example,dc=com", &provider).await.unwrap();
    world.modify(APP, ModificationKind::Replace, "rollbookClientId", &["wiki-2"]).await.unwrap();
    assert!(world.directory.application("wiki-1").unwrap().is_none());
    assert_eq!(world.directory.application("wiki-2").unwrap().unwrap().id, world.id(APP));
    world.modify(other, ModificationKind::Replace, "rollbookClientId", &["wiki-1"]).await.unwrap();
    world.delete(other, false).await.unwrap();
    assert!(world.directory.application("wiki-1").unwrap().is_none());
    world.modify(APP, ModificationKind::Replace, "rollbookClientId", &["wiki-1"]).await.unwrap();
    world.verify();
}

#[tokio::test]
async fn who_may_enter_is_of_the_tenant_and_in_a_group() {
    // Goal: another tenant's people stay out, and so does whoever is in none of the groups; nested ones count.
    let world = world().await;
    let tenant = [("objectClass", "organization"), ("objectClass", "rollbookTenant"), ("o", "acme")];
    world.add("o=acme,dc=example,dc=com", &tenant).await.unwrap();
    world
        .add("ou=people,o=acme,dc=example,dc=com", &[("objectClass", "organizationalUnit"), ("ou", "people")])
        .await
        .unwrap();
    world.person("eve", "ou=people,o=acme,dc=example,dc=com").await.unwrap();
    let own = [("objectClass", "rollbookApplication"), ("cn", "own"), ("rollbookClientId", "acme-1")];
    world.add("cn=own,o=acme,dc=example,dc=com", &own).await.unwrap();
    let (ada, eve) = (world.id(ADA), world.id("uid=eve,ou=people,o=acme,dc=example,dc=com"));
    let enters = |client: &str, account: EntryId| {
        let application = world.directory.application(client).unwrap().unwrap();
        world.directory.may_enter(&application, account).unwrap()
    };
    assert!(enters("wiki-1", ada) && enters("wiki-1", eve) && enters("acme-1", eve) && !enters("acme-1", ada));
    world.add(STAFF, &[("objectClass", "groupOfNames"), ("cn", "staff"), ("member", ADA)]).await.unwrap();
    let outer = "cn=outer,ou=groups,dc=example,dc=com";
    world.add(outer, &[("objectClass", "groupOfNames"), ("cn", "outer"), ("member", STAFF)]).await.unwrap();
    world.modify(APP, ModificationKind::Replace, "rollbookAllowedGroup", &[outer]).await.unwrap();
    assert!(enters("wiki-1", ada) && !enters("wiki-1", eve));
    world.delete(outer, false).await.unwrap();
    assert!(!enters("wiki-1", ada), "a group that is gone lets nobody in");
    world.verify();
}

#[tokio::test]
async fn client_secrets_are_shown_once_and_overlap() {
    // Goal: good until replaced and for the overlap after it; others' are not; gone with the application.
    let world = world().await;
    let (app, context) = (world.id(APP), operator(&world));
    let good = |secret: &str| world.directory.is_client_secret(app, secret, &world.directory.now()).unwrap();
    assert!(!good("") && !good("rba_"));
    let first = world.directory.make_client_secret(&context, app, Span::ZERO).await.unwrap();
    assert!(good(first.expose()) && !good(&first.expose().to_lowercase()) && !good(&format!("{} ", first.expose())));
    let second = world.directory.make_client_secret(&context, app, Span::from_hours(1)).await.unwrap();
    assert!(good(first.expose()) && good(second.expose()));
    world.clock.advance(Span::from_hours(1));
    assert!(!good(first.expose()) && good(second.expose()));
    let refused = world.directory.make_client_secret(&account(&world, ADA), app, Span::ZERO).await.unwrap_err();
    assert_eq!(refused.reason, Reason::NotAllowed);
    world.delete(APP, false).await.unwrap();
    assert!(!good(second.expose()));
    world.verify();
}

#[tokio::test]
async fn a_provider_keeps_its_secret_sealed() {
    // Goal: an entry says what a provider may; it is off until it is put in use; its secret opens here and nowhere else.
    let world = world().await;
    let dn = "cn=work,ou=system,dc=example,dc=com";
    let attributes = [
        ("objectClass", "rollbookProvider"),
        ("cn", "work"),
        ("rollbookProviderKind", "entra"),
        ("rollbookClientId", "wiki-1"),
        ("rollbookAllowedTenant", "11111111-2222-3333-4444-555555555555"),
        ("rollbookGroupMapping", "sales=cn=staff,ou=groups,dc=example,dc=com"),
    ];
    world.add(dn, &attributes).await.unwrap();
    let found = world.directory.provider("WORK").unwrap().unwrap();
    assert_eq!((found.kind, found.link_policy), (ProviderKind::Entra, LinkPolicy::Deny));
    assert!(!found.enabled && !found.just_in_time);
    assert_eq!(found.group_mapping, [("sales".to_owned(), STAFF.to_owned())]);
    assert!(world.directory.application("wiki-1").unwrap().is_some(), "our identifier there claims nothing here");
    world.directory.keep_secret(&operator(&world), found.id, &"from the portal".into()).await.unwrap();
    let kept = world.directory.kept_secret(found.id).unwrap().unwrap();
    assert_eq!(kept.expose(), b"from the portal");
    assert!(world.directory.kept_secret(world.id(APP)).unwrap().is_none());
    world.verify();
}

#[tokio::test]
async fn consent_is_given_once_and_taken_back_with_what_it_let_in() {
    // Goal: scopes add up; taking back ends the application's families; a deleted account leaves none behind.
    let world = world().await;
    let (ada, app, context) = (world.id(ADA), world.id(APP), operator(&world));
    let words = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    assert!(world.directory.consent(ada, app).unwrap().is_none());
    world.directory.give_consent(&context, ada, app, words(&["openid", "email"])).await.unwrap();
    let position = world.directory.position().unwrap();
    world.directory.give_consent(&context, ada, app, words(&["email"])).await.unwrap();
    assert_eq!(world.directory.position().unwrap(), position, "nothing new is nothing to write");
    world.directory.give_consent(&context, ada, app, words(&["phone"])).await.unwrap();
    let consent = world.directory.consent(ada, app).unwrap().unwrap();
    assert!(consent.covers(&words(&["openid", "phone"])) && !consent.covers(&words(&["address"])));
    let own = account(&world, ADA);
    let Actor::Account { epoch, .. } = own.actor else { return };
    let new = NewFamily {
        client: app,
        account: ada,
        epoch,
        session: None,
        scopes: words(&["openid"]),
        claims: None,
        auth_time: context.now.wall,
        acr: "pwd".into(),
        amr: words(&["pwd"]),
        terms: FamilyTerms {
            refresh: true,
            offline: true,
            idle: Span::from_days(1),
            life: Span::from_days(2),
            grace: Span::ZERO,
        },
    };
    let (_, family) = world.directory.issue_family(&context, new).await.unwrap();
    assert_eq!(world.directory.consents_of(&own, ada).unwrap().len(), 1);
    assert_eq!(world.directory.families_of(&own, ada).unwrap().len(), 1);
    world.directory.withdraw_consent(&own, ada, app).await.unwrap();
    assert!(world.directory.consent(ada, app).unwrap().is_none());
    assert!(world.directory.family(family.id, &world.directory.now()).unwrap().is_none());
    world.directory.give_consent(&context, ada, app, words(&["openid"])).await.unwrap();
    world.act(ADA, Act::Delete { months: None }).await.unwrap();
    assert!(world.directory.consent(ada, app).unwrap().is_none());
    world.verify();
}

#[tokio::test]
async fn revoked_tokens_and_used_assertions_are_remembered_until_they_expire() {
    // Goal: revoked is revoked; a name is good once, also for two at the same time; the flush forgets what has expired.
    let world = world().await;
    let context = operator(&world);
    let until = context.now.wall.saturating_add(Span::from_mins(5));
    assert!(!world.directory.is_access_revoked("a").unwrap());
    world.directory.revoke_access(&context, "a", until).await.unwrap();
    assert!(world.directory.is_access_revoked("a").unwrap() && !world.directory.is_access_revoked("b").unwrap());
    let (one, two) = tokio::join!(
        world.directory.use_once(&context, "client/jti", until),
        world.directory.use_once(&context, "client/jti", until)
    );
    assert!(one.unwrap() != two.unwrap());
    assert!(world.directory.use_once(&context, "client/other", until).await.unwrap());
    world.directory.flush(false).await.unwrap();
    assert!(world.directory.is_access_revoked("a").unwrap());
    world.clock.advance(Span::from_mins(5));
    world.directory.flush(false).await.unwrap();
    assert!(!world.directory.is_access_revoked("a").unwrap());
    world.verify();
}

fn signing(world: &World, algorithm: Algorithm) -> SigningKey {
    let now = world.directory.now().wall;
    signer(&world.directory.signing_keys().unwrap(), algorithm, now).expect("one signs").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_made_rolled_and_retired() {
    // Goal: a successor is published a day before it signs, the former two days after; an emergency is at once.
    let world = world().await;
    assert!(world.directory.signing_keys().unwrap().is_empty());
    world.directory.turn_keys().await.unwrap();
    let position = world.directory.position().unwrap();
    world.directory.turn_keys().await.unwrap();
    assert_eq!(world.directory.position().unwrap(), position, "nothing to do");
    let first = signing(&world, Algorithm::Es256);
    assert_eq!(world.directory.signing_keys().unwrap().len(), 3);
    assert!(std::sync::Arc::ptr_eq(&world.directory.signing_keys().unwrap(), &world.directory.signing_keys().unwrap()));

    world.clock.advance(Span::from_millis(KEY_AGE.millis() - KEY_LEAD.millis()));
    world.directory.turn_keys().await.unwrap();
    assert_eq!(world.directory.signing_keys().unwrap().len(), 6, "published");
    assert_eq!(signing(&world, Algorithm::Es256).kid, first.kid, "and not yet signing");
    world.clock.advance(KEY_LEAD);
    let second = signing(&world, Algorithm::Es256);
    assert_ne!(second.kid, first.kid);
    world.clock.advance(KEY_OVERLAP);
    world.directory.turn_keys().await.unwrap();
    let left = world.directory.signing_keys().unwrap();
    assert!(left.len() == 3 && left.iter().all(|key| key.kid != first.kid));

    assert_eq!(world.directory.roll_keys(&account(&world, ADA), true).await.unwrap_err().reason, Reason::NotAllowed);
    world.clock.advance(Span::from_millis(1));
    world.directory.roll_keys(&operator(&world), true).await.unwrap();
    let left = world.directory.signing_keys().unwrap();
    assert!(left.len() == 3 && left.iter().all(|key| key.kid != second.kid), "{left:?}");
    assert_ne!(signing(&world, Algorithm::Es256).kid, second.kid);
    world.verify();
}

#[tokio::test]
async fn a_store_whose_seal_key_is_lost_serves_all_but_its_secrets() {
    // Goal: the directory opens, nothing new is sealed over the old, and the refusal says why.
    let folder = tempfile::tempdir().unwrap();
    let open = |seal: Option<Place>| {
        let mut options = Options::new(Backend::File(folder.path().join("store.redb"))).unwrap();
        options.clock = Box::new(directory::clock::ManualClock::at(Millis(1_790_000_000_000)));
        options.seal = seal;
        Directory::open(options).unwrap()
    };
    let directory = open(None);
    let handle = directory.clone();
    tokio::task::spawn_blocking(move || bootstrap::suffix(&handle, "dc=example,dc=com")).await.unwrap().unwrap();
    let attributes = [("objectClass", "rollbookProvider"), ("cn", "g"), ("rollbookProviderKind", "google")];
    let attributes = attributes.map(|(n, v)| (n.as_bytes().to_vec(), vec![v.as_bytes().to_vec()])).to_vec();
    let dn = b"cn=g,ou=system,dc=example,dc=com".to_vec();
    let change = directory::change::Change::Add { dn, attributes };
    directory.change(&bootstrap::operator(&directory), change).await.unwrap();
    let provider = directory.provider("g").unwrap().unwrap().id;
    directory.keep_secret(&bootstrap::operator(&directory), provider, &"x".into()).await.unwrap();
    directory.stop();
    drop(directory);
    let key = folder.path().join(directory::grant::seal::FILE);
    std::fs::rename(&key, folder.path().join("elsewhere")).unwrap();
    for seal in [None, Some(Place::Given([3; 32]))] {
        let directory = open(seal);
        let refused = directory.kept_secret(provider).unwrap_err();
        assert_eq!(refused.reason, Reason::Unwilling);
        let context = bootstrap::operator(&directory);
        assert_eq!(directory.keep_secret(&context, provider, &"y".into()).await.unwrap_err().reason, Reason::Unwilling);
        assert!(!key.exists());
        directory.stop();
    }
    let directory = open(Some(Place::File(folder.path().join("elsewhere"))));
    assert_eq!(directory.kept_secret(provider).unwrap().unwrap().expose(), b"x");
}

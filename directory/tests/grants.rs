//! Sessions, codes and refresh families: proven, used once where once is all, ended with their account, told of.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops at the first surprise"
)]

#[expect(dead_code, reason = "what the tests have in common is more than these need")]
mod common;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::World;
use common::shared::Shared;
use directory::authenticate::Verdict;
use directory::bootstrap;
use directory::change::{Act, Change, Target};
use directory::clock::Span;
use directory::context::{Actor, Context};
use directory::error::Reason;
use directory::grant::{
    Answer, Cause, Ended, FAMILIES, FamilyTerms, LiveSession, NewCode, NewSession, Redeemed, Redemption, SESSIONS,
    What, Why,
};
use directory::handle::Backend;
use directory::id::EntryId;
use directory::lifecycle::State;
use directory::store::tables;
use directory::token::Secret;
use redb::{ReadableTable, StorageBackend};
use sha2::Digest;
use std::sync::{Arc, Mutex};

const ADA: &str = "uid=ada,ou=people,dc=example,dc=com";
const PASSWORD: &str = "seven green bottles on a wall";
const REDIRECT: &str = "https://app.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const APP: EntryId = EntryId(4);
const HOUR: Span = Span::from_hours(1);
const DAY: Span = Span::from_days(1);

fn operator(world: &World) -> Context {
    bootstrap::operator(&world.directory)
}

fn terms() -> FamilyTerms {
    FamilyTerms { refresh: true, offline: false, idle: DAY, life: Span::from_days(30), grace: Span::ZERO }
}

async fn world() -> World {
    let world = World::new().await;
    world.person("ada", "ou=people,dc=example,dc=com").await.unwrap();
    world.set_password(ADA, PASSWORD).await;
    world
}

async fn sign_in(world: &World) -> (Secret, LiveSession) {
    let Verdict::Admitted(admitted) = world.login(ADA, PASSWORD).await else { panic!("the login is good") };
    let new = NewSession {
        account: admitted.account,
        epoch: admitted.epoch,
        auth_time: world.directory.now().wall,
        amr: vec!["pwd".into()],
        acr: "pwd".into(),
        upstream: None,
        agent: "Firefox".into(),
        idle: HOUR,
        life: DAY,
    };
    let (secret, _) = world.directory.start_session(&operator(world), new).await.unwrap();
    let live = live(world, &secret).unwrap();
    (secret, live)
}

fn live(world: &World, secret: &Secret) -> Option<LiveSession> {
    world.directory.session(secret.expose(), &world.directory.now()).unwrap()
}

async fn code(world: &World, live: &LiveSession) -> Secret {
    let new = NewCode {
        client: APP,
        redirect_uri: REDIRECT.into(),
        challenge: CHALLENGE.into(),
        nonce: Some("n".into()),
        scopes: vec!["openid".into(), "email".into(), "offline_access".into()],
        claims: None,
    };
    world.directory.issue_code(&operator(world), live, new).await.unwrap()
}

async fn redeem(world: &World, code: &Secret, terms: FamilyTerms) -> Answer<Redeemed> {
    let shown = Redemption { code: code.expose(), client: APP, redirect_uri: REDIRECT, verifier: VERIFIER };
    world.directory.redeem_code(&operator(world), shown, terms).await.unwrap()
}

async fn granted(world: &World, terms: FamilyTerms) -> (LiveSession, Redeemed) {
    let (_, live) = sign_in(world).await;
    let code = code(world, &live).await;
    (live, redeem(world, &code, terms).await.granted().unwrap())
}

async fn refresh(world: &World, token: &str) -> Result<Secret, Why> {
    match world.directory.rotate(&operator(world), token, APP, None).await.unwrap() {
        Answer::Granted(rotated) => Ok(rotated.refresh),
        Answer::Refused(why) => Err(why),
    }
}

/// What has ended since the call.
fn listen(world: &World) -> Arc<Mutex<Vec<Ended>>> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let to = heard.clone();
    world.directory.on_ended(move |ended| to.lock().unwrap().push(ended.clone()));
    heard
}

#[tokio::test]
async fn a_session_lives_until_it_is_idle_old_or_signed_out() {
    // Goal: known by its secret alone; use keeps it from idling, nothing from growing old; signing out ends it at once.
    let world = world().await;
    let (secret, first) = sign_in(&world).await;
    let text = secret.expose();
    let wrong = format!("{}{}", &text[..text.len() - 1], if text.ends_with('A') { 'B' } else { 'A' });
    for other in [wrong.as_str(), "", "rbw_", "rbw_bbbbbbbbbbbb_x"] {
        assert!(world.directory.session(other, &world.directory.now()).unwrap().is_none(), "{other}");
    }
    let position = world.directory.position().unwrap();
    for _ in 0..25 {
        world.clock.advance(Span::from_mins(50));
        assert!(live(&world, &secret).is_some());
    }
    assert_eq!(world.directory.position().unwrap(), position, "looking at a session writes nothing");
    world.directory.flush(false).await.unwrap();
    assert_eq!(world.directory.position().unwrap().0, position.0 + 1, "but its last use, now and then");
    world.directory.flush(false).await.unwrap();
    assert_eq!(world.directory.position().unwrap().0, position.0 + 1);

    world.clock.advance(HOUR);
    assert!(live(&world, &secret).is_none(), "an hour without use");
    let (secret, second) = sign_in(&world).await;
    assert_ne!(first.session.id, second.session.id);
    for _ in 0..30 {
        world.clock.advance(Span::from_mins(50));
        let _ = live(&world, &secret);
    }
    assert!(live(&world, &secret).is_none(), "a day old");
    let (secret, third) = sign_in(&world).await;
    let heard = listen(&world);
    let own = Context { actor: third.actor, ..operator(&world) };
    world.directory.end_session(&own, third.session.id, Cause::SignedOut).await.unwrap();
    world.directory.end_session(&own, third.session.id, Cause::SignedOut).await.unwrap();
    assert!(live(&world, &secret).is_none());
    assert_eq!(heard.lock().unwrap().len(), 1);
    world.directory.sweep().await.unwrap();
    assert!(world.directory.sessions_of(&operator(&world), first.session.account).unwrap().is_empty());
    assert_eq!(heard.lock().unwrap().iter().filter(|e| e.cause == Cause::Expired).count(), 2);
    world.verify();
}

#[tokio::test]
async fn renewing_changes_the_secret_and_keeps_the_session() {
    // Goal: after a step-up the old cookie is worth nothing, the id and the applications stay.
    let world = world().await;
    let (old, live_one) = sign_in(&world).await;
    code(&world, &live_one).await;
    let stale = live_one.clone();
    let new = NewSession {
        account: live_one.session.account,
        epoch: live_one.session.epoch,
        auth_time: world.directory.now().wall,
        amr: vec!["pwd".into(), "otp".into()],
        acr: "mfa".into(),
        upstream: None,
        agent: String::new(),
        idle: HOUR,
        life: DAY,
    };
    let (secret, _) = world.directory.renew_session(&operator(&world), &live_one, new.clone()).await.unwrap();
    assert!(live(&world, &old).is_none());
    let renewed = live(&world, &secret).unwrap();
    assert_eq!((renewed.session.id, renewed.session.acr.as_str()), (live_one.session.id, "mfa"));
    assert_eq!(renewed.session.clients, [APP]);
    let refused = world.directory.renew_session(&operator(&world), &stale, new).await.unwrap_err();
    assert!(matches!(refused.reason, Reason::NoSuchEntry { .. }));
    world.verify();
}

#[tokio::test]
async fn a_code_is_good_once_and_its_second_use_ends_what_the_first_granted() {
    // Goal: bound to client, redirect URI and verifier; one use; a repetition ends the family (RFC 6749 §10.5).
    let world = world().await;
    let (_, live) = sign_in(&world).await;
    let secret = code(&world, &live).await;
    let good = Redemption { code: secret.expose(), client: APP, redirect_uri: REDIRECT, verifier: VERIFIER };
    let rows = [
        (Redemption { client: EntryId(5), ..good }, Why::OtherClient),
        (Redemption { redirect_uri: "https://app.example/callback/", ..good }, Why::OtherRedirect),
        (Redemption { verifier: CHALLENGE, ..good }, Why::Verifier),
        (Redemption { verifier: "", ..good }, Why::Verifier),
        (Redemption { code: "rbc_", ..good }, Why::Unknown),
    ];
    for (shown, why) in rows {
        let answer = world.directory.redeem_code(&operator(&world), shown, terms()).await.unwrap();
        assert_eq!(answer.refused(), Some(why));
    }
    let redeemed = redeem(&world, &secret, terms()).await.granted().unwrap();
    assert_eq!(redeemed.code.nonce.as_deref(), Some("n"));
    assert!(world.directory.family(redeemed.family.id, &world.directory.now()).unwrap().is_some());
    world.clock.advance(Span::from_secs(30));
    let heard = listen(&world);
    assert_eq!(redeem(&world, &secret, terms()).await.refused(), Some(Why::Reused));
    assert!(world.directory.family(redeemed.family.id, &world.directory.now()).unwrap().is_none());
    assert_eq!(refresh(&world, redeemed.refresh.unwrap().expose()).await, Err(Why::Unknown));
    let ended = heard.lock().unwrap().clone();
    assert!(matches!(&ended[..], [Ended { cause: Cause::Reused, what: What::Family { client: APP, .. }, .. }]));

    let late = code(&world, &live).await;
    world.clock.advance(Span::from_secs(60));
    assert_eq!(redeem(&world, &late, terms()).await.refused(), Some(Why::Expired));
    world.clock.advance(HOUR);
    world.directory.sweep().await.unwrap();
    assert_eq!(redeem(&world, &late, terms()).await.refused(), Some(Why::Unknown), "the sweep forgets codes");
    world.verify();
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_an_old_one_ends_the_family() {
    // Goal: each token gives the next; the one before the present ends all; scopes never grow; another client gets none.
    let world = world().await;
    let (_, redeemed) = granted(&world, terms()).await;
    let first = redeemed.refresh.unwrap();
    let other = world.directory.rotate(&operator(&world), first.expose(), EntryId(5), None).await.unwrap();
    assert_eq!(other.refused(), Some(Why::OtherClient));
    let wide = ["openid".to_owned(), "admin".to_owned()];
    let grown = world.directory.rotate(&operator(&world), first.expose(), APP, Some(&wide)).await.unwrap();
    assert_eq!(grown.refused(), Some(Why::Scope));
    let narrow = world.directory.rotate(&operator(&world), first.expose(), APP, Some(&wide[..1])).await.unwrap();
    let narrow = narrow.granted().unwrap();
    assert_eq!((narrow.scopes.len(), narrow.family.scopes.len(), narrow.family.generation), (1, 3, 1));
    let third = refresh(&world, narrow.refresh.expose()).await.unwrap();
    // One that nobody was ever given ends nothing.
    let mut bytes = URL_SAFE_NO_PAD.decode(&third.expose()[17..]).unwrap();
    bytes[0] ^= 1;
    let forged = format!("{}{}", &third.expose()[..17], URL_SAFE_NO_PAD.encode(&bytes));
    assert_eq!(refresh(&world, &forged).await, Err(Why::Unknown));
    let third = refresh(&world, third.expose()).await.unwrap();
    assert_eq!(refresh(&world, first.expose()).await, Err(Why::Reused));
    assert_eq!(refresh(&world, third.expose()).await, Err(Why::Unknown));
    world.verify();
}

#[tokio::test]
async fn a_lost_answer_is_forgiven_where_the_terms_say_so() {
    // Goal: within the grace the token before the present one is good, and the lost one is then an old one.
    let world = world().await;
    let (_, redeemed) = granted(&world, FamilyTerms { grace: Span::from_secs(10), ..terms() }).await;
    let first = redeemed.refresh.unwrap();
    let lost = refresh(&world, first.expose()).await.unwrap();
    world.clock.advance(Span::from_secs(5));
    let present = refresh(&world, first.expose()).await.unwrap();
    let next = refresh(&world, present.expose()).await.unwrap();
    assert_eq!(refresh(&world, lost.expose()).await, Err(Why::Reused));
    assert_eq!(refresh(&world, next.expose()).await, Err(Why::Unknown));

    let (_, redeemed) = granted(&world, FamilyTerms { grace: Span::from_secs(10), ..terms() }).await;
    let first = redeemed.refresh.unwrap();
    refresh(&world, first.expose()).await.unwrap();
    world.clock.advance(Span::from_secs(10));
    assert_eq!(refresh(&world, first.expose()).await, Err(Why::Reused));
    world.verify();
}

#[tokio::test]
async fn families_end_idle_old_or_with_the_session_they_are_bound_to() {
    // Goal: idle and greatest age; a bound family ends with its session, an offline one does not.
    let world = world().await;
    let offline = FamilyTerms { offline: true, ..terms() };
    let (_, redeemed) = granted(&world, offline).await;
    let token = redeemed.refresh.unwrap();
    let mut token = token;
    for _ in 0..30 {
        world.clock.advance(Span::from_hours(23));
        token = refresh(&world, token.expose()).await.unwrap();
    }
    world.clock.advance(DAY);
    assert_eq!(refresh(&world, token.expose()).await, Err(Why::Expired), "a day without use");

    let (live_one, bound) = granted(&world, terms()).await;
    let code = code(&world, &live_one).await;
    let free = redeem(&world, &code, offline).await.granted().unwrap();
    let own = Context { actor: live_one.actor, ..operator(&world) };
    world.directory.end_session(&own, live_one.session.id, Cause::SignedOut).await.unwrap();
    assert_eq!(refresh(&world, bound.refresh.unwrap().expose()).await, Err(Why::Unknown));
    refresh(&world, free.refresh.unwrap().expose()).await.unwrap();
    world.directory.sweep().await.unwrap();
    world.verify();
}

#[tokio::test]
async fn what_ends_logins_ends_grants_and_a_lock_does_not() {
    // Goal: requirements 2.4 and 2.6 at sessions, codes, refresh tokens, with every application told.
    for act in [Act::Disable, Act::Active(false), Act::Delete { months: None }, Act::SignOut] {
        let name = act.name();
        let world = world().await;
        let (live_one, redeemed) = granted(&world, FamilyTerms { offline: true, ..terms() }).await;
        let pending = code(&world, &live_one).await;
        let heard = listen(&world);
        world.act(ADA, act).await.unwrap();
        let now = world.directory.now();
        assert!(world.directory.live_session(live_one.session.id, &now).unwrap().is_none(), "{name}");
        assert!(world.directory.family(redeemed.family.id, &now).unwrap().is_none(), "{name}");
        assert!(refresh(&world, redeemed.refresh.unwrap().expose()).await.is_err(), "{name}");
        assert_eq!(redeem(&world, &pending, terms()).await.refused(), Some(Why::Account), "{name}");
        let ended = heard.lock().unwrap().clone();
        assert_eq!(ended.len(), 2, "{name}");
        assert!(ended.iter().all(|e| e.cause == Cause::Account && !e.uuid.is_nil()), "{name}");
        let clients = ended.iter().find_map(|e| match &e.what {
            What::Session { clients, .. } => Some(clients.clone()),
            What::Family { .. } => None,
        });
        assert_eq!(clients, Some(vec![APP]), "{name}");
        world.verify();
    }

    let world = world().await;
    let (live_one, redeemed) = granted(&world, terms()).await;
    world.act(ADA, Act::Lock).await.unwrap();
    assert_eq!(world.state(ADA), State::Locked);
    assert!(world.directory.live_session(live_one.session.id, &world.directory.now()).unwrap().unwrap().locked);
    let token = refresh(&world, redeemed.refresh.unwrap().expose()).await.unwrap();
    assert!(!matches!(world.login(ADA, PASSWORD).await, Verdict::Admitted(_)));
    // Requirement 2.8: unlocking sets a password, and a password ends what was granted before it.
    world.act(ADA, Act::Unlock { password: Some("another eight bottles here".into()) }).await.unwrap();
    assert_eq!(refresh(&world, token.expose()).await, Err(Why::Unknown));
    world.verify();
}

#[tokio::test]
async fn another_password_ends_grants_by_whomever_it_is_set() {
    // Goal: the owner's change and an administrator's both end what the former password has granted.
    let world = world().await;
    let (secret, live_one) = sign_in(&world).await;
    world.clock.advance(Span::from_days(2));
    let (secret_two, live_two) = sign_in(&world).await;
    let own = Context { actor: live_two.actor, ..operator(&world) };
    let target = Target::Id(live_one.session.account);
    let next = Some("nine blue kettles on a stove".into());
    let change = Change::Password { target, old: Some(PASSWORD.into()), new: next };
    world.directory.change(&own, change).await.unwrap();
    assert!(live(&world, &secret).is_none() && live(&world, &secret_two).is_none());
    world.verify();
}

#[tokio::test]
async fn dormancy_ends_grants_and_a_refresh_keeps_from_it() {
    // Goal: requirement 2.11: a refresh is activity; without any, the account is dormant and its grants are void at once.
    let world = world().await;
    let long = FamilyTerms { offline: true, idle: Span::from_days(399), life: Span::from_days(399), ..terms() };
    let (_, redeemed) = granted(&world, long).await;
    let mut token = redeemed.refresh.unwrap();
    for _ in 0..6 {
        world.clock.advance(Span::from_days(30));
        token = refresh(&world, token.expose()).await.unwrap();
    }
    assert_eq!(world.state(ADA), State::Active);
    world.clock.advance(Span::from_days(190));
    assert_eq!(world.state(ADA), State::Dormant);
    assert_eq!(refresh(&world, token.expose()).await, Err(Why::Account));
    world.directory.sweep().await.unwrap();
    world.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_redeems_and_one_refreshes() {
    // Goal: the journal's order decides: one success, and the repetition of the others ends what it got.
    let world = Arc::new(world().await);
    let (_, live_one) = sign_in(&world).await;
    let secret = code(&world, &live_one).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (world, secret) = (world.clone(), secret.clone());
        tasks.spawn(async move { redeem(&world, &secret, terms()).await });
    }
    let answers = tasks.join_all().await;
    let good: Vec<_> = answers.iter().cloned().filter_map(Answer::granted).collect();
    assert_eq!(good.len(), 1);
    assert!(answers.iter().filter_map(Answer::refused).all(|why| why == Why::Reused));
    assert!(world.directory.family(good[0].family.id, &world.directory.now()).unwrap().is_none());

    let (_, redeemed) = granted(&world, terms()).await;
    let token = redeemed.refresh.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (world, token) = (world.clone(), token.clone());
        tasks.spawn(async move { refresh(&world, token.expose()).await });
    }
    let answers = tasks.join_all().await;
    let good: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert_eq!(good.len(), 1);
    assert!(refresh(&world, good[0].expose()).await.is_err(), "the repetition has ended the family");
    world.verify();
}

#[tokio::test]
async fn there_are_only_so_many() {
    // Goal: the bounds hold; what goes is the oldest session, and the family that was used longest ago.
    let world = world().await;
    let (first, _) = sign_in(&world).await;
    let (second, live_one) = sign_in(&world).await;
    for _ in 0..SESSIONS - 1 {
        world.clock.advance(Span::from_millis(5));
        sign_in(&world).await;
    }
    assert!(live(&world, &first).is_none() && live(&world, &second).is_some());
    let kept = redeem(&world, &code(&world, &live_one).await, terms()).await.granted().unwrap();
    let mut kept = kept.refresh.unwrap();
    let mut others = Vec::new();
    for _ in 0..FAMILIES {
        let code = code(&world, &live_one).await;
        others.push(redeem(&world, &code, terms()).await.granted().unwrap().refresh.unwrap());
        world.clock.advance(Span::from_millis(5));
        kept = refresh(&world, kept.expose()).await.unwrap();
    }
    assert_eq!(refresh(&world, others[0].expose()).await, Err(Why::Unknown));
    refresh(&world, others[1].expose()).await.unwrap();
    world.verify();
}

#[tokio::test]
async fn only_its_owner_and_administrators_see_and_end_a_session() {
    // Goal: another account learns nothing, not even whether there is a session; itself and administrators end all.
    let world = world().await;
    world.person("bob", "ou=people,dc=example,dc=com").await.unwrap();
    world.set_password("uid=bob,ou=people,dc=example,dc=com", PASSWORD).await;
    let (_, live_one) = sign_in(&world).await;
    let (_, live_two) = sign_in(&world).await;
    let account = live_one.session.account;
    let bob =
        Actor::Account { id: world.id("uid=bob,ou=people,dc=example,dc=com"), epoch: 1, must_change_password: false };
    let bob = Context { actor: bob, ..operator(&world) };
    assert_eq!(world.directory.sessions_of(&bob, account).unwrap_err().reason, Reason::NotAllowed);
    let refused = world.directory.end_session(&bob, live_one.session.id, Cause::Revoked).await.unwrap_err();
    assert!(matches!(refused.reason, Reason::NoSuchEntry { .. }));
    assert_eq!(world.directory.end_sessions(&bob, account, None).await.unwrap_err().reason, Reason::NotAllowed);
    let own = Context { actor: live_one.actor, ..operator(&world) };
    let ids: Vec<_> = world.directory.sessions_of(&own, account).unwrap().iter().map(|s| s.id).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(world.directory.end_sessions(&own, account, Some(live_one.session.id)).await.unwrap(), 1);
    assert!(world.directory.live_session(live_two.session.id, &world.directory.now()).unwrap().is_none());
    assert_eq!(world.directory.end_sessions(&operator(&world), account, None).await.unwrap(), 1);
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
    let redeemed = redeem(&world, &code(&world, &live_one).await, offline).await.granted().unwrap();
    world.directory.stop();
    drop(world);

    let database = redb::Builder::new().create_with_backend(shared.clone()).unwrap();
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
    let code = code(&world, &live_one).await;
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

#[tokio::test]
async fn who_is_to_be_told_is_written_with_the_end() {
    // Goal: the write set that ends a session holds whom to tell of it, once each and only those with an address; the rows are there
    // after a crash, and go when they have been told.
    let shared = Shared::default();
    let world = World::open(Backend::Other(Box::new(shared.clone()))).unwrap();
    world.begin().await;
    world.person("ada", "ou=people,dc=example,dc=com").await.unwrap();
    world.set_password(ADA, PASSWORD).await;
    let app = async |name: &str, more: &[(&str, &str)]| {
        let dn = format!("cn={name},ou=applications,dc=example,dc=com");
        let mut attributes = vec![("objectClass", "rollbookApplication"), ("cn", name), ("rollbookClientId", name)];
        attributes.push(("rollbookRedirectUri", REDIRECT));
        attributes.extend(more);
        world.add(&dn, &attributes).await.unwrap();
        world.id(&dn)
    };
    let orders = app("orders", &[("rollbookBackChannelLogoutUri", "https://app.example/told")]).await;
    let silent = app("silent", &[]).await;
    let (_, live) = sign_in(&world).await;
    for client in [orders, silent] {
        let new = NewCode {
            client,
            redirect_uri: REDIRECT.into(),
            challenge: CHALLENGE.into(),
            nonce: None,
            scopes: vec!["openid".into(), "offline_access".into()],
            claims: None,
        };
        let code = world.directory.issue_code(&operator(&world), &live, new).await.unwrap();
        let shown = Redemption { code: code.expose(), client, redirect_uri: REDIRECT, verifier: VERIFIER };
        let terms = FamilyTerms { offline: true, ..terms() };
        assert!(world.directory.redeem_code(&operator(&world), shown, terms).await.unwrap().granted().is_some());
    }
    assert!(world.directory.notices(None, 10).unwrap().is_empty());
    // The session and its family end in one write set.
    world.act(ADA, Act::Disable).await.unwrap();
    let crashed = shared.crashed();
    drop(world);

    let world = World::open(Backend::Other(Box::new(crashed))).unwrap();
    let notices = world.directory.notices(None, 10).unwrap();
    assert_eq!(
        notices.iter().map(|notice| (notice.client, notice.session)).collect::<Vec<_>>(),
        [(orders, Some(live.session.id))]
    );
    assert_eq!(world.directory.notices(Some(notices[0].id), 10).unwrap(), []);
    world.directory.told(world.directory.now(), vec![notices[0].id]).await.unwrap();
    assert_eq!(world.directory.notices(None, 10).unwrap(), []);
    world.verify();
}

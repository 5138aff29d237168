//! What ends logins ends what they granted: acts, passwords, dormancy, and who is told of it; a lock does not.

use crate::common::World;
use crate::common::shared::Shared;
use crate::{
    ADA, APP, CHALLENGE, PASSWORD, REDIRECT, VERIFIER, code, granted, listen, live, operator, redeem, refresh, sign_in,
    terms, world,
};
use directory::authenticate::Verdict;
use directory::change::{Act, Change, Target};
use directory::clock::Span;
use directory::context::Context;
use directory::grant::{Cause, FamilyTerms, NewCode, Redemption, What, Why};
use directory::handle::Backend;
use directory::lifecycle::State;

#[tokio::test]
async fn what_ends_logins_ends_grants_and_a_lock_does_not() {
    // Goal: requirements 2.4 and 2.6 at sessions, codes, refresh tokens, with every application told.
    for act in [Act::Disable, Act::Active(false), Act::Delete { months: None }, Act::SignOut] {
        let name = act.name();
        let world = world().await;
        let (live_one, redeemed) = granted(&world, FamilyTerms { offline: true, ..terms() }).await;
        let pending = code(&world, &live_one);
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
        let code = world.directory.issue_code(&world.directory.now(), &live, new).unwrap();
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

//! Sessions: how long they live, their secret, whose business they are.

use crate::{APP, DAY, HOUR, PASSWORD, code, listen, live, operator, redeem, sign_in, terms, world};
use directory::clock::Span;
use directory::context::{Actor, Context};
use directory::error::Reason;
use directory::grant::{Cause, NewSession};

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
    redeem(&world, &code(&world, &live_one), terms()).await.granted().unwrap();
    let live_one = live(&world, &old).unwrap();
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

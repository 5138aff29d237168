//! Codes and refresh tokens: used once, by whom they were given to, and what a second use ends.

use crate::{
    APP, CHALLENGE, DAY, HOUR, REDIRECT, VERIFIER, code, granted, listen, live, operator, redeem, refresh, sign_in,
    terms, world,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use directory::clock::Span;
use directory::context::Context;
use directory::error::Reason;
use directory::grant::seal::SealKey;
use directory::grant::{Answer, Cause, Ended, FamilyTerms, NewCode, Redemption, What, Why};
use directory::id::EntryId;
use directory::random::Random;
use std::sync::Arc;

#[tokio::test]
async fn a_code_is_good_once_and_its_second_use_ends_what_the_first_granted() {
    // Goal: bound to client, redirect URI and verifier; one use; a repetition ends the family (RFC 6749 §10.5).
    let world = world().await;
    let (_, live) = sign_in(&world).await;
    let secret = code(&world, &live);
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

    let late = code(&world, &live);
    world.clock.advance(Span::from_secs(60));
    assert_eq!(redeem(&world, &late, terms()).await.refused(), Some(Why::Expired));
    world.clock.advance(HOUR);
    world.directory.sweep().await.unwrap();
    assert_eq!(redeem(&world, &late, terms()).await.refused(), Some(Why::Unknown), "the sweep forgets codes");
    world.verify();
}

#[tokio::test]
async fn a_code_holds_what_it_grants_and_only_this_store_makes_one() {
    // Goal: to issue a code writes nothing and shows nothing; no other text is one, nor is another store's; the session
    // remembers the application when the code is redeemed; what is too much for an address is refused.
    let world = world().await;
    let (cookie, live_one) = sign_in(&world).await;
    let position = || world.directory.snapshot().unwrap().position();
    let before = position();
    let secret = code(&world, &live_one);
    assert_eq!(position(), before);
    assert_ne!(secret.expose(), code(&world, &live_one).expose());
    let text = secret.expose().to_owned();
    assert!((200..400).contains(&text.len()), "{}", text.len());
    let sealed = URL_SAFE_NO_PAD.decode(&text[4..]).unwrap();
    for plain in [REDIRECT, CHALLENGE, "openid"] {
        assert!(!sealed.windows(plain.len()).any(|part| part == plain.as_bytes()));
    }
    let redeemed = async |text: &str| {
        let shown = Redemption { code: text, client: APP, redirect_uri: REDIRECT, verifier: VERIFIER };
        world.directory.redeem_code(&operator(&world), shown, terms()).await.unwrap()
    };
    for at in 0..sealed.len() {
        let mut other = sealed.clone();
        other[at] ^= 0x10;
        assert_eq!(
            redeemed(&format!("rbc_{}", URL_SAFE_NO_PAD.encode(&other))).await.refused(),
            Some(Why::Unknown),
            "{at}"
        );
        let cut = format!("rbc_{}", URL_SAFE_NO_PAD.encode(&sealed[..at]));
        assert_eq!(redeemed(&cut).await.refused(), Some(Why::Unknown), "{at}");
    }
    for text in [format!("{text}="), format!("{text}A"), format!(" {text}"), text.to_lowercase(), "A".repeat(9_000)] {
        assert_eq!(redeemed(&text).await.refused(), Some(Why::Unknown), "{text}");
    }
    let others = SealKey::of(&[9; 32]).unwrap().seal(&Random::from_seed(9), "authorization code", &[0; 200]).unwrap();
    let others = format!("rbc_{}", URL_SAFE_NO_PAD.encode(others));
    assert_eq!(redeemed(&others).await.refused(), Some(Why::Unknown));
    assert_eq!(position(), before);

    assert!(live(&world, &cookie).unwrap().session.clients.is_empty());
    assert!(redeemed(&text).await.granted().is_some());
    assert_eq!(live(&world, &cookie).unwrap().session.clients, [APP]);

    let long = |claims: usize| NewCode {
        client: APP,
        redirect_uri: REDIRECT.into(),
        challenge: CHALLENGE.into(),
        nonce: Some("n".repeat(2_000)),
        scopes: vec!["openid".into()],
        claims: Some("c".repeat(claims)),
    };
    let now = world.directory.now();
    let fits = world.directory.issue_code(&now, &live_one, long(2_000)).unwrap();
    assert!(redeemed(fits.expose()).await.granted().is_some());
    let refused = world.directory.issue_code(&now, &live_one, long(3_000)).unwrap_err();
    assert_eq!(refused.reason, Reason::Constraint);
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
    let code = code(&world, &live_one);
    let free = redeem(&world, &code, offline).await.granted().unwrap();
    let own = Context { actor: live_one.actor, ..operator(&world) };
    world.directory.end_session(&own, live_one.session.id, Cause::SignedOut).await.unwrap();
    assert_eq!(refresh(&world, bound.refresh.unwrap().expose()).await, Err(Why::Unknown));
    refresh(&world, free.refresh.unwrap().expose()).await.unwrap();
    world.directory.sweep().await.unwrap();
    world.verify();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_redeems_and_one_refreshes() {
    // Goal: the journal's order decides: one success, and the repetition of the others ends what it got.
    let world = Arc::new(world().await);
    let (_, live_one) = sign_in(&world).await;
    let secret = code(&world, &live_one);
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

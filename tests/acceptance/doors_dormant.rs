//! Dormant at every door, with one message (requirements 2.5, 2.9).

use crate::holding::{Holding, is_signed_in, refusal};
use directory::clock::Span;
use directory::lifecycle::{Period, PolicyOverlay, State};
use testkit::{Browser, PASSWORD, Setup, WRONG};

#[tokio::test]
async fn r2_05_a_dormant_account_is_refused_at_every_door() {
    // Goal: a session in daily use and a refresh token that is good for a year keep nobody awake by being there; when the
    // period is over, bind, page, session and refresh token are refused, each as it refuses a stranger, before any sweep.
    let policy = PolicyOverlay { dormancy_months: Some(Period::After(1)), ..PolicyOverlay::default() };
    let long = [("web.session_idle", "30d".to_owned()), ("web.session_life", "90d".to_owned())];
    let setup = Setup { settings: long.into(), ..Setup::with(policy) };
    let server = setup.provider().start().await;
    let year = [("rollbookRefreshIdleSeconds", "31536000"), ("rollbookRefreshSeconds", "31536000")];
    let person = server.active("ada").await;
    let mut holding = Holding::of(&server, server.relying_party("orders", &year).await, &person).await;
    for _ in 0..29 {
        server.pass(Span::from_days(1));
        assert!(is_signed_in(&mut holding.browser).await);
    }
    server.active("wilma").await;
    assert_eq!(server.state(&person), State::Active);
    server.pass(Span::from_days(2));
    assert_eq!(server.state(&person), State::Dormant);

    let mut stranger = Browser::open(&server).await;
    for browser in [&mut holding.browser, &mut stranger] {
        browser.visit("/sessions").await;
        assert_eq!((browser.page.status.as_u16(), browser.heading().as_str()), (200, "Sign in"));
    }
    let refreshing = holding.refreshing().await;
    let nonsense = holding.party.refresh("never-was").await;
    assert_eq!(refreshing, (nonsense.status.as_u16(), nonsense.text().to_owned()));
    assert_eq!(refreshing.0, 400);
    let bind = server.bind(&person.dn, PASSWORD).await;
    let unknown = server.bind("uid=nobody,ou=people,dc=example,dc=com", PASSWORD).await;
    assert!(bind.is_generic_failure());
    assert_eq!((bind.code, bind.message, bind.octets), (unknown.code, unknown.message, unknown.octets));
    let page = refusal(&server, "ada", PASSWORD).await;
    for (uid, password) in [("wilma", WRONG), ("nobody", PASSWORD)] {
        assert_eq!(page, refusal(&server, uid, password).await, "{uid}");
    }
    assert_eq!(server.last_refusal(Some(&person)).await.unwrap(), "the account is DORMANT");
    assert!(server.stored(&person).unwrap().dormant_at.is_some(), "found, and stored");
    server.verify().await;
}

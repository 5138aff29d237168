//! One lock for all doors, which ends nothing that was granted (requirement 2.4).

use crate::holding::{Good, Holding, refusal, signs_in};
use directory::clock::Span;
use directory::lifecycle::State;
use testkit::{Browser, PASSWORD, Server, Setup, WRONG};

#[tokio::test]
async fn r2_04_failures_at_ldap_and_at_the_page_count_together() {
    // Goal: five failures are let pass wherever they happen, the sixth locks for every door, and no door says so.
    let server = Setup::default().provider().start().await;
    server.active("wilma").await;
    let usual = refusal(&server, "wilma", WRONG).await;
    for (at, last_at_page) in [false, true].into_iter().enumerate() {
        let person = server.active(&format!("ada{at}")).await;
        server.fail(&person, 3).await;
        assert_eq!(refusal(&server, &person.uid, WRONG).await, usual);
        assert_eq!(refusal(&server, &person.mail, WRONG).await, usual, "by the other name as well");
        assert_eq!(server.state(&person), State::Active, "five are let pass");
        if last_at_page {
            refusal(&server, &person.uid, WRONG).await;
        } else {
            server.fail(&person, 1).await;
        }
        assert_eq!(server.state(&person), State::Locked);
        assert_eq!(refusal(&server, &person.uid, PASSWORD).await, usual, "the right password is told nothing else");
        assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure());
        assert_eq!(server.last_refusal(Some(&person)).await.unwrap(), "the account is LOCKED");
        server.pass(Span::from_mins(15));
        assert!(signs_in(&server, &person.uid, PASSWORD).await, "the lock lifts itself at the page, too");
        server.fail(&person, 5).await;
        assert_eq!(server.state(&person), State::Active, "and the good sign-in has begun the row again");
    }
    server.verify().await;
}

#[tokio::test]
async fn r2_04_a_lock_ends_nothing_at_any_door() {
    // Goal: session, tokens and connection go on, the session even signs in to another application; nobody new gets in.
    let server = Setup::default().provider().start().await;
    let person = server.active("ada").await;
    let mut holding = Holding::of(&server, server.relying_party("orders", &[]).await, &person).await;
    server.fail(&person, 6).await;
    assert_eq!(server.state(&person), State::Locked);
    assert_eq!(holding.good().await, Good::ALL);
    assert_eq!(holding.good().await, Good::ALL, "again, with the tokens of the refresh");
    let other = server.relying_party("wiki", &[]).await;
    holding.browser.visit(&other.authorize("openid")).await;
    assert!(holding.browser.told("code").is_some(), "it is signed in already");

    assert!(server.bind(&person.dn, PASSWORD).await.is_generic_failure());
    let mut another = Browser::open(&server).await;
    another.visit(&other.authorize("openid")).await;
    another.sign_in(&person.uid, PASSWORD).await;
    assert_eq!((another.heading().as_str(), another.told("code")), ("Sign in to wiki", None));
    server.verify().await;
}

#[tokio::test]
async fn r2_04_a_lock_stops_a_login_that_is_half_done() {
    // Goal: between the password and the change of it the account is locked: the change is taken, and the session is not given.
    let server = Server::start().await;
    let person = server.active("ada").await;
    server.act(&person, directory::change::Act::ForceChange).await.unwrap();
    let mut browser = Browser::open(&server).await;
    browser.sign_in(&person.uid, PASSWORD).await;
    assert_eq!(browser.heading(), "Choose a new password");
    server.fail(&person, 6).await;
    assert_eq!(server.state(&person), State::Locked);
    let new = testkit::NEW_PASSWORD;
    browser.submit("/sign-in/password", &[("new", new), ("again", new)]).await;
    browser.follow().await;
    assert!(!signs_in(&server, &person.uid, new).await && !signs_in(&server, &person.uid, PASSWORD).await);
    assert_eq!(server.state(&person), State::Locked);
    server.verify().await;
}

//! Signing in and out by password.

use axum::http::StatusCode;
use directory::change::Act;
use directory::lifecycle::State;
use testkit::{Browser, NEW_PASSWORD, PASSWORD, Server, WRONG};

/// Goal: a person signs in, sees the own session, signs out, and the session is over on the server, not only in the browser.
#[tokio::test]
async fn in_and_out() {
    let server = Server::start().await;
    let person = server.active("amelie").await;
    let mut browser = Browser::open(&server).await;
    browser.visit("/sessions").await;
    assert_eq!(browser.heading(), "Sign in");
    browser.sign_in("amelie", PASSWORD).await;
    assert_eq!(browser.heading(), "Where you are signed in");
    assert!(browser.page.text().contains("Signed in as amelie"), "{}", browser.page.text());
    let secret = browser.cookies.clone();
    browser.submit("/sign-out", &[]).await;
    assert_eq!(browser.heading(), "You are signed out");
    assert!(!browser.cookies.contains_key("__Host-rollbook"));
    browser.cookies = secret;
    browser.visit("/sessions").await;
    assert_eq!(browser.heading(), "Sign in");
    assert_eq!(server.state(&person), State::Active);
    server.verify().await;
}

/// Goal: whoever is refused for whatever reason gets the same page, octet by octet, with the same status (requirement 2.9).
#[tokio::test]
async fn one_answer_for_every_refusal() {
    let server = Server::start().await;
    let mut pages = Vec::new();
    for state in [State::Locked, State::Disabled, State::Deleted, State::Dormant] {
        let uid = format!("p{}", state.name().to_ascii_lowercase());
        let person = server.person(&uid).await;
        server.put(&person, state).await;
        pages.push((uid, PASSWORD));
    }
    server.active("wilma").await;
    pages.push(("wilma".to_owned(), WRONG));
    pages.push(("nobody".to_owned(), PASSWORD));
    pages.push(("nobody@example.com".to_owned(), PASSWORD));
    let mut seen = Vec::new();
    for (uid, password) in pages {
        let mut browser = Browser::open(&server).await;
        browser.visit("/sign-in").await;
        browser.sign_in(&uid, password).await;
        assert_eq!(browser.page.status, StatusCode::FORBIDDEN, "{uid}");
        assert_eq!(browser.heading(), "Sign in", "{uid}");
        let token: Vec<_> = ["/sign-in", "/look"].map(|action| browser.hidden(action)[0].1.clone()).into();
        let page = browser.page.text();
        assert!(page.contains(&format!("value=\"{uid}\"")), "the username is kept");
        assert!(!page.contains(PASSWORD) && !page.contains(WRONG), "the password is not");
        seen.push(token.iter().fold(page.replace(&uid, "NAME"), |page, token| page.replace(token, "TOKEN")));
        assert!(!browser.cookies.contains_key("__Host-rollbook"));
    }
    for page in &seen {
        assert_eq!(page, &seen[0]);
    }
    server.verify().await;
}

/// Goal: who must change the password does so before anything else, by the rules, and is ACTIVE only after the sign-in that
/// follows (requirements 2.8, 2.10).
#[tokio::test]
async fn forced_change() {
    let server = Server::start().await;
    let person = server.active("bruno").await;
    server.act(&person, Act::ForceChange).await.unwrap();
    let mut browser = Browser::open(&server).await;
    browser.visit("/sessions").await;
    browser.sign_in("bruno", PASSWORD).await;
    assert_eq!(browser.heading(), "Choose a new password");
    assert!(!browser.cookies.contains_key("__Host-rollbook"));
    for (new, again, says) in [
        ("", "", "Enter a new password"),
        (NEW_PASSWORD, "another one", "not the same"),
        ("bruno bruno bruno", "bruno bruno bruno", "too easy"),
        ("short", "short", "too short"),
        (PASSWORD, PASSWORD, "used before"),
    ] {
        browser.submit("/sign-in/password", &[("new", new), ("again", again)]).await;
        assert_eq!(browser.page.status, StatusCode::UNPROCESSABLE_ENTITY, "{new}");
        assert!(browser.page.text().contains(says), "{new}: {}", browser.page.text());
    }
    browser.submit("/sign-in/password", &[("new", NEW_PASSWORD), ("again", NEW_PASSWORD)]).await;
    browser.follow().await;
    assert!(browser.page.text().contains("has been changed"));
    assert!(browser.page.text().contains("value=\"bruno\""));
    browser.sign_in("bruno", NEW_PASSWORD).await;
    assert_eq!(browser.heading(), "Where you are signed in");
    assert_eq!(server.state(&person), State::Active);
    server.verify().await;
}

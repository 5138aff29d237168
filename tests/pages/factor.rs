//! The second factor: demanded, set up on the way in, asked for, counted; recovery codes.

use aws_lc_rs::hmac;
use axum::http::StatusCode;
use directory::clock::Span;
use directory::lifecycle::State;
use testkit::{Browser, Kind, NEW_PASSWORD, PASSWORD, Person, Server};

/// The key that the page shows, as an authenticator app keeps it.
pub fn key(browser: &Browser) -> Vec<u8> {
    let page = browser.page.text();
    let text = page.split("id=\"key\" data-text=\"").nth(1).unwrap_or_else(|| panic!("no key: {page}"));
    let text = text.split('"').next().unwrap();
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bits, mut held, mut out) = (0_u32, 0_u32, Vec::new());
    for letter in text.bytes() {
        let value = letters.iter().position(|known| *known == letter).unwrap();
        bits = (bits << 5) | u32::try_from(value).unwrap();
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).unwrap());
        }
    }
    out
}

/// The code of this moment (RFC 6238).
pub fn code(server: &Server, key: &[u8]) -> String {
    let step = server.directory.now().wall.0 / 30_000;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let mac = hmac::sign(&key, &step.to_be_bytes());
    let from = usize::from(mac.as_ref()[19] & 15);
    let four: [u8; 4] = mac.as_ref()[from..from + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

fn codes(browser: &Browser) -> Vec<String> {
    let page = browser.page.text();
    let list = page.split("data-text=\"").nth(1).unwrap().split('"').next().unwrap();
    list.lines().map(str::to_owned).collect()
}

pub async fn demand(server: &Server, person: &Person) {
    let mut operator = server.operator().await;
    let classes = (Kind::Add, "objectClass", &["rollbookAccount"][..]);
    let demand = (Kind::Replace, "rollbookSecondFactor", &["TRUE"][..]);
    assert!(operator.modify(&person.dn, &[classes, demand]).await.is_good());
}

/// Where the page of the own sessions leads who wants a second step.
fn offered(browser: &Browser) -> String {
    let rest = browser.page.text().split("href=\"/sign-in?r=").nth(1).unwrap();
    format!("/sign-in?r={}", rest.split('"').next().unwrap())
}

/// Sets the app up on the way in; the browser is at the recovery codes then.
pub async fn set_up(server: &Server, browser: &mut Browser, name: &str) -> (Vec<u8>, Vec<String>) {
    browser.visit("/sessions").await;
    browser.sign_in(name, PASSWORD).await;
    assert_eq!(browser.heading(), "Set up your second step");
    let key = key(browser);
    browser.submit("/sign-in/enrol", &[("code", &code(server, &key))]).await;
    assert_eq!(browser.heading(), "Store your recovery codes");
    let codes = codes(browser);
    (key, codes)
}

/// Goal: where a second factor is demanded nobody gets in without one: it is set up on the way, with the same picture after a
/// wrong code, and asked for from then on; a code is good once.
#[tokio::test]
async fn demanded() {
    let server = Server::start().await;
    let person = server.person("karl").await;
    demand(&server, &person).await;
    let mut browser = Browser::open(&server).await;
    browser.visit("/sessions").await;
    browser.sign_in("karl", PASSWORD).await;
    assert_eq!(browser.heading(), "Set up your second step");
    assert!(browser.page.text().contains("Your organisation asks for"));
    assert!(!browser.cookies.contains_key("__Host-rollbook"));
    assert_eq!(server.state(&person), State::Unverified, "not in yet");
    let first = key(&browser);
    browser.submit("/sign-in/enrol", &[("code", "000000")]).await;
    assert_eq!(browser.page.status, StatusCode::FORBIDDEN);
    assert_eq!(key(&browser), first, "the same picture again");
    browser.submit("/sign-in/enrol", &[("code", &code(&server, &first))]).await;
    assert_eq!(browser.heading(), "Store your recovery codes");
    assert_eq!(codes(&browser).len(), 10);
    assert!(!browser.cookies.contains_key("__Host-rollbook"));
    // Not stored: others are made.
    let before = codes(&browser);
    browser.submit("/sign-in/codes", &[]).await;
    assert_eq!(browser.page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_ne!(codes(&browser), before);
    browser.submit("/sign-in/codes", &[("stored", "yes")]).await;
    browser.follow().await;
    assert_eq!(browser.heading(), "Where you are signed in");
    assert!(browser.page.text().contains("Password and second step"));
    assert_eq!(server.state(&person), State::Active);

    let mut again = Browser::open(&server).await;
    again.visit("/sessions").await;
    again.sign_in("karl", PASSWORD).await;
    assert_eq!(again.heading(), "Confirm that it is you");
    assert!(!again.cookies.contains_key("__Host-rollbook"));
    again.submit("/sign-in/factor", &[("code", &code(&server, &first))]).await;
    assert_eq!(again.page.status, StatusCode::FORBIDDEN, "a code is good once");
    server.pass(Span::from_secs(30));
    let fresh = code(&server, &first);
    let spaced = format!(" {} {} ", &fresh[..3], &fresh[3..]);
    again.submit("/sign-in/factor", &[("code", &spaced)]).await;
    again.follow().await;
    assert_eq!(again.heading(), "Where you are signed in");
    server.verify().await;
}

/// Goal: a recovery code takes the place of the app, once, however it is typed, and the page says how many are left.
#[tokio::test]
async fn recovery() {
    let server = Server::start().await;
    let person = server.active("lena").await;
    demand(&server, &person).await;
    let mut browser = Browser::open(&server).await;
    let (_, codes) = set_up(&server, &mut browser, "lena").await;
    let typed = codes[0].to_uppercase().replace('-', " ");
    for (given, good) in [("zzzz-zzzz-zzzz-zzzz", false), (typed.as_str(), true), (typed.as_str(), false)] {
        let mut browser = Browser::open(&server).await;
        browser.visit("/sessions").await;
        browser.sign_in("lena", PASSWORD).await;
        let place = format!("{}&way=recovery", browser.place);
        browser.visit(&place).await;
        browser.submit("/sign-in/factor", &[("code", given)]).await;
        if good {
            assert_eq!(browser.heading(), "The recovery code was right");
            assert!(browser.page.text().contains("9 recovery codes are left"));
            browser.submit("/sign-in/codes", &[("go-on", "yes")]).await;
            browser.follow().await;
            assert_eq!(browser.heading(), "Where you are signed in");
        } else {
            assert_eq!(browser.page.status, StatusCode::FORBIDDEN);
            assert!(browser.page.text().contains("not right, or it has been used"));
        }
    }
    server.verify().await;
}

/// Goal: a session by password alone steps up without the password, keeps its id and gets another secret; the step-up leads
/// back to where it was demanded.
#[tokio::test]
async fn step_up() {
    let server = Server::start().await;
    server.active("mia").await;
    let mut browser = Browser::open(&server).await;
    browser.visit("/sign-in").await;
    browser.sign_in("mia", PASSWORD).await;
    assert!(browser.page.text().contains("The second step is off"));
    let before = browser.cookies["__Host-rollbook"].clone();
    let place = offered(&browser);
    browser.visit(&place).await;
    assert_eq!(browser.heading(), "Set up your second step");
    assert!(!browser.page.text().contains("Your organisation asks for"));
    let key = key(&browser);
    browser.submit("/sign-in/enrol", &[("code", &code(&server, &key))]).await;
    browser.submit("/sign-in/codes", &[("stored", "yes")]).await;
    browser.follow().await;
    assert!(browser.page.text().contains("The authenticator app is on"));
    assert_ne!(browser.cookies["__Host-rollbook"], before);
    assert!(browser.page.text().contains("signed in nowhere else"), "one session still");
    // Another browser with the password alone cannot replace the app.
    let mut thief = Browser::open(&server).await;
    thief.visit(&place).await;
    thief.sign_in("mia", PASSWORD).await;
    assert_eq!(thief.heading(), "Confirm that it is you");
    thief.visit("/sign-in/enrol").await;
    assert_ne!(thief.heading(), "Set up your second step");
    server.verify().await;
}

/// Goal: wrong second factors lock the account as wrong passwords do, and what the pages say does not tell.
#[tokio::test]
async fn guessing() {
    let server = Server::start().await;
    let person = server.active("nora").await;
    demand(&server, &person).await;
    let mut browser = Browser::open(&server).await;
    let (key, _) = set_up(&server, &mut browser, "nora").await;
    let mut browser = Browser::open(&server).await;
    browser.visit("/sessions").await;
    browser.sign_in("nora", PASSWORD).await;
    for _ in 0..8 {
        browser.submit("/sign-in/factor", &[("code", "123456")]).await;
        assert_eq!(browser.page.status, StatusCode::FORBIDDEN);
        assert!(browser.page.text().contains("That code is not right"));
    }
    server.pass(Span::from_secs(60));
    browser.submit("/sign-in/factor", &[("code", &code(&server, &key))]).await;
    assert_eq!(browser.page.status, StatusCode::FORBIDDEN, "nobody looks any more");
    assert!(!browser.cookies.contains_key("__Host-rollbook"));
    server.verify().await;
}

/// Goal: a new password does not go around the second factor, whoever has set it (security requirement 22).
#[tokio::test]
async fn a_reset_leaves_it() {
    let server = Server::start().await;
    let person = server.active("olga").await;
    demand(&server, &person).await;
    let mut browser = Browser::open(&server).await;
    let (key, _) = set_up(&server, &mut browser, "olga").await;
    browser.submit("/sign-in/codes", &[("stored", "yes")]).await;
    let mut operator = server.operator().await;
    assert!(operator.modify(&person.dn, &[(Kind::Replace, "userPassword", &[NEW_PASSWORD][..])]).await.is_good());
    browser.visit("/sessions").await;
    assert_eq!(browser.heading(), "Sign in", "the old password's session is over");
    let mut thief = Browser::open(&server).await;
    thief.visit("/sessions").await;
    thief.sign_in("olga", NEW_PASSWORD).await;
    assert_eq!(thief.heading(), "Confirm that it is you");
    assert!(!thief.cookies.contains_key("__Host-rollbook"));
    for place in ["/sign-in/enrol", "/sign-in/codes", "/sign-in/password", "/sessions"] {
        thief.visit(place).await;
        assert!(!thief.cookies.contains_key("__Host-rollbook"), "{place}");
        assert!(
            !["Set up your second step", "Store your recovery codes"].contains(&thief.heading().as_str()),
            "{place}"
        );
    }
    server.pass(Span::from_secs(30));
    thief.visit("/sessions").await;
    thief.sign_in("olga", NEW_PASSWORD).await;
    thief.submit("/sign-in/factor", &[("code", &code(&server, &key))]).await;
    thief.follow().await;
    assert_eq!(thief.heading(), "Where you are signed in");
    server.verify().await;
}

/// Goal: factors are set up and recovery codes made only after a fresh sign-in, with the factor where there is one (security
/// requirement 38): who finds a browser open cannot put an app of their own there.
#[tokio::test]
async fn changes_need_a_fresh_sign_in() {
    let server = Server::start().await;
    server.active("paul").await;
    let mut browser = Browser::open(&server).await;
    browser.visit("/sign-in").await;
    browser.sign_in("paul", PASSWORD).await;
    let place = offered(&browser);
    server.pass(Span::from_mins(20));
    browser.visit(&place).await;
    assert_eq!(browser.heading(), "Sign in");
    browser.visit("/sign-in/enrol").await;
    assert_ne!(browser.heading(), "Set up your second step");
    browser.visit(&place).await;
    browser.sign_in("paul", PASSWORD).await;
    assert_eq!(browser.heading(), "Set up your second step");
    let key = key(&browser);
    browser.submit("/sign-in/enrol", &[("code", &code(&server, &key))]).await;
    browser.submit("/sign-in/codes", &[("stored", "yes")]).await;
    browser.follow().await;

    // Other recovery codes: at once now, after a while only with password and factor again.
    browser.submit("/sign-in/codes", &[]).await;
    assert_eq!(browser.heading(), "Store your recovery codes");
    browser.visit("/sessions").await;
    server.pass(Span::from_mins(20));
    browser.submit("/sign-in/codes", &[]).await;
    browser.follow().await;
    assert_eq!(browser.heading(), "Sign in");
    browser.sign_in("paul", PASSWORD).await;
    assert_eq!(browser.heading(), "Confirm that it is you");
    browser.submit("/sign-in/factor", &[("code", &code(&server, &key))]).await;
    browser.follow().await;
    browser.submit("/sign-in/codes", &[]).await;
    assert_eq!(browser.heading(), "Store your recovery codes");
    server.verify().await;
}

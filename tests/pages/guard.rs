//! What must not be possible: forged forms, other people's redirections, kept sessions, framed pages.

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use directory::change::Act;
use directory::clock::Span;
use testkit::{Browser, NEW_PASSWORD, PASSWORD, Server};

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let name = |name: &'static str| axum::http::HeaderName::from_static(name);
    pairs.iter().map(|(known, value)| (name(known), HeaderValue::from_static(value))).collect()
}

/// Goal: every page has exactly the headers that keep it ours; inside an authorization request only `form-action` is missing.
#[tokio::test]
async fn headers_of_every_page() {
    let server = Server::start().await;
    server.active("dora").await;
    let mut browser = Browser::open(&server).await;
    let own = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types rollbook";
    for place in ["/sign-in", "/sign-out", "/assets/0/none", "/sign-in/password"] {
        browser.visit(place).await;
        let page = &browser.page;
        assert_eq!(page.header("content-security-policy"), own, "{place}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{place}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{place}");
        assert_eq!(page.header("x-frame-options"), "DENY", "{place}");
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin", "{place}");
        assert_eq!(page.header("cache-control"), "no-store", "{place}");
        assert!(!page.text().contains(" style=") && !page.text().contains("<style"), "{place}");
        assert!(!page.text().contains(" onclick") && !page.text().contains("javascript:"), "{place}");
    }
    let page = browser.page.text().to_owned();
    for part in page.split("=\"/assets/").skip(1) {
        let path = format!("/assets/{}", part.split('"').next().unwrap());
        let asset = browser.get(&path).await;
        assert_eq!(asset.status, StatusCode::OK, "{path}");
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
    }
    let web = server.pages().await;
    let to = web::ReturnTo::path("/oauth2/authorize?client_id=orders").unwrap();
    let hints = web::Hints { client_name: Some("Orders <b>".to_owned()), ..web::Hints::default() };
    let place = web::sign_in_uri(&web, to, hints);
    browser.visit(&place).await;
    assert_eq!(browser.page.header("content-security-policy"), own.replace(" form-action 'self';", ""));
    assert_eq!(browser.heading(), "Sign in to Orders <b>");
    assert!(!browser.page.text().contains("Orders <b>"), "escaped");
    server.verify().await;
}

/// Goal: a form is taken from our own page in the same browser only: no token, another form's, another browser's, another
/// site's are all refused, and nobody is signed in by somebody else (login CSRF).
#[tokio::test]
async fn forged_forms() {
    let server = Server::start().await;
    server.active("emil").await;
    let mut browser = Browser::open(&server).await;
    browser.visit("/sign-in").await;
    let page = browser.page.clone();
    let token = browser.hidden("/sign-in")[0].1.clone();
    let others = browser.hidden("/look")[0].1.clone();
    let mut stranger = Browser::open(&server).await;
    stranger.visit("/sign-in").await;
    let strange = stranger.hidden("/sign-in")[0].1.clone();
    for bad in ["", "x", &others, &strange] {
        browser.page = page.clone();
        let fields = [("token", bad), ("username", "emil"), ("password", PASSWORD)];
        browser.submit("/sign-in", &fields).await;
        assert_eq!(browser.page.status, StatusCode::FORBIDDEN, "{bad}");
        assert_eq!(browser.heading(), "This page is out of date", "{bad}");
    }
    let good = [("token", token.as_str()), ("username", "emil"), ("password", PASSWORD)];
    for (site, origin) in
        [("cross-site", "https://evil.example"), ("same-site", "https://other.localhost"), ("none", "null")]
    {
        browser.page = page.clone();
        browser.extra = headers(&[("sec-fetch-site", site), ("origin", origin)]);
        browser.submit("/sign-in", &good).await;
        assert_eq!(browser.heading(), "This did not come from here", "{site}");
    }
    assert!(!browser.cookies.contains_key("__Host-rollbook"));
    // Without its cookie the token is worth nothing either.
    browser.extra = HeaderMap::new();
    browser.page = page.clone();
    let cookies = std::mem::take(&mut browser.cookies);
    browser.submit("/sign-in", &good).await;
    assert_eq!(browser.heading(), "This page is out of date");
    browser.cookies = cookies;
    browser.page = page;
    browser.submit("/sign-in", &good).await;
    assert_eq!(browser.page.status, StatusCode::SEE_OTHER);
    server.verify().await;
}

/// Goal: a session's secret is a new one at every sign-in, a planted one is worth nothing, and forms of before the sign-in are
/// forms of nobody (session fixation, hostile row E6).
#[tokio::test]
async fn fixation() {
    let server = Server::start().await;
    server.active("fritz").await;
    let mut browser = Browser::open(&server).await;
    for planted in ["rbw_0000000000000_planted", "x", "", "rbw_"] {
        browser.cookies.insert("__Host-rollbook".to_owned(), planted.to_owned());
        browser.visit("/sessions").await;
        assert_eq!(browser.heading(), "Sign in", "{planted}");
    }
    browser.visit("/sign-in").await;
    let before = browser.cookies.clone();
    browser.sign_in("fritz", PASSWORD).await;
    assert_eq!(browser.heading(), "Where you are signed in");
    let first = browser.cookies.clone();
    assert_ne!(first["__Host-rollbook"], before["__Host-rollbook"]);
    assert_ne!(first["__Host-rollbook-form"], before["__Host-rollbook-form"]);
    // Again, as a step-up does: the same session with another secret; the old one is over.
    server.pass(Span::from_mins(11));
    let web = server.pages().await;
    let hints = web::Hints { auth_since: Some(server.directory.now().wall), ..web::Hints::default() };
    let place = web::sign_in_uri(&web, web::ReturnTo::home(), hints);
    browser.visit(&place).await;
    assert_eq!(browser.heading(), "Sign in");
    browser.sign_in("fritz", PASSWORD).await;
    assert_eq!(browser.heading(), "Where you are signed in");
    assert_ne!(browser.cookies["__Host-rollbook"], first["__Host-rollbook"]);
    assert!(browser.page.text().contains("signed in nowhere else"), "{}", browser.page.text());
    browser.cookies = first;
    browser.visit("/sessions").await;
    assert_eq!(browser.heading(), "Sign in");
    server.verify().await;
}

/// Goal: nothing that a visitor can write decides where a sign-in leads.
#[tokio::test]
async fn no_open_redirect() {
    let server = Server::start().await;
    server.active("gina").await;
    for r in ["https://evil.example/", "//evil.example", "/\\evil.example", "AAAA", &"A".repeat(30_000)] {
        let mut browser = Browser::open(&server).await;
        browser.visit(&format!("/sign-in?r={r}&to=//evil.example&next=https://evil.example")).await;
        browser.sign_in("gina", PASSWORD).await;
        assert_eq!(browser.place, "/sessions", "{r}");
        let back = [("back", "//evil.example"), ("language", "de")];
        browser.submit("/look", &back).await;
        assert_eq!(browser.page.header("location"), "/sessions");
    }
    server.verify().await;
}

/// Goal: a session ends when it is not used, when it is old, and at once with everything that ends the account's logins; a lock
/// ends nothing (requirements 2.4, 2.6).
#[tokio::test]
async fn ends_of_sessions() {
    let server = Server::start().await;
    let person = server.active("hugo").await;
    let mut browser = Browser::open(&server).await;
    let enter = async |browser: &mut Browser, password: &str| {
        browser.visit("/sign-in").await;
        browser.sign_in("hugo", password).await;
        assert_eq!(browser.heading(), "Where you are signed in");
    };
    enter(&mut browser, PASSWORD).await;
    server.pass(Span::from_mins(61));
    browser.visit("/sessions").await;
    assert_eq!(browser.heading(), "Sign in", "idle");

    enter(&mut browser, PASSWORD).await;
    for _ in 0..15 {
        server.pass(Span::from_mins(50));
        browser.visit("/sessions").await;
    }
    assert_eq!(browser.heading(), "Sign in", "old");

    enter(&mut browser, PASSWORD).await;
    server.act(&person, Act::Lock).await.unwrap();
    browser.visit("/sessions").await;
    assert_eq!(browser.heading(), "Where you are signed in", "a lock stops new logins only");
    server.unlock(&person).await;
    browser.visit("/sessions").await;
    assert_eq!(browser.heading(), "Sign in", "another password");

    browser.submit("/sign-in", &[("username", "hugo"), ("password", NEW_PASSWORD)]).await;
    browser.follow().await;
    browser.submit("/sign-in/password", &[("new", "four marble fountains"), ("again", "four marble fountains")]).await;
    enter(&mut browser, "four marble fountains").await;
    server.act(&person, Act::Disable).await.unwrap();
    browser.visit("/sessions").await;
    assert_eq!(browser.heading(), "Sign in", "disabled");
    server.verify().await;
}

/// Goal: other sessions are ended only after a fresh sign-in, and only one's own (requirement 37).
#[tokio::test]
async fn ending_others() {
    let server = Server::start().await;
    server.active("ida").await;
    server.active("jan").await;
    let mut one = Browser::open(&server).await;
    let mut two = Browser::open(&server).await;
    let mut other = Browser::open(&server).await;
    for (browser, name) in [(&mut one, "ida"), (&mut two, "ida"), (&mut other, "jan")] {
        browser.visit("/sign-in").await;
        browser.sign_in(name, PASSWORD).await;
    }
    // The form is there when there is something to end.
    let mut more = Browser::open(&server).await;
    more.visit("/sign-in").await;
    more.sign_in("jan", PASSWORD).await;
    other.visit("/sessions").await;
    one.visit("/sessions").await;
    let id = one.page.text().split("name=\"end\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    other.submit("/sessions", &[("end", &id)]).await;
    assert!(other.page.text().contains("had ended already"), "somebody else's");
    server.pass(Span::from_mins(20));
    one.submit("/sessions", &[("end", &id)]).await;
    one.follow().await;
    assert_eq!(one.heading(), "Sign in");
    assert!(one.page.text().contains("Confirm that it is you"));
    two.visit("/sessions").await;
    assert_eq!(two.heading(), "Where you are signed in");
    one.sign_in("ida", PASSWORD).await;
    one.submit("/sessions", &[("end", &id)]).await;
    assert!(one.page.text().contains("1 session was ended"), "{}", one.page.text());
    two.visit("/sessions").await;
    assert_eq!(two.heading(), "Sign in");
    server.verify().await;
}

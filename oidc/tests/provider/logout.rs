//! The modules of oidcc-rp-initiated-logout-certification-test-plan, by their names; requirements 33, 47 and 65.

use crate::browser::{Browser, Page};
use crate::rig::{App, BYE, Rig, bend};
use axum::http::StatusCode;
use directory::clock::Span;

/// A browser that is signed in, its ID token, and what it sees at the logout endpoint with these parameters.
async fn signed_in(rig: &Rig, app: &App) -> (Browser, String) {
    let mut browser = Browser::default();
    let tokens = rig.tokens(&mut browser, app, &[]).await;
    (browser, tokens["id_token"].as_str().unwrap().to_owned())
}

async fn logout(rig: &Rig, browser: &mut Browser, parameters: &[(&str, &str)]) -> Page {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    browser.go(rig, &format!("/oauth2/logout?{query}")).await
}

async fn is_signed_in(rig: &Rig, browser: &mut Browser, app: &App) -> bool {
    browser.go(rig, &rig.authorize(app, &[("prompt", "none")])).await.parameter("code").is_some()
}

#[tokio::test]
async fn oidcc_rp_initiated_logout() {
    // Goal: with a hint that fits, no question: the session is over on the server, the browser is back with its state.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let (mut browser, hint) = signed_in(&rig, &app).await;
    let kept = browser.clone();
    // A hint may have expired; the session need not have.
    rig.pass(Span::from_mins(30));
    let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", "x y")];
    let page = logout(&rig, &mut browser, &parameters).await;
    assert_eq!(page.elsewhere.as_deref(), Some("https://app.example/bye?state=x+y"));
    assert!(!is_signed_in(&rig, &mut browser, &app).await);
    let mut thief = kept;
    assert!(!is_signed_in(&rig, &mut thief, &app).await, "requirement 33: the cookie alone is worth nothing");
    // Nobody is signed in any more: the same request only leads back.
    assert!(logout(&rig, &mut browser, &parameters).await.elsewhere.is_some());
    rig.verify().await;
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state_and_no_post_logout_redirect_uri() {
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let (mut browser, hint) = signed_in(&rig, &app).await;
    let page = logout(&rig, &mut browser, &[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).await;
    assert_eq!(page.elsewhere.as_deref(), Some(BYE));
    let (mut browser, hint) = signed_in(&rig, &app).await;
    let page = logout(&rig, &mut browser, &[("id_token_hint", &hint)]).await;
    assert_eq!((page.status, page.elsewhere), (StatusCode::OK, None));
    assert!(!is_signed_in(&rig, &mut browser, &app).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_requests() {
    // Goal: bad-post-logout-redirect-uri, query-added-to-post-logout-redirect-uri, modified-id-token-hint, bad-id-token-hint:
    // a page says so, nobody is sent anywhere, the session goes on.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let other = rig.app("other", &[]).await;
    let (mut browser, hint) = signed_in(&rig, &app).await;
    let tokens = rig.tokens(&mut browser, &other, &[]).await;
    let (bent, access) = (bend(&hint), tokens["access_token"].as_str().unwrap());
    let good = ("post_logout_redirect_uri", BYE);
    let rows: [&[(&str, &str)]; 10] = [
        &[("id_token_hint", &hint), ("post_logout_redirect_uri", "https://app.example/other")],
        &[("id_token_hint", &hint), ("post_logout_redirect_uri", "https://app.example/bye?a=b")],
        &[("id_token_hint", &hint), ("post_logout_redirect_uri", "https://evil.example/")],
        &[("id_token_hint", &hint), ("post_logout_redirect_uri", "javascript:alert(1)")],
        &[("id_token_hint", &bent), good],
        &[("id_token_hint", "not.a.token"), good],
        &[("id_token_hint", access), good],
        &[("id_token_hint", &hint), ("client_id", "other"), good],
        &[("client_id", "nobody"), good],
        &[("id_token_hint", &hint), good, good],
    ];
    for parameters in rows {
        let page = logout(&rig, &mut browser, parameters).await;
        assert_eq!((page.status, &page.elsewhere), (StatusCode::BAD_REQUEST, &None), "{parameters:?}");
        assert!(is_signed_in(&rig, &mut browser, &app).await, "{parameters:?}");
    }
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_without_a_hint_asks() {
    // Goal: no-id-token-hint, no-params, only-state: the person is asked; hostile row E6: a link alone signs nobody out.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let (mut browser, _) = signed_in(&rig, &app).await;
    // Without anything that says which application asks, no address is good.
    let page = logout(&rig, &mut browser, &[("post_logout_redirect_uri", BYE)]).await;
    assert_eq!((page.status, page.elsewhere), (StatusCode::BAD_REQUEST, None));
    for parameters in
        [&[][..], &[("state", "x")][..], &[("client_id", "orders"), ("post_logout_redirect_uri", BYE)][..]]
    {
        let page = logout(&rig, &mut browser, parameters).await;
        assert_eq!((page.status, &page.elsewhere), (StatusCode::OK, &None), "{parameters:?}");
        assert!(is_signed_in(&rig, &mut browser, &app).await, "asked, not signed out: {parameters:?}");
    }
    // A form of another site, with no token of ours, is the same question.
    let fields = vec![("client_id".to_owned(), "orders".to_owned())];
    let page = browser.post(&rig, "/oauth2/logout", fields).await;
    assert!(page.body.contains("<form") && is_signed_in(&rig, &mut browser, &app).await);
    let forged = vec![("token".to_owned(), "forged".to_owned())];
    assert_eq!(browser.post(&rig, "/oauth2/logout", forged).await.status, StatusCode::FORBIDDEN);
    assert!(is_signed_in(&rig, &mut browser, &app).await);
    // Yes: signed out, and back at the application.
    let parameters = [("client_id", "orders"), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let page = logout(&rig, &mut browser, &parameters).await;
    assert!(page.body.contains("Orders"), "the page says who asks");
    let page = browser.submit(&rig, &page, "/oauth2/logout", &[]).await;
    assert_eq!(page.elsewhere.as_deref(), Some("https://app.example/bye?state=s"));
    assert!(!is_signed_in(&rig, &mut browser, &app).await);
}

#[tokio::test]
async fn the_session_is_the_authority_not_the_hint() {
    // Goal: requirement 65: a hint of another person, or of another session, signs nobody out unasked.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let (_, hint_of_bob) = signed_in(&rig, &app).await;
    let mut amy = Browser::default();
    rig.enter(&mut amy, &app, "amy", &[]).await;
    let (mut bob_again, _) = signed_in(&rig, &app).await;
    for browser in [&mut amy, &mut bob_again] {
        let page = logout(&rig, browser, &[("id_token_hint", &hint_of_bob), ("post_logout_redirect_uri", BYE)]).await;
        assert_eq!((page.status, &page.elsewhere), (StatusCode::OK, &None));
        assert!(is_signed_in(&rig, browser, &app).await);
    }
}

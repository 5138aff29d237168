//! The state of the account decides every time: what was granted goes on, or ends at once (requirements 34, 52, 53, 2.4).

use crate::browser::Browser;
use crate::rig::{App, PASSWORD, Rig, VERIFIER};
use axum::http::StatusCode;
use directory::change::Act;
use directory::clock::Span;
use serde_json::{Map, Value};

fn text<'a>(tokens: &'a Map<String, Value>, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

/// What of a login is still good: the browser's session, introspection of both tokens, userinfo, refresh.
async fn alive(rig: &Rig, browser: &mut Browser, app: &App, tokens: &Map<String, Value>) -> [bool; 5] {
    let session = browser.go(rig, &rig.authorize(app, &[("prompt", "none")])).await.parameter("code").is_some();
    let access = rig.is_active(app, text(tokens, "access_token")).await;
    let refresh = rig.is_active(app, text(tokens, "refresh_token")).await;
    let userinfo = rig.userinfo(text(tokens, "access_token")).await.status == StatusCode::OK;
    let rotated = rig.refresh(app, text(tokens, "refresh_token")).await.status == StatusCode::OK;
    [session, access, refresh, userinfo, rotated]
}

#[tokio::test]
async fn what_ends_all_logins_ends_them_at_once() {
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    for round in 0..3 {
        let mut browser = Browser::default();
        let tokens = rig.tokens(&mut browser, &app, &[("scope", "openid offline_access")]).await;
        match round {
            0 => rig.act("bob", Act::Disable).await,
            1 => rig.set_password("bob", PASSWORD).await,
            _ => rig.act("bob", Act::Delete { months: None }).await,
        }
        assert_eq!(alive(&rig, &mut browser, &app, &tokens).await, [false; 5], "round {round}");
        if round == 0 {
            rig.act("bob", Act::Enable { password: None }).await;
            assert_eq!(alive(&rig, &mut browser, &app, &tokens).await, [false; 5], "nothing comes back");
        }
    }
    rig.verify().await;
}

#[tokio::test]
async fn a_lock_stops_new_logins_only() {
    // Goal: requirement 2.4: what was granted goes on; the page answers a locked account as it does a wrong password.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let mut browser = Browser::default();
    let tokens = rig.tokens(&mut browser, &app, &[("scope", "openid offline_access")]).await;
    let mut attacker = Browser::default();
    for _ in 0..12 {
        let page = attacker.go(&rig, &rig.authorize(&app, &[])).await;
        let page = attacker.sign_in(&rig, page, "bob", "wrong").await;
        assert!(page.asks_for_password());
    }
    let page = attacker.go(&rig, &rig.authorize(&app, &[])).await;
    assert!(attacker.sign_in(&rig, page, "bob", PASSWORD).await.asks_for_password(), "locked");
    assert_eq!(alive(&rig, &mut browser, &app, &tokens).await, [true; 5]);
    rig.verify().await;
}

#[tokio::test]
async fn refresh_tokens_rotate_and_end() {
    // Goal: hostile row E5, requirements 52 and 53: an old token ends the family; idleness and age end it as well.
    let rig = Rig::start().await;
    let seconds = [("rollbookRefreshIdleSeconds", "3600"), ("rollbookRefreshSeconds", "7200")];
    let app = rig.app("orders", &seconds).await;
    let mut browser = Browser::default();
    let start = async |browser: &mut Browser| rig.tokens(browser, &app, &[("scope", "openid offline_access")]).await;
    let first = start(&mut browser).await;
    let second = rig.refresh(&app, text(&first, "refresh_token")).await.json();
    assert_eq!(rig.refresh(&app, text(&first, "refresh_token")).await.error(), (400, "invalid_grant".into()));
    assert_eq!(rig.refresh(&app, text(&second, "refresh_token")).await.error(), (400, "invalid_grant".into()));
    assert!(!rig.is_active(&app, text(&second, "access_token")).await, "the family's access tokens end with it");
    let idle = start(&mut browser).await;
    rig.pass(Span::from_secs(3_601));
    assert_eq!(rig.refresh(&app, text(&idle, "refresh_token")).await.error().1, "invalid_grant");
    let mut old = start(&mut Browser::default()).await;
    for _ in 0..3 {
        rig.pass(Span::from_mins(35));
        old = rig.refresh(&app, text(&old, "refresh_token")).await.json();
    }
    rig.pass(Span::from_mins(20));
    assert_eq!(rig.refresh(&app, text(&old, "refresh_token")).await.error().1, "invalid_grant", "its greatest age");
    rig.verify().await;
}

#[tokio::test]
async fn a_hundred_at_once_get_one() {
    // Goal: hostile rows E4 and E5: of many concurrent uses of one code, and of one refresh token, at most one is good, and
    // afterwards nothing is.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let page = rig.enter(&mut Browser::default(), &app, "bob", &[]).await;
    let code = page.outside("code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", crate::rig::CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let mut good = Vec::new();
    let answers = futures(100, || rig.ask(&app, "/oauth2/token", &form)).await;
    for answer in answers {
        if answer.status == StatusCode::OK {
            good.push(answer.json());
        } else {
            assert_eq!(answer.error(), (400, "invalid_grant".into()));
        }
    }
    assert_eq!(good.len(), 1);
    assert!(!rig.is_active(&app, text(&good[0], "access_token")).await);
    let tokens = rig.tokens(&mut Browser::default(), &app, &[]).await;
    let refresh = text(&tokens, "refresh_token").to_owned();
    let answers = futures(20, || rig.refresh(&app, &refresh)).await;
    assert!(answers.iter().filter(|answer| answer.status == StatusCode::OK).count() <= 1);
    assert!(!rig.is_active(&app, text(&tokens, "access_token")).await);
    rig.verify().await;
}

/// So many at once, all begun before the first is waited for.
async fn futures<T, F: Future<Output = T>>(count: usize, make: impl Fn() -> F) -> Vec<T> {
    let mut open: Vec<_> = (0..count).map(|_| Some(Box::pin(make()))).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        for slot in &mut open {
            if let Some(future) = slot
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                done.push(value);
                *slot = None;
            }
        }
        if open.iter().all(Option::is_none) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}

#[tokio::test]
async fn who_may_enter_is_asked_every_time() {
    // Goal: groups and tenants decide at sign-in and at refresh; without consent nothing is given, and it is remembered.
    let rig = Rig::start().await;
    let base = crate::rig::BASE;
    let (bob, group) = (format!("uid=bob,ou=people,{base}"), format!("cn=clerks,ou=groups,{base}"));
    rig.add(&group, &[("objectClass", "groupOfNames"), ("cn", "clerks"), ("member", &bob)]).await;
    let app = rig.app("closed", &[("rollbookAllowedGroup", &group)]).await;
    let page = rig.enter(&mut Browser::default(), &app, "amy", &[]).await;
    assert_eq!(page.outside("error"), "access_denied");
    let tokens = rig.tokens(&mut Browser::default(), &app, &[("scope", "openid groups offline_access")]).await;
    let told = rig.userinfo(text(&tokens, "access_token")).await.json();
    assert_eq!(told["groups"], serde_json::json!(["clerks"]));
    let remove =
        directory::change::Change::Delete { target: directory::change::Target::Dn(group.into_bytes()), subtree: false };
    rig.directory.change(&directory::bootstrap::operator(&rig.directory), remove).await.unwrap();
    assert_eq!(rig.refresh(&app, text(&tokens, "refresh_token")).await.error(), (400, "invalid_grant".into()));
    assert!(!rig.is_active(&app, text(&tokens, "access_token")).await);
}

#[tokio::test]
async fn consent_is_asked_once() {
    // Goal: requirement 62: asked, remembered, asked again for more, refused without harm, never silent.
    let rig = Rig::start().await;
    let app = rig.app("third", &[("rollbookFirstParty", "FALSE")]).await;
    let mut browser = Browser::default();
    let page = rig.enter(&mut browser, &app, "bob", &[("scope", "openid email")]).await;
    assert!(
        page.elsewhere.is_none() && page.body.contains("Orders") && page.body.contains("app.example"),
        "{}",
        page.body
    );
    let denied = browser.submit(&rig, &page, "/oauth2/consent", &[("answer", "deny")]).await;
    assert_eq!((denied.outside("error"), denied.outside("state")), ("access_denied".into(), "st".into()));
    let silent = browser.go(&rig, &rig.authorize(&app, &[("scope", "openid email"), ("prompt", "none")])).await;
    assert_eq!(silent.outside("error"), "consent_required");
    let page = browser.go(&rig, &rig.authorize(&app, &[("scope", "openid email")])).await;
    let allowed = browser.submit(&rig, &page, "/oauth2/consent", &[("answer", "allow")]).await;
    assert_eq!(rig.redeem(&app, &allowed.outside("code")).await.status, StatusCode::OK);
    let again = browser.go(&rig, &rig.authorize(&app, &[("scope", "openid email")])).await;
    assert!(again.parameter("code").is_some(), "remembered");
    let more = browser.go(&rig, &rig.authorize(&app, &[("scope", "openid email phone")])).await;
    assert!(more.elsewhere.is_none(), "more is asked for");
    let anew = browser.go(&rig, &rig.authorize(&app, &[("scope", "openid"), ("prompt", "consent")])).await;
    assert!(anew.elsewhere.is_none());
    let allowed = browser.submit(&rig, &anew, "/oauth2/consent", &[("answer", "allow")]).await;
    assert!(allowed.parameter("code").is_some(), "asked anew, once");
    rig.verify().await;
}

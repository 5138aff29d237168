//! `rollbook session`: who is signed in from where, and the end of it, as the browser sees it.

use crate::demo::{Demo, fixture};
use axum::http::{HeaderValue, header};
use testkit::Browser;

const UID: &str = "yboiko";

async fn signed_in(demo: &Demo, agent: &'static str) -> Browser {
    let mut browser = demo.browser().await;
    browser.extra.insert(header::USER_AGENT, HeaderValue::from_static(agent));
    browser.sign_in(UID, &fixture(UID)).await;
    assert_eq!(browser.heading(), "Where you are signed in");
    browser
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.visit("/sessions").await;
    browser.heading() == "Where you are signed in"
}

/// Goal: each session is listed with its browser; ending one leaves the others, ending all leaves none, and a browser whose
/// session has ended has to sign in.
#[tokio::test]
async fn sessions_from_end_to_end() {
    let demo = Demo::shared();
    assert_eq!(demo.json(&["session", "list", UID]).as_array().unwrap().len(), 0);
    let (mut desk, mut phone) = (signed_in(&demo, "a desk").await, signed_in(&demo, "a phone").await);
    let listed = demo.json(&["session", "list", UID]);
    let of = |agent: &str| {
        let mut found = listed.as_array().unwrap().iter().filter(|session| session["agent"] == agent);
        let session = found.next().unwrap();
        assert!(found.next().is_none() && session["address"] == "127.0.0.1" && session["acr"] == "pwd", "{session}");
        session["id"].as_str().unwrap()
    };
    let (at_desk, at_phone) = (of("a desk"), of("a phone"));
    let cookie = &desk.cookies["__Host-rollbook"];
    assert!(!listed.to_string().contains(cookie.as_str()), "an id is no key");

    assert_eq!(demo.done(&["session", "end", at_desk]), "");
    demo.refused(&["session", "end", at_desk], 5, "there is no such session");
    assert!(!is_signed_in(&mut desk).await && is_signed_in(&mut phone).await);
    let text = demo.done(&["session", "list", &format!("uid={UID},{}", crate::demo::PEOPLE)]);
    assert!(text.contains(at_phone) && !text.contains(at_desk), "{text}");

    let _third = signed_in(&demo, "another").await;
    assert_eq!(demo.done(&["session", "end-all", UID]), "ended  2\n");
    assert!(!is_signed_in(&mut phone).await);
    assert_eq!(demo.done(&["session", "list", UID]), "");
    assert!(demo.logs_in(UID, &fixture(UID)), "the account is as it was");

    demo.refused(&["session", "list", "nobody"], 5, "there is no account");
    demo.refused(&["session", "end-all", "nobody"], 5, "there is no account");
    for id in ["nonsense", "00000000000000000000000000000000"] {
        demo.refused(&["session", "end", id], 5, "there is no such session");
    }
}

//! `rollbook login explain`: a login told step by step, by any of its requests.

use crate::demo::{Demo, fixture};
use serde_json::Value;
use testkit::{Browser, RelyingParty};

const UID: &str = "eschroder";

/// Steps and the rules that refused them.
fn told(demo: &Demo, request: &str) -> Vec<(String, String)> {
    let steps = demo.json(&["login", "explain", request]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    steps.as_array().unwrap().iter().map(|step| (text(&step["step"]), text(&step["refused"]))).collect()
}

/// The name of the browser's last request.
fn request(browser: &Browser) -> String {
    browser.page.header("x-request-id").to_owned()
}

/// The client that the demo comes with.
async fn client(demo: &Demo) -> RelyingParty {
    let text = |name: &str| demo.told["oidc"][name].as_str().unwrap();
    let mut party = RelyingParty::over(demo.http().await, text("client_id"), text("client_secret"));
    party.callback = text("redirect_uri").to_owned();
    party
}

/// Goal: from the application's request to its tokens, any request of a login leads to all of its steps.
#[tokio::test]
async fn a_login_from_the_request_to_the_tokens() {
    let demo = Demo::shared();
    let mut party = client(&demo).await;
    let mut browser = demo.browser().await;
    browser.get(&party.authorize("openid")).await;
    let first = request(&browser);
    browser.follow().await;
    browser.sign_in(UID, &fixture(UID)).await;
    let tokens = party.redeem(&browser.told("code").unwrap()).await;
    assert!(tokens.json()["access_token"].is_string());
    let last = tokens.header("x-request-id");
    let all = told(&demo, &first);
    assert_eq!(all, told(&demo, last));
    assert!(all.iter().all(|(_, refused)| refused.is_empty()), "{all:?}");
    assert_eq!(demo.done(&["login", "explain", "never-was"]), "");
}

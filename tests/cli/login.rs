//! `rollbook login explain`: a login told step by step, by any of its requests.

use crate::demo::{Demo, PEOPLE, fixture};
use ldap::grant_request::GrantRequest;
use rollbook::client::{Client, Error};
use serde_json::Value;
use testkit::{Browser, CALLBACK, RelyingParty};

const UID: &str = "eschroder";

/// Steps and the rules that refused them.
fn told(demo: &Demo, request: &str) -> Vec<(String, String)> {
    let steps = demo.json(&["login", "explain", request]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    steps.as_array().unwrap().iter().map(|step| (text(&step["step"]), text(&step["refused"]))).collect()
}

/// The name of the browser's last request.
fn request(browser: &Browser) -> String {
    browser.page.header("x-request-id").to_owned()
}

/// Goal: from the application's request over page, wrong password, consent and code to the tokens, any request of a login leads
/// to all of its steps, in their order, each with what it was about; what was typed is in none.
#[tokio::test]
async fn a_login_from_the_request_to_the_tokens() {
    let demo = Demo::shared();
    let made = demo.only(&["application", "create", "Timesheets", "--redirect-uri", CALLBACK, "--scope", "openid"]);
    let (id, secret) = (made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
    let mut party = RelyingParty::over(demo.http().await, id, secret);
    let mut browser = demo.browser().await;
    browser.get(&party.authorize("openid")).await;
    let first = request(&browser);
    browser.follow().await;
    browser.sign_in(UID, "not this one, either").await;
    browser.sign_in(UID, &fixture(UID)).await;
    assert_eq!(browser.heading(), "Timesheets wants to know who you are");
    browser.submit("/oauth2/consent", &[("answer", "allow")]).await;
    browser.follow().await;
    let tokens = party.redeem(&browser.told("code").unwrap()).await;
    assert!(tokens.json()["access_token"].is_string());
    let again = party.redeem(&browser.told("code").unwrap()).await;
    assert_eq!(again.status.as_u16(), 400);

    let all = told(&demo, &first);
    let expected = [
        ("sent to sign in", ""),
        ("sign-in page", ""),
        ("username and password", ""),
        ("gate", "wrong password"),
        ("username and password", ""),
        ("gate: admitted", ""),
        ("session started", ""),
        ("asked for consent", ""),
        ("consent", ""),
        ("code issued", ""),
        ("token", ""),
        ("code", "it has been used before; what it had granted is revoked"),
    ];
    let plain: Vec<_> = all.iter().map(|(what, refused)| (what.as_str(), refused.as_str())).collect();
    assert_eq!(plain, expected);
    for request in [request(&browser).as_str(), tokens.header("x-request-id")] {
        assert_eq!(told(&demo, request), all);
    }
    let steps = demo.json(&["login", "explain", &first]);
    let dn = format!("uid={UID},{PEOPLE}");
    assert_eq!((&steps[0]["of"], &steps[3]["account"]), (&Value::from(id), &Value::from(dn)));
    let text = demo.done(&["login", "explain", &first]);
    for secret in [secret, &fixture(UID), "not this one", &browser.told("code").unwrap()] {
        assert!(!text.contains(secret) && !steps.to_string().contains(secret), "{text}");
    }
}

/// Goal: who sits at the page learns nothing of a name, the operator learns that nobody has it, and nobody else may ask.
#[tokio::test]
async fn who_may_ask_and_what_is_told() {
    let demo = Demo::shared();
    let mut browser = demo.browser().await;
    browser.sign_in("correct horse battery staple", "x").await;
    let request = request(&browser);
    assert_eq!(told(&demo, &request).last().unwrap().1, "there is no such account");
    assert!(!demo.done(&["login", "explain", &request]).contains("horse"), "it may be a password in the wrong field");
    assert_eq!(demo.done(&["login", "explain", "never-was"]), "");

    let wanted = GrantRequest { act: "login explain".into(), details: vec![("request".into(), request)] };
    let service = &demo.told["service"];
    let mut reader = Client::connect(&demo.socket()).unwrap();
    reader.bind_simple(service["dn"].as_str().unwrap(), service["password"].as_str().unwrap().as_bytes()).unwrap();
    assert!(matches!(reader.grant(&wanted), Err(Error::Refused { .. })));
}

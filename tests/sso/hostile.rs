//! The rows F1 to F8 of hostile input.

use crate::rig::{IN, REFUSED, Rig, SIGN_IN, somebody};
use axum::http::StatusCode;
use directory::application::ProviderKind::{Entra, Google, Oidc};
use directory::change::Act;
use directory::clock::Span;
use serde_json::json;
use testkit::{Browser, PASSWORD, Signed, Trouble};

const TRUSTED: [(&str, &str); 2] = [("rollbookLinkPolicy", "trusted-email"), ("rollbookTrustedDomain", "example.com")];
const JIT: (&str, &str) = ("rollbookJustInTime", "TRUE");

/// Nobody is signed in, and the page is one of ours that says nothing of the other side.
fn refused(rig: &Rig, browser: &Browser, heading: &str, rule: &str) {
    let why = rig.why();
    assert!(
        rig.who(browser).is_none() && [SIGN_IN, REFUSED].contains(&heading) && why.starts_with(rule),
        "{heading}: {why}"
    );
}

#[tokio::test]
async fn f1_an_address_of_another_tenant_takes_no_account_over() {
    // nOAuth: anybody may write anybody's address into an Entra account of their own tenant.
    let rig = Rig::start(Entra, &[TRUSTED[0], JIT, ("rollbookAllowedTenant", "*")]).await;
    let bob = rig.here("bob", true).await;
    let evil = "9b1c2f3a-0000-4000-8000-00000000e711";
    for xms_edov in [json!(null), json!(false), json!("0")] {
        rig.person(json!({"tid": evil, "oid": "00000000-0000-0000-0000-00000000e711", "xms_edov": xms_edov}));
        let (browser, _) = rig.sign_in().await;
        assert_ne!(rig.who(&browser), Some(bob.id));
    }
    assert_eq!(
        rig.holding("mail", "bob@example.com"),
        std::slice::from_ref(&bob.dn),
        "no new account got the address either"
    );
    rig.server.verify().await;
}

#[tokio::test]
async fn f2_other_tenants_and_issuers_stay_outside() {
    let rig = Rig::start(Entra, &[JIT]).await;
    let other = "9b1c2f3a-0000-4000-8000-00000000e711";
    rig.person(json!({"tid": other}));
    let (browser, heading) = rig.sign_in().await;
    refused(&rig, &browser, &heading, "R");
    rig.person(json!({}));
    let issuer = format!("{}/{other}/v2.0", rig.upstream.origin());
    for claims in [json!({"iss": issuer}), json!({"iss": format!("{}/{{tenantid}}/v2.0", rig.upstream.origin())})] {
        rig.upstream.tell(|asked| asked.claims = claims);
        let (browser, heading) = rig.sign_in().await;
        refused(&rig, &browser, &heading, "R5");
    }
    rig.upstream.tell(|asked| asked.claims = json!(null));
    assert_eq!(rig.sign_in().await.1, IN);
    rig.server.verify().await;
}

#[tokio::test]
async fn f3_an_answer_of_one_provider_is_none_of_another() {
    let rig = Rig::start(Oidc, &[JIT]).await;
    rig.add_provider("other", "Other", Oidc, &[JIT]).await;
    let mut browser = Browser::open(&rig.server).await;
    let way = rig.way(&mut browser, "/sign-in", "other").await;
    let back = rig.go(&mut browser, &way).await;
    let heading = rig.come(&mut browser, &back.replacen("/sso/other/", "/sso/corp/", 1)).await;
    refused(&rig, &browser, &heading, "R1");
    for (callback, rule) in [(json!({"iss": "https://other.example"}), "R3"), (json!({"iss": null}), "R3")] {
        rig.upstream.tell(|asked| asked.callback = callback);
        let (browser, heading) = rig.sign_in().await;
        refused(&rig, &browser, &heading, rule);
    }
    assert_eq!(rig.upstream.served("token"), 0);
    rig.server.verify().await;
}

#[tokio::test]
async fn f4_a_token_that_is_not_for_us_now_signs_nobody_in() {
    let rig = Rig::start(Oidc, &[JIT]).await;
    let lies = [
        json!({"aud": "somebody else"}),
        json!({"nonce": null}),
        json!({"nonce": "another"}),
        json!({"exp": 1}),
        json!({"iat": 4_000_000_000_i64}),
        json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
    ];
    for claims in lies {
        rig.upstream.tell(|asked| asked.claims = claims);
        let (browser, heading) = rig.sign_in().await;
        refused(&rig, &browser, &heading, "R4");
    }
    rig.upstream.tell(|asked| asked.claims = json!(null));
    for signed in [Signed::Nobody, Signed::Hs256(testkit::UPSTREAM_SECRET.into()), Signed::Stranger] {
        rig.upstream.tell(|asked| asked.signed = signed);
        let (browser, heading) = rig.sign_in().await;
        refused(&rig, &browser, &heading, "R4");
    }
    rig.upstream.tell(|asked| asked.signed = Signed::Rs256);
    let asked = rig.upstream.served("keys");
    for kid in 0..10 {
        rig.upstream.tell(|asked| asked.header = json!({"kid": format!("unknown {kid}")}));
        rig.sign_in().await;
    }
    assert!(rig.upstream.served("keys") <= asked + 1, "a flood of unknown keys asks once");
    assert!(rig.holding("rollbookUserType", "sso").is_empty());
    rig.server.verify().await;
}

#[tokio::test]
async fn f5_codes_and_descriptions_of_others_do_nothing() {
    // Login CSRF, a repeated state, a late answer, and what an error says.
    let rig = Rig::start(Oidc, &[JIT]).await;
    let (mut attacker, mut victim) = (Browser::open(&rig.server).await, Browser::open(&rig.server).await);
    let injected = rig.leave(&mut attacker).await;
    victim.visit(&injected).await;
    assert!(rig.who(&victim).is_none(), "nobody is signed in as the attacker");
    let own = rig.leave(&mut victim).await;
    let code = |back: &str| back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let heading = rig.come(&mut victim, &own.replacen(&code(&own), &code(&injected), 1)).await;
    refused(&rig, &victim, &heading, "R15");
    victim.visit(&own).await;
    assert!(rig.who(&victim).is_none(), "the state has been used");
    let mut late = Browser::open(&rig.server).await;
    let back = rig.leave(&mut late).await;
    rig.pass(Span::from_mins(11));
    let heading = rig.come(&mut late, &back).await;
    refused(&rig, &late, &heading, "R1");
    let html = "<script>alert(1)</script>";
    for error in ["access_denied", html] {
        let callback = json!({"code": null, "error": error, "error_description": html});
        rig.upstream.tell(|asked| asked.callback = callback);
        let (browser, heading) = rig.sign_in().await;
        refused(&rig, &browser, &heading, "R15");
        assert!(!browser.page.text().contains("alert(1)") && !rig.why().contains("alert(1)"));
    }
    rig.server.verify().await;
}

#[tokio::test]
async fn f6_names_and_groups_of_others_give_nothing_here() {
    let rig = Rig::start(Oidc, &[JIT]).await;
    let admin = rig.here("boss", true).await;
    rig.server.grant("cn=TENANT_ADMIN,ou=roles,dc=example,dc=com", &admin).await;
    let groups = ["admins", "SYSTEM_ADMIN", "cn=SYSTEM_ADMIN,ou=roles,dc=example,dc=com", "staff"];
    rig.person(json!({"sub": "x", "preferred_username": "boss", "groups": groups, "roles": groups}));
    let (browser, heading) = rig.sign_in().await;
    let made = "uid=boss-2,ou=people,dc=example,dc=com";
    assert_eq!((heading.as_str(), rig.who(&browser)), (IN, Some(rig.server.id(made))));
    assert!(rig.holding("member", made).is_empty());
    // Not even an administrator's slip maps anybody to the deployment's own role: who would get it is refused.
    let slip = "admins=cn=SYSTEM_ADMIN,ou=roles,dc=example,dc=com";
    rig.set(crate::rig::CORP, directory::change::ModificationKind::Add, "rollbookGroupMapping", slip).await;
    let (browser, heading) = rig.sign_in().await;
    assert_eq!((heading.as_str(), rig.who(&browser)), (REFUSED, None));
    assert!(rig.server.enters(testkit::Door::Username, &admin, PASSWORD).await);
    rig.server.verify().await;
}

#[tokio::test]
async fn f7_a_provider_that_answers_nonsense_is_down() {
    let rig = Rig::start(Google, &[JIT]).await;
    for metadata in [
        json!({"issuer": "https://other.example"}),
        json!({"token_endpoint": "http://localhost/token"}),
        json!({"authorization_endpoint": "javascript:alert(1)"}),
    ] {
        rig.upstream.tell(|asked| asked.metadata = metadata.clone());
        let mut browser = Browser::open(&rig.server).await;
        let way = rig.way(&mut browser, "/sign-in", "corp").await;
        browser.visit(&way).await;
        assert_eq!((browser.heading().as_str(), browser.elsewhere()), (SIGN_IN, None), "{metadata}");
        rig.again().await;
    }
    rig.upstream.tell(|asked| asked.metadata = json!(null));
    for (path, trouble) in [("token", Trouble::Huge), ("token", Trouble::Redirect("https://localhost/".into()))] {
        rig.upstream.tell(|asked| _ = asked.trouble.insert(path, trouble));
        let (browser, heading) = rig.sign_in().await;
        refused(&rig, &browser, &heading, "R");
        assert_eq!(browser.page.status, StatusCode::OK);
    }
    rig.server.verify().await;
}

#[tokio::test]
async fn f8_who_is_disabled_here_is_refused() {
    let rig = Rig::start(Oidc, &[TRUSTED[0], TRUSTED[1]]).await;
    let ada = rig.here("ada", true).await;
    rig.person(somebody("ada"));
    let (browser, _) = rig.sign_in().await;
    assert_eq!(rig.who(&browser), Some(ada.id));
    rig.server.act(&ada, Act::Active(false)).await.unwrap();
    assert!(rig.who(&browser).is_none(), "and at once, where they are signed in");
    let (browser, heading) = rig.sign_in().await;
    assert_eq!((heading.as_str(), browser.page.status), (REFUSED, StatusCode::FORBIDDEN));
    refused(&rig, &browser, &heading, "R13");
    rig.server.verify().await;
}

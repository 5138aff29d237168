//! The modules of oidcc-basic-certification-test-plan and oidcc-config-certification-test-plan, by their names.
//!
//! One difference: PKCE is sent everywhere, because it is demanded of every client.

use crate::browser::Browser;
use crate::rig::{BYE, CALLBACK, ISSUER, Rig, VERIFIER};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use directory::clock::Span;
use serde_json::{Value, json};

#[tokio::test]
async fn oidcc_server_and_idtoken_signature() {
    // Goal: the happy flow; what the tokens say; RS256 unless the client says otherwise; nothing may be kept.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let mut browser = Browser::default();
    let page = rig.enter(&mut browser, &app, "bob", &[]).await;
    let place = page.elsewhere.clone().unwrap();
    assert!(place.starts_with(&format!("{CALLBACK}?")), "{place}");
    assert_eq!((page.outside("state"), page.outside("iss")), ("st".into(), ISSUER.into()));
    let answer = rig.redeem(&app, &page.outside("code")).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.json());
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["pragma"], "no-cache");
    let tokens = answer.json();
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"], &tokens["scope"]),
        (&json!("Bearer"), &json!(600), &json!("openid"))
    );
    let (id, algorithm, typ) = rig.claims(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!((algorithm.as_str(), typ.as_str()), ("RS256", "jwt"));
    assert_eq!((&id["iss"], &id["aud"], &id["nonce"]), (&json!(ISSUER), &json!("orders"), &json!("no")));
    assert_eq!((&id["auth_time"], &id["acr"], &id["amr"]), (&json!(rig.seconds()), &json!("pwd"), &json!(["pwd"])));
    let (access, _, typ) = rig.claims(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(typ, "at+jwt");
    assert_eq!((&access["sub"], &access["client_id"], &access["aud"]), (&id["sub"], &json!("orders"), &json!(ISSUER)));
    let told = rig.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!(told.keys().collect::<Vec<_>>(), ["sub"]);
    assert_eq!(told["sub"], id["sub"]);
    rig.verify().await;
}

#[tokio::test]
async fn oidcc_response_type_missing() {
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let page = Browser::default().go(&rig, &rig.authorize(&app, &[("response_type", "")])).await;
    assert_eq!((page.outside("error"), page.outside("state")), ("invalid_request".into(), "st".into()));
    assert_eq!(page.outside("iss"), ISSUER, "requirement 54");
}

#[tokio::test]
async fn oidcc_idtoken_unsigned_cannot_be_had() {
    // Goal: no application can be made whose tokens are not signed, and the metadata names no such algorithm.
    let rig = Rig::start().await;
    let app = rig.app("bare", &[("rollbookTokenAlgorithm", "none")]).await;
    let page = Browser::default().go(&rig, &rig.authorize(&app, &[])).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let metadata = rig.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["id_token_signing_alg_values_supported"], json!(["RS256", "ES256", "EdDSA"]));
    for (name, algorithm) in [("curve", "ES256"), ("edwards", "EdDSA")] {
        let app = rig.app(name, &[("rollbookTokenAlgorithm", algorithm)]).await;
        let tokens = rig.tokens(&mut Browser::default(), &app, &[]).await;
        assert_eq!(rig.claims(tokens["id_token"].as_str().unwrap()).await.1, algorithm);
    }
}

#[tokio::test]
async fn oidcc_userinfo_get_post_header_post_body() {
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let tokens = rig.tokens(&mut Browser::default(), &app, &[("scope", "openid email")]).await;
    let token = tokens["access_token"].as_str().unwrap();
    let bearer = format!("Bearer {token}");
    let post = rig.post("/oauth2/userinfo", Some(&bearer), &[]).await.json();
    assert_eq!(rig.userinfo(token).await.json(), post);
    assert_eq!(rig.post("/oauth2/userinfo", None, &[("access_token", token)]).await.json(), post);
    assert_eq!(post["email"], "bob@example.com");
    // RFC 6750 §2: one way at a time, never in the address.
    let both = rig.post("/oauth2/userinfo", Some(&bearer), &[("access_token", token)]).await;
    assert_eq!(both.error(), (400, "invalid_request".into()));
    let query = rig.get(&format!("/oauth2/userinfo?access_token={token}")).await;
    assert_eq!(query.status, StatusCode::UNAUTHORIZED);
    assert_eq!(query.headers["www-authenticate"], "Bearer realm=\"rollbook\"");
}

#[tokio::test]
async fn oidcc_scopes() {
    // Goal: profile, email, address, phone, all; each shows its claims and no others.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let mut browser = Browser::default();
    let mut shown = async |scope: &str| {
        let tokens = rig.tokens(&mut browser, &app, &[("scope", scope)]).await;
        rig.userinfo(tokens["access_token"].as_str().unwrap()).await.json()
    };
    let profile = shown("openid profile").await;
    let wanted = ["family_name", "given_name", "locale", "name", "preferred_username", "sub", "updated_at"];
    assert_eq!(profile.keys().collect::<Vec<_>>(), wanted);
    assert_eq!((&profile["name"], &profile["preferred_username"]), (&json!("Bob Builder"), &json!("bob")));
    assert!(profile["updated_at"].is_i64());
    let email = shown("openid email").await;
    assert_eq!((&email["email"], &email["email_verified"], email.len()), (&json!("bob@example.com"), &json!(true), 3));
    let address = shown("openid address").await;
    assert_eq!(address["address"], json!({"formatted": "1 Main Street\nSpringfield", "locality": "Springfield"}));
    let phone = shown("openid phone").await;
    assert_eq!((&phone["phone_number"], phone.len()), (&json!("+1 555 0100"), 2));
    let all = shown("openid profile email address phone").await;
    assert_eq!(all.len(), 7 + 2 + 1 + 1);
    assert_eq!(shown("openid unknown").await.len(), 1);
}

#[tokio::test]
async fn oidcc_requests_that_must_not_fail() {
    // Goal: alternate-happy-flow, display-page, display-popup, without nonce, unknown parameter, login-hint, ui-locales,
    // claims-locales, acr-values, valid pkce: all succeed.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let rows: [&[(&str, &str)]; 11] = [
        &[("scope", "email openid")],
        &[("display", "page")],
        &[("display", "popup")],
        &[("nonce", "")],
        &[("extra", "foobar")],
        &[("login_hint", "bob@example.com")],
        &[("ui_locales", "se")],
        &[("claims_locales", "se")],
        &[("acr_values", "pwd mfa")],
        &[("acr_values", "1 2")],
        &[],
    ];
    for changes in rows {
        let tokens = rig.tokens(&mut Browser::default(), &app, changes).await;
        let (id, ..) = rig.claims(tokens["id_token"].as_str().unwrap()).await;
        assert!(id.contains_key("acr"), "{changes:?}");
        assert_eq!(id.contains_key("nonce"), !changes.contains(&("nonce", "")), "{changes:?}");
    }
    let page = Browser::default().go(&rig, &rig.authorize(&app, &[("login_hint", "bob@example.com")])).await;
    assert!(page.body.contains("value=\"bob@example.com\""), "the name is filled in");
    let page = Browser::default().go(&rig, &rig.authorize(&app, &[("ui_locales", "de")])).await;
    assert!(page.body.contains("lang=\"de\""), "the language is taken");
}

#[tokio::test]
async fn oidcc_prompt_login() {
    // Goal: the person signs in again although signed in, and auth_time rises.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let mut browser = Browser::default();
    let first = rig.tokens(&mut browser, &app, &[]).await;
    rig.pass(Span::from_secs(5));
    let page = browser.go(&rig, &rig.authorize(&app, &[("prompt", "login")])).await;
    assert!(page.asks_for_password());
    // Going back without signing in leads to the same question.
    let again = browser.go(&rig, &rig.authorize(&app, &[("prompt", "login")])).await;
    assert!(again.asks_for_password());
    rig.pass(Span::from_mins(2));
    let page = browser.sign_in(&rig, page, "bob", crate::rig::PASSWORD).await;
    let second = rig.redeem(&app, &page.outside("code")).await.json();
    let time = async |tokens: &Value| rig.claims(tokens.as_str().unwrap()).await.0["auth_time"].as_i64().unwrap();
    assert_eq!(time(&second["id_token"]).await - time(&first["id_token"]).await, 125);
}

#[tokio::test]
async fn oidcc_prompt_none() {
    // Goal: not signed in: login_required by redirect; signed in: silent, the same sub and auth_time.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let mut browser = Browser::default();
    let page = browser.go(&rig, &rig.authorize(&app, &[("prompt", "none")])).await;
    assert_eq!((page.outside("error"), page.outside("state")), ("login_required".into(), "st".into()));
    let first = rig.tokens(&mut browser, &app, &[]).await;
    rig.pass(Span::from_secs(30));
    let page = browser.go(&rig, &rig.authorize(&app, &[("prompt", "none")])).await;
    let second = rig.redeem(&app, &page.outside("code")).await.json();
    let (one, ..) = rig.claims(first["id_token"].as_str().unwrap()).await;
    let (two, ..) = rig.claims(second["id_token"].as_str().unwrap()).await;
    assert_eq!((&one["sub"], &one["auth_time"]), (&two["sub"], &two["auth_time"]));
    // id-token-hint: with the hint silent as well; with somebody else's not.
    let hint = first["id_token"].as_str().unwrap();
    let page = browser.go(&rig, &rig.authorize(&app, &[("prompt", "none"), ("id_token_hint", hint)])).await;
    assert!(page.parameter("code").is_some());
    let mut other = Browser::default();
    rig.enter(&mut other, &app, "amy", &[]).await;
    let page = other.go(&rig, &rig.authorize(&app, &[("prompt", "none"), ("id_token_hint", hint)])).await;
    assert_eq!(page.outside("error"), "login_required");
}

#[tokio::test]
async fn oidcc_max_age_1_and_10000() {
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let mut browser = Browser::default();
    let first = rig.tokens(&mut browser, &app, &[("max_age", "10000")]).await;
    rig.pass(Span::from_secs(2));
    let page = browser.go(&rig, &rig.authorize(&app, &[("max_age", "10000")])).await;
    let second = rig.redeem(&app, &page.outside("code")).await.json();
    let page = browser.go(&rig, &rig.authorize(&app, &[("max_age", "1")])).await;
    assert!(page.asks_for_password());
    // Slower than the age itself: who has just signed in is not asked again.
    let page = browser.sign_in(&rig, page, "bob", crate::rig::PASSWORD).await;
    let third = rig.redeem(&app, &page.outside("code")).await.json();
    let time = async |tokens: &serde_json::Map<String, Value>| {
        rig.claims(tokens["id_token"].as_str().unwrap()).await.0["auth_time"].as_i64().unwrap()
    };
    assert_eq!(time(&first).await, time(&second).await);
    assert_eq!(time(&third).await - time(&first).await, 2);
}

#[tokio::test]
async fn oidcc_codereuse_and_30seconds() {
    // Goal: a code is good once; its second use, at once or later, ends what the first has granted.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    for wait in [0, 30] {
        let mut browser = Browser::default();
        let page = rig.enter(&mut browser, &app, "bob", &[]).await;
        let code = page.outside("code");
        let tokens = rig.redeem(&app, &code).await.json();
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(rig.userinfo(access).await.status, StatusCode::OK);
        rig.pass(Span::from_secs(wait));
        assert_eq!(rig.redeem(&app, &code).await.error(), (400, "invalid_grant".into()));
        let refused = rig.userinfo(access).await;
        assert_eq!(refused.error(), (401, "invalid_token".into()));
        assert!(refused.headers["www-authenticate"].to_str().unwrap().contains("error=\"invalid_token\""));
        assert!(!rig.is_active(&app, access).await);
        assert_eq!(rig.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.error().1, "invalid_grant");
    }
    rig.verify().await;
}

#[tokio::test]
async fn oidcc_ensure_registered_redirect_uri() {
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    for address in ["https://evil.example/cb", "https://app.example/cb/x", "https://app.example/cb?a=b"] {
        let page = Browser::default().go(&rig, &rig.authorize(&app, &[("redirect_uri", address)])).await;
        assert_eq!((page.status, page.elsewhere), (StatusCode::BAD_REQUEST, None), "{address}");
        assert!(page.body.contains("invalid_request"));
    }
}

#[tokio::test]
async fn oidcc_ensure_post_request_succeeds() {
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let address = rig.authorize(&app, &[]);
    let query = address.split_once('?').unwrap().1;
    let fields = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut browser = Browser::default();
    let page = browser.post(&rig, "/oauth2/authorize", fields).await;
    assert!(page.asks_for_password());
    let page = browser.sign_in(&rig, page, "bob", crate::rig::PASSWORD).await;
    assert_eq!(rig.redeem(&app, &page.outside("code")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn oidcc_server_client_secret_post() {
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let page = rig.enter(&mut Browser::default(), &app, "bob", &[]).await;
    let code = page.outside("code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", app.id.as_str()),
        ("client_secret", app.secret.as_str()),
    ];
    assert_eq!(rig.post("/oauth2/token", None, &form).await.status, StatusCode::OK);
}

#[tokio::test]
async fn oidcc_request_objects_are_refused() {
    // Goal: request-uri-unsigned, unsigned-request-object, request-object-with-redirect-uri: refused, never ignored.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let object = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.";
    for (name, value, error) in [
        ("request", object, "request_not_supported"),
        ("request_uri", "https://app.example/request.jwt", "request_uri_not_supported"),
    ] {
        let page = Browser::default().go(&rig, &rig.authorize(&app, &[(name, value)])).await;
        assert_eq!(page.outside("error"), error);
        assert!(page.elsewhere.unwrap().starts_with(CALLBACK));
    }
}

#[tokio::test]
async fn oidcc_claims_essential() {
    // Goal: a claim that is asked for by name is told where it is asked for; one that no scope of the client covers is not.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let claims = r#"{"userinfo":{"name":{"essential":true}},"id_token":{"email":null,"acr":null}}"#;
    let tokens = rig.tokens(&mut Browser::default(), &app, &[("claims", claims)]).await;
    let told = rig.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!((&told["name"], told.len()), (&json!("Bob Builder"), 2));
    assert_eq!(rig.claims(tokens["id_token"].as_str().unwrap()).await.0["email"], "bob@example.com");
    rig.verify().await;
}

#[tokio::test]
async fn oidcc_refresh_token() {
    // Goal: a refresh token works once, for its client alone, and gives an ID token of the same person and login.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let other = rig.app("other", &[]).await;
    let first = rig.tokens(&mut Browser::default(), &app, &[("scope", "openid email offline_access")]).await;
    let refresh = first["refresh_token"].as_str().unwrap();
    assert_eq!(rig.refresh(&other, refresh).await.error(), (400, "invalid_grant".into()));
    rig.pass(Span::from_mins(5));
    let second = rig.refresh(&app, refresh).await;
    assert_eq!(second.status, StatusCode::OK, "another client's try has ended nothing: {:?}", second.json());
    let second = second.json();
    let (one, ..) = rig.claims(first["id_token"].as_str().unwrap()).await;
    let (two, ..) = rig.claims(second["id_token"].as_str().unwrap()).await;
    for name in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(one[name], two[name], "{name}");
    }
    assert!(two["iat"].as_i64() > one["iat"].as_i64() && !two.contains_key("nonce"));
    // A narrower scope is granted, a wider one is not (requirement 52).
    let third = second["refresh_token"].as_str().unwrap();
    let wider = [("grant_type", "refresh_token"), ("refresh_token", third), ("scope", "openid profile")];
    assert_eq!(rig.ask(&app, "/oauth2/token", &wider).await.error(), (400, "invalid_scope".into()));
    let narrower = [("grant_type", "refresh_token"), ("refresh_token", third), ("scope", "openid")];
    assert_eq!(rig.ask(&app, "/oauth2/token", &narrower).await.json()["scope"], "openid");
    rig.verify().await;
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    // Goal: the Config plan: what must be there is there, addresses begin with the issuer, keys are well formed; the same
    // document for OAuth (RFC 8414); pages of other origins may read it.
    let rig = Rig::start().await;
    let answer = rig.get("/.well-known/openid-configuration").await;
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert!(answer.headers.get("access-control-allow-credentials").is_none());
    let metadata = answer.json();
    assert_eq!(rig.get("/.well-known/oauth-authorization-server").await.json(), metadata);
    assert_eq!(metadata["issuer"], ISSUER);
    for name in ["authorization", "token", "userinfo", "introspection", "revocation", "end_session"] {
        let address = metadata[&format!("{name}_endpoint")].as_str().unwrap();
        assert!(address.starts_with(&format!("{ISSUER}/oauth2/")), "{address}");
    }
    for (name, value) in [
        ("response_types_supported", json!(["code"])),
        ("subject_types_supported", json!(["public"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("grant_types_supported", json!(["authorization_code", "refresh_token", "client_credentials"])),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("claims_parameter_supported", json!(true)),
        ("request_parameter_supported", json!(false)),
        ("request_uri_parameter_supported", json!(false)),
        ("backchannel_logout_supported", json!(true)),
        ("backchannel_logout_session_supported", json!(true)),
    ] {
        assert_eq!(metadata[name], value, "{name}");
    }
    let scopes = metadata["scopes_supported"].as_array().unwrap();
    assert!(scopes.contains(&json!("openid")) && scopes.contains(&json!("offline_access")));
    let set = rig.get("/oauth2/jwks").await.json();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3);
    for key in keys {
        assert!(oidc::jose::key::PublicKey::from_jwk(key.as_object().unwrap()).is_ok());
        assert!(key.get("d").is_none() && key["use"] == "sig");
    }
}

#[tokio::test]
async fn cors_is_for_tokens_alone() {
    // Goal: requirement 67: never on the authorization endpoint, never with credentials.
    let rig = Rig::start().await;
    for path in ["/.well-known/openid-configuration", "/oauth2/jwks", "/oauth2/token", "/oauth2/userinfo"] {
        let request = Request::options(path).header("origin", "https://spa.example");
        let answer = rig.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert!(answer.headers.get("access-control-allow-credentials").is_none());
    }
    for path in ["/oauth2/authorize", "/oauth2/logout", "/oauth2/introspect", "/oauth2/revoke", "/sign-in"] {
        let request = Request::options(path).header("origin", "https://spa.example");
        let answer = rig.send(request.body(Body::empty()).unwrap()).await;
        assert!(answer.headers.get("access-control-allow-origin").is_none(), "{path}");
    }
    assert!(BYE.starts_with("https://"));
}

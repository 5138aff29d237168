//! Rows of hostile input at the provider: tokens of another kind, clients that are not who they say, requests of others.

use crate::browser::Browser;
use crate::rig::{CALLBACK, ISSUER, Rig, VERIFIER, bend};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use directory::bootstrap;
use directory::clock::Span;
use oidc::jose::sign::SigningKey;
use oidc::jose::{Algorithm, jws};
use oidc::provider::Issuer;
use serde_json::{Value, json};

#[tokio::test]
async fn e11_tokens_of_another_kind_or_client() {
    // Goal: requirements 44, 45, 55: an ID token is no access token, a bent one is none, another client's is not told of.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let other = rig.app("other", &[]).await;
    let public = rig.app("public", &[("rollbookClientAuthentication", "none")]).await;
    let tokens = rig.tokens(&mut Browser::default(), &app, &[]).await;
    let (access, id) = (tokens["access_token"].as_str().unwrap(), tokens["id_token"].as_str().unwrap());
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert!(rig.is_active(&app, access).await && rig.is_active(&app, refresh).await);
    let introspected = rig.introspect(&app, access).await;
    assert_eq!((&introspected["username"], &introspected["client_id"]), (&json!("bob"), &json!("orders")));
    assert!(introspected.get("fam").is_none());
    for bad in [id, &bend(access), "", "x", "a.b.c", &format!("{access}x")] {
        let status = rig.userinfo(bad).await.status;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{bad}");
    }
    for bad in [id.to_owned(), bend(access), "x".into(), "rbr_x_y".into()] {
        assert_eq!(rig.introspect(&app, &bad).await.len(), 1, "active: false and nothing else");
    }
    for token in [access, refresh] {
        assert!(!rig.is_active(&other, token).await, "another client learns nothing");
        assert_eq!(rig.ask(&other, "/oauth2/revoke", &[("token", token)]).await.status, StatusCode::OK);
        assert!(rig.is_active(&app, token).await, "and ends nothing");
    }
    let asked = rig.post("/oauth2/introspect", None, &[("token", access), ("client_id", &public.id)]).await;
    assert_eq!(asked.error(), (401, "invalid_client".into()));
    // Revocation: an access token by itself, a refresh token with all that it gave.
    assert_eq!(rig.ask(&app, "/oauth2/revoke", &[("token", access)]).await.status, StatusCode::OK);
    assert!(!rig.is_active(&app, access).await && rig.is_active(&app, refresh).await);
    let second = rig.refresh(&app, refresh).await.json();
    assert_eq!(
        rig.ask(&app, "/oauth2/revoke", &[("token", second["refresh_token"].as_str().unwrap())]).await.status,
        StatusCode::OK
    );
    assert!(!rig.is_active(&app, second["access_token"].as_str().unwrap()).await);
    rig.verify().await;
}

#[tokio::test]
async fn e12_clients_that_are_not_who_they_say() {
    // Goal: unknown client, wrong or empty secret and wrong method get one answer; an assertion is good once.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let key = SigningKey::from_pkcs8(Algorithm::Es256, &Algorithm::Es256.generate().unwrap()).unwrap();
    let set = json!({"keys": [key.public().to_jwk("k")]}).to_string();
    let signer =
        rig.app("signer", &[("rollbookClientAuthentication", "private_key_jwt"), ("rollbookKeySet", &set)]).await;
    let basic = |id: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let form = [("grant_type", "client_credentials")];
    let mut bodies = Vec::new();
    for (id, secret) in [
        ("nobody", "x"),
        ("orders", "x"),
        ("orders", ""),
        ("signer", signer.secret.as_str()),
        ("ORDERS", app.secret.as_str()),
    ] {
        let answer = rig.post("/oauth2/token", Some(&basic(id, secret)), &form).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{id}");
        assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"rollbook\"");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "one answer for all of them");
    let bare = rig.post("/oauth2/token", None, &[("grant_type", "client_credentials"), ("client_id", "orders")]).await;
    assert_eq!(bare.error(), (401, "invalid_client".into()));
    let at = rig.seconds();
    let assertion = |aud: Value| {
        let Value::Object(claims) =
            json!({"iss": "signer", "sub": "signer", "aud": aud, "jti": "j1", "iat": at, "exp": at + 60})
        else {
            panic!()
        };
        jws::sign(&key, "k", "JWT", &claims).unwrap()
    };
    let ask = async |assertion: &str| {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let form =
            [("grant_type", "client_credentials"), ("client_assertion_type", kind), ("client_assertion", assertion)];
        rig.post("/oauth2/token", None, &form).await.status
    };
    assert_eq!(ask(&assertion(json!("https://localhost/oauth2/token"))).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&assertion(json!("https://localhost"))).await, StatusCode::OK);
    assert_eq!(ask(&assertion(json!("https://localhost"))).await, StatusCode::UNAUTHORIZED, "a second time");
    rig.verify().await;
}

#[tokio::test]
async fn requirement_63_a_clients_own_token_is_nobodys() {
    // Goal: a token of client credentials opens no userinfo, has no person in it and no refresh token beside it; a client
    // whose identifier looks like an account's gets none.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let answer =
        rig.ask(&app, "/oauth2/token", &[("grant_type", "client_credentials"), ("scope", "email groups")]).await.json();
    assert!(!answer.contains_key("refresh_token") && !answer.contains_key("id_token"));
    let token = answer["access_token"].as_str().unwrap();
    let (claims, ..) = rig.claims(token).await;
    assert_eq!((&claims["sub"], &claims["scope"]), (&json!("orders"), &json!("email groups")));
    assert!(!claims.contains_key("auth_time") && rig.is_active(&app, token).await);
    assert_eq!(rig.userinfo(token).await.error(), (401, "invalid_token".into()));
    let wide = rig.ask(&app, "/oauth2/token", &[("grant_type", "client_credentials"), ("scope", "openid")]).await;
    assert_eq!(wide.error(), (400, "invalid_scope".into()));
    let disguised = rig.app("6ba7b810-9dad-11d1-80b4-00c04fd430c8", &[]).await;
    let answer = rig.ask(&disguised, "/oauth2/token", &[("grant_type", "client_credentials")]).await;
    assert_eq!(answer.error(), (400, "unauthorized_client".into()));
}

#[tokio::test]
async fn e3_pkce_and_the_binding_of_a_code() {
    // Goal: requirements 48 and 49: a code is bound to its client, address and verifier, and dies after a minute.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[("rollbookRedirectUri", "https://app.example/other")]).await;
    let other = rig.app("other", &[]).await;
    let mut browser = Browser::default();
    let short = "a".repeat(42);
    let long = "a".repeat(129);
    let rows: [(&str, &str); 6] = [
        (CALLBACK, ""),
        (CALLBACK, &short),
        (CALLBACK, &long),
        (CALLBACK, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"),
        ("https://app.example/other", VERIFIER),
        ("", VERIFIER),
    ];
    for (address, verifier) in rows {
        let code = rig.enter(&mut browser, &app, "bob", &[]).await.outside("code");
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", address),
            ("code_verifier", verifier),
        ];
        let answer = rig.ask(&app, "/oauth2/token", &form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address} {verifier}");
        assert_eq!(rig.redeem(&other, &code).await.error(), (400, "invalid_grant".into()));
        assert_eq!(rig.redeem(&app, &code).await.status, StatusCode::OK, "no wrong try has used it up");
    }
    let code = rig.enter(&mut browser, &app, "bob", &[]).await.outside("code");
    rig.pass(Span::from_secs(61));
    assert_eq!(rig.redeem(&app, &code).await.error(), (400, "invalid_grant".into()));
    let (nonce, claims) =
        ("n".repeat(512), format!(r#"{{"userinfo":{{"email":{{"value":"{}"}}}}}}"#, "c".repeat(4_500)));
    let page = rig.enter(&mut browser, &app, "bob", &[("nonce", &nonce), ("claims", &claims)]).await;
    assert_eq!(page.outside("error"), "invalid_request", "a code holds what was asked, and addresses have an end");
    let tokens = rig.tokens(&mut browser, &app, &[("nonce", &nonce)]).await;
    assert_eq!(rig.claims(tokens["id_token"].as_str().unwrap()).await.0["nonce"], nonce.as_str());
    let wrong =
        rig.ask(&app, "/oauth2/token", &[("grant_type", "password"), ("username", "bob"), ("password", "x")]).await;
    assert_eq!(wrong.error(), (400, "unsupported_grant_type".into()), "requirement 50");
    let twice = rig
        .ask(&app, "/oauth2/token", &[("grant_type", "client_credentials"), ("grant_type", "client_credentials")])
        .await;
    assert_eq!(twice.error(), (400, "invalid_request".into()));
    let query = format!("/oauth2/token?client_id={}&client_secret={}", app.id, app.secret);
    let answer = rig.post(&query, None, &[("grant_type", "client_credentials")]).await;
    assert_eq!(answer.error(), (400, "invalid_request".into()), "credentials in the address are not looked at");
}

#[tokio::test]
async fn e14_keys_roll() {
    // Goal: an ordinary roll publishes keys that do not sign yet; an emergency voids what was signed, at once.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let tokens = rig.tokens(&mut Browser::default(), &app, &[]).await;
    let access = tokens["access_token"].as_str().unwrap();
    let count = async || rig.get("/oauth2/jwks").await.json()["keys"].as_array().unwrap().len();
    let operator = bootstrap::operator(&rig.directory);
    rig.directory.roll_keys(&operator, false).await.unwrap();
    assert_eq!(count().await, 6);
    assert!(rig.is_active(&app, access).await);
    rig.directory.roll_keys(&bootstrap::operator(&rig.directory), true).await.unwrap();
    assert_eq!(count().await, 3);
    assert!(!rig.is_active(&app, access).await);
    assert_eq!(rig.userinfo(access).await.status, StatusCode::UNAUTHORIZED);
    let fresh = rig.tokens(&mut Browser::default(), &app, &[]).await;
    assert!(rig.is_active(&app, fresh["access_token"].as_str().unwrap()).await);
}

#[tokio::test]
async fn e6_and_e8_sessions_and_hosts() {
    // Goal: a new secret at every sign-in; a planted cookie is nobody's; the Host header changes no address.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let mut browser = Browser::default();
    browser.cookies.insert("__Host-rollbook".into(), "rbw_AAAAAAAAAAAA_planted".into());
    let page = browser.go(&rig, &rig.authorize(&app, &[])).await;
    browser.sign_in(&rig, page, "bob", crate::rig::PASSWORD).await;
    let first = browser.cookies["__Host-rollbook"].clone();
    assert!(!first.contains("planted"));
    rig.pass(Span::from_secs(1));
    let page = browser.go(&rig, &rig.authorize(&app, &[("prompt", "login")])).await;
    browser.sign_in(&rig, page, "bob", crate::rig::PASSWORD).await;
    assert_ne!(browser.cookies["__Host-rollbook"], first, "requirement 30");
    let request = Request::get("/.well-known/openid-configuration")
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example");
    let answer = rig.send(request.body(Body::empty()).unwrap()).await;
    assert!(!String::from_utf8(answer.body).unwrap().contains("evil"));
    rig.pass(Span::from_secs(1));
    // A sealed way back belongs to its request: glued to another one it says nothing.
    let page =
        browser.go(&rig, &rig.authorize(&app, &[("prompt", "login"), ("resume", "forged"), ("flow", "x\"y")])).await;
    assert!(page.asks_for_password());
}

#[tokio::test]
async fn a_login_is_explained() {
    // Goal: any request of a login leads to its steps, with the rule that refused it; nothing secret stands there.
    let rig = Rig::start().await;
    let app = rig.app("orders", &[]).await;
    let page = rig.enter(&mut Browser::default(), &app, "bob", &[]).await;
    let code = page.outside("code");
    rig.redeem(&app, &code).await;
    rig.redeem(&app, &code).await;
    let steps = rig.directory.trail().explain("0000000000000000");
    let whats: Vec<&str> = steps.iter().map(|step| step.what.as_str()).collect();
    assert!(
        whats.contains(&"sent to sign in") && whats.contains(&"code issued") && whats.contains(&"token"),
        "{whats:?}"
    );
    let refused = steps.iter().find_map(|step| step.refused.as_deref()).unwrap();
    assert!(refused.contains("used before"), "{refused}");
    let all = format!("{steps:?}");
    assert!(!all.contains(&code) && !all.contains(&app.secret) && !all.contains(crate::rig::PASSWORD));
    rig.verify().await;
}

/// Goal: a server that has no https name is no provider: nothing of it answers, whatever a request calls the server (hostile
/// row E8, security requirement 68); with a name it does at once.
#[tokio::test]
async fn without_an_issuer_nothing_is_answered() {
    let issuer = Issuer::default();
    let rig = Rig::named(issuer.clone(), rustls::RootCertStore::empty(), Vec::new()).await;
    let known = Rig::start().await.get("/.well-known/openid-configuration").await.json();
    let places = known.values().filter_map(serde_json::Value::as_str).filter_map(|url| url.strip_prefix(ISSUER));
    let places: Vec<&str> =
        places.filter(|place| !place.is_empty()).chain(["/.well-known/openid-configuration"]).collect();
    assert!(places.len() >= 8, "{places:?}");
    for place in &places {
        for host in ["localhost", "id.example.com"] {
            let request = Request::get(*place).header("Host", host).header("X-Forwarded-Proto", "https");
            let answer = rig.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!((answer.status.as_u16(), answer.body.len()), (404, 0), "{place}");
        }
        assert_eq!(rig.post(place, None, &[]).await.status.as_u16(), 404, "{place}");
    }
    issuer.set(ISSUER);
    assert_eq!(rig.get("/.well-known/openid-configuration").await.text("issuer"), ISSUER);
    rig.verify().await;
}

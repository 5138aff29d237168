//! Every check of the table, and every decision, at both sides of its border.

#![expect(clippy::arithmetic_side_effects, reason = "numbers of a test are small")]

use super::client::{Client, Grant, tests::sample};
use super::decide::{Demanded, Next, SignedIn, decide};
use super::error::{Code, Told, Wrong};
use super::parameters::Parameters;
use super::table::{Asked, Request, check};
use crate::jose::sign::SigningKey;
use crate::jose::{Algorithm, jws};
use crate::keys::{Key, Ring};
use directory::clock::Millis;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

const NOW: Millis = Millis(1_800_000_000_000);
const ISSUER: &str = "https://id.example";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn ring() -> Ring {
    let key = SigningKey::from_pkcs8(Algorithm::EdDsa, &Algorithm::EdDsa.generate().unwrap()).unwrap();
    let key = Key { kid: "k".into(), key: Arc::new(key), use_from: Millis(0), retire_at: Millis::MAX };
    Ring::new([key])
}

/// The good request with some parameters replaced (or, without a value, left out), checked.
fn ask_with(ring: &Ring, client: Option<&Client>, changes: &[(&str, &str)]) -> Result<Request, (Told, &'static str)> {
    let good = [
        ("client_id", "orders"),
        ("redirect_uri", "https://app.example/cb"),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("state", "s t/a=te"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (name, value) in good.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name)) {
        out.append_pair(name, value);
    }
    for (name, value) in changes {
        out.append_pair(name, value);
    }
    let parameters = Parameters::parse(out.finish().as_bytes()).unwrap();
    check(&Asked { parameters: &parameters, client, issuer: ISSUER, ring, now: NOW })
}

fn ask(changes: &[(&str, &str)]) -> Result<Request, (Told, &'static str)> {
    ask_with(&ring(), Some(&sample()), changes)
}

fn told_client(answer: Result<Request, (Told, &'static str)>) -> (Code, Option<String>) {
    match answer {
        Err((Told::Client { wrong, redirect_uri, state }, _)) => {
            assert_eq!(redirect_uri, "https://app.example/cb");
            (wrong.code, state)
        }
        other => panic!("the client is to be told, and it is {other:?}"),
    }
}

/// Goal: a good request is read whole; order, unknown parameters and hints do not matter.
#[test]
fn a_good_request() {
    let request = ask(&[
        ("extra", "foobar"),
        ("scope", "email openid unknown groups"),
        ("display", "popup"),
        ("prompt", "login consent"),
        ("max_age", "10000"),
        ("login_hint", "bob@example.com"),
        ("ui_locales", "se de-CH"),
        ("claims_locales", "se"),
        ("acr_values", "mfa pwd other"),
        ("nonce", "n"),
        ("claims", r#"{"userinfo":{"name":{"essential":true}}}"#),
    ])
    .unwrap();
    assert_eq!(request.scopes, ["email", "openid"], "what is not allowed or not known is not granted");
    assert_eq!(request.state.as_deref(), Some("s t/a=te"));
    assert!(request.prompt.login && request.prompt.consent && !request.prompt.none);
    assert_eq!(request.max_age.unwrap().millis(), 10_000_000);
    assert_eq!(request.login_hint.as_deref(), Some("bob@example.com"));
    assert!(request.claims.userinfo[0].1.essential);
    assert_eq!(request.nonce.as_deref(), Some("n"));
}

/// Goal: requirements 46 and 47: nothing is ever sent to an address that is not certain.
#[test]
fn what_is_told_on_a_page() {
    let page = |client: Option<&Client>, changes: &[(&str, &str)]| match ask_with(&ring(), client, changes) {
        Err((Told::Page(wrong), _)) => wrong.code,
        other => panic!("a page is to be shown, and it is {other:?}"),
    };
    let client = sample();
    assert_eq!(page(None, &[]), Code::InvalidClient);
    assert_eq!(page(None, &[("redirect_uri", "https://evil.example")]), Code::InvalidClient);
    for changes in [
        vec![("client_id", "")],
        vec![("client_id", "a"), ("client_id", "b")],
        vec![("redirect_uri", "")],
        vec![("redirect_uri", "https://evil.example/cb")],
        vec![("redirect_uri", "https://app.example/cb?x")],
        vec![("redirect_uri", "https://app.example/cb"), ("redirect_uri", "https://app.example/cb")],
        // Even when something else is wrong as well.
        vec![("redirect_uri", "https://evil.example/cb"), ("response_type", "token")],
    ] {
        assert_eq!(page(Some(&client), &changes), Code::InvalidRequest, "{changes:?}");
    }
}

/// Goal: hostile rows E2, E3 and E13: each wrong request gets its own code, with its state, at the client's address.
#[test]
fn what_is_told_to_the_client() {
    let long = "x".repeat(3_000);
    let deep = format!("{{\"id_token\":{}", "{\"a\":".repeat(50));
    let rows: &[(&[(&str, &str)], Code)] = &[
        (&[("response_type", "")], Code::InvalidRequest),
        (&[("response_type", "token")], Code::UnsupportedResponseType),
        (&[("response_type", "code id_token")], Code::UnsupportedResponseType),
        (&[("response_type", "none")], Code::UnsupportedResponseType),
        (&[("response_type", "CODE")], Code::UnsupportedResponseType),
        (&[("response_mode", "form_post.jwt")], Code::InvalidRequest),
        (&[("response_mode", "fragment")], Code::InvalidRequest),
        (&[("response_mode", "web_message")], Code::InvalidRequest),
        (&[("request", "eyJhbGciOiJub25lIn0.e30.")], Code::RequestNotSupported),
        (&[("request_uri", "https://app.example/r")], Code::RequestUriNotSupported),
        (&[("request_uri", "http://169.254.169.254/")], Code::RequestUriNotSupported),
        (&[("registration", "{}")], Code::RegistrationNotSupported),
        (&[("scope", "")], Code::InvalidScope),
        (&[("scope", "unknown")], Code::InvalidScope),
        (&[("scope", "roles")], Code::InvalidScope),
        (&[("code_challenge", "")], Code::InvalidRequest),
        (&[("code_challenge_method", "")], Code::InvalidRequest),
        (&[("code_challenge_method", "plain")], Code::InvalidRequest),
        (&[("code_challenge_method", "s256")], Code::InvalidRequest),
        (&[("code_challenge", "short")], Code::InvalidRequest),
        (&[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")], Code::InvalidRequest),
        (&[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")], Code::InvalidRequest),
        (&[("prompt", "none login")], Code::InvalidRequest),
        (&[("prompt", "create")], Code::InvalidRequest),
        (&[("max_age", "-1")], Code::InvalidRequest),
        (&[("max_age", "+1")], Code::InvalidRequest),
        (&[("max_age", "1.5")], Code::InvalidRequest),
        (&[("max_age", "99999999999")], Code::InvalidRequest),
        (&[("display", "hologram")], Code::InvalidRequest),
        (&[("nonce", &long)], Code::InvalidRequest),
        (&[("nonce", "a\u{0}")], Code::InvalidRequest),
        (&[("login_hint", &long)], Code::InvalidRequest),
        (&[("claims", "no json")], Code::InvalidRequest),
        (&[("claims", &deep)], Code::InvalidRequest),
        (&[("claims", r#"{"id_token":{"acr":{"essential":true,"values":["gold"]}}}"#)], Code::UnmetAuthentication),
        (&[("id_token_hint", "x")], Code::InvalidRequest),
        (&[("id_token_hint", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.")], Code::InvalidRequest),
        (&[("nonce", "a"), ("nonce", "a")], Code::InvalidRequest),
        (&[("response_type", "code"), ("response_type", "token")], Code::InvalidRequest),
    ];
    for (changes, code) in rows {
        assert_eq!(told_client(ask(changes)), (*code, Some("s t/a=te".into())), "{changes:?}");
    }
    assert_eq!(told_client(ask(&[("state", &long)])), (Code::InvalidRequest, None));
    let machine = Client { grants: vec![Grant::ClientCredentials], ..sample() };
    assert_eq!(told_client(ask_with(&ring(), Some(&machine), &[])).0, Code::UnauthorizedClient);
}

/// Goal: a hint is an ID token of ours for this client, expired or not; another type, client or issuer is none.
#[test]
fn hints() {
    let ring = ring();
    let signed = |typ: &str, claims: Value| {
        let Value::Object(claims) = claims else { panic!() };
        jws::sign(&ring.signer(Algorithm::EdDsa, NOW).unwrap().key, "k", typ, &claims).unwrap()
    };
    let at = NOW.0 / 1_000;
    let good = json!({"iss": ISSUER, "aud": "orders", "sub": "u", "sid": "s", "iat": at - 90_000, "exp": at - 86_400});
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    let hint = |token: String| ask_with(&ring, Some(&sample()), &[("id_token_hint", &token)]);
    let read = hint(signed("JWT", good.clone())).unwrap().hint.unwrap();
    assert_eq!((read.sub.as_str(), read.sid.as_deref()), ("u", Some("s")));
    for bad in [
        signed("at+jwt", good.clone()),
        signed("logout+jwt", good.clone()),
        signed("JWT", with("aud", json!("another"))),
        signed("JWT", with("iss", json!("https://evil.example"))),
        signed("JWT", with("sub", json!(7))),
        signed("JWT", with("iat", json!(at + 1_000))),
    ] {
        assert_eq!(told_client(hint(bad)).0, Code::InvalidRequest);
    }
}

fn who(auth_time: Millis, acr: &str) -> SignedIn {
    SignedIn {
        sub: "u".into(),
        auth_time,
        acr: acr.into(),
        may_enter: true,
        agreed: vec!["openid".into(), "email".into()],
    }
}

fn next(changes: &[(&str, &str)], demanded: Demanded, who: Option<&SignedIn>) -> Next {
    decide(&sample(), &ask(changes).unwrap(), demanded, who, NOW)
}

fn refused(next: &Next) -> Option<Code> {
    match next {
        Next::Refuse(Wrong { code, .. }) => Some(*code),
        _ => None,
    }
}

/// Goal: prompt, max_age and the session decide as OpenID Connect Core §3.1.2.3 has it; nobody is asked twice.
#[test]
fn who_has_to_sign_in() {
    let fresh = Demanded::default();
    let earlier = who(Millis(NOW.0 - 60_000), "pwd");
    let sign_in = |since, anew| Next::SignIn { since, acr: None, anew };
    assert_eq!(next(&[], fresh, None), sign_in(None, false));
    assert_eq!(refused(&next(&[("prompt", "none")], fresh, None)), Some(Code::LoginRequired));
    assert_eq!(next(&[], fresh, Some(&earlier)), Next::Issue);
    assert_eq!(next(&[("prompt", "none")], fresh, Some(&earlier)), Next::Issue);
    assert_eq!(next(&[("prompt", "login")], fresh, Some(&earlier)), sign_in(Some(NOW), false));
    assert_eq!(next(&[("prompt", "select_account")], fresh, Some(&earlier)), sign_in(Some(NOW), true));
    assert_eq!(next(&[("max_age", "0")], fresh, Some(&earlier)), sign_in(Some(NOW), false));
    assert_eq!(next(&[("max_age", "60")], fresh, Some(&earlier)), Next::Issue);
    let since = Some(Millis(NOW.0 - 59_000));
    assert_eq!(next(&[("max_age", "59")], fresh, Some(&earlier)), sign_in(since, false));
    assert_eq!(
        refused(&next(&[("max_age", "59"), ("prompt", "none")], fresh, Some(&earlier))),
        Some(Code::LoginRequired)
    );
    // The way back: the login is younger than what was demanded at the first visit, however long it took.
    let back = Demanded { since: Some(Millis(NOW.0 - 90_000)), ..fresh };
    for changes in [[("prompt", "login")], [("max_age", "1")], [("max_age", "0")]] {
        assert_eq!(next(&changes, back, Some(&earlier)), Next::Issue, "{changes:?}");
    }
    // Whoever comes back without having signed in is asked again, by the first demand.
    let stale = who(Millis(NOW.0 - 120_000), "pwd");
    assert_eq!(next(&[("prompt", "login")], back, Some(&stale)), sign_in(back.since, false));
}

/// Goal: a hint that names another account asks for that account, and without a page says so.
#[test]
fn another_account_is_expected() {
    let mut request = ask(&[]).unwrap();
    request.hint = Some(super::table::Hint { sub: "other".into(), sid: None });
    let now = who(NOW, "pwd");
    let decide = |request: &Request, demanded| decide(&sample(), request, demanded, Some(&now), NOW);
    assert_eq!(decide(&request, Demanded::default()), Next::SignIn { since: Some(NOW), acr: None, anew: true });
    let back = Demanded { since: Some(NOW), ..Demanded::default() };
    assert_eq!(refused(&decide(&request, back)), Some(Code::LoginRequired));
    request.prompt.none = true;
    assert_eq!(refused(&decide(&request, Demanded::default())), Some(Code::LoginRequired));
}

/// Goal: a demanded level is never waived, a wished one asks once; hostile row E13's forged `acr` has no effect.
#[test]
fn levels_of_authentication() {
    let fresh = Demanded::default();
    let (single, multiple) = (who(NOW, "pwd"), who(NOW, "mfa"));
    let needs = Client { needs_acr: Some("mfa".into()), ..sample() };
    let sign_in = Next::SignIn { since: None, acr: Some("mfa".into()), anew: false };
    let of = |changes: &[(&str, &str)]| ask_with(&ring(), Some(&needs), changes).unwrap();
    assert_eq!(decide(&needs, &of(&[]), fresh, Some(&single), NOW), sign_in);
    assert_eq!(decide(&needs, &of(&[("acr_values", "pwd")]), fresh, Some(&single), NOW), sign_in);
    let low = r#"{"id_token":{"acr":{"essential":true,"values":["pwd"]}}}"#;
    assert_eq!(
        decide(&needs, &of(&[("claims", low)]), fresh, Some(&single), NOW),
        sign_in,
        "a request cannot lower it"
    );
    assert_eq!(decide(&needs, &of(&[]), Demanded { level: true, ..fresh }, Some(&single), NOW), sign_in);
    assert_eq!(decide(&needs, &of(&[]), fresh, Some(&multiple), NOW), Next::Issue);
    let silent = decide(&needs, &of(&[("prompt", "none")]), fresh, Some(&single), NOW);
    assert_eq!(refused(&silent), Some(Code::InteractionRequired));
    let unknown = Client { needs_acr: Some("typo".into()), ..sample() };
    let request = ask_with(&ring(), Some(&unknown), &[]).unwrap();
    assert_eq!(decide(&unknown, &request, fresh, Some(&single), NOW), sign_in, "an unknown need fails closed");
    assert_eq!(next(&[("acr_values", "mfa")], fresh, Some(&single)), sign_in);
    assert_eq!(next(&[("acr_values", "mfa")], Demanded { level: true, ..fresh }, Some(&single)), Next::Issue);
    assert_eq!(next(&[("acr_values", "mfa"), ("prompt", "none")], fresh, Some(&single)), Next::Issue);
    assert_eq!(next(&[("acr_values", "gold")], fresh, Some(&single)), Next::Issue);
    let high = r#"{"id_token":{"acr":{"essential":true,"values":["gold","mfa"]}}}"#;
    assert_eq!(next(&[("claims", high)], Demanded { level: true, ..fresh }, Some(&single)), sign_in);
}

/// Goal: requirement 62: consent is asked for once, anew when asked to, never silently; who may not enter gets no code.
#[test]
fn consent_and_entry() {
    let fresh = Demanded::default();
    let less = SignedIn { agreed: vec!["openid".into()], ..who(NOW, "pwd") };
    assert_eq!(next(&[], fresh, Some(&less)), Next::Consent);
    assert_eq!(refused(&next(&[("prompt", "none")], fresh, Some(&less))), Some(Code::ConsentRequired));
    assert_eq!(next(&[], Demanded { consented: true, ..fresh }, Some(&less)), Next::Issue);
    let all = who(NOW, "pwd");
    assert_eq!(next(&[("prompt", "consent")], fresh, Some(&all)), Next::Consent);
    let own = Client { first_party: true, ..sample() };
    let request = ask(&[]).unwrap();
    assert_eq!(decide(&own, &request, fresh, Some(&less), NOW), Next::Issue);
    let outside = SignedIn { may_enter: false, ..who(NOW, "mfa") };
    for client in [&own, &sample()] {
        let next = decide(client, &request, Demanded { consented: true, ..fresh }, Some(&outside), NOW);
        assert_eq!(refused(&next), Some(Code::AccessDenied));
    }
}

proptest! {
    /// Goal: whatever is asked, no code is issued without a login that is young enough, high enough and let in, and
    /// without a page nobody is sent to one.
    #[test]
    fn no_code_without_what_is_demanded(
        prompt in prop::sample::select(vec!["", "none", "login", "consent", "select_account", "login consent"]),
        max_age in prop::sample::select(vec!["", "0", "1", "60", "100000"]),
        acr in prop::sample::select(vec!["", "mfa", "pwd", "gold"]),
        age in 0i64..200,
        has_mfa: bool, may_enter: bool, agreed: bool, needs: bool, consented: bool, level: bool,
        since in prop::option::of(0i64..200),
    ) {
        let client = Client { needs_acr: needs.then(|| "mfa".to_owned()), ..sample() };
        let request = ask_with(&ring(), Some(&client), &[("prompt", prompt), ("max_age", max_age), ("acr_values", acr)]).unwrap();
        let session = SignedIn {
            may_enter,
            agreed: if agreed { vec!["openid".into(), "email".into()] } else { vec![] },
            ..who(Millis(NOW.0 - age * 1_000), if has_mfa { "mfa" } else { "pwd" })
        };
        let demanded = Demanded { since: since.map(|s| Millis(NOW.0 - s * 1_000)), level, consented };
        match decide(&client, &request, demanded, Some(&session), NOW) {
            Next::Issue => {
                prop_assert!(may_enter);
                prop_assert!(!needs || has_mfa);
                prop_assert!(consented || (agreed && !prompt.contains("consent")));
                if let Some(since) = demanded.since {
                    prop_assert!(session.auth_time >= since);
                } else if prompt.contains("login") || prompt == "select_account" || max_age == "0" {
                    prop_assert!(false, "the first visit leads to the sign-in page");
                } else if let Ok(most) = max_age.parse::<i64>() {
                    prop_assert!(age <= most);
                }
            }
            Next::SignIn { .. } | Next::Consent => prop_assert!(prompt != "none"),
            Next::Refuse(_) => (),
        }
    }
}

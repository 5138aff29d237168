//! The question and its answer through the browser: R1, R2, R3, R15 and the hostile rows of them.

use crate::rig::{ASK, BACK, KINDS, Rig, parameters};
use directory::application::ProviderKind;
use directory::clock::Span;
use oidc::upstream::{Ask, CallbackAnswer, Fault, Upstreams};
use serde_json::json;
use testkit::{UPSTREAM_CLIENT, UPSTREAM_SECRET, Upstream};

#[tokio::test]
async fn somebody_signs_in() {
    // Goal: the honest way, at each kind of provider.
    for kind in KINDS {
        let rig = Rig::start(kind).await;
        let identity = rig.sign_in().await.unwrap();
        assert_eq!(identity.name.as_deref(), Some("Bob Example"));
        let (form, authorization) = rig.there.redeemed();
        assert_eq!(form["redirect_uri"], BACK);
        // Entra does not take Basic; the secret stands in one place alone.
        assert_eq!(authorization.is_none(), kind == ProviderKind::Entra);
        assert_eq!(form.contains_key("client_secret"), kind == ProviderKind::Entra);
    }
}

#[tokio::test]
async fn r1_an_answer_is_to_its_own_question() {
    // Goal: R1, hostile rows E6 and F5: an answer whose state is missing, empty, another's or nearly right costs nothing and is
    // refused before its code goes anywhere.
    let rig = Rig::start(ProviderKind::Oidc).await;
    let (begun, other) = (rig.begin().await, rig.begin().await);
    let honest = rig.agree(&begun);
    let state = honest.state.clone().unwrap();
    let wrong = [
        None,
        Some(String::new()),
        Some(other.pending.state.clone()),
        Some(format!("{state}x")),
        Some(state[1..].to_owned()),
        Some(state.to_ascii_uppercase()),
    ];
    for state in wrong {
        let answer = CallbackAnswer { state, ..honest.clone() };
        let fault = rig.finish(&begun, &answer).await.unwrap_err();
        assert_eq!((&fault, fault.rule()), (&Fault::State, "R1"), "{answer:?}");
    }
    // A pending question that has lost its state is answered by nobody.
    let mut empty = begun.clone();
    empty.pending.state.clear();
    let answer = CallbackAnswer { state: Some(String::new()), ..honest.clone() };
    assert_eq!(rig.finish(&empty, &answer).await, Err(Fault::State));
    assert_eq!(rig.there.served("token"), 0);
    assert!(rig.finish(&begun, &honest).await.is_ok());
}

#[tokio::test]
async fn e13_an_answer_is_bounded() {
    // Goal: hostile row E13: no parameter of a megabyte is looked at, and one of the two that answer must be there.
    let rig = Rig::start(ProviderKind::Oidc).await;
    let begun = rig.begin().await;
    let honest = rig.agree(&begun);
    let long = Some("x".repeat(1024 * 1024));
    let answers = [
        CallbackAnswer { code: long.clone(), ..honest.clone() },
        CallbackAnswer { state: long.clone(), ..honest.clone() },
        CallbackAnswer { iss: long.clone(), ..honest.clone() },
        CallbackAnswer { error: long.clone(), ..honest.clone() },
        CallbackAnswer { error_description: long, ..honest.clone() },
        CallbackAnswer { code: None, ..honest.clone() },
        CallbackAnswer { code: Some(String::new()), ..honest.clone() },
    ];
    for answer in answers {
        assert!(matches!(rig.finish(&begun, &answer).await, Err(Fault::Answer(_))));
    }
    assert_eq!(rig.there.served("token"), 0);
}

#[tokio::test]
async fn r2_a_question_has_state_nonce_and_pkce() {
    // Goal: R2: 256 bits each, new for every question, at Entra too, which does not announce PKCE; and what is asked is there.
    for kind in KINDS {
        let rig = Rig::start(kind).await;
        let (first, second) = (rig.begin().await, rig.begin().await);
        let asked = parameters(&first.address);
        assert_eq!((&asked["state"], &asked["nonce"]), (&first.pending.state, &first.pending.nonce));
        assert_eq!((asked["code_challenge_method"].as_str(), asked["response_type"].as_str()), ("S256", "code"));
        assert_eq!((asked["client_id"].as_str(), asked["redirect_uri"].as_str()), (UPSTREAM_CLIENT, BACK));
        assert_eq!(asked["scope"], "openid email profile", "requirement 76: what is needed");
        for (one, two) in [
            (&first.pending.state, &second.pending.state),
            (&first.pending.nonce, &second.pending.nonce),
            (&first.pending.verifier, &second.pending.verifier),
        ] {
            assert!(one != two && one.len() == 43, "{one}");
        }
        for absent in ["prompt", "max_age", "login_hint", "ui_locales", "hd", "response_mode"] {
            assert!(!asked.contains_key(absent), "{absent}");
        }
        assert!(!first.address.contains(&first.pending.verifier));
        assert!(!format!("{first:?}").contains(&first.pending.state), "secrets are not shown");
    }
}

#[tokio::test]
async fn a_question_says_what_is_asked() {
    // Goal: the hint, the languages, a new sign-in and the hosted domain, as each kind understands them.
    let all = Ask {
        login_hint: Some("bob@example.com"),
        force_login: true,
        max_age: Some(Span::from_mins(5)),
        ui_locales: Some("de en"),
        ..ASK
    };
    for (kind, prompt) in KINDS.into_iter().zip(["select_account", "login", "login"]) {
        let rig = Rig::start(kind).await;
        let asked = parameters(&rig.here.begin(&rig.provider, &all).await.unwrap().address);
        let named = ["login_hint", "prompt", "max_age", "ui_locales"].map(|name| asked[name].as_str());
        assert_eq!(named, ["bob@example.com", prompt, "300", "de en"]);
        let long = "x".repeat(300);
        let asked = rig.here.begin(&rig.provider, &Ask { login_hint: Some(&long), ..ASK }).await.unwrap().address;
        assert!(!parameters(&asked).contains_key("login_hint"));
    }
    for (domains, hint) in [(vec!["example.com"], "example.com"), (vec!["example.com", "example.org"], "*")] {
        let own = domains.iter().map(ToString::to_string).collect();
        let rig = Rig::with(ProviderKind::Google, |google| google.allowed_domains = own).await;
        assert_eq!(parameters(&rig.begin().await.address)["hd"], hint);
    }
    let rig =
        Rig::with(ProviderKind::Entra, |entra| entra.scopes = vec!["email".to_owned(), "openid".to_owned()]).await;
    assert_eq!(
        parameters(&rig.begin().await.address)["scope"],
        "openid email profile",
        "without profile there is no oid"
    );
}

#[tokio::test]
async fn e3_the_verifier_is_the_questions() {
    // Goal: hostile row E3: a code goes with the verifier of its own question, and with no other.
    let rig = Rig::start(ProviderKind::Oidc).await;
    let (mut begun, other) = (rig.begin().await, rig.begin().await);
    let answer = rig.agree(&begun);
    begun.pending.verifier = other.pending.verifier;
    let fault = rig.finish(&begun, &answer).await.unwrap_err();
    assert_eq!((&fault, fault.rule()), (&Fault::Refused("invalid_grant".to_owned()), "R15"));
}

#[tokio::test]
async fn e4_a_code_goes_once() {
    // Goal: hostile row E4: what comes back a second time is refused with what the provider says of it.
    let rig = Rig::start(ProviderKind::Oidc).await;
    let begun = rig.begin().await;
    let answer = rig.agree(&begun);
    assert!(rig.finish(&begun, &answer).await.is_ok());
    assert_eq!(rig.finish(&begun, &answer).await, Err(Fault::Refused("invalid_grant".to_owned())));
}

#[tokio::test]
async fn e8_the_return_address_is_the_one_that_is_given() {
    // Goal: hostile row E8: no header and no entry makes the return address; one that is none is refused.
    let rig = Rig::start(ProviderKind::Oidc).await;
    let ask = Ask { redirect_uri: "not an address", ..ASK };
    assert!(matches!(rig.here.begin(&rig.provider, &ask).await, Err(Fault::Setup(_))));
    let begun = rig.begin().await;
    let answer = rig.agree(&begun);
    let elsewhere = "https://rollbook.example/sso/another/callback";
    let secret = Some(UPSTREAM_SECRET.as_bytes());
    let fault = rig.here.finish(&rig.provider, secret, &begun.pending, elsewhere, &answer, rig.now).await;
    assert_eq!(fault, Err(Fault::Refused("invalid_grant".to_owned())));
}

#[tokio::test]
async fn e12_we_prove_ourselves_as_the_provider_takes_it() {
    // Goal: hostile row E12: by Basic or in the form, never both; a wrong secret, none, and a provider that takes no secret.
    for (methods, by_header) in [(json!(null), true), (json!(["client_secret_post"]), false)] {
        let mut rig = Rig::start(ProviderKind::Oidc).await;
        rig.tell(|asked| asked.metadata = json!({"token_endpoint_auth_methods_supported": methods}));
        assert!(rig.sign_in_anew().await.is_ok());
        let (form, authorization) = rig.there.redeemed();
        assert_eq!((authorization.is_some(), form.contains_key("client_secret")), (by_header, !by_header));
    }
    let mut rig = Rig::start(ProviderKind::Oidc).await;
    for secret in [None, Some(b"another".as_slice())] {
        let begun = rig.begin().await;
        let answer = rig.agree(&begun);
        let fault = rig.here.finish(&rig.provider, secret, &begun.pending, BACK, &answer, rig.now).await;
        assert_eq!(fault, Err(Fault::Refused("invalid_client".to_owned())));
    }
    rig.tell(|asked| asked.metadata = json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}));
    assert!(matches!(rig.sign_in_anew().await, Err(Fault::Setup(_))));
}

#[tokio::test]
async fn r3_an_answer_says_who_it_is_from() {
    // Goal: R3, hostile row F3 (mix-up): another issuer is refused always, none where the metadata promises one; before the
    // code goes anywhere.
    for kind in KINDS {
        let mut rig = Rig::start(kind).await;
        for iss in ["https://evil.example", "", "https://localhost", "{tenantid}"] {
            let begun = rig.begin().await;
            let answer = CallbackAnswer { iss: Some(iss.to_owned()), ..rig.agree(&begun) };
            let fault = rig.finish(&begun, &answer).await.unwrap_err();
            assert_eq!((&fault, fault.rule()), (&Fault::AnswerIssuer, "R3"), "{kind:?} {iss}");
        }
        for (promised, wanted) in [(true, Err(Fault::AnswerIssuer)), (false, Ok(()))] {
            rig.tell(|asked| {
                asked.metadata = json!({"authorization_response_iss_parameter_supported": promised});
                asked.callback = json!({"iss": null});
            });
            assert_eq!(rig.sign_in_anew().await.map(|_| ()), wanted, "{kind:?} {promised}");
        }
        assert_eq!(rig.there.served("token"), 1);
    }
}

#[tokio::test]
async fn r3_the_answer_of_another_provider() {
    // Goal: hostile row F3: a question to one provider is not finished at another, nor after the entry's issuer has changed.
    let (one, other) = (Rig::start(ProviderKind::Oidc).await, Rig::start(ProviderKind::Oidc).await);
    let begun = one.begin().await;
    let answer = CallbackAnswer { iss: Some(other.there.origin().to_owned()), ..one.agree(&begun) };
    assert_eq!(one.finish(&begun, &answer).await, Err(Fault::AnswerIssuer));
    assert_eq!(other.finish(&begun, &answer).await, Err(Fault::AnswerIssuer), "it was not this one that was asked");
    assert_eq!((one.there.served("token"), other.there.served("token")), (0, 0));
}

#[tokio::test]
async fn r3_entra_may_name_the_tenant() {
    // Goal: where the metadata has a place for the tenant, an answer may name any tenant of it, and nothing else.
    let rig = Rig::with(ProviderKind::Entra, |entra| entra.allowed_tenants.push("*".to_owned())).await;
    for (tenant, good) in [(Upstream::TENANT, true), ("{tenantid}", false), ("common", false), ("", false)] {
        let iss = format!("{}/{tenant}/v2.0", rig.there.origin());
        let begun = rig.begin().await;
        let answer = CallbackAnswer { iss: Some(iss.clone()), ..rig.agree(&begun) };
        assert_eq!(rig.finish(&begun, &answer).await.is_ok(), good, "{iss}");
    }
}

#[tokio::test]
async fn r15_nothing_of_the_other_side_is_echoed() {
    // Goal: R15, hostile rows E7 and F5: of an error that comes back only a registered-looking code is shown, never a description.
    const EVIL: &str = "<script>alert(1)</script>\r\nSet-Cookie: a=b\u{1b}[2J";
    let rig = Rig::start(ProviderKind::Oidc).await;
    let begun = rig.begin().await;
    let long = "a".repeat(65);
    for (error, shown) in [
        ("access_denied", "access_denied"),
        ("login_required", "login_required"),
        ("", "another error"),
        ("Access-Denied", "another error"),
        (EVIL, "another error"),
        (&long, "another error"),
    ] {
        let (error, error_description) = (Some(error.to_owned()), Some(EVIL.to_owned()));
        let answer = CallbackAnswer { error, error_description, ..rig.agree(&begun) };
        let fault = rig.finish(&begun, &answer).await.unwrap_err();
        assert_eq!((&fault, fault.rule()), (&Fault::Denied(shown.to_owned()), "R15"));
        assert!(fault.to_string().chars().all(|c| c.is_ascii() && !c.is_control() && c != '<'), "{fault}");
    }
    assert_eq!(rig.there.served("token"), 0);
    // The same at the token endpoint.
    let body = json!({"error": EVIL, "error_description": EVIL, "error_uri": EVIL}).to_string();
    rig.tell(|asked| _ = asked.trouble.insert("token", testkit::Trouble::Answer(400, body)));
    assert_eq!(rig.sign_in().await, Err(Fault::Refused("another error".to_owned())));
    // An error with the state of nobody is nobody's answer.
    let answer = CallbackAnswer { error: Some("access_denied".to_owned()), ..CallbackAnswer::default() };
    assert_eq!(rig.finish(&begun, &answer).await, Err(Fault::State));
}

#[test]
fn it_can_wait_on_any_thread() {
    // Goal: what is asked and awaited can be carried by a handler of any runtime.
    fn is_send<T: Send>(_: &T) {}
    fn check(here: &Upstreams, provider: &directory::application::Provider, begun: &oidc::upstream::Begun) {
        is_send(&here.begin(provider, &ASK));
        let answer = CallbackAnswer::default();
        is_send(&here.finish(provider, None, &begun.pending, BACK, &answer, testkit::START));
    }
    let _ = check;
}

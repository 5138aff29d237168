//! The ID token: R4 and R5 with their hostile rows (E12, E13, E14, F2, F4), each lie by itself over a token that is right.

use crate::rig::{ASK, BACK, KINDS, Rig};
use directory::application::ProviderKind::{self, Entra, Google, Oidc};
use directory::clock::Span;
use oidc::jose::Flaw;
use oidc::upstream::{Ask, Fault};
use serde_json::{Value, json};
use testkit::{Asked, START, Signed, UPSTREAM_CLIENT, UPSTREAM_SECRET, Upstream};

/// What a lie makes of a sign-in at each kind of provider.
async fn lie(what: impl Fn(&mut Asked), wanted: &Fault, why: &str) {
    for kind in KINDS {
        let rig = Rig::start(kind).await;
        rig.tell(&what);
        assert_eq!(rig.sign_in().await.unwrap_err(), *wanted, "{kind:?}: {why}");
        rig.tell(|_| ());
        assert!(rig.sign_in().await.is_ok(), "{kind:?}: only the lie is refused: {why}");
    }
}

async fn claims(claims: Value, wanted: Fault) {
    lie(|asked| asked.claims = claims.clone(), &wanted, &claims.to_string()).await;
}

async fn header(header: Value, wanted: Flaw) {
    lie(|asked| asked.header = header.clone(), &Fault::Token(wanted), &header.to_string()).await;
}

#[tokio::test]
async fn r4_only_the_providers_signature_counts() {
    // Goal: R4, hostile row F4: no signature, a shared secret (the client secret and the empty one), somebody else's key.
    for signed in [Signed::Nobody, Signed::Hs256(UPSTREAM_SECRET.to_owned()), Signed::Hs256(String::new())] {
        lie(|asked| asked.signed = signed.clone(), &Fault::Token(Flaw::Algorithm), &format!("{signed:?}")).await;
    }
    lie(|asked| asked.signed = Signed::Stranger, &Fault::Token(Flaw::Signature), "somebody else's key").await;
    assert_eq!(Fault::Token(Flaw::Signature).rule(), "R4");
}

#[tokio::test]
async fn r4_an_algorithm_is_one_of_the_list() {
    // Goal: R4: RS256 alone without a list; of generic providers those that are listed, each with a key of its kind; never one
    // without a key of the provider's own.
    let all = [("RS256", Signed::Rs256), ("PS256", Signed::Ps256), ("ES256", Signed::Es256), ("EdDSA", Signed::EdDsa)];
    for kind in KINDS {
        for (name, signed) in &all {
            let rig = Rig::with(kind, |provider| provider.algorithms = vec![(*name).to_owned()]).await;
            rig.tell(|asked| {
                asked.signed = signed.clone();
                // The hash of Ed25519 is another one.
                asked.claims = json!({"at_hash": null});
            });
            let wanted = if kind == Oidc || *name == "RS256" { Ok(()) } else { Err(Fault::Token(Flaw::Algorithm)) };
            assert_eq!(rig.sign_in().await.map(|_| ()), wanted, "{kind:?} {name}");
        }
    }
    for (name, signed) in all.into_iter().skip(1) {
        let rig = Rig::start(Oidc).await;
        rig.tell(|asked| asked.signed = signed);
        assert_eq!(rig.sign_in().await, Err(Fault::Token(Flaw::Algorithm)), "{name} is not listed");
    }
    for never in ["none", "HS256", "HS512", "RS1", ""] {
        let rig = Rig::with(Oidc, |oidc| oidc.algorithms = vec!["RS256".to_owned(), never.to_owned()]).await;
        assert!(matches!(rig.sign_in().await, Err(Fault::Setup(_))), "{never}");
    }
}

#[tokio::test]
async fn r4_a_header_asks_for_nothing_else() {
    // Goal: R4: what would change the meaning of the signature is refused; keys that a token brings along are not looked at.
    for name in ["crit", "b64", "zip", "enc"] {
        header(json!({ name: ["exp"] }), Flaw::Header).await;
    }
    header(json!({"alg": "RS256 "}), Flaw::Algorithm).await;
    header(json!({"alg": null}), Flaw::Algorithm).await;
    header(json!({"alg": ["RS256"]}), Flaw::Algorithm).await;
    header(json!({"kid": 7}), Flaw::Header).await;
    let rig = Rig::start(Oidc).await;
    rig.tell(|asked| asked.header = json!({"jku": "https://evil.example/keys", "jwk": {"kty": "oct", "k": "AA"}}));
    assert!(rig.sign_in().await.is_ok());
}

#[tokio::test]
async fn r4_the_key_is_the_one_that_is_named() {
    // Goal: R4, hostile row E14: a name that nobody has; no name, where one key fits and where several do; a key for encryption, for
    // another algorithm, or shorter than anybody should use.
    header(json!({"kid": "nobody's"}), Flaw::Key).await;
    let mut rig = Rig::start(Oidc).await;
    rig.tell(|asked| asked.header = json!({"kid": null}));
    assert!(rig.sign_in().await.is_ok(), "one key is of RSA");
    for bad in [
        json!({"use": "enc"}),
        json!({"alg": "RS512"}),
        json!({"alg": "RSA-OAEP"}),
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"n": "AQAB".repeat(40)}),
        json!({"n": "AAAA".repeat(100)}),
    ] {
        rig.tell(|asked| asked.key = bad.clone());
        assert_eq!(rig.sign_in_anew().await, Err(Fault::Token(Flaw::Key)), "{bad}");
    }
    // Several that fit: none of them is tried.
    let twins =
        json!({"kid": "the same", "kty": "RSA", "n": format!("{}w", "_".repeat(341)), "e": "AQAB", "crv": null});
    for kid in [json!("the same"), json!(null)] {
        rig.tell(|asked| {
            asked.key = twins.clone();
            asked.header = json!({ "kid": kid });
        });
        assert_eq!(rig.sign_in_anew().await, Err(Fault::Token(Flaw::Key)), "{kid}");
    }
}

#[tokio::test]
async fn r4_the_times_have_a_minute_of_leeway() {
    // Goal: R4, hostile rows E14 and F4: clocks may differ by 60 s and no more, into both directions, and both times must be there.
    let now = START.0 / 1_000;
    for (said, wanted) in [
        (json!({"exp": now - 59}), Ok(())),
        (json!({"exp": now - 60}), Err(Fault::Expired)),
        (json!({"exp": 0}), Err(Fault::Expired)),
        (json!({"exp": null}), Err(Fault::Expired)),
        (json!({"exp": "soon"}), Err(Fault::Token(Flaw::Claim))),
        (json!({"exp": 1e300}), Err(Fault::Token(Flaw::Claim))),
        (json!({"iat": now + 60}), Ok(())),
        (json!({"iat": now + 61}), Err(Fault::Early)),
        (json!({"iat": null}), Err(Fault::Token(Flaw::Claim))),
        (json!({"nbf": now + 60}), Ok(())),
        (json!({"nbf": now + 61}), Err(Fault::Early)),
    ] {
        for kind in KINDS {
            let rig = Rig::start(kind).await;
            rig.tell(|asked| asked.claims = said.clone());
            assert_eq!(rig.sign_in().await.map(|_| ()), wanted, "{kind:?} {said}");
        }
    }
}

#[tokio::test]
async fn r4_the_token_is_for_us() {
    // Goal: R4, hostile row F4: the audience is ours; of several it says that it is ours in the end.
    claims(json!({"aud": "another"}), Fault::Audience).await;
    claims(json!({"aud": null}), Fault::Audience).await;
    claims(json!({"aud": []}), Fault::Audience).await;
    claims(json!({"aud": ["another", 7]}), Fault::Audience).await;
    claims(json!({"aud": UPSTREAM_CLIENT.to_uppercase()}), Fault::Audience).await;
    claims(json!({"aud": [UPSTREAM_CLIENT, "another"]}), Fault::Audience).await;
    claims(json!({"aud": [UPSTREAM_CLIENT, "another"], "azp": "another"}), Fault::Audience).await;
    claims(json!({"azp": "another"}), Fault::Audience).await;
    for good in [
        json!({"aud": [UPSTREAM_CLIENT]}),
        json!({"aud": [UPSTREAM_CLIENT, "another"], "azp": UPSTREAM_CLIENT}),
        json!({"azp": UPSTREAM_CLIENT}),
    ] {
        let rig = Rig::start(Google).await;
        rig.tell(|asked| asked.claims = good.clone());
        assert!(rig.sign_in().await.is_ok(), "{good}");
    }
}

#[tokio::test]
async fn r4_the_token_answers_this_question() {
    // Goal: R4, hostile rows E13, F4 and F5: no nonce, another one, that of an earlier question.
    claims(json!({"nonce": null}), Fault::Nonce).await;
    claims(json!({"nonce": ""}), Fault::Nonce).await;
    claims(json!({"nonce": ["x"]}), Fault::Nonce).await;
    let rig = Rig::start(Oidc).await;
    let (earlier, begun) = (rig.begin().await, rig.begin().await);
    rig.tell(|asked| asked.claims = json!({"nonce": earlier.pending.nonce}));
    assert_eq!(rig.finish(&begun, &rig.agree(&begun)).await, Err(Fault::Nonce));
    // A question that has lost its nonce is answered by no token, not even by one without.
    let mut empty = rig.begin().await;
    empty.pending.nonce.clear();
    rig.tell(|asked| asked.claims = json!({"nonce": null}));
    assert_eq!(rig.finish(&empty, &rig.agree(&empty)).await, Err(Fault::Nonce));
}

#[tokio::test]
async fn r4_the_access_token_is_the_tokens_own() {
    // Goal: R4, hostile row F4: the hash of the access token is right where it stands.
    for wrong in [json!("AAAAAAAAAAAAAAAAAAAAAA"), json!(""), json!(7), json!([])] {
        claims(json!({"at_hash": wrong}), Fault::AccessTokenHash).await;
    }
    lie(|asked| asked.tokens = json!({"access_token": "another"}), &Fault::AccessTokenHash, "another").await;
    let rig = Rig::start(Oidc).await;
    rig.tell(|asked| asked.claims = json!({"at_hash": null}));
    assert!(rig.sign_in().await.is_ok());
}

#[tokio::test]
async fn r4_there_is_a_token_and_it_is_one() {
    // Goal: R4, hostile row E13: a token answer without an ID token, with a thing that is none, one that is too long or too deep.
    lie(|asked| asked.tokens = json!({"id_token": null}), &Fault::NoIdToken, "none").await;
    lie(|asked| asked.tokens = json!({"id_token": 7}), &Fault::NoIdToken, "a number").await;
    for text in ["", "x", "a.b", "a.b.c", "e30.e30.", "e30.e30.AA.AA"] {
        let rig = Rig::start(Oidc).await;
        rig.tell(|asked| asked.tokens = json!({"id_token": text}));
        assert!(matches!(rig.sign_in().await, Err(Fault::Token(Flaw::Malformed | Flaw::Algorithm))), "{text}");
    }
    let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
    claims(json!({ "deep": deep }), Fault::Token(Flaw::Malformed)).await;
    claims(json!({"long": "x".repeat(64 * 1024)}), Fault::Token(Flaw::TooLong)).await;
    // What comes along does not matter, and two hundred groups are taken.
    let rig = Rig::start(Entra).await;
    let groups: Vec<String> = (0..200).map(|n| format!("{n:08}-6a4e-4ea1-9dbe-4f8bba8b5e33")).collect();
    rig.tell(|asked| asked.claims = json!({"groups": groups, "locale": 7, "birthdate": [], "address": "here"}));
    assert_eq!(rig.sign_in().await.unwrap().groups, oidc::upstream::Groups::Known(groups));
}

#[tokio::test]
async fn r5_the_issuer_is_exact() {
    // Goal: R5: the provider's own issuer, letter by letter; Google's without its scheme is the same one, and becomes it.
    for kind in KINDS {
        let rig = Rig::start(kind).await;
        let own = rig.there.origin().to_owned();
        for wrong in [
            "https://evil.example".to_owned(),
            format!("{own}/"),
            own.to_uppercase(),
            own.replacen("https", "http", 1),
            format!("{own}/{{tenantid}}/v2.0"),
            String::new(),
        ] {
            rig.tell(|asked| asked.claims = json!({ "iss": wrong }));
            let fault = rig.sign_in().await.unwrap_err();
            assert_eq!((&fault, fault.rule()), (&Fault::Issuer, "R5"), "{kind:?} {wrong}");
        }
        let bare = own.strip_prefix("https://").unwrap().to_owned();
        let honest = rig.person(json!({})).await.unwrap();
        rig.tell(|asked| asked.claims = json!({ "iss": bare }));
        let wanted = if kind == Google { Ok((honest.key, own)) } else { Err(Fault::Issuer) };
        assert_eq!(rig.sign_in().await.map(|identity| (identity.key, identity.issuer)), wanted, "{kind:?}");
    }
}

#[tokio::test]
async fn r5_an_issuer_of_entra_is_that_of_its_tenant() {
    // Goal: R5, hostile row F2: the issuer is made of the token's tenant, which is one; another tenant's issuer is refused.
    let other = "11111111-6a4e-4ea1-9dbe-4f8bba8b5e33";
    for tenants in [vec![Upstream::TENANT], vec![Upstream::TENANT, other], vec!["*"]] {
        let own = tenants.iter().map(ToString::to_string).collect();
        let rig = Rig::with(Entra, |entra| entra.allowed_tenants = own).await;
        assert!(rig.person(json!({})).await.is_ok(), "{tenants:?}");
        let iss = format!("{}/{other}/v2.0", rig.there.origin());
        rig.tell(|asked| asked.claims = json!({ "iss": iss }));
        assert_eq!(rig.sign_in().await, Err(Fault::Issuer), "{tenants:?}: the issuer is another tenant's");
        for tid in [json!(null), json!("common"), json!("{tenantid}"), json!(7), json!("../common")] {
            rig.tell(|asked| asked.claims = json!({ "tid": tid }));
            let fault = rig.sign_in().await.unwrap_err();
            assert!(matches!(fault, Fault::Issuer | Fault::Claim("tid")), "{tenants:?} {tid} {fault}");
        }
    }
}

#[tokio::test]
async fn r5_a_key_of_entra_signs_for_its_tenant() {
    // Goal: R5: the key set says whose tokens a key signs: one of personal accounts does not sign for a company, and one that says
    // nothing is good for nobody where there are many tenants.
    const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let issuer = |rig: &Rig, tenant: &str| json!(format!("{}/{tenant}/v2.0", rig.there.origin()));
    let many = vec!["*".to_owned(), CONSUMERS.to_owned()];
    let mut rig = Rig::with(Entra, |entra| entra.allowed_tenants = many).await;
    let tenants = [(Upstream::TENANT, CONSUMERS), (CONSUMERS, Upstream::TENANT)];
    for (own, other) in tenants {
        for (named, wanted) in [
            (issuer(&rig, "{tenantid}"), Ok(())),
            (issuer(&rig, own), Ok(())),
            (issuer(&rig, other), Err(Fault::Token(Flaw::Key))),
            (json!("https://evil.example/{tenantid}/v2.0"), Err(Fault::Token(Flaw::Key))),
            (json!(null), Err(Fault::Token(Flaw::Key))),
        ] {
            rig.tell(|asked| {
                asked.person = json!({ "tid": own });
                asked.key = json!({ "issuer": named });
            });
            assert_eq!(rig.sign_in_anew().await.map(|_| ()), wanted, "{own} {named}");
        }
    }
    let mut single = Rig::start(Entra).await;
    single.tell(|asked| asked.key = json!({"issuer": null}));
    assert!(single.sign_in_anew().await.is_ok(), "of one tenant's own set there is no doubt");
    single.tell(|asked| asked.key = json!({"issuer": issuer(&rig, CONSUMERS)}));
    assert_eq!(single.sign_in_anew().await, Err(Fault::Token(Flaw::Key)));
}

#[tokio::test]
async fn e13_whoever_asks_for_a_young_sign_in_gets_a_proof() {
    // Goal: R14, hostile row E13: with `max_age` the token says when the person signed in there, and that is not too long ago.
    let rig = Rig::start(ProviderKind::Oidc).await;
    let now = START.0 / 1_000;
    for (auth_time, wanted) in [
        (json!(now - 300), Ok(())),
        (json!(now - 360), Ok(())),
        (json!(now - 361), Err(Fault::AuthTime)),
        (json!(null), Err(Fault::AuthTime)),
        (json!("now"), Err(Fault::Token(Flaw::Claim))),
    ] {
        rig.tell(|asked| asked.claims = json!({ "auth_time": auth_time }));
        let ask = Ask { max_age: Some(Span::from_mins(5)), ..ASK };
        let begun = rig.here.begin(&rig.provider, &ask).await.unwrap();
        let answer = rig.agree(&begun);
        let secret = Some(UPSTREAM_SECRET.as_bytes());
        let identity = rig.here.finish(&rig.provider, secret, &begun.pending, BACK, &answer, rig.now).await;
        assert_eq!(identity.map(|_| ()), wanted, "{auth_time}");
    }
    assert_eq!(Fault::AuthTime.rule(), "R14");
}

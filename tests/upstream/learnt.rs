//! What a provider publishes and how it is asked for: R17 and R18 with their hostile rows (E9, E14, F4, F7).

use crate::rig::{KINDS, Rig, later};
use directory::application::ProviderKind;
use oidc::fetch::{Failure, Fetcher};
use oidc::jose::Flaw;
use oidc::upstream::fault::What;
use oidc::upstream::{Fault, Upstreams};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use testkit::Trouble;

const PATHS: [(&str, What); 3] = [("metadata", What::Metadata), ("keys", What::Keys), ("token", What::Tokens)];

#[tokio::test]
async fn r17_a_provider_that_does_not_answer_well() {
    // Goal: R17, hostile row F7: redirects are not followed, sizes are bounded, statuses and documents are looked at; each at each
    // address, and none of it is taken for anything but an outage.
    let long = || Failure::Length;
    for (path, what) in PATHS {
        let document = |fault: &Fault| matches!(fault, Fault::Document { what: w, .. } if *w == what);
        let troubles = [
            Trouble::Redirect("/elsewhere".to_owned()),
            Trouble::Redirect("http://169.254.169.254/latest/meta-data".to_owned()),
            Trouble::Answer(500, "{}".to_owned()),
            Trouble::Answer(200, String::new()),
            Trouble::Answer(200, "<html>".to_owned()),
            Trouble::Answer(200, "[]".to_owned()),
            Trouble::Answer(200, r#"{"access_token":"a","token_type":"Bearer","keys":[],"x":1,"x":2}"#.to_owned()),
            Trouble::Huge,
        ];
        for trouble in troubles {
            let rig = Rig::start(ProviderKind::Oidc).await;
            rig.tell(|asked| _ = asked.trouble.insert(path, trouble.clone()));
            let fault = rig.sign_in().await.unwrap_err();
            let is_long = fault == (Fault::Fetch { what, failure: long() });
            assert!(if trouble == Trouble::Huge { is_long } else { document(&fault) }, "{path} {trouble:?}: {fault:?}");
            assert!(fault.is_outage() && fault.rule() == "R17");
            assert_eq!(rig.there.served("elsewhere"), 0);
        }
    }
}

#[tokio::test]
async fn r17_a_provider_that_is_slow() {
    // Goal: R17, hostile row F7: nobody waits for longer than five seconds.
    let slow = |(path, what)| async move {
        let rig = Rig::start(ProviderKind::Oidc).await;
        rig.tell(|asked| _ = asked.trouble.insert(path, Trouble::Slow));
        assert_eq!(rig.sign_in().await, Err(Fault::Fetch { what, failure: Failure::Time }), "{path}");
    };
    let began = std::time::Instant::now();
    let [metadata, keys, token] = PATHS.map(slow);
    tokio::join!(metadata, keys, token);
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn r17_only_https_and_only_outside() {
    // Goal: R17, hostile row E9: addresses in the metadata lead to https, and none into the own network without leave.
    let mut rig = Rig::start(ProviderKind::Oidc).await;
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        for bad in
            ["http://localhost/x", "file:///etc/passwd", "https://a@b/x", "https://b/#x", "javascript:alert(1)", "x"]
        {
            rig.tell(|asked| asked.metadata = json!({ name: bad }));
            let fault = rig.sign_in_anew().await.unwrap_err();
            assert!(matches!(fault, Fault::Document { what: What::Metadata, .. }), "{name} {bad} {fault:?}");
        }
        rig.tell(|asked| asked.metadata = json!({ name: null }));
        assert!(matches!(rig.sign_in_anew().await, Err(Fault::Document { what: What::Metadata, .. })), "{name}");
    }
    for (name, what) in [("token_endpoint", What::Tokens), ("jwks_uri", What::Keys)] {
        rig.tell(|asked| asked.metadata = json!({ name: "https://169.254.169.254/x" }));
        let failure = Failure::Forbidden;
        assert_eq!(rig.sign_in_anew().await, Err(Fault::Fetch { what, failure }));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    rig.here = Upstreams::new(Fetcher::new(Arc::new(tls), Vec::new()));
    let fault = Fault::Fetch { what: What::Metadata, failure: Failure::Forbidden };
    assert_eq!(rig.sign_in().await, Err(fault), "this machine is not asked");
    for bad in ["http://localhost", "https://localhost?x", "https://a b", "https://a|b", "ftp://a", ""] {
        rig.provider.issuer = Some(bad.to_owned());
        assert!(matches!(rig.sign_in().await, Err(Fault::Setup(_))), "{bad}");
    }
}

#[tokio::test]
async fn r17_what_is_learnt_is_kept() {
    // Goal: R17: asked once for many sign-ins and at once, again after its time, which the provider says within bounds.
    let rig = Rig::start(ProviderKind::Google).await;
    rig.tell(|asked| asked.cache_control = Some("public, max-age=1800"));
    let served = || (rig.there.served("metadata"), rig.there.served("keys"));
    let (one, two, three) = tokio::join!(rig.sign_in(), rig.sign_in(), rig.sign_in());
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(served(), (1, 1));
    later(Duration::from_secs(1_700)).await;
    rig.sign_in().await.unwrap();
    assert_eq!(served(), (1, 1));
    later(Duration::from_secs(101)).await;
    rig.sign_in().await.unwrap();
    assert_eq!(served(), (2, 2));
}

#[tokio::test]
async fn r17_the_last_good_is_kept_when_the_provider_is_down() {
    // Goal: R17: metadata and keys that cannot be asked for anew are believed for a day, and not asked for by everybody at once.
    let rig = Rig::start(ProviderKind::Oidc).await;
    rig.sign_in().await.unwrap();
    rig.tell(|asked| {
        asked.trouble.insert("metadata", Trouble::Answer(503, "{}".to_owned()));
        asked.trouble.insert("keys", Trouble::Answer(503, "{}".to_owned()));
    });
    later(Duration::from_mins(11)).await;
    for _ in 0..3 {
        assert!(rig.sign_in().await.is_ok());
    }
    assert_eq!((rig.there.served("metadata"), rig.there.served("keys")), (2, 2));
    later(Duration::from_hours(25)).await;
    assert!(matches!(rig.sign_in().await, Err(Fault::Document { what: What::Metadata, .. })));
}

#[tokio::test]
async fn e14_keys_are_rotated() {
    // Goal: R4, R17, hostile rows E14 and F4: a new key is asked for when a token names it, a flood of unknown names asks for nothing,
    // and a key that is gone from the set is good no more.
    for kind in KINDS {
        let rig = Rig::start(kind).await;
        rig.sign_in().await.unwrap();
        rig.tell(|asked| asked.rotated = true);
        assert_eq!(rig.sign_in().await, Err(Fault::Token(Flaw::Key)), "asked a moment ago");
        assert_eq!(rig.there.served("keys"), 1);
        later(Duration::from_mins(5)).await;
        assert!(rig.sign_in().await.is_ok(), "{kind:?}");
        assert_eq!(rig.there.served("keys"), 2);
        for name in 0..20 {
            rig.tell(|asked| {
                asked.rotated = true;
                asked.header = json!({ "kid": format!("unknown {name}") });
            });
            assert_eq!(rig.sign_in().await, Err(Fault::Token(Flaw::Key)));
        }
        assert_eq!(rig.there.served("keys"), 2);
        // Back to the first key: the second has gone from the set, its name is not known, and it is asked for in vain.
        later(Duration::from_mins(5)).await;
        rig.tell(|_| ());
        assert!(rig.sign_in().await.is_ok());
        assert_eq!(rig.there.served("keys"), 3);
    }
}

#[tokio::test]
async fn r18_the_metadata_is_the_issuers_own() {
    // Goal: R18, hostile row F7: metadata that names another issuer, one that is nearly the same, or none, is read no further.
    for kind in KINDS {
        let mut rig = Rig::start(kind).await;
        let own = rig.there.origin().to_owned();
        for wrong in [
            json!("https://evil.example"),
            json!(format!("{own}/")),
            json!(format!("{own}/common/v2.0")),
            json!(own.strip_prefix("https://")),
            json!(null),
            json!(7),
        ] {
            rig.tell(|asked| asked.metadata = json!({ "issuer": wrong }));
            let fault = rig.sign_in_anew().await.unwrap_err();
            assert_eq!((&fault, fault.rule()), (&Fault::MetadataIssuer, "R18"), "{kind:?} {wrong}");
        }
        assert_eq!(rig.there.served("token"), 0);
    }
}

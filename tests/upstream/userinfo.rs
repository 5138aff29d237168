//! What a provider tells of a person outside the ID token: the modules userinfo-* and scope-userinfo-claims of the OpenID Foundation's
//! tests of relying parties.

use crate::rig::{KINDS, Rig};
use directory::application::ProviderKind::{Entra, Google, Oidc};
use oidc::upstream::fault::What;
use oidc::upstream::{Fault, Groups};
use serde_json::{Value, json};
use testkit::Trouble;

/// A token that names nobody.
fn nameless() -> Value {
    json!({"email": null, "email_verified": null, "name": null, "given_name": null, "family_name": null,
        "preferred_username": null})
}

#[tokio::test]
async fn scope_userinfo_claims() {
    // Goal: a token that names nobody is completed, with the access token in the header; Google's and Entra's never are.
    for kind in KINDS {
        let rig = Rig::start(kind).await;
        rig.sign_in().await.unwrap();
        assert_eq!(rig.there.served("userinfo"), 0, "the token says enough");
        rig.tell(|asked| asked.claims = nameless());
        let identity = rig.sign_in().await.unwrap();
        let names = [identity.name, identity.given_name, identity.family_name, identity.email];
        if kind == Oidc {
            let wanted = ["Bob Example", "Bob", "Example", "bob@example.com"].map(|name| Some(name.to_owned()));
            assert_eq!((names, rig.there.served("userinfo")), (wanted, 1));
        } else {
            assert_eq!((names, rig.there.served("userinfo")), ([const { None }; 4], 0), "{kind:?}");
        }
    }
    let mut rig = Rig::start(Oidc).await;
    rig.tell(|asked| {
        asked.claims = nameless();
        asked.metadata = json!({"userinfo_endpoint": null});
    });
    assert_eq!(rig.sign_in_anew().await.unwrap().shown, "person-1", "there is nobody to ask");
}

#[tokio::test]
async fn userinfo_invalid_sub() {
    // Goal: what is told of somebody else, or of nobody, is told of nobody here.
    for sub in [json!("person-2"), json!(null), json!("PERSON-1"), json!(["person-1"])] {
        let rig = Rig::start(Oidc).await;
        rig.tell(|asked| {
            asked.claims = nameless();
            asked.userinfo = json!({ "sub": sub });
        });
        let fault = rig.sign_in().await.unwrap_err();
        assert_eq!((&fault, fault.rule()), (&Fault::Subject, "R4"), "{sub}");
    }
}

#[tokio::test]
async fn userinfo_changes_nothing_that_is_proven() {
    // Goal: the signed token's word stands; of what was not asked for nothing is taken.
    let rig = Rig::with(Oidc, |oidc| oidc.trusted_domains = vec!["example.com".to_owned()]).await;
    rig.tell(|asked| {
        asked.claims = json!({"email": null, "email_verified": true, "name": null, "given_name": "Bob"});
        asked.userinfo = json!({
            "email": "admin@example.com", "email_verified": false, "given_name": "Eve", "iss": "https://evil.example",
            "acr": "https://refeds.org/profile/mfa", "amr": ["mfa"], "auth_time": 1, "sid": "x", "tid": "x", "oid": "x",
        });
    });
    let identity = rig.sign_in().await.unwrap();
    assert_eq!(identity.given_name.as_deref(), Some("Bob"));
    assert_eq!(identity.email.as_deref(), Some("admin@example.com"));
    assert!(!identity.email_is_authoritative, "whether an address is proven is said where the address is");
    assert_eq!((identity.issuer.as_str(), identity.auth_time, identity.sid), (rig.there.origin(), None, None));
    assert!(!identity.second_factor && identity.acr.is_none() && identity.amr.is_empty());
    assert!(identity.tenant.is_none() && !identity.claims.contains_key("oid"));
    rig.tell(|asked| {
        asked.claims = json!({"email": null, "email_verified": true, "name": null});
        asked.userinfo = json!({"email": "admin@example.com", "email_verified": null});
    });
    assert!(!rig.sign_in().await.unwrap().email_is_authoritative, "nobody says so of this address");
}

#[tokio::test]
async fn userinfo_tells_groups_that_are_mapped() {
    // Goal: R12: groups are asked for when some are mapped and the token has none; too many are too many there as well.
    for (mapped, said, wanted) in [
        (false, json!(["staff"]), Groups::Absent),
        (true, json!(["staff"]), Groups::Known(vec!["staff".to_owned()])),
        (true, json!(null), Groups::Absent),
        (true, json!([7]), Groups::Overage),
    ] {
        let ours = "cn=staff,ou=groups,dc=example,dc=com".to_owned();
        let rig = Rig::with(Oidc, |oidc| {
            oidc.group_mapping.extend(mapped.then(|| ("staff".to_owned(), ours)));
        })
        .await;
        rig.tell(|asked| asked.userinfo = json!({ "groups": said }));
        assert_eq!(rig.sign_in().await.unwrap().groups, wanted, "{mapped} {said}");
    }
}

#[tokio::test]
async fn r17_userinfo_that_fails_is_an_outage() {
    // Goal: R17: without what was asked for nobody signs in: a group that may have been taken away would be kept.
    for trouble in [
        Trouble::Answer(500, "{}".to_owned()),
        Trouble::Answer(200, "eyJ.eyJ.x".to_owned()),
        Trouble::Redirect("https://evil.example/".to_owned()),
        Trouble::Huge,
    ] {
        let rig = Rig::start(Oidc).await;
        rig.tell(|asked| {
            asked.claims = nameless();
            asked.trouble.insert("userinfo", trouble.clone());
        });
        let fault = rig.sign_in().await.unwrap_err();
        let what =
            matches!(fault, Fault::Document { what: What::UserInfo, .. } | Fault::Fetch { what: What::UserInfo, .. });
        assert!(what && fault.is_outage(), "{trouble:?} {fault:?}");
    }
    for kind in [Google, Entra] {
        let mut rig = Rig::start(kind).await;
        rig.tell(|asked| asked.metadata = json!({"userinfo_endpoint": "http://localhost/"}));
        assert!(matches!(rig.sign_in_anew().await, Err(Fault::Document { what: What::Metadata, .. })));
    }
}

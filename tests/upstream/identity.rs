//! Who may sign in and who it is: R6, R7, R14, the keys that links are made by, and what R9 and R12 need to know.

use crate::rig::{KINDS, Rig};
use directory::application::Provider;
use directory::application::ProviderKind::{self, Entra, Google, Oidc};
use directory::clock::Millis;
use oidc::upstream::{Fault, Groups};
use serde_json::{Value, json};
use testkit::Upstream;

const OTHER: &str = "11111111-6a4e-4ea1-9dbe-4f8bba8b5e33";
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

fn tenants(list: &[&str]) -> impl FnOnce(&mut Provider) {
    let list = list.iter().map(ToString::to_string).collect();
    |entra| entra.allowed_tenants = list
}

#[tokio::test]
async fn r6_a_tenant_is_one_that_may_sign_in() {
    // Goal: R6, hostile rows F1 and F2: one tenant, a list, or any at all by an explicit word; personal accounts by name only.
    let own = Upstream::TENANT;
    let upper = own.to_uppercase();
    for (list, good) in [
        (&[own][..], &[own][..]),
        (&[&upper], &[own]),
        (&[own, OTHER], &[own, OTHER]),
        (&["*"], &[own, OTHER]),
        (&["*", CONSUMERS], &[own, OTHER, CONSUMERS]),
        (&[own, CONSUMERS], &[own, CONSUMERS]),
        (&[CONSUMERS], &[CONSUMERS]),
        (&[OTHER, CONSUMERS], &[OTHER, CONSUMERS]),
    ] {
        let rig = Rig::with(Entra, tenants(list)).await;
        for tenant in [own, OTHER, CONSUMERS] {
            let signed_in = rig.person(json!({ "tid": tenant })).await;
            if good.contains(&tenant) {
                assert_eq!(signed_in.unwrap().tenant.as_deref(), Some(tenant), "{list:?}");
            } else {
                // Of one tenant alone already the issuer is another one.
                let fault = signed_in.unwrap_err();
                assert!(matches!(fault, Fault::Tenant | Fault::Issuer), "{list:?} {tenant} {fault:?}");
                assert_eq!(fault == Fault::Tenant, list.len() > 1 || list == ["*"], "{list:?} {tenant}");
            }
        }
    }
    assert_eq!(Fault::Tenant.rule(), "R6");
    for list in [&[][..], &["contoso.example"], &["common"], &["organizations", own], &["*", "example.com"]] {
        let rig = Rig::with(Entra, tenants(list)).await;
        let fault = rig.sign_in().await.unwrap_err();
        assert!(matches!(fault, Fault::Setup(_)) && fault.rule() == "R6", "{list:?}");
    }
}

#[tokio::test]
async fn r6_a_tenant_claim_of_its_own_does_not_open() {
    // Goal: R6, hostile row F2: the issuer is right and the tenant claim another: nobody comes in by a claim that the issuer contradicts.
    let rig = Rig::with(Entra, tenants(&[Upstream::TENANT])).await;
    rig.tell(|asked| asked.claims = json!({ "tid": OTHER }));
    assert_eq!(rig.sign_in().await, Err(Fault::Tenant));
    let rig = Rig::with(Entra, tenants(&[Upstream::TENANT, CONSUMERS])).await;
    rig.tell(|asked| asked.claims = json!({ "tid": OTHER }));
    assert_eq!(rig.sign_in().await, Err(Fault::Issuer));
}

#[tokio::test]
async fn r7_a_hosted_domain_is_one_that_may_sign_in() {
    // Goal: R7: by the claim, without case; whoever is of no hosted domain is refused, whatever the address ends in.
    let domains = vec!["Example.com".to_owned(), "example.org".to_owned()];
    let rig = Rig::with(Google, |google| google.allowed_domains = domains).await;
    for (hd, good) in [
        (json!("example.com"), true),
        (json!("EXAMPLE.ORG"), true),
        (json!("example.net"), false),
        (json!("sub.example.com"), false),
        (json!("example.com.evil"), false),
        (json!(["example.com"]), false),
        (json!(""), false),
        (json!(null), false),
    ] {
        let signed_in = rig.person(json!({ "hd": hd, "email": "bob@example.com" })).await;
        let wanted = if good { Ok(()) } else { Err(Fault::HostedDomain) };
        assert_eq!(signed_in.map(|_| ()), wanted, "{hd}");
    }
    assert_eq!(Fault::HostedDomain.rule(), "R7");
    let open = Rig::start(Google).await;
    assert!(open.person(json!({"hd": null})).await.is_ok());
}

#[tokio::test]
async fn a_key_is_made_of_what_never_changes() {
    // Goal: hostile row F1: issuer and subject, of Entra tenant and object; an address or a name changes nothing, and without them
    // there is nobody.
    let object = "00000000-0000-0000-66f3-3332eca7ea81";
    for kind in KINDS {
        let rig = Rig::start(kind).await;
        let first = rig.person(json!({})).await.unwrap();
        let origin = rig.there.origin();
        let wanted = match kind {
            Google => format!("{origin}|110169484474386276334"),
            Entra => format!("{origin}/{0}/v2.0|{0}|{object}", Upstream::TENANT),
            Oidc => format!("{origin}|person-1"),
        };
        assert_eq!(first.key, wanted);
        let renamed = json!({"email": "eve@example.com", "preferred_username": "eve", "name": "Eve", "upn": "eve"});
        assert_eq!(rig.person(renamed).await.unwrap().key, wanted);
        let another = rig.person(json!({"sub": "another"})).await.unwrap();
        assert_eq!(another.key == wanted, kind == Entra, "`sub` is another for each client at Entra");
        for sub in [json!(null), json!(""), json!(7), json!("x".repeat(256)), json!("a\nb")] {
            assert_eq!(rig.person(json!({ "sub": sub })).await, Err(Fault::Claim("sub")), "{kind:?} {sub}");
        }
    }
    let rig = Rig::with(Entra, tenants(&[Upstream::TENANT, CONSUMERS])).await;
    assert_eq!(rig.person(json!({"oid": null})).await, Err(Fault::Claim("oid")));
    let consumer = rig.person(json!({"oid": null, "tid": CONSUMERS})).await.unwrap();
    assert_eq!(consumer.key, format!("{}/{CONSUMERS}/v2.0|{CONSUMERS}||pairwise-7", rig.there.origin()));
}

#[tokio::test]
async fn f1_an_address_counts_only_where_the_provider_speaks_for_it() {
    // Goal: R9's conditions, hostile row F1 (nOAuth): Google for gmail.com and hosted domains, Entra where it has seen the domain proven,
    // others for declared domains; and never an address that is not verified.
    type Case = (ProviderKind, &'static [&'static str], &'static [&'static str], Value);
    let google = |person| -> Case { (Google, &[], &[], person) };
    let oidc = |trusted, person| -> Case { (Oidc, &[], trusted, person) };
    let cases: [(Case, bool); 26] = [
        (google(json!({"email": "bob@gmail.com"})), true),
        (google(json!({"email": "bob@GMAIL.com", "email_verified": "true"})), true),
        (google(json!({"email": "bob@gmail.com", "email_verified": false})), false),
        (google(json!({"email": "bob@notgmail.com"})), false),
        (google(json!({"email": "bob@gmail.com.evil"})), false),
        (google(json!({"email": "bob@example.com"})), false),
        (google(json!({"email": "bob@example.com", "hd": "example.com"})), true),
        (google(json!({"email": "bob@example.com", "hd": "example.com", "email_verified": null})), false),
        (google(json!({"email": null, "hd": "example.com"})), false),
        ((Entra, &[Upstream::TENANT], &[], json!({})), false),
        ((Entra, &[Upstream::TENANT], &[], json!({"email_verified": true})), false),
        ((Entra, &[Upstream::TENANT], &[], json!({"xms_edov": true})), true),
        ((Entra, &["*"], &[], json!({"xms_edov": "1"})), true),
        ((Entra, &["*"], &[], json!({"xms_edov": 1})), true),
        ((Entra, &["*"], &[], json!({"xms_edov": 0})), false),
        ((Entra, &["*"], &[], json!({"xms_edov": "false"})), false),
        ((Entra, &[Upstream::TENANT], &["example.com"], json!({})), true),
        ((Entra, &["*"], &["example.com"], json!({})), false),
        ((Entra, &[Upstream::TENANT, OTHER], &["example.com"], json!({})), false),
        (oidc(&[], json!({})), false),
        (oidc(&["EXAMPLE.com"], json!({})), true),
        (oidc(&["example.com"], json!({"email_verified": false})), false),
        (oidc(&["example.com"], json!({"email_verified": null})), false),
        (oidc(&["example.com"], json!({"email": "bob@sub.example.com"})), false),
        (oidc(&["example.com"], json!({"email": "bob@evil.example@example.com"})), false),
        (oidc(&["example.com"], json!({"email": "example.com"})), false),
    ];
    for ((kind, allowed, trusted, person), wanted) in cases {
        let rig = Rig::with(kind, |provider| {
            provider.allowed_tenants = allowed.iter().map(ToString::to_string).collect();
            provider.trusted_domains = trusted.iter().map(ToString::to_string).collect();
        })
        .await;
        let identity = rig.person(person.clone()).await.unwrap();
        assert_eq!(identity.email_is_authoritative, wanted, "{kind:?} {allowed:?} {trusted:?} {person}");
    }
}

#[tokio::test]
async fn r14_a_second_factor_is_proven_by_the_token() {
    // Goal: R14: by the word for it or by two kinds of method; not by a level that somebody made up.
    let rig = Rig::start(Oidc).await;
    for (said, wanted) in [
        (json!({}), false),
        (json!({"amr": ["pwd"]}), false),
        (json!({"amr": ["pwd", "mfa"]}), true),
        (json!({"amr": "mfa"}), true),
        (json!({"amr": ["pwd", "otp"]}), true),
        (json!({"amr": ["pwd", "pin"]}), false),
        (json!({"amr": ["otp", "sms"]}), false),
        (json!({"amr": ["hwk", "face"]}), true),
        (json!({"amr": ["MFA"]}), false),
        (json!({"amr": ["mfa", 7]}), false),
        (json!({"amr": true}), false),
        (json!({"acr": "mfa"}), false),
        (json!({"acr": "https://refeds.org/profile/mfa"}), true),
    ] {
        assert_eq!(rig.person(said.clone()).await.unwrap().second_factor, wanted, "{said}");
    }
    let said = json!({"amr": ["pwd", "otp"], "acr": "gold", "auth_time": 1_790_000_000, "sid": "s-1"});
    let identity = rig.person(said).await.unwrap();
    assert_eq!((identity.acr.as_deref(), identity.amr.join(" ").as_str()), (Some("gold"), "pwd otp"));
    assert_eq!((identity.auth_time, identity.sid.as_deref()), (Some(Millis(1_790_000_000_000)), Some("s-1")));
}

#[tokio::test]
async fn r12_groups_are_known_or_not() {
    // Goal: R12, hostile row F6: a list is a list; too many groups, or something that is no list, is not the same as none.
    let names = |names: &[&str]| Groups::Known(names.iter().map(ToString::to_string).collect());
    for kind in KINDS {
        let rig = Rig::start(kind).await;
        for (said, wanted) in [
            (json!({}), Groups::Absent),
            (json!({"groups": []}), names(&[])),
            (json!({"groups": ["a", "b"]}), names(&["a", "b"])),
            (json!({"groups": "a"}), names(&["a"])),
            (json!({"groups": ["a", 7]}), Groups::Overage),
            (json!({"groups": {"a": 1}}), Groups::Overage),
            (json!({"hasgroups": true}), Groups::Overage),
            (json!({"_claim_names": {"groups": "src1"}}), Groups::Overage),
            (json!({"_claim_names": {"groups": "src1"}, "groups": ["a"]}), Groups::Overage),
            (json!({"_claim_names": {"roles": "src1"}}), Groups::Absent),
        ] {
            assert_eq!(rig.person(said.clone()).await.unwrap().groups, wanted, "{said}");
        }
        let identity = rig.person(json!({"roles": ["Task.Write"]})).await.unwrap();
        assert_eq!(identity.roles, ["Task.Write"]);
        assert!(rig.person(json!({"roles": [7]})).await.unwrap().roles.is_empty());
        assert_eq!(rig.there.served("elsewhere"), 0, "no address of a token is followed");
    }
}

#[tokio::test]
async fn e7_what_is_shown_is_plain() {
    // Goal: hostile row E7: a name that would move a cursor or fill a page is not taken; there is always something to show.
    let rig = Rig::start(Oidc).await;
    for (said, shown) in [
        (json!({"email": "bob@example.com"}), "bob@example.com"),
        (json!({"email": null, "preferred_username": " bob "}), "bob"),
        (json!({"email": "not an address"}), "Bob Example"),
        (json!({"email": null, "name": null}), "person-1"),
        (json!({"email": null, "name": "a\u{1b}[2Jb"}), "person-1"),
        (json!({"email": null, "name": "x".repeat(513)}), "person-1"),
        (json!({"email": null, "name": ["x"]}), "person-1"),
    ] {
        assert_eq!(rig.person(said.clone()).await.unwrap().shown, shown, "{said}");
    }
}

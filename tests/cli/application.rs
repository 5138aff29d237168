//! `rollbook application`: made, listed, given another secret, deleted; and what that is worth at the token endpoint.

use crate::demo::Demo;
use axum::http::StatusCode;
use serde_json::{Value, json};
use testkit::RelyingParty;

/// The applications of this name.
fn named(demo: &Demo, name: &str) -> Vec<Value> {
    let all = demo.json(&["application", "list"]);
    all.as_array().unwrap().iter().filter(|application| application["name"] == name).cloned().collect()
}

/// Goal: an application gets tokens with the secret that was printed once, with both while one takes the other's place, and
/// with none after its deletion; no list shows a secret, and no file keeps one.
#[tokio::test]
async fn an_application_and_its_secrets() {
    let demo = Demo::shared();
    let made = demo.only(&[
        "application",
        "create",
        "Ledger sync",
        "--grant",
        "client_credentials",
        "--scope",
        "ledger.read",
        "--scope",
        "ledger.write",
    ]);
    let (id, first) = (made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
    assert!(id.starts_with("app-"), "{made}");
    for (name, expected) in [
        ("dn", json!("cn=Ledger sync,ou=applications,dc=example,dc=com")),
        ("authentication", json!("client_secret_basic")),
        ("grant", json!(["client_credentials"])),
        ("scope", json!(["ledger.read", "ledger.write"])),
        ("enabled", json!("yes")),
    ] {
        assert_eq!(made[name], expected, "{name}");
    }
    let listed = named(&demo, "Ledger sync");
    assert_eq!((listed.len(), &listed[0]["client_id"], listed[0].get("client_secret")), (1, &made["client_id"], None));
    let text = demo.done(&["application", "list"]);
    assert!(text.contains(id) && !text.contains(first), "{text}");

    let with = async |secret: &str| RelyingParty::over(demo.http().await, id, secret).by_itself().await;
    assert_eq!(with(first).await.status, StatusCode::OK);
    assert_eq!(with(&format!("{first}x")).await.status, StatusCode::UNAUTHORIZED);

    let rotate = ["application", "secret", "rotate"];
    let second = demo.only(&[&rotate[..], &["ledger SYNC", "--overlap", "1h"]].concat());
    let second = second["client_secret"].as_str().unwrap();
    assert_ne!(second, first);
    for secret in [first, second] {
        assert_eq!(with(secret).await.status, StatusCode::OK, "both, while they overlap");
    }
    let third = demo.only(&[&rotate[..], &[id]].concat());
    let third = third["client_secret"].as_str().unwrap();
    for (secret, expected) in
        [(first, StatusCode::UNAUTHORIZED), (second, StatusCode::UNAUTHORIZED), (third, StatusCode::OK)]
    {
        assert_eq!(with(secret).await.status, expected, "without an overlap, the last one alone");
    }
    for secret in [first, second, third] {
        demo.never_kept(secret);
    }

    assert_eq!(demo.done(&["application", "delete", id]), "");
    assert_eq!(with(third).await.status, StatusCode::UNAUTHORIZED);
    assert!(named(&demo, "Ledger sync").is_empty());
}

/// Goal: an application that only members of a group may enter names a group or role that is there; a name that means nothing
/// would keep everybody out, and is refused before anything is made.
#[tokio::test]
async fn a_group_that_may_enter_is_there() {
    let demo = Demo::shared();
    for wrong in ["cn=nobody,ou=groups,dc=example,dc=com", "ou=people,dc=example,dc=com", "not a name"] {
        let create = ["application", "create", "Closed shop", "--allow-group", wrong];
        demo.refused(&create, 5, "there is no group or role");
    }
    assert!(named(&demo, "Closed shop").is_empty());
    let role = "cn=USER_ADMIN,ou=roles,dc=example,dc=com";
    let made = demo.only(&["application", "create", "Closed shop", "--allow-group", role]);
    assert_eq!(made["allow_group"], json!([role]));
}

/// Goal: who keeps no secret is shown none, and proves itself with its keys or not at all.
#[test]
fn applications_without_a_secret() {
    let demo = Demo::shared();
    let redirect = ["--redirect-uri", "com.example.notes:/callback"];
    let made = demo.only(&[&["application", "create", "Notes", "--public"], &redirect[..]].concat());
    assert_eq!((&made["authentication"], made.get("client_secret")), (&json!("none"), None));
    assert_eq!(made["redirect_uri"], json!(["com.example.notes:/callback"]));

    let coordinates =
        r#""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
    let keys = format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","use":"sig","kid":"1",{coordinates}}}]}}"#);
    let (file, none) = (demo.file("keys.json", &keys), demo.file("none.json", "no key set"));
    let made = demo.only(&["application", "create", "Signer", "--key-set", &file, "--grant", "client_credentials"]);
    assert_eq!((&made["authentication"], made.get("client_secret")), (&json!("private_key_jwt"), None));

    demo.refused(&["application", "create", "Both", "--public", "--key-set", &file], 2, "cannot be used with");
    demo.refused(&["application", "create", "Lost", "--key-set", "/nowhere/keys.json"], 2, "cannot read");
    demo.refused(&["application", "create", "None", "--key-set", &none], 2, "no JSON Web Key Set");
    assert!(["Both", "Lost", "None"].iter().all(|name| named(&demo, name).is_empty()));
}

/// Goal: what is not there and what may not be is refused with its exit code, and nothing is half made.
#[test]
fn refusals() {
    let demo = Demo::shared();
    let made = demo.only(&["application", "create", "Twice", "--client-id", "twice"]);
    assert_eq!(made["client_id"], "twice");
    demo.refused(&["application", "create", "Twice"], 5, "entryAlreadyExists");
    demo.refused(&["application", "create", "Other", "--client-id", "twice"], 5, "");
    for address in ["/relative", "http://elsewhere.example/cb", "javascript:alert(1)", "https://app.example/#part"] {
        let wanted = ["application", "create", "Other", "--redirect-uri", address];
        demo.refused(&wanted, 5, "rollbookRedirectUri has to be an https address");
    }
    demo.refused(&["application", "create", "Other", "--tenant", "nowhere"], 5, "no such tenant");
    demo.refused(&["application", "create", "Other", "--grant", "password"], 2, "possible values");
    assert!(named(&demo, "Other").is_empty());
    for words in [&["secret", "rotate", "nothing"][..], &["delete", "nothing"]] {
        demo.refused(&[&["application"], words].concat(), 5, "there is no such application");
    }
    demo.refused(&["application", "secret", "rotate", "twice", "--overlap", "31d"], 5, "30 days");
}

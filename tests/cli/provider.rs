//! `rollbook provider`: added, switched on and off, removed; what is added is off, and its secret is never seen again.

use crate::demo::Demo;
use serde_json::{Value, json};

/// The providers of this name.
fn named(demo: &Demo, name: &str) -> Vec<Value> {
    let all = demo.json(&["provider", "list"]);
    all.as_array().unwrap().iter().filter(|provider| provider["name"] == name).cloned().collect()
}

/// Goal: each kind is added with what it needs, is off until it is enabled, shows nothing of our secret, and is gone when it
/// is removed.
#[test]
fn providers_from_end_to_end() {
    let demo = Demo::shared();
    let secret = "0a8ca5bb2e4f4d0d9f3c-upstream";
    let file = demo.file("upstream-secret", &format!("{secret}\n"));
    let google = demo.only(&[
        "provider",
        "add",
        "google",
        "workspace",
        "--client-id",
        "ours.apps.googleusercontent.com",
        "--client-secret-file",
        &file,
        "--allow-domain",
        "meridian.example",
    ]);
    let tenant = "8d2b9a5e-4c1f-4b1e-9a51-0f7f3b6f2c11";
    let entra =
        ["provider", "add", "entra", "staff", "--client-id", "ours", "--link", "prompt", "--allow-tenant", tenant];
    let entra = demo.only(&entra);
    let other = ["provider", "add", "oidc", "partner", "--client-id", "ours", "--issuer", "https://id.partner.example"];
    let other = demo.only(&[&other[..], &["--just-in-time", "--link", "trusted-email"]].concat());
    for (made, kind, name, link, more) in [
        (&google, "google", "workspace", "deny", ("allow_domain", json!(["meridian.example"]))),
        (&entra, "entra", "staff", "prompt", ("allow_tenant", json!([tenant]))),
        (&other, "oidc", "partner", "trusted-email", ("issuer", json!("https://id.partner.example"))),
    ] {
        assert_eq!((&made["kind"], &made["name"], &made["link"]), (&json!(kind), &json!(name), &json!(link)));
        assert_eq!((&made["enabled"], &made[more.0]), (&json!("no"), &more.1), "{name}");
        assert_eq!(made["just_in_time"], if name == "partner" { "yes" } else { "no" });
        let listed = named(&demo, name);
        assert_eq!((listed.len(), &listed[0]), (1, made), "listed as it was made");
        assert!(!made.to_string().contains(secret));
    }
    demo.never_kept(secret);

    for (act, enabled) in [("enable", "yes"), ("disable", "no")] {
        assert_eq!(demo.done(&["provider", act, "Staff"]), "");
        assert_eq!(named(&demo, "staff")[0]["enabled"], enabled);
    }
    for name in ["workspace", "staff", "partner"] {
        assert_eq!(demo.done(&["provider", "remove", name]), "");
        assert!(named(&demo, name).is_empty());
        demo.refused(&["provider", "remove", name], 5, "there is no such provider");
    }
}

/// Goal: what is missing is said before anything is asked, and what may not be is refused whole.
#[test]
fn refusals() {
    let demo = Demo::shared();
    demo.refused(&["provider", "add", "oidc", "x", "--client-id", "ours"], 2, "--issuer");
    demo.refused(&["provider", "add", "entra", "x", "--client-id", "ours"], 2, "--allow-tenant");
    demo.refused(&["provider", "add", "google", "x"], 2, "--client-id");
    demo.refused(&["provider", "add", "facebook", "x", "--client-id", "ours"], 2, "possible values");
    let wanted = ["provider", "add", "google", "x", "--client-id", "ours"];
    demo.refused(&[&wanted[..], &["--client-secret-file", "/nowhere/secret"]].concat(), 3, "cannot read");
    let insecure = ["provider", "add", "oidc", "x", "--client-id", "ours", "--issuer", "http://id.partner.example"];
    demo.refused(&insecure, 5, "rollbookIssuer has to be an https address");
    assert!(named(&demo, "x").is_empty());
    demo.only(&["provider", "add", "google", "once", "--client-id", "ours"]);
    demo.refused(&["provider", "add", "google", "once", "--client-id", "ours"], 5, "there is a provider of this name");
    for act in ["enable", "test", "links"] {
        demo.refused(&["provider", act, "nothing"], 5, "there is no such provider");
    }
    assert_eq!(demo.json(&["provider", "links", "once"]), json!([]));
    demo.refused(&["provider", "links"], 2, "required");
}

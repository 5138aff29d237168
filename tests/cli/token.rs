//! `rollbook token`: the life of a token, the account that is made for it, the bounds and refusals; the secret is printed
//! once and nowhere else.

use crate::demo::Demo;
use serde_json::Value;

/// The tokens whose label this is.
fn labelled(demo: &Demo, label: &str) -> Vec<Value> {
    let all = demo.json(&["token", "list"]);
    all.as_array().unwrap().iter().filter(|token| token["label"] == label).cloned().collect()
}

/// Goal: the life of a token by the command line, the account that is made for it, the bounds and refusals, and that the
/// secret is printed once and nowhere else.
#[test]
fn tokens_are_kept_by_the_command_line() {
    let demo = Demo::shared();

    // Made: its account with it, narrowed as asked for.
    let made =
        demo.json(&["token", "create", "--scim", "--tenant", "aurora", "--dialect", "entra", "--types", "User,Group"]);
    let (secret, id) = (made["token"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert!(secret.starts_with(&format!("rbs_{id}_")) && secret.len() == 60, "{secret}");
    let account = "cn=entra,ou=applications,o=Aurora,dc=example,dc=com";
    for (name, expected) in
        [("label", "entra"), ("access", "write"), ("account", account), ("base", "o=Aurora,dc=example,dc=com")]
    {
        assert_eq!(made[name], expected, "{name}");
    }
    let shown = demo.shown(account);
    assert_eq!(shown["state"], "UNVERIFIED");
    assert!(shown["roles"].to_string().contains("SCIM_PROVISIONER"), "{shown}");

    // Listed, without the secret; for people too.
    let listed = labelled(&demo, "entra");
    assert_eq!((listed.len(), &listed[0]["id"], listed[0].get("token")), (1, &made["id"], None));
    assert_eq!(listed[0]["last_use"], Value::Null);
    let table = demo.done(&["token", "list"]);
    assert!(table.starts_with("id") && table.contains("write User,Group") && !table.contains("rbs_"), "{table}");

    // For the only naming context, reading, with a label; printed for people.
    let text = demo.done(&["token", "create", "--scim", "--read-only", "--label", "Nightly audit", "--expires", "2h"]);
    assert!(text.starts_with("rbs_") && text.contains("cn=Nightly audit,ou=applications,dc=example,dc=com"), "{text}");
    assert_eq!(labelled(&demo, "Nightly audit")[0]["access"], "read");

    // For an account that is there: it reaches what the account reaches.
    let made_for = demo.json(&["token", "create", "--scim", "--account", "svc-wiki", "--label", "wiki"]);
    assert_eq!(made_for["base"], Value::Null);

    // Replaced: both are there until the overlap ends; without one the old one has ended.
    let next = demo.json(&["token", "rotate", id, "--overlap", "1h"]);
    assert_eq!((&next["predecessor"], labelled(&demo, "entra").len()), (&made["id"], 2));
    assert_ne!(next["token"], made["token"]);
    let last = demo.json(&["token", "rotate", next["id"].as_str().unwrap(), "--overlap", "0s"]);
    demo.refused(&["token", "rotate", next["id"].as_str().unwrap()], 5, "no such token");

    // Ended, by hand and with its account.
    assert!(demo.done(&["token", "revoke", id]).contains("revoked"));
    demo.refused(&["token", "revoke", id], 5, "no such token");
    demo.done(&["account", "disable", "svc-wiki", "--yes"]);
    assert!(labelled(&demo, "wiki").is_empty());
    demo.refused(&["token", "create", "--scim", "--account", "svc-wiki"], 5, "cannot log in");

    // What is refused.
    demo.refused(&["token", "revoke", "nonsense"], 5, "no such token");
    demo.refused(&["token", "create", "--scim", "--tenant", "nowhere"], 5, "no such tenant");
    demo.refused(&["token", "create", "--scim", "--account", "nobody-here"], 5, "no account");
    demo.refused(&["token", "create", "--scim", "--expires", "4000d"], 5, "days");
    demo.refused(&["token", "rotate", last["id"].as_str().unwrap(), "--overlap", "31d"], 5, "30 days");
    demo.refused(&["token", "create"], 2, "--scim");
    demo.refused(&["token", "create", "--scim", "--dialect", "klingon"], 2, "possible values");
    demo.never_kept(secret);
}

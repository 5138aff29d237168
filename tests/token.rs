//! `rollbook token` from end to end: the built program against the built program's demo, through its Unix socket.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

/// A demo that runs.
struct Demo {
    child: Child,
    dir: tempfile::TempDir,
}

fn rollbook() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
    command.env_remove("ROLLBOOK_CONFIG").env_remove("ROLLBOOK_DATA");
    command
}

impl Demo {
    fn start() -> Demo {
        let dir = tempfile::tempdir().unwrap();
        let mut child = rollbook()
            .args(["demo", "--json", "--ports", "ephemeral", "--data"])
            .arg(dir.path().join("data"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with('{'), "an announcement, not {line:?}");
        Demo { child, dir }
    }

    fn run(&self, words: &[&str]) -> Output {
        let socket = self.dir.path().join("data/ldapi");
        rollbook().args(words).arg("--socket").arg(socket).stdin(Stdio::null()).output().unwrap()
    }

    #[track_caller]
    fn done(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {complaint}");
        assert_eq!(complaint, "", "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.done(words)).unwrap()
    }

    #[track_caller]
    fn refused(&self, words: &[&str], exit: i32, says: &str) {
        let output = self.run(words);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{words:?}: {complaint}");
        assert!(complaint.contains(says), "{words:?}: {complaint}");
        assert!(output.stdout.is_empty(), "{words:?}");
    }

    /// The tokens whose label this is.
    fn labelled(&self, label: &str) -> Vec<Value> {
        let all = self.json(&["token", "list", "--json"]);
        all.as_array().unwrap().iter().filter(|token| token["label"] == label).cloned().collect()
    }
}

impl Demo {
    /// Ends the daemon and keeps its data.
    fn end(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
        _ = self.child.wait();
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.end();
    }
}

/// Goal: the life of a token by the command line, the account that is made for it, the bounds and refusals, and that the
/// secret is printed once and nowhere else.
#[test]
fn tokens_are_kept_by_the_command_line() {
    let mut demo = Demo::start();

    // Made: its account with it, narrowed as asked for.
    let made = demo.json(&[
        "token",
        "create",
        "--scim",
        "--tenant",
        "aurora",
        "--dialect",
        "entra",
        "--types",
        "User,Group",
        "--json",
    ]);
    let (secret, id) = (made["token"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert!(secret.starts_with(&format!("rbs_{id}_")) && secret.len() == 60, "{secret}");
    let account = "cn=entra,ou=applications,o=Aurora,dc=example,dc=com";
    for (name, expected) in
        [("label", "entra"), ("access", "write"), ("account", account), ("base", "o=Aurora,dc=example,dc=com")]
    {
        assert_eq!(made[name], expected, "{name}");
    }
    let shown = demo.json(&["account", "show", account, "--json"]);
    assert_eq!(shown["state"], "UNVERIFIED");
    assert!(shown["roles"].to_string().contains("SCIM_PROVISIONER"), "{shown}");

    // Listed, without the secret; for people too.
    let listed = demo.labelled("entra");
    assert_eq!((listed.len(), &listed[0]["id"], listed[0].get("token")), (1, &made["id"], None));
    assert_eq!(listed[0]["last_use"], Value::Null);
    let table = demo.done(&["token", "list"]);
    assert!(table.starts_with("id") && table.contains("write User,Group") && !table.contains("rbs_"), "{table}");

    // For the only naming context, reading, with a label; printed for people.
    let text = demo.done(&["token", "create", "--scim", "--read-only", "--label", "Nightly audit", "--expires", "2h"]);
    assert!(text.starts_with("rbs_") && text.contains("cn=Nightly audit,ou=applications,dc=example,dc=com"), "{text}");
    assert_eq!(demo.labelled("Nightly audit")[0]["access"], "read");

    // For an account that is there: it reaches what the account reaches.
    let made_for = demo.json(&["token", "create", "--scim", "--account", "svc-wiki", "--label", "wiki", "--json"]);
    assert_eq!(made_for["base"], Value::Null);

    // Replaced: both are there until the overlap ends; without one the old one has ended.
    let next = demo.json(&["token", "rotate", id, "--overlap", "1h", "--json"]);
    assert_eq!((&next["predecessor"], demo.labelled("entra").len()), (&made["id"], 2));
    assert_ne!(next["token"], made["token"]);
    let last = demo.json(&["token", "rotate", next["id"].as_str().unwrap(), "--overlap", "0s", "--json"]);
    demo.refused(&["token", "rotate", next["id"].as_str().unwrap()], 5, "no such token");

    // Ended, by hand and with its account.
    assert!(demo.done(&["token", "revoke", id]).contains("revoked"));
    demo.refused(&["token", "revoke", id], 5, "no such token");
    demo.done(&["account", "disable", "svc-wiki", "--yes"]);
    assert!(demo.labelled("wiki").is_empty());
    demo.refused(&["token", "create", "--scim", "--account", "svc-wiki"], 5, "cannot log in");

    // What is refused.
    demo.refused(&["token", "revoke", "nonsense"], 5, "no such token");
    demo.refused(&["token", "create", "--scim", "--tenant", "nowhere"], 5, "no such tenant");
    demo.refused(&["token", "create", "--scim", "--account", "nobody-here"], 5, "no account");
    demo.refused(&["token", "create", "--scim", "--expires", "4000d"], 5, "days");
    demo.refused(&["token", "rotate", last["id"].as_str().unwrap(), "--overlap", "31d"], 5, "30 days");
    demo.refused(&["token", "create"], 2, "--scim");
    demo.refused(&["token", "create", "--scim", "--dialect", "klingon"], 2, "possible values");

    // The store holds no secret and is whole.
    let data = demo.dir.path().join("data");
    demo.end();
    let checked = rollbook().arg("check").arg("--data").arg(&data).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    let secret_part = secret.rsplit('_').next().unwrap_or_else(|| panic!("{secret}")).as_bytes();
    for file in std::fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        let octets = std::fs::read(&path).unwrap_or_default();
        assert!(!octets.windows(secret_part.len()).any(|window| window == secret_part), "{}", path.display());
    }
}

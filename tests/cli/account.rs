//! `rollbook account`: each act does what it says, each refusal has its words and exit code.

use crate::demo::{Demo, PEOPLE, fixture};
use rollbook::client::{Client, Modification};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const MEANWHILE: &str = "while nobody could come in";
const NEW: &str = "a slip of paper, folded twice";

#[test]
fn accounts_from_end_to_end() {
    // Goal: each act does what it says, and each refusal has its words and exit code.
    let demo = Demo::shared();
    names_find_their_account(&demo);
    lists_are_whole(&demo);
    a_lock_is_lifted_by_a_new_password(&demo);
    a_disabled_account_is_enabled(&demo);
    a_deleted_account_is_gone(&demo);
    a_change_is_forced(&demo);
    passwords_come_from_files_pipes_and_terminals(&demo);
    administrators_stay(&demo);
    other_tools_can_do_the_same(&demo);
}

fn names_find_their_account(demo: &Demo) {
    let dn = format!("uid=gkilic,{PEOPLE}");
    let mail = "gulay.kilic.10000@meridian.example";
    for name in ["gkilic", "GKilic", mail, dn.as_str(), "UID = gkilic, OU=people,DC=example,dc=com"] {
        assert_eq!(demo.shown(name)["dn"], dn.as_str(), "{name}");
    }
    assert!(demo.logs_in("gkilic", &fixture("gkilic")));
    golden("account-show.json", &demo.done(&["account", "show", "--json", "gkilic"]));
    golden("account-show.txt", &demo.done(&["account", "show", mail]));
    assert_eq!(demo.shown("demo-reader")["dn"], demo.told["service"]["dn"], "service accounts go by their cn");
    let roles = &demo.shown("admin")["roles"];
    assert_eq!(roles.as_array().unwrap(), &["cn=SYSTEM_ADMIN,ou=roles,dc=example,dc=com"]);
    for name in ["nobody", "*", "", "ou=people,dc=example,dc=com", "uid=nobody,dc=example,dc=com", "uid=x,dc=elsewhere"]
    {
        demo.refused(&["account", "show", name], 5, "there is no account");
    }
    demo.refused(&["account", "lock", "nobody"], 5, "there is no account nobody");
}

fn lists_are_whole(demo: &Demo) {
    let list = |more: &[&str]| {
        let text = demo.done(&[&["account", "list", "--format", "json"], more].concat());
        serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap()
    };
    // The fixture without its deleted accounts, the administrator and the built-in account: in two pages. Others have no uid.
    assert_eq!(list(&["--filter", "(uid=*)"]).len(), 331 - 4 + 2);
    let dormant = list(&["--state", "dormant"]);
    assert_eq!(dormant.len(), 6);
    assert!(dormant.iter().all(|account| account["state"] == "DORMANT"));
    let some = list(&["--state", "unverified", "--filter", "(uid=*kohler)"]);
    assert_eq!(some.iter().map(|account| &account["username"]).collect::<Vec<_>>(), ["ikohler"]);
    let base = list(&["--base", "ou=applications,dc=example,dc=com"]);
    assert!(
        !base.is_empty()
            && base.iter().all(|a| a["dn"].as_str().unwrap().ends_with("ou=applications,dc=example,dc=com"))
    );
    let some = ["account", "list", "--filter", "(|(uid=gkilic)(uid=svc-wiki)(cn=demo-reader))"];
    for (format, file) in [("json", "account-list.json"), ("csv", "account-list.csv"), ("table", "account-list.txt")] {
        golden(file, &demo.done(&[&some[..], &["--format", format]].concat()));
    }
    demo.refused(&["account", "list", "--filter", "uid=x"], 2, "--filter");
    let output = demo.run_with(&["account", "list", "--base", "ou=nowhere,dc=example,dc=com", "--format", "csv"], "");
    assert_eq!(output.status.code(), Some(5));
}

fn a_lock_is_lifted_by_a_new_password(demo: &Demo) {
    let (uid, dn) = ("bmuller", format!("uid=bmuller,{PEOPLE}"));
    assert!(demo.logs_in(uid, &fixture(uid)));
    assert_eq!(demo.done(&["account", "lock", uid]), format!("{dn}: LOCKED\n"));
    let shown = demo.shown(uid);
    assert_eq!(
        (&shown["state"], &shown["cause"], &shown["locked"]),
        (&"LOCKED".into(), &"administrator".into(), &"until unlocked".into())
    );
    assert!(!demo.logs_in(uid, &fixture(uid)));
    assert!(demo.done(&["account", "list", "--state", "locked"]).contains(uid));
    demo.refused(&["account", "lock", uid], 5, "the account is LOCKED and this cannot be done to it");
    demo.refused(&["account", "force-change", uid], 5, "LOCKED");
    let said = demo.done_with(&["account", "passwd", uid, "--keep", "--password-file", "-"], MEANWHILE);
    assert_eq!(
        said,
        format!("{dn}: the password is set; LOCKED\n"),
        "a new password does not unlock, and that is said"
    );
    assert!(!demo.logs_in(uid, MEANWHILE));
    demo.refused(&["account", "unlock", uid, "--keep-password"], 5, "the policy demands a new password");
    demo.refused(&["account", "enable", uid], 5, "the policy demands a new password");
    demo.refused_with(&["account", "unlock", uid, "--password-file", "-"], "short\n", 5, &dn);
    demo.refused_with(&["account", "unlock", uid, "--password-file", "-"], "", 1, "no password in its first line");
    demo.refused(&["account", "unlock", uid], 1, "no terminal to ask for a password at");
    assert_eq!(demo.state(uid), "LOCKED");
    let said = demo.done_with(&["account", "unlock", uid, "--password-file", "-"], &format!("{NEW}\n"));
    assert_eq!(said, format!("{dn}: ENABLED, must change the password at the next login\n"));
    assert_eq!(demo.shown(uid)["must_change_password"], true);
    assert!(!demo.logs_in(uid, &fixture(uid)), "the old password is gone");
    assert!(!demo.logs_in(uid, NEW), "without the policy control, the new one must be changed elsewhere first");
    demo.refused_with(&["account", "unlock", uid, "--password-file", "-"], NEW, 5, "the account is ENABLED");
}

fn a_disabled_account_is_enabled(demo: &Demo) {
    let (uid, dn) = ("earcher", format!("uid=earcher,{PEOPLE}"));
    demo.refused(&["account", "enable", uid], 5, "the account is ACTIVE");
    demo.refused(&["account", "disable", uid], 1, "sessions, refresh tokens and API tokens end with it");
    assert_eq!(demo.state(uid), "ACTIVE", "nobody said yes");
    assert_eq!(demo.done(&["account", "disable", uid, "--yes"]), format!("{dn}: DISABLED\n"));
    assert_eq!(demo.shown(uid)["cause"], "administrator");
    assert!(!demo.logs_in(uid, &fixture(uid)));
    demo.refused(&["account", "disable", uid, "--yes"], 5, "the account is DISABLED");
    demo.refused(&["account", "lock", uid], 5, "the account is DISABLED");
    assert_eq!(demo.done(&["account", "enable", uid]), format!("{dn}: ENABLED\n"));
    assert!(demo.logs_in(uid, &fixture(uid)), "the last password stands");
    assert_eq!(demo.state(uid), "ACTIVE");
    demo.done(&["account", "disable", uid, "--yes"]);
    let file = demo.file("enable", NEW);
    let said = demo.done(&["account", "enable", uid, "--password-file", &file]);
    assert_eq!(said, format!("{dn}: ENABLED, must change the password at the next login\n"));
    assert!(!demo.logs_in(uid, &fixture(uid)));
}

fn a_deleted_account_is_gone(demo: &Demo) {
    let uid = "ikohler";
    demo.refused(&["account", "delete", uid], 1, "it cannot be restored");
    demo.refused(&["account", "delete", uid, "--purge-after-months", "121"], 2, "121");
    assert_eq!(demo.state(uid), "UNVERIFIED");
    assert_eq!(
        demo.done(&["account", "delete", uid, "--yes", "--purge-after-months", "3"]),
        format!("uid={uid},{PEOPLE}: DELETED\n")
    );
    for words in [&["account", "show", uid][..], &["account", "delete", uid, "--yes"], &["account", "enable", uid]] {
        demo.refused(words, 5, "there is no account");
    }
    let all = demo.done(&["account", "list", "--format", "csv"]);
    assert!(!all.lines().any(|line| line.starts_with(&format!("{uid},"))));
    assert!(!demo.logs_in(uid, &fixture(uid)));
}

fn a_change_is_forced(demo: &Demo) {
    let (uid, dn) = ("tkovalenko", format!("uid=tkovalenko,{PEOPLE}"));
    demo.refused(&["account", "force-change", "ngarcon"], 5, "the account is UNVERIFIED");
    assert!(demo.logs_in(uid, &fixture(uid)));
    let said = demo.done(&["account", "force-change", uid]);
    assert_eq!(said, format!("{dn}: ACTIVE, must change the password at the next login\n"));
    assert!(!demo.logs_in(uid, &fixture(uid)));
}

fn passwords_come_from_files_pipes_and_terminals(demo: &Demo) {
    let (uid, dn) = ("nvaillant", format!("uid=nvaillant,{PEOPLE}"));
    let open = demo.file_for("open", NEW, 0o644);
    demo.refused(&["account", "passwd", uid, "--password-file", &open], 3, "chmod 600");
    let common = demo.file("common", "password1\n");
    demo.refused(&["account", "passwd", uid, "--password-file", &common], 5, &dn);
    let good = demo.file("good", &format!("{NEW}\nnot this line\n"));
    let said = demo.done(&["account", "passwd", uid, "--password-file", &good, "--keep"]);
    assert_eq!(said, format!("{dn}: the password is set; ACTIVE\n"));
    assert!(demo.logs_in(uid, NEW));
    let said = demo.done(&["account", "passwd", uid, "--password-file", &good]);
    assert_eq!(said, format!("{dn}: the password is set; ACTIVE, must change the password at the next login\n"));

    let typed = "typed without being seen";
    let screen = at_a_terminal(demo, &["passwd", uid, "--keep"], &[("New password: ", typed), ("Again: ", typed)]);
    assert!(screen.contains("the password is set") && !screen.contains(typed), "{screen}");
    assert!(demo.logs_in(uid, typed));
    let screen = at_a_terminal(demo, &["passwd", uid], &[("New password: ", typed), ("Again: ", "otherwise")]);
    assert!(screen.contains("the two passwords differ"), "{screen}");
    let screen = at_a_terminal(demo, &["disable", uid], &[("[y/N] ", "no")]);
    assert!(screen.contains("nothing was done"), "{screen}");
    let screen = at_a_terminal(demo, &["disable", uid], &[("[y/N] ", "yes")]);
    assert!(screen.contains("DISABLED"), "{screen}");
}

/// Runs `rollbook account …` at a pseudo-terminal: waits for each question, types its answer, returns the screen.
fn at_a_terminal(demo: &Demo, words: &[&str], answers: &[(&str, &str)]) -> String {
    let line =
        format!("{} account {} --socket {}", env!("CARGO_BIN_EXE_rollbook"), words.join(" "), demo.socket().display());
    let mut child = Command::new("script")
        .args(["--quiet", "--echo", "never", "--command", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keys, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut screen = Vec::new();
    for (question, answer) in answers {
        while !screen.ends_with(question.as_bytes()) {
            let mut octet = [0];
            let read = output.read(&mut octet).unwrap();
            assert_eq!(read, 1, "{question:?} is asked: {}", String::from_utf8_lossy(&screen));
            screen.push(octet[0]);
        }
        keys.write_all(format!("{answer}\n").as_bytes()).unwrap();
    }
    output.read_to_end(&mut screen).unwrap();
    child.wait().unwrap();
    String::from_utf8(screen).unwrap()
}

fn administrators_stay(demo: &Demo) {
    let administrators = "(memberOf=cn=SYSTEM_ADMIN,ou=roles,dc=example,dc=com)";
    let listed = demo.done(&["account", "list", "--format", "json", "--filter", administrators]);
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
    let names: Vec<&str> = listed.iter().map(|account| account["username"].as_str().unwrap()).collect();
    assert!(names.len() > 1 && names.contains(&"admin"), "{names:?}");
    for name in names.iter().filter(|name| **name != "admin") {
        demo.refused(&["account", "delete", name, "--yes"], 5, "a system administrator cannot be deleted");
        demo.done(&["account", "disable", name, "--yes"]);
    }
    demo.refused(&["account", "delete", "admin", "--yes"], 5, "a system administrator cannot be deleted");
    demo.refused(&["account", "disable", "admin", "--yes"], 5, "one active system administrator has to remain");
    let (dn, password) = (demo.told["admin"]["dn"].as_str().unwrap(), demo.told["admin"]["password"].as_str().unwrap());
    Client::connect(&demo.socket()).unwrap().bind_simple(dn, password.as_bytes()).unwrap();
}

fn other_tools_can_do_the_same(demo: &Demo) {
    use ldap::wire::message::ChangeKind::Replace;
    let dn = format!("uid=osahin,{PEOPLE}");
    let write = |who: &str, attribute: &str, value: &[u8]| {
        let mut client = Client::connect(&demo.socket()).unwrap();
        let account = &demo.told[who];
        client.bind_simple(account["dn"].as_str().unwrap(), account["password"].as_str().unwrap().as_bytes()).unwrap();
        let written = client.modify(&dn, &[Modification { kind: Replace, attribute, values: &[value] }]);
        written.map_err(|error| error.to_string())
    };
    write("admin", "rollbookState", b"DISABLED").unwrap();
    assert_eq!(demo.state("osahin"), "DISABLED");
    assert_eq!(write("admin", "rollbookState", b"ENABLED"), Ok(()));
    let refused = write("admin", "rollbookState", b"ACTIVE").unwrap_err();
    assert!(refused.contains("ACTIVE comes of what the account does"), "{refused}");
    let refused = write("service", "rollbookState", b"LOCKED").unwrap_err();
    assert!(!refused.contains("ENABLED"), "a reader is not told the state: {refused}");
    assert_eq!(demo.state("osahin"), "ENABLED");
}

/// Compares with a file of `tests/golden`, times and ids aside; writes it when `UPDATE_GOLDEN` is set.
#[track_caller]
fn golden(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let text = masked(text);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "{file}: UPDATE_GOLDEN=1 writes it anew; the program says\n{text}");
}

/// Digits of times (`2026-11-21T22:58:00Z`) and everything of UUIDs become zeros.
fn masked(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(character) = rest.chars().next() {
        let take = ["0000-00-00T00:00:00Z", "00000000-0000-0000-0000-000000000000"].into_iter().find(|mask| {
            let uuid = mask.len() == 36;
            rest.get(..mask.len()).is_some_and(|piece| {
                piece.bytes().zip(mask.bytes()).all(|(found, wanted)| match wanted {
                    b'0' => found.is_ascii_digit() || (uuid && found.is_ascii_hexdigit()),
                    other => found == other,
                })
            })
        });
        let piece = take.map_or_else(|| character.to_string(), str::to_owned);
        rest = rest.get(piece.len()..).unwrap_or_default();
        out += &piece;
    }
    out
}

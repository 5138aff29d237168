//! Bulk import and export: the same rows as by ordinary changes, every refusal with its reason, all or nothing, and back.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

mod back;
#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "other test programs use the rest")]
mod common;
mod refusals;
mod rows;

use directory::bootstrap;
use directory::error::Refusal;
use directory::handle::Directory;
use directory::import::{Entry, Finding, Options, Place, Summary};
use std::sync::{Arc, Mutex};

const BASE: &str = "dc=example,dc=com";
const HASH: &str = "{SSHA}6HL2uk6/TdJw5zPHYqoCxXyXtLUUNQpU";

fn entry(line: u64, dn: &str, lines: &[(&str, &str)]) -> Entry {
    let mut entry = Entry::new(Place { file: 0, line }, dn.as_bytes());
    for (name, value) in lines {
        entry.push(name.as_bytes(), value.as_bytes());
    }
    entry
}

/// The values of each description together.
fn grouped(entry: &Entry) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let mut attributes: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
    for (name, value) in entry.values() {
        match attributes.iter_mut().find(|(n, _)| n == name) {
            Some((_, values)) => values.push(value.to_vec()),
            None => attributes.push((name.to_vec(), vec![value.to_vec()])),
        }
    }
    attributes
}

/// Imports on a thread where waiting is allowed.
async fn import(
    directory: &Directory,
    options: Options,
    entries: Vec<Entry>,
) -> (Result<Summary, Refusal>, Vec<Finding>) {
    let directory = directory.clone();
    let work = move || {
        let findings = Arc::new(Mutex::new(Vec::new()));
        let told = findings.clone();
        let tell = move |finding| told.lock().unwrap().push(finding);
        let mut import = directory.import(&bootstrap::operator(&directory), options, tell).unwrap();
        for entry in entries {
            if import.push(entry).is_err() {
                break;
            }
        }
        let summary = import.finish();
        let findings = std::mem::take(&mut *findings.lock().unwrap());
        (summary, findings)
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// An organisation in an awkward order: groups before their members, a branch before its top.
fn organisation(people: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |dn: &str, lines: &[(&str, &str)]| entries.push(entry(entries.len() as u64 + 1, dn, lines));
    let unit = |ou| [("objectClass", "organizationalUnit"), ("ou", ou)];
    add(&format!("ou=people,{BASE}"), &unit("people"));
    for group in 0..5 {
        let dn = format!("cn=g{group},ou=groups,{BASE}");
        let name = format!("g{group}");
        let members: Vec<String> =
            (0..people).filter(|p| p % (group + 1) == 0).map(|p| format!("uid=user{p}, ou=people,{BASE}")).collect();
        let mut lines = vec![("objectClass", "groupOfNames"), ("cn", name.as_str())];
        lines.extend(members.iter().map(|m| ("member", m.as_str())));
        let nested = format!("cn=g{},ou=groups,{BASE}", group + 1);
        if group < 4 {
            lines.push(("member", nested.as_str()));
        }
        add(&dn, &lines);
    }
    add(&format!("ou=teams,ou=branch,{BASE}"), &unit("teams"));
    add(&format!("uid=early,ou=teams,ou=branch,{BASE}"), &person("early", "Early Bird"));
    add(&format!("ou=branch,{BASE}"), &unit("branch"));
    for number in 0..people {
        let (uid, cn) = (format!("user{number}"), format!("Usér Number{} of {}", number, number % 7));
        let mail = format!("user{number}@example.com");
        let mut lines = person(&uid, &cn);
        lines.extend([("mail", mail.as_str()), ("userPassword", HASH), ("telephoneNumber", "+49 30 1234")]);
        lines.extend([
            ("description", "short"),
            ("description;lang-de", "kürzer"),
            ("manager", "uid=user0,ou=people,dc=example,dc=com"),
        ]);
        add(&format!("uid={uid},ou=people,{BASE}"), &lines);
    }
    add(
        &format!("cn=Unique+ou=x,ou=groups,{BASE}"),
        &[
            ("objectClass", "groupOfUniqueNames"),
            ("uniqueMember", "uid=user1,ou=people,dc=example,dc=com"),
            ("uniqueMember", "UID=USER2,ou=people,dc=example,dc=com"),
        ],
    );
    entries
}

fn person<'a>(uid: &'a str, cn: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![("objectClass", "top"), ("objectClass", "inetOrgPerson"), ("uid", uid), ("cn", cn), ("sn", cn)]
}

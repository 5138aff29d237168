//! `account show`: one account with its state, the facts behind it, its groups and its roles.

use super::find::{self, PAGE, STATE};
use super::text::{shown, time};
use crate::client::{Client, Entry, Query};
use crate::command::{Exit, Failure, say};
use ldap::wire::filter::{Extensible, FilterBuf};
use ldap::wire::message::Scope;
use serde::Serialize;

/// What is read of the account.
const ATTRIBUTES: &[&str] = &[
    "uid",
    "cn",
    "displayName",
    "mail",
    "entryUUID",
    STATE,
    "rollbookHold",
    "createTimestamp",
    "pwdLastSuccess",
    "rollbookLastActivity",
    "pwdFailureTime",
    "pwdAccountLockedTime",
    "pwdChangedTime",
    "pwdReset",
    "rollbookDormancyTime",
    "memberOf",
];

/// Membership through other groups too (LDAP_MATCHING_RULE_IN_CHAIN).
const IN_CHAIN: &[u8] = b"1.2.840.113556.1.4.1941";

/// An account for people and programs. The names are a promise to scripts; times are RFC 3339.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    dn: &'a str,
    id: Option<&'a str>,
    username: Option<&'a str>,
    name: Option<&'a str>,
    email: Option<&'a str>,
    state: Option<&'a str>,
    /// The cause of a state that admits no login, and since when.
    cause: Option<&'a str>,
    since: Option<String>,
    must_change_password: bool,
    created: Option<String>,
    last_login: Option<String>,
    last_activity: Option<String>,
    last_failure: Option<String>,
    locked: Option<String>,
    password_changed: Option<String>,
    dormant_from: Option<String>,
    groups: Vec<&'a str>,
    roles: Vec<&'a str>,
}

/// Shows an account.
///
/// # Errors
/// `Refused` when there is none.
pub fn run(client: &mut Client, name: &str, json: bool) -> Result<Exit, Failure> {
    let entry = find::account(client, name, ATTRIBUTES)?;
    let roles = roles(client, &entry.dn)?;
    let account = Shown::of(&entry, &roles);
    say(&if json {
        // Strings, lists and flags always serialise.
        serde_json::to_string_pretty(&account).unwrap_or_default() + "\n"
    } else {
        account.text()
    });
    Ok(Exit::Done)
}

/// The roles that the account holds, through groups too.
fn roles(client: &mut Client, dn: &str) -> Result<Vec<Entry>, Failure> {
    let class = FilterBuf::equality(b"objectClass", b"rollbookRole");
    let holds =
        Extensible { rule: Some(IN_CHAIN), attribute: Some(b"member"), value: dn.as_bytes(), dn_attributes: false };
    let holds = FilterBuf::extensible(&holds).map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
    let filter = FilterBuf::and([&class, &holds]);
    let mut found = Vec::new();
    for base in find::suffixes(client)? {
        let query = Query { base: &base, scope: Scope::Subtree, filter: &filter, attributes: &["cn"], page: PAGE };
        found.extend(find::collect(client, &query)?);
    }
    found.sort_by(|a, b| a.dn.cmp(&b.dn));
    Ok(found)
}

impl<'a> Shown<'a> {
    fn of(entry: &'a Entry, roles: &'a [Entry]) -> Self {
        let at = |name: &str| entry.value(name).map(time);
        // STATE cause since
        let mut hold = entry.value("rollbookHold").into_iter().flat_map(|hold| hold.split(' ').skip(1));
        let (cause, since) = (hold.next(), hold.next().map(time));
        let mut groups: Vec<&str> = entry.values("memberOf").iter().map(String::as_str).collect();
        groups.retain(|group| !roles.iter().any(|role| role.dn == *group));
        groups.sort_unstable();
        Shown {
            dn: &entry.dn,
            id: entry.value("entryUUID"),
            username: username(entry),
            name: name(entry),
            email: entry.value("mail"),
            state: entry.value(STATE),
            cause,
            since,
            must_change_password: entry.value("pwdReset") == Some("TRUE"),
            created: at("createTimestamp"),
            last_login: at("pwdLastSuccess"),
            last_activity: at("rollbookLastActivity"),
            last_failure: at("pwdFailureTime"),
            locked: entry.value("pwdAccountLockedTime").map(|value| match value {
                "000001010000Z" => "until unlocked".to_owned(),
                since => time(since),
            }),
            password_changed: at("pwdChangedTime"),
            dormant_from: at("rollbookDormancyTime"),
            groups,
            roles: roles.iter().map(|role| role.dn.as_str()).collect(),
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |label: &str, value: Option<&str>| {
            if let Some(value) = value {
                out.push_str(&format!("{label:<18}{}\n", shown(value)));
            }
        };
        line("DN", Some(self.dn));
        line("id", self.id);
        line("user name", self.username);
        line("name", self.name);
        line("e-mail", self.email);
        let why = match (self.cause, self.since.as_deref()) {
            (Some(cause), Some(since)) => format!(" ({cause}, since {since})"),
            (Some(cause), None) => format!(" ({cause})"),
            _ => String::new(),
        };
        let state = self.state.map(|state| format!("{state}{why}"));
        line("state", state.as_deref());
        line("password", self.must_change_password.then_some("must be changed at the next login"));
        line("created", self.created.as_deref());
        line("last login", Some(self.last_login.as_deref().unwrap_or("never")));
        line("last activity", self.last_activity.as_deref());
        line("last failure", self.last_failure.as_deref());
        line("locked", self.locked.as_deref());
        line("password set", self.password_changed.as_deref());
        line("dormant from", self.dormant_from.as_deref());
        self.groups.iter().for_each(|group| line("group", Some(group)));
        self.roles.iter().for_each(|role| line("role", Some(role)));
        out
    }
}

/// What the account is called at a login.
pub fn username(entry: &Entry) -> Option<&str> {
    entry.value("uid").or_else(|| entry.value("cn"))
}

/// What people call it.
pub fn name(entry: &Entry) -> Option<&str> {
    entry.value("displayName").or_else(|| entry.value("cn"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap::wire::ber::ListBuf;
    use ldap::wire::message::Attribute;

    fn entry(dn: &str, attributes: &[(&str, &[&str])]) -> Entry {
        let values: Vec<ListBuf> =
            attributes.iter().map(|(_, values)| ListBuf::of(values.iter().map(|v| v.as_bytes()))).collect();
        let attributes = attributes.iter().zip(&values);
        let attributes = attributes
            .map(|((name, _), values)| Attribute { description: name.as_bytes(), values: values.list().unwrap() });
        Entry::of(dn.as_bytes(), ListBuf::of(attributes).list().unwrap())
    }

    /// Goal: every fact has its line, a name cannot play with the terminal, and roles are not shown twice.
    #[test]
    fn facts_are_lines() {
        let account = entry(
            "uid=ada,dc=example",
            &[
                ("uid", &["ada"]),
                ("cn", &["Ada\u{1b}[2J"]),
                ("rollbookState", &["LOCKED"]),
                ("rollbookHold", &["LOCKED failures 20261121225800Z"]),
                ("pwdAccountLockedTime", &["20261121225800.000Z"]),
                ("createTimestamp", &["20260101000000Z"]),
                ("memberOf", &["cn=staff,dc=example", "cn=ADMIN,dc=example"]),
            ],
        );
        let roles = [entry("cn=ADMIN,dc=example", &[])];
        assert_eq!(
            Shown::of(&account, &roles).text(),
            "DN                uid=ada,dc=example\n\
             user name         ada\n\
             name              Ada\\u{1b}[2J\n\
             state             LOCKED (failures, since 2026-11-21T22:58:00Z)\n\
             created           2026-01-01T00:00:00Z\n\
             last login        never\n\
             locked            2026-11-21T22:58:00Z\n\
             group             cn=staff,dc=example\n\
             role              cn=ADMIN,dc=example\n"
        );
    }
}

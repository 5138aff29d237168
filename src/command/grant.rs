//! What `application`, `provider`, `keys`, `session`, `login` and `token fuse` share: one request to the daemon, and its
//! answer shown as text or JSON.

use super::account::text::shown;
use super::{Exit, Failure, say};
use crate::client::Client;
use ldap::grant_request::{Details, GrantRequest};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// How to show an answer.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Form {
    /// As a JSON array
    #[arg(long)]
    pub json: bool,
}

/// Asks for an act, and shows the answer.
///
/// # Errors
/// What the daemon refuses.
pub fn ask(client: &mut Client, act: &str, details: Details, form: Form) -> Result<Exit, Failure> {
    let answer = client.grant(&GrantRequest { act: act.to_owned(), details })?;
    say(&show(&answer.shown, form));
    Ok(Exit::Done)
}

/// An answer in its form.
pub fn show(things: &[Details], form: Form) -> String {
    if form.json { json(things) } else { text(things) }
}

/// Details of a request, name by name.
#[derive(Default)]
pub struct Wanted(Details);

impl Wanted {
    /// One value, if there is one.
    #[must_use]
    pub fn with<'a>(mut self, name: &str, values: impl IntoIterator<Item = &'a String>) -> Wanted {
        self.0.extend(values.into_iter().map(|value| (name.to_owned(), value.clone())));
        self
    }

    /// A word that stands for itself.
    #[must_use]
    pub fn when(mut self, set: bool, name: &str, value: &str) -> Wanted {
        if set {
            self.0.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// All of them.
    pub fn details(self) -> Details {
        self.0
    }
}

/// A block for each thing, its names aligned; control characters are escaped.
fn text(things: &[Details]) -> String {
    let mut out = String::new();
    for (number, details) in things.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let width = details.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in details {
            let _ = writeln!(out, "{:width$}  {}", name.replace('_', "-"), shown(value));
        }
    }
    out
}

/// An array of objects; a name with several values has an array of them.
fn json(things: &[Details]) -> String {
    const SEVERAL: [&str; 8] =
        ["gives", "grant", "redirect_uri", "scope", "allow_group", "allow_tenant", "allow_domain", "application"];
    let object = |details: &Details| {
        let mut object = Map::new();
        for (name, value) in details {
            let value = Value::String(value.clone());
            if !SEVERAL.contains(&name.as_str()) {
                object.insert(name.clone(), value);
            } else if let Value::Array(values) = object.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()))
            {
                values.push(value);
            }
        }
        Value::Object(object)
    };
    format!("{}\n", Value::Array(things.iter().map(object).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: both forms hold every value, and no control character of a value reaches a terminal.
    #[test]
    fn answers_are_shown() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let things = [
            vec![pair("client_id", "app-1"), pair("scope", "openid"), pair("scope", "em\u{1b}ail")],
            vec![pair("client_id", "app-2")],
        ];
        let text = text(&things);
        assert!(text.starts_with("client-id  app-1\nscope      openid\n") && text.ends_with("\n\nclient-id  app-2\n"));
        assert!(!text.contains('\u{1b}'));
        let expected = r#"[{"client_id":"app-1","scope":["openid","em\u001bail"]},{"client_id":"app-2"}]"#;
        assert_eq!(json(&things).trim_end(), expected);
    }
}

//! PATCH against a naive model: a user as a struct, operations as an enum, each carried out by a few plain lines.

use std::collections::BTreeMap;

use proptest::prelude::*;
use scim::protocol::patch::{PATCH_OP, Touched, apply, parse};
use scim::protocol::rules::Rules;
use serde_json::{Map, Value, json};

use crate::kind;

#[derive(Debug, Clone, Default, PartialEq)]
struct User {
    display: Option<String>,
    name: BTreeMap<String, String>,
    emails: Vec<Email>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Email {
    value: String,
    kind: Option<String>,
    primary: Option<bool>,
}

/// Which elements: those of a type, or with a value.
#[derive(Debug, Clone)]
enum Which {
    Kind(String),
    Value(String),
}

#[derive(Debug, Clone)]
enum Step {
    SetDisplay(&'static str, Option<String>),
    RemoveDisplay,
    SetName(&'static str, BTreeMap<String, Option<String>>),
    SetPart(&'static str, String, String),
    RemovePart(String),
    RemoveName,
    AddEmails(Vec<Email>),
    ReplaceEmails(Vec<Email>),
    RemoveEmails(Option<Which>),
    SetValue(&'static str, Which, String),
    SetPrimary(Which),
    RemoveKind(Which),
    Together(Option<String>, Vec<Email>),
}

impl Which {
    fn means(&self, email: &Email) -> bool {
        match self {
            Which::Kind(kind) => email.kind.as_ref() == Some(kind),
            Which::Value(value) => email.value == *value,
        }
    }

    fn path(&self) -> String {
        match self {
            Which::Kind(kind) => format!("emails[type eq {}]", json!(kind)),
            Which::Value(value) => format!("emails[value eq {}]", json!(value)),
        }
    }

    fn described(&self) -> Email {
        match self {
            Which::Kind(kind) => Email { kind: Some(kind.clone()), ..Email::default() },
            Which::Value(value) => Email { value: value.clone(), ..Email::default() },
        }
    }
}

impl User {
    /// Carries out a step; the keyword of the error otherwise.
    fn step(&mut self, step: &Step) -> Result<(), &'static str> {
        match step.clone() {
            Step::SetDisplay(op, value) => {
                if value.is_some() || op == "replace" {
                    self.display = value;
                }
            }
            Step::RemoveDisplay => self.display = None,
            Step::SetName(op, parts) => {
                for (part, value) in parts {
                    match value {
                        Some(value) => drop(self.name.insert(part, value)),
                        None if op == "replace" => drop(self.name.remove(&part)),
                        None => {}
                    }
                }
            }
            Step::SetPart(_, part, value) => drop(self.name.insert(part, value)),
            Step::RemovePart(part) => drop(self.name.remove(&part)),
            Step::RemoveName => self.name.clear(),
            Step::AddEmails(new) => self.add(new)?,
            Step::ReplaceEmails(new) => self.emails = distinct(new)?,
            Step::RemoveEmails(None) => self.emails.clear(),
            Step::RemoveEmails(Some(which)) => {
                let before = self.emails.len();
                self.emails.retain(|email| !which.means(email));
                if self.emails.len() == before {
                    return Err("noTarget");
                }
            }
            Step::SetValue(op, which, value) => {
                if !self.emails.iter().any(|email| which.means(email)) {
                    if op == "replace" {
                        return Err("noTarget");
                    }
                    self.emails.push(Email { value, ..which.described() });
                    return Ok(());
                }
                self.emails
                    .iter_mut()
                    .filter(|email| which.means(email))
                    .for_each(|email| email.value.clone_from(&value));
            }
            Step::SetPrimary(which) => {
                let meant = self.emails.iter().filter(|email| which.means(email)).count();
                if meant == 0 {
                    return Err("noTarget");
                }
                if meant > 1 {
                    return Err("invalidValue");
                }
                for email in &mut self.emails {
                    if which.means(email) {
                        email.primary = Some(true);
                    } else if email.primary == Some(true) {
                        email.primary = Some(false);
                    }
                }
            }
            Step::RemoveKind(which) => {
                if !self.emails.iter().any(|email| which.means(email)) {
                    return Err("noTarget");
                }
                self.emails.iter_mut().filter(|email| which.means(email)).for_each(|email| email.kind = None);
            }
            Step::Together(display, new) => {
                self.display = display.or(self.display.take());
                self.add(new)?;
            }
        }
        Ok(())
    }

    /// What is there already is so by the values before the operation: an old primary one gives way afterwards.
    fn add(&mut self, new: Vec<Email>) -> Result<(), &'static str> {
        let mut primary = None;
        for email in distinct(new)? {
            let there = |known: &Email| {
                known.value == email.value
                    && (email.kind.is_none() || known.kind == email.kind)
                    && (email.primary.is_none() || known.primary == email.primary)
            };
            if self.emails.iter().any(there) {
                continue;
            }
            if email.primary == Some(true) {
                primary = Some(self.emails.len());
            }
            self.emails.push(email);
        }
        if let Some(primary) = primary {
            let others = self.emails.iter_mut().enumerate().filter(|(place, _)| *place != primary);
            others.filter(|(_, email)| email.primary == Some(true)).for_each(|(_, email)| email.primary = Some(false));
        }
        Ok(())
    }

    fn json(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("schemas".into(), json!(["urn:ietf:params:scim:schemas:core:2.0:User"]));
        map.insert("userName".into(), json!("fixed"));
        map.extend(self.display.clone().map(|display| ("displayName".to_owned(), json!(display))));
        if !self.name.is_empty() {
            map.insert("name".into(), json!(self.name));
        }
        if !self.emails.is_empty() {
            map.insert("emails".into(), self.emails.iter().map(Email::json).collect());
        }
        map
    }
}

/// Without repetitions; two primary ones are an error.
fn distinct(emails: Vec<Email>) -> Result<Vec<Email>, &'static str> {
    let mut seen = Vec::new();
    for email in emails {
        if !seen.contains(&email) {
            seen.push(email);
        }
    }
    if seen.iter().filter(|email| email.primary == Some(true)).count() > 1 { Err("invalidValue") } else { Ok(seen) }
}

impl Email {
    fn json(&self) -> Value {
        let mut map = Map::from_iter([("value".to_owned(), json!(self.value))]);
        map.extend(self.kind.clone().map(|kind| ("type".to_owned(), json!(kind))));
        map.extend(self.primary.map(|primary| ("primary".to_owned(), json!(primary))));
        map.into()
    }
}

impl Step {
    fn json(&self) -> Value {
        let list = |emails: &[Email]| emails.iter().map(Email::json).collect::<Value>();
        match self {
            Step::SetDisplay(op, value) => json!({"op": op, "path": "displayName", "value": value}),
            Step::RemoveDisplay => json!({"op": "remove", "path": "displayName"}),
            Step::SetName(op, parts) => json!({"op": op, "path": "name", "value": parts}),
            Step::SetPart(op, part, value) => json!({"op": op, "path": format!("name.{part}"), "value": value}),
            Step::RemovePart(part) => json!({"op": "remove", "path": format!("NAME.{part}")}),
            Step::RemoveName => json!({"op": "remove", "path": "name"}),
            Step::AddEmails(new) => json!({"op": "add", "path": "emails", "value": list(new)}),
            Step::ReplaceEmails(new) => json!({"op": "replace", "path": "emails", "value": list(new)}),
            Step::RemoveEmails(None) => json!({"op": "remove", "path": "emails"}),
            Step::RemoveEmails(Some(which)) => json!({"op": "remove", "path": which.path()}),
            Step::SetValue(op, which, value) => {
                json!({"op": op, "path": format!("{}.value", which.path()), "value": value})
            }
            Step::SetPrimary(which) => {
                json!({"op": "replace", "path": format!("{}.primary", which.path()), "value": true})
            }
            Step::RemoveKind(which) => json!({"op": "remove", "path": format!("{}.type", which.path())}),
            Step::Together(display, new) => {
                json!({"op": "add", "value": {"displayName": display, "emails": list(new)}})
            }
        }
    }
}

// --- drawing ---

fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(words.to_vec()).prop_map(str::to_owned)
}

fn address() -> impl Strategy<Value = String> {
    word(&["a@x", "b@x", "c@x"])
}

fn type_of() -> impl Strategy<Value = String> {
    word(&["work", "home", "ours"])
}

fn part() -> impl Strategy<Value = String> {
    word(&["givenName", "familyName", "middleName"])
}

fn email() -> impl Strategy<Value = Email> {
    let primary = prop_oneof![4 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))];
    (address(), prop::option::of(type_of()), primary).prop_map(|(value, kind, primary)| Email { value, kind, primary })
}

fn emails() -> impl Strategy<Value = Vec<Email>> {
    prop::collection::vec(email(), 0..3)
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![type_of().prop_map(Which::Kind), address().prop_map(Which::Value)]
}

fn op() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["add", "replace"])
}

fn step() -> impl Strategy<Value = Step> {
    let text = || word(&["x", "y"]);
    let parts = prop::collection::btree_map(part(), prop::option::of(text()), 0..3);
    prop_oneof![
        (op(), prop::option::of(text())).prop_map(|(op, value)| Step::SetDisplay(op, value)),
        Just(Step::RemoveDisplay),
        (op(), parts).prop_map(|(op, parts)| Step::SetName(op, parts)),
        (op(), part(), text()).prop_map(|(op, part, value)| Step::SetPart(op, part, value)),
        part().prop_map(Step::RemovePart),
        Just(Step::RemoveName),
        emails().prop_map(Step::AddEmails),
        emails().prop_map(Step::ReplaceEmails),
        prop::option::weighted(0.8, which()).prop_map(Step::RemoveEmails),
        (op(), which(), address()).prop_map(|(op, which, value)| Step::SetValue(op, which, value)),
        which().prop_map(Step::SetPrimary),
        which().prop_map(Step::RemoveKind),
        (prop::option::of(text()), emails()).prop_map(|(display, new)| Step::Together(display, new)),
    ]
}

fn user() -> impl Strategy<Value = User> {
    let name = prop::collection::btree_map(part(), word(&["x", "y"]), 0..3);
    (prop::option::of(word(&["x", "y"])), name, emails()).prop_map(|(display, name, emails)| User {
        display,
        name,
        emails: distinct(emails).unwrap_or_default(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn operations_do_what_the_model_does(user in user(), steps in prop::collection::vec(step(), 1..5)) {
        // Goal: RFC 7644 §3.5.2, in sequence: the result, the keyword of the first error, and nothing done after one.
        let kind = kind("User");
        let mut model = user.clone();
        let wanted = steps.iter().try_for_each(|step| model.step(step));
        let body = json!({"schemas": [PATCH_OP], "Operations": steps.iter().map(Step::json).collect::<Vec<_>>()});
        let mut resource = user.json();
        let operations = parse(body.clone(), &Rules::STRICT, &mut Touched::default()).unwrap();
        let done = apply(&kind, &mut resource, operations, &Rules::STRICT);
        match wanted {
            Ok(()) => {
                let touched = done.map_err(|error| TestCaseError::fail(format!("{error}: {body}")))?;
                prop_assert_eq!(&resource, &model.json(), "{}", body);
                prop_assert_eq!(touched.attributes.is_empty(), user == model, "{}", body);
            }
            Err(keyword) => {
                prop_assert_eq!(done.unwrap_err().scim_type.unwrap().name(), keyword, "{}", body);
                prop_assert_eq!(resource, user.json(), "{}", body);
            }
        }
    }

    #[test]
    fn lenient_rules_take_what_strict_rules_take(user in user(), steps in prop::collection::vec(step(), 1..4)) {
        // Goal: a switch only ever makes an error into a success; what was good stays what it was.
        let kind = kind("User");
        let body = json!({"schemas": [PATCH_OP], "Operations": steps.iter().map(Step::json).collect::<Vec<_>>()});
        let run = |rules: &Rules| {
            let mut resource = user.json();
            let operations = parse(body.clone(), rules, &mut Touched::default()).unwrap();
            apply(&kind, &mut resource, operations, rules).map(|_| resource)
        };
        if let Ok(strict) = run(&Rules::STRICT) {
            prop_assert_eq!(run(&Rules::LENIENT).unwrap(), strict, "{}", body);
        }
    }
}

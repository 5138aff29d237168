//! The configuration file: TOML text to keys with values and lines.
//!
//! Knows TOML's shape (tables of settings, one level deep) and where each thing stands, not what the settings mean:
//! `mod` looks the keys up. Syntax errors are all reported, each by its line.

use super::problem::{Origin, Problem};
use super::value::Given;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One `key = value` of the file.
#[derive(Debug, PartialEq)]
pub struct Line {
    /// The dotted key.
    pub key: String,
    /// The value as written.
    pub given: Given,
    /// Where it stands.
    pub origin: Origin,
}

/// The lines of a file's text, in the file's order, and what is wrong with it. The path is only for the messages.
pub fn read(path: &Path, text: &str) -> (Vec<Line>, Vec<Problem>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let place = Place { path, text };
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| {
            let at = error.span().map_or(0, |span| span.start);
            Problem::at(place.origin(at), error.message().lines().collect::<Vec<_>>().join("; "))
        })
        .collect();
    let mut lines = Vec::new();
    collect(&place, "", table.get_ref(), &mut lines, &mut problems);
    lines.sort_by_key(|line| line_number(&line.origin));
    (lines, problems)
}

struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    /// The line of a byte offset.
    fn origin(&self, offset: usize) -> Origin {
        let newlines = self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
        Origin::File(self.path.to_owned(), newlines + 1)
    }
}

fn line_number(origin: &Origin) -> usize {
    if let Origin::File(_, line) = origin { *line } else { 0 }
}

fn collect(place: &Place<'_>, prefix: &str, table: &DeTable<'_>, lines: &mut Vec<Line>, problems: &mut Vec<Problem>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
        let origin = place.origin(name.span().start);
        match value.get_ref() {
            // A table within a table can only be a mistake: its keys will be refused by name.
            DeValue::Table(inner) => collect(place, &key, inner, lines, problems),
            other => match given(other) {
                Ok(given) => lines.push(Line { key, given, origin }),
                Err(what) => problems.push(Problem::at(origin, format!("{key} {what}"))),
            },
        }
    }
}

fn given(value: &DeValue<'_>) -> Result<Given, String> {
    match value {
        DeValue::String(text) => Ok(Given::Text(text.to_string())),
        DeValue::Boolean(flag) => Ok(Given::Flag(*flag)),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Given::Integer)
            .map_err(|_| format!("cannot be {number}: the number is too large")),
        DeValue::Array(items) => items.iter().map(text_item).collect::<Result<_, _>>().map(Given::List),
        other => Err(format!("cannot be a {}", other.type_str())),
    }
}

fn text_item(item: &Spanned<DeValue<'_>>) -> Result<String, String> {
    match item.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        other => Err(format!("takes a list of texts; one item is a {}", other.type_str())),
    }
}

//! One line of the log: fields to bounded, escaped text. Pure; the subscriber in `mod` calls it.
//!
//! A value is cut at [`LONGEST`] bytes before it is escaped. Escaped are all characters that a terminal or a log reader
//! would obey instead of show: control characters, line and paragraph separators, bidirectional controls, tags.

use std::fmt::{self, Write};
use tracing::field::{Field, Visit};

/// The longest value, in bytes of UTF-8, before escaping.
pub const LONGEST: usize = 256;

/// Fields of one event with its spans; more are dropped.
const MOST_FIELDS: usize = 64;

/// A field whose name holds one of these never shows its value.
const TELLING: &[&str] = &["password", "secret", "token", "credential", "passphrase"];

/// What every line begins with.
pub struct Head<'a> {
    /// RFC 3339.
    pub time: String,
    /// `INFO` and so on.
    pub level: &'a str,
    /// The module that speaks.
    pub target: &'a str,
}

/// Names and values in the order of their recording.
#[derive(Default)]
pub struct Fields {
    list: Vec<(&'static str, Shown)>,
}

#[derive(Clone)]
enum Shown {
    Text(String),
    /// A number or a boolean, in a form that is good JSON as it is.
    Plain(String),
}

impl Fields {
    /// Appends those fields; a name that is there already keeps both values apart by the later one winning.
    pub fn extend(&mut self, others: &Self) {
        for (name, value) in &others.list {
            self.put(name, value.clone());
        }
    }

    fn put(&mut self, name: &'static str, value: Shown) {
        let value =
            if TELLING.iter().any(|word| name.contains(word)) { Shown::Text("[not shown]".to_owned()) } else { value };
        if let Some((_, old)) = self.list.iter_mut().find(|(known, _)| *known == name) {
            *old = value;
        } else if self.list.len() < MOST_FIELDS {
            self.list.push((name, value));
        }
    }

    fn put_display(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let mut text = Bounded(String::new());
        // An error means that the bound is reached.
        _ = text.write_fmt(value);
        self.put(field.name(), Shown::Text(text.0));
    }

    fn message(&self) -> Option<&str> {
        self.list.iter().find_map(|(name, value)| match value {
            Shown::Text(text) if *name == "message" => Some(text.as_str()),
            _ => None,
        })
    }

    fn others(&self) -> impl Iterator<Item = &(&'static str, Shown)> {
        self.list.iter().filter(|(name, _)| *name != "message")
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put_display(field, format_args!("{value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put_display(field, format_args!("{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put_display(field, format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), Shown::Plain(value.to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), Shown::Plain(value.to_string()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), Shown::Plain(value.to_string()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON knows neither infinity nor NaN.
        let text = value.to_string();
        self.put(field.name(), if value.is_finite() { Shown::Plain(text) } else { Shown::Text(text) });
    }
}

/// A text that stops growing at [`LONGEST`] bytes, at a character's edge; so a huge value is not formatted to its end.
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LONGEST.saturating_sub(self.0.len());
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let fitting = text.get(..text.floor_char_boundary(room)).unwrap_or_default();
        self.0.push_str(fitting);
        Err(fmt::Error)
    }
}

/// A line as one JSON object.
pub fn json(head: &Head<'_>, fields: &Fields) -> String {
    let mut line = format!("{{\"time\":\"{}\",\"level\":\"{}\",\"target\":\"", head.time, head.level);
    escape_json(&mut line, head.target);
    line.push_str("\",\"message\":\"");
    escape_json(&mut line, fields.message().unwrap_or_default());
    line.push('"');
    for (name, value) in fields.others() {
        line.push_str(",\"");
        escape_json(&mut line, name);
        line.push_str("\":");
        match value {
            Shown::Plain(text) => line.push_str(text),
            Shown::Text(text) => {
                line.push('"');
                escape_json(&mut line, text);
                line.push('"');
            }
        }
    }
    line.push_str("}\n");
    line
}

/// A line for people: `TIME LEVEL target: message name=value …`; values with spaces, quotes or nothing are quoted.
pub fn text(head: &Head<'_>, fields: &Fields) -> String {
    let mut line = format!("{} {:5} {}: ", head.time, head.level, head.target);
    escape_text(&mut line, fields.message().unwrap_or_default());
    for (name, value) in fields.others() {
        line.push(' ');
        line.push_str(name);
        line.push('=');
        match value {
            Shown::Plain(text) => line.push_str(text),
            Shown::Text(text) if text.is_empty() || text.contains([' ', '"']) => {
                line.push('"');
                escape_text(&mut line, &text.replace('"', "\\\""));
                line.push('"');
            }
            Shown::Text(text) => escape_text(&mut line, text),
        }
    }
    line.push('\n');
    line
}

fn escape_json(line: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            _ if is_obeyed(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    _ = write!(line, "\\u{unit:04x}");
                }
            }
            _ => line.push(character),
        }
    }
}

fn escape_text(line: &mut String, text: &str) {
    for character in text.chars() {
        if is_obeyed(character) {
            _ = write!(line, "\\u{{{:x}}}", u32::from(character));
        } else {
            line.push(character);
        }
    }
}

/// Characters that are obeyed, not shown: controls (C0, DEL, C1), separators, bidirectional controls, tags.
pub fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Goal: any text is good JSON that says the same, without a character that is obeyed.
        #[test]
        fn json_says_the_same(text in ".{0,80}") {
            let mut line = String::from("\"");
            escape_json(&mut line, &text);
            line.push('"');
            prop_assert!(!line.contains(is_obeyed));
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }

        /// Goal: the bound holds in bytes for any parts, and keeps the beginning.
        #[test]
        fn the_bound_holds(parts in proptest::collection::vec(".{0,120}", 0..6)) {
            let mut bounded = Bounded(String::new());
            for part in &parts {
                if bounded.write_str(part).is_err() { break; }
            }
            prop_assert!(bounded.0.len() <= LONGEST);
            prop_assert!(parts.concat().starts_with(&bounded.0));
        }
    }
}

//! Single values between the directory's octets and JSON.
//!
//! Owns the two directions of each [`Form`], moments, and postal addresses. Pure.

use super::binding::Form;
use crate::protocol::tree::Tree;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use directory::clock::Millis;
use serde_json::Value;

/// A moment as `xsd:dateTime`, to the millisecond.
pub fn moment(at: Millis) -> String {
    let text = at.to_generalized_time();
    let mut out = String::with_capacity(24);
    let mut from = 0;
    for (to, mark) in [(4, "-"), (6, "-"), (8, "T"), (10, ":"), (12, ":"), (text.len(), "")] {
        out.push_str(text.get(from..to).unwrap_or_default());
        out.push_str(mark);
        from = to;
    }
    out
}

/// A stored value in JSON; none: it is nothing that the form can show.
pub fn read(form: Form, stored: &[u8]) -> Option<Tree<'_>> {
    let text = || String::from_utf8_lossy(stored);
    Some(match form {
        Form::Text => text().into(),
        Form::Boolean => stored.eq_ignore_ascii_case(b"TRUE").into(),
        Form::Integer => Tree::Number(text().parse::<i64>().ok()?.into()),
        Form::Time => moment(Millis::from_generalized_time(stored).ok()?).into(),
        Form::Binary => STANDARD.encode(stored).into(),
        // RFC 2079: a URI, then a space and a label.
        Form::Address => text().split(' ').next().unwrap_or_default().to_owned().into(),
    })
}

/// A JSON value as it is stored; none: the form cannot hold it, or it is empty.
pub fn write(form: Form, value: &Value) -> Option<Vec<u8>> {
    match (form, value) {
        (Form::Text | Form::Address, Value::String(text)) if !text.is_empty() => Some(text.as_bytes().to_vec()),
        (Form::Boolean, Value::Bool(value)) => Some(if *value { b"TRUE".to_vec() } else { b"FALSE".to_vec() }),
        (Form::Integer, Value::Number(number)) => number.as_i64().map(|n| n.to_string().into_bytes()),
        (Form::Time, Value::String(text)) => time(text).map(|at| at.to_generalized_time().into_bytes()),
        (Form::Binary, Value::String(text)) => {
            STANDARD.decode(text.as_bytes()).ok().filter(|octets| !octets.is_empty())
        }
        _ => None,
    }
}

/// `xsd:dateTime` as a moment.
pub fn time(text: &str) -> Option<Millis> {
    let read = crate::protocol::time::Instant::read(text)?;
    let millis = read.seconds.checked_mul(1_000)?.checked_add(i64::from(read.nanos / 1_000_000))?;
    Some(Millis(millis))
}

/// Octets in base64.
pub fn encode(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

/// Base64 as octets; white space between is passed over.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(packed).ok().filter(|octets| !octets.is_empty())
}

/// RFC 4517 §3.3.28 as lines.
pub fn read_postal(stored: &[u8]) -> String {
    let text = String::from_utf8_lossy(stored);
    let line = |line: &str| line.replace("\\24", "$").replace("\\5C", "\\").replace("\\5c", "\\");
    text.split('$').map(line).collect::<Vec<_>>().join("\n")
}

/// Lines as RFC 4517 §3.3.28; none: a line is empty, which the syntax does not know.
pub fn write_postal(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() || text.contains('\r') || text.split('\n').any(str::is_empty) {
        return None;
    }
    let line = |line: &str| line.replace('\\', "\\5C").replace('$', "\\24");
    Some(text.split('\n').map(line).collect::<Vec<_>>().join("$").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_survive_both_directions() {
        // Goal: what a client sends comes back as it was sent, in every form.
        let rows = [
            (Form::Text, json!("Zoë"), "Zoë"),
            (Form::Boolean, json!(true), "TRUE"),
            (Form::Integer, json!(-7), "-7"),
            (Form::Time, json!("2026-11-22T01:02:03.004Z"), "20261122010203.004Z"),
            (Form::Binary, json!("AQI="), "\u{1}\u{2}"),
            (Form::Address, json!("https://x.org/a"), "https://x.org/a"),
        ];
        for (form, value, stored) in rows {
            assert_eq!(write(form, &value).as_deref(), Some(stored.as_bytes()));
            assert_eq!(read(form, stored.as_bytes()).map(Value::from), Some(value));
        }
        assert_eq!(read(Form::Address, b"https://x.org/a my page"), Some("https://x.org/a".into()));
        for (form, value) in [(Form::Text, json!("")), (Form::Boolean, json!("x")), (Form::Binary, json!("?"))] {
            assert_eq!(write(form, &value), None);
        }
    }

    #[test]
    fn addresses_keep_their_lines_and_dollars() {
        // Goal: the separators of the syntax are no part of what people write.
        for text in ["1 Rue $ane\nLyon", "a\\b", "one"] {
            assert_eq!(read_postal(&write_postal(text).unwrap()), text);
        }
        assert_eq!(write_postal("a\n\nb"), None);
    }
}

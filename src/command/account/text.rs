//! How values are shown to people and to other programs: nothing that a terminal or a spreadsheet would obey.

use crate::daemon::telemetry::is_obeyed;

/// A text for a terminal: characters that would be obeyed are escaped (`\u{1b}`).
pub fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_obeyed(character) && character != '\n' {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// A GeneralizedTime of the daemon's as RFC 3339, in seconds; anything else as it is.
pub fn time(value: &str) -> String {
    let whole = value.get(..14).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()) && value.ends_with('Z'));
    let part = |from: usize, to: usize| whole.and_then(|digits| digits.get(from..to)).unwrap_or_default();
    if whole.is_none() {
        return value.to_owned();
    }
    format!("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14))
}

/// A field of CSV (RFC 4180). A spreadsheet takes what begins with `= + - @` for a formula; an apostrophe before it
/// makes it text.
pub fn csv(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: times are read by people and programs; what is none stays as it is.
    #[test]
    fn times_are_rfc_3339() {
        for (value, expected) in [
            ("20261121225800.123Z", "2026-11-21T22:58:00Z"),
            ("20261121225800Z", "2026-11-21T22:58:00Z"),
            ("000001010000Z", "000001010000Z"),
            ("20261121225800+0100", "20261121225800+0100"),
            ("", ""),
            ("zwanzigsechzehnÄ", "zwanzigsechzehnÄ"),
        ] {
            assert_eq!(time(value), expected);
        }
    }

    /// Goal: no value leaves its field, is obeyed by a terminal or computed by a spreadsheet.
    #[test]
    fn values_stay_values() {
        for (value, expected) in [
            ("Ada", "Ada"),
            ("Lovelace, Ada", "\"Lovelace, Ada\""),
            ("the \"first\"", "\"the \"\"first\"\"\""),
            ("=1+1", "'=1+1"),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(csv(value), expected);
        }
        assert_eq!(shown("a\u{1b}[31mb\u{202e}c é"), "a\\u{1b}[31mb\\u{202e}c é");
    }
}

//! The values of settings: text to value by kind, value to text, value to Rust type.
//!
//! Every value can be written as text (that is what the environment and flags do, and how defaults are stated). The
//! file may use TOML's own numbers, booleans and arrays. Bounds are checked here, so that a section never sees a
//! value out of range. Messages say what was expected and never only "invalid".

use super::network::Network;
use super::setting::Kind;
use super::suggest;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A parsed value within its bounds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A path; none when empty.
    Path(Option<PathBuf>),
    /// Socket addresses.
    Addresses(Vec<SocketAddr>),
    /// Texts.
    Names(Vec<String>),
    /// Ranges of addresses.
    Networks(Vec<Network>),
    /// A text.
    Text(String),
    /// A word of a closed set.
    Word(&'static str),
    /// Yes or no.
    Flag(bool),
    /// A number.
    Count(u64),
    /// The word that stands in for a number or a span.
    Instead(&'static str),
    /// Bytes.
    Bytes(u64),
    /// A span of time.
    Span(Duration),
    /// Permission bits.
    Mode(u32),
}

/// A value as it was given.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// A TOML string, or anything from the environment or a flag.
    Text(String),
    /// A TOML integer.
    Integer(i64),
    /// A TOML boolean.
    Flag(bool),
    /// A TOML array of strings.
    List(Vec<String>),
}

impl Value {
    /// Reads a value of the file, where TOML's types must fit the kind.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn from_given(kind: Kind, given: &Given) -> Result<Self, String> {
        match (kind, given) {
            (Kind::Addresses | Kind::Names | Kind::Networks, Given::List(items)) => {
                Self::from_items(kind, items.iter().map(String::as_str))
            }
            (Kind::Count(..) | Kind::CountOr(..) | Kind::Bytes(..), Given::Integer(number)) => {
                Self::from_text(kind, &number.to_string())
            }
            (Kind::Flag, Given::Flag(flag)) => Ok(Self::Flag(*flag)),
            (Kind::Count(..) | Kind::Flag, Given::Text(text)) => {
                Err(format!("needs {}, without quotation marks, not the text \"{text}\"", expected(kind)))
            }
            (Kind::Span(..) | Kind::SpanOr(..), Given::Integer(number)) => {
                Err(format!("needs a unit, such as \"{number}s\", \"{number}m\" or \"{number}d\""))
            }
            (_, Given::Text(text)) => Self::from_text(kind, text),
            (_, Given::Integer(_)) => Err(format!("needs {}, not a number", expected(kind))),
            (_, Given::Flag(_)) => Err(format!("needs {}, not a boolean", expected(kind))),
            (_, Given::List(_)) => Err(format!("needs {}, not a list", expected(kind))),
        }
    }

    /// Reads a value written as text; list items are separated by commas.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn from_text(kind: Kind, text: &str) -> Result<Self, String> {
        let wrong = || format!("needs {}, not \"{}\"", expected(kind), text.escape_debug());
        match kind {
            Kind::Path | Kind::SecretFile if text.is_empty() => Ok(Self::Path(None)),
            Kind::Path | Kind::SecretFile => Ok(Self::Path(Some(PathBuf::from(text)))),
            Kind::Text => Ok(Self::Text(text.to_owned())),
            Kind::Addresses | Kind::Names | Kind::Networks => {
                Self::from_items(kind, text.split(',').map(str::trim).filter(|item| !item.is_empty()))
            }
            Kind::Choice(words) => match words.iter().find(|word| **word == text) {
                Some(word) => Ok(Self::Word(word)),
                None => Err(match suggest::nearest(text, words.iter().copied()) {
                    Some(word) => format!("{}; did you mean \"{word}\"?", wrong()),
                    None => wrong(),
                }),
            },
            Kind::Flag => text.parse().map(Self::Flag).map_err(|_| wrong()),
            Kind::CountOr(word, ..) | Kind::SpanOr(word, ..) if text == word => Ok(Self::Instead(word)),
            Kind::Count(low, high) | Kind::CountOr(_, low, high) => {
                let number = text.parse().map_err(|_| wrong())?;
                if (low..=high).contains(&number) { Ok(Self::Count(number)) } else { Err(wrong()) }
            }
            Kind::Bytes(low, high) => {
                let bytes = parse_bytes(text).ok_or_else(wrong)?;
                if (low..=high).contains(&bytes) { Ok(Self::Bytes(bytes)) } else { Err(wrong()) }
            }
            Kind::Span(low, high) | Kind::SpanOr(_, low, high) => {
                let span = parse_span(text).ok_or_else(wrong)?;
                if (low..=high).contains(&span) { Ok(Self::Span(span)) } else { Err(wrong()) }
            }
            Kind::Mode => match u32::from_str_radix(text, 8) {
                Ok(mode) if (3..=4).contains(&text.len()) && mode <= 0o777 => Ok(Self::Mode(mode)),
                _ => Err(wrong()),
            },
        }
    }

    fn from_items<'a>(kind: Kind, items: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        if kind == Kind::Addresses {
            let parse = |item: &str| {
                item.parse().map_err(|_| {
                    format!(
                        "\"{}\" is no address and port, such as \"127.0.0.1:389\" or \"[::]:389\"",
                        item.escape_debug()
                    )
                })
            };
            return items.map(parse).collect::<Result<_, _>>().map(Self::Addresses);
        }
        if kind == Kind::Networks {
            let parse = |item: &str| {
                item.parse().map_err(|()| {
                    let item = item.escape_debug();
                    format!("\"{item}\" is no range of addresses, such as \"10.0.0.0/8\", \"::1\" or \"2001:db8::/32\"")
                })
            };
            return items.map(parse).collect::<Result<_, _>>().map(Self::Networks);
        }
        Ok(Self::Names(items.map(str::to_owned).collect()))
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => write!(f, "\"{}\"", path.as_deref().unwrap_or("".as_ref()).display()),
            Self::Addresses(items) => write!(f, "{:?}", items.iter().map(ToString::to_string).collect::<Vec<_>>()),
            Self::Names(items) => write!(f, "{items:?}"),
            Self::Networks(items) => write!(f, "{:?}", items.iter().map(ToString::to_string).collect::<Vec<_>>()),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Word(word) | Self::Instead(word) => write!(f, "\"{word}\""),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Count(number) => write!(f, "{number}"),
            Self::Bytes(bytes) => write!(f, "\"{}\"", bytes_text(*bytes)),
            Self::Span(span) => write!(f, "\"{}\"", span_text(*span)),
            Self::Mode(mode) => write!(f, "\"{mode:04o}\""),
        }
    }
}

/// What a kind takes, in words with its bounds: for messages and the manual.
pub fn expected(kind: Kind) -> String {
    match kind {
        Kind::Path => "a path".to_owned(),
        Kind::SecretFile => "the path of a file".to_owned(),
        Kind::Addresses => "a list of addresses with ports".to_owned(),
        Kind::Names => "a list of texts".to_owned(),
        Kind::Networks => "a list of addresses and ranges of addresses".to_owned(),
        Kind::Text => "a text".to_owned(),
        Kind::Choice(words) => {
            let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!("one of {}", quoted.join(", "))
        }
        Kind::Flag => "true or false".to_owned(),
        Kind::Count(low, high) => format!("a whole number from {low} to {high}"),
        Kind::CountOr(word, low, high) => format!("\"{word}\" or a whole number from {low} to {high}"),
        Kind::Bytes(low, high) => format!("a size from {} to {}", bytes_text(low), bytes_text(high)),
        Kind::Span(low, high) => format!("a duration from {} to {}", span_text(low), span_text(high)),
        Kind::SpanOr(word, low, high) => {
            format!("\"{word}\" or a duration from {} to {}", span_text(low), span_text(high))
        }
        Kind::Mode => "octal permission bits such as \"0660\"".to_owned(),
    }
}

const BYTE_UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

fn parse_bytes(text: &str) -> Option<u64> {
    let suffix = BYTE_UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (digits, factor) = suffix.unwrap_or((text, 1));
    digits.trim_end().parse::<u64>().ok()?.checked_mul(factor)
}

fn bytes_text(bytes: u64) -> String {
    match BYTE_UNITS.iter().find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor)) {
        Some((unit, factor)) => format!("{}{unit}", bytes / factor),
        None => bytes.to_string(),
    }
}

const SPAN_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// `15m`, `1h30m`, `250ms`: numbers with units, the larger first. None for anything else, and on overflow.
fn parse_span(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_end)?;
        let (_, factor) = SPAN_UNITS.iter().find(|(name, _)| *name == unit)?;
        if *factor >= smallest {
            return None;
        }
        smallest = *factor;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = tail;
    }
    if text.is_empty() { None } else { Some(Duration::from_millis(total)) }
}

/// The shortest text that [`parse_span`] reads back as the same span (whole milliseconds).
pub fn span_text(span: Duration) -> String {
    let mut rest = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, factor) in SPAN_UNITS {
        let count = rest / factor;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
            rest %= factor;
        }
    }
    text
}

/// A Rust type that a section may use for a value.
pub trait FromValue: Sized {
    /// None when the value is of another kind or does not fit the type.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($type:ty: $pattern:pat => $result:expr;)+) => {$(
        impl FromValue for $type {
            fn from_value(value: &Value) -> Option<Self> {
                match value { $pattern => $result, _ => None }
            }
        }
    )+};
}

from_value! {
    Option<PathBuf>: Value::Path(path) => Some(path.clone());
    PathBuf: Value::Path(path) => Some(path.clone().unwrap_or_default());
    Vec<SocketAddr>: Value::Addresses(items) => Some(items.clone());
    Vec<String>: Value::Names(items) => Some(items.clone());
    Vec<Network>: Value::Networks(items) => Some(items.clone());
    String: Value::Text(text) => Some(text.clone());
    bool: Value::Flag(flag) => Some(*flag);
    Duration: Value::Span(span) => Some(*span);
}

impl FromValue for Option<Duration> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Instead(_) => Some(None),
            other => Duration::from_value(other).map(Some),
        }
    }
}

macro_rules! from_number {
    ($($type:ty),+) => {$(
        impl FromValue for Option<$type> {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Instead(_) => Some(None),
                    other => <$type>::from_value(other).map(Some),
                }
            }
        }

        impl FromValue for $type {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Count(number) | Value::Bytes(number) => Self::try_from(*number).ok(),
                    Value::Mode(mode) => Self::try_from(*mode).ok(),
                    _ => None,
                }
            }
        }
    )+};
}
from_number!(u16, u32, u64, usize);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Kind = Kind::Span(Duration::ZERO, Duration::from_secs(86_400));

    /// Goal: each kind reads its good texts.
    #[test]
    fn reads_good_texts() {
        let cases = [
            (Kind::Path, "", Value::Path(None)),
            (Kind::Path, "/a", Value::Path(Some("/a".into()))),
            (
                Kind::Addresses,
                "[::]:389, 127.0.0.1:1",
                Value::Addresses(vec!["[::]:389".parse().unwrap(), "127.0.0.1:1".parse().unwrap()]),
            ),
            (Kind::Addresses, "", Value::Addresses(vec![])),
            (Kind::Names, "a,b", Value::Names(vec!["a".into(), "b".into()])),
            (Kind::Networks, "10.0.0.0/8", Value::Networks(vec!["10.0.0.0/8".parse().unwrap()])),
            (Kind::Text, "a,b", Value::Text("a,b".into())),
            (Kind::Choice(&["json", "text"]), "text", Value::Word("text")),
            (Kind::Count(1, 5), "5", Value::Count(5)),
            (Kind::CountOr("auto", 1, 5), "auto", Value::Instead("auto")),
            (Kind::CountOr("auto", 1, 5), "3", Value::Count(3)),
            (Kind::SpanOr("never", Duration::ZERO, Duration::MAX), "never", Value::Instead("never")),
            (Kind::Bytes(0, 1 << 30), "64KiB", Value::Bytes(65_536)),
            (Kind::Bytes(0, 1 << 30), "64 KiB", Value::Bytes(65_536)),
            (Kind::Bytes(0, 1 << 30), "100", Value::Bytes(100)),
            (DAY, "15m", Value::Span(Duration::from_secs(900))),
            (DAY, "1h30m", Value::Span(Duration::from_secs(5400))),
            (DAY, "250ms", Value::Span(Duration::from_millis(250))),
            (Kind::Mode, "0660", Value::Mode(0o660)),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(Value::from_text(kind, text), Ok(expected), "{text}");
        }
    }

    /// Goal: out of bounds, malformed or overflowing texts are refused with what was expected.
    #[test]
    fn refuses_bad_texts() {
        let cases = [
            (Kind::Count(1, 5), "6", "from 1 to 5"),
            (Kind::Count(1, 5), "-1", "whole number"),
            (Kind::Bytes(0, 1024), "2KiB", "from 0 to 1KiB"),
            (Kind::Bytes(0, u64::MAX), "99999999999GiB", "size"),
            (DAY, "15", "duration"),
            (DAY, "", "duration"),
            (DAY, "m", "duration"),
            (DAY, "2d", "to 1d"),
            (DAY, "1m1h", "duration"),
            (DAY, "99999999999999999999d", "duration"),
            (DAY, "-5m", "duration"),
            (Kind::Mode, "888", "octal"),
            (Kind::Mode, "1777", "octal"),
            (Kind::Choice(&["json", "text"]), "jsno", "did you mean \"json\""),
            (Kind::Addresses, "localhost", "no address and port"),
            (Kind::Flag, "yes", "true or false"),
            (Kind::Networks, "::1, 10.0.0.1/8", "\"10.0.0.1/8\" is no range"),
        ];
        for (kind, text, part) in cases {
            let message = Value::from_text(kind, text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    proptest! {
        /// Goal: a span's text reads back as the same span.
        #[test]
        fn spans_round_trip(millis in 0u64..400_000_000_000) {
            let span = Duration::from_millis(millis);
            prop_assert_eq!(parse_span(&span_text(span)), Some(span));
        }

        /// Goal: no text makes the parsers panic, and what they accept lies in the bounds.
        #[test]
        fn any_text_is_answered(text in "\\PC{0,24}|[0-9]{1,25}(d|h|m|s|ms|KiB)?") {
            if let Ok(Value::Span(span)) = Value::from_text(DAY, &text) {
                prop_assert!(span <= Duration::from_secs(86_400));
            }
            if let Ok(Value::Bytes(bytes)) = Value::from_text(Kind::Bytes(1, 10), &text) {
                prop_assert!((1..=10).contains(&bytes));
            }
        }
    }
}

//! A span of time and its text form in policies: `90s`, `15m`, `36h`, `30d`, `250ms`, or a bare number of seconds.
//!
//! Owns the checked conversion only. What spans a policy may hold is the policy's to say.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How long: milliseconds, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span(i64);

impl Span {
    /// No time.
    pub const ZERO: Span = Span(0);

    /// So many milliseconds; a negative number is no time.
    pub const fn from_millis(millis: i64) -> Span {
        Span(if millis < 0 { 0 } else { millis })
    }

    /// So many seconds.
    pub const fn from_secs(seconds: u32) -> Span {
        Span((seconds as i64).saturating_mul(1_000))
    }

    /// So many minutes.
    pub const fn from_mins(minutes: u32) -> Span {
        Span((minutes as i64).saturating_mul(60_000))
    }

    /// So many hours.
    pub const fn from_hours(hours: u32) -> Span {
        Span((hours as i64).saturating_mul(3_600_000))
    }

    /// So many days of 24 hours.
    pub const fn from_days(days: u32) -> Span {
        Span((days as i64).saturating_mul(86_400_000))
    }

    /// In milliseconds.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// In whole seconds, rounded up: what a protocol is told that counts in seconds.
    pub const fn seconds_up(self) -> i64 {
        self.0.saturating_add(999) / 1_000
    }

    /// Twice as long, `times` times over, but no longer than `cap`.
    #[must_use]
    pub fn doubled(self, times: u8, cap: Span) -> Span {
        let factor = 1_i64.checked_shl(u32::from(times)).filter(|factor| *factor > 0);
        let long = factor.and_then(|factor| self.0.checked_mul(factor)).unwrap_or(i64::MAX);
        Span(long.min(cap.0))
    }
}

/// The text is not a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a span of time: a whole number and one of ms, s, m, h, d")]
pub struct SpanError;

impl std::str::FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Span, SpanError> {
        let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at_checked(end).ok_or(SpanError)?;
        let unit = match unit {
            "ms" => 1,
            "" | "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(SpanError),
        };
        digits.parse::<i64>().ok().and_then(|number| number.checked_mul(unit)).map(Span).ok_or(SpanError)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
            if self.0 != 0 && self.0.checked_rem(unit) == Some(0) {
                return write!(f, "{}{name}", self.0.checked_div(unit).unwrap_or(0));
            }
        }
        if self.0 == 0 { f.write_str("0s") } else { write!(f, "{}ms", self.0) }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a span of time such as \"15m\", or a whole number of seconds")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Span, E> {
                let millis = i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000));
                millis.map(Span).ok_or_else(|| E::custom(SpanError))
            }
            fn visit_i64<E: Error>(self, seconds: i64) -> Result<Span, E> {
                u64::try_from(seconds).map_err(|_| E::custom(SpanError)).and_then(|seconds| self.visit_u64(seconds))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Goal: the spellings that a policy may use, and those that it may not.
    #[test]
    fn spellings() {
        for (text, span) in [
            ("250ms", Some(250)),
            ("90s", Some(90_000)),
            ("90", Some(90_000)),
            ("15m", Some(900_000)),
            ("36h", Some(129_600_000)),
            ("3650d", Some(315_360_000_000)),
            ("0s", Some(0)),
            ("P1Y", None),
            ("-5m", None),
            ("+5m", None),
            ("", None),
            ("m", None),
            ("1.5h", None),
            ("15 m", None),
            ("9223372036854775807d", None),
            ("9223372036854775808ms", None),
            ("5é", None),
        ] {
            assert_eq!(text.parse().ok(), span.map(Span), "{text}");
        }
    }

    /// Goal: doubling stops at the cap, however often.
    #[test]
    fn doubling_is_capped() {
        let cap = Span::from_hours(24);
        for (times, minutes) in [(0, 15), (1, 30), (3, 120), (7, 1_440), (62, 1_440), (63, 1_440), (255, 1_440)] {
            assert_eq!(Span::from_mins(15).doubled(times, cap), Span::from_mins(minutes), "{times}");
        }
    }

    proptest! {
        /// Goal: the text of a span reads back as the same span, and no text makes the reader panic.
        #[test]
        fn text_round_trips(millis in 0..i64::MAX, noise in ".{0,12}") {
            let span = Span::from_millis(millis);
            prop_assert_eq!(span.to_string().parse(), Ok(span));
            let _ = noise.parse::<Span>();
        }
    }
}

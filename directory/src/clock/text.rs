//! A moment as GeneralizedTime (RFC 4517 §3.3.13): how LDAP writes `createTimestamp`, `pwdChangedTime` and their like.
//!
//! Writes UTC with milliseconds or whole seconds; reads every form of the RFC. Moments before year 0 or after 9999 are
//! written as the nearest that the form can hold.

use super::Millis;
use super::civil::{self, Civil, DAY};

/// The text is not a GeneralizedTime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a GeneralizedTime (RFC 4517 section 3.3.13)")]
pub struct TimeError;

/// 0000-01-01T00:00:00Z.
const FIRST: i64 = -62_167_219_200_000;
/// 9999-12-31T23:59:59.999Z.
const LAST: i64 = 253_402_300_799_999;

impl Millis {
    /// `YYYYmmddHHMMSS.fffZ`.
    pub fn to_generalized_time(self) -> String {
        let (mut text, millis) = self.parts();
        text.push('.');
        digits(&mut text, millis, 3);
        text.push('Z');
        text
    }

    /// `YYYYmmddHHMMSSZ`, the fraction cut off: what clients of older servers expect of operational attributes.
    pub fn to_generalized_seconds(self) -> String {
        let (mut text, _) = self.parts();
        text.push('Z');
        text
    }

    /// Reads `YYYYmmddHH[MM[SS]][(. or ,)fraction](Z or ±HH[MM])`; of a fraction, what is below a millisecond is cut
    /// off. Second 60 is read as the first of the next minute.
    pub fn from_generalized_time(text: &[u8]) -> Result<Millis, TimeError> {
        let mut text = Text(text);
        let date =
            Civil { year: text.number(4, 0, 9_999)?, month: text.number(2, 1, 12)?, day: text.number(2, 1, 31)? };
        if date.day > civil::days_in_month(date.year, date.month) {
            return Err(TimeError);
        }
        let mut unit = 3_600_000;
        let mut millis = text.number(2, 0, 23)?.saturating_mul(unit);
        if text.digit_follows() {
            unit = 60_000;
            millis = millis.saturating_add(text.number(2, 0, 59)?.saturating_mul(unit));
            if text.digit_follows() {
                unit = 1_000;
                millis = millis.saturating_add(text.number(2, 0, 60)?.saturating_mul(unit));
            }
        }
        millis = millis.saturating_add(text.fraction(unit)?);
        let offset = text.zone()?;
        let day = civil::to_days(date).saturating_mul(DAY);
        Ok(Millis(day.saturating_add(millis).saturating_sub(offset)))
    }

    fn parts(self) -> (String, i64) {
        let at = self.0.clamp(FIRST, LAST);
        let Civil { year, month, day } = civil::from_days(at.div_euclid(DAY));
        let rest = at.rem_euclid(DAY);
        let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
        let mut text = String::with_capacity(19);
        digits(&mut text, year, 4);
        for part in [month, day, hour, minute, second] {
            digits(&mut text, part, 2);
        }
        (text, rest % 1_000)
    }
}

/// Appends the last decimal digits of a number, so many: times are written for every entry of an answer.
fn digits(out: &mut String, number: i64, count: u32) {
    for place in (0..count).rev() {
        let digit = number.div_euclid(10_i64.saturating_pow(place)).rem_euclid(10);
        out.extend(u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 10)));
    }
}

/// What is left to read.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    fn digit_follows(&self) -> bool {
        self.0.first().is_some_and(u8::is_ascii_digit)
    }

    /// Exactly so many digits, the number within bounds.
    fn number(&mut self, digits: usize, low: i64, high: i64) -> Result<i64, TimeError> {
        let (head, tail) = self.0.split_at_checked(digits).ok_or(TimeError)?;
        let mut number = 0_i64;
        for byte in head {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9).ok_or(TimeError)?;
            number = number.saturating_mul(10).saturating_add(i64::from(digit));
        }
        self.0 = tail;
        (low..=high).contains(&number).then_some(number).ok_or(TimeError)
    }

    /// A fraction of `unit` milliseconds, if one follows.
    fn fraction(&mut self, unit: i64) -> Result<i64, TimeError> {
        let Some((b'.' | b',', rest)) = self.0.split_first() else { return Ok(0) };
        self.0 = rest;
        if !self.digit_follows() {
            return Err(TimeError);
        }
        // Nine digits tell a millisecond of an hour apart; the rest is only checked.
        let (mut numerator, mut denominator) = (0_i64, 1_i64);
        while let Some((byte, rest)) = self.0.split_first().filter(|(byte, _)| byte.is_ascii_digit()) {
            if denominator < 1_000_000_000 {
                numerator = numerator.saturating_mul(10).saturating_add(i64::from(byte.saturating_sub(b'0')));
                denominator = denominator.saturating_mul(10);
            }
            self.0 = rest;
        }
        Ok(numerator.saturating_mul(unit).checked_div(denominator).unwrap_or(0))
    }

    /// `Z` or a difference from UTC, and then nothing: the milliseconds that local time is ahead.
    fn zone(&mut self) -> Result<i64, TimeError> {
        let (sign, rest) = self.0.split_first().ok_or(TimeError)?;
        self.0 = rest;
        let ahead = match sign {
            b'Z' => 0,
            b'+' | b'-' => {
                let hours = self.number(2, 0, 23)?.saturating_mul(3_600_000);
                let minutes = if self.digit_follows() { self.number(2, 0, 59)?.saturating_mul(60_000) } else { 0 };
                let ahead = hours.saturating_add(minutes);
                if *sign == b'-' { 0_i64.saturating_sub(ahead) } else { ahead }
            }
            _ => return Err(TimeError),
        };
        if self.0.is_empty() { Ok(ahead) } else { Err(TimeError) }
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "numbers of tests are small; an overflow fails them")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Goal: every form of RFC 4517 §3.3.13 is read, and nothing else.
    #[test]
    fn forms() {
        for (text, millis) in [
            ("19941216103200Z", Some(787_573_920_000)),
            ("199412161032Z", Some(787_573_920_000)),
            ("199412160532-0500", Some(787_573_920_000)),
            ("1994121605-05", Some(787_572_000_000)),
            ("19941216103200.250Z", Some(787_573_920_250)),
            ("19941216103200,25Z", Some(787_573_920_250)),
            ("1994121610.5Z", Some(787_573_800_000)),
            ("19941216103260Z", Some(787_573_980_000)),
            ("19700101000000.0009Z", Some(0)),
            ("00000101000000Z", Some(FIRST)),
            ("99991231235959.999Z", Some(LAST)),
            ("20280229000000Z", Some(1_835_395_200_000)),
            ("20260229000000Z", None),
            ("20261301000000Z", None),
            ("20260101240000Z", None),
            ("20260101006100Z", None),
            ("20260101000061Z", None),
            ("20260101000000", None),
            ("20260101000000z", None),
            ("20260101000000.Z", None),
            ("20260101000000ZZ", None),
            ("2026010100000Z", None),
            ("20260101Z", None),
            ("20260101000000+24", None),
            ("2026-01-01T00:00:00Z", None),
            ("+0260101000000Z", None),
            ("", None),
        ] {
            assert_eq!(Millis::from_generalized_time(text.as_bytes()).ok(), millis.map(Millis), "{text}");
        }
    }

    /// Goal: moments beyond four-digit years are written as the nearest that can be.
    #[test]
    fn the_ends_are_clamped() {
        assert_eq!(Millis::MAX.to_generalized_time(), "99991231235959.999Z");
        assert_eq!(Millis::MIN.to_generalized_seconds(), "00000101000000Z");
    }

    proptest! {
        /// Goal: what is written is read back, in both forms.
        #[test]
        fn text_round_trips(millis in FIRST..=LAST) {
            let at = Millis(millis);
            prop_assert_eq!(Millis::from_generalized_time(at.to_generalized_time().as_bytes()), Ok(at));
            let second = Millis(millis - millis.rem_euclid(1_000));
            prop_assert_eq!(Millis::from_generalized_time(at.to_generalized_seconds().as_bytes()), Ok(second));
        }

        /// Goal: no bytes make the reader panic.
        #[test]
        fn reading_is_total(bytes in proptest::collection::vec(prop_oneof![Just(b'0'), Just(b'9'), Just(b'.'), Just(b'Z'), any::<u8>()], 0..40)) {
            let _ = Millis::from_generalized_time(&bytes);
        }
    }
}

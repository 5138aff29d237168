//! Generalized Time and UTC Time (RFC 4517 §3.3.13 and §3.3.34).
//!
//! Owns the parser that turns every permitted spelling into one exact instant; [`crate::schema::matching`] makes its
//! comparison keys from that. Arithmetic is exact: a fraction of an hour becomes minutes, seconds and a decimal
//! fraction without rounding, however many digits it has.

use super::{SyntaxError, ensure};

/// A moment in UTC. Ordering of the fields, in this order, is ordering in time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::schema) struct Instant {
    /// Minutes since one day before 0000-01-01T00:00Z (the day makes room for offsets).
    pub minutes: u64,
    /// 0 to 60; 60 is a leap second, which stays different from the second after it.
    pub second: u8,
    /// Digits (0 to 9) of the fraction of a second, without trailing zeros.
    pub fraction: Vec<u8>,
}

pub(super) fn generalized_time(value: &[u8]) -> Result<(), SyntaxError> {
    parse_generalized_time(value).map(|_| ())
}

/// `YYYYMMDDHH[MM[SS]][(.|,)fraction](Z|±HH[MM])`.
pub(in crate::schema) fn parse_generalized_time(value: &[u8]) -> Result<Instant, SyntaxError> {
    let mut rest = value;
    let malformed = SyntaxError("a time is written YYYYMMDDHH[MM[SS]][.fraction] and Z or an offset");
    let century = two_digits(&mut rest).ok_or(malformed)?;
    let year_of_century = two_digits(&mut rest).ok_or(malformed)?;
    let year = century.saturating_mul(100).saturating_add(year_of_century);
    let day = days_since_year_zero(year, &mut rest).ok_or(malformed)?;
    let hour = bounded(&mut rest, 23).ok_or(malformed)?;
    let mut minute = 0;
    let mut second = 0;
    let mut unit_seconds = 3600;
    if starts_with_digit(rest) {
        minute = bounded(&mut rest, 59).ok_or(malformed)?;
        unit_seconds = 60;
        if starts_with_digit(rest) {
            second = bounded(&mut rest, 60).ok_or(malformed)?;
            unit_seconds = 1;
        }
    }
    let mut fraction = Vec::new();
    if let [b'.' | b',', digits @ ..] = rest {
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, after) = digits.split_at_checked(length).ok_or(malformed)?;
        ensure(!digits.is_empty(), "a fraction of a time has digits")?;
        fraction.extend(digits.iter().map(|byte| byte.wrapping_sub(b'0')));
        let seconds = multiply_fraction(&mut fraction, unit_seconds);
        second = second.saturating_add(seconds.checked_rem(60).unwrap_or(0));
        minute = minute.saturating_add(seconds.checked_div(60).unwrap_or(0));
        rest = after;
    }
    let offset = offset_minutes(rest).ok_or(malformed)?;
    let minutes = day
        .saturating_add(1) // the spare day, see `Instant::minutes`
        .saturating_mul(24)
        .saturating_add(hour)
        .saturating_mul(60)
        .saturating_add(minute)
        .checked_add_signed(offset.saturating_neg())
        .ok_or(malformed)?;
    Ok(Instant { minutes, second: u8::try_from(second).map_err(|_| malformed)?, fraction })
}

/// `YYMMDDHHMM[SS](Z|±HHMM)`; the zone may be left out.
pub(super) fn utc_time(value: &[u8]) -> Result<(), SyntaxError> {
    let mut rest = value;
    let parsed = (|| {
        let year = two_digits(&mut rest)?;
        // X.680 §47.3 leaves the century open; 2000 to 2049 and 1950 to 1999 is the reading of RFC 5280 §4.1.2.5.1.
        let year = year.saturating_add(if year < 50 { 2000 } else { 1900 });
        days_since_year_zero(year, &mut rest)?;
        bounded(&mut rest, 23)?;
        bounded(&mut rest, 59)?;
        if starts_with_digit(rest) {
            bounded(&mut rest, 60)?;
        }
        match rest {
            [] => Some(()),
            [b'+' | b'-', _, _] => None,
            zone => offset_minutes(zone).map(|_| ()),
        }
    })();
    parsed.ok_or(SyntaxError("a UTC time is written YYMMDDHHMM[SS] and Z or an offset"))
}

/// The zone at the end, in minutes east of Greenwich.
fn offset_minutes(zone: &[u8]) -> Option<i64> {
    let (east, mut rest) = match zone {
        b"Z" => return Some(0),
        [b'+', rest @ ..] => (true, rest),
        [b'-', rest @ ..] => (false, rest),
        _ => return None,
    };
    let hours = bounded(&mut rest, 23)?;
    let minutes = if rest.is_empty() { 0 } else { bounded(&mut rest, 59)? };
    if !rest.is_empty() {
        return None;
    }
    let offset = i64::try_from(hours.saturating_mul(60).saturating_add(minutes)).ok()?;
    Some(if east { offset } else { offset.saturating_neg() })
}

/// Multiplies a decimal fraction in place and answers the whole part that comes out.
fn multiply_fraction(digits: &mut Vec<u8>, factor: u64) -> u64 {
    let mut carry = 0_u64;
    for digit in digits.iter_mut().rev() {
        let product = u64::from(*digit).saturating_mul(factor).saturating_add(carry);
        *digit = u8::try_from(product.checked_rem(10).unwrap_or(0)).unwrap_or(0);
        carry = product.checked_div(10).unwrap_or(0);
    }
    while digits.last() == Some(&0) {
        digits.pop();
    }
    carry
}

/// Reads month and day, and answers the days from 0000-01-01 to that date (proleptic Gregorian calendar).
fn days_since_year_zero(year: u64, rest: &mut &[u8]) -> Option<u64> {
    let month = bounded(rest, 12)?;
    let day = bounded(rest, 31)?;
    let divisible = |by: u64| year.checked_rem(by) == Some(0);
    let leap = divisible(4) && (!divisible(100) || divisible(400));
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month_index = usize::try_from(month.checked_sub(1)?).ok()?;
    if day == 0 || day > *lengths.get(month_index)? {
        return None;
    }
    // Leap years before this one; the year 0 is one of them.
    let leaps = match year.checked_sub(1) {
        None => 0,
        Some(last) => last
            .checked_div(4)?
            .checked_sub(last.checked_div(100)?)?
            .checked_add(last.checked_div(400)?)?
            .checked_add(1)?,
    };
    let before_month: u64 = lengths.iter().take(month_index).sum();
    year.checked_mul(365)?.checked_add(leaps)?.checked_add(before_month)?.checked_add(day)?.checked_sub(1)
}

fn bounded(rest: &mut &[u8], most: u64) -> Option<u64> {
    two_digits(rest).filter(|number| *number <= most)
}

fn two_digits(rest: &mut &[u8]) -> Option<u64> {
    let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', after @ ..] = *rest else { return None };
    *rest = after;
    let digit = |byte: &u8| u64::from(byte.wrapping_sub(b'0'));
    Some(digit(tens).saturating_mul(10).saturating_add(digit(ones)))
}

fn starts_with_digit(rest: &[u8]) -> bool {
    rest.first().is_some_and(u8::is_ascii_digit)
}

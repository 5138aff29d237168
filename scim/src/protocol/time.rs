//! Moments as JSON has them: `xsd:dateTime` (RFC 7643 §2.3.5).
//!
//! Owns the reading and the order of moments. Called by filters, sorting and the check of values.

/// A moment, exact to the nanosecond; what is finer is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    /// Seconds from 1970-01-01T00:00:00Z; negative before.
    pub seconds: i64,
    /// Nanoseconds after that.
    pub nanos: u32,
}

impl Instant {
    /// Reads `YYYY-MM-DDThh:mm:ss[.f…][Z|±hh:mm]`; without a zone it is taken for UTC. None when it is not one.
    pub fn read(text: &str) -> Option<Instant> {
        let mut digits = Reader { rest: text.as_bytes() };
        let year = i64::from(digits.number(4)?);
        digits.expect(b"-")?;
        let month = digits.number(2)?;
        digits.expect(b"-")?;
        let day = digits.number(2)?;
        digits.expect(b"Tt")?;
        let hour = digits.number(2)?;
        digits.expect(b":")?;
        let minute = digits.number(2)?;
        digits.expect(b":")?;
        let second = digits.number(2)?;
        let nanos = digits.fraction()?;
        let offset = digits.zone()?;
        // 24:00:00 is the end of the day; 60 is a leap second.
        let end_of_day = hour == 24 && minute == 0 && second == 0 && nanos == 0;
        if day == 0 || day > days_of(year, month)? || (hour > 23 && !end_of_day) || minute > 59 || second > 60 {
            return None;
        }
        let of_day = i64::from(hour)
            .checked_mul(3600)?
            .checked_add(i64::from(minute).checked_mul(60)?)?
            .checked_add(i64::from(second))?;
        let seconds =
            days_from_epoch(year, month, day)?.checked_mul(86_400)?.checked_add(of_day)?.checked_sub(offset)?;
        Some(Instant { seconds, nanos })
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn number(&mut self, length: usize) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        digits.iter().try_fold(0u32, |sum, byte| {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
            sum.checked_mul(10)?.checked_add(u32::from(digit))
        })
    }

    fn expect(&mut self, any: &[u8]) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        any.contains(first).then_some(*first)
    }

    /// Nanoseconds of `.f…`, or 0 when there is no fraction.
    fn fraction(&mut self) -> Option<u32> {
        let Some(rest) = self.rest.strip_prefix(b".") else { return Some(0) };
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = rest.split_at_checked(length).filter(|(digits, _)| !digits.is_empty())?;
        self.rest = rest;
        let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        padded
            .map(|digit| u32::from(digit.wrapping_sub(b'0')))
            .try_fold(0u32, |sum, digit| sum.checked_mul(10)?.checked_add(digit))
    }

    /// Seconds east of UTC; nothing may follow.
    fn zone(&mut self) -> Option<i64> {
        if self.rest.is_empty() {
            return Some(0);
        }
        let sign = self.expect(b"Zz+-")?;
        let seconds = match sign {
            b'Z' | b'z' => 0,
            _ => {
                let hours = i64::from(self.number(2)?);
                self.expect(b":")?;
                let minutes = i64::from(self.number(2)?);
                if hours > 14 || minutes > 59 {
                    return None;
                }
                hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?
            }
        };
        let seconds = if sign == b'-' { seconds.checked_neg()? } else { seconds };
        self.rest.is_empty().then_some(seconds)
    }
}

fn is_leap(year: i64) -> bool {
    (year.rem_euclid(4) == 0 && year.rem_euclid(100) != 0) || year.rem_euclid(400) == 0
}

fn days_of(year: i64, month: u32) -> Option<u32> {
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => return None,
    })
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar.
fn days_from_epoch(year: i64, month: u32, day: u32) -> Option<i64> {
    let before = year.checked_sub(1)?;
    let leaps = before.div_euclid(4).checked_sub(before.div_euclid(100))?.checked_add(before.div_euclid(400))?;
    let mut days = before.checked_mul(365)?.checked_add(leaps)?;
    for earlier in 1..month {
        days = days.checked_add(i64::from(days_of(year, earlier)?))?;
    }
    // 719 162 days from 0001-01-01 to 1970-01-01.
    days.checked_add(i64::from(day))?.checked_sub(1)?.checked_sub(719_162)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_ordered() {
        // Goal: every spelling of one moment is one value, and what is no moment is refused (RFC 7643 §2.3.5).
        let at = |text: &str| Instant::read(text).map(|i| (i.seconds, i.nanos));
        let rows = [
            ("1970-01-01T00:00:00Z", Some((0, 0))),
            ("1969-12-31T23:59:59.5Z", Some((-1, 500_000_000))),
            ("2008-01-23T04:56:22Z", Some((1_201_064_182, 0))),
            ("2008-01-23T05:56:22+01:00", Some((1_201_064_182, 0))),
            ("2008-01-22T23:26:22-05:30", Some((1_201_064_182, 0))),
            ("2008-01-23T04:56:22", Some((1_201_064_182, 0))),
            ("2000-02-29T00:00:00Z", Some((951_782_400, 0))),
            ("2000-02-29T24:00:00Z", Some((951_868_800, 0))),
            ("0001-01-01T00:00:00Z", Some((-62_135_596_800, 0))),
            ("2011-05-13T04:42:34.123456789123Z", Some((1_305_261_754, 123_456_789))),
            ("1900-02-29T00:00:00Z", None),
            ("2008-13-01T00:00:00Z", None),
            ("2008-00-01T00:00:00Z", None),
            ("2008-01-00T00:00:00Z", None),
            ("2008-01-23", None),
            ("2008-01-23T25:00:00Z", None),
            ("2008-01-23T04:56:22.Z", None),
            ("2008-01-23T04:56:22Zx", None),
            ("2008-01-23T04:56:22+99:00", None),
            ("", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(at(text), wanted, "{text}");
        }
    }
}

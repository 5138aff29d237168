//! The calendar of UTC: days since 1970 to year, month and day (proleptic Gregorian) and back.
//!
//! Called by the text form of a moment and by month arithmetic. Knows no leap seconds and no time zones.

/// Milliseconds of a day.
pub(super) const DAY: i64 = 86_400_000;

/// A date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
}

/// The days of a month.
pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The date of a day, counted from 1970-01-01. A year is taken to begin in March, so that the day a leap year has more
/// is its last; an era is the 146 097 days of 400 years.
#[expect(clippy::arithmetic_side_effects, reason = "callers divide i64 milliseconds by DAY: |days| < 2^37")]
pub(super) fn from_days(days: i64) -> Civil {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil { year, month, day: day_of_year - (153 * month_from_march + 2) / 5 + 1 }
}

/// The day of a date, counted from 1970-01-01. The year must be below 2^32 either way.
#[expect(clippy::arithmetic_side_effects, reason = "years come from from_days or four digits: |year| < 2^32")]
pub(super) fn to_days(date: Civil) -> i64 {
    let year = date.year - i64::from(date.month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = if date.month > 2 { date.month - 3 } else { date.month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The same time of day, so many months later; on the last day of a month that is too short.
#[expect(clippy::arithmetic_side_effects, reason = "|year| < 2^29 and months < 2^16: |year * 12 + months| < 2^34")]
pub(super) fn add_months(millis: i64, months: u16) -> Option<i64> {
    let date = from_days(millis.div_euclid(DAY));
    let total = date.year * 12 + (date.month - 1) + i64::from(months);
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
    let day = date.day.min(days_in_month(year, month));
    to_days(Civil { year, month, day }).checked_mul(DAY)?.checked_add(millis.rem_euclid(DAY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Goal: known days, among them the edges of leap years and of the era.
    #[test]
    fn known_dates() {
        for (days, year, month, day) in [
            (0, 1970, 1, 1),
            (-1, 1969, 12, 31),
            (11_016, 2000, 2, 29),
            (11_017, 2000, 3, 1),
            (19_782, 2024, 2, 29),
            (-25_508, 1900, 3, 1),
            (-25_509, 1900, 2, 28),
            (2_932_896, 9999, 12, 31),
            (-719_528, 0, 1, 1),
        ] {
            assert_eq!(from_days(days), Civil { year, month, day }, "{days}");
            assert_eq!(to_days(Civil { year, month, day }), days, "{year}-{month}-{day}");
        }
    }

    /// Goal: months are calendar months, clamped at the end of a short one.
    #[test]
    fn months_are_calendar_months() {
        let day = |year, month, day| to_days(Civil { year, month, day }) * DAY;
        for (from, months, to) in [
            (day(2026, 1, 31), 1, day(2026, 2, 28)),
            (day(2028, 1, 31), 1, day(2028, 2, 29)),
            (day(2026, 11, 30), 3, day(2027, 2, 28)),
            (day(2026, 5, 15), 0, day(2026, 5, 15)),
            (day(2026, 5, 15), 120, day(2036, 5, 15)),
            (day(1969, 12, 31) + 1, 2, day(1970, 2, 28) + 1),
        ] {
            assert_eq!(add_months(from, months), Some(to));
        }
    }

    proptest! {
        /// Goal: any day there can be survives the way to a date and back.
        #[test]
        fn days_round_trip(days in (i64::MIN / DAY - 1)..=(i64::MAX / DAY)) {
            let date = from_days(days);
            prop_assert!((1..=12).contains(&date.month) && date.day >= 1 && date.day <= days_in_month(date.year, date.month));
            prop_assert_eq!(to_days(date), days);
        }

        /// Goal: adding months never panics, never goes back, and keeps the order of moments.
        #[test]
        fn months_are_monotonic(a in any::<i64>(), b in any::<i64>(), months in any::<u16>()) {
            let (low, high) = (a.min(b), a.max(b));
            if let Some(sum) = add_months(high, months) {
                prop_assert!(sum >= high);
                prop_assert!(add_months(low, months).unwrap() <= sum);
            }
        }
    }
}

//! Moments as pages show them: in UTC, to the minute, with the exact one beside it for machines.

use directory::clock::Millis;
use std::fmt;

/// A moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// `2026-11-22 10:04`.
    text: String,
    /// RFC 3339.
    exact: String,
}

impl Shown {
    pub(crate) fn new(moment: Millis) -> Shown {
        // YYYYMMDDHHMMSSZ, by the directory's calendar.
        let digits = moment.to_generalized_seconds();
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
        let (hour, minute, second) = (part(8, 10), part(10, 12), part(12, 14));
        Shown {
            text: format!("{year}-{month}-{day} {hour}:{minute}"),
            exact: format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"),
        }
    }

    /// For `datetime`.
    pub(crate) fn exact(&self) -> &str {
        &self.exact
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a moment is shown to the minute and told to the second.
    #[test]
    fn moments() {
        let shown = Shown::new(Millis(1_790_000_000_000));
        assert_eq!((shown.to_string().as_str(), shown.exact()), ("2026-09-21 14:13", "2026-09-21T14:13:20Z"));
    }
}

//! Progress of a long command: what one line on the terminal says. Pure but for the last two lines of [`Bar::show`].

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the line changes.
const INTERVAL: Duration = Duration::from_millis(200);

/// Where the work is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Entries read.
    pub entries: u64,
    /// Entries refused.
    pub refused: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Bytes there are; none when the input is a pipe.
    pub total: Option<u64>,
}

/// A line on standard error that is written over and over; nothing where that is no terminal.
#[derive(Debug)]
pub struct Bar {
    started: Instant,
    shown: Option<Instant>,
    terminal: bool,
}

impl Bar {
    /// Begins now.
    pub fn new(now: Instant) -> Self {
        Self { started: now, shown: None, terminal: std::io::stderr().is_terminal() }
    }

    /// Shows where the work is, unless it did so a moment ago; call it as often as you like.
    pub fn show(&mut self, now: Instant, done: Done) {
        if !self.terminal || self.shown.is_some_and(|shown| now.duration_since(shown) < INTERVAL) {
            return;
        }
        self.shown = Some(now);
        _ = write!(std::io::stderr().lock(), "\r\x1b[K{}", line(now.duration_since(self.started), done));
    }

    /// Clears the line, and returns the summary.
    pub fn finish(self, now: Instant, done: Done) -> String {
        if self.terminal {
            _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
        let taken = now.duration_since(self.started);
        format!("{} entries in {}, {} refused", done.entries, seconds(taken), done.refused)
    }
}

/// The line after that time: percentage, entries, rate, and how long it will take if it goes on like this.
pub fn line(elapsed: Duration, done: Done) -> String {
    let millis = elapsed.as_millis().max(1);
    let rate = u128::from(done.entries) * 1_000 / millis;
    let mut text = match done.total {
        Some(total) if total > 0 => format!("{:3} %  ", u128::from(done.bytes.min(total)) * 100 / u128::from(total)),
        _ => String::new(),
    };
    text.push_str(&format!("{} entries  {rate}/s", done.entries));
    if done.refused > 0 {
        text.push_str(&format!("  {} refused", done.refused));
    }
    if let Some(left) = done.total.and_then(|total| total.checked_sub(done.bytes))
        && done.bytes > 0
        && left > 0
    {
        let millis = u64::try_from(millis * u128::from(left) / u128::from(done.bytes)).unwrap_or(u64::MAX);
        text.push_str(&format!("  {} left", seconds(Duration::from_millis(millis))));
    }
    text
}

fn seconds(span: Duration) -> String {
    match span.as_secs() {
        0 => format!("{} ms", span.as_millis()),
        whole @ 1..60 => format!("{whole} s"),
        whole @ 60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the line says share, rate and rest; and nothing that it cannot know.
    #[test]
    fn the_line_says_where_it_is() {
        let done = |entries, refused, bytes, total| Done { entries, refused, bytes, total };
        let cases = [
            (0, done(0, 0, 0, Some(100)), "  0 %  0 entries  0/s"),
            (2_000, done(500, 0, 50, Some(100)), " 50 %  500 entries  250/s  2 s left"),
            (10_000, done(500, 3, 100, Some(100)), "100 %  500 entries  50/s  3 refused"),
            (90_000, done(900, 0, 1, Some(101)), "  0 %  900 entries  10/s  2 h 30 min left"),
            (1_000, done(7, 0, 999, None), "7 entries  7/s"),
            (1_000, done(7, 0, 200, Some(100)), "100 %  7 entries  7/s"),
            (
                1_000,
                done(u64::MAX, 0, u64::MAX, Some(u64::MAX)),
                "100 %  18446744073709551615 entries  18446744073709551615/s",
            ),
            (1_000, done(1, 0, 0, Some(0)), "1 entries  1/s"),
        ];
        for (millis, done, expected) in cases {
            assert_eq!(line(Duration::from_millis(millis), done), expected);
        }
    }
}

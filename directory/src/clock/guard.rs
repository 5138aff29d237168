//! The judge of jumps: which time to believe when the wall clock and the uptime counter disagree. Pure: readings in,
//! [`Now`] out.
//!
//! Three hands follow from one reading, because three questions need different answers:
//!
//! | hand | used for | on a jump |
//! |---|---|---|
//! | `wall` | stamps, expiry of tokens | never falls; goes on by uptime until the wall clock has been steady for [`STABLE`], then follows it forward |
//! | `steady` | locks, failure windows | never follows a jump: a lock lasts its duration while the process runs |
//! | `calendar` | dormancy, purge | as `wall`, but a leap of more than [`LEAP`] is only followed when the operator accepts it |
//!
//! ```text
//!            |Δwall − Δuptime| > JUMP, or start before the mark, or start > mark + LEAP
//!   trusted ───────────────────────────────────────────────────────────────────────────▶ in doubt ⟲ another jump
//!      ▲                                                                                    │
//!      └───────────────────── STABLE without a jump, or the operator accepts ───────────────┘
//! ```
//! While in doubt, or with a calendar that lags, nothing becomes dormant by the sweep and nothing is purged
//! ([`Now::frozen`]).

use serde::{Deserialize, Serialize};

use super::{Millis, Reading, Span};

/// A difference between the hands that is a jump, not the correction of a drift.
pub const JUMP: Span = Span::from_secs(60);
/// Without a jump for so long, a clock in doubt is trusted again.
pub const STABLE: Span = Span::from_mins(10);
/// A gap that the calendar does not cross by itself.
pub const LEAP: Span = Span::from_days(30);

/// The time, as far as it can be believed; see the module for which hand to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Now {
    /// For stamps and tokens.
    pub wall: Millis,
    /// For locks and failure windows.
    pub steady: Millis,
    /// For dormancy and purge.
    pub calendar: Millis,
    /// What the machine's clock says, believed or not: for what is agreed with the outside (TOTP, upstream tokens).
    pub raw: Millis,
    /// Why the wall clock is not believed.
    pub doubt: Option<Doubt>,
    /// The calendar waits for the operator to accept a leap.
    pub calendar_lags: bool,
}

impl Now {
    /// A moment at which nothing is in doubt and all hands agree.
    pub fn at(wall: Millis) -> Now {
        Now { wall, steady: wall, calendar: wall, raw: wall, doubt: None, calendar_lags: false }
    }

    /// The sweep and the purge stand still.
    pub fn frozen(&self) -> bool {
        self.doubt.is_some() || self.calendar_lags
    }
}

/// Why the clock is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Doubt {
    /// At start the machine's clock was before the mark of the last run.
    BehindMark,
    /// At start the machine's clock was more than [`LEAP`] after the mark of the last run.
    FarPastMark,
    /// The wall clock was set forward.
    JumpedForward,
    /// The wall clock was set back.
    JumpedBack,
}

/// What survives a restart: the latest time that has been believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The latest `wall`.
    pub wall: Millis,
    /// The latest `calendar`.
    pub calendar: Millis,
}

/// The judge. One per process.
#[derive(Debug, Clone)]
pub struct ClockGuard {
    /// The last reading.
    last: Reading,
    /// The reading that the next jump is measured against.
    anchor: Reading,
    wall: Millis,
    steady: Millis,
    calendar: Millis,
    calendar_lags: bool,
    doubt: Option<Doubt>,
}

impl ClockGuard {
    /// Begins. Without a mark (a new directory) the machine's clock is taken at its word.
    pub fn start(reading: Reading, mark: Option<Mark>) -> ClockGuard {
        let mut guard = ClockGuard {
            last: reading,
            anchor: reading,
            wall: reading.wall,
            steady: reading.wall,
            calendar: reading.wall,
            calendar_lags: false,
            doubt: None,
        };
        let Some(mark) = mark else { return guard };
        if reading.wall < mark.wall {
            guard.doubt = Some(Doubt::BehindMark);
            (guard.wall, guard.steady) = (mark.wall, mark.wall);
            guard.calendar = mark.calendar.min(mark.wall);
        } else if reading.wall.since(mark.wall) > LEAP {
            // Stamps and tokens follow at once (most likely the server was off), locks and dormancy do not.
            guard.doubt = Some(Doubt::FarPastMark);
            guard.steady = mark.wall;
            guard.calendar = mark.calendar.min(mark.wall);
        } else {
            guard.calendar_lags = mark.wall.since(mark.calendar) > LEAP;
            if guard.calendar_lags {
                guard.calendar = mark.calendar;
            }
        }
        guard
    }

    /// Takes a reading and says what time it is. Readings must come in their order; an uptime that falls counts as no
    /// time passed.
    pub fn observe(&mut self, reading: Reading) -> Now {
        let passed = Span::from_millis(reading.uptime.saturating_sub(self.last.uptime));
        self.last = Reading { wall: reading.wall, uptime: reading.uptime.max(self.last.uptime) };
        self.steady = self.steady.saturating_add(passed);
        self.wall = self.wall.saturating_add(passed);
        self.calendar = self.calendar.saturating_add(passed);

        let since_anchor = self.last.uptime.saturating_sub(self.anchor.uptime);
        let drift = reading.wall.0.saturating_sub(self.anchor.wall.0).saturating_sub(since_anchor);
        if drift.saturating_abs() > JUMP.millis() {
            self.doubt = Some(if drift > 0 { Doubt::JumpedForward } else { Doubt::JumpedBack });
            self.anchor = self.last;
        } else if since_anchor >= STABLE.millis() {
            self.doubt = None;
            self.anchor = self.last;
            self.follow(reading.wall);
        } else if self.doubt.is_none() {
            self.follow_closely(reading.wall, passed);
        }
        self.now()
    }

    /// The operator says that the machine's clock is right: every hand but `steady` is set to it, back as well.
    pub fn accept(&mut self, reading: Reading) -> Now {
        self.observe(reading);
        self.anchor = self.last;
        self.doubt = None;
        self.calendar_lags = false;
        (self.wall, self.calendar) = (reading.wall, reading.wall);
        self.now()
    }

    /// What to keep for the next run.
    pub fn mark(&self) -> Mark {
        Mark { wall: self.wall, calendar: self.calendar }
    }

    /// After a time without jumps: forward to the machine's clock. Never back: a time that has been told stays told.
    fn follow(&mut self, wall: Millis) {
        self.wall = self.wall.max(wall);
        if !self.calendar_lags {
            self.calendar_lags = wall.since(self.calendar) > LEAP;
        }
        if !self.calendar_lags {
            self.calendar = self.calendar.max(wall);
        }
    }

    /// In quiet times: the small corrections of the machine's clock, forward at once, and back by standing still.
    fn follow_closely(&mut self, wall: Millis, passed: Span) {
        let step = wall.0.saturating_sub(self.wall.0);
        if step.saturating_abs() > JUMP.millis() {
            return;
        }
        let before = Millis(self.wall.0.saturating_sub(passed.millis()));
        let follows = self.calendar == self.wall;
        self.wall = wall.max(before);
        if follows {
            self.calendar = self.wall;
        }
    }

    fn now(&self) -> Now {
        Now {
            wall: self.wall,
            steady: self.steady,
            calendar: self.calendar,
            raw: self.last.wall,
            doubt: self.doubt,
            calendar_lags: self.calendar_lags,
        }
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "numbers of tests are small; an overflow fails them")]
#[path = "guard_tests.rs"]
mod tests;

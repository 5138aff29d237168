//! Time as a value: instants, spans, the clocks that are read at the rim, and the guard that decides what to believe.
//!
//! A door reads [`TrustedClock::now`] once per request and hands the [`Now`] through; nothing else in the product looks
//! at a clock. [`SystemClock`] is the only place that reads the machine's time, [`ManualClock`] is moved by hand in
//! tests and demonstrations, and [`ClockGuard`] is the pure judge of jumps between them and the rest.
//!
//! Not here: what a moment means to an account (`lifecycle`), and the full GeneralizedTime syntax check (`schema`).
#![deny(clippy::arithmetic_side_effects)]

mod civil;
mod guard;
mod span;
mod text;

pub use guard::{ClockGuard, Doubt, JUMP, LEAP, Mark, Now, STABLE};
pub use span::{Span, SpanError};
pub use text::TimeError;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// Before everything.
    pub const MIN: Millis = Millis(i64::MIN);
    /// After everything; as a deadline: never.
    pub const MAX: Millis = Millis(i64::MAX);

    /// This moment and a span; none past the end of what can be told.
    pub fn checked_add(self, span: Span) -> Option<Millis> {
        self.0.checked_add(span.millis()).map(Millis)
    }

    /// This moment and a span, at most [`Millis::MAX`].
    #[must_use]
    pub fn saturating_add(self, span: Span) -> Millis {
        Millis(self.0.saturating_add(span.millis()))
    }

    /// How long after `earlier` this is: zero when it is not after it.
    pub fn since(self, earlier: Millis) -> Span {
        Span::from_millis(self.0.saturating_sub(earlier.0).max(0))
    }

    /// The same time of day so many calendar months (UTC) later, on the last day of a month that is too short; none
    /// past the end of what can be told.
    pub fn add_months(self, months: u16) -> Option<Millis> {
        civil::add_months(self.0, months).map(Millis)
    }
}

/// One reading of a clock: both hands at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// What the machine says the time is; may jump.
    pub wall: Millis,
    /// Milliseconds since some moment before the process began; never falls, and runs on while the machine sleeps.
    pub uptime: i64,
}

/// Something that tells the time: the machine, or a hand that moves it.
pub trait Clock: Send + Sync + 'static {
    /// Both hands, now.
    fn read(&self) -> Reading;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        // CLOCK_BOOTTIME and not CLOCK_MONOTONIC: after three days of suspend both hands have moved by three days, so
        // that waking up is not taken for a jump and a lock is not longer by the sleep.
        let wall = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        let uptime = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Reading { wall: Millis(millis(wall)), uptime: millis(uptime) }
    }
}

fn millis(time: rustix::time::Timespec) -> i64 {
    time.tv_sec.saturating_mul(1_000).saturating_add(time.tv_nsec / 1_000_000)
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    wall: AtomicI64,
    uptime: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `wall`.
    pub fn at(wall: Millis) -> ManualClock {
        ManualClock { wall: AtomicI64::new(wall.0), uptime: AtomicI64::new(0) }
    }

    /// Time passes: both hands move.
    pub fn advance(&self, span: Span) {
        let add = |value: i64| Some(value.saturating_add(span.millis()));
        let _ = self.wall.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
        let _ = self.uptime.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
    }

    /// Somebody sets the clock: only the wall hand moves, by so many milliseconds forward or (negative) back.
    pub fn step(&self, millis: i64) {
        let add = |value: i64| Some(value.saturating_add(millis));
        let _ = self.wall.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add);
    }
}

impl Clock for ManualClock {
    fn read(&self) -> Reading {
        Reading { wall: Millis(self.wall.load(Ordering::SeqCst)), uptime: self.uptime.load(Ordering::SeqCst) }
    }
}

impl Clock for Box<dyn Clock> {
    fn read(&self) -> Reading {
        self.as_ref().read()
    }
}

impl<C: Clock> Clock for std::sync::Arc<C> {
    fn read(&self) -> Reading {
        C::read(self)
    }
}

/// A clock and its guard: what the doors read.
pub struct TrustedClock {
    clock: Box<dyn Clock>,
    guard: Mutex<ClockGuard>,
}

impl TrustedClock {
    /// Begins with what an earlier run has left: its last [`Mark`], none at the very first start.
    pub fn new(clock: impl Clock, mark: Option<Mark>) -> TrustedClock {
        let guard = ClockGuard::start(clock.read(), mark);
        TrustedClock { clock: Box::new(clock), guard: Mutex::new(guard) }
    }

    /// The time, as far as it can be believed.
    pub fn now(&self) -> Now {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        // Read inside the lock, so that the guard sees the readings in their order.
        let reading = self.clock.read();
        guard.observe(reading)
    }

    /// What to store every minute and at shutdown, for [`TrustedClock::new`] of the next run.
    pub fn mark(&self) -> Mark {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner).mark()
    }

    /// The operator has looked and says that the machine's clock is right.
    pub fn accept(&self) -> Now {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = self.clock.read();
        guard.accept(reading)
    }
}

impl std::fmt::Debug for TrustedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustedClock").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// Goal: the machine's clock tells a time of this century and its uptime does not fall.
    #[test]
    fn the_system_clock_tells_the_time() {
        let (one, two) = (SystemClock.read(), SystemClock.read());
        assert!(one.wall > Millis::from_generalized_time(b"20250101000000Z").unwrap());
        assert!(two.uptime >= one.uptime);
    }

    /// Goal: what the doors read follows a hand-moved clock, and a mark carries it over a restart.
    #[test]
    fn a_trusted_clock_follows_its_clock() {
        let clock = Arc::new(ManualClock::at(Millis(1_000_000)));
        let trusted = TrustedClock::new(Arc::clone(&clock), None);
        clock.advance(Span::from_secs(5));
        assert_eq!(trusted.now().wall, Millis(1_005_000));
        clock.step(-3_600_000);
        assert!(trusted.now().frozen(), "an hour back is a jump");
        let again = TrustedClock::new(Arc::clone(&clock), Some(trusted.mark()));
        assert_eq!(again.now().wall, Millis(1_005_000), "a restart does not turn time back");
        assert!(again.now().frozen());
        assert!(!again.accept().frozen());
    }

    /// Goal: adding never wraps, at either end.
    #[test]
    fn arithmetic_is_checked() {
        assert_eq!(Millis::MAX.checked_add(Span::from_millis(1)), None);
        assert_eq!(Millis::MAX.saturating_add(Span::from_secs(1)), Millis::MAX);
        assert_eq!(Millis::MIN.since(Millis::MAX), Span::ZERO);
        assert_eq!(Millis::MAX.since(Millis::MIN), Span::from_millis(i64::MAX));
        assert_eq!(Millis::MAX.add_months(1), None);
    }
}

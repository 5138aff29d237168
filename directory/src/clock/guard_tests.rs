//! Tests of the judge of jumps: hostile clocks of row C11, one story each.

use super::*;
use proptest::prelude::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;
const START: i64 = 1_800_000_000_000;

/// A guard and the clock that it looks at.
struct Story {
    guard: ClockGuard,
    reading: Reading,
}

impl Story {
    fn new() -> Story {
        let reading = Reading { wall: Millis(START), uptime: 77 };
        Story { guard: ClockGuard::start(reading, None), reading }
    }

    fn pass(&mut self, millis: i64) -> Now {
        self.reading.wall.0 += millis;
        self.reading.uptime += millis;
        self.guard.observe(self.reading)
    }

    fn step(&mut self, millis: i64) -> Now {
        self.reading.wall.0 += millis;
        self.guard.observe(self.reading)
    }

    /// Eleven quiet minutes, looked at every minute.
    fn settle(&mut self) -> Now {
        for _ in 0..11 {
            self.pass(60_000);
        }
        self.guard.now()
    }
}

/// Goal: in quiet times, with the small steps of NTP and a leap second, all hands agree to a second and nothing freezes.
#[test]
fn quiet_times() {
    let mut story = Story::new();
    for minute in 0..10_000_i64 {
        story.pass(60_000);
        let now = story.step(if minute % 600 == 0 {
            -1_000
        } else if minute % 600 == 300 {
            1_000
        } else {
            0
        });
        assert!(!now.frozen());
        assert!((now.wall.0 - story.reading.wall.0).abs() <= 1_000, "minute {minute}");
        assert!((now.steady.0 - now.wall.0).abs() <= 2_000);
        assert_eq!(now.calendar, now.wall);
    }
}

/// Goal: a lock of 15 minutes lasts 15 minutes of uptime whatever the wall clock does meanwhile, to the millisecond.
#[test]
fn a_lock_lasts_its_duration() {
    for jump in [-YEAR, -HOUR, -59_000, 59_000, HOUR, YEAR, 10 * YEAR] {
        let mut story = Story::new();
        let until = story.pass(1_000).steady.saturating_add(Span::from_mins(15));
        story.pass(60_000);
        story.step(jump);
        story.settle();
        let now = story.pass(3 * 60_000 - 1);
        assert!(now.steady < until, "jump {jump}: not early");
        assert!(story.pass(1).steady >= until, "jump {jump}: not late");
    }
}

/// Goal: an hour forward freezes for ten minutes, and is then followed by stamps and calendar.
#[test]
fn an_hour_forward() {
    let mut story = Story::new();
    let before = story.pass(1_000);
    let now = story.step(HOUR);
    assert_eq!((now.doubt, now.wall, now.calendar), (Some(Doubt::JumpedForward), before.wall, before.calendar));
    let now = story.settle();
    assert_eq!((now.frozen(), now.wall, now.calendar), (false, story.reading.wall, story.reading.wall));
}

/// Goal: ten years forward never reach the calendar by themselves; only the operator lets them.
#[test]
fn ten_years_forward() {
    let mut story = Story::new();
    story.step(10 * YEAR);
    let now = story.settle();
    assert_eq!((now.doubt, now.calendar_lags, now.wall), (None, true, story.reading.wall));
    assert!(now.calendar.0 < START + HOUR, "nobody becomes dormant");
    let restarted = ClockGuard::start(story.reading, Some(story.guard.mark()));
    assert!(restarted.now().calendar.0 < START + HOUR && restarted.now().frozen(), "not by a restart either");
    assert_eq!(story.guard.accept(story.reading), Now::at(story.reading.wall).with_steady(now.steady));
}

/// Goal: ten years forward and back again after an hour leave no trace in the calendar.
#[test]
fn forward_and_back() {
    let mut story = Story::new();
    story.step(10 * YEAR);
    story.pass(60_000);
    story.step(-10 * YEAR);
    let now = story.settle();
    assert_eq!((now.frozen(), now.wall), (false, story.reading.wall));
}

/// Goal: set back by a year, time goes on from where it was: no stamp falls, no token lives longer.
#[test]
fn a_year_back() {
    let mut story = Story::new();
    let before = story.pass(1_000);
    let now = story.step(-YEAR);
    assert_eq!((now.doubt, now.wall), (Some(Doubt::JumpedBack), before.wall));
    let now = story.pass(5_000);
    assert_eq!(now.wall, before.wall.saturating_add(Span::from_secs(5)));
    let now = story.settle();
    assert!(now.wall > before.wall);
    assert_eq!(story.guard.accept(story.reading).wall, story.reading.wall, "the operator may turn it back");
}

/// Goal: a start before the mark, or long after it, is in doubt; locks keep what is left of them.
#[test]
fn starts() {
    let mark = Mark { wall: Millis(START), calendar: Millis(START) };
    for (wall, doubt, steady, calendar) in [
        (START, None, START, START),
        (START + DAY, None, START + DAY, START + DAY),
        (START + 30 * DAY, None, START + 30 * DAY, START + 30 * DAY),
        (START + 31 * DAY, Some(Doubt::FarPastMark), START, START),
        (START - 1, Some(Doubt::BehindMark), START, START),
        (0, Some(Doubt::BehindMark), START, START),
    ] {
        let now = ClockGuard::start(Reading { wall: Millis(wall), uptime: 5 }, Some(mark)).now();
        assert_eq!((now.doubt, now.steady.0, now.calendar.0), (doubt, steady, calendar), "start at {wall}");
        assert_eq!(now.wall.0, wall.max(START));
    }
}

/// Goal: steps below the threshold, one after another, are seen as the jump that they add up to.
#[test]
fn creeping_steps() {
    let mut story = Story::new();
    story.step(50_000);
    assert!(!story.guard.now().frozen());
    assert!(story.step(50_000).frozen());
}

impl Now {
    fn with_steady(mut self, steady: Millis) -> Now {
        self.steady = steady;
        self
    }
}

proptest! {
    /// Goal: over any readings, extremes too, nothing panics, `wall` and `steady` never fall, and `steady` moves exactly
    /// with the uptime.
    #[test]
    fn hands_never_fall(readings in proptest::collection::vec((any::<i64>(), 0..HOUR), 1..50), small in proptest::collection::vec((-90_000..90_000_i64, 0..HOUR), 1..50)) {
        for readings in [readings.clone(), small.iter().map(|(wall, up)| (START + wall, *up)).collect()] {
            let mut uptime = 0;
            let mut guard = ClockGuard::start(Reading { wall: Millis(readings[0].0), uptime }, None);
            let mut last = guard.now();
            for (wall, passed) in readings {
                uptime += passed;
                let now = guard.observe(Reading { wall: Millis(wall), uptime });
                prop_assert!(now.wall >= last.wall, "{last:?} {now:?}");
                prop_assert_eq!(now.steady, last.steady.saturating_add(Span::from_millis(passed)));
                prop_assert!(now.calendar >= last.calendar, "{last:?} {now:?}");
                last = now;
            }
        }
    }
}

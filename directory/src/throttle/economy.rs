//! When the store has to know what a login changed. A failed bind never costs a commit of its own; a quiet good one
//! costs none at all.
//!
//! | change | stored |
//! |---|---|
//! | a state that is a fact (first login, lock, inactivity found) | before the reply |
//! | failures, half the threshold or more | within a second, together with others |
//! | failures, fewer | within half a minute |
//! | failures that the store knows, cleared by a good login | within a second |
//! | the stamp of a login | when the stored one is older than [`stamp_grain`], within five seconds |

use crate::clock::Span;
use crate::id::EntryId;
use crate::lifecycle::{Account, Counters, Effect, Outcome, Period, Policy};

/// Failures from half the threshold on, and failures cleared.
pub(super) const SOON: Span = Span::from_secs(1);
/// Failures before that.
pub(super) const LATER: Span = Span::from_secs(30);
/// Stamps.
pub(super) const STAMP: Span = Span::from_secs(5);

/// When the outcome has to be in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// Not for itself.
    Nothing,
    /// Before the reply: `next` in a write set, and [`super::Throttle::stored`] after its commit.
    Now,
    /// Within so long: [`super::Throttle::take_due`] brings it.
    Within(Span),
}

/// When the store, which knows `facts`, has to know this outcome.
pub(super) fn store(account: EntryId, facts: &Account, outcome: &Outcome, policy: &Policy) -> Store {
    let next = &outcome.next;
    let but_counters = Account { counters: facts.counters, ..*next };
    if but_counters != *facts || outcome.effects.iter().any(|effect| matches!(effect, Effect::Audit(_))) {
        return Store::Now;
    }
    if but_stamps(&next.counters) != but_stamps(&facts.counters) {
        let count = next.counters.failures.count;
        let close = count == 0 || count.saturating_mul(2) >= policy.threshold();
        return Store::Within(if close { SOON } else { LATER });
    }
    let (known, new) = (facts.counters.last_activity, next.counters.last_activity);
    let stale = match (known, new) {
        (Some(known), Some(new)) => new.since(known) >= stamp_grain(account, policy),
        (None, new) => new.is_some(),
        (Some(_), None) => false,
    };
    if stale { Store::Within(STAMP) } else { Store::Nothing }
}

/// How old a stored stamp of activity may be: a day, or a seventh of the dormancy period when that is shorter, give or
/// take a fifth. The share is drawn from the account's id, so that a million accounts that log in at nine do not write
/// at nine.
pub fn stamp_grain(account: EntryId, policy: &Policy) -> Span {
    let day = 86_400_000_i64;
    let grain = match policy.dormancy_months {
        Period::After(months) => (i64::from(months).saturating_mul(28).saturating_mul(day) / 7).min(day),
        Period::Never => day,
    };
    let share = i64::try_from(mix(account.0) % 401).unwrap_or(200); // 0 to 400 thousandths
    Span::from_millis(grain.saturating_mul(share.saturating_add(800)) / 1_000)
}

/// Counters without stamps and without their version: what a restart must not lose.
fn but_stamps(counters: &Counters) -> Counters {
    Counters { last_login: None, last_activity: None, sequence: 0, ..*counters }
}

/// Spreads ids that follow one another (the finalizer of splitmix64).
fn mix(id: u64) -> u64 {
    let mut x = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the grain stays within a fifth of its middle, is the same each time, and differs between neighbours.
    #[test]
    fn grains_are_spread() {
        let policy = Policy::default();
        let grains: Vec<i64> = (0..1_000).map(|id| stamp_grain(EntryId(id), &policy).millis()).collect();
        let hour = 3_600_000;
        assert!(grains.iter().all(|grain| (19 * hour..29 * hour).contains(grain)));
        let middle = grains.iter().sum::<i64>() / 1_000;
        assert!((23 * hour..25 * hour).contains(&middle), "{middle}");
        assert_eq!(stamp_grain(EntryId(7), &policy), stamp_grain(EntryId(7), &policy));
        assert!(grains.windows(2).filter(|pair| pair[0] == pair[1]).count() < 20);
    }
}

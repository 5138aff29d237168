//! The fuse: how many accounts one token may deactivate or delete within a while.
//!
//! An identity provider whose scope was set wrongly takes away everybody at once, and does it by the book. Beyond the bound
//! the door refuses, says so in the log, and counts it; what the token does otherwise goes on. The window slides; an
//! administrator resets it by rotating the token, or by [`Fuse::reset`].

use directory::clock::{Millis, Span};
use directory::token::TokenId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Windows are counted in so many parts.
const PARTS: i64 = 60;
/// Tokens that are remembered at most.
const TOKENS: usize = 10_000;

/// The counts of all tokens.
#[derive(Debug)]
pub struct Fuse {
    limit: u32,
    part: i64,
    counts: Mutex<HashMap<TokenId, VecDeque<(i64, u32)>>>,
}

/// The fuse has blown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blown {
    /// The bound.
    pub limit: u32,
    /// Seconds until something of the window has passed.
    pub seconds: u32,
}

impl Fuse {
    /// A fuse of this many acts within a window; 0: none.
    pub fn new(limit: u32, window: Duration) -> Fuse {
        let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        Fuse { limit, part: (window / PARTS).max(1), counts: Mutex::new(HashMap::new()) }
    }

    /// One more act of a token, counted only when it may be.
    ///
    /// # Errors
    /// The bound is reached.
    pub fn take(&self, token: TokenId, now: Millis) -> Result<(), Blown> {
        if self.limit == 0 {
            return Ok(());
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let part = now.0.div_euclid(self.part);
        if counts.len() >= TOKENS && !counts.contains_key(&token) {
            counts.retain(|_, own| own.back().is_some_and(|(last, _)| part.saturating_sub(*last) < PARTS));
        }
        let own = counts.entry(token).or_default();
        while own.front().is_some_and(|(first, _)| part.saturating_sub(*first) >= PARTS) {
            own.pop_front();
        }
        let sum = own.iter().fold(0u32, |sum, (_, count)| sum.saturating_add(*count));
        if sum >= self.limit {
            let first = own.front().map_or(part, |(first, _)| *first);
            let over = first.saturating_add(PARTS).saturating_mul(self.part);
            let wait = Millis(over).since(now).max(Span::ZERO).seconds_up();
            return Err(Blown { limit: self.limit, seconds: u32::try_from(wait).unwrap_or(u32::MAX).max(1) });
        }
        match own.back_mut() {
            Some((last, count)) if *last == part => *count = count.saturating_add(1),
            _ => own.push_back((part, 1)),
        }
        Ok(())
    }

    /// An act that was counted has not come about.
    pub fn give_back(&self, token: TokenId) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = counts.get_mut(&token).and_then(VecDeque::back_mut) {
            *count = count.saturating_sub(1);
        }
    }

    /// The token begins anew.
    pub fn reset(&self, token: TokenId) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).remove(&token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides_and_tokens_do_not_share_it() {
        // Goal: the bound holds within any window, is lifted as time passes, by a reset, and by what did not come about.
        let fuse = Fuse::new(2, Duration::from_mins(60));
        let at = |minutes: i64| Millis(1_790_000_000_000 + minutes * 60_000);
        assert_eq!(fuse.take(TokenId(1), at(0)), Ok(()));
        assert_eq!(fuse.take(TokenId(1), at(30)), Ok(()));
        let blown = fuse.take(TokenId(1), at(31)).unwrap_err();
        assert_eq!(blown.limit, 2);
        assert!((28 * 60..=30 * 60).contains(&blown.seconds), "{blown:?}");
        assert_eq!(fuse.take(TokenId(2), at(31)), Ok(()));
        assert_eq!(fuse.take(TokenId(1), at(61)), Ok(()));
        assert!(fuse.take(TokenId(1), at(61)).is_err());
        fuse.give_back(TokenId(1));
        assert_eq!(fuse.take(TokenId(1), at(61)), Ok(()));
        fuse.reset(TokenId(1));
        assert_eq!(fuse.take(TokenId(1), at(61)), Ok(()));
        assert_eq!(Fuse::new(0, Duration::from_mins(1)).take(TokenId(1), at(0)), Ok(()));
    }
}

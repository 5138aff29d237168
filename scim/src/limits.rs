//! The bounds of the SCIM door, each with its unit and default, and the rates of tokens.
//!
//! Owns the numbers ([`Settings`], filled by the daemon) and the buckets of requests per token. What entries a request may
//! look at belongs to `directory`, sockets and time to the listener.

use directory::token::TokenId;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;

/// What the door allows.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Octets of a body, but for `/Bulk`.
    pub max_body: usize,
    /// Octets of a body sent to `/Bulk`.
    pub max_bulk_body: usize,
    /// Operations in a bulk request.
    pub max_bulk_operations: usize,
    /// Bulk operations that are under way at the same time: they share commits.
    pub bulk_width: usize,
    /// Resources on a page when the client names no count.
    pub default_page: usize,
    /// Resources on a page at most.
    pub max_page: usize,
    /// Resources that are sorted at most.
    pub sort_limit: usize,
    /// How long a cursor is good.
    pub cursor_timeout: Duration,
    /// Requests of one token in a second, on average; 0: as many as come.
    pub rate_per_second: u32,
    /// Requests of one token at once.
    pub rate_burst: u32,
    /// Accounts that one token may deactivate or delete within [`Settings::fuse_window`]; 0: as many as it wants.
    pub fuse_limit: u32,
    /// See [`Settings::fuse_limit`].
    pub fuse_window: Duration,
    /// `/Schemas`, `/ResourceTypes`, `/ServiceProviderConfig` and the OpenAPI document are for everybody (RFC 7644 §4).
    pub open_discovery: bool,
    /// The dialect of tokens that name none.
    pub dialect: String,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_body: 16 * 1024 * 1024,
            max_bulk_body: 1024 * 1024,
            max_bulk_operations: 1_000,
            bulk_width: 256,
            default_page: 100,
            max_page: 1_000,
            sort_limit: 20_000,
            cursor_timeout: Duration::from_hours(1),
            rate_per_second: 5_000,
            rate_burst: 10_000,
            fuse_limit: 1_000,
            fuse_window: Duration::from_hours(1),
            open_discovery: true,
            dialect: String::new(),
        }
    }
}

/// What a token has left, for the headers of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Requests that may be at once.
    pub limit: u32,
    /// Of them, left.
    pub remaining: u32,
    /// Seconds until all are back.
    pub reset: u32,
    /// Refused: seconds until the next request may come.
    pub wait: Option<u32>,
}

type Limiter = RateLimiter<TokenId, DefaultKeyedStateStore<TokenId>, DefaultClock, StateInformationMiddleware>;

/// Requests per token. A token that has rested is forgotten.
pub struct Rates {
    limiter: Option<Limiter>,
    clock: DefaultClock,
    burst: u32,
    per_second: u32,
}

impl Rates {
    /// The rates of these settings.
    pub fn new(settings: &Settings) -> Rates {
        let quota = NonZeroU32::new(settings.rate_per_second).map(|rate| {
            let burst = NonZeroU32::new(settings.rate_burst).unwrap_or(rate);
            Quota::per_second(rate).allow_burst(burst)
        });
        let limiter = quota.map(|quota| RateLimiter::keyed(quota).with_middleware());
        Rates {
            limiter,
            clock: DefaultClock::default(),
            burst: settings.rate_burst.max(1),
            per_second: settings.rate_per_second.max(1),
        }
    }

    /// One more request of a token; none: nothing is counted.
    pub fn take(&self, token: TokenId) -> Option<Allowance> {
        let limiter = self.limiter.as_ref()?;
        Some(match limiter.check_key(&token) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = self.burst.saturating_sub(remaining);
                Allowance { limit: self.burst, remaining, reset: used.div_ceil(self.per_second), wait: None }
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
                let reset = self.burst.div_ceil(self.per_second);
                Allowance { limit: self.burst, remaining: 0, reset, wait: Some(seconds) }
            }
        })
    }

    /// Forgets tokens that have everything back. Called now and then.
    pub fn forget_rested(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_a_wait_is_told_in_whole_seconds() {
        // Goal: each token has its own bucket, and a refusal says a wait of at least one second.
        let settings = Settings { rate_per_second: 1, rate_burst: 3, ..Settings::default() };
        let rates = Rates::new(&settings);
        let left: Vec<u32> = (0..3).filter_map(|_| rates.take(TokenId(1))).map(|a| a.remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        let refused = rates.take(TokenId(1)).unwrap();
        assert!(refused.wait.is_some_and(|seconds| (1..=2).contains(&seconds)), "{refused:?}");
        assert_eq!(rates.take(TokenId(2)).and_then(|a| a.wait), None);
        assert_eq!(Rates::new(&Settings { rate_per_second: 0, ..settings }).take(TokenId(1)), None);
    }
}

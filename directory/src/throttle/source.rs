//! Sources that fail too often: a token bucket per address, so that one password tried on every account meets a limit
//! that no single account would notice (hostile row C14).
//!
//! An attempt takes a token and a good one brings it back, so a mail gateway that logs in a thousand people a second
//! pays nothing. IPv4 counts by address, IPv6 by /64, an IPv4 address in IPv6 clothes as what it is.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::clock::{Millis, Now};

/// The bounds.
#[derive(Debug, Clone, Copy)]
pub struct SourceLimits {
    /// Failures that a source may have at once.
    pub burst: u32,
    /// Failures per minute that it may have in the long run.
    pub per_minute: u32,
    /// Sources remembered at once; more share one bucket.
    pub sources: usize,
    /// The machine itself is not limited: proxies, tests and the operator live there.
    pub exempt_loopback: bool,
}

impl Default for SourceLimits {
    fn default() -> SourceLimits {
        SourceLimits { burst: 1_000, per_minute: 300, sources: 65_536, exempt_loopback: true }
    }
}

/// The buckets.
#[derive(Debug)]
pub struct SourceLimiter {
    limits: SourceLimits,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    by_source: HashMap<u128, Bucket, BuildHasherDefault<DefaultHasher>>,
    others: Option<Bucket>,
    /// Full buckets were last dropped at (`steady`).
    cleared: Option<Millis>,
}

/// Thousandths of tokens, and when they were counted (`steady`).
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: i64,
    at: Millis,
}

const TOKEN: i64 = 1_000;

impl SourceLimiter {
    /// Empty memory, full buckets.
    pub fn new(limits: SourceLimits) -> SourceLimiter {
        SourceLimiter { limits, buckets: Mutex::default() }
    }

    /// An attempt from this address takes a token: false when there is none, and the attempt is refused.
    pub fn take(&self, source: IpAddr, now: &Now) -> bool {
        self.change(source, now, |bucket| {
            let enough = bucket.tokens >= TOKEN;
            if enough {
                bucket.tokens = bucket.tokens.saturating_sub(TOKEN);
            }
            enough
        })
    }

    /// The attempt was good: its token comes back.
    pub fn give_back(&self, source: IpAddr, now: &Now) {
        let most = full(&self.limits);
        self.change(source, now, |bucket| {
            bucket.tokens = bucket.tokens.saturating_add(TOKEN).min(most);
            true
        });
    }

    fn change(&self, source: IpAddr, now: &Now, change: impl FnOnce(&mut Bucket) -> bool) -> bool {
        let source = source.to_canonical();
        if self.limits.exempt_loopback && source.is_loopback() {
            return true;
        }
        let fresh = Bucket { tokens: full(&self.limits), at: now.steady };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let buckets = &mut *buckets;
        let key = key(source);
        if !buckets.by_source.contains_key(&key) {
            make_room(buckets, &self.limits, now.steady);
        }
        let bucket = if buckets.by_source.len() < self.limits.sources || buckets.by_source.contains_key(&key) {
            buckets.by_source.entry(key).or_insert(fresh)
        } else {
            buckets.others.get_or_insert(fresh)
        };
        bucket.refill(&self.limits, now.steady);
        change(bucket)
    }
}

impl Bucket {
    fn refill(&mut self, limits: &SourceLimits, steady: Millis) {
        // A thousandth of a token per minute and per token per minute is 60 ms.
        let gained = steady.since(self.at).millis().saturating_mul(i64::from(limits.per_minute)) / 60;
        // What is less than a thousandth of a token is kept for the next time.
        if gained > 0 || self.at > steady {
            self.tokens = self.tokens.saturating_add(gained).min(full(limits));
            self.at = steady;
        }
    }
}

fn full(limits: &SourceLimits) -> i64 {
    i64::from(limits.burst).saturating_mul(TOKEN)
}

/// Drops buckets that are full again, at most once a second.
fn make_room(buckets: &mut Buckets, limits: &SourceLimits, steady: Millis) {
    let waited = buckets.cleared.is_none_or(|last| steady.since(last).millis() >= 1_000);
    if buckets.by_source.len() < limits.sources || !waited {
        return;
    }
    buckets.cleared = Some(steady);
    buckets.by_source.retain(|_, bucket| {
        bucket.refill(limits, steady);
        bucket.tokens < full(limits)
    });
}

/// The address, or the network of it that counts as one source.
fn key(source: IpAddr) -> u128 {
    match source {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() & !u128::from(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Span;

    const LIMITS: SourceLimits = SourceLimits { burst: 3, per_minute: 60, sources: 4, exempt_loopback: true };

    fn at(seconds: u32) -> Now {
        Now::at(Millis(1_800_000_000_000).saturating_add(Span::from_secs(seconds)))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Goal: a burst, then the long rate, and never more than the burst again.
    #[test]
    fn burst_and_rate() {
        let limiter = SourceLimiter::new(LIMITS);
        let source = address("192.0.2.1");
        let taken = |seconds| (0..10).filter(|_| limiter.take(source, &at(seconds))).count();
        assert_eq!([taken(0), taken(0), taken(1), taken(3), taken(100)], [3, 0, 1, 2, 3]);
    }

    /// Goal: good attempts cost nothing, however many.
    #[test]
    fn good_attempts_are_free() {
        let limiter = SourceLimiter::new(LIMITS);
        for _ in 0..100 {
            assert!(limiter.take(address("192.0.2.1"), &at(0)));
            limiter.give_back(address("192.0.2.1"), &at(0));
        }
    }

    /// Goal: what is one source: an IPv6 /64, an IPv4 address in both its spellings; and what is not.
    #[test]
    fn what_is_one_source() {
        for (one, two, same) in [
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
        ] {
            let limiter = SourceLimiter::new(LIMITS);
            while limiter.take(address(one), &at(0)) {}
            assert_eq!(limiter.take(address(two), &at(0)), !same, "{one} {two}");
        }
    }

    /// Goal: the machine itself is exempt by default, and only then.
    #[test]
    fn loopback() {
        for exempt_loopback in [true, false] {
            let limiter = SourceLimiter::new(SourceLimits { exempt_loopback, ..LIMITS });
            for source in ["127.0.0.1", "::1", "::ffff:127.0.0.5"] {
                let taken = (0..10).filter(|_| limiter.take(address(source), &at(0))).count();
                assert_eq!(taken, if exempt_loopback { 10 } else { 3 });
            }
        }
    }

    /// Goal: more sources than remembered share one bucket and push nobody out who owes; later they are forgotten.
    #[test]
    fn memory_is_bounded() {
        let limiter = SourceLimiter::new(LIMITS);
        let source = |n: u32| IpAddr::from(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n));
        for n in 0..4 {
            while limiter.take(source(n), &at(0)) {}
        }
        let strangers = (4..1_000).filter(|n| limiter.take(source(*n), &at(0))).count();
        assert_eq!(strangers, 3);
        assert!((0..4).all(|n| !limiter.take(source(n), &at(0))));
        assert!((2_000..2_004).all(|n| limiter.take(source(n), &at(60))));
        assert!(limiter.buckets.lock().unwrap().by_source.len() <= 4);
    }
}

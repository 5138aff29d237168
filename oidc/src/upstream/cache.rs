//! What has been learnt of other servers: kept for a while, asked for by one at a time, kept on when asking fails.
//!
//! Time is the runtime's: how old something is has nothing to do with what the clock on the wall says.

use super::fault::{Fault, What};
use axum::http::HeaderMap;
use axum::http::header::CACHE_CONTROL;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long something is kept that says nothing of it, and the bounds of what it may say.
const TTL: Duration = Duration::from_hours(1);
const TTL_BOUNDS: (Duration, Duration) = (Duration::from_mins(5), Duration::from_hours(24));
/// Somebody who misses something in what is kept does not make us ask more often than this.
const NEWER: Duration = Duration::from_mins(5);
/// After a failure nobody is asked for so long.
const RETRY: Duration = Duration::from_secs(10);
/// The last good is taken for so long beyond its time when asking fails.
const BEYOND: Duration = Duration::from_hours(24);
/// The most that is kept.
const MOST: usize = 4_096;

/// How new it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Within its time.
    Current,
    /// Newer than what is kept, which lacks something.
    Newer,
}

/// Kept by what it is of.
#[derive(Debug)]
pub(super) struct Cache<T> {
    what: What,
    slots: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Slot<T>>>>>,
}

#[derive(Debug)]
struct Slot<T> {
    good: Option<Good<T>>,
    /// When somebody was asked last, and how that ended.
    tried: Option<(Instant, Result<(), Fault>)>,
}

#[derive(Debug)]
struct Good<T> {
    value: Arc<T>,
    since: Instant,
    ttl: Duration,
}

impl<T> Cache<T> {
    pub(super) fn new(what: What) -> Cache<T> {
        Cache { what, slots: Mutex::default() }
    }

    /// What is kept under a name, fetched first when it has to be. Whoever comes meanwhile waits for the same answer.
    pub(super) async fn get(
        &self,
        name: &str,
        need: Need,
        fetch: impl Future<Output = Result<(T, Duration), Fault>>,
    ) -> Result<Arc<T>, Fault> {
        let slot = self.slot(name);
        let mut slot = slot.lock().await;
        if slot.is_due(need, Instant::now()) {
            let fetched = fetch.await;
            let now = Instant::now();
            let ended = fetched.map(|(value, ttl)| {
                slot.good = Some(Good { value: Arc::new(value), since: now, ttl });
            });
            if let (Err(fault), true) = (&ended, slot.good.is_some()) {
                tracing::warn!(%fault, "the provider's last good {} is kept", self.what);
            }
            slot.tried = Some((now, ended));
        }
        let unknown = Fault::Document { what: self.what, why: "it has not come" };
        let failed = || slot.tried.as_ref().and_then(|(_, ended)| ended.clone().err()).unwrap_or(unknown);
        let good = slot.good.as_ref().filter(|good| good.since.elapsed() < good.ttl.saturating_add(BEYOND));
        good.map(|good| Arc::clone(&good.value)).ok_or_else(failed)
    }

    fn slot(&self, name: &str) -> Arc<tokio::sync::Mutex<Slot<T>>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST && !slots.contains_key(name) {
            slots.clear();
        }
        Arc::clone(slots.entry(name.to_owned()).or_insert_with(|| Arc::new(tokio::sync::Mutex::new(Slot::EMPTY))))
    }
}

impl<T> Slot<T> {
    const EMPTY: Slot<T> = Slot { good: None, tried: None };

    fn is_due(&self, need: Need, now: Instant) -> bool {
        let since = |then: Instant| now.saturating_duration_since(then);
        let ended = self.good.as_ref().is_none_or(|good| since(good.since) >= good.ttl);
        let (wanted, pause) = match need {
            Need::Current => (ended, RETRY),
            Need::Newer => (true, NEWER),
        };
        wanted && self.tried.as_ref().is_none_or(|(then, _)| since(*then) >= pause)
    }
}

/// How long an answer is good by its `Cache-Control` (RFC 9111 §5.2.2), within our bounds.
pub(super) fn ttl(headers: &HeaderMap) -> Duration {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut said = TTL;
    for directive in values.flat_map(|value| value.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "max-age" => said = value.trim().trim_matches('"').parse().map_or(said, Duration::from_secs),
            "no-store" | "no-cache" => return TTL_BOUNDS.0,
            _ => (),
        }
    }
    said.clamp(TTL_BOUNDS.0, TTL_BOUNDS.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const SILENT: Fault = Fault::Fetch { what: What::Keys, failure: crate::fetch::Failure::Time };

    /// Goal: R17: an answer is good for as long as it says, no less than five minutes and no more than a day.
    #[test]
    fn r17_times_are_bounded() {
        for (said, seconds) in [
            ("", 3_600),
            ("max-age=1200, public", 1_200),
            ("public,Max-Age=\"1200\"", 1_200),
            ("max-age=0", 300),
            ("max-age=1", 300),
            ("no-store, max-age=9000", 300),
            ("max-age=99999999999", 86_400),
            ("max-age=x", 3_600),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, said.parse().unwrap());
            assert_eq!(ttl(&headers), Duration::from_secs(seconds), "{said}");
        }
    }

    /// Goal: R17: asked once by many, again after its time, kept on when that fails, and not for ever.
    #[tokio::test(start_paused = true)]
    async fn r17_what_is_known_is_kept() {
        let cache = Cache::new(What::Keys);
        let asked = AtomicUsize::new(0);
        let get = |need, answer: Result<u8, Fault>| {
            let asked = &asked;
            let fetch = async move {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                answer.map(|value| (value, Duration::from_mins(10)))
            };
            let cache = &cache;
            async move { cache.get("a", need, fetch).await.map(|value| *value) }
        };
        let count = || asked.swap(0, Ordering::Relaxed);
        // Many at once: one is asked.
        let (first, second) = tokio::join!(get(Need::Current, Ok(1)), get(Need::Current, Ok(2)));
        assert_eq!((first, second, count()), (Ok(1), Ok(1), 1));
        // Somebody misses a key: not more often than every five minutes.
        tokio::time::advance(Duration::from_mins(4)).await;
        assert_eq!((get(Need::Newer, Ok(3)).await, count()), (Ok(1), 0));
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!((get(Need::Newer, Ok(4)).await, count()), (Ok(4), 1));
        assert_eq!((get(Need::Newer, Ok(5)).await, count()), (Ok(4), 0));
        // Its time is over, and the other side is silent.
        tokio::time::advance(Duration::from_mins(10)).await;
        assert_eq!((get(Need::Current, Err(SILENT)).await, count()), (Ok(4), 1));
        assert_eq!((get(Need::Current, Err(SILENT)).await, count()), (Ok(4), 0), "not asked again at once");
        tokio::time::advance(RETRY).await;
        assert_eq!((get(Need::Current, Ok(6)).await, count()), (Ok(6), 1));
        // Silent for more than a day: nothing is good any more.
        tokio::time::advance(BEYOND.saturating_add(Duration::from_mins(10))).await;
        assert_eq!((get(Need::Current, Err(SILENT)).await, count()), (Err(SILENT), 1));
        assert_eq!((get(Need::Current, Ok(7)).await, count()), (Err(SILENT), 0));
    }
}

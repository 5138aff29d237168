//! Plain counters of the door: requests by endpoint and method, answers by status, coercions by name.
//!
//! Owns the counting; how they are shown is the daemon's. Counts on the way of every request are one relaxed addition; those
//! by name take a short lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// The endpoints, as they are counted.
pub const ENDPOINTS: [&str; 8] = ["Users", "Groups", "Roles", "Me", "Bulk", "search", "discovery", "other"];
/// The methods, as they are counted.
pub const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "other"];
/// The lowest and the highest status that is counted by itself.
const STATUSES: std::ops::Range<u16> = 200..600;

/// Coercions that were told about, by token: so many are remembered.
const TOLD: usize = 10_000;

/// The counters.
#[derive(Debug)]
pub struct Metrics {
    requests: [[AtomicU64; METHODS.len()]; ENDPOINTS.len()],
    statuses: Vec<AtomicU64>,
    resources: AtomicU64,
    rehearsals: AtomicU64,
    unauthorized: AtomicU64,
    limited: AtomicU64,
    fuse_blown: AtomicU64,
    bulk_operations: AtomicU64,
    coercions: Mutex<BTreeMap<&'static str, u64>>,
    told: Mutex<BTreeSet<(u64, &'static str)>>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            requests: Default::default(),
            statuses: STATUSES.map(|_| AtomicU64::new(0)).collect(),
            resources: AtomicU64::new(0),
            rehearsals: AtomicU64::new(0),
            unauthorized: AtomicU64::new(0),
            limited: AtomicU64::new(0),
            fuse_blown: AtomicU64::new(0),
            bulk_operations: AtomicU64::new(0),
            coercions: Mutex::default(),
            told: Mutex::default(),
        }
    }
}

/// What the counters said at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsSnapshot {
    /// Requests by endpoint and method, without those that are 0.
    pub requests: Vec<(&'static str, &'static str, u64)>,
    /// Answers by status, without those that are 0.
    pub statuses: Vec<(u16, u64)>,
    /// Resources in answers.
    pub resources: u64,
    /// Dry runs.
    pub rehearsals: u64,
    /// Requests without a good token.
    pub unauthorized: u64,
    /// Requests beyond a token's rate.
    pub limited: u64,
    /// Deactivations and deletions that a fuse has refused.
    pub fuse_blown: u64,
    /// Operations inside bulk requests.
    pub bulk_operations: u64,
    /// Departures from the RFCs that were accepted, by the name of their switch.
    pub coercions: Vec<(&'static str, u64)>,
}

impl Metrics {
    pub(crate) fn requested(&self, endpoint: &str, method: &str) {
        let row = ENDPOINTS.iter().position(|known| *known == endpoint).unwrap_or(ENDPOINTS.len().saturating_sub(1));
        let column = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len().saturating_sub(1));
        if let Some(counter) = self.requests.get(row).and_then(|row| row.get(column)) {
            counter.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn answered(&self, status: u16) {
        let place = status.checked_sub(STATUSES.start).map(usize::from);
        if let Some(counter) = place.and_then(|place| self.statuses.get(place)) {
            counter.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn sent(&self, resources: u64) {
        self.resources.fetch_add(resources, Relaxed);
    }

    pub(crate) fn rehearsed(&self) {
        self.rehearsals.fetch_add(1, Relaxed);
    }

    pub(crate) fn unauthorized(&self) {
        self.unauthorized.fetch_add(1, Relaxed);
    }

    pub(crate) fn limited(&self) {
        self.limited.fetch_add(1, Relaxed);
    }

    pub(crate) fn fuse_blown(&self) {
        self.fuse_blown.fetch_add(1, Relaxed);
    }

    pub(crate) fn bulk_operation(&self) {
        self.bulk_operations.fetch_add(1, Relaxed);
    }

    /// A departure was accepted. True: for the first time from this token.
    pub(crate) fn coerced(&self, token: u64, name: &'static str, times: usize) -> bool {
        let mut coercions = self.coercions.lock().unwrap_or_else(PoisonError::into_inner);
        let count = coercions.entry(name).or_default();
        *count = count.saturating_add(times as u64);
        drop(coercions);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= TOLD {
            told.clear();
        }
        told.insert((token, name))
    }

    /// Reads every counter; not one atomic moment, but each value is true.
    pub fn snapshot(&self) -> MetricsSnapshot {
        let mut requests = Vec::new();
        for (endpoint, row) in ENDPOINTS.iter().zip(&self.requests) {
            for (method, counter) in METHODS.iter().zip(row) {
                let count = counter.load(Relaxed);
                if count > 0 {
                    requests.push((*endpoint, *method, count));
                }
            }
        }
        let statuses = STATUSES.zip(&self.statuses).map(|(status, counter)| (status, counter.load(Relaxed)));
        let coercions = self.coercions.lock().unwrap_or_else(PoisonError::into_inner);
        MetricsSnapshot {
            requests,
            statuses: statuses.filter(|(_, count)| *count > 0).collect(),
            resources: self.resources.load(Relaxed),
            rehearsals: self.rehearsals.load(Relaxed),
            unauthorized: self.unauthorized.load(Relaxed),
            limited: self.limited.load(Relaxed),
            fuse_blown: self.fuse_blown.load(Relaxed),
            bulk_operations: self.bulk_operations.load(Relaxed),
            coercions: coercions.iter().map(|(name, count)| (*name, *count)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_seen_and_nothing_else() {
        // Goal: each event moves its own counter; a coercion is told once per token.
        let metrics = Metrics::default();
        metrics.requested("Users", "PATCH");
        metrics.requested("Elsewhere", "BREW");
        metrics.answered(204);
        metrics.answered(999);
        assert!(metrics.coerced(1, "boolean_text", 2));
        assert!(!metrics.coerced(1, "boolean_text", 1));
        assert!(metrics.coerced(2, "boolean_text", 1));
        let seen = metrics.snapshot();
        assert_eq!(seen.requests, [("Users", "PATCH", 1), ("other", "other", 1)]);
        assert_eq!((seen.statuses, seen.coercions), (vec![(204, 1)], vec![("boolean_text", 4)]));
        assert_eq!((seen.unauthorized, seen.limited, seen.fuse_blown), (0, 0, 0));
    }
}

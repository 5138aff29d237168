//! Plain counters of the door: connections, operations by kind, result codes.
//!
//! Owns the counting; how they are shown (Prometheus, `cn=monitor`) is the daemon's. Every count is one relaxed atomic
//! addition; nothing here locks or allocates.

use crate::operation::Operation;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Result codes that are counted each by itself; the last place counts all higher ones.
const CODES: usize = 129;

/// The counters. One set per door, shared by its connections.
#[derive(Debug)]
pub struct Metrics {
    accepted: AtomicU64,
    refused: AtomicU64,
    closed: AtomicU64,
    handshakes_failed: AtomicU64,
    accept_failures: AtomicU64,
    protocol_errors: AtomicU64,
    timeouts: AtomicU64,
    passwords_exposed: AtomicU64,
    octets_in: AtomicU64,
    octets_out: AtomicU64,
    entries: AtomicU64,
    operations: [AtomicU64; Operation::COUNT],
    results: [AtomicU64; CODES],
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            accepted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            closed: AtomicU64::new(0),
            handshakes_failed: AtomicU64::new(0),
            accept_failures: AtomicU64::new(0),
            protocol_errors: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
            passwords_exposed: AtomicU64::new(0),
            octets_in: AtomicU64::new(0),
            octets_out: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            operations: [const { AtomicU64::new(0) }; Operation::COUNT],
            results: [const { AtomicU64::new(0) }; CODES],
        }
    }
}

/// What the counters said at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsSnapshot {
    /// Connections taken.
    pub accepted: u64,
    /// Connections sent away because of a limit.
    pub refused: u64,
    /// Connections that have ended.
    pub closed: u64,
    /// TLS handshakes that failed or took too long.
    pub handshakes_failed: u64,
    /// Failures of `accept` (file descriptors exhausted, mostly).
    pub accept_failures: u64,
    /// Connections ended by octets that are not LDAP.
    pub protocol_errors: u64,
    /// Connections ended by a deadline.
    pub timeouts: u64,
    /// Passwords that arrived in clear where TLS is required.
    pub passwords_exposed: u64,
    /// Octets of requests, after decryption.
    pub octets_in: u64,
    /// Octets of answers, before encryption.
    pub octets_out: u64,
    /// Entries sent.
    pub entries: u64,
    /// Requests by kind.
    pub operations: Vec<(Operation, u64)>,
    /// Answers by result code, without those that are 0. Code 128 stands for 128 and everything above.
    pub results: Vec<(u32, u64)>,
}

impl MetricsSnapshot {
    /// Connections open at that moment.
    pub fn open(&self) -> u64 {
        self.accepted.saturating_sub(self.closed)
    }
}

impl Metrics {
    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(crate) fn closed(&self) {
        self.closed.fetch_add(1, Relaxed);
    }

    pub(crate) fn handshake_failed(&self) {
        self.handshakes_failed.fetch_add(1, Relaxed);
    }

    pub(crate) fn accept_failed(&self) {
        self.accept_failures.fetch_add(1, Relaxed);
    }

    pub(crate) fn protocol_error(&self) {
        self.protocol_errors.fetch_add(1, Relaxed);
    }

    pub(crate) fn timed_out(&self) {
        self.timeouts.fetch_add(1, Relaxed);
    }

    pub(crate) fn password_exposed(&self) {
        self.passwords_exposed.fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self, octets: usize) {
        self.octets_in.fetch_add(octets as u64, Relaxed);
    }

    pub(crate) fn written(&self, octets: usize) {
        self.octets_out.fetch_add(octets as u64, Relaxed);
    }

    pub(crate) fn sent_entries(&self, entries: u64) {
        self.entries.fetch_add(entries, Relaxed);
    }

    pub(crate) fn requested(&self, operation: Operation) {
        if let Some(counter) = self.operations.get(operation.index()) {
            counter.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn answered(&self, code: u32) {
        let place = usize::try_from(code).unwrap_or(usize::MAX).min(CODES - 1);
        if let Some(counter) = self.results.get(place) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Reads every counter; not one atomic moment, but each value is true.
    pub fn snapshot(&self) -> MetricsSnapshot {
        MetricsSnapshot {
            accepted: self.accepted.load(Relaxed),
            refused: self.refused.load(Relaxed),
            closed: self.closed.load(Relaxed),
            handshakes_failed: self.handshakes_failed.load(Relaxed),
            accept_failures: self.accept_failures.load(Relaxed),
            protocol_errors: self.protocol_errors.load(Relaxed),
            timeouts: self.timeouts.load(Relaxed),
            passwords_exposed: self.passwords_exposed.load(Relaxed),
            octets_in: self.octets_in.load(Relaxed),
            octets_out: self.octets_out.load(Relaxed),
            entries: self.entries.load(Relaxed),
            operations: Operation::ALL
                .iter()
                .zip(&self.operations)
                .map(|(operation, counter)| (*operation, counter.load(Relaxed)))
                .collect(),
            results: (0u32..)
                .zip(&self.results)
                .map(|(code, counter)| (code, counter.load(Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_seen_and_nothing_else() {
        // Goal: each event moves its own counter, and codes beyond the table share the last place.
        let metrics = Metrics::default();
        metrics.accepted();
        metrics.accepted();
        metrics.closed();
        metrics.requested(Operation::Search);
        metrics.answered(0);
        metrics.answered(49);
        metrics.answered(4096);
        metrics.answered(128);
        let seen = metrics.snapshot();
        assert_eq!(seen.open(), 1);
        assert_eq!(seen.results, vec![(0, 1), (49, 1), (128, 2)]);
        let searches: Vec<u64> =
            seen.operations.iter().filter(|(operation, _)| *operation == Operation::Search).map(|(_, n)| *n).collect();
        assert_eq!(searches, vec![1]);
        assert_eq!(seen.operations.iter().map(|(_, n)| n).sum::<u64>(), 1);
    }
}

//! The bounds of the LDAP door, each with its unit and default.
//!
//! Owns numbers only. The daemon fills a [`Settings`] from its configuration; every other file of this crate reads it.
//! Limits that are about entries (size, time, look-through) belong to `directory`; these are about octets, sockets and
//! waiting.

use std::time::Duration;

/// What the door allows.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Open connections over all listeners. The next one is told `busy` and closed.
    pub max_connections: usize,
    /// Open connections of one IP address; local sockets do not count. The next one is told `busy` and closed.
    pub max_connections_per_address: usize,
    /// Octets of one request before a successful bind.
    pub max_request_anonymous: usize,
    /// Octets of one request after a successful bind.
    pub max_request_bound: usize,
    /// Octets of a password at a bind or change. A longer one is answered like a wrong one and never hashed.
    pub max_password: usize,
    /// Pipelined requests that one connection may have answered before the others get their turn.
    pub max_batch: usize,
    /// Octets of answers gathered before they are written, even when more requests wait.
    pub write_threshold: usize,
    /// Entries looked at by one search before the connection looks for an Abandon and lets others run.
    pub search_stride: usize,
    /// From the first octet of a request to its last.
    pub request_deadline: Duration,
    /// For the peer to take what was written.
    pub write_deadline: Duration,
    /// For a TLS handshake.
    pub handshake_deadline: Duration,
    /// Between requests, before a successful bind.
    pub idle_anonymous: Duration,
    /// Between requests, after a successful bind.
    pub idle_bound: Duration,
    /// For what is under way when the server shuts down.
    pub drain_deadline: Duration,
    /// Anonymous binds (RFC 4513 §5.1.1) are answered with success; what the anonymous may read is not decided here.
    pub anonymous_bind: bool,
    /// Without TLS, only `StartTLS`, anonymous binds and the root DSE: everything else is `confidentialityRequired`,
    /// before a password is looked at.
    pub require_tls: bool,
    /// A bind name that is not a DN is taken as a username (`user@domain` firmware and the like).
    pub bind_by_username: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_connections: 16_384,
            max_connections_per_address: 4_096,
            max_request_anonymous: 256 * 1024,
            max_request_bound: 4 * 1024 * 1024,
            max_password: 1024,
            max_batch: 100,
            write_threshold: 64 * 1024,
            search_stride: 256,
            request_deadline: Duration::from_secs(30),
            write_deadline: Duration::from_secs(30),
            handshake_deadline: Duration::from_secs(10),
            idle_anonymous: Duration::from_secs(60),
            idle_bound: Duration::from_mins(15),
            drain_deadline: Duration::from_secs(10),
            anonymous_bind: true,
            require_tls: false,
            bind_by_username: false,
        }
    }
}

//! What the listener is told: the settings that concern it, with what follows from them.

use crate::config::Config;
use crate::config::http::Http;
use crate::config::listen::ForwardedHeader;
use crate::config::network::Network;
use axum::http::HeaderValue;
use std::time::Duration;

/// The settings of all HTTP doors.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Section `http`.
    pub http: Http,
    /// Connections at once, all doors together.
    pub connections: usize,
    /// Connections at once from one network.
    pub connections_per_address: usize,
    /// Time for a TLS handshake.
    pub handshake_time: Duration,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<Network>,
    /// Where they say for whom they ask.
    pub forwarded_header: ForwardedHeader,
}

impl Settings {
    /// From the configuration; `connections` is what the limit of open files allows.
    pub fn of(config: &Config, connections: usize) -> Self {
        Self {
            http: config.http.clone(),
            connections,
            connections_per_address: config.limits.connections_per_address,
            handshake_time: config.limits.handshake_time,
            trusted_proxies: config.listen.trusted_proxies.clone(),
            forwarded_header: config.listen.forwarded_header,
        }
    }

    /// The value of `Strict-Transport-Security` (RFC 6797 §6.1); none when it is off.
    pub(super) fn strict_transport(&self) -> Option<HeaderValue> {
        let age = self.http.hsts?.as_secs();
        HeaderValue::try_from(format!("max-age={age}")).ok()
    }
}

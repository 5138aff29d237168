//! Section `http`: what the HTTP doors grant one client, and all together.
//!
//! The addresses are in `listen`, the certificate in `tls`. Connections by address and the time of a TLS handshake are
//! the ones of `limits`, for LDAP and HTTP alike.

use super::setting::{Kind, section};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTES: Duration = Duration::from_secs(300);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

section! {
    /// HTTP: bounds on what one client, and all together, may use; the same for every door that speaks it.
    "http" Http;
    /// Connections at once through the HTTP doors; they count towards `limits.connections` as well. Lower than that, so
    /// that a storm of HTTP leaves room for logins over LDAP.
    connections: usize, Kind::Count(1, 1_000_000), "5000";
    /// Requests in progress at once, over all connections. A further one is answered 503 with `Retry-After`, at once.
    requests: usize, Kind::Count(1, 100_000), "512";
    /// Requests at once on one HTTP/2 connection (RFC 9113 §5.1.2). HTTP/1.1 has one at a time.
    streams: u32, Kind::Count(1, 10_000), "100";
    /// Requests that an HTTP/2 client may have withdrawn before they were looked at; one more ends the connection. Ends
    /// floods of opened and reset streams (CVE-2023-44487).
    withdrawn: usize, Kind::Count(1, 10_000), "20";
    /// Octets of a request's line and headers together. A longer head is answered 431. A bearer token needs less than
    /// 4 KiB, a long filter 24 KiB.
    header_bytes: u32, Kind::Bytes(8_192, 1 << 20), "48KiB";
    /// Headers of a request.
    headers: usize, Kind::Count(16, 1_000), "100";
    /// Time from the first octet of an HTTP/1.1 request to the end of its headers.
    header_time: Duration, Kind::Span(SECOND, MINUTES), "10s";
    /// Octets of a request's body; more is answered 413. A door may take less. A group of 100,000 members that is sent
    /// whole has about 8 MiB.
    body_bytes: u64, Kind::Bytes(1_024, 1 << 30), "16MiB";
    /// Time for a request's body, from first to last. A slower one is answered 408.
    body_time: Duration, Kind::Span(SECOND, HOUR), "60s";
    /// Octets a second that a client must send of a body, and take of an answer, once `http.grace` has passed: what it
    /// has not moved by then ends the request.
    pace: u64, Kind::Bytes(1, 1 << 20), "1KiB";
    /// The time for which `http.pace` is not asked.
    grace: Duration, Kind::Span(SECOND, MINUTES), "10s";
    /// Time for a request, from the end of its headers to the beginning of its answer. A longer one is answered 503 with
    /// `Retry-After`; a change that it began may nevertheless be carried out.
    request_time: Duration, Kind::Span(SECOND, HOUR), "90s";
    /// Time that octets of an answer may wait for a client which does not take any.
    write_time: Duration, Kind::Span(SECOND, HOUR), "30s";
    /// Silence after which a connection without a request in progress is closed.
    idle: Duration, Kind::Span(SECOND, DAY), "75s";
    /// How often an HTTP/2 client with requests in progress is asked whether it is still there; as long again without an
    /// answer ends the connection.
    ping: Duration, Kind::Span(SECOND, HOUR), "30s";
    /// The address of this server as clients know it, such as `https://directory.example.com`: what links in answers begin
    /// with. Empty: what the client itself asked for (the `Host` header).
    public_url: String, Kind::Text, "";
    /// For how long a browser is told to use nothing but HTTPS for this server's name (`Strict-Transport-Security`, RFC
    /// 6797), on every port. `off` where another server of the same name speaks plain HTTP.
    hsts: Option<Duration>, Kind::SpanOr("off", SECOND, Duration::from_secs(86_400 * 3_650)), "365d";
    /// Whether each request is a line in the log, at level `info`; else at level `debug`. Never with the values of the
    /// query or any header.
    access_log: bool, Kind::Flag, "true";
}

/// Why this cannot be what links begin with; none when it can.
pub(super) fn wrong_public_url(url: &str) -> Option<&'static str> {
    if url.is_empty() {
        return None;
    }
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return Some("begins with neither https:// nor http://");
    };
    let Ok(uri) = url.parse::<axum::http::Uri>() else { return Some("is no URL") };
    if rest.contains(['?', '#', '@']) || url.ends_with('/') || uri.authority().is_none() {
        return Some("is more than a scheme, a host and perhaps a port and a path without a slash at its end");
    }
    None
}

//! Section `limits`: everything that a client could otherwise exhaust.

use super::setting::{Kind, section};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

section! {
    /// Bounds on what one client, and all together, may use.
    "limits" Limits;
    /// Connections at once, all doors together. Reduced to what the limit of open files allows.
    connections: usize, Kind::Count(1, 1_000_000), "10000";
    /// Connections at once from one address (IPv4) or one /64 network (IPv6). Clients behind one translated address
    /// share it.
    connections_per_address: usize, Kind::Count(1, 1_000_000), "1000";
    /// The largest LDAP message of a client that has not logged in. A bind or a small search needs less than 1 KiB.
    pdu_anonymous: usize, Kind::Bytes(1_024, 16 << 20), "64KiB";
    /// The largest LDAP message of a client that has logged in. Photos and long member lists are why it is this large.
    pdu_authenticated: usize, Kind::Bytes(1_024, 256 << 20), "16MiB";
    /// Requests that one connection may have sent ahead of their answers; reading pauses there.
    pipeline: usize, Kind::Count(1, 10_000), "256";
    /// Entries that one search may return, all pages together; a search may ask for fewer.
    search_entries: u64, Kind::Count(1, 100_000_000), "100000";
    /// Entries in one page of a paged search (RFC 2696). A client that asks for more gets this many and a cookie.
    page_entries: u32, Kind::Count(1, 1_000_000), "5000";
    /// Entries that a search may look at where no index serves its filter.
    search_candidates: u64, Kind::Count(1_000, 1_000_000_000), "2000000";
    /// Time for one search; a search may ask for less.
    search_time: Duration, Kind::Span(SECOND, HOUR), "60s";
    /// Time for a TLS handshake.
    handshake_time: Duration, Kind::Span(SECOND, Duration::from_secs(300)), "10s";
    /// Time from the first byte of a message to its last.
    read_time: Duration, Kind::Span(SECOND, HOUR), "30s";
    /// Time that an answer may wait for a client which does not read it.
    write_time: Duration, Kind::Span(SECOND, HOUR), "30s";
    /// Silence after which a client without a login is disconnected.
    idle_anonymous: Duration, Kind::Span(SECOND, DAY), "2m";
    /// Silence after which a client with a login is disconnected. Longer than the fifteen minutes after which the usual
    /// connection pools and SSSD renew their connections by themselves.
    idle_authenticated: Duration, Kind::Span(SECOND, DAY), "20m";
}

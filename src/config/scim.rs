//! Section `scim`: the door of identity providers.

use super::setting::{Kind, section};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

section! {
    /// SCIM 2.0, at `/scim/v2` and `/scim/v2/{tenant}` of the HTTPS listeners.
    "scim" Scim;
    /// The largest body, but for `/Bulk`. A group of 100,000 members takes about 12 MiB.
    body_bytes: usize, Kind::Bytes(64 << 10, 256 << 20), "16MiB";
    /// The largest body sent to `/Bulk`.
    bulk_bytes: usize, Kind::Bytes(64 << 10, 256 << 20), "1MiB";
    /// Operations in one bulk request.
    bulk_operations: usize, Kind::Count(1, 10_000), "1000";
    /// Resources on a page when the client names no count.
    page_default: usize, Kind::Count(1, 10_000), "100";
    /// Resources on a page at most.
    page_most: usize, Kind::Count(1, 10_000), "1000";
    /// Resources that one request may have sorted.
    sort_most: usize, Kind::Count(1, 1_000_000), "20000";
    /// How long a cursor of a list is good (RFC 9865).
    cursor_time: Duration, Kind::Span(SECOND, DAY), "1h";
    /// Requests of one token in a second, on average; 0: as many as come.
    rate: u32, Kind::Count(0, 1_000_000), "5000";
    /// Requests of one token at once.
    burst: u32, Kind::Count(1, 1_000_000), "10000";
    /// Accounts that one token may deactivate or delete within `fuse_window`; 0: as many as it wants. An identity provider
    /// whose scope was set wrongly takes away everybody at once.
    fuse: u32, Kind::Count(0, 1_000_000), "1000";
    /// See `fuse`.
    fuse_window: Duration, Kind::Span(SECOND, DAY), "1h";
    /// Discovery (`/Schemas`, `/ResourceTypes`, `/ServiceProviderConfig`, `/openapi.json`) needs no token (RFC 7644 §4).
    open_discovery: bool, Kind::Flag, "true";
}

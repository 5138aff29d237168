//! Who asks: what a door behind the listener knows of a request's sender.

use std::net::IpAddr;
use std::sync::Arc;

/// The sender of a request; an extension of every request that a door gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The client's address: the one of the connection, or what a trusted proxy says.
    pub address: IpAddr,
    /// The request's number, for records that count.
    pub number: u64,
    /// The request's name, in the answer's `X-Request-Id` and in the log: that number in hexadecimal, or a trusted proxy's
    /// own.
    pub request_id: Arc<str>,
    /// Whether nobody between could read the request: TLS to here, or to the trusted proxy.
    pub confidential: bool,
    /// What links in answers begin with, without a slash at the end: `https://directory.example.com:8443`.
    pub base_url: Arc<str>,
}

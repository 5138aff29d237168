//! Who asks: what the HTTP doors know of a request's sender.
//!
//! Owns one type. The daemon's HTTP listener puts a [`Peer`] into the extensions of every request; the door hands it to the
//! directory for the audit record, and begins the links in its answers with it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The sender of a request; an extension of every request that the door gets.
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

impl Peer {
    /// The sender when nobody says who it is: a test that calls the router.
    pub fn local() -> Peer {
        Peer {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            number: 0,
            request_id: Arc::from("0000000000000000"),
            confidential: true,
            base_url: Arc::from("https://localhost"),
        }
    }
}

//! Sections `listen` and `ldap`: the doors' addresses and what each lets in before a login.

use super::network::Network;
use super::setting::{Kind, choice, section};
use std::net::SocketAddr;
use std::path::PathBuf;

section! {
    /// Where the daemon listens. An empty list or path closes that door.
    "listen" Listen;
    /// LDAP, with StartTLS. `[::]` is every address of the machine, IPv4 included.
    ldap: Vec<SocketAddr>, Kind::Addresses, "[::]:389";
    /// LDAP in TLS from the first byte.
    ldaps: Vec<SocketAddr>, Kind::Addresses, "[::]:636";
    /// LDAP through a Unix socket (`ldapi://`), where the operating system says who the peer is. The administrator's
    /// commands (`rollbook account`, `rollbook token`) use it.
    ldapi: Option<PathBuf>, Kind::Path, "/run/rollbook/ldapi";
    /// The permissions of that socket. A peer needs write permission to connect.
    ldapi_mode: u32, Kind::Mode, "0660";
    /// HTTPS, with HTTP/1.1 and HTTP/2: SCIM.
    https: Vec<SocketAddr>, Kind::Addresses, "[::]:8443";
    /// The same in plain HTTP/1.1, for a reverse proxy on this machine: loopback addresses only.
    http: Vec<SocketAddr>, Kind::Addresses, "";
    /// The same through a Unix socket. Whoever may connect to it is believed as a trusted proxy is.
    http_socket: Option<PathBuf>, Kind::Path, "";
    /// The permissions of that socket.
    http_socket_mode: u32, Kind::Mode, "0660";
    /// Reverse proxies that are believed when they say for whom they ask (`listen.forwarded_header`) and which number the
    /// request has (`X-Request-Id`). From anybody else these headers are ignored.
    trusted_proxies: Vec<Network>, Kind::Networks, "";
    /// The header in which the trusted proxies say for whom they ask. The other one is ignored, because a proxy passes it
    /// on as the client has written it.
    forwarded_header: ForwardedHeader, Kind::Choice(ForwardedHeader::WORDS), "x-forwarded-for";
    /// Metrics (`/metrics`) and health (`/healthz`, `/readyz`), in plain HTTP without a login. They say nothing about
    /// any account, but they do say how busy the directory is.
    metrics: Vec<SocketAddr>, Kind::Addresses, "127.0.0.1:9389";
    /// Whether `listen.metrics` may be an address that other machines reach. Refused by default, so that nobody
    /// publishes it by mistake.
    metrics_beyond_loopback: bool, Kind::Flag, "false";
}

section! {
    /// What LDAP clients may do before and without a login.
    "ldap" Ldap;
    /// Whether a password is only taken, and data only shown, on a connection that is protected: TLS, StartTLS or
    /// `ldapi://`. Without it every password crosses the network in clear.
    require_tls: bool, Kind::Flag, "true";
    /// What an anonymous client sees: nothing but the root DSE and the schema, or what the access rules give to
    /// everyone, or not even an anonymous bind.
    anonymous: Anonymous, Kind::Choice(Anonymous::WORDS), "root-dse";
}

choice! {
    /// What a client without a login may see.
    Anonymous {
        /// The root DSE and the schema, which clients need to find out how to log in.
        #[default]
        RootDse = "root-dse",
        /// What the access rules give to everyone.
        Read = "read",
        /// Nothing: an anonymous bind is refused, and only the root DSE answers.
        Refuse = "refuse",
    }
}

choice! {
    /// Where a proxy says for whom it asks.
    ForwardedHeader {
        /// `X-Forwarded-For` and `X-Forwarded-Proto`.
        #[default]
        XForwardedFor = "x-forwarded-for",
        /// `Forwarded` (RFC 7239).
        Forwarded = "forwarded",
    }
}

//! Sections `listen` and `ldap`: the doors' addresses and what each lets in before a login.

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
    /// commands (`rollbook account`) use it.
    ldapi: Option<PathBuf>, Kind::Path, "/run/rollbook/ldapi";
    /// The permissions of that socket. A peer needs write permission to connect.
    ldapi_mode: u32, Kind::Mode, "0660";
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

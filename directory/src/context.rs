//! Who asks, from where, when: read once by a door, handed through everything.

use crate::id::EntryId;
use std::net::IpAddr;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Actor {
    /// Nobody has logged in.
    Anonymous,
    /// This account.
    Account {
        /// Its technical id.
        id: EntryId,
        /// The account's epoch at login; another one now means that the login has been revoked.
        epoch: u64,
        /// Nothing but the change of the own password is allowed until it is done (requirement 2.10).
        must_change_password: bool,
    },
    /// The server itself (sweep, init, demo) or the operator on its machine (`ldapi`, as the user that the server runs
    /// as, or root).
    System,
}

/// Which door, for the audit record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Door {
    /// LDAP.
    Ldap,
    /// SCIM.
    Scim,
    /// The OpenID provider.
    Oidc,
    /// Console and profile pages.
    Console,
    /// The command line on the machine.
    Operator,
    /// The server's own housekeeping.
    Internal,
}

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Origin {
    /// The door.
    pub door: Door,
    /// The peer's address; none for local sockets.
    pub address: Option<IpAddr>,
    /// The transport is encrypted or local.
    pub confidential: bool,
}

/// The circumstances of one request.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// Who.
    pub actor: Actor,
    /// Whence.
    pub origin: Origin,
    /// When, by the trusted clock.
    pub now: crate::clock::Now,
    /// Names the request in logs and audit records.
    pub request_id: u64,
}

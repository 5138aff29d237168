//! A running rollbook in memory, for tests: the whole server behind its real doors, with a clock that is moved by hand.
//!
//! [`Server`] owns the directory, its clock, its sockets (LDAP on a loopback port, `ldapi` in a folder of its own) and
//! the check at the end of every test. [`Client`] speaks LDAP over either socket with this workspace's own wire format;
//! [`SharedStore`] lets a server be restarted, or torn down without warning, on the same octets. Doors that come later
//! add a field to `Server` and a client beside this one.
//!
//! Never shipped. Everything here stops the test at the first surprise.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

mod accounts;
mod audit;
mod browser;
mod client;
mod http;
mod party;
mod reply;
mod server;
mod store;
mod tenant;
mod tls;
mod upstream;

pub use accounts::{Door, Entry, Person};
pub use audit::Trail;
pub use browser::Browser;
pub use client::{Client, Kind, Scope};
pub use http::{HttpAnswer, HttpClient, RawHttp, Trust};
pub use party::{CALLBACK, RelyingParty};
pub use reply::{BindOutcome, Found, Reply};
pub use server::{ADMIN, BASE, READER, START, Server, Setup};
pub use store::SharedStore;
pub use tenant::Tenant;
pub use tls::acceptor;
pub use upstream::{Asked, Signed, Trouble, UPSTREAM_CLIENT, UPSTREAM_SECRET, Upstream};

/// The password that people are made with.
pub const PASSWORD: &str = "nine wooden ladders";
/// The password that they change it to.
pub const NEW_PASSWORD: &str = "seven copper kettles";
/// A third one.
pub const OTHER_PASSWORD: &str = "four marble fountains";
/// Nobody's password.
pub const WRONG: &str = "not the right one at all";

//! The SCIM 2.0 door (RFC 7643, RFC 7644, RFC 9865): a translation between JSON and the directory.
//!
//! Owns the SCIM view of the schema and the protocol itself. What may happen and what happened is decided in the crate
//! `directory`; this crate opens no socket and keeps no state of its own.
//!
//! - [`schema`] says what resources look like: tables of RFC 7643, ours, and what the directory defines at run time.
//! - [`protocol`] is pure: filters, paths, PATCH, PUT, projection, lists, cursors, Bulk, errors. No I/O, no clock.

#![deny(clippy::arithmetic_side_effects)]

mod auth;
mod call;
mod census;
pub mod dialect;
mod endpoint;
pub mod etag;
pub mod limits;
pub mod metrics;
pub mod peer;
pub mod protocol;
pub mod refusal;
pub mod resource;
mod route;
mod router;
pub mod schema;

pub use self::peer::Peer;
pub use limits::Settings;
pub use metrics::{Metrics, MetricsSnapshot};
pub use router::{Door, router};

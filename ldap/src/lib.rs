//! The LDAP door: RFC 4511 on sockets, a translation without rules of its own.
//!
//! ```text
//! listener ▶ connection ▶ wire ▶ operation ▶ directory
//!    │           │                  │
//!    │       transport      session · control · filter
//!    └ limits, drain                └ result ▶ wire ▶ one write
//! ```
//!
//! `wire` is pure (octets in, values out), `session` knows no I/O, `operation` never waits: only `connection` does.
//! What an actor may read, change or log in as is decided in `directory`. The daemon calls [`serve`].

mod connection;
mod control;
mod door;
mod filter;
mod gate;
pub mod grant_request;
mod listener;
mod metrics;
mod operation;
mod result;
mod root_dse;
mod session;
mod settings;
mod subschema;
mod synthetic;
pub mod token_request;
mod transport;
pub mod wire;

pub use gate::{Gate, Permit};
pub use listener::{Listeners, TlsSource, serve};
pub use metrics::{Metrics, MetricsSnapshot};
pub use operation::Operation;
pub use settings::Settings;

//! The protocol, pure: text and JSON in, values and JSON out. No I/O, no clock, no directory.
//!
//! - [`error`] is every refusal, with its status and `scimType`.
//! - [`filter`] reads, resolves and evaluates filters; [`path`] is what they and PATCH name attributes with.
//! - [`patch`] reads and applies PATCH; [`rules`] has the switches for clients that depart from the RFCs.

pub mod error;
pub mod filter;
pub mod patch;
pub mod path;
pub mod rules;
pub mod time;
pub mod value;

//! The protocol, pure: text and JSON in, values and JSON out. No I/O, no clock, no directory.
//!
//! - [`error`] is every refusal, with its status and `scimType`.
//! - [`filter`] reads, resolves and evaluates filters; [`path`] is what they and PATCH name attributes with.
//! - [`json`] reads bodies; [`accept`] brings a resource into the form of the schema; [`put`] replaces one by another.
//! - [`list`] is what a query asks for and the list that answers it; [`sort`] orders, [`cursor`] continues, [`projection`] thins.
//! - [`bulk`] reads and orders the operations of Bulk.
//! - [`tree`] is the JSON of an answer under construction.
//! - [`patch`] reads and applies PATCH; [`rules`] has the switches for clients that depart from the RFCs.

pub mod accept;
#[cfg(test)]
mod body_tests;
pub mod bulk;
pub mod cursor;
pub mod error;
pub mod filter;
pub mod json;
pub mod list;
mod normal;
pub mod patch;
pub mod path;
pub mod projection;
pub mod put;
pub mod rules;
pub mod sort;
pub mod time;
pub mod tree;
pub mod value;

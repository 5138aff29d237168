//! Bulk: RFC 7644 §3.7.
//!
//! Owns the message, the order of its operations and its answer. [`parse`] reads it, [`plan`] finds an order in which every
//! `bulkId` is known before it is used, [`substitute`] puts identifiers in the places of `bulkId`s. Where resources refer to
//! each other in a circle, one is made without the reference, which is added when all of them are there ([`hold`]).

mod message;
mod plan;
mod reference;
#[cfg(test)]
mod tests;

pub use message::{BULK_REQUEST, BULK_RESPONSE, Bulk, Id, Item, Limits, Method, Operation, Outcome, parse, response};
pub use plan::{Step, plan};
pub use reference::{hold, references, substitute};

//! PATCH: RFC 7644 §3.5.2.
//!
//! Owns the operations and what they do to the JSON of a resource. Memberships are split off before, so that adding one
//! member never loads the others.

mod operation;

pub use operation::{EdgeOp, Op, Operation, Target, Touched};

//! LDIF (RFC 2849): a streaming reader and a writer.
//!
//! Owns the text format: folding, comments, base64, the version line, content and change records, and for every
//! refused record the line and the reason. Knows no schema and no directory: names and values are bytes. Fetches
//! nothing: a value given as a URL (`:<`) is refused.
//!
//! Called by import and export (CLI and console), and by the tests that load a tree.
#![deny(clippy::arithmetic_side_effects)]

mod error;
mod line;
mod reader;
mod record;
mod writer;

#[cfg(test)]
mod tests;

pub use error::{Error, Reason, Refusal};
pub use reader::{Limits, Reader};
pub use record::{
    Attribute, Attributes, Body, Control, Controls, Modification, Modifications, Operation, Record, Values,
};
pub use writer::Writer;

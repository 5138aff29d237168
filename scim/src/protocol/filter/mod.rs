//! Filters: RFC 7644 §3.4.2.2.
//!
//! Owns the grammar, the meaning and the evaluation. Three steps: [`parse`] reads text into a [`Filter`], [`Filter::resolve`]
//! finds every attribute in the schema and checks the types, [`Resolved::matches`] decides a resource. Nothing else may
//! build a [`Resolved`], so that what is evaluated was checked.

mod ast;
mod evaluate;
mod lexer;
mod parse;
mod resolve;
mod resolved;
#[cfg(test)]
mod tests;

use crate::protocol::error::ScimError;

pub use ast::{Filter, Literal, Op, Rest};
pub use parse::{MAX_DEPTH, MAX_LENGTH, MAX_NODES, parse, parse_path};
pub(crate) use resolve::boolean;
pub use resolve::{element, resolve_across};
pub use resolved::{Operand, Resolved, Test};

/// How strictly text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The grammar of RFC 7644 and nothing else.
    Strict,
    /// Also what clients send: `emails[type eq "work"].value eq "x"`, `externalId eq bare`, `not title pr`.
    Lenient,
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The octet where it stopped making sense, from 0.
    pub position: usize,
    /// What was wrong there.
    pub reason: &'static str,
}

impl From<Invalid> for ScimError {
    fn from(invalid: Invalid) -> ScimError {
        ScimError::invalid_filter(format!("at octet {}: {}", invalid.position, invalid.reason))
    }
}

//! A filter as it was written: names are not yet looked up.

use std::fmt;

use serde_json::Number;

use crate::protocol::path::AttrPath;

/// A comparison (RFC 7644 table 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

impl Op {
    /// The operators, with their keywords.
    pub const ALL: [(Op, &'static str); 9] = [
        (Op::Eq, "eq"),
        (Op::Ne, "ne"),
        (Op::Co, "co"),
        (Op::Sw, "sw"),
        (Op::Ew, "ew"),
        (Op::Gt, "gt"),
        (Op::Ge, "ge"),
        (Op::Lt, "lt"),
        (Op::Le, "le"),
    ];

    /// The operator of this keyword, in any case.
    pub fn of(word: &str) -> Option<Op> {
        Self::ALL.iter().find(|(_, keyword)| keyword.eq_ignore_ascii_case(word)).map(|(op, _)| *op)
    }

    /// The keyword.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(op, _)| *op == self).map_or("", |(_, keyword)| keyword)
    }
}

/// What is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string; escapes are resolved.
    Text(String),
    /// A word without quotes, of the lenient grammar.
    Bare(String),
}

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of at least two hold.
    And(Vec<Filter>),
    /// One of at least two holds.
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// A value is compared.
    Compare {
        /// Whose value.
        path: AttrPath,
        /// How.
        op: Op,
        /// With what.
        value: Literal,
    },
    /// There is a value.
    Present {
        /// Of what.
        path: AttrPath,
    },
    /// One and the same element of a multi-valued attribute obeys a filter.
    ValuePath {
        /// Of what.
        path: AttrPath,
        /// The filter of the element.
        inner: Box<Filter>,
        /// What is asked of a sub-attribute of such an element: not in the grammar of the RFC, but sent.
        rest: Option<Rest>,
    },
}

/// What follows `]` in `emails[type eq "work"].value eq "x"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rest {
    /// The sub-attribute.
    pub sub: String,
    /// The comparison; none: it is present.
    pub test: Option<(Op, Literal)>,
}

impl Filter {
    /// How many expressions there are: what a decision costs.
    pub fn size(&self) -> usize {
        let below = match self {
            Filter::And(parts) | Filter::Or(parts) => parts.iter().map(Filter::size).sum(),
            Filter::Not(part) => part.size(),
            Filter::ValuePath { inner, .. } => inner.size(),
            Filter::Compare { .. } | Filter::Present { .. } => 0,
        };
        below.saturating_add(1)
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("null"),
            Literal::Bool(value) => write!(f, "{value}"),
            Literal::Number(value) => write!(f, "{value}"),
            Literal::Bare(value) => f.write_str(value),
            Literal::Text(value) => write!(f, "{}", serde_json::Value::String(value.clone())),
        }
    }
}

impl fmt::Display for Filter {
    /// The text that reads as this filter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filter::And(parts) => joined(f, parts, " and "),
            Filter::Or(parts) => joined(f, parts, " or "),
            Filter::Not(part) => write!(f, "not ({part})"),
            Filter::Compare { path, op, value } => write!(f, "{path} {} {value}", op.name()),
            Filter::Present { path } => write!(f, "{path} pr"),
            Filter::ValuePath { path, inner, rest } => {
                write!(f, "{path}[{inner}]")?;
                match rest {
                    None => Ok(()),
                    Some(Rest { sub, test: None }) => write!(f, ".{sub} pr"),
                    Some(Rest { sub, test: Some((op, value)) }) => write!(f, ".{sub} {} {value}", op.name()),
                }
            }
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Filter], between: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        match part {
            Filter::And(_) | Filter::Or(_) => write!(f, "({part})")?,
            _ => write!(f, "{part}")?,
        }
    }
    Ok(())
}

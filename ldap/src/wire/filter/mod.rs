//! Search filters: the syntax tree, in bytes (RFC 4511 §4.5.1.7).
//!
//! A [`Filter`] is a view of encoded octets that were checked whole: depth, number of nodes, legal
//! substrings, exactly one operand of a negation. Nothing is allocated and assertion values may be any
//! octets. [`FilterBuf`] owns such octets: it is what [`parse_string`] makes of the string form of RFC 4515
//! and what code builds, value by value, without any string to escape. `Display` prints RFC 4515.
//!
//! What a filter means (three-valued logic, schema, access) is decided by the directory, not here.
#![deny(clippy::arithmetic_side_effects)]

mod build;
mod parse;
mod print;

pub use build::FilterBuf;
pub use parse::{FilterStringError, StringProblem, parse_string};

use super::ber::{BerError, List, Readable, Reader, Tag, Writer};
use super::frame::Limits;
use std::fmt;

/// One filter that borrows its octets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Filter<'a> {
    /// All of them; none is TRUE (RFC 4526).
    And(List<'a, Filter<'a>>),
    /// Any of them; none is FALSE (RFC 4526).
    Or(List<'a, Filter<'a>>),
    /// The opposite.
    Not(Negated<'a>),
    /// `=`
    Equality(Assertion<'a>),
    /// `=` with asterisks
    Substrings(Substrings<'a>),
    /// `>=`
    GreaterOrEqual(Assertion<'a>),
    /// `<=`
    LessOrEqual(Assertion<'a>),
    /// `=*`, by attribute description
    Present(&'a [u8]),
    /// `~=`
    Approx(Assertion<'a>),
    /// `:=`
    Extensible(Extensible<'a>),
}

/// The operand of a negation.
#[derive(Clone, Copy)]
pub struct Negated<'a> {
    octets: &'a [u8],
}

impl<'a> Negated<'a> {
    /// The filter that is negated.
    pub fn filter(&self) -> Filter<'a> {
        // The octets were checked. Were they not a filter after all, the negation would match nothing.
        Filter::read(&mut Reader::new(self.octets)).unwrap_or(Filter::And(List::EMPTY))
    }
}

impl PartialEq for Negated<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.filter() == other.filter()
    }
}

impl Eq for Negated<'_> {}

/// An attribute description with an assertion value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Assertion<'a> {
    /// Attribute description as sent.
    pub attribute: &'a [u8],
    /// Assertion value: any octets.
    pub value: &'a [u8],
}

/// An attribute description with the parts of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Substrings<'a> {
    /// Attribute description as sent.
    pub attribute: &'a [u8],
    /// At least one, in legal order: at most one initial, first; at most one final, last; none empty.
    pub parts: List<'a, Part<'a>>,
}

/// A part of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part<'a> {
    /// How the value begins.
    Initial(&'a [u8]),
    /// What it contains, after the parts before.
    Any(&'a [u8]),
    /// How it ends.
    Final(&'a [u8]),
}

/// MatchingRuleAssertion. At least one of `rule` and `attribute` is present.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extensible<'a> {
    /// Matching rule, by name or OID; absent means the attribute's equality rule.
    pub rule: Option<&'a [u8]>,
    /// Attribute description; absent means every attribute the rule applies to.
    pub attribute: Option<&'a [u8]>,
    /// Assertion value.
    pub value: &'a [u8],
    /// Whether the values in the DN count, too.
    pub dn_attributes: bool,
}

/// Why octets are not a filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FilterError {
    /// Encoding or grammar.
    #[error("{0}")]
    Ber(#[from] BerError),
    /// An empty part of a substring (RFC 4517 §3.3.30 demands a character).
    #[error("an empty part of a substring")]
    EmptyPart,
    /// A substring without parts.
    #[error("a substring without parts")]
    NoPart,
    /// An initial that is not first, or a part after the final.
    #[error("the parts of a substring out of order")]
    PartOrder,
    /// An extensible match with neither rule nor attribute.
    #[error("neither a matching rule nor an attribute")]
    NoTarget,
    /// A filter in a ValuesReturnFilter that is not a simple item (RFC 3876 §2).
    #[error("not a simple filter item")]
    NotSimple,
    /// Deeper than [`Limits::filter_depth`].
    #[error("nested deeper than {limit}")]
    Depth {
        /// The bound.
        limit: usize,
    },
    /// More nodes than [`Limits::filter_nodes`].
    #[error("more than {limit} filters")]
    Nodes {
        /// The bound.
        limit: usize,
    },
}

const AND: Tag = Tag::context_constructed(0);
const OR: Tag = Tag::context_constructed(1);
const NOT: Tag = Tag::context_constructed(2);
const EQUALITY: Tag = Tag::context_constructed(3);
const SUBSTRINGS: Tag = Tag::context_constructed(4);
const GREATER_OR_EQUAL: Tag = Tag::context_constructed(5);
const LESS_OR_EQUAL: Tag = Tag::context_constructed(6);
const PRESENT: Tag = Tag::context(7);
const APPROX: Tag = Tag::context_constructed(8);
const EXTENSIBLE: Tag = Tag::context_constructed(9);

const INITIAL: Tag = Tag::context(0);
const ANY: Tag = Tag::context(1);
const FINAL: Tag = Tag::context(2);

const RULE: Tag = Tag::context(1);
const TYPE: Tag = Tag::context(2);
const VALUE: Tag = Tag::context(3);
const DN_ATTRIBUTES: Tag = Tag::context(4);

impl<'a> Filter<'a> {
    /// Reads `octets`, which must be exactly one filter.
    pub fn decode(octets: &'a [u8], limits: &Limits) -> Result<Self, FilterError> {
        let mut reader = Reader::new(octets);
        let filter = Filter::read_checked(&mut reader, limits)?;
        reader.finish()?;
        Ok(filter)
    }

    /// Reads one filter and checks all of it.
    pub(in crate::wire) fn read_checked(reader: &mut Reader<'a>, limits: &Limits) -> Result<Self, FilterError> {
        let mut budget = Budget { limits, nodes: limits.filter_nodes };
        let filter = budget.read(reader, 1)?;
        Ok(filter)
    }

    /// Writes the filter in its shortest encoding.
    pub fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Filter::And(filters) => w.nested(AND, |w| filters.iter().for_each(|filter| filter.encode(w))),
            Filter::Or(filters) => w.nested(OR, |w| filters.iter().for_each(|filter| filter.encode(w))),
            Filter::Not(negated) => w.nested(NOT, |w| negated.filter().encode(w)),
            Filter::Equality(assertion) => w.nested(EQUALITY, |w| assertion.encode(w)),
            Filter::Substrings(substrings) => w.nested(SUBSTRINGS, |w| substrings.encode(w)),
            Filter::GreaterOrEqual(assertion) => w.nested(GREATER_OR_EQUAL, |w| assertion.encode(w)),
            Filter::LessOrEqual(assertion) => w.nested(LESS_OR_EQUAL, |w| assertion.encode(w)),
            Filter::Present(attribute) => w.octets(PRESENT, attribute),
            Filter::Approx(assertion) => w.nested(APPROX, |w| assertion.encode(w)),
            Filter::Extensible(extensible) => w.nested(EXTENSIBLE, |w| extensible.encode(w)),
        }
    }
}

/// Reads a filter to the bottom, within bounds.
struct Budget<'l> {
    limits: &'l Limits,
    nodes: usize,
}

impl Budget<'_> {
    /// Recursion is bounded by the depth limit and, whatever that is, by the nesting of the message.
    fn read<'a>(&mut self, reader: &mut Reader<'a>, depth: usize) -> Result<Filter<'a>, FilterError> {
        if depth > self.limits.filter_depth.min(Limits::MAX_NESTING) {
            return Err(FilterError::Depth { limit: self.limits.filter_depth });
        }
        let Some(nodes) = self.nodes.checked_sub(1) else {
            return Err(FilterError::Nodes { limit: self.limits.filter_nodes });
        };
        self.nodes = nodes;
        let filter = read_node(reader)?;
        let below = depth.saturating_add(1);
        match filter {
            Filter::And(filters) | Filter::Or(filters) => {
                let mut operands = Reader::new(filters.content());
                while !operands.is_empty() {
                    self.read(&mut operands, below)?;
                }
            }
            Filter::Not(negated) => {
                let mut operand = Reader::new(negated.octets);
                self.read(&mut operand, below)?;
                operand.finish()?;
            }
            _ => {}
        }
        Ok(filter)
    }
}

impl<'a> Readable<'a> for Filter<'a> {
    /// One node; its operands were checked when the outermost filter was.
    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, BerError> {
        read_node(reader).map_err(|error| match error {
            FilterError::Ber(error) => error,
            _ => BerError::Range,
        })
    }
}

/// Reads one node. Items are checked completely, operands of sets and negations not yet.
#[inline]
fn read_node<'a>(reader: &mut Reader<'a>) -> Result<Filter<'a>, FilterError> {
    let (tag, content) = match reader.next_tag() {
        None => return Err(BerError::Choice(None).into()),
        Some(_) => reader.element()?,
    };
    Ok(match tag {
        AND => Filter::And(List::unchecked(content)),
        OR => Filter::Or(List::unchecked(content)),
        NOT => Filter::Not(Negated { octets: content }),
        EQUALITY => Filter::Equality(Assertion::read_fields(content)?),
        SUBSTRINGS => Filter::Substrings(Substrings::read_fields(content)?),
        GREATER_OR_EQUAL => Filter::GreaterOrEqual(Assertion::read_fields(content)?),
        LESS_OR_EQUAL => Filter::LessOrEqual(Assertion::read_fields(content)?),
        PRESENT => Filter::Present(content),
        APPROX => Filter::Approx(Assertion::read_fields(content)?),
        EXTENSIBLE => Filter::Extensible(Extensible::read_fields(content)?),
        other => return Err(BerError::Choice(Some(other)).into()),
    })
}

impl<'a> Assertion<'a> {
    #[inline]
    fn read_fields(content: &'a [u8]) -> Result<Self, BerError> {
        let mut fields = Reader::new(content);
        let attribute = fields.octet_string()?;
        let value = fields.octet_string()?;
        fields.finish()?;
        Ok(Assertion { attribute, value })
    }

    fn encode(&self, w: &mut Writer<'_>) {
        w.octet_string(self.attribute);
        w.octet_string(self.value);
    }
}

impl<'a> Substrings<'a> {
    fn read_fields(content: &'a [u8]) -> Result<Self, FilterError> {
        let mut fields = Reader::new(content);
        let attribute = fields.octet_string()?;
        let parts = fields.expect(Tag::SEQUENCE)?;
        fields.finish()?;
        Ok(Substrings { attribute, parts: check_parts(parts)? })
    }

    fn encode(&self, w: &mut Writer<'_>) {
        w.octet_string(self.attribute);
        w.nested(Tag::SEQUENCE, |w| {
            for part in self.parts {
                match part {
                    Part::Initial(value) => w.octets(INITIAL, value),
                    Part::Any(value) => w.octets(ANY, value),
                    Part::Final(value) => w.octets(FINAL, value),
                }
            }
        });
    }
}

fn check_parts(content: &[u8]) -> Result<List<'_, Part<'_>>, FilterError> {
    let mut first = true;
    let mut ended = false;
    let parts = List::check_each(content, |part: Part<'_>| {
        let misplaced = ended || (!first && matches!(part, Part::Initial(_)));
        first = false;
        ended = matches!(part, Part::Final(_));
        match part {
            _ if misplaced => Err(FilterError::PartOrder),
            Part::Initial([]) | Part::Any([]) | Part::Final([]) => Err(FilterError::EmptyPart),
            _ => Ok(()),
        }
    })?;
    if first { Err(FilterError::NoPart) } else { Ok(parts) }
}

impl<'a> Readable<'a> for Part<'a> {
    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, BerError> {
        match reader.element()? {
            (INITIAL, value) => Ok(Part::Initial(value)),
            (ANY, value) => Ok(Part::Any(value)),
            (FINAL, value) => Ok(Part::Final(value)),
            (other, _) => Err(BerError::Choice(Some(other))),
        }
    }
}

impl<'a> Extensible<'a> {
    fn read_fields(content: &'a [u8]) -> Result<Self, FilterError> {
        let mut fields = Reader::new(content);
        let rule = fields.optional(RULE)?;
        let attribute = fields.optional(TYPE)?;
        let value = fields.expect(VALUE)?;
        let dn_attributes = fields.boolean_or_false(DN_ATTRIBUTES)?;
        fields.finish()?;
        if rule.is_none() && attribute.is_none() {
            return Err(FilterError::NoTarget);
        }
        Ok(Extensible { rule, attribute, value, dn_attributes })
    }

    fn encode(&self, w: &mut Writer<'_>) {
        if let Some(rule) = self.rule {
            w.octets(RULE, rule);
        }
        if let Some(attribute) = self.attribute {
            w.octets(TYPE, attribute);
        }
        w.octets(VALUE, self.value);
        if self.dn_attributes {
            w.boolean(DN_ATTRIBUTES, true);
        }
    }
}

/// Checks a `SEQUENCE OF SimpleFilterItem` (RFC 3876 §2): filters that are no sets, no negations, and do
/// not ask for the values of the DN.
pub(in crate::wire) fn check_simple_items<'a>(
    content: &'a [u8],
    limits: &Limits,
) -> Result<List<'a, Filter<'a>>, FilterError> {
    let mut reader = Reader::new(content);
    let mut nodes = limits.filter_nodes;
    while !reader.is_empty() {
        nodes = nodes.checked_sub(1).ok_or(FilterError::Nodes { limit: limits.filter_nodes })?;
        match read_node(&mut reader)? {
            Filter::And(_) | Filter::Or(_) | Filter::Not(_) => return Err(FilterError::NotSimple),
            Filter::Extensible(Extensible { dn_attributes: true, .. }) => return Err(FilterError::NotSimple),
            _ => {}
        }
    }
    Ok(List::unchecked(content))
}

impl fmt::Debug for Filter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter{self}")
    }
}

#[cfg(test)]
pub(in crate::wire) mod tests;

//! Search filters (RFC 4511 §4.5.1.7) as the domain sees them: byte values, attribute names still in text.
//!
//! A door builds a [`Filter`]; [`resolve`] binds it to the schema once per search, [`evaluate`] decides it for an entry
//! in three values, [`plan`] finds the cheapest index for it. Nothing here knows a wire form.

pub mod evaluate;
pub mod plan;
pub mod resolve;

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All hold; with no parts: true (RFC 4526).
    And(Vec<Filter>),
    /// One holds; with no parts: false (RFC 4526).
    Or(Vec<Filter>),
    /// The contrary.
    Not(Box<Filter>),
    /// The attribute has a value.
    Present(Vec<u8>),
    /// A value equals the assertion.
    Equal(Vec<u8>, Vec<u8>),
    /// A value is the same or comes later.
    GreaterOrEqual(Vec<u8>, Vec<u8>),
    /// A value is the same or comes earlier.
    LessOrEqual(Vec<u8>, Vec<u8>),
    /// Taken as equality.
    Approximate(Vec<u8>, Vec<u8>),
    /// Parts of a value.
    Substrings {
        /// Attribute description.
        attribute: Vec<u8>,
        /// What the value begins with.
        initial: Option<Vec<u8>>,
        /// What follows, in this order.
        any: Vec<Vec<u8>>,
        /// What the value ends with.
        last: Option<Vec<u8>>,
    },
    /// RFC 4511 §4.5.1.7.7.
    Extensible {
        /// Name or OID of a matching rule.
        rule: Option<Vec<u8>>,
        /// Attribute description; none: every attribute that the rule applies to.
        attribute: Option<Vec<u8>>,
        /// The assertion.
        value: Vec<u8>,
        /// The values in the DN count too.
        dn_attributes: bool,
    },
}

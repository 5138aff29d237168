//! A filter whose attributes are found and whose types are checked.

use serde_json::Number;

use super::ast::Op;
use crate::protocol::time::Instant;
use crate::schema::Place;

/// A filter that can be evaluated or translated. Elements of a value path are asked about their own sub-attributes: the
/// places inside [`Resolved::Element`] name sub-attributes as if they were attributes of the resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// All hold.
    And(Vec<Resolved>),
    /// One holds.
    Or(Vec<Resolved>),
    /// It does not hold.
    Not(Box<Resolved>),
    /// A value is tested; of several, any.
    Test {
        /// Whose value. A multi-valued complex attribute without sub-attribute is tested by its `value`.
        place: Place,
        /// How.
        test: Test,
    },
    /// One and the same element obeys.
    Element {
        /// Of what; never with a sub-attribute.
        place: Place,
        /// The filter of the element. What is asked behind the bracket is part of it.
        inner: Box<Resolved>,
    },
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// There is one: not null, not empty.
    Present,
    /// It compares.
    Compare {
        /// How.
        op: Op,
        /// With what.
        operand: Operand,
    },
}

/// A literal of the attribute's type.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// No value; only with [`Op::Eq`] and [`Op::Ne`].
    Null,
    /// A boolean; only with [`Op::Eq`] and [`Op::Ne`].
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text, as it was written.
    Text {
        /// As it was written.
        given: String,
        /// In lower case, when case does not matter.
        folded: Option<String>,
    },
    /// A moment.
    Time {
        /// As it was written.
        given: String,
        /// The moment.
        instant: Instant,
    },
}

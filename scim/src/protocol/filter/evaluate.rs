//! Whether a resource obeys a filter: RFC 7644 §3.4.2.2.
//!
//! Values are read in place, nothing is copied but text outside ASCII whose case does not matter. A comparison with several
//! values holds when it holds for any. Without a value `eq null` and `ne` hold, and nothing else does.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::ast::Op;
use super::resolved::{Operand, Resolved, Test};
use crate::protocol::time::Instant;
use crate::protocol::value::{fold, is_present, order_numbers};
use crate::schema::Place;

/// Octets compared at most where the time of a search in text is not linear.
const NAIVE: usize = 1 << 16;

impl Resolved {
    /// Decides a resource, or an element when the filter is of one. Names are in the spelling of the schema, as
    /// [`crate::protocol::accept`] leaves them.
    pub fn matches(&self, resource: &Value) -> bool {
        self.decide(&Node::of(resource))
    }

    /// As [`Resolved::matches`].
    pub fn matches_map(&self, resource: &Map<String, Value>) -> bool {
        self.decide(&Node::Object(resource))
    }

    fn decide(&self, node: &Node<'_>) -> bool {
        match self {
            Resolved::And(parts) => parts.iter().all(|part| part.decide(node)),
            Resolved::Or(parts) => parts.iter().any(|part| part.decide(node)),
            Resolved::Not(part) => !part.decide(node),
            Resolved::Test { place, test } => test.decide(place, node),
            Resolved::Element { place, inner } => match node.attribute(place) {
                None => false,
                Some(Value::Array(elements)) => elements.iter().any(|element| inner.decide(&Node::of(element))),
                Some(element) => inner.decide(&Node::of(element)),
            },
        }
    }
}

/// What attributes are read from.
enum Node<'a> {
    Object(&'a Map<String, Value>),
    /// An element that is no object: its `value` is itself.
    Plain(&'a Value),
}

impl<'a> Node<'a> {
    fn of(value: &'a Value) -> Node<'a> {
        match value {
            Value::Object(map) => Node::Object(map),
            plain => Node::Plain(plain),
        }
    }

    fn attribute(&self, place: &Place) -> Option<&'a Value> {
        match (self, &place.extension) {
            (Node::Object(map), None) => map.get(&place.attribute.name),
            (Node::Object(map), Some(schema)) => map.get(&schema.id)?.as_object()?.get(&place.attribute.name),
            (Node::Plain(value), None) => (place.attribute.name == "value").then_some(*value),
            (Node::Plain(_), Some(_)) => None,
        }
    }

    /// Whether any value at `place` passes; the second is whether there was one.
    fn any(&self, place: &Place, pass: &mut dyn FnMut(&Value) -> bool) -> (bool, bool) {
        let mut seen = false;
        let mut one = |value: Option<&Value>| match value {
            Some(value) if is_present(value) => {
                seen = true;
                pass(value)
            }
            _ => false,
        };
        let mut below = |value: &Value| match &place.sub {
            None => one(Some(value)),
            Some(sub) => one(value.as_object().and_then(|map| map.get(&sub.name))),
        };
        let passed = match self.attribute(place) {
            None => false,
            Some(Value::Array(elements)) => elements.iter().any(&mut below),
            Some(value) => below(value),
        };
        (passed, seen)
    }
}

impl Test {
    fn decide(&self, place: &Place, node: &Node<'_>) -> bool {
        match self {
            Test::Present => node.any(place, &mut |_| true).0,
            Test::Compare { op: Op::Eq, operand: Operand::Null } => !node.any(place, &mut |_| true).0,
            Test::Compare { op: Op::Ne, operand: Operand::Null } => node.any(place, &mut |_| true).0,
            Test::Compare { op: Op::Ne, operand } => {
                let (differs, seen) = node.any(place, &mut |value| !operand.compares(Op::Eq, value));
                differs || !seen
            }
            Test::Compare { op, operand } => node.any(place, &mut |value| operand.compares(*op, value)).0,
        }
    }
}

impl Operand {
    fn compares(&self, op: Op, value: &Value) -> bool {
        match (self, value) {
            (Operand::Bool(wanted), Value::Bool(value)) => wanted == value,
            (Operand::Number(wanted), Value::Number(value)) => holds(op, order_numbers(value, wanted)),
            (Operand::Time { instant, .. }, Value::String(value)) => {
                holds(op, Instant::read(value).map(|value| value.cmp(instant)))
            }
            (Operand::Text { given, folded: None }, Value::String(value)) => text(op, value, given),
            (Operand::Text { given, folded: Some(folded) }, Value::String(value)) => {
                if value.is_ascii() && given.is_ascii() {
                    ascii(op, value.as_bytes(), folded.as_bytes())
                } else {
                    text(op, &fold(value), folded)
                }
            }
            _ => false,
        }
    }
}

fn holds(op: Op, order: Option<Ordering>) -> bool {
    let Some(order) = order else { return false };
    match op {
        Op::Eq => order.is_eq(),
        Op::Ne => order.is_ne(),
        Op::Gt => order.is_gt(),
        Op::Ge => order.is_ge(),
        Op::Lt => order.is_lt(),
        Op::Le => order.is_le(),
        Op::Co | Op::Sw | Op::Ew => false,
    }
}

fn text(op: Op, value: &str, wanted: &str) -> bool {
    match op {
        Op::Co => value.contains(wanted),
        Op::Sw => value.starts_with(wanted),
        Op::Ew => value.ends_with(wanted),
        _ => holds(op, Some(value.cmp(wanted))),
    }
}

/// Without a copy; `wanted` is in lower case.
fn ascii(op: Op, value: &[u8], wanted: &[u8]) -> bool {
    let lower = |part: &[u8]| part.eq_ignore_ascii_case(wanted);
    match op {
        Op::Eq => lower(value),
        Op::Ne => !lower(value),
        Op::Co if value.len().saturating_mul(wanted.len()) > NAIVE => {
            let value = String::from_utf8_lossy(value).to_ascii_lowercase();
            std::str::from_utf8(wanted).is_ok_and(|wanted| value.contains(wanted))
        }
        Op::Co => value.windows(wanted.len().max(1)).any(lower),
        Op::Sw => value.get(..wanted.len()).is_some_and(lower),
        Op::Ew => value.len().checked_sub(wanted.len()).and_then(|from| value.get(from..)).is_some_and(lower),
        _ => holds(op, Some(value.iter().map(u8::to_ascii_lowercase).cmp(wanted.iter().copied()))),
    }
}

//! When a value is one, when two are the same, and which is first: RFC 7643 §2.3, §2.5.
//!
//! Owns the meaning of JSON values as values of attributes. Called by filters, sorting, PATCH and PUT.

use std::cmp::Ordering;

use serde_json::{Number, Value};
use unicode_normalization::UnicodeNormalization;

use super::time::Instant;
use crate::schema::{Attribute, Kind};

/// Not null and not empty (RFC 7643 §2.5): an object or array of nothing is nothing.
pub fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => elements.iter().any(is_present),
        Value::Object(map) => map.values().any(is_present),
    }
}

/// A text without regard to case, and to how its letters are put together: as the directory's own matching rules compare
/// (RFC 4518 §2.3).
pub fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.nfkc().collect::<String>().to_lowercase() }
}

/// Whether two texts are equal without regard to case.
pub fn fold_equal(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    fold(one) == fold(other)
}

/// Whether two values of an attribute are one value.
pub fn same(attribute: &Attribute, one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) if attribute.folds_case() => fold_equal(one, other),
        (Value::String(_), Value::String(_)) | (Value::Number(_), Value::Number(_)) => {
            order(attribute, one, other).is_eq()
        }
        _ => one == other,
    }
}

/// The order of two values of an attribute, for `sortBy` (RFC 7644 §3.4.2.3): by the attribute's type and case.
pub fn order(attribute: &Attribute, one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => order_numbers(one, other).unwrap_or(Ordering::Equal),
        (Value::String(one), Value::String(other)) if attribute.kind == Kind::DateTime => {
            match (Instant::read(one), Instant::read(other)) {
                (Some(one), Some(other)) => one.cmp(&other),
                _ => one.cmp(other),
            }
        }
        (Value::String(one), Value::String(other)) if attribute.folds_case() => {
            if one.is_ascii() && other.is_ascii() {
                let lower = |byte: u8| byte.to_ascii_lowercase();
                return one.bytes().map(lower).cmp(other.bytes().map(lower));
            }
            fold(one).cmp(&fold(other))
        }
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => rank(one).cmp(&rank(other)),
    }
}

/// Values of different types, for an order that is total.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}
/// Exact for whole numbers, as `f64` otherwise.
pub(crate) fn order_numbers(one: &Number, other: &Number) -> Option<Ordering> {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

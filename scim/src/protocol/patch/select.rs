//! Elements of a multi-valued attribute: which a filter means, which one it describes, which one is primary.

use serde_json::{Map, Value};

use super::place::Select;
use crate::protocol::error::ScimError;
use crate::protocol::filter::{Filter, Literal, Op};
use crate::protocol::normal::{Normal, is_primary, one_primary};
use crate::protocol::value::is_present;
use crate::schema::Attribute;

/// The places of the elements that are meant; all of them without a filter.
pub(super) fn selected(elements: &[Value], select: Option<&Select>) -> Vec<usize> {
    let meant = |element: &Value| select.is_none_or(|select| select.filter.matches(element));
    elements.iter().enumerate().filter(|(_, element)| meant(element)).map(|(at, _)| at).collect()
}

/// The element that a filter describes: `type eq "work" and primary eq true` is one, anything with `or`, `not` or another
/// comparison is none.
pub(super) fn described(
    attribute: &Attribute,
    filter: &Filter,
    normal: &mut Normal<'_>,
) -> Result<Option<Map<String, Value>>, ScimError> {
    let mut parts = Vec::new();
    if !equalities(filter, &mut parts) || !attribute.is_complex() {
        return Ok(None);
    }
    let mut element = Map::new();
    for (name, literal) in parts {
        let value = match literal {
            Literal::Null => continue,
            Literal::Bool(value) => Value::Bool(*value),
            Literal::Number(number) => Value::Number(number.clone()),
            Literal::Text(text) | Literal::Bare(text) => Value::String(text.clone()),
        };
        let Some(sub) = attribute.sub(name) else { return Ok(None) };
        if let Some(value) = normal.value(sub, value)? {
            element.insert(sub.name.clone(), value);
        }
    }
    Ok(Some(element))
}

fn equalities<'a>(filter: &'a Filter, parts: &mut Vec<(&'a str, &'a Literal)>) -> bool {
    match filter {
        Filter::And(all) => all.iter().all(|part| equalities(part, parts)),
        Filter::Compare { path, op: Op::Eq, value } => {
            parts.push((&path.name, value));
            true
        }
        _ => false,
    }
}

/// Of several primary elements, the changed one stays primary (RFC 7644 §3.5.2).
pub(super) fn demote(attribute: &Attribute, elements: &mut [Value], changed: &[usize]) -> Result<(), ScimError> {
    let chosen = changed.iter().copied().find(|at| elements.get(*at).is_some_and(is_primary));
    if let Some(chosen) = chosen {
        for (at, element) in elements.iter_mut().enumerate() {
            if at != chosen
                && !changed.contains(&at)
                && is_primary(element)
                && let Some(map) = element.as_object_mut()
            {
                map.insert("primary".to_owned(), Value::Bool(false));
            }
        }
    }
    one_primary(attribute, elements)
}

/// Whether an element still says something: one whose `value` is gone does not, whatever type it had.
pub(super) fn is_element(attribute: &Attribute, element: &Value) -> bool {
    match (element, attribute.sub("value")) {
        (Value::Object(map), Some(value)) => map.get(&value.name).is_some_and(is_present),
        (Value::Object(map), None) => {
            map.iter().any(|(name, value)| name != "type" && name != "primary" && is_present(value))
        }
        (other, _) => is_present(other),
    }
}

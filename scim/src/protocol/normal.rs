//! What a client gives for an attribute, in the spelling and types of the schema.
//!
//! Owns the coercions of values. Called for bodies by [`super::accept`] and for operations by [`super::patch`]. A value that
//! is none (`null`, `[]`, an object of nothing) comes out as no value (RFC 7643 §2.5).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Map, Value};

use super::error::{ScimError, echo};
use super::patch::Touched;
use super::rules::{Coercion, Rules};
use super::time::Instant;
use super::value::{is_present, same};
use crate::schema::{Attribute, Kind, Mutability};

/// The most elements of a multi-valued attribute that is kept in the resource.
pub const MAX_ELEMENTS: usize = 1_000;

/// The most comparisons of elements for one request: a thousand operations on a thousand elements are too many.
const MAX_COMPARISONS: usize = 4_000_000;

/// Brings values into the form of the schema, and remembers by which switches.
pub(crate) struct Normal<'a> {
    pub rules: &'a Rules,
    pub touched: Touched,
    /// Comparisons of elements that are still let happen.
    left: usize,
}

impl<'a> Normal<'a> {
    pub(crate) fn new(rules: &'a Rules) -> Normal<'a> {
        Normal { rules, touched: Touched::default(), left: MAX_COMPARISONS }
    }

    pub(crate) fn note(&mut self, coercion: Coercion) {
        self.touched.note(coercion);
    }

    /// Takes `one` times `other` comparisons from what may be done for one request.
    pub(crate) fn spend(&mut self, one: usize, other: usize) -> Result<(), ScimError> {
        match self.left.checked_sub(one.saturating_mul(other)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(ScimError::new(413, "the request asks for too much work: part it")),
        }
    }

    /// Whether the switch is on; when it is, the coercion is noted.
    fn may(&mut self, on: bool, coercion: Coercion) -> bool {
        if on {
            self.note(coercion);
        }
        on
    }

    /// A whole value of an attribute: an array when it is multi-valued. None: no value.
    pub(crate) fn value(&mut self, attribute: &Attribute, value: Value) -> Result<Option<Value>, ScimError> {
        match (attribute.multi_valued, value) {
            (_, Value::Null) => Ok(None),
            (true, Value::Array(elements)) => self.elements(attribute, elements),
            (true, one) => {
                if !self.rules.one_for_many {
                    return Err(wrong(attribute, "takes an array"));
                }
                self.elements(attribute, vec![one])
            }
            (false, Value::Array(mut elements)) => match (elements.pop(), elements.is_empty()) {
                (None, _) => Ok(None),
                (Some(one), true) if self.may(self.rules.many_for_one, Coercion::ManyForOne) => {
                    self.element(attribute, one)
                }
                _ => Err(wrong(attribute, "takes one value")),
            },
            (false, one) => self.element(attribute, one),
        }
    }

    fn elements(&mut self, attribute: &Attribute, given: Vec<Value>) -> Result<Option<Value>, ScimError> {
        if given.len() > MAX_ELEMENTS && !attribute.edges {
            return Err(wrong(attribute, &format!("takes at most {MAX_ELEMENTS} values")));
        }
        if !attribute.edges {
            self.spend(given.len(), given.len() / 2)?;
        }
        let mut elements: Vec<Value> = Vec::with_capacity(given.len());
        for value in given {
            let Some(element) = self.element(attribute, value)? else { continue };
            if attribute.edges || !elements.iter().any(|known| same_element(attribute, known, &element)) {
                elements.push(element);
            }
        }
        one_primary(attribute, &elements)?;
        Ok(if elements.is_empty() { None } else { Some(Value::Array(elements)) })
    }

    /// One value: an element, or the value of an attribute that has one.
    pub(crate) fn element(&mut self, attribute: &Attribute, value: Value) -> Result<Option<Value>, ScimError> {
        let value = match (&attribute.kind, value) {
            (_, Value::Null) => return Ok(None),
            (Kind::Complex(_), value) => return self.complex(attribute, value),
            (kind, Value::String(text)) if text.is_empty() && self.clears(kind) => return Ok(None),
            (Kind::Boolean, value) => self.boolean(attribute, value)?,
            (Kind::Integer | Kind::Decimal, value) => self.number(attribute, &value)?,
            (Kind::String, value) => self.text(attribute, value)?,
            (Kind::Reference(_), Value::String(uri)) => Value::String(uri),
            (Kind::DateTime, Value::String(time)) if Instant::read(&time).is_some() => Value::String(time),
            (Kind::DateTime, _) => return Err(wrong(attribute, "takes a time such as 2011-05-13T04:42:34Z")),
            (Kind::Binary, Value::String(text)) if is_base64(&text) => Value::String(text),
            (Kind::Binary, _) => return Err(wrong(attribute, "takes base64")),
            (Kind::Reference(_), _) => return Err(wrong(attribute, "takes a URI")),
        };
        Ok(Some(value))
    }

    /// Whether `""` is no value. For what is no text, there is no other reading.
    fn clears(&mut self, kind: &Kind) -> bool {
        let text = matches!(kind, Kind::String | Kind::Reference(_));
        (text || self.rules.empty_clears) && self.may(self.rules.empty_clears, Coercion::EmptyClears)
    }

    fn boolean(&mut self, attribute: &Attribute, value: Value) -> Result<Value, ScimError> {
        let read = match &value {
            Value::Bool(_) => return Ok(value),
            Value::String(word) => super::filter::boolean(word),
            _ => None,
        };
        match read {
            Some(read) if self.may(self.rules.boolean_text, Coercion::BooleanText) => Ok(Value::Bool(read)),
            _ => Err(wrong(attribute, "takes true or false")),
        }
    }

    fn number(&mut self, attribute: &Attribute, value: &Value) -> Result<Value, ScimError> {
        let whole = attribute.kind == Kind::Integer;
        let read = match value {
            Value::Number(number) => Some(number.clone()),
            Value::String(text) if self.rules.number_text => serde_json::from_str(text).ok(),
            _ => None,
        };
        let read = read.filter(|number| !whole || number.is_i64() || number.is_u64());
        let Some(number) = read else {
            return Err(wrong(attribute, if whole { "takes a whole number" } else { "takes a number" }));
        };
        if value.is_string() {
            self.note(Coercion::NumberText);
        }
        Ok(Value::Number(number))
    }

    fn text(&mut self, attribute: &Attribute, value: Value) -> Result<Value, ScimError> {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) if self.may(self.rules.value_number, Coercion::ValueNumber) => number.to_string(),
            _ => return Err(wrong(attribute, "takes a text")),
        };
        if attribute.canonical.is_empty() || attribute.case_exact {
            return Ok(Value::String(text));
        }
        match attribute.canonical.iter().find(|usual| usual.eq_ignore_ascii_case(&text)) {
            Some(usual) => Ok(Value::String(usual.clone())),
            None if self.rules.beyond_canonical => Ok(Value::String(text)),
            None => Err(wrong(attribute, &format!("takes one of {}", attribute.canonical.join(", ")))),
        }
    }

    fn complex(&mut self, attribute: &Attribute, value: Value) -> Result<Option<Value>, ScimError> {
        let mut object = self.object(attribute, value)?;
        let says_something = object.values().any(is_present);
        in_place(&mut object, |name, value| {
            // Bodies may hold what was read; PATCH looks at it before (RFC 7644 §3.5.1).
            let sub = self.sub(attribute, name)?.filter(|sub| sub.mutability != Mutability::ReadOnly);
            let Some(sub) = sub else { return Ok(None) };
            Ok(self.value(sub, value)?.map(|value| (sub.name.as_str(), value)))
        })?;
        let missing = attribute.subs().iter().find(|sub| sub.required && !object.contains_key(&sub.name));
        if let (Some(missing), true) = (missing, says_something) {
            return Err(wrong(attribute, &format!("needs `{}`", missing.name)));
        }
        if !object.values().any(is_present) {
            return Ok(None);
        }
        Ok(Some(Value::Object(object)))
    }

    /// The object that is meant by a value of a complex attribute: `"x"` may mean `{"value": "x"}`, or hold JSON.
    pub(crate) fn object(&mut self, attribute: &Attribute, value: Value) -> Result<Map<String, Value>, ScimError> {
        let value = match value {
            Value::Array(mut elements) if elements.len() == 1 && self.rules.many_for_one && !attribute.multi_valued => {
                self.note(Coercion::ManyForOne);
                elements.pop().unwrap_or_default()
            }
            value => value,
        };
        let plain = match value {
            Value::Object(map) => return Ok(self.unpacked(attribute, map)),
            Value::String(text) if text.is_empty() && self.may(self.rules.empty_clears, Coercion::EmptyClears) => {
                return Ok(Map::new());
            }
            Value::String(text) if self.rules.packed_complex && text.starts_with('{') => match unpack(attribute, &text)
            {
                Some(map) => {
                    self.note(Coercion::PackedComplex);
                    return Ok(map);
                }
                None => Value::String(text),
            },
            plain => plain,
        };
        let scalar = plain.is_string() || plain.is_number();
        match attribute.sub("value") {
            Some(sub) if scalar && self.may(self.rules.plain_complex, Coercion::PlainComplex) => {
                Ok(Map::from_iter([(sub.name.clone(), plain)]))
            }
            _ => Err(wrong(attribute, "takes an object")),
        }
    }

    /// An object whose `value` holds the object that is meant, as JSON.
    fn unpacked(&mut self, attribute: &Attribute, mut map: Map<String, Value>) -> Map<String, Value> {
        let packed =
            map.get("value").and_then(Value::as_str).filter(|text| self.rules.packed_complex && text.starts_with('{'));
        if let Some(inner) = packed.and_then(|text| unpack(attribute, text)) {
            self.note(Coercion::PackedComplex);
            map.extend(inner);
        }
        map
    }

    /// The sub-attribute that a client's name means; none when it is left out.
    pub(crate) fn sub<'b>(&mut self, attribute: &'b Attribute, name: &str) -> Result<Option<&'b Attribute>, ScimError> {
        match attribute.sub(name) {
            Some(sub) => Ok(Some(sub)),
            None if self.may(self.rules.drop_unknown, Coercion::DropUnknown) => Ok(None),
            None => Err(ScimError::invalid_syntax(format!("`{}` has no `{}`", attribute.name, echo(name)))),
        }
    }
}

/// What becomes of an entry of an object: the name in the spelling of the schema with the value in its form, or nothing.
pub(crate) type Formed<'s> = Result<Option<(&'s str, Value)>, ScimError>;

/// Brings the entries of an object into form where they stand: nearly all names come in the spelling of the schema. One that
/// does not gives way to one that does.
pub(crate) fn in_place<'s>(
    object: &mut Map<String, Value>,
    mut form: impl FnMut(&str, Value) -> Formed<'s>,
) -> Result<(), ScimError> {
    let (mut respelled, mut outcome) = (Vec::new(), Ok(()));
    object.retain(|name, value| match outcome.is_ok().then(|| form(name, value.take())) {
        Some(Ok(Some((spelled, formed)))) if spelled == name => {
            *value = formed;
            true
        }
        Some(Ok(Some(other))) => {
            respelled.push(other);
            false
        }
        Some(Err(error)) => {
            outcome = Err(error);
            false
        }
        Some(Ok(None)) | None => false,
    });
    // Of two others the last one counts.
    for (spelled, formed) in respelled.into_iter().rev() {
        object.entry(spelled).or_insert(formed);
    }
    outcome
}

/// JSON in a string (Entra's `AssertiveAppRoleAssignmentsComplex`): what the schema knows of it.
fn unpack(attribute: &Attribute, text: &str) -> Option<Map<String, Value>> {
    let Ok(Value::Object(packed)) = serde_json::from_str(text) else { return None };
    let mut map = Map::new();
    for (name, value) in packed {
        let name = if name.eq_ignore_ascii_case("displayName") { "display".to_owned() } else { name };
        if attribute.sub(&name).is_some() && !value.is_null() {
            map.insert(name, value);
        }
    }
    (!map.is_empty()).then_some(map)
}

/// At most one element is the primary one (RFC 7643 §2.4).
pub(crate) fn one_primary(attribute: &Attribute, elements: &[Value]) -> Result<(), ScimError> {
    if elements.iter().filter(|element| is_primary(element)).nth(1).is_some() {
        return Err(wrong(attribute, "has at most one primary value"));
    }
    Ok(())
}

pub(crate) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// Whether two elements are one value, sub-attribute by sub-attribute.
pub(crate) fn same_element(attribute: &Attribute, one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => one.len() == other.len() && covers(attribute, one, other),
        _ => same(attribute, one, other),
    }
}

/// Whether `element` has every value that `given` has.
pub(crate) fn covers(attribute: &Attribute, element: &Map<String, Value>, given: &Map<String, Value>) -> bool {
    given.iter().all(|(name, value)| match (element.get(name), attribute.sub(name)) {
        (Some(known), Some(sub)) => same(sub, known, value),
        _ => false,
    })
}

fn is_base64(text: &str) -> bool {
    STANDARD.decode(text).is_ok() || STANDARD_NO_PAD.decode(text).is_ok()
}

/// 400 `invalidValue` about an attribute. The value is not repeated: it may be a secret.
pub(crate) fn wrong(attribute: &Attribute, why: &str) -> ScimError {
    ScimError::invalid_value(format!("`{}` {why}", attribute.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entries_are_brought_into_form_where_they_stand() {
        // Goal: names are respelled, values replaced, what is nothing goes; a name in the spelling of the schema is the one
        // that counts, and the first refusal ends it.
        let form = |name: &str, value: Value| match (name.to_ascii_lowercase().as_str(), value) {
            ("value", value) => Ok(Some(("value", json!([value])))),
            ("type", value) => Ok(Some(("type", value))),
            ("bad", _) => Err(ScimError::invalid_syntax(name)),
            _ => Ok(None),
        };
        let rows = [
            (json!({"value": 1, "TYPE": 2, "other": 3}), Ok(json!({"value": [1], "type": 2}))),
            (json!({"Value": 1, "value": 2}), Ok(json!({"value": [2]}))),
            (json!({"VALUE": 1, "Value": 2}), Ok(json!({"value": [2]}))),
            (json!({}), Ok(json!({}))),
            (json!({"BAD": 1, "bad": 2, "value": 3}), Err("BAD")),
        ];
        for (given, wanted) in rows {
            let mut object = given.as_object().unwrap().clone();
            let outcome = in_place(&mut object, form).map_err(|error| error.detail);
            assert_eq!(outcome.map(|()| Value::Object(object)), wanted.map_err(str::to_owned), "{given}");
        }
    }
}

//! `add`, `remove` and `replace` of the values of one attribute: RFC 7644 §3.5.2.1 to §3.5.2.3.
//!
//! Owns what becomes of a value that was taken out of the resource. `Null` stands for no value.

use serde_json::{Map, Value};

use super::apply::{Patch, Step};
use super::operation::Op;
use super::select::{demote, described, is_element, selected};
use crate::protocol::error::ScimError;
use crate::protocol::normal::{MAX_ELEMENTS, covers, same_element, wrong};
use crate::protocol::put::unchanged;
use crate::protocol::rules::{Coercion, Missing};
use crate::protocol::value::is_present;
use crate::schema::{Attribute, Mutability};

impl Patch<'_> {
    /// `add` and `replace` of a whole attribute.
    pub(super) fn set(&mut self, step: &Step<'_>, present: Value, value: Value) -> Result<Value, ScimError> {
        let attribute = step.attribute;
        if step.op == Op::Add && value.is_null() {
            return Ok(present);
        }
        let clears = value.is_null() || (value.as_str() == Some("") && self.normal.rules.empty_clears);
        if attribute.is_complex() && !attribute.multi_valued && !clears {
            let given = self.normal.object(attribute, value)?;
            return self.merge(step, into_object(present), given).map(Value::Object);
        }
        let given = self.normal.value(attribute, value)?;
        if attribute.multi_valued && step.op == Op::Add {
            return self.append(attribute, present, given);
        }
        let given = given.unwrap_or_default();
        if attribute.mutability == Mutability::Immutable && !present.is_null() {
            if given.is_null() || !unchanged(attribute, &present, &given, self.normal.rules) {
                return Err(ScimError::mutability(format!("`{}` cannot be changed", attribute.name)));
            }
            return Ok(present);
        }
        Ok(given)
    }

    /// Adds the elements that are not there yet.
    fn append(&mut self, attribute: &Attribute, present: Value, given: Option<Value>) -> Result<Value, ScimError> {
        let mut elements = into_elements(present);
        let mut changed = Vec::new();
        let given = into_elements(given.unwrap_or_default());
        self.normal.spend(given.len(), elements.len().saturating_add(given.len()))?;
        for element in given {
            let there = |known: &Value| match (known, &element) {
                (Value::Object(known), Value::Object(element)) => covers(attribute, known, element),
                (known, element) => same_element(attribute, known, element),
            };
            if !elements.iter().any(there) {
                changed.push(elements.len());
                elements.push(element);
            }
        }
        if elements.len() > MAX_ELEMENTS {
            return Err(wrong(attribute, &format!("takes at most {MAX_ELEMENTS} values")));
        }
        demote(attribute, &mut elements, &changed)?;
        Ok(Value::Array(elements))
    }

    /// Sub-attributes that are given replace those that are there; the others stay.
    fn merge(
        &mut self,
        step: &Step<'_>,
        mut before: Map<String, Value>,
        given: Map<String, Value>,
    ) -> Result<Map<String, Value>, ScimError> {
        for (name, value) in given {
            let Some(sub) = self.normal.sub(step.attribute, &name)? else { continue };
            self.set_sub(step, &mut before, sub, value)?;
        }
        Ok(before)
    }

    fn set_sub(
        &mut self,
        step: &Step<'_>,
        object: &mut Map<String, Value>,
        sub: &Attribute,
        value: Value,
    ) -> Result<(), ScimError> {
        if step.op == Op::Add && value.is_null() {
            return Ok(());
        }
        let given = self.normal.value(sub, value)?;
        let present = object.get(&sub.name);
        if sub.mutability == Mutability::ReadOnly {
            let same =
                present.is_some_and(|present| given.as_ref().is_some_and(|given| same_element(sub, present, given)));
            if same || given.is_none() {
                return Ok(());
            }
            if self.normal.rules.drop_read_only {
                self.normal.note(Coercion::DropReadOnly);
                return Ok(());
            }
            return Err(ScimError::mutability(format!(
                "`{}.{}` is kept by the service provider",
                step.attribute.name, sub.name
            )));
        }
        if sub.mutability == Mutability::Immutable
            && let Some(present) = present
            && !given.as_ref().is_some_and(|given| unchanged(sub, present, given, self.normal.rules))
        {
            return Err(ScimError::mutability(format!("`{}.{}` cannot be changed", step.attribute.name, sub.name)));
        }
        match given {
            Some(value) => object.insert(sub.name.clone(), value),
            None => object.remove(&sub.name),
        };
        Ok(())
    }

    /// `name.givenName`, or a filter on an attribute with one value.
    pub(super) fn set_single(&mut self, step: &Step<'_>, present: Value, value: Value) -> Result<Value, ScimError> {
        if step.select.is_some_and(|select| !select.filter.matches(&present)) {
            return Err(self.no_target(step));
        }
        let mut object = into_object(present);
        match step.sub {
            Some(sub) => self.set_sub(step, &mut object, sub, value)?,
            None => {
                let given = self.normal.object(step.attribute, value)?;
                object = self.merge(step, object, given)?;
            }
        }
        Ok(Value::Object(object))
    }

    /// Elements that a filter selects, or a sub-attribute of elements.
    pub(super) fn set_elements(&mut self, step: &Step<'_>, present: Value, value: &Value) -> Result<Value, ScimError> {
        let attribute = step.attribute;
        let mut elements = into_elements(present);
        self.normal.spend(elements.len(), step.select.map_or(1, |select| select.written.size()))?;
        let mut meant = selected(&elements, step.select);
        let made = meant.is_empty();
        if made {
            let Some(element) = self.missing(step, value)? else { return Ok(into_array(elements)) };
            meant.push(elements.len());
            elements.push(Value::Object(element));
        }
        for at in &meant {
            let Some(element) = elements.get_mut(*at) else { continue };
            let before = std::mem::take(element);
            *element = match step.sub {
                Some(sub) => {
                    let mut object = into_object(before);
                    self.set_sub(step, &mut object, sub, value.clone())?;
                    Value::Object(object)
                }
                None if (step.op == Op::Replace && !made) || !attribute.is_complex() => {
                    self.normal.element(attribute, value.clone())?.unwrap_or_default()
                }
                None => {
                    let given = self.normal.object(attribute, value.clone())?;
                    Value::Object(self.merge(step, into_object(before), given)?)
                }
            };
        }
        demote(attribute, &mut elements, &meant)?;
        Ok(remaining(attribute, elements, &meant))
    }

    /// The element to make when none is selected; none when nothing is to be done.
    fn missing(&mut self, step: &Step<'_>, value: &Value) -> Result<Option<Map<String, Value>>, ScimError> {
        // To clear what is not there is done.
        if !is_present(value) && self.normal.rules.remove_absent {
            self.normal.note(Coercion::RemoveAbsent);
            return Ok(None);
        }
        let element = match step.select {
            None => Some(Map::new()),
            Some(select) => described(step.attribute, &select.written, &mut self.normal)?,
        };
        let Some(element) = element else { return Err(self.no_target(step)) };
        if step.op == Op::Replace && step.select.is_some() {
            if self.normal.rules.patch_replace_missing == Missing::NoTarget {
                return Err(self.no_target(step));
            }
            self.normal.note(Coercion::PatchReplaceMissing);
        }
        Ok(Some(element))
    }

    fn no_target(&self, step: &Step<'_>) -> ScimError {
        let (index, name) = (step.index, &step.attribute.name);
        ScimError::no_target(format!("operation {index}: no value of `{name}` is as the path says"))
    }

    pub(super) fn remove(&mut self, step: &Step<'_>, present: Value, value: Option<Value>) -> Result<Value, ScimError> {
        let attribute = step.attribute;
        let fixed = |attribute: &Attribute| attribute.mutability == Mutability::Immutable || attribute.required;
        if is_present(&present) && step.select.is_none() && fixed(step.sub.unwrap_or(attribute)) {
            return Err(ScimError::mutability(format!("`{}` cannot be removed", attribute.name)));
        }
        if !attribute.multi_valued {
            return self.remove_single(step, present);
        }
        let mut elements = into_elements(present);
        if let Some(value) = value.filter(|value| is_present(value) && step.select.is_none() && step.sub.is_none()) {
            self.remove_listed(step, &mut elements, value)?;
            return Ok(into_array(elements));
        }
        self.normal.spend(elements.len(), step.select.map_or(1, |select| select.written.size()))?;
        let meant = selected(&elements, step.select);
        if meant.is_empty() && step.select.is_some() {
            if !self.normal.rules.remove_absent {
                return Err(self.no_target(step));
            }
            self.normal.note(Coercion::RemoveAbsent);
        }
        for at in &meant {
            let Some(element) = elements.get_mut(*at) else { continue };
            match (step.sub, element.as_object_mut()) {
                (Some(sub), Some(object)) => drop(object.remove(&sub.name)),
                _ => *element = Value::Null,
            }
        }
        Ok(remaining(attribute, elements, &meant))
    }

    fn remove_single(&mut self, step: &Step<'_>, present: Value) -> Result<Value, ScimError> {
        if step.select.is_some_and(|select| !select.filter.matches(&present)) {
            return if self.normal.rules.remove_absent { Ok(present) } else { Err(self.no_target(step)) };
        }
        let Some(sub) = step.sub else { return Ok(Value::Null) };
        let mut object = into_object(present);
        object.remove(&sub.name);
        Ok(Value::Object(object))
    }

    /// `remove` with a value removes what it lists and nothing else. By the letter it would remove everything, which no client
    /// that lists values can mean.
    fn remove_listed(&mut self, step: &Step<'_>, elements: &mut Vec<Value>, value: Value) -> Result<(), ScimError> {
        if !self.normal.rules.remove_listed {
            return Err(ScimError::invalid_value(format!("operation {}: `remove` takes no value", step.index)));
        }
        self.normal.note(Coercion::RemoveListed);
        let listed = into_elements(self.normal.value(step.attribute, value)?.unwrap_or_default());
        self.normal.spend(listed.len(), elements.len())?;
        for listed in listed {
            elements.retain(|known| match (known, &listed) {
                (Value::Object(known), Value::Object(listed)) => !covers(step.attribute, known, listed),
                (known, listed) => !same_element(step.attribute, known, listed),
            });
        }
        Ok(())
    }
}

pub(super) fn into_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn into_elements(value: Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements,
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// The elements, but for those changed ones that say nothing any more.
fn remaining(attribute: &Attribute, elements: Vec<Value>, changed: &[usize]) -> Value {
    let numbered = elements.into_iter().enumerate();
    let kept = numbered.filter(|(at, element)| !changed.contains(at) || is_element(attribute, element));
    into_array(kept.map(|(_, element)| element).collect())
}

fn into_array(elements: Vec<Value>) -> Value {
    if elements.is_empty() { Value::Null } else { Value::Array(elements) }
}

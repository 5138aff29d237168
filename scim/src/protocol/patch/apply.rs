//! Operations on the JSON of a resource: RFC 7644 §3.5.2.1 to §3.5.2.3.
//!
//! Owns the way from an operation to the attributes that it is about; what becomes of their values is [`super::values`]'s. All
//! operations are done on a copy; the resource is replaced when the last one
//! was good, and is as before otherwise.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::differences;
use super::operation::{Op, Operation, Touched};
use super::parse::target;
use super::place::{Found, Select, find, writable};
use super::values::into_object;
use crate::protocol::accept::restate_schemas;
use crate::protocol::error::{ScimError, echo};
use crate::protocol::normal::{Normal, same_element};
use crate::protocol::rules::{Coercion, Rules};
use crate::protocol::value::is_present;
use crate::schema::{Attribute, Mutability, ResourceType, Schema};

/// Carries out operations, in their order, all or none. `resource` is in the form of the schema, without edges.
///
/// # Errors
/// 400 with `invalidPath`, `noTarget`, `invalidValue` or `mutability`; the resource is then unchanged.
pub fn apply(
    kind: &ResourceType,
    resource: &mut Map<String, Value>,
    operations: Vec<Operation>,
    rules: &Rules,
) -> Result<Touched, ScimError> {
    let mut patch = Patch { kind, work: resource.clone(), normal: Normal::new(rules) };
    for operation in operations {
        patch.operation(operation)?;
    }
    let Patch { mut work, normal, .. } = patch;
    still_complete(kind, resource, &work)?;
    restate_schemas(kind, &mut work);
    let attributes = differences(kind, resource, &work);
    *resource = work;
    Ok(Touched { attributes, ..normal.touched })
}

/// What is required and was there is still there (RFC 7644 §3.5.2.2).
fn still_complete(
    kind: &ResourceType,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Result<(), ScimError> {
    let has = |map: &Map<String, Value>, name: &str| map.get(name).is_some_and(is_present);
    for attribute in kind.schema.attributes.iter().filter(|attribute| attribute.required) {
        if has(before, &attribute.name) && !has(after, &attribute.name) {
            return Err(ScimError::mutability(format!("`{}` is required", attribute.name)));
        }
    }
    Ok(())
}

pub(super) struct Patch<'a> {
    kind: &'a ResourceType,
    work: Map<String, Value>,
    pub(super) normal: Normal<'a>,
}

/// One operation on one attribute.
pub(super) struct Step<'a> {
    pub op: Op,
    pub attribute: &'a Attribute,
    pub select: Option<&'a Select>,
    pub sub: Option<&'a Attribute>,
    pub index: usize,
}

impl Patch<'_> {
    fn operation(&mut self, operation: Operation) -> Result<(), ScimError> {
        let Operation { op, target, value, index } = operation;
        let kind = self.kind;
        match target {
            None => self.pathless(op, None, value.unwrap_or_default(), index),
            Some(target) => match find(kind, &target, index, &mut self.normal)? {
                Found::Schema(extension) if op == Op::Remove => self.remove_extension(extension),
                Found::Schema(extension) => self.pathless(op, extension, value.unwrap_or_default(), index),
                Found::Attribute { extension, attribute, select, sub } => {
                    if self.is_kept(
                        op,
                        extension.as_ref(),
                        &attribute,
                        select.is_none() && sub.is_none(),
                        value.as_ref(),
                    ) {
                        return Ok(());
                    }
                    writable(&attribute, sub.as_ref())?;
                    let step =
                        Step { op, attribute: &attribute, select: select.as_deref(), sub: sub.as_deref(), index };
                    self.attribute(extension.as_ref(), &step, value)
                }
            },
        }
    }

    /// A value without a path: each of its members is one (RFC 7644 §3.5.2.1).
    fn pathless(
        &mut self,
        op: Op,
        extension: Option<&Arc<Schema>>,
        value: Value,
        index: usize,
    ) -> Result<(), ScimError> {
        let Value::Object(members) = value else {
            return Err(ScimError::invalid_value(format!("operation {index}: without a path, `value` is an object")));
        };
        for (name, value) in members {
            self.member(op, extension, &name, value, index)?;
        }
        Ok(())
    }

    fn member(
        &mut self,
        op: Op,
        extension: Option<&Arc<Schema>>,
        name: &str,
        value: Value,
        index: usize,
    ) -> Result<(), ScimError> {
        let kind = self.kind;
        if extension.is_some() && name.eq_ignore_ascii_case("schemas") {
            // An extension's own name for itself, as some clients write it.
            return Ok(());
        }
        let attribute = match extension {
            None => kind.attribute(name),
            Some(schema) => schema.attribute(name),
        };
        if let Some(attribute) = attribute {
            return self.whole(op, extension, attribute, value, index);
        }
        if extension.is_none() {
            if name.eq_ignore_ascii_case(kind.uri()) {
                return self.pathless(op, None, value, index);
            }
            if let Some(inner) = kind.extension(name) {
                return match value {
                    Value::Null if op == Op::Add => Ok(()),
                    Value::Null => self.remove_extension(Some(&inner.schema)),
                    value => self.pathless(op, Some(&inner.schema), value, index),
                };
            }
            if self.normal.rules.path_keys
                && let Ok(target) = target(name, index, self.normal.rules, &mut self.normal.touched)
                && let Ok(Found::Attribute { extension, attribute, select, sub }) =
                    find(kind, &target, index, &mut self.normal)
            {
                self.normal.note(Coercion::PathKeys);
                if select.is_none() && sub.is_none() {
                    return self.whole(op, extension.as_ref(), &attribute, value, index);
                }
                writable(&attribute, sub.as_ref())?;
                let step = Step { op, attribute: &attribute, select: select.as_deref(), sub: sub.as_deref(), index };
                return self.attribute(extension.as_ref(), &step, Some(value));
            }
        }
        if self.normal.rules.drop_unknown {
            self.normal.note(Coercion::DropUnknown);
            return Ok(());
        }
        Err(ScimError::invalid_path(format!("operation {index}: a {} has no `{}`", kind.name, echo(name))))
    }

    /// An attribute inside a value without a path. What the service provider keeps may stand there when a switch says so.
    fn whole(
        &mut self,
        op: Op,
        extension: Option<&Arc<Schema>>,
        attribute: &Arc<Attribute>,
        value: Value,
        index: usize,
    ) -> Result<(), ScimError> {
        if attribute.name == "schemas" || self.is_kept(op, extension, attribute, true, Some(&value)) {
            return Ok(());
        }
        if attribute.mutability == Mutability::ReadOnly && self.normal.rules.drop_read_only {
            self.normal.note(Coercion::DropReadOnly);
            return Ok(());
        }
        writable(attribute, None)?;
        let step = Step { op, attribute, select: None, sub: None, index };
        self.attribute(extension, &step, Some(value))
    }

    /// Whether a read-only attribute is given with the value that it has.
    fn is_kept(
        &mut self,
        op: Op,
        extension: Option<&Arc<Schema>>,
        attribute: &Attribute,
        whole: bool,
        value: Option<&Value>,
    ) -> bool {
        if attribute.mutability != Mutability::ReadOnly
            || op == Op::Remove
            || !whole
            || !self.normal.rules.same_read_only
        {
            return false;
        }
        let present = holder(&self.work, extension).and_then(|map| map.get(&attribute.name));
        match (present.filter(|present| is_present(present)), value.filter(|value| is_present(value))) {
            (None, None) => true,
            (Some(present), Some(value)) => same_element(attribute, present, value),
            _ => false,
        }
    }

    fn remove_extension(&mut self, extension: Option<&Arc<Schema>>) -> Result<(), ScimError> {
        let Some(schema) = extension else { return Err(ScimError::mutability("the core schema cannot be removed")) };
        let Some(Value::Object(inside)) = self.work.get(&schema.id) else { return Ok(()) };
        let fixed = |attribute: &&Arc<Attribute>| attribute.mutability != Mutability::ReadWrite || attribute.required;
        let kept = schema.attributes.iter().filter(fixed).find(|attribute| inside.contains_key(&attribute.name));
        if let Some(attribute) = kept {
            return Err(ScimError::mutability(format!("`{}:{}` cannot be removed", schema.id, attribute.name)));
        }
        self.work.remove(&schema.id);
        Ok(())
    }

    fn attribute(
        &mut self,
        extension: Option<&Arc<Schema>>,
        step: &Step<'_>,
        value: Option<Value>,
    ) -> Result<(), ScimError> {
        // Taken out, changed, put back: what is not there is `Null`.
        let name = &step.attribute.name;
        let mut inside = extension.map(|schema| into_object(self.work.remove(&schema.id).unwrap_or_default()));
        let present = inside.as_mut().unwrap_or(&mut self.work).remove(name).unwrap_or_default();
        let value_of = |value: &Value| step.attribute.sub("value").and_then(|sub| value.get(&sub.name)).is_some();
        let had_value = !step.attribute.multi_valued && value_of(&present);
        let mut after = match step.op {
            Op::Remove => self.remove(step, present, value)?,
            _ if step.select.is_none() && step.sub.is_none() => self.set(step, present, value.unwrap_or_default())?,
            _ if step.attribute.multi_valued => self.set_elements(step, present, &value.unwrap_or_default())?,
            _ => self.set_single(step, present, value.unwrap_or_default())?,
        };
        // A reference without its identifier is none, whatever else was known of it.
        if had_value && !value_of(&after) {
            after = Value::Null;
        }
        // A secret is never in the resource: that it goes has to be said, and by `remove` alone. Clients send null for what
        // they do not know.
        let gone = step.attribute.is_secret() && step.op == Op::Remove && after.is_null();
        if is_present(&after) || after.is_string() || gone {
            inside.as_mut().unwrap_or(&mut self.work).insert(name.clone(), after);
        }
        if let (Some(schema), Some(inside)) = (extension, inside.filter(|inside| !inside.is_empty())) {
            self.work.insert(schema.id.clone(), Value::Object(inside));
        }
        Ok(())
    }
}

fn holder<'a>(work: &'a Map<String, Value>, extension: Option<&Arc<Schema>>) -> Option<&'a Map<String, Value>> {
    match extension {
        None => Some(work),
        Some(schema) => work.get(&schema.id)?.as_object(),
    }
}

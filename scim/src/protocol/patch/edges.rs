//! Members: what a PATCH says about them, taken out of it, so that nobody loads the others.
//!
//! Owns the translation of operations on an attribute of edges into lists of identifiers. Whether they name anything, and
//! who may be a member, is for the directory to say.

use std::sync::Arc;

use serde_json::Value;

use super::operation::{EdgeOp, Op, Operation, Touched};
use super::place::{Found, Select, find, writable};
use crate::protocol::error::ScimError;
use crate::protocol::filter::{Op as Comparison, Operand, Resolved, Test};
use crate::protocol::normal::{Normal, wrong};
use crate::protocol::rules::{Coercion, Rules};
use crate::schema::{Attribute, Mutability, ResourceType};

/// The most alternatives `value eq …` that are read as a list of identifiers.
const MAX_LISTED: usize = 1_024;

/// Parts a PATCH into what is about the resource and what is about its edges, each in its order.
///
/// # Errors
/// As [`super::apply`].
pub fn split_edges(
    kind: &ResourceType,
    operations: Vec<Operation>,
    rules: &Rules,
    touched: &mut Touched,
) -> Result<(Vec<Operation>, Vec<EdgeOp>), ScimError> {
    let edges = |attribute: &&Arc<Attribute>| attribute.edges && attribute.mutability != Mutability::ReadOnly;
    let Some(attribute) = kind.schema.attributes.iter().find(edges) else { return Ok((operations, Vec::new())) };
    let mut split = Split { kind, attribute, normal: Normal::new(rules), edges: Vec::new() };
    let mut others = Vec::with_capacity(operations.len());
    for operation in operations {
        others.extend(split.operation(operation)?);
    }
    touched.extend(split.normal.touched.coercions);
    Ok((others, split.edges))
}

/// The identifiers in a value of an attribute of edges: `[{"value": "…"}]`, one of these, or plain identifiers.
pub(crate) fn member_ids(
    attribute: &Attribute,
    value: Value,
    rules: &Rules,
    touched: &mut Touched,
) -> Result<Vec<String>, ScimError> {
    let elements = match value {
        Value::Array(elements) => elements,
        Value::Null => Vec::new(),
        one if rules.one_for_many => vec![one],
        _ => return Err(wrong(attribute, "takes an array")),
    };
    let mut ids = Vec::with_capacity(elements.len());
    for element in elements {
        let id = match element {
            Value::Null => continue,
            Value::Object(map) => {
                map.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("value")).map(|(_, id)| id)
            }
            plain if rules.plain_complex => {
                touched.note(Coercion::PlainComplex);
                Some(plain)
            }
            _ => return Err(wrong(attribute, "takes objects")),
        };
        match id {
            Some(Value::String(id)) if !id.is_empty() => ids.push(id),
            _ => return Err(wrong(attribute, "needs the identifier of each member in `value`")),
        }
    }
    Ok(ids)
}

struct Split<'a> {
    kind: &'a ResourceType,
    attribute: &'a Arc<Attribute>,
    normal: Normal<'a>,
    edges: Vec<EdgeOp>,
}

impl Split<'_> {
    /// What is left of an operation.
    fn operation(&mut self, operation: Operation) -> Result<Option<Operation>, ScimError> {
        let Some(target) = &operation.target else { return self.pathless(operation) };
        let own = target.path.name.eq_ignore_ascii_case(&self.attribute.name);
        if !own {
            // The whole core schema may be the target as well.
            return if target.path.extension(self.kind).is_some_and(|uri| uri == self.kind.uri()) {
                self.pathless(operation)
            } else {
                Ok(Some(operation))
            };
        }
        let Found::Attribute { extension: None, select, sub, .. } =
            find(self.kind, target, operation.index, &mut self.normal)?
        else {
            return Ok(Some(operation));
        };
        if let Some(sub) = sub {
            // Elements come and go, but do not change.
            writable(self.attribute, Some(&sub))?;
            return Err(ScimError::mutability(format!("`{}.{}` cannot be changed", self.attribute.name, sub.name)));
        }
        self.step(operation.op, select, operation.value, operation.index)?;
        Ok(None)
    }

    fn pathless(&mut self, mut operation: Operation) -> Result<Option<Operation>, ScimError> {
        let Some(Value::Object(members)) = &mut operation.value else { return Ok(Some(operation)) };
        // The attribute itself, or a path that leads to it; names of the core schema may hold it once more.
        let own = |name: &str| {
            name.rsplit(':').next().is_some_and(|last| {
                let bare = last.split(['[', '.']).next().unwrap_or(last);
                bare.eq_ignore_ascii_case(&self.attribute.name)
            })
        };
        let names: Vec<String> = members.keys().filter(|name| own(name)).cloned().collect();
        let mut taken = Vec::new();
        for name in names {
            taken.extend(members.remove(&name).map(|value| (name, value)));
        }
        if let Some(Value::Object(inner)) =
            members.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(self.kind.uri())).map(|(_, value)| value)
        {
            let names: Vec<String> =
                inner.keys().filter(|name| name.eq_ignore_ascii_case(&self.attribute.name)).cloned().collect();
            for name in names {
                taken.extend(inner.remove(&name).map(|value| (name, value)));
            }
        }
        let nothing_left = members.is_empty() && !taken.is_empty();
        for (name, value) in taken {
            let plain = name.eq_ignore_ascii_case(&self.attribute.name);
            if plain {
                self.step(operation.op, None, Some(value), operation.index)?;
                continue;
            }
            if !self.normal.rules.path_keys {
                return Err(ScimError::invalid_path(format!(
                    "operation {}: a key is the name of an attribute",
                    operation.index
                )));
            }
            self.normal.note(Coercion::PathKeys);
            let target = super::parse::target(&name, operation.index, self.normal.rules, &mut self.normal.touched)?;
            let single =
                Operation { op: operation.op, target: Some(target), value: Some(value), index: operation.index };
            self.operation(single)?;
        }
        Ok((!nothing_left).then_some(operation))
    }

    fn step(
        &mut self,
        op: Op,
        select: Option<Box<Select>>,
        value: Option<Value>,
        index: usize,
    ) -> Result<(), ScimError> {
        let value = value.filter(|value| !value.is_null());
        let given = match value {
            None => None,
            Some(value) => Some(member_ids(self.attribute, value, self.normal.rules, &mut self.normal.touched)?),
        };
        let edge = match (op, select, given) {
            (Op::Add, None, given) => EdgeOp::Add(given.unwrap_or_default()),
            (Op::Replace, None, given) => EdgeOp::Replace(given.unwrap_or_default()),
            (Op::Remove, None, None) => EdgeOp::RemoveAll,
            (Op::Remove, None, Some(listed)) => {
                if !self.normal.rules.remove_listed {
                    return Err(ScimError::invalid_value(format!("operation {index}: `remove` takes no value")));
                }
                self.normal.note(Coercion::RemoveListed);
                EdgeOp::Remove(listed)
            }
            (Op::Remove, Some(select), _) => selected(select),
            (Op::Add, Some(select), _) => match listed(&select.filter) {
                Some(ids) => EdgeOp::Add(ids),
                None => return Err(ScimError::no_target(format!("operation {index}: the path describes no member"))),
            },
            (Op::Replace, Some(select), given) => {
                self.edges.push(selected(select));
                EdgeOp::Add(given.unwrap_or_default())
            }
        };
        self.edges.push(edge);
        Ok(())
    }
}

fn selected(select: Box<Select>) -> EdgeOp {
    match listed(&select.filter) {
        Some(ids) => EdgeOp::Remove(ids),
        None => EdgeOp::RemoveWhere(select.filter),
    }
}

/// The identifiers of `value eq "a" or value eq "b"`.
fn listed(filter: &Resolved) -> Option<Vec<String>> {
    match filter {
        Resolved::Test { place, test: Test::Compare { op: Comparison::Eq, operand: Operand::Text { given, .. } } }
            if place.attribute.name == "value" =>
        {
            Some(vec![given.clone()])
        }
        Resolved::Or(parts) if parts.len() <= MAX_LISTED => {
            let mut ids = Vec::with_capacity(parts.len());
            for part in parts {
                ids.extend(listed(part)?);
            }
            Some(ids)
        }
        _ => None,
    }
}

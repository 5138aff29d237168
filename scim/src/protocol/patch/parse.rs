//! The message of a PATCH: RFC 7644 §3.5.2.
//!
//! Owns its form. Whether a path names an attribute is decided against the schema, when the operation is applied.

use serde_json::{Map, Value};

use super::operation::{Op, Operation, Target, Touched};
use crate::protocol::error::{ScimError, echo};
use crate::protocol::filter::{Mode, parse_path};
use crate::protocol::rules::{Coercion, Rules};

/// The schema of the message.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The most operations of one message.
pub const MAX_OPERATIONS: usize = 1_000;

/// Reads the message. What switches let pass is noted in `touched`.
///
/// # Errors
/// 400 `invalidSyntax` for what is no such message, 400 `invalidPath` for a path that cannot be read, 413 for too many
/// operations.
pub fn parse(body: Value, rules: &Rules, touched: &mut Touched) -> Result<Vec<Operation>, ScimError> {
    let Value::Object(body) = body else { return Err(ScimError::invalid_syntax("a PATCH is a JSON object")) };
    let mut operations = None;
    let mut named = false;
    for (name, value) in body {
        if name.eq_ignore_ascii_case("Operations") {
            operations = Some(value);
        } else if name.eq_ignore_ascii_case("schemas") {
            let uris = value.as_array().map(Vec::as_slice).unwrap_or_default();
            named = uris.iter().any(|uri| uri.as_str().is_some_and(|uri| uri.eq_ignore_ascii_case(PATCH_OP)));
        }
    }
    if !named {
        if !rules.patch_without_schema {
            return Err(ScimError::invalid_syntax(format!("`schemas` lists `{PATCH_OP}`")));
        }
        touched.note(Coercion::PatchWithoutSchema);
    }
    let Some(Value::Array(operations)) = operations else {
        return Err(ScimError::invalid_syntax("`Operations` is an array"));
    };
    if operations.len() > MAX_OPERATIONS {
        return Err(ScimError::new(413, format!("a PATCH has at most {MAX_OPERATIONS} operations")));
    }
    let read = |(index, value)| match value {
        Value::Object(map) => operation(map, index, rules, touched),
        _ => Err(ScimError::invalid_syntax(format!("operation {index} is no object"))),
    };
    let operations: Vec<Operation> = operations.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
    if operations.is_empty() {
        return Err(ScimError::invalid_syntax("`Operations` is empty"));
    }
    Ok(operations)
}

/// Reads a path.
///
/// # Errors
/// 400 `invalidPath` with the position.
pub(crate) fn target(path: &str, index: usize, rules: &Rules, touched: &mut Touched) -> Result<Target, ScimError> {
    let path = path.trim();
    let strict = parse_path(path, Mode::Strict);
    let read = match strict {
        Err(_) if rules.lenient_filter => {
            parse_path(path, Mode::Lenient).inspect(|_| touched.note(Coercion::LenientFilter))
        }
        other => other,
    };
    read.map_err(|invalid| {
        let (at, why) = (invalid.position, invalid.reason);
        ScimError::invalid_path(format!("operation {index}: path `{}` at octet {at}: {why}", echo(path)))
    })
}

fn operation(
    map: Map<String, Value>,
    index: usize,
    rules: &Rules,
    touched: &mut Touched,
) -> Result<Operation, ScimError> {
    let wrong = |why: &str| ScimError::invalid_syntax(format!("operation {index}: {why}"));
    let (mut op, mut path, mut value) = (None, None, None);
    for (name, given) in map {
        if name.eq_ignore_ascii_case("op") {
            let Value::String(word) = given else { return Err(wrong("`op` is a text")) };
            op = Some(keyword(&word, rules, touched).ok_or_else(|| wrong("`op` is add, remove or replace"))?);
        } else if name.eq_ignore_ascii_case("path") {
            path = match given {
                Value::Null => None,
                Value::String(text) => Some(text),
                _ => return Err(wrong("`path` is a text")),
            };
        } else if name.eq_ignore_ascii_case("value") {
            value = Some(given);
        }
    }
    let op = op.ok_or_else(|| wrong("`op` is missing"))?;
    let target = match path {
        // An empty path is what some clients send for none.
        Some(path) if !path.trim().is_empty() => Some(target(&path, index, rules, touched)?),
        _ => None,
    };
    if op != Op::Remove && value.is_none() {
        return Err(ScimError::invalid_value(format!("operation {index}: `value` is missing")));
    }
    if op == Op::Remove && target.is_none() {
        return Err(ScimError::no_target(format!("operation {index}: `remove` needs a path")));
    }
    Ok(Operation { op, target, value, index })
}

fn keyword(word: &str, rules: &Rules, touched: &mut Touched) -> Option<Op> {
    let known = [("add", Op::Add), ("remove", Op::Remove), ("replace", Op::Replace)];
    if let Some((_, op)) = known.iter().find(|(keyword, _)| *keyword == word) {
        return Some(*op);
    }
    let (_, op) = known.iter().find(|(keyword, _)| rules.op_any_case && keyword.eq_ignore_ascii_case(word))?;
    touched.note(Coercion::OpAnyCase);
    Some(*op)
}

//! From a door's words to a write set: names resolved, values checked against their syntax, ids and times drawn.
//!
//! Passwords are [`super::password`]'s. What is decided here from a snapshot (facts, versions) is named in the set as
//! expected, and looked at again when the set is applied.

use super::{AddOp, Change, Modification, ModificationKind, Op, Subject, Target, ValueOp, WriteSet, fact};
use crate::clock::Now;
use crate::context::Context;
use crate::entry::dn::{Dn, DnKey, InvalidDn, Rdn, RdnKey};
use crate::entry::record::Attribute;
use crate::error::{Reason, Refusal};
use crate::id::WriteSetId;
use crate::lifecycle::{Account, Audience, UserType};
use crate::random::Random;
use crate::schema::attribute::{AttributeType, Storage};
use crate::schema::description::DescriptionError;
use crate::schema::matching::MatchingRule;
use crate::schema::{AttributeDescription, AttributeId, Schema, Syntax};
use uuid::Uuid;

/// The most attributes that one request may name.
pub const ATTRIBUTES: usize = 1_000;
/// The most members that one [`Change::Members`] may name.
pub const MEMBERS: usize = 100_000;
/// The longest value in bytes.
pub const VALUE_BYTES: usize = 4 * 1024 * 1024;

/// A write set around some steps.
pub fn write_set(random: &Random, context: &Context, ops: Vec<Op>) -> WriteSet {
    WriteSet {
        id: write_set_id(random, &context.now),
        actor: context.actor,
        origin: context.origin,
        now: context.now,
        request_id: context.request_id,
        ops,
    }
}

fn write_set_id(random: &Random, now: &Now) -> WriteSetId {
    let time = u128::from(now.wall.0.max(0).cast_unsigned() & 0xffff_ffff_ffff);
    WriteSetId((time << 80) | (u128::from_le_bytes(random.bytes()) >> 48))
}

/// An entryUUID of version 7 (RFC 9562 §5.7): its beginning is the time, so that index keys are appended.
pub fn entry_uuid(random: &Random, now: &Now) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(now.wall.0.max(0).cast_unsigned(), &random.bytes()).into_uuid()
}

/// The subject of a target.
///
/// # Errors
/// `InvalidName`.
pub fn subject(schema: &Schema, target: &Target) -> Result<Subject, Refusal> {
    match target {
        Target::Id(id) => Ok(Subject::Id(*id)),
        Target::Dn(dn) => Ok(Subject::Key(dn_key(schema, dn)?.into_bytes())),
    }
}

/// The subjects of several targets.
///
/// # Errors
/// `InvalidName`; `Limit` for more than [`MEMBERS`].
pub fn subjects(schema: &Schema, targets: &[Target]) -> Result<Vec<Subject>, Refusal> {
    if targets.len() > MEMBERS {
        let limit = Reason::Limit(crate::error::Limit::Administrative);
        return Err(Refusal::new(limit, format!("more than {MEMBERS} members in one change")));
    }
    targets.iter().map(|target| subject(schema, target)).collect()
}

/// The key of a DN.
///
/// # Errors
/// `InvalidName`.
pub fn dn_key(schema: &Schema, dn: &[u8]) -> Result<DnKey, Refusal> {
    DnKey::parse(schema, dn).map_err(|e| invalid_name(&e))
}

fn invalid_name(error: &InvalidDn) -> Refusal {
    Refusal::new(Reason::InvalidName, error.to_string())
}

/// A step, except for its passwords, which are returned apart.
pub struct Prepared {
    /// The step.
    pub op: Op,
    /// What the request says about `userPassword`.
    pub passwords: Vec<ValueOp>,
    /// What it says about [`ACTS`](fact::ACTS).
    pub facts: Vec<ValueOp>,
}

/// Resolves an `Add`.
///
/// # Errors
/// `InvalidName`, `UndefinedAttribute`, `InvalidValue`, `ValueExists`, `Constraint`.
pub fn add(
    schema: &Schema,
    random: &Random,
    now: &Now,
    dn: &[u8],
    attributes: &[(Vec<u8>, Vec<Vec<u8>>)],
) -> Result<(AddOp, Vec<ValueOp>), Refusal> {
    add_taking(schema, random, now, dn, attributes.iter().map(|(name, values)| (name, values.clone())))
}

/// The same, taking the values.
///
/// # Errors
/// As [`add`].
pub fn add_taking(
    schema: &Schema,
    random: &Random,
    now: &Now,
    dn: &[u8],
    attributes: impl IntoIterator<Item = (impl AsRef<[u8]>, Vec<Vec<u8>>), IntoIter: ExactSizeIterator>,
) -> Result<(AddOp, Vec<ValueOp>), Refusal> {
    let attributes = attributes.into_iter();
    let parsed = Dn::parse(dn).map_err(|e| invalid_name(&e))?;
    let key = DnKey::of(schema, &parsed).map_err(|e| invalid_name(&e))?;
    let Some(rdn) = parsed.rdn() else {
        return Err(Refusal::new(Reason::Unwilling, "the root of the tree cannot be added"));
    };
    too_many(attributes.len())?;
    let mut resolved: Vec<Attribute> = Vec::with_capacity(attributes.len());
    let mut passwords = Vec::new();
    for (name, values) in attributes {
        let name = name.as_ref();
        let op = value_op(schema, ModificationKind::Add, name, values)?;
        check_writable(schema, &op)?;
        if op.values.is_empty() {
            return Err(Refusal::new(Reason::InvalidValue, format!("{}: there is no value", text(name))));
        }
        let storage = schema.attribute(op.attribute).storage;
        if storage == Storage::Account {
            return Err(Refusal::new(Reason::Constraint, format!("{}: only the server sets it", text(name))));
        }
        if storage == Storage::Credential {
            passwords.push(op);
        } else if resolved.iter().any(|a| a.id == op.attribute && a.options == op.options) {
            return Err(Refusal::new(Reason::ValueExists, format!("{}: the attribute stands there twice", text(name))));
        } else {
            resolved.push(Attribute { id: op.attribute, options: op.options, values: op.values });
        }
    }
    let op = AddOp {
        rdn: rdn_text(schema, rdn),
        parent_length: key.parent_len(),
        key: key.into_bytes(),
        rdn_values: rdn_values(schema, rdn)?,
        uuid: entry_uuid(random, now),
        attributes: resolved,
        account: Box::new(Account::new(Audience::Person, UserType::Native, now)),
        credential: None,
        created: None,
        suffix: false,
    };
    Ok((op, passwords))
}

/// Resolves a change that is neither an addition nor about an account.
///
/// # Errors
/// As for [`add`].
pub fn resolve(schema: &Schema, change: &Change) -> Result<Prepared, Refusal> {
    let op = match change {
        Change::Modify { target, modifications } => {
            let own = subject(schema, target)?;
            let mut prepared = modify(schema, modifications)?;
            if let Op::Modify { subject, .. } = &mut prepared.op {
                *subject = own;
            }
            return Ok(prepared);
        }
        Change::Rename { target, new_rdn, delete_old, new_superior } => {
            let rdn = Rdn::parse(new_rdn).map_err(|e| invalid_name(&e))?;
            let superior = new_superior.as_ref().map(|dn| dn_key(schema, dn)).transpose()?;
            let subject = subject(schema, target)?;
            let rdn_values = rdn_values(schema, &rdn)?;
            if let (Subject::Key(own), Some(above)) = (&subject, &superior)
                && above.as_bytes().starts_with(own)
            {
                return Err(Refusal::new(Reason::Unwilling, "an entry cannot move below itself"));
            }
            Op::Rename {
                subject,
                rdn_key: RdnKey::of(schema, &rdn).map_err(|e| invalid_name(&e))?.as_bytes().to_vec(),
                rdn_values,
                rdn: rdn_text(schema, &rdn),
                delete_old: *delete_old,
                superior: superior.map(DnKey::into_bytes),
            }
        }
        Change::Delete { target, subtree } => Op::Delete { subject: subject(schema, target)?, subtree: *subtree },
        Change::Add { .. } | Change::Members { .. } | Change::Password { .. } | Change::Account { .. } => {
            return Err(Refusal::new(Reason::Unwilling, "this change is prepared elsewhere"));
        }
    };
    Ok(Prepared { op, passwords: Vec::new(), facts: Vec::new() })
}

fn modify(schema: &Schema, modifications: &[Modification]) -> Result<Prepared, Refusal> {
    too_many(modifications.len())?;
    // All of the request is read before any of it is judged.
    let mut ops = Vec::with_capacity(modifications.len());
    for modification in modifications {
        let op = value_op(schema, modification.kind, &modification.attribute, modification.values.clone())?;
        if op.values.is_empty() && matches!(op.kind, ModificationKind::Add | ModificationKind::Increment) {
            let why = format!("{}: there is no value", text(&modification.attribute));
            return Err(Refusal::new(Reason::InvalidValue, why));
        }
        ops.push(op);
    }
    let (mut values, mut passwords, mut facts) = (Vec::with_capacity(ops.len()), Vec::new(), Vec::new());
    for op in ops {
        check_writable(schema, &op)?;
        match schema.attribute(op.attribute).storage {
            Storage::Credential => passwords.push(op),
            Storage::Account => facts.push(op),
            Storage::Entry | Storage::Edge | Storage::Computed => values.push(op),
        }
    }
    let subject = Subject::Key(Vec::new());
    let op = Op::Modify { subject, expected: None, modifications: values, password: None };
    Ok(Prepared { op, passwords, facts })
}

/// Resolves a description and checks its values.
fn value_op(schema: &Schema, kind: ModificationKind, name: &[u8], values: Vec<Vec<u8>>) -> Result<ValueOp, Refusal> {
    let description = AttributeDescription::parse(schema, name).map_err(|e| match e {
        DescriptionError::Unknown => Refusal::new(Reason::UndefinedAttribute, format!("{} is not known", text(name))),
        DescriptionError::Malformed => {
            Refusal::new(Reason::UndefinedAttribute, format!("{} is not an attribute description", text(name)))
        }
    })?;
    if description.options.iter().any(|option| option.ends_with('-')) {
        return Err(Refusal::new(
            Reason::UndefinedAttribute,
            format!("{}: a range of languages has no values", text(name)),
        ));
    }
    let attribute = schema.attribute(description.id);
    for value in &values {
        check_value(attribute, value)?;
    }
    // A name of an unknown class or with an unknown type could be compared with nothing.
    if crate::access::is_object_class(schema, attribute.id) {
        super::modify::classes_by_name(schema, &values)?;
    } else if let Some(rule @ (MatchingRule::ObjectIdentifierMatch | MatchingRule::DistinguishedNameMatch)) =
        attribute.equality
    {
        for value in &values {
            schema
                .normalize(rule, value, &mut Vec::new())
                .map_err(|e| Refusal::new(Reason::InvalidValue, format!("{}: {e}", attribute.name())))?;
        }
    }
    check_values(schema, attribute, kind, &values)?;
    if attribute.storage != Storage::Entry && !description.options.is_empty() {
        return Err(Refusal::new(Reason::UndefinedAttribute, format!("{}: it has no options", attribute.name())));
    }
    Ok(ValueOp { kind, attribute: description.id, options: description.options.join(";").into_bytes(), values })
}

/// Whether the attribute is one that clients write.
fn check_writable(schema: &Schema, op: &ValueOp) -> Result<(), Refusal> {
    let attribute = schema.attribute(op.attribute);
    let is_act = fact::ACTS.contains(&attribute.name()) && op.kind != ModificationKind::Increment;
    let kept_by_server = matches!(attribute.storage, Storage::Computed)
        || (attribute.storage == Storage::Account && !is_act)
        || (attribute.storage == Storage::Edge && attribute.is_operational());
    if (attribute.no_user_modification && !is_act) || kept_by_server {
        return Err(Refusal::new(Reason::Constraint, format!("{}: only the server sets it", attribute.name())));
    }
    Ok(())
}

/// What a list of new values is refused for whatever the entry holds: more than one of a single-valued type, a value twice.
fn check_values(
    schema: &Schema,
    attribute: &AttributeType,
    kind: ModificationKind,
    values: &[Vec<u8>],
) -> Result<(), Refusal> {
    if kind == ModificationKind::Increment && attribute.syntax != Syntax::Integer {
        return Err(Refusal::new(
            Reason::Constraint,
            format!("{}: only integers can be incremented", attribute.name()),
        ));
    }
    if attribute.storage == Storage::Credential || !matches!(kind, ModificationKind::Add | ModificationKind::Replace) {
        return Ok(());
    }
    if attribute.single_value && values.len() > 1 {
        return Err(Refusal::new(Reason::Constraint, format!("{}: only one value is allowed", attribute.name())));
    }
    if values.len() < 2 {
        return Ok(());
    }
    let mut held: Vec<Vec<u8>> = values.iter().map(|v| super::modify::normal(schema, attribute, v)).collect();
    held.sort_unstable();
    if held.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
        return Err(Refusal::new(Reason::ValueExists, format!("{}: a value stands there twice", attribute.name())));
    }
    Ok(())
}

/// A value obeys its syntax and its length.
///
/// # Errors
/// `InvalidValue`.
pub fn check_value(attribute: &AttributeType, value: &[u8]) -> Result<(), Refusal> {
    if value.len() > VALUE_BYTES {
        return Err(Refusal::new(Reason::InvalidValue, format!("{}: the value is too long", attribute.name())));
    }
    if attribute.storage == Storage::Credential {
        return Ok(());
    }
    attribute
        .syntax
        .validate(value)
        .map_err(|e| Refusal::new(Reason::InvalidValue, format!("{}: {e}", attribute.name())))
}

fn rdn_values(schema: &Schema, rdn: &Rdn) -> Result<Vec<(AttributeId, Vec<u8>)>, Refusal> {
    let mut values = Vec::with_capacity(rdn.avas.len());
    for ava in &rdn.avas {
        let Some(kind) = schema.find_attribute(ava.attribute.as_bytes()) else {
            return Err(Refusal::new(Reason::InvalidName, format!("{} is not known", ava.attribute)));
        };
        check_value(kind, &ava.value)?;
        values.push((kind.id, ava.value.clone()));
    }
    Ok(values)
}

/// The text that an entry is named by from now on: types by their short names (RFC 4514 §2.3), values as they came.
fn rdn_text(schema: &Schema, rdn: &Rdn) -> String {
    let mut rdn = rdn.clone();
    for ava in &mut rdn.avas {
        if let Some(kind) = schema.find_attribute(ava.attribute.as_bytes()) {
            kind.name().clone_into(&mut ava.attribute);
        }
    }
    rdn.to_string()
}

/// Refuses more than [`ATTRIBUTES`].
///
/// # Errors
/// `Limit`.
pub fn too_many(count: usize) -> Result<(), Refusal> {
    if count > ATTRIBUTES {
        let limit = Reason::Limit(crate::error::Limit::Administrative);
        return Err(Refusal::new(limit, format!("more than {ATTRIBUTES} attributes in one request")));
    }
    Ok(())
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name.get(..80).unwrap_or(name)).into_owned()
}

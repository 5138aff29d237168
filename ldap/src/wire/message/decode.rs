//! Octets of one message to [`Message`].
//!
//! The order matters: the envelope first, so that everything after can be answered under the right id; then
//! the structure of the whole, so that no decoder below meets an element that reaches outside its parent;
//! then the operation; the controls last.
#![deny(clippy::arithmetic_side_effects)]

use super::super::ber::{BerError, List, OctetStrings, Reader, Tag, integer};
use super::super::control::{self, ControlListError};
use super::super::filter::{Filter, FilterError};
use super::super::frame::{Limits, StructureError, check_structure};
use super::{
    Add, Attribute, Bind, BodyError, Compare, Credentials, DecodeError, DerefAliases, Extended, Fault, LimitKind,
    Message, MessageId, Modify, ModifyDn, Operation, Request, Scope, Search,
};

/// Decodes one whole message: exactly the octets that [`super::super::frame::peek`] delimited.
///
/// Nothing is allocated. The result borrows `octets`.
pub fn decode<'a>(octets: &'a [u8], limits: &Limits) -> Result<Message<'a>, DecodeError> {
    let fault = |id, operation| move |fault| DecodeError { id, operation, fault };

    let mut fields = envelope(octets).map_err(Fault::Envelope).map_err(fault(None, None))?;
    let id = message_id(&mut fields).map_err(Fault::MessageId).map_err(fault(None, None))?;
    let tag = fields.next_tag();
    let operation = tag.and_then(Operation::from_request_tag);
    let Some(operation) = operation else {
        return Err(fault(Some(id), None)(Fault::Operation(tag)));
    };
    content(octets, operation, fields, limits)
        .map(|(request, controls)| Message { id, request, controls })
        .map_err(fault(Some(id), Some(operation)))
}

fn envelope(octets: &[u8]) -> Result<Reader<'_>, BerError> {
    let mut outer = Reader::new(octets);
    let fields = outer.nested(Tag::SEQUENCE)?;
    outer.finish()?;
    Ok(fields)
}

fn message_id(fields: &mut Reader<'_>) -> Result<MessageId, BerError> {
    MessageId::from_integer(fields.integer(Tag::INTEGER)?)
}

/// Everything after the messageID.
fn content<'a>(
    octets: &'a [u8],
    operation: Operation,
    mut fields: Reader<'a>,
    limits: &Limits,
) -> Result<(Request<'a>, control::Controls<'a>), Fault> {
    check_structure(octets, limits)?;
    let (_, body) = fields.element().map_err(|error| Fault::Structure(error.into()))?;
    let request = request(operation, body, limits)?;
    let controls = control::trailing_controls(fields, limits)?;
    Ok((request, controls))
}

fn request<'a>(operation: Operation, body: &'a [u8], limits: &Limits) -> Result<Request<'a>, Fault> {
    let fields = Reader::new(body);
    Ok(match operation {
        Operation::Bind => Request::Bind(bind(fields)?),
        Operation::Unbind => unbind(body)?,
        Operation::Search => Request::Search(search(fields, limits)?),
        Operation::Modify => Request::Modify(modify(fields)?),
        Operation::Add => Request::Add(add(fields)?),
        Operation::Delete => Request::Delete(body),
        Operation::ModifyDn => Request::ModifyDn(modify_dn(fields)?),
        Operation::Compare => Request::Compare(compare(fields)?),
        Operation::Abandon => {
            Request::Abandon(integer(body).and_then(MessageId::from_integer).map_err(at("messageID"))?)
        }
        Operation::Extended => Request::Extended(extended(fields)?),
    })
}

fn unbind(body: &[u8]) -> Result<Request<'static>, BodyError> {
    if body.is_empty() { Ok(Request::Unbind) } else { Err(at("unbindRequest")(BerError::Trailing)) }
}

fn bind(mut fields: Reader<'_>) -> Result<Bind<'_>, BodyError> {
    let version = fields.integer(Tag::INTEGER).and_then(bind_version).map_err(at("version"))?;
    let name = fields.octet_string().map_err(at("name"))?;
    let credentials = credentials(&mut fields).map_err(at("authentication"))?;
    fields.finish().map_err(at("bindRequest"))?;
    Ok(Bind { version, name, credentials })
}

/// INTEGER (1 .. 127)
fn bind_version(number: i32) -> Result<u8, BerError> {
    match u8::try_from(number) {
        Ok(version @ 1..=127) => Ok(version),
        _ => Err(BerError::Range),
    }
}

fn credentials<'a>(fields: &mut Reader<'a>) -> Result<Credentials<'a>, BerError> {
    const SIMPLE: Tag = Tag::context(0);
    const SASL: Tag = Tag::context_constructed(3);
    // The same choices in the form they cannot have: malformed, not unknown.
    const NOT_SIMPLE: Tag = Tag::context_constructed(0);
    const NOT_SASL: Tag = Tag::context(3);

    match fields.next_tag() {
        Some(SIMPLE) => Ok(Credentials::Simple(fields.expect(SIMPLE)?)),
        Some(SASL) => {
            let mut sasl = fields.nested(SASL)?;
            let mechanism = sasl.octet_string()?;
            let credentials = sasl.optional(Tag::OCTET_STRING)?;
            sasl.finish()?;
            Ok(Credentials::Sasl { mechanism, credentials })
        }
        other @ (None | Some(NOT_SIMPLE | NOT_SASL)) => Err(BerError::Choice(other)),
        Some(_) => Ok(Credentials::Unknown(fields.element()?.0)),
    }
}

fn search<'a>(mut fields: Reader<'a>, limits: &Limits) -> Result<Search<'a>, Fault> {
    let base = fields.octet_string().map_err(at("baseObject"))?;
    let scope = fields.integer(Tag::ENUMERATED).and_then(Scope::from_number).map_err(at("scope"))?;
    let deref = fields.integer(Tag::ENUMERATED).and_then(DerefAliases::from_number).map_err(at("derefAliases"))?;
    let size_limit = fields.unsigned(Tag::INTEGER).map_err(at("sizeLimit"))?;
    let time_limit = fields.unsigned(Tag::INTEGER).map_err(at("timeLimit"))?;
    let types_only = fields.boolean(Tag::BOOLEAN).map_err(at("typesOnly"))?;
    let filter = Filter::read_checked(&mut fields, limits)?;
    let attributes = selection(&mut fields, limits)?;
    fields.finish().map_err(at("searchRequest"))?;
    Ok(Search { base, scope, deref, size_limit, time_limit, types_only, filter, attributes })
}

fn selection<'a>(fields: &mut Reader<'a>, limits: &Limits) -> Result<OctetStrings<'a>, Fault> {
    let content = fields.expect(Tag::SEQUENCE).map_err(at("attributes"))?;
    let attributes = OctetStrings::check(content).map_err(at("attributes"))?;
    // Two octets are the least an element takes: the usual selection is never counted.
    if content.len() / 2 > limits.selection && attributes.count() > limits.selection {
        return Err(Fault::Limit { kind: LimitKind::Selection, limit: limits.selection });
    }
    Ok(attributes)
}

fn modify(mut fields: Reader<'_>) -> Result<Modify<'_>, BodyError> {
    let dn = fields.octet_string().map_err(at("object"))?;
    let changes = fields.expect(Tag::SEQUENCE).and_then(List::check).map_err(at("changes"))?;
    fields.finish().map_err(at("modifyRequest"))?;
    Ok(Modify { dn, changes })
}

fn add(mut fields: Reader<'_>) -> Result<Add<'_>, BodyError> {
    let dn = fields.octet_string().map_err(at("entry"))?;
    let content = fields.expect(Tag::SEQUENCE).map_err(at("attributes"))?;
    let attributes =
        List::check_each(
            content,
            |attribute: Attribute<'_>| {
                if attribute.values.is_empty() { Err(AttributeError::NoValue) } else { Ok(()) }
            },
        )?;
    fields.finish().map_err(at("addRequest"))?;
    Ok(Add { dn, attributes })
}

fn modify_dn(mut fields: Reader<'_>) -> Result<ModifyDn<'_>, BodyError> {
    let dn = fields.octet_string().map_err(at("entry"))?;
    let new_rdn = fields.octet_string().map_err(at("newrdn"))?;
    let delete_old_rdn = fields.boolean(Tag::BOOLEAN).map_err(at("deleteoldrdn"))?;
    let new_superior = fields.optional(Tag::context(0)).map_err(at("newSuperior"))?;
    fields.finish().map_err(at("newSuperior"))?;
    Ok(ModifyDn { dn, new_rdn, delete_old_rdn, new_superior })
}

fn compare(mut fields: Reader<'_>) -> Result<Compare<'_>, BodyError> {
    let dn = fields.octet_string().map_err(at("entry"))?;
    let mut assertion = fields.nested(Tag::SEQUENCE).map_err(at("ava"))?;
    let attribute = assertion.octet_string().map_err(at("attributeDesc"))?;
    let value = assertion.octet_string().map_err(at("assertionValue"))?;
    assertion.finish().map_err(at("ava"))?;
    fields.finish().map_err(at("compareRequest"))?;
    Ok(Compare { dn, attribute, value })
}

fn extended(mut fields: Reader<'_>) -> Result<Extended<'_>, BodyError> {
    let name = fields.expect(Tag::context(0)).map_err(at("requestName"))?;
    let value = fields.optional(Tag::context(1)).map_err(at("requestValue"))?;
    fields.finish().map_err(at("extendedReq"))?;
    Ok(Extended { name, value })
}

/// Says in which field an error lies.
fn at(field: &'static str) -> impl Fn(BerError) -> BodyError {
    move |error| BodyError::Field { field, error }
}

/// What can be wrong with an attribute of an Add.
enum AttributeError {
    Ber(BerError),
    NoValue,
}

impl From<BerError> for AttributeError {
    fn from(error: BerError) -> Self {
        AttributeError::Ber(error)
    }
}

impl From<AttributeError> for BodyError {
    fn from(error: AttributeError) -> Self {
        match error {
            AttributeError::Ber(error) => at("attributes")(error),
            AttributeError::NoValue => BodyError::NoValue,
        }
    }
}

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        Fault::Body(error)
    }
}

impl From<StructureError> for Fault {
    fn from(error: StructureError) -> Self {
        match error {
            StructureError::Elements { limit } => Fault::Limit { kind: LimitKind::Elements, limit },
            StructureError::Ber(_) | StructureError::Nesting { .. } => Fault::Structure(error),
        }
    }
}

impl From<FilterError> for Fault {
    fn from(error: FilterError) -> Self {
        match error {
            FilterError::Depth { limit } => Fault::Limit { kind: LimitKind::FilterDepth, limit },
            FilterError::Nodes { limit } => Fault::Limit { kind: LimitKind::FilterNodes, limit },
            _ => Fault::Body(BodyError::Filter(error)),
        }
    }
}

impl From<ControlListError> for Fault {
    fn from(error: ControlListError) -> Self {
        match error {
            ControlListError::TooMany { limit } => Fault::Limit { kind: LimitKind::Controls, limit },
            _ => Fault::Controls(error),
        }
    }
}

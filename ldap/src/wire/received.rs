//! Responses as a client reads them: for the passwords that another server checks, and for tests.
//!
//! Only what a client of ours needs: results with their controls, and entries. Codes it does not know, control
//! values and texts in any octets are kept, where a client that insists on understanding all would
//! lose the whole message. As strict about structure as the server's side.
#![deny(clippy::arithmetic_side_effects)]

use super::ber::{BerError, List, OctetStrings, Reader, Tag};
use super::control::{ControlListError, Controls, trailing_controls};
use super::frame::{Limits, StructureError, check_structure};
use super::message::{Attribute, MessageId};
use super::result::ResultCode;

/// One LDAPMessage of a server.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Received<'a> {
    /// The request it answers; `None` for an unsolicited notification.
    pub id: Option<MessageId>,
    /// What it says.
    pub body: Body<'a>,
    /// Its controls; no OID occurs twice.
    pub controls: Controls<'a>,
}

/// The response operations.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Body<'a> {
    /// SearchResultEntry
    Entry {
        /// DN of the entry.
        dn: &'a [u8],
        /// Its attributes.
        attributes: List<'a, Attribute<'a>>,
    },
    /// SearchResultReference
    Reference(OctetStrings<'a>),
    /// Any response with an LDAPResult.
    Result(ReceivedResult<'a>),
    /// Anything else, such as an IntermediateResponse: its content.
    Other(Tag, &'a [u8]),
}

/// An LDAPResult with what some responses add to it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ReceivedResult<'a> {
    /// Tag of the response.
    pub tag: Tag,
    /// The code.
    pub code: ResultCode,
    /// The deepest existing entry above the name.
    pub matched_dn: &'a [u8],
    /// For people.
    pub diagnostic: &'a [u8],
    /// LDAP URLs of where to ask.
    pub referral: OctetStrings<'a>,
    /// Of a BindResponse.
    pub server_sasl_credentials: Option<&'a [u8]>,
    /// Of an ExtendedResponse.
    pub name: Option<&'a [u8]>,
    /// Of an ExtendedResponse.
    pub value: Option<&'a [u8]>,
}

/// Why a server's message cannot be read. The client closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReceiveError {
    /// Not an LDAPMessage, or a malformed response.
    #[error("{0}")]
    Ber(#[from] BerError),
    /// The structure does not hold, or there is more than the limits allow.
    #[error("{0}")]
    Structure(#[from] StructureError),
    /// The controls.
    #[error("controls: {0}")]
    Controls(#[from] ControlListError),
}

const ENTRY: Tag = Tag::application_constructed(4);
const REFERENCE: Tag = Tag::application_constructed(19);
const INTERMEDIATE: Tag = Tag::application_constructed(25);
const REFERRAL: Tag = Tag::context_constructed(3);
const SERVER_SASL_CREDENTIALS: Tag = Tag::context(7);
const RESPONSE_NAME: Tag = Tag::context(10);
const RESPONSE_VALUE: Tag = Tag::context(11);

impl<'a> Received<'a> {
    /// Reads one whole message, as delimited by [`super::peek`].
    pub fn decode(octets: &'a [u8], limits: &Limits) -> Result<Self, ReceiveError> {
        check_structure(octets, limits)?;
        let mut outer = Reader::new(octets);
        let mut fields = outer.nested(Tag::SEQUENCE)?;
        outer.finish()?;
        let id = MessageId::new(i32::try_from(fields.unsigned(Tag::INTEGER)?).map_err(|_| BerError::Range)?);
        let (tag, content) = fields.element()?;
        let body = match tag {
            ENTRY => entry(Reader::new(content))?,
            REFERENCE => Body::Reference(OctetStrings::check(content)?),
            INTERMEDIATE => Body::Other(tag, content),
            _ if tag.is_constructed() => Body::Result(ReceivedResult::decode(tag, Reader::new(content))?),
            _ => Body::Other(tag, content),
        };
        let controls = trailing_controls(fields, limits)?;
        Ok(Received { id, body, controls })
    }
}

fn entry(mut fields: Reader<'_>) -> Result<Body<'_>, BerError> {
    let dn = fields.octet_string()?;
    let attributes = List::check(fields.expect(Tag::SEQUENCE)?)?;
    fields.finish()?;
    Ok(Body::Entry { dn, attributes })
}

impl<'a> ReceivedResult<'a> {
    fn decode(tag: Tag, mut fields: Reader<'a>) -> Result<Self, BerError> {
        let code = ResultCode::from_number(fields.unsigned(Tag::ENUMERATED)?);
        let matched_dn = fields.octet_string()?;
        let diagnostic = fields.octet_string()?;
        let referral = fields.optional(REFERRAL)?.map_or(Ok(OctetStrings::EMPTY), OctetStrings::check)?;
        let server_sasl_credentials = fields.optional(SERVER_SASL_CREDENTIALS)?;
        let name = fields.optional(RESPONSE_NAME)?;
        let value = fields.optional(RESPONSE_VALUE)?;
        fields.finish()?;
        Ok(ReceivedResult { tag, code, matched_dn, diagnostic, referral, server_sasl_credentials, name, value })
    }
}

//! What a client asks: the LDAPMessage envelope and the ten request operations (RFC 4511 §4).
//!
//! [`decode`] turns the octets of one whole message, as cut by [`super::frame::peek`], into a [`Message`]
//! that borrows them. Three things can go wrong, and [`DecodeError::reaction`] says what must follow each:
//! the envelope or the structure is broken (Notice of Disconnection and close), the operation alone is
//! malformed (its own response with protocolError, the session goes on), or a limit is exceeded (the same
//! with adminLimitExceeded).
//!
//! RFC 4511 §4 wants unknown trailing components ignored. That holds here for the LDAPMessage itself; inside
//! an operation they are refused with protocolError, because a component that is not understood may be one
//! that narrows the request, and a mistyped `newSuperior` must not become a rename in place.
//!
//! `Debug` shows names, never passwords or values.
#![deny(clippy::arithmetic_side_effects)]

mod debug;
mod decode;
mod encode;
mod error;

pub use decode::decode;
pub use error::{BodyError, DecodeError, Fault, LimitKind, Reaction};

use super::ber::{BerError, List, OctetStrings, Readable, Reader, Tag};
use super::control::Controls;
use super::filter::Filter;
use std::fmt;

/// One LDAPMessage of a client.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Message<'a> {
    /// Chosen by the client; every response carries it.
    pub id: MessageId,
    /// What is asked.
    pub request: Request<'a>,
    /// Controls as sent: known or not, critical or not. No OID occurs twice.
    pub controls: Controls<'a>,
}

/// A messageID other than the 0 of unsolicited notifications: 1 to 2^31-1 (RFC 4511 §4.1.1.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MessageId(i32);

impl MessageId {
    /// `None` for zero and negative numbers.
    pub const fn new(id: i32) -> Option<Self> {
        if id > 0 { Some(MessageId(id)) } else { None }
    }

    /// The number.
    pub const fn value(self) -> i32 {
        self.0
    }

    /// Reads an INTEGER or `[APPLICATION 16]` content.
    pub(in crate::wire) fn from_integer(value: i32) -> Result<Self, BerError> {
        MessageId::new(value).ok_or(BerError::Range)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The request operations, without their content.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operation {
    /// RFC 4511 §4.2
    Bind,
    /// RFC 4511 §4.3
    Unbind,
    /// RFC 4511 §4.5
    Search,
    /// RFC 4511 §4.6
    Modify,
    /// RFC 4511 §4.7
    Add,
    /// RFC 4511 §4.8
    Delete,
    /// RFC 4511 §4.9
    ModifyDn,
    /// RFC 4511 §4.10
    Compare,
    /// RFC 4511 §4.11
    Abandon,
    /// RFC 4511 §4.12
    Extended,
}

impl Operation {
    /// All of them.
    pub const ALL: [Operation; 10] = [
        Operation::Bind,
        Operation::Unbind,
        Operation::Search,
        Operation::Modify,
        Operation::Add,
        Operation::Delete,
        Operation::ModifyDn,
        Operation::Compare,
        Operation::Abandon,
        Operation::Extended,
    ];

    /// The tag of the request.
    pub const fn request_tag(self) -> Tag {
        match self {
            Operation::Bind => Tag::application_constructed(0),
            Operation::Unbind => Tag::application(2),
            Operation::Search => Tag::application_constructed(3),
            Operation::Modify => Tag::application_constructed(6),
            Operation::Add => Tag::application_constructed(8),
            Operation::Delete => Tag::application(10),
            Operation::ModifyDn => Tag::application_constructed(12),
            Operation::Compare => Tag::application_constructed(14),
            Operation::Abandon => Tag::application(16),
            Operation::Extended => Tag::application_constructed(23),
        }
    }

    /// The tag of the response that ends the operation; Unbind and Abandon have none.
    pub const fn response_tag(self) -> Option<Tag> {
        Some(Tag::application_constructed(match self {
            Operation::Bind => 1,
            Operation::Search => 5,
            Operation::Modify => 7,
            Operation::Add => 9,
            Operation::Delete => 11,
            Operation::ModifyDn => 13,
            Operation::Compare => 15,
            Operation::Extended => 24,
            Operation::Unbind | Operation::Abandon => return None,
        }))
    }

    /// The operation whose request carries `tag`.
    pub const fn from_request_tag(tag: Tag) -> Option<Operation> {
        Some(match tag.0 {
            0x60 => Operation::Bind,
            0x42 => Operation::Unbind,
            0x63 => Operation::Search,
            0x66 => Operation::Modify,
            0x68 => Operation::Add,
            0x4a => Operation::Delete,
            0x6c => Operation::ModifyDn,
            0x6e => Operation::Compare,
            0x50 => Operation::Abandon,
            0x77 => Operation::Extended,
            _ => return None,
        })
    }
}

/// One request with its content.
#[derive(Clone, Copy, PartialEq)]
pub enum Request<'a> {
    /// Change who the client is.
    Bind(Bind<'a>),
    /// End the session.
    Unbind,
    /// Read entries.
    Search(Search<'a>),
    /// Change attributes of one entry.
    Modify(Modify<'a>),
    /// Create an entry.
    Add(Add<'a>),
    /// Remove the entry of this DN.
    Delete(&'a [u8]),
    /// Rename or move an entry.
    ModifyDn(ModifyDn<'a>),
    /// Ask whether an entry has a value.
    Compare(Compare<'a>),
    /// Give up the operation of this id.
    Abandon(MessageId),
    /// Anything else, by OID.
    Extended(Extended<'a>),
}

impl Request<'_> {
    /// Which operation this is.
    pub const fn operation(&self) -> Operation {
        match self {
            Request::Bind(_) => Operation::Bind,
            Request::Unbind => Operation::Unbind,
            Request::Search(_) => Operation::Search,
            Request::Modify(_) => Operation::Modify,
            Request::Add(_) => Operation::Add,
            Request::Delete(_) => Operation::Delete,
            Request::ModifyDn(_) => Operation::ModifyDn,
            Request::Compare(_) => Operation::Compare,
            Request::Abandon(_) => Operation::Abandon,
            Request::Extended(_) => Operation::Extended,
        }
    }
}

/// BindRequest (RFC 4511 §4.2).
#[derive(Clone, Copy, PartialEq)]
pub struct Bind<'a> {
    /// 1 to 127. Versions other than 3 are for the operation to refuse with protocolError.
    pub version: u8,
    /// A DN, or whatever the client sent in its place; empty for anonymous and most SASL binds.
    pub name: &'a [u8],
    /// The proof.
    pub credentials: Credentials<'a>,
}

/// AuthenticationChoice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credentials<'a> {
    /// A password in clear; any octets, perhaps none.
    Simple(&'a [u8]),
    /// A SASL mechanism; absent credentials differ from empty ones (RFC 4422 §3).
    Sasl {
        /// The mechanism's name as sent; empty aborts a negotiation.
        mechanism: &'a [u8],
        /// The mechanism's initial or next response.
        credentials: Option<&'a [u8]>,
    },
    /// A choice RFC 4511 does not define: to be answered with authMethodNotSupported.
    Unknown(Tag),
}

/// SearchRequest (RFC 4511 §4.5.1).
#[derive(Clone, Copy, PartialEq)]
pub struct Search<'a> {
    /// DN of the base object.
    pub base: &'a [u8],
    /// How far below the base.
    pub scope: Scope,
    /// What to do with aliases.
    pub deref: DerefAliases,
    /// Most entries wanted; 0 is no limit.
    pub size_limit: u32,
    /// Most seconds wanted; 0 is no limit.
    pub time_limit: u32,
    /// Attribute descriptions without values.
    pub types_only: bool,
    /// Which entries.
    pub filter: Filter<'a>,
    /// Which attributes: descriptions, `*`, `+`, `1.1`; empty means all user attributes.
    pub attributes: OctetStrings<'a>,
}

/// Scope of a search.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scope {
    /// The base object alone.
    Base,
    /// Its immediate subordinates.
    OneLevel,
    /// The base object and everything below.
    Subtree,
    /// Everything below, without the base object (draft-sermersheim-ldap-subordinate-scope-02).
    Subordinates,
}

/// When aliases are followed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DerefAliases {
    /// Not at all.
    Never,
    /// Below the base object, not for finding it.
    InSearching,
    /// For finding the base object, not below.
    FindingBaseObject,
    /// Both.
    Always,
}

/// ModifyRequest (RFC 4511 §4.6).
#[derive(Clone, Copy, PartialEq)]
pub struct Modify<'a> {
    /// DN of the entry.
    pub dn: &'a [u8],
    /// To be made in this order, all or none.
    pub changes: List<'a, Change<'a>>,
}

/// One change of a [`Modify`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Change<'a> {
    /// What to do with the values.
    pub kind: ChangeKind,
    /// Attribute and values; the values may be none.
    pub attribute: Attribute<'a>,
}

/// What a [`Change`] does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ChangeKind {
    /// Add the values.
    Add,
    /// Remove the values, or all when there are none.
    Delete,
    /// Put the values in place of the present ones.
    Replace,
    /// Add the one value to the present number (RFC 4525).
    Increment,
}

/// An attribute description with values (PartialAttribute).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Name or OID, with options.
    pub description: &'a [u8],
    /// Values as sent.
    pub values: OctetStrings<'a>,
}

/// AddRequest (RFC 4511 §4.7).
#[derive(Clone, Copy, PartialEq)]
pub struct Add<'a> {
    /// DN of the new entry.
    pub dn: &'a [u8],
    /// Its attributes, each with at least one value.
    pub attributes: List<'a, Attribute<'a>>,
}

/// ModifyDNRequest (RFC 4511 §4.9).
#[derive(Clone, Copy, PartialEq)]
pub struct ModifyDn<'a> {
    /// DN of the entry.
    pub dn: &'a [u8],
    /// Its new RDN.
    pub new_rdn: &'a [u8],
    /// Whether the values of the old RDN go.
    pub delete_old_rdn: bool,
    /// DN of the new parent; absent to stay.
    pub new_superior: Option<&'a [u8]>,
}

/// CompareRequest (RFC 4511 §4.10).
#[derive(Clone, Copy, PartialEq)]
pub struct Compare<'a> {
    /// DN of the entry.
    pub dn: &'a [u8],
    /// Attribute description.
    pub attribute: &'a [u8],
    /// Assertion value.
    pub value: &'a [u8],
}

/// ExtendedRequest (RFC 4511 §4.12); typed by [`super::extended`].
#[derive(Clone, Copy, PartialEq)]
pub struct Extended<'a> {
    /// The operation's OID as sent.
    pub name: &'a [u8],
    /// Its value; absent differs from empty.
    pub value: Option<&'a [u8]>,
}

impl Scope {
    const fn from_number(number: i32) -> Result<Self, BerError> {
        Ok(match number {
            0 => Scope::Base,
            1 => Scope::OneLevel,
            2 => Scope::Subtree,
            3 => Scope::Subordinates,
            _ => return Err(BerError::Range),
        })
    }
}

impl DerefAliases {
    const fn from_number(number: i32) -> Result<Self, BerError> {
        Ok(match number {
            0 => DerefAliases::Never,
            1 => DerefAliases::InSearching,
            2 => DerefAliases::FindingBaseObject,
            3 => DerefAliases::Always,
            _ => return Err(BerError::Range),
        })
    }
}

impl ChangeKind {
    const fn from_number(number: i32) -> Result<Self, BerError> {
        Ok(match number {
            0 => ChangeKind::Add,
            1 => ChangeKind::Delete,
            2 => ChangeKind::Replace,
            3 => ChangeKind::Increment,
            _ => return Err(BerError::Range),
        })
    }
}

impl<'a> Readable<'a> for Attribute<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, BerError> {
        let mut fields = reader.nested(Tag::SEQUENCE)?;
        let description = fields.octet_string()?;
        let values = OctetStrings::check(fields.expect(Tag::SET)?)?;
        fields.finish()?;
        Ok(Attribute { description, values })
    }
}

impl<'a> Readable<'a> for Change<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, BerError> {
        let mut fields = reader.nested(Tag::SEQUENCE)?;
        let kind = ChangeKind::from_number(fields.integer(Tag::ENUMERATED)?)?;
        let attribute = Attribute::read(&mut fields)?;
        fields.finish()?;
        Ok(Change { kind, attribute })
    }
}

//! Why a message is refused, and what the session owes the client then (RFC 4511 §4.1.1).
//!
//! The fault is for the log; the client learns the code and, in the diagnostic message, the same words:
//! they describe its own octets and nothing of ours.

use super::super::ber::{BerError, Tag, what_stands};
use super::super::control::ControlListError;
use super::super::filter::FilterError;
use super::super::frame::StructureError;
use super::super::response::{self, Response};
use super::super::result::{LdapResult, ResultCode};
use super::{MessageId, Operation};
use bytes::BytesMut;

/// A message that is not carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{fault}")]
pub struct DecodeError {
    /// The messageID, when it was readable.
    pub id: Option<MessageId>,
    /// The operation, when its tag was that of a request.
    pub operation: Option<Operation>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// The outer SEQUENCE is not one, or does not end where the message ends.
    #[error("not an LDAPMessage: {0}")]
    Envelope(BerError),
    /// The messageID is not an INTEGER in 1..2^31-1.
    #[error("messageID: {0}")]
    MessageId(BerError),
    /// The protocolOp is not a request; its tag, if there is one.
    #[error("protocolOp is not a request but {}", what_stands(*.0))]
    Operation(Option<Tag>),
    /// An element ends outside its parent, or has a form LDAP does not use, or lies too deep.
    #[error("broken structure: {0}")]
    Structure(StructureError),
    /// The structure holds; the operation is not what RFC 4511 defines.
    #[error("{0}")]
    Body(BodyError),
    /// The controls are not what RFC 4511 §4.1.11 defines.
    #[error("controls: {0}")]
    Controls(ControlListError),
    /// More than the server is ready to take.
    #[error("more than {limit} {kind}")]
    Limit {
        /// Of what.
        kind: LimitKind,
        /// The bound.
        limit: usize,
    },
}

/// What there can be too much of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LimitKind {
    /// [`super::super::Limits::elements`]
    Elements,
    /// [`super::super::Limits::controls`]
    Controls,
    /// [`super::super::Limits::filter_depth`]
    FilterDepth,
    /// [`super::super::Limits::filter_nodes`]
    FilterNodes,
    /// [`super::super::Limits::selection`]
    Selection,
}

impl std::fmt::Display for LimitKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            LimitKind::Elements => "elements",
            LimitKind::Controls => "controls",
            LimitKind::FilterDepth => "levels of filters",
            LimitKind::FilterNodes => "filters",
            LimitKind::Selection => "selected attributes",
        })
    }
}

/// Which field of an operation is malformed, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BodyError {
    /// A field outside the filter.
    #[error("{field}: {error}")]
    Field {
        /// Its name in RFC 4511.
        field: &'static str,
        /// What is wrong with it.
        error: BerError,
    },
    /// An attribute of an Add has no value.
    #[error("attributes: an attribute without a value")]
    NoValue,
    /// The filter.
    #[error("filter: {0}")]
    Filter(FilterError),
}

/// What the session must do about a message it could not decode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reaction {
    /// Send a Notice of Disconnection with this code and close.
    Disconnect(ResultCode),
    /// Answer this operation with this code; the session goes on. After a Bind it goes on as anonymous
    /// (RFC 4511 §4.2.1).
    Respond {
        /// Of the refused request.
        id: MessageId,
        /// Of the refused request.
        operation: Operation,
        /// protocolError or adminLimitExceeded.
        code: ResultCode,
    },
    /// Nothing: the operation has no response, and the session goes on.
    Ignore,
}

impl DecodeError {
    /// What the session must do.
    pub fn reaction(&self) -> Reaction {
        let code = match self.fault {
            Fault::Limit { .. } => ResultCode::ADMIN_LIMIT_EXCEEDED,
            Fault::Body(_) | Fault::Controls(_) => ResultCode::PROTOCOL_ERROR,
            Fault::Envelope(_) | Fault::MessageId(_) | Fault::Operation(_) | Fault::Structure(_) => {
                return Reaction::Disconnect(ResultCode::PROTOCOL_ERROR);
            }
        };
        match (self.id, self.operation) {
            (None, _) | (_, None | Some(Operation::Unbind)) => Reaction::Disconnect(code),
            (_, Some(Operation::Abandon)) => Reaction::Ignore,
            (Some(id), Some(operation)) => Reaction::Respond { id, operation, code },
        }
    }

    /// Appends what the client must be told, if anything, and says what the session must do.
    pub fn answer(&self, out: &mut BytesMut) -> Reaction {
        let reaction = self.reaction();
        let diagnostic = self.to_string();
        match reaction {
            Reaction::Disconnect(code) => response::notice_of_disconnection(out, code, &diagnostic),
            Reaction::Respond { id, operation, code } => {
                let result = LdapResult::new(code).with_diagnostic(&diagnostic);
                if let Some(response) = Response::to(operation, result) {
                    response.encode(out, id, &[]);
                }
            }
            Reaction::Ignore => {}
        }
        reaction
    }
}

//! The operations, one file each, and the way from an octet string to the one that it asks for.
//!
//! Every file has the same shape: `begin` takes the decoded request and either writes the answer or returns a [`Step`]
//! for the connection to wait on; `finish` writes the answer to what was waited for. Nothing here waits. What an
//! operation may do to entries is `directory`'s decision; the order of the questions is: decodable, permitted on this
//! connection, controls understood, login still good, then the operation itself.

pub(crate) mod abandon;
pub(crate) mod add;
pub(crate) mod bind;
pub(crate) mod change;
pub(crate) mod compare;
pub(crate) mod delete;
pub(crate) mod extended;
pub(crate) mod grant;
pub(crate) mod modify;
pub(crate) mod modify_dn;
pub(crate) mod notice;
pub(crate) mod password;
pub(crate) mod search;
pub(crate) mod start_tls;
pub(crate) mod token;
pub(crate) mod who_am_i;

use crate::{
    control::{self, Controls},
    door::Door,
    result::{self, Outcome},
    session::{Barred, Blind, Session, View},
    settings::Settings,
    wire::{self, Limits, MessageId, Reaction, Request, ResultCode},
};
use bytes::BytesMut;
use directory::context::Context;

/// What can be asked, the extended operations told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// RFC 4511 §4.2.
    Bind,
    /// RFC 4511 §4.3.
    Unbind,
    /// RFC 4511 §4.5.
    Search,
    /// RFC 4511 §4.6.
    Modify,
    /// RFC 4511 §4.7.
    Add,
    /// RFC 4511 §4.8.
    Delete,
    /// RFC 4511 §4.9.
    ModifyDn,
    /// RFC 4511 §4.10.
    Compare,
    /// RFC 4511 §4.11.
    Abandon,
    /// RFC 4511 §4.14.
    StartTls,
    /// RFC 4532.
    WhoAmI,
    /// RFC 3062.
    PasswordModify,
    /// Ours: see [`crate::token_request`].
    Token,
    /// Ours: see [`crate::grant_request`].
    Grant,
    /// An extended operation that is not supported.
    UnknownExtended,
}

impl Operation {
    /// Every operation, in the order of their indexes.
    pub const ALL: [Operation; Operation::COUNT] = [
        Operation::Bind,
        Operation::Unbind,
        Operation::Search,
        Operation::Modify,
        Operation::Add,
        Operation::Delete,
        Operation::ModifyDn,
        Operation::Compare,
        Operation::Abandon,
        Operation::StartTls,
        Operation::WhoAmI,
        Operation::PasswordModify,
        Operation::Token,
        Operation::Grant,
        Operation::UnknownExtended,
    ];
    /// How many there are.
    pub const COUNT: usize = 15;

    /// The place in [`Operation::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// For logs and labels of counters.
    pub const fn name(self) -> &'static str {
        match self {
            Operation::Bind => "bind",
            Operation::Unbind => "unbind",
            Operation::Search => "search",
            Operation::Modify => "modify",
            Operation::Add => "add",
            Operation::Delete => "delete",
            Operation::ModifyDn => "modify_dn",
            Operation::Compare => "compare",
            Operation::Abandon => "abandon",
            Operation::StartTls => "start_tls",
            Operation::WhoAmI => "who_am_i",
            Operation::PasswordModify => "password_modify",
            Operation::Token => "token",
            Operation::Grant => "grant",
            Operation::UnknownExtended => "extended",
        }
    }

    /// The operation that a request asks for.
    fn of(request: &Request<'_>) -> Operation {
        match request {
            Request::Bind(_) => Operation::Bind,
            Request::Unbind => Operation::Unbind,
            Request::Search(_) => Operation::Search,
            Request::Modify(_) => Operation::Modify,
            Request::Add(_) => Operation::Add,
            Request::Delete(_) => Operation::Delete,
            Request::ModifyDn(_) => Operation::ModifyDn,
            Request::Compare(_) => Operation::Compare,
            Request::Abandon(_) => Operation::Abandon,
            Request::Extended(request) => extended::operation(request),
        }
    }

    /// As the wire knows it.
    const fn on_the_wire(self) -> wire::Operation {
        match self {
            Operation::Bind => wire::Operation::Bind,
            Operation::Unbind => wire::Operation::Unbind,
            Operation::Search => wire::Operation::Search,
            Operation::Modify => wire::Operation::Modify,
            Operation::Add => wire::Operation::Add,
            Operation::Delete => wire::Operation::Delete,
            Operation::ModifyDn => wire::Operation::ModifyDn,
            Operation::Compare => wire::Operation::Compare,
            Operation::Abandon => wire::Operation::Abandon,
            Operation::StartTls
            | Operation::WhoAmI
            | Operation::PasswordModify
            | Operation::Token
            | Operation::Grant
            | Operation::UnknownExtended => wire::Operation::Extended,
        }
    }
}

/// What is left to do after [`begin`].
pub(crate) enum Step {
    /// Nothing: the answer, if the operation has one, is in the buffer.
    Answered,
    /// Ask the gate.
    Bind(Box<bind::Pending>),
    /// Ask the write path.
    Change(Box<change::Pending>),
    /// Ask for tokens.
    Token(Box<token::Pending>),
    /// Ask for applications, providers, keys or sessions.
    Grant(Box<grant::Pending>),
    /// Go on with a search.
    Search(Box<search::Running>),
    /// The answer is in the buffer; then TLS.
    StartTls,
    /// The peer has said goodbye.
    Unbind,
    /// A Notice of Disconnection is in the buffer.
    Disconnect,
}

/// One request on its way through: what its answer needs to know.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) message: MessageId,
    pub(crate) operation: Operation,
    pub(crate) context: Context,
    pub(crate) controls: Controls,
    pub(crate) connection: u64,
}

impl Asked {
    /// Writes the answer, counts and logs it.
    pub(crate) fn answer(&self, door: &Door, outcome: &Outcome<'_>, out: &mut BytesMut) {
        let policy = outcome.policy.or_else(|| self.operation.answers_policy().then(Default::default));
        let policy = policy.filter(|_| self.controls.password_policy);
        result::encode(self.operation.on_the_wire(), self.message, outcome, policy, out);
        self.note(door, outcome);
    }

    /// Counts and logs an answer.
    pub(crate) fn note(&self, door: &Door, outcome: &Outcome<'_>) {
        door.metrics.answered(outcome.code.number());
        tracing::debug!(
            connection = self.connection,
            request_id = self.context.request_id,
            message = self.message.value(),
            operation = self.operation.name(),
            code = outcome.code.number(),
            detail = outcome.detail,
            "answered"
        );
    }
}

impl Operation {
    /// The password-policy draft wants its response control on these whenever the client sent the request control.
    const fn answers_policy(self) -> bool {
        matches!(self, Operation::Bind | Operation::Add | Operation::Modify | Operation::PasswordModify)
    }
}

/// The limits of the wire for a session in its present state.
pub(crate) fn limits(session: &Session, settings: &Settings) -> Limits {
    let message_octets = session.request_bound(settings);
    let base = if session.login().is_anonymous() { Limits::BEFORE_BIND } else { Limits::AFTER_BIND };
    Limits { message_octets, ..base }
}

/// Carries out one complete request, or begins to. `behind` is the number of octets that have arrived after it.
pub(crate) fn begin(door: &Door, session: &mut Session, pdu: &[u8], behind: usize, out: &mut BytesMut) -> Step {
    let limits = limits(session, &door.settings);
    let message = match wire::decode(pdu, &limits) {
        Ok(message) => message,
        Err(error) => return malformed(door, session, &error, out),
    };
    let operation = Operation::of(&message.request);
    door.metrics.requested(operation);
    match message.request {
        // RFC 4511 §4.1.11: controls of these two are ignored, whatever their criticality.
        Request::Unbind => return Step::Unbind,
        Request::Abandon(_) => return Step::Answered,
        _ => {}
    }
    let context = door.context(&session.peer, session.confidential(), session.actor());
    let mut asked = Asked {
        message: message.id,
        operation,
        context,
        controls: Controls::default(),
        connection: session.peer.connection,
    };
    if operation == Operation::Bind {
        // Whatever becomes of it, the old login has ended (RFC 4511 §4.2.1).
        session.begin_bind();
        asked.context.actor = session.actor();
    }
    let page = match control::read(&message.controls, operation, &limits) {
        Ok((controls, page)) => {
            asked.controls = controls;
            page
        }
        Err(outcome) => {
            asked.answer(door, &outcome, out);
            return Step::Answered;
        }
    };
    match message.request {
        Request::Unbind | Request::Abandon(_) => Step::Answered,
        Request::Bind(request) => bind::begin(door, session, asked, &request, out),
        Request::Search(request) => search::begin(door, session, asked, &request, page, out),
        Request::Compare(request) => compare::begin(door, session, &asked, &request, out),
        Request::Add(request) => add::begin(door, session, asked, &request, out),
        Request::Modify(request) => modify::begin(door, session, asked, &request, out),
        Request::ModifyDn(request) => modify_dn::begin(door, session, asked, &request, out),
        Request::Delete(dn) => delete::begin(door, session, asked, dn, out),
        Request::Extended(request) => extended::begin(door, session, asked, &request, behind, out),
    }
}

/// Whether an operation may begin on this connection and its login is still good. Otherwise the answer is written.
pub(crate) fn admit(door: &Door, session: &mut Session, asked: &Asked, out: &mut BytesMut) -> Result<View, Step> {
    if let Some(barred) = session.bar(asked.operation, door.settings.require_tls) {
        asked.answer(door, &barred_outcome(barred), out);
        return Err(Step::Answered);
    }
    match session.view(door, &asked.context) {
        Ok(view) => Ok(view),
        Err(Blind::Revoked) => {
            tracing::info!(connection = asked.connection, request_id = asked.context.request_id, "the login has ended");
            notice::revoked(out);
            Err(Step::Disconnect)
        }
        Err(Blind::Failed(refusal)) => {
            asked.answer(door, &Outcome::refused(&refusal, asked.operation), out);
            Err(Step::Answered)
        }
    }
}

pub(crate) fn barred_outcome(barred: Barred) -> Outcome<'static> {
    match barred {
        Barred::Confidentiality => Outcome::new(ResultCode::CONFIDENTIALITY_REQUIRED, "TLS is required"),
        Barred::PasswordChange => Outcome::change_password_first(),
    }
}

fn malformed(door: &Door, session: &mut Session, error: &wire::DecodeError, out: &mut BytesMut) -> Step {
    tracing::debug!(connection = session.peer.connection, %error, "a request that cannot be read");
    if error.operation == Some(wire::Operation::Bind) {
        session.begin_bind();
    }
    match error.answer(out) {
        Reaction::Disconnect(_) => {
            door.metrics.protocol_error();
            Step::Disconnect
        }
        Reaction::Respond { code, .. } => {
            door.metrics.answered(code.number());
            Step::Answered
        }
        Reaction::Ignore => Step::Answered,
    }
}

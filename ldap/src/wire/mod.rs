//! The LDAP protocol on the wire: octets in, values out, and back (RFC 4511).
//!
//! Pure: no I/O, no clock, no configuration beyond [`frame::Limits`], and no knowledge of the directory.
//! A received message passes three gates, each cheaper than what it protects:
//!
//! ```text
//! frame::peek            where does the message end, and may it be that long?       → disconnect
//! frame::check_structure does every child end inside its parent, within the limits? → disconnect, or 11
//! message::decode        is it a request of RFC 4511?                               → protocolError(2)
//! ```
//!
//! What comes out borrows from the received octets and allocates nothing: a [`Message`] with its
//! [`Request`], its [`filter::Filter`] and its [`control::Control`]s, all in bytes, because passwords and
//! assertion values need not be text. Meaning (DNs, schema, which controls an operation supports) is for the caller.
//!
//! Answers are appended to the connection's buffer in one pass by [`result`] and, for the entries of a
//! search, by [`entry`]. Strictness is argued in [`ber`] and [`message`].

pub mod ber;
pub mod control;
pub mod entry;
pub mod extended;
pub mod filter;
pub mod frame;
pub mod message;
pub mod oid;
pub mod received;
pub mod response;
pub mod result;
#[cfg(test)]
mod tests;

pub use frame::{Frame, Limits, peek};
pub use message::{DecodeError, Message, MessageId, Operation, Reaction, Request, decode};
pub use response::Response;
pub use result::{LdapResult, ResultCode};

//! Notices of Disconnection (RFC 4511 §4.4.1): the last thing that a connection says.

use crate::wire::{ResultCode, response::notice_of_disconnection};
use bytes::BytesMut;

/// The octets are not LDAP.
pub(crate) fn protocol_error(out: &mut BytesMut) {
    notice_of_disconnection(out, ResultCode::PROTOCOL_ERROR, "not an LDAP message");
}

/// The login of this connection has ended.
pub(crate) fn revoked(out: &mut BytesMut) {
    notice_of_disconnection(out, ResultCode::STRONGER_AUTH_REQUIRED, "this login has ended");
}

/// Nothing was asked for too long.
pub(crate) fn idle(out: &mut BytesMut) {
    notice_of_disconnection(out, ResultCode::UNAVAILABLE, "idle for too long");
}

/// The server goes down.
pub(crate) fn shutdown(out: &mut BytesMut) {
    notice_of_disconnection(out, ResultCode::UNAVAILABLE, "the server is shutting down");
}

/// There is no room for this connection.
pub(crate) fn busy(out: &mut BytesMut) {
    notice_of_disconnection(out, ResultCode::BUSY, "too many connections");
}

/// Octets in clear came behind a StartTLS request.
pub(crate) fn plaintext_behind_start_tls(out: &mut BytesMut) {
    notice_of_disconnection(out, ResultCode::OPERATIONS_ERROR, "nothing may follow StartTLS before its answer");
}

//! Extended operations whose values are understood: StartTLS, Who am I?, Password Modify, Cancel.
//!
//! [`ExtendedOperation::decode`] reads the value of a request by its OID. An unknown OID is not an error here: the
//! operation answers it with protocolError (RFC 4511 §4.12), and so it answers a malformed value.
#![deny(clippy::arithmetic_side_effects)]

use super::ber::{BerError, Reader, Tag, Writer};
use super::message::{Extended, MessageId};
use bytes::BytesMut;
use std::fmt;

/// OIDs of extended requests and responses.
pub mod oids {
    /// StartTLS, RFC 4511 §4.14
    pub const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
    /// Notice of Disconnection, RFC 4511 §4.4.1
    pub const NOTICE_OF_DISCONNECTION: &str = "1.3.6.1.4.1.1466.20036";
    /// Password Modify, RFC 3062
    pub const PASSWORD_MODIFY: &str = "1.3.6.1.4.1.4203.1.11.1";
    /// Who am I?, RFC 4532
    pub const WHO_AM_I: &str = "1.3.6.1.4.1.4203.1.11.3";
    /// Cancel, RFC 3909
    pub const CANCEL: &str = "1.3.6.1.1.8";
}

/// An extended request whose value is understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExtendedOperation<'a> {
    /// Protect the connection (RFC 4511 §4.14).
    StartTls,
    /// Tell the authorization identity (RFC 4532). The response value is the authzId, without a name.
    WhoAmI,
    /// Change a password (RFC 3062).
    PasswordModify(PasswordModify<'a>),
    /// Give up the operation of this id, and say so (RFC 3909).
    Cancel(MessageId),
}

impl<'a> ExtendedOperation<'a> {
    /// Reads the value of `request`; `None` for an OID not known here.
    pub fn decode(request: &Extended<'a>) -> Result<Option<Self>, BerError> {
        let name = str::from_utf8(request.name).unwrap_or_default();
        Ok(Some(match name {
            oids::START_TLS => without_value(request, ExtendedOperation::StartTls)?,
            oids::WHO_AM_I => without_value(request, ExtendedOperation::WhoAmI)?,
            oids::PASSWORD_MODIFY => ExtendedOperation::PasswordModify(PasswordModify::decode(request.value)?),
            oids::CANCEL => ExtendedOperation::Cancel(decode_cancel(request.value)?),
            _ => return Ok(None),
        }))
    }
}

fn without_value<'a>(
    request: &Extended<'a>,
    operation: ExtendedOperation<'a>,
) -> Result<ExtendedOperation<'a>, BerError> {
    if request.value.unwrap_or_default().is_empty() { Ok(operation) } else { Err(BerError::Trailing) }
}

/// cancelRequestValue ::= SEQUENCE { cancelID MessageID }
fn decode_cancel(value: Option<&[u8]>) -> Result<MessageId, BerError> {
    let mut value = Reader::new(value.unwrap_or_default());
    let mut fields = value.nested(Tag::SEQUENCE)?;
    let id = MessageId::from_integer(fields.integer(Tag::INTEGER)?)?;
    fields.finish()?;
    value.finish()?;
    Ok(id)
}

/// PasswdModifyRequestValue (RFC 3062 §2.1). Everything in it may be left out; absent differs from empty.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct PasswordModify<'a> {
    /// Whose password: a DN or whatever the client uses as a name; absent means the client's own.
    pub user_identity: Option<&'a [u8]>,
    /// The present password.
    pub old_password: Option<&'a [u8]>,
    /// The new password; absent asks the server to make one.
    pub new_password: Option<&'a [u8]>,
}

const USER_IDENTITY: Tag = Tag::context(0);
const OLD_PASSWORD: Tag = Tag::context(1);
const NEW_PASSWORD: Tag = Tag::context(2);
const GENERATED_PASSWORD: Tag = Tag::context(0);

impl<'a> PasswordModify<'a> {
    /// Reads the request value; none at all leaves everything out.
    pub fn decode(value: Option<&'a [u8]>) -> Result<Self, BerError> {
        let Some(value) = value else { return Ok(PasswordModify::default()) };
        let mut value = Reader::new(value);
        let mut fields = value.nested(Tag::SEQUENCE)?;
        let user_identity = fields.optional(USER_IDENTITY)?;
        let old_password = fields.optional(OLD_PASSWORD)?;
        let new_password = fields.optional(NEW_PASSWORD)?;
        fields.finish()?;
        value.finish()?;
        Ok(PasswordModify { user_identity, old_password, new_password })
    }

    /// Writes the request value, as a client does.
    pub fn encode(&self, w: &mut Writer<'_>) {
        let fields =
            [(USER_IDENTITY, self.user_identity), (OLD_PASSWORD, self.old_password), (NEW_PASSWORD, self.new_password)];
        w.nested(Tag::SEQUENCE, |w| {
            for (tag, content) in fields {
                if let Some(content) = content {
                    w.octets(tag, content);
                }
            }
        });
    }
}

/// The value of the response to a Password Modify for which the server made the password (RFC 3062 §2.2).
/// Otherwise the response has no value.
pub fn generated_password(password: &[u8]) -> BytesMut {
    let mut value = BytesMut::new();
    Writer::new(&mut value).nested(Tag::SEQUENCE, |w| w.octets(GENERATED_PASSWORD, password));
    value
}

/// Shows which passwords are there, never what they are.
impl fmt::Debug for PasswordModify<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordModify")
            .field("user_identity", &self.user_identity.map(|name| name.escape_ascii().to_string()))
            .field("old_password", &self.old_password.is_some())
            .field("new_password", &self.new_password.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request<'a>(name: &'a str, value: Option<&'a [u8]>) -> Extended<'a> {
        Extended { name: name.as_bytes(), value }
    }

    /// Goal: each known OID reads its own value and refuses every other.
    #[test]
    fn values_by_oid() {
        let cancel_7: &[u8] = b"\x30\x03\x02\x01\x07";
        let cancel_0: &[u8] = b"\x30\x03\x02\x01\x00";
        let cases = [
            (oids::START_TLS, None, Ok(Some(ExtendedOperation::StartTls))),
            (oids::START_TLS, Some(&b"x"[..]), Err(BerError::Trailing)),
            (oids::WHO_AM_I, Some(&b""[..]), Ok(Some(ExtendedOperation::WhoAmI))),
            (oids::CANCEL, Some(cancel_7), Ok(MessageId::new(7).map(ExtendedOperation::Cancel))),
            (oids::CANCEL, Some(cancel_0), Err(BerError::Range)),
            (oids::CANCEL, None, Err(BerError::Expected { expected: Tag::SEQUENCE, found: None })),
            ("1.2.3", Some(&b"x"[..]), Ok(None)),
            ("", None, Ok(None)),
        ];
        for (name, value, expected) in cases {
            assert_eq!(ExtendedOperation::decode(&request(name, value)), expected, "{name} {value:02x?}");
        }
    }

    /// Goal: A25 – a Password Modify whose fields are out of order, repeated or mistyped is refused, and one
    /// without a new password differs from one with an empty one.
    #[test]
    fn a25_password_modify_is_exact() {
        let decode = |value: &'static [u8]| PasswordModify::decode(Some(value));
        assert_eq!(PasswordModify::decode(None), Ok(PasswordModify::default()));
        assert_eq!(decode(b"\x30\x00"), Ok(PasswordModify::default()));
        let empty = decode(b"\x30\x02\x82\x00").unwrap();
        assert_eq!(empty.new_password, Some(&b""[..]));
        assert_eq!(decode(b"\x30\x03\x82\x01\xe9").unwrap().new_password, Some(&b"\xe9"[..]));
        for wrong in [
            &b""[..],
            b"\x30\x04\x82\x00\x81\x00",
            b"\x30\x04\x82\x00\x82\x00",
            b"\x30\x02\x83\x00",
            b"\x30\x02\x04\x00",
            b"\x30\x00\x00",
            b"\x30\x03\x82\x02x",
        ] {
            assert!(decode(wrong).is_err(), "{wrong:02x?}");
        }
    }

    /// Goal: passwords never show in debug output.
    #[test]
    fn passwords_are_hidden() {
        let request = PasswordModify { old_password: Some(b"hunter2"), ..PasswordModify::default() };
        assert!(!format!("{request:?}").contains("hunter2"));
    }

    proptest! {
        /// Goal: what is encoded decodes to the same, with any octets.
        #[test]
        fn password_modify_survives(fields in any::<[Option<Vec<u8>>; 3]>()) {
            let [user_identity, old_password, new_password] = &fields;
            let request = PasswordModify {
                user_identity: user_identity.as_deref(),
                old_password: old_password.as_deref(),
                new_password: new_password.as_deref(),
            };
            let mut value = BytesMut::new();
            request.encode(&mut Writer::new(&mut value));
            prop_assert_eq!(PasswordModify::decode(Some(&value)), Ok(request));
        }
    }
}

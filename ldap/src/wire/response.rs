//! Responses to octets: everything a server sends except the entries of a search (RFC 4511 §4).
//!
//! [`Response::encode`] appends one whole message to the connection's buffer. Entries have an encoder of
//! their own, [`super::entry`], because they are many and large.

use super::ber::{Tag, Writer};
use super::control::{ResponseControl, encode_response_controls};
use super::extended;
use super::message::{MessageId, Operation};
use super::result::{LdapResult, ResultCode};
use bytes::BytesMut;

/// One response.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Response<'a> {
    /// BindResponse (§4.2.2)
    Bind {
        /// How it ended.
        result: LdapResult<'a>,
        /// The SASL mechanism's next challenge or last word; absent differs from empty.
        server_sasl_credentials: Option<&'a [u8]>,
    },
    /// SearchResultDone (§4.5.2)
    SearchDone(LdapResult<'a>),
    /// SearchResultReference (§4.5.3): LDAP URLs, at least one.
    SearchReference(&'a [&'a str]),
    /// ModifyResponse (§4.6)
    Modify(LdapResult<'a>),
    /// AddResponse (§4.7)
    Add(LdapResult<'a>),
    /// DelResponse (§4.8)
    Delete(LdapResult<'a>),
    /// ModifyDNResponse (§4.9)
    ModifyDn(LdapResult<'a>),
    /// CompareResponse (§4.10)
    Compare(LdapResult<'a>),
    /// ExtendedResponse (§4.12)
    Extended {
        /// How it ended.
        result: LdapResult<'a>,
        /// OID of the response, where its specification wants one.
        name: Option<&'a str>,
        /// Value of the response; absent differs from empty.
        value: Option<&'a [u8]>,
    },
    /// IntermediateResponse (§4.13)
    Intermediate {
        /// OID of the response.
        name: Option<&'a str>,
        /// Value of the response.
        value: Option<&'a [u8]>,
    },
}

impl<'a> Response<'a> {
    /// The response that ends `operation` with `result` and nothing more; `None` for Unbind and Abandon,
    /// which have none.
    pub const fn to(operation: Operation, result: LdapResult<'a>) -> Option<Self> {
        Some(match operation {
            Operation::Bind => Response::Bind { result, server_sasl_credentials: None },
            Operation::Search => Response::SearchDone(result),
            Operation::Modify => Response::Modify(result),
            Operation::Add => Response::Add(result),
            Operation::Delete => Response::Delete(result),
            Operation::ModifyDn => Response::ModifyDn(result),
            Operation::Compare => Response::Compare(result),
            Operation::Extended => Response::Extended { result, name: None, value: None },
            Operation::Unbind | Operation::Abandon => return None,
        })
    }

    /// Appends the message with this id to `out`.
    pub fn encode(&self, out: &mut BytesMut, id: MessageId, controls: &[ResponseControl<'_>]) {
        self.encode_with_id(out, id.value(), controls);
    }

    fn encode_with_id(&self, out: &mut BytesMut, id: i32, controls: &[ResponseControl<'_>]) {
        Writer::new(out).nested(Tag::SEQUENCE, |w| {
            w.integer(Tag::INTEGER, id.into());
            w.nested(self.tag(), |w| self.encode_body(w));
            encode_response_controls(w, controls);
        });
    }

    const fn tag(&self) -> Tag {
        Tag::application_constructed(match self {
            Response::Bind { .. } => 1,
            Response::SearchDone(_) => 5,
            Response::SearchReference(_) => 19,
            Response::Modify(_) => 7,
            Response::Add(_) => 9,
            Response::Delete(_) => 11,
            Response::ModifyDn(_) => 13,
            Response::Compare(_) => 15,
            Response::Extended { .. } => 24,
            Response::Intermediate { .. } => 25,
        })
    }

    fn encode_body(&self, w: &mut Writer<'_>) {
        const SERVER_SASL_CREDENTIALS: Tag = Tag::context(7);
        const RESPONSE_NAME: Tag = Tag::context(10);
        const RESPONSE_VALUE: Tag = Tag::context(11);
        const INTERMEDIATE_NAME: Tag = Tag::context(0);
        const INTERMEDIATE_VALUE: Tag = Tag::context(1);

        match self {
            Response::Bind { result, server_sasl_credentials } => {
                result.encode(w);
                optional(w, SERVER_SASL_CREDENTIALS, *server_sasl_credentials);
            }
            Response::SearchDone(result)
            | Response::Modify(result)
            | Response::Add(result)
            | Response::Delete(result)
            | Response::ModifyDn(result)
            | Response::Compare(result) => result.encode(w),
            Response::SearchReference(uris) => uris.iter().for_each(|uri| w.octet_string(uri.as_bytes())),
            Response::Extended { result, name, value } => {
                result.encode(w);
                optional(w, RESPONSE_NAME, name.map(str::as_bytes));
                optional(w, RESPONSE_VALUE, *value);
            }
            Response::Intermediate { name, value } => {
                optional(w, INTERMEDIATE_NAME, name.map(str::as_bytes));
                optional(w, INTERMEDIATE_VALUE, *value);
            }
        }
    }
}

fn optional(w: &mut Writer<'_>, tag: Tag, content: Option<&[u8]>) {
    if let Some(content) = content {
        w.octets(tag, content);
    }
}

/// Appends the Notice of Disconnection, after which the server closes (RFC 4511 §4.4.1).
///
/// `code` is protocolError, strongerAuthRequired or unavailable.
pub fn notice_of_disconnection(out: &mut BytesMut, code: ResultCode, diagnostic: &str) {
    const UNSOLICITED: i32 = 0;
    let result = LdapResult::new(code).with_diagnostic(diagnostic);
    Response::Extended { result, name: Some(extended::oids::NOTICE_OF_DISCONNECTION), value: None }.encode_with_id(
        out,
        UNSOLICITED,
        &[],
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: octet for octet, the shortest encoding of the commonest answers.
    #[test]
    fn exact_octets() {
        let mut out = BytesMut::new();
        let id = MessageId::new(2).unwrap();
        Response::SearchDone(ResultCode::SUCCESS.into()).encode(&mut out, id, &[]);
        assert_eq!(&out[..], b"\x30\x0c\x02\x01\x02\x65\x07\x0a\x01\x00\x04\x00\x04\x00");

        out.clear();
        notice_of_disconnection(&mut out, ResultCode::PROTOCOL_ERROR, "");
        let mut expected = b"\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x02\x04\x00\x04\x00\x8a\x16".to_vec();
        expected.extend_from_slice(b"1.3.6.1.4.1.1466.20036");
        assert_eq!(&out[..], expected);
    }

    /// Goal: every operation that has a response gets the one whose tag RFC 4511 pairs with it.
    #[test]
    fn responses_match_their_requests() {
        for operation in Operation::ALL {
            let response = Response::to(operation, ResultCode::BUSY.into());
            assert_eq!(response.map(|response| response.tag()), operation.response_tag(), "{operation:?}");
        }
    }
}

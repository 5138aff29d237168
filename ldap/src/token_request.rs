//! The extended operation by which administrators make, list, replace and revoke API tokens over LDAP.
//!
//! Owns its OID and its values; what a token is and who may have one is `directory::token`'s. Answered by
//! `operation::token`, asked by `rollbook token` over `ldapi://`. A secret stands in the one answer that makes it, so the
//! connection must be confidential.
//!
//! ```text
//! TokenRequest ::= CHOICE {
//!     create  [0] SEQUENCE {
//!         tenant   [0] OCTET STRING OPTIONAL,   -- name or DN; absent: the only naming context
//!         account  [1] LDAPDN OPTIONAL,         -- absent: a provisioning account of the tenant, named by the label
//!         label    OCTET STRING,
//!         seconds  INTEGER,                     -- how long it is good
//!         write    BOOLEAN,
//!         dialect  OCTET STRING,                -- empty: the door's default
//!         types    SEQUENCE OF OCTET STRING },  -- empty: all resource types
//!     list    [1] OCTET STRING,                 -- empty
//!     rotate  [2] SEQUENCE { token OCTET STRING, overlap INTEGER },
//!     revoke  [3] OCTET STRING }
//!
//! TokenResponse ::= SEQUENCE {
//!     secret  [0] OCTET STRING OPTIONAL,        -- create, rotate
//!     tokens  SEQUENCE OF SEQUENCE {            -- the new one; all; none
//!         id OCTET STRING, account LDAPDN, label OCTET STRING,
//!         write BOOLEAN, dialect OCTET STRING, types SEQUENCE OF OCTET STRING,
//!         created OCTET STRING, expires OCTET STRING,      -- GeneralizedTime
//!         base         [0] LDAPDN OPTIONAL,                -- what it reaches; absent: what the account reaches
//!         lastUse      [1] OCTET STRING OPTIONAL,
//!         predecessor  [2] OCTET STRING OPTIONAL } }
//! ```
#![deny(clippy::arithmetic_side_effects)]

use crate::wire::ber::{BerError, Reader, Tag, Writer};
use std::fmt;

/// `requestName`. The response has no name.
pub const OID: &str = "1.3.6.1.4.1.61441.1.10.2";

const CREATE: Tag = Tag::context_constructed(0);
const LIST: Tag = Tag::context(1);
const ROTATE: Tag = Tag::context_constructed(2);
const REVOKE: Tag = Tag::context(3);
const TENANT: Tag = Tag::context(0);
const ACCOUNT: Tag = Tag::context(1);
const SECRET: Tag = Tag::context(0);
const BASE: Tag = Tag::context(0);
const LAST_USE: Tag = Tag::context(1);
const PREDECESSOR: Tag = Tag::context(2);
/// Names of resource types in a request.
const TYPES: usize = 64;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRequest {
    /// A new token.
    Create(Create),
    /// All of them.
    List,
    /// A successor.
    Rotate {
        /// Id of the token.
        token: String,
        /// Seconds that it is good beside its successor.
        overlap: u32,
    },
    /// The end of one.
    Revoke {
        /// Id of the token.
        token: String,
    },
}

/// A token to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Create {
    /// Name or DN of the tenant that it reaches; none: the only naming context.
    pub tenant: Option<String>,
    /// DN of its account; none: a provisioning account of the tenant, made when there is none of that label.
    pub account: Option<String>,
    /// What it is for.
    pub label: String,
    /// How long it is good.
    pub seconds: u32,
    /// It may write.
    pub write: bool,
    /// The client's dialect.
    pub dialect: String,
    /// The resource types that it may touch; none: all.
    pub types: Vec<String>,
}

/// What is answered.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TokenResponse {
    /// The new token with its secret.
    pub secret: Option<String>,
    /// The tokens.
    pub tokens: Vec<Shown>,
}

/// A token as administrators see it. Times are GeneralizedTime.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// DN of its account.
    pub account: String,
    /// What it is for.
    pub label: String,
    /// It may write.
    pub write: bool,
    /// The client's dialect; empty: the door's default.
    pub dialect: String,
    /// The resource types that it may touch; none: all.
    pub types: Vec<String>,
    /// When it was made.
    pub created: String,
    /// Until when it is good.
    pub expires: String,
    /// DN of what it reaches; none: what the account reaches.
    pub base: Option<String>,
    /// When it was last used.
    pub last_use: Option<String>,
    /// The token that it replaces.
    pub predecessor: Option<String>,
}

impl TokenRequest {
    /// Reads the value of a request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(value: &[u8]) -> Result<TokenRequest, BerError> {
        let mut value = Reader::new(value);
        let request = match value.next_tag() {
            Some(CREATE) => TokenRequest::Create(Create::decode(value.nested(CREATE)?)?),
            Some(LIST) if value.expect(LIST)?.is_empty() => TokenRequest::List,
            Some(ROTATE) => {
                let mut fields = value.nested(ROTATE)?;
                let token = text(fields.octet_string()?)?;
                let overlap = fields.unsigned(Tag::INTEGER)?;
                fields.finish()?;
                TokenRequest::Rotate { token, overlap }
            }
            Some(REVOKE) => TokenRequest::Revoke { token: text(value.expect(REVOKE)?)? },
            other => return Err(BerError::Choice(other)),
        };
        value.finish()?;
        Ok(request)
    }

    /// Writes the value of a request.
    pub fn encode(&self, w: &mut Writer<'_>) {
        match self {
            TokenRequest::Create(create) => w.nested(CREATE, |w| {
                optional(w, TENANT, create.tenant.as_deref());
                optional(w, ACCOUNT, create.account.as_deref());
                w.octet_string(create.label.as_bytes());
                w.integer(Tag::INTEGER, create.seconds.into());
                w.boolean(Tag::BOOLEAN, create.write);
                w.octet_string(create.dialect.as_bytes());
                texts(w, &create.types);
            }),
            TokenRequest::List => w.octets(LIST, &[]),
            TokenRequest::Rotate { token, overlap } => w.nested(ROTATE, |w| {
                w.octet_string(token.as_bytes());
                w.integer(Tag::INTEGER, (*overlap).into());
            }),
            TokenRequest::Revoke { token } => w.octets(REVOKE, token.as_bytes()),
        }
    }
}

impl Create {
    fn decode(mut fields: Reader<'_>) -> Result<Create, BerError> {
        let create = Create {
            tenant: fields.optional(TENANT)?.map(text).transpose()?,
            account: fields.optional(ACCOUNT)?.map(text).transpose()?,
            label: text(fields.octet_string()?)?,
            seconds: fields.unsigned(Tag::INTEGER)?,
            write: fields.boolean(Tag::BOOLEAN)?,
            dialect: text(fields.octet_string()?)?,
            types: series(&mut fields)?,
        };
        fields.finish()?;
        Ok(create)
    }
}

impl TokenResponse {
    /// Reads the value of a response.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(value: &[u8]) -> Result<TokenResponse, BerError> {
        let mut value = Reader::new(value);
        let mut fields = value.nested(Tag::SEQUENCE)?;
        let secret = fields.optional(SECRET)?.map(text).transpose()?;
        let mut listed = fields.nested(Tag::SEQUENCE)?;
        let mut tokens = Vec::new();
        while !listed.is_empty() {
            tokens.push(Shown::decode(listed.nested(Tag::SEQUENCE)?)?);
        }
        fields.finish()?;
        value.finish()?;
        Ok(TokenResponse { secret, tokens })
    }

    /// Writes the value of a response.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.nested(Tag::SEQUENCE, |w| {
            optional(w, SECRET, self.secret.as_deref());
            w.nested(Tag::SEQUENCE, |w| self.tokens.iter().for_each(|token| token.encode(w)));
        });
    }
}

impl Shown {
    fn decode(mut fields: Reader<'_>) -> Result<Shown, BerError> {
        let shown = Shown {
            id: text(fields.octet_string()?)?,
            account: text(fields.octet_string()?)?,
            label: text(fields.octet_string()?)?,
            write: fields.boolean(Tag::BOOLEAN)?,
            dialect: text(fields.octet_string()?)?,
            types: series(&mut fields)?,
            created: text(fields.octet_string()?)?,
            expires: text(fields.octet_string()?)?,
            base: fields.optional(BASE)?.map(text).transpose()?,
            last_use: fields.optional(LAST_USE)?.map(text).transpose()?,
            predecessor: fields.optional(PREDECESSOR)?.map(text).transpose()?,
        };
        fields.finish()?;
        Ok(shown)
    }

    fn encode(&self, w: &mut Writer<'_>) {
        w.nested(Tag::SEQUENCE, |w| {
            for part in [&self.id, &self.account, &self.label] {
                w.octet_string(part.as_bytes());
            }
            w.boolean(Tag::BOOLEAN, self.write);
            w.octet_string(self.dialect.as_bytes());
            texts(w, &self.types);
            w.octet_string(self.created.as_bytes());
            w.octet_string(self.expires.as_bytes());
            optional(w, BASE, self.base.as_deref());
            optional(w, LAST_USE, self.last_use.as_deref());
            optional(w, PREDECESSOR, self.predecessor.as_deref());
        });
    }
}

/// The secret is there, never what it is.
impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse").field("secret", &self.secret.is_some()).field("tokens", &self.tokens).finish()
    }
}

fn text(octets: &[u8]) -> Result<String, BerError> {
    str::from_utf8(octets).map(str::to_owned).map_err(|_| BerError::Range)
}

fn series(fields: &mut Reader<'_>) -> Result<Vec<String>, BerError> {
    let mut items = fields.nested(Tag::SEQUENCE)?;
    let mut found = Vec::new();
    while !items.is_empty() {
        if found.len() >= TYPES {
            return Err(BerError::Range);
        }
        found.push(text(items.octet_string()?)?);
    }
    Ok(found)
}

fn texts(w: &mut Writer<'_>, items: &[String]) {
    w.nested(Tag::SEQUENCE, |w| items.iter().for_each(|item| w.octet_string(item.as_bytes())));
}

fn optional(w: &mut Writer<'_>, tag: Tag, part: Option<&str>) {
    if let Some(part) = part {
        w.octets(tag, part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;

    fn create() -> Create {
        let types = vec!["User".to_owned(), "Group".to_owned()];
        let (label, dialect) = ("Entra für alle".to_owned(), "entra".to_owned());
        Create { tenant: Some("north".into()), account: None, label, seconds: 86_400, write: true, dialect, types }
    }

    #[test]
    fn requests_and_responses_survive() {
        // Goal: what is written is read back, and Debug shows no secret.
        let token = || "abcdefghijkm".to_owned();
        let requests = [
            TokenRequest::Create(create()),
            TokenRequest::Create(Create { tenant: None, account: Some("cn=x".into()), types: Vec::new(), ..create() }),
            TokenRequest::List,
            TokenRequest::Rotate { token: token(), overlap: 0 },
            TokenRequest::Revoke { token: token() },
        ];
        for request in requests {
            let mut octets = BytesMut::new();
            request.encode(&mut Writer::new(&mut octets));
            assert_eq!(TokenRequest::decode(&octets), Ok(request));
        }
        let full = Shown {
            id: token(),
            account: "cn=entra,dc=x".into(),
            label: "Entra".into(),
            write: true,
            dialect: "entra".into(),
            types: vec!["User".into()],
            created: "20261121225800Z".into(),
            expires: "20271121225800Z".into(),
            base: Some("dc=x".into()),
            last_use: Some("20261121225801Z".into()),
            predecessor: Some(token()),
        };
        let bare = Shown { base: None, last_use: None, predecessor: None, types: Vec::new(), ..full.clone() };
        for response in [
            TokenResponse::default(),
            TokenResponse { secret: Some("rbs_hunter2".into()), tokens: vec![full.clone()] },
            TokenResponse { secret: None, tokens: vec![full, bare] },
        ] {
            let mut octets = BytesMut::new();
            response.encode(&mut Writer::new(&mut octets));
            assert!(!format!("{response:?}").contains("hunter2"));
            assert_eq!(TokenResponse::decode(&octets), Ok(response));
        }
    }

    #[test]
    fn nothing_else_is_a_request() {
        // Goal: unknown choices, missing and further fields, numbers and texts out of range are refused.
        let mut whole = BytesMut::new();
        TokenRequest::Create(create()).encode(&mut Writer::new(&mut whole));
        let cut: Vec<Vec<u8>> = (0..whole.len()).map(|end| whole.get(..end).unwrap().to_vec()).collect();
        let cases: [&[u8]; 7] = [
            &[0x84, 0],
            &[0x81, 1, 0],
            &[0x83, 1, 0xff],
            &[0x81, 0, 0x81, 0],
            &[0xa2, 2, 0x04, 0],
            &[0xa2, 5, 0x04, 0, 0x02, 1, 0xff],
            &[0xa2, 7, 0x04, 0, 0x02, 1, 0, 0x04, 0],
        ];
        for octets in cases.into_iter().chain(cut.iter().map(Vec::as_slice)) {
            assert!(TokenRequest::decode(octets).is_err(), "{octets:02x?}");
        }
    }
}

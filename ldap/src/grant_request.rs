//! The extended operation by which administrators keep applications, providers, signing keys, sessions and fuses over LDAP.
//!
//! Owns its OID and its values; what is done is `directory`'s. Answered by `operation::grant`, asked by `rollbook
//! application`, `provider`, `keys` and `session` over `ldapi://`. A secret stands in requests and answers, so the
//! connection must be confidential.
//!
//! ```text
//! GrantRequest  ::= SEQUENCE { act OCTET STRING, details SEQUENCE OF Detail }  -- act: `application create` and so on
//! GrantResponse ::= SEQUENCE OF SEQUENCE OF Detail                             -- one for each thing that is shown
//! Detail        ::= SEQUENCE { name OCTET STRING, value OCTET STRING }         -- a name with several values repeats
//! ```
#![deny(clippy::arithmetic_side_effects)]

use crate::wire::ber::{BerError, Reader, Tag, Writer};

/// `requestName`. The response has no name.
pub const OID: &str = "1.3.6.1.4.1.61441.1.10.4";
/// Details in one request.
const DETAILS: usize = 256;

/// Names and values.
pub type Details = Vec<(String, String)>;

/// What is asked for.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct GrantRequest {
    /// `application create` and so on.
    pub act: String,
    /// What for.
    pub details: Details,
}

/// What is answered.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct GrantResponse {
    /// One for each thing that is shown.
    pub shown: Vec<Details>,
}

impl GrantRequest {
    /// The first value of a name.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.details.iter().filter(move |(of, _)| of == name).map(|(_, value)| value.as_str())
    }

    /// Reads the value of a request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(value: &[u8]) -> Result<GrantRequest, BerError> {
        let mut value = Reader::new(value);
        let mut fields = value.nested(Tag::SEQUENCE)?;
        let act = text(fields.octet_string()?)?;
        let details = details(fields.nested(Tag::SEQUENCE)?, DETAILS)?;
        if fields.next_tag().is_some() || value.next_tag().is_some() {
            return Err(BerError::Range);
        }
        Ok(GrantRequest { act, details })
    }

    /// Writes the value of a request.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.nested(Tag::SEQUENCE, |w| {
            w.octet_string(self.act.as_bytes());
            write(w, &self.details);
        });
    }
}

impl GrantResponse {
    /// Reads the value of a response.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(value: &[u8]) -> Result<GrantResponse, BerError> {
        let mut items = Reader::new(value).nested(Tag::SEQUENCE)?;
        let mut shown = Vec::new();
        while items.next_tag().is_some() {
            shown.push(details(items.nested(Tag::SEQUENCE)?, usize::MAX)?);
        }
        Ok(GrantResponse { shown })
    }

    /// Writes the value of a response.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.nested(Tag::SEQUENCE, |w| self.shown.iter().for_each(|one| write(w, one)));
    }
}

fn write(w: &mut Writer<'_>, details: &Details) {
    w.nested(Tag::SEQUENCE, |w| {
        for (name, value) in details {
            w.nested(Tag::SEQUENCE, |w| {
                w.octet_string(name.as_bytes());
                w.octet_string(value.as_bytes());
            });
        }
    });
}

fn details(mut items: Reader<'_>, most: usize) -> Result<Details, BerError> {
    let mut found = Vec::new();
    while items.next_tag().is_some() {
        let mut pair = items.nested(Tag::SEQUENCE)?;
        found.push((text(pair.octet_string()?)?, text(pair.octet_string()?)?));
        if pair.next_tag().is_some() || found.len() > most {
            return Err(BerError::Range);
        }
    }
    Ok(found)
}

fn text(octets: &[u8]) -> Result<String, BerError> {
    str::from_utf8(octets).map(str::to_owned).map_err(|_| BerError::Range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;

    /// Goal: both values are read back as they were written, and nothing that is cut or longer is one.
    #[test]
    fn values_are_read_back() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let details = vec![pair("name", "wiki"), pair("scope", "openid"), pair("scope", "email")];
        let request = GrantRequest { act: "application create".into(), details: details.clone() };
        let mut value = BytesMut::new();
        request.encode(&mut Writer::new(&mut value));
        let Ok(read) = GrantRequest::decode(&value) else { unreachable!() };
        assert!(read == request && read.all("scope").count() == 2 && read.one("name") == Some("wiki"));
        for cut in 0..value.len() {
            assert!(GrantRequest::decode(value.get(..cut).unwrap_or_default()).is_err(), "{cut}");
        }
        value.extend_from_slice(&[4, 0]);
        assert!(GrantRequest::decode(&value).is_err());
        let response = GrantResponse { shown: vec![details, Vec::new()] };
        let mut value = BytesMut::new();
        response.encode(&mut Writer::new(&mut value));
        assert!(GrantResponse::decode(&value).is_ok_and(|read| read == response));
    }
}

//! The extended operation by which administrators act on an account's life cycle over LDAP.
//!
//! Owns its OID and its value; what an act means and who may ask for it is `directory`'s. Answered by
//! `operation::account`, asked by `rollbook account` over `ldapi://`.
//!
//! ```text
//! AccountAct ::= SEQUENCE {
//!     account   LDAPDN,
//!     act       ENUMERATED { disable(0), enable(1), unlock(2), lock(3), delete(4), forceChange(5) },
//!     password  [0] OCTET STRING OPTIONAL,     -- enable, unlock
//!     months    [1] INTEGER (0..1200) OPTIONAL -- delete: until the purge; absent: the policy's
//! }
//! ```
#![deny(clippy::arithmetic_side_effects)]

use crate::wire::ber::{BerError, Reader, Tag, Writer};
use std::fmt;

/// `requestName`. The response has no name and no value.
pub const OID: &str = "1.3.6.1.4.1.61441.1.10.1";

const PASSWORD: Tag = Tag::context(0);
const MONTHS: Tag = Tag::context(1);
/// A hundred years.
const MOST_MONTHS: u16 = 1200;

/// An act on an account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccountAct<'a> {
    /// DN of the account.
    pub account: &'a [u8],
    /// What to do with it.
    pub verb: Verb<'a>,
}

/// What to do with an account (requirements §2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verb<'a> {
    /// End its logins and sessions.
    Disable,
    /// Let it in again, with a new password when there is one.
    Enable(Option<&'a [u8]>),
    /// Lift its lock, with a new password when there is one.
    Unlock(Option<&'a [u8]>),
    /// Stop its logins.
    Lock,
    /// Delete it; months until the purge.
    Delete(Option<u16>),
    /// Make it change its password at the next login.
    ForceChange,
}

impl<'a> AccountAct<'a> {
    /// Reads the value of a request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(value: &'a [u8]) -> Result<AccountAct<'a>, BerError> {
        let mut value = Reader::new(value);
        let mut fields = value.nested(Tag::SEQUENCE)?;
        let account = fields.octet_string()?;
        let number = fields.unsigned(Tag::ENUMERATED)?;
        let verb = match number {
            0 => Verb::Disable,
            1 => Verb::Enable(fields.optional(PASSWORD)?),
            2 => Verb::Unlock(fields.optional(PASSWORD)?),
            3 => Verb::Lock,
            4 => Verb::Delete(months(&mut fields)?),
            5 => Verb::ForceChange,
            _ => return Err(BerError::Range),
        };
        fields.finish()?;
        value.finish()?;
        Ok(AccountAct { account, verb })
    }

    /// Writes the value of a request.
    pub fn encode(&self, w: &mut Writer<'_>) {
        let (number, password, months) = match self.verb {
            Verb::Disable => (0, None, None),
            Verb::Enable(password) => (1, password, None),
            Verb::Unlock(password) => (2, password, None),
            Verb::Lock => (3, None, None),
            Verb::Delete(months) => (4, None, months),
            Verb::ForceChange => (5, None, None),
        };
        w.nested(Tag::SEQUENCE, |w| {
            w.octet_string(self.account);
            w.integer(Tag::ENUMERATED, number);
            if let Some(password) = password {
                w.octets(PASSWORD, password);
            }
            if let Some(months) = months {
                w.integer(MONTHS, months.into());
            }
        });
    }
}

fn months(fields: &mut Reader<'_>) -> Result<Option<u16>, BerError> {
    if fields.next_tag() != Some(MONTHS) {
        return Ok(None);
    }
    match u16::try_from(fields.unsigned(MONTHS)?) {
        Ok(months) if months <= MOST_MONTHS => Ok(Some(months)),
        _ => Err(BerError::Range),
    }
}

/// The act and the account, never a password.
impl fmt::Debug for AccountAct<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.verb {
            Verb::Disable => "disable",
            Verb::Enable(_) => "enable",
            Verb::Unlock(_) => "unlock",
            Verb::Lock => "lock",
            Verb::Delete(_) => "delete",
            Verb::ForceChange => "force change",
        };
        write!(f, "{verb} {}", self.account.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;

    #[test]
    fn every_act_survives() {
        // Goal: what is written is read back, and Debug shows no password.
        let verbs = [
            Verb::Disable,
            Verb::Enable(None),
            Verb::Enable(Some(b"hunter2")),
            Verb::Unlock(None),
            Verb::Unlock(Some(b"hunter2")),
            Verb::Lock,
            Verb::Delete(None),
            Verb::Delete(Some(0)),
            Verb::Delete(Some(1200)),
            Verb::ForceChange,
        ];
        for verb in verbs {
            let act = AccountAct { account: b"uid=ada,dc=x", verb };
            let mut octets = BytesMut::new();
            act.encode(&mut Writer::new(&mut octets));
            assert_eq!(AccountAct::decode(&octets), Ok(act));
            assert!(!format!("{act:?}").contains("hunter2"));
        }
    }

    #[test]
    fn nothing_else_is_an_act() {
        // Goal: unknown acts, fields that do not belong to the act, and months out of range are refused.
        let cases: [&[u8]; 7] = [
            b"",
            &[0x30, 0],
            &[0x30, 0x05, 0x04, 0, 0x0a, 1, 6],
            &[0x30, 0x07, 0x04, 0, 0x0a, 1, 0, 0x80, 0],
            &[0x30, 0x08, 0x04, 0, 0x0a, 1, 1, 0x81, 1, 5],
            &[0x30, 0x09, 0x04, 0, 0x0a, 1, 4, 0x81, 2, 0x04, 0xb1],
            &[0x30, 0x05, 0x04, 0, 0x0a, 1, 3, 0x00],
        ];
        for octets in cases {
            assert!(AccountAct::decode(octets).is_err(), "{octets:02x?}");
        }
    }
}

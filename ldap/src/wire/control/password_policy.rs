//! The password policy response (draft-behera-ldap-password-policy-10 §6.2).
//!
//! ```text
//! PasswordPolicyResponseValue ::= SEQUENCE {
//!     warning [0] CHOICE { timeBeforeExpiration [0] INTEGER, graceAuthNsRemaining [1] INTEGER } OPTIONAL,
//!     error   [1] ENUMERATED OPTIONAL }
//! ```
//!
//! The request has no value. Which warning or error an account earns is decided by the life cycle.
#![deny(clippy::arithmetic_side_effects)]

use super::super::ber::{BerError, Reader, Tag, Writer};

/// What the client is told about the password. Both fields empty is the normal answer: the server knows
/// the control, and nothing is to be said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PasswordPolicyResponse {
    /// The password will stop working.
    pub warning: Option<PasswordPolicyWarning>,
    /// Why the operation failed, or what must be done next.
    pub error: Option<PasswordPolicyError>,
}

/// How long the password still works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordPolicyWarning {
    /// Seconds until it expires.
    TimeBeforeExpiration(u32),
    /// Binds left with the expired password.
    GraceAuthNsRemaining(u32),
}

/// PasswordPolicyResponseValue.error.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PasswordPolicyError {
    /// 0: the password has expired.
    PasswordExpired,
    /// 1: the account is locked.
    AccountLocked,
    /// 2: the password must be changed before anything else.
    ChangeAfterReset,
    /// 3: the user may not change the password.
    PasswordModNotAllowed,
    /// 4: the old password must be given.
    MustSupplyOldPassword,
    /// 5: the password does not meet the quality rules.
    InsufficientPasswordQuality,
    /// 6: the password is too short.
    PasswordTooShort,
    /// 7: the present password was set too recently.
    PasswordTooYoung,
    /// 8: the password was used before.
    PasswordInHistory,
}

const WARNING: Tag = Tag::context_constructed(0);
const ERROR: Tag = Tag::context(1);
const TIME_BEFORE_EXPIRATION: Tag = Tag::context(0);
const GRACE_AUTHNS_REMAINING: Tag = Tag::context(1);

impl PasswordPolicyResponse {
    /// Reads a control value, as a client does.
    pub fn decode(value: &[u8]) -> Result<Self, BerError> {
        let mut value = Reader::new(value);
        let mut fields = value.nested(Tag::SEQUENCE)?;
        let warning = fields.optional(WARNING)?.map(PasswordPolicyWarning::decode).transpose()?;
        let error = match fields.next_tag() {
            Some(ERROR) => Some(PasswordPolicyError::from_number(fields.unsigned(ERROR)?)?),
            _ => None,
        };
        fields.finish()?;
        value.finish()?;
        Ok(PasswordPolicyResponse { warning, error })
    }

    /// Writes the control value.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.nested(Tag::SEQUENCE, |w| {
            match self.warning {
                Some(PasswordPolicyWarning::TimeBeforeExpiration(seconds)) => {
                    w.nested(WARNING, |w| w.integer(TIME_BEFORE_EXPIRATION, seconds.into()));
                }
                Some(PasswordPolicyWarning::GraceAuthNsRemaining(binds)) => {
                    w.nested(WARNING, |w| w.integer(GRACE_AUTHNS_REMAINING, binds.into()));
                }
                None => {}
            }
            if let Some(error) = self.error {
                w.integer(ERROR, error.number().into());
            }
        });
    }
}

impl PasswordPolicyWarning {
    fn decode(content: &[u8]) -> Result<Self, BerError> {
        let mut fields = Reader::new(content);
        let warning = match fields.next_tag() {
            Some(TIME_BEFORE_EXPIRATION) => Self::TimeBeforeExpiration(fields.unsigned(TIME_BEFORE_EXPIRATION)?),
            Some(GRACE_AUTHNS_REMAINING) => Self::GraceAuthNsRemaining(fields.unsigned(GRACE_AUTHNS_REMAINING)?),
            other => return Err(BerError::Choice(other)),
        };
        fields.finish()?;
        Ok(warning)
    }
}

impl PasswordPolicyError {
    /// All of them, in the order of their numbers.
    pub const ALL: [PasswordPolicyError; 9] = [
        PasswordPolicyError::PasswordExpired,
        PasswordPolicyError::AccountLocked,
        PasswordPolicyError::ChangeAfterReset,
        PasswordPolicyError::PasswordModNotAllowed,
        PasswordPolicyError::MustSupplyOldPassword,
        PasswordPolicyError::InsufficientPasswordQuality,
        PasswordPolicyError::PasswordTooShort,
        PasswordPolicyError::PasswordTooYoung,
        PasswordPolicyError::PasswordInHistory,
    ];

    /// The number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            PasswordPolicyError::PasswordExpired => 0,
            PasswordPolicyError::AccountLocked => 1,
            PasswordPolicyError::ChangeAfterReset => 2,
            PasswordPolicyError::PasswordModNotAllowed => 3,
            PasswordPolicyError::MustSupplyOldPassword => 4,
            PasswordPolicyError::InsufficientPasswordQuality => 5,
            PasswordPolicyError::PasswordTooShort => 6,
            PasswordPolicyError::PasswordTooYoung => 7,
            PasswordPolicyError::PasswordInHistory => 8,
        }
    }

    fn from_number(number: u32) -> Result<Self, BerError> {
        let index = usize::try_from(number).map_err(|_| BerError::Range)?;
        Self::ALL.get(index).copied().ok_or(BerError::Range)
    }
}

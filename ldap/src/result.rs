//! The one place where a reason of the domain becomes a result code (RFC 4511 appendix A).
//!
//! Owns the mapping, by an exhaustive match, and the last step before the wire: an [`Outcome`] with its controls
//! appended to the connection's buffer. Texts for the log stay here; only `message` and `matched` go out.

use crate::{
    operation::Operation,
    wire::{
        self, LdapResult, MessageId, Response, ResultCode,
        control::{PagedResults, PasswordPolicyError, PasswordPolicyResponse, ResponseControl},
    },
};
use bytes::BytesMut;
use directory::error::{Limit, PasswordReason, Reason, Refusal};

/// How an operation ended, as far as the peer and the log are concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome<'a> {
    pub(crate) code: ResultCode,
    /// RFC 4511 §4.1.9 `matchedDN`.
    pub(crate) matched: &'a str,
    /// `diagnosticMessage`.
    pub(crate) message: &'a str,
    /// For the log.
    pub(crate) detail: Option<&'a str>,
    /// What the password-policy response says, if the request had the control.
    pub(crate) policy: Option<PasswordPolicyResponse>,
}

impl<'a> Outcome<'a> {
    pub(crate) const fn new(code: ResultCode, message: &'a str) -> Outcome<'a> {
        Outcome { code, matched: "", message, detail: None, policy: None }
    }

    pub(crate) const fn success() -> Outcome<'static> {
        Outcome::new(ResultCode::SUCCESS, "")
    }

    /// Nothing else is allowed until the password is changed (requirement 2.10).
    pub(crate) const fn change_password_first() -> Outcome<'static> {
        Outcome {
            policy: Some(says(PasswordPolicyError::ChangeAfterReset)),
            ..Outcome::new(ResultCode::INSUFFICIENT_ACCESS_RIGHTS, "the password must be changed first")
        }
    }

    /// A refusal of the domain.
    pub(crate) fn refused(refusal: &'a Refusal, operation: Operation) -> Outcome<'a> {
        let (matched, policy) = match &refusal.reason {
            Reason::NoSuchEntry { matched } => (matched.as_str(), None),
            Reason::Password(reason) => ("", Some(says(policy_error(*reason)))),
            _ => ("", None),
        };
        Outcome {
            code: code(&refusal.reason, operation),
            matched,
            message: &refusal.message,
            detail: refusal.detail.as_deref(),
            policy,
        }
    }
}

const fn says(error: PasswordPolicyError) -> PasswordPolicyResponse {
    PasswordPolicyResponse { warning: None, error: Some(error) }
}

fn code(reason: &Reason, operation: Operation) -> ResultCode {
    match reason {
        Reason::NoSuchEntry { .. } => ResultCode::NO_SUCH_OBJECT,
        Reason::EntryExists => ResultCode::ENTRY_ALREADY_EXISTS,
        // For a client that adds, a taken name is an account that is there already; for one that modifies, a bad value.
        Reason::NameTaken { .. } if operation == Operation::Add => ResultCode::ENTRY_ALREADY_EXISTS,
        Reason::NameTaken { .. } | Reason::Constraint => ResultCode::CONSTRAINT_VIOLATION,
        Reason::HasChildren => ResultCode::NOT_ALLOWED_ON_NON_LEAF,
        Reason::InvalidName => ResultCode::INVALID_DN_SYNTAX,
        Reason::NamingViolation => ResultCode::NAMING_VIOLATION,
        Reason::ClassViolation => ResultCode::OBJECT_CLASS_VIOLATION,
        Reason::ClassChange => ResultCode::OBJECT_CLASS_MODS_PROHIBITED,
        Reason::NotAllowedOnRdn => ResultCode::NOT_ALLOWED_ON_RDN,
        Reason::UndefinedAttribute => ResultCode::UNDEFINED_ATTRIBUTE_TYPE,
        Reason::InvalidValue => ResultCode::INVALID_ATTRIBUTE_SYNTAX,
        Reason::ValueExists => ResultCode::ATTRIBUTE_OR_VALUE_EXISTS,
        Reason::NoSuchValue => ResultCode::NO_SUCH_ATTRIBUTE,
        Reason::InappropriateMatching => ResultCode::INAPPROPRIATE_MATCHING,
        Reason::NotAllowed => ResultCode::INSUFFICIENT_ACCESS_RIGHTS,
        Reason::Unwilling => ResultCode::UNWILLING_TO_PERFORM,
        Reason::Password(reason) => match reason {
            PasswordReason::ChangeAfterReset
            | PasswordReason::ModificationNotAllowed
            | PasswordReason::MustSupplyOld => ResultCode::INSUFFICIENT_ACCESS_RIGHTS,
            PasswordReason::InsufficientQuality
            | PasswordReason::TooShort
            | PasswordReason::TooYoung
            | PasswordReason::InHistory => ResultCode::CONSTRAINT_VIOLATION,
        },
        Reason::Limit(Limit::Size) => ResultCode::SIZE_LIMIT_EXCEEDED,
        Reason::Limit(Limit::Time) => ResultCode::TIME_LIMIT_EXCEEDED,
        Reason::Limit(Limit::Administrative) => ResultCode::ADMIN_LIMIT_EXCEEDED,
        // Without an assertion control, to which this would be `assertionFailed`, trying again is the way on.
        Reason::Conflict | Reason::Busy => ResultCode::BUSY,
        Reason::Store => ResultCode::UNAVAILABLE,
    }
}

/// The password-policy draft's number for a reason.
pub(crate) const fn policy_error(reason: PasswordReason) -> PasswordPolicyError {
    match reason {
        PasswordReason::ChangeAfterReset => PasswordPolicyError::ChangeAfterReset,
        PasswordReason::ModificationNotAllowed => PasswordPolicyError::PasswordModNotAllowed,
        PasswordReason::MustSupplyOld => PasswordPolicyError::MustSupplyOldPassword,
        PasswordReason::InsufficientQuality => PasswordPolicyError::InsufficientPasswordQuality,
        PasswordReason::TooShort => PasswordPolicyError::PasswordTooShort,
        PasswordReason::TooYoung => PasswordPolicyError::PasswordTooYoung,
        PasswordReason::InHistory => PasswordPolicyError::PasswordInHistory,
    }
}

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
            Reason::NoSuchEntry { matched } | Reason::AliasProblem { matched } => (matched.as_str(), None),
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
        Reason::AliasProblem { .. } => ResultCode::ALIAS_PROBLEM,
        Reason::InappropriateMatching => ResultCode::INAPPROPRIATE_MATCHING,
        Reason::WrongPassword => ResultCode::INVALID_CREDENTIALS,
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
        Reason::Conflict | Reason::Stale | Reason::Busy => ResultCode::BUSY,
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

/// Appends the response of an operation.
pub(crate) fn encode(
    operation: wire::Operation,
    message: MessageId,
    outcome: &Outcome<'_>,
    policy: Option<PasswordPolicyResponse>,
    out: &mut BytesMut,
) {
    if let Some(response) = Response::to(operation, ldap_result(outcome)) {
        append(response, message, policy, None, out);
    }
}

/// Appends an extended response with its name and value.
pub(crate) fn encode_extended(
    message: MessageId,
    outcome: &Outcome<'_>,
    name: Option<&str>,
    value: Option<&[u8]>,
    policy: Option<PasswordPolicyResponse>,
    out: &mut BytesMut,
) {
    append(Response::Extended { result: ldap_result(outcome), name, value }, message, policy, None, out);
}

/// Appends the end of a search; with `cookie`, the paging response (RFC 2696), in which no size is estimated.
pub(crate) fn encode_search_done(
    message: MessageId,
    outcome: &Outcome<'_>,
    cookie: Option<&[u8]>,
    policy: Option<PasswordPolicyResponse>,
    out: &mut BytesMut,
) {
    append(Response::SearchDone(ldap_result(outcome)), message, policy, cookie, out);
}

fn append(
    response: Response<'_>,
    message: MessageId,
    policy: Option<PasswordPolicyResponse>,
    cookie: Option<&[u8]>,
    out: &mut BytesMut,
) {
    let policy = policy.map(ResponseControl::PasswordPolicy);
    let page = cookie.map(|cookie| ResponseControl::PagedResults(PagedResults { size: 0, cookie }));
    match (policy, page) {
        (None, None) => response.encode(out, message, &[]),
        (Some(one), None) | (None, Some(one)) => response.encode(out, message, &[one]),
        (Some(one), Some(other)) => response.encode(out, message, &[one, other]),
    }
}

fn ldap_result<'a>(outcome: &Outcome<'a>) -> LdapResult<'a> {
    LdapResult { matched_dn: outcome.matched.as_bytes(), ..LdapResult::new(outcome.code) }
        .with_diagnostic(outcome.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use directory::id::EntryId;

    fn refused(reason: Reason, operation: Operation) -> (u32, Option<u8>) {
        let refusal = Refusal::new(reason, "");
        let outcome = Outcome::refused(&refusal, operation);
        let error = outcome.policy.and_then(|policy| policy.error).map(PasswordPolicyError::number);
        (outcome.code.number(), error)
    }

    #[test]
    fn each_reason_has_its_code() {
        // Goal: the table of reasons and codes that conformance/ldap.md promises.
        let name = || Reason::NameTaken { what: "username", holder: EntryId(1) };
        let cases = [
            (Reason::NoSuchEntry { matched: String::new() }, 32),
            (Reason::EntryExists, 68),
            (name(), 19),
            (Reason::HasChildren, 66),
            (Reason::InvalidName, 34),
            (Reason::NamingViolation, 64),
            (Reason::ClassViolation, 65),
            (Reason::ClassChange, 69),
            (Reason::NotAllowedOnRdn, 67),
            (Reason::UndefinedAttribute, 17),
            (Reason::InvalidValue, 21),
            (Reason::ValueExists, 20),
            (Reason::NoSuchValue, 16),
            (Reason::Constraint, 19),
            (Reason::InappropriateMatching, 18),
            (Reason::NotAllowed, 50),
            (Reason::Unwilling, 53),
            (Reason::WrongPassword, 49),
            (Reason::Conflict, 51),
            (Reason::Stale, 51),
            (Reason::Limit(Limit::Size), 4),
            (Reason::Limit(Limit::Time), 3),
            (Reason::Limit(Limit::Administrative), 11),
            (Reason::Busy, 51),
            (Reason::Store, 52),
        ];
        for (reason, code) in cases {
            assert_eq!(refused(reason.clone(), Operation::Modify), (code, None), "{reason:?}");
        }
        assert_eq!(refused(name(), Operation::Add), (68, None));
        let passwords = [
            (PasswordReason::ChangeAfterReset, 50, 2),
            (PasswordReason::ModificationNotAllowed, 50, 3),
            (PasswordReason::MustSupplyOld, 50, 4),
            (PasswordReason::InsufficientQuality, 19, 5),
            (PasswordReason::TooShort, 19, 6),
            (PasswordReason::TooYoung, 19, 7),
            (PasswordReason::InHistory, 19, 8),
        ];
        for (reason, code, error) in passwords {
            assert_eq!(refused(Reason::Password(reason), Operation::Modify), (code, Some(error)), "{reason:?}");
        }
    }

    #[test]
    fn what_is_for_the_log_stays_here() {
        // Goal: the answer carries message and matchedDN and not the detail.
        let reason = Reason::NoSuchEntry { matched: "dc=example".into() };
        let refusal = Refusal::new(reason, "no such entry").with_detail("page 7 is damaged");
        let mut out = BytesMut::new();
        let outcome = Outcome::refused(&refusal, Operation::Search);
        let id = MessageId::new(5).unwrap();
        encode_search_done(id, &outcome, Some(b"cookie"), Some(PasswordPolicyResponse::default()), &mut out);
        let holds = |text: &[u8]| out.windows(text.len()).any(|window| window == text);
        assert!(holds(b"dc=example") && holds(b"no such entry") && holds(b"cookie"));
        assert!(!holds(b"damaged"));
    }
}

//! The one place where a reason of the domain becomes a SCIM error (RFC 7644 §3.12).
//!
//! Owns the mapping, by an exhaustive match. Texts for the log stay out of the answer.

use crate::protocol::error::{ScimError, ScimType};
use directory::error::{Limit, PasswordReason, Reason, Refusal};

/// Seconds after which a client may try again what was too much at once.
const AGAIN: u32 = 1;

/// A refusal of the domain, for the peer.
pub fn from_refusal(refusal: &Refusal) -> ScimError {
    let (status, kind, text) = answer(&refusal.reason);
    let detail = if refusal.message.is_empty() { text.to_owned() } else { refusal.message.clone() };
    let retry_after = matches!(refusal.reason, Reason::Busy | Reason::Store).then_some(AGAIN);
    ScimError { status, scim_type: kind, detail, retry_after }
}

/// The status, the keyword and the words when the domain has said none.
fn answer(reason: &Reason) -> (u16, Option<ScimType>, &'static str) {
    match reason {
        Reason::NoSuchEntry { .. } => (404, None, "there is no such resource"),
        Reason::EntryExists => (409, Some(ScimType::Uniqueness), "a resource of that name is there already"),
        Reason::NameTaken { .. } => (409, Some(ScimType::Uniqueness), "the name is taken"),
        Reason::HasChildren => (409, None, "the entry has others below it"),
        Reason::InvalidName => (400, Some(ScimType::InvalidValue), "the name cannot be used"),
        Reason::NamingViolation => (400, Some(ScimType::InvalidValue), "the name breaks a rule of naming"),
        Reason::ClassViolation => (400, Some(ScimType::InvalidValue), "the resource cannot have this attribute"),
        Reason::ClassChange => (400, Some(ScimType::Mutability), "the kind of a resource never changes"),
        Reason::NotAllowedOnRdn => (400, Some(ScimType::Mutability), "the value names the resource"),
        Reason::UndefinedAttribute => (400, Some(ScimType::InvalidPath), "the attribute is not known"),
        Reason::InvalidValue => (400, Some(ScimType::InvalidValue), "the value is none of its attribute"),
        Reason::ValueExists => (400, Some(ScimType::InvalidValue), "the value is there twice"),
        Reason::NoSuchValue => (400, Some(ScimType::NoTarget), "the value is not there"),
        Reason::Constraint => (400, Some(ScimType::InvalidValue), "the value is not allowed"),
        Reason::InappropriateMatching => (400, Some(ScimType::InvalidFilter), "the attribute cannot be compared so"),
        Reason::AliasProblem { .. } => (409, None, "an alias leads nowhere"),
        Reason::NotAllowed => (403, None, "the token does not allow this"),
        Reason::Unwilling => (409, None, "this cannot be done"),
        Reason::WrongPassword => (403, None, "the old password is not the right one"),
        Reason::Password(reason) => password(*reason),
        Reason::Conflict => (409, None, "the resource was changed by somebody else at the same time"),
        Reason::Stale => (412, None, "the resource has another version"),
        Reason::Limit(Limit::Size) => (400, Some(ScimType::TooMany), "more resources than may be returned"),
        Reason::Limit(Limit::Time) => (400, Some(ScimType::TooMany), "the search takes too long"),
        Reason::Limit(Limit::Administrative) => (400, Some(ScimType::TooMany), "more work than one request may cause"),
        Reason::Busy => (503, None, "the server is busy"),
        Reason::Store => (500, None, "the server cannot do this now"),
    }
}

fn password(reason: PasswordReason) -> (u16, Option<ScimType>, &'static str) {
    let text = match reason {
        PasswordReason::ChangeAfterReset => return (403, None, "the password must be changed first"),
        PasswordReason::ModificationNotAllowed => "the password cannot be changed here",
        PasswordReason::MustSupplyOld => "the old password is needed",
        PasswordReason::InsufficientQuality => "the password is too weak",
        PasswordReason::TooShort => "the password is too short",
        PasswordReason::TooYoung => "the password was changed too recently",
        PasswordReason::InHistory => "the password has been used before",
    };
    (400, Some(ScimType::InvalidValue), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use directory::id::EntryId;

    #[test]
    fn the_log_text_stays_here_and_the_status_goes_out() {
        // Goal: what the peer learns is the message and the code of the reason, never the detail.
        let taken = Reason::NameTaken { what: "username", holder: EntryId(7) };
        let error = from_refusal(&Refusal::new(taken, "the username is taken").with_detail("held by 7"));
        assert_eq!((error.status, error.scim_type), (409, Some(ScimType::Uniqueness)));
        assert!(!error.detail.contains('7'));
        let error = from_refusal(&Refusal::new(Reason::Busy, ""));
        assert_eq!((error.status, error.retry_after), (503, Some(1)));
        assert_eq!(from_refusal(&Refusal::not_allowed()).status, 403);
        let weak = Reason::Password(PasswordReason::TooShort);
        assert_eq!(from_refusal(&Refusal::new(weak, "")).scim_type, Some(ScimType::InvalidValue));
    }
}

//! Result codes and LDAPResult (RFC 4511 §4.1.9).
//!
//! The set of codes is open: a client must take a code it does not know, and later specifications add to
//! them, so [`ResultCode`] is a number with names. Which refusal of the directory becomes which code is
//! decided in one place of the door, not here.

use super::ber::{Tag, Writer};
use std::fmt;

/// How an operation ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResultCode(u32);

impl ResultCode {
    /// A code by its number.
    pub const fn from_number(number: u32) -> Self {
        ResultCode(number)
    }

    /// Its number, in `0..=2^31-1` for every code that came from or goes to the wire.
    pub const fn number(self) -> u32 {
        self.0
    }
}

macro_rules! result_codes {
    ($($(#[$doc:meta])* $constant:ident = $number:literal $name:literal,)+) => {
        impl ResultCode {
            $($(#[$doc])* pub const $constant: ResultCode = ResultCode($number);)+

            /// All codes that have a name.
            pub const NAMED: &'static [ResultCode] = &[$(ResultCode::$constant,)+];

            /// The name its specification gives it.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($name),)+
                    _ => None,
                }
            }
        }
    };
}

result_codes! {
    /// The operation is done.
    SUCCESS = 0 "success",
    /// Not in the right order, such as StartTLS with operations outstanding.
    OPERATIONS_ERROR = 1 "operationsError",
    /// Malformed, or of a version not spoken here.
    PROTOCOL_ERROR = 2 "protocolError",
    /// The time limit passed before the end.
    TIME_LIMIT_EXCEEDED = 3 "timeLimitExceeded",
    /// There are more entries than the size limit.
    SIZE_LIMIT_EXCEEDED = 4 "sizeLimitExceeded",
    /// The entry does not have the value.
    COMPARE_FALSE = 5 "compareFalse",
    /// The entry has the value.
    COMPARE_TRUE = 6 "compareTrue",
    /// The way to authenticate is not offered.
    AUTH_METHOD_NOT_SUPPORTED = 7 "authMethodNotSupported",
    /// A stronger way to authenticate is needed.
    STRONGER_AUTH_REQUIRED = 8 "strongerAuthRequired",
    /// Ask elsewhere.
    REFERRAL = 10 "referral",
    /// More than the server is ready to do.
    ADMIN_LIMIT_EXCEEDED = 11 "adminLimitExceeded",
    /// A critical control is not supported.
    UNAVAILABLE_CRITICAL_EXTENSION = 12 "unavailableCriticalExtension",
    /// Not without TLS.
    CONFIDENTIALITY_REQUIRED = 13 "confidentialityRequired",
    /// The next step of SASL is due.
    SASL_BIND_IN_PROGRESS = 14 "saslBindInProgress",
    /// The entry has no such attribute.
    NO_SUCH_ATTRIBUTE = 16 "noSuchAttribute",
    /// The schema has no such attribute.
    UNDEFINED_ATTRIBUTE_TYPE = 17 "undefinedAttributeType",
    /// The attribute has no such matching rule.
    INAPPROPRIATE_MATCHING = 18 "inappropriateMatching",
    /// A value breaks a rule.
    CONSTRAINT_VIOLATION = 19 "constraintViolation",
    /// The value is there already.
    ATTRIBUTE_OR_VALUE_EXISTS = 20 "attributeOrValueExists",
    /// A value does not have the attribute's syntax.
    INVALID_ATTRIBUTE_SYNTAX = 21 "invalidAttributeSyntax",
    /// There is no such entry.
    NO_SUCH_OBJECT = 32 "noSuchObject",
    /// An alias leads nowhere.
    ALIAS_PROBLEM = 33 "aliasProblem",
    /// Not a DN.
    INVALID_DN_SYNTAX = 34 "invalidDNSyntax",
    /// An alias could not be followed.
    ALIAS_DEREFERENCING_PROBLEM = 36 "aliasDereferencingProblem",
    /// This way to authenticate does not suit this account.
    INAPPROPRIATE_AUTHENTICATION = 48 "inappropriateAuthentication",
    /// Not the account, not the password, or not now.
    INVALID_CREDENTIALS = 49 "invalidCredentials",
    /// Not allowed.
    INSUFFICIENT_ACCESS_RIGHTS = 50 "insufficientAccessRights",
    /// Too much to do; later.
    BUSY = 51 "busy",
    /// Shutting down or not ready.
    UNAVAILABLE = 52 "unavailable",
    /// Understood, allowed, and still not done.
    UNWILLING_TO_PERFORM = 53 "unwillingToPerform",
    /// References lead in a circle.
    LOOP_DETECT = 54 "loopDetect",
    /// A sort request is needed with the virtual list view (draft-ietf-ldapext-ldapv3-vlv-09).
    SORT_CONTROL_MISSING = 60 "sortControlMissing",
    /// The virtual list view's offset is beyond the list (draft-ietf-ldapext-ldapv3-vlv-09).
    OFFSET_RANGE_ERROR = 61 "offsetRangeError",
    /// The name does not suit the place.
    NAMING_VIOLATION = 64 "namingViolation",
    /// The object classes do not allow it.
    OBJECT_CLASS_VIOLATION = 65 "objectClassViolation",
    /// The entry has subordinates.
    NOT_ALLOWED_ON_NON_LEAF = 66 "notAllowedOnNonLeaf",
    /// The value names the entry.
    NOT_ALLOWED_ON_RDN = 67 "notAllowedOnRDN",
    /// The name is taken.
    ENTRY_ALREADY_EXISTS = 68 "entryAlreadyExists",
    /// The object class cannot be changed so.
    OBJECT_CLASS_MODS_PROHIBITED = 69 "objectClassModsProhibited",
    /// More than one server would be concerned.
    AFFECTS_MULTIPLE_DSAS = 71 "affectsMultipleDSAs",
    /// The virtual list view failed (draft-ietf-ldapext-ldapv3-vlv-09).
    VIRTUAL_LIST_VIEW_ERROR = 76 "virtualListViewError",
    /// None of the others.
    OTHER = 80 "other",
    /// RFC 3928 §2.4
    LCUP_RESOURCES_EXHAUSTED = 113 "lcupResourcesExhausted",
    /// RFC 3928 §2.4
    LCUP_SECURITY_VIOLATION = 114 "lcupSecurityViolation",
    /// RFC 3928 §2.4
    LCUP_INVALID_DATA = 115 "lcupInvalidData",
    /// RFC 3928 §2.4
    LCUP_UNSUPPORTED_SCHEME = 116 "lcupUnsupportedScheme",
    /// RFC 3928 §2.4
    LCUP_RELOAD_REQUIRED = 117 "lcupReloadRequired",
    /// The operation was canceled (RFC 3909 §2.2).
    CANCELED = 118 "canceled",
    /// There is no operation to cancel (RFC 3909 §2.2).
    NO_SUCH_OPERATION = 119 "noSuchOperation",
    /// It is too late to cancel (RFC 3909 §2.2).
    TOO_LATE = 120 "tooLate",
    /// The operation cannot be canceled (RFC 3909 §2.2).
    CANNOT_CANCEL = 121 "cannotCancel",
    /// The assertion does not hold (RFC 4528 §3).
    ASSERTION_FAILED = 122 "assertionFailed",
    /// Not to be done in that name (RFC 4370 §3).
    AUTHORIZATION_DENIED = 123 "authorizationDenied",
    /// The content must be fetched anew (RFC 4533 §2.3).
    E_SYNC_REFRESH_REQUIRED = 4096 "e-syncRefreshRequired",
    /// Would have been done (draft-zeilenga-ldap-noop-12).
    NO_OPERATION = 16654 "noOperation",
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name().unwrap_or("unknown"), self.0)
    }
}

impl fmt::Debug for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How an operation ended, and what is said about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LdapResult<'a> {
    /// The code.
    pub code: ResultCode,
    /// For noSuchObject and its kin, the deepest entry above the name that exists; else empty.
    pub matched_dn: &'a [u8],
    /// For people; may be empty.
    pub diagnostic: &'a str,
    /// With the code referral, LDAP URLs of where to ask; else empty.
    pub referral: &'a [&'a str],
}

impl<'a> LdapResult<'a> {
    /// A result that is only a code.
    pub const fn new(code: ResultCode) -> Self {
        LdapResult { code, matched_dn: &[], diagnostic: "", referral: &[] }
    }

    /// With a message for people.
    pub const fn with_diagnostic(self, diagnostic: &'a str) -> Self {
        LdapResult { diagnostic, ..self }
    }

    /// With the deepest existing entry above the name.
    pub const fn with_matched_dn(self, matched_dn: &'a [u8]) -> Self {
        LdapResult { matched_dn, ..self }
    }

    /// Writes COMPONENTS OF LDAPResult, the beginning of nearly every response.
    pub(super) fn encode(&self, w: &mut Writer<'_>) {
        const REFERRAL: Tag = Tag::context_constructed(3);
        w.integer(Tag::ENUMERATED, self.code.number().into());
        w.octet_string(self.matched_dn);
        w.octet_string(self.diagnostic.as_bytes());
        if !self.referral.is_empty() {
            w.nested(REFERRAL, |w| self.referral.iter().for_each(|uri| w.octet_string(uri.as_bytes())));
        }
    }
}

impl From<ResultCode> for LdapResult<'_> {
    fn from(code: ResultCode) -> Self {
        LdapResult::new(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every named code has its number once, and an unnamed one keeps its number.
    #[test]
    fn codes_are_numbers_with_names() {
        let mut numbers: Vec<_> = ResultCode::NAMED.iter().map(|code| code.number()).collect();
        let sorted = numbers.clone();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers, sorted);
        assert_eq!(ResultCode::NAMED.iter().filter(|code| code.name().is_none()).count(), 0);
        assert_eq!(ResultCode::CANCELED.to_string(), "canceled(118)");
        assert_eq!(ResultCode::from_number(9999).to_string(), "unknown(9999)");
    }
}

//! What the server has answered, in words that tests ask for.

use crate::Entry;
use ldap::wire::control::password_policy::{PasswordPolicyError, PasswordPolicyResponse, PasswordPolicyWarning};

/// The answer to a bind, complete: two answers are equal when a client cannot tell them apart, octet for octet.
#[derive(Clone, PartialEq, Eq)]
pub struct BindOutcome {
    /// Result code.
    pub code: u32,
    /// `diagnosticMessage`.
    pub message: String,
    /// `matchedDN`.
    pub matched: String,
    /// The password-policy response, if there was one.
    pub ppolicy: Option<PasswordPolicyResponse>,
    /// The whole answer as it came.
    pub octets: Vec<u8>,
}

impl BindOutcome {
    /// Success.
    pub fn is_good(&self) -> bool {
        self.code == 0
    }

    /// The generic failure of requirement 2.9: `invalidCredentials`, not a word, and no warning.
    pub fn is_generic_failure(&self) -> bool {
        let silent = self.ppolicy.is_none_or(|p| p.warning.is_none() && p.error.is_none());
        self.code == 49 && self.message.is_empty() && self.matched.is_empty() && silent
    }

    /// The error of the password-policy response.
    pub fn policy_error(&self) -> Option<PasswordPolicyError> {
        self.ppolicy.and_then(|p| p.error)
    }

    /// The warning of the password-policy response.
    pub fn policy_warning(&self) -> Option<PasswordPolicyWarning> {
        self.ppolicy.and_then(|p| p.warning)
    }
}

impl std::fmt::Debug for BindOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {:?} matched {:?} {:?} in {} octets",
            self.code,
            self.message,
            self.matched,
            self.ppolicy,
            self.octets.len()
        )
    }
}

/// The answer to any other operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Result code.
    pub code: u32,
    /// `diagnosticMessage`.
    pub message: String,
    /// `matchedDN`.
    pub matched: String,
    /// Value of an extended response.
    pub value: Option<Vec<u8>>,
    /// The password-policy response, if there was one.
    pub ppolicy: Option<PasswordPolicyResponse>,
    /// The server has said goodbye: a Notice of Disconnection (RFC 4511 §4.4.1), its code in `code`.
    pub ended: bool,
}

impl Reply {
    /// Success.
    pub fn is_good(&self) -> bool {
        self.code == 0 && !self.ended
    }
}

/// What a search has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The entries, in their order.
    pub entries: Vec<Entry>,
    /// How it ended.
    pub reply: Reply,
}

impl Found {
    /// The DNs, sorted.
    pub fn dns(&self) -> Vec<&str> {
        let mut dns: Vec<&str> = self.entries.iter().map(|e| e.dn.as_str()).collect();
        dns.sort_unstable();
        dns
    }

    /// Nothing is found, whether that is said by an empty list or by a missing base.
    pub fn is_nothing(&self) -> bool {
        self.entries.is_empty() && matches!(self.reply.code, 0 | 32)
    }
}

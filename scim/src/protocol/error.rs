//! Refusals and their body: RFC 7644 §3.12, RFC 9865 §2.
//!
//! Owns the list of `scimType`s and the JSON of an error. The detail is for the peer: it never repeats a secret.

use serde_json::{Map, Value, json};

/// The schema of an error.
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The longest piece of a client's own words that a detail repeats, in characters.
const ECHO: usize = 120;

/// What was wrong, for programs (RFC 7644 table 9, RFC 9865 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScimType {
    /// The filter cannot be read, or names what cannot be asked for.
    InvalidFilter,
    /// The answer would be too large.
    TooMany,
    /// A value that another resource has.
    Uniqueness,
    /// A change that the attribute's mutability does not let happen.
    Mutability,
    /// The body is not a message of the protocol.
    InvalidSyntax,
    /// The path cannot be read, or names no attribute.
    InvalidPath,
    /// The path names nothing that is there.
    NoTarget,
    /// A value is missing, or is none of its attribute.
    InvalidValue,
    /// A version of the protocol that is not spoken.
    InvalidVers,
    /// Secrets in a URI.
    Sensitive,
    /// The cursor is none of ours, or of another query.
    InvalidCursor,
    /// The cursor is too old.
    ExpiredCursor,
    /// The count does not go with the cursor.
    InvalidCount,
}

impl ScimType {
    /// Every keyword.
    pub const ALL: [ScimType; 13] = [
        ScimType::InvalidFilter,
        ScimType::TooMany,
        ScimType::Uniqueness,
        ScimType::Mutability,
        ScimType::InvalidSyntax,
        ScimType::InvalidPath,
        ScimType::NoTarget,
        ScimType::InvalidValue,
        ScimType::InvalidVers,
        ScimType::Sensitive,
        ScimType::InvalidCursor,
        ScimType::ExpiredCursor,
        ScimType::InvalidCount,
    ];

    /// The keyword on the wire.
    pub fn name(self) -> &'static str {
        match self {
            ScimType::InvalidFilter => "invalidFilter",
            ScimType::TooMany => "tooMany",
            ScimType::Uniqueness => "uniqueness",
            ScimType::Mutability => "mutability",
            ScimType::InvalidSyntax => "invalidSyntax",
            ScimType::InvalidPath => "invalidPath",
            ScimType::NoTarget => "noTarget",
            ScimType::InvalidValue => "invalidValue",
            ScimType::InvalidVers => "invalidVers",
            ScimType::Sensitive => "sensitive",
            ScimType::InvalidCursor => "invalidCursor",
            ScimType::ExpiredCursor => "expiredCursor",
            ScimType::InvalidCount => "invalidCount",
        }
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {detail}")]
pub struct ScimError {
    /// The HTTP status.
    pub status: u16,
    /// What was wrong, for programs.
    pub scim_type: Option<ScimType>,
    /// What was wrong, for people.
    pub detail: String,
    /// When to ask again, in seconds from now: the header `Retry-After`.
    pub retry_after: Option<u32>,
}

impl ScimError {
    /// A refusal without a keyword.
    pub fn new(status: u16, detail: impl Into<String>) -> ScimError {
        ScimError { status, scim_type: None, detail: detail.into(), retry_after: None }
    }

    /// A refusal with a keyword and the status that goes with it: 409 for uniqueness, 403 for secrets in a URI, else 400.
    pub fn of(kind: ScimType, detail: impl Into<String>) -> ScimError {
        let status = match kind {
            ScimType::Uniqueness => 409,
            ScimType::Sensitive => 403,
            _ => 400,
        };
        ScimError { scim_type: Some(kind), ..ScimError::new(status, detail) }
    }

    /// 429, with the seconds to wait.
    pub fn too_many_requests(seconds: u32) -> ScimError {
        let detail = format!("too many requests: ask again in {seconds} seconds");
        ScimError { retry_after: Some(seconds), ..ScimError::new(429, detail) }
    }

    /// 400 `invalidFilter`.
    pub fn invalid_filter(detail: impl Into<String>) -> ScimError {
        ScimError::of(ScimType::InvalidFilter, detail)
    }

    /// 400 `invalidPath`.
    pub fn invalid_path(detail: impl Into<String>) -> ScimError {
        ScimError::of(ScimType::InvalidPath, detail)
    }

    /// 400 `invalidSyntax`.
    pub fn invalid_syntax(detail: impl Into<String>) -> ScimError {
        ScimError::of(ScimType::InvalidSyntax, detail)
    }

    /// 400 `invalidValue`.
    pub fn invalid_value(detail: impl Into<String>) -> ScimError {
        ScimError::of(ScimType::InvalidValue, detail)
    }

    /// 400 `noTarget`.
    pub fn no_target(detail: impl Into<String>) -> ScimError {
        ScimError::of(ScimType::NoTarget, detail)
    }

    /// 400 `mutability`.
    pub fn mutability(detail: impl Into<String>) -> ScimError {
        ScimError::of(ScimType::Mutability, detail)
    }

    /// The body. The status is a string (RFC 7644 §3.12).
    pub fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("schemas".into(), json!([ERROR]));
        body.insert("status".into(), Value::String(self.status.to_string()));
        if let Some(kind) = self.scim_type {
            body.insert("scimType".into(), kind.name().into());
        }
        body.insert("detail".into(), Value::String(self.detail.clone()));
        Value::Object(body)
    }
}

/// A client's words, short enough to be repeated, without control characters.
pub fn echo(words: &str) -> String {
    let mut short: String = words.chars().filter(|c| !c.is_control()).take(ECHO).collect();
    if short.len() < words.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_form_of_the_rfc() {
        // Goal: status as a string, the keyword when there is one, no null (RFC 7644 §3.12).
        let error = ScimError::of(ScimType::Uniqueness, "userName is taken");
        let wanted =
            json!({"schemas": [ERROR], "status": "409", "scimType": "uniqueness", "detail": "userName is taken"});
        assert_eq!(error.body(), wanted);
        let error = ScimError::new(404, "no such resource");
        assert_eq!(error.body(), json!({"schemas": [ERROR], "status": "404", "detail": "no such resource"}));
        assert_eq!(ScimError::too_many_requests(7).retry_after, Some(7));
        assert_eq!(ScimError::of(ScimType::Sensitive, "").status, 403);
    }

    #[test]
    fn what_is_repeated_is_short_and_clean() {
        // Goal: no log line and no answer grows with what a client sends.
        assert_eq!(echo("a\r\nb"), "ab…");
        assert_eq!(echo(&"x".repeat(9_999)).chars().count(), ECHO + 1);
        assert_eq!(echo("userName"), "userName");
    }
}

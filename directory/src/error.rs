//! Why a request is not carried out: the reasons of the domain, and what goes to whom.
//!
//! Every door turns a [`Reason`] into its protocol's code in one exhaustive match. A [`Refusal`] carries two texts:
//! `message` is for the peer, `detail` for the log only (it has no `Display`).

use crate::id::EntryId;

/// The reasons of the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The entry does not exist, or the actor may not know that it does. Holds the DN of the deepest ancestor that does.
    NoSuchEntry {
        /// RFC 4511 §4.1.9 `matchedDN`, empty when nothing matches.
        matched: String,
    },
    /// An entry of that name exists.
    EntryExists,
    /// A name that must be unique is taken (username, e-mail); the holder is not told to the peer.
    NameTaken {
        /// `username` or `e-mail`.
        what: &'static str,
        /// Who holds it, for the log.
        holder: EntryId,
    },
    /// The entry has children.
    HasChildren,
    /// The DN is not one.
    InvalidName,
    /// The name breaks a rule of naming (the RDN is not in the entry, say).
    NamingViolation,
    /// The classes and attributes do not fit (RFC 4512 §2.4).
    ClassViolation,
    /// An attempt to change a structural class.
    ClassChange,
    /// The RDN's value may not be removed (RFC 4511 §4.6).
    NotAllowedOnRdn,
    /// The attribute type is not known.
    UndefinedAttribute,
    /// The class is not known, or the value breaks the syntax of its attribute.
    InvalidValue,
    /// The value is there already, twice in the request, or a second one of a single-valued attribute.
    ValueExists,
    /// The attribute or value to be removed, compared or incremented is not there.
    NoSuchValue,
    /// A constraint other than the schema's (a bound, a reference to nothing, a cycle, an unchangeable name).
    Constraint,
    /// No matching rule fits the assertion.
    InappropriateMatching,
    /// An alias that stands for nothing, or for itself through others (RFC 4511 §A.2, 33).
    AliasProblem {
        /// The alias.
        matched: String,
    },
    /// The actor may not.
    NotAllowed,
    /// The server could, but will not.
    Unwilling,
    /// The old password given with a change is not the right one.
    WrongPassword,
    /// The password does not satisfy the policy.
    Password(PasswordReason),
    /// What the request was prepared from has changed meanwhile.
    Conflict,
    /// An entry has not the version that the request demands (HTTP `If-Match`).
    Stale,
    /// A bound of the request: entries, time, candidates.
    Limit(Limit),
    /// Too much at once: the write lane or the hash pool is full, or the server shuts down.
    Busy,
    /// The store failed.
    Store,
}

/// Which bound was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// More entries than asked for or allowed.
    Size,
    /// More time than asked for or allowed.
    Time,
    /// More work than this actor may cause.
    Administrative,
}

/// Why a password is refused; the names follow the password-policy draft's error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordReason {
    /// `changeAfterReset`: nothing else is allowed until the password is changed.
    ChangeAfterReset,
    /// `passwordModNotAllowed`.
    ModificationNotAllowed,
    /// `mustSupplyOldPassword`.
    MustSupplyOld,
    /// `insufficientPasswordQuality`.
    InsufficientQuality,
    /// `passwordTooShort`.
    TooShort,
    /// `passwordTooYoung`.
    TooYoung,
    /// `passwordInHistory`.
    InHistory,
}

/// A request that is not carried out.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The reason, for the door's code.
    pub reason: Reason,
    /// For the peer.
    pub message: String,
    /// For the log.
    pub detail: Option<String>,
}

impl Refusal {
    /// A refusal with a text for the peer.
    pub fn new(reason: Reason, message: impl Into<String>) -> Refusal {
        Refusal { reason, message: message.into(), detail: None }
    }

    /// The same, with a text for the log.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Refusal {
        self.detail = Some(detail.into());
        self
    }

    /// The store failed, or is damaged; why is for the log alone.
    pub fn store(why: impl std::fmt::Display) -> Refusal {
        Refusal::new(Reason::Store, "the store failed").with_detail(why.to_string())
    }

    /// The actor may not; nothing is said about why.
    pub fn not_allowed() -> Refusal {
        Refusal::new(Reason::NotAllowed, "")
    }
}

impl From<redb::StorageError> for Refusal {
    fn from(error: redb::StorageError) -> Refusal {
        Refusal::store(error)
    }
}

impl From<redb::CursorError> for Refusal {
    fn from(error: redb::CursorError) -> Refusal {
        Refusal::store(error)
    }
}

impl From<redb::TableError> for Refusal {
    fn from(error: redb::TableError) -> Refusal {
        Refusal::store(error)
    }
}

//! The write path: what may be asked for, what is submitted, how it is applied.
//!
//! ```text
//! Request ─ prepare ──▶ WriteSet ── journal ──▶ apply ──▶ Receipt
//! (a door's words)      (names resolved, values      (authorize, check, write, record;
//!                        checked, passwords hashed,   deterministic: no clock, no randomness,
//!                        times and ids drawn)         no configuration)
//! ```
//!
//! [`Change`] is what doors, import, sweep and command line ask for; [`prepare`] needs the schema, a snapshot and the
//! hash pool; [`apply`] needs the tables of the write lane's transaction alone, and decides again whatever may have
//! changed since the snapshot: rights, names, references, the facts that the set relies on.

pub mod account;
pub mod add;
pub mod administrators;
pub mod apply;
pub mod carry;
pub mod claims;
pub mod delete;
pub mod edges;
pub mod fact;
pub mod known;
pub mod members;
pub mod modify;
pub mod password;
pub mod prepare;
pub mod project;
pub mod references;
pub mod rename;
pub mod request;
pub mod user_type;

use crate::clock::{Millis, Now};
use crate::context::{Actor, Origin};
use crate::credential::secret::Secret;
use crate::entry::record::Attribute;
use crate::id::{EntryId, Position, WriteSetId};
use crate::lifecycle::{Account, Counters};
use crate::schema::attribute::AttributeId;
use crate::store::codec::Credential;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use uuid::Uuid;

/// What a door asks for. Names and values are as the peer sent them.
#[derive(Debug)]
pub enum Change {
    /// A new entry.
    Add {
        /// DN text.
        dn: Vec<u8>,
        /// Attribute descriptions and values.
        attributes: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    },
    /// New values for an entry (RFC 4511 §4.6).
    Modify {
        /// Which.
        target: Target,
        /// In this order.
        modifications: Vec<Modification>,
    },
    /// A new name, a new place, or both (RFC 4511 §4.9).
    Rename {
        /// Which.
        target: Target,
        /// RDN text.
        new_rdn: Vec<u8>,
        /// Take the old RDN's values from the entry.
        delete_old: bool,
        /// DN text of the new parent.
        new_superior: Option<Vec<u8>>,
    },
    /// The end of an entry. An account is only buried until its purge (requirement 2.7), as by [`Act::Remove`]; with all
    /// below it, everything goes for good.
    Delete {
        /// Which.
        target: Target,
        /// All below it too.
        subtree: bool,
    },
    /// Members come and go. Who is there already, or not there, is no mistake: identity providers repeat themselves.
    Members {
        /// The group.
        target: Target,
        /// Who comes.
        add: Vec<Target>,
        /// Who goes.
        remove: Vec<Target>,
    },
    /// A new password (RFC 3062).
    Password {
        /// Whose.
        target: Target,
        /// The present one; needed when the actor changes the own password.
        old: Option<Secret>,
        /// The new one; none: one is made and returned.
        new: Option<Secret>,
    },
    /// An act on an account's life cycle.
    Account {
        /// Whose.
        target: Target,
        /// Which.
        act: Act,
    },
}

/// Several changes that are carried out together or not at all, in this order: a later one may name what an earlier one
/// adds, by DN, and finds accounts as the earlier ones leave them.
#[derive(Debug, Default)]
pub struct Request {
    /// The changes.
    pub changes: Vec<Change>,
    /// Versions that these entries must have before the first change; another one is [`Reason::Stale`].
    ///
    /// [`Reason::Stale`]: crate::error::Reason::Stale
    pub expected: Vec<(EntryId, Position)>,
}

impl From<Change> for Request {
    fn from(change: Change) -> Request {
        Request { changes: vec![change], expected: Vec::new() }
    }
}

/// Which entry is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By DN text.
    Dn(Vec<u8>),
    /// By technical id.
    Id(EntryId),
}

/// One modification (RFC 4511 §4.6, RFC 4525).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modification {
    /// What to do.
    pub kind: ModificationKind,
    /// Attribute description.
    pub attribute: Vec<u8>,
    /// The values; none with `Delete`: all of them.
    pub values: Vec<Vec<u8>>,
}

/// RFC 4511 §4.6 `operation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModificationKind {
    /// Add values.
    Add,
    /// Delete values.
    Delete,
    /// Replace all values.
    Replace,
    /// Add the number to each value (RFC 4525).
    Increment,
}

/// Administrators' acts on an account (requirements §2).
#[derive(Debug)]
pub enum Act {
    /// At once; sessions end.
    Disable,
    /// From DISABLED or DORMANT; with a new password where the policy demands one.
    Enable {
        /// The new password; its change is forced at the next login.
        password: Option<Secret>,
    },
    /// From LOCKED.
    Unlock {
        /// The new password; its change is forced at the next login.
        password: Option<Secret>,
    },
    /// Until unlocked.
    Lock,
    /// Soft deletion; purged after so many months.
    Delete {
        /// None: the policy's default.
        months: Option<u16>,
    },
    /// Soft deletion as provisioning has it: the policy's months, and its rule for names that are needed again.
    Remove,
    /// The password must be changed at the next login.
    ForceChange,
    /// All logins end: sessions, refresh tokens, connections. The account may log in again.
    SignOut,
    /// SCIM's switch (requirements §2, last paragraph).
    Active(bool),
}

impl Act {
    /// The act's name in audit records.
    pub fn name(&self) -> &'static str {
        match self {
            Act::Disable => "disable",
            Act::Enable { .. } => "enable",
            Act::Unlock { .. } => "unlock",
            Act::Lock => "lock",
            Act::Delete { .. } | Act::Remove => "delete",
            Act::ForceChange => "force-change",
            Act::SignOut => "sign-out",
            Act::Active(true) => "activate",
            Act::Active(false) => "deactivate",
        }
    }
}

/// What came of a change.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Where it stands in the journal.
    pub position: Position,
    /// The entry that it made or changed, the last one of several.
    pub entry: Option<EntryId>,
    /// The entry that each change of the request made or changed; none where there was nothing to do.
    pub entries: Vec<Option<EntryId>>,
    /// The epoch after it, when it changed the facts of an account: the login that has done it goes on with this one.
    /// Of several accounts: the one of the last.
    pub epoch: Option<u64>,
    /// A password that was made for the caller.
    pub generated_password: Option<Secret>,
    /// What became of sessions, codes and refresh tokens.
    pub grants: crate::grant::apply::Outcome,
}

/// A change with everything drawn and resolved that needs a clock, randomness, configuration or time to hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WriteSet {
    /// Key of the receipt.
    pub id: WriteSetId,
    /// Who.
    pub actor: Actor,
    /// Whence.
    pub origin: Origin,
    /// When, of the trusted clock.
    pub now: Now,
    /// The request.
    pub request_id: u64,
    /// What, in this order; all or nothing.
    pub ops: Vec<Op>,
}

/// An entry as a write set names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// By DN key.
    Key(Vec<u8>),
    /// By id.
    Id(EntryId),
}

/// One step of a write set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Op {
    /// A new entry.
    Add(Box<AddOp>),
    /// New values.
    Modify {
        /// Which.
        subject: Subject,
        /// The version that the set was made from, when it relies on it.
        expected: Option<Position>,
        /// The values.
        modifications: Vec<ValueOp>,
        /// The password's part.
        password: Option<PasswordOp>,
    },
    /// A new name.
    Rename {
        /// Which.
        subject: Subject,
        /// RDN text, by RFC 4514.
        rdn: String,
        /// Its key.
        rdn_key: Vec<u8>,
        /// Its attributes.
        rdn_values: Vec<(AttributeId, Vec<u8>)>,
        /// Take the old RDN's values away.
        delete_old: bool,
        /// DN key of the new parent.
        superior: Option<Vec<u8>>,
    },
    /// The end of an entry.
    Delete {
        /// Which.
        subject: Subject,
        /// All below too.
        subtree: bool,
    },
    /// Members come and go; those who are there, or not there, stay as they are.
    Members {
        /// The group.
        subject: Subject,
        /// Who comes.
        add: Vec<Subject>,
        /// Who goes.
        remove: Vec<Subject>,
    },
    /// The request relies on an entry's version.
    Expect {
        /// Which.
        entry: EntryId,
        /// Its version.
        version: Position,
    },
    /// New facts of an account.
    Account {
        /// Which.
        subject: Subject,
        /// The facts that the decision was made from.
        expected: Box<Account>,
        /// The facts decided.
        next: Box<Account>,
        /// The act's name, for the record.
        act: Cow<'static, str>,
        /// The account goes: it is shown nowhere any more, its names stay taken.
        bury: bool,
        /// The password's part.
        password: Option<PasswordOp>,
    },
    /// Counters that logins have changed in memory, on their way to the store. The system's alone.
    Observed {
        /// Whose.
        id: EntryId,
        /// The counters; the newer of these and the stored ones stand.
        counters: Counters,
    },
    /// The hash of another server is replaced by one of ours. The system's alone.
    Upgrade {
        /// Whose.
        id: EntryId,
        /// What was stored when the password was proven.
        expected: Option<Credential>,
        /// The same password, hashed anew.
        next: Credential,
    },
    /// The end of a buried account: its facts and names go for good. The system's alone.
    Purge {
        /// Whose.
        id: EntryId,
    },
    /// A role of the deployment: its members administer, or read, everything. The system's alone.
    MarkRole {
        /// The role.
        role: EntryId,
        /// Reads; otherwise administers.
        reader: bool,
    },
    /// The built-in account of requirement 1.6: nothing changes it from here on. The system's alone, and once.
    MarkBuiltIn {
        /// Which.
        subject: Subject,
    },
    /// An API token.
    Token(Box<crate::token::apply::TokenOp>),
    /// A session, code or refresh token.
    Grant(Box<crate::grant::apply::GrantOp>),
    /// An event for the audit record alone (a refused login, a denied request).
    Note(Box<crate::journal::record::Note>),
}

/// A new entry, resolved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AddOp {
    /// RDN text, by RFC 4514; the rest of the DN comes from the parent.
    pub rdn: String,
    /// DN key.
    pub key: Vec<u8>,
    /// Length of the parent's part of the key.
    pub parent_length: usize,
    /// The RDN's attributes and values.
    pub rdn_values: Vec<(AttributeId, Vec<u8>)>,
    /// entryUUID.
    pub uuid: Uuid,
    /// What goes into the record, and the edges.
    pub attributes: Vec<Attribute>,
    /// Its account facts, if its classes make it an account.
    pub account: Box<Account>,
    /// Its credential, likewise.
    pub credential: Option<Credential>,
    /// `createTimestamp`, when it is older than the write set (import).
    pub created: Option<Millis>,
    /// The entry begins a naming context; `rdn` is its whole DN then.
    pub suffix: bool,
}

/// One modification, resolved and checked against its syntax.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ValueOp {
    /// What to do.
    pub kind: ModificationKind,
    /// The type.
    pub attribute: AttributeId,
    /// The options, lower case, sorted.
    pub options: Vec<u8>,
    /// The values.
    pub values: Vec<Vec<u8>>,
}

/// A new stored password and the facts that go with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PasswordOp {
    /// What was stored when the set was made.
    pub expected: Option<Credential>,
    /// What to store.
    pub next: Option<Credential>,
    /// The facts that the decision was made from.
    pub expected_account: Option<Box<Account>>,
    /// The facts after it.
    pub next_account: Option<Box<Account>>,
    /// The actor changes the own password, having shown the old one or having just logged in with it.
    pub own: bool,
}

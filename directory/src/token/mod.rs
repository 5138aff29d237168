//! API tokens (requirement 5.6): what an application shows instead of a password, door by door.
//!
//! ```text
//! create ─▶ live ──── expiry, revocation, the end of its account ─▶ gone
//!            └─ rotate ─▶ a successor lives, the old one until the end of the overlap
//! ```
//!
//! A token is an account's: it does what the account's roles let it do, narrowed by its [`Scope`]. The secret is 256
//! random bits, shown once; SHA-256 of it is stored, which needs no salt and no slow hash, because nobody guesses 256
//! bits. A locked account's tokens go on (requirement 2.4); those of one that is disabled, deleted or found dormant end
//! for good, in the write set that ends the account's logins (requirement 2.6). Tokens are no part of an export.
//!
//! `text` owns the written form, `issue` what administrators ask for, `check` what a door asks for at each request,
//! `fuse` how many accounts one may take away, `apply` the write path's steps, `provisioner` the account that a provisioning client's token is for.

pub(crate) mod apply;
pub(crate) mod check;
pub mod fuse;
mod issue;
mod provisioner;
pub mod text;

pub use check::Live;
pub use issue::{Issued, NewToken};
pub use provisioner::{DESCRIPTION as PROVISIONER_DESCRIPTION, RANK as PROVISIONER_RANK, ROLE as PROVISIONER_ROLE};
pub use text::Secret;

use crate::clock::{Millis, Span};
use crate::id::EntryId;
use serde::{Deserialize, Serialize};

/// The most tokens of one account.
pub const PER_ACCOUNT: usize = 100;
/// The longest life of a token, in days.
pub const DAYS: u32 = 3_650;
/// The longest time that a rotated token lives beside its successor, in days.
pub const OVERLAP_DAYS: u32 = 30;
/// The longest label, in bytes.
pub const LABEL: usize = 128;
/// The longest name of a resource type or a dialect, in bytes.
pub const NAME: usize = 64;
/// The most resource types of one scope.
pub const TYPES: usize = 32;
/// How old the stored moment of the last use may be.
pub const GRAIN: Span = Span::from_secs(600);

/// Names a token; no secret. 60 random bits, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TokenId(pub u64);

/// What a token may be used for, within what its account may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The tenant (or other top of a subtree) that it reaches; none: whatever the account reaches.
    pub base: Option<EntryId>,
    /// It may write; otherwise it reads.
    pub write: bool,
    /// The resource types that it may touch (`User`, `Group`); none: all.
    pub types: Vec<String>,
    /// The client's dialect, as its door names it; empty: the door's default.
    pub dialect: String,
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Whose.
    pub account: EntryId,
    /// What it is for, in an administrator's words.
    pub label: String,
    /// What it may be used for.
    pub scope: Scope,
    /// Made (`wall`).
    pub created: Millis,
    /// By whom, when it was somebody.
    pub created_by: Option<EntryId>,
    /// Good until (`wall`).
    pub expires: Millis,
    /// The last use that is known (`wall`), to within [`GRAIN`].
    pub last_use: Option<Millis>,
    /// The token that this one replaces.
    pub predecessor: Option<TokenId>,
    /// SHA-256 of the secret.
    pub(crate) digest: [u8; 32],
}

impl Token {
    /// Whether its time has passed.
    pub fn is_expired(&self, wall: Millis) -> bool {
        self.expires <= wall
    }
}

//! Every table of the store, in one place.
//!
//! | table | key | value |
//! |---|---|---|
//! | `entries` | id | record (`entry::record`) |
//! | `names` | DN key, root first | id |
//! | `children` | (parent, child) | – |
//! | `counts` | parent | number of children |
//! | `index` | attribute, normalised value, id (`store::indexes`) | – |
//! | `text` | trigram, chunk of ids (`store::text`) | list or bitmap |
//! | `staged` | position | what is done to `index` and `text` and does not stand there yet (`store::staged`) |
//! | `members` | (group, member) | which attribute holds it (`store::membership`) |
//! | `groups` | (member, group) | the same |
//! | `claims` | name space, normalised name | id |
//! | `accounts` | id | account facts |
//! | `credentials` | id | password hash and history |
//! | `graves` | id | record of a deleted account, until its purge |
//! | `tokens` | token id | API token (`token`) |
//! | `owners` | (account, token id) | – |
//! | `sessions` | session id | browser session (`grant`) |
//! | `session_owners` | (account, session id) | – |
//! | `families` | family id | refresh family |
//! | `family_owners` | (account, family id) | – |
//! | `codes` | end, SHA-256 of the code | the family that a used authorization code was redeemed for |
//! | `notices` | (position, number) | an application that has yet to be told of a sign-out |
//! | `revoked` | SHA-256 of a name | until when it is no good |
//! | `consents` | (account, application) | scopes |
//! | `signing_keys` | key id | signing key, sealed |
//! | `secrets` | application or provider | hashes of client secrets, a sealed secret |
//! | `factors` | account | second factors, their seeds sealed |
//! | `links` | provider, SHA-256 of its key | account |
//! | `link_owners` | (account, provider) | key of the link |
//! | `journal` | position | change and audit record (`journal::record`) |
//! | `receipts` | write-set id | position |
//! | `meta` | name | value |

use redb::TableDefinition;

/// Byte strings, as redb spells them.
pub type Bytes = &'static [u8];

/// Entry records by id.
pub const ENTRIES: TableDefinition<u64, Bytes> = TableDefinition::new("entries");
/// Ids by DN key.
pub const NAMES: TableDefinition<Bytes, u64> = TableDefinition::new("names");
/// Children by parent.
pub const CHILDREN: TableDefinition<(u64, u64), ()> = TableDefinition::new("children");
/// Number of children by parent.
pub const COUNTS: TableDefinition<u64, u64> = TableDefinition::new("counts");
/// Equality, presence and ordering.
pub const INDEX: TableDefinition<Bytes, ()> = TableDefinition::new("index");
/// Substrings.
pub const TEXT: TableDefinition<Bytes, Bytes> = TableDefinition::new("text");
/// Changes of the two indexes that do not stand there yet.
pub const STAGED: TableDefinition<u64, Bytes> = TableDefinition::new("staged");
/// Membership, from the group.
pub const MEMBERS: TableDefinition<(u64, u64), u8> = TableDefinition::new("members");
/// Membership, from the member.
pub const GROUPS: TableDefinition<(u64, u64), u8> = TableDefinition::new("groups");
/// Unique names.
pub const CLAIMS: TableDefinition<Bytes, u64> = TableDefinition::new("claims");
/// Account facts.
pub const ACCOUNTS: TableDefinition<u64, Bytes> = TableDefinition::new("accounts");
/// Records of deleted accounts until their purge.
pub const GRAVES: TableDefinition<u64, Bytes> = TableDefinition::new("graves");
/// Password hashes.
pub const CREDENTIALS: TableDefinition<u64, Bytes> = TableDefinition::new("credentials");
/// API tokens by id.
pub const TOKENS: TableDefinition<u64, Bytes> = TableDefinition::new("tokens");
/// API tokens, from the account.
pub const OWNERS: TableDefinition<(u64, u64), ()> = TableDefinition::new("owners");
/// Browser sessions by id.
pub const SESSIONS: TableDefinition<u64, Bytes> = TableDefinition::new("sessions");
/// Browser sessions, from the account.
pub const SESSION_OWNERS: TableDefinition<(u64, u64), ()> = TableDefinition::new("session-owners");
/// Refresh families by id.
pub const FAMILIES: TableDefinition<u64, Bytes> = TableDefinition::new("families");
/// Refresh families, from the account.
pub const FAMILY_OWNERS: TableDefinition<(u64, u64), ()> = TableDefinition::new("family-owners");
/// Authorization codes that were used: when they end, and their digest.
pub const CODES: TableDefinition<Bytes, Bytes> = TableDefinition::new("codes");
/// Applications that have yet to be told of a sign-out: the position that ended it, and a number within it.
pub const NOTICES: TableDefinition<(u64, u64), Bytes> = TableDefinition::new("notices");
/// Names that are no good any more: revoked access tokens, assertions that were used.
pub const REVOKED: TableDefinition<Bytes, i64> = TableDefinition::new("revoked");
/// Consents by account and application.
pub const CONSENTS: TableDefinition<(u64, u64), Bytes> = TableDefinition::new("consents");
/// Signing keys by id.
pub const SIGNING_KEYS: TableDefinition<u64, Bytes> = TableDefinition::new("signing-keys");
/// Secrets of applications and providers.
pub const SECRETS: TableDefinition<u64, Bytes> = TableDefinition::new("secrets");
/// Second factors by account.
pub const FACTORS: TableDefinition<u64, Bytes> = TableDefinition::new("factors");
/// Whom a provider's key is.
pub const LINKS: TableDefinition<Bytes, Bytes> = TableDefinition::new("links");
/// Links, from the account.
pub const LINK_OWNERS: TableDefinition<(u64, u64), Bytes> = TableDefinition::new("link-owners");
/// Change and audit records.
pub const JOURNAL: TableDefinition<u64, Bytes> = TableDefinition::new("journal");
/// Outcomes of write sets.
pub const RECEIPTS: TableDefinition<u128, u64> = TableDefinition::new("receipts");
/// Single values: see [`meta`].
pub const META: TableDefinition<&'static str, Bytes> = TableDefinition::new("meta");

/// The names in [`META`].
pub mod meta {
    /// Store format, u32 little endian: see `store::migrate`.
    pub const FORMAT: &str = "format";
    /// Identity of this store, 16 bytes.
    pub const STORE_ID: &str = "store-id";
    /// The next entry id, u64 little endian.
    pub const NEXT_ID: &str = "next-id";
    /// The last position of the journal, u64 little endian.
    pub const POSITION: &str = "position";
    /// The head of the audit chain, 32 bytes.
    pub const CHAIN: &str = "chain";
    /// The highest time that a commit has seen, i64 little endian milliseconds.
    pub const HIGH_WATER: &str = "high-water";
    /// Suffixes: ids, u64 little endian each.
    pub const SUFFIXES: &str = "suffixes";
    /// The role whose members are system administrators: id, u64 little endian.
    pub const SYSTEM_ADMIN: &str = "system-admin-role";
    /// The role whose members may read everything below its suffix: ids, u64 little endian each.
    pub const READERS: &str = "reader-roles";
    /// The definitions that schema files have given (`schema::custom`).
    pub const DEFINITIONS: &str = "schema-definitions";
    /// Rises when a signing key comes or goes, u64 little endian.
    pub const KEYS: &str = "signing-keys";
    /// What the seal key is known by, 8 bytes.
    pub const SEAL: &str = "seal-key";
    /// The built-in system account (requirement 1.6).
    pub const SYSTEM_ACCOUNT: &str = "system-account";
}

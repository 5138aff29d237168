//! What an attribute type is: one line of the catalog, with its three faces.
//!
//! Owns the description of a type; the matching itself is in [`super::matching`], the syntax check in
//! [`super::syntax`]. Called by everything that reads or writes an attribute.

use super::{matching::MatchingRule, syntax::Syntax};

/// The stable number of an attribute type. It is what records and index keys hold, so a number in the catalog is
/// never given to another type. Below 0x8000: shipped; from there on: defined at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct AttributeId(pub u16);

/// RFC 4512 §4.1.2 `USAGE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// `userApplications`: returned for `*`.
    User,
    /// `directoryOperation`: returned for `+` or by name.
    Directory,
    /// `distributedOperation`: returned for `+` or by name.
    Distributed,
    /// `dSAOperation`: returned for `+` or by name.
    Dsa,
}

/// Where the values of an attribute live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In the entry's record.
    Entry,
    /// In the membership edges (`member`, `uniqueMember`, and `memberOf`, their reverse).
    Edge,
    /// In the account facts, projected when asked for (`pwd*`).
    Account,
    /// In the credential table; never read back (`userPassword`).
    Credential,
    /// Computed from the tree when asked for (`entryDN`, `hasSubordinates`, …).
    Computed,
}

/// Which index is kept for an attribute in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// None: large or opaque values.
    None,
    /// Equality, presence and, where the type has an ordering rule, ordering.
    Equality,
    /// As [`Index::Equality`], and substrings by trigrams.
    Text,
}

/// One attribute type (RFC 4512 §4.1.2).
///
/// Names and texts are `'static`: those of the shipped catalog are constants, those of run-time definitions are
/// interned for the life of the process (see [`super::extension`]).
#[derive(Debug, Clone)]
pub struct AttributeType {
    /// The stable number.
    pub id: AttributeId,
    /// Dotted object identifier.
    pub oid: &'static str,
    /// The names, the canonical one first, in the spelling of its RFC.
    pub names: &'static [&'static str],
    /// `DESC`.
    pub description: &'static str,
    /// The supertype, when there is one.
    pub supertype: Option<AttributeId>,
    /// The syntax (inherited ones are filled in).
    pub syntax: Syntax,
    /// The upper bound on the length of a value in bytes that the definition suggests; 0: none.
    pub max_length: u32,
    /// Equality rule (inherited ones are filled in).
    pub equality: Option<MatchingRule>,
    /// Ordering rule.
    pub ordering: Option<MatchingRule>,
    /// Substring rule.
    pub substring: Option<MatchingRule>,
    /// `SINGLE-VALUE`.
    pub single_value: bool,
    /// `NO-USER-MODIFICATION`.
    pub no_user_modification: bool,
    /// `USAGE`.
    pub usage: Usage,
    /// Where values live.
    pub storage: Storage,
    /// Which index is kept.
    pub index: Index,
    /// SCIM face: the path, when there is one (`name.familyName`).
    pub scim: Option<&'static str>,
    /// OIDC face: the claim, when there is one (`family_name`).
    pub claim: Option<&'static str>,
    /// Where the definition comes from (`RFC 4519`): the `X-ORIGIN` of the subschema.
    pub origin: &'static str,
}

/// The answer for a number that no type has: no name on the wire, no rule, nothing stored.
pub(super) static PLACEHOLDER: AttributeType = AttributeType {
    id: AttributeId(0),
    oid: "0.0",
    names: &[],
    description: "",
    supertype: None,
    syntax: Syntax::OctetString,
    max_length: 0,
    equality: None,
    ordering: None,
    substring: None,
    single_value: false,
    no_user_modification: true,
    usage: Usage::Dsa,
    storage: Storage::Computed,
    index: Index::None,
    scim: None,
    claim: None,
    origin: "",
};

impl AttributeType {
    /// The canonical name.
    pub fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or(self.oid)
    }

    /// Whether the server keeps the values rather than the clients: returned for `+`, not for `*`.
    pub fn is_operational(&self) -> bool {
        self.usage != Usage::User
    }

    /// Whether a filter may ask for it. Values that are never read back are not searched either: a filter on a
    /// password would be an oracle.
    pub fn is_filterable(&self) -> bool {
        self.storage != Storage::Credential
    }
}

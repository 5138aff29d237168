//! Who somebody is by the word of a provider, proven.

use directory::clock::Millis;
use serde_json::{Map, Value};

/// A proven identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What a link is made by, of immutable claims alone: `ISSUER|SUBJECT`, of Entra `ISSUER|TENANT|OBJECT`.
    pub key: String,
    /// `iss`, in its one spelling.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `tid`, of Entra.
    pub tenant: Option<String>,
    /// `oid`, of Entra.
    pub object: Option<String>,
    /// `email`. To be shown; never to be looked up by, unless the next field says so.
    pub email: Option<String>,
    /// The provider speaks for the address: it is proven to be this person's now.
    pub email_is_authoritative: bool,
    /// `name`.
    pub name: Option<String>,
    /// `given_name`.
    pub given_name: Option<String>,
    /// `family_name`.
    pub family_name: Option<String>,
    /// `preferred_username`. Anybody may be called anything.
    pub preferred_username: Option<String>,
    /// What the person recognises the account by: an address or a name, never empty. To be shown, nothing else.
    pub shown: String,
    /// `groups`.
    pub groups: Groups,
    /// `roles`.
    pub roles: Vec<String>,
    /// `acr`.
    pub acr: Option<String>,
    /// `amr`.
    pub amr: Vec<String>,
    /// When the person signed in there.
    pub auth_time: Option<Millis>,
    /// The token proves that there was a second factor. Whether that counts is the provider's `trusts_second_factor`.
    pub second_factor: bool,
    /// `sid`: the session there.
    pub sid: Option<String>,
    /// Everything that the token says.
    pub claims: Map<String, Value>,
}

/// What a token says of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// These, and no others.
    Known(Vec<String>),
    /// More than the token holds: which ones is not known (R12: nobody keeps what may have been taken).
    Overage,
    /// Nothing: the provider was not asked, or has none.
    Absent,
}

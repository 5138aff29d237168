//! Providers that sign people in for us: Google, Microsoft Entra, any OpenID provider.

use super::Values;
use crate::access::class_key;
use crate::entry::record::Record;
use crate::error::Refusal;
use crate::handle::Directory;
use crate::id::EntryId;
use crate::schema::Schema;
use crate::schema::kind::Kind;
use crate::schema::known::{attribute as known, class};
use crate::store::view::View;

/// The most providers that are looked at.
const PROVIDERS: usize = 1_000;

/// What a provider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// Google.
    Google,
    /// Microsoft Entra.
    Entra,
    /// Any other OpenID provider.
    Oidc,
}

impl ProviderKind {
    /// All of them.
    pub const ALL: [ProviderKind; 3] = [ProviderKind::Google, ProviderKind::Entra, ProviderKind::Oidc];

    /// The name in entries and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ProviderKind::Google => "google",
            ProviderKind::Entra => "entra",
            ProviderKind::Oidc => "oidc",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<ProviderKind> {
        ProviderKind::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// A national cloud of Microsoft Entra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// `login.microsoftonline.com`.
    Global,
    /// `login.microsoftonline.us`.
    Us,
    /// `login.partner.microsoftonline.cn`.
    China,
}

impl Cloud {
    /// All of them.
    pub const ALL: [Cloud; 3] = [Cloud::Global, Cloud::Us, Cloud::China];

    /// The name in entries and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Cloud::Global => "global",
            Cloud::Us => "us",
            Cloud::China => "china",
        }
    }

    /// The cloud of that name.
    pub fn from_name(name: &str) -> Option<Cloud> {
        Cloud::ALL.into_iter().find(|cloud| cloud.name().eq_ignore_ascii_case(name))
    }
}

/// What happens to somebody whose account is not linked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkPolicy {
    /// Refused.
    Deny,
    /// Signs in here first, and confirms.
    Prompt,
    /// Linked by an address that the provider speaks for and that we have verified.
    TrustedEmail,
}

impl LinkPolicy {
    /// All of them.
    pub const ALL: [LinkPolicy; 3] = [LinkPolicy::Deny, LinkPolicy::Prompt, LinkPolicy::TrustedEmail];

    /// The name in entries and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            LinkPolicy::Deny => "deny",
            LinkPolicy::Prompt => "prompt",
            LinkPolicy::TrustedEmail => "trusted-email",
        }
    }

    /// The policy of that name.
    pub fn from_name(name: &str) -> Option<LinkPolicy> {
        LinkPolicy::ALL.into_iter().find(|policy| policy.name().eq_ignore_ascii_case(name))
    }
}

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its entry.
    pub id: EntryId,
    /// Its DN.
    pub dn: String,
    /// `cn`: its name in addresses and on the command line.
    pub name: String,
    /// `displayName`, or else `cn`: what people are shown.
    pub display_name: String,
    /// What it is.
    pub kind: ProviderKind,
    /// It is in use.
    pub enabled: bool,
    /// Our client identifier there.
    pub client_id: String,
    /// Its issuer, where the kind does not say it.
    pub issuer: Option<String>,
    /// The cloud, of Entra.
    pub cloud: Cloud,
    /// Its tenants that may sign in, of Entra; `*` for any.
    pub allowed_tenants: Vec<String>,
    /// The hosted domains that may sign in, of Google.
    pub allowed_domains: Vec<String>,
    /// The mail domains that it speaks for.
    pub trusted_domains: Vec<String>,
    /// What happens to an account that is not linked.
    pub link_policy: LinkPolicy,
    /// Somebody without an account gets one.
    pub just_in_time: bool,
    /// Its second factor counts here.
    pub trusts_second_factor: bool,
    /// Its groups or roles, and the DNs of ours.
    pub group_mapping: Vec<(String, String)>,
    /// Scopes to ask for besides `openid`.
    pub scopes: Vec<String>,
    /// How its ID tokens may be signed; without any: RS256.
    pub algorithms: Vec<String>,
}

impl Provider {
    fn of(schema: &Schema, id: EntryId, record: &Record<'_>) -> Option<Provider> {
        if record.kind() != Kind::Provider {
            return None;
        }
        let values = Values { record };
        let cn = schema.find_attribute(b"cn").and_then(|attribute| values.one(attribute.id));
        let cloud = values.one(known::ROLLBOOK_CLOUD).map_or(Some(Cloud::Global), |name| Cloud::from_name(&name))?;
        let policy = values.one(known::ROLLBOOK_LINK_POLICY);
        let mapping = values.all(known::ROLLBOOK_GROUP_MAPPING);
        let mapping = mapping.iter().filter_map(|text| text.split_once('='));
        let algorithms = values.all(known::ROLLBOOK_TOKEN_ALGORITHM);
        Some(Provider {
            id,
            dn: record.dn().to_owned(),
            name: cn?,
            display_name: values.name(schema),
            kind: ProviderKind::from_name(&values.one(known::ROLLBOOK_PROVIDER_KIND)?)?,
            // A provider is tried before it is let in.
            enabled: values.truth(known::ROLLBOOK_ENABLED).unwrap_or(false),
            client_id: values.one(known::ROLLBOOK_CLIENT_ID).unwrap_or_default(),
            issuer: values.one(known::ROLLBOOK_ISSUER),
            cloud,
            allowed_tenants: values.all(known::ROLLBOOK_ALLOWED_TENANT),
            allowed_domains: values.all(known::ROLLBOOK_ALLOWED_SSO_DOMAIN),
            trusted_domains: values.all(known::ROLLBOOK_TRUSTED_DOMAIN),
            link_policy: policy.map_or(Some(LinkPolicy::Deny), |name| LinkPolicy::from_name(&name))?,
            just_in_time: values.truth(known::ROLLBOOK_JUST_IN_TIME).unwrap_or(false),
            trusts_second_factor: values.truth(known::ROLLBOOK_TRUST_SECOND_FACTOR).unwrap_or(false),
            group_mapping: mapping.map(|(theirs, ours)| (theirs.to_owned(), ours.to_owned())).collect(),
            scopes: values.all(known::ROLLBOOK_ALLOWED_SCOPE),
            algorithms,
        })
    }
}

impl Directory {
    /// The provider of this name (`cn`). One that two entries claim is nobody's.
    ///
    /// # Errors
    /// `Store`.
    pub fn provider(&self, name: &str) -> Result<Option<Provider>, Refusal> {
        let mut named = self.providers()?.into_iter().filter(|provider| provider.name.eq_ignore_ascii_case(name));
        Ok(named.next().filter(|_| named.next().is_none()))
    }

    /// The provider of this entry.
    ///
    /// # Errors
    /// `Store`.
    pub fn provider_of(&self, id: EntryId) -> Result<Option<Provider>, Refusal> {
        let snapshot = self.snapshot()?;
        let guard = snapshot.record(id)?;
        let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
        Ok(record.and_then(|record| Provider::of(self.schema(), id, &record)))
    }

    /// All providers, in use or not, in the order of their making.
    ///
    /// # Errors
    /// `Store`.
    pub fn providers(&self) -> Result<Vec<Provider>, Refusal> {
        let snapshot = self.snapshot()?;
        let classes = crate::schema::known::attribute::OBJECT_CLASS;
        let mut out = Vec::new();
        for id in snapshot.as_ref().holders(classes, &class_key(class::ROLLBOOK_PROVIDER), PROVIDERS)? {
            out.extend(self.provider_of(id)?);
        }
        Ok(out)
    }
}

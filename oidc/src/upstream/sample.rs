//! A provider and an identity for the tables of the tests beside.

use super::{Groups, Identity};
use directory::application::{Cloud, LinkPolicy, Provider, ProviderKind};
use directory::id::EntryId;
use serde_json::Map;

pub(super) fn provider() -> Provider {
    Provider {
        id: EntryId(1),
        dn: "cn=corp".into(),
        name: "corp".into(),
        display_name: "Corp".into(),
        kind: ProviderKind::Oidc,
        enabled: true,
        client_id: "us".into(),
        issuer: Some("https://idp.example".into()),
        cloud: Cloud::Global,
        allowed_tenants: Vec::new(),
        allowed_domains: Vec::new(),
        trusted_domains: Vec::new(),
        link_policy: LinkPolicy::Deny,
        just_in_time: false,
        trusts_second_factor: false,
        group_mapping: Vec::new(),
        scopes: Vec::new(),
        algorithms: Vec::new(),
    }
}

pub(super) fn identity() -> Identity {
    Identity {
        key: "https://idp.example|1".into(),
        issuer: "https://idp.example".into(),
        subject: "1".into(),
        tenant: None,
        object: None,
        email: None,
        email_is_authoritative: false,
        name: None,
        given_name: None,
        family_name: None,
        preferred_username: None,
        shown: "1".into(),
        groups: Groups::Absent,
        roles: Vec::new(),
        acr: None,
        amr: Vec::new(),
        auth_time: None,
        second_factor: false,
        sid: None,
        claims: Map::new(),
    }
}

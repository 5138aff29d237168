//! Who asks, and what for: bearer tokens (RFC 6750) and the part of the tree that they reach.
//!
//! Owns the header, the scope of the token (reading or writing, resource types), and the [`Realm`] of a request. What the
//! token's account may do is decided in `directory`, each time.

use crate::protocol::error::ScimError;
use crate::refusal::from_refusal;
use crate::resource::reader::parse;
use crate::resource::{Kind, Realm};
use axum::http::{HeaderMap, header};
use directory::access::{Rights, Sight, class_key, tenant_key};
use directory::clock::Now;
use directory::context::Actor;
use directory::entry::record::Record;
use directory::handle::Directory;
use directory::id::EntryId;
use directory::schema::known::{attribute as known, class};
use directory::store::tables::meta;
use directory::store::view::{Snapshot, View};
use directory::token::{Live, Scope};

/// The longest header that is looked at.
const LONGEST: usize = 4_096;
/// Tenants that are looked through for a name.
const TENANTS: usize = 100_000;

/// Why a request has no token that is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unauthorized {
    /// No token at all.
    Missing,
    /// None that is good now.
    Invalid,
}

impl Unauthorized {
    /// The header `WWW-Authenticate` (RFC 6750 §3).
    pub fn challenge(self) -> &'static str {
        match self {
            Unauthorized::Missing => "Bearer realm=\"scim\"",
            Unauthorized::Invalid => "Bearer realm=\"scim\", error=\"invalid_token\"",
        }
    }

    /// The body.
    pub fn error(self) -> ScimError {
        ScimError::new(
            401,
            match self {
                Unauthorized::Missing => "a bearer token is needed",
                Unauthorized::Invalid => "the token is not good, or not any more",
            },
        )
    }
}

/// The live token of a request.
///
/// # Errors
/// `Ok(Err(_))`: there is none; `Err`: the store failed.
pub fn token(directory: &Directory, headers: &HeaderMap, now: &Now) -> Result<Result<Live, Unauthorized>, ScimError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, more) = (values.next(), values.next());
    let Some(value) = value else { return Ok(Err(Unauthorized::Missing)) };
    let text = value.to_str().ok().filter(|text| text.len() <= LONGEST && more.is_none());
    let presented =
        text.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, presented)) = presented else { return Ok(Err(Unauthorized::Invalid)) };
    let Some(live) = directory.token(presented.trim(), now).map_err(|r| from_refusal(&r))? else {
        return Ok(Err(Unauthorized::Invalid));
    };
    let is_live = directory.use_token(&live, now).map_err(|r| from_refusal(&r))?;
    Ok(if is_live { Ok(live) } else { Err(Unauthorized::Invalid) })
}

/// Whether a token may touch this resource type, and write it.
///
/// # Errors
/// 403.
pub fn allows(scope: &Scope, kind: Option<Kind>, writes: bool) -> Result<(), ScimError> {
    if writes && !scope.write {
        return Err(ScimError::new(403, "the token may only read"));
    }
    match kind {
        Some(kind) if !reaches(scope, kind) => {
            Err(ScimError::new(403, format!("the token is not for resources of type {}", kind.name())))
        }
        _ => Ok(()),
    }
}

/// Whether a resource type is in the token's scope.
pub fn reaches(scope: &Scope, kind: Kind) -> bool {
    scope.types.is_empty() || scope.types.iter().any(|name| name.eq_ignore_ascii_case(kind.name()))
}

/// What a request is about: the token's tenant, the one that the path names, or what the account reaches.
///
/// # Errors
/// 404 for a tenant that the token does not reach; 500 when the store fails.
pub fn realm(
    directory: &Directory,
    snapshot: &Snapshot,
    rights: &Rights,
    live: &Live,
    named: Option<&str>,
) -> Result<Realm, ScimError> {
    let unknown = || ScimError::new(404, "there is no such tenant");
    let of = |id: EntryId, tenant: bool| -> Result<Option<(Realm, bool)>, ScimError> {
        let Some(guard) = snapshot.record(id).map_err(|r| from_refusal(&r))? else { return Ok(None) };
        let record = parse(guard.value()).map_err(|r| from_refusal(&r))?;
        let is_named = named.is_none_or(|name| is_called(&record, name));
        let seen = rights.sight(id, &record) != Sight::None || rights.reads_below(record.key());
        Ok(seen.then(|| (Realm { dn: record.dn().to_owned(), key: record.key().to_vec(), tenant }, is_named)))
    };
    if let Some(base) = live.token.scope.base {
        return match of(base, true)? {
            Some((realm, true)) => Ok(realm),
            _ => Err(unknown()),
        };
    }
    if named.is_some() {
        let schema = directory.schema();
        let is_tenant = schema.class(class::ROLLBOOK_TENANT).is_some();
        let tenants = snapshot
            .holders(known::OBJECT_CLASS, &class_key(class::ROLLBOOK_TENANT), TENANTS)
            .map_err(|r| from_refusal(&r))?;
        for tenant in tenants.into_iter().filter(|_| is_tenant) {
            if let Some((realm, true)) = of(tenant, true)? {
                return Ok(realm);
            }
        }
        return Err(unknown());
    }
    if rights.sees_all() {
        let suffixes = snapshot.meta_ids(meta::SUFFIXES).map_err(|r| from_refusal(&r))?;
        let first = suffixes.first().copied().ok_or_else(unknown)?;
        return of(first, false)?.map(|(realm, _)| realm).ok_or_else(unknown);
    }
    // An account that stands in a tenant reaches that tenant.
    let Actor::Account { id, .. } = live.actor else { return Err(unknown()) };
    let key = tenant_key(snapshot, id).map_err(|r| from_refusal(&r))?;
    let top = snapshot.id_of(&key).map_err(|r| from_refusal(&r))?.ok_or_else(unknown)?;
    of(top, true)?.map(|(realm, _)| realm).ok_or_else(unknown)
}

/// Whether a tenant goes by a name: its short name, or the value that names its entry.
fn is_called(record: &Record<'_>, name: &str) -> bool {
    let is_it =
        |value: &[u8]| std::str::from_utf8(value).is_ok_and(|value| value.to_lowercase() == name.to_lowercase());
    if record.values(known::ROLLBOOK_TENANT_NAME).any(is_it) {
        return true;
    }
    let rdn = directory::entry::dn::Dn::parse(record.dn().as_bytes()).ok().and_then(|dn| dn.rdns.into_iter().next());
    rdn.is_some_and(|rdn| rdn.avas.iter().any(|ava| is_it(&ava.value)))
}

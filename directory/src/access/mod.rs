//! Who may do what: rights of an actor, derived from the roles that it holds now.
//!
//! Deny by default. A right is a *power* within a *scope*. A scope is the subtree of a tenant without the tenants below
//! it, or a whole suffix for the roles that stand above tenants:
//!
//! | role | power | scope |
//! |---|---|---|
//! | SYSTEM_ADMIN (the one that `init` made) | everything | everywhere |
//! | DIRECTORY_READER made by `init` | read | everywhere |
//! | TENANT_ADMIN | administer | its tenant |
//! | USER_ADMIN | write accounts, read | its tenant |
//! | SCIM_PROVISIONER | write people and groups, read | its tenant |
//! | DIRECTORY_READER, MONITORING of a tenant | read | its tenant |
//!
//! Everybody may read the own entry and change the own password and a few attributes of the own entry. Password hashes
//! leave through no right at all. The same functions are asked before a search and inside `apply`, where they read the
//! transaction's own tables: a role taken away is gone for the next write in the journal.

mod remembered;

pub use remembered::Remembered;

use crate::change::account::is_usable;
use crate::context::Actor;
use crate::entry::record::Record;
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::schema::Schema;
use crate::schema::attribute::{AttributeId, AttributeType, Storage};
use crate::schema::kind::Kind;
use crate::store::membership;
use crate::store::tables::meta;
use crate::store::view::View;
use std::sync::Arc;

/// The most tenants below one scope that are told apart.
const TENANTS: usize = 100_000;

/// What a role lets its holder do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Power {
    /// Read entries, without the account's administrative attributes.
    Read,
    /// Read, and write people and groups that give no rights: what provisioning clients do.
    Provision,
    /// Read, and write accounts.
    Accounts,
    /// Read and write, except what is the system administrators'.
    Administer,
    /// Everything.
    System,
}

/// Where a power holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Scope {
    /// DN key of its top; empty: everywhere.
    key: Vec<u8>,
    /// Tops of the tenants below, sorted: not part of it.
    without: Vec<Vec<u8>>,
    power: Power,
}

impl Scope {
    fn holds(&self, key: &[u8]) -> bool {
        key.starts_with(&self.key) && !self.without.iter().any(|w| key.starts_with(w))
    }
}

/// The rights of an actor in one state of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Whose.
    pub actor: Actor,
    /// The actor's entry.
    entry: EntryId,
    /// Shared: a scope may go without a hundred thousand tenants.
    scopes: Arc<[Scope]>,
}

/// What may be seen of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Nothing, not even that it exists.
    None,
    /// The attributes that are not administrative.
    Plain,
    /// Those too.
    Administrative,
}

impl Rights {
    /// The rights of nobody.
    pub fn none() -> Rights {
        Rights { actor: Actor::Anonymous, entry: EntryId::NONE, scopes: Arc::new([]) }
    }

    /// The rights of the server itself.
    pub fn system() -> Rights {
        Rights { actor: Actor::System, entry: EntryId::NONE, scopes: Arc::new([everywhere(Power::System)]) }
    }

    /// The rights that `actor` has now.
    ///
    /// # Errors
    /// `NotAllowed` when the login has been revoked: the account is gone, disabled, or its epoch has moved.
    pub fn of(view: &impl View, schema: &Schema, actor: Actor) -> Result<Rights, Refusal> {
        let Actor::Account { id, epoch, must_change_password } = actor else {
            return Ok(if actor == Actor::System { Rights::system() } else { Rights::none() });
        };
        let account = view.account(id)?;
        if !account.is_some_and(|a| a.epoch == epoch && is_usable(&a)) {
            return Err(Refusal::new(Reason::NotAllowed, "this login has ended"));
        }
        let with = |scopes: Vec<Scope>| Rights { actor, entry: id, scopes: scopes.into() };
        if must_change_password {
            return Ok(with(Vec::new()));
        }
        let groups = membership::closure(view, id)?;
        if groups.is_empty() {
            return Ok(with(Vec::new()));
        }
        let mut scopes = Vec::new();
        let system = view.meta_u64(meta::SYSTEM_ADMIN)?.map(EntryId);
        let readers = view.meta_ids(meta::READERS)?;
        for group in groups {
            if Some(group) == system {
                return Ok(with(vec![everywhere(Power::System)]));
            }
            if readers.contains(&group) {
                scopes.push(everywhere(Power::Read));
                continue;
            }
            scopes.extend(tenant_role(view, schema, group)?);
        }
        Ok(with(scopes))
    }

    /// Whether the actor is a system administrator or the system itself.
    pub fn is_system(&self) -> bool {
        self.scopes.iter().any(|s| s.power == Power::System)
    }

    /// Whether the actor reads more than the own entry.
    pub fn reads_others(&self) -> bool {
        !self.scopes.is_empty()
    }

    /// The highest power over the entry of this key.
    pub fn power(&self, key: &[u8]) -> Option<Power> {
        self.scopes.iter().filter(|s| s.holds(key)).map(|s| s.power).max()
    }

    /// What may be seen of an entry.
    pub fn sight(&self, id: EntryId, record: &Record<'_>) -> Sight {
        match self.power(record.key()) {
            Some(Power::Provision | Power::Accounts | Power::Administer | Power::System) => Sight::Administrative,
            Some(Power::Read) => Sight::Plain,
            None if id == self.entry && id != EntryId::NONE => Sight::Plain,
            None => Sight::None,
        }
    }

    /// Whether the actor is this entry.
    pub fn is_self(&self, id: EntryId) -> bool {
        id == self.entry && id != EntryId::NONE
    }

    /// Whether something below the entry of this key may be seen.
    pub fn reads_below(&self, key: &[u8]) -> bool {
        self.scopes.iter().any(|s| s.key.starts_with(key))
    }

    /// Whether everything may be seen, so that nothing needs to be asked entry by entry.
    pub fn sees_all(&self) -> bool {
        self.scopes.iter().any(|s| s.key.is_empty() && s.without.is_empty())
    }

    /// Whether the actor may add an entry of this kind with this key.
    pub fn may_add(&self, key: &[u8], kind: Kind) -> bool {
        match self.power(key) {
            Some(Power::System) => true,
            Some(Power::Administer) => !matches!(kind, Kind::Tenant | Kind::Policy | Kind::Provider),
            Some(Power::Accounts) => kind.is_account(),
            // Containers too, which a tenant may lack.
            Some(Power::Provision) => is_provisioned(kind) || kind == Kind::Other,
            Some(Power::Read) | None => false,
        }
    }

    /// Whether the actor may change this attribute of this entry.
    pub fn may_write(
        &self,
        view: &impl View,
        id: EntryId,
        record: &Record<'_>,
        attribute: &AttributeType,
    ) -> Result<bool, Refusal> {
        let allowed = match self.power(record.key()) {
            Some(Power::System) => return Ok(true),
            Some(Power::Administer) => !matches!(record.kind(), Kind::Tenant | Kind::Provider),
            Some(Power::Accounts) => record.kind().is_account(),
            Some(Power::Provision) => is_provisioned(record.kind()),
            Some(Power::Read) | None => false,
        };
        if allowed {
            return self.may_touch(view, id, record);
        }
        Ok(id == self.entry && id != EntryId::NONE && is_own(attribute))
    }

    /// Whether the actor may rename, move or delete this entry, or act on its account.
    pub fn may_govern(&self, view: &impl View, id: EntryId, record: &Record<'_>) -> Result<bool, Refusal> {
        match self.power(record.key()) {
            Some(Power::System) => Ok(true),
            Some(Power::Administer) if !matches!(record.kind(), Kind::Tenant | Kind::Provider) => {
                self.may_touch(view, id, record)
            }
            Some(Power::Accounts) if record.kind().is_account() => self.may_touch(view, id, record),
            Some(Power::Provision) if is_provisioned(record.kind()) => self.may_touch(view, id, record),
            _ => Ok(false),
        }
    }

    /// Whether the actor may give and take API tokens of this account: as its password, but not by provisioning.
    pub fn may_issue(&self, view: &impl View, id: EntryId, record: &Record<'_>) -> Result<bool, Refusal> {
        Ok(self.power(record.key()) > Some(Power::Provision) && self.may_govern(view, id, record)?)
    }

    /// What gives rights above the actor's own is not the actor's to touch: accounts and groups that hold a role of the
    /// deployment or of a tenant out of reach, and tenant administrators' accounts unless they are one's own (requirement
    /// 2.12). Whoever could set such an account's password, or join such a group, would have those rights. Provisioning
    /// touches no group that gives any rights, and nobody who may do more than read.
    fn may_touch(&self, view: &impl View, id: EntryId, record: &Record<'_>) -> Result<bool, Refusal> {
        let system = view.meta_u64(meta::SYSTEM_ADMIN)?.map(EntryId);
        let readers = view.meta_ids(meta::READERS)?;
        let is_above = |group: EntryId| Some(group) == system || readers.contains(&group);
        if is_above(id) {
            return Ok(false);
        }
        if id == self.entry {
            return Ok(true);
        }
        let own = self.power(record.key());
        for group in membership::closure(view, id)? {
            if is_above(group) {
                return Ok(false);
            }
            let Some(guard) = view.record(group)? else { continue };
            let Ok(role) = Record::parse(guard.value()) else { continue };
            let Some(power) = power_of(&role) else { continue };
            let is_colleague = power == Power::Administer && record.kind().is_account();
            let is_beyond = match own {
                Some(Power::Provision) => record.kind() == Kind::Group || power >= Power::Provision,
                // Who provisions writes groups, and who writes accounts does not.
                Some(Power::Accounts) => power == Power::Provision,
                _ => false,
            };
            if is_colleague || is_beyond || self.power(role.key()).is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The kinds that provisioning writes.
fn is_provisioned(kind: Kind) -> bool {
    matches!(kind, Kind::Person | Kind::Group)
}

fn everywhere(power: Power) -> Scope {
    Scope { key: Vec::new(), without: Vec::new(), power }
}

/// Attributes of the own entry that everybody may change, besides the password.
fn is_own(attribute: &AttributeType) -> bool {
    const OWN: &[&str] = &["telephoneNumber", "mobile", "homePhone", "preferredLanguage", "jpegPhoto"];
    attribute.storage == Storage::Entry && OWN.contains(&attribute.name())
}

/// Whether an attribute is part of a sight. Credentials are part of none.
pub fn shows(sight: Sight, attribute: &AttributeType) -> bool {
    match attribute.storage {
        Storage::Credential => false,
        Storage::Account => sight == Sight::Administrative,
        Storage::Entry | Storage::Edge | Storage::Computed => sight != Sight::None,
    }
}

/// Whether a role makes its holders administrators, of everything or of a tenant.
pub fn is_administrators(view: &impl View, role: EntryId) -> Result<bool, Refusal> {
    if view.meta_u64(meta::SYSTEM_ADMIN)? == Some(role.0) {
        return Ok(true);
    }
    let Some(guard) = view.record(role)? else { return Ok(false) };
    Ok(Record::parse(guard.value()).is_ok_and(|r| power_of(&r) == Some(Power::Administer)))
}

/// What a role lets its holders do in its tenant.
fn power_of(role: &Record<'_>) -> Option<Power> {
    if role.kind() != Kind::Role {
        return None;
    }
    if role_name_is(role, "TENANT_ADMIN") {
        Some(Power::Administer)
    } else if role_name_is(role, "USER_ADMIN") {
        Some(Power::Accounts)
    } else if role_name_is(role, crate::token::PROVISIONER_ROLE) {
        Some(Power::Provision)
    } else if role_name_is(role, "DIRECTORY_READER") || role_name_is(role, "MONITORING") {
        Some(Power::Read)
    } else {
        None
    }
}

fn role_name_is(role: &Record<'_>, name: &str) -> bool {
    // The first RDN's value, up to the first separator: predefined names hold nothing that would be escaped.
    let rdn = role.dn().split(',').next().unwrap_or_default();
    rdn.split_once('=').is_some_and(|(_, value)| value.eq_ignore_ascii_case(name))
}

/// Whether an account may do more here than be itself: it holds, directly or through groups, a role that gives rights.
///
/// # Errors
/// `Store`, `Limit`.
pub fn is_privileged(view: &impl View, account: EntryId) -> Result<bool, Refusal> {
    let system = view.meta_u64(meta::SYSTEM_ADMIN)?.map(EntryId);
    let readers = view.meta_ids(meta::READERS)?;
    for group in membership::closure(view, account)? {
        if Some(group) == system || readers.contains(&group) {
            return Ok(true);
        }
        let Some(guard) = view.record(group)? else { continue };
        if Record::parse(guard.value()).is_ok_and(|role| power_of(&role).is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn tenant_role(view: &impl View, schema: &Schema, group: EntryId) -> Result<Option<Scope>, Refusal> {
    let Some(guard) = view.record(group)? else { return Ok(None) };
    let Ok(role) = Record::parse(guard.value()) else { return Ok(None) };
    let Some(power) = power_of(&role) else { return Ok(None) };
    let key = tenant_key(view, role.parent())?;
    Ok(Some(Scope { without: tenants_below(view, schema, &key)?, key, power }))
}

/// The key of the nearest tenant at or above an entry; without one, of its suffix.
pub fn tenant_key(view: &impl View, from: EntryId) -> Result<Vec<u8>, Refusal> {
    let mut id = from;
    let mut top = Vec::new();
    // A tree is as deep as a DN has RDNs; the bound guards against a damaged store.
    for _ in 0..1_000 {
        let Some(guard) = view.record(id)? else { break };
        let Ok(record) = Record::parse(guard.value()) else { break };
        top = record.key().to_vec();
        if record.kind() == Kind::Tenant || record.parent() == EntryId::NONE {
            break;
        }
        id = record.parent();
    }
    Ok(top)
}

fn tenants_below(view: &impl View, schema: &Schema, key: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
    let (Some(attribute), Some(class)) = (schema.find_attribute(b"objectClass"), schema.find_class(b"rollbookTenant"))
    else {
        return Ok(Vec::new());
    };
    let mut out = Vec::new();
    for id in view.holders(attribute.id, class_key(class.id).as_slice(), TENANTS)? {
        let Some(guard) = view.record(id)? else { continue };
        let Ok(record) = Record::parse(guard.value()) else { continue };
        if record.key().len() > key.len() && record.key().starts_with(key) {
            out.push(record.key().to_vec());
        }
    }
    out.sort();
    Ok(out)
}

/// The index value of an object class: its number, for the class itself and for every subclass.
pub fn class_key(class: crate::schema::kind::ClassId) -> [u8; 2] {
    class.0.to_be_bytes()
}

/// The object class attribute's number, which the record's class list stands in for.
pub fn is_object_class(schema: &Schema, attribute: AttributeId) -> bool {
    schema.attribute(attribute).name() == "objectClass"
}

//! What a request reads by: one snapshot, the rights of its token, the part of the tree that it is about.
//!
//! Owns the question "does this entry exist for this token": it is of the resource type, the actor may see it, and it
//! belongs to the tenant, not to one below. Everything that reads or names a resource asks here, so isolation is one rule.

use super::binding::Binding;
use crate::schema::ACCOUNT_STATE;
use directory::access::{Rights, Sight, tenant_key};
use directory::clock::Now;
use directory::entry::record::Record;
use directory::error::{Reason, Refusal};
use directory::handle::Directory;
use directory::id::EntryId;
use directory::schema::{Kind as EntryKind, known};
use directory::store::view::{Snapshot, View};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// A resource type, as the endpoints have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `/Users`.
    User,
    /// `/Groups`.
    Group,
    /// `/Roles`.
    Role,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::User, Kind::Group, Kind::Role];

    /// The name of the resource type.
    pub fn name(self) -> &'static str {
        match self {
            Kind::User => "User",
            Kind::Group => "Group",
            Kind::Role => "Role",
        }
    }

    /// The endpoint without the slash.
    pub fn endpoint(self) -> &'static str {
        match self {
            Kind::User => "Users",
            Kind::Group => "Groups",
            Kind::Role => "Roles",
        }
    }

    /// The resource type of an endpoint.
    pub fn of_endpoint(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.endpoint() == name)
    }

    /// What an entry is to SCIM: people are users, applications are none; a person is one by the username.
    pub fn of(record: &Record<'_>) -> Option<Kind> {
        match record.kind() {
            EntryKind::Person => record.values(known::attribute::UID).next().map(|_| Kind::User),
            EntryKind::Group => Some(Kind::Group),
            EntryKind::Role => Some(Kind::Role),
            _ => None,
        }
    }
}

/// The part of the tree that a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// The DN of its top.
    pub dn: String,
    /// The key of that DN.
    pub key: Vec<u8>,
    /// It ends where another tenant begins; otherwise it is all below.
    pub tenant: bool,
}

/// What a request reads by.
pub struct Reader<'a> {
    /// The directory.
    pub directory: &'a Directory,
    /// The state that is read.
    pub snapshot: &'a Arc<Snapshot>,
    /// Of the token's account.
    pub rights: &'a Rights,
    /// Which attribute is kept where.
    pub binding: &'a Binding,
    /// What the request is about.
    pub realm: &'a Realm,
    /// When.
    pub now: Now,
    /// `https://…/scim/v2`, without a slash at the end.
    pub base_url: &'a str,
    /// Resources show our own extensions.
    pub extensions: bool,
    inside: Mutex<HashMap<EntryId, bool>>,
}

impl<'a> Reader<'a> {
    /// A reader of this state.
    #[expect(clippy::too_many_arguments, reason = "one call site; a struct would only rename them")]
    pub fn new(
        directory: &'a Directory,
        snapshot: &'a Arc<Snapshot>,
        rights: &'a Rights,
        binding: &'a Binding,
        realm: &'a Realm,
        now: Now,
        base_url: &'a str,
        extensions: bool,
    ) -> Reader<'a> {
        let inside = Mutex::new(HashMap::new());
        Reader { directory, snapshot, rights, binding, realm, now, base_url, extensions, inside }
    }

    /// What of an entry may be seen, when it belongs to the realm.
    ///
    /// # Errors
    /// `Store`.
    pub fn sight(&self, id: EntryId, record: &Record<'_>) -> Result<Sight, Refusal> {
        let sight = self.rights.sight(id, record);
        if sight == Sight::None || !record.key().starts_with(&self.realm.key) {
            return Ok(Sight::None);
        }
        Ok(if self.is_inside(record.parent())? { sight } else { Sight::None })
    }

    /// Whether what lies below an entry is of the realm's own tenant. Few entries are parents: the answers are kept.
    fn is_inside(&self, parent: EntryId) -> Result<bool, Refusal> {
        if !self.realm.tenant {
            return Ok(true);
        }
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = inside.get(&parent) {
            return Ok(*known);
        }
        let answer = tenant_key(self.snapshot.as_ref(), parent)? == self.realm.key;
        inside.insert(parent, answer);
        Ok(answer)
    }

    /// The resource of this identifier, if it exists for this token.
    ///
    /// # Errors
    /// `Store`.
    pub fn find(&self, kind: Kind, id: &str) -> Result<Option<EntryId>, Refusal> {
        Ok(self.resolve(id)?.filter(|(_, found, _)| *found == Some(kind)).map(|(id, _, _)| id))
    }

    /// The entry of this identifier, of whatever type, with its DN.
    ///
    /// # Errors
    /// `Store`.
    pub fn resolve(&self, id: &str) -> Result<Option<(EntryId, Option<Kind>, String)>, Refusal> {
        let Some(uuid) = identifier(id) else { return Ok(None) };
        let view = self.snapshot.as_ref();
        for found in view.holders(known::attribute::ENTRY_UUID, uuid.as_bytes(), 2)? {
            let Some(guard) = view.record(found)? else { continue };
            let record = parse(guard.value())?;
            if record.uuid() == uuid && self.sight(found, &record)? != Sight::None {
                return Ok(Some((found, Kind::of(&record), record.dn().to_owned())));
            }
        }
        Ok(None)
    }

    /// The URL of a resource.
    pub fn location(&self, kind: Kind, id: &Uuid) -> String {
        [self.base_url, "/", kind.endpoint(), "/", id.hyphenated().encode_lower(&mut Uuid::encode_buffer())].concat()
    }

    /// Whether resources of this type show an extension.
    pub fn shows(&self, urn: &str) -> bool {
        self.extensions || urn != ACCOUNT_STATE
    }
}

/// The identifier of a resource: an entryUUID in its one spelling (`id` is case-exact).
pub fn identifier(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    let mut buffer = Uuid::encode_buffer();
    (*uuid.hyphenated().encode_lower(&mut buffer) == *text).then_some(uuid)
}

/// A stored record.
///
/// # Errors
/// `Store` when it is damaged.
pub fn parse(bytes: &[u8]) -> Result<Record<'_>, Refusal> {
    Record::parse(bytes).map_err(|e| Refusal::new(Reason::Store, "the store failed").with_detail(e.to_string()))
}

//! A stored entry as a resource.
//!
//! Owns the way from records, account facts and edges to JSON. The record is walked once; what lies outside of it (groups,
//! members, the manager's identifier, the account) is read only when the [`Wants`] of the request say so. Members are written
//! as text, not as values: a group may hold a million.

use super::binding::{Plain, Slot, Slots};
use super::detail::{Detail, UNTOLD};
use super::families::Families;
use super::reader::{Kind, Reader, parse};
use super::values::{moment, read};
use crate::etag;
use crate::protocol::tree::{Object, Tree};
use crate::schema::{ACCOUNT_STATE, ENTERPRISE_USER, GROUP, ROLE, USER};
use directory::access::Sight;
use directory::entry::dn::DnKey;
use directory::entry::record::Record;
use directory::error::Refusal;
use directory::id::EntryId;
use directory::lifecycle::{self, Account, State};
use directory::schema::{AttributeId, known::attribute as known};
use directory::store::membership;
use directory::store::view::View;
use serde_json::{Map, Value};
use uuid::Uuid;

/// What of a resource costs more than its record, and is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
    /// `members` of a group or role.
    pub members: bool,
    /// `members.display`, which nobody gets who does not name it.
    pub member_names: bool,
    /// `groups` of a user.
    pub groups: bool,
    /// `active` and the state of the account.
    pub account: bool,
    /// `manager`, who has to be looked up.
    pub manager: bool,
    /// `manager.displayName`, which nobody gets who does not name it.
    pub manager_name: bool,
}

impl Wants {
    /// The whole resource but its edges: what PATCH and PUT work on.
    pub const RECORD: Wants =
        Wants { members: false, member_names: false, groups: false, account: true, manager: true, manager_name: false };
    /// Everything.
    pub const ALL: Wants =
        Wants { members: true, member_names: true, groups: true, account: true, manager: true, manager_name: true };
}

/// A resource, with the array that was written as text.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource<'r> {
    /// All but `members`; what the record holds is borrowed from it.
    pub object: Object<'r>,
    /// The JSON array of `members`.
    pub members: Option<Vec<u8>>,
    /// The version, as the header `ETag` has it.
    pub version: String,
    /// The URL.
    pub location: String,
}

impl Resource<'_> {
    /// Appends the JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.object.write(out);
        if let Some(members) = self.members.as_ref().filter(|members| members.len() > 2) {
            out.pop();
            if !self.object.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(b"\"members\":");
            out.extend_from_slice(members);
            out.push(b'}');
        }
    }

    /// One map, members included: what a filter is asked of, what is sorted by and what a change begins from.
    pub fn into_map(mut self) -> Map<String, Value> {
        if let Some(members) = self.members.take().filter(|members| members.len() > 2)
            && let Ok(members) = serde_json::from_slice::<Value>(&members)
        {
            self.object.insert("members", members);
        }
        self.object.into_map()
    }
}

impl<'a> Reader<'a> {
    /// An entry as a resource of its type. `sight` is what may be seen of it.
    ///
    /// # Errors
    /// `Store`.
    pub fn resource<'r>(
        &self,
        kind: Kind,
        id: EntryId,
        record: &Record<'r>,
        sight: Sight,
        wants: Wants,
    ) -> Result<Resource<'r>, Refusal>
    where
        'a: 'r,
    {
        let account = if kind == Kind::User && sight == Sight::Administrative { self.account(id)? } else { None };
        // Room for what most have, so that it is made once.
        let mut object = Object::with_capacity(24);
        match kind {
            Kind::User => self.user(record, wants, &mut object)?,
            Kind::Group => plain_only(record, &self.binding.group, &mut object),
            Kind::Role => plain_only(record, &self.binding.role, &mut object),
        }
        if let Some(account) = account.as_ref().filter(|_| wants.account) {
            let active = self.account_state(account, &mut object);
            let untold: &[u8] = if active { b" [true]" } else { b" [false]" };
            let is_it = |value: &[u8]| value.strip_prefix(UNTOLD.as_bytes()) == Some(untold);
            if record.values(known::ROLLBOOK_SCIM_DETAIL).any(is_it) {
                object.remove("active");
            }
        }
        let shows_groups = wants.groups && kind == Kind::User;
        let groups = if shows_groups || account.is_some() {
            membership::closure(self.snapshot.as_ref(), id)?
        } else {
            Vec::new()
        };
        if shows_groups {
            self.groups(id, &groups, &mut object)?;
        }
        let members =
            if wants.members && kind != Kind::User { Some(self.members(id, wants.member_names)?) } else { None };
        let version = etag::version(record, account.as_ref().map(|account| (account, groups.as_slice())));
        let version = match &members {
            Some(members) => etag::with_members(&version, members),
            None => version,
        };
        let uuid = record.uuid();
        let location = self.location(kind, &uuid);
        let header = record.header();
        let created = moment(header.created);
        let modified = if header.modified == header.created { created.clone() } else { moment(header.modified) };
        let mut meta = Object::with_capacity(5);
        meta.insert("created", created);
        meta.insert("lastModified", modified);
        meta.insert("location", location.clone());
        meta.insert("resourceType", kind.name());
        meta.insert("version", version.clone());
        object.insert("meta", meta);
        object.insert("id", text_of(&uuid));
        object.insert("schemas", schemas(kind, &object));
        Ok(Resource { object, members, version, location })
    }

    /// The version and the URL of a user, without the rest.
    ///
    /// # Errors
    /// `Store`.
    pub fn outline(&self, id: EntryId, record: &Record<'_>, sight: Sight) -> Result<(String, String), Refusal> {
        let account = if sight == Sight::Administrative { self.account(id)? } else { None };
        let groups = if account.is_some() { membership::closure(self.snapshot.as_ref(), id)? } else { Vec::new() };
        let version = etag::version(record, account.as_ref().map(|account| (account, groups.as_slice())));
        Ok((version, self.location(Kind::User, &record.uuid())))
    }

    /// The facts of an account, with what is still in memory.
    ///
    /// # Errors
    /// `Store`.
    pub fn account(&self, id: EntryId) -> Result<Option<Account>, Refusal> {
        Ok(self.snapshot.account(id)?.map(|stored| self.directory.with_counters(id, stored)))
    }

    fn user<'r>(&self, record: &Record<'r>, wants: Wants, object: &mut Object<'r>) -> Result<(), Refusal>
    where
        'a: 'r,
    {
        let slots = &self.binding.user;
        let (mut detail, mut families) = (Detail::default(), Families::default());
        let (mut manager, mut demanded) = (None, Vec::new());
        for attribute in record.attributes().filter(|a| a.options.is_empty()) {
            let Some(slot) = slots.of(attribute.id) else { continue };
            match slot {
                Slot::Detail => attribute.values().for_each(|value| detail.take(value)),
                Slot::Manager => manager = attribute.values().next(),
                Slot::Plain(at) => {
                    let Some(plain) = slots.plain.get(at) else { continue };
                    match filler_of(plain.kept) {
                        None => put_plain(plain, attribute.values(), object),
                        Some(name) => demanded.push((plain, name, attribute.values())),
                    }
                }
                Slot::UserName => {
                    if let Some(value) = attribute.values().next() {
                        object.insert("userName", String::from_utf8_lossy(value));
                    }
                }
                _ => families.take(slot, attribute.values()),
            }
        }
        for (plain, name, values) in demanded {
            let filler = detail.filler(name).map(str::as_bytes);
            put_plain(plain, values.filter(|value| Some(*value) != filler), object);
        }
        if let Some(manager) = manager.filter(|_| wants.manager) {
            self.manager(manager, wants, object)?;
        }
        families.put(detail, object);
        Ok(())
    }

    fn manager(&self, dn: &[u8], wants: Wants, object: &mut Object<'_>) -> Result<(), Refusal> {
        let Ok(key) = DnKey::parse(self.directory.schema(), dn) else { return Ok(()) };
        let view = self.snapshot.as_ref();
        let Some(id) = view.id_of(key.as_bytes())? else { return Ok(()) };
        let Some(guard) = view.record(id)? else { return Ok(()) };
        let record = parse(guard.value())?;
        if self.sight(id, &record)? == Sight::None || Kind::of(&record) != Some(Kind::User) {
            return Ok(());
        }
        let mut manager = Object::default();
        manager.insert("$ref", self.location(Kind::User, &record.uuid()));
        if wants.manager_name
            && let Some(name) = record.values(known::DISPLAY_NAME).next()
        {
            manager.insert("displayName", String::from_utf8_lossy(name).into_owned());
        }
        manager.insert("value", text_of(&record.uuid()));
        if let Some(enterprise) = object.inside(ENTERPRISE_USER) {
            enterprise.insert("manager", manager);
        }
        Ok(())
    }

    /// `active`, which is answered, and the state.
    fn account_state(&self, account: &Account, object: &mut Object<'_>) -> bool {
        let state = lifecycle::state(account, self.directory.policy(), &self.now);
        let active = is_active(state);
        object.insert("active", active);
        if !self.shows(ACCOUNT_STATE) {
            return active;
        }
        let must_change = lifecycle::must_change(account, self.directory.policy(), &self.now).is_some();
        let mut out = Object::with_capacity(7);
        out.insert("disabled", state == State::Disabled);
        out.insert("dormant", state == State::Dormant);
        if let Some(at) = account.counters.last_activity {
            out.insert("lastActivity", moment(at));
        }
        out.insert("locked", state == State::Locked);
        if state == State::Locked
            && let Some(until) = account.counters.standing_lock(self.now.steady).and_then(|lock| lock.until)
        {
            let left = until.since(self.now.steady);
            out.insert("lockedUntil", moment(self.now.wall.saturating_add(left)));
        }
        out.insert("mustChangePassword", must_change);
        out.insert("state", state.name());
        object.insert(ACCOUNT_STATE, out);
        active
    }

    fn groups(&self, id: EntryId, groups: &[EntryId], object: &mut Object<'_>) -> Result<(), Refusal> {
        let view = self.snapshot.as_ref();
        let mut shown = Vec::new();
        for group in groups {
            let Some(guard) = view.record(*group)? else { continue };
            let record = parse(guard.value())?;
            if Kind::of(&record) != Some(Kind::Group) || self.sight(*group, &record)? == Sight::None {
                continue;
            }
            let mut out = Object::with_capacity(4);
            out.insert("$ref", self.location(Kind::Group, &record.uuid()));
            if let Some(name) = record.values(known::CN).next() {
                out.insert("display", String::from_utf8_lossy(name).into_owned());
            }
            out.insert("type", if view.is_member(*group, id)? { "direct" } else { "indirect" });
            out.insert("value", text_of(&record.uuid()));
            shown.push(out.into());
        }
        if !shown.is_empty() {
            object.insert("groups", shown);
        }
        Ok(())
    }
}

/// `active` is the administrators' switch alone: a lock or dormancy does not show in it (requirements §2).
pub fn is_active(state: State) -> bool {
    !matches!(state, State::Disabled | State::Deleted)
}

/// The name under which the detail says what fills an attribute that every person has.
fn filler_of(id: AttributeId) -> Option<&'static str> {
    match id {
        known::CN => Some("cn"),
        known::SN => Some("sn"),
        _ => None,
    }
}

fn plain_only<'r>(record: &Record<'r>, slots: &'r Slots, object: &mut Object<'r>) {
    for attribute in record.attributes().filter(|a| a.options.is_empty()) {
        if let Some(Slot::Plain(at)) = slots.of(attribute.id)
            && let Some(plain) = slots.plain.get(at)
        {
            put_plain(plain, attribute.values(), object);
        }
    }
}

fn put_plain<'r>(plain: &'r Plain, mut values: impl Iterator<Item = &'r [u8]>, object: &mut Object<'r>) {
    let value = if plain.many {
        let all: Vec<Tree<'r>> = values.filter_map(|value| read(plain.form, value)).collect();
        (!all.is_empty()).then_some(Tree::List(all))
    } else {
        values.next().and_then(|value| read(plain.form, value))
    };
    let Some(value) = value else { return };
    let object = match &plain.urn {
        Some(urn) => object.inside(urn),
        None => Some(object),
    };
    let (object, name) = match (&plain.sub, object) {
        (Some(sub), Some(object)) => (object.inside(&plain.name), sub),
        (_, object) => (object, &plain.name),
    };
    if let Some(object) = object {
        object.insert(&**name, value);
    }
}

fn text_of(uuid: &Uuid) -> String {
    uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()).to_owned()
}

/// The core schema, and the extensions that the resource has something of.
fn schemas<'a>(kind: Kind, object: &Object<'a>) -> Tree<'a> {
    let core = match kind {
        Kind::User => USER,
        Kind::Group => GROUP,
        Kind::Role => ROLE,
    };
    let extensions = object.names().filter(|name| name.contains(':')).cloned();
    Tree::List(std::iter::once(core.into()).chain(extensions).map(Tree::Text).collect())
}

//! A stored entry as a resource.
//!
//! Owns the way from records, account facts and edges to JSON. The record is walked once; what lies outside of it (groups,
//! members, the manager's identifier, the account) is read only when the [`Wants`] of the request say so. Members are written
//! as text, not as values: a group may hold a million.

use super::binding::{Slot, Slots};
use super::detail::{Detail, Held, UNTOLD, compose};
use super::reader::{Kind, Reader, parse};
use super::values::{encode, moment, read, read_postal};
use crate::etag;
use crate::schema::{ACCOUNT_STATE, ENTERPRISE_USER, GROUP, ROLE, USER};
use directory::access::Sight;
use directory::entry::dn::DnKey;
use directory::entry::record::Record;
use directory::error::Refusal;
use directory::id::EntryId;
use directory::lifecycle::{self, Account, State};
use directory::schema::known::attribute as known;
use directory::store::membership;
use directory::store::view::View;
use serde_json::{Map, Value};

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
pub struct Resource {
    /// All but `members`.
    pub object: Map<String, Value>,
    /// The JSON array of `members`.
    pub members: Option<Vec<u8>>,
    /// The version, as the header `ETag` has it.
    pub version: String,
    /// The URL.
    pub location: String,
}

impl Resource {
    /// Appends the JSON.
    ///
    /// # Errors
    /// Never for what is made here.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut *out, &self.object)?;
        if let Some(members) = self.members.as_ref().filter(|members| members.len() > 2) {
            out.pop();
            if !self.object.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(b"\"members\":");
            out.extend_from_slice(members);
            out.push(b'}');
        }
        Ok(())
    }

    /// One value, members included: what a filter is asked of.
    pub fn into_value(mut self) -> Value {
        if let Some(members) = self.members.take().filter(|members| members.len() > 2)
            && let Ok(members) = serde_json::from_slice::<Value>(&members)
        {
            self.object.insert("members".into(), members);
        }
        Value::Object(self.object)
    }
}

impl Reader<'_> {
    /// An entry as a resource of its type. `sight` is what may be seen of it.
    ///
    /// # Errors
    /// `Store`.
    pub fn resource(
        &self,
        kind: Kind,
        id: EntryId,
        record: &Record<'_>,
        sight: Sight,
        wants: Wants,
    ) -> Result<Resource, Refusal> {
        let account = if kind == Kind::User && sight == Sight::Administrative { self.account(id)? } else { None };
        let mut object = Map::new();
        match kind {
            Kind::User => self.user(record, wants, &mut object)?,
            Kind::Group => plain_only(record, &self.binding.group, &mut object),
            Kind::Role => plain_only(record, &self.binding.role, &mut object),
        }
        if let Some(account) = account.as_ref().filter(|_| wants.account) {
            self.account_state(account, &mut object);
            let told = object.get("active").map(|active| format!("{UNTOLD} [{active}]"));
            if told.is_some_and(|told| record.values(known::ROLLBOOK_SCIM_DETAIL).any(|v| v == told.as_bytes())) {
                object.remove("active");
            }
        }
        if wants.groups && kind == Kind::User {
            self.groups(id, &mut object)?;
        }
        let members =
            if wants.members && kind != Kind::User { Some(self.members(id, wants.member_names)?) } else { None };
        let version = etag::version(self.snapshot, id, record, account.as_ref())?;
        let version = match &members {
            Some(members) => etag::with_members(&version, members),
            None => version,
        };
        let uuid = record.uuid();
        let location = self.location(kind, &uuid);
        let header = record.header();
        let mut meta = Map::new();
        meta.insert("resourceType".into(), kind.name().into());
        meta.insert("created".into(), moment(header.created).into());
        meta.insert("lastModified".into(), moment(header.modified).into());
        meta.insert("location".into(), location.as_str().into());
        meta.insert("version".into(), version.as_str().into());
        object.insert("meta".into(), Value::Object(meta));
        object.insert("id".into(), uuid.to_string().into());
        object.insert("schemas".into(), schemas(kind, &object));
        Ok(Resource { object, members, version, location })
    }

    /// The version and the URL of a user, without the rest.
    ///
    /// # Errors
    /// `Store`.
    pub fn outline(&self, id: EntryId, record: &Record<'_>, sight: Sight) -> Result<(String, String), Refusal> {
        let account = if sight == Sight::Administrative { self.account(id)? } else { None };
        let version = etag::version(self.snapshot, id, record, account.as_ref())?;
        Ok((version, self.location(Kind::User, &record.uuid())))
    }

    /// The facts of an account, with what is still in memory.
    ///
    /// # Errors
    /// `Store`.
    pub fn account(&self, id: EntryId) -> Result<Option<Account>, Refusal> {
        Ok(self.snapshot.account(id)?.map(|stored| self.directory.with_counters(id, stored)))
    }

    fn user(&self, record: &Record<'_>, wants: Wants, object: &mut Map<String, Value>) -> Result<(), Refusal> {
        let mut seen = Seen::default();
        let slots = &self.binding.user;
        let mut manager = None;
        for attribute in record.attributes().filter(|a| a.options.is_empty()) {
            let Some(slot) = slots.of(attribute.id) else { continue };
            match slot {
                Slot::Detail => attribute.values().for_each(|value| seen.detail.take(value)),
                Slot::Manager => manager = attribute.values().next(),
                Slot::Plain(at) => seen.plain.extend(slots.plain.get(at).map(|plain| (plain, attribute.values()))),
                Slot::UserName => {
                    if let Some(value) = attribute.values().next() {
                        object.insert("userName".into(), String::from_utf8_lossy(value).into());
                    }
                }
                _ => seen.family(slot, attribute.values()),
            }
        }
        let filled = |plain: &super::binding::Plain, value: &[u8]| {
            let name = match plain.kept {
                known::CN => "cn",
                known::SN => "sn",
                _ => return false,
            };
            seen.detail.filler(name).is_some_and(|filler| filler.as_bytes() == value)
        };
        for (plain, values) in &seen.plain {
            let shown = values.clone().filter(|value| !filled(plain, value));
            put_plain(plain, shown, object);
        }
        if let Some(manager) = manager.filter(|_| wants.manager) {
            self.manager(manager, wants, object)?;
        }
        seen.families(object);
        Ok(())
    }

    fn manager(&self, dn: &[u8], wants: Wants, object: &mut Map<String, Value>) -> Result<(), Refusal> {
        let Ok(key) = DnKey::parse(self.directory.schema(), dn) else { return Ok(()) };
        let view = self.snapshot.as_ref();
        let Some(id) = view.id_of(key.as_bytes())? else { return Ok(()) };
        let Some(guard) = view.record(id)? else { return Ok(()) };
        let record = parse(guard.value())?;
        if self.sight(id, &record)? == Sight::None || Kind::of(&record) != Some(Kind::User) {
            return Ok(());
        }
        let mut manager = Map::new();
        manager.insert("value".into(), record.uuid().to_string().into());
        manager.insert("$ref".into(), self.location(Kind::User, &record.uuid()).into());
        if wants.manager_name
            && let Some(name) = record.values(known::DISPLAY_NAME).next()
        {
            manager.insert("displayName".into(), String::from_utf8_lossy(name).into());
        }
        if let Some(enterprise) = inside(object, ENTERPRISE_USER) {
            enterprise.insert("manager".into(), Value::Object(manager));
        }
        Ok(())
    }

    fn account_state(&self, account: &Account, object: &mut Map<String, Value>) {
        let state = lifecycle::state(account, self.directory.policy(), &self.now);
        object.insert("active".into(), is_active(state).into());
        if !self.shows(ACCOUNT_STATE) {
            return;
        }
        let mut out = Map::new();
        out.insert("state".into(), state.name().into());
        out.insert("locked".into(), (state == State::Locked).into());
        out.insert("dormant".into(), (state == State::Dormant).into());
        out.insert("disabled".into(), (state == State::Disabled).into());
        out.insert(
            "mustChangePassword".into(),
            lifecycle::must_change(account, self.directory.policy(), &self.now).is_some().into(),
        );
        if state == State::Locked
            && let Some(until) = account.counters.standing_lock(self.now.steady).and_then(|lock| lock.until)
        {
            let left = until.since(self.now.steady);
            out.insert("lockedUntil".into(), moment(self.now.wall.saturating_add(left)).into());
        }
        if let Some(at) = account.counters.last_activity {
            out.insert("lastActivity".into(), moment(at).into());
        }
        object.insert(ACCOUNT_STATE.into(), Value::Object(out));
    }

    fn groups(&self, id: EntryId, object: &mut Map<String, Value>) -> Result<(), Refusal> {
        let view = self.snapshot.as_ref();
        let mut groups = Vec::new();
        for group in membership::closure(view, id)? {
            let Some(guard) = view.record(group)? else { continue };
            let record = parse(guard.value())?;
            if Kind::of(&record) != Some(Kind::Group) || self.sight(group, &record)? == Sight::None {
                continue;
            }
            let mut out = Map::new();
            out.insert("value".into(), record.uuid().to_string().into());
            out.insert("$ref".into(), self.location(Kind::Group, &record.uuid()).into());
            if let Some(name) = record.values(known::CN).next() {
                out.insert("display".into(), String::from_utf8_lossy(name).into());
            }
            out.insert("type".into(), if view.is_member(group, id)? { "direct" } else { "indirect" }.into());
            groups.push(Value::Object(out));
        }
        if !groups.is_empty() {
            object.insert("groups".into(), Value::Array(groups));
        }
        Ok(())
    }
}

/// `active` is the administrators' switch alone: a lock or dormancy does not show in it (requirements §2).
pub fn is_active(state: State) -> bool {
    !matches!(state, State::Disabled | State::Deleted)
}

type Octets<'a> = directory::entry::record::Values<'a>;

/// What a record holds of the families, gathered while it is walked.
#[derive(Default)]
struct Seen<'a> {
    detail: Detail,
    plain: Vec<(&'a super::binding::Plain, Octets<'a>)>,
    emails: Vec<Held>,
    phones: Vec<Held>,
    photos: Vec<Held>,
    certificates: Vec<Held>,
    entitlements: Vec<Held>,
    work: Map<String, Value>,
    home: Map<String, Value>,
}

impl<'a> Seen<'a> {
    fn family(&mut self, slot: Slot, values: Octets<'a>) {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        match slot {
            Slot::Mail => self.emails.extend(values.map(|v| element("mail", text(v), Some("work")))),
            Slot::Phone(kind) => {
                self.phones.extend(values.map(|v| element(super::lower::phone_attribute(kind), text(v), Some(kind))));
            }
            Slot::Photo => self.photos.extend(
                values.map(|v| element("jpegPhoto", format!("data:image/jpeg;base64,{}", encode(v)), Some("photo"))),
            ),
            Slot::Certificate => self.certificates.extend(values.map(|v| element("userCertificate", encode(v), None))),
            Slot::Entitlement => {
                self.entitlements.extend(values.map(|v| element("rollbookEntitlement", text(v), None)));
            }
            Slot::Address(kind, sub) => {
                let mut values = values;
                let Some(value) = values.next() else { return };
                let value = if sub == "formatted" { read_postal(value) } else { text(value) };
                let address = if kind == "home" { &mut self.home } else { &mut self.work };
                address.insert(sub.into(), value.into());
            }
            Slot::Plain(_) | Slot::UserName | Slot::Manager | Slot::Detail => {}
        }
    }

    fn families(&mut self, object: &mut Map<String, Value>) {
        let take = std::mem::take::<Vec<Held>>;
        let families = [
            ("emails", take(&mut self.emails)),
            ("phoneNumbers", take(&mut self.phones)),
            ("photos", take(&mut self.photos)),
            ("x509Certificates", take(&mut self.certificates)),
            ("entitlements", take(&mut self.entitlements)),
            ("ims", Vec::new()),
            ("roles", Vec::new()),
        ];
        for (name, held) in families {
            let detail = self.detail.elements(name);
            if detail.is_empty() && held.is_empty() {
                continue;
            }
            let elements = compose(detail, held);
            if !elements.is_empty() {
                object.insert(name.into(), Value::Array(elements));
            }
        }
        let addresses = addresses(&self.work, &self.home, self.detail.elements("addresses"));
        if !addresses.is_empty() {
            object.insert("addresses".into(), Value::Array(addresses));
        }
    }
}

/// The addresses: `"$": "work"` or `"home"` in the detail says what the attributes of that address cannot.
fn addresses(work: &Map<String, Value>, home: &Map<String, Value>, detail: &[Value]) -> Vec<Value> {
    let mut out = Vec::new();
    let mut shown = (false, false);
    for element in detail.iter().filter_map(Value::as_object) {
        let at = element.get(super::detail::AT).and_then(Value::as_str);
        let (base, done) = match at {
            Some("work") => (Some(work), &mut shown.0),
            Some("home") => (Some(home), &mut shown.1),
            _ => (None, &mut shown.0),
        };
        let Some(base) = base else {
            out.push(Value::Object(element.clone()));
            continue;
        };
        *done = true;
        let mut merged = element.clone();
        merged.remove(super::detail::AT);
        let extra = merged.keys().any(|key| !matches!(key.as_str(), "type" | "primary"));
        if base.is_empty() && !extra {
            continue;
        }
        merged.extend(base.clone());
        out.push(Value::Object(merged));
    }
    for (kind, base, done) in [("work", work, shown.0), ("home", home, shown.1)] {
        if !done && !base.is_empty() {
            let mut plain = base.clone();
            plain.insert("type".into(), kind.into());
            out.push(Value::Object(plain));
        }
    }
    out
}

fn element(at: &'static str, value: String, kind: Option<&str>) -> Held {
    let mut plain = Map::new();
    plain.insert("value".into(), value.into());
    if let Some(kind) = kind {
        plain.insert("type".into(), kind.into());
    }
    Held { at, plain }
}

fn plain_only(record: &Record<'_>, slots: &Slots, object: &mut Map<String, Value>) {
    for attribute in record.attributes().filter(|a| a.options.is_empty()) {
        if let Some(Slot::Plain(at)) = slots.of(attribute.id)
            && let Some(plain) = slots.plain.get(at)
        {
            put_plain(plain, attribute.values(), object);
        }
    }
}

fn put_plain<'v>(
    plain: &super::binding::Plain,
    mut values: impl Iterator<Item = &'v [u8]>,
    object: &mut Map<String, Value>,
) {
    let value = if plain.many {
        let all: Vec<Value> = values.filter_map(|value| read(plain.form, value)).collect();
        (!all.is_empty()).then_some(Value::Array(all))
    } else {
        values.next().and_then(|value| read(plain.form, value))
    };
    let Some(value) = value else { return };
    let object = match &plain.urn {
        Some(urn) => inside(object, urn),
        None => Some(object),
    };
    let (object, name) = match (&plain.sub, object) {
        (Some(sub), Some(object)) => (inside(object, &plain.name), sub),
        (_, object) => (object, &plain.name),
    };
    if let Some(object) = object {
        object.insert(name.to_string(), value);
    }
}

/// The object under a name, made when there is none; none: something else stands there.
fn inside<'o>(object: &'o mut Map<String, Value>, name: &str) -> Option<&'o mut Map<String, Value>> {
    object.entry(name).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
}

/// The core schema, and the extensions that the resource has something of.
fn schemas(kind: Kind, object: &Map<String, Value>) -> Value {
    let core = match kind {
        Kind::User => USER,
        Kind::Group => GROUP,
        Kind::Role => ROLE,
    };
    let extensions = object.keys().filter(|key| key.contains(':')).map(String::as_str);
    Value::Array(std::iter::once(core).chain(extensions).map(Value::from).collect())
}

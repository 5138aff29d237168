//! What a client wants of a resource, as changes of the directory.
//!
//! Owns where new resources go, which classes they have, and how the difference between two states of a resource becomes
//! modifications. One request of a client is one list of changes, carried out together or not at all. Members are named by
//! identifier and never read: adding one to a group of a million costs as much as to an empty one.

use super::detail::Detail;
use super::lower::{Lowered, lower, same};
use super::reader::{Kind, Reader};
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::filter::{Op, Operand, Resolved, Test};
use crate::protocol::patch::EdgeOp;
use crate::refusal::from_refusal;
use directory::change::{Act, Change, Modification, ModificationKind, Target};
use directory::entry::dn::{Dn, Rdn, RdnKey};
use directory::entry::record::Record;
use directory::id::EntryId;
use directory::schema::known::{attribute as known, class};
use directory::schema::{AttributeId, ClassId, ClassKind, Schema};
use directory::store::view::View;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Changes, and what they rely on.
#[derive(Debug, Default)]
pub struct Planned {
    /// In this order, all or nothing.
    pub changes: Vec<Change>,
    /// They were made from the record as it was read.
    pub relies: bool,
    /// The account loses its `active`.
    pub deactivates: bool,
}

impl Reader<'_> {
    /// A new resource. `edges` are the identifiers of the members.
    ///
    /// # Errors
    /// `invalidValue` for values that cannot be kept and for members that are not there.
    pub fn create(&self, kind: Kind, after: &Map<String, Value>, edges: &[String]) -> Result<Planned, ScimError> {
        let schema = self.directory.schema();
        let lowered = lower(self.binding, schema, kind, &Map::new(), after, &Detail::default())?;
        let text = |name: &str| after.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let (container, rdn, classes) = match kind {
            Kind::User => {
                ("people", Rdn::single("uid", text("userName")), vec![class::INET_ORG_PERSON, class::ROLLBOOK_ACCOUNT])
            }
            Kind::Group => (
                "groups",
                Rdn::single("cn", text("displayName")),
                vec![class::GROUP_OF_NAMES, class::ROLLBOOK_PROVISIONED],
            ),
            Kind::Role => return Err(ScimError::new(405, "roles are kept by administrators")),
        };
        let mut planned = Planned { deactivates: false, relies: false, changes: Vec::new() };
        let parent = ["ou=", container, ",", &self.realm.dn].concat();
        planned.changes.extend(self.container(&parent, container)?);
        let mut attributes: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::with_capacity(lowered.values.len().saturating_add(4));
        let present = lowered.values.iter().filter(|(_, values)| !values.is_empty()).map(|(id, _)| *id);
        let all: Vec<ClassId> = classes.iter().flat_map(|c| schema.superclasses(*c)).copied().collect();
        let further = further_classes(schema, &all, present);
        let names = classes.iter().chain(&further).filter_map(|c| schema.class(*c));
        attributes.push((b"objectClass".to_vec(), names.map(|c| c.name().as_bytes().to_vec()).collect()));
        for (id, values) in lowered.values {
            // The name's own value is added by the directory.
            let names_it = kind == Kind::Group && id == known::CN;
            if !values.is_empty() && !names_it {
                attributes.push((schema.attribute(id).name().as_bytes().to_vec(), values));
            }
        }
        if let Some(Some(manager)) = &lowered.manager {
            attributes.push((b"manager".to_vec(), vec![self.manager_dn(manager)?]));
        }
        if !edges.is_empty() {
            let members = self.members_named(edges)?;
            let dns = members.into_iter().map(|(_, dn)| dn.into_bytes()).collect();
            attributes.push((b"member".to_vec(), dns));
        }
        if let Some(Some(password)) = lowered.password {
            attributes.push((b"userPassword".to_vec(), vec![password.into_bytes()]));
        }
        let dn = format!("{rdn},{parent}").into_bytes();
        planned.changes.push(Change::Add { dn: dn.clone(), attributes });
        if lowered.active == Some(false) {
            planned.changes.push(Change::Account { target: Target::Dn(dn), act: Act::Active(false) });
        }
        Ok(planned)
    }

    /// The container of new resources, when it is missing.
    fn container(&self, dn: &str, name: &str) -> Result<Option<Change>, ScimError> {
        let own = RdnKey::parse(self.directory.schema(), &[b"ou=", name.as_bytes()].concat())
            .map_err(|e| ScimError::new(500, format!("the container of new resources has no name: {e}")))?;
        let key = [&self.realm.key, own.as_bytes()].concat();
        if self.snapshot.id_of(&key).map_err(|r| from_refusal(&r))?.is_some() {
            return Ok(None);
        }
        let attributes = vec![
            (b"objectClass".to_vec(), vec![b"organizationalUnit".to_vec()]),
            (b"ou".to_vec(), vec![name.as_bytes().to_vec()]),
        ];
        Ok(Some(Change::Add { dn: dn.as_bytes().to_vec(), attributes }))
    }

    /// The way from one state of a resource to another, and the members that come and go.
    ///
    /// # Errors
    /// As [`Reader::create`].
    pub fn update(
        &self,
        kind: Kind,
        id: EntryId,
        record: &Record<'_>,
        states: (&Map<String, Value>, &Map<String, Value>),
        edges: &[EdgeOp],
    ) -> Result<Planned, ScimError> {
        let (before, after) = states;
        let detail = detail_of(record);
        let lowered = lower(self.binding, self.directory.schema(), kind, before, after, &detail)?;
        let mut planned = Planned::default();
        let (mut modifications, rename) = self.modifications(record, &lowered)?;
        let password =
            lowered.password.map(|given| replace(b"userPassword", given.map(String::into_bytes).into_iter().collect()));
        planned.relies = !modifications.is_empty() || rename.is_some();
        modifications.extend(password);
        let act = |active| Change::Account { target: Target::Id(id), act: Act::Active(active) };
        planned.deactivates = lowered.active == Some(false);
        // A password that is set while the account may log in forgives what was wrong before.
        if lowered.active == Some(true) {
            planned.changes.push(act(true));
        }
        if !modifications.is_empty() {
            planned.changes.push(Change::Modify { target: Target::Id(id), modifications });
        }
        if let Some(rdn) = rename {
            let new_rdn = rdn.to_string().into_bytes();
            planned.changes.push(Change::Rename {
                target: Target::Id(id),
                new_rdn,
                delete_old: true,
                new_superior: None,
            });
        }
        if lowered.active == Some(false) {
            planned.changes.push(act(false));
        }
        self.edges(id, edges, &mut planned.changes)?;
        Ok(planned)
    }

    /// The end of a resource: accounts are buried and purged later, groups go at once.
    pub fn delete(&self, kind: Kind, id: EntryId) -> Planned {
        let change = match kind {
            Kind::User => Change::Account { target: Target::Id(id), act: Act::Delete { months: None } },
            Kind::Group | Kind::Role => Change::Delete { target: Target::Id(id), subtree: false },
        };
        Planned { changes: vec![change], relies: false, deactivates: kind == Kind::User }
    }

    /// The modifications, and the new name when one of them is of the name.
    fn modifications(
        &self,
        record: &Record<'_>,
        lowered: &Lowered,
    ) -> Result<(Vec<Modification>, Option<Rdn>), ScimError> {
        let schema = self.directory.schema();
        let rdn = Dn::parse(record.dn().as_bytes()).ok().and_then(|dn| dn.rdns.into_iter().next());
        let naming = rdn.as_ref().and_then(|rdn| match rdn.avas.as_slice() {
            [ava] => schema.find_attribute(ava.attribute.as_bytes()).map(|kind| (kind.id, ava.value.clone())),
            _ => None,
        });
        let (mut modifications, mut rename) = (Vec::new(), None);
        let mut come = Vec::new();
        for (id, values) in &lowered.values {
            let present: Vec<&[u8]> =
                record.attributes().filter(|a| a.id == *id && a.options.is_empty()).flat_map(|a| a.values()).collect();
            if present.len() == values.len() && values.iter().all(|value| present.contains(&value.as_slice())) {
                continue;
            }
            let name = schema.attribute(*id).name().as_bytes();
            if let Some((_, old)) = naming.as_ref().filter(|(naming, _)| naming == id) {
                let kept = values.iter().any(|value| same(schema, *id, value, old) && value == old);
                match values.first() {
                    _ if kept => {}
                    Some(first) => {
                        rename = Some(Rdn::single(schema.attribute(*id).name(), first.clone()));
                        continue;
                    }
                    None => {
                        let why = format!("{}: the value names the resource", schema.attribute(*id).name());
                        return Err(ScimError::of(ScimType::Mutability, why));
                    }
                }
            }
            if !values.is_empty() {
                come.push(*id);
            }
            modifications.push(replace(name, values.clone()));
        }
        match &lowered.manager {
            None => {}
            Some(None) => modifications.push(replace(b"manager", Vec::new())),
            Some(Some(manager)) => modifications.push(replace(b"manager", vec![self.manager_dn(manager)?])),
        }
        let classes: Vec<ClassId> = record.classes().collect();
        let further = further_classes(schema, &classes, come.into_iter());
        if !further.is_empty() {
            let names = further.iter().filter_map(|c| schema.class(*c)).map(|c| c.name().as_bytes().to_vec());
            let (kind, attribute) = (ModificationKind::Add, b"objectClass".to_vec());
            modifications.insert(0, Modification { kind, attribute, values: names.collect() });
        }
        Ok((modifications, rename))
    }

    fn manager_dn(&self, id: &str) -> Result<Vec<u8>, ScimError> {
        match self.resolve(id).map_err(|r| from_refusal(&r))? {
            Some((_, Some(Kind::User), dn)) => Ok(dn.into_bytes()),
            _ => Err(unknown("manager", id)),
        }
    }

    /// The entries of these identifiers, once each, in their order.
    fn members_named(&self, ids: &[String]) -> Result<Vec<(EntryId, String)>, ScimError> {
        let mut seen = std::collections::HashSet::with_capacity(ids.len());
        let mut out = Vec::with_capacity(ids.len());
        for id in ids {
            match self.resolve(id).map_err(|r| from_refusal(&r))? {
                Some((entry, Some(Kind::User | Kind::Group), dn)) => {
                    if seen.insert(entry) {
                        out.push((entry, dn));
                    }
                }
                _ => return Err(unknown("members", id)),
            }
        }
        Ok(out)
    }

    /// Members that come and go. What counts is the last word about each.
    fn edges(&self, group: EntryId, edges: &[EdgeOp], changes: &mut Vec<Change>) -> Result<(), ScimError> {
        if edges.is_empty() {
            return Ok(());
        }
        let mut wanted: HashMap<EntryId, bool> = HashMap::new();
        for edge in edges {
            match edge {
                EdgeOp::Add(ids) => wanted.extend(self.members_named(ids)?.into_iter().map(|(id, _)| (id, true))),
                EdgeOp::Remove(ids) => {
                    for id in ids {
                        let found = self.resolve(id).map_err(|r| from_refusal(&r))?;
                        wanted.extend(found.map(|(id, ..)| (id, false)));
                    }
                }
                EdgeOp::RemoveAll => self.all_go(group, &mut wanted)?,
                EdgeOp::Replace(ids) => {
                    let come = self.members_named(ids)?;
                    self.all_go(group, &mut wanted)?;
                    wanted.extend(come.into_iter().map(|(id, _)| (id, true)));
                }
                EdgeOp::RemoveWhere(filter) => self.some_go(group, filter, &mut wanted)?,
            }
        }
        let (mut add, mut remove) = (Vec::new(), Vec::new());
        for (id, comes) in wanted {
            let is_there = self.snapshot.is_member(group, id).map_err(|r| from_refusal(&r))?;
            match (comes, is_there) {
                (true, false) => add.push(id),
                (false, true) => remove.push(id),
                _ => {}
            }
        }
        if !add.is_empty() || !remove.is_empty() {
            add.sort_unstable();
            remove.sort_unstable();
            let targets = |ids: Vec<EntryId>| ids.into_iter().map(Target::Id).collect();
            changes.push(Change::Members { target: Target::Id(group), add: targets(add), remove: targets(remove) });
        }
        Ok(())
    }

    /// Everybody that the token sees in the group, and those who were to come, go.
    fn all_go(&self, group: EntryId, wanted: &mut HashMap<EntryId, bool>) -> Result<(), ScimError> {
        wanted.values_mut().for_each(|comes| *comes = false);
        self.each_member(group, |id, _| {
            wanted.insert(id, false);
        })
        .map_err(|r| from_refusal(&r))
    }

    fn some_go(&self, group: EntryId, filter: &Resolved, wanted: &mut HashMap<EntryId, bool>) -> Result<(), ScimError> {
        if let Some(id) = value_named(filter) {
            let found = self.resolve(id).map_err(|r| from_refusal(&r))?;
            wanted.extend(found.map(|(id, ..)| (id, false)));
            return Ok(());
        }
        self.each_member(group, |id, record| {
            if filter.matches(&Value::Object(self.member(record, true))) {
                wanted.insert(id, false);
            }
        })
        .map_err(|r| from_refusal(&r))
    }
}

/// The identifier in `value eq "…"`, alone.
fn value_named(filter: &Resolved) -> Option<&str> {
    match filter {
        Resolved::Test { place, test: Test::Compare { op: Op::Eq, operand: Operand::Text { given, .. } } }
            if place.leaf().name == "value" =>
        {
            Some(given)
        }
        _ => None,
    }
}

/// The classes that attributes need and the entry does not have: ours first, then the first auxiliary one that allows them.
fn further_classes(
    schema: &Schema,
    classes: &[ClassId],
    attributes: impl Iterator<Item = AttributeId>,
) -> Vec<ClassId> {
    let mut further: Vec<ClassId> = Vec::new();
    for id in attributes {
        let allows = |class: &ClassId| schema.allowed(*class).binary_search(&id).is_ok();
        let kind = schema.attribute(id);
        if kind.is_operational() || classes.iter().chain(&further).any(allows) {
            continue;
        }
        let own = [class::ROLLBOOK_ACCOUNT, class::ROLLBOOK_PROVISIONED];
        let is_group = classes.contains(&class::GROUP_OF_NAMES) || classes.contains(&class::GROUP_OF_UNIQUE_NAMES);
        let first = if is_group { own.last() } else { own.first() };
        let found = first.copied().filter(allows).or_else(|| {
            let auxiliary = schema.classes().filter(|c| c.kind == ClassKind::Auxiliary && c.must.is_empty());
            auxiliary.map(|c| c.id).find(allows)
        });
        further.extend(found);
    }
    further
}

/// The detail that a record holds.
pub fn detail_of<'r>(record: &Record<'r>) -> Detail<'r> {
    let mut detail = Detail::default();
    record.values(known::ROLLBOOK_SCIM_DETAIL).for_each(|value| detail.take(value));
    detail
}

fn replace(name: &[u8], values: Vec<Vec<u8>>) -> Modification {
    Modification { kind: ModificationKind::Replace, attribute: name.to_vec(), values }
}

fn unknown(attribute: &str, id: &str) -> ScimError {
    let short: String = id.chars().take(64).collect();
    ScimError::of(ScimType::InvalidValue, format!("{attribute}: there is no resource {short:?} that it could name"))
}

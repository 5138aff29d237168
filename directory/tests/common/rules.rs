//! The rules as a small model knows them: a tree of structs, which refusals a change may meet, and what it does.
//!
//! Written from the requirements and RFC 4511, not from the code under test, and knows nothing of stores, indexes or
//! commits. `story` tells the directory and this the same story and compares.

use super::account::{Account, Refusals};
use super::common::World;
use super::oracle::read_all;
use directory::change::ModificationKind;
use std::collections::{BTreeMap, BTreeSet};

pub const SUFFIX: &str = "dc=example,dc=com";

/// A way to name an entry that may be there: the n-th of those of a sort, or nobody.
#[derive(Debug, Clone, Copy)]
pub enum Pick {
    Person(usize),
    Group(usize),
    Unit(usize),
    Nobody,
}

#[derive(Debug, Clone)]
pub enum Value {
    Text(&'static str),
    Mail(usize),
    Name(Pick),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Unit,
    Person,
    Group,
    Other,
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub rdn: String,
    pub parent: Option<usize>,
    pub sort: Sort,
    /// Values by attribute, as text.
    pub values: BTreeMap<&'static str, Vec<String>>,
    pub account: Option<Account>,
}

/// The directory as it should be.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub entries: BTreeMap<usize, Entry>,
    pub members: BTreeSet<(usize, usize)>,
    /// Names of deleted accounts, which stay taken.
    pub reserved: BTreeSet<String>,
    pub next: usize,
    /// Milliseconds since the beginning.
    pub now: i64,
}

impl Model {
    /// What a new directory holds: the containers, and the roles that nothing here touches.
    pub fn of(world: &World) -> Model {
        let mut model = Model::default();
        for seen in read_all(&world.directory, SUFFIX) {
            let (rdn, parent) = seen.dn.split_once(',').unwrap();
            let parent = model.find(parent);
            let rdn = if parent.is_none() { seen.dn.clone() } else { rdn.to_owned() };
            let sort = if seen.dn == format!("ou=people,{SUFFIX}") { Sort::Unit } else { Sort::Other };
            let mut values = BTreeMap::new();
            if sort == Sort::Unit {
                values.insert("ou", vec!["people".to_owned()]);
            }
            model.push(Entry { rdn, parent, sort, values, account: None });
        }
        model
    }

    pub fn push(&mut self, entry: Entry) -> usize {
        self.next += 1;
        self.entries.insert(self.next, entry);
        self.next
    }

    pub fn dn(&self, id: usize) -> String {
        let entry = &self.entries[&id];
        match entry.parent {
            Some(parent) => format!("{},{}", entry.rdn, self.dn(parent)),
            None => entry.rdn.clone(),
        }
    }

    pub fn find(&self, dn: &str) -> Option<usize> {
        self.entries.keys().copied().find(|id| normal(&self.dn(*id)) == normal(dn))
    }

    pub fn pick(&self, pick: Pick) -> Option<usize> {
        let (sort, number) = match pick {
            Pick::Person(n) => (Sort::Person, n),
            Pick::Group(n) => (Sort::Group, n),
            Pick::Unit(n) => (Sort::Unit, n),
            Pick::Nobody => return None,
        };
        let all: Vec<usize> = self.entries.iter().filter(|(_, e)| e.sort == sort).map(|(id, _)| *id).collect();
        (!all.is_empty()).then(|| all[number % all.len()])
    }

    /// The DN of a pick, and of nobody a DN that nobody has.
    pub fn named(&self, pick: Pick) -> String {
        self.pick(pick).map_or_else(|| format!("uid=nobody,{SUFFIX}"), |id| self.dn(id))
    }

    pub fn children(&self, id: usize) -> Vec<usize> {
        self.entries.iter().filter(|(_, e)| e.parent == Some(id)).map(|(id, _)| *id).collect()
    }

    /// An entry and all below.
    pub fn subtree(&self, id: usize) -> Vec<usize> {
        let mut all = vec![id];
        let mut at = 0;
        while at < all.len() {
            all.extend(self.children(all[at]));
            at += 1;
        }
        all
    }

    /// Whether `group` holds `member` through any number of groups.
    pub fn holds(&self, group: usize, member: usize) -> bool {
        let inner: Vec<usize> = self.members.range((group, 0)..=(group, usize::MAX)).map(|(_, m)| *m).collect();
        inner.iter().any(|m| *m == member || self.holds(*m, member))
    }

    /// Usernames and addresses of an entry, each in its space.
    pub fn names(entry: &Entry) -> BTreeSet<String> {
        if entry.account.is_none() {
            return BTreeSet::new();
        }
        let of = |attribute: &'static str| {
            entry.values.get(attribute).into_iter().flatten().map(move |v| format!("{attribute}={}", v.to_lowercase()))
        };
        of("uid").chain(of("mail")).collect()
    }

    pub fn taken(&self, own: Option<usize>, entry: &Entry) -> bool {
        let names = Model::names(entry);
        let others = self.entries.iter().filter(|(id, _)| Some(**id) != own).map(|(_, e)| Model::names(e));
        others.into_iter().any(|n| !n.is_disjoint(&names)) || !self.reserved.is_disjoint(&names)
    }

    /// References of other entries follow a name, or go with it.
    pub fn follow(&mut self, from: &str, to: Option<&str>) {
        for entry in self.entries.values_mut() {
            for attribute in ["manager", "seeAlso"] {
                let Some(values) = entry.values.get_mut(attribute) else { continue };
                match to {
                    Some(to) => {
                        values.iter_mut().filter(|v| normal(v) == normal(from)).for_each(|v| *v = to.to_owned());
                    }
                    None => values.retain(|v| normal(v) != normal(from)),
                }
                if values.is_empty() {
                    entry.values.remove(attribute);
                }
            }
        }
    }

    pub fn remove(&mut self, id: usize) {
        let dn = self.dn(id);
        self.entries.remove(&id);
        self.members.retain(|(group, member)| *group != id && *member != id);
        self.follow(&dn, None);
    }

    /// The refusals that a step may meet, or its effect.
    pub fn add(&mut self, parent: Pick, rdn: String, mut entry: Entry, members: &[Pick]) -> Refusals {
        let mut why = Vec::new();
        let texts: BTreeSet<String> = members.iter().map(|m| normal(&self.named(*m))).collect();
        if texts.len() < members.len() {
            why.push("ValueExists");
        }
        let Some(parent) = self.pick(parent) else {
            why.push("NoSuchEntry");
            return why;
        };
        entry.rdn = rdn;
        entry.parent = Some(parent);
        let dn = format!("{},{}", entry.rdn, self.dn(parent));
        if self.find(&dn).is_some() {
            why.push("EntryExists");
        }
        if self.taken(None, &entry) {
            why.push("NameTaken");
        }
        let picked: Vec<_> = members.iter().map(|m| self.pick(*m)).collect();
        let known: BTreeSet<_> = picked.iter().flatten().collect();
        if picked.contains(&None) {
            why.push("Constraint");
        }
        if why.is_empty() {
            let known: Vec<usize> = known.into_iter().copied().collect();
            let id = self.push(entry);
            self.members.extend(known.into_iter().map(|m| (id, m)));
        }
        why
    }

    pub fn modify(&mut self, id: usize, modifications: &[(ModificationKind, &'static str, Vec<Value>)]) -> Refusals {
        let mut after = self.entries[&id].clone();
        let before = after.clone();
        let held: BTreeSet<usize> = self.members.range((id, 0)..=(id, usize::MAX)).map(|(_, m)| *m).collect();
        let (mut now, mut edges, mut comes) = (held, Vec::new(), false);
        for (kind, attribute, values) in modifications {
            if *attribute == "member" {
                let picked: Vec<_> = values.iter().map(|v| self.pick_of(v)).collect();
                if let Some(refused) = plan_members(*kind, &picked, &mut now, &mut edges) {
                    return vec![refused];
                }
                continue;
            }
            let values: Vec<String> = values.iter().map(|v| self.text_of(v)).collect();
            let have = after.values.entry(attribute).or_default();
            if let Some(refused) = change_values(*kind, &values, have) {
                return vec![refused];
            }
            after.values.retain(|_, values| !values.is_empty());
        }
        let mut why = Vec::new();
        comes |= edges.iter().any(|(m, add)| *add && now.contains(m));
        let allowed: &[&str] = match before.sort {
            Sort::Person => {
                &["uid", "cn", "sn", "mail", "title", "manager", "seeAlso", "description", "preferredLanguage"]
            }
            Sort::Group => &["cn", "seeAlso", "description"],
            Sort::Unit | Sort::Other => &["ou", "seeAlso", "description"],
        };
        let demanded: &[&str] = match before.sort {
            Sort::Person => &["cn", "sn"],
            Sort::Group => &["cn"],
            Sort::Unit | Sort::Other => &["ou"],
        };
        if after.values.keys().any(|a| !allowed.contains(a))
            || demanded.iter().any(|a| !after.values.contains_key(a))
            || (comes && before.sort != Sort::Group)
        {
            why.push("ClassViolation");
        }
        let (attribute, value) = before.rdn.split_once('=').unwrap();
        let named = after.values.get(attribute).is_some_and(|v| v.iter().any(|v| normal(v) == normal(value)));
        if !named {
            why.push("NotAllowedOnRdn");
        }
        if after.values.get("preferredLanguage").is_some_and(|v| v.len() > 1) {
            why.push("Constraint");
        }
        if before.account.is_some() && usernames(&before) != usernames(&after) {
            why.push("Constraint");
        }
        if self.taken(Some(id), &after) {
            why.push("NameTaken");
        }
        if why.is_empty() {
            let mut next = self.clone();
            for (member, add) in edges {
                if add {
                    if member == id || next.holds(member, id) {
                        return vec!["Constraint"];
                    }
                    next.members.insert((id, member));
                } else {
                    next.members.remove(&(id, member));
                }
            }
            *self = next;
            self.entries.insert(id, after);
        }
        why
    }

    /// What is wrong with a request whatever the entry holds.
    pub fn misspelt(&self, modifications: &[(ModificationKind, &'static str, Vec<Value>)]) -> Refusals {
        let mut why = Vec::new();
        for (kind, attribute, values) in modifications {
            let texts: BTreeSet<String> = values.iter().map(|v| normal(&self.text_of(v))).collect();
            if *kind == ModificationKind::Delete {
                continue;
            }
            if texts.len() < values.len() {
                why.push("ValueExists");
            }
            if *attribute == "preferredLanguage" && values.len() > 1 {
                why.push("Constraint");
            }
        }
        why
    }

    pub fn pick_of(&self, value: &Value) -> Option<usize> {
        match value {
            Value::Name(pick) => self.pick(*pick),
            Value::Text(_) | Value::Mail(_) => None,
        }
    }

    pub fn text_of(&self, value: &Value) -> String {
        match value {
            Value::Text(text) => (*text).to_owned(),
            Value::Mail(number) => format!("m{number}@example.com"),
            Value::Name(pick) => self.named(*pick),
        }
    }

    pub fn rename(
        &mut self,
        id: usize,
        rdn: Option<(&'static str, String)>,
        delete_old: bool,
        parent: Option<Option<usize>>,
    ) -> Refusals {
        let before = self.entries[&id].clone();
        let parent = match parent {
            None => before.parent.unwrap(),
            Some(None) => return vec!["NoSuchEntry"],
            Some(Some(parent)) if self.subtree(id).contains(&parent) => return vec!["Unwilling"],
            Some(Some(parent)) => parent,
        };
        let (old_attribute, old_value) = before.rdn.split_once('=').unwrap();
        let old_attribute = *before.values.keys().find(|a| **a == old_attribute).unwrap();
        let (attribute, value) = rdn.unwrap_or((old_attribute, old_value.to_owned()));
        let mut after = before.clone();
        after.rdn = format!("{attribute}={value}");
        after.parent = Some(parent);
        if delete_old {
            after.values.get_mut(old_attribute).unwrap().retain(|v| normal(v) != normal(old_value));
        }
        let values = after.values.entry(attribute).or_default();
        if !values.iter().any(|v| normal(v) == normal(&value)) {
            values.push(value);
        }
        after.values.retain(|_, values| !values.is_empty());
        let mut why = Vec::new();
        let dn = format!("{},{}", after.rdn, self.dn(parent));
        if self.find(&dn).is_some_and(|there| there != id) {
            why.push("EntryExists");
        }
        if before.account.is_some() && usernames(&before) != usernames(&after) {
            why.push("Constraint");
        }
        if why.is_empty() {
            let moved = self.subtree(id);
            let old: Vec<String> = moved.iter().map(|m| self.dn(*m)).collect();
            self.entries.insert(id, after);
            for (id, old) in moved.iter().zip(old) {
                let new = self.dn(*id);
                self.follow(&old, Some(&new));
            }
        }
        why
    }

    pub fn act(&mut self, id: usize, act: usize) -> Refusals {
        let (now, leaf) = (self.now, self.children(id).is_empty());
        let Some(account) = self.entries.get_mut(&id).and_then(|e| e.account.as_mut()) else {
            return vec!["Constraint"];
        };
        match act {
            0..=7 => account.act(act, now),
            _ if !leaf => vec!["HasChildren"],
            _ => {
                let names = Model::names(&self.entries[&id]);
                self.reserved.extend(names);
                self.remove(id);
                Vec::new()
            }
        }
    }
}

pub fn plan_members(
    kind: ModificationKind,
    picked: &[Option<usize>],
    now: &mut BTreeSet<usize>,
    edges: &mut Vec<(usize, bool)>,
) -> Option<&'static str> {
    match kind {
        ModificationKind::Add => {
            for member in picked {
                let Some(member) = member else { return Some("Constraint") };
                if !now.insert(*member) {
                    return Some("ValueExists");
                }
                edges.push((*member, true));
            }
        }
        ModificationKind::Delete if picked.is_empty() => {
            if now.is_empty() {
                return Some("NoSuchValue");
            }
            edges.extend(std::mem::take(now).into_iter().map(|m| (m, false)));
        }
        ModificationKind::Delete => {
            for member in picked {
                if !member.is_some_and(|m| now.remove(&m)) {
                    return Some("NoSuchValue");
                }
                edges.extend(member.map(|m| (m, false)));
            }
        }
        _ => {
            let wanted: BTreeSet<usize> = picked.iter().flatten().copied().collect();
            if picked.contains(&None) {
                return Some("Constraint");
            }
            if wanted.len() < picked.len() {
                return Some("ValueExists");
            }
            edges.extend(now.difference(&wanted).map(|m| (*m, false)));
            edges.extend(wanted.difference(now).map(|m| (*m, true)));
            *now = wanted;
        }
    }
    None
}

pub fn change_values(kind: ModificationKind, values: &[String], have: &mut Vec<String>) -> Option<&'static str> {
    match kind {
        ModificationKind::Delete if values.is_empty() => {
            if have.is_empty() {
                return Some("NoSuchValue");
            }
            have.clear();
        }
        ModificationKind::Delete => {
            for value in values {
                let Some(at) = have.iter().position(|h| normal(h) == normal(value)) else { return Some("NoSuchValue") };
                have.remove(at);
            }
        }
        _ => {
            if kind == ModificationKind::Replace {
                have.clear();
            }
            for value in values {
                if have.iter().any(|h| normal(h) == normal(value)) {
                    return Some("ValueExists");
                }
                have.push(value.clone());
            }
        }
    }
    None
}

pub fn usernames(entry: &Entry) -> BTreeSet<String> {
    entry.values.get("uid").into_iter().flatten().map(|v| normal(v)).collect()
}

/// Case and doubled spaces mean nothing in any value here.
pub fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

//! Changes against a model: the answer of every step and everything that is visible after it.
//!
//! The model is a tree of small structs that knows the rules and nothing of stores: which refusals a step may meet (none:
//! it must succeed) and what it does. After every step all entries, memberships and states are compared.

use super::common::World;
use super::oracle::read_all;
use directory::authenticate::{LoginName, Verdict};
use directory::change::{Act, Change, Modification, ModificationKind, Target};
use directory::clock::Span;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};

const SUFFIX: &str = "dc=example,dc=com";
const MINUTE: i64 = 60_000;

/// A way to name an entry that may be there: the n-th of those of a sort, or nobody.
#[derive(Debug, Clone, Copy)]
enum Pick {
    Person(usize),
    Group(usize),
    Unit(usize),
    Nobody,
}

#[derive(Debug, Clone)]
enum Step {
    AddUnit { name: usize, parent: Pick },
    AddPerson { name: usize, parent: Pick, mail: Option<usize>, manager: Option<Pick>, shout: bool },
    AddGroup { name: usize, parent: Pick, members: Vec<Pick> },
    Modify { target: Pick, modifications: Vec<(ModificationKind, &'static str, Vec<Value>)> },
    Rename { target: Pick, rdn: Option<(&'static str, usize)>, delete_old: bool, parent: Option<Pick> },
    Delete { target: Pick, subtree: bool },
    Password { target: Pick, password: usize },
    Login { target: Pick, password: usize, by_name: bool, times: usize },
    Act { target: Pick, act: usize },
    Pass { minutes: u32 },
    Flush,
}

#[derive(Debug, Clone)]
enum Value {
    Text(&'static str),
    Mail(usize),
    Name(Pick),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Unit,
    Person,
    Group,
    Other,
}

#[derive(Debug, Clone)]
struct Entry {
    rdn: String,
    parent: Option<usize>,
    sort: Sort,
    /// Values by attribute, as text.
    values: BTreeMap<&'static str, Vec<String>>,
    account: Option<Account>,
}

#[derive(Debug, Clone, Default)]
struct Account {
    standing: &'static str,
    disabled: bool,
    /// The end of a lock in milliseconds; `i64::MAX`: until unlocked.
    lock: Option<i64>,
    failures: u32,
    last_failure: i64,
    locks: u32,
    force_change: bool,
    password: Option<usize>,
}

/// The directory as it should be.
#[derive(Debug, Clone, Default)]
struct Model {
    entries: BTreeMap<usize, Entry>,
    members: BTreeSet<(usize, usize)>,
    /// Names of deleted accounts, which stay taken.
    reserved: BTreeSet<String>,
    next: usize,
    /// Milliseconds since the beginning.
    now: i64,
}

type Refusals = Vec<&'static str>;

impl Account {
    fn state(&self, now: i64) -> &'static str {
        if self.disabled {
            "DISABLED"
        } else if self.locked(now) {
            "LOCKED"
        } else {
            self.standing
        }
    }

    fn locked(&self, now: i64) -> bool {
        self.lock.is_some_and(|until| now < until)
    }

    fn clear(&mut self) {
        (self.lock, self.failures, self.locks) = (None, 0, 0);
    }

    fn reinstate(&mut self) {
        self.clear();
        self.disabled = false;
        self.standing = "ENABLED";
    }

    /// Requirements §2.3 and §2.4: true when the login is admitted.
    fn login(&mut self, password: usize, now: i64) -> bool {
        if self.disabled || self.locked(now) {
            return false;
        }
        if self.password == Some(password) {
            if self.force_change {
                return false;
            }
            self.standing = "ACTIVE";
            self.clear();
            return true;
        }
        let anew = self.lock.take().is_some() || now - self.last_failure > 15 * MINUTE;
        self.failures = if anew { 1 } else { self.failures + 1 };
        self.last_failure = now;
        if self.failures > 5 {
            self.lock = Some(now + (15 * MINUTE << self.locks).min(24 * 60 * MINUTE));
            self.locks += 1;
        }
        false
    }
}

impl Model {
    /// What a new directory holds: the containers, and the roles that nothing here touches.
    fn of(world: &World) -> Model {
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

    fn push(&mut self, entry: Entry) -> usize {
        self.next += 1;
        self.entries.insert(self.next, entry);
        self.next
    }

    fn dn(&self, id: usize) -> String {
        let entry = &self.entries[&id];
        match entry.parent {
            Some(parent) => format!("{},{}", entry.rdn, self.dn(parent)),
            None => entry.rdn.clone(),
        }
    }

    fn find(&self, dn: &str) -> Option<usize> {
        self.entries.keys().copied().find(|id| normal(&self.dn(*id)) == normal(dn))
    }

    fn pick(&self, pick: Pick) -> Option<usize> {
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
    fn named(&self, pick: Pick) -> String {
        self.pick(pick).map_or_else(|| format!("uid=nobody,{SUFFIX}"), |id| self.dn(id))
    }

    fn children(&self, id: usize) -> Vec<usize> {
        self.entries.iter().filter(|(_, e)| e.parent == Some(id)).map(|(id, _)| *id).collect()
    }

    /// An entry and all below.
    fn subtree(&self, id: usize) -> Vec<usize> {
        let mut all = vec![id];
        let mut at = 0;
        while at < all.len() {
            all.extend(self.children(all[at]));
            at += 1;
        }
        all
    }

    /// Whether `group` holds `member` through any number of groups.
    fn holds(&self, group: usize, member: usize) -> bool {
        let inner: Vec<usize> = self.members.range((group, 0)..=(group, usize::MAX)).map(|(_, m)| *m).collect();
        inner.iter().any(|m| *m == member || self.holds(*m, member))
    }

    /// Usernames and addresses of an entry, each in its space.
    fn names(entry: &Entry) -> BTreeSet<String> {
        if entry.account.is_none() {
            return BTreeSet::new();
        }
        let of = |attribute: &'static str| {
            entry.values.get(attribute).into_iter().flatten().map(move |v| format!("{attribute}={}", v.to_lowercase()))
        };
        of("uid").chain(of("mail")).collect()
    }

    fn taken(&self, own: Option<usize>, entry: &Entry) -> bool {
        let names = Model::names(entry);
        let others = self.entries.iter().filter(|(id, _)| Some(**id) != own).map(|(_, e)| Model::names(e));
        others.into_iter().any(|n| !n.is_disjoint(&names)) || !self.reserved.is_disjoint(&names)
    }

    /// References of other entries follow a name, or go with it.
    fn follow(&mut self, from: &str, to: Option<&str>) {
        for entry in self.entries.values_mut() {
            for attribute in ["manager", "seeAlso"] {
                let Some(values) = entry.values.get_mut(attribute) else { continue };
                match to {
                    Some(to) => {
                        values.iter_mut().filter(|v| normal(v) == normal(from)).for_each(|v| *v = to.to_owned())
                    }
                    None => values.retain(|v| normal(v) != normal(from)),
                }
                if values.is_empty() {
                    entry.values.remove(attribute);
                }
            }
        }
    }

    fn remove(&mut self, id: usize) {
        let dn = self.dn(id);
        self.entries.remove(&id);
        self.members.retain(|(group, member)| *group != id && *member != id);
        self.follow(&dn, None);
    }

    /// The refusals that a step may meet, or its effect.
    fn add(&mut self, parent: Pick, rdn: String, mut entry: Entry, members: &[Pick]) -> Refusals {
        let mut why = Vec::new();
        let Some(parent) = self.pick(parent) else { return vec!["NoSuchEntry"] };
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
        if known.len() < picked.iter().flatten().count() {
            why.push("ValueExists");
        }
        if why.is_empty() {
            let known: Vec<usize> = known.into_iter().copied().collect();
            let id = self.push(entry);
            self.members.extend(known.into_iter().map(|m| (id, m)));
        }
        why
    }

    fn modify(&mut self, id: usize, modifications: &[(ModificationKind, &'static str, Vec<Value>)]) -> Refusals {
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

    fn pick_of(&self, value: &Value) -> Option<usize> {
        match value {
            Value::Name(pick) => self.pick(*pick),
            Value::Text(_) | Value::Mail(_) => None,
        }
    }

    fn text_of(&self, value: &Value) -> String {
        match value {
            Value::Text(text) => (*text).to_owned(),
            Value::Mail(number) => format!("m{number}@example.com"),
            Value::Name(pick) => self.named(*pick),
        }
    }

    fn rename(
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

    fn act(&mut self, id: usize, act: usize) -> Refusals {
        let now = self.now;
        let leaf = self.children(id).is_empty();
        let Some(account) = self.entries.get_mut(&id).and_then(|e| e.account.as_mut()) else {
            return vec!["Constraint"];
        };
        let (locked, disabled) = (account.locked(now) && !account.disabled, account.disabled);
        let refuse = |unless: bool| if unless { Vec::new() } else { vec!["Unwilling"] };
        match act {
            0 => {
                let why = refuse(!disabled);
                account.disabled = true;
                why
            }
            1 => {
                let why = refuse(disabled);
                if disabled {
                    account.reinstate();
                }
                why
            }
            2 if locked => vec!["Password"],
            3 if locked => {
                account.reinstate();
                (account.password, account.force_change) = (Some(7), true);
                Vec::new()
            }
            2 | 3 => vec!["Unwilling"],
            4 => {
                let why = refuse(!disabled && account.lock != Some(i64::MAX));
                if why.is_empty() {
                    (account.lock, account.locks) = (Some(i64::MAX), 0);
                }
                why
            }
            5 => {
                let why = refuse(account.state(now) == "ACTIVE");
                account.force_change |= why.is_empty();
                why
            }
            6 => {
                account.disabled = true;
                Vec::new()
            }
            7 => {
                if disabled {
                    let lock = account.lock.filter(|until| now < *until);
                    account.reinstate();
                    account.lock = lock;
                }
                Vec::new()
            }
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

fn plan_members(
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

fn change_values(kind: ModificationKind, values: &[String], have: &mut Vec<String>) -> Option<&'static str> {
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

fn usernames(entry: &Entry) -> BTreeSet<String> {
    entry.values.get("uid").into_iter().flatten().map(|v| normal(v)).collect()
}

/// Case and doubled spaces mean nothing in any value here.
fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn secret(number: usize) -> String {
    format!("quite a fine secret {number}")
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![
        8 => (0..6_usize).prop_map(Pick::Person),
        5 => (0..4_usize).prop_map(Pick::Group),
        3 => (0..4_usize).prop_map(Pick::Unit),
        1 => Just(Pick::Nobody),
    ]
}

fn unit() -> impl Strategy<Value = Pick> {
    prop_oneof![12 => (0..4_usize).prop_map(Pick::Unit), 1 => Just(Pick::Nobody), 1 => (0..6_usize).prop_map(Pick::Person)]
}

fn modification() -> impl Strategy<Value = (ModificationKind, &'static str, Vec<Value>)> {
    let kind = || select(vec![ModificationKind::Add, ModificationKind::Delete, ModificationKind::Replace]);
    let texts = ["Boss", "BOSS ", "a  b", "A B", "c"];
    let text = select(texts.to_vec()).prop_map(Value::Text);
    let name = prop_oneof![select(vec!["p0", "P1", "c0", "g0", "x"]), select(texts.to_vec())].prop_map(Value::Text);
    let attributes = ["title", "description", "preferredLanguage", "sn"];
    prop_oneof![
        4 => (kind(), select(attributes.to_vec()), prop::collection::vec(text, 0..3)),
        1 => (kind(), select(vec!["uid", "cn"]), prop::collection::vec(name, 0..3)),
        2 => (kind(), Just("mail"), prop::collection::vec((0..5_usize).prop_map(Value::Mail), 0..3)),
        2 => (kind(), select(vec!["manager", "seeAlso"]), prop::collection::vec(pick().prop_map(Value::Name), 0..3)),
        5 => (kind(), Just("member"), prop::collection::vec(pick().prop_map(Value::Name), 0..3)),
    ]
    .prop_map(|(kind, attribute, mut values)| {
        // An addition of nothing is refused before anything is looked at; that is the door's matter.
        if kind == ModificationKind::Add && values.is_empty() {
            values.push(match attribute {
                "member" | "manager" | "seeAlso" => Value::Name(Pick::Person(0)),
                "mail" => Value::Mail(0),
                _ => Value::Text("c"),
            });
        }
        (kind, attribute, values)
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..3_usize, unit()).prop_map(|(name, parent)| Step::AddUnit { name, parent }),
        5 => (0..6_usize, unit(), prop::option::of(0..5_usize), prop::option::of(pick()), any::<bool>()).prop_map(
            |(name, parent, mail, manager, shout)| Step::AddPerson { name, parent, mail, manager, shout }
        ),
        3 => (0..4_usize, unit(), prop::collection::vec(pick(), 0..3))
            .prop_map(|(name, parent, members)| Step::AddGroup { name, parent, members }),
        8 => (pick(), prop::collection::vec(modification(), 1..4))
            .prop_map(|(target, modifications)| Step::Modify { target, modifications }),
        3 => (
            pick(),
            prop::option::of((select(vec!["uid", "cn", "ou"]), 0..4_usize)),
            any::<bool>(),
            prop::option::of(prop_oneof![3 => unit(), 1 => pick()])
        )
            .prop_map(|(target, rdn, delete_old, parent)| Step::Rename { target, rdn, delete_old, parent }),
        2 => (pick(), any::<bool>()).prop_map(|(target, subtree)| Step::Delete { target, subtree }),
        4 => ((0..4_usize).prop_map(Pick::Group), prop_oneof![1 => pick(), 2 => (0..4_usize).prop_map(Pick::Group)]).prop_map(
            |(target, member)| {
                let modifications = vec![(ModificationKind::Add, "member", vec![Value::Name(member)])];
                Step::Modify { target, modifications }
            }
        ),
        3 => (pick(), 0..2_usize).prop_map(|(target, password)| Step::Password { target, password }),
        7 => (
            prop_oneof![5 => (0..2_usize).prop_map(Pick::Person), 1 => pick()],
            prop_oneof![4 => 0..2_usize, 1 => Just(7)],
            any::<bool>(),
            prop_oneof![2 => Just(1), 1 => 2..8_usize]
        )
            .prop_map(|(target, password, by_name, times)| Step::Login { target, password, by_name, times }),
        4 => ((0..6_usize).prop_map(Pick::Person), 0..9_usize).prop_map(|(target, act)| Step::Act { target, act }),
        2 => select(vec![1, 14, 15, 16, 30, 31, 60, 600]).prop_map(|minutes| Step::Pass { minutes }),
        1 => Just(Step::Flush),
    ]
}

/// Enough to begin with that most steps meet something.
fn prelude() -> Vec<Step> {
    let parent = Pick::Unit(0);
    let mut steps = Vec::new();
    for name in 0..3 {
        steps.push(Step::AddPerson { name, parent, mail: Some(name), manager: None, shout: false });
        steps.push(Step::Password { target: Pick::Person(name), password: 0 });
        steps.push(Step::AddGroup { name, parent, members: vec![Pick::Person(name)] });
    }
    steps
}

/// Carries a step out on both sides and compares the answers.
async fn take(world: &World, model: &mut Model, step: &Step) -> Result<(), TestCaseError> {
    let target = |dn: &str| Target::Dn(dn.as_bytes().to_vec());
    let (change, expected) = match step {
        Step::Pass { minutes } => {
            world.clock.advance(Span::from_mins(*minutes));
            model.now += i64::from(*minutes) * MINUTE;
            return Ok(());
        }
        Step::Flush => {
            world.directory.flush(true).await.unwrap();
            return Ok(());
        }
        Step::Login { target, password, by_name, times } => {
            for _ in 0..*times {
                login(world, model, *target, *password, *by_name).await?;
            }
            return Ok(());
        }
        Step::AddUnit { name, parent } => {
            let rdn = format!("ou=u{name}");
            let values = [("ou", vec![format!("u{name}")])].into_iter().collect();
            let entry = Entry { rdn: String::new(), parent: None, sort: Sort::Unit, values, account: None };
            let change = addition(model, "organizationalUnit", &rdn, *parent, &entry, &[]);
            (change, model.add(*parent, rdn, entry, &[]))
        }
        Step::AddPerson { name, parent, mail, manager, shout } => {
            let uid = if *shout { format!("P{name}") } else { format!("p{name}") };
            let mut values: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
            values.insert("uid", vec![uid.clone()]);
            values.insert("cn", vec![uid.clone()]);
            values.insert("sn", vec!["s".to_owned()]);
            if let Some(mail) = mail {
                values.insert("mail", vec![format!("m{mail}@example.com")]);
            }
            if let Some(manager) = manager {
                values.insert("manager", vec![model.named(*manager)]);
            }
            let account = Some(Account { standing: "UNVERIFIED", last_failure: i64::MIN / 2, ..Account::default() });
            let entry = Entry { rdn: String::new(), parent: None, sort: Sort::Person, values, account };
            let rdn = format!("uid={uid}");
            let change = addition(model, "inetOrgPerson", &rdn, *parent, &entry, &[]);
            (change, model.add(*parent, rdn, entry, &[]))
        }
        Step::AddGroup { name, parent, members } => {
            let rdn = format!("cn=g{name}");
            let values = [("cn", vec![format!("g{name}")])].into_iter().collect();
            let entry = Entry { rdn: String::new(), parent: None, sort: Sort::Group, values, account: None };
            let change = addition(model, "groupOfNames", &rdn, *parent, &entry, members);
            (change, model.add(*parent, rdn, entry, members))
        }
        Step::Modify { target: pick, modifications } => {
            let dn = model.named(*pick);
            let request = modifications.iter().map(|(kind, attribute, values)| Modification {
                kind: *kind,
                attribute: attribute.as_bytes().to_vec(),
                values: values.iter().map(|v| shout(&model.text_of(v)).into_bytes()).collect(),
            });
            let change = Change::Modify { target: target(&dn), modifications: request.collect() };
            let expected = match model.pick(*pick) {
                Some(id) => {
                    let shouted = model.entries[&id].clone();
                    let why = model.modify(id, modifications);
                    let _ = shouted;
                    why
                }
                None => vec!["NoSuchEntry"],
            };
            (change, expected)
        }
        Step::Rename { target: pick, rdn, delete_old, parent } => {
            let Some(id) = model.pick(*pick) else { return Ok(()) };
            let sort = model.entries[&id].sort;
            // What a sort of entry is named by; the rest is for the schema's own tests.
            let letter = |attribute: &str| match (sort, attribute) {
                (Sort::Person, "uid") => Some("p"),
                (Sort::Person, "cn") => Some("c"),
                (Sort::Group, "cn") => Some("g"),
                (Sort::Unit, "ou") => Some("u"),
                _ => None,
            };
            let rdn = rdn.and_then(|(a, n)| letter(a).map(|l| (a, format!("{l}{n}"))));
            let own = model.entries[&id].rdn.clone();
            let new_rdn = rdn.as_ref().map_or(own, |(a, v)| format!("{a}={v}"));
            let new_superior = parent.map(|p| model.named(p).into_bytes());
            let target = target(&model.dn(id));
            let change =
                Change::Rename { target, new_rdn: new_rdn.into_bytes(), delete_old: *delete_old, new_superior };
            let parent = parent.map(|p| model.pick(p));
            (change, model.rename(id, rdn, *delete_old, parent))
        }
        Step::Delete { target: pick, subtree } => {
            let dn = model.named(*pick);
            let expected = match model.pick(*pick) {
                None => vec!["NoSuchEntry"],
                Some(id) if !subtree && !model.children(id).is_empty() => vec!["HasChildren"],
                Some(id) => {
                    for id in model.subtree(id).into_iter().rev() {
                        model.remove(id);
                    }
                    Vec::new()
                }
            };
            (Change::Delete { target: target(&dn), subtree: *subtree }, expected)
        }
        Step::Password { target: pick, password } => {
            let dn = model.named(*pick);
            let now = model.now;
            let id = model.pick(*pick);
            let expected = match id.map(|id| model.entries.get_mut(&id).unwrap().account.as_mut()) {
                None => vec!["NoSuchEntry"],
                Some(None) => vec!["Constraint"],
                Some(Some(account)) if account.disabled || account.locked(now) => vec!["Unwilling"],
                Some(Some(account)) => {
                    account.clear();
                    (account.password, account.force_change) = (Some(*password), false);
                    Vec::new()
                }
            };
            let new = Some(secret(*password).as_str().into());
            (Change::Password { target: target(&dn), old: None, new }, expected)
        }
        Step::Act { target: pick, act } => {
            let Some(id) = model.pick(*pick) else { return Ok(()) };
            let dn = model.dn(id);
            (Change::Account { target: target(&dn), act: act_of(*act) }, model.act(id, *act))
        }
    };
    let outcome = world.change(change).await;
    let reason = outcome.as_ref().err().map(|refusal| {
        let text = format!("{:?}", refusal.reason);
        text.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned()
    });
    let fits = match &reason {
        None => expected.is_empty(),
        Some(reason) => expected.contains(&reason.as_str()),
    };
    prop_assert!(fits, "{:?}: expected {:?}, found {:?}", step, expected, outcome);
    Ok(())
}

/// Names are found in any spelling.
fn shout(text: &str) -> String {
    if text.contains("dc=") { text.to_uppercase().replace(',', " , ") } else { text.to_owned() }
}

fn addition(model: &Model, class: &str, rdn: &str, parent: Pick, entry: &Entry, members: &[Pick]) -> Change {
    let mut attributes = vec![(b"objectClass".to_vec(), vec![class.as_bytes().to_vec()])];
    for (name, values) in &entry.values {
        attributes.push((name.as_bytes().to_vec(), values.iter().map(|v| v.as_bytes().to_vec()).collect()));
    }
    if !members.is_empty() {
        let values = members.iter().map(|m| shout(&model.named(*m)).into_bytes()).collect();
        attributes.push((b"member".to_vec(), values));
    }
    let parent = match model.pick(parent) {
        Some(parent) => model.dn(parent),
        None => format!("ou=nowhere,{SUFFIX}"),
    };
    Change::Add { dn: format!("{rdn},{parent}").into_bytes(), attributes }
}

fn act_of(number: usize) -> Act {
    match number {
        0 => Act::Disable,
        1 => Act::Enable { password: None },
        2 => Act::Unlock { password: None },
        3 => Act::Unlock { password: Some(secret(7).as_str().into()) },
        4 => Act::Lock,
        5 => Act::ForceChange,
        6 => Act::Active(false),
        7 => Act::Active(true),
        _ => Act::Delete { months: None },
    }
}

async fn login(
    world: &World,
    model: &mut Model,
    pick: Pick,
    password: usize,
    by_name: bool,
) -> Result<(), TestCaseError> {
    let dn = model.named(pick);
    let now = model.now;
    let id = model.pick(pick);
    let name = id.and_then(|id| model.entries[&id].values.get("uid")).map(|v| v[0].clone());
    let name = match name {
        Some(uid) if by_name => LoginName::Username(uid),
        _ => LoginName::Dn(dn.into_bytes()),
    };
    let account = id.and_then(|id| model.entries.get_mut(&id).unwrap().account.as_mut());
    let expected = account.is_some_and(|account| account.login(password, now));
    let verdict = world.login_as(name, &secret(password)).await;
    let admitted = match verdict {
        Verdict::Admitted(_) => true,
        Verdict::Refused { .. } => false,
        Verdict::Busy => return Err(TestCaseError::fail("busy")),
    };
    prop_assert_eq!(admitted, expected, "login of {:?} with {}", pick, password);
    Ok(())
}

/// Everything that is visible is what the model says.
fn compare(world: &World, model: &Model) -> Result<(), TestCaseError> {
    let seen = read_all(&world.directory, SUFFIX);
    let names: BTreeSet<String> = seen.iter().map(|s| normal(&s.dn)).collect();
    let expected: BTreeSet<String> = model.entries.keys().map(|id| normal(&model.dn(*id))).collect();
    prop_assert_eq!(names, expected);
    for seen in &seen {
        let id = model.find(&seen.dn).unwrap();
        let entry = &model.entries[&id];
        let values = |name: &str| -> Vec<String> {
            let of = seen.attributes.iter().find(|(n, _)| n == name).into_iter().flat_map(|(_, v)| v);
            let mut all: Vec<String> = of.map(|v| normal(&String::from_utf8_lossy(v))).collect();
            all.sort();
            all
        };
        let sorted = |mut all: Vec<String>| {
            all.sort();
            all
        };
        let groups: Vec<String> =
            model.members.iter().filter(|(_, m)| *m == id).map(|(g, _)| normal(&model.dn(*g))).collect();
        prop_assert_eq!(values("memberOf"), sorted(groups), "memberOf of {}", &seen.dn);
        let members: Vec<String> =
            model.members.iter().filter(|(g, _)| *g == id).map(|(_, m)| normal(&model.dn(*m))).collect();
        prop_assert_eq!(values("member"), sorted(members), "member of {}", &seen.dn);
        let children = model.children(id).len();
        prop_assert_eq!(values("numSubordinates"), vec![children.to_string()], "children of {}", &seen.dn);
        if entry.values.is_empty() {
            continue;
        }
        for name in ["uid", "cn", "sn", "ou", "mail", "title", "description", "preferredLanguage", "manager", "seeAlso"]
        {
            let expected =
                entry.values.get(name).into_iter().flatten().map(|v| normal(v).replace(" , ", ",")).collect();
            let found: Vec<String> = values(name).iter().map(|v| v.replace(" , ", ",")).collect();
            prop_assert_eq!(found, sorted(expected), "{} of {}", name, &seen.dn);
        }
        let state = entry.account.as_ref().map(|a| a.state(model.now).to_lowercase());
        prop_assert_eq!(values("rollbookState"), state.into_iter().collect::<Vec<_>>(), "state of {}", &seen.dn);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: super::cases(48), max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn a_change_does_what_the_rules_say(steps in prop::collection::vec(step(), 1..50)) {
        // Goal: for any sequence of changes and logins, every answer and every visible value is the model's.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let mut model = Model::of(&world);
            for step in prelude().iter().chain(&steps) {
                take(&world, &mut model, step).await?;
                compare(&world, &model)?;
            }
            world.directory.flush(true).await.unwrap();
            compare(&world, &model)?;
            world.verify();
            Ok::<(), TestCaseError>(())
        })?;
    }
}

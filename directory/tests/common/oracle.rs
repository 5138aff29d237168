//! A second opinion on filters: RFC 4511 §4.5.1.7 read again, over what an entry shows, without any index.
//!
//! Knows entries only by their DN and the attributes that a search returns with `*` and `+`. Shares with the product the
//! catalog, the comparison keys of single values and the matching of substrings, which have tests of their own; not the
//! binding of filters, the planner, the record, the edges or the computed attributes.

use directory::entry::dn::{Dn, DnKey};
use directory::filter::Filter;
use directory::handle::Directory;
use directory::schema::{
    AttributeDescription, AttributeId, MatchingRule, Pattern, RuleKind, Schema, Storage, attribute::AttributeType,
};
use directory::search::{self, Deref, Scope, SearchRequest, Selection, Sink};
use std::collections::{HashMap, HashSet};

/// An entry as a reader with every right sees it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub dn: String,
    pub key: Vec<u8>,
    pub attributes: Vec<(String, Vec<Vec<u8>>)>,
}

#[derive(Default)]
struct Collect(Vec<(String, Vec<Vec<u8>>)>);

impl Sink for Collect {
    fn attribute(&mut self, description: &[u8]) {
        self.0.push((String::from_utf8(description.to_vec()).unwrap(), Vec::new()));
    }
    fn value(&mut self, value: &[u8]) {
        self.0.last_mut().unwrap().1.push(value.to_vec());
    }
    fn end_attribute(&mut self) {}
}

/// Every entry below a base, in the order of the search.
pub fn read_all(directory: &Directory, base: &str) -> Vec<Seen> {
    let snapshot = directory.snapshot().unwrap();
    let rights = directory.rights(&snapshot, directory::context::Actor::System).unwrap();
    let filter = Filter::Present(b"objectClass".to_vec());
    let request = SearchRequest {
        base: base.as_bytes(),
        scope: Scope::Subtree,
        deref: Deref::Never,
        filter: &filter,
        size_limit: 0,
        time_limit_seconds: 0,
        after: None,
    };
    let selection = Selection::parse(directory.schema(), [b"*".as_slice(), b"+".as_slice()]);
    let mut cursor = search::begin(directory.reading(&snapshot, &rights, directory.now()), &request).unwrap();
    let mut out = Vec::new();
    while let Some(found) = cursor.next().unwrap() {
        let mut collect = Collect::default();
        found.emit(&selection, false, &mut collect).unwrap();
        let key = DnKey::parse(directory.schema(), found.dn().as_bytes()).unwrap().into_bytes();
        out.push(Seen { dn: found.dn().to_owned(), key, attributes: collect.0 });
    }
    out
}

/// What is asked of one value.
type Test<'t> = Box<dyn Fn(&[u8]) -> bool + 't>;

/// The answers of filters over some entries.
pub struct Oracle<'a> {
    schema: &'a Schema,
    entries: &'a [Seen],
    /// Members by group, both by DN key.
    members: HashMap<&'a [u8], Vec<Vec<u8>>>,
}

impl<'a> Oracle<'a> {
    pub fn new(schema: &'a Schema, entries: &'a [Seen]) -> Oracle<'a> {
        let mut members: HashMap<&[u8], Vec<Vec<u8>>> = HashMap::new();
        for entry in entries {
            for (name, values) in &entry.attributes {
                if name == "member" || name == "uniqueMember" {
                    let keys = values.iter().map(|v| DnKey::parse(schema, v).unwrap().into_bytes());
                    members.entry(&entry.key).or_default().extend(keys);
                }
            }
        }
        Oracle { schema, entries, members }
    }

    /// The DNs that a search returns.
    pub fn find(&self, base: &str, scope: Scope, filter: &Filter) -> Vec<String> {
        let base = DnKey::parse(self.schema, base.as_bytes()).unwrap();
        let inside = |entry: &&Seen| {
            let key = DnKey::parse(self.schema, entry.dn.as_bytes()).unwrap();
            match scope {
                Scope::Base => key == base,
                Scope::One => key.parent() == Some(base.as_bytes()),
                Scope::Subtree => key.is_within(&base),
                Scope::Children => key != base && key.is_within(&base),
            }
        };
        let matches = |entry: &&Seen| self.matches(filter, entry) == Some(true);
        self.entries.iter().filter(inside).filter(matches).map(|e| e.dn.clone()).collect()
    }

    fn matches(&self, filter: &Filter, entry: &Seen) -> Option<bool> {
        match filter {
            Filter::And(parts) => {
                let answers: Vec<_> = parts.iter().map(|p| self.matches(p, entry)).collect();
                if answers.contains(&Some(false)) {
                    Some(false)
                } else if answers.contains(&None) {
                    None
                } else {
                    Some(true)
                }
            }
            Filter::Or(parts) => {
                let answers: Vec<_> = parts.iter().map(|p| self.matches(p, entry)).collect();
                if answers.contains(&Some(true)) {
                    Some(true)
                } else if answers.contains(&None) {
                    None
                } else {
                    Some(false)
                }
            }
            Filter::Not(part) => self.matches(part, entry).map(|answer| !answer),
            Filter::Present(name) => self.item(name, entry, |_| Some(Box::new(|_: &[u8]| true))),
            Filter::Equal(name, value) | Filter::Approximate(name, value) => self.equal(name, value, entry, false),
            Filter::GreaterOrEqual(name, value) => self.item(name, entry, |kind| {
                let (rule, wanted) = (kind.ordering?, self.schema.key(kind.ordering?, value).ok()?);
                Some(Box::new(move |v: &[u8]| self.schema.key(rule, v).is_ok_and(|k| k >= wanted)))
            }),
            Filter::LessOrEqual(name, value) => self.item(name, entry, |kind| {
                let (rule, wanted) = (kind.ordering?, self.schema.key(kind.ordering?, value).ok()?);
                Some(Box::new(move |v: &[u8]| self.schema.key(rule, v).is_ok_and(|k| k <= wanted)))
            }),
            Filter::Substrings { attribute, initial, any, last } => self.item(attribute, entry, |kind| {
                let rule = kind.substring?;
                let any = any.iter().map(Vec::as_slice);
                let pattern = Pattern::new(rule, initial.as_deref(), any, last.as_deref()).ok()?;
                Some(Box::new(move |v: &[u8]| self.schema.key(rule, v).is_ok_and(|k| pattern.matches(&k))))
            }),
            Filter::Extensible { rule: None, attribute: Some(name), value, dn_attributes } => {
                self.equal(name, value, entry, *dn_attributes)
            }
            Filter::Extensible { rule: None, attribute: None, .. } => None,
            Filter::Extensible { rule: Some(rule), attribute, value, dn_attributes } => {
                self.by_rule(self.schema.find_rule(rule)?, attribute.as_deref(), value, *dn_attributes, entry)
            }
        }
    }

    fn equal(&self, name: &[u8], value: &[u8], entry: &Seen, dn: bool) -> Option<bool> {
        let kind = self.kind(name)?;
        if kind.name() == "objectClass" {
            let Some(wanted) = self.schema.find_class(value) else {
                // A number that nobody knows is of no entry; a name that nobody knows, and what is neither, cannot be
                // compared (RFC 4517 §4.2.26).
                return self.schema.key(MatchingRule::ObjectIdentifierMatch, value).ok().map(|_| false);
            };
            let classes = self.values(kind, &[], entry).into_iter().filter_map(|v| self.schema.find_class(&v));
            return Some(classes.into_iter().any(|c| self.schema.superclasses(c.id).contains(&wanted.id)));
        }
        let test = |kind: &AttributeType| {
            let rule = kind.equality?;
            let wanted = self.schema.key(rule, value).ok()?;
            let test = move |v: &[u8]| self.schema.key(rule, v).is_ok_and(|k| k == wanted);
            Some(Box::new(test) as Test<'_>)
        };
        if dn && self.of_names(Some(kind), &test(kind)?, entry) {
            return Some(true);
        }
        self.item(name, entry, test)
    }

    fn by_rule(&self, rule: MatchingRule, name: Option<&[u8]>, value: &[u8], dn: bool, entry: &Seen) -> Option<bool> {
        let kind = match name {
            Some(name) => Some(self.kind(name)?),
            None => None,
        };
        if rule == MatchingRule::InChain {
            let held = self.in_chain(kind?, value, entry)?;
            // Edges have no options: nothing is held by such a name.
            return Some(held && !name?.contains(&b';'));
        }
        if let Some(kind) = kind
            && kind.equality == Some(rule)
            && kind.name() == "objectClass"
        {
            return self.equal(name?, value, entry, dn);
        }
        // Edges answer to their own rule and to chains.
        if kind.is_some_and(|k| k.storage == Storage::Edge && k.equality != Some(rule)) {
            return None;
        }
        // An assertion that cannot be compared is Undefined, whatever the values.
        let test: Test<'_> = match rule.kind() {
            RuleKind::Equality => {
                let wanted = self.schema.key(rule, value).ok()?;
                Box::new(move |v| self.schema.key(rule, v).is_ok_and(|k| k == wanted))
            }
            RuleKind::Ordering => {
                let wanted = self.schema.key(rule, value).ok()?;
                Box::new(move |v| self.schema.key(rule, v).is_ok_and(|k| k < wanted))
            }
            RuleKind::Substrings => {
                let pattern = Pattern::parse(rule, value).ok()?;
                Box::new(move |v| self.schema.key(rule, v).is_ok_and(|k| pattern.matches(&k)))
            }
            RuleKind::Special => {
                self.schema.key(rule, value).ok()?;
                let value = value.to_vec();
                Box::new(move |v| self.schema.matches(rule, v, &value).unwrap_or(false))
            }
        };
        if kind.is_some_and(|k| !rule.applies_to(k)) {
            return None;
        }
        if dn && self.of_names(kind, &test, entry) {
            return Some(true);
        }
        if let Some(name) = name {
            return self.item(name, entry, |_| Some(test));
        }
        // Every attribute of the entry proper that the rule is made for.
        Some(entry.attributes.iter().any(|(description, values)| {
            let kind = self.kind(description.as_bytes()).unwrap();
            kind.storage == Storage::Entry
                && !kind.no_user_modification
                && rule.applies_to(kind)
                && values.iter().any(|v| test(v))
        }))
    }

    /// The values of the DN's own RDNs.
    fn of_names(&self, kind: Option<&AttributeType>, test: &dyn Fn(&[u8]) -> bool, entry: &Seen) -> bool {
        let Some(kind) = kind else { return false };
        let names = Dn::parse(entry.dn.as_bytes()).unwrap().rdns.into_iter().flat_map(|rdn| rdn.avas);
        let types = self.schema.subtypes(kind.id);
        names.into_iter().any(|ava| {
            let own = self.schema.find_attribute(ava.attribute.as_bytes()).unwrap();
            types.contains(&own.id) && test(&ava.value)
        })
    }

    fn in_chain(&self, kind: &AttributeType, value: &[u8], entry: &Seen) -> Option<bool> {
        if kind.storage != Storage::Edge {
            return None;
        }
        let named = DnKey::parse(self.schema, value).ok()?.into_bytes();
        Some(if kind.name() == "memberOf" { self.holds(&named, &entry.key) } else { self.holds(&entry.key, &named) })
    }

    /// Whether a group holds an entry through any number of groups.
    fn holds(&self, group: &[u8], member: &[u8]) -> bool {
        let (mut open, mut seen) = (vec![group.to_vec()], HashSet::new());
        while let Some(group) = open.pop() {
            for inner in self.members.get(group.as_slice()).into_iter().flatten() {
                if inner == member {
                    return true;
                }
                if seen.insert(inner.clone()) {
                    open.push(inner.clone());
                }
            }
        }
        false
    }

    fn item<'t>(
        &self,
        name: &[u8],
        entry: &Seen,
        test: impl FnOnce(&AttributeType) -> Option<Test<'t>>,
    ) -> Option<bool> {
        let description = AttributeDescription::parse(self.schema, name).ok()?;
        let kind = self.schema.attribute(description.id);
        if kind.storage == Storage::Credential {
            return None;
        }
        let test = test(kind)?;
        Some(self.values(kind, &description.options, entry).iter().any(|v| test(v)))
    }

    fn kind(&self, name: &[u8]) -> Option<&AttributeType> {
        Some(self.schema.attribute(AttributeDescription::parse(self.schema, name).ok()?.id))
    }

    /// The values of a type and its subtypes that carry these options.
    fn values(&self, kind: &AttributeType, options: &[Box<str>], entry: &Seen) -> Vec<Vec<u8>> {
        let types: &[AttributeId] = self.schema.subtypes(kind.id);
        let mut out = Vec::new();
        for (name, values) in &entry.attributes {
            let own = AttributeDescription::parse(self.schema, name.as_bytes()).unwrap();
            let carries = |w: &str| own.options.iter().any(|o| &**o == w || (w.ends_with('-') && o.starts_with(w)));
            if types.contains(&own.id) && options.iter().all(|w| carries(w)) {
                out.extend(values.iter().cloned());
            }
        }
        out
    }
}

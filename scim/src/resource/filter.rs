//! Filters of SCIM as filters of the directory, so that its indexes find what is asked for.
//!
//! Owns the translation. What comes out finds everything that the filter is true of, and perhaps more; [`Translated::exact`]
//! says that it finds nothing more. Where it is not exact, the resource's JSON decides. Whatever has no translation finds
//! everything, so a filter is never ignored, only slow.

use super::binding::{ADDRESSES, Form, PHONES, Plain, Slots};
use super::reader::{Kind, Reader, identifier};
use super::values::{time, write};
use crate::protocol::filter::{Op, Operand, Resolved, Test};
use crate::schema::{ACCOUNT_STATE, ENTERPRISE_USER, Place};
use directory::error::Refusal;
use directory::filter::Filter;
use directory::schema::known::{attribute as known, class};
use directory::schema::{AttributeId, AttributeType, ClassId, MatchingRule};
use directory::store::view::View;
use serde_json::Value;
use std::collections::HashSet;

/// A filter of the directory, and whether it decides alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    /// What finds the candidates; none: everything.
    pub filter: Option<Filter>,
    /// Every candidate obeys.
    pub exact: bool,
}

const ALL: Translated = Translated { filter: None, exact: false };

fn found(filter: Filter, exact: bool) -> Translated {
    Translated { filter: Some(filter), exact }
}

/// No resource obeys.
fn nothing() -> Translated {
    found(Filter::Or(Vec::new()), true)
}

impl Reader<'_> {
    /// The entries of a resource type that a filter may be true of, and whether that is decided.
    ///
    /// # Errors
    /// `Store`.
    pub fn candidates(&self, kind: Kind, filter: Option<&Resolved>) -> Result<(Filter, bool), Refusal> {
        let of_kind = self.of_kind(kind)?;
        let Some(filter) = filter else { return Ok((of_kind, true)) };
        let translated = Translation { reader: self, kind }.walk(filter)?;
        Ok(match translated.filter {
            None => (of_kind, translated.exact),
            Some(filter) => (Filter::And(vec![filter, of_kind]), translated.exact),
        })
    }

    /// The entries of a resource type. Classes that nobody is of are left out, so that one index range is enough.
    fn of_kind(&self, kind: Kind) -> Result<Filter, Refusal> {
        let classes: &[ClassId] = match kind {
            Kind::User => &[class::PERSON, class::POSIX_ACCOUNT],
            Kind::Group => {
                &[class::GROUP_OF_NAMES, class::GROUP_OF_UNIQUE_NAMES, class::GROUP_OF_MEMBERS, class::POSIX_GROUP]
            }
            Kind::Role => &[class::ROLLBOOK_ROLE, class::ORGANIZATIONAL_ROLE],
        };
        let schema = self.directory.schema();
        let mut any = Vec::new();
        for id in classes {
            let key = directory::access::class_key(*id);
            let is_used = !self.snapshot.holders(known::OBJECT_CLASS, &key, 1)?.is_empty();
            if let Some(class) = schema.class(*id).filter(|_| is_used) {
                any.push(Filter::Equal(b"objectClass".to_vec(), class.name().as_bytes().to_vec()));
            }
        }
        Ok(match any.pop() {
            Some(only) if any.is_empty() => only,
            Some(last) => {
                any.push(last);
                Filter::Or(any)
            }
            None => Filter::Or(any),
        })
    }
}

struct Translation<'a, 'r> {
    reader: &'a Reader<'r>,
    kind: Kind,
}

/// What a leaf is about: extension, attribute, sub-attribute.
struct Path<'p> {
    urn: Option<&'p str>,
    name: &'p str,
    sub: Option<&'p str>,
    /// Several attributes of one element are asked: one of them alone decides nothing.
    element: bool,
}

impl Translation<'_, '_> {
    fn walk(&self, filter: &Resolved) -> Result<Translated, Refusal> {
        match filter {
            Resolved::And(parts) => self.all(parts, |part| self.walk(part)),
            Resolved::Or(parts) => self.any(parts, |part| self.walk(part)),
            Resolved::Not(part) => Ok(match self.walk(part)? {
                Translated { filter: Some(filter), exact: true } => found(Filter::Not(Box::new(filter)), true),
                _ => ALL,
            }),
            Resolved::Test { place, test } => self.leaf(&path_of(place), place, test),
            Resolved::Element { place, inner } => self.element(place, inner),
        }
    }

    fn all(
        &self,
        parts: &[Resolved],
        each: impl Fn(&Resolved) -> Result<Translated, Refusal>,
    ) -> Result<Translated, Refusal> {
        let (mut filters, mut exact) = (Vec::new(), true);
        for part in parts {
            let translated = each(part)?;
            exact &= translated.exact;
            filters.extend(translated.filter);
        }
        let filter = if filters.is_empty() { None } else { Some(Filter::And(filters)) };
        Ok(Translated { filter, exact })
    }

    fn any(
        &self,
        parts: &[Resolved],
        each: impl Fn(&Resolved) -> Result<Translated, Refusal>,
    ) -> Result<Translated, Refusal> {
        let (mut filters, mut exact) = (Vec::new(), true);
        for part in parts {
            let translated = each(part)?;
            let Some(filter) = translated.filter else { return Ok(ALL) };
            exact &= translated.exact;
            filters.push(filter);
        }
        Ok(found(Filter::Or(filters), exact))
    }

    /// One and the same element: each of its tests narrows, none decides.
    fn element(&self, place: &Place, inner: &Resolved) -> Result<Translated, Refusal> {
        let translated = match inner {
            Resolved::And(parts) => self.all(parts, |part| self.element(place, part))?,
            Resolved::Or(parts) => self.any(parts, |part| self.element(place, part))?,
            Resolved::Not(_) | Resolved::Element { .. } => ALL,
            Resolved::Test { place: sub, test } => {
                let path = Path {
                    urn: place.extension.as_ref().map(|schema| schema.id.as_str()),
                    name: &place.attribute.name,
                    sub: Some(&sub.attribute.name),
                    element: true,
                };
                self.leaf(&path, sub, test)?
            }
        };
        // Membership is the one thing an element is alone with: `members[value eq "…"]`.
        let alone = matches!(inner, Resolved::Test { .. }) && place.attribute.edges;
        Ok(Translated { exact: translated.exact && alone, ..translated })
    }

    fn leaf(&self, path: &Path<'_>, place: &Place, test: &Test) -> Result<Translated, Refusal> {
        match (path.urn, path.name, path.sub) {
            (None, "id", None) => Ok(self.id(test)),
            (None, "meta", Some("lastModified")) => Ok(moment("modifyTimestamp", test)),
            (None, "meta", Some("created")) => Ok(moment("createTimestamp", test)),
            (None, "active", None) if self.kind == Kind::User => Ok(active(test)),
            (Some(ACCOUNT_STATE), "state", None) => Ok(match test {
                Test::Compare { op: Op::Eq, operand: Operand::Text { given, .. } } => {
                    found(equal("rollbookState", given), false)
                }
                _ => ALL,
            }),
            (None, "members", None | Some("value")) => self.edge(&["member", "uniqueMember"], test),
            (None, "groups", None | Some("value")) => self.groups(test),
            (Some(ENTERPRISE_USER), "manager", None | Some("value")) => self.edge(&["manager"], test),
            (None, "userName", None) if self.kind == Kind::User => Ok(self.value(known::UID, place, test, true)),
            (None, "emails", None | Some("value")) => Ok(self.value(known::MAIL, place, test, !path.element)),
            (None, "entitlements", None | Some("value")) => Ok(self.named("rollbookEntitlement", place, test)),
            (None, "phoneNumbers", None | Some("value")) => {
                let attributes = PHONES.iter().map(|(_, name)| *name);
                Ok(self.one_of(attributes, place, test))
            }
            (None, "addresses", Some(sub)) if sub != "formatted" => {
                let attributes = ADDRESSES.iter().filter(|(_, known, _)| *known == sub).map(|(_, _, name)| *name);
                Ok(self.one_of(attributes, place, test))
            }
            (urn, name, sub) => Ok(match self.slots().plain(urn, name, sub) {
                Some(plain) => self.plain(plain, place, test),
                None => ALL,
            }),
        }
    }

    fn slots(&self) -> &Slots {
        match self.kind {
            Kind::User => &self.reader.binding.user,
            Kind::Group => &self.reader.binding.group,
            Kind::Role => &self.reader.binding.role,
        }
    }

    fn id(&self, test: &Test) -> Translated {
        match test {
            Test::Present => Translated { filter: None, exact: true },
            Test::Compare { op: Op::Eq, operand: Operand::Text { given, .. } } => match identifier(given) {
                Some(uuid) => found(equal("entryUUID", &uuid.to_string()), true),
                None => nothing(),
            },
            Test::Compare { .. } => ALL,
        }
    }

    /// Attributes whose values are other resources.
    fn edge(&self, attributes: &[&str], test: &Test) -> Result<Translated, Refusal> {
        let present = |name: &&str| Filter::Present(name.as_bytes().to_vec());
        match test {
            Test::Present => Ok(found(Filter::Or(attributes.iter().map(present).collect()), false)),
            Test::Compare { op: Op::Eq, operand: Operand::Text { given, .. } } => {
                let Some((_, _, dn)) = self.reader.resolve(given)? else { return Ok(nothing()) };
                let any = attributes.iter().map(|name| equal(name, &dn)).collect();
                Ok(found(Filter::Or(any), true))
            }
            Test::Compare { .. } => Ok(ALL),
        }
    }

    /// Groups, and the groups in them: whoever is in one of those is in the group, too.
    fn groups(&self, test: &Test) -> Result<Translated, Refusal> {
        let Test::Compare { op: Op::Eq, operand: Operand::Text { given, .. } } = test else {
            return self.edge(&["memberOf"], test);
        };
        let Some((group, Some(Kind::Group), dn)) = self.reader.resolve(given)? else { return Ok(nothing()) };
        let (mut open, mut dns) = (vec![group], vec![dn]);
        let mut seen = HashSet::from([group]);
        while let Some(group) = open.pop() {
            self.reader.each_member(group, |id, record| {
                if Kind::of(record) == Some(Kind::Group) && seen.insert(id) {
                    open.push(id);
                    dns.push(record.dn().to_owned());
                }
            })?;
        }
        Ok(found(Filter::Or(dns.iter().map(|dn| equal("memberOf", dn)).collect()), true))
    }

    fn named(&self, name: &str, place: &Place, test: &Test) -> Translated {
        let id = self.reader.directory.schema().find_attribute(name.as_bytes()).map(|kind| kind.id);
        id.map_or(ALL, |id| self.value(id, place, test, false))
    }

    /// Any of these attributes, or what is kept beside them.
    fn one_of<'n>(&self, attributes: impl Iterator<Item = &'n str>, place: &Place, test: &Test) -> Translated {
        let mut any = vec![Filter::Present(b"rollbookScimDetail".to_vec())];
        for name in attributes {
            match self.named(name, place, test).filter {
                Some(filter) => any.push(filter),
                None => return ALL,
            }
        }
        found(Filter::Or(any), false)
    }

    fn plain(&self, plain: &Plain, place: &Place, test: &Test) -> Translated {
        let schema = self.reader.directory.schema();
        let kind = schema.attribute(plain.kept);
        if matches!(plain.form, Form::Text) {
            // Of several values SCIM shows one; `cn` and `sn` may be fillers.
            return self.value(plain.kept, place, test, plain.many || kind.single_value);
        }
        let name = kind.name();
        match test {
            Test::Present => found(Filter::Present(name.as_bytes().to_vec()), false),
            Test::Compare { op: Op::Eq, operand } => {
                let value = match operand {
                    Operand::Bool(value) => Value::Bool(*value),
                    Operand::Number(number) => Value::Number(number.clone()),
                    Operand::Time { given, .. } => Value::String(given.clone()),
                    Operand::Text { .. } | Operand::Null => return ALL,
                };
                match write(plain.form, &value) {
                    Some(octets) if kind.equality.is_some() => found(Filter::Equal(name.into(), octets), false),
                    _ => ALL,
                }
            }
            Test::Compare { .. } => ALL,
        }
    }

    /// A test of text values that the directory holds.
    fn value(&self, id: AttributeId, place: &Place, test: &Test, exact: bool) -> Translated {
        let schema = self.reader.directory.schema();
        let kind = schema.attribute(id);
        let name = || kind.name().as_bytes().to_vec();
        let present = |exact| found(Filter::Present(name()), exact);
        let (op, given) = match test {
            Test::Present => return present(exact),
            Test::Compare { op, operand: Operand::Text { given, .. } } => (*op, given),
            Test::Compare { .. } => return ALL,
        };
        // Where SCIM ignores case and the directory does not, an index would miss values.
        if place.leaf().folds_case() && kind.equality.is_none_or(keeps_case) {
            return if op == Op::Ne { ALL } else { present(false) };
        }
        match op {
            Op::Eq => {
                let Some(rule) = kind.equality else { return present(false) };
                if schema.normalize(rule, given.as_bytes(), &mut Vec::new()).is_err() {
                    return nothing();
                }
                found(Filter::Equal(name(), given.as_bytes().to_vec()), exact)
            }
            Op::Sw | Op::Co | Op::Ew if given.is_empty() => present(exact),
            Op::Sw | Op::Co | Op::Ew if has_parts(kind, given) => {
                let part = Some(given.as_bytes().to_vec());
                let (mut initial, mut any, mut last) = (None, Vec::new(), None);
                match op {
                    Op::Sw => initial = part,
                    Op::Ew => last = part,
                    _ => any.extend(part),
                }
                found(Filter::Substrings { attribute: name(), initial, any, last }, exact)
            }
            Op::Ne => ALL,
            _ => present(false),
        }
    }
}

fn path_of(place: &Place) -> Path<'_> {
    Path {
        urn: place.extension.as_ref().map(|schema| schema.id.as_str()),
        name: &place.attribute.name,
        sub: place.sub.as_ref().map(|sub| sub.name.as_str()),
        element: false,
    }
}

fn equal(name: &str, value: &str) -> Filter {
    Filter::Equal(name.as_bytes().to_vec(), value.as_bytes().to_vec())
}

/// Substrings are asked of the index when both sides read them alike: spaces at the ends or in a row are not.
fn has_parts(kind: &AttributeType, given: &str) -> bool {
    kind.substring.is_some() && given.trim() == given && !given.contains("  ") && given.is_ascii()
}

fn keeps_case(rule: MatchingRule) -> bool {
    !rule.name().to_ascii_lowercase().contains("caseignore")
}

/// The administrators' switch, read from the account's state.
fn active(test: &Test) -> Translated {
    match test {
        Test::Compare { op: Op::Eq | Op::Ne, operand: Operand::Bool(wanted) } => {
            let is_ne = matches!(test, Test::Compare { op: Op::Ne, .. });
            let disabled = equal("rollbookState", "DISABLED");
            if *wanted == is_ne { found(disabled, true) } else { found(Filter::Not(Box::new(disabled)), true) }
        }
        _ => ALL,
    }
}

/// Moments of the header. The directory compares whole seconds, SCIM milliseconds.
fn moment(name: &str, test: &Test) -> Translated {
    let Test::Compare { op, operand: Operand::Time { given, .. } } = test else { return ALL };
    let Some(at) = time(given) else { return ALL };
    let at = at.to_generalized_seconds().into_bytes();
    let name = name.as_bytes().to_vec();
    match op {
        Op::Eq => found(Filter::Equal(name, at), false),
        Op::Gt | Op::Ge => found(Filter::GreaterOrEqual(name, at), false),
        Op::Lt | Op::Le => found(Filter::LessOrEqual(name, at), false),
        Op::Ne | Op::Co | Op::Sw | Op::Ew => ALL,
    }
}

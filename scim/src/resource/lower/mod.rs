//! A resource as the attributes of an entry: what changes between two states of its JSON.
//!
//! Owns the way from JSON to values: which attribute holds what ([`families`]: of the elements of multi-valued attributes),
//! what the directory's syntaxes do not admit and is kept in the detail instead, and what fills an attribute that a class
//! demands. Only what differs between `before` and `after` is looked at, so that values which SCIM does not show are left alone.
//! Pure but for the manager, whom the caller resolves.

mod families;

pub use families::{FAMILIES, phone_attribute};

use super::binding::{Binding, Plain, Slots};
use super::detail::{Detail, LONGEST, UNTOLD};
use super::reader::Kind;
use super::values::write;
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::tree::{self, Tree};
use crate::schema::ENTERPRISE_USER;
use directory::change::prepare::check_value;
use directory::schema::known::attribute as known;
use directory::schema::{AttributeId, Schema};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

type Object = Map<String, Value>;

/// New values of an entry. An empty list: the attribute goes.
#[derive(Debug, Default)]
pub struct Lowered {
    /// By attribute.
    pub values: BTreeMap<AttributeId, Vec<Vec<u8>>>,
    /// The identifier of the new manager; `Some(None)`: none any more.
    pub manager: Option<Option<String>>,
    /// `password`, when it was given; `Some(None)`: taken away.
    pub password: Option<Option<String>>,
    /// `active`, when it differs.
    pub active: Option<bool>,
}

/// What changes from `before` to `after`. `detail` is the one that goes with `before`.
///
/// # Errors
/// `invalidValue` for a value that the directory's attribute cannot hold and that cannot be kept elsewhere.
pub fn lower(
    binding: &Binding,
    schema: &Schema,
    kind: Kind,
    before: &Object,
    after: &Object,
    detail: &Detail<'_>,
) -> Result<Lowered, ScimError> {
    let slots = match kind {
        Kind::User => &binding.user,
        Kind::Group => &binding.group,
        Kind::Role => &binding.role,
    };
    let differences = differences(before, after);
    let is_new = before.is_empty();
    let (detail_before, detail, out) = (detail, detail.clone(), Lowered::default());
    let mut lowering = Lowering { binding, schema, after, differences, is_new, detail, out };
    lowering.plain(slots)?;
    if kind == Kind::User {
        lowering.fillers();
        lowering.families()?;
        lowering.manager();
        lowering.account();
    }
    let Lowering { detail: next, mut out, .. } = lowering;
    if next != *detail_before {
        let values = next.values();
        if values.iter().map(Vec::len).sum::<usize>() > LONGEST {
            return Err(invalid("the values that only SCIM knows are too long together"));
        }
        out.values.insert(known::ROLLBOOK_SCIM_DETAIL, values);
    }
    Ok(out)
}

struct Lowering<'a> {
    binding: &'a Binding,
    schema: &'a Schema,
    after: &'a Object,
    differences: Vec<Difference<'a>>,
    /// There was nothing before.
    is_new: bool,
    detail: Detail<'a>,
    out: Lowered,
}

/// What stands under a name at the top of one of two states, and not so in the other.
#[derive(Clone, Copy)]
struct Difference<'a> {
    name: &'a str,
    old: Option<&'a Value>,
    new: Option<&'a Value>,
}

/// The differences, by name: two maps in one pass.
fn differences<'a>(before: &'a Object, after: &'a Object) -> Vec<Difference<'a>> {
    let mut out = Vec::with_capacity(after.len());
    let mut old = before.iter().peekable();
    let gone = |(name, value): (&'a String, &'a Value)| Difference { name, old: Some(value), new: None };
    for (name, new) in after {
        while let Some(passed) = old.next_if(|(known, _)| *known < name) {
            out.push(gone(passed));
        }
        let old = old.next_if(|(known, _)| *known == name).map(|(_, value)| value);
        if old != Some(new) {
            out.push(Difference { name, old, new: Some(new) });
        }
    }
    out.extend(old.map(gone));
    out
}

impl<'a> Lowering<'a> {
    fn plain(&mut self, slots: &Slots) -> Result<(), ScimError> {
        // In the order of the schema: of several values that cannot be kept, the first one is told.
        let mut touched: Vec<(usize, Difference<'_>)> = Vec::with_capacity(16);
        for top in &self.differences {
            touched.extend(slots.under(top.name).iter().map(|number| (*number, *top)));
        }
        touched.sort_unstable_by_key(|(number, _)| *number);
        for (number, top) in touched {
            let Some(plain) = slots.plain.get(number) else { continue };
            let (old, new) = (value_of(top.old, plain), value_of(top.new, plain));
            if old == new {
                continue;
            }
            let given = match new {
                None | Some(Value::Null) => &[],
                Some(Value::Array(all)) if plain.many => all.as_slice(),
                Some(one) => std::slice::from_ref(one),
            };
            let mut values: Vec<Vec<u8>> = Vec::with_capacity(given.len());
            for value in given {
                let Some(octets) = write(plain.form, value) else {
                    if value.as_str().is_some_and(str::is_empty) {
                        continue;
                    }
                    return Err(invalid(format!("{}: the value cannot be kept", path(plain))));
                };
                self.check(plain.kept, &octets).map_err(|why| invalid(format!("{}: {why}", path(plain))))?;
                if !values.iter().any(|known| same(self.schema, plain.kept, known, &octets)) {
                    values.push(octets);
                }
            }
            self.keep(plain.kept, values);
        }
        Ok(())
    }

    fn difference(&self, name: &str) -> Option<Difference<'a>> {
        self.differences.iter().find(|top| top.name == name).copied()
    }

    /// New values of an attribute. Where nothing was, nothing goes.
    fn keep(&mut self, id: AttributeId, values: Vec<Vec<u8>>) {
        if !values.is_empty() || !self.is_new {
            self.out.values.insert(id, values);
        }
    }

    /// `cn` and `sn` have a value in every person; one that the client did not give is not shown to it.
    fn fillers(&mut self) {
        let after = self.after;
        let said = |value: Option<&'a Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty());
        let user_name = || Cow::from(said(after.get("userName")).unwrap_or("-"));
        let name = after.get("name").and_then(Value::as_object);
        let part = |part| said(name.and_then(|name| name.get(part)));
        let (given, family) = (part("givenName"), part("familyName"));
        let common = || match (said(after.get("displayName")), given, family) {
            (Some(shown), ..) => shown.into(),
            (None, Some(given), Some(family)) => format!("{given} {family}").into(),
            (None, Some(one), None) | (None, None, Some(one)) => one.into(),
            (None, None, None) => user_name(),
        };
        let needed: [(_, _, Option<Cow<'a, str>>); 2] = [
            (known::CN, "cn", part("formatted").is_none().then(common)),
            (known::SN, "sn", family.is_none().then(user_name)),
        ];
        let mut fillers = tree::Object::default();
        for (id, name, filler) in needed {
            let Some(filler) = filler else { continue };
            // An entry whose value LDAP shows and SCIM does not, or no longer.
            if self.detail.filler(name) != Some(&filler) {
                self.out.values.insert(id, vec![filler.as_bytes().to_vec()]);
            } else {
                self.out.values.remove(&id);
            }
            fillers.insert(name, filler);
        }
        self.detail.set_fillers(fillers);
    }

    fn manager(&mut self) {
        let Some(enterprise) = self.difference(ENTERPRISE_USER) else { return };
        let manager = |enterprise: Option<&Value>| {
            let manager = enterprise?.get("manager")?.get("value")?.as_str()?;
            (!manager.is_empty()).then(|| manager.to_owned())
        };
        let (old, new) = (manager(enterprise.old), manager(enterprise.new));
        if old != new {
            self.out.manager = Some(new);
        }
    }

    fn account(&mut self) {
        self.out.password = self.after.get("password").map(|password| password.as_str().map(str::to_owned));
        let Some(active) = self.difference("active") else { return };
        let (old, new) = (active.old.and_then(Value::as_bool), active.new.and_then(Value::as_bool));
        if old != new {
            self.out.active = new;
            // Taken away: it is told no more until one is given or the switch is moved. That moves nothing by itself.
            let untold = old.filter(|_| new.is_none());
            self.detail.set(UNTOLD, untold.map(Tree::Bool).into_iter().collect());
        }
    }

    fn check(&self, id: AttributeId, octets: &[u8]) -> Result<(), String> {
        check_value(self.schema.attribute(id), octets).map_err(|refusal| refusal.message)
    }
}

/// Whether two values are one by the attribute's own matching.
pub fn same(schema: &Schema, id: AttributeId, one: &[u8], other: &[u8]) -> bool {
    let kind = schema.attribute(id);
    one == other
        || directory::change::modify::normal(schema, kind, one)
            == directory::change::modify::normal(schema, kind, other)
}

/// The value of an attribute in what stands under its name, or under that of its extension, at the top of a resource.
fn value_of<'o>(top: Option<&'o Value>, plain: &Plain) -> Option<&'o Value> {
    let value = match &plain.urn {
        Some(_) => top?.get(&*plain.name)?,
        None => top?,
    };
    let value = match &plain.sub {
        Some(sub) => value.get(&**sub)?,
        None => value,
    };
    (!value.is_null() && value.as_str() != Some("")).then_some(value)
}

fn path(plain: &Plain) -> String {
    let mut path = plain.urn.as_ref().map(|urn| format!("{urn}:")).unwrap_or_default();
    path.push_str(&plain.name);
    if let Some(sub) = &plain.sub {
        path.push('.');
        path.push_str(sub);
    }
    path
}

fn invalid(detail: impl Into<String>) -> ScimError {
    ScimError::of(ScimType::InvalidValue, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn states() -> impl Strategy<Value = Object> {
        prop::collection::btree_map("[a-e]", 0..3, 0..5)
            .prop_map(|entries| entries.into_iter().map(|(name, value)| (name, Value::from(value))).collect())
    }

    proptest! {
        /// Goal: one pass over two states finds what looking every name up in both finds, in the order of the names.
        #[test]
        fn differences_are_those_of_every_name(before in states(), after in states()) {
            let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
            names.sort_unstable();
            names.dedup();
            names.retain(|name| before.get(*name) != after.get(*name));
            let found = differences(&before, &after);
            prop_assert_eq!(found.iter().map(|top| top.name).collect::<Vec<_>>(), names);
            for Difference { name, old, new } in found {
                prop_assert_eq!((old, new), (before.get(name), after.get(name)));
            }
        }
    }

    #[test]
    fn a_new_resource_gets_what_a_change_from_another_one_gets() {
        // Goal: nothing is lost where only what the client sent is looked at.
        let schema = Schema::standard();
        let binding = Binding::of(&schema);
        let user = serde_json::json!({
            "userName": "ada", "externalId": "7", "name": {"givenName": "Ada"}, "title": "Countess", "active": false,
            "emails": [{"value": "a@x", "type": "work", "primary": true}, {"value": "b@x", "type": "work"}],
            "phoneNumbers": [{"value": "1", "type": "mobile"}, {"value": "2", "type": "other"}],
            "photos": [{"value": "https://x/y.png", "type": "photo"}],
            "addresses": [{"type": "work", "locality": "London"}, {"type": "home", "formatted": "1\n2"}],
            "ims": [{"value": "x", "type": "xmpp"}],
            ENTERPRISE_USER: {"employeeNumber": "9", "manager": {"value": "m"}}
        });
        let other = serde_json::json!({
            "userName": "bob", "displayName": "Bob", "nickName": "b", "active": true,
            "emails": [{"value": "b@y"}], "phoneNumbers": [{"value": "3", "type": "fax"}],
            "addresses": [{"type": "home", "formatted": "3"}], ENTERPRISE_USER: {"division": "d"}
        });
        let (user, other) = (user.as_object().unwrap(), other.as_object().unwrap());
        let lowered = |before| lower(&binding, &schema, Kind::User, before, user, &Detail::default()).unwrap();
        let (new, mut changed) = (lowered(&Object::new()), lowered(other));
        changed.values.retain(|_, values| !values.is_empty());
        assert_eq!(new.values, changed.values);
        assert_eq!((new.manager, new.active), (changed.manager, changed.active));
        assert_eq!(new.values.len(), 12, "{:?}", new.values);
    }
}

//! A resource as the attributes of an entry: what changes between two states of its JSON.
//!
//! Owns the way from JSON to values: which attribute holds which element, what the directory's syntaxes do not admit and is
//! kept in the detail instead, and what fills an attribute that a class demands. Only what differs between `before` and `after`
//! is looked at, so that values which SCIM does not show are left alone. Pure but for the manager, whom the caller resolves.

use super::binding::{ADDRESSES, Binding, PHONES, Plain, Slots};
use super::detail::{AT, Detail, Held, LONGEST, UNTOLD, compose};
use super::reader::Kind;
use super::values::{decode, encode, write, write_postal};
use crate::protocol::error::{ScimError, ScimType};
use crate::schema::ENTERPRISE_USER;
use directory::change::prepare::check_value;
use directory::schema::known::attribute as known;
use directory::schema::{AttributeId, Schema};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

type Object = Map<String, Value>;

/// New values of an entry. An empty list: the attribute goes.
#[derive(Debug, Default)]
pub struct Lowered {
    /// By attribute.
    pub values: BTreeMap<AttributeId, Vec<Vec<u8>>>,
    /// The detail, when it is another one.
    pub detail: Option<Detail>,
    /// The identifier of the new manager; `Some(None)`: none any more.
    pub manager: Option<Option<String>>,
    /// `password`, when it was given.
    pub password: Option<String>,
    /// `active`, when it differs.
    pub active: Option<bool>,
}

/// The attribute that numbers of a type are kept in.
pub fn phone_attribute(kind: &str) -> &'static str {
    let found = PHONES.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind));
    found.map_or("telephoneNumber", |(_, name)| name)
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
    detail: &Detail,
) -> Result<Lowered, ScimError> {
    let slots = match kind {
        Kind::User => &binding.user,
        Kind::Group => &binding.group,
        Kind::Role => &binding.role,
    };
    let mut lowering = Lowering { binding, schema, before, after, detail: detail.clone(), out: Lowered::default() };
    lowering.plain(slots)?;
    if kind == Kind::User {
        lowering.fillers();
        lowering.families()?;
        lowering.manager();
        lowering.account();
    }
    let Lowering { detail: next, mut out, .. } = lowering;
    if next != *detail {
        let values = next.values();
        if values.iter().map(Vec::len).sum::<usize>() > LONGEST {
            return Err(invalid("the values that only SCIM knows are too long together"));
        }
        out.values.insert(known::ROLLBOOK_SCIM_DETAIL, values);
        out.detail = Some(next);
    }
    Ok(out)
}

/// The attribute that keeps a value, the value as it keeps it, and what shows it.
type Placed = (&'static str, Vec<u8>, Held);

struct Lowering<'a> {
    binding: &'a Binding,
    schema: &'a Schema,
    before: &'a Object,
    after: &'a Object,
    detail: Detail,
    out: Lowered,
}

impl Lowering<'_> {
    fn plain(&mut self, slots: &Slots) -> Result<(), ScimError> {
        for plain in &slots.plain {
            let (old, new) = (value_of(self.before, plain), value_of(self.after, plain));
            if old == new {
                continue;
            }
            let given: Vec<&Value> = match new {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::Array(all)) if plain.many => all.iter().collect(),
                Some(one) => vec![one],
            };
            let mut values = Vec::with_capacity(given.len());
            for value in given {
                let Some(octets) = write(plain.form, value) else {
                    if value.as_str().is_some_and(str::is_empty) {
                        continue;
                    }
                    return Err(invalid(format!("{}: the value cannot be kept", path(plain))));
                };
                self.check(plain.kept, &octets).map_err(|why| invalid(format!("{}: {why}", path(plain))))?;
                values.push(octets);
            }
            let values = self.distinct(plain.kept, values);
            self.out.values.insert(plain.kept, values);
        }
        Ok(())
    }

    /// `cn` and `sn` have a value in every person; one that the client did not give is not shown to it.
    fn fillers(&mut self) {
        let text = |path: &[&str]| -> Option<&str> {
            let mut at = self.after.get(*path.first()?)?;
            for name in path.get(1..).unwrap_or_default() {
                at = at.get(*name)?;
            }
            at.as_str().filter(|text| !text.is_empty())
        };
        let user_name = text(&["userName"]).unwrap_or("-");
        let (given, family) = (text(&["name", "givenName"]), text(&["name", "familyName"]));
        let whole = match (given, family) {
            (Some(given), Some(family)) => format!("{given} {family}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => user_name.to_owned(),
        };
        let common = text(&["displayName"]).map_or(whole, str::to_owned);
        let needed = [
            (known::CN, "cn", text(&["name", "formatted"]).is_none().then_some(common)),
            (known::SN, "sn", family.is_none().then(|| user_name.to_owned())),
        ];
        let mut fillers = Map::new();
        for (id, name, filler) in needed {
            let Some(filler) = filler else { continue };
            // An entry whose value LDAP shows and SCIM does not, or no longer.
            if self.detail.filler(name) != Some(&filler) {
                self.out.values.insert(id, vec![filler.as_bytes().to_vec()]);
            } else {
                self.out.values.remove(&id);
            }
            fillers.insert(name.into(), filler.into());
        }
        self.detail.set_fillers(fillers);
    }

    fn families(&mut self) -> Result<(), ScimError> {
        for name in ["emails", "phoneNumbers", "photos", "x509Certificates", "entitlements", "ims", "roles"] {
            if self.before.get(name) == self.after.get(name) {
                continue;
            }
            let elements = elements(self.after, name);
            let mut placed: Vec<(Option<&'static str>, Object)> = Vec::with_capacity(elements.len());
            let mut kept: BTreeMap<&'static str, Vec<(Vec<u8>, Held)>> = BTreeMap::new();
            for at in attributes_of(name) {
                kept.insert(at, Vec::new());
            }
            for element in elements {
                let at = self.place(name, &element)?;
                if let Some((at, octets, held)) = at {
                    let values = kept.entry(at).or_default();
                    let known = values.iter().find(|(known, _)| self.same(at, known, &octets));
                    // Two spellings of one value: the second is told, not kept.
                    let is_spelled_so =
                        known.is_none_or(|(_, other)| other.plain.get("value") == held.plain.get("value"));
                    if known.is_none() {
                        values.push((octets, held));
                    }
                    placed.push((is_spelled_so.then_some(at), element));
                } else {
                    placed.push((None, element));
                }
            }
            let held: Vec<Held> = kept.values().flatten().map(|(_, held)| held.clone()).collect();
            let plainly = compose(&[], held);
            let wanted: Vec<Value> = placed.iter().map(|(_, element)| Value::Object(element.clone())).collect();
            let detail =
                if same_elements(&plainly, &wanted) { Vec::new() } else { placed.into_iter().map(mark).collect() };
            self.detail.set(name, detail);
            for (at, values) in kept {
                if let Some(id) = self.binding.id(at) {
                    self.out.values.insert(id, values.into_iter().map(|(octets, _)| octets).collect());
                }
            }
        }
        self.addresses();
        Ok(())
    }

    /// Where an element's value is kept; none: in the detail alone.
    fn place(&self, family: &str, element: &Object) -> Result<Option<Placed>, ScimError> {
        let Some(value) = element.get("value").and_then(Value::as_str) else { return Ok(None) };
        let kind = element.get("type").and_then(Value::as_str);
        let (at, octets, plain_kind) = match family {
            "emails" => ("mail", value.as_bytes().to_vec(), Some("work")),
            "phoneNumbers" => {
                let at = phone_attribute(kind.unwrap_or("work"));
                let plain = PHONES.iter().find(|(_, name)| *name == at).map(|(kind, _)| *kind);
                (at, value.as_bytes().to_vec(), plain)
            }
            "photos" => match value.strip_prefix("data:image/jpeg;base64,").and_then(decode) {
                Some(octets) => ("jpegPhoto", octets, Some("photo")),
                None => return Ok(None),
            },
            "x509Certificates" => match decode(value).filter(|octets| encode(octets) == value) {
                Some(octets) => ("userCertificate", octets, None),
                None => return Ok(None),
            },
            "entitlements" => ("rollbookEntitlement", value.as_bytes().to_vec(), None),
            _ => return Ok(None),
        };
        let Some(id) = self.binding.id(at) else { return Ok(None) };
        if let Err(why) = self.check(id, &octets) {
            // An address that no directory can hold could not be unique either.
            return if family == "emails" { Err(invalid(format!("emails: {why}"))) } else { Ok(None) };
        }
        let mut plain = Map::new();
        plain.insert("value".into(), value.into());
        if let Some(kind) = plain_kind {
            plain.insert("type".into(), kind.into());
        }
        Ok(Some((at, octets, Held { at, plain })))
    }

    fn addresses(&mut self) {
        if self.before.get("addresses") == self.after.get("addresses") {
            return;
        }
        let mut parts: BTreeMap<&'static str, Vec<Vec<u8>>> =
            ADDRESSES.iter().map(|(_, _, at)| (*at, Vec::new())).collect();
        let mut detail = Vec::new();
        let (mut taken, mut plain) = (Vec::new(), true);
        for element in elements(self.after, "addresses") {
            let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
            let kept = ["work", "home"].into_iter().find(|k| k.eq_ignore_ascii_case(kind) && !taken.contains(k));
            let Some(kept) = kept else {
                plain = false;
                detail.push(Value::Object(element));
                continue;
            };
            taken.push(kept);
            let mut rest = element.clone();
            for (_, sub, at) in ADDRESSES.iter().filter(|(kind, ..)| *kind == kept) {
                let Some(text) = element.get(*sub).and_then(Value::as_str) else { continue };
                let octets = if *sub == "formatted" { write_postal(text) } else { Some(text.as_bytes().to_vec()) };
                let fits = |octets: &Vec<u8>| self.binding.id(at).is_some_and(|id| self.check(id, octets).is_ok());
                if let Some(octets) = octets.filter(fits) {
                    parts.insert(at, vec![octets]);
                    rest.remove(*sub);
                }
            }
            plain &= rest.len() == 1 && rest.get("type").and_then(Value::as_str) == Some(kept);
            // Without a part in the directory there is nothing to show it by.
            plain &= rest.len() < element.len();
            rest.insert(AT.into(), kept.into());
            detail.push(Value::Object(rest));
        }
        self.detail.set("addresses", if plain { Vec::new() } else { detail });
        for (at, values) in parts {
            if let Some(id) = self.binding.id(at) {
                self.out.values.insert(id, values);
            }
        }
    }

    fn manager(&mut self) {
        let manager = |object: &Object| {
            let manager = object.get(ENTERPRISE_USER)?.get("manager")?.get("value")?.as_str()?;
            (!manager.is_empty()).then(|| manager.to_owned())
        };
        let (old, new) = (manager(self.before), manager(self.after));
        if old != new {
            self.out.manager = Some(new);
        }
    }

    fn account(&mut self) {
        self.out.password = self.after.get("password").and_then(Value::as_str).map(str::to_owned);
        let active = |object: &Object| object.get("active").and_then(Value::as_bool);
        let (old, new) = (active(self.before), active(self.after));
        if old != new {
            self.out.active = new;
            // Taken away: it is told no more until one is given or the switch is moved. That moves nothing by itself.
            let untold = old.filter(|_| new.is_none());
            self.detail.set(UNTOLD, untold.map(Value::Bool).into_iter().collect());
        }
    }

    fn check(&self, id: AttributeId, octets: &[u8]) -> Result<(), String> {
        check_value(self.schema.attribute(id), octets).map_err(|refusal| refusal.message)
    }

    fn same(&self, at: &str, one: &[u8], other: &[u8]) -> bool {
        let Some(id) = self.binding.id(at) else { return one == other };
        same(self.schema, id, one, other)
    }

    fn distinct(&self, id: AttributeId, values: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut out: Vec<Vec<u8>> = Vec::with_capacity(values.len());
        for value in values {
            if !out.iter().any(|known| same(self.schema, id, known, &value)) {
                out.push(value);
            }
        }
        out
    }
}

/// Whether two values are one by the attribute's own matching.
pub fn same(schema: &Schema, id: AttributeId, one: &[u8], other: &[u8]) -> bool {
    let kind = schema.attribute(id);
    one == other
        || directory::change::modify::normal(schema, kind, one)
            == directory::change::modify::normal(schema, kind, other)
}

fn attributes_of(family: &str) -> Vec<&'static str> {
    match family {
        "emails" => vec!["mail"],
        "phoneNumbers" => PHONES.iter().map(|(_, name)| *name).collect(),
        "photos" => vec!["jpegPhoto"],
        "x509Certificates" => vec!["userCertificate"],
        "entitlements" => vec!["rollbookEntitlement"],
        _ => Vec::new(),
    }
}

/// The elements of a multi-valued attribute that say something.
fn elements(object: &Object, name: &str) -> Vec<Object> {
    let all = object.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let said = |element: &Object| {
        element.iter().any(|(key, value)| {
            !matches!(key.as_str(), "type" | "primary") && !value.is_null() && value.as_str() != Some("")
        })
    };
    all.iter().filter_map(Value::as_object).filter(|element| said(element)).cloned().collect()
}

fn mark((at, mut element): (Option<&'static str>, Object)) -> Value {
    if let Some(at) = at {
        element.insert(AT.into(), at.into());
    }
    Value::Object(element)
}

/// The same elements, in whatever order.
fn same_elements(one: &[Value], other: &[Value]) -> bool {
    one.len() == other.len()
        && one.iter().all(|element| other.contains(element))
        && other.iter().all(|e| one.contains(e))
}

fn value_of<'o>(object: &'o Object, plain: &Plain) -> Option<&'o Value> {
    let object = match &plain.urn {
        Some(urn) => object.get(&**urn)?.as_object()?,
        None => object,
    };
    let value = object.get(&*plain.name)?;
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

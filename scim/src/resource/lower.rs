//! A resource as the attributes of an entry: what changes between two states of its JSON.
//!
//! Owns the way from JSON to values: which attribute holds which element, what the directory's syntaxes do not admit and is
//! kept in the detail instead, and what fills an attribute that a class demands. Only what differs between `before` and `after`
//! is looked at, so that values which SCIM does not show are left alone. Pure but for the manager, whom the caller resolves.

use super::binding::{ADDRESSES, Binding, PHONES, Plain, Slots};
use super::detail::{AT, Detail, Held, LONGEST, UNTOLD};
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

/// The multi-valued attributes whose elements are a value each, with what else is said of it.
pub const FAMILIES: [&str; 7] =
    ["emails", "phoneNumbers", "photos", "x509Certificates", "entitlements", "ims", "roles"];

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

struct Lowering<'a> {
    binding: &'a Binding,
    schema: &'a Schema,
    before: &'a Object,
    after: &'a Object,
    detail: Detail,
    out: Lowered,
}

impl<'a> Lowering<'a> {
    fn plain(&mut self, slots: &Slots) -> Result<(), ScimError> {
        for plain in self.touched(slots) {
            let (old, new) = (value_of(self.before, plain), value_of(self.after, plain));
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

    /// The plain attributes of which something may differ, in the order of the schema: whatever only the schema knows is
    /// not looked at.
    fn touched<'s>(&self, slots: &'s Slots) -> impl Iterator<Item = &'s Plain> + use<'s> {
        let differ = self.after.iter().filter(|(name, value)| self.before.get(*name) != Some(*value));
        let gone = self.before.keys().filter(|name| !self.after.contains_key(*name));
        let mut numbers: Vec<usize> =
            differ.map(|(name, _)| name).chain(gone).flat_map(|name| slots.under(name)).copied().collect();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|number| slots.plain.get(number))
    }

    /// New values of an attribute. Where nothing was, nothing goes.
    fn keep(&mut self, id: AttributeId, values: Vec<Vec<u8>>) {
        if !values.is_empty() || !self.before.is_empty() {
            self.out.values.insert(id, values);
        }
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
        let common = || match (text(&["displayName"]), given, family) {
            (Some(shown), ..) => shown.to_owned(),
            (None, Some(given), Some(family)) => format!("{given} {family}"),
            (None, Some(one), None) | (None, None, Some(one)) => one.to_owned(),
            (None, None, None) => user_name.to_owned(),
        };
        let needed = [
            (known::CN, "cn", text(&["name", "formatted"]).is_none().then(common)),
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
        for name in FAMILIES {
            if self.before.get(name) != self.after.get(name) {
                self.family(name)?;
            }
        }
        if self.before.get("addresses") != self.after.get("addresses") {
            self.addresses();
        }
        Ok(())
    }

    fn family(&mut self, name: &str) -> Result<(), ScimError> {
        let elements = elements(self.after, name);
        // What decorates a value of the directory, with the attribute that holds it.
        let mut placed: Vec<Option<&'static str>> = Vec::with_capacity(elements.len());
        let mut kept: Vec<(Held<'a>, Vec<u8>)> = Vec::with_capacity(elements.len());
        for element in &elements {
            let Some((held, octets)) = self.place(name, element)? else {
                placed.push(None);
                continue;
            };
            let is_it =
                |(other, known): &&(Held<'_>, Vec<u8>)| other.at == held.at && self.same(held.at, known, &octets);
            let known = kept.iter().find(is_it);
            // Two spellings of one value: the second is told, not kept.
            let is_spelled_so = known.is_none_or(|(other, _)| other.value == held.value);
            placed.push(is_spelled_so.then_some(held.at));
            if known.is_none() {
                kept.push((held, octets));
            }
        }
        let is_shown = |element: &&Object| kept.iter().any(|(held, _)| held.is_plainly(element));
        let shows = |(held, _): &(Held<'_>, Vec<u8>)| elements.iter().any(|element| held.is_plainly(element));
        let needs_none = kept.len() == elements.len() && elements.iter().all(is_shown) && kept.iter().all(shows);
        let detail = if needs_none { Vec::new() } else { elements.into_iter().zip(placed).map(mark).collect() };
        self.detail.set(name, detail);
        for &at in attributes_of(name) {
            let values = kept.iter_mut().filter(|(held, _)| held.at == at);
            let values: Vec<Vec<u8>> = values.map(|(_, octets)| std::mem::take(octets)).collect();
            if let Some(id) = self.binding.id(at) {
                self.keep(id, values);
            }
        }
        Ok(())
    }

    /// A value as an attribute keeps it, and as it is shown from there; none: it stands in the detail alone.
    fn place(&self, family: &str, element: &'a Object) -> Result<Option<(Held<'a>, Vec<u8>)>, ScimError> {
        let Some(value) = element.get("value").and_then(Value::as_str) else { return Ok(None) };
        let (at, octets, kind) = match family {
            "emails" => ("mail", value.as_bytes().to_vec(), Some("work")),
            "phoneNumbers" => {
                let kind = element.get("type").and_then(Value::as_str).unwrap_or("work");
                let at = phone_attribute(kind);
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
        Ok(Some((Held { at, value: value.into(), kind }, octets)))
    }

    fn addresses(&mut self) {
        let mut parts: [Vec<Vec<u8>>; ADDRESSES.len()] = Default::default();
        let mut detail = Vec::new();
        let (mut taken, mut plain) = (Vec::new(), true);
        for element in elements(self.after, "addresses") {
            let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
            let kept = ["work", "home"].into_iter().find(|k| k.eq_ignore_ascii_case(kind) && !taken.contains(k));
            let Some(kept) = kept else {
                plain = false;
                detail.push(Value::Object(element.clone()));
                continue;
            };
            taken.push(kept);
            let mut rest = element.clone();
            let places = ADDRESSES.iter().zip(&mut parts).filter(|((kind, ..), _)| *kind == kept);
            for ((_, sub, at), values) in places {
                let Some(text) = element.get(*sub).and_then(Value::as_str) else { continue };
                let octets = if *sub == "formatted" { write_postal(text) } else { Some(text.as_bytes().to_vec()) };
                let fits = |octets: &Vec<u8>| self.binding.id(at).is_some_and(|id| self.check(id, octets).is_ok());
                if let Some(octets) = octets.filter(fits) {
                    *values = vec![octets];
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
        for ((_, _, at), values) in ADDRESSES.iter().zip(parts) {
            if let Some(id) = self.binding.id(at) {
                self.keep(id, values);
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
}

/// Whether two values are one by the attribute's own matching.
pub fn same(schema: &Schema, id: AttributeId, one: &[u8], other: &[u8]) -> bool {
    let kind = schema.attribute(id);
    one == other
        || directory::change::modify::normal(schema, kind, one)
            == directory::change::modify::normal(schema, kind, other)
}

fn attributes_of(family: &str) -> &'static [&'static str] {
    const NUMBERS: [&str; PHONES.len()] = {
        let [(_, work), (_, mobile), (_, home), (_, fax), (_, pager)] = PHONES;
        [work, mobile, home, fax, pager]
    };
    match family {
        "emails" => &["mail"],
        "phoneNumbers" => &NUMBERS,
        "photos" => &["jpegPhoto"],
        "x509Certificates" => &["userCertificate"],
        "entitlements" => &["rollbookEntitlement"],
        _ => &[],
    }
}

/// The elements of a multi-valued attribute that say something.
fn elements<'o>(object: &'o Object, name: &str) -> Vec<&'o Object> {
    let all = object.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let said = |element: &Object| {
        element.iter().any(|(key, value)| {
            !matches!(key.as_str(), "type" | "primary") && !value.is_null() && value.as_str() != Some("")
        })
    };
    all.iter().filter_map(Value::as_object).filter(|element| said(element)).collect()
}

fn mark((element, at): (&Object, Option<&'static str>)) -> Value {
    let mut element = element.clone();
    if let Some(at) = at {
        element.insert(AT.into(), at.into());
    }
    Value::Object(element)
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

//! The multi-valued attributes of a user as the attributes of an entry.
//!
//! Owns which attribute holds which element, what of an element the detail says instead, and the addresses, whose parts are
//! attributes of their own.

use super::{Lowering, Object, invalid, same};
use crate::protocol::error::ScimError;
use crate::protocol::tree::{self, Tree};
use crate::resource::binding::{ADDRESSES, PHONES};
use crate::resource::detail::{AT, Held};
use crate::resource::values::{decode, encode, write_postal};
use serde_json::Value;

/// The multi-valued attributes whose elements are a value each, with what else is said of it.
pub const FAMILIES: [&str; 7] =
    ["emails", "phoneNumbers", "photos", "x509Certificates", "entitlements", "ims", "roles"];

/// The attribute that numbers of a type are kept in.
pub fn phone_attribute(kind: &str) -> &'static str {
    let found = PHONES.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind));
    found.map_or("telephoneNumber", |(_, name)| name)
}

impl<'a> Lowering<'a> {
    pub(super) fn families(&mut self) -> Result<(), ScimError> {
        for name in FAMILIES {
            if let Some(family) = self.difference(name) {
                self.family(name, elements(family.new))?;
            }
        }
        if let Some(addresses) = self.difference("addresses") {
            self.addresses(elements(addresses.new));
        }
        Ok(())
    }

    fn family(&mut self, name: &'static str, elements: Vec<&'a Object>) -> Result<(), ScimError> {
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
            let values: Vec<Vec<u8>> =
                kept.extract_if(.., |(held, _)| held.at == at).map(|(_, octets)| octets).collect();
            self.keep_named(at, values);
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

    fn addresses(&mut self, elements: Vec<&'a Object>) {
        let mut parts: [Vec<Vec<u8>>; ADDRESSES.len()] = Default::default();
        let mut detail = Vec::new();
        let (mut taken, mut plain) = (Vec::new(), true);
        for element in elements {
            let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
            let kept = ["work", "home"].into_iter().find(|k| k.eq_ignore_ascii_case(kind) && !taken.contains(k));
            let Some(kept) = kept else {
                plain = false;
                detail.push(Tree::Object(element.into()));
                continue;
            };
            taken.push(kept);
            let mut rest = tree::Object::from(element);
            let places = ADDRESSES.iter().zip(&mut parts).filter(|((kind, ..), _)| *kind == kept);
            for ((_, sub, at), values) in places {
                let Some(text) = element.get(*sub).and_then(Value::as_str) else { continue };
                let octets = if *sub == "formatted" { write_postal(text) } else { Some(text.as_bytes().to_vec()) };
                let fits = |octets: &Vec<u8>| self.binding.id(at).is_some_and(|id| self.check(id, octets).is_ok());
                if let Some(octets) = octets.filter(fits) {
                    *values = vec![octets];
                    rest.remove(sub);
                }
            }
            plain &= rest.len() == 1 && rest.get("type").and_then(Tree::as_str) == Some(kept);
            // Without a part in the directory there is nothing to show it by.
            plain &= rest.len() < element.len();
            rest.insert(AT, kept);
            detail.push(rest.into());
        }
        self.detail.set("addresses", if plain { Vec::new() } else { detail });
        for ((_, _, at), values) in ADDRESSES.iter().zip(parts) {
            self.keep_named(at, values);
        }
    }

    /// The same of an attribute that a family is kept in.
    fn keep_named(&mut self, name: &str, values: Vec<Vec<u8>>) {
        if (!values.is_empty() || !self.is_new)
            && let Some(id) = self.binding.id(name)
        {
            self.keep(id, values);
        }
    }

    fn same(&self, at: &str, one: &[u8], other: &[u8]) -> bool {
        let Some(id) = self.binding.id(at) else { return one == other };
        same(self.schema, id, one, other)
    }
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
fn elements(value: Option<&Value>) -> Vec<&Object> {
    let all = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let said = |element: &Object| {
        element.iter().any(|(key, value)| {
            !matches!(key.as_str(), "type" | "primary") && !value.is_null() && value.as_str() != Some("")
        })
    };
    all.iter().filter_map(Value::as_object).filter(|element| said(element)).collect()
}

fn mark<'a>((element, at): (&'a Object, Option<&'static str>)) -> Tree<'a> {
    let mut element = tree::Object::from(element);
    if let Some(at) = at {
        element.insert(AT, at);
    }
    element.into()
}

//! The multi-valued attributes of a user: what a record and its detail hold of them, as JSON.
//!
//! Owns the gathering of values while a record is walked, and the addresses, whose parts are attributes of their own. Called by
//! [`super::to_json`].

use super::binding::Slot;
use super::detail::{AT, Detail, Held, compose};
use super::lower::{FAMILIES, phone_attribute};
use super::values::{encode, read_postal};
use crate::protocol::tree::{Object, Tree};
use directory::entry::record::Values;

/// What a record holds of the families.
#[derive(Default)]
pub struct Families<'r> {
    /// Each with the name of its family.
    held: Vec<(&'static str, Held<'r>)>,
    work: Object<'r>,
    home: Object<'r>,
}

impl<'r> Families<'r> {
    /// Takes the values of an attribute in.
    pub fn take(&mut self, slot: Slot, mut values: Values<'r>) {
        let (family, at, kind) = match slot {
            Slot::Mail => ("emails", "mail", Some("work")),
            Slot::Phone(kind) => ("phoneNumbers", phone_attribute(kind), Some(kind)),
            Slot::Photo => ("photos", "jpegPhoto", Some("photo")),
            Slot::Certificate => ("x509Certificates", "userCertificate", None),
            Slot::Entitlement => ("entitlements", "rollbookEntitlement", None),
            Slot::Address(kind, sub) => {
                let Some(value) = values.next() else { return };
                let value = if sub == "formatted" { read_postal(value).into() } else { String::from_utf8_lossy(value) };
                let address = if kind == "home" { &mut self.home } else { &mut self.work };
                return address.insert(sub, value);
            }
            Slot::Plain(_) | Slot::UserName | Slot::Manager | Slot::Detail => return,
        };
        let shown = |value: &'r [u8]| match slot {
            Slot::Photo => format!("data:image/jpeg;base64,{}", encode(value)).into(),
            Slot::Certificate => encode(value).into(),
            _ => String::from_utf8_lossy(value),
        };
        self.held.extend(values.map(|value| (family, Held { at, value: shown(value), kind })));
    }

    /// Puts the families that have elements into a resource.
    pub fn put(mut self, mut detail: Detail<'r>, object: &mut Object<'r>) {
        for name in FAMILIES {
            let decorated = detail.take_elements(name);
            if decorated.is_empty() && self.held.iter().all(|(family, _)| *family != name) {
                continue;
            }
            let held: Vec<Held<'_>> =
                self.held.extract_if(.., |(family, _)| *family == name).map(|(_, held)| held).collect();
            let elements = compose(decorated, held);
            if !elements.is_empty() {
                object.insert(name, elements);
            }
        }
        let addresses = self.addresses(detail.take_elements("addresses"));
        if !addresses.is_empty() {
            object.insert("addresses", addresses);
        }
    }

    /// The addresses: `"$": "work"` or `"home"` in the detail says what the attributes of that address cannot.
    fn addresses(self, detail: Vec<Tree<'r>>) -> Vec<Tree<'r>> {
        let mut out = Vec::new();
        let mut shown = (false, false);
        for element in detail {
            let Tree::Object(mut element) = element else { continue };
            let (base, done) = match element.get(AT).and_then(Tree::as_str) {
                Some("work") => (&self.work, &mut shown.0),
                Some("home") => (&self.home, &mut shown.1),
                _ => {
                    out.push(Tree::Object(element));
                    continue;
                }
            };
            *done = true;
            element.remove(AT);
            let extra = element.names().any(|name| !matches!(&**name, "type" | "primary"));
            if base.is_empty() && !extra {
                continue;
            }
            element.extend(base.clone());
            out.push(element.into());
        }
        for (kind, base, done) in [("work", self.work, shown.0), ("home", self.home, shown.1)] {
            if !done && !base.is_empty() {
                let mut plain = base;
                plain.insert("type", kind);
                out.push(plain.into());
            }
        }
        out
    }
}

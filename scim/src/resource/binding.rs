//! Which SCIM attribute is kept in which attribute of the directory.
//!
//! Owns the reading of the catalog's SCIM faces into [`Slot`]s: plain ones (`displayName`, `name.givenName`, `URN:name`, those
//! of run-time attributes too) by the face itself, the families (`emails`, `phoneNumbers`, `addresses` …) by name. Made once
//! from the schema; [`super::to_json`] and [`super::lower`] go by it in the two directions.

use crate::schema::{ENTERPRISE_USER, USER};
use directory::schema::{AttributeId, AttributeType, FIRST_CUSTOM, Schema, Syntax, known::attribute as known};
use std::collections::HashMap;
use std::sync::Arc;

/// How one value is written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A string.
    Text,
    /// `true` for `TRUE`.
    Boolean,
    /// A whole number.
    Integer,
    /// `xsd:dateTime` for `GeneralizedTime`.
    Time,
    /// Base64 for octets.
    Binary,
    /// A URI, which may have a label after it.
    Address,
}

/// An attribute (or sub-attribute) that one attribute of the directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// The extension that it is in; none: core.
    pub urn: Option<Arc<str>>,
    /// The attribute.
    pub name: Arc<str>,
    /// The sub-attribute.
    pub sub: Option<Arc<str>>,
    /// An array.
    pub many: bool,
    /// How values are written.
    pub form: Form,
    /// Where they are kept.
    pub kept: AttributeId,
}

/// What an attribute of the directory is to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// A [`Plain`] one, by its number.
    Plain(usize),
    /// `userName`.
    UserName,
    /// `emails.value`.
    Mail,
    /// `phoneNumbers.value` of a type.
    Phone(&'static str),
    /// A part of the address of a type.
    Address(&'static str, &'static str),
    /// `photos.value`.
    Photo,
    /// `x509Certificates.value`.
    Certificate,
    /// `entitlements.value`.
    Entitlement,
    /// `manager.value`.
    Manager,
    /// What the door keeps beside the values.
    Detail,
}

/// The telephone numbers by type; a number of another type is kept with the first.
pub const PHONES: [(&str, &str); 5] = [
    ("work", "telephoneNumber"),
    ("mobile", "mobile"),
    ("home", "homePhone"),
    ("fax", "facsimileTelephoneNumber"),
    ("pager", "pager"),
];

/// The parts of addresses: type, sub-attribute, where it is kept.
pub const ADDRESSES: [(&str, &str, &str); 7] = [
    ("work", "formatted", "postalAddress"),
    ("work", "streetAddress", "street"),
    ("work", "locality", "l"),
    ("work", "region", "st"),
    ("work", "postalCode", "postalCode"),
    ("work", "country", "c"),
    ("home", "formatted", "homePostalAddress"),
];

/// The slots of one resource type.
#[derive(Debug, Default)]
pub struct Slots {
    /// The plain attributes.
    pub plain: Vec<Plain>,
    /// In ascending order.
    by_id: Vec<(AttributeId, Slot)>,
    /// The plain ones by what they are under at the top of a resource.
    by_top: HashMap<Arc<str>, Vec<usize>>,
}

impl Slots {
    /// What an attribute of the directory is here; none: nothing.
    pub fn of(&self, id: AttributeId) -> Option<Slot> {
        let at = self.by_id.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        self.by_id.get(at).map(|(_, slot)| *slot)
    }

    /// The numbers of the plain attributes that are in, or are, what has this name at the top of a resource.
    pub fn under(&self, top: &str) -> &[usize] {
        self.by_top.get(top).map_or(&[], Vec::as_slice)
    }

    /// The plain attribute at a place.
    pub fn plain(&self, urn: Option<&str>, name: &str, sub: Option<&str>) -> Option<&Plain> {
        self.plain.iter().find(|p| p.urn.as_deref() == urn && &*p.name == name && p.sub.as_deref() == sub)
    }

    fn add_plain(&mut self, plain: Plain) {
        let number = self.plain.len();
        self.add(plain.kept, Slot::Plain(number));
        let top = plain.urn.as_ref().unwrap_or(&plain.name);
        self.by_top.entry(Arc::clone(top)).or_default().push(number);
        self.plain.push(plain);
    }

    /// What is said last of an attribute counts.
    fn add(&mut self, id: AttributeId, slot: Slot) {
        match self.by_id.binary_search_by_key(&id, |(known, _)| *known) {
            Ok(at) => self.by_id.get_mut(at).into_iter().for_each(|(_, known)| *known = slot),
            Err(at) => self.by_id.insert(at, (id, slot)),
        }
    }
}

/// The slots of all resource types, and the numbers that the door asks for by name.
#[derive(Debug)]
pub struct Binding {
    /// Users.
    pub user: Slots,
    /// Groups.
    pub group: Slots,
    /// Roles.
    pub role: Slots,
    by_name: HashMap<&'static str, AttributeId>,
}

impl Binding {
    /// Reads the faces.
    pub fn of(schema: &Schema) -> Binding {
        let (mut user, mut group, mut role) = (Slots::default(), Slots::default(), Slots::default());
        for kind in schema.attributes() {
            let Some(face) = kind.scim else { continue };
            let Some(plain) = plain(kind, face) else { continue };
            let of_groups = plain
                .urn
                .as_deref()
                .is_some_and(|urn| urn.rsplit(':').next().is_some_and(|last| last.eq_ignore_ascii_case("Group")));
            if of_groups || kind.id == known::ROLLBOOK_EXTERNAL_ID {
                group.add_plain(plain.clone());
            }
            if !of_groups {
                user.add_plain(plain);
            }
        }
        let id = |name: &str| schema.find_attribute(name.as_bytes()).map(|kind| kind.id);
        let mut family = |name: &str, slot: Slot| {
            if let Some(id) = id(name) {
                user.add(id, slot);
            }
        };
        family("uid", Slot::UserName);
        family("mail", Slot::Mail);
        family("jpegPhoto", Slot::Photo);
        family("userCertificate", Slot::Certificate);
        family("rollbookEntitlement", Slot::Entitlement);
        family("manager", Slot::Manager);
        family("rollbookScimDetail", Slot::Detail);
        for (kind, name) in PHONES {
            family(name, Slot::Phone(kind));
        }
        for (kind, sub, name) in ADDRESSES {
            family(name, Slot::Address(kind, sub));
        }
        for (name, kept, form, many) in [
            ("description", "description", Form::Text, false),
            ("family", "rollbookRoleFamily", Form::Text, false),
            ("rank", "rollbookRoleRank", Form::Integer, false),
            ("privileges", "rollbookPrivilege", Form::Text, true),
            ("system", "rollbookSystemRole", Form::Boolean, false),
        ] {
            if let Some(kept) = id(kept) {
                role.add_plain(Plain { urn: None, name: name.into(), sub: None, many, form, kept });
            }
        }
        for slots in [&mut group, &mut role] {
            slots.add_plain(Plain {
                urn: None,
                name: "displayName".into(),
                sub: None,
                many: false,
                form: Form::Text,
                kept: known::CN,
            });
        }
        group.add(known::ROLLBOOK_SCIM_DETAIL, Slot::Detail);
        let names = PHONES.iter().map(|(_, name)| *name).chain(ADDRESSES.iter().map(|(_, _, name)| *name));
        let others = ["jpegPhoto", "userCertificate", "rollbookEntitlement", "manager", "mail", "uid", "labeledURI"];
        let by_name = names.chain(others).filter_map(|name| id(name).map(|id| (name, id))).collect();
        Binding { user, group, role, by_name }
    }

    /// The number of an attribute that the families are kept in.
    pub fn id(&self, name: &str) -> Option<AttributeId> {
        self.by_name.get(name).copied()
    }
}

/// The plain attribute that a face describes; none for the families and for what is not kept in values.
fn plain(kind: &AttributeType, face: &str) -> Option<Plain> {
    use directory::schema::Storage;
    let families = ["uid", "userCertificate", "rollbookEntitlement", "manager"];
    if kind.storage != Storage::Entry || face.contains('[') || families.contains(&kind.name()) {
        return None;
    }
    let (urn, path) = match face.rsplit_once(':') {
        Some((urn, path)) => (Some(urn), path),
        None => (None, face),
    };
    if urn.is_some_and(|urn| urn != ENTERPRISE_USER) && kind.id.0 < FIRST_CUSTOM {
        return None;
    }
    let urn = urn.filter(|urn| !urn.eq_ignore_ascii_case(USER));
    let (name, sub) = match path.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (path, None),
    };
    let many = kind.id.0 >= FIRST_CUSTOM && !kind.single_value;
    Some(Plain {
        urn: urn.map(Into::into),
        name: name.into(),
        sub: sub.map(Into::into),
        many,
        form: form(kind),
        kept: kind.id,
    })
}

fn form(kind: &AttributeType) -> Form {
    if kind.name() == "labeledURI" {
        return Form::Address;
    }
    match kind.syntax {
        Syntax::Boolean => Form::Boolean,
        Syntax::Integer => Form::Integer,
        Syntax::GeneralizedTime | Syntax::UtcTime => Form::Time,
        Syntax::OctetString | Syntax::Binary | Syntax::JpegPhoto | Syntax::Audio | Syntax::Fax => Form::Binary,
        _ => Form::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_face_of_the_catalog_has_its_slot() {
        // Goal: no attribute that the catalog promises to SCIM is lost on the way.
        let schema = Schema::standard();
        let binding = Binding::of(&schema);
        // Kept elsewhere: computed, edges, credentials.
        let elsewhere = ["createTimestamp", "modifyTimestamp", "entryUUID", "member", "memberOf", "userPassword"];
        for kind in schema.attributes().filter(|k| k.scim.is_some() && !elsewhere.contains(&k.name())) {
            assert!(binding.user.of(kind.id).is_some(), "{}", kind.name());
        }
        let given = binding.user.plain(None, "name", Some("givenName")).unwrap();
        assert_eq!((given.kept, given.form), (known::GIVEN_NAME, Form::Text));
        let number = binding.user.plain(Some(ENTERPRISE_USER), "employeeNumber", None).unwrap();
        assert_eq!(number.kept, known::EMPLOYEE_NUMBER);
        assert_eq!(binding.group.plain(None, "displayName", None).unwrap().kept, known::CN);
        assert!(binding.group.plain(None, "externalId", None).is_some());
    }
}

//! The schema: one table of attribute types and object classes, projected to every door.
//!
//! Owns what the directory knows about attributes, classes, syntaxes and matching rules (RFC 4512, 4517, 4518) and
//! answers questions about them. It does not hold entries and knows no protocol: the LDAP subschema, the SCIM
//! schemas and the OIDC claims are projections made from it.
//!
//! Called by the filter, the change path, the store's indexes, and every door. A [`Schema`] never changes once it is
//! built; new definitions make a new one.
//!
//! - [`catalog`] has the shipped definitions, one line each.
//! - [`builder`] goes from lines to a [`Schema`], with every reference resolved.
//! - [`syntax`] and [`matching`] say what a value may be, and when two are the same.
//! - [`description`] reads `cn;lang-de`.
//! - [`check`] says whether an entry obeys its classes.
//! - [`subschema`] and [`extension`] go to and from the text of RFC 4512 §4.2.
//! - [`custom`] puts the deployment's own definitions to the shipped ones.
//! - [`known`] has the numbers of the types and classes that code asks for by name.

pub mod attribute;
pub mod builder;
pub mod catalog;
pub mod check;
pub mod custom;
pub mod description;
pub mod extension;
#[cfg(test)]
mod golden;
pub mod kind;
pub mod known;
pub mod matching;
mod names;
pub mod subschema;
pub mod syntax;

use std::sync::{Arc, LazyLock};

pub use attribute::{AttributeId, AttributeType, Index, Storage, Usage};
pub use builder::{SchemaBuilder, SchemaError};
pub use check::SchemaViolation;
pub use description::{AttributeDescription, DescriptionError};
pub use kind::{ClassId, ClassKind, Kind, ObjectClass};
pub use matching::{MatchingRule, Part, RuleKind, substring::Pattern};
pub use syntax::{Syntax, SyntaxError};

use attribute::PLACEHOLDER;
use names::NameIndex;

/// The first number of definitions made at run time; the shipped ones are below.
pub const FIRST_CUSTOM: u16 = 0x8000;

/// Every attribute type, object class, syntax and matching rule that the directory knows. Immutable.
#[derive(Debug)]
pub struct Schema {
    pub(in crate::schema) attributes: Numbered<AttributeNode>,
    pub(in crate::schema) classes: Numbered<ClassNode>,
    pub(in crate::schema) attribute_names: NameIndex,
    pub(in crate::schema) class_names: NameIndex,
    pub(in crate::schema) rule_names: NameIndex,
}

/// An attribute type and what follows from the others.
#[derive(Debug)]
pub(in crate::schema) struct AttributeNode {
    pub definition: AttributeType,
    /// Itself and every type below it.
    pub subtypes: Vec<AttributeId>,
}

/// An object class and what follows from its superclasses.
#[derive(Debug)]
pub(in crate::schema) struct ClassNode {
    pub definition: ObjectClass,
    /// Itself and every class above it.
    pub superclasses: Vec<ClassId>,
    /// `MUST`, superclasses included; sorted.
    pub must: Vec<AttributeId>,
    /// `MUST` and `MAY`, superclasses included; sorted.
    pub allowed: Vec<AttributeId>,
    /// The kind that this class alone makes.
    pub kind: Kind,
}

impl Schema {
    /// The shipped schema, built at the first call.
    pub fn standard() -> Arc<Schema> {
        static STANDARD: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(SchemaBuilder::with_catalog().assemble().0));
        Arc::clone(&STANDARD)
    }

    /// The type with this number. Numbers come from this schema; for a foreign one the answer is a placeholder
    /// that matches nothing.
    pub fn attribute(&self, id: AttributeId) -> &AttributeType {
        self.attributes.get(id.0).map_or(&PLACEHOLDER, |node| &node.definition)
    }

    /// The class with this number, when there is one.
    pub fn class(&self, id: ClassId) -> Option<&ObjectClass> {
        self.classes.get(id.0).map(|node| &node.definition)
    }

    /// Finds a type by name or dotted OID, without options; ASCII case does not matter. Does not allocate.
    pub fn find_attribute(&self, name: &[u8]) -> Option<&AttributeType> {
        self.attribute_names.find(name).map(|id| self.attribute(AttributeId(id)))
    }

    /// Finds a class by name or dotted OID; ASCII case does not matter. Does not allocate.
    pub fn find_class(&self, name: &[u8]) -> Option<&ObjectClass> {
        self.class_names.find(name).and_then(|id| self.class(ClassId(id)))
    }

    /// Finds a matching rule by name or dotted OID; ASCII case does not matter. Does not allocate.
    pub fn find_rule(&self, name: &[u8]) -> Option<MatchingRule> {
        self.rule_names.find(name).and_then(|position| MatchingRule::ALL.get(usize::from(position)).copied())
    }

    /// Every attribute type, by number.
    pub fn attributes(&self) -> impl Iterator<Item = &AttributeType> {
        self.attributes.iter().map(|node| &node.definition)
    }

    /// Every object class, by number.
    pub fn classes(&self) -> impl Iterator<Item = &ObjectClass> {
        self.classes.iter().map(|node| &node.definition)
    }

    /// The type itself and all types below it (`name` → `name`, `cn`, `sn`, …). Empty for a foreign number.
    pub fn subtypes(&self, id: AttributeId) -> &[AttributeId] {
        self.attributes.get(id.0).map_or(&[], |node| &node.subtypes)
    }

    /// The class itself and all classes above it. Empty for a foreign number.
    pub fn superclasses(&self, id: ClassId) -> &[ClassId] {
        self.classes.get(id.0).map_or(&[], |node| &node.superclasses)
    }

    /// Attributes that an entry of this class must have, those of the superclasses included; sorted.
    pub fn required(&self, id: ClassId) -> &[AttributeId] {
        self.classes.get(id.0).map_or(&[], |node| &node.must)
    }

    /// Attributes that an entry of this class must or may have, those of the superclasses included; sorted.
    pub fn allowed(&self, id: ClassId) -> &[AttributeId] {
        self.classes.get(id.0).map_or(&[], |node| &node.allowed)
    }

    /// What an entry of these classes is to the directory. When several kinds apply, the one that says most wins:
    /// tenant, policy, application, person, API account, role, group.
    pub fn kind_of(&self, classes: &[ClassId]) -> Kind {
        classes
            .iter()
            .filter_map(|id| self.classes.get(id.0))
            .map(|node| node.kind)
            .max_by_key(|kind| kind.precedence())
            .unwrap_or(Kind::Other)
    }
}

/// Items by number: the shipped ones and those made at run time, each a plain array, so that a lookup is an index.
#[derive(Debug)]
pub(in crate::schema) struct Numbered<T> {
    shipped: Vec<Option<T>>,
    custom: Vec<Option<T>>,
}

impl<T> Numbered<T> {
    pub(in crate::schema) fn new() -> Self {
        Numbered { shipped: Vec::new(), custom: Vec::new() }
    }

    pub(in crate::schema) fn get(&self, id: u16) -> Option<&T> {
        match id.checked_sub(FIRST_CUSTOM) {
            None => self.shipped.get(usize::from(id)),
            Some(custom) => self.custom.get(usize::from(custom)),
        }?
        .as_ref()
    }

    pub(in crate::schema) fn get_mut(&mut self, id: u16) -> Option<&mut T> {
        match id.checked_sub(FIRST_CUSTOM) {
            None => self.shipped.get_mut(usize::from(id)),
            Some(custom) => self.custom.get_mut(usize::from(custom)),
        }?
        .as_mut()
    }

    /// Puts an item at a number; what was there before is lost.
    pub(in crate::schema) fn insert(&mut self, id: u16, item: T) {
        let (slots, position) = match id.checked_sub(FIRST_CUSTOM) {
            None => (&mut self.shipped, usize::from(id)),
            Some(custom) => (&mut self.custom, usize::from(custom)),
        };
        if slots.len() <= position {
            slots.resize_with(position.saturating_add(1), || None);
        }
        if let Some(slot) = slots.get_mut(position) {
            *slot = Some(item);
        }
    }

    pub(in crate::schema) fn iter(&self) -> impl Iterator<Item = &T> {
        self.shipped.iter().chain(&self.custom).flatten()
    }
}

#[cfg(test)]
mod tests;

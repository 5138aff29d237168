//! Resource types (RFC 7643 §6), and what a path names in one.
//!
//! Owns the way from names to attributes: URIs and names are compared without regard to case, and the answer carries the
//! spelling of the schema. Called by filters, PATCH, projection and the check of what clients send.

use std::sync::Arc;

use super::{Attribute, Schema, common};

/// A kind of resource with its endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceType {
    /// `User`.
    pub name: String,
    /// `/Users`.
    pub endpoint: String,
    /// What it is, for people.
    pub description: String,
    /// The core schema.
    pub schema: Arc<Schema>,
    /// The extensions.
    pub extensions: Vec<Extension>,
    /// `id`, `externalId`, `schemas`, `meta` (RFC 7643 §3.1), which no schema lists.
    pub common: Vec<Arc<Attribute>>,
}

/// An extension of a resource type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its schema.
    pub schema: Arc<Schema>,
    /// Whether every resource has it.
    pub required: bool,
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The extension that the attribute is in; none for core and common attributes.
    pub extension: Option<Arc<Schema>>,
    /// The attribute.
    pub attribute: Arc<Attribute>,
    /// The sub-attribute, when the path goes on.
    pub sub: Option<Arc<Attribute>>,
}

impl Place {
    /// The attribute that values are compared with: the sub-attribute, else the attribute.
    pub fn leaf(&self) -> &Arc<Attribute> {
        self.sub.as_ref().unwrap_or(&self.attribute)
    }

    /// The path in the spelling of the schema: `name.familyName`, `URN:manager.value`.
    pub fn path(&self) -> String {
        let mut path = String::new();
        if let Some(extension) = &self.extension {
            path.push_str(&extension.id);
            path.push(':');
        }
        path.push_str(&self.attribute.name);
        if let Some(sub) = &self.sub {
            path.push('.');
            path.push_str(&sub.name);
        }
        path
    }
}

impl ResourceType {
    /// A resource type with the common attributes.
    pub fn new(
        name: &str,
        endpoint: &str,
        description: &str,
        schema: Schema,
        extensions: Vec<Extension>,
    ) -> ResourceType {
        ResourceType {
            name: name.to_owned(),
            endpoint: endpoint.to_owned(),
            description: description.to_owned(),
            schema: Arc::new(schema),
            extensions,
            common: common::attributes(),
        }
    }

    /// The URI of the core schema.
    pub fn uri(&self) -> &str {
        &self.schema.id
    }

    /// The core schema and those of the extensions.
    pub fn schemas(&self) -> impl Iterator<Item = &Arc<Schema>> {
        std::iter::once(&self.schema).chain(self.extensions.iter().map(|extension| &extension.schema))
    }

    /// The extension of this URI, in any case.
    pub fn extension(&self, uri: &str) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.schema.id.eq_ignore_ascii_case(uri))
    }

    /// The core and common attributes: those that stand at the top of a resource.
    pub fn attributes(&self) -> impl Iterator<Item = &Arc<Attribute>> {
        self.common.iter().chain(&self.schema.attributes)
    }

    /// The core or common attribute of this name, in any case.
    pub fn attribute(&self, name: &str) -> Option<&Arc<Attribute>> {
        self.attributes().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// What `[urn:]name[.sub]` names. The URN of the core schema may be left out; without one, extensions are not searched.
    pub fn place(&self, urn: Option<&str>, name: &str, sub: Option<&str>) -> Option<Place> {
        let (extension, attribute) = match urn {
            None => (None, self.attribute(name)?),
            Some(urn) if urn.eq_ignore_ascii_case(self.uri()) => (None, self.attribute(name)?),
            Some(urn) => {
                let schema = &self.extension(urn)?.schema;
                (Some(Arc::clone(schema)), schema.attribute(name)?)
            }
        };
        let sub = match sub {
            None => None,
            Some(sub) => Some(Arc::clone(attribute.sub(sub)?)),
        };
        Some(Place { extension, attribute: Arc::clone(attribute), sub })
    }

    /// Whether clients may write resources of this type: whether any attribute of its own schema can be written.
    pub fn is_writable(&self) -> bool {
        self.schema.attributes.iter().any(|attribute| attribute.mutability != super::Mutability::ReadOnly)
    }
}

//! What resources look like: schemas, resource types, and where a path leads.
//!
//! Owns the SCIM view of the schema: the tables of RFC 7643 with their verified errata, the extension with the state of an
//! account, roles, and the extensions that attributes defined at run time make. It holds no resource. [`Schemas`] is built
//! once from the schema of the directory and does not change.
//!
//! - [`attribute`] is one attribute; [`resource_type`] puts schemas together and finds what a path names.
//! - [`discovery`] is the JSON that tells clients about them.
//! - [`openapi`] describes the whole door.
//! - `user`, `enterprise`, `group`, `role`, `account_state`, `common` are the tables.

mod account_state;
pub mod attribute;
mod common;
mod custom;
pub mod discovery;
mod enterprise;
#[cfg(test)]
mod golden;
mod group;
pub mod openapi;
pub mod resource_type;
mod role;
#[cfg(test)]
mod tests;
mod user;

use std::sync::Arc;

pub use attribute::{Attribute, Kind, Mutability, Returned, Uniqueness};
pub use resource_type::{Extension, Place, ResourceType};

/// The schema of users (RFC 7643 §4.1).
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The extension of users in an enterprise (RFC 7643 §4.3).
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The schema of groups (RFC 7643 §4.2).
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// Our extension of users: the state of the account.
pub const ACCOUNT_STATE: &str = "urn:ietf:params:scim:schemas:extension:rollbook:2.0:AccountState";
/// Our schema of roles.
pub const ROLE: &str = "urn:ietf:params:scim:schemas:rollbook:2.0:Role";

/// A named set of attributes (RFC 7643 §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The URI that identifies it.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What it is about, for people.
    pub description: String,
    /// The attributes at its top level.
    pub attributes: Vec<Arc<Attribute>>,
}

impl Schema {
    fn new(id: &str, name: &str, description: &str, attributes: Vec<Attribute>) -> Schema {
        Schema {
            id: id.to_owned(),
            name: name.to_owned(),
            description: description.to_owned(),
            attributes: attributes.into_iter().map(Arc::new).collect(),
        }
    }

    /// The attribute of this name, in any case.
    pub fn attribute(&self, name: &str) -> Option<&Arc<Attribute>> {
        self.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }
}

/// Every resource type and schema of the service provider.
#[derive(Debug, Clone)]
pub struct Schemas {
    /// The resource types, in the order in which they are listed.
    pub resource_types: Vec<Arc<ResourceType>>,
    /// The schemas of all of them, each once.
    pub schemas: Vec<Arc<Schema>>,
}

impl Schemas {
    /// The standard schemas and ours, with the extensions that the run-time attributes of `directory` make: an attribute
    /// whose SCIM face is `URN:name` becomes an attribute of the extension `URN`.
    pub fn of(directory: &directory::schema::Schema) -> Schemas {
        let mut user = vec![
            Extension { schema: Arc::new(enterprise::schema()), required: false },
            Extension { schema: Arc::new(account_state::schema()), required: false },
        ];
        let mut group = Vec::new();
        for (of_groups, schema) in custom::extensions(directory) {
            let extension = Extension { schema: Arc::new(schema), required: false };
            if of_groups { group.push(extension) } else { user.push(extension) }
        }
        let resource_types = vec![
            Arc::new(ResourceType::new("User", "/Users", "Accounts of people", user::schema(), user)),
            Arc::new(ResourceType::new("Group", "/Groups", "Groups of users and groups", group::schema(), group)),
            Arc::new(ResourceType::new("Role", "/Roles", "Roles that users may hold", role::schema(), Vec::new())),
        ];
        let mut schemas: Vec<Arc<Schema>> = Vec::new();
        for kind in &resource_types {
            for schema in kind.schemas() {
                if !schemas.iter().any(|known| known.id == schema.id) {
                    schemas.push(Arc::clone(schema));
                }
            }
        }
        Schemas { resource_types, schemas }
    }

    /// The resource type of this name (`User`) or endpoint (`/Users`, with or without the slash). Case matters, as in URLs.
    pub fn resource_type(&self, name: &str) -> Option<&Arc<ResourceType>> {
        let bare = name.trim_start_matches('/');
        self.resource_types.iter().find(|kind| kind.name == name || kind.endpoint.trim_start_matches('/') == bare)
    }

    /// The schema of this URI, in any case.
    pub fn schema(&self, uri: &str) -> Option<&Arc<Schema>> {
        self.schemas.iter().find(|schema| schema.id.eq_ignore_ascii_case(uri))
    }
}

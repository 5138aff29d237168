//! Which attributes an answer holds, and what need not be loaded for it.
//!
//! Owns the bridge between the projection of a request and what a resource costs to read.

use crate::call::Call;
use crate::protocol::error::ScimError;
use crate::protocol::projection::Projection;
use crate::resource::{Kind, Resource, Wants};
use crate::schema::{ACCOUNT_STATE, ENTERPRISE_USER, ResourceType};
use serde_json::Value;

/// What is wanted of resources of one type.
pub(crate) struct Wanted {
    /// What costs more than the record.
    pub(crate) wants: Wants,
    /// The client has said which attributes it wants, or does not want.
    pub(crate) is_said: bool,
    projection: Projection,
    /// Parts of members are wanted.
    thin_members: bool,
}

impl Wanted {
    /// From the query of a request.
    pub(crate) fn of_query(call: &Call, kind: Kind) -> Result<Wanted, ScimError> {
        let split = |name: &str| -> Vec<String> {
            call.query.value(name).into_iter().flat_map(|names| names.split(',')).map(str::to_owned).collect()
        };
        Wanted::of(call.resource_type(kind)?, &split("attributes"), &split("excludedAttributes"))
    }

    /// From names.
    pub(crate) fn of(kind: &ResourceType, attributes: &[String], excluded: &[String]) -> Result<Wanted, ScimError> {
        let projection = Projection::of(kind, attributes, excluded)?;
        let names = |of: &[String], part: &str| of.iter().any(|name| name.to_ascii_lowercase().contains(part));
        let is_said = attributes.iter().chain(excluded).any(|name| !name.trim().is_empty());
        let wants = Wants {
            members: projection.wants("members"),
            member_names: names(attributes, "members.display"),
            groups: projection.wants("groups"),
            account: projection.wants("active") || projection.wants(ACCOUNT_STATE),
            manager: projection.wants(&format!("{ENTERPRISE_USER}:manager")),
            manager_name: names(attributes, "manager.displayname"),
        };
        let thin_members = names(attributes, "members.") || names(excluded, "members.");
        Ok(Wanted { wants, is_said, projection, thin_members })
    }

    /// Takes away what is not wanted.
    pub(crate) fn apply(&self, resource: &mut Resource) {
        if !self.is_said {
            return;
        }
        if self.thin_members
            && let Some(members) = resource.members.take()
            && let Ok(members @ Value::Array(_)) = serde_json::from_slice(&members)
        {
            resource.object.insert("members".into(), members);
        }
        self.projection.apply(&mut resource.object);
    }
}

//! Which attributes an answer holds, and what need not be loaded for it.
//!
//! Owns the bridge between the projection of a request and what a resource costs to read.

use crate::call::Call;
use crate::protocol::error::ScimError;
use crate::protocol::projection::Projection;
use crate::resource::{Kind, Resource, Wants};
use crate::schema::{ACCOUNT_STATE, Attribute, ENTERPRISE_USER, ResourceType, Returned, Schemas};
use serde_json::Value;

/// What is wanted of resources of one type.
pub(crate) struct Wanted {
    /// What costs more than the record.
    pub(crate) wants: Wants,
    /// The client has said which attributes it wants, or does not want.
    pub(crate) is_said: bool,
    /// None when nothing is said: resources are made as they are answered then.
    projection: Option<Projection>,
    /// Parts of members are wanted.
    thin_members: bool,
}

impl Wanted {
    /// From the query of a request.
    pub(crate) fn of_query(call: &Call, kind: Kind) -> Result<Wanted, ScimError> {
        let split = |name: &str| -> Vec<String> {
            call.query.value(name).into_iter().flat_map(|names| names.split(',')).map(str::to_owned).collect()
        };
        Wanted::of(call, kind, &split("attributes"), &split("excludedAttributes"))
    }

    /// From names.
    pub(crate) fn of(call: &Call, kind: Kind, attributes: &[String], excluded: &[String]) -> Result<Wanted, ScimError> {
        let usual = call.shared.usual.of(kind);
        Wanted::read(call.resource_type(kind)?, usual, attributes, excluded)
    }

    fn read(
        kind: &ResourceType,
        usual: Wants,
        attributes: &[String],
        excluded: &[String],
    ) -> Result<Wanted, ScimError> {
        let is_said = attributes.iter().chain(excluded).any(|name| !name.trim().is_empty());
        if !is_said {
            // Nearly every request.
            return Ok(Wanted { wants: usual, is_said, projection: None, thin_members: false });
        }
        let projection = Projection::of(kind, attributes, excluded)?;
        let names = |of: &[String], part: &str| of.iter().any(|name| name.to_ascii_lowercase().contains(part));
        let wants = Wants {
            member_names: names(attributes, "members.display"),
            manager_name: names(attributes, "manager.displayname"),
            ..by_projection(&projection)
        };
        let thin_members = names(attributes, "members.") || names(excluded, "members.");
        Ok(Wanted { wants, is_said, projection: Some(projection), thin_members })
    }

    /// Takes away what is not wanted.
    pub(crate) fn apply(&self, resource: &mut Resource<'_>) {
        let Some(projection) = &self.projection else { return };
        if self.thin_members
            && let Some(members) = resource.members.take()
            && let Ok(members @ Value::Array(_)) = serde_json::from_slice(&members)
        {
            resource.object.insert("members", members);
        }
        projection.apply(&mut resource.object);
    }
}

/// What is wanted of resources when the client says nothing: the schema alone decides.
pub(crate) struct Usual {
    user: Wants,
    group: Wants,
    role: Wants,
}

impl Usual {
    /// Read from the schemas once.
    pub(crate) fn of_schemas(schemas: &Schemas) -> Usual {
        let wants = |kind: Kind| schemas.resource_type(kind.name()).map_or(Wants::RECORD, |known| by_default(known));
        Usual { user: wants(Kind::User), group: wants(Kind::Group), role: wants(Kind::Role) }
    }

    fn of(&self, kind: Kind) -> Wants {
        match kind {
            Kind::User => self.user,
            Kind::Group => self.group,
            Kind::Role => self.role,
        }
    }
}

fn by_projection(projection: &Projection) -> Wants {
    Wants {
        members: projection.wants("members"),
        member_names: false,
        groups: projection.wants("groups"),
        account: projection.wants("active") || projection.wants(ACCOUNT_STATE),
        manager: projection.wants(&format!("{ENTERPRISE_USER}:manager")),
        manager_name: false,
    }
}

/// What [`by_projection`] says of a projection that nobody has asked for.
fn by_default(kind: &ResourceType) -> Wants {
    let is_shown = |attribute: &Attribute| {
        !attribute.is_secret() && matches!(attribute.returned, Returned::Always | Returned::Default)
    };
    let core = |name: &str| kind.attribute(name).is_some_and(|attribute| is_shown(attribute));
    let extension = |urn: &str, is_it: &dyn Fn(&Attribute) -> bool| {
        let mut schemas = kind.extensions.iter().map(|extension| &extension.schema).filter(|schema| schema.id == urn);
        schemas.any(|schema| schema.attributes.iter().any(|attribute| is_shown(attribute) && is_it(attribute)))
    };
    Wants {
        members: core("members"),
        member_names: false,
        groups: core("groups"),
        account: core("active") || extension(ACCOUNT_STATE, &|_| true),
        manager: extension(ENTERPRISE_USER, &|attribute| attribute.name == "manager"),
        manager_name: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_asked_for_is_what_the_projection_of_nothing_has() {
        // Goal: the short way and the long one agree for every resource type, and something is wanted of each.
        let schemas = Schemas::of(&directory::schema::Schema::standard());
        for kind in &schemas.resource_types {
            let long = by_projection(&Projection::of(kind, &[], &[]).unwrap());
            assert_eq!(by_default(kind), long, "{}", kind.name);
            let empty = Wanted::read(kind, long, &[" ".to_owned()], &[String::new()]).unwrap();
            assert!(empty.wants == long && !empty.is_said && empty.projection.is_none());
            assert!(Wanted::read(kind, long, &["id".to_owned()], &[]).unwrap().projection.is_some());
            let known = Kind::ALL.into_iter().find(|known| known.name() == kind.name).unwrap();
            assert_eq!(Usual::of_schemas(&schemas).of(known), long, "{}", kind.name);
        }
        let user = schemas.resource_type("User").unwrap();
        assert!(by_default(user).groups && by_default(user).account && by_default(user).manager);
    }
}

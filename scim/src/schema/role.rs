//! Our schema of roles: what the tenant lets its users hold. Read-only: roles are kept by administrators.

use super::attribute::{Returned, Uniqueness, boolean, complex, integer, reference, text};
use super::{ROLE, Schema};

/// The schema.
pub(super) fn schema() -> Schema {
    let members = complex(
        "members",
        "Accounts that hold the role",
        vec![
            text("value", "Identifier of the account").exact(),
            reference("$ref", &["User", "Group"], "URI of the account"),
            text("type", "What the holder is").canonical(&["User", "Group"]),
            text("display", "Name of the holder").returned(Returned::Request),
        ],
    )
    .many()
    .edges();
    let attributes = vec![
        text("displayName", "Name of the role").required().unique(Uniqueness::Server),
        text("description", "What the role is for"),
        text("family", "Family of the role; ranks are compared inside one family"),
        integer("rank", "Rank in the family; 0 is the highest"),
        text("privileges", "Area and access, such as ORDER:write").many(),
        boolean("system", "Whether the role is for applications instead of people"),
        members,
    ];
    let attributes = attributes.into_iter().map(super::Attribute::read_only).collect();
    Schema::new(ROLE, "Role", "A role that users of the tenant may hold", attributes)
}

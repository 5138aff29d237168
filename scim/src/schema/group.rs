//! The schema of groups: RFC 7643 §4.2 and §8.7.1. `displayName` is required, as the text of §4.2 says, and unique.

use super::attribute::{Returned, Uniqueness, complex, reference, text};
use super::{GROUP, Schema};

/// The schema.
pub(super) fn schema() -> Schema {
    let members = complex(
        "members",
        "Members of the group",
        vec![
            text("value", "Identifier of the member").exact().required().immutable(),
            reference("$ref", &["User", "Group"], "URI of the member").immutable(),
            text("type", "What the member is").immutable().canonical(&["User", "Group"]),
            // Told to whoever names it: it is read from another entry.
            text("display", "Name of the member").read_only().returned(Returned::Request),
        ],
    )
    .many()
    .edges();
    let attributes = vec![text("displayName", "Name of the group").required().unique(Uniqueness::Server), members];
    Schema::new(GROUP, "Group", "A group of users and groups", attributes)
}

//! The extension of users in an enterprise: RFC 7643 §4.3 and §8.7.1.

use super::attribute::{Returned, complex, reference, text};
use super::{ENTERPRISE_USER, Schema};

/// The schema.
pub(super) fn schema() -> Schema {
    let manager = complex(
        "manager",
        "The user's manager",
        vec![
            text("value", "Identifier of the manager").exact(),
            reference("$ref", &["User"], "URI of the manager"),
            // Told to whoever names it: it is read from another entry.
            text("displayName", "Display name of the manager").read_only().returned(Returned::Request),
        ],
    );
    let attributes = vec![
        text("employeeNumber", "Number of the employee"),
        text("costCenter", "Cost centre"),
        text("organization", "Organisation"),
        text("division", "Division"),
        text("department", "Department"),
        manager,
    ];
    Schema::new(ENTERPRISE_USER, "EnterpriseUser", "What an enterprise knows about a user", attributes)
}

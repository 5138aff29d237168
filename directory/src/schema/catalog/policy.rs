//! draft-behera-ldap-password-policy.

use super::line::Table;

pub(super) const TABLE: Table = Table { origin: "draft-behera-ldap-password-policy", attributes: &[], classes: &[] };

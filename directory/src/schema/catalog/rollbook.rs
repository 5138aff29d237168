//! rollbook.

use super::line::Table;

pub(super) const TABLE: Table = Table { origin: "rollbook", attributes: &[], classes: &[] };

//! various.

use super::line::Table;

pub(super) const TABLE: Table = Table { origin: "various", attributes: &[], classes: &[] };

//! RFC 2798.

use super::line::Table;

pub(super) const TABLE: Table = Table { origin: "RFC 2798", attributes: &[], classes: &[] };

//! RFC 4524.

use super::line::Table;

pub(super) const TABLE: Table = Table { origin: "RFC 4524", attributes: &[], classes: &[] };

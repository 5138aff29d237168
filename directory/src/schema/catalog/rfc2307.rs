//! RFC 2307.

use super::line::Table;

pub(super) const TABLE: Table = Table { origin: "RFC 2307", attributes: &[], classes: &[] };

//! RFC 4523.

use super::line::Table;

pub(super) const TABLE: Table = Table { origin: "RFC 4523", attributes: &[], classes: &[] };

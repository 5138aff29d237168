//! The shipped definitions: the one list of attribute types and object classes, a file per source, a line each.
//!
//! Owns the form of a line and the rules of the numbers: every type and class has an explicit one, which records and
//! index keys hold. A number is never changed and never given away; new lines take the next free number of their
//! list (`golden/catalog.txt` pins them all). Everything that a line leaves out is inherited or derived by
//! [`super::builder`].
//!
//! Our own definitions stand under the arc 1.3.6.1.4.1.61441.1, see [`rollbook`].

pub mod line;

mod policy;
mod rfc2307;
mod rfc2798;
mod rfc4512;
mod rfc4519;
mod rfc4523;
mod rfc4524;
mod rollbook;
mod various;

use line::Table;

/// The SCIM path of an attribute of the enterprise extension (RFC 7643 §4.3).
macro_rules! enterprise {
    ($attribute:literal) => {
        concat!("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:", $attribute)
    };
}
use enterprise;

/// Every table. The order decides nothing.
pub(super) const TABLES: &[Table] = &[
    rfc4512::TABLE,
    rfc4519::TABLE,
    rfc4523::TABLE,
    rfc4524::TABLE,
    rfc2798::TABLE,
    rfc2307::TABLE,
    various::TABLE,
    policy::TABLE,
    rollbook::TABLE,
];

#[cfg(test)]
mod tests;

//! The numbers of attribute types and classes that code asks for by name, as constants.
//!
//! Owns no definition: the numbers are those of [`super::catalog`], and a test holds the two together. Also says
//! which classes make which kind of entry.

use super::kind::{ClassId, Kind};

/// Declares constants and the list that the test compares with the catalog.
macro_rules! known {
    ($type:ident: $($constant:ident = $number:literal $name:literal;)*) => {
        $(#[doc = concat!("`", $name, "`")] pub const $constant: $type = $type($number);)*

        #[cfg(test)]
        pub(super) const ALL: &[($type, &str)] = &[$(($constant, $name),)*];
    };
}

/// Attribute types.
pub mod attribute {
    use crate::schema::AttributeId;

    #[rustfmt::skip]
    known! { AttributeId:
        OBJECT_CLASS = 1 "objectClass";
    }
}

/// Object classes.
pub mod class {
    use crate::schema::ClassId;

    #[rustfmt::skip]
    known! { ClassId:
        TOP = 1 "top";
        ALIAS = 2 "alias";
        SUBSCHEMA = 3 "subschema";
        EXTENSIBLE_OBJECT = 4 "extensibleObject";
        SUBENTRY = 5 "subentry";
    }
}

/// The kind that an entry of a class is of; subclasses are of the same kind.
#[rustfmt::skip]
pub(super) const KINDS: &[(ClassId, Kind)] = &[
    (class::TOP, Kind::Other),
];

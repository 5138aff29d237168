//! Section `schema`: the deployment's own attribute types and object classes.

use super::setting::{Kind, section};

section! {
    /// Attribute types and object classes of your own.
    "schema" Schema;
    /// LDIF files with `attributeTypes` and `objectClasses`, read at the start (see [schema.md](schema.md)). What they
    /// have defined once stays defined when they are taken away.
    files: Vec<String>, Kind::Names, "";
}

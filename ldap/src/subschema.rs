//! The subschema entry (RFC 4512 §4.2): the schema as LDAP clients read it.
//!
//! Owns its place in the protocol; the descriptions are `directory`'s projection of its catalog.

use crate::{root_dse::SUBSCHEMA_DN, synthetic::Attribute};
use directory::schema::Schema;

/// Whether a base object names the entry. Only the spellings that clients make of `subschemaSubentry` are known.
pub(crate) fn is_named(base: &[u8]) -> bool {
    // Longer than the name with a few spaces in it: some other entry.
    if base.len() < SUBSCHEMA_DN.len() || base.len() > 2 * SUBSCHEMA_DN.len() {
        return false;
    }
    base.iter()
        .filter(|octet| **octet != b' ')
        .map(u8::to_ascii_lowercase)
        .eq(SUBSCHEMA_DN.bytes().map(|o| o.to_ascii_lowercase()))
}

/// Its attributes.
pub(crate) fn attributes(schema: &Schema) -> Vec<Attribute> {
    let mut attributes = vec![
        Attribute::user("objectClass", ["top", "subentry", "subschema", "extensibleObject"]),
        Attribute::user("cn", ["Subschema"]),
        Attribute::operational("structuralObjectClass", ["subentry"]),
        Attribute::operational("entryDN", [SUBSCHEMA_DN]),
        Attribute::operational("subschemaSubentry", [SUBSCHEMA_DN]),
        Attribute::operational("hasSubordinates", ["FALSE"]),
    ];
    for (id, values) in schema.subschema() {
        attributes.push(Attribute::operational(schema.attribute(id).name(), values));
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_name_is_known_in_every_case_and_no_other_is() {
        // Goal: clients find it however they spell the value of subschemaSubentry.
        for own in ["cn=Subschema", "CN=SUBSCHEMA", "cn = subschema", " cn=subschema "] {
            assert!(is_named(own.as_bytes()), "{own}");
        }
        for other in ["", "cn=Subschem", "cn=Subschema,dc=x", "ou=Subschema", "cn=Subschemaa"] {
            assert!(!is_named(other.as_bytes()), "{other}");
        }
    }
}

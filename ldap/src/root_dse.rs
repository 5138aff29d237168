//! The root DSE (RFC 4512 §5.1): what the server says of itself to anybody who asks.
//!
//! Owns the list of attributes. Controls come from the registry, naming contexts from the directory; what is advertised
//! is what is implemented.

use crate::{control, operation::extended, synthetic::Attribute};
/// DN of the subschema entry.
pub(crate) const SUBSCHEMA_DN: &str = "cn=Subschema";

/// Features that are not controls or operations: all operational attributes (RFC 3673), attributes of a class
/// (RFC 4529), absolute true and false filters (RFC 4526), increment (RFC 4525).
const FEATURES: [&str; 4] =
    ["1.3.6.1.4.1.4203.1.5.1", "1.3.6.1.4.1.4203.1.5.2", "1.3.6.1.4.1.4203.1.5.3", "1.3.6.1.1.14"];

/// What differs from one server to another.
#[derive(Debug)]
pub(crate) struct RootDse {
    /// `StartTLS` can be asked for.
    pub(crate) start_tls: bool,
}

impl RootDse {
    /// The attributes, for these naming contexts; `local` connections may bind by EXTERNAL.
    pub(crate) fn attributes(&self, naming_contexts: Vec<String>, local: bool) -> Vec<Attribute> {
        let mut attributes = vec![
            Attribute::user("objectClass", ["top", "extensibleObject"]),
            Attribute::operational("subschemaSubentry", [SUBSCHEMA_DN]),
            Attribute::operational("supportedLDAPVersion", ["3"]),
            Attribute::operational("supportedControl", control::supported()),
            Attribute::operational("supportedExtension", extended::supported(self.start_tls)),
            Attribute::operational("supportedFeatures", FEATURES),
            Attribute::operational("vendorName", ["rollbook"]),
            Attribute::operational("vendorVersion", [env!("CARGO_PKG_VERSION")]),
        ];
        if local {
            attributes.push(Attribute::operational("supportedSASLMechanisms", ["EXTERNAL"]));
        }
        if let Some(first) = naming_contexts.first() {
            attributes.push(Attribute::operational("defaultNamingContext", [first.clone()]));
            attributes.push(Attribute::operational("namingContexts", naming_contexts));
        }
        attributes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_clients_look_for_is_there() {
        // Goal: the attributes that SSSD, JNDI and browsers read, with the naming contexts in their order, and nothing
        // that makes a client take this for Active Directory.
        let dse = RootDse { start_tls: true };
        let contexts = vec!["dc=example,dc=com".to_owned(), "o=other".to_owned()];
        let read = |local| -> BTreeMap<&str, Vec<String>> {
            let attributes = dse.attributes(contexts.clone(), local).into_iter();
            attributes.map(|a| (a.name, a.values.iter().map(ToString::to_string).collect())).collect()
        };
        let dse = read(false);
        assert_eq!(dse["namingContexts"], contexts);
        assert_eq!(dse["defaultNamingContext"], ["dc=example,dc=com"]);
        assert_eq!(dse["supportedLDAPVersion"], ["3"]);
        assert_eq!(dse["subschemaSubentry"], ["cn=Subschema"]);
        assert!(dse["supportedExtension"].contains(&"1.3.6.1.4.1.1466.20037".to_owned()));
        assert!(dse["supportedControl"].contains(&"1.2.840.113556.1.4.319".to_owned()));
        assert!(!dse.contains_key("supportedSASLMechanisms"));
        assert_eq!(read(true)["supportedSASLMechanisms"], ["EXTERNAL"]);
        for foreign in ["domainControllerFunctionality", "highestCommittedUSN", "supportedCapabilities"] {
            assert!(!dse.contains_key(foreign), "{foreign}");
        }
    }

    #[test]
    fn nothing_is_advertised_that_is_not_there() {
        // Goal: without TLS there is no StartTLS, without suffixes no naming contexts.
        let attributes = RootDse { start_tls: false }.attributes(Vec::new(), false);
        let extensions = attributes.iter().find(|a| a.name == "supportedExtension").unwrap();
        assert!(!extensions.values.iter().any(|oid| oid == "1.3.6.1.4.1.1466.20037"));
        assert!(!attributes.iter().any(|a| a.name.to_ascii_lowercase().contains("namingcontext")));
    }
}

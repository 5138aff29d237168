//! The information model: RFC 4512, with the operational attributes of RFC 4530 (entryUUID), RFC 5020 (entryDN),
//! RFC 3672 (subentries) and RFC 3045 (vendor), and the two that tree browsers ask for.
//!
//! Stamps are kept in the entry; what follows from the tree or from the schema is computed.

use super::line::{Table, abstraction, auxiliary, boolean, dn, exact, integer, oid, opaque, structural, text, time};
use crate::schema::{matching::MatchingRule as Rule, syntax::Syntax};

#[rustfmt::skip]
pub(super) const TABLE: Table = Table {
    origin: "RFC 4512",
    attributes: &[
        oid(1, "2.5.4.0", &["objectClass"], "object classes of the entry"),
        dn(2, "2.5.4.1", &["aliasedObjectName", "aliasedEntryName"], "name of the entry that the alias stands for").single(),
        // Who and when. Names of editors are never searched: an index of them would cost every write.
        dn(3, "2.5.18.3", &["creatorsName"], "who made the entry").single().fixed().directory().computed().no_index(),
        time(4, "2.5.18.1", &["createTimestamp"], "when the entry was made").single().fixed().directory().computed().scim("meta.created"),
        dn(5, "2.5.18.4", &["modifiersName"], "who changed the entry last").single().fixed().directory().computed().no_index(),
        time(6, "2.5.18.2", &["modifyTimestamp"], "when the entry was changed last").single().fixed().directory().computed().scim("meta.lastModified").claim("updated_at"),
        // What follows from classes and tree
        oid(7, "2.5.21.9", &["structuralObjectClass"], "structural object class of the entry").single().fixed().directory().computed(),
        integer(8, "2.5.21.10", &["governingStructureRule"], "structure rule that governs the entry").single().fixed().directory().computed(),
        dn(9, "2.5.18.10", &["subschemaSubentry"], "entry that holds the schema").single().fixed().directory().computed(),
        dn(10, "1.3.6.1.1.20", &["entryDN"], "name of the entry itself").single().fixed().directory().computed().from("RFC 5020"),
        opaque(11, "1.3.6.1.1.16.4", &["entryUUID"], "identifier that never changes", Syntax::Uuid).eq(Rule::UuidMatch).ord(Rule::UuidOrderingMatch).single().fixed().directory().computed().scim("id").claim("sub").from("RFC 4530"),
        boolean(12, "2.5.18.9", &["hasSubordinates"], "whether there are entries below").single().fixed().directory().computed().from("X.501"),
        integer(13, "1.3.6.1.4.1.453.16.2.103", &["numSubordinates"], "number of entries directly below").single().fixed().directory().computed().from("draft-boreham-numsubordinates"),
        // The subschema
        opaque(14, "2.5.21.5", &["attributeTypes"], "attribute types", Syntax::AttributeTypeDescription).eq(Rule::ObjectIdentifierFirstComponentMatch).directory().computed(),
        opaque(15, "2.5.21.6", &["objectClasses"], "object classes", Syntax::ObjectClassDescription).eq(Rule::ObjectIdentifierFirstComponentMatch).directory().computed(),
        opaque(16, "2.5.21.4", &["matchingRules"], "matching rules", Syntax::MatchingRuleDescription).eq(Rule::ObjectIdentifierFirstComponentMatch).directory().computed(),
        opaque(17, "2.5.21.8", &["matchingRuleUse"], "attribute types that a matching rule serves", Syntax::MatchingRuleUseDescription).eq(Rule::ObjectIdentifierFirstComponentMatch).directory().computed(),
        opaque(18, "1.3.6.1.4.1.1466.101.120.16", &["ldapSyntaxes"], "syntaxes", Syntax::LdapSyntaxDescription).eq(Rule::ObjectIdentifierFirstComponentMatch).directory().computed(),
        opaque(19, "2.5.21.1", &["dITStructureRules"], "structure rules", Syntax::DitStructureRuleDescription).eq(Rule::IntegerFirstComponentMatch).directory().computed(),
        opaque(20, "2.5.21.2", &["dITContentRules"], "content rules", Syntax::DitContentRuleDescription).eq(Rule::ObjectIdentifierFirstComponentMatch).directory().computed(),
        opaque(21, "2.5.21.7", &["nameForms"], "name forms", Syntax::NameFormDescription).eq(Rule::ObjectIdentifierFirstComponentMatch).directory().computed(),
        // The root DSE
        opaque(22, "1.3.6.1.4.1.1466.101.120.6", &["altServer"], "other servers to ask", Syntax::Ia5String).dsa().computed(),
        dn(23, "1.3.6.1.4.1.1466.101.120.5", &["namingContexts"], "suffixes that the server holds").dsa().computed(),
        dn(24, "1.2.840.113556.1.4.519", &["defaultNamingContext"], "suffix to search first").single().dsa().computed().from("MS-ADTS"),
        oid(25, "1.3.6.1.4.1.1466.101.120.13", &["supportedControl"], "controls that the server understands").dsa().computed(),
        oid(26, "1.3.6.1.4.1.1466.101.120.7", &["supportedExtension"], "extended operations that the server performs").dsa().computed(),
        oid(27, "1.3.6.1.4.1.4203.1.3.5", &["supportedFeatures"], "optional features that the server has").dsa().computed(),
        integer(28, "1.3.6.1.4.1.1466.101.120.15", &["supportedLDAPVersion"], "protocol versions").dsa().computed(),
        text(29, "1.3.6.1.4.1.1466.101.120.14", &["supportedSASLMechanisms"], "mechanisms for SASL binds").whole().dsa().computed(),
        exact(30, "1.3.6.1.1.4", &["vendorName"], "who made the server").single().fixed().whole().dsa().computed().from("RFC 3045"),
        exact(31, "1.3.6.1.1.5", &["vendorVersion"], "which version of the server this is").single().fixed().whole().dsa().computed().from("RFC 3045"),
        // Subentries
        oid(32, "2.5.18.5", &["administrativeRole"], "what the entry is an administrative point of").directory().no_index().from("RFC 3672"),
        opaque(33, "2.5.18.6", &["subtreeSpecification"], "entries that the subentry is about", Syntax::SubtreeSpecification).directory().from("RFC 3672"),
    ],
    classes: &[
        abstraction(1, "2.5.6.0", &["top"], "above all classes").sup("").must("objectClass").rdn(""),
        structural(2, "2.5.6.1", &["alias"], "another name of an entry").must("aliasedObjectName").rdn(""),
        auxiliary(3, "2.5.20.1", &["subschema"], "holds the schema").may("dITStructureRules nameForms dITContentRules objectClasses attributeTypes matchingRules matchingRuleUse"),
        auxiliary(4, "1.3.6.1.4.1.1466.101.120.111", &["extensibleObject"], "may have any attribute").rdn(""),
        structural(5, "2.5.17.0", &["subentry"], "holds rules about a part of the tree").must("cn subtreeSpecification").from("RFC 3672"),
    ],
};

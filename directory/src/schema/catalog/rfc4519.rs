//! User applications: RFC 4519, all of it.
//!
//! `groupOfNames` and `groupOfUniqueNames` demand a member in the RFC; here they only allow it, because provisioning
//! clients make groups first and fill them afterwards. The subschema says so, too.

use super::{
    enterprise,
    line::{
        Table, auxiliary, bare, bits, dn, ia5, numeric, octets, opaque, postal, printable, structural, telephone, text,
    },
};
use crate::schema::{Storage, matching::MatchingRule as Rule, syntax::Syntax};

#[rustfmt::skip]
pub(super) const TABLE: Table = Table {
    origin: "RFC 4519",
    attributes: &[
        text(34, "2.5.4.41", &["name"], "supertype of all names").max(32768),
        text(35, "2.5.4.15", &["businessCategory"], "kind of business").max(128),
        bare(36, "2.5.4.6", &["c", "countryName"], "country, as two letters of ISO 3166").sup("name").syntax(Syntax::CountryString).single().scim("addresses[type eq \"work\"].country").claim("address.country"),
        bare(37, "2.5.4.3", &["cn", "commonName"], "name by which the entry is commonly known").sup("name").trigrams().scim("name.formatted").claim("name"),
        ia5(38, "0.9.2342.19200300.100.1.25", &["dc", "domainComponent"], "one label of a domain name").single(),
        text(39, "2.5.4.13", &["description"], "description for people").max(1024),
        printable(40, "2.5.4.27", &["destinationIndicator"], "destination of telegrams").max(128),
        dn(41, "2.5.4.49", &["distinguishedName"], "supertype of names of entries"),
        printable(42, "2.5.4.46", &["dnQualifier"], "part that makes a name unique").ord(Rule::CaseIgnoreOrderingMatch),
        opaque(43, "2.5.4.47", &["enhancedSearchGuide"], "how to search below", Syntax::EnhancedGuide),
        opaque(44, "2.5.4.23", &["facsimileTelephoneNumber", "fax"], "number of the fax machine", Syntax::FacsimileTelephoneNumber).scim("phoneNumbers[type eq \"fax\"].value"),
        bare(45, "2.5.4.44", &["generationQualifier"], "what follows the name, such as Jr.").sup("name").scim("name.honorificSuffix"),
        bare(46, "2.5.4.42", &["givenName", "gn"], "first name").sup("name").trigrams().scim("name.givenName").claim("given_name"),
        text(47, "2.5.4.51", &["houseIdentifier"], "building in a place").max(32768),
        bare(48, "2.5.4.43", &["initials"], "initials, without those of the surname").sup("name"),
        numeric(49, "2.5.4.25", &["internationalISDNNumber"], "ISDN number").max(16),
        bare(50, "2.5.4.7", &["l", "localityName"], "place").sup("name").scim("addresses[type eq \"work\"].locality").claim("address.locality"),
        bare(51, "2.5.4.31", &["member"], "member of the group").sup("distinguishedName").stored(Storage::Edge).scim("members.value"),
        bare(52, "2.5.4.10", &["o", "organizationName"], "organisation").sup("name").trigrams().scim(enterprise!("organization")),
        bare(53, "2.5.4.11", &["ou", "organizationalUnitName"], "unit of the organisation").sup("name").trigrams(),
        bare(54, "2.5.4.32", &["owner"], "who owns the object").sup("distinguishedName"),
        text(55, "2.5.4.19", &["physicalDeliveryOfficeName"], "post office").max(128),
        postal(56, "2.5.4.16", &["postalAddress"], "postal address").claim("address.formatted").scim("addresses[type eq \"work\"].formatted"),
        text(57, "2.5.4.17", &["postalCode"], "postal code").max(40).scim("addresses[type eq \"work\"].postalCode").claim("address.postal_code"),
        text(58, "2.5.4.18", &["postOfficeBox"], "box at the post office").max(40),
        opaque(59, "2.5.4.28", &["preferredDeliveryMethod"], "how to deliver messages", Syntax::DeliveryMethod).single(),
        bare(60, "2.5.4.26", &["registeredAddress"], "address for registered mail").sup("postalAddress"),
        bare(61, "2.5.4.33", &["roleOccupant"], "who fills the role").sup("distinguishedName"),
        opaque(62, "2.5.4.14", &["searchGuide"], "how to search below", Syntax::Guide),
        bare(63, "2.5.4.34", &["seeAlso"], "related entry").sup("distinguishedName"),
        printable(64, "2.5.4.5", &["serialNumber"], "serial number of the device").max(64),
        bare(65, "2.5.4.4", &["sn", "surname"], "family name").sup("name").trigrams().scim("name.familyName").claim("family_name"),
        bare(66, "2.5.4.8", &["st", "stateOrProvinceName"], "state or province").sup("name").scim("addresses[type eq \"work\"].region").claim("address.region"),
        text(67, "2.5.4.9", &["street", "streetAddress"], "street and number").max(128).scim("addresses[type eq \"work\"].streetAddress").claim("address.street_address"),
        telephone(68, "2.5.4.20", &["telephoneNumber"], "telephone number").max(32).scim("phoneNumbers[type eq \"work\"].value").claim("phone_number"),
        opaque(69, "2.5.4.22", &["teletexTerminalIdentifier"], "teletex terminal", Syntax::TeletexTerminalIdentifier),
        opaque(70, "2.5.4.21", &["telexNumber"], "telex number", Syntax::TelexNumber),
        bare(71, "2.5.4.12", &["title"], "position in the organisation").sup("name").scim("title"),
        text(72, "0.9.2342.19200300.100.1.1", &["uid", "userid"], "name that the account logs in with").max(256).trigrams().scim("userName").claim("preferred_username"),
        opaque(73, "2.5.4.50", &["uniqueMember"], "member of the group", Syntax::NameAndOptionalUid).eq(Rule::UniqueMemberMatch).stored(Storage::Edge),
        octets(74, "2.5.4.35", &["userPassword"], "password; never read back").max(128).stored(Storage::Credential).no_index().scim("password"),
        numeric(75, "2.5.4.24", &["x121Address"], "X.121 address").max(15),
        bits(76, "2.5.4.45", &["x500UniqueIdentifier"], "part that tells re-used names apart"),
    ],
    classes: &[
        structural(6, "2.5.6.11", &["applicationProcess"], "application that runs somewhere").must("cn").may("seeAlso ou l description"),
        structural(7, "2.5.6.2", &["country"], "country").must("c").may("searchGuide description").rdn("c"),
        auxiliary(8, "1.3.6.1.4.1.1466.344", &["dcObject"], "is named by a domain label").must("dc").rdn("dc"),
        structural(9, "2.5.6.14", &["device"], "device").must("cn").may("serialNumber seeAlso owner ou o l description"),
        structural(10, "2.5.6.9", &["groupOfNames"], "group").must("cn").may("member businessCategory seeAlso owner ou o description"),
        structural(11, "2.5.6.17", &["groupOfUniqueNames"], "group whose members may carry an identifier").must("cn").may("uniqueMember businessCategory seeAlso owner ou o description"),
        structural(12, "2.5.6.3", &["locality"], "place").may("street seeAlso searchGuide st l description").rdn("l st"),
        structural(13, "2.5.6.4", &["organization"], "organisation").must("o").may("userPassword searchGuide seeAlso businessCategory x121Address registeredAddress destinationIndicator preferredDeliveryMethod telexNumber teletexTerminalIdentifier telephoneNumber internationalISDNNumber facsimileTelephoneNumber street postOfficeBox postalCode postalAddress physicalDeliveryOfficeName st l description").rdn("o"),
        structural(14, "2.5.6.7", &["organizationalPerson"], "person who works in an organisation").sup("person").may("title x121Address registeredAddress destinationIndicator preferredDeliveryMethod telexNumber teletexTerminalIdentifier telephoneNumber internationalISDNNumber facsimileTelephoneNumber street postOfficeBox postalCode postalAddress physicalDeliveryOfficeName ou st l").rdn("cn uid"),
        structural(15, "2.5.6.8", &["organizationalRole"], "position that somebody fills").must("cn").may("x121Address registeredAddress destinationIndicator preferredDeliveryMethod telexNumber teletexTerminalIdentifier telephoneNumber internationalISDNNumber facsimileTelephoneNumber seeAlso roleOccupant street postOfficeBox postalCode postalAddress physicalDeliveryOfficeName ou st l description"),
        structural(16, "2.5.6.5", &["organizationalUnit"], "unit of an organisation").must("ou").may("businessCategory description destinationIndicator facsimileTelephoneNumber internationalISDNNumber l physicalDeliveryOfficeName postalAddress postalCode postOfficeBox preferredDeliveryMethod registeredAddress searchGuide seeAlso st street telephoneNumber teletexTerminalIdentifier telexNumber userPassword x121Address").rdn("ou"),
        structural(17, "2.5.6.6", &["person"], "human being").must("sn cn").may("userPassword telephoneNumber seeAlso description"),
        structural(18, "2.5.6.10", &["residentialPerson"], "person at home").sup("person").must("l").may("businessCategory x121Address registeredAddress destinationIndicator preferredDeliveryMethod telexNumber teletexTerminalIdentifier telephoneNumber internationalISDNNumber facsimileTelephoneNumber street postOfficeBox postalCode postalAddress physicalDeliveryOfficeName st"),
        auxiliary(19, "1.3.6.1.1.3.1", &["uidObject"], "is named by an account's name").must("uid").rdn("uid"),
    ],
};

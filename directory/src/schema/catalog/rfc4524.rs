//! The COSINE types: RFC 4524, all of it.

use super::{
    enterprise,
    line::{Table, auxiliary, dn, ia5, postal, structural, telephone, text},
};

#[rustfmt::skip]
pub(super) const TABLE: Table = Table {
    origin: "RFC 4524",
    attributes: &[
        ia5(84, "0.9.2342.19200300.100.1.37", &["associatedDomain"], "domain that belongs to the entry"),
        dn(85, "0.9.2342.19200300.100.1.38", &["associatedName"], "entry that belongs to the domain"),
        text(86, "0.9.2342.19200300.100.1.48", &["buildingName"], "name of the building").max(256),
        text(87, "0.9.2342.19200300.100.1.43", &["co", "friendlyCountryName"], "name of the country for people"),
        dn(88, "0.9.2342.19200300.100.1.14", &["documentAuthor"], "who wrote the document"),
        text(89, "0.9.2342.19200300.100.1.11", &["documentIdentifier"], "identifier of the document").max(256),
        text(90, "0.9.2342.19200300.100.1.15", &["documentLocation"], "where the original is").max(256),
        text(91, "0.9.2342.19200300.100.1.56", &["documentPublisher"], "who published the document"),
        text(92, "0.9.2342.19200300.100.1.12", &["documentTitle"], "title of the document").max(256),
        text(93, "0.9.2342.19200300.100.1.13", &["documentVersion"], "version of the document").max(256),
        text(94, "0.9.2342.19200300.100.1.5", &["drink", "favouriteDrink"], "favourite drink").max(256),
        telephone(95, "0.9.2342.19200300.100.1.20", &["homePhone", "homeTelephoneNumber"], "telephone number at home").scim("phoneNumbers[type eq \"home\"].value"),
        postal(96, "0.9.2342.19200300.100.1.39", &["homePostalAddress"], "postal address at home").scim("addresses[type eq \"home\"].formatted"),
        text(97, "0.9.2342.19200300.100.1.9", &["host"], "computer that the account may use").max(256),
        text(98, "0.9.2342.19200300.100.1.4", &["info"], "general information").max(2048),
        ia5(99, "0.9.2342.19200300.100.1.3", &["mail", "rfc822Mailbox"], "e-mail address").max(256).trigrams().scim("emails[type eq \"work\"].value").claim("email"),
        dn(100, "0.9.2342.19200300.100.1.10", &["manager"], "whom the person reports to").scim(enterprise!("manager.value")),
        telephone(101, "0.9.2342.19200300.100.1.41", &["mobile", "mobileTelephoneNumber"], "mobile telephone number").scim("phoneNumbers[type eq \"mobile\"].value"),
        text(102, "0.9.2342.19200300.100.1.45", &["organizationalStatus"], "status in the organisation").max(256),
        telephone(103, "0.9.2342.19200300.100.1.42", &["pager", "pagerTelephoneNumber"], "pager number").scim("phoneNumbers[type eq \"pager\"].value"),
        text(104, "0.9.2342.19200300.100.1.40", &["personalTitle"], "title that goes before the name").max(256).scim("name.honorificPrefix"),
        text(105, "0.9.2342.19200300.100.1.6", &["roomNumber"], "room").max(256),
        dn(106, "0.9.2342.19200300.100.1.21", &["secretary"], "secretary of the person"),
        text(107, "0.9.2342.19200300.100.1.44", &["uniqueIdentifier"], "part that tells re-used names apart").whole().max(256),
        text(108, "0.9.2342.19200300.100.1.8", &["userClass"], "kind of computer user").max(256),
    ],
    classes: &[
        structural(28, "0.9.2342.19200300.100.4.5", &["account"], "account on a computer").must("uid").may("description seeAlso l o ou host").rdn("uid"),
        structural(29, "0.9.2342.19200300.100.4.6", &["document"], "document").must("documentIdentifier").may("cn description seeAlso l o ou documentTitle documentVersion documentAuthor documentLocation documentPublisher").rdn("documentIdentifier"),
        structural(30, "0.9.2342.19200300.100.4.9", &["documentSeries"], "series of documents").must("cn").may("description l o ou seeAlso telephoneNumber"),
        structural(31, "0.9.2342.19200300.100.4.13", &["domain"], "domain of the Internet").must("dc").may("userPassword searchGuide seeAlso businessCategory x121Address registeredAddress destinationIndicator preferredDeliveryMethod telexNumber teletexTerminalIdentifier telephoneNumber internationalISDNNumber facsimileTelephoneNumber street postOfficeBox postalCode postalAddress physicalDeliveryOfficeName st l description o associatedName").rdn("dc"),
        auxiliary(32, "0.9.2342.19200300.100.4.17", &["domainRelatedObject"], "belongs to a domain").must("associatedDomain").rdn(""),
        structural(33, "0.9.2342.19200300.100.4.18", &["friendlyCountry"], "country with a name for people").sup("country").must("co").rdn("c"),
        structural(34, "0.9.2342.19200300.100.4.14", &["rFC822localPart"], "what stands before the @ of an address").sup("domain").may("cn description destinationIndicator facsimileTelephoneNumber internationalISDNNumber physicalDeliveryOfficeName postalAddress postalCode postOfficeBox preferredDeliveryMethod registeredAddress seeAlso sn street telephoneNumber teletexTerminalIdentifier telexNumber x121Address").rdn("dc"),
        structural(35, "0.9.2342.19200300.100.4.7", &["room"], "room").must("cn").may("roomNumber description seeAlso telephoneNumber"),
        auxiliary(36, "0.9.2342.19200300.100.4.19", &["simpleSecurityObject"], "binds with a password").must("userPassword").rdn(""),
    ],
};

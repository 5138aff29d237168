//! People on the Internet: RFC 2798, with `labeledURI` of RFC 2079 and the two types of RFC 1274 that it refers to.

use super::{
    enterprise,
    line::{Table, auxiliary, exact, opaque, structural, text},
};
use crate::schema::syntax::Syntax;

#[rustfmt::skip]
pub(super) const TABLE: Table = Table {
    origin: "RFC 2798",
    attributes: &[
        text(109, "2.16.840.1.113730.3.1.1", &["carLicense"], "number plate of the car"),
        text(110, "2.16.840.1.113730.3.1.2", &["departmentNumber"], "department in the organisation").scim(enterprise!("department")),
        text(111, "2.16.840.1.113730.3.1.241", &["displayName"], "name to show").single().trigrams().scim("displayName"),
        text(112, "2.16.840.1.113730.3.1.3", &["employeeNumber"], "number of the employee").single().scim(enterprise!("employeeNumber")),
        text(113, "2.16.840.1.113730.3.1.4", &["employeeType"], "kind of employment").scim("userType"),
        opaque(114, "0.9.2342.19200300.100.1.60", &["jpegPhoto"], "photograph", Syntax::JpegPhoto).scim("photos[type eq \"photo\"].value"),
        text(115, "2.16.840.1.113730.3.1.39", &["preferredLanguage"], "language that the person prefers").single().scim("preferredLanguage"),
        opaque(116, "2.16.840.1.113730.3.1.40", &["userSMIMECertificate"], "certificate for S/MIME, as PKCS #7", Syntax::Binary),
        opaque(117, "2.16.840.1.113730.3.1.216", &["userPKCS12"], "personal data, as PKCS #12", Syntax::Binary),
        exact(118, "1.3.6.1.4.1.250.1.57", &["labeledURI"], "address on the web, and a label").scim("profileUrl").claim("website").from("RFC 2079"),
        opaque(119, "0.9.2342.19200300.100.1.55", &["audio"], "recording", Syntax::Audio).max(250_000).from("RFC 1274"),
        opaque(120, "0.9.2342.19200300.100.1.7", &["photo"], "photograph, as a fax", Syntax::Fax).max(250_000).from("RFC 1274"),
    ],
    classes: &[
        structural(37, "2.16.840.1.113730.3.2.2", &["inetOrgPerson"], "person with an account").sup("organizationalPerson").may("audio businessCategory carLicense departmentNumber displayName employeeNumber employeeType givenName homePhone homePostalAddress initials jpegPhoto labeledURI mail manager mobile o pager photo roomNumber secretary uid userCertificate x500UniqueIdentifier preferredLanguage userSMIMECertificate userPKCS12").rdn("uid cn"),
        auxiliary(38, "1.3.6.1.4.1.250.3.15", &["labeledURIObject"], "has an address on the web").may("labeledURI").rdn("").from("RFC 2079"),
    ],
};

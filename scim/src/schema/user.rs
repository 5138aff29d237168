//! The schema of users: RFC 7643 §4.1 and §8.7.1.
//!
//! One departure: `userName` is immutable, because a username never changes once the account exists.

use super::attribute::{Attribute, Returned, Uniqueness, binary, boolean, complex, reference, text};
use super::{Schema, USER};

/// The schema.
pub(super) fn schema() -> Schema {
    let mut attributes = naming();
    attributes.extend(contact());
    attributes.extend(standing());
    Schema::new(USER, "User", "An account of a person or an application", attributes)
}

fn naming() -> Vec<Attribute> {
    vec![
        text("userName", "Name that the account logs in with; it never changes")
            .required()
            .immutable()
            .unique(Uniqueness::Server),
        complex(
            "name",
            "Parts of the name of the person",
            vec![
                text("formatted", "Whole name, as it is shown"),
                text("familyName", "Family name"),
                text("givenName", "Given name"),
                text("middleName", "Middle names"),
                text("honorificPrefix", "Title before the name, such as Dr."),
                text("honorificSuffix", "What follows the name, such as Jr."),
            ],
        ),
        text("displayName", "Name to show"),
        text("nickName", "Casual name"),
        reference("profileUrl", &["external"], "Page about the person"),
        text("title", "Position in the organisation"),
        text("userType", "Kind of employment, such as Contractor"),
        text("preferredLanguage", "Languages that the person prefers, as in the header Accept-Language"),
        text("locale", "Language and region for dates, numbers and currency, such as en-GB"),
        text("timezone", "Time zone by its name in the database of IANA, such as Europe/Berlin"),
        boolean("active", "Whether an administrator lets the account log in; locks and dormancy are not told here"),
        text("password", "Password, in clear; it is never read back").secret(),
    ]
}

fn contact() -> Vec<Attribute> {
    vec![
        plural("emails", "Addresses for electronic mail", text("value", "Address"), &["work", "home", "other"]),
        plural(
            "phoneNumbers",
            "Telephone numbers",
            text("value", "Number, preferably as a tel URI of RFC 3966"),
            &["work", "home", "mobile", "fax", "pager", "other"],
        ),
        plural(
            "ims",
            "Addresses for instant messages",
            text("value", "Address"),
            &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
        ),
        plural(
            "photos",
            "Pictures of the person",
            reference("value", &["external"], "Address of the picture"),
            &["photo", "thumbnail"],
        ),
        complex(
            "addresses",
            "Postal addresses",
            vec![
                text("formatted", "Whole address, as it is shown or printed on an envelope"),
                text("streetAddress", "Street and number"),
                text("locality", "City or place"),
                text("region", "State or region"),
                text("postalCode", "Postal code"),
                text("country", "Country, as two letters of ISO 3166-1"),
                text("type", "What the address is for").canonical(&["work", "home", "other"]),
                boolean("primary", "Whether this address is the preferred one; at most one is"),
            ],
        )
        .many(),
    ]
}

fn standing() -> Vec<Attribute> {
    let groups = complex(
        "groups",
        "Groups that the account is in, directly or through other groups",
        vec![
            text("value", "Identifier of the group").exact(),
            reference("$ref", &["User", "Group"], "URI of the group"),
            text("display", "Name of the group"),
            text("type", "Whether the membership is direct").canonical(&["direct", "indirect"]),
        ],
    )
    .many()
    .read_only()
    .edges();
    vec![
        groups,
        plural("entitlements", "What the account is entitled to", text("value", "Name of the entitlement"), &[]),
        plural("roles", "Roles that the account holds", text("value", "Name of the role"), &[]),
        plural("x509Certificates", "Certificates of the person", binary("value", "Certificate, as DER"), &[]),
    ]
}

/// A multi-valued attribute with the sub-attributes of RFC 7643 §2.4.
fn plural(name: &str, description: &str, value: Attribute, types: &[&str]) -> Attribute {
    complex(
        name,
        description,
        vec![
            value,
            text("display", "Name to show for the value"),
            text("type", "What the value is for").canonical(types),
            boolean("primary", "Whether this value is the preferred one; at most one is"),
        ],
    )
    .many()
    .returned(Returned::Default)
}

//! Extensions made of the directory's run-time attributes.
//!
//! An attribute type defined at run time whose SCIM face is `URN:name` is the attribute `name` of the extension `URN`. The
//! extension belongs to groups when the URN ends in `:Group`, else to users.

use directory::schema::{self as catalog, FIRST_CUSTOM, MatchingRule, Syntax};

use super::attribute::{Attribute, Kind, Uniqueness, attribute};
use super::{ACCOUNT_STATE, ENTERPRISE_USER, GROUP, ROLE, Schema, USER};

/// The extensions, in the order of their first attribute; true: of groups.
pub(super) fn extensions(schema: &catalog::Schema) -> Vec<(bool, Schema)> {
    let mut extensions: Vec<(bool, Schema)> = Vec::new();
    for line in schema.attributes().filter(|line| line.id.0 >= FIRST_CUSTOM) {
        let Some((urn, name)) = line.scim.and_then(split) else { continue };
        let attribute = std::sync::Arc::new(of(name, line));
        match extensions.iter_mut().find(|(_, known)| known.id.eq_ignore_ascii_case(urn)) {
            Some((_, known)) if known.attribute(name).is_none() => known.attributes.push(attribute),
            Some(_) => {}
            None => {
                let title = urn.rsplit(':').next().unwrap_or(urn);
                let mut made = Schema::new(urn, title, "Attributes defined by the administrator", Vec::new());
                made.attributes.push(attribute);
                extensions.push((title.eq_ignore_ascii_case("Group"), made));
            }
        }
    }
    extensions
}

/// `URN:name`, when it is one that a client can address: the URIs of the shipped schemas are taken.
fn split(face: &str) -> Option<(&str, &str)> {
    let (urn, name) = face.rsplit_once(':')?;
    let shipped = [USER, ENTERPRISE_USER, GROUP, ACCOUNT_STATE, ROLE];
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let is_urn = urn.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn:"));
    (is_name && is_urn && !shipped.iter().any(|uri| uri.eq_ignore_ascii_case(urn))).then_some((urn, name))
}

fn of(name: &str, line: &catalog::AttributeType) -> Attribute {
    let kind = match line.syntax {
        Syntax::Boolean => Kind::Boolean,
        Syntax::Integer => Kind::Integer,
        Syntax::GeneralizedTime | Syntax::UtcTime => Kind::DateTime,
        Syntax::OctetString | Syntax::Binary | Syntax::JpegPhoto | Syntax::Audio | Syntax::Fax => Kind::Binary,
        _ => Kind::String,
    };
    let case_exact = matches!(kind, Kind::Binary) || line.equality.is_none_or(keeps_case);
    let made = Attribute { case_exact, ..attribute(name, kind, line.description) };
    let made = if line.single_value { made } else { made.many() };
    let made = if line.no_user_modification { made.read_only() } else { made };
    made.unique(Uniqueness::None)
}

/// Whether two values that differ in case only are two values.
fn keeps_case(rule: MatchingRule) -> bool {
    !rule.name().to_ascii_lowercase().contains("caseignore")
}

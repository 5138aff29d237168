//! Entries that are not in the tree: the root DSE and the subschema entry, evaluated and sent by the door itself.
//!
//! Owns the little that such an entry needs of a search: three-valued evaluation of a filter (RFC 4511 §4.5.1.7) over
//! text values compared without case, and the selection of attributes. Anybody may read what is here.

use directory::filter::Filter;
use std::borrow::Cow;

/// One attribute.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    /// Returned for `+` or by name only.
    pub(crate) operational: bool,
    pub(crate) values: Vec<Cow<'static, str>>,
}

impl Attribute {
    pub(crate) fn user(
        name: &'static str,
        values: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Attribute {
        Attribute { name, operational: false, values: values.into_iter().map(Into::into).collect() }
    }

    pub(crate) fn operational(
        name: &'static str,
        values: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Attribute {
        Attribute { operational: true, ..Attribute::user(name, values) }
    }
}

/// Whether an entry of these attributes satisfies a filter; none: undefined.
pub(crate) fn evaluate(filter: &Filter, attributes: &[Attribute]) -> Option<bool> {
    match filter {
        Filter::And(parts) => all(parts.iter().map(|part| evaluate(part, attributes))),
        // De Morgan holds in three values too.
        Filter::Or(parts) => all(parts.iter().map(|part| evaluate(part, attributes).map(|v| !v))).map(|v| !v),
        Filter::Not(part) => evaluate(part, attributes).map(|value| !value),
        Filter::Present(name) => Some(find(attributes, name).is_some()),
        Filter::Equal(name, value) | Filter::Approximate(name, value) => {
            let attribute = find(attributes, name)?;
            Some(attribute.values.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(value)))
        }
        Filter::GreaterOrEqual(..)
        | Filter::LessOrEqual(..)
        | Filter::Substrings { .. }
        | Filter::Extensible { .. } => None,
    }
}

fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for part in parts {
        match part {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}

fn find<'a>(attributes: &'a [Attribute], name: &[u8]) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.as_bytes().eq_ignore_ascii_case(name))
}

/// Whether a request for these attributes (RFC 4511 §4.5.1.8) includes this one, and in which spelling it is returned.
pub(crate) fn selected<'a>(attribute: &'a Attribute, requested: impl Iterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    let mut any = false;
    let mut wildcard = false;
    for name in requested {
        any = true;
        if name.eq_ignore_ascii_case(attribute.name.as_bytes()) {
            return Some(name);
        }
        wildcard |= name == if attribute.operational { b"+" } else { b"*" };
    }
    let by_default = !any && !attribute.operational;
    (wildcard || by_default).then_some(attribute.name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(name: &str, value: &str) -> Filter {
        Filter::Equal(name.into(), value.into())
    }

    #[test]
    fn filters_are_decided_in_three_values() {
        // Goal: the truth table of RFC 4511 §4.5.1.7 with RFC 4526, over an entry with one class and one name.
        let entry = [Attribute::user("objectClass", ["top", "subentry"]), Attribute::user("cn", ["Subschema"])];
        let unknown = || equal("x", "y");
        let cases = [
            (Filter::Present(b"OBJECTCLASS".to_vec()), Some(true)),
            (Filter::Present(b"sn".to_vec()), Some(false)),
            (equal("objectclass", "SubEntry"), Some(true)),
            (equal("objectClass", "person"), Some(false)),
            (unknown(), None),
            (Filter::And(vec![]), Some(true)),
            (Filter::Or(vec![]), Some(false)),
            (Filter::And(vec![equal("cn", "subschema"), unknown()]), None),
            (Filter::And(vec![unknown(), equal("cn", "z")]), Some(false)),
            (Filter::Or(vec![unknown(), equal("cn", "subschema")]), Some(true)),
            (Filter::Or(vec![unknown(), equal("cn", "z")]), None),
            (Filter::Not(Box::new(unknown())), None),
            (Filter::Not(Box::new(equal("cn", "z"))), Some(true)),
        ];
        for (filter, expected) in cases {
            assert_eq!(evaluate(&filter, &entry), expected, "{filter:?}");
        }
    }

    #[test]
    fn attributes_are_selected_as_for_any_entry() {
        // Goal: nothing and `*` give user attributes, `+` operational ones, a name its own in the spelling asked for.
        let user = Attribute::user("objectClass", ["top"]);
        let operational = Attribute::operational("namingContexts", ["dc=x"]);
        let cases: &[(&[&str], Option<&str>, Option<&str>)] = &[
            (&[], Some("objectClass"), None),
            (&["*"], Some("objectClass"), None),
            (&["+"], None, Some("namingContexts")),
            (&["*", "+"], Some("objectClass"), Some("namingContexts")),
            (&["NAMINGCONTEXTS"], None, Some("NAMINGCONTEXTS")),
            (&["*", "objectclass"], Some("objectclass"), None),
            (&["1.1"], None, None),
            (&["cn"], None, None),
        ];
        for (requested, of_user, of_operational) in cases {
            let names = || requested.iter().map(|name| name.as_bytes());
            assert_eq!(selected(&user, names()), of_user.map(str::as_bytes), "{requested:?}");
            assert_eq!(selected(&operational, names()), of_operational.map(str::as_bytes), "{requested:?}");
        }
    }
}

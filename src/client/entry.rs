//! An entry as a search found it: its name, and values by attribute name, in memory of its own.

use ldap::wire::ber::List;
use ldap::wire::message::Attribute;

/// One found entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its DN; octets that are no UTF-8 are shown as replacement characters.
    pub dn: String,
    attributes: Vec<(String, Vec<String>)>,
}

impl Entry {
    /// Takes over what was received.
    pub fn of(dn: &[u8], attributes: List<'_, Attribute<'_>>) -> Entry {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let attributes = attributes.iter().map(|a| (text(a.description), a.values.iter().map(text).collect()));
        Entry { dn: text(dn), attributes: attributes.collect() }
    }

    /// The values of an attribute; the name's case does not matter.
    pub fn values(&self, name: &str) -> &[String] {
        let found = self.attributes.iter().find(|(held, _)| held.eq_ignore_ascii_case(name));
        found.map(|(_, values)| values.as_slice()).unwrap_or_default()
    }

    /// The first value of an attribute.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).first().map(String::as_str)
    }
}

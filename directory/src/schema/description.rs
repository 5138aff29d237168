//! Attribute descriptions: a type with options, as clients write it (RFC 4512 §2.5).
//!
//! Owns the parsing and the relation between a description and its subtypes. Called for every attribute list, filter
//! item and modification on the wire. A description without options, which is nearly every one, does not allocate.

#![deny(clippy::arithmetic_side_effects)]

use super::{Schema, attribute::AttributeId, syntax::is_descr};

/// Descriptions longer than this, in bytes, are refused.
pub const MAX_LENGTH: usize = 1024;

/// Why a description could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// Not of the form `type;option;…`.
    #[error("malformed attribute description")]
    Malformed,
    /// Well-formed, but the schema has no such type.
    #[error("unknown attribute type")]
    Unknown,
}

/// A type and its options.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeDescription {
    /// The type.
    pub id: AttributeId,
    /// The tagging options in lower case, sorted, without repetition and without `binary`. One that ends in a
    /// hyphen is a language range (RFC 3866 §3) and has a meaning only in requests.
    pub options: Vec<Box<str>>,
    /// Whether values travel in binary (RFC 4522); not a tagging option, as it does not make another attribute.
    pub binary: bool,
}

impl From<AttributeId> for AttributeDescription {
    fn from(id: AttributeId) -> Self {
        AttributeDescription { id, options: Vec::new(), binary: false }
    }
}

impl AttributeDescription {
    /// Reads `cn`, `2.5.4.3`, `cn;lang-de`, `userCertificate;binary`.
    ///
    /// # Errors
    /// See [`DescriptionError`].
    pub fn parse(schema: &Schema, text: &[u8]) -> Result<AttributeDescription, DescriptionError> {
        if text.len() > MAX_LENGTH {
            return Err(DescriptionError::Malformed);
        }
        let mut parts = text.split(|byte| *byte == b';');
        let name = parts.next().unwrap_or_default();
        let mut options: Vec<Box<str>> = Vec::new();
        let mut binary = false;
        for option in parts {
            let is_option =
                !option.is_empty() && option.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
            if !is_option {
                return Err(DescriptionError::Malformed);
            }
            if option.eq_ignore_ascii_case(b"binary") {
                binary = true;
            } else {
                options.push(String::from_utf8_lossy(option).to_ascii_lowercase().into());
            }
        }
        options.sort_unstable();
        options.dedup();
        match schema.find_attribute(name) {
            // RFC 4522 §3: an option that the type does not have makes the description one of an unknown attribute.
            // The server's own attributes have no options (RFC 4512 §2.5.2 leaves them to definition, and none is defined).
            Some(attribute) if !options.is_empty() && attribute.is_operational() => Err(DescriptionError::Unknown),
            Some(attribute) if binary && !attribute.syntax.needs_binary_transfer() => Err(DescriptionError::Unknown),
            Some(attribute) => Ok(AttributeDescription { id: attribute.id, options, binary }),
            None if is_descr(name) || super::syntax::is_numeric_oid(name) => Err(DescriptionError::Unknown),
            None => Err(DescriptionError::Malformed),
        }
    }

    /// Whether values of this description are also values of `other`: its type is below or the same, and it has
    /// every option of the other (RFC 4512 §2.5.2, §2.5.3).
    pub fn is_subtype_of(&self, other: &AttributeDescription, schema: &Schema) -> bool {
        (self.id == other.id || schema.subtypes(other.id).contains(&self.id)) && self.has_options_of(other)
    }

    /// Whether every option of `other` is among those of this description; a language range is covered by any
    /// language in it.
    pub fn has_options_of(&self, other: &AttributeDescription) -> bool {
        other.covers(&self.options.iter().map(|own| own.as_bytes()))
    }

    /// Whether every option of this description is among these; a language range covers any language in it.
    pub fn covers<'o>(&self, options: &(impl Iterator<Item = &'o [u8]> + Clone)) -> bool {
        self.options.iter().all(|wanted| {
            options.clone().any(|own| {
                let range = wanted.strip_suffix('-').is_some_and(|language| own == language.as_bytes());
                own == wanted.as_bytes() || range || (wanted.ends_with('-') && own.starts_with(wanted.as_bytes()))
            })
        })
    }

    /// Whether it asks for a range of languages, which is no description that an attribute can have.
    pub fn is_range(&self) -> bool {
        self.options.iter().any(|option| option.ends_with('-'))
    }

    /// The canonical text.
    pub fn to_text(&self, schema: &Schema) -> String {
        let mut text = schema.attribute(self.id).name().to_owned();
        for option in self.options.iter().map(|option| &**option).chain(self.binary.then_some("binary")) {
            text.push(';');
            text.push_str(option);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<AttributeDescription, DescriptionError> {
        AttributeDescription::parse(&Schema::standard(), text.as_bytes())
    }

    #[test]
    fn descriptions_have_one_canonical_text() {
        // Goal: names, OIDs, case and the order of options do not make another attribute.
        let cases = [
            ("cn", "cn"),
            ("CommonName", "cn"),
            ("2.5.4.3", "cn"),
            ("CN;Lang-DE", "cn;lang-de"),
            ("cn;x-b;lang-de;x-a;lang-de", "cn;lang-de;x-a;x-b"),
            ("usercertificate;BINARY", "userCertificate;binary"),
            ("userCertificate;binary;x-a", "userCertificate;x-a;binary"),
            ("cn;lang-de-", "cn;lang-de-"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap().to_text(&Schema::standard()), expected, "{text}");
        }
    }

    #[test]
    fn malformed_and_unknown_descriptions_differ() {
        // Goal: a door answers undefinedAttributeType to the one and protocolError or nothing to the other.
        for text in ["", ";", "cn;", ";lang-de", "cn;;x", "cn;a_b", "c n", "cn ", "-cn", "1", "1.2.", "cn;é", "c\0n"] {
            assert_eq!(parse(text), Err(DescriptionError::Malformed), "{text:?}");
        }
        for text in ["noSuchType", "1.2.3.4", "noSuchType;lang-de", "cn;binary", "entryUUID;x-a"] {
            assert_eq!(parse(text), Err(DescriptionError::Unknown), "{text:?}");
        }
        assert_eq!(parse(&"a".repeat(MAX_LENGTH + 1)), Err(DescriptionError::Malformed));
    }

    #[test]
    fn subtypes_have_all_options_of_their_supertypes() {
        // Goal: RFC 4512 §2.5: below by type, by option, or by both; and language ranges of RFC 3866.
        let cases = [
            ("cn", "cn", true),
            ("cn", "name", true),
            ("name", "cn", false),
            ("cn;lang-de", "cn", true),
            ("cn;lang-de", "name", true),
            ("cn", "cn;lang-de", false),
            ("cn;lang-de;x-a", "cn;x-a", true),
            ("cn;lang-de;x-a", "name;lang-de;x-b", false),
            ("cn;lang-de-at", "cn;lang-de-", true),
            ("cn;lang-de", "cn;lang-de-", true),
            ("cn;lang-den", "cn;lang-de-", false),
            ("cn;lang-de-at", "cn;lang-de", false),
            ("userCertificate;binary", "userCertificate", true),
            ("userCertificate", "userCertificate;binary", true),
        ];
        let schema = Schema::standard();
        for (below, above, expected) in cases {
            let answer = parse(below).unwrap().is_subtype_of(&parse(above).unwrap(), &schema);
            assert_eq!(answer, expected, "{below} {above}");
        }
    }
}

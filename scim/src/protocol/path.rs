//! Attribute paths: `[URN:]name[.sub]` (RFC 7644 §3.10).
//!
//! Owns the split of a path into its parts and the way to the schema. Text is read by [`crate::protocol::filter`]'s lexer.

use std::fmt;

use crate::schema::{Place, ResourceType};

/// A path as a client wrote it, in its parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttrPath {
    /// The URN before the last colon.
    pub urn: Option<String>,
    /// The attribute.
    pub name: String,
    /// The sub-attribute.
    pub sub: Option<String>,
}

impl AttrPath {
    /// Reads a path; none when it is not one. A URN of a schema alone is read as well: its last part is taken for a name,
    /// and [`AttrPath::extension`] finds what was meant.
    pub fn read(text: &str) -> Option<AttrPath> {
        let (urn, rest) = match text.rsplit_once(':') {
            Some((urn, rest)) if is_urn(urn) => (Some(urn.to_owned()), rest),
            Some(_) => return None,
            None => (None, text),
        };
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        // The last part of a schema's URN may be a version such as `2.0`.
        let legal = |part: &str| if urn.is_some() { is_word(part) } else { is_name(part) };
        if !legal(name) || !sub.is_none_or(legal) {
            return None;
        }
        Some(AttrPath { urn, name: name.to_owned(), sub: sub.map(str::to_owned) })
    }

    /// The URI of the extension (or of the core schema) that the whole path is, when it is one.
    pub fn extension<'a>(&self, kind: &'a ResourceType) -> Option<&'a str> {
        self.urn.as_ref()?;
        let whole = self.to_string();
        kind.schemas().map(|schema| schema.id.as_str()).find(|id| id.eq_ignore_ascii_case(&whole))
    }

    /// What the path names in resources of `kind`.
    pub fn place(&self, kind: &ResourceType) -> Option<Place> {
        kind.place(self.urn.as_deref(), &self.name, self.sub.as_deref())
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            write!(f, "{urn}:")?;
        }
        f.write_str(&self.name)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

/// `ATTRNAME`, and `$ref`.
pub(crate) fn is_name(part: &str) -> bool {
    let rest = part.strip_prefix('$').unwrap_or(part);
    rest.starts_with(|first: char| first.is_ascii_alphabetic()) && is_word(rest)
}

fn is_word(part: &str) -> bool {
    let rest = part.strip_prefix('$').unwrap_or(part);
    !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_urn(urn: &str) -> bool {
    let body = urn.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("urn:")).and(urn.get(4..));
    body.is_some_and(|body| !body.is_empty() && body.split(':').all(|part| !part.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_into_its_parts() {
        // Goal: URNs with dots, sub-attributes and `$ref` are told apart (RFC 7644 §3.10).
        let path = |urn: Option<&str>, name: &str, sub: Option<&str>| {
            Some(AttrPath { urn: urn.map(Into::into), name: name.into(), sub: sub.map(Into::into) })
        };
        let core = Some("urn:ietf:params:scim:schemas:core:2.0:User");
        let rows = [
            ("userName", path(None, "userName", None)),
            ("name.familyName", path(None, "name", Some("familyName"))),
            ("manager.$ref", path(None, "manager", Some("$ref"))),
            ("urn:ietf:params:scim:schemas:core:2.0:User:name.givenName", path(core, "name", Some("givenName"))),
            ("urn:x:2.0", path(Some("urn:x"), "2", Some("0"))),
            ("a-b_c1", path(None, "a-b_c1", None)),
            ("", None),
            (".", None),
            ("name.", None),
            ("1a", None),
            ("a.b.c", None),
            ("http://x:y", None),
            ("urn::a", None),
            ("urn:a", None),
            ("roles[0]", None),
            ("meta.*", None),
            ("userName\u{200b}", None),
        ];
        for (text, wanted) in rows {
            assert_eq!(AttrPath::read(text), wanted, "{text}");
            if let Some(path) = AttrPath::read(text) {
                assert_eq!(path.to_string(), text);
            }
        }
    }
}

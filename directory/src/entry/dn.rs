//! Distinguished names: the text form of RFC 4514, and the key by which names are compared and stored.
//!
//! Owns parsing, printing and the canonical key. [`Dn`] keeps a name as it was written, for answers; [`DnKey`] is
//! what the store and every access decision use, so that all spellings of a name are one name. Does not know which
//! entries exist.
//!
//! Accepted beyond RFC 4514's grammar, as widespread servers do: spaces around `,` `+` `=`, the quoted values and the
//! `;` separator of RFC 1779, an escaped character or `\` with two hexadecimal digits anywhere in a value. Refused, as
//! they do: the `OID.` prefix, options in the type, an empty value, an empty RDN, unescaped `"` `<` `>` and NUL.
//! `#` with the BER of an octet string or of a string type is the value inside; other types are refused.
//!
//! Called for every base, bind and target name (ldap, scim), by the change path and by import.

#![deny(clippy::arithmetic_side_effects)]

mod key;
mod print;
mod scan;

#[cfg(test)]
mod tests;

pub use key::{DnKey, RdnKey, is_within, parent_of, rebase, split_rdn, subtree_end};

use scan::{End, Scan};

/// The longest name in bytes. A 64 KiB name is refused.
pub const MAX_BYTES: usize = 64 * 1024 - 1;

/// The most RDNs in a name.
pub const MAX_RDNS: usize = 1000;

/// Why a text is no distinguished name; every door answers `invalidDNSyntax` (RFC 4511 §4.1.9 code 34) or its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDn {
    /// More than [`MAX_BYTES`].
    #[error("the name is longer than 65535 bytes")]
    TooLong,
    /// More than [`MAX_RDNS`].
    #[error("the name has more than 1000 RDNs")]
    TooManyRdns,
    /// Not UTF-8 (RFC 4511 §4.1.3).
    #[error("the name is not UTF-8")]
    NotUtf8,
    /// Nothing between two separators, before the first or behind the last.
    #[error("an RDN is empty")]
    EmptyRdn,
    /// What stands before `=` is neither a name nor an OID (RFC 4512 §1.4), or `=` is missing.
    #[error("an attribute type is not well formed, or '=' is missing")]
    BadType,
    /// Nothing behind `=`.
    #[error("an attribute value is empty")]
    EmptyValue,
    /// `\` without a special character or two hexadecimal digits behind it.
    #[error("a backslash is followed by neither a special character nor two hexadecimal digits")]
    BadEscape,
    /// `#` without the BER of a string in hexadecimal behind it.
    #[error("'#' is not followed by the hexadecimal BER of a string")]
    BadHex,
    /// A character that must be escaped.
    #[error("a character must be escaped in an attribute value")]
    Unescaped,
    /// `"` without its partner, or text behind it.
    #[error("a quoted value does not end properly")]
    BadQuote,
    /// The schema does not know the type.
    #[error("an attribute type is unknown")]
    UnknownAttribute,
    /// A type that names nothing: without equality, holding names or secrets, or not kept in the entry.
    #[error("an attribute type cannot be part of a name")]
    NotNaming,
    /// The value breaks the syntax of its type.
    #[error("an attribute value breaks the syntax of its type")]
    BadValue,
    /// A type twice in one RDN (X.501 §9.3).
    #[error("an RDN names an attribute type twice")]
    RepeatedType,
    /// None or several RDNs where one was expected.
    #[error("exactly one RDN is expected")]
    NotOneRdn,
}

/// One assertion `type=value` of an RDN.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ava {
    /// The type as written: a name or a dotted OID; ASCII.
    pub attribute: String,
    /// The value without escapes; not empty, and UTF-8 for all but octet strings.
    pub value: Vec<u8>,
}

/// A relative distinguished name: the assertions in the order in which they were written; not empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rdn {
    /// The assertions.
    pub avas: Vec<Ava>,
}

/// A distinguished name as it was written, without the escapes. The empty one is the root DSE's.
///
/// `==` compares spellings; whether two names are the same is a question of [`DnKey`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Dn {
    /// The RDNs, the leaf first.
    pub rdns: Vec<Rdn>,
}

impl Dn {
    /// Parses the text form.
    ///
    /// # Errors
    /// The first thing that is wrong. Types and values are not looked at; see [`DnKey::of`].
    pub fn parse(text: &[u8]) -> Result<Dn, InvalidDn> {
        let mut rdns = Vec::new();
        let mut avas = Vec::new();
        for raw in Scan::new(text)? {
            let raw = raw?;
            let mut value = Vec::with_capacity(raw.value.len());
            raw.append_value(&mut value)?;
            // The scanner lets only ASCII letters, digits, `-` and `.` through.
            avas.push(Ava { attribute: String::from_utf8_lossy(raw.attribute).into_owned(), value });
            if raw.end != End::Ava {
                if rdns.len() >= MAX_RDNS {
                    return Err(InvalidDn::TooManyRdns);
                }
                rdns.push(Rdn { avas: std::mem::take(&mut avas) });
            }
        }
        Ok(Dn { rdns })
    }

    /// Whether this is the name of the root DSE.
    pub fn is_root(&self) -> bool {
        self.rdns.is_empty()
    }

    /// The leaf.
    pub fn rdn(&self) -> Option<&Rdn> {
        self.rdns.first()
    }

    /// The name of the parent; `None` for the root.
    pub fn parent(&self) -> Option<Dn> {
        self.rdns.split_first().map(|(_, rest)| Dn { rdns: rest.to_vec() })
    }

    /// The name of a child.
    #[must_use]
    pub fn child(&self, rdn: Rdn) -> Dn {
        Dn { rdns: std::iter::once(rdn).chain(self.rdns.iter().cloned()).collect() }
    }
}

impl Rdn {
    /// Parses a single RDN, as a rename has it.
    ///
    /// # Errors
    /// As [`Dn::parse`], and [`InvalidDn::NotOneRdn`].
    pub fn parse(text: &[u8]) -> Result<Rdn, InvalidDn> {
        let mut rdns = Dn::parse(text)?.rdns;
        match (rdns.pop(), rdns.is_empty()) {
            (Some(rdn), true) => Ok(rdn),
            _ => Err(InvalidDn::NotOneRdn),
        }
    }

    /// The RDN of one assertion.
    pub fn single(attribute: impl Into<String>, value: impl Into<Vec<u8>>) -> Rdn {
        Rdn { avas: vec![Ava { attribute: attribute.into(), value: value.into() }] }
    }
}

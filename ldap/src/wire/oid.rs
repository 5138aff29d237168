//! The syntax of object identifiers and attribute descriptions (RFC 4512 §1.4 and §2.5).
//!
//! Only the shape of names is judged here; whether a name exists is a question for the schema. Used by the
//! control decoder and by the string form of filters.
#![deny(clippy::arithmetic_side_effects)]

/// `numericoid`: at least two numbers joined by dots, none with a leading zero.
pub fn is_numeric_oid(text: &[u8]) -> bool {
    text.contains(&b'.') && text.split(|&octet| octet == b'.').all(is_number)
}

/// `oid`: a descriptor (letter, then letters, digits, hyphens) or a numeric OID.
pub fn is_oid(text: &[u8]) -> bool {
    is_descriptor(text) || is_numeric_oid(text)
}

/// `attributedescription`: an `oid` and options, each after a semicolon.
pub fn is_attribute_description(text: &[u8]) -> bool {
    let mut parts = text.split(|&octet| octet == b';');
    parts.next().is_some_and(is_oid)
        && parts.all(|option| !option.is_empty() && option.iter().copied().all(is_key_char))
}

fn is_descriptor(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic) && text.iter().copied().all(is_key_char)
}

fn is_number(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit) && !text.is_empty() && (text.len() == 1 || text.first() != Some(&b'0'))
}

const fn is_key_char(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: numeric OIDs by the grammar of RFC 4512.
    #[test]
    fn numeric_oids() {
        for good in ["1.2", "2.5.4.35", "1.2.840.113556.1.4.319", "0.9.2342"] {
            assert!(is_numeric_oid(good.as_bytes()), "{good}");
        }
        for bad in ["", "1", ".", "1.", ".1", "1..2", "1.02", "1.2a", "1.2 ", "cn"] {
            assert!(!is_numeric_oid(bad.as_bytes()), "{bad:?}");
        }
    }

    /// Goal: attribute descriptions are a name or OID with non-empty options.
    #[test]
    fn attribute_descriptions() {
        for good in ["cn", "CN", "x-foo9", "cn;lang-de", "2.5.4.35;binary;x-a", "userCertificate;binary"] {
            assert!(is_attribute_description(good.as_bytes()), "{good}");
        }
        for bad in ["", ";binary", "cn;", "cn;;a", "9cn", "-cn", "c n", "cn ", "c_n", "cn;a_b", "c\u{e9}"] {
            assert!(!is_attribute_description(bad.as_bytes()), "{bad:?}");
        }
    }
}

//! Keys of short tokens: booleans, object identifiers, UUIDs, bit strings, and bytes as they are.

use crate::schema::{Schema, Syntax, SyntaxError, syntax};

/// The bytes themselves.
#[expect(clippy::unnecessary_wraps, reason = "every maker of keys has this form")]
pub(super) fn octets(value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    out.extend_from_slice(value);
    Ok(())
}

/// The bytes of a DER sequence: a certificate, a list of them. An assertion in the string form of RFC 4523 has no key.
pub(super) fn der(value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    Syntax::Certificate.validate(value)?;
    octets(value, out)
}

/// One byte. Assertions in lower case are understood, though values are kept in upper case.
pub(super) fn boolean(value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    let truth = match value {
        value if value.eq_ignore_ascii_case(b"TRUE") => 1,
        value if value.eq_ignore_ascii_case(b"FALSE") => 0,
        _ => return Err(SyntaxError("a boolean is TRUE or FALSE")),
    };
    out.push(truth);
    Ok(())
}

/// The dotted number. Names of classes, attribute types and matching rules are resolved; a name that the schema does
/// not know has no key (RFC 4517 §4.2.26: the assertion is then Undefined).
pub(super) fn identifier(schema: &Schema, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    let oid = if syntax::is_numeric_oid(value) {
        value
    } else if let Some(class) = schema.find_class(value) {
        class.oid.as_bytes()
    } else if let Some(attribute) = schema.find_attribute(value) {
        attribute.oid.as_bytes()
    } else if let Some(rule) = schema.find_rule(value) {
        rule.oid().as_bytes()
    } else {
        return Err(SyntaxError("an object identifier that the schema does not know"));
    };
    out.extend_from_slice(oid);
    Ok(())
}

/// Sixteen bytes, from the text form or from the bytes themselves, which clients of Active Directory send.
pub(super) fn uuid(value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    if value.len() == 16 {
        out.extend_from_slice(value);
        return Ok(());
    }
    Syntax::Uuid.validate(value)?;
    let parsed = uuid::Uuid::try_parse_ascii(value).map_err(|_| SyntaxError("a UUID is hexadecimal"))?;
    out.extend_from_slice(parsed.as_bytes());
    Ok(())
}

/// The digits. Trailing zero bits count (RFC 4517 §4.2.1: they do unless the syntax has named bits; ours has none).
pub(super) fn bits(value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    Syntax::BitString.validate(value)?;
    out.extend(value.iter().filter(|byte| byte.is_ascii_digit()));
    Ok(())
}

/// The first component of a definition `( 2.5.4.3 NAME … )`, or the assertion itself, which is only that component.
pub(super) fn first(value: &[u8]) -> &[u8] {
    syntax::first_component(value).unwrap_or(value)
}

//! Syntaxes that are lists or fields with separators: addresses, telex numbers, netgroup triples, definitions.
//!
//! RFC 4517 §3.3, RFC 2307 §2.1. Called through [`super::Syntax::validate`].

use super::{SyntaxError, ensure, text};

/// RFC 4517 §3.3.28: lines between dollars; inside a line only `\24` and `\5C` are escapes.
pub(super) fn postal_address(value: &[u8]) -> Result<(), SyntaxError> {
    text::directory_string(value)?;
    ensure(fields(value, b'$').all(|line| !line.is_empty()), "a line of the address is empty")?;
    let mut rest = value;
    while let Some(position) = rest.iter().position(|byte| *byte == b'\\') {
        rest = rest.get(position.saturating_add(1)..).unwrap_or_default();
        ensure(matches!(rest, [b'2', b'4', ..] | [b'5', b'c' | b'C', ..]), "a backslash is followed by 24 or 5C")?;
    }
    Ok(())
}

/// RFC 4517 §3.3.11: a telephone number, then parameters after dollars.
pub(super) fn facsimile_telephone_number(value: &[u8]) -> Result<(), SyntaxError> {
    const PARAMETERS: [&str; 7] =
        ["twoDimensional", "fineResolution", "unlimitedLength", "b4Length", "a3Width", "b4Width", "uncompressed"];
    let mut fields = fields(value, b'$');
    text::printable_string(fields.next().unwrap_or_default())?;
    ensure(fields.all(|field| is_one_of(field, &PARAMETERS)), "an unknown facsimile parameter")
}

/// RFC 4517 §3.3.5: methods in order of preference, between dollars.
pub(super) fn delivery_method(value: &[u8]) -> Result<(), SyntaxError> {
    const METHODS: [&str; 10] =
        ["any", "mhs", "physical", "telex", "teletex", "g3fax", "g4fax", "ia5", "videotex", "telephone"];
    ensure(fields(value, b'$').all(|field| is_one_of(field.trim_ascii(), &METHODS)), "an unknown delivery method")
}

/// RFC 4517 §3.3.27: the type of the mailbox, a dollar, the mailbox.
pub(super) fn other_mailbox(value: &[u8]) -> Result<(), SyntaxError> {
    let mut parts = value.splitn(2, |byte| *byte == b'$');
    text::printable_string(parts.next().unwrap_or_default())?;
    text::ia5_string(parts.next().ok_or(SyntaxError("a mailbox is written type$mailbox"))?)
}

/// RFC 4517 §3.3.33: number, country code and answerback, between dollars.
pub(super) fn telex_number(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(fields(value, b'$').count() == 3, "a telex number is written number$country$answerback")?;
    fields(value, b'$').try_for_each(text::printable_string)
}

/// RFC 4517 §3.3.32: a terminal, then `key:value` parameters after dollars.
pub(super) fn teletex_terminal_identifier(value: &[u8]) -> Result<(), SyntaxError> {
    const KEYS: [&str; 5] = ["graphic", "control", "misc", "page", "private"];
    let mut fields = fields(value, b'$');
    text::printable_string(fields.next().unwrap_or_default())?;
    let known = |field: &[u8]| {
        self::fields(field, b':').next().is_some_and(|key| is_one_of(key, &KEYS)) && field.contains(&b':')
    };
    ensure(fields.all(known), "an unknown teletex parameter")
}

/// RFC 4517 §3.3.30: parts around at least one star; `\2A` and `\5C` are the only escapes.
pub(super) fn substring_assertion(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(std::str::from_utf8(value).is_ok(), "a substring assertion is UTF-8")?;
    ensure(value.contains(&b'*'), "a substring assertion has a star")?;
    let mut rest = value;
    while let Some(position) = rest.iter().position(|byte| *byte == b'\\') {
        rest = rest.get(position.saturating_add(1)..).unwrap_or_default();
        ensure(
            matches!(rest, [b'2', b'a' | b'A', ..] | [b'5', b'c' | b'C', ..]),
            "a backslash is followed by 2A or 5C",
        )?;
    }
    Ok(())
}

/// RFC 2307 §2.1: `(host,user,domain)`, each of which may be missing.
pub(super) fn nis_netgroup_triple(value: &[u8]) -> Result<(), SyntaxError> {
    let inner = value.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
    let is_triple = |inner: &[u8]| {
        fields(inner, b',').count() == 3
            && inner.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'(' | b')') || *byte == b' ')
    };
    ensure(inner.is_some_and(is_triple), "a netgroup triple is written (host,user,domain)")
}

/// RFC 2307 §2.1: `key=server:path`.
pub(super) fn boot_parameter(value: &[u8]) -> Result<(), SyntaxError> {
    text::ia5_string(value)?;
    let mut parts = value.splitn(2, |byte| *byte == b'=');
    let key = parts.next().is_some_and(|key| !key.is_empty());
    let target = parts.next().and_then(|target| target.iter().position(|byte| *byte == b':'));
    ensure(key && target.is_some_and(|server| server > 0), "a boot parameter is written key=server:path")
}

/// RFC 4512 §4.1: `( numericoid … )` with balanced parentheses and quotes.
pub(super) fn description(value: &[u8]) -> Result<(), SyntaxError> {
    parenthesised(value, text::is_numeric_oid)
}

/// RFC 4512 §4.1.7.1: the rule identifier of a structure rule is an integer.
pub(super) fn rule_description(value: &[u8]) -> Result<(), SyntaxError> {
    parenthesised(value, |first| text::integer(first).is_ok())
}

fn parenthesised(value: &[u8], is_first: fn(&[u8]) -> bool) -> Result<(), SyntaxError> {
    ensure(std::str::from_utf8(value).is_ok(), "a definition is UTF-8")?;
    let first = first_component(value).ok_or(SyntaxError("a definition stands in parentheses"))?;
    ensure(is_first(first), "a definition begins with its identifier")?;
    ensure(is_balanced(value.trim_ascii(), b'(', b')', b'\''), "parentheses or quotes of the definition do not pair")
}

/// The identifier that a definition begins with.
pub(in crate::schema) fn first_component(value: &[u8]) -> Option<&[u8]> {
    let inner = value.trim_ascii().strip_prefix(b"(")?.trim_ascii_start();
    inner.split(|byte| matches!(byte, b' ' | b')')).next().filter(|first| !first.is_empty())
}

/// GSER (RFC 3641) as far as LDAP needs it: text in one pair of braces.
pub(super) fn gser(value: &[u8]) -> Result<(), SyntaxError> {
    ensure(std::str::from_utf8(value).is_ok(), "the value is UTF-8")?;
    ensure(is_balanced(value.trim_ascii(), b'{', b'}', b'"'), "the value is written in braces")
}

/// Whether the text is one group: opened by its first byte, closed by its last, quotes respected.
fn is_balanced(text: &[u8], open: u8, close: u8, quote: u8) -> bool {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut closed = false;
    for byte in text {
        if closed || (depth == 0 && *byte != open) {
            return false;
        }
        if *byte == quote {
            quoted = !quoted;
        } else if !quoted && *byte == open {
            depth = depth.saturating_add(1);
        } else if !quoted && *byte == close {
            depth = depth.saturating_sub(1);
            closed = depth == 0;
        }
    }
    closed
}

fn fields(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    value.split(move |byte| *byte == separator)
}

fn is_one_of(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word))
}

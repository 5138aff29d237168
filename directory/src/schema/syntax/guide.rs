//! Guide and Enhanced Guide (RFC 4517 §3.3.14 and §3.3.10): a small boolean language over attribute types.
//!
//! Nobody writes these by hand any more, but entries imported from X.500 days hold them. The nesting is bounded.

use super::{SyntaxError, ensure, text};

/// Parentheses and negations deeper than this are refused.
const MAX_DEPTH: usize = 32;

/// `[class #] criteria`.
pub(super) fn guide(value: &[u8]) -> Result<(), SyntaxError> {
    let mut parts = value.rsplitn(2, |byte| *byte == b'#');
    let rule = parts.next().unwrap_or_default();
    if let Some(class) = parts.next() {
        text::oid(class.trim_ascii())?;
    }
    whole_criteria(rule)
}

/// `class # criteria # subset`.
pub(super) fn enhanced_guide(value: &[u8]) -> Result<(), SyntaxError> {
    let mut parts = value.split(|byte| *byte == b'#');
    let (Some(class), Some(rule), Some(subset), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(SyntaxError("an enhanced guide is written class#criteria#subset"));
    };
    text::oid(class.trim_ascii())?;
    let subset = subset.trim_ascii().to_ascii_lowercase();
    ensure(
        matches!(subset.as_slice(), b"baseobject" | b"onelevel" | b"wholesubtree"),
        "the subset is baseobject, oneLevel or wholeSubtree",
    )?;
    whole_criteria(rule)
}

fn whole_criteria(rule: &[u8]) -> Result<(), SyntaxError> {
    let rest = criteria(rule.trim_ascii(), MAX_DEPTH);
    ensure(rest.is_some_and(<[u8]>::is_empty), "the criteria of the guide are malformed")
}

/// `term (("&" / "|") term)*`: precedence does not matter for the syntax. Answers what follows.
fn criteria(input: &[u8], depth: usize) -> Option<&[u8]> {
    let mut rest = term(input, depth)?;
    while let [b'&' | b'|', after @ ..] = rest {
        rest = term(after, depth)?;
    }
    Some(rest)
}

/// `"!" term`, `"(" criteria ")"`, `?true`, `?false` or `type$match`.
fn term(input: &[u8], depth: usize) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    match input {
        [b'!', rest @ ..] => term(rest, depth),
        [b'(', rest @ ..] => criteria(rest, depth)?.strip_prefix(b")"),
        [b'?', ..] => input.strip_prefix(b"?true").or_else(|| input.strip_prefix(b"?false")),
        _ => {
            let (attribute, rest) = input.split_at_checked(input.iter().position(|byte| *byte == b'$')?)?;
            text::oid(attribute).ok()?;
            let rest = rest.strip_prefix(b"$")?;
            [&b"EQ"[..], b"SUBSTR", b"GE", b"LE", b"APPROX"].iter().find_map(|kind| rest.strip_prefix(*kind))
        }
    }
}

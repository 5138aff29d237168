//! Whether the parts of a substring assertion occur in a value, in order and without overlap (RFC 4517 §4.1.2).
//!
//! Works on keys from [`Schema::normalize`](crate::schema::Schema::normalize) of the same rule. Called by the filter
//! for each candidate; [`Pattern::literals`] serves the planner of the trigram index.

use memchr::memmem;

use super::{MatchingRule, Part};
use crate::schema::{Syntax, SyntaxError};

/// The prepared parts of one substring assertion: `initial*any*any*final`.
///
/// RFC 4518 §2.6.1 gives every space of a value two halves, so that `(cn=foo *  bar)` matches `foo bar`: one half
/// ends the first part, one begins the second. Only parts with a space at an edge can see the difference; then, and
/// only then, key and parts are compared in that wider form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    initial: Vec<u8>,
    any: Vec<Vec<u8>>,
    last: Vec<u8>,
    wide: bool,
}

impl Pattern {
    /// Prepares the parts of an assertion by a rule that has substrings.
    ///
    /// # Errors
    /// When the rule has none or a part cannot occur in any value: the filter is Undefined.
    pub fn new<'a>(
        rule: MatchingRule,
        initial: Option<&[u8]>,
        any: impl IntoIterator<Item = &'a [u8]>,
        last: Option<&[u8]>,
    ) -> Result<Pattern, SyntaxError> {
        let prepare = |part, value: &[u8]| {
            let mut out = Vec::with_capacity(value.len());
            rule.normalize_substring(part, value, &mut out).map(|()| out)
        };
        let mut pattern = Pattern {
            initial: initial.map_or(Ok(Vec::new()), |value| prepare(Part::Initial, value))?,
            any: any.into_iter().map(|value| prepare(Part::Any, value)).collect::<Result<_, _>>()?,
            last: last.map_or(Ok(Vec::new()), |value| prepare(Part::Final, value))?,
            wide: false,
        };
        let wide = pattern.parts().any(|part| part.first() == Some(&b' ') || part.last() == Some(&b' '));
        if wide {
            pattern.wide = true;
            pattern.initial = widen(&pattern.initial, initial.is_some(), false);
            pattern.any.iter_mut().for_each(|part| *part = widen(part, false, false));
            pattern.last = widen(&pattern.last, false, last.is_some());
        }
        Ok(pattern)
    }

    /// Reads a Substring Assertion (RFC 4517 §3.3.30): parts around stars, `\2A` and `\5C` for star and backslash.
    pub fn parse(rule: MatchingRule, assertion: &[u8]) -> Result<Pattern, SyntaxError> {
        Syntax::SubstringAssertion.validate(assertion)?;
        let parts: Vec<Vec<u8>> = assertion.split(|byte| *byte == b'*').map(unescape).collect();
        let (Some((first, rest)), true) = (parts.split_first(), parts.len() > 1) else {
            return Err(SyntaxError("a substring assertion has a star"));
        };
        let (last, any) = rest.split_last().ok_or(SyntaxError("a substring assertion has a star"))?;
        let present = |part: &&[u8]| !part.is_empty();
        Pattern::new(
            rule,
            Some(first.as_slice()).filter(present),
            any.iter().map(Vec::as_slice).filter(present),
            Some(last.as_slice()).filter(present),
        )
    }

    /// Whether a key of the same rule begins with the initial part, then has each of the others in order, then ends
    /// with the final part.
    pub fn matches(&self, key: &[u8]) -> bool {
        match (self.wide, key.is_empty()) {
            (false, _) => self.occurs_in(key),
            (true, false) => self.occurs_in(&widen(key, true, true)),
            (true, true) => self.occurs_in(b"  "),
        }
    }

    /// The stretches of bytes that stand, as they are, in every key that matches: food for the trigram index.
    pub fn literals(&self) -> impl Iterator<Item = &[u8]> {
        // In the wide form an inner space is doubled, so that only what lies between spaces is literal.
        let separator = |byte: &u8| self.wide && *byte == b' ';
        self.parts().flat_map(move |part| part.split(separator)).filter(|literal| !literal.is_empty())
    }

    /// What every matching key begins with, as it is; possibly empty. A range of an ordered index serves it.
    pub fn prefix(&self) -> &[u8] {
        if self.wide { &[] } else { &self.initial }
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.initial).chain(&self.any).chain(std::iter::once(&self.last)).map(Vec::as_slice)
    }

    fn occurs_in(&self, key: &[u8]) -> bool {
        let Some(rest) = key.strip_prefix(self.initial.as_slice()) else { return false };
        let Some(mut rest) = rest.strip_suffix(self.last.as_slice()) else { return false };
        for part in &self.any {
            let Some(found) = memmem::find(rest, part) else { return false };
            rest = rest.get(found.saturating_add(part.len())..).unwrap_or_default();
        }
        true
    }
}

/// The form of RFC 4518 §2.6.1: inner spaces doubled, a space before the beginning and after the end of the value.
fn widen(text: &[u8], begins: bool, ends: bool) -> Vec<u8> {
    if text == b" " {
        return text.to_vec();
    }
    if text.is_empty() {
        return Vec::new();
    }
    let core = text.strip_prefix(b" ").unwrap_or(text);
    let core = core.strip_suffix(b" ").unwrap_or(core);
    let mut wide = Vec::with_capacity(text.len().saturating_mul(2).saturating_add(2));
    if begins || text.first() == Some(&b' ') {
        wide.push(b' ');
    }
    for byte in core {
        wide.push(*byte);
        if *byte == b' ' {
            wide.push(b' ');
        }
    }
    if ends || text.last() == Some(&b' ') {
        wide.push(b' ');
    }
    wide
}

fn unescape(part: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(part.len());
    let mut rest = part;
    while let [byte, after @ ..] = rest {
        let (byte, after) = match rest {
            [b'\\', b'2', _, after @ ..] => (b'*', after),
            [b'\\', b'5', _, after @ ..] => (b'\\', after),
            _ => (*byte, after),
        };
        plain.push(byte);
        rest = after;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    const RULE: MatchingRule = MatchingRule::CaseIgnoreSubstringsMatch;

    #[test]
    fn spaces_at_the_edges_of_parts_count_as_in_rfc_4518_appendix_b() {
        // Goal: parts match as if each space had two halves, and only whole-value edges are insignificant.
        let cases = [
            ("foobar", "foo*bar", true),
            ("foobar", "foo *bar", false),
            ("foo bar", "foo *bar", true),
            ("foo bar", "foo * bar", true),
            ("foo  bar", "foo * bar", true),
            ("foobar", "foo * bar", false),
            ("foo bar", "*o * b*", true),
            ("foo bar", "*o * * b*", false),
            ("foobar", "* foobar *", true),
            ("foobar", "* *foobar* *", true),
            ("foobar", "* * *foobar*", false),
            (" Foo   Bar ", "foo bar*", true),
            (" Foo   Bar ", "  foo*bar  ", true),
            ("foo bar baz", "foo*bar*baz", true),
            ("foo bar baz", "foo*baz*bar", false),
            ("aaa", "aa*aa", false),
            ("aaaa", "aa*aa", true),
            ("abc", "*b*", true),
            ("abc", "*", true),
            ("abc", "*bc", true),
        ];
        for (value, assertion, expected) in cases {
            let answer = Schema::standard().matches(RULE, value.as_bytes(), assertion.as_bytes());
            assert_eq!(answer, Ok(expected), "{value:?} {assertion:?}");
        }
    }

    #[test]
    fn literals_stand_in_every_key_that_matches() {
        // Goal: the planner may look up trigrams of the literals, and a prefix range, without losing a match.
        let cases: [(&str, &[&str], &str); 4] = [
            ("Foo Bar*baz*", &["foo bar", "baz"], "foo bar"),
            ("Foo Bar *baz*", &["foo", "bar", "baz"], ""),
            ("*a\\2Ab*", &["a*b"], ""),
            ("* *", &[], ""),
        ];
        for (assertion, literals, prefix) in cases {
            let pattern = Pattern::parse(RULE, assertion.as_bytes()).unwrap();
            let found: Vec<&[u8]> = pattern.literals().collect();
            assert_eq!(found, literals.iter().map(|literal| literal.as_bytes()).collect::<Vec<_>>(), "{assertion}");
            assert_eq!(pattern.prefix(), prefix.as_bytes(), "{assertion}");
        }
    }

    #[test]
    fn what_cannot_be_an_assertion_is_undefined() {
        // Goal: no star, a stray escape and rules without substrings give an error, not false.
        assert!(Pattern::parse(RULE, b"abc").is_err());
        assert!(Pattern::parse(RULE, b"a\\zz*").is_err());
        assert!(Pattern::parse(MatchingRule::IntegerMatch, b"1*").is_err());
        assert!(Pattern::parse(MatchingRule::CaseIgnoreIa5SubstringsMatch, "é*".as_bytes()).is_err());
    }
}

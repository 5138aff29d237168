//! The one form in which a password is hashed and compared: RFC 8265 `OpaqueString`.
//!
//! Owns the bounds of a password in bytes and the mapping (non-ASCII spaces to U+0020, then NFC). Says nothing about
//! whether a password is good (`quality`) or right (`password`). Called by both and by nobody else.
//!
//! Where this differs from RFC 8265 §4.2, always to accept more:
//! * the character classes of RFC 8264 §8 are taken from current Unicode, not from the registry's 6.3, which would
//!   refuse most emoji;
//! * they are checked after NFC, so that modern Korean typed in conjoining jamo (macOS) is accepted;
//! * the contextual rules are left out: joiners and the two emoji variation selectors stand anywhere, as emoji need
//!   them. The mapping of every string that the RFC accepts is the RFC's.
#![deny(clippy::arithmetic_side_effects)]

use std::ops::Deref;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use zeroize::Zeroizing;

/// The longest password that is looked at, in bytes as received. Longer ones are refused before any hashing, never cut.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// Why bytes cannot become a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nothing there.
    #[error("the password is empty")]
    Empty,
    /// More than [`MAX_PASSWORD_BYTES`].
    #[error("the password is longer than 1024 bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("the password is not UTF-8")]
    NotUtf8,
    /// A control character, an unassigned or private code point, or an invisible one.
    #[error("the password holds a character that cannot be part of one")]
    Character,
}

/// A prepared password; borrowed when the preparation changes nothing (all of printable ASCII), else wiped on drop.
pub enum Prepared<'a> {
    /// The input is its own prepared form.
    AsIs(&'a str),
    /// The mapped form.
    Mapped(Zeroizing<String>),
}

impl Deref for Prepared<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        match self {
            Prepared::AsIs(text) => text,
            Prepared::Mapped(text) => text,
        }
    }
}

/// Prepares a password by RFC 8265 §4.2.2 with the differences named in the module header.
///
/// Idempotent: the prepared form of a prepared form is itself.
pub fn prepare(password: &[u8]) -> Result<Prepared<'_>, Unfit> {
    if password.is_empty() {
        return Err(Unfit::Empty);
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(Unfit::TooLong);
    }
    let text = std::str::from_utf8(password).map_err(|_| Unfit::NotUtf8)?;
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Ok(Prepared::AsIs(text));
    }
    let unchanged = !text.chars().any(is_other_space) && is_nfc_quick(text.chars()) == IsNormalized::Yes;
    let prepared = if unchanged {
        Prepared::AsIs(text)
    } else {
        // Room for the worst NFC growth, so that no outgrown buffer is left behind unwiped.
        let mut mapped = Zeroizing::new(String::with_capacity(text.len().saturating_mul(3)));
        mapped.extend(text.chars().map(|c| if is_other_space(c) { ' ' } else { c }).nfc());
        Prepared::Mapped(mapped)
    };
    if prepared.chars().all(is_allowed) { Ok(prepared) } else { Err(Unfit::Character) }
}

/// General category Zs except U+0020.
fn is_other_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// RFC 8264 §4.3 (FreeformClass), with joiners and emoji selectors.
fn is_allowed(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' => true,
        // Exceptions that §2.6 of RFC 5892 disallows.
        '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}' => false,
        // Old Hangul jamo: what NFC leaves of them is no modern syllable.
        '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}' => false,
        // Default-ignorable code points whose category alone would admit them: they are invisible.
        '\u{34f}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{ffa0}' => false,
        '\u{fe00}'..='\u{fe0d}' | '\u{e0000}'..='\u{e0fff}' => false,
        '\u{2028}' | '\u{2029}' => false,
        _ => c.general_category_group() != GeneralCategoryGroup::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(input: &str, expected: Result<&str, Unfit>) {
        let got = prepare(input.as_bytes());
        assert_eq!(got.as_ref().map(|text| &**text).map_err(|why| *why), expected, "{input:?}");
    }

    #[test]
    fn examples_of_the_rfc() {
        // Goal: the table of RFC 8265 §4.3 comes out as printed there.
        check("correct horse battery staple", Ok("correct horse battery staple"));
        check("Correct Horse Battery Staple", Ok("Correct Horse Battery Staple"));
        check("πßå", Ok("πßå"));
        check("Jack of ♦s", Ok("Jack of ♦s"));
        check("foo\u{1680}bar", Ok("foo bar"));
        check("", Err(Unfit::Empty));
        check("my cat is a \u{9}by", Err(Unfit::Character));
    }

    #[test]
    fn forms_that_look_alike_are_one() {
        // Goal: composed and decomposed spellings and all spaces meet in one form; compatibility forms stay apart.
        check("re\u{301}sume\u{301}", Ok("r\u{e9}sum\u{e9}"));
        check("a\u{a0}b\u{3000}c", Ok("a b c"));
        check("\u{212b}", Ok("\u{c5}"));
        check("\u{1112}\u{1161}\u{11ab}", Ok("\u{d55c}"));
        check("ｐａｓｓ", Ok("ｐａｓｓ"));
        check("👩\u{200d}💻❤\u{fe0f}🤖", Ok("👩\u{200d}💻❤\u{fe0f}🤖"));
    }

    #[test]
    fn what_nobody_can_type_is_refused() {
        // Goal: controls, NUL, unassigned, private, noncharacter and invisible code points are refused.
        for text in
            ["a\0b", "a\nb", "\u{7f}", "\u{378}", "\u{e000}", "\u{fdd0}", "\u{ad}", "\u{202e}", "\u{200b}", "\u{3164}"]
        {
            check(text, Err(Unfit::Character));
        }
        assert_eq!(prepare(b"p\xe4ss").err(), Some(Unfit::NotUtf8));
        assert_eq!(prepare(&[b'x'; MAX_PASSWORD_BYTES + 1]).err(), Some(Unfit::TooLong));
        assert!(prepare(&[b'x'; MAX_PASSWORD_BYTES]).is_ok());
    }

    #[test]
    fn every_space_is_known() {
        // Goal: the hand-written list of spaces is exactly category Zs.
        use unicode_properties::GeneralCategory;
        for c in char::MIN..=char::MAX {
            let zs = c.general_category() == GeneralCategory::SpaceSeparator;
            assert_eq!(is_other_space(c) || c == ' ', zs, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn preparing_twice_changes_nothing(text in "\\PC{1,40}") {
            // Goal: idempotence, on which "prepare on set, prepare on verify" rests.
            if let Ok(once) = prepare(text.as_bytes()) {
                let twice = prepare(once.as_bytes()).map(|twice| twice.to_string());
                prop_assert_eq!(twice, Ok(once.to_string()));
            }
        }

        #[test]
        fn canonical_equivalents_meet(text in "\\PC{1,40}") {
            // Goal: NFD and NFC input give one prepared form.
            let nfd: String = text.nfd().collect();
            if let (Ok(a), Ok(b)) = (prepare(text.as_bytes()), prepare(nfd.as_bytes())) {
                prop_assert_eq!(&*a, &*b);
            }
        }

        #[test]
        fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            // Goal: any bytes give an answer, and an answer is never longer than three times the input.
            if let Ok(text) = prepare(&bytes) {
                prop_assert!(text.len() <= bytes.len().saturating_mul(3));
            }
        }
    }
}

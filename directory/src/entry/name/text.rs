//! What usernames and addresses share: folding, and the rules on characters, scripts and directions.

use unicode_bidi::BidiClass;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::{GeneralSecurityProfile, MixedScript};

use super::NameRefusal;

/// Combining marks in a row; UTS 39 §5.4 allows four, and no living orthography needs more.
const MAX_MARKS: usize = 4;

/// Compatibility forms and case away, until nothing changes; `None` when it does not settle.
///
/// Case folding is "upper, then lower, letter by letter": as full case folding (Unicode §3.13), and `ı` becomes `i`.
/// Not by words, where Greek sigma would depend on its neighbours.
pub(super) fn fold(text: &str) -> Option<String> {
    if text.is_ascii() {
        return Some(text.to_ascii_lowercase());
    }
    let mut folded = fold_once(text);
    for _ in 0..3 {
        let again = fold_once(&folded);
        if again == folded {
            return Some(folded);
        }
        folded = again;
    }
    None
}

fn fold_once(text: &str) -> String {
    text.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
}

/// Whether a folded character beyond ASCII may be in a name: a letter, a mark or a decimal digit (RFC 8264 §4.2.1) that
/// UTS 39 recommends for identifiers.
pub(super) fn check_character(character: char) -> Result<(), NameRefusal> {
    let category = character.general_category();
    match character.general_category_group() {
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark => {}
        GeneralCategoryGroup::Number if category == GeneralCategory::DecimalNumber => {}
        GeneralCategoryGroup::Separator => return Err(NameRefusal::Space),
        GeneralCategoryGroup::Other => {
            return Err(match category {
                GeneralCategory::Control => NameRefusal::Control,
                GeneralCategory::Format => NameRefusal::Invisible,
                _ => NameRefusal::Unassigned,
            });
        }
        GeneralCategoryGroup::Number | GeneralCategoryGroup::Punctuation | GeneralCategoryGroup::Symbol => {
            return Err(NameRefusal::Forbidden(character));
        }
    }
    if character.identifier_allowed() { Ok(()) } else { Err(NameRefusal::Forbidden(character)) }
}

/// The rules on a part of a name as a whole, all of whose characters have been checked.
pub(super) fn check_part(part: &str) -> Result<(), NameRefusal> {
    if part.is_ascii() {
        return Ok(());
    }
    check_marks(part)?;
    if !part.is_single_script() {
        return Err(NameRefusal::MixedScripts);
    }
    check_digits(part)
}

/// A mark needs a letter before it, other marks than its own kind beside it, and not many of them (UTS 39 §5.4).
fn check_marks(part: &str) -> Result<(), NameRefusal> {
    let mut run = 0_usize;
    let mut before = None;
    for character in part.nfd() {
        if is_combining_mark(character) {
            run = run.saturating_add(1);
            let on_letter = before.is_some_and(|b: char| b.is_alphabetic() || is_combining_mark(b));
            if !on_letter || before == Some(character) || run > MAX_MARKS {
                return Err(NameRefusal::Marks);
            }
        } else {
            run = 0;
        }
        before = Some(character);
    }
    Ok(())
}

/// One kind of digits (UTS 39 §5.3). Only the two Arabic kinds share scripts with each other and with ASCII's.
fn check_digits(part: &str) -> Result<(), NameRefusal> {
    let kind = |character: char| match character {
        '0'..='9' => Some(0),
        '\u{660}'..='\u{669}' => Some(1),
        '\u{6f0}'..='\u{6f9}' => Some(2),
        other => (other.general_category() == GeneralCategory::DecimalNumber).then_some(3),
    };
    let mut kinds = part.chars().filter_map(kind);
    match kinds.next() {
        Some(first) if kinds.any(|other| other != first) => Err(NameRefusal::MixedDigits),
        _ => Ok(()),
    }
}

/// The bidi rule (RFC 5893 §2), for all parts as soon as one of them has a letter that runs from right to left.
pub(super) fn check_bidi<'a>(parts: &(impl Iterator<Item = &'a str> + Clone)) -> Result<(), NameRefusal> {
    use BidiClass::{AL, AN, R};
    if parts.clone().all(str::is_ascii) {
        return Ok(());
    }
    let right_to_left = |part: &str| part.chars().any(|c| matches!(unicode_bidi::bidi_class(c), R | AL | AN));
    if parts.clone().any(right_to_left) && !parts.clone().all(satisfies_bidi_rule) {
        return Err(NameRefusal::Bidi);
    }
    Ok(())
}

fn satisfies_bidi_rule(part: &str) -> bool {
    use BidiClass::{AL, AN, BN, CS, EN, ES, ET, L, NSM, ON, R};
    let classes = || part.chars().map(unicode_bidi::bidi_class);
    let last = classes().rev().find(|&class| class != NSM);
    match classes().next() {
        Some(R | AL) => {
            classes().all(|class| matches!(class, R | AL | AN | EN | ES | CS | ET | ON | BN | NSM))
                && matches!(last, Some(R | AL | EN | AN))
                && !(classes().any(|class| class == EN) && classes().any(|class| class == AN))
        }
        Some(L) => {
            classes().all(|class| matches!(class, L | EN | ES | CS | ET | ON | BN | NSM))
                && matches!(last, Some(L | EN))
        }
        _ => false,
    }
}

//! String preparation for comparison (RFC 4518): transcode, map, normalise, prohibit, bidi, insignificant characters.
//!
//! Owns the keys of all string rules. Text in ASCII, which is nearly all of it, takes a single pass over a table and
//! touches nothing but `out`; anything else goes through Unicode, step by step as the RFC has it.
//!
//! Two deliberate differences. Code points that Unicode 3.2 had not assigned are accepted, as names in them are
//! common by now. In keys a run of inner spaces is one space and there are none at the ends, where §2.6.1 has two and
//! one; that is the same equality, and [`super::substring`] restores the RFC's form where it makes a difference.

use unicode_normalization::{IsNormalized, UnicodeNormalization, char::is_combining_mark, is_nfkc_quick};

use super::Part;
use crate::schema::{Syntax, SyntaxError};

/// Whether letters that differ only in case are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Folded,
    Kept,
}

/// Which outer spaces survive, collapsed to one.
#[derive(Clone, Copy)]
struct Edges {
    leading: bool,
    trailing: bool,
}

const NO_EDGES: Edges = Edges { leading: false, trailing: false };

/// Whole values under `caseIgnoreMatch`, `caseExactMatch` and their kin.
pub(super) fn text(case: Case, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    if value.is_empty() {
        return Err(SyntaxError("a directory string is not empty"));
    }
    prepare(case, NO_EDGES, value, out)
}

/// Whole values under the IA5 rules, which may be empty and are never anything but ASCII.
pub(super) fn ia5(case: Case, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    if prepare_ascii(case, NO_EDGES, value, out) { Ok(()) } else { Err(SyntaxError("an IA5 string is ASCII")) }
}

/// One part of a substring assertion: outer spaces count on the side where the part borders on a star.
pub(super) fn text_part(case: Case, part: Part, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    if value.is_empty() {
        return Err(SyntaxError("a part of a substring assertion is not empty"));
    }
    let start = out.len();
    prepare(case, Edges { leading: part != Part::Initial, trailing: part != Part::Final }, value, out)?;
    if out.len() == start {
        out.push(b' '); // nothing but spaces: one space (RFC 4518 §2.6.1)
    }
    Ok(())
}

/// As [`text_part`], for the IA5 rules.
pub(super) fn ia5_part(case: Case, part: Part, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    if value.is_ascii() { text_part(case, part, value, out) } else { Err(SyntaxError("an IA5 string is ASCII")) }
}

/// RFC 4518 §2.6.2: digits without their spaces. Parts of assertions go the same way.
pub(super) fn numeric(value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    Syntax::NumericString.validate(value)?;
    out.extend(value.iter().filter(|byte| **byte != b' '));
    Ok(())
}

/// RFC 4518 §2.6.3: without spaces and hyphens. Parts of assertions go the same way.
pub(super) fn telephone(value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    let start = out.len();
    text(Case::Folded, value, out)?;
    let prepared = out.split_off(start);
    if prepared.is_ascii() {
        out.extend(prepared.iter().filter(|byte| !matches!(byte, b' ' | b'-')));
    } else {
        let text = String::from_utf8_lossy(&prepared);
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let insignificant = matches!(character, ' ' | '-' | '\u{58a}' | '\u{2010}' | '\u{2011}' | '\u{2212}');
            if !insignificant || characters.peek().copied().is_some_and(is_combining_mark) {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    Ok(())
}

/// RFC 4517 §4.2.9: line by line. A NUL, which no prepared line holds, stands between the lines, so that no part of a
/// substring assertion reaches across one.
pub(super) fn list(value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    Syntax::PostalAddress.validate(value)?;
    for (number, line) in value.split(|byte| *byte == b'$').enumerate() {
        if number > 0 {
            out.push(0);
        }
        let mut plain = Vec::with_capacity(line.len());
        let mut rest = line;
        while let [byte, after @ ..] = rest {
            (rest, _) = match rest {
                [b'\\', b'2', b'4', after @ ..] => (after, plain.push(b'$')),
                [b'\\', b'5', _, after @ ..] => (after, plain.push(b'\\')),
                _ => (after, plain.push(*byte)),
            };
        }
        prepare(Case::Folded, NO_EDGES, &plain, out)?;
    }
    Ok(())
}

fn prepare(case: Case, edges: Edges, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    if prepare_ascii(case, edges, value, out) { Ok(()) } else { prepare_unicode(case, edges, value, out) }
}

/// Table entry of bytes that are mapped to nothing. No prepared text holds a NUL.
const NOTHING: u8 = 0;
/// Table entry of bytes that are not ASCII.
const NOT_ASCII: u8 = 0xff;

const FOLDED: [u8; 256] = ascii_table(true);
const KEPT: [u8; 256] = ascii_table(false);

/// RFC 4518 §2.2 for ASCII: what each byte becomes.
#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated at compile time, 0 to 255")]
#[expect(clippy::arithmetic_side_effects, reason = "evaluated at compile time, 0 to 255")]
const fn ascii_table(fold: bool) -> [u8; 256] {
    let mut table = [NOT_ASCII; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = match byte as u8 {
            b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b' ' => b' ',
            0x00..=0x1f | 0x7f => NOTHING,
            letter if fold => letter.to_ascii_lowercase(),
            other => other,
        };
        byte += 1;
    }
    table
}

/// All six steps at once for ASCII. Answers false, and leaves `out` as it was, when the value is something else.
fn prepare_ascii(case: Case, edges: Edges, value: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    if is_plain(value) {
        out.extend_from_slice(value);
        if let (Case::Folded, Some(copy)) = (case, out.get_mut(start..)) {
            copy.make_ascii_lowercase();
        }
        return true;
    }
    let table = match case {
        Case::Folded => &FOLDED,
        Case::Kept => &KEPT,
    };
    out.reserve(value.len());
    let mut space = false;
    for byte in value {
        match table.get(usize::from(*byte)).copied().unwrap_or(NOT_ASCII) {
            NOTHING => {}
            NOT_ASCII => {
                out.truncate(start);
                return false;
            }
            b' ' => space = edges.leading || out.len() > start,
            mapped => {
                if space {
                    out.push(b' ');
                    space = false;
                }
                out.push(mapped);
            }
        }
    }
    if space && edges.trailing {
        out.push(b' ');
    }
    true
}

/// Whether nothing has to be done but to fold: printable, no space at an end, no two in a row. Without branches, so
/// that it runs on many bytes at a time.
fn is_plain(value: &[u8]) -> bool {
    let printable = value.iter().fold(true, |all, byte| all & (b' '..=b'~').contains(byte));
    let doubled = value.iter().zip(value.iter().skip(1)).fold(false, |any, (a, b)| any | ((*a == b' ') & (*b == b' ')));
    printable && !doubled && value.first() != Some(&b' ') && value.last() != Some(&b' ')
}

/// The six steps for any text.
fn prepare_unicode(case: Case, edges: Edges, value: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    // Transcode (§2.1)
    let text = std::str::from_utf8(value).map_err(|_| SyntaxError("a directory string is UTF-8"))?;
    // Map (§2.2) and normalise (§2.3)
    let mapped: String = text.chars().filter_map(map).collect();
    let normal = match case {
        Case::Kept => compose(mapped),
        // Compatibility characters may hide letters (℡ is TEL) and folding may undo a composition, hence twice. For
        // nearly every text nothing changes after the first folding, and `compose` sees that without work.
        Case::Folded => {
            let folded: String = compose(mapped).chars().flat_map(fold).collect();
            if is_nfkc_quick(folded.chars()) == IsNormalized::Yes {
                folded
            } else {
                compose(compose(folded).chars().flat_map(fold).collect())
            }
        }
    };
    // Prohibit (§2.4)
    if normal.chars().any(is_prohibited) {
        return Err(SyntaxError("a character of the string is prohibited in comparisons"));
    }
    if !edges.leading && normal.chars().next().is_some_and(is_combining_mark) {
        return Err(SyntaxError("a string does not begin with a combining character"));
    }
    // Bidirectional characters need nothing (§2.5). Insignificant spaces (§2.6.1): one that carries a combining
    // mark is significant.
    let start = out.len();
    let mut space = false;
    let mut characters = normal.chars().peekable();
    while let Some(character) = characters.next() {
        if character == ' ' && !characters.peek().copied().is_some_and(is_combining_mark) {
            space = edges.leading || out.len() > start;
            continue;
        }
        if space {
            out.push(b' ');
            space = false;
        }
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    if space && edges.trailing {
        out.push(b' ');
    }
    Ok(())
}

/// Normalisation form KC.
fn compose(text: String) -> String {
    if is_nfkc_quick(text.chars()) == IsNormalized::Yes { text } else { text.nfkc().collect() }
}

/// RFC 4518 §2.2: what a character becomes before it is normalised; `None`: nothing.
fn map(character: char) -> Option<char> {
    match character {
        '\u{09}'..='\u{0d}' | '\u{85}' => Some(' '),
        ' '
        | '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => Some(' '),
        // Soft hyphens, the grapheme joiner, variation selectors, the object replacement character
        '\u{ad}' | '\u{34f}' | '\u{1806}' | '\u{180b}'..='\u{180d}' | '\u{fe00}'..='\u{fe0f}' | '\u{fffc}' => None,
        // Control characters and those with a control function, zero-width space among them
        '\u{00}'..='\u{08}'
        | '\u{0e}'..='\u{1f}'
        | '\u{7f}'..='\u{84}'
        | '\u{86}'..='\u{9f}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2063}'
        | '\u{206a}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0001}'
        | '\u{e0020}'..='\u{e007f}' => None,
        other => Some(other),
    }
}

/// Full case folding (RFC 3454 table B.2 in the Unicode of today): lower, upper and lower again brings together ß,
/// ẞ and SS, σ and ς. The dotless ı alone would go astray that way.
fn fold(character: char) -> impl Iterator<Item = char> {
    let lower = character.to_lowercase();
    let upper = lower.flat_map(|c| if c == 'ı' { FoldStep::Same(Some(c)) } else { FoldStep::Upper(c.to_uppercase()) });
    upper.flat_map(char::to_lowercase)
}

enum FoldStep {
    Same(Option<char>),
    Upper(std::char::ToUppercase),
}

impl Iterator for FoldStep {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            FoldStep::Same(character) => character.take(),
            FoldStep::Upper(characters) => characters.next(),
        }
    }
}

/// RFC 4518 §2.4 without the unassigned code points: private use, non-characters, the replacement character.
fn is_prohibited(character: char) -> bool {
    let code = u32::from(character);
    matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fffd}')
        || code & 0xfffe == 0xfffe
}

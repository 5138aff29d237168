//! May this become a password? Length, common passwords, the owner's own names.
//!
//! Owns the rules of NIST SP 800-63B-4 §3.1.1.2 as a pure function: length in code points, no composition rules, a
//! blocklist with the reason told, nothing from the account's names. What the rules are for a tenant is policy
//! (`lifecycle`); history and age are in `history`. Called before the hash is made, with the cleartext.
#![deny(clippy::arithmetic_side_effects)]

use super::prepare::{MAX_PASSWORD_BYTES, Unfit, prepare};
use crate::error::PasswordReason;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use zeroize::Zeroizing;

/// Lower-cased common passwords, sorted by bytes, one a line; origin and licence in `common_passwords.md`.
const COMMON: &str = include_str!("common_passwords.txt");

/// Words of the account shorter than this are not looked for: they occur in everything.
const LEAST_WORD: usize = 4;
/// As short as a part of a name with a digit in it may be to count.
const LEAST_NUMBERED_PART: usize = 5;

/// What a new password must satisfy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The least number of code points, of the prepared form. NIST SP 800-63B-4 wants 15 where a password is all there
    /// is, and 8 beside a second factor; the policy says which.
    pub least_length: usize,
    /// Refuse common passwords.
    pub refuse_common: bool,
    /// Refuse what holds the account's names.
    pub refuse_names: bool,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules { least_length: 8, refuse_common: true, refuse_names: true }
    }
}

/// The account's own words; empty where it has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'a> {
    /// The username.
    pub username: &'a str,
    /// First name.
    pub given: &'a str,
    /// Last name.
    pub family: &'a str,
    /// E-mail addresses.
    pub mail: &'a [&'a str],
}

/// Why a password is refused. `Display` is meant for the person who chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Cannot be a password at all: empty, over-long, not UTF-8, holds control characters.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Fewer code points than the policy asks for.
    #[error("the password is shorter than {least} characters")]
    TooShort {
        /// What the policy asks for.
        least: usize,
    },
    /// Commonly used, a run of one character or of neighbours, or one of these made of repetitions.
    #[error("the password is one of the commonly used ones")]
    Common,
    /// Holds one of the account's names, or is held by it, forwards or backwards.
    #[error("the password holds the {0}")]
    HoldsName(Name),
    /// It is the present or a remembered one.
    #[error("the password has been used before")]
    InHistory,
    /// The present one was set too recently.
    #[error("the password was changed too recently")]
    TooYoung {
        /// From when on it may be changed, in milliseconds since 1970.
        until: i64,
    },
}

/// Which of the account's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// The username.
    Username,
    /// The first name.
    Given,
    /// The last name.
    Family,
    /// An e-mail address.
    Mail,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Name::Username => "username",
            Name::Given => "first name",
            Name::Family => "last name",
            Name::Mail => "e-mail address",
        })
    }
}

impl Refused {
    /// The password-policy draft's name for it.
    pub fn reason(self) -> PasswordReason {
        match self {
            Refused::TooShort { .. } | Refused::Unfit(Unfit::Empty) => PasswordReason::TooShort,
            Refused::Unfit(Unfit::TooLong | Unfit::NotUtf8 | Unfit::Character)
            | Refused::Common
            | Refused::HoldsName(_) => PasswordReason::InsufficientQuality,
            Refused::InHistory => PasswordReason::InHistory,
            Refused::TooYoung { .. } => PasswordReason::TooYoung,
        }
    }
}

/// Checks a new password against the rules; the first that it breaks is returned.
pub fn check(password: &[u8], names: &Names<'_>, rules: &Rules) -> Result<(), Refused> {
    let prepared = prepare(password)?;
    if prepared.chars().count() < rules.least_length {
        return Err(Refused::TooShort { least: rules.least_length });
    }
    let folded = fold(&prepared);
    if rules.refuse_common && is_common(&folded) {
        return Err(Refused::Common);
    }
    if rules.refuse_names
        && let Some(name) = held_name(&folded, names)
    {
        return Err(Refused::HoldsName(name));
    }
    Ok(())
}

/// Whether it is common, also under the usual disguises: capitals and accents (folded before), up to six digits or
/// signs at the end, digits and signs for letters, written twice or more.
fn is_common(folded: &str) -> bool {
    let bare = without_tail(folded);
    // A repetition may be listed as such, its unit not: both are looked up.
    [folded, bare, repeated_unit(folded), repeated_unit(bare)].into_iter().any(|text| {
        is_run(text)
            || is_listed(text)
            || ['l', 'i'].into_iter().any(|one| {
                let plain: Zeroizing<String> = Zeroizing::new(text.chars().map(|c| letter_for(c, one)).collect());
                is_listed(&plain)
            })
    })
}

/// Binary search among the lines of [`COMMON`], without an index: sixteen comparisons.
fn is_listed(text: &str) -> bool {
    if text.contains('\n') {
        return false;
    }
    let mut rest = COMMON;
    while !rest.is_empty() {
        // The line around the middle, which is found by bytes for the middle may lie inside a character.
        let middle = rest.len() >> 1;
        let (head, _) = rest.as_bytes().split_at(middle);
        let start = head.iter().rposition(|b| *b == b'\n').map_or(0, |at| at.saturating_add(1));
        let (before, from) = rest.split_at_checked(start).unwrap_or((rest, ""));
        let (line, after) = from.split_once('\n').unwrap_or((from, ""));
        match text.as_bytes().cmp(line.as_bytes()) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => rest = before,
            std::cmp::Ordering::Greater => rest = after,
        }
    }
    false
}

/// The shortest text that gives this one when repeated.
fn repeated_unit(text: &str) -> &str {
    let length = text.len();
    (1..=length >> 1)
        .filter(|size| length.is_multiple_of(*size))
        .filter_map(|size| text.get(..size))
        .find(|unit| text.as_bytes().chunks(unit.len()).all(|chunk| chunk == unit.as_bytes()))
        .unwrap_or(text)
}

/// Without up to six characters at the end that are no letters; unchanged when nothing else is left.
fn without_tail(text: &str) -> &str {
    let tail = text.chars().rev().take(6).take_while(|c| !c.is_alphabetic()).map(char::len_utf8).sum::<usize>();
    match text.split_at_checked(text.len().saturating_sub(tail)) {
        Some((bare, _)) if !bare.is_empty() => bare,
        _ => text,
    }
}

/// One character again and again, or neighbours in order, up or down. One or two characters are no run.
fn is_run(text: &str) -> bool {
    let codes = || text.chars().map(|c| i64::from(u32::from(c)));
    let mut steps = codes().zip(codes().skip(1)).map(|(a, b)| b.saturating_sub(a));
    match steps.next() {
        Some(first @ -1..=1) => text.chars().count() > 2 && steps.all(|step| step == first),
        Some(_) => false,
        None => !text.is_empty(),
    }
}

/// The letter that a digit or sign stands for; `one` is what `1` and `!` and `|` mean this time.
fn letter_for(c: char, one: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '2' => 'z',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' | '9' => 'g',
        '7' | '+' => 't',
        '8' => 'b',
        c => c,
    }
}

/// The first name that the password holds or is held by.
fn held_name(folded: &str, names: &Names<'_>) -> Option<Name> {
    let mail = names.mail.iter().map(|address| (Name::Mail, *address));
    [(Name::Username, names.username), (Name::Given, names.given), (Name::Family, names.family)]
        .into_iter()
        .chain(mail)
        .find(|(_, name)| words(name).iter().any(|word| holds(folded, word)))
        .map(|(name, _)| name)
}

/// The words of a name, folded: itself, its parts, of a mail's domain all but the last label.
///
/// A part with a digit in it has to be longer than one of letters: a year or a group of a UUID is nobody's name, and random
/// passwords hold it by chance.
fn words(name: &str) -> Vec<String> {
    let folded = fold(name);
    let (local, domain) = folded.split_once('@').unwrap_or((&folded, ""));
    let domain = domain.rsplit_once('.').map_or("", |(labels, _)| labels);
    let parts = [local, domain].into_iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let telling = |part: &&str| {
        let least = if part.contains(char::is_numeric) { LEAST_NUMBERED_PART } else { LEAST_WORD };
        part.chars().count() >= least
    };
    let whole = Some(local).filter(|whole| whole.chars().count() >= LEAST_WORD);
    parts.filter(telling).chain(whole).map(str::to_owned).collect()
}

/// Either holds the other, forwards or backwards.
fn holds(password: &str, word: &str) -> bool {
    let backwards: String = word.chars().rev().collect();
    let held = |whole: &str| password.chars().count() >= LEAST_WORD && whole.contains(password);
    password.contains(word) || password.contains(&backwards) || held(word) || held(&backwards)
}

/// One spelling for comparison: compatibility decomposition, no accents, lower case.
fn fold(text: &str) -> Zeroizing<String> {
    // The bound of a password three times over, or more for a longer name: no outgrown buffer stays behind.
    let mut folded = Zeroizing::new(String::with_capacity(text.len().max(MAX_PASSWORD_BYTES).saturating_mul(3)));
    let bare = text.nfkd().filter(|c| c.general_category() != GeneralCategory::NonspacingMark);
    folded.extend(bare.flat_map(char::to_lowercase));
    folded
}

#[cfg(test)]
mod tests;

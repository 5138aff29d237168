//! The rules for new passwords.

use super::*;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::LazyLock;

static LINES: LazyLock<HashSet<&str>> = LazyLock::new(|| COMMON.lines().collect());
static WORDS: LazyLock<Vec<&str>> =
    LazyLock::new(|| COMMON.lines().filter(|line| line.chars().all(char::is_alphabetic)).collect());

const NOBODY: Names<'static> = Names { username: "", given: "", family: "", mail: &[] };

#[test]
fn the_list_is_sound() {
    // Goal: the blocklist is large, folded as passwords are, strictly sorted, and every entry is found by the search.
    let lines: Vec<&str> = COMMON.lines().collect();
    assert!(lines.len() >= 10_000, "{}", lines.len());
    for pair in lines.windows(2) {
        assert!(pair[0].as_bytes() < pair[1].as_bytes(), "{pair:?}");
    }
    for line in &lines {
        assert_eq!(*fold(line), **line);
        assert!(is_listed(line), "{line}");
    }
    for absent in
        ["", "\n", "xkqzvwjp", "password\n", "\npassword", "zzzzzzzzzzzzzzzzz", "\u{10ffff}", "correct horse battery"]
    {
        assert!(!is_listed(absent), "{absent:?}");
    }
}

#[test]
fn lengths() {
    // Goal: length counts code points of the prepared form; the bytes are bounded by 1024, a long passphrase passes.
    let fifteen = Rules { least_length: 15, ..Rules::default() };
    let default = Rules::default();
    for (password, rules, expected) in [
        ("xkqzvwj", &default, Err(Refused::TooShort { least: 8 })),
        ("xkqzvwjp", &default, Ok(())),
        ("xkqzvwjpxkqzvw", &fifteen, Err(Refused::TooShort { least: 15 })),
        ("xkqzvwjpxkqzvwq", &fifteen, Ok(())),
        ("дверьлес", &default, Ok(())),
        ("дверьле", &default, Err(Refused::TooShort { least: 8 })),
        ("e\u{301}e\u{301}e\u{301}e\u{301}xy", &default, Err(Refused::TooShort { least: 8 })), // six once composed
        ("🐎🔋📎✓", &default, Err(Refused::TooShort { least: 8 })),
        ("", &default, Err(Refused::Unfit(Unfit::Empty))),
    ] {
        assert_eq!(check(password.as_bytes(), &NOBODY, rules), expected, "{password}");
    }
    let long = "xkqzv wjpml ".repeat(85);
    assert_eq!(check(&long.as_bytes()[..1019], &NOBODY, &default), Ok(()));
    assert_eq!(check(&[b'x'; 1025], &NOBODY, &default), Err(Refused::Unfit(Unfit::TooLong)));
    assert_eq!(check(b"p\xe4sswort-lang", &NOBODY, &default), Err(Refused::Unfit(Unfit::NotUtf8)));
}

#[test]
fn common_ones() {
    // Goal: common passwords are refused also in disguise, uncommon ones that resemble them are not.
    for password in [
        "password",
        "PassWord",
        "p@ssw0rd",
        "P@ssw0rd!",
        "password2026",
        "Password123!",
        "letmein!!",
        "ｐａｓｓｗｏｒｄ",
        "pässword",
        "passwordpassword",
        "qwertyqwerty",
        "1qaz2wsx",
        "iloveyou",
        "12345678",
        "87654321",
        "abcdefghij",
        "aaaaaaaaaaaa",
        "11111111",
        "hijklmno",
        "abcabcabcabc",
        "dragon2024",
        "m0nk3y99",
        "піѕпіѕпіѕпіѕ",
        "letmeinletmein77",
    ] {
        assert_eq!(check(password.as_bytes(), &NOBODY, &Rules::default()), Err(Refused::Common), "{password}");
    }
    for password in [
        "correct horse battery staple",
        "xkqzvwjp",
        "my password is fine",
        "dragon-lantern-42",
        "12345678 apples",
        "ab ab cd ab",
    ] {
        assert_eq!(check(password.as_bytes(), &NOBODY, &Rules::default()), Ok(()), "{password}");
    }
    let lax = Rules { refuse_common: false, ..Rules::default() };
    assert_eq!(check(b"password", &NOBODY, &lax), Ok(()));
}

#[test]
fn names() {
    // Goal: the account's names of four characters or more are found in any case, accent and direction, and either way
    // round; shorter ones and other people's are not.
    let names = Names {
        username: "jmuller42",
        given: "Jörg-Peter",
        family: "van der Bergh",
        mail: &["jp.bergh+shop@acme-widgets.example.com"],
    };
    for (password, expected) in [
        ("my JMULLER42 key", Some(Name::Username)),
        ("24rellumj then more", Some(Name::Username)),
        ("gmullerwx", None),
        ("xx-jorg-xx-99", Some(Name::Given)),
        ("retep goes home", Some(Name::Given)),
        ("BERGHtop tiger", Some(Name::Family)),
        ("van der hill 7", None), // only three letters each
        ("we shop at night", Some(Name::Mail)),
        ("acme rocket club", Some(Name::Mail)),
        ("some example here", Some(Name::Mail)),
        ("dot com galaxy", None),
        ("unrelated tulips", None),
    ] {
        let expected = expected.map_or(Ok(()), |name| Err(Refused::HoldsName(name)));
        assert_eq!(check(password.as_bytes(), &names, &Rules::default()), expected, "{password}");
    }
    // The name holds the password.
    let long = Names { username: "maximilian.featherstone", ..NOBODY };
    assert_eq!(check(b"featherst", &long, &Rules::default()), Err(Refused::HoldsName(Name::Username)));
    let lax = Rules { refuse_names: false, ..Rules::default() };
    assert_eq!(check(b"featherst", &long, &lax), Ok(()));
}

#[test]
fn parts_with_digits_count_when_they_tell_something() {
    // Goal: a year or a group of a UUID in a name refuses nothing; the whole name does, and longer parts of it.
    let family = "5f2c9a17-4e1d-4b7a-9c30-8d6e2f01ab34";
    let names = Names { username: "b4d1", given: "anna.1987.x2024", family, ..NOBODY };
    for (password, expected) in [
        ("what 4e1d b7a4 9c30 03c9 holds", None),
        ("9d0c4e1d-77aa-4b7a-8f16-1c2d3e4f5a6b", None),
        ("in 1987 we won", None),
        ("in x2024 we won", Some(Name::Given)),
        ("anna won in may", Some(Name::Given)),
        ("the 8d6e2f01ab34 key", Some(Name::Family)),
        ("b4d1 and a tulip", Some(Name::Username)),
        ("1d4b and a tulip", Some(Name::Username)),
    ] {
        let expected = expected.map_or(Ok(()), |name| Err(Refused::HoldsName(name)));
        assert_eq!(check(password.as_bytes(), &names, &Rules::default()), expected, "{password}");
    }
}

#[test]
fn every_refusal_has_a_policy_error() {
    // Goal: the four errors of the password-policy draft are reached by the reasons they belong to.
    for (refused, reason) in [
        (Refused::TooShort { least: 8 }, PasswordReason::TooShort),
        (Refused::Common, PasswordReason::InsufficientQuality),
        (Refused::HoldsName(Name::Given), PasswordReason::InsufficientQuality),
        (Refused::Unfit(Unfit::NotUtf8), PasswordReason::InsufficientQuality),
        (Refused::InHistory, PasswordReason::InHistory),
        (Refused::TooYoung { until: 0 }, PasswordReason::TooYoung),
    ] {
        assert_eq!(refused.reason(), reason);
    }
}

proptest! {
    #[test]
    fn every_listed_password_is_common(pick in any::<prop::sample::Index>(), tail in "[0-9!?.]{0,6}", upper: bool) {
        // Goal: law of the disguises: a listed password stays common with capitals and a short tail of digits or signs.
        let word = WORDS[pick.index(WORDS.len())];
        let word = if upper { word.to_uppercase() } else { word.to_owned() };
        prop_assert!(is_common(&fold(&format!("{word}{tail}"))), "{word}{tail}");
    }

    #[test]
    fn search_agrees_with_a_scan(text in "[a-z0-9]{1,6}") {
        // Goal: the binary search finds exactly the lines of the file.
        prop_assert_eq!(is_listed(&text), LINES.contains(text.as_str()));
    }

    #[test]
    fn a_held_name_is_always_found(name in "[a-zA-Zäöüé]{4,12}", before in "[0-9 ]{4,8}", after in "[0-9 ]{4,8}") {
        // Goal: whatever the letters, a password that holds the username is refused for it, or for something earlier.
        let names = Names { username: &name, ..NOBODY };
        let password = format!("{before}{name}{after}");
        prop_assert_eq!(check(password.as_bytes(), &names, &Rules::default()), Err(Refused::HoldsName(Name::Username)));
    }

    #[test]
    fn anything_is_answered(password in prop::collection::vec(any::<u8>(), 0..80), name in "\\PC{0,30}") {
        // Goal: no password and no name makes the check panic.
        let names = Names { username: &name, given: &name, family: &name, mail: &[&name] };
        let _answer = check(&password, &names, &Rules { least_length: 1, ..Rules::default() });
    }
}

//! Hashes made by other programs, damaged hashes, and bounds.

use super::*;
use proptest::prelude::*;

/// `maker <tab> password in hex <tab> stored value`, made by the programs named there.
const FOREIGN: &str = include_str!("../vectors/foreign.tsv");

fn foreign() -> impl Iterator<Item = (&'static str, Vec<u8>, &'static str)> {
    FOREIGN.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let password =
            (0..fields[1].len() / 2).map(|at| u8::from_str_radix(&fields[1][at * 2..at * 2 + 2], 16).unwrap());
        (fields[0], password.collect(), fields[2])
    })
}

/// The ones that are quick enough to be tried thousands of times.
fn quick() -> Vec<(Vec<u8>, &'static str)> {
    foreign()
        .filter(|(.., stored)| parse(stored).is_ok_and(|parsed| parsed.estimate_us() <= 1_500))
        .map(|(_, password, stored)| (password, stored))
        .collect()
}

#[test]
fn verifies_what_other_programs_stored() {
    // Goal: every foreign hash matches its password and no near miss of it.
    let mut arena = Arena::new();
    let mut seen = std::collections::BTreeSet::new();
    for (maker, password, stored) in foreign() {
        let parsed = parse(stored).unwrap_or_else(|defect| panic!("{maker}: {stored}: {defect}"));
        seen.insert(split(stored).map_or("", |(scheme, _)| scheme).to_ascii_uppercase());
        assert_eq!(parsed.check(&password, &mut arena), Ok(true), "{maker}: {stored}");
        let mut wrong = password.clone();
        wrong[0] ^= 1;
        assert_eq!(parsed.check(&wrong, &mut arena), Ok(false), "{maker}: {stored}");
    }
    let expected = [
        "SSHA",
        "SHA",
        "SMD5",
        "MD5",
        "SSHA256",
        "SHA256",
        "SSHA384",
        "SHA384",
        "SSHA512",
        "SHA512",
        "PBKDF2",
        "PBKDF2-SHA1",
        "PBKDF2-SHA256",
        "PBKDF2-SHA512",
        "PBKDF2_SHA256",
        "ARGON2",
        "CRYPT",
        "BCRYPT",
    ];
    // pw-pbkdf2 and 389-DS print their default as {PBKDF2} or {PBKDF2-SHA1}; bare argon2id has no scheme name.
    for scheme in expected {
        assert!(seen.contains(scheme), "no vector for {scheme}");
    }
}

#[test]
fn a_prefix_of_a_hash_is_no_hash() {
    // Goal: cut anywhere, a stored hash is malformed or matches nothing; it never matches and never panics.
    let mut arena = Arena::new();
    for (maker, password, stored) in foreign() {
        for end in 0..stored.trim_end_matches('=').len() {
            // Well-formed when cut: a salted digest within its salt, an argon2 hash, whose length enters the function.
            let Ok(parsed) = parse(&stored[..end]) else { continue };
            assert!(matches!(parsed, Parsed::Digest(_) | Parsed::Argon(_)), "{maker}: accepted {}", &stored[..end]);
            assert_eq!(parsed.check(&password, &mut arena), Ok(false), "{maker}: {}", &stored[..end]);
        }
    }
}

#[test]
fn costs_are_bounded() {
    // Goal: a hash that asks for too much work is refused before any is done, and the largest allowed is read.
    let salt_hash = "c29tZXNhbHRzb21lc2FsdA$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";
    let argon = |costs: &str| format!("{{ARGON2}}$argon2id$v=19${costs}${salt_hash}");
    let bcrypt = |cost: &str| format!("{{CRYPT}}$2b${cost}$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234");
    let sha = |rounds: &str| format!("{{CRYPT}}$5$rounds={rounds}$salt${}", "a".repeat(43));
    let pbkdf2 = |rounds: &str| format!("{{PBKDF2-SHA1}}{rounds}$c2FsdA$MTIzNDU2Nzg5MDEyMzQ1Njc4OTA");
    let cases = [
        (argon("m=262144,t=8,p=16"), Ok(())),
        (argon("m=262145,t=1,p=1"), Err(Defect::Cost)),
        (argon("m=262144,t=9,p=1"), Err(Defect::Cost)),
        (argon("m=64,t=65,p=1"), Err(Defect::Cost)),
        (argon("m=4294967296,t=1,p=1"), Err(Defect::Cost)),
        (argon("m=64,t=0,p=1"), Err(Defect::Cost)),
        (argon("m=64,t=1,p=0"), Err(Defect::Cost)),
        (argon("m=64,t=1,p=9"), Err(Defect::Cost)),
        (argon("m=64,t=1,p=17"), Err(Defect::Cost)),
        (argon("m=64,t=1,p=1,keyid=x"), Err(Defect::Malformed)),
        (argon("m=+64,t=1,p=1"), Err(Defect::Malformed)),
        (argon("t=1,m=64,p=1"), Err(Defect::Malformed)),
        (bcrypt("16"), Ok(())),
        (bcrypt("17"), Err(Defect::Cost)),
        (bcrypt("03"), Err(Defect::Cost)),
        (bcrypt("4"), Err(Defect::Malformed)),
        (bcrypt("+4"), Err(Defect::Malformed)),
        (sha("1000000"), Ok(())),
        (sha("1000001"), Err(Defect::Cost)),
        (sha("999"), Err(Defect::Cost)),
        (sha(""), Err(Defect::Malformed)),
        (pbkdf2("10000000"), Ok(())),
        (pbkdf2("10000001"), Err(Defect::Cost)),
        (pbkdf2("0"), Err(Defect::Cost)),
        (pbkdf2("99999999999"), Err(Defect::Malformed)),
        (pbkdf2("-1"), Err(Defect::Malformed)),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(&text).map(|_| ()), expected, "{text}");
    }
}

#[test]
fn unknown_and_malformed_are_told_apart() {
    // Goal: the alarm says whether a scheme is missing here or a row is damaged there.
    for (text, defect) in [
        ("", Defect::UnknownScheme),
        ("secret", Defect::UnknownScheme),
        ("{}", Defect::UnknownScheme),
        ("{SASL}bob@EXAMPLE.COM", Defect::UnknownScheme),
        ("{SSHA", Defect::UnknownScheme),
        ("{CRYPT}abJnggxhB/yWI", Defect::UnknownScheme),
        ("{CRYPT}$y$j9T$abc$def", Defect::UnknownScheme),
        ("{CRYPT}$2x$04$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234", Defect::UnknownScheme),
        ("$argon2x$v=19$m=64,t=1,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", Defect::UnknownScheme),
        ("$argon2id$v=18$m=64,t=1,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", Defect::UnknownScheme),
        ("{SHA}", Defect::Malformed),
        ("{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", Defect::Malformed), // no salt
        ("{SHA}6HL2uk6/TdJw5zPHYqoCxXyXtLUUNQpU", Defect::Malformed), // salt where none belongs
        ("{SSHA}!!!!", Defect::Malformed),
        ("{PBKDF2_SHA256}AAAgAA==", Defect::Malformed),
        ("{CRYPT}$6$salt$short", Defect::Malformed),
        ("{CRYPT}$1$saltsalts$qjXMvbEw8oaL.CzflDtaK/", Defect::Malformed),
        ("{ARGON2}$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ", Defect::Malformed),
    ] {
        assert_eq!(parse(text).err(), Some(defect), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(\\{(SSHA|MD5|CRYPT|PBKDF2|PBKDF2_SHA256|ARGON2|ssha512|x)\\}|)\\PC{0,60}") {
        // Goal: no text makes the reader panic, and what it accepts is within a few seconds of work.
        if let Ok(parsed) = parse(&text) {
            prop_assert!(parsed.estimate_us() <= 10_000_000);
        }
    }

    #[test]
    fn a_damaged_hash_never_matches(pick in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in 0x21_u8..0x7f) {
        // Goal: one character changed gives no match, unless only spare bits or letter case of the name changed, or the
        // other of PBKDF2's two signs for one digit stands there.
        let all = quick();
        let (password, stored) = &all[pick.index(all.len())];
        let value = stored.find('}').map_or(0, |brace| brace + 1);
        // Of 389-DS's packed form the first 100 of 324 bytes are looked at (see `pbkdf2`): 133 digits.
        let looked_at = if stored.starts_with("{PBKDF2_SHA256}") { 133 } else { stored.len() - value };
        let at = value + at.index(looked_at);
        let mut bytes = stored.as_bytes().to_vec();
        let digit = |byte: u8| if stored.starts_with("{PBKDF2") && byte == b'.' { b'+' } else { byte };
        prop_assume!(digit(bytes[at]) != digit(byte) && !is_last_digit(stored, at));
        bytes[at] = byte;
        let damaged = String::from_utf8(bytes).unwrap();
        if let Ok(parsed) = parse(&damaged) && parsed.estimate_us() <= 100_000 {
            prop_assert_ne!(parsed.check(password, &mut Arena::new()), Ok(true), "{}", damaged);
        }
    }

    #[test]
    fn argon_text_reads_back(memory in 8_u32..4096, iterations in 1_u32..64, salt in prop::collection::vec(any::<u8>(), 8..=64), hash in prop::collection::vec(any::<u8>(), 16..=64)) {
        // Goal: what is printed is read back to the same text.
        let made = Argon {
            algorithm: argon2::Algorithm::Argon2id, version: argon2::Version::V0x13,
            memory_kib: memory, iterations, lanes: 1, salt, hash,
        };
        let text = made.text();
        prop_assert_eq!(Argon::parse(&text).map(|read| read.text()), Ok(text));
    }
}

/// Base64 leaves spare bits in the last digit of a field; changing those changes nothing.
fn is_last_digit(stored: &str, at: usize) -> bool {
    let rest = stored[at + 1..].trim_start_matches('=');
    let bcrypt_salt_end = stored.contains("$2") && stored.len() - at == 32;
    rest.is_empty() || rest.starts_with('$') || bcrypt_salt_end || stored.as_bytes()[at] == b'='
}

//! Hashing, verifying, upgrading.

use super::super::import::{Imported, import};
use super::*;
use proptest::prelude::*;

/// Small enough for hundreds of runs.
fn small() -> Params {
    Params::new(32, 1, 1).unwrap()
}

fn imported(value: &str) -> PasswordHash {
    match import(value.as_bytes()) {
        Ok(Imported::Hash(hash)) => hash,
        other => panic!("{value}: {other:?}"),
    }
}

#[test]
fn the_canonical_form() {
    // Goal: the stored text is the PHC string with the default parameters, equal to what the reference
    // implementation (libargon2, through argon2-cffi) prints for the same salt.
    let made = hash(b"correct horse", *b"somesaltsomesalt", Params::default(), &mut Arena::new()).unwrap();
    assert_eq!(made.as_str(), include_str!("../vectors/canonical.txt").trim_end());
    assert_eq!(made.scheme(), "argon2id");
    assert_eq!(made.cost(), Cost::Expensive);
    assert!(!format!("{made:?}").contains("c29tZXNhbHRzb21lc2FsdA"));
}

#[test]
fn a_used_arena_changes_nothing() {
    // Goal: leftovers of other runs, larger and smaller, do not reach the result; large memory is given back.
    let mut used = Arena::new();
    for (memory, iterations) in [(64, 1), (1024, 1), (32, 3), (70_000, 1), (32, 1)] {
        let params = Params::new(memory, iterations, 1).unwrap();
        let fresh = hash(b"correct horse", [3; 16], params, &mut Arena::new()).unwrap();
        assert_eq!(hash(b"correct horse", [3; 16], params, &mut used).unwrap(), fresh);
        assert!(used.blocks.len() <= KEPT_BLOCKS);
    }
}

#[test]
fn parameters_are_bounded() {
    // Goal: parameters outside the bounds cannot be made, the defaults can.
    for (memory, iterations, lanes, good) in [
        (19_456, 2, 1, true),
        (8, 1, 1, true),
        (7, 1, 1, false),
        (64, 1, 9, false),
        (262_144, 1, 1, true),
        (262_145, 1, 1, false),
        (64, 0, 1, false),
        (64, 65, 1, false),
        (64, 1, 0, false),
        (1024, 1, 17, false),
        (262_144, 9, 1, false),
        (u32::MAX, u32::MAX, u32::MAX, false),
    ] {
        assert_eq!(Params::new(memory, iterations, lanes).is_ok(), good, "{memory} {iterations} {lanes}");
    }
    let default = Params::default();
    assert_eq!(Params::new(default.memory_kib(), default.iterations(), default.lanes()), Ok(default));
}

#[test]
fn what_may_be_set() {
    // Goal: empty, over-long and non-UTF-8 passwords are refused when set.
    let set = |password: &[u8]| hash(password, [0; 16], small(), &mut Arena::new()).map(|_| ());
    assert_eq!(set(b""), Err(HashError::Unfit(Unfit::Empty)));
    assert_eq!(set(&[b'x'; 1025]), Err(HashError::Unfit(Unfit::TooLong)));
    assert_eq!(set(b"p\xe4ss"), Err(HashError::Unfit(Unfit::NotUtf8)));
    assert_eq!(set(b"a\0b"), Err(HashError::Unfit(Unfit::Character)));
    assert_eq!(set(&[b'x'; 1024]), Ok(()));
}

#[test]
fn nothing_matches_empty_or_overlong() {
    // Goal: rows A15 and A18: never a match, whatever is stored, the hash of an empty password included; no work.
    let empty = imported("{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk="); // SHA-1 of nothing
    let slow = imported("{PBKDF2-SHA1}10000000$c2FsdA$MTIzNDU2Nzg5MDEyMzQ1Njc4OTA");
    let mut arena = Arena::new();
    for password in [&b""[..], &[b'x'; 1025], &[b'x'; 1 << 20]] {
        for stored in [&empty, &slow] {
            assert_eq!(verify(stored, password, small(), &mut arena), Verification::default());
        }
    }
}

#[test]
fn whole_password_counts() {
    // Goal: no truncation anywhere up to the bound: the last byte of 1024 decides.
    let mut password = vec![b'x'; 1024];
    let stored = hash(&password, [1; 16], small(), &mut Arena::new()).unwrap();
    assert!(verify(&stored, &password, small(), &mut Arena::new()).matched);
    password[1023] = b'y';
    assert!(!verify(&stored, &password, small(), &mut Arena::new()).matched);
    password.truncate(1023);
    assert!(!verify(&stored, &password, small(), &mut Arena::new()).matched);
}

#[test]
fn upgrade_when_due_and_possible() {
    // Goal: an upgrade is asked for exactly when the password matched, the stored form is not the present one, and the
    // password can be hashed anew.
    let mut arena = Arena::new();
    let present = hash(b"test", [1; 16], small(), &mut arena).unwrap();
    let other = hash(b"test", [1; 16], Params::new(64, 1, 1).unwrap(), &mut arena).unwrap();
    let wrapped = imported(&format!("{{ARGON2}}{}", present.as_str()));
    let sha = imported("{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=");
    let latin = imported("{SHA}0vUrxEBomPxyLAtOMU+bRvyFzeQ=");
    for (stored, password, matched, upgrade) in [
        (&present, &b"test"[..], true, false),
        (&present, b"Test", false, false),
        (&other, b"test", true, true),
        (&wrapped, b"test", true, true),
        (&sha, b"test", true, true),
        (&sha, b"nope", false, false),
        (&latin, b"caf\xe9", true, false),
        (&present, b"caf\xe9", false, false),
    ] {
        let outcome = verify(stored, password, small(), &mut arena);
        assert_eq!(outcome, Verification { matched, upgrade, defect: None }, "{stored:?} {password:?}");
    }
}

#[test]
fn spellings() {
    // Goal: our hashes match every spelling of the prepared form; foreign ones also match the bytes they got.
    let mut arena = Arena::new();
    let nfc = "r\u{e9}sum\u{e9} 1";
    let nfd = "re\u{301}sume\u{301}\u{a0}1";
    let ours = hash(nfd.as_bytes(), [1; 16], small(), &mut arena).unwrap();
    let foreign = |password: &str| {
        use base64::Engine;
        use sha2::Digest;
        let digest = sha2::Sha256::digest(password.as_bytes());
        imported(&format!("{{SHA256}}{}", base64::prelude::BASE64_STANDARD.encode(digest)))
    };
    for (stored, password, matched) in [
        (&ours, nfc, true),
        (&ours, nfd, true),
        (&foreign(nfc), nfc, true),
        (&foreign(nfc), nfd, true),
        (&foreign(nfd), nfd, true),
        (&foreign(nfd), nfc, false),
    ] {
        let outcome = verify(stored, password.as_bytes(), small(), &mut arena);
        assert_eq!((outcome.matched, outcome.defect), (matched, None), "{password:?}");
    }
}

#[test]
fn a_defect_is_reported() {
    // Goal: a damaged stored hash does not match and says so.
    for (stored, defect) in [
        ("", Defect::UnknownScheme),
        ("{SSHA}", Defect::Malformed),
        ("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ", Defect::Malformed),
        ("{CRYPT}$2b$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", Defect::Cost),
    ] {
        let stored = PasswordHash::from_stored(stored);
        let outcome = verify(&stored, b"secret", small(), &mut Arena::new());
        assert_eq!(outcome, Verification { matched: false, upgrade: false, defect: Some(defect) });
        assert_eq!((stored.defect(), stored.cost()), (Some(defect), Cost::Cheap));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn only_the_same_password_matches(one in "\\PC{1,20}", two in "\\PC{1,20}", salt: [u8; 16]) {
        // Goal: a hash matches its password, and another one exactly when their prepared forms are equal.
        let mut arena = Arena::new();
        if let Ok(stored) = hash(one.as_bytes(), salt, small(), &mut arena) {
            prop_assert!(verify(&stored, one.as_bytes(), small(), &mut arena).matched);
            let same = matches!((prepare(one.as_bytes()), prepare(two.as_bytes())), (Ok(a), Ok(b)) if *a == *b);
            prop_assert_eq!(verify(&stored, two.as_bytes(), small(), &mut arena).matched, same);
        }
    }
}

//! Tables of names: which are one, which are refused and why, which look alike; and the laws behind them.

use proptest::prelude::*;

use super::{EmailKey, NameRefusal as R, SkeletonKey, UsernameKey, UsernameRules};

fn key(name: &str) -> String {
    UsernameKey::prepare(name).unwrap_or_else(|refusal| panic!("{name:?}: {refusal}")).as_str().to_owned()
}

fn skeleton(name: &str) -> SkeletonKey {
    SkeletonKey::of(&UsernameKey::prepare(name).unwrap())
}

#[test]
fn spellings_of_one_username_have_one_key() {
    // Goal: row B9: whatever is accepted as another spelling is the same name.
    let table: &[&[&str]] = &[
        &["bob", "BOB", "Bob", "ｂｏｂ", "ＢＯＢ", "𝐛𝐨𝐛", "ⓑⓞⓑ"],
        &["rené", "RENÉ", "rene\u{301}", "ＲＥＮÉ"],
        &["straße", "STRASSE", "strasse", "STRAẞE"],
        &["k", "K", "\u{212a}"],
        &["ångström", "\u{212b}ngström", "A\u{30a}NGSTRÖM"],
        &["ﬁnn", "finn", "FINN"],
        &["i\u{307}nan", "İNAN"],
        &["inan", "INAN", "ınan"],
        &["σίσυφος", "ΣΊΣΥΦΟΣ", "σίσυφοσ"],
        &["ſam", "sam"],
        &["x²", "x2"],
        &["ﾔﾏﾀﾞ", "ヤマダ"],
        &["john.doe@corp", "John.Doe@CORP", "john．doe＠corp"],
    ];
    for names in table {
        let first = key(names[0]);
        for name in *names {
            assert_eq!(key(name), first, "{name:?}");
            assert_eq!(UsernameKey::lookup(name).unwrap().as_str(), first, "{name:?} at a login");
        }
    }
}

#[test]
fn usual_usernames_are_accepted() {
    // Goal: the charset of real directories: people in many scripts, addresses, machine accounts, services.
    let names = [
        "a",
        "j",
        "john.doe",
        "john_doe",
        "john-doe",
        "_service",
        "x1",
        "2fast",
        "o'brien+test@example.com",
        "ws0042$",
        "svc-backup",
        "müller",
        "иванов",
        "иван.петров",
        "γιώργος",
        "田中",
        "山田はなこ",
        "ヤマダ",
        "김철수",
        "محمد",
        "דוד",
        "देवनागरी",
        "สมชาย",
        "nguyễn",
        "łukasz",
        "ólafur",
        "çelik",
        "abc-123_x.y",
        "иван@пример",
        "имя@example.com",
        "rn",
        "deadbeef",
        "a.b.c.d",
        "first-",
        "b\u{301}ob",
    ];
    for name in names {
        key(name);
    }
}

#[test]
fn refused_usernames_say_why() {
    // Goal: rows B9 to B12: every listed input is refused, each for its reason.
    let long = "a".repeat(257);
    let table: &[(&str, R)] = &[
        ("", R::Empty),
        (&long, R::TooLong),
        ("\u{fdfa}\u{fdfa}\u{fdfa}\u{fdfa}\u{fdfa}\u{fdfa}\u{fdfa}\u{fdfa}\u{fdfa}\u{fdfa}", R::TooLong),
        // B9: around and inside
        (" bob", R::Space),
        ("bob ", R::Space),
        ("b ob", R::Space),
        ("bob\u{a0}", R::Space),
        ("bob\u{3000}", R::Space),
        ("bob\u{2028}", R::Space),
        ("bob\t", R::Control),
        ("bob\u{85}", R::Control),
        ("bob\u{200b}", R::Invisible),
        ("b\u{200d}ob", R::Invisible),
        ("bob\u{ad}", R::Invisible),
        ("bob\u{feff}", R::Invisible),
        ("bob\u{2060}", R::Invisible),
        ("bob\u{e0041}", R::Invisible),
        ("bob\u{34f}", R::Forbidden('\u{34f}')),
        ("bob\u{fe0f}", R::Forbidden('\u{fe0f}')),
        ("bob\u{3164}", R::Forbidden('\u{1160}')),
        // B10
        ("аdmin", R::MixedScripts),
        ("admіn", R::MixedScripts),
        ("pаypal@example.com", R::MixedScripts),
        ("αlpha", R::MixedScripts),
        ("\u{202e}nimda", R::Invisible),
        ("ad\u{2066}min", R::Invisible),
        ("bob😀", R::Forbidden('😀')),
        ("😀", R::Forbidden('😀')),
        ("bob\u{378}", R::Unassigned),
        ("bob\u{10ffff}", R::Unassigned),
        ("bob\u{e000}", R::Unassigned),
        ("دavid", R::MixedScripts),
        ("דוד1ا", R::MixedScripts),
        ("محمد1\u{661}", R::MixedDigits),
        ("१1", R::MixedDigits),
        ("\u{301}bob", R::Marks),
        ("a\u{302}\u{302}", R::Marks),
        ("a\u{300}\u{301}\u{302}\u{303}\u{304}", R::Marks),
        ("1é1\u{301}", R::Marks),
        ("1דוד", R::Bidi),
        ("דוד_", R::Bidi),
        ("דוד@1example", R::Bidi),
        // B11
        ("a/b", R::Forbidden('/')),
        ("..", R::Start('.')),
        ("a..b", R::DoubleDot),
        ("a…b", R::DoubleDot),
        ("../../etc/passwd", R::Forbidden('/')),
        ("%2f", R::Forbidden('%')),
        ("a#b", R::Forbidden('#')),
        ("a?b", R::Forbidden('?')),
        ("a:b", R::Forbidden(':')),
        ("a\r\nb", R::Control),
        ("a\0b", R::Control),
        ("<script>", R::Forbidden('<')),
        ("{{7*7}}", R::Forbidden('{')),
        ("${jndi:}", R::Forbidden('{')),
        ("a\\b", R::Forbidden('\\')),
        ("a+b", R::Forbidden('+')),
        ("a'b", R::Forbidden('\'')),
        ("a@b'c", R::Forbidden('\'')),
        ("a,b", R::Forbidden(',')),
        ("a\"b", R::Forbidden('"')),
        ("a;b", R::Forbidden(';')),
        ("a*", R::Forbidden('*')),
        ("a(b)", R::Forbidden('(')),
        ("a|b", R::Forbidden('|')),
        ("a&b", R::Forbidden('&')),
        ("a℀b", R::Forbidden('/')),
        ("-rf", R::Start('-')),
        (".hidden", R::Start('.')),
        ("@home", R::Start('@')),
        ("$money", R::Start('$')),
        ("bob.", R::End('.')),
        ("bob@", R::End('@')),
        ("a@b@c", R::AtSigns),
        ("a$b", R::Dollar),
        ("a$$", R::Dollar),
        // B12
        ("1", R::Number),
        ("0042", R::Number),
        ("１２", R::Number),
        ("١٢", R::Number),
        ("uid=bob,ou=people", R::Forbidden('=')),
    ];
    for (name, refusal) in table {
        assert_eq!(UsernameKey::prepare(name), Err(*refusal), "{name:?}");
    }
    for surrogate in [b"\xed\xa0\x80".as_slice(), b"bob\xed\xb0\x80", b"b\xffb", b"\xc0\xaf"] {
        assert_eq!(UsernameKey::prepare_bytes(surrogate, UsernameRules::default()), Err(R::NotUtf8));
    }
}

#[test]
fn numbers_are_names_where_the_deployment_says_so() {
    // Goal: matriculation numbers are possible.
    let rules = UsernameRules { numbers: true };
    assert_eq!(UsernameKey::prepare_with("0042", rules).unwrap().as_str(), "0042");
    assert!(UsernameKey::lookup("0042").is_some(), "a login finds a number that an earlier rule let in");
}

#[test]
fn look_alikes_share_a_skeleton() {
    // Goal: row B10: names of one script each that cannot be told apart have one skeleton; other names do not.
    let alike = [
        ("paul1", "paull"),
        ("m0", "mo"),
        ("modern", "modem"),
        ("scope", "ѕсоре"),
        ("аррӏе", "apple"),
        ("ο", "o"),
        ("istanbul", "İstanbul"),
        ("bob", "BOB"),
    ];
    for (one, other) in alike {
        assert_eq!(skeleton(one), skeleton(other), "{one} {other}");
    }
    for (one, other) in [("bob", "rob"), ("rene", "rené"), ("user1", "user2"), ("иван", "ivan"), ("user1", "user11")]
    {
        assert_ne!(skeleton(one), skeleton(other), "{one} {other}");
    }
    let across = |name| SkeletonKey::across_scripts(&UsernameKey::prepare(name).unwrap());
    assert_eq!(across("ѕсоре"), across("scope"));
    assert_eq!(across("İstanbul"), across("istanbul"));
    assert_ne!(across("modern"), across("modem"));
}

#[test]
fn a_username_that_is_an_address_competes_with_addresses() {
    // Goal: row B12: the claim of a username on an address has the key of that address.
    let email = |address: &str| EmailKey::prepare(address).ok();
    for (username, address) in [
        ("Bob@Example.com", "bob@example.COM"),
        ("a@bücher.de", "a@xn--bcher-kva.de"),
        ("o'brien+x@example.com", "O'Brien+X@example.com"),
    ] {
        assert_eq!(UsernameKey::prepare(username).unwrap().as_email(), email(address), "{username}");
        assert!(email(address).is_some());
    }
    assert_eq!(UsernameKey::prepare("bob").unwrap().as_email(), None);
}

#[test]
fn spellings_of_one_address_have_one_key() {
    // Goal: row B13: case, IDN and needless quotes.
    let table: &[(&str, &str)] = &[
        ("A@X.COM", "a@x.com"),
        ("a@bücher.de", "a@xn--bcher-kva.de"),
        ("a@BÜCHER.de", "a@xn--bcher-kva.de"),
        ("a@XN--BCHER-KVA.de", "a@xn--bcher-kva.de"),
        ("a@ｘ．com", "a@x.com"),
        ("\"John.Doe\"@x.com", "john.doe@x.com"),
        ("john+tag@x.com", "john+tag@x.com"),
        ("root@localhost", "root@localhost"),
        ("jörg@x.com", "jörg@x.com"),
        ("JO\u{308}RG@x.com", "jörg@x.com"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
        ("!#$%&'*+-/=?^_`{|}~@x.com", "!#$%&'*+-/=?^_`{|}~@x.com"),
    ];
    for (address, expected) in table {
        let key = EmailKey::prepare(address).unwrap_or_else(|refusal| panic!("{address}: {refusal}"));
        assert_eq!(key.as_str(), *expected, "{address}");
        assert_eq!(format!("{}@{}", key.local(), key.domain()), *expected);
    }
}

#[test]
fn refused_addresses_say_why() {
    // Goal: row B13: limits, injection, literals, labels that lie (RUSTSEC-2024-0421).
    let local = format!("{}@x.com", "a".repeat(65));
    let domain = format!("a@{}.com", "b".repeat(64));
    let total = format!("{}@{}.com", "a".repeat(64), ["b".repeat(62), "c".repeat(62), "d".repeat(62)].join("."));
    let table: &[(&str, R)] = &[
        ("", R::Empty),
        ("a", R::NotAnAddress),
        ("@x.com", R::NotAnAddress),
        ("a@", R::NotAnAddress),
        (".a@x.com", R::NotAnAddress),
        ("a.@x.com", R::NotAnAddress),
        ("a..b@x.com", R::NotAnAddress),
        (&local, R::TooLong),
        (&total, R::TooLong),
        (&domain, R::Domain),
        ("a@x.com\nBcc: b@x.com", R::Control),
        ("a@x.com\r\n", R::Control),
        ("a\r@x.com", R::Control),
        ("a\0@x.com", R::Control),
        ("a\u{85}@x.com", R::Control),
        (" a@x.com", R::Space),
        ("a@x.com ", R::Domain),
        ("a b@x.com", R::Space),
        ("Bob <bob@x.com>", R::Space),
        ("<bob@x.com>", R::Forbidden('<')),
        ("bob(x)@x.com", R::Forbidden('(')),
        ("a@b@x.com", R::Forbidden('@')),
        ("a＠b@x.com", R::Forbidden('@')),
        ("a,b@x.com", R::Forbidden(',')),
        ("\"a b\"@x.com", R::Quoted),
        ("\"a@b\"@x.com", R::Quoted),
        ("\"a\\\"b\"@x.com", R::Quoted),
        ("\"\"@x.com", R::Quoted),
        ("\"a@x.com", R::Quoted),
        ("a@[192.0.2.1]", R::Literal),
        ("a@[IPv6:::1]", R::Literal),
        ("a@192.0.2.1", R::Literal),
        ("a@x.com.", R::Domain),
        ("a@.com", R::Domain),
        ("a@-x.com", R::Domain),
        ("a@x_y.com", R::Domain),
        ("a@x/y.com", R::Domain),
        ("a@xn--example-.org", R::Domain),
        ("a@xn--a.org", R::Domain),
        ("a\u{200b}@x.com", R::Invisible),
        ("a\u{202e}@x.com", R::Invisible),
        ("😀@x.com", R::Forbidden('😀')),
        ("pаypal@x.com", R::MixedScripts),
    ];
    for (address, refusal) in table {
        assert_eq!(EmailKey::prepare(address), Err(*refusal), "{address:?}");
    }
}

proptest! {
    #[test]
    fn a_key_is_its_own_key(name in "\\PC{1,12}|[a-z0-9.@$_'+-]{1,12}|[\u{370}-\u{5ff}]{1,6}") {
        // Goal: prepare ∘ prepare = prepare, in every script, and no spelling of case leads elsewhere.
        if let Ok(key) = UsernameKey::prepare(&name) {
            prop_assert_eq!(UsernameKey::prepare(key.as_str()), Ok(key.clone()));
            prop_assert_eq!(UsernameKey::lookup(&name.to_uppercase()), Some(key.clone()));
            prop_assert_eq!(UsernameKey::lookup(&name.to_lowercase()), Some(key.clone()));
            prop_assert!(!key.as_str().contains(char::is_whitespace));
            let skeleton = SkeletonKey::of(&key);
            prop_assert!(!skeleton.as_str().is_empty());
        }
    }

    #[test]
    fn an_address_key_is_its_own_key(address in "\\PC{1,9}@\\PC{1,9}|[a-z.\"+-]{1,9}@[a-zß-ž0-9.-]{1,9}") {
        // Goal: prepare ∘ prepare = prepare, and every key keeps the limits.
        if let Ok(key) = EmailKey::prepare(&address) {
            prop_assert_eq!(EmailKey::prepare(key.as_str()), Ok(key.clone()));
            prop_assert!(key.domain().is_ascii() && key.local().len() <= 64 && key.as_str().len() <= 254);
        }
    }
}

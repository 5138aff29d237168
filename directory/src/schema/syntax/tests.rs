//! Each syntax against values that RFC 4517 gives or refuses.

use super::{Syntax, time::parse_generalized_time};

/// Every value must be accepted, or every one refused.
fn check(syntax: Syntax, values: &[&str], valid: bool) {
    for value in values {
        assert_eq!(syntax.validate(value.as_bytes()).is_ok(), valid, "{syntax:?} {value:?}");
    }
}

#[test]
fn values_are_accepted_and_refused_by_their_syntax() {
    // Goal: each syntax takes the examples of its RFC and refuses what lies just outside of its grammar.
    use Syntax::*;
    let cases: &[(Syntax, &[&str], &[&str])] = &[
        (DirectoryString, &["a", " ", "Zoë", "日本"], &[""]),
        (Ia5String, &["", "a", "x@y.z"], &["é"]),
        (PrintableString, &["This is a PrintableString", "1+2=3?"], &["", "a@b", "é", "a*"]),
        (TelephoneNumber, &["+1 512 315 0280", "+49 (89) 1-2"], &["", "+1_512"]),
        (CountryString, &["US", "AU"], &["", "U", "USA", "Ü"]),
        (NumericString, &["15 079 672 281", "0"], &["", "1-2", "a"]),
        (Boolean, &["TRUE", "FALSE"], &["", "true", "1", "TRUE "]),
        (Integer, &["0", "1321", "-1", "12345678901234567890123"], &["", "-", "-0", "01", "+1", "1.0", " 1", "--1"]),
        (BitString, &["'0101111101'B", "''B"], &["", "'2'B", "'01'", "01B", "'01'b"]),
        (Oid, &["1.2.3.4", "cn", "2.5", "x-1"], &["", "1", "1.", ".1", "1..2", "1.02", "-x", "1x", "c n", "cn;x"]),
        (
            Uuid,
            &["597ae2f6-16a6-1027-98f4-d28b5365dc14"],
            &["", "597ae2f616a6102798f4d28b5365dc14", "597ae2f6-16a6-1027-98f4-d28b5365dc1g"],
        ),
        (
            PostalAddress,
            &["1234 Main St.$Anytown, CA 12345$USA", r"\241,000,000 Sweepstakes$PO Box 1000000"],
            &["", "a$$b", "$a", "a$", r"a\b", r"a\2"],
        ),
        (
            FacsimileTelephoneNumber,
            &["+1 23", "+1 23$twoDimensional$fineResolution"],
            &["", "$a3Width", "+1$", "+1$fast"],
        ),
        (DeliveryMethod, &["any", "mhs $ telephone", "physical$telex"], &["", "any $", "dove"]),
        (OtherMailbox, &["X400$/C=us", "Internet$a@b"], &["", "x", "$a", "a@$b"]),
        (TelexNumber, &["12345$US$AB"], &["", "1$2", "1$2$3$4", "1$$3"]),
        (TeletexTerminalIdentifier, &["1-2", "1-2$graphic:x$page:"], &["", "1$x:y", "1$graphic"]),
        (
            NameAndOptionalUid,
            &["1.3.6.1.4.1.1466.0=#04024869,O=Test,C=GB#'0101'B", "cn=a", "cn=a#b"],
            &["cn", "cn=a,#'0'B"],
        ),
        (SubstringAssertion, &["a*", "*", "a*b*c", r"\2a*\5c"], &["", "a", r"a\*", r"*\2"]),
        (
            Guide,
            &["person#sn$EQ", "(sn$EQ)|!cn$SUBSTR&?true", "?false"],
            &["", "sn", "sn$IS", "(sn$EQ", "sn$EQ|", "a b#sn$EQ"],
        ),
        (
            EnhancedGuide,
            &["person#(sn$EQ)#oneLevel", "person # cn$GE # wholeSubtree"],
            &["person#(sn$EQ)#near", "(sn$EQ)#oneLevel", "a#b#c#d"],
        ),
        (NisNetgroupTriple, &["(host,user,domain)", "(,-,)", "(,,)"], &["", "(a,b)", "a,b,c", "((a),b,c)"]),
        (BootParameter, &["root=server:/export/root"], &["", "root", "=a:b", "root=a", "root=:b"]),
        (
            AttributeTypeDescription,
            &["( 2.5.4.0 NAME 'objectClass' )", "(1.2)"],
            &["", "( cn )", "( 1.2", "1.2 )", "( 1.2 ) )", "( 1.2 'a )"],
        ),
        (DitStructureRuleDescription, &["( 2 FORM x )"], &["( x )", "( )"]),
        (SubtreeSpecification, &["{}", "{ base \"a}\", maximum 2 }"], &["", "{", "{}{}", "x{}", "{ \" }"]),
        (
            UtcTime,
            &["9601021500Z", "960102150030Z", "9601021500+0100", "9601021500"],
            &["", "9613021500Z", "96010215Z", "9601021500+01", "9602301500Z"],
        ),
        (OctetString, &["", "x"], &[]),
        (Fax, &["x"], &[""]),
    ];
    for (syntax, valid, invalid) in cases {
        check(*syntax, valid, true);
        check(*syntax, invalid, false);
    }
}

#[test]
fn binary_values_have_their_outer_shape() {
    // Goal: a certificate is exactly one DER sequence; a photo is whatever clients store, but something.
    let long = |length: usize, header: &[u8]| [header, &vec![0; length][..]].concat();
    let cases: [(Syntax, Vec<u8>, bool); 10] = [
        (Syntax::JpegPhoto, vec![0xff, 0xd8, 0xff, 0xe0], true),
        (Syntax::JpegPhoto, Vec::new(), false),
        (Syntax::Certificate, vec![0x30, 2, 5, 0], true),
        (Syntax::Certificate, vec![0x30, 3, 5, 0], false),
        (Syntax::Certificate, vec![0x30, 0], false),
        (Syntax::Certificate, vec![0x31, 2, 5, 0], false),
        (Syntax::Certificate, vec![0x30, 0x80, 5, 0, 0, 0], false),
        (Syntax::Certificate, long(200, &[0x30, 0x81, 200]), true),
        (Syntax::Certificate, long(1000, &[0x30, 0x82, 3, 232]), true),
        (Syntax::CertificateList, long(70_000, &[0x30, 0x83, 1, 0x11, 0x70]), true),
    ];
    for (syntax, value, valid) in cases {
        assert_eq!(syntax.validate(&value).is_ok(), valid, "{syntax:?} {:?}", value.get(..6));
    }
    assert!(Syntax::DirectoryString.validate(b"\xff").is_err(), "UTF-8");
}

#[test]
fn names_follow_rfc_4514() {
    // Goal: the examples of RFC 4514 §4 and the usual spaces pass, unescaped specials and broken escapes do not.
    let valid = [
        "",
        "UID=jsmith,DC=example,DC=net",
        "OU=Sales+CN=J.  Smith,DC=example,DC=net",
        r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#,
        r"CN=Before\0dAfter,DC=example,DC=net",
        "1.3.6.1.4.1.1466.0=#04024869",
        r"CN=Lu\C4\8Di\C4\87",
        r"cn=\ a\ ",
        r"cn=\#a",
        "cn = a , dc = b",
        "cn=a=b",
        "cn=a;dc=b",
        "cn=a#b",
    ];
    let invalid = [
        "cn",
        "=a",
        "cn=a,",
        "cn=a,,dc=b",
        "cn=a+",
        "cn=",
        r"cn=a\",
        r"cn=\x",
        "c_n=a",
        "cn=#",
        "cn=#0",
        "cn=#0g",
        "cn=a<b",
        "cn=a\0",
    ];
    check(Syntax::DistinguishedName, &valid, true);
    check(Syntax::DistinguishedName, &invalid, false);
}

#[test]
fn times_of_all_forms_are_read_exactly() {
    // Goal: RFC 4517 §3.3.13: every form, with the calendar checked and fractions carried down without rounding.
    let valid = [
        "199412161032Z",
        "199412160532-0500",
        "1994121610Z",
        "19941216103200Z",
        "19941216103260Z",
        "1994121610.5Z",
        "199412161032,25Z",
        "19941216103200.123456789012345678Z",
        "1994121610+01",
        "20000229000000Z",
        "00000101000000+2359",
        "99991231235959-2359",
    ];
    let invalid = [
        "",
        "Z",
        "19941216",
        "1994121610",
        "1994121610.Z",
        "1994121624Z",
        "199412161060Z",
        "19941216103261Z",
        "19941316103200Z",
        "19940016103200Z",
        "19941232103200Z",
        "19941200103200Z",
        "19000229000000Z",
        "20010229000000Z",
        "1994121610z",
        "1994121610+2400",
        "1994121610+0160",
        "1994121610+1",
        "199412161Z",
        "1994121610Z ",
        " 1994121610Z",
        "+994121610Z",
    ];
    check(Syntax::GeneralizedTime, &valid, true);
    check(Syntax::GeneralizedTime, &invalid, false);
    let read = |text: &str| parse_generalized_time(text.as_bytes()).unwrap();
    let day = 24 * 60;
    assert_eq!(read("00000101000000Z").minutes, day, "the epoch");
    assert_eq!(read("19700101000000Z").minutes, (719_528 + 1) * day, "days from 0000-01-01 to 1970-01-01");
    assert_eq!(read("1994121610.5Z"), read("19941216103000Z"));
    assert_eq!(read("199412161032.25Z"), read("19941216103215Z"));
    assert_eq!(read("1994121610.0001Z"), read("19941216100000.36Z"));
    assert_eq!(read("19941216103200.10Z").fraction, [1]);
    assert_eq!(read("199412160532-0500"), read("19941216103200Z"));
    assert_eq!(read("19941216003200+0100"), read("19941215233200Z"));
}

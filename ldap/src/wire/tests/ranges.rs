//! Operations whose envelope is sound and whose content is not: answered with their own response.

use super::super::message::{ChangeKind, Credentials, DerefAliases, Scope};
use super::*;
use ldap3_proto::LdapCodec;
use ldap3_proto::proto::{LdapMsg, LdapOp, LdapResultCode};
use tokio_util::codec::Decoder;

fn bind(version: &[u8], credentials: &[u8]) -> BytesMut {
    operation(Operation::Bind, |w| {
        w.octets(Tag::INTEGER, version);
        w.octet_string(b"cn=x");
        w.encoded(credentials);
    })
}

/// Goal: versions 1 to 127 reach the operation, which refuses all but 3; others are protocolError at once.
#[test]
fn a14_versions() {
    for version in [1u8, 2, 3, 4, 127] {
        let octets = bind(&[version], b"\x80\x00");
        let Request::Bind(bind) = decode(&octets, &LIMITS).unwrap().request else { panic!("not a bind") };
        assert_eq!(bind.version, version);
    }
    for version in [&b"\x00"[..], b"\xff", b"\x00\x80", b"\x01\x03", b"", b"\x00\x00\x00\x00\x03"] {
        assert_refused(&bind(version, b"\x80\x00"), Operation::Bind);
    }
}

/// Goal: absent, empty and other credentials are told apart: an empty password stays empty, absent SASL
/// credentials stay absent, an unknown choice is known as such.
#[test]
fn a15_credentials() {
    let sasl = |credentials| Credentials::Sasl { mechanism: b"EXTERNAL", credentials };
    for (octets, expected) in [
        (&b"\x80\x00"[..], Credentials::Simple(b"")),
        (b"\x80\x01p", Credentials::Simple(b"p")),
        (b"\xa3\x0a\x04\x08EXTERNAL", sasl(None)),
        (b"\xa3\x0c\x04\x08EXTERNAL\x04\x00", sasl(Some(b""))),
        (b"\x81\x00", Credentials::Unknown(Tag::context(1))),
        (b"\xaa\x02\x04\x00", Credentials::Unknown(Tag::context_constructed(10))),
    ] {
        let octets = bind(b"\x03", octets);
        let Request::Bind(bind) = decode(&octets, &LIMITS).unwrap().request else { panic!("not a bind") };
        assert_eq!(bind.credentials, expected);
    }
    for malformed in [
        &b""[..],
        b"\xa0\x03\x80\x01p",
        b"\x83\x00",
        b"\xa3\x00",
        b"\xa3\x0e\x04\x08EXTERNAL\x04\x00\x04\x00",
        b"\x80\x00\x80\x01p",
        b"\x80\x00\xa3\x0a\x04\x08EXTERNAL",
    ] {
        assert_refused(&bind(b"\x03", malformed), Operation::Bind);
    }
}

fn search_with(fields: &[u8]) -> BytesMut {
    operation(Operation::Search, |w| {
        w.octet_string(b"");
        w.encoded(fields);
    })
}

/// Goal: every field of a search outside its range is protocolError of the search.
#[test]
fn a26_search_ranges() {
    for (fields, why) in [
        (&b"\x0a\x01\x09\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x02cn\x30\x00"[..], "scope 9"),
        (b"\x0a\x01\xff\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x02cn\x30\x00", "scope -1"),
        (b"\x0a\x01\x00\x0a\x01\x07\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x02cn\x30\x00", "deref 7"),
        (b"\x0a\x01\x00\x0a\x01\x00\x02\x01\xff\x02\x01\x00\x01\x01\x00\x87\x02cn\x30\x00", "sizeLimit -1"),
        (
            b"\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x06\x01\x00\x00\x00\x00\x00\x01\x01\x00\x87\x02cn\x30\x00",
            "timeLimit 2^40",
        ),
        (
            b"\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x03\x00\x00\xff\x87\x02cn\x30\x00",
            "typesOnly of 3 octets",
        ),
        (b"\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\x30\x00", "no filter"),
        (b"\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x02cn", "no selection"),
        (
            b"\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x02cn\x30\x02\x02\x00",
            "an integer selected",
        ),
        (b"\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x02cn\x30\x00\x04\x00", "a field too many"),
        (b"\x02\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x02cn\x30\x00", "scope as INTEGER"),
    ] {
        assert_eq!(reaction(&search_with(fields)), respond(Operation::Search, ResultCode::PROTOCOL_ERROR), "{why}");
    }
}

/// Goal: the whole range of a search's numbers is read as it is.
#[test]
fn a26_numbers_in_range() {
    let scopes = [Scope::Base, Scope::OneLevel, Scope::Subtree, Scope::Subordinates];
    let derefs =
        [DerefAliases::Never, DerefAliases::InSearching, DerefAliases::FindingBaseObject, DerefAliases::Always];
    for ((number, scope), deref) in (0u8..).zip(scopes).zip(derefs) {
        let mut fields = vec![0x0a, 1, number, 0x0a, 1, number];
        fields.extend_from_slice(b"\x02\x04\x7f\xff\xff\xff\x02\x04\x00\x00\x00\x05\x01\x01\x01\x87\x02cn\x30\x00");
        let octets = search_with(&fields);
        let Request::Search(search) = decode(&octets, &LIMITS).unwrap().request else { panic!("not a search") };
        assert_eq!((search.scope, search.deref), (scope, deref));
        assert_eq!((search.size_limit, search.time_limit, search.types_only), (0x7fff_ffff, 5, true));
    }
}

/// Goal: a Modify with one malformed change is refused whole.
#[test]
fn a4_modify_is_never_half_read() {
    let change = |octets: &'static [u8]| move |w: &mut Writer<'_>| w.nested(Tag::SEQUENCE, |w| w.encoded(octets));
    let good = change(b"\x0a\x01\x02\x30\x07\x04\x02cn\x31\x01\x05");
    let modify = |second: &'static [u8]| {
        operation(Operation::Modify, |w| {
            w.octet_string(b"cn=x");
            w.nested(Tag::SEQUENCE, |w| {
                w.encoded(b"\x30\x0b\x0a\x01\x02\x30\x06\x04\x02cn\x31\x00");
                change(second)(w);
            });
        })
    };
    assert_eq!(
        reaction(&operation(Operation::Modify, |w| {
            w.octet_string(b"cn=x");
            w.nested(Tag::SEQUENCE, good);
        })),
        disconnect()
    );
    for malformed in [
        &b""[..],
        b"\x0a\x01\x04\x30\x06\x04\x02cn\x31\x00",
        b"\x0a\x01\xff\x30\x06\x04\x02cn\x31\x00",
        b"\x02\x01\x00\x30\x06\x04\x02cn\x31\x00",
        b"\x0a\x01\x00\x30\x06\x04\x02cn\x30\x00",
        b"\x0a\x01\x00\x30\x04\x04\x02cn",
        b"\x0a\x01\x00\x30\x08\x04\x02cn\x31\x02\x05\x00",
        b"\x0a\x01\x00\x30\x08\x04\x02cn\x31\x00\x31\x00",
        b"\x0a\x01\x00\x30\x06\x04\x02cn\x31\x00\x04\x00",
    ] {
        assert_refused(&modify(malformed), Operation::Modify);
    }
    let octets = modify(b"\x0a\x01\x03\x30\x0c\x04\x06number\x31\x02\x04\x00");
    let Request::Modify(modify) = decode(&octets, &LIMITS).unwrap().request else { panic!("not a modify") };
    let kinds: Vec<_> = modify.changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Replace, ChangeKind::Increment]);
}

/// Goal: a rename with a malformed new superior must not become a rename in place.
#[test]
fn modify_dn_keeps_the_new_superior() {
    let rename = |rest: &'static [u8]| {
        operation(Operation::ModifyDn, |w| {
            w.octet_string(b"cn=x");
            w.octet_string(b"cn=y");
            w.encoded(rest);
        })
    };
    for malformed in [
        &b""[..],
        b"\x01\x00",
        b"\x01\x01\xff\x81\x01o",
        b"\x01\x01\xff\xa0\x03\x04\x01o",
        b"\x01\x01\xff\x04\x01o",
        b"\x01\x01\xff\x80\x01o\x80\x01p",
    ] {
        assert_refused(&rename(malformed), Operation::ModifyDn);
    }
    for (rest, expected) in [
        (&b"\x01\x01\xff"[..], None),
        (b"\x01\x01\xff\x80\x01\xfe", Some(&b"\xfe"[..])),
        (b"\x01\x01\x00\x80\x00", Some(b"")),
    ] {
        let octets = rename(rest);
        let Request::ModifyDn(rename) = decode(&octets, &LIMITS).unwrap().request else { panic!("not a rename") };
        assert_eq!(rename.new_superior, expected);
    }
}

/// Goal: the other operations refuse missing, mistyped and extra fields.
#[test]
fn other_operations() {
    for (kind, bodies) in [
        (
            Operation::Add,
            &[&b""[..], b"\x04\x00", b"\x04\x00\x30\x08\x30\x06\x04\x02cn\x31\x00", b"\x04\x00\x30\x00\x30\x00"][..],
        ),
        (
            Operation::Compare,
            &[
                b"\x04\x00",
                b"\x04\x00\x30\x02\x04\x00",
                b"\x04\x00\x30\x06\x04\x00\x04\x00\x04\x00",
                b"\x04\x00\x30\x04\x04\x00\x04\x00\x04\x00",
            ],
        ),
        (
            Operation::Extended,
            &[b"", b"\x81\x00", b"\x80\x00\x82\x00", b"\x80\x00\x81\x00\x81\x00", b"\xa0\x00", b"\x04\x031.2"],
        ),
    ] {
        for body in bodies {
            assert_refused(&operation(kind, |w| w.encoded(body)), kind);
        }
    }
}

/// Goal: A25 – an unknown extended OID arrives whole, with absent and empty values told apart.
#[test]
fn a25_unknown_extended_operation() {
    for (body, value) in [(&b"\x80\x03a b"[..], None), (b"\x80\x03a b\x81\x00", Some(&b""[..]))] {
        let octets = operation(Operation::Extended, |w| w.encoded(body));
        let Request::Extended(extended) = decode(&octets, &LIMITS).unwrap().request else { panic!("not extended") };
        assert_eq!((extended.name, extended.value), (&b"a b"[..], value));
        assert_eq!(extended::ExtendedOperation::decode(&extended), Ok(None));
    }
}

/// Goal: what is said about a refused message is the response of its operation, under its id, as another
/// implementation reads it.
#[test]
fn answers_to_refused_messages() {
    let read = |octets: &[u8]| -> (Reaction, LdapMsg) {
        let mut out = BytesMut::new();
        let reaction = decode(octets, &LIMITS).unwrap_err().answer(&mut out);
        (reaction, LdapCodec::default().decode(&mut out).unwrap().unwrap())
    };
    let (reaction, answer) = read(&operation(Operation::Bind, |_| ()));
    assert_eq!(Some(reaction), respond(Operation::Bind, ResultCode::PROTOCOL_ERROR));
    let LdapOp::BindResponse(response) = answer.op else { panic!("not a bind response") };
    assert_eq!((answer.msgid, response.res.code), (7, LdapResultCode::ProtocolError));
    assert_eq!(response.res.message, "version: expected tag 0x02, found nothing");

    let (_, answer) = read(&search(present, |w| (0..10_000).for_each(|_| w.octet_string(b""))));
    let LdapOp::SearchResultDone(result) = answer.op else { panic!("not a search result") };
    assert_eq!(result.code, LdapResultCode::AdminLimitExceeded);

    let (reaction, answer) = read(b"\x30\x05\x02\x01\x00\x42\x00");
    assert_eq!(Some(reaction), disconnect());
    let LdapOp::ExtendedResponse(notice) = answer.op else { panic!("not a notice") };
    assert_eq!((answer.msgid, notice.name.as_deref()), (0, Some("1.3.6.1.4.1.1466.20036")));
    assert_eq!(notice.res.code, LdapResultCode::ProtocolError);
}

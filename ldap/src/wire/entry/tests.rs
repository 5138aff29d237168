//! Entries against ldap3_proto's reading of them, and against the shortest encoding.

use super::super::ber::{Reader, split};
use super::super::control::PagedResults;
use super::*;
use ldap3_proto::LdapCodec;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{LdapMsg, LdapOp, LdapPartialAttribute, LdapSearchResultEntry};
use proptest::prelude::*;
use tokio_util::codec::Decoder;

fn id() -> MessageId {
    MessageId::new(7).unwrap()
}

fn encode(dn: &[u8], attributes: &[(Vec<u8>, Vec<Vec<u8>>)], types_only: bool, before: &[u8]) -> BytesMut {
    let mut out = BytesMut::from(before);
    let mut entry = EntryEncoder::begin(&mut out, id(), dn, types_only);
    for (description, values) in attributes {
        entry.attribute(description, values);
    }
    entry.finish();
    out
}

fn ldap3(octets: &[u8]) -> LdapMsg {
    let mut buf = BytesMut::from(octets);
    let message = LdapCodec::new(Some(64 << 20), None).decode(&mut buf).unwrap().unwrap();
    assert!(buf.is_empty(), "octets after the message");
    message
}

/// Every length is in its shortest form.
fn assert_shortest(octets: &[u8]) {
    let mut rest = octets;
    while !rest.is_empty() {
        let element = split(rest).unwrap();
        assert_eq!(rest.len() - element.rest.len(), element_size(element.content.len()));
        if element.tag.is_constructed() {
            assert_shortest(element.content);
        }
        rest = element.rest;
    }
}

/// Goal: octet for octet, a small entry.
#[test]
fn exact_octets() {
    let octets = encode(b"dc=x", &[(b"cn".to_vec(), vec![b"a".to_vec(), b"b".to_vec()])], false, b"");
    let expected = b"\x30\x1b\x02\x01\x07\x64\x16\x04\x04dc=x\x30\x0e\x30\x0c\x04\x02cn\x31\x06\x04\x01a\x04\x01b";
    assert_eq!(&octets[..], expected);
}

/// Goal: an encoder that is given up leaves no trace, and one that is finished leaves what was before.
#[test]
fn an_unfinished_entry_leaves_no_trace() {
    let mut out = BytesMut::from(&b"before"[..]);
    let mut entry = EntryEncoder::begin(&mut out, id(), b"dc=x", false);
    entry.attribute(b"cn", [b"a"]);
    drop(entry);
    assert_eq!(&out[..], b"before");
}

/// Goal: types only means descriptions with empty sets, for encoded attributes too.
#[test]
fn types_only_leaves_values_out() {
    let attributes = vec![(b"cn".to_vec(), vec![b"a".to_vec()]), (b"sn".to_vec(), vec![b"b".to_vec(); 99])];
    let mut cached = BytesMut::new();
    let mut entry = EntryEncoder::bare(&mut cached, b"");
    attributes.iter().for_each(|(description, values)| entry.attribute(description, values));
    entry.finish();
    let mut fields = Reader::new(&cached).nested(ENTRY).unwrap();
    fields.octet_string().unwrap();
    let list = fields.expect(Tag::SEQUENCE).unwrap();

    for types_only in [true, false] {
        let mut out = BytesMut::new();
        let mut entry = EntryEncoder::begin(&mut out, id(), b"dc=x", types_only);
        entry.encoded_attributes(list);
        entry.finish();
        assert_eq!(out, encode(b"dc=x", &attributes, types_only, b""));
        let LdapOp::SearchResultEntry(entry) = ldap3(&out).op else { panic!("not an entry") };
        assert_eq!(entry.attributes[1].vals.len(), if types_only { 0 } else { 99 });
    }
}

/// Goal: controls of an entry follow the operation, inside the message.
#[test]
fn controls_follow_the_entry() {
    for size in [1usize, 300, 70_000] {
        let mut out = BytesMut::new();
        let mut entry = EntryEncoder::begin(&mut out, id(), b"dc=x", false);
        entry.attribute(b"cn", [vec![b'a'; size]]);
        entry.finish_with(&[ResponseControl::PagedResults(PagedResults { size: 3, cookie: b"c" })]);
        let message = ldap3(&out);
        assert_eq!(message.ctrl, [LdapControl::SimplePagedResults { size: 3, cookie: b"c".to_vec() }]);
        assert!(matches!(message.op, LdapOp::SearchResultEntry(entry) if entry.attributes[0].vals[0].len() == size));
        assert_shortest(&out);
    }
}

fn text(max: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(b'a'..=b'z', 1..max)
}

/// Sizes around every boundary of the length octets.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0usize..40, 4 => 100usize..140, 3 => 230usize..300, 1 => 65_400usize..65_600]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Goal: ldap3_proto reads the entry that was written, whatever the sizes; nothing before it changes;
    /// every length is the shortest.
    #[test]
    fn ldap3_reads_the_same_entry(
        dn_size in size(),
        attributes in prop::collection::vec((text(20), prop::collection::vec(size(), 0..5)), 0..6),
        types_only in any::<bool>(),
    ) {
        let dn = vec![b'd'; dn_size];
        let attributes: Vec<_> = attributes
            .into_iter()
            .map(|(description, sizes)| (description, sizes.into_iter().map(|size| vec![0xfe; size]).collect()))
            .collect();
        let octets = encode(&dn, &attributes, types_only, b"before");
        prop_assert_eq!(&octets[..6], b"before");
        assert_shortest(&octets[6..]);
        let expected = LdapMsg {
            msgid: 7,
            op: LdapOp::SearchResultEntry(LdapSearchResultEntry {
                dn: String::from_utf8(dn).unwrap(),
                attributes: attributes
                    .into_iter()
                    .map(|(description, vals)| LdapPartialAttribute {
                        atype: String::from_utf8(description).unwrap(),
                        vals: if types_only { vec![] } else { vals },
                    })
                    .collect(),
            }),
            ctrl: vec![],
        };
        prop_assert_eq!(ldap3(&octets[6..]), expected);
    }
}

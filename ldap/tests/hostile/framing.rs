//! Octets that are not LDAP, or nearly (rows A1–A9, A12, A26).

use crate::{client::*, server::Server};
use bytes::BytesMut;
use ldap::{
    Settings,
    wire::{
        MessageId, Request,
        ber::{Tag, Writer},
    },
};

const WHO: &[u8] = &[
    0x30, 0x1e, 0x02, 0x01, 0x01, 0x77, 0x19, 0x80, 0x17, b'1', b'.', b'3', b'.', b'6', b'.', b'1', b'.', b'4', b'.',
    b'1', b'.', b'4', b'2', b'0', b'3', b'.', b'1', b'.', b'1', b'1', b'.', b'3',
];

fn nested(levels: usize) -> Vec<u8> {
    // A search whose filter is so many negations around a presence.
    let mut filter = vec![0x87, 0x01, b'a'];
    for _ in 0..levels {
        let mut outer = vec![0xa2];
        push_length(&mut outer, filter.len());
        outer.extend_from_slice(&filter);
        filter = outer;
    }
    let mut body = vec![0x04, 0, 0x0a, 1, 2, 0x0a, 1, 0, 0x02, 1, 0, 0x02, 1, 0, 0x01, 1, 0];
    body.extend_from_slice(&filter);
    body.extend_from_slice(&[0x30, 0]);
    message(0x63, &body)
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    out.push(0x84);
    out.extend_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut operation = vec![0x02, 1, 1, tag];
    push_length(&mut operation, body.len());
    operation.extend_from_slice(body);
    let mut out = vec![0x30];
    push_length(&mut out, operation.len());
    out.extend_from_slice(&operation);
    out
}

#[tokio::test]
async fn broken_frames_end_the_connection_with_a_reason() {
    // Goal: every frame that cannot be trusted is answered with a Notice of Disconnection (protocolError) and the end,
    // and the server goes on serving others (rows A1–A6, A12).
    let server = Server::start(Settings::default()).await;
    let mut inner_longer = WHO.to_vec();
    inner_longer[6] = 0x7f;
    let with_id = |id: &[u8]| {
        let mut body = vec![0x02, u8::try_from(id.len()).unwrap()];
        body.extend_from_slice(id);
        body.extend_from_slice(&WHO[5..]);
        let mut out = vec![0x30, u8::try_from(body.len()).unwrap()];
        out.extend_from_slice(&body);
        out
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("A1 indefinite length", vec![0x30, 0x80, 0x02, 0x01, 0x01, 0x42, 0x00, 0x00, 0x00]),
        ("A2 length of 9 octets that wraps", vec![0x30, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0x02]),
        ("A2 length of 10 octets", vec![0x30, 0x8a, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9]),
        ("A3 2 GiB", vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]),
        ("A3 2^64-1", vec![0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ("A3 just over the limit before a bind", vec![0x30, 0x83, 0x04, 0x00, 0x00]),
        ("A4 inner longer than outer", inner_longer),
        (
            "A4 child truncated in a filter",
            message(
                0x63,
                &[
                    0x04, 0, 0x0a, 1, 2, 0x0a, 1, 0, 0x02, 1, 0, 0x02, 1, 0, 0x01, 1, 0, 0xa0, 0x06, 0x87, 1, b'a',
                    0x87, 9, b'b', 0x30, 0,
                ],
            ),
        ),
        ("A5 id 0", with_id(&[0])),
        ("A5 negative id", with_id(&[0xff])),
        ("A5 empty id", with_id(&[])),
        ("A5 id 2^31", with_id(&[0x00, 0x80, 0, 0, 0])),
        ("A5 id 2^32+1", with_id(&[1, 0, 0, 0, 1])),
        ("A5 id of 12 octets", with_id(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
        ("A6 high tag number", vec![0x30, 0x06, 0x02, 0x01, 0x01, 0x7f, 0x81, 0x00]),
        ("A6 primitive outer sequence", vec![0x10, 0x05, 0x02, 0x01, 0x01, 0x42, 0x00]),
        ("A6 constructed octet string", message(0x6e, &[0x24, 0x03, 0x04, 0x01, b'x', 0x30, 0x04, 0x04, 0, 0x04, 0])),
        ("A12 HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("A12 TLS hello", vec![0x16, 0x03, 0x01, 0x00, 0x05, 1, 0, 0, 1, 3]),
        ("A12 SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec()),
        ("A12 PROXY", b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n".to_vec()),
        ("unknown operation", message(0x79, &[])),
    ];
    for (name, octets) in cases {
        let mut client = Client::connect(server.ldap).await;
        client.send(&octets).await;
        assert_eq!(client.expect_notice().await, 2, "{name}");
    }
    let mut other = Client::connect(server.ldap).await;
    assert_eq!(other.who().await, "");
    server.stop().await;
}

#[tokio::test]
async fn nesting_is_bounded_and_costs_no_stack() {
    // Goal: filters nested to the limit are evaluated, deeper ones refused with the connection kept where the frame is
    // sound and ended where it is not; no depth ends the process (rows A7, B1).
    let server = Server::start(Settings::default()).await;
    let mut client = Client::connect(server.ldap).await;
    client.send(&nested(38)).await;
    assert_ne!(client.code().await, 11, "within the limit");
    client.send(&nested(40)).await;
    assert_eq!(client.code().await, 11, "one too deep");
    assert_eq!(client.who().await, "", "the connection is kept");
    for levels in [61, 64, 65, 1_000, 8_000] {
        let mut client = Client::connect(server.ldap).await;
        client.send(&nested(levels)).await;
        let answer = client.answer().await.expect("an answer");
        assert!(matches!(answer.code, Some(2 | 11)), "{levels}: {answer:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn too_many_elements_are_an_administrative_limit() {
    // Goal: a request of thousands of tiny elements costs no more than its octets and is answered with 11 (row A8, A9).
    let server = Server::start(Settings::default()).await;
    let mut client = Client::connect(server.ldap).await;
    let id = MessageId::new(1).unwrap();

    let many: Vec<u8> = [0x04, 0x00].repeat(16_000);
    let mut set = vec![0x04, 1, b'a', 0x31];
    push_length(&mut set, many.len());
    set.extend_from_slice(&many);
    let mut attribute = vec![0x30];
    push_length(&mut attribute, set.len());
    attribute.extend_from_slice(&set);
    let mut attributes = vec![0x04, 1, b'x', 0x30];
    push_length(&mut attributes, attribute.len());
    attributes.extend_from_slice(&attribute);
    client.send(&message(0x68, &attributes)).await;
    assert_eq!(client.code().await, 11, "values of an Add");

    let names: Vec<String> = (0..10_001).map(|n| format!("a{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    client.send(&search(id, "", ldap::wire::message::Scope::Base, "(cn=*)", &names, &[])).await;
    assert_eq!(client.code().await, 11, "attributes of a search");

    for count in [11u32, 2_000] {
        let mut out = BytesMut::new();
        Writer::new(&mut out).nested(Tag::SEQUENCE, |w| {
            w.integer(Tag::INTEGER, 1);
            w.octets(Tag::application(10), b"cn=x");
            w.nested(Tag::context_constructed(0), |w| {
                for n in 0..count {
                    w.nested(Tag::SEQUENCE, |w| w.octet_string(format!("1.2.{n}").as_bytes()));
                }
            });
        });
        client.send(&out).await;
        assert_eq!(client.code().await, 11, "{count} controls");
    }
    assert_eq!(client.who().await, "", "the connection is kept");
    server.stop().await;
}

#[tokio::test]
async fn values_out_of_range_are_their_operations_protocol_error() {
    // Goal: scope, deref, limits and booleans outside RFC 4511 are answered with protocolError and the connection is
    // kept (row A26).
    let server = Server::start(Settings::default()).await;
    let mut client = Client::connect(server.ldap).await;
    let body = |scope: u8, deref: u8, size: &[u8], time: &[u8], types: &[u8]| {
        let mut out = vec![0x04, 0, 0x0a, 1, scope, 0x0a, 1, deref];
        for (tag, value) in [(0x02, size), (0x02, time), (0x01, types)] {
            out.push(tag);
            out.push(u8::try_from(value.len()).unwrap());
            out.extend_from_slice(value);
        }
        out.extend_from_slice(&[0x87, 1, b'a', 0x30, 0]);
        message(0x63, &out)
    };
    let cases = [
        ("scope 9", body(9, 0, &[0], &[0], &[0])),
        ("deref 7", body(0, 7, &[0], &[0], &[0])),
        ("size -1", body(0, 0, &[0xff], &[0], &[0])),
        ("time 2^40", body(0, 0, &[0], &[1, 0, 0, 0, 0, 0], &[0])),
        ("typesOnly of 3 octets", body(0, 0, &[0], &[0], &[0, 0, 0])),
    ];
    for (name, octets) in cases {
        client.send(&octets).await;
        let answer = client.answer().await.expect(name);
        assert_eq!((answer.id, answer.operation, answer.code), (1, 5, Some(2)), "{name}");
    }
    assert_eq!(client.who().await, "");
    server.stop().await;
}

#[tokio::test]
async fn a_request_in_single_octets_is_the_same_request() {
    // Goal: where packets begin and end does not matter.
    let server = Server::start(Settings::default()).await;
    let mut client = Client::connect(server.ldap).await;
    for octet in WHO {
        client.send(&[*octet]).await;
    }
    assert_eq!(client.code().await, 0);
    let all = [WHO, WHO, &WHO[..9]].concat();
    client.send(&all).await;
    assert_eq!((client.code().await, client.code().await), (0, 0));
    client.send(&WHO[9..]).await;
    assert_eq!(client.code().await, 0);
    server.stop().await;
}

#[tokio::test]
async fn a_hundred_thousand_pipelined_requests_are_answered_in_order() {
    // Goal: a client that never waits gets every answer, in order, and the buffers stay small because nothing more is
    // read while answers wait (row A13).
    let server = Server::start(Settings::default()).await;
    let client = Client::connect(server.ldap).await;
    let (read, mut write) = tokio::io::split(client.into_stream());
    const COUNT: i32 = 100_000;
    let writer = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let mut out = BytesMut::new();
        for id in 1..=COUNT {
            out.extend_from_slice(&encode(MessageId::new(id).unwrap(), extended(WHO_AM_I, None), &[]));
            if out.len() > 60_000 || id == COUNT {
                write.write_all(&out).await.unwrap();
                out.clear();
            }
        }
        write
    });
    let mut client = Client::over(tokio::io::join(read, tokio::io::sink()));
    for id in 1..=COUNT {
        assert_eq!(client.answer().await.expect("an answer").id, i64::from(id));
    }
    drop(writer.await.unwrap());
    let _ = Request::Unbind;
    server.stop().await;
}

//! For whom a proxy asks, and who is believed to be one.

use super::*;
use axum::http::HeaderName;
use rollbook::config::listen::ForwardedHeader;

async fn seen(door: &Door, headers: &[(&str, &str)]) -> String {
    let head: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let said = door.said_to(format!("GET /peer HTTP/1.1\r\nHost: a\r\n{head}Connection: close\r\n\r\n")).await;
    let (_, body) = said.split_once("\r\n\r\n").unwrap();
    body.rsplit_once(' ').unwrap().0.to_owned()
}

fn trusting(header: ForwardedHeader) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.trusted_proxies = ["127.0.0.0/8", "10.0.0.0/8", "2001:db8::/32"].map(|n| n.parse().unwrap()).into();
        settings.forwarded_header = header;
    }
}

#[tokio::test]
async fn nobody_is_believed_unasked() {
    // Goal (hostile row E8): without configuration no header moves a client's address, its protection or its number.
    let door = Door::open().await;
    let headers =
        [("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9;proto=http"), ("X-Real-IP", "1.2.3.4")];
    assert_eq!(seen(&door, &headers).await, "127.0.0.1 true");
    let name = HeaderName::from_static("x-request-id");
    let answer = door.one().await.with(name, "chosen-by-the-client").get("/hello").await;
    assert_ne!(answer.header("x-request-id"), "chosen-by-the-client");
}

#[tokio::test]
async fn the_rightmost_hop_that_is_not_trusted_is_the_client() {
    // Goal: what a client wrote into the header itself stands left of its own address and is never reached; what cannot be
    // read ends the walk where it is.
    let door = Door::with(trusting(ForwardedHeader::XForwardedFor)).await;
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[], "127.0.0.1 true"),
        (&[("X-Forwarded-For", "203.0.113.9")], "203.0.113.9 true"),
        (&[("X-Forwarded-For", "1.1.1.1, 203.0.113.9")], "203.0.113.9 true"),
        (&[("X-Forwarded-For", "1.1.1.1, 203.0.113.9, 10.1.2.3, 127.0.0.5")], "203.0.113.9 true"),
        (&[("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "203.0.113.9,10.0.0.1")], "203.0.113.9 true"),
        (&[("X-Forwarded-For", "10.0.0.7, 10.0.0.8")], "10.0.0.7 true"),
        (&[("X-Forwarded-For", "1.1.1.1, unknown, 10.0.0.8")], "10.0.0.8 true"),
        (&[("X-Forwarded-For", "1.1.1.1, , 10.0.0.8")], "10.0.0.8 true"),
        (&[("X-Forwarded-For", "203.0.113.9:4711")], "203.0.113.9 true"),
        (&[("X-Forwarded-For", "[2a00::1]:4711")], "2a00::1 true"),
        (&[("X-Forwarded-For", "2a00::1, 2001:db8::5")], "2a00::1 true"),
        (&[("X-Forwarded-For", "::ffff:203.0.113.9")], "203.0.113.9 true"),
        (&[("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "http")], "203.0.113.9 false"),
        (&[("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https")], "203.0.113.9 true"),
        (&[("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https, http")], "203.0.113.9 false"),
        (&[("X-Forwarded-Proto", "http")], "127.0.0.1 false"),
        (&[("Forwarded", "for=203.0.113.9")], "127.0.0.1 true"),
    ];
    for (headers, expected) in cases {
        assert_eq!(seen(&door, headers).await, *expected, "{headers:?}");
    }
    let far = (0..5000).map(|n| format!("1.1.{}.{}", n / 250, n % 250)).chain(["10.0.0.1".into()]);
    let long = far.collect::<Vec<_>>().join(",");
    assert_eq!(seen(&door, &[("X-Forwarded-For", &long[long.len() - 4000..])]).await, "1.1.19.249 true");
}

#[tokio::test]
async fn forwarded_is_read_as_rfc_7239_has_it() {
    // Goal: pairs, quotes and lists of the standard header; the other header is not looked at, because a proxy that writes
    // one passes on the other as the client wrote it.
    let door = Door::with(trusting(ForwardedHeader::Forwarded)).await;
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("Forwarded", "for=203.0.113.9")], "203.0.113.9 true"),
        (&[("Forwarded", "For=\"203.0.113.9:47\";Proto=http;by=10.0.0.1")], "203.0.113.9 false"),
        (&[("Forwarded", "for=\"[2a00::17]:4711\"")], "2a00::17 true"),
        (&[("Forwarded", "for=1.1.1.1, for=203.0.113.9;proto=https, for=10.0.0.9")], "203.0.113.9 true"),
        (&[("Forwarded", "for=1.1.1.1, for=_hidden, for=10.0.0.9")], "10.0.0.9 true"),
        (&[("Forwarded", "for=\"1.1.1.1, for=2.2.2.2\", for=203.0.113.9")], "203.0.113.9 true"),
        (&[("Forwarded", "for=\"1.1.1.1\\\", for=2.2.2.2")], "127.0.0.1 true"),
        (&[("X-Forwarded-For", "203.0.113.9")], "127.0.0.1 true"),
    ];
    for (headers, expected) in cases {
        assert_eq!(seen(&door, headers).await, *expected, "{headers:?}");
    }
}

#[tokio::test]
async fn a_proxys_number_is_taken_when_it_is_one() {
    // Goal: a trusted proxy's number goes through to the answer; what is no number (a header to be split, a log to be
    // forged) is replaced.
    let door = Door::with(trusting(ForwardedHeader::XForwardedFor)).await;
    let name = HeaderName::from_static("x-request-id");
    for (given, taken) in [
        ("a-1_b.C", true),
        ("", false),
        ("a b", false),
        ("a\"b", false),
        (&"x".repeat(65), false),
        (&"x".repeat(64), true),
    ] {
        let answer = door.one().await.with(name.clone(), given).get("/hello").await;
        assert_eq!(answer.header("x-request-id") == given, taken, "{given}");
        assert!(!answer.header("x-request-id").is_empty());
    }
}

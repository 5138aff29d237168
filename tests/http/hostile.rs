//! What no honest client sends.

use super::limits::{GOAWAY, RST_STREAM, frame, frames, get};
use super::*;
use axum::body::Body;

fn status(said: &str) -> &str {
    said.get(9..12).unwrap_or(said)
}

#[tokio::test]
async fn smuggled_requests_are_refused() {
    // Goal (hostile row D11, RFC 9112 §11.2): where two readers could see different ends of a request, it is refused, the
    // connection ends, and nothing that follows is answered.
    let door = Door::open().await;
    let smuggled = "GET /path/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = smuggled.len() + 5;
    let cases = [
        (
            "length and chunks",
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
            "400",
        ),
        (
            "chunks and length",
            format!("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{smuggled}"),
            "400",
        ),
        ("two lengths", format!("Content-Length: 0\r\nContent-Length: 5\r\n\r\n{smuggled}"), "400"),
        ("two lengths in one", format!("Content-Length: 0, 5\r\n\r\n{smuggled}"), "400"),
        ("a signed length", format!("Content-Length: +0\r\n\r\n{smuggled}"), "400"),
        ("a negative length", format!("Content-Length: -1\r\n\r\n{smuggled}"), "400"),
        ("a hexadecimal length", format!("Content-Length: 0x0\r\n\r\n{smuggled}"), "400"),
        ("a length beyond all", format!("Content-Length: 99999999999999999999\r\n\r\n{smuggled}"), "400"),
        ("a space before the colon", format!("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{smuggled}"), "400"),
        ("a folded line", format!("X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"), "400"),
        ("another coding", format!("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}"), "400"),
        ("chunks first", format!("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{smuggled}"), "400"),
        ("two codings", format!("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{smuggled}"), "501"),
        (
            "chunks twice",
            format!("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
            "501",
        ),
        ("a bare line feed", format!("X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"), "400"),
        ("a null", format!("X: \0\r\n\r\n{smuggled}"), "400"),
        ("a null in a name", format!("X\0: y\r\n\r\n{smuggled}"), "400"),
        ("a carriage return", format!("X: a\rTransfer-Encoding: chunked\r\n\r\n{smuggled}"), "400"),
    ];
    for (what, rest, expected) in cases {
        let said = door.said_to(format!("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{rest}")).await;
        assert_eq!(status(&said), expected, "{what}: {said}");
        assert!(!said.contains("smuggled"), "{what}: {said}");
    }
    let old = "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(status(&door.said_to(old).await), "400", "chunks in HTTP/1.0");
    door.is_well().await;
}

#[tokio::test]
async fn a_connection_with_two_framings_is_not_used_again() {
    // Goal: behind another request, where a head cannot be seen whole, chunks end the connection after their answer.
    let door = Door::open().await;
    let first = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    let second =
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let said = door.said_to(format!("{first}{second}GET /path/smuggled HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    names(&said, &["hello", "connection: close"]);
    assert!(!said.contains("smuggled"), "{said}");
    // Honest chunks, request after answer, keep theirs.
    let mut client = door.one().await;
    for _ in 0..3 {
        assert_eq!(client.get("/hello").await.text(), "hello");
    }
}

#[tokio::test]
async fn bad_chunks_are_refused() {
    // Goal (hostile row D11): sizes that are none, overflow, end early or drag on are answered 400, trailers are bounded.
    let door = Door::open().await;
    let trailers: String = (0..50_000).map(|n| format!("X-{n}: y\r\n")).collect();
    let extension = "x".repeat(100_000);
    for (what, body) in [
        ("no size", "\r\nhello\r\n0\r\n\r\n"),
        ("no number", "zz\r\nhello\r\n0\r\n\r\n"),
        ("a sign", "-5\r\nhello\r\n0\r\n\r\n"),
        ("too large", "ffffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
        ("too long", "3\r\nhello\r\n0\r\n\r\n"),
        ("a bare return", "5\rhello\r\n0\r\n\r\n"),
        ("an endless extension", &format!("5;{extension}\r\nhello\r\n0\r\n\r\n")),
        ("endless trailers", &format!("5\r\nhello\r\n0\r\n{trailers}\r\n")),
    ] {
        for path in ["/echo", "/scim/echo"] {
            let head =
                format!("POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
            let said = door.said_to(format!("{head}{body}")).await;
            assert_eq!(status(&said), "400", "{what}: {said}");
        }
    }
    let cut = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel";
    let mut raw = door.raw().await;
    raw.send(cut).await;
    drop(raw);
    until(|| door.figures.in_flight() == 0 && door.figures.open() == 0).await;
    door.is_well().await;
}

#[tokio::test]
async fn there_is_one_host() {
    // Goal (RFC 9112 §3.2): no host, two, or what is none is refused; the absolute form is understood, and wins.
    let door = Door::open().await;
    let cases: &[(&str, &str, &str)] = &[
        ("/peer", "", "400"),
        ("/peer", "Host: a\r\nHost: a\r\n", "400"),
        ("/peer", "Host: a\r\nHost: b\r\n", "400"),
        ("/peer", "Host: a b\r\n", "400"),
        ("/peer", "Host: a/b\r\n", "400"),
        ("/peer", "Host: user@a\r\n", "400"),
        ("/peer", "Host: a:99999\r\n", "400"),
        ("/peer", "Host: a:x\r\n", "400"),
        ("/peer", "Host: \r\n", "400"),
        ("/peer", "Host: [::1\r\n", "400"),
        ("/peer", "Host: [zz]\r\n", "400"),
        ("/peer", "Host: <script>\r\n", "400"),
        ("/peer", "Host: a\u{430}\r\n", "400"),
        ("/peer", "Host: a.example:8443\r\n", "200"),
        ("/peer", "Host: [2001:db8::1]:8443\r\n", "200"),
        ("https://a/peer", "Host: a\r\n", "200"),
        ("http://a/peer", "Host: b\r\n", "400"),
        ("https://user:secret@a/peer", "Host: a\r\n", "400"),
        ("ftp://a/peer", "Host: a\r\n", "400"),
        ("a:443", "Host: a\r\n", "400"),
        ("*", "Host: a\r\n", "404"),
    ];
    for (target, host, expected) in cases {
        let said = door.said_to(format!("GET {target} HTTP/1.1\r\n{host}Connection: close\r\n\r\n")).await;
        assert_eq!(status(&said), *expected, "{target} {host}: {said}");
    }
    assert_eq!(status(&door.said_to("GET /hello HTTP/1.0\r\n\r\n").await), "200");
}

#[tokio::test]
async fn paths_are_what_they_seem() {
    // Goal (hostile rows B11, D5, E1): null octets, encoded slashes, dot segments and bad escapes never reach a door; what
    // is left arrives as it was sent.
    let door = Door::open().await;
    for path in [
        "/path/%00",
        "/path/a%00b",
        "/path/a%2fb",
        "/path/a%2Fb",
        "/path/a%5cb",
        "/path/a\\b",
        "/path/../hello",
        "/path/./b",
        "/path/%2e%2e/hello",
        "/path/%2E./hello",
        "/path/..",
    ] {
        let said = door.said_to(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
        assert_eq!(status(&said), "404", "{path}: {said}");
    }
    for path in ["/path/%", "/path/%4", "/path/%zz", "/path/b?filter=a%00b", "/path/\u{e9}"] {
        let said = door.said_to(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
        assert_eq!(status(&said), "400", "{path}: {said}");
    }
    for path in
        ["/path/a%20b", "/path/a%25b", "/path/...", "/path/%c3%a9", "/path/urn:ietf:params:scim:x", "/path/a;b=c"]
    {
        let said = door.said_to(format!("GET {path}?q=%27 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
        assert_eq!(status(&said), "200", "{path}: {said}");
        assert!(said.ends_with(path), "{said}");
    }
    for octets in [
        "GET /hello\0 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET\0 /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "\0\0\0\0\0\0\0\0\r\n\r\n",
    ] {
        assert!(!door.said_to(octets).await.contains("hello"), "{octets:?}");
    }
}

#[tokio::test]
async fn other_protocols_are_turned_away() {
    // Goal (hostile row A12 in HTTP): what is no HTTP, or HTTP/2 without its agreement, ends the connection soon.
    let door = Door::open().await;
    for octets in [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
        "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n\r\n",
        "GET /hello HTTP/9.9\r\nHost: a\r\n\r\n",
        "GET /hello\r\n\r\n",
    ] {
        let said = door.said_to(octets).await;
        assert!(!said.contains("hello") && !said.contains(" 200 "), "{octets:?}: {said}");
    }
    let upgrade = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    assert_eq!(status(&door.said_to(upgrade).await), "400");
    door.is_well().await;
}

#[tokio::test]
async fn encoded_bodies_are_not_unpacked() {
    // Goal (hostile row D11): a compressed body is refused before it is read, whatever it would become.
    let door = Door::open().await;
    let mut two = door.two().await;
    for coding in ["gzip", "br", "identity, gzip", "zstd"] {
        let head = format!("Host: a\r\nConnection: close\r\nContent-Encoding: {coding}\r\nContent-Length: 2\r\n\r\n");
        let said = door.said_to(format!("POST /scim/echo HTTP/1.1\r\n{head}\x1f\x08")).await;
        assert_eq!(status(&said), "415", "{said}");
        let request =
            axum::http::Request::post("/echo").header("content-encoding", coding).body(Body::from("x")).unwrap();
        assert_eq!(two.send(request).await.status.as_u16(), 415);
    }
    let request =
        axum::http::Request::post("/echo").header("content-encoding", "identity").body(Body::from("x")).unwrap();
    assert_eq!(two.send(request).await.text(), "x");
}

const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn rapid_resets_end_the_connection() {
    // Goal (CVE-2023-44487): streams that are opened and reset by the thousand end their connection, and leave nothing in
    // progress behind.
    let door = Door::open().await;
    let mut two = door.raw_two().await;
    let mut flood = PREFACE.as_bytes().to_vec();
    for stream in (1..20_000).step_by(2) {
        flood.extend(get(stream, "/wait"));
        flood.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
    }
    two.send(&flood).await;
    let (said, ended) = two.rest(Duration::from_secs(10)).await;
    assert!(ended, "the connection stays open");
    // ENHANCE_YOUR_CALM, where the last words arrive before the end.
    let last = frames(&said).into_iter().rfind(|frame| frame.0 == GOAWAY);
    assert!(last.is_none_or(|frame| frame.3[4..8] == [0, 0, 0, 11]), "{said:?}");
    until(|| door.figures.in_flight() == 0 && door.figures.open() == 0).await;
    door.is_well().await;
}

#[tokio::test]
async fn floods_of_control_frames_are_survived() {
    // Goal (CVE-2019-9512, 9515, 9518, CVE-2024-27316): pings, settings, empty frames, endless continuations, broken
    // compression and windows beyond their bound neither fill the memory nor stop others.
    let door = Door::open().await;
    let many = |piece: &[u8]| piece.repeat(50_000);
    let begin = frame(1, 0x00, 1, &get(1, "/hello")[9..]);
    let floods: [(&str, Vec<u8>); 7] = [
        ("pings", many(&frame(6, 0, 0, &[0; 8]))),
        ("settings", many(&frame(4, 0, 0, &[0, 3, 0, 0, 0, 9]))),
        ("priorities", many(&frame(2, 0, 1, &[0, 0, 0, 0, 1]))),
        ("continuations", [begin.clone(), many(&frame(9, 0, 1, b"\x00\x01x\x01y"))].concat()),
        ("empty continuations", [begin, many(&frame(9, 0, 1, b""))].concat()),
        ("broken compression", frame(1, 0x05, 1, &[0xff; 100])),
        (
            "a window beyond its bound",
            [frame(8, 0, 0, &[0x7f, 0xff, 0xff, 0xff]), frame(8, 0, 0, &[0x7f, 0xff, 0xff, 0xff])].concat(),
        ),
    ];
    for (what, flood) in floods {
        let mut two = door.raw_two().await;
        two.send(PREFACE).await;
        // The answers are not read meanwhile: what the server would have to say waits, and it stops listening.
        let sending = async {
            two.send(&flood).await;
            two.rest(SHORT).await
        };
        let seen = tokio::time::timeout(Duration::from_secs(5), sending).await;
        if let Ok((said, _)) = &seen {
            assert!(said.len() < 4_000_000, "{what}: {} octets", said.len());
        }
        door.is_well().await;
    }
    until(|| door.figures.in_flight() == 0).await;
}

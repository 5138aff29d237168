//! Every bound, reached.

use super::*;
use axum::body::Body;
use rollbook::daemon::http::figures::Event;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const MS: fn(u64) -> Duration = Duration::from_millis;

#[tokio::test]
async fn connections_are_counted_in_total_and_by_address() {
    // Goal: the connection above each limit is closed at once; the others are served, and an end makes room.
    for change in [
        (|settings| settings.http.connections = 2) as fn(&mut Settings),
        |settings| settings.connections = 2,
        |settings| settings.connections_per_address = 2,
    ] {
        let door = Door::with(change).await;
        let (mut first, second) = (door.one().await, door.one().await);
        assert!(door.trust.connect(door.address, "http/1.1").await.is_err(), "a third");
        assert_eq!(door.figures.count(Event::Refused), 1);
        assert_eq!(first.get("/hello").await.text(), "hello");
        drop(second);
        until(|| door.figures.open() == 1).await;
        assert_eq!(door.one().await.get("/hello").await.text(), "hello");
    }
}

#[tokio::test]
async fn a_full_house_answers_at_once() {
    // Goal: requests above the limit get 503 and when to come again, as an integer; those in progress are finished.
    let door = Door::with(|settings| settings.http.requests = 2).await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let mut client = door.one().await;
        waiting.push(tokio::spawn(async move { client.get("/wait").await }));
    }
    until(|| door.figures.in_flight() == 2).await;
    for mut client in [door.one().await, door.two().await] {
        for path in ["/hello", "/scim/v2/Users"] {
            let answer = client.get(path).await;
            assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"), "{path}");
        }
    }
    door.go.add_permits(2);
    for waiter in waiting {
        assert_eq!(waiter.await.unwrap().text(), "let go");
    }
    door.is_well().await;
    assert_eq!(door.figures.count(Event::Busy), 4);
}

#[tokio::test]
async fn a_head_is_bounded() {
    // Goal (hostile row D11): 64 KiB in one header, 10,000 headers and an endless request line are answered 431 or 414 and
    // not read further; octets that are no ASCII hurt nobody.
    let door = Door::open().await;
    let long = "x".repeat(64 * 1024);
    let many: String = (0..10_000).map(|n| format!("X-{n}: y\r\n")).collect();
    for (octets, status) in [
        (format!("GET /hello HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"), "431"),
        (format!("GET /hello HTTP/1.1\r\nHost: a\r\n{many}\r\n"), "431"),
        (format!("GET /hello HTTP/1.1\r\nHost: a\r\nX: {long}"), "431"),
        (format!("GET /{long}{long} HTTP/1.1\r\nHost: a\r\n\r\n"), "4"),
    ] {
        let said = door.said_to(octets).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{said}");
    }
    let mut octets = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ".to_vec();
    octets.extend([0xff; 1000]);
    octets.extend(b"\r\nUser-Agent: \xfe\xff\r\nAuthorization: \xff\r\n\r\n");
    assert!(door.said_to(octets).await.ends_with("hello"));
    let mut client = door.two().await;
    let request = |n: usize| {
        let builder = axum::http::Request::get("/hello").header("x", "y".repeat(n));
        builder.body(Body::empty()).unwrap()
    };
    assert_eq!(client.send(request(16 * 1024)).await.status.as_u16(), 200);
    // The client may be told by a status or by a reset; it must not be served.
    assert!(!client.try_send(request(60 * 1024)).await.is_ok_and(|answer| answer.status.is_success()));
    door.is_well().await;
}

#[tokio::test]
async fn a_slow_head_ends_the_connection() {
    // Goal (slow loris): however evenly its octets come, a head has its time, and a silence has another.
    let door = Door::with(|settings| {
        settings.http.header_time = MS(400);
        settings.http.idle = MS(60_000);
    })
    .await;
    let mut raw = door.raw().await;
    let begun = std::time::Instant::now();
    raw.send("GET /hello HTTP/1.1\r\nHost: a\r\n").await;
    loop {
        let (said, ended) = raw.rest(MS(50)).await;
        assert!(said.is_empty());
        if ended {
            break;
        }
        raw.send("X: y\r\n").await;
        assert!(begun.elapsed() < MS(10_000));
    }
    assert!(begun.elapsed() >= MS(350), "{:?}", begun.elapsed());
    assert_eq!(door.figures.count(Event::TimedOut), 1);
    // A connection that says nothing stays as long as the silence may last.
    let mut quiet = door.raw().await;
    assert_eq!(quiet.rest(MS(800)).await, (Vec::new(), false));
    let text = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert!(quiet.send(text).await.to_end().await.ends_with("hello"));
}

#[tokio::test]
async fn silence_ends_a_connection_in_order() {
    // Goal: a connection without requests is closed after its time, and a request in progress is not silence.
    let door = Door::with(|settings| settings.http.idle = MS(300)).await;
    assert_eq!(door.raw().await.to_end().await, "");
    let mut two = door.raw_two().await;
    two.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let (said, ended) = two.rest(MS(10_000)).await;
    assert!(ended && frames(&said).iter().any(|frame| frame.0 == GOAWAY), "{said:?}");
    for version in [1, 2] {
        let mut client = if version == 1 { door.one().await } else { door.two().await };
        let go = Arc::clone(&door.go);
        let working = tokio::spawn(async move {
            let answer = client.get("/wait").await;
            (answer, client)
        });
        until(|| door.figures.in_flight() == 1).await;
        tokio::time::timeout(MS(900), std::future::pending::<()>()).await.unwrap_err();
        go.add_permits(1);
        assert_eq!(working.await.unwrap().0.text(), "let go");
    }
    until(|| door.figures.open() == 0).await;
}

#[tokio::test]
async fn a_body_is_bounded() {
    // Goal (hostile rows C18, D10): what is announced or sent beyond the limit is answered 413, and the answer arrives
    // although the body was not taken; a door that reads nothing of it is not asked.
    let door = Door::with(|settings| settings.http.body_bytes = 100_000).await;
    let body = "x".repeat(3_000_000);
    let head = "Host: a\r\nContent-Type: application/json\r\n";
    let chunked: String =
        body.as_bytes().chunks(50_000).map(|c| format!("c350\r\n{}\r\n", String::from_utf8_lossy(c))).collect();
    for path in ["/echo", "/scim/echo"] {
        for octets in [
            format!("POST {path} HTTP/1.1\r\n{head}Content-Length: 3000000\r\n\r\n{body}"),
            format!("POST {path} HTTP/1.1\r\n{head}Content-Length: 3000000\r\nExpect: 100-continue\r\n\r\n"),
            format!("POST {path} HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n{chunked}0\r\n\r\n"),
            format!("POST {path} HTTP/1.1\r\n{head}Content-Length: 18446744073709551000\r\n\r\n{body}"),
        ] {
            let said = door.said_to(octets).await;
            assert!(said.starts_with("HTTP/1.1 413"), "{path}: {}", said.get(..200).unwrap_or(&said));
        }
        let mut two = door.two().await;
        for body in [Body::from(body.clone()), Body::new(Unsized(Some(body.clone().into())))] {
            let request = axum::http::Request::post(path).body(body).unwrap();
            assert_eq!(two.send(request).await.status.as_u16(), 413);
        }
    }
    let exact = axum::http::Request::post("/echo").body(Body::from("x".repeat(100_000))).unwrap();
    assert_eq!(door.two().await.send(exact).await.body.len(), 100_000);
    door.is_well().await;
}

/// A body that does not say how long it is.
struct Unsized(Option<Bytes>);

impl hyper::body::Body for Unsized {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Ready(self.0.take().map(|data| Ok(hyper::body::Frame::data(data))))
    }
}

#[tokio::test]
async fn a_slow_body_ends_its_request() {
    // Goal (slow loris): a body that trickles is answered 408 when its grace is over, one that keeps the pace is taken, and
    // none may take longer than its whole time.
    let door = Door::with(|settings| {
        settings.http.grace = MS(300);
        settings.http.pace = 10_000;
        settings.http.body_time = MS(2_000);
    })
    .await;
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n";
    let (mut silent, mut slow) = (door.raw().await, door.raw().await);
    silent.send(head).await;
    assert!(silent.to_end().await.starts_with("HTTP/1.1 408"));
    slow.send(head).await;
    let begun = std::time::Instant::now();
    let said = loop {
        let (said, ended) = slow.rest(MS(20)).await;
        if ended || !said.is_empty() {
            break said;
        }
        slow.send("x").await;
    };
    assert!(said.starts_with(b"HTTP/1.1 408") && begun.elapsed() < MS(5_000));
    // 20 KB a second: the pace is kept, but 100 KB take longer than two seconds.
    let mut steady = door.raw().await;
    steady.send(head).await;
    let begun = std::time::Instant::now();
    let said = loop {
        let (said, ended) = steady.rest(MS(50)).await;
        if ended || !said.is_empty() {
            break said;
        }
        steady.send("x".repeat(1_000)).await;
    };
    assert!(said.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&said));
    assert!(begun.elapsed() > MS(1_000), "{:?}", begun.elapsed());
    let mut quick = door.raw().await;
    quick.send(head).await;
    for _ in 0..9 {
        quick.send("x".repeat(10_000)).await;
        assert!(quick.rest(MS(10)).await.0.is_empty());
    }
    assert!(quick.send("x".repeat(10_000)).await.to_end().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_request_has_its_time() {
    // Goal: what a door does not answer in time is answered 503, in both versions, and its place is free again.
    let door = Door::with(|settings| settings.http.request_time = MS(200)).await;
    for mut client in [door.one().await, door.two().await] {
        let answer = client.get("/wait").await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
        assert_eq!(client.get("/hello").await.text(), "hello", "the same connection");
    }
    assert_eq!(door.figures.in_flight(), 0);
    assert_eq!(door.figures.count(Event::RequestTimedOut), 2);
}

#[tokio::test]
async fn an_answer_that_is_not_taken_ends_the_connection() {
    // Goal (hostile row A13 in HTTP): a client that asks for much and reads nothing, or that opens HTTP/2 without a window,
    // holds its connection no longer than the time for it.
    let door = Door::with(|settings| settings.http.write_time = MS(500)).await;
    let mut one = door.trust.connect(door.address, "http/1.1").await.unwrap();
    one.write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    until(|| door.figures.open() == 1).await;
    until(|| door.figures.open() == 0).await;

    let mut two = door.trust.connect(door.address, "h2").await.unwrap();
    // SETTINGS_INITIAL_WINDOW_SIZE = 0 (RFC 9113 §6.9.2), then a request.
    two.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0").await.unwrap();
    two.write_all(&get(1, "/large")).await.unwrap();
    until(|| door.figures.open() == 1).await;
    until(|| door.figures.open() == 0).await;
    let mut said = Vec::new();
    _ = two.read_to_end(&mut said).await;
    assert!(said.len() < 10_000, "nothing of the answer itself");
    assert_eq!(door.figures.count(Event::TimedOut), 2, "each version once");

    // Whoever reads gets it all.
    let whole = door.two().await.get("/large").await;
    assert_eq!(whole.body.len(), 16 * 1024 * 1024);
    let whole = door.one().await.get("/large").await;
    assert_eq!(whole.body.len(), 16 * 1024 * 1024);
}

#[tokio::test]
async fn a_handshake_has_its_time() {
    // Goal (hostile row G9): connections that never finish TLS, or speak something else, go; they are counted.
    let door = Door::with(|settings| settings.handshake_time = MS(300)).await;
    let mut silent = tokio::net::TcpStream::connect(door.address).await.unwrap();
    let mut other = tokio::net::TcpStream::connect(door.address).await.unwrap();
    other.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    for stream in [&mut silent, &mut other] {
        let mut said = Vec::new();
        _ = stream.read_to_end(&mut said).await;
        assert!(!said.starts_with(b"HTTP"), "{said:?}");
    }
    until(|| door.figures.count(Event::HandshakeFailed) == 2).await;
    door.is_well().await;
}

#[tokio::test]
async fn streams_are_bounded() {
    // Goal: an HTTP/2 client is told how many requests it may have at once, and the one above is refused.
    let door = Door::with(|settings| settings.http.streams = 3).await;
    let mut two = door.raw_two().await;
    two.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    for stream in [1, 3, 5, 7] {
        two.send(super::limits::get(stream, "/wait")).await;
    }
    let (said, ended) = two.rest(SHORT).await;
    assert!(!ended);
    let seen = frames(&said);
    let settings = seen.iter().find(|frame| frame.0 == SETTINGS).unwrap();
    assert!(settings.3.windows(6).any(|pair| pair == [0, 3, 0, 0, 0, 3]), "MAX_CONCURRENT_STREAMS: {settings:?}");
    let refused: Vec<_> = seen.iter().filter(|frame| frame.0 == RST_STREAM).collect();
    assert!(refused.len() == 1 && refused[0].2 == 7 && refused[0].3 == [0, 0, 0, 7], "REFUSED_STREAM: {refused:?}");
    assert_eq!(door.figures.in_flight(), 3);
    drop(two);
    until(|| door.figures.in_flight() == 0).await;
    door.is_well().await;
}

pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const GOAWAY: u8 = 7;

/// The frames of HTTP/2 in these octets (RFC 9113 §4.1): type, flags, stream, payload.
pub(super) fn frames(mut octets: &[u8]) -> Vec<(u8, u8, u32, Vec<u8>)> {
    let mut all = Vec::new();
    while let [a, b, c, kind, flags, s1, s2, s3, s4, rest @ ..] = octets {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let Some((payload, after)) = rest.split_at_checked(length) else { break };
        all.push((*kind, *flags, u32::from_be_bytes([*s1, *s2, *s3, *s4]), payload.to_vec()));
        octets = after;
    }
    all
}

/// A frame of HTTP/2.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut all = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    all.extend([kind, flags]);
    all.extend(stream.to_be_bytes());
    all.extend(payload);
    all
}

/// HEADERS with END_STREAM and END_HEADERS: a GET, in HPACK without a table (RFC 7541 §6.2.2).
pub(super) fn get(stream: u32, path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x87]; // :method GET, :scheme https
    for (index, value) in [(0x01_u8, "localhost"), (0x04, path)] {
        block.extend([index, u8::try_from(value.len()).unwrap()]);
        block.extend(value.as_bytes());
    }
    frame(1, 0x05, stream, &block)
}

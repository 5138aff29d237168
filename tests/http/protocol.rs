//! What every client gets: both versions of HTTP, the common headers, numbers, a panic that hurts nobody else.

use super::*;
use axum::body::Body;
use axum::http::{Method, header};
use std::process::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn both_versions_answer_with_the_common_headers() {
    // Goal: HTTP/1.1 and HTTP/2 give the same answers, each with the headers against sniffing, caching, framing and
    // plain HTTP, and with a number of its own.
    let door = Door::open().await;
    let mut numbers = Vec::new();
    for mut client in [door.one().await, door.two().await] {
        for (path, status) in [("/hello", 200), ("/nothing", 404), ("/scim/v2/nothing", 404)] {
            let answer = client.get(path).await;
            assert_eq!(answer.status.as_u16(), status, "{path}");
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("cache-control", "no-store"),
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
                ("referrer-policy", "no-referrer"),
                ("strict-transport-security", "max-age=31536000"),
                ("server", ""),
            ] {
                assert_eq!(answer.header(name), value, "{path} {name}");
            }
            assert!(!answer.header("date").is_empty());
            numbers.push(answer.header("x-request-id").to_owned());
        }
        let echoed = client.send(axum::http::Request::post("/echo").body(Body::from("a body")).unwrap()).await;
        assert_eq!(echoed.text(), "a body");
    }
    assert!(numbers.iter().all(|number| number.len() == 16), "{numbers:?}");
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 6, "each its own");
}

#[tokio::test]
async fn errors_speak_the_language_of_their_door() {
    // Goal: what the listener refuses itself is a SCIM error below /scim, and a problem (RFC 9457) elsewhere.
    let door = Door::open().await;
    let mut client = door.one().await;
    let answer = client.get("/scim/v2/Users").await;
    assert_eq!(answer.header("content-type"), "application/scim+json");
    assert_eq!(answer.json()["status"], "404");
    assert_eq!(answer.json()["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
    let answer = client.get("/scimitar").await;
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!((&answer.json()["status"], &answer.json()["title"]), (&404.into(), &"Not Found".into()));
    for method in [Method::TRACE, Method::CONNECT] {
        let said = door.said_to(format!("{method} /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
        assert!(said.starts_with("HTTP/1.1 405") || said.starts_with("HTTP/1.1 400"), "{said}");
    }
    door.is_well().await;
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    // Goal: a door that panics costs its own request and nothing else, not even the connection; the message stays here.
    let door = Door::open().await;
    for mut client in [door.one().await, door.two().await] {
        let answer = client.get("/panic").await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!answer.text().contains("canary"), "{answer:?}");
        assert_eq!(client.get("/hello").await.text(), "hello", "the same connection");
    }
    assert_eq!(door.figures.count(rollbook::daemon::http::figures::Event::Panicked), 2);
    assert_eq!(door.figures.in_flight(), 0);
}

#[tokio::test]
async fn plain_listeners_speak_the_same_without_promises() {
    // Goal: behind a proxy on this machine, over TCP or a Unix socket, the answers are the same, but nothing says HTTPS.
    let door = Door::open().await;
    let answer = HttpClient::connect_plain(door.plain).await.get("/peer").await;
    assert_eq!(answer.text(), format!("127.0.0.1 false http://localhost:{}", door.plain.port()));
    assert_eq!(answer.header("strict-transport-security"), "");
    let mut stream = tokio::net::UnixStream::connect(&door.socket).await.unwrap();
    stream.write_all(b"GET /peer HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.ends_with("127.0.0.1 false http://a.example"), "{said}");
}

#[tokio::test]
async fn links_begin_where_the_administrator_says() {
    // Goal (hostile row E8): a Host is a client's word; the configured address is stronger.
    let door = Door::with(|settings| settings.http.public_url = "https://directory.example.com/x".into()).await;
    let mut client = door.one().await.with(header::HOST, "evil.example");
    assert!(client.get("/peer").await.text().ends_with(" true https://directory.example.com/x"));
    let door = Door::open().await;
    let mut client = door.one().await.with(header::HOST, "directory.example.com:8443");
    assert!(client.get("/peer").await.text().ends_with(" true https://directory.example.com:8443"));
}

#[tokio::test]
async fn curl_gets_along() {
    // Goal: the client that everybody has speaks both versions with the generated authority, and reuses its connection.
    if Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let door = Door::open().await;
    for version in ["--http1.1", "--http2"] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", version, "-w", "[%{http_version} %{num_connects}]", "--cacert"]).arg(&door.authority);
        let url = format!("https://localhost:{}/hello", door.address.port());
        curl.args([&url, &url]);
        let output = tokio::task::spawn_blocking(move || curl.output().unwrap()).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let shown = if version == "--http2" { "2" } else { "1.1" };
        if version == "--http2" && text.contains("[1.1") {
            continue; // This curl was built without HTTP/2.
        }
        assert_eq!(text, format!("hello[{shown} 1]hello[{shown} 0]"), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

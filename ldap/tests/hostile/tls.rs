//! TLS: from the start, by StartTLS, required, renewed (rows A20–A22, G9).

use crate::{
    client::*,
    fixture,
    server::{Server, self_signed, tls_over},
};
use ldap::{
    Settings,
    wire::{MessageId, message::Scope},
};
use tokio::net::TcpStream;

async fn start_tls(server: &Server) -> Client {
    let mut client = Client::connect(server.ldap).await;
    let (_, answer) = client.call(extended(START_TLS, None), &[]).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    Client::over(tls_over(client.into_stream(), &server.certificate).await.unwrap())
}

#[tokio::test]
async fn tls_from_the_start_and_on_the_way_carry_the_same_protocol() {
    // Goal: bind and who am I over ldaps and over StartTLS; a second StartTLS, and one on ldaps, is an operationsError
    // and changes nothing (row A21).
    let server = Server::start(Settings::default()).await;
    let stream = TcpStream::connect(server.ldaps).await.unwrap();
    let mut ldaps = Client::over(tls_over(stream, &server.certificate).await.unwrap());
    let mut started = start_tls(&server).await;
    for client in [&mut ldaps, &mut started] {
        assert_eq!(client.bind(fixture::ADMIN_DN, fixture::ADMIN_PASSWORD).await, 0);
        let (_, again) = client.call(extended(START_TLS, None), &[]).await;
        assert_eq!(again.code, Some(1));
        assert_eq!(client.who().await, format!("dn:{}", fixture::ADMIN_DN));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_login_in_clear_does_not_survive_start_tls() {
    // Goal: after StartTLS the connection is anonymous (row A21).
    let server = Server::start(Settings::default()).await;
    let mut client = Client::connect(server.ldap).await;
    assert_eq!(client.bind(fixture::ADMIN_DN, fixture::ADMIN_PASSWORD).await, 0);
    let (_, answer) = client.call(extended(START_TLS, None), &[]).await;
    assert_eq!(answer.code, Some(0));
    let mut client = Client::over(tls_over(client.into_stream(), &server.certificate).await.unwrap());
    assert_eq!(client.who().await, "");
    server.stop().await;
}

#[tokio::test]
async fn octets_behind_start_tls_are_never_taken_for_encrypted_ones() {
    // Goal: a request injected in clear behind StartTLS is answered by nothing but the end of the connection (row A20,
    // the class of CVE-2011-0411).
    let server = Server::start(Settings::default()).await;
    let mut client = Client::connect(server.ldap).await;
    let mut octets = encode(MessageId::new(1).unwrap(), extended(START_TLS, None), &[]);
    octets.extend_from_slice(&encode(MessageId::new(2).unwrap(), extended(WHO_AM_I, None), &[]));
    client.send(&octets).await;
    let answer = client.answer().await.expect("an answer");
    assert_eq!((answer.id, answer.code), (1, Some(1)));
    assert_eq!(client.expect_notice().await, 1);
    server.stop().await;
}

#[tokio::test]
async fn requests_before_start_tls_are_answered_in_clear() {
    // Goal: what stands before StartTLS in the same packet is answered before it (row A20).
    let server = Server::start(Settings::default()).await;
    let mut client = Client::connect(server.ldap).await;
    let mut octets = encode(MessageId::new(1).unwrap(), extended(WHO_AM_I, None), &[]);
    octets.extend_from_slice(&encode(MessageId::new(2).unwrap(), extended(START_TLS, None), &[]));
    client.send(&octets).await;
    assert_eq!(client.answer().await.unwrap().id, 1);
    assert_eq!(client.answer().await.map(|a| (a.id, a.code)), Some((2, Some(0))));
    let mut client = Client::over(tls_over(client.into_stream(), &server.certificate).await.unwrap());
    assert_eq!(client.who().await, "");
    server.stop().await;
}

#[tokio::test]
async fn where_tls_is_required_no_password_is_looked_at_in_clear() {
    // Goal: with `require_tls`, right and wrong passwords alike are answered confidentialityRequired, the root DSE and
    // StartTLS stay open, and the exposure is counted (row A22).
    let server = Server::start(Settings { require_tls: true, ..Settings::default() }).await;
    let mut client = Client::connect(server.ldap).await;
    assert_eq!(client.bind(fixture::ADMIN_DN, fixture::ADMIN_PASSWORD).await, 13);
    assert_eq!(client.bind(fixture::ADMIN_DN, b"wrong").await, 13);
    assert_eq!(server.metrics().passwords_exposed, 2);
    assert_eq!(client.bind("", b"").await, 0);
    let (entries, done) = client.search("", Scope::Base, "(objectClass=*)", &["supportedExtension"]).await;
    assert_eq!((entries.len(), done.code), (1, Some(0)));
    let (_, done) = client.search(fixture::BASE, Scope::Subtree, "(objectClass=*)", &[]).await;
    assert_eq!(done.code, Some(13));
    let mut client = start_tls(&server).await;
    assert_eq!(client.bind(fixture::ADMIN_DN, fixture::ADMIN_PASSWORD).await, 0);
    server.stop().await;
}

#[tokio::test]
async fn certificates_are_renewed_without_dropping_connections() {
    // Goal: handshakes after a reload see the new certificate, a connection from before goes on (row G9).
    let server = Server::start(Settings::default()).await;
    let mut before = start_tls(&server).await;
    assert_eq!(before.who().await, "");
    let (certificate, config) = self_signed();
    server.tls.replace(config);
    let stream = TcpStream::connect(server.ldaps).await.unwrap();
    let mut after = Client::over(tls_over(stream, &certificate).await.expect("the new certificate"));
    let stream = TcpStream::connect(server.ldaps).await.unwrap();
    assert!(tls_over(stream, &server.certificate).await.is_err(), "the old certificate is gone");
    assert_eq!((before.who().await, after.who().await), (String::new(), String::new()));
    server.stop().await;
}

#[tokio::test]
async fn half_a_handshake_is_not_waited_for() {
    // Goal: a peer that connects to ldaps and says nothing, or nonsense, is gone after the handshake's deadline, and is
    // counted (row G9).
    let settings = Settings { handshake_deadline: std::time::Duration::from_millis(200), ..Settings::default() };
    let server = Server::start(settings).await;
    let mut silent = Client::connect(server.ldaps).await;
    assert_eq!(silent.answer().await, None);
    let mut nonsense = Client::connect(server.ldaps).await;
    nonsense.send(b"EHLO rollbook\r\n").await;
    while nonsense.answer().await.is_some() {}
    assert_eq!(server.metrics().handshakes_failed, 2);
    server.stop().await;
}

//! Time, room and endings (rows A13, G10, G12).

use crate::{client::*, fixture, server::Server};
use ldap::{
    Settings,
    wire::{MessageId, message::Scope},
};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn a_request_that_drips_is_cut_off() {
    // Goal: the deadline runs from a request's first octet, and later octets do not move it (row A13).
    let settings = Settings { request_deadline: Duration::from_millis(300), ..Settings::default() };
    let server = Server::start(settings).await;
    let client = Client::connect(server.ldap).await;
    let (read, mut write) = tokio::io::split(client.into_stream());
    let dripping = tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_millis(50));
        let mut octets = vec![0x30, 0x7f];
        octets.extend_from_slice(&[0; 120]);
        for octet in octets {
            every.tick().await;
            if write.write_all(&[octet]).await.is_err() {
                return;
            }
        }
    });
    let mut client = Client::over(tokio::io::join(read, tokio::io::sink()));
    assert_eq!(client.expect_notice().await, 52);
    dripping.abort();
    assert_eq!(server.metrics().timeouts, 1);
    server.stop().await;
}

#[tokio::test]
async fn a_silent_client_is_told_before_the_end() {
    // Goal: an idle connection ends with a Notice of Disconnection (unavailable), sooner without a login than with one.
    let settings = Settings {
        idle_anonymous: Duration::from_millis(200),
        idle_bound: Duration::from_secs(3600),
        ..Settings::default()
    };
    let server = Server::start(settings).await;
    let mut bound = Client::connect(server.ldap).await;
    assert_eq!(bound.bind(fixture::ADMIN_DN, fixture::ADMIN_PASSWORD).await, 0);
    let mut silent = Client::connect(server.ldap).await;
    assert_eq!(silent.expect_notice().await, 52);
    assert_eq!(bound.who().await, format!("dn:{}", fixture::ADMIN_DN));
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut_off() {
    // Goal: answers that nobody takes end the connection at the write deadline; memory for them is bounded (row A13).
    let settings = Settings { write_deadline: Duration::from_millis(300), ..Settings::default() };
    let server = Server::start(settings).await;
    let client = Client::connect(server.ldap).await;
    let mut stream = client.into_stream();
    let request = search(MessageId::new(1).unwrap(), "cn=Subschema", Scope::Base, "(objectClass=*)", &["+"], &[]);
    let written = async { while stream.write_all(&request).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(20), written).await.expect("cut off");
    let mut other = Client::connect(server.ldap).await;
    assert_eq!(other.who().await, "");
    server.stop().await;
}

#[tokio::test]
async fn connections_over_the_limit_are_told_so() {
    // Goal: one too many is told `busy` and closed, and a place that becomes free can be taken (rows A13, G10).
    let settings = Settings { max_connections_per_address: 2, ..Settings::default() };
    let server = Server::start(settings).await;
    let mut one = Client::connect(server.ldap).await;
    let mut two = Client::connect(server.ldap).await;
    assert_eq!((one.who().await, two.who().await), (String::new(), String::new()));
    let mut third = Client::connect(server.ldap).await;
    assert_eq!(third.expect_notice().await, 51);
    drop(one);
    // The place is free when the server has seen the end; asking again is the only way to know from outside.
    loop {
        let mut again = Client::connect(server.ldap).await;
        again.send(&encode(MessageId::new(1).unwrap(), extended(WHO_AM_I, None), &[])).await;
        if again.answer().await.and_then(|answer| answer.code) == Some(0) {
            break;
        }
    }
    assert!(server.metrics().refused >= 1);
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_never_stops_asking_does_not_stop_the_shutdown() {
    // Goal: under load every answer that begins is whole, and the notice follows the last one (row G12).
    let server = Server::start(Settings::default()).await;
    let client = Client::connect(server.ldap).await;
    let (read, mut write) = tokio::io::split(client.into_stream());
    let asking = tokio::spawn(async move {
        let request = encode(MessageId::new(1).unwrap(), extended(WHO_AM_I, None), &[]);
        while write.write_all(&request).await.is_ok() {}
    });
    let mut client = Client::over(tokio::io::join(read, tokio::io::sink()));
    for _ in 0..100 {
        assert_eq!(client.code().await, 0);
    }
    server.shut_down();
    let last = loop {
        let answer = client.answer().await.expect("a notice before the end");
        if answer.id == 0 {
            break answer;
        }
        assert_eq!(answer.code, Some(0));
    };
    assert_eq!(last.notice(), Some(52));
    asking.abort();
    server.stop().await;
}

#[tokio::test]
async fn shutting_down_tells_everybody_and_loses_no_answer() {
    // Goal: what was asked before the shutdown is answered, then comes the notice (unavailable), then the end (row G12).
    let server = Server::start(Settings::default()).await;
    let mut idle = Client::connect(server.ldap).await;
    assert_eq!(idle.who().await, "");
    let mut busy = Client::connect(server.ldap).await;
    assert_eq!(busy.who().await, "");
    busy.ask(bind(fixture::ADMIN_DN.as_bytes(), fixture::ADMIN_PASSWORD), &[]).await;
    server.shut_down();
    assert_eq!(idle.expect_notice().await, 52);
    let first = busy.answer().await.expect("an answer or a notice");
    if first.notice().is_none() {
        assert_eq!((first.operation, first.code), (1, Some(0)), "the bind");
        assert_eq!(busy.expect_notice().await, 52);
    }
    server.stop().await;
}

//! The certificate's exchange, and the daemon's end.

use super::*;
use rollbook::daemon::shutdown::{Ended, Signal, drive};
use tokio::sync::mpsc;

async fn certificate(door: &Door) -> Vec<u8> {
    let stream = door.trust.connect(door.address, "h2").await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn a_new_certificate_disturbs_nobody() {
    // Goal: connections of both versions go on over an exchange, also with a request in progress; the next connection sees
    // the new certificate; a bad file changes nothing.
    let made = tempfile::tempdir().unwrap();
    let pair = |name: &str| {
        let set = |key: &str, value: String| ("--set", key.to_owned(), value);
        let data = made.path().join("authority");
        let flags = vec![set("server.data_dir", data.display().to_string()), set("tls.names", name.to_owned())];
        TlsReload::open(&Config::load(&Sources { flags, ..Sources::default() }).unwrap(), clock::wall()).unwrap();
        data.join("tls")
    };
    std::fs::create_dir(made.path().join("authority")).unwrap();
    let (certificate_file, key_file) = (made.path().join("c.pem"), made.path().join("k.pem"));
    let place = |from: &Path| {
        for (source, target) in [("leaf.pem", &certificate_file), ("leaf.key", &key_file)] {
            let fresh = target.with_extension("new");
            std::fs::copy(from.join(source), &fresh).unwrap();
            std::fs::rename(fresh, target).unwrap();
        }
    };
    let authority = pair("first.example");
    place(&authority);
    let folder_ca = authority.join("ca.pem");
    let shown = [certificate_file.display().to_string(), key_file.display().to_string()];
    let door =
        Door::with_certificate(&[("tls.certificate_file", &shown[0]), ("tls.key_file", &shown[1])], &folder_ca).await;
    let before = certificate(&door).await;
    let (mut one, mut two, mut waiting) = (door.one().await, door.two().await, door.two().await);
    for client in [&mut one, &mut two] {
        assert_eq!(client.get("/hello").await.text(), "hello");
    }
    let waiter = tokio::spawn(async move { waiting.get("/wait").await });
    until(|| door.figures.in_flight() == 1).await;
    place(&pair("second.example"));
    door.tls.reload(clock::wall()).unwrap();
    let after = certificate(&door).await;
    assert_ne!(before, after);
    for client in [&mut one, &mut two] {
        assert_eq!(client.get("/hello").await.text(), "hello", "the same connection");
    }
    door.go.add_permits(1);
    assert_eq!(waiter.await.unwrap().text(), "let go");
    std::fs::write(&certificate_file, "no certificate").unwrap();
    assert!(door.tls.reload(clock::wall()).is_err());
    assert_eq!(certificate(&door).await, after);
    door.is_well().await;
}

#[tokio::test]
async fn the_drain_finishes_what_was_begun() {
    // Goal (hostile row G12): on SIGTERM nobody new is let in, requests in progress get their answers, silent connections
    // end at once, and the daemon is told that all is done.
    let door = Door::open().await;
    let mut waiters = Vec::new();
    for mut client in [door.one().await, door.two().await] {
        waiters.push(tokio::spawn(async move {
            let answer = client.get("/wait").await;
            (answer, client.try_send(axum::http::Request::get("/hello").body(axum::body::Body::empty()).unwrap()).await)
        }));
    }
    let (mut silent, mut silent_two) = (door.raw().await, door.raw_two().await);
    silent_two.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    until(|| door.figures.in_flight() == 2 && door.figures.open() == 4).await;
    let (sender, signals) = mpsc::channel(2);
    let stop = door.stop.clone();
    let ending = tokio::spawn(async move { drive(signals, &stop, Duration::from_secs(30), || (), || ()).await });
    sender.send(Signal::Stop).await.unwrap();
    assert_eq!(silent.to_end().await, "");
    // This one does not answer the ping after which the server would know that no request is on its way.
    _ = silent_two.rest(Duration::from_secs(10)).await;
    until(|| door.figures.open() == 2).await;
    assert!(
        tokio::net::TcpStream::connect(door.address).await.is_err()
            || door.trust.connect(door.address, "h2").await.is_err()
    );
    assert!(!ending.is_finished());
    door.go.add_permits(2);
    for waiter in waiters {
        let (answer, next) = waiter.await.unwrap();
        assert_eq!(answer.text(), "let go");
        assert!(next.is_err(), "nothing new on an old connection");
    }
    assert_eq!(ending.await.unwrap(), Ended::Drained);
    assert_eq!((door.figures.open(), door.figures.in_flight()), (0, 0));
}

#[tokio::test]
async fn the_drain_is_bounded() {
    // Goal: a request that does not end is cut when the time is over; its place is given back.
    let door = Door::open().await;
    for mut client in [door.one().await, door.two().await] {
        tokio::spawn(async move {
            let request = axum::http::Request::get("/wait").body(axum::body::Body::empty()).unwrap();
            client.try_send(request).await
        });
    }
    until(|| door.figures.in_flight() == 2).await;
    let (sender, signals) = mpsc::channel(2);
    sender.send(Signal::Stop).await.unwrap();
    assert_eq!(drive(signals, &door.stop, SHORT, || (), || ()).await, Ended::TimedOut);
    until(|| door.figures.open() == 0 && door.figures.in_flight() == 0).await;
}

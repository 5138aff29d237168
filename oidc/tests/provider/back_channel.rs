//! The modules of oidcc-backchannel-rp-initiated-logout-certification-test-plan: a relying party that is told, over TLS.

use crate::browser::Browser;
use crate::rig::{BYE, ISSUER, Rig};
use directory::change::Act;
use oidc::fetch::Network;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A server for one path that hands on what is posted, and answers with these statuses in turn, the last one for ever.
async fn relying_party(statuses: &'static [u16]) -> (String, rustls::RootCertStore, mpsc::UnboundedReceiver<String>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://localhost:{}/backchannel", listener.local_addr().unwrap().port());
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut turn = 0;
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else { continue };
            let mut text = String::new();
            let mut buffer = [0; 4_096];
            // The whole body has come when as much as promised follows the head.
            while !is_whole(&text) {
                let Ok(count) = stream.read(&mut buffer).await else { break };
                text.push_str(&String::from_utf8_lossy(&buffer[..count]));
                if count == 0 {
                    break;
                }
            }
            let status = statuses[turn.min(statuses.len() - 1)];
            turn += 1;
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\ncache-control: no-store\r\n\r\n");
            _ = stream.write_all(answer.as_bytes()).await;
            _ = stream.shutdown().await;
            _ = sender.send(text);
        }
    });
    (address, roots, receiver)
}

fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    length.is_some_and(|length| body.len() >= length.trim().parse().unwrap_or(0))
}

fn loopback() -> Vec<Network> {
    ["127.0.0.0", "::1"]
        .map(|text| Network { address: text.parse().unwrap(), prefix: if text == "::1" { 128 } else { 8 } })
        .to_vec()
}

/// The logout token of the next request.
async fn told(rig: &Rig, requests: &mut mpsc::UnboundedReceiver<String>) -> Map<String, Value> {
    let request = tokio::time::timeout(Duration::from_secs(20), requests.recv()).await.unwrap().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /backchannel HTTP/1.1"), "{head}");
    assert!(head.to_ascii_lowercase().contains("content-type: application/x-www-form-urlencoded"), "{head}");
    let (_, token) = form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "logout_token").unwrap();
    let (claims, algorithm, typ) = rig.claims(&token).await;
    assert_eq!((algorithm.as_str(), typ.as_str()), ("RS256", "logout+jwt"), "requirement 66");
    claims
}

#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout() {
    // Goal: the application that was entered is told with the token of Back-Channel Logout §2.4; a try that fails is repeated;
    // one that was not entered is told nothing.
    let (address, roots, mut requests) = relying_party(&[503, 200]).await;
    let rig = Rig::trusting(roots, loopback()).await;
    let app = rig.app("orders", &[("rollbookBackChannelLogoutUri", &address)]).await;
    rig.app("other", &[("rollbookBackChannelLogoutUri", &address)]).await;
    let mut browser = Browser::default();
    let tokens = rig.tokens(&mut browser, &app, &[]).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let (id, ..) = rig.claims(hint).await;
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("id_token_hint", hint), ("post_logout_redirect_uri", BYE)])
        .finish();
    assert!(browser.go(&rig, &format!("/oauth2/logout?{query}")).await.elsewhere.is_some());
    let first = told(&rig, &mut requests).await;
    assert_eq!(
        (&first["iss"], &first["aud"], &first["sub"], &first["sid"]),
        (&json!(ISSUER), &json!("orders"), &id["sub"], &id["sid"])
    );
    assert_eq!(first["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
    assert!(!first.contains_key("nonce") && first["jti"].is_string());
    assert!(first["exp"].as_i64().unwrap() - first["iat"].as_i64().unwrap() <= 120);
    let second = told(&rig, &mut requests).await;
    assert_eq!(second["sid"], first["sid"]);
    assert_ne!(second["jti"], first["jti"], "signed anew");
    assert!(tokio::time::timeout(Duration::from_millis(300), requests.recv()).await.is_err(), "told once");
}

#[tokio::test]
async fn a_disabled_account_is_told() {
    // Goal: what ends all logins tells the applications at once; what the account had is void there and here.
    let (address, roots, mut requests) = relying_party(&[200]).await;
    let rig = Rig::trusting(roots, loopback()).await;
    let app = rig.app("orders", &[("rollbookBackChannelLogoutUri", &address)]).await;
    let mut browser = Browser::default();
    let tokens = rig.tokens(&mut browser, &app, &[("scope", "openid offline_access")]).await;
    rig.act("bob", Act::Disable).await;
    let (id, ..) = rig.claims(tokens["id_token"].as_str().unwrap()).await;
    let token = told(&rig, &mut requests).await;
    assert_eq!((&token["sub"], &token["sid"]), (&id["sub"], &id["sid"]));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), requests.recv()).await.is_err(),
        "session and family: told once"
    );
}

#[tokio::test]
async fn hostile_e9_an_address_inside_is_not_asked() {
    // Goal: without leave for the own networks nobody is connected to there, and the sign-out itself goes on.
    let (address, roots, mut requests) = relying_party(&[200]).await;
    let rig = Rig::trusting(roots, Vec::new()).await;
    let app = rig.app("orders", &[("rollbookBackChannelLogoutUri", &address)]).await;
    rig.tokens(&mut Browser::default(), &app, &[]).await;
    rig.act("bob", Act::Disable).await;
    assert!(tokio::time::timeout(Duration::from_millis(500), requests.recv()).await.is_err());
}

//! Kill -9 between the end of a session and the telling of it: the application is told after the next start.
//!
//! The built program signs somebody in, over its pages, at an application whose address for sign-outs nobody answers yet. The
//! session ends, the program is killed in the same moment, and started again on the same data while the application listens.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use testkit::{Browser, HttpClient, RelyingParty, Trust};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

const UID: &str = "yboiko";
const PASSWORD: &str = "Rollbook-demo-yboiko";
/// How long the telling may take on a busy machine.
const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_ended_before_a_crash_is_told_after_it() {
    // Goal: an end that was acknowledged, and not told yet, is told once after the restart; the row goes, and another start
    // tells nothing.
    let folder = tempfile::tempdir().unwrap();
    let (data, ca) = (folder.path().join("data"), folder.path().join("ca.pem"));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&ca, made.cert.pem()).unwrap();
    // The port is known from the start, and refuses whoever comes until the application is there.
    let place = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();

    let server = Demo::start(&data, &ca);
    let told = format!("https://localhost:{}/told", place.port());
    let arguments = ["application", "create", "orders", "--redirect-uri", testkit::CALLBACK, "--first-party", "--json"];
    let app: Value = serde_json::from_str(&server.run(&arguments, &["--back-channel-logout-uri", &told])).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (id, secret) = (text(&app[0]["client_id"]), text(&app[0]["client_secret"]));
    let mut party = RelyingParty::over(server.http().await, &id, &secret);
    let mut browser = Browser::over(server.http().await);
    browser.visit(&party.authorize("openid")).await;
    browser.sign_in(UID, PASSWORD).await;
    let tokens = party.redeem(&browser.told("code").unwrap()).await.json();
    let sid = claims(tokens["id_token"].as_str().unwrap())["sid"].clone();
    server.run(&["session", "end-all", UID], &[]);
    server.kill();

    let mut application = Application::listen(place, &made).await;
    let server = Demo::start(&data, &ca);
    let claims = timeout(SOON, application.next()).await.unwrap();
    assert_eq!((&claims["aud"], &claims["sid"]), (&Value::from(id), &sid));
    assert_eq!(claims["iss"], server.told["oidc"]["issuer"], "signed by the provider that there is now");
    assert!(timeout(Duration::from_secs(3), application.next()).await.is_err(), "told once");
    server.kill();

    let server = Demo::start(&data, &ca);
    assert!(timeout(Duration::from_secs(5), application.next()).await.is_err(), "told before");
    server.kill();
    let check = Command::new(env!("CARGO_BIN_EXE_rollbook")).arg("--data").arg(&data).arg("check").output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}

/// The built program's demo.
struct Demo {
    child: Child,
    told: Value,
    socket: String,
}

impl Demo {
    fn start(data: &Path, ca: &Path) -> Demo {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rollbook"))
            .args(["--set", &format!("oidc.ca_file={}", ca.display())])
            .args(["demo", "--json", "--ports", "ephemeral", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        Demo { child, told, socket: data.join("ldapi").display().to_string() }
    }

    async fn http(&self) -> HttpClient {
        let address = self.told["https"].as_str().unwrap().trim_start_matches("https://");
        let address: SocketAddr = address.trim_end_matches('/').parse().unwrap();
        HttpClient::connect(address, &Trust::file(Path::new(self.told["ca_file"].as_str().unwrap()))).await
    }

    /// What the program says when it asks this one.
    fn run(&self, first: &[&str], then: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollbook"));
        let output = command.args(first).args(then).args(["--socket", &self.socket]).output().unwrap();
        assert!(output.status.success(), "{first:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The application's own server.
struct Application {
    listener: TcpListener,
    acceptor: tokio_rustls::TlsAcceptor,
}

impl Application {
    async fn listen(place: SocketAddr, made: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Application {
        let listener = TcpListener::bind(place).await.unwrap();
        Application { listener, acceptor: testkit::acceptor(made) }
    }

    /// The claims of the next logout token.
    async fn next(&mut self) -> Value {
        loop {
            let (socket, _) = self.listener.accept().await.unwrap();
            let Ok(mut stream) = self.acceptor.accept(socket).await else { continue };
            let (mut text, mut part) = (String::new(), [0; 4_096]);
            while !is_whole(&text) {
                let count = stream.read(&mut part).await.unwrap();
                text.push_str(&String::from_utf8_lossy(&part[..count]));
                assert_ne!(count, 0, "{text}");
            }
            stream.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            let _ = stream.shutdown().await;
            return claims(text.split_once("logout_token=").unwrap().1);
        }
    }
}

/// As much as was promised has come after the head.
fn is_whole(text: &str) -> bool {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| Some(line.to_ascii_lowercase().strip_prefix("content-length: ")?.to_owned()));
    length.is_some_and(|length| body.len() >= length.trim().parse().unwrap())
}

/// What a token says; that it is signed is other tests' to show.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

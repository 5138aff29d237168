//! The listener of the HTTP doors, from outside: real sockets and TLS, clients that behave and clients that do not.
//!
//! A [`Door`] is a listener with routes made for these tests: one that answers, one that reads its body, one that waits to
//! be let go, one that panics, one with a large answer.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops at the first surprise"
)]

mod end;
mod hostile;
mod limits;
mod log;
mod protocol;
mod proxies;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, Request};
use axum::http::StatusCode;
use axum::routing::{any, get, post};
use ldap::Gate;
use rollbook::config::{Config, Sources};
use rollbook::daemon::clock;
use rollbook::daemon::http::{Doors, Figures, Listeners, PROTOCOLS, Peer, Settings, serve};
use rollbook::daemon::shutdown::Stop;
use rollbook::daemon::tls::TlsReload;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use testkit::{HttpClient, RawHttp, Trust};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;

/// A running listener.
struct Door {
    address: SocketAddr,
    plain: SocketAddr,
    socket: PathBuf,
    authority: PathBuf,
    trust: Trust,
    stop: Stop,
    figures: Arc<Figures>,
    tls: TlsReload,
    /// A permit lets one waiting request of `/wait` go.
    go: Arc<Semaphore>,
    _folder: tempfile::TempDir,
}

impl Door {
    async fn open() -> Door {
        Door::with(|_| ()).await
    }

    /// With these changes to the default settings.
    async fn with(change: impl FnOnce(&mut Settings)) -> Door {
        Door::configured(&[], None, change).await
    }

    /// With a certificate of these files and their authority.
    async fn with_certificate(settings: &[(&str, &str)], authority: &Path) -> Door {
        Door::configured(settings, Some(authority), |_| ()).await
    }

    async fn configured(
        settings: &[(&str, &str)],
        authority: Option<&Path>,
        change: impl FnOnce(&mut Settings),
    ) -> Door {
        let folder = tempfile::tempdir().unwrap();
        let set = |key: &str, value: &str| ("--set", key.to_owned(), value.to_owned());
        let mut flags = vec![set("server.data_dir", &folder.path().display().to_string())];
        flags.extend(settings.iter().map(|(key, value)| set(key, value)));
        let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
        let tls = TlsReload::open(&config, clock::wall()).unwrap();
        let mut settings = Settings::of(&config, config.limits.connections);
        change(&mut settings);
        let (secure, plain) = (TcpListener::bind("127.0.0.1:0").await, TcpListener::bind("127.0.0.1:0").await);
        let (secure, plain) = (secure.unwrap(), plain.unwrap());
        let socket = folder.path().join("http");
        let local = UnixListener::bind(&socket).unwrap();
        let (address, plain_address) = (secure.local_addr().unwrap(), plain.local_addr().unwrap());
        let (stop, figures, go) = (Stop::default(), Arc::new(Figures::default()), Arc::new(Semaphore::new(0)));
        let doors = Doors {
            settings,
            router: routes(&go),
            gate: Arc::new(Gate::default()),
            figures: Arc::clone(&figures),
            seed: [1; 8],
            tls: Some(tls.server_config_with(&PROTOCOLS).unwrap()),
        };
        serve(doors, Listeners { tls: vec![secure], plain: vec![plain], local: vec![local] }, &stop);
        let authority = authority.map_or_else(|| tls.authority_file().unwrap(), Path::to_owned);
        let trust = Trust::file(&authority);
        Door { address, plain: plain_address, socket, authority, trust, stop, figures, tls, go, _folder: folder }
    }

    async fn one(&self) -> HttpClient {
        HttpClient::connect(self.address, &self.trust).await
    }

    async fn two(&self) -> HttpClient {
        HttpClient::connect_two(self.address, &self.trust).await
    }

    async fn raw(&self) -> RawHttp {
        RawHttp::connect(self.address, &self.trust, "http/1.1").await
    }

    async fn raw_two(&self) -> RawHttp {
        RawHttp::connect(self.address, &self.trust, "h2").await
    }

    /// What the server says to these octets until it ends the connection.
    async fn said_to(&self, octets: impl AsRef<[u8]>) -> String {
        self.raw().await.send(octets).await.to_end().await
    }

    /// The server lives and serves, whatever was done to it before.
    async fn is_well(&self) {
        assert_eq!(self.one().await.get("/hello").await.text(), "hello");
        assert_eq!(self.two().await.get("/hello").await.text(), "hello");
    }
}

fn routes(go: &Arc<Semaphore>) -> Router {
    let waiting = Arc::clone(go);
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/scim/echo", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/ignore", post(|| async { "not read" }))
        .route("/wait", any(move || wait(Arc::clone(&waiting))))
        .route("/panic", get(panics))
        .route("/large", get(|| async { vec![b'x'; 16 * 1024 * 1024] }))
        .route("/peer", get(peer))
        .route("/path/{*rest}", get(|request: Request| async move { request.uri().path().to_owned() }))
}

async fn wait(go: Arc<Semaphore>) -> &'static str {
    go.acquire().await.unwrap().forget();
    "let go"
}

async fn panics() -> StatusCode {
    panic!("this door is not well: canary-in-a-panic")
}

async fn peer(Extension(peer): Extension<Peer>) -> String {
    format!("{} {} {}", peer.address, peer.confidential, peer.base_url)
}

/// A short time of the real clock, for what must not happen in it.
const SHORT: Duration = Duration::from_millis(300);

/// Waits until something holds; the test's patience is its bound.
async fn until(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it never holds");
}

fn names(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

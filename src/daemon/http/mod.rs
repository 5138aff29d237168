//! HTTP for every door that speaks it: sockets, TLS, HTTP/1.1 and HTTP/2, limits, numbers, the end.
//!
//! ```text
//! listener ─▶ connection (TLS, h1 | h2, deadlines) ─▶ service (number, check, place, time) ─▶ router of the doors
//!     │            │    └ stream, scan, link            └ proxy, check, body, answer, figures
//!   gate        wishes: drain, abort
//! ```
//!
//! What is asked and what it may do is the doors'; here is what every request must be and may cost whatever it asks. The
//! daemon calls [`open`]; tests call [`serve`] with sockets and a router of their own.

mod answer;
mod body;
mod check;
mod connection;
pub mod figures;
mod link;
mod listener;
mod proxy;
mod scan;
mod service;
mod settings;
mod stream;

pub use figures::Figures;
pub use listener::Listeners;
pub use peer::Peer;
pub use settings::Settings;

use super::House;
use super::shutdown::Stop;
use super::sockets::{self, UnixDoor};
use crate::config::Problem;
use answer::Door;
use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use ldap::Gate;
use listener::Socket;
use service::Shared;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::net::UnixListener;

/// Where SCIM is.
pub const SCIM: &str = "/scim";

/// The application protocols (ALPN, RFC 7301) that TLS offers, the preferred one first.
pub const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The open HTTP doors.
#[derive(Debug, Default)]
pub struct Open {
    /// `https://` URLs, with the ports that the system gave.
    pub https: Vec<String>,
    /// `http://` URLs and the Unix socket.
    pub http: Vec<String>,
}

/// What is served, and how: everything but the sockets.
pub struct Doors {
    /// The settings.
    pub settings: Settings,
    /// The routes of the doors; other paths are answered 404.
    pub router: Router,
    /// Where connections are counted, with the other doors.
    pub gate: Arc<Gate>,
    /// The numbers.
    pub figures: Arc<Figures>,
    /// Random octets, from which requests are numbered.
    pub seed: [u8; 8],
    /// The certificate, with [`PROTOCOLS`]; it must be there when a listener wants TLS.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// Opens the configured listeners and serves these routes on them until the daemon stops.
///
/// # Errors
/// Why a socket cannot be bound.
pub fn open(house: &House, router: Router, gate: Arc<Gate>, seed: [u8; 8]) -> Result<Open, Problem> {
    let config = &house.config.listen;
    let (mut open, mut listeners) = (Open::default(), Listeners::default());
    let bound = |listener: &tokio::net::TcpListener| {
        listener.local_addr().map(|a| a.to_string()).map_err(|e| Problem::general(e.to_string()))
    };
    for address in &config.https {
        let listener = sockets::tcp("listen.https", *address)?;
        open.https.push(format!("https://{}", bound(&listener)?));
        listeners.tls.push(listener);
    }
    for address in &config.http {
        let listener = sockets::tcp("listen.http", *address)?;
        open.http.push(format!("http://{}", bound(&listener)?));
        listeners.plain.push(listener);
    }
    let mut unix = None;
    if let Some(path) = &config.http_socket {
        let door = sockets::unix("listen.http_socket", path, config.http_socket_mode)?;
        listeners.local.push(share(&door)?);
        open.http.push(format!("http+unix:{}", path.display()));
        unix = Some(door);
    }
    let tls = if listeners.tls.is_empty() { None } else { Some(house.tls.server_config_with(&PROTOCOLS)?) };
    let figures = Arc::new(Figures::default());
    figures.observe(&house.metrics);
    let settings = Settings::of(&house.config, house.connections);
    serve(Doors { settings, router, gate, figures, seed, tls }, listeners, &house.stop);
    if let Some(unix) = unix {
        let drain = house.stop.drain.clone();
        house.stop.tasks.spawn(async move {
            drain.cancelled().await;
            // The socket's file goes when nothing listens any more.
            drop(unix);
        });
    }
    Ok(open)
}

/// The door serves a second handle of the socket; the first one keeps its file.
fn share(door: &UnixDoor) -> Result<UnixListener, Problem> {
    let failed = |e: std::io::Error| Problem::general(format!("listen.http_socket: {e}"));
    let handle = door.listener.as_fd().try_clone_to_owned().map_err(failed)?;
    UnixListener::from_std(std::os::unix::net::UnixListener::from(handle)).map_err(failed)
}

/// Serves on these sockets; everything runs as tasks of `stop`. Sockets that want TLS are closed when there is none.
pub fn serve(doors: Doors, listeners: Listeners, stop: &Stop) {
    let Doors { settings, router, gate, figures, seed, tls } = doors;
    let shared = Arc::new(Shared {
        strict_transport: settings.strict_transport(),
        settings,
        router: router.fallback(nothing_here),
        figures,
        next: AtomicU64::new(u64::from_be_bytes(seed)),
    });
    let tls = listeners.tls.into_iter().filter_map(|listener| Some(Socket::Tls(listener, Arc::clone(tls.as_ref()?))));
    let plain = listeners.plain.into_iter().map(Socket::Plain);
    let local = listeners.local.into_iter().map(Socket::Local);
    for socket in tls.chain(plain).chain(local) {
        stop.tasks.spawn(listener::accept(Arc::clone(&shared), Arc::clone(&gate), socket, stop.clone()));
    }
}

async fn nothing_here(uri: Uri) -> Response {
    answer::refuse(Door::of(uri.path()), StatusCode::NOT_FOUND, "there is nothing at this address", None)
}

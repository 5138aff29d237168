//! The accept loops of the HTTP doors: who may connect, and how many.

use super::connection::{self, Arrival, Wishes};
use super::figures::Event;
use super::service::Shared;
use crate::daemon::shutdown::Stop;
use ldap::Gate;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::time::{Instant, sleep_until};

/// First pause after a failed `accept`, and the longest one; a connection that ends cuts it short.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Sockets that listen already.
#[derive(Debug, Default)]
pub struct Listeners {
    /// TLS from the first octet.
    pub tls: Vec<TcpListener>,
    /// Plain, on loopback.
    pub plain: Vec<TcpListener>,
    /// Plain, on Unix sockets.
    pub local: Vec<UnixListener>,
}

/// A socket with what its connections begin with.
pub(super) enum Socket {
    Tls(TcpListener, Arc<rustls::ServerConfig>),
    Plain(TcpListener),
    Local(UnixListener),
}

impl Socket {
    async fn accept(&self) -> io::Result<(Arrival, Option<IpAddr>)> {
        let (tcp, tls) = match self {
            Self::Tls(listener, tls) => (listener.accept().await?, Some(Arc::clone(tls))),
            Self::Plain(listener) => (listener.accept().await?, None),
            Self::Local(listener) => return Ok((Arrival::Local(listener.accept().await?.0), None)),
        };
        let (stream, address) = tcp;
        // An answer must not wait for the acknowledgement of the one before.
        _ = stream.set_nodelay(true);
        Ok((Arrival::Tcp(stream, tls), Some(address.ip().to_canonical())))
    }
}

/// Takes connections until the drain.
pub(super) async fn accept(shared: Arc<Shared>, gate: Arc<Gate>, socket: Socket, stop: Stop) {
    let mut pause = BACK_OFF.0;
    loop {
        let arrival = tokio::select! {
            biased;
            () = stop.drain.cancelled() => return,
            arrival = socket.accept() => arrival,
        };
        match arrival {
            Ok((arrival, address)) => {
                pause = BACK_OFF.0;
                receive(&shared, &gate, &stop, arrival, address);
            }
            // The peer was gone before it was taken: nothing is wrong here.
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                shared.figures.note(Event::AcceptFailed);
                if pause == BACK_OFF.0 {
                    tracing::warn!(%error, "cannot take HTTP connections for now");
                }
                tokio::select! {
                    () = stop.drain.cancelled() => return,
                    () = gate.freed() => {}
                    () = sleep_until(Instant::now() + pause) => {}
                }
                pause = pause.saturating_mul(2).min(BACK_OFF.1);
            }
        }
    }
}

fn receive(shared: &Arc<Shared>, gate: &Arc<Gate>, stop: &Stop, arrival: Arrival, address: Option<IpAddr>) {
    let settings = &shared.settings;
    let place = shared.figures.connect(settings.http.connections);
    let permit = place
        .and_then(|place| Some((gate.admit(address, settings.connections, settings.connections_per_address)?, place)));
    let Some(permit) = permit else {
        shared.figures.note(Event::Refused);
        tracing::debug!(peer = address.map(tracing::field::display), "too many connections");
        return;
    };
    shared.figures.note(Event::Accepted);
    let wishes = Wishes { drain: stop.drain.clone(), abort: stop.abort.clone() };
    let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let running = connection::run(Arc::clone(shared), arrival, address, wishes);
    stop.tasks.spawn(async move {
        running.await;
        drop(permit);
    });
}

fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted, NetworkDown,
        NetworkUnreachable, TimedOut,
    };
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionReset
            | ConnectionRefused
            | Interrupted
            | HostUnreachable
            | NetworkUnreachable
            | NetworkDown
            | TimedOut
    )
}

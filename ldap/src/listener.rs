//! The accept loops: who may connect, how many, and how it all ends.
//!
//! Owns sockets that listen, the limits on connections and the drain at shutdown; what is said on a connection is
//! `connection`'s. Called by the daemon, which binds the sockets.

use crate::{
    connection,
    door::{Door, Peer, PeerKind},
    transport::Transport,
};
use directory::handle::Directory;
use std::{
    io,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    time::{Instant, sleep_until, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{gate::Gate, metrics::Metrics, settings::Settings};

/// First pause after a failed `accept`, and the longest one; a connection that ends cuts it short.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Sockets that listen already; the daemon has bound them.
#[derive(Debug, Default)]
pub struct Listeners {
    /// `ldap://`: in clear, `StartTLS` when there is a [`TlsSource`].
    pub plain: Vec<TcpListener>,
    /// `ldaps://`: a handshake first.
    pub tls: Vec<TcpListener>,
    /// `ldapi://`: local, the peer's uid known.
    pub local: Vec<UnixListener>,
    /// Where connections are counted; other doors may count at the same place.
    pub gate: Arc<Gate>,
}

/// The TLS configuration of the moment. A replacement is used by every handshake that begins after it; connections that
/// stand are not touched.
#[derive(Debug, Clone)]
pub struct TlsSource(Arc<RwLock<Arc<rustls::ServerConfig>>>);

impl TlsSource {
    /// Begins with this configuration.
    pub fn new(config: Arc<rustls::ServerConfig>) -> TlsSource {
        TlsSource(Arc::new(RwLock::new(config)))
    }

    /// From now on this one. The caller has checked it: a bad file must leave the old one in place.
    pub fn replace(&self, config: Arc<rustls::ServerConfig>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// The one for the next handshake.
    pub fn current(&self) -> Arc<rustls::ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Serves until `shutdown`, then lets what is under way finish, at most [`Settings::drain_deadline`].
///
/// `cookie_key` authenticates paging cookies: 32 random octets, new for every process.
///
/// # Errors
/// When the server's own uid, which `ldapi` needs, cannot be found out.
pub async fn serve(
    settings: Settings,
    directory: Directory,
    listeners: Listeners,
    tls: Option<TlsSource>,
    cookie_key: [u8; 32],
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let drain = settings.drain_deadline;
    let door = Arc::new(Door::new(settings, directory, tls, &cookie_key, metrics, own_uid()?));
    let gate = listeners.gate;
    let loops = TaskTracker::new();
    let connections = TaskTracker::new();
    let reception =
        Reception { door: Arc::clone(&door), gate, connections: connections.clone(), shutdown: shutdown.clone() };
    for listener in listeners.plain {
        loops.spawn(reception.clone().accept(Socket::Tcp(listener, PeerKind::Clear)));
    }
    for listener in listeners.tls {
        loops.spawn(reception.clone().accept(Socket::Tcp(listener, PeerKind::Tls)));
    }
    for listener in listeners.local {
        loops.spawn(reception.clone().accept(Socket::Local(listener)));
    }
    drop(reception);
    loops.close();
    shutdown.cancelled().await;
    door.drain();
    loops.wait().await;
    connections.close();
    if timeout_at(Instant::now() + drain, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections did not end in time and are dropped");
    }
    Ok(())
}

/// The uid that this process has, asked of the kernel through a socket of its own.
fn own_uid() -> io::Result<u32> {
    let (one, _other) = UnixStream::pair()?;
    Ok(one.peer_cred()?.uid())
}

enum Socket {
    Tcp(TcpListener, PeerKind),
    Local(UnixListener),
}

enum Arrival {
    Tcp(TcpStream, IpAddr, u16),
    Local(UnixStream),
}

impl Socket {
    async fn accept(&self) -> io::Result<Arrival> {
        match self {
            Socket::Tcp(listener, _) => {
                let (stream, address) = listener.accept().await?;
                Ok(Arrival::Tcp(stream, address.ip().to_canonical(), address.port()))
            }
            Socket::Local(listener) => Ok(Arrival::Local(listener.accept().await?.0)),
        }
    }
}

#[derive(Clone)]
struct Reception {
    door: Arc<Door>,
    gate: Arc<Gate>,
    connections: TaskTracker,
    shutdown: CancellationToken,
}

impl Reception {
    async fn accept(self, socket: Socket) {
        let mut pause = BACK_OFF.0;
        loop {
            let arrival = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return,
                arrival = socket.accept() => arrival,
            };
            match arrival {
                Ok(arrival) => {
                    pause = BACK_OFF.0;
                    self.receive(arrival, &socket);
                }
                // The peer was gone before it was taken: nothing is wrong here.
                Err(error) if is_the_peers(&error) => {}
                Err(error) => {
                    self.door.metrics.accept_failed();
                    if pause == BACK_OFF.0 {
                        tracing::warn!(%error, "cannot take connections for now");
                    }
                    tokio::select! {
                        () = self.shutdown.cancelled() => return,
                        () = self.gate.freed() => {}
                        () = sleep_until(Instant::now() + pause) => {}
                    }
                    pause = pause.saturating_mul(2).min(BACK_OFF.1);
                }
            }
        }
    }

    fn receive(&self, arrival: Arrival, socket: &Socket) {
        let (transport, kind, address, port) = match (arrival, socket) {
            (Arrival::Tcp(stream, address, port), Socket::Tcp(_, kind)) => {
                // An answer must not wait for the acknowledgement of the one before.
                let _ = stream.set_nodelay(true);
                (Transport::Tcp(stream), *kind, Some(address), port)
            }
            (Arrival::Tcp(stream, address, port), Socket::Local(_)) => {
                (Transport::Tcp(stream), PeerKind::Clear, Some(address), port)
            }
            (Arrival::Local(stream), _) => {
                let Ok(credentials) = stream.peer_cred() else { return };
                let uid = credentials.uid();
                (Transport::Local(stream), PeerKind::Local { uid }, None, 0)
            }
        };
        let settings = &self.door.settings;
        let Some(permit) = self.gate.admit(address, settings.max_connections, settings.max_connections_per_address)
        else {
            self.door.metrics.refused();
            tracing::debug!(peer = address.map(tracing::field::display), "too many connections");
            connection::turn_away(transport, kind);
            return;
        };
        let peer = Peer { connection: self.door.next_connection(), kind, address, port };
        let door = Arc::clone(&self.door);
        let shutdown = self.shutdown.clone();
        self.connections.spawn(async move {
            connection::run(door, transport, peer, shutdown).await;
            drop(permit);
        });
    }
}

fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::TimedOut
    )
}

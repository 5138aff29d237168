//! What all connections share, and what one connection is known by.
//!
//! Owns no behaviour: the settings, the directory, the counters, the keys. Made once by `listener::serve`, read by
//! everything below it.

use crate::{
    control::paged::CookieKey, listener::TlsSource, metrics::Metrics, root_dse::RootDse, settings::Settings, subschema,
    synthetic::Attribute,
};
use directory::{
    context::{Actor, Context, Door as DoorKind, Origin},
    handle::Directory,
};
use std::{
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// Everything that outlives a connection.
pub(crate) struct Door {
    pub(crate) settings: Settings,
    pub(crate) directory: Directory,
    pub(crate) tls: Option<TlsSource>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) cookies: CookieKey,
    pub(crate) root_dse: RootDse,
    /// The uid of this process: a local peer with it is the operator.
    pub(crate) own_uid: u32,
    subschema: OnceLock<Vec<Attribute>>,
    connections: AtomicU64,
}

impl Door {
    pub(crate) fn new(
        settings: Settings,
        directory: Directory,
        tls: Option<TlsSource>,
        cookie_key: &[u8; 32],
        metrics: Arc<Metrics>,
        own_uid: u32,
    ) -> Door {
        Door {
            root_dse: RootDse { start_tls: tls.is_some() },
            settings,
            directory,
            tls,
            metrics,
            cookies: CookieKey::new(cookie_key),
            own_uid,
            subschema: OnceLock::new(),
            connections: AtomicU64::new(0),
        }
    }

    pub(crate) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// The subschema entry, made when somebody first asks for it.
    pub(crate) fn subschema(&self) -> &[Attribute] {
        self.subschema.get_or_init(|| subschema::attributes(self.directory.schema()))
    }

    /// The circumstances of the next request of this peer.
    pub(crate) fn context(&self, peer: &Peer, confidential: bool, actor: Actor) -> Context {
        Context {
            actor,
            origin: Origin { door: DoorKind::Ldap, address: peer.address, confidential },
            now: self.directory.now(),
            request_id: self.directory.next_request_id(),
        }
    }
}

/// How a peer came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerKind {
    /// TCP without encryption.
    Clear,
    /// TCP with TLS from the first octet.
    Tls,
    /// A socket on this machine; the kernel vouches for the uid.
    Local {
        /// The peer's user id.
        uid: u32,
    },
}

/// One connection's other end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    /// Number of the connection, for the log.
    pub(crate) connection: u64,
    pub(crate) kind: PeerKind,
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: u16,
}

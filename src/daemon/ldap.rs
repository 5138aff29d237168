//! The LDAP door's sockets, settings and figures.

use super::House;
use super::sockets::{self, UnixDoor};
use crate::config::Problem;
use crate::config::listen::Anonymous;
use directory::handle::Directory;
use ldap::{Gate, Listeners, Metrics, Settings, TlsSource};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use tokio::net::UnixListener;

/// The open LDAP doors.
#[derive(Debug, Default)]
pub struct Open {
    /// `ldap://` URLs, with the ports that the system gave.
    pub ldap: Vec<String>,
    /// `ldaps://` URLs.
    pub ldaps: Vec<String>,
    /// The `ldapi://` URL.
    pub ldapi: Option<String>,
}

/// Opens the configured LDAP listeners and starts serving.
///
/// # Errors
/// Why a socket cannot be bound.
pub fn open(house: &House, directory: &Directory, cookie_key: [u8; 32], gate: Arc<Gate>) -> Result<Open, Problem> {
    let config = &house.config;
    let mut open = Open::default();
    let mut listeners = Listeners { gate, ..Listeners::default() };
    let bound = |listener: &tokio::net::TcpListener| {
        listener.local_addr().map(|a| a.to_string()).map_err(|e| Problem::general(e.to_string()))
    };
    for address in &config.listen.ldap {
        let listener = sockets::tcp("listen.ldap", *address)?;
        open.ldap.push(format!("ldap://{}", bound(&listener)?));
        listeners.plain.push(listener);
    }
    for address in &config.listen.ldaps {
        let listener = sockets::tcp("listen.ldaps", *address)?;
        open.ldaps.push(format!("ldaps://{}", bound(&listener)?));
        listeners.tls.push(listener);
    }
    let mut unix = None;
    if let Some(path) = &config.listen.ldapi {
        let door = sockets::unix("listen.ldapi", path, config.listen.ldapi_mode)?;
        listeners.local.push(share(&door)?);
        open.ldapi = Some(ldapi_url(path));
        unix = Some(door);
    }
    let metrics = Arc::new(Metrics::default());
    observe(house, &metrics);
    let serving = ldap::serve(
        settings(house),
        directory.clone(),
        listeners,
        Some(TlsSource::new(house.tls.server_config())),
        cookie_key,
        metrics,
        house.stop.drain.clone(),
    );
    house.stop.tasks.spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!(%error, "the LDAP door failed");
        }
        // The socket's file goes with the last connection.
        drop(unix);
    });
    Ok(open)
}

/// The door serves a second handle of the socket; the first one keeps its file.
fn share(door: &UnixDoor) -> Result<UnixListener, Problem> {
    let failed = |e: std::io::Error| Problem::general(format!("listen.ldapi: {e}"));
    let handle = door.listener.as_fd().try_clone_to_owned().map_err(failed)?;
    UnixListener::from_std(std::os::unix::net::UnixListener::from(handle)).map_err(failed)
}

fn settings(house: &House) -> Settings {
    let (limits, ldap) = (&house.config.limits, &house.config.ldap);
    Settings {
        max_connections: house.connections,
        max_connections_per_address: limits.connections_per_address,
        max_request_anonymous: limits.pdu_anonymous,
        max_request_bound: limits.pdu_authenticated,
        max_batch: limits.pipeline,
        request_deadline: limits.read_time,
        write_deadline: limits.write_time,
        handshake_deadline: limits.handshake_time,
        idle_anonymous: limits.idle_anonymous,
        idle_bound: limits.idle_authenticated,
        drain_deadline: house.config.server.drain,
        anonymous_bind: ldap.anonymous != Anonymous::Refuse,
        require_tls: ldap.require_tls,
        ..Settings::default()
    }
}

fn observe(house: &House, metrics: &Arc<Metrics>) {
    let source = metrics.clone();
    #[expect(clippy::cast_precision_loss, reason = "a number of connections fits into 53 bits")]
    house.metrics.gauge("rollbook_ldap_connections", "Open LDAP connections", move || source.snapshot().open() as f64);
    let source = metrics.clone();
    house.metrics.counters("rollbook_ldap_operations", "LDAP requests by kind", "operation", move |put| {
        for (operation, count) in source.snapshot().operations {
            put(&format!("{operation:?}").to_ascii_lowercase(), count);
        }
    });
    let source = metrics.clone();
    house.metrics.counters("rollbook_ldap_results", "LDAP answers by result code", "code", move |put| {
        for (code, count) in source.snapshot().results {
            put(&code.to_string(), count);
        }
    });
    let source = metrics.clone();
    house.metrics.counters("rollbook_ldap_events", "What happened to LDAP connections", "event", move |put| {
        let seen = source.snapshot();
        put("accepted", seen.accepted);
        put("refused", seen.refused);
        put("handshake_failed", seen.handshakes_failed);
        put("accept_failed", seen.accept_failures);
        put("protocol_error", seen.protocol_errors);
        put("timeout", seen.timeouts);
        put("password_exposed", seen.passwords_exposed);
    });
}

/// The URL of a Unix socket (`ldapi://`): its path with everything but letters, digits and `-._~` percent-encoded.
pub fn ldapi_url(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let encode = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    };
    format!("ldapi://{}", path.as_os_str().as_bytes().iter().map(encode).collect::<String>())
}

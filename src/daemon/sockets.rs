//! The sockets that doors listen on: bound here, handed to the door's own accept loop.
//!
//! Owns the errors that an administrator meets at the first start (port taken, port below 1024, no IPv6, a socket left
//! by a dead daemon) and says what to do. Accepting, and backing off when files run out, is the doors'.

use crate::config::Problem;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 1_024;

/// Binds a TCP address; `setting` is the key that named it. `[::]` serves IPv4 as well and becomes `0.0.0.0` on a
/// machine without IPv6.
///
/// # Errors
/// Why it cannot be bound.
pub fn tcp(setting: &str, address: SocketAddr) -> Result<TcpListener, Problem> {
    match bind(address) {
        // EAFNOSUPPORT (no IPv6 in the kernel) and EADDRNOTAVAIL (switched off) both mean: IPv4 is all there is.
        Err(_) if address.is_ipv6() && address.ip().is_unspecified() && !ipv6_works() => {
            let fallback = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
            tracing::info!(%address, %fallback, "no IPv6 here");
            bind(fallback).map_err(|error| explain(setting, fallback, &error))
        }
        result => result.map_err(|error| explain(setting, address, &error)),
    }
}

fn ipv6_works() -> bool {
    bind(SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 0))).is_ok()
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // So that a restart does not wait for the old connections' TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn explain(setting: &str, address: SocketAddr, error: &std::io::Error) -> Problem {
    let problem = Problem::general(format!("{setting}: cannot listen on {address}: {error}"));
    match error.kind() {
        ErrorKind::AddrInUse => problem.with_hint("another server has this port, perhaps another rollbook or slapd"),
        ErrorKind::PermissionDenied => {
            problem.with_hint("ports below 1024 need CAP_NET_BIND_SERVICE, which packaging/rollbook.service gives")
        }
        ErrorKind::AddrNotAvailable => problem.with_hint("this machine does not have that address"),
        _ => problem,
    }
}

/// A Unix socket that is listened on; its file goes when this is dropped, unless another daemon has replaced it.
#[derive(Debug)]
pub struct UnixDoor {
    /// The listening socket.
    pub listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl UnixDoor {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for UnixDoor {
    fn drop(&mut self) {
        if std::fs::symlink_metadata(&self.path).is_ok_and(|metadata| metadata.ino() == self.inode) {
            _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Binds a Unix socket with these permissions. A socket that nobody listens on any more is replaced; a living one, or
/// a file of another kind, is not. The caller has set a umask that keeps others out until the permissions are set.
///
/// # Errors
/// Why it cannot be bound.
pub fn unix(setting: &str, path: &Path, mode: u32) -> Result<UnixDoor, Problem> {
    let shown = path.display();
    let failed = |error: std::io::Error| Problem::general(format!("{setting}: cannot listen on {shown}: {error}"));
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        if !metadata.file_type().is_socket() {
            return Err(Problem::general(format!("{setting}: {shown} exists and is no socket")));
        }
        match std::os::unix::net::UnixStream::connect(path) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path).map_err(failed)?,
            Ok(_) => return Err(Problem::general(format!("{setting}: another daemon listens on {shown}"))),
            Err(error) => return Err(failed(error)),
        }
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.exists()) {
        std::fs::create_dir(parent).map_err(failed)?;
        // Whoever may connect is the socket's own permission to say.
        std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o755)).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(failed)?;
    let inode = std::fs::symlink_metadata(path).map_err(failed)?.ino();
    Ok(UnixDoor { listener, path: path.to_owned(), inode })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a taken port is refused by its setting, with the likely reason.
    #[tokio::test]
    async fn a_taken_port_is_explained() {
        let first = tcp("listen.ldap", "127.0.0.1:0".parse().unwrap()).unwrap();
        let problem = tcp("listen.ldap", first.local_addr().unwrap()).unwrap_err().to_string();
        assert!(
            problem.starts_with("listen.ldap: cannot listen on 127.0.0.1:") && problem.contains("another server"),
            "{problem}"
        );
    }

    /// Goal: the wildcard address serves IPv4 whether the machine has IPv6 or not.
    #[tokio::test]
    async fn the_wildcard_serves_ipv4() {
        let listener = tcp("listen.ldap", "[::]:0".parse().unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (client, server) = tokio::join!(tokio::net::TcpStream::connect(("127.0.0.1", port)), listener.accept());
        assert!(client.is_ok() && server.is_ok());
    }

    /// Goal: the socket has its permissions, a dead daemon's socket is replaced, a living one's and a file are not, and
    /// the file goes with its door but not with an earlier one.
    #[tokio::test]
    async fn unix_sockets_are_taken_over_with_care() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/ldapi");
        let door = unix("listen.ldapi", &path, 0o660).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        assert!(unix("listen.ldapi", &path, 0o660).unwrap_err().to_string().contains("another daemon listens"));
        drop(door);
        assert!(!path.exists());

        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "left behind");
        let door = unix("listen.ldapi", &path, 0o600).unwrap();
        // Made before the socket goes, so that it cannot get the socket's inode number.
        std::fs::write(dir.path().join("other"), "not ours").unwrap();
        std::fs::rename(dir.path().join("other"), &path).unwrap();
        drop(door);
        assert!(path.exists(), "another file of that name stays");
        assert!(unix("listen.ldapi", &path, 0o600).unwrap_err().to_string().contains("is no socket"));
    }
}

//! Word to systemd (`sd_notify(3)`): ready, reloading, stopping, alive. Silent where there is no systemd.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Where to send word, if anywhere.
#[derive(Debug, Default)]
pub struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notify {
    /// As systemd asked through the environment.
    pub fn of_process() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET");
        let watchdog = std::env::var("WATCHDOG_USEC").ok();
        Self::new(socket.as_deref(), watchdog.as_deref())
    }

    fn new(socket: Option<&std::ffi::OsStr>, watchdog: Option<&str>) -> Self {
        let Some(name) = socket else { return Self::default() };
        // A name that begins with @ is in the abstract namespace.
        let address = match name.as_bytes().split_first() {
            Some((b'@', rest)) => SocketAddr::from_abstract_name(rest),
            _ => SocketAddr::from_pathname(name),
        };
        let socket = address.ok().and_then(|address| Some((UnixDatagram::unbound().ok()?, address)));
        let watchdog = watchdog.and_then(|micros| micros.parse().ok()).map(Duration::from_micros);
        Self { socket, watchdog: watchdog.filter(|period| !period.is_zero()) }
    }

    /// Sends one word, such as `READY=1`. A failure is not the daemon's trouble.
    pub fn send(&self, word: &str) {
        if let Some((socket, address)) = &self.socket {
            _ = socket.send_to_addr(word.as_bytes(), address);
        }
    }

    /// How often to send `WATCHDOG=1`: twice in the period after which systemd would restart the daemon.
    pub fn watchdog_interval(&self) -> Option<Duration> {
        self.watchdog.map(|period| period / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: words arrive on a path and on an abstract name; without a socket nothing happens.
    #[test]
    fn words_arrive() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let abstract_name = format!("rollbook-test-{}", std::process::id());
        let by_path = UnixDatagram::bind(&path).unwrap();
        let by_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&abstract_name).unwrap()).unwrap();
        for (receiver, name) in [(by_path, path.into_os_string()), (by_name, format!("@{abstract_name}").into())] {
            let notify = Notify::new(Some(&name), Some("30000000"));
            notify.send("READY=1");
            let mut word = [0; 32];
            let length = receiver.recv(&mut word).unwrap();
            assert_eq!(&word[..length], b"READY=1");
            assert_eq!(notify.watchdog_interval(), Some(Duration::from_secs(15)));
        }
        Notify::new(None, Some("1")).send("READY=1");
        assert_eq!(Notify::new(None, Some("1")).watchdog_interval(), None);
    }
}

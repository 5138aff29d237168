//! One connection as its parts see it: who is at its other end, what is in progress on it, and until when it may wait.
//!
//! The stream tells of octets, the service of requests, the answers' bodies of their progress; the driver in `connection`
//! asks for the next deadline. Everything is behind one lock that is held for a few instructions.

use super::scan::{Head, Scan};
use super::settings::Settings;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a connection that should end may stay when nothing is in progress on it.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(2);

/// How a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// `listen.https`.
    Tls,
    /// `listen.http`.
    Clear,
    /// `listen.http_socket`.
    Local,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) way: Way,
    /// The other end; loopback for a Unix socket.
    pub(super) address: IpAddr,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Requests in progress, until the last octet of the answer is handed on.
    open: usize,
    /// When that number changed last.
    since: Instant,
    /// When the first octet of a head came that is not whole yet.
    head: Option<Instant>,
    scan: Scan,
    /// Answers that are being sent: their numbers, and until when the next piece must have gone.
    sending: Vec<(u64, Instant)>,
    number: u64,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// Requests are in progress, which have deadlines of their own: only to look again.
    Look,
    /// Nothing was asked for a while.
    Idle,
    /// The connection should have ended by itself.
    Last,
    /// A head was begun and not finished.
    Head,
    /// An answer is not taken.
    Answer,
}

impl Link {
    pub(super) fn new(way: Way, address: IpAddr) -> Self {
        let state =
            State { open: 0, since: Instant::now(), head: None, scan: Scan::default(), sending: Vec::new(), number: 0 };
        Self { way, address, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Octets of HTTP/1.1 have come.
    pub(super) fn received(&self, octets: &[u8]) {
        let mut state = self.state();
        if state.open > 0 {
            // They may be a body, or the beginning of the next head: that one is not seen from its start.
            state.scan.miss();
            return;
        }
        if state.head.is_none() {
            state.head = Some(Instant::now());
        }
        state.scan.read(octets);
    }

    /// A request begins, whose head was as returned. It ends when the exchange is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> (Exchange, Head) {
        let mut state = self.state();
        state.open = state.open.saturating_add(1);
        state.since = Instant::now();
        state.head = None;
        state.number = state.number.wrapping_add(1);
        let head = state.scan.take();
        (Exchange { link: Arc::clone(self), number: state.number }, head)
    }

    /// When the driver must look again, and for what, if nothing changes until then. `ending` is since when nothing new is
    /// taken, if so.
    pub(super) fn deadline(&self, settings: &Settings, ending: Option<Instant>) -> (Instant, Late) {
        let state = self.state();
        let http = &settings.http;
        let first = match (state.open, ending, state.head) {
            (0, Some(ending), _) => (state.since.max(ending) + LAST_WORDS, Late::Last),
            (0, None, Some(begun)) => (begun + http.header_time, Late::Head),
            (0, None, None) => (state.since + http.idle, Late::Idle),
            (_, Some(_), _) => (Instant::now() + LAST_WORDS, Late::Look),
            // Answers are sent by tasks of their own: one that stalls is seen at the second look.
            (_, None, _) => (Instant::now() + http.write_time.min(http.idle), Late::Look),
        };
        match state.sending.iter().map(|(_, until)| *until).min() {
            Some(until) if until < first.0 => (until, Late::Answer),
            _ => first,
        }
    }
}

/// A request in progress on its connection.
#[derive(Debug)]
pub(super) struct Exchange {
    link: Arc<Link>,
    number: u64,
}

impl Exchange {
    /// The next piece of the answer must have gone by then.
    pub(super) fn must_move_until(&self, until: Instant) {
        let mut state = self.link.state();
        match state.sending.iter_mut().find(|(number, _)| *number == self.number) {
            Some((_, deadline)) => *deadline = until,
            None => state.sending.push((self.number, until)),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let mut state = self.link.state();
        state.open = state.open.saturating_sub(1);
        state.since = Instant::now();
        state.sending.retain(|(number, _)| *number != self.number);
    }
}

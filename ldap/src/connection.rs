//! One connection from its first octet to its last.
//!
//! Owns the order of things: take what has come, answer every complete request in it, send all answers in one write, wait.
//! Deadlines, StartTLS, Notices of Disconnection and the end are here; what a request means is `operation`'s. Requests
//! of one connection are carried out one after the other, so a bind has no neighbours (RFC 4511 §4.2.1) and answers come
//! in the order of the requests; a search that takes more than one turn looks for its Abandon between turns.

use crate::{
    door::{Door, Peer, PeerKind},
    operation::{
        self, Step,
        abandon::{self, Seen},
        notice, search,
    },
    session::Session,
    transport::{Event, Io, Transport},
    wire::{self, Frame},
};
use std::{io, pin::Pin, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// For the peer of a broken connection to read why: time and octets.
const LINGER: (Duration, usize) = (Duration::from_secs(1), 256 * 1024);
/// Octets that may wait behind a running search before the connection stops taking more.
const BEHIND_SEARCH: usize = 64 * 1024;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The peer has gone or said goodbye.
    Peer,
    /// The server has sent a Notice of Disconnection.
    Notice,
}

/// Serves one connection to its end.
pub(crate) async fn run(door: Arc<Door>, transport: Transport, peer: Peer, shutdown: CancellationToken) {
    door.metrics.accepted();
    let address = peer.address.map(tracing::field::display);
    tracing::info!(connection = peer.connection, peer = address, port = peer.port, kind = ?peer.kind, "open");
    let mut shutdown = Box::pin(shutdown.cancelled_owned());
    let ending = serve(&door, transport, peer, shutdown.as_mut()).await;
    door.metrics.closed();
    match ending {
        Ok(end) => tracing::info!(connection = peer.connection, ?end, "closed"),
        Err(error) => tracing::info!(connection = peer.connection, %error, "closed"),
    }
}

/// Tells a peer that there is no room for it, as far as that is possible without waiting.
pub(crate) fn turn_away(transport: Transport, kind: PeerKind) {
    let mut out = bytes::BytesMut::with_capacity(96);
    notice::busy(&mut out);
    match (transport, kind) {
        (Transport::Tcp(stream), PeerKind::Clear) => {
            let _ = stream.try_write(&out);
        }
        (Transport::Local(stream), _) => {
            let _ = stream.try_write(&out);
        }
        _ => {}
    }
}

async fn serve(
    door: &Arc<Door>,
    transport: Transport,
    peer: Peer,
    shutdown: Pin<&mut WaitForCancellationFutureOwned>,
) -> io::Result<End> {
    let transport = match peer.kind {
        PeerKind::Tls => handshake(door, transport).await?,
        PeerKind::Clear | PeerKind::Local { .. } => transport,
    };
    let mut connection = Connection {
        door,
        session: Session::new(peer),
        io: Io::new(transport, Instant::now() + door.settings.idle_anonymous),
        shutdown,
    };
    let end = connection.requests().await;
    if let Ok(end) = end {
        let deadline = Instant::now() + LINGER.0;
        match end {
            End::Notice => connection.io.linger(deadline, LINGER.1, &door.metrics).await,
            End::Peer => connection.io.close(deadline).await,
        }
    }
    connection.io.recycle();
    end
}

/// A TLS handshake with the configuration of the moment.
async fn handshake(door: &Door, transport: Transport) -> io::Result<Transport> {
    let (Transport::Tcp(stream), Some(tls)) = (transport, &door.tls) else {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "no TLS here"));
    };
    let deadline = Instant::now() + door.settings.handshake_deadline;
    match timeout_at(deadline, TlsAcceptor::from(tls.current()).accept(stream)).await {
        Ok(Ok(stream)) => Ok(Transport::Tls(Box::new(stream))),
        Ok(Err(error)) => {
            door.metrics.handshake_failed();
            Err(error)
        }
        Err(_) => {
            door.metrics.handshake_failed();
            Err(io::Error::new(io::ErrorKind::TimedOut, "the handshake took too long"))
        }
    }
}

struct Connection<'d> {
    door: &'d Arc<Door>,
    session: Session,
    io: Io,
    shutdown: Pin<&'d mut WaitForCancellationFutureOwned>,
}

/// Whether the connection goes on.
type Flow = Result<(), End>;

impl Connection<'_> {
    async fn requests(&mut self) -> io::Result<End> {
        loop {
            if let Err(end) = self.answer_all().await? {
                self.flush().await?;
                return Ok(end);
            }
            self.flush().await?;
            if self.door.is_draining() {
                // A peer that goes on asking must not be cut off in the middle of an answer.
                return self.disconnect(notice::shutdown).await;
            }
            let settings = &self.door.settings;
            let patience = match (self.io.received().is_empty(), self.session.login().is_anonymous()) {
                (false, _) => settings.request_deadline,
                (true, true) => settings.idle_anonymous,
                (true, false) => settings.idle_bound,
            };
            let deadline = Instant::now() + patience;
            match self.wait(deadline).await? {
                Event::Data => {}
                Event::End => return Ok(End::Peer),
                Event::Deadline => {
                    self.door.metrics.timed_out();
                    return self.disconnect(notice::idle).await;
                }
                Event::Shutdown => return self.disconnect(notice::shutdown).await,
            }
        }
    }

    /// Waits for more octets. Once a request has begun, its deadline stands, however slowly the rest drips in.
    async fn wait(&mut self, deadline: Instant) -> io::Result<Event> {
        loop {
            let had = self.io.received().len();
            let event = self.io.wait(deadline, self.shutdown.as_mut(), &self.door.metrics).await?;
            if event != Event::Data || had == 0 {
                return Ok(event);
            }
            // A partial request: go on only when it is complete or wrong.
            let bound = self.session.request_bound(&self.door.settings);
            if !matches!(wire::peek(self.io.received(), bound), Ok(Frame::NeedMore { .. })) {
                return Ok(event);
            }
        }
    }

    /// Carries out every complete request that has arrived.
    async fn answer_all(&mut self) -> io::Result<Flow> {
        let mut batch = 0usize;
        loop {
            let bound = self.session.request_bound(&self.door.settings);
            let (received, out) = self.io.split();
            let length = match wire::peek(received, bound) {
                Ok(Frame::Complete { len }) => len,
                Ok(Frame::NeedMore { .. }) => return Ok(Ok(())),
                Err(error) => {
                    self.door.metrics.protocol_error();
                    tracing::debug!(connection = self.session.peer.connection, %error, "not LDAP");
                    notice::protocol_error(out);
                    return Ok(Err(End::Notice));
                }
            };
            let (pdu, behind) = received.split_at_checked(length).unwrap_or((received, &[]));
            let step = operation::begin(self.door, &mut self.session, pdu, behind.len(), out);
            self.io.consume(length);
            if let Err(end) = self.carry_out(step).await? {
                return Ok(Err(end));
            }
            batch = batch.saturating_add(1);
            if batch >= self.door.settings.max_batch {
                batch = 0;
                self.flush().await?;
                tokio::task::yield_now().await;
            } else if self.io.output.len() >= self.door.settings.write_threshold {
                self.flush().await?;
            }
        }
    }

    async fn carry_out(&mut self, step: Step) -> io::Result<Flow> {
        match step {
            Step::Answered => Ok(Ok(())),
            Step::Search(search) => self.stream(search).await,
            Step::Bind(pending) => {
                // What was asked before must not wait for the hash.
                self.flush().await?;
                let verdict = self.door.directory.authenticate(&pending.context, pending.login).await;
                let (_, out) = self.io.split();
                operation::bind::finish(self.door, &mut self.session, &pending.answer, verdict, out);
                Ok(Ok(()))
            }
            Step::Change(pending) => {
                self.flush().await?;
                let outcome = self.door.directory.change(&pending.context, pending.change).await;
                let (_, out) = self.io.split();
                operation::change::finish(self.door, &mut self.session, &pending.answer, outcome, out);
                Ok(Ok(()))
            }
            Step::Token(pending) => {
                self.flush().await?;
                let outcome = operation::token::carry_out(&self.door.directory, &pending).await;
                let (_, out) = self.io.split();
                operation::token::finish(self.door, &pending.answer, outcome, out);
                Ok(Ok(()))
            }
            Step::Grant(pending) => {
                self.flush().await?;
                let outcome = operation::grant::carry_out(&self.door.directory, &pending).await;
                let (_, out) = self.io.split();
                operation::grant::finish(self.door, &pending.answer, outcome, out);
                Ok(Ok(()))
            }
            Step::StartTls => self.start_tls().await,
            Step::Unbind => Ok(Err(End::Peer)),
            Step::Disconnect => Ok(Err(End::Notice)),
        }
    }

    /// Sends a search's entries as fast as the peer takes them, and stops when it is abandoned.
    async fn stream(&mut self, mut search: Box<search::Running>) -> io::Result<Flow> {
        let mut seen = 0usize;
        loop {
            if self.io.output.len() >= self.door.settings.write_threshold {
                self.flush().await?;
            }
            tokio::task::yield_now().await;
            self.io.glance(BEHIND_SEARCH, &self.door.metrics).await?;
            let bound = self.session.request_bound(&self.door.settings);
            match abandon::look(self.io.received(), &mut seen, bound, search.message_id()) {
                Seen::Nothing => {}
                Seen::Abandon => return Ok(Ok(())),
                Seen::Unbind => return Ok(Err(End::Peer)),
            }
            let (_, out) = self.io.split();
            if search.advance(self.door, out) {
                return Ok(Ok(()));
            }
        }
    }

    /// The answer to StartTLS is on its way out in clear; everything after it is encrypted (RFC 4511 §4.14.2).
    async fn start_tls(&mut self) -> io::Result<Flow> {
        self.flush().await?;
        let idle = Instant::now() + self.door.settings.idle_anonymous;
        let Some(transport) = self.io.take_tcp() else { return Ok(Err(End::Peer)) };
        let transport = handshake(self.door, transport).await?;
        self.io = Io::new(transport, idle);
        self.session.encrypted();
        Ok(Ok(()))
    }

    async fn disconnect(&mut self, why: fn(&mut bytes::BytesMut)) -> io::Result<End> {
        let (_, out) = self.io.split();
        why(out);
        self.flush().await?;
        Ok(End::Notice)
    }

    async fn flush(&mut self) -> io::Result<()> {
        let patience = self.door.settings.write_deadline;
        self.io.flush(|| Instant::now() + patience, &self.door.metrics).await
    }
}

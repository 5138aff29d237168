//! The octets of a connection: TLS, TCP or a Unix socket, with a bound on how long the peer may leave an answer lying.

use super::body::time_for;
use super::link::Link;
use super::settings::Settings;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_rustls::server::TlsStream;

/// What is below HTTP.
#[derive(Debug)]
pub(super) enum Transport {
    Tls(Box<TlsStream<TcpStream>>),
    Tcp(TcpStream),
    Local(UnixStream),
}

macro_rules! each {
    ($self:expr, $stream:ident => $call:expr) => {
        match $self {
            Transport::Tls($stream) => {
                let $stream = Pin::new($stream.as_mut());
                $call
            }
            Transport::Tcp($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            Transport::Local($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
        }
    };
}

/// A stream that is watched.
#[derive(Debug)]
pub(super) struct Stream {
    transport: Transport,
    /// Where the heads of HTTP/1.1 are told of; none for HTTP/2.
    heads: Option<Arc<Link>>,
    write_time: Duration,
    pace: u64,
    stall: Option<Stall>,
}

/// Octets wait for a peer that does not take them.
#[derive(Debug)]
struct Stall {
    since: Instant,
    moved: u64,
    timer: Pin<Box<Sleep>>,
}

impl Stream {
    pub(super) fn new(transport: Transport, heads: Option<Arc<Link>>, settings: &Settings) -> Self {
        Self { transport, heads, write_time: settings.http.write_time, pace: settings.http.pace, stall: None }
    }

    /// Octets have moved or not; the peer's time runs from the first that did not until all have.
    fn account<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
        moved: impl Fn(&T) -> Option<usize>,
    ) -> Poll<io::Result<T>> {
        match &polled {
            Poll::Ready(Ok(done)) => {
                match (moved(done), &mut self.stall) {
                    // Flushed: nothing waits any more.
                    (None, _) => self.stall = None,
                    (Some(octets), Some(stall)) => stall.moved = stall.moved.saturating_add(octets as u64),
                    (Some(_), None) => {}
                }
                return polled;
            }
            Poll::Ready(Err(_)) => return polled,
            Poll::Pending => {}
        }
        let write_time = self.write_time;
        let stall = self.stall.get_or_insert_with(|| {
            let since = Instant::now();
            Stall { since, moved: 0, timer: Box::pin(sleep_until(since + write_time)) }
        });
        loop {
            if stall.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let deadline = stall.since + write_time + time_for(stall.moved, self.pace);
            if deadline <= stall.timer.deadline() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            stall.timer.as_mut().reset(deadline);
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        let polled = each!(&mut this.transport, stream => stream.poll_read(context, into));
        if let (Poll::Ready(Ok(())), Some(link)) = (&polled, &this.heads)
            && let Some(octets) = into.filled().get(before..).filter(|octets| !octets.is_empty())
        {
            link.received(octets);
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = each!(&mut this.transport, stream => stream.poll_write(context, octets));
        this.account(context, polled, |octets| Some(*octets))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = each!(&mut this.transport, stream => stream.poll_write_vectored(context, slices));
        this.account(context, polled, |octets| Some(*octets))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Tls(stream) => stream.is_write_vectored(),
            Transport::Tcp(stream) => stream.is_write_vectored(),
            Transport::Local(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = each!(&mut this.transport, stream => stream.poll_flush(context));
        this.account(context, polled, |()| None)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = each!(&mut this.transport, stream => stream.poll_shutdown(context));
        this.account(context, polled, |()| None)
    }
}

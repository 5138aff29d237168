//! The octets: one stream of three kinds, its buffers and its one deadline.
//!
//! Owns reading into, writing out of, and giving back buffers; knows nothing of LDAP messages. An idle connection holds
//! no buffer: empty ones go back to the worker thread's small stock. Called by `connection`.

use crate::metrics::Metrics;
use bytes::BytesMut;
use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpStream, UnixStream},
    time::{Instant, Sleep, sleep_until},
};
use tokio_rustls::server::TlsStream;
use tokio_util::{io::poll_read_buf, sync::WaitForCancellationFutureOwned};

/// Octets that a fresh buffer holds.
const BUFFER: usize = 16 * 1024;
/// A buffer that grew beyond this is freed, not kept.
const KEEP: usize = 64 * 1024;
/// Empty buffers that one worker thread keeps.
const STOCK: usize = 64;

thread_local! {
    static EMPTY: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

fn take_buffer() -> BytesMut {
    EMPTY.with_borrow_mut(Vec::pop).unwrap_or_else(|| BytesMut::with_capacity(BUFFER))
}

fn give_buffer(buffer: &mut BytesMut) {
    let mut buffer = std::mem::take(buffer);
    buffer.clear();
    if buffer.capacity() >= BUFFER && buffer.capacity() <= KEEP {
        EMPTY.with_borrow_mut(|stock| {
            if stock.len() < STOCK {
                stock.push(buffer);
            }
        });
    }
}

/// The stream below a connection.
#[derive(Debug)]
pub(crate) enum Transport {
    /// `ldap://`.
    Tcp(TcpStream),
    /// `ldapi://`.
    Local(UnixStream),
    /// `ldaps://`, or `ldap://` after StartTLS.
    Tls(Box<TlsStream<TcpStream>>),
    /// None any more: it is being wrapped in TLS.
    Gone,
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Tcp(stream) => Pin::new(stream).poll_read(context, into),
            Transport::Local(stream) => Pin::new(stream).poll_read(context, into),
            Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, into),
            Transport::Gone => gone(),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Transport::Tcp(stream) => Pin::new(stream).poll_write(context, octets),
            Transport::Local(stream) => Pin::new(stream).poll_write(context, octets),
            Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, octets),
            Transport::Gone => gone(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Transport::Local(stream) => Pin::new(stream).poll_flush(context),
            Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
            Transport::Gone => gone(),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Local(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            Transport::Gone => gone(),
        }
    }
}

/// One timer for all deadlines of a connection. It is armed again only when it fires too early or has to fire sooner, so
/// moving a deadline on, which every request does, costs a comparison.
#[derive(Debug)]
struct Timer {
    sleep: Pin<Box<Sleep>>,
    deadline: Instant,
}

impl Timer {
    fn new(deadline: Instant) -> Timer {
        Timer { sleep: Box::pin(sleep_until(deadline)), deadline }
    }

    fn set(&mut self, deadline: Instant) {
        self.deadline = deadline;
        if self.sleep.deadline() > deadline {
            self.sleep.as_mut().reset(deadline);
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.sleep.as_mut().poll(context));
            if self.sleep.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(self.deadline);
        }
    }
}

/// What a wait for octets ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// There are more octets.
    Data,
    /// The peer will send no more.
    End,
    /// The deadline came first.
    Deadline,
    /// The server shuts down.
    Shutdown,
}

/// A stream with its buffers.
#[derive(Debug)]
pub(crate) struct Io {
    transport: Transport,
    timer: Timer,
    /// Octets received; those before `consumed` are done with.
    input: BytesMut,
    consumed: usize,
    /// Octets to be sent.
    pub(crate) output: BytesMut,
}

impl Io {
    pub(crate) fn new(transport: Transport, deadline: Instant) -> Io {
        Io { transport, timer: Timer::new(deadline), input: BytesMut::new(), consumed: 0, output: BytesMut::new() }
    }

    /// The received octets that nobody has consumed, and the buffer for answers.
    pub(crate) fn split(&mut self) -> (&[u8], &mut BytesMut) {
        if self.output.capacity() == 0 {
            self.output = take_buffer();
        }
        (self.input.get(self.consumed..).unwrap_or_default(), &mut self.output)
    }

    /// The received octets that nobody has consumed.
    pub(crate) fn received(&self) -> &[u8] {
        self.input.get(self.consumed..).unwrap_or_default()
    }

    /// Marks octets as done with.
    pub(crate) fn consume(&mut self, octets: usize) {
        self.consumed = self.consumed.saturating_add(octets).min(self.input.len());
        if self.consumed == self.input.len() {
            self.input.clear();
            self.consumed = 0;
        }
    }

    /// Waits for octets, the end, the deadline or the server's shutdown, whichever is first; octets win.
    pub(crate) async fn wait(
        &mut self,
        deadline: Instant,
        mut shutdown: Pin<&mut WaitForCancellationFutureOwned>,
        metrics: &Metrics,
    ) -> io::Result<Event> {
        self.timer.set(deadline);
        self.compact();
        poll_fn(|context| {
            if let Poll::Ready(event) = self.poll_fill(context, metrics) {
                return Poll::Ready(event);
            }
            if self.timer.poll(context).is_ready() {
                return Poll::Ready(Ok(Event::Deadline));
            }
            if shutdown.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(Event::Shutdown));
            }
            Poll::Pending
        })
        .await
    }

    /// Takes what has already arrived, without waiting, while less than `bound` octets wait to be consumed. True when
    /// there was something.
    pub(crate) async fn glance(&mut self, bound: usize, metrics: &Metrics) -> io::Result<bool> {
        if self.received().len() >= bound {
            return Ok(false);
        }
        self.compact();
        poll_fn(|context| match self.poll_fill(context, metrics) {
            Poll::Ready(Ok(event)) => Poll::Ready(Ok(event == Event::Data)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Ready(Ok(false)),
        })
        .await
    }

    /// Sends everything in the output buffer, within the deadline.
    pub(crate) async fn flush(&mut self, deadline: impl FnOnce() -> Instant, metrics: &Metrics) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let mut sent = 0usize;
        let mut armed = false;
        let mut deadline = Some(deadline);
        let result = poll_fn(|context| {
            loop {
                let rest = self.output.get(sent..).unwrap_or_default();
                let polled = if rest.is_empty() {
                    match Pin::new(&mut self.transport).poll_flush(context) {
                        Poll::Ready(result) => return Poll::Ready(result),
                        Poll::Pending => Poll::Pending,
                    }
                } else {
                    Pin::new(&mut self.transport).poll_write(context, rest)
                };
                match polled {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(octets)) => sent = sent.saturating_add(octets),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {
                        // Only a peer that does not take its answers costs a look at the clock.
                        if !armed && let Some(deadline) = deadline.take() {
                            self.timer.set(deadline());
                            armed = true;
                        }
                        return self.timer.poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()));
                    }
                }
            }
        })
        .await;
        metrics.written(sent);
        give_buffer(&mut self.output);
        result
    }

    /// Says that no more will be sent and takes what still comes, up to `octets`, so that the last answer is not lost to
    /// a reset.
    pub(crate) async fn linger(&mut self, deadline: Instant, mut octets: usize, metrics: &Metrics) {
        self.timer.set(deadline);
        give_buffer(&mut self.input);
        self.consumed = 0;
        let transport = &mut self.transport;
        let timer = &mut self.timer;
        let shut = poll_fn(|context| match Pin::new(&mut *transport).poll_shutdown(context) {
            Poll::Ready(result) => Poll::Ready(result.is_ok()),
            Poll::Pending => timer.poll(context).map(|()| false),
        })
        .await;
        while shut && octets > 0 {
            let event = poll_fn(|context| match self.poll_fill(context, metrics) {
                Poll::Ready(event) => Poll::Ready(event.unwrap_or(Event::End)),
                Poll::Pending => self.timer.poll(context).map(|()| Event::Deadline),
            })
            .await;
            if event != Event::Data {
                break;
            }
            octets = octets.saturating_sub(self.input.len());
            self.input.clear();
        }
        give_buffer(&mut self.input);
    }

    /// The stream itself when it is in clear, for a TLS handshake on it. What the buffers hold is gone, and nothing can
    /// be read or written here any more.
    pub(crate) fn take_tcp(&mut self) -> Option<Transport> {
        self.recycle();
        self.consumed = 0;
        match std::mem::replace(&mut self.transport, Transport::Gone) {
            Transport::Tcp(stream) => Some(Transport::Tcp(stream)),
            Transport::Local(_) | Transport::Tls(_) | Transport::Gone => None,
        }
    }

    /// Gives the buffers back.
    pub(crate) fn recycle(&mut self) {
        give_buffer(&mut self.input);
        give_buffer(&mut self.output);
    }

    /// Ends an encrypted stream properly; a failure changes nothing.
    pub(crate) async fn close(&mut self, deadline: Instant) {
        if matches!(self.transport, Transport::Tls(_)) {
            let _ = tokio::time::timeout_at(deadline, self.transport.shutdown()).await;
        }
    }

    fn poll_fill(&mut self, context: &mut Context<'_>, metrics: &Metrics) -> Poll<io::Result<Event>> {
        if self.input.capacity() == 0 {
            self.input = take_buffer();
        } else if self.input.len() == self.input.capacity() {
            // Grows with what has come, never with what a header promises.
            self.input.reserve(self.input.len().max(BUFFER));
        }
        let polled = poll_read_buf(Pin::new(&mut self.transport), context, &mut self.input);
        match polled {
            Poll::Ready(Ok(0)) => Poll::Ready(Ok(Event::End)),
            Poll::Ready(Ok(octets)) => {
                metrics.read(octets);
                Poll::Ready(Ok(Event::Data))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                if self.input.is_empty() {
                    give_buffer(&mut self.input);
                }
                Poll::Pending
            }
        }
    }

    /// Moves an incomplete request to the front.
    fn compact(&mut self) {
        if self.consumed > 0 {
            let rest = self.input.len().saturating_sub(self.consumed);
            self.input.copy_within(self.consumed.., 0);
            self.input.truncate(rest);
            self.consumed = 0;
        }
    }
}

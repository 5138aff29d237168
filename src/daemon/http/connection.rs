//! One connection from its handshake to its end: HTTP/1.1 or HTTP/2 by what TLS has agreed on, and its deadlines.
//!
//! The driver polls the protocol, and beside it one timer that is armed for the next thing that can be late ([`Link`]).
//! Three things end a connection in order: the peer, a silence, the daemon's drain; then what is in progress is finished,
//! HTTP/2 clients get a GOAWAY. A peer that is late with its head or does not take its answer is dropped.

use super::figures::Event;
use super::link::{LAST_WORDS, Late, Link, Way};
use super::service::{Service, Shared};
use super::stream::{Stream, Transport};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Octets that are taken from a peer after the last answer, so that it is not lost to a reset.
const LINGER: usize = 256 * 1024;
/// Octets of a request's body, by stream and by connection, that HTTP/2 takes before a door asks for them.
const WINDOWS: (u32, u32) = (128 * 1024, 512 * 1024);
/// Headers that HTTP/1.1 takes when nothing is said: then it has room for them that need not be made for each request.
const HEADERS: usize = 100;
/// Octets that HTTP/1.1 buffers beyond a head.
const BUFFER: usize = 64 * 1024;

/// The daemon's two wishes.
#[derive(Clone)]
pub(super) struct Wishes {
    pub(super) drain: CancellationToken,
    pub(super) abort: CancellationToken,
}

/// What a connection is made of.
pub(super) enum Arrival {
    /// TCP; with TLS if there is a configuration.
    Tcp(tokio::net::TcpStream, Option<Arc<rustls::ServerConfig>>),
    /// A Unix socket.
    Local(tokio::net::UnixStream),
}

/// Serves a connection until its end.
pub(super) async fn run(shared: Arc<Shared>, arrival: Arrival, address: IpAddr, wishes: Wishes) {
    let ended = wishes.abort.clone().run_until_cancelled_owned(serve(shared, arrival, address, wishes)).await;
    if ended.is_none() {
        tracing::debug!(peer = %address, "dropped");
    }
}

async fn serve(shared: Arc<Shared>, arrival: Arrival, address: IpAddr, wishes: Wishes) {
    let (transport, way, two) = match arrival {
        Arrival::Local(stream) => (Transport::Local(stream), Way::Local, false),
        Arrival::Tcp(stream, None) => (Transport::Tcp(stream), Way::Clear, false),
        Arrival::Tcp(stream, Some(tls)) => {
            let handshake = tokio_rustls::TlsAcceptor::from(tls).accept(stream);
            let shaken = wishes.drain.run_until_cancelled(timeout(shared.settings.handshake_time, handshake)).await;
            let Some(Ok(Ok(stream))) = shaken else {
                shared.figures.note(Event::HandshakeFailed);
                return;
            };
            let two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            (Transport::Tls(Box::new(stream)), Way::Tls, two)
        }
    };
    let link = Arc::new(Link::new(way, address));
    let service = Service { shared: Arc::clone(&shared), link: Arc::clone(&link) };
    let heads = (!two).then(|| Arc::clone(&link));
    let stream = TokioIo::new(Stream::new(transport, heads, &shared.settings));
    if two {
        serve_two(&shared, &link, stream, service, &wishes).await;
    } else {
        serve_one(&shared, &link, stream, service, &wishes).await;
    }
}

async fn serve_two(shared: &Shared, link: &Link, stream: TokioIo<Stream>, service: Service, wishes: &Wishes) {
    let http = &shared.settings.http;
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(http.streams)
        .max_pending_accept_reset_streams(http.withdrawn)
        .max_header_list_size(http.header_bytes)
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1)
        .keep_alive_interval(http.ping)
        .keep_alive_timeout(http.ping)
        .serve_connection(stream, service);
    let mut connection = pin!(connection);
    let polled = |wish: Wish, context: &mut Context<'_>| match wish {
        Wish::Go => connection.as_mut().poll(context),
        Wish::End => {
            connection.as_mut().graceful_shutdown();
            Poll::Pending
        }
    };
    drive(shared, link, wishes, polled).await;
}

async fn serve_one(shared: &Shared, link: &Link, stream: TokioIo<Stream>, service: Service, wishes: &Wishes) {
    let http = &shared.settings.http;
    let head = usize::try_from(http.header_bytes).unwrap_or(usize::MAX);
    let mut builder = http1::Builder::new();
    if http.headers != HEADERS {
        builder.max_headers(http.headers);
    }
    let mut connection = builder
        // The driver's clock knows a head that was begun from a silence.
        .header_read_timeout(None)
        .max_header_size(head)
        .max_buf_size(head.saturating_add(BUFFER))
        .serve_connection(stream, service);
    let polled = |wish: Wish, context: &mut Context<'_>| match wish {
        Wish::Go => connection.poll_without_shutdown(context),
        Wish::End => {
            Pin::new(&mut connection).graceful_shutdown();
            Poll::Pending
        }
    };
    if drive(shared, link, wishes, polled).await == End::Order {
        let stream = connection.into_parts().io.into_inner();
        _ = timeout(LAST_WORDS, linger(stream)).await;
    }
}

/// Says that no more will be sent, and takes what still comes.
async fn linger(mut stream: Stream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let (mut rest, mut buffer) = (LINGER, [0; 4096]);
    while rest > 0 {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(octets) => rest = rest.saturating_sub(octets),
        }
    }
}

/// What the driver asks of a protocol.
enum Wish {
    /// To go on.
    Go,
    /// To finish what is in progress and take nothing new.
    End,
}

#[derive(PartialEq, Eq)]
enum End {
    /// The last answer was sent.
    Order,
    /// The connection was cut, or broke.
    Cut,
}

async fn drive(
    shared: &Shared,
    link: &Link,
    wishes: &Wishes,
    mut polled: impl FnMut(Wish, &mut Context<'_>) -> Poll<hyper::Result<()>>,
) -> End {
    let mut drained = pin!(wishes.drain.cancelled());
    let mut ending: Option<Instant> = None;
    let mut timer: Pin<Box<Sleep>> = Box::pin(sleep_until(link.deadline(&shared.settings, None).0));
    poll_fn(|context| {
        loop {
            if let Poll::Ready(result) = polled(Wish::Go, context) {
                return Poll::Ready(match result {
                    Ok(()) => End::Order,
                    Err(error) => note(shared, link, &error),
                });
            }
            if ending.is_none() && drained.as_mut().poll(context).is_ready() {
                ending = Some(Instant::now());
                _ = polled(Wish::End, context);
                continue;
            }
            let (deadline, late) = link.deadline(&shared.settings, ending);
            if deadline < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            // The timer may have been armed for less.
            if Instant::now() < deadline {
                continue;
            }
            match late {
                Late::Look => {}
                Late::Idle => {
                    ending = Some(Instant::now());
                    _ = polled(Wish::End, context);
                }
                Late::Last => return Poll::Ready(End::Cut),
                Late::Head | Late::Answer => {
                    shared.figures.note(Event::TimedOut);
                    tracing::debug!(peer = %link.address, ?late, "a peer was too slow");
                    return Poll::Ready(End::Cut);
                }
            }
        }
    })
    .await
}

/// What an error of the protocol means: an answer may have been sent only to what could not be read.
fn note(shared: &Shared, link: &Link, error: &hyper::Error) -> End {
    let kind = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    if kind.is_some_and(|cause| cause.kind() == std::io::ErrorKind::TimedOut) || error.is_timeout() {
        shared.figures.note(Event::TimedOut);
        tracing::debug!(peer = %link.address, "a peer was too slow");
        return End::Cut;
    }
    if kind.is_some() || error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return End::Cut;
    }
    shared.figures.note(Event::ProtocolError);
    tracing::debug!(peer = %link.address, "a connection ended by what its peer sent");
    End::Order
}

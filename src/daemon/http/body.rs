//! Bodies: a request's, bounded in size, time and pace; an answer's, which tells its connection how it gets on.

use super::link::Exchange;
use super::settings::Settings;
use axum::body::{Body, Bytes};
use hyper::body::{Frame, Incoming, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Octets of an answer that HTTP/2 gets at once: what it has taken, but may not send yet, nobody watches.
const PIECE: usize = 16 * 1024;

/// The time that so many octets may take at this many a second.
pub(super) fn time_for(octets: u64, pace: u64) -> Duration {
    Duration::from_millis(octets.saturating_mul(1_000) / pace.max(1))
}

/// Why a body did not come whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Flaw {
    /// It is longer than `http.body_bytes`.
    Large = 1,
    /// It did not come in time.
    Slow = 2,
    /// It is not what its framing promises.
    Broken = 3,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Large => "the body is too large",
            Self::Slow => "the body came too slowly",
            Self::Broken => "the body is broken",
        })
    }
}

impl std::error::Error for Flaw {}

/// What became of a request's body, for the answer to it: a door cannot know better.
#[derive(Clone, Debug, Default)]
pub(super) struct Report(Arc<AtomicU8>);

impl Report {
    fn tell(&self, flaw: Flaw) -> Flaw {
        self.0.store(flaw as u8, Ordering::Relaxed);
        flaw
    }

    /// What was wrong.
    pub(super) fn flaw(&self) -> Option<Flaw> {
        [Flaw::Large, Flaw::Slow, Flaw::Broken].into_iter().find(|flaw| *flaw as u8 == self.0.load(Ordering::Relaxed))
    }
}

/// The body of a request.
pub(super) struct RequestBody {
    inner: Incoming,
    report: Report,
    most: u64,
    received: u64,
    begun: Instant,
    time: Duration,
    grace: Duration,
    pace: u64,
    timer: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    pub(super) fn new(inner: Incoming, report: Report, begun: Instant, settings: &Settings) -> Self {
        let http = &settings.http;
        Self {
            inner,
            report,
            most: http.body_bytes,
            received: 0,
            begun,
            time: http.body_time,
            grace: http.grace,
            pace: http.pace,
            timer: None,
        }
    }

    fn deadline(&self) -> Instant {
        self.begun + self.time.min(self.grace + time_for(self.received, self.pace))
    }

    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline();
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(context)
    }
}

impl hyper::body::Body for RequestBody {
    type Data = Bytes;
    type Error = Flaw;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Flaw>>> {
        match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let octets = frame.data_ref().map_or(0, |data| data.len() as u64);
                self.received = self.received.saturating_add(octets);
                if self.received > self.most {
                    return Poll::Ready(Some(Err(self.report.tell(Flaw::Large))));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(self.report.tell(Flaw::Broken)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => match self.poll_late(context) {
                Poll::Ready(()) => Poll::Ready(Some(Err(self.report.tell(Flaw::Slow)))),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body of an answer.
pub(super) struct AnswerBody {
    inner: Body,
    exchange: Exchange,
    /// In HTTP/2, what is left of a piece that was too large to be handed on at once; none in HTTP/1.1.
    rest: Option<Bytes>,
    begun: Instant,
    /// Octets that have gone: those before the last piece, which HTTP/2 may hold without being allowed to send it.
    sent: u64,
    last: u64,
    write_time: Duration,
    pace: u64,
}

impl AnswerBody {
    pub(super) fn new(inner: Body, exchange: Exchange, in_pieces: bool, settings: &Settings) -> Self {
        let http = &settings.http;
        let body = Self {
            inner,
            exchange,
            rest: in_pieces.then(Bytes::new),
            begun: Instant::now(),
            sent: 0,
            last: 0,
            write_time: http.write_time,
            pace: http.pace,
        };
        if in_pieces {
            body.watch();
        }
        body
    }

    fn watch(&self) {
        self.exchange.must_move_until(self.begun + self.write_time + time_for(self.sent, self.pace));
    }

    fn hand_on(&mut self, mut data: Bytes) -> Frame<Bytes> {
        if let Some(rest) = &mut self.rest {
            if data.len() > PIECE {
                *rest = data.split_off(PIECE);
            }
            self.sent = self.sent.saturating_add(self.last);
            self.last = data.len() as u64;
            self.watch();
        }
        Frame::data(data)
    }
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(rest) = self.rest.as_mut().filter(|rest| !rest.is_empty()) {
            let rest = std::mem::take(rest);
            return Poll::Ready(Some(Ok(self.hand_on(rest))));
        }
        match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(match frame.into_data() {
                Ok(data) => self.hand_on(data),
                Err(other) => other,
            }))),
            other => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.as_ref().is_none_or(Bytes::is_empty) && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.as_ref().map_or(0, |rest| rest.len() as u64);
        let inner = hyper::body::Body::size_hint(&self.inner);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

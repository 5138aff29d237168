//! What the listener counts: requests by door, method and status, their durations, and what happened to connections.
//!
//! No label holds anything that a client has chosen: methods are those of a short list, doors and events words of this
//! program.

use super::answer::Door;
use crate::daemon::telemetry::metrics::Metrics;
use axum::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Upper bounds of the durations, in seconds.
const BUCKETS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    door: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByDoor {
    door: &'static str,
}

/// The numbers of all HTTP doors.
#[derive(Debug)]
pub struct Figures {
    requests: Family<Kind, Counter>,
    durations: Family<ByDoor, Histogram, fn() -> Histogram>,
    /// Those of the doors, in the order of [`Door::ALL`].
    by_door: [Histogram; Door::ALL.len()],
    in_flight: AtomicUsize,
    open: AtomicUsize,
    events: [AtomicU64; Event::ALL.len()],
}

/// What happens to connections and requests beside being served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection was taken.
    Accepted,
    /// A connection was sent away because of a limit.
    Refused,
    /// `accept` failed: files ran out, mostly.
    AcceptFailed,
    /// A TLS handshake failed or took too long.
    HandshakeFailed,
    /// A connection ended because its peer was too slow.
    TimedOut,
    /// A connection ended by what its peer sent: no HTTP, or a flood.
    ProtocolError,
    /// A request found too many others in progress.
    Busy,
    /// A request took too long.
    RequestTimedOut,
    /// A door panicked.
    Panicked,
}

impl Event {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Accepted, "accepted"),
        (Self::Refused, "refused"),
        (Self::AcceptFailed, "accept_failed"),
        (Self::HandshakeFailed, "handshake_failed"),
        (Self::TimedOut, "timeout"),
        (Self::ProtocolError, "protocol_error"),
        (Self::Busy, "busy"),
        (Self::RequestTimedOut, "request_timeout"),
        (Self::Panicked, "panic"),
    ];
}

impl Default for Figures {
    fn default() -> Self {
        let durations: Family<ByDoor, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let by_door = Door::ALL.map(|door| durations.get_or_create(&ByDoor { door: door.name() }).clone());
        Self {
            requests: Family::default(),
            durations,
            by_door,
            in_flight: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            events: Default::default(),
        }
    }
}

impl Figures {
    /// Counts an event.
    pub(super) fn note(&self, event: Event) {
        if let Some(counter) = self.events.get(event as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often an event was counted.
    pub fn count(&self, event: Event) -> u64 {
        self.events.get(event as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// A request was answered.
    pub(super) fn answered(&self, door: Door, method: &Method, status: u16, took: Duration) {
        let kind = Kind { door: door.name(), method: known(method), status };
        self.requests.get_or_create(&kind).inc();
        if let Some(durations) = self.by_door.get(door as usize) {
            durations.observe(took.as_secs_f64());
        }
    }

    /// A place for a request among `most`; none when all are taken.
    pub(super) fn enter(self: &Arc<Self>, most: usize) -> Option<Place> {
        let taken = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(self), |figures| &figures.in_flight);
        (taken < most).then_some(place)
    }

    /// A place for a connection among `most`; none when all are taken.
    pub(super) fn connect(self: &Arc<Self>, most: usize) -> Option<Place> {
        let taken = self.open.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(self), |figures| &figures.open);
        (taken < most).then_some(place)
    }

    /// Requests in progress.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Open connections.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Plugs the numbers into the daemon's.
    pub fn observe(self: &Arc<Self>, metrics: &Metrics) {
        metrics.register("rollbook_http_requests", "HTTP requests by door, method and status", self.requests.clone());
        metrics.register(
            "rollbook_http_request_seconds",
            "Time from a request's head to its answer's",
            self.durations.clone(),
        );
        let source = Arc::clone(self);
        #[expect(clippy::cast_precision_loss, reason = "a number of requests fits into 53 bits")]
        metrics
            .gauge("rollbook_http_requests_in_flight", "HTTP requests in progress", move || source.in_flight() as f64);
        let source = Arc::clone(self);
        #[expect(clippy::cast_precision_loss, reason = "a number of connections fits into 53 bits")]
        metrics.gauge("rollbook_http_connections", "Open HTTP connections", move || source.open() as f64);
        let source = Arc::clone(self);
        metrics.counters(
            "rollbook_http_events",
            "What happened to HTTP connections and requests",
            "event",
            move |put| {
                for (event, name) in Event::ALL {
                    put(name, source.count(event));
                }
            },
        );
    }
}

/// A place that is given back.
#[derive(Debug)]
pub(super) struct Place(Arc<Figures>, fn(&Figures) -> &AtomicUsize);

impl Drop for Place {
    fn drop(&mut self) {
        (self.1)(&self.0).fetch_sub(1, Ordering::Relaxed);
    }
}

fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: each event has its own counter and name, places come back, and no label is a client's word.
    #[test]
    fn what_is_counted_is_shown() {
        let (figures, metrics) = (Arc::new(Figures::default()), Metrics::default());
        figures.observe(&metrics);
        for (place, (event, _)) in Event::ALL.into_iter().enumerate() {
            assert_eq!(event as usize, place);
        }
        figures.note(Event::Busy);
        let strange = Method::from_bytes(b"EVIL\x7e").unwrap();
        figures.answered(Door::Scim, &Method::GET, 200, Duration::from_millis(2));
        figures.answered(Door::None, &strange, 404, Duration::from_millis(2));
        let first = figures.enter(1);
        assert!(first.is_some() && figures.enter(1).is_none());
        let page = metrics.render();
        for part in [
            "rollbook_http_requests_total{door=\"scim\",method=\"GET\",status=\"200\"} 1\n",
            "rollbook_http_requests_total{door=\"none\",method=\"other\",status=\"404\"} 1\n",
            "rollbook_http_request_seconds_bucket{le=\"0.0025\",door=\"scim\"} 1\n",
            "rollbook_http_requests_in_flight 1.0\n",
            "rollbook_http_events_total{event=\"busy\"} 1.0\n",
        ] {
            assert!(page.contains(part), "{part}\nnot in\n{page}");
        }
        drop(first);
        assert_eq!(figures.in_flight(), 0);
    }
}

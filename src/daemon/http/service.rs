//! A request on its way: numbered, checked, given its place and its time, handed to its door, answered, counted.
//!
//! ```text
//! head ─▶ origin, number ─▶ check ─▶ place ─▶ router (time, panic) ─▶ body's flaw? ─▶ common headers ─▶ log, numbers
//! ```

use super::answer::{self, Door};
use super::body::{AnswerBody, Flaw, Report, RequestBody};
use super::check::{self, Refusal};
use super::figures::{Event, Figures};
use super::link::{Exchange, Link};
use super::proxy;
use super::scan::Head;
use super::settings::Settings;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use peer::Peer;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use tokio::time::Instant;
use tower_service::Service as _;
use tracing::Instrument;

/// Seconds after which a client that was told to wait may ask again.
const RETRY_AFTER: u32 = 1;

/// What all connections share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) router: Router,
    pub(super) figures: Arc<Figures>,
    /// Numbers of requests go on from here; random, so that two runs of the daemon do not share any.
    pub(super) next: AtomicU64,
    pub(super) strict_transport: Option<HeaderValue>,
}

/// The service of one connection.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) shared: Arc<Shared>,
    pub(super) link: Arc<Link>,
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        // Here, not in the future: the head that was seen last is this request's.
        let (exchange, head) = self.link.begin();
        let shared = Arc::clone(&self.shared);
        let link = Arc::clone(&self.link);
        Box::pin(async move { Ok(shared.serve(&link, request, head, exchange).await) })
    }
}

impl Shared {
    async fn serve(
        &self,
        link: &Link,
        request: Request<Incoming>,
        head: Head,
        exchange: Exchange,
    ) -> Response<AnswerBody> {
        let begun = Instant::now();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let origin = proxy::origin(link, request.headers(), &self.settings);
        let request_id = answer::request_id(request.headers(), origin.proxied, number);
        let host = check::host(&request);
        let checked = check::head(&request, head, host, self.settings.http.body_bytes);
        let peer = Peer {
            address: origin.address,
            number,
            request_id,
            confidential: origin.confidential,
            base_url: match answer::public_url(&self.settings) {
                Some(url) => url.into(),
                None => check::base_url(host.ok().flatten(), origin.confidential).into(),
            },
        };
        let door = Door::of(request.uri().path());
        let (method, version) = (request.method().clone(), request.version());
        let path = request.uri().path().to_owned();
        let is_last = check::is_last(&request, head);

        let span = tracing::info_span!("request", request_id = %peer.request_id);
        let mut response = self.answer(request, checked, door, &peer, begun).instrument(span.clone()).await;

        answer::common(response.headers_mut(), &peer, self.strict_transport.as_ref());
        if is_last && version != Version::HTTP_2 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let (status, took) = (response.status().as_u16(), begun.elapsed());
        self.figures.answered(door, &method, status, took);
        let _entered = span.entered();
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "rollbook::access",
                    peer = %peer.address,
                    method = method.as_str(),
                    path,
                    status,
                    microseconds,
                    "request"
                )
            };
        }
        if self.settings.http.access_log {
            line!(info);
        } else {
            line!(debug);
        }
        let in_pieces = version == Version::HTTP_2;
        response.map(|body| AnswerBody::new(body, exchange, in_pieces, &self.settings))
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        checked: Result<(), Refusal>,
        door: Door,
        peer: &Peer,
        begun: Instant,
    ) -> Response<Body> {
        if let Err(Refusal { status, detail }) = checked {
            return answer::refuse(door, status, detail, None);
        }
        let Some(_place) = self.figures.enter(self.settings.http.requests) else {
            self.figures.note(Event::Busy);
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return answer::refuse(door, status, "too many requests are in progress", Some(RETRY_AFTER));
        };
        let report = Report::default();
        let body = |body| Body::new(RequestBody::new(body, report.clone(), begun, &self.settings));
        let mut request = request.map(body);
        request.extensions_mut().insert(peer.clone());
        let until = begun + self.settings.http.request_time;
        let response = match tokio::time::timeout_at(until, self.route(request)).await {
            Ok(Some(response)) => response,
            Ok(None) => {
                self.figures.note(Event::Panicked);
                return answer::refuse(door, StatusCode::INTERNAL_SERVER_ERROR, "something went wrong here", None);
            }
            Err(_) => {
                self.figures.note(Event::RequestTimedOut);
                tracing::warn!("a request took too long and was given up");
                let status = StatusCode::SERVICE_UNAVAILABLE;
                return answer::refuse(door, status, "the request took too long", Some(RETRY_AFTER));
            }
        };
        let status = match report.flaw() {
            // The door may have had all that it wanted before.
            _ if response.status().is_success() => return response,
            None => return response,
            Some(Flaw::Large) => StatusCode::PAYLOAD_TOO_LARGE,
            Some(Flaw::Slow) => StatusCode::REQUEST_TIMEOUT,
            Some(Flaw::Broken) => StatusCode::BAD_REQUEST,
        };
        let detail = report.flaw().map(|flaw| flaw.to_string()).unwrap_or_default();
        answer::refuse(door, status, &detail, None)
    }

    /// The door's answer; none when it panicked. What the panic was is in the log already.
    async fn route(&self, request: Request<Body>) -> Option<Response<Body>> {
        let mut router = self.router.clone();
        let mut routed = pin!(async move {
            match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        });
        std::future::poll_fn(move |context| {
            // After a panic the future is not polled again, and what it held is dropped with it.
            match catch_unwind(AssertUnwindSafe(|| routed.as_mut().poll(context))) {
                Ok(Poll::Ready(response)) => Poll::Ready(Some(response)),
                Ok(Poll::Pending) => Poll::Pending,
                Err(_) => Poll::Ready(None),
            }
        })
        .await
    }
}

//! From a request to an endpoint and back: token, rate, method, media types, body, answer.
//!
//! ```text
//! path ─▶ endpoint ─▶ method ─▶ token ─▶ rate ─▶ scope ─▶ media types ─▶ body ─▶ endpoint/* ─▶ headers
//! ```
//! Owns what all endpoints share on the wire. What a request means is theirs. The daemon calls [`router`].

use crate::auth::{self, Unauthorized};
use crate::call::{self, Call, Reply, Shared, base_url};
use crate::census::Census;
use crate::dialect;
use crate::endpoint;
use crate::endpoint::wanted::Usual;
use crate::limits::{Allowance, Rates, Settings};
use crate::metrics::Metrics;
use crate::peer::Peer;
use crate::protocol::error::ScimError;
use crate::protocol::json::{self, Bounds};
use crate::resource::Binding;
use crate::route::{BASE, Endpoint, Query, Route};
use crate::schema::Schemas;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use axum::routing::any;
use directory::handle::Directory;
use serde_json::Value;
use std::sync::Arc;

/// The media type of all answers (RFC 7644 §3.8).
const SCIM_JSON: &str = "application/scim+json";
/// Requests between two looks for tokens that have rested.
const REST: u64 = 65_536;

/// What the door is opened with.
pub struct Door {
    /// What is behind it.
    pub directory: Directory,
    /// What resources look like.
    pub schemas: Arc<Schemas>,
    /// Its bounds.
    pub settings: Settings,
    /// What cursors are sealed with; the same on all machines that serve one store.
    pub cursor_key: [u8; 32],
    /// Its counters.
    pub metrics: Arc<Metrics>,
}

impl Door {
    /// A door with these bounds; the directory's fuse has them from now on.
    pub fn new(directory: Directory, settings: Settings) -> Door {
        directory.fuse().set(settings.fuse_limit, settings.fuse_window);
        Door {
            schemas: Arc::new(Schemas::of(directory.schema())),
            cursor_key: directory.random_bytes(),
            metrics: Arc::default(),
            settings,
            directory,
        }
    }
}

/// The routes of the door, at `/scim/v2` and `/scim/v2/{tenant}`.
pub fn router(door: Door) -> Router {
    let Door { directory, schemas, settings, cursor_key, metrics } = door;
    let binding = Binding::of(directory.schema());
    let rates = Rates::new(&settings);
    let usual = Usual::of_schemas(&schemas);
    let strict_schemas = Arc::new(call::strict(&schemas));
    let shared = Arc::new(Shared {
        directory,
        schemas,
        strict_schemas,
        settings,
        cursor_key,
        metrics,
        binding,
        rates,
        census: Census::default(),
        usual,
    });
    let all = format!("{BASE}/{{*rest}}");
    let root = format!("{BASE}/");
    Router::new().route(BASE, any(serve)).route(&root, any(serve)).route(&all, any(serve)).with_state(shared)
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let is_head = request.method() == Method::HEAD;
    let mut extra = HeaderMap::new();
    let reply = match answer(&shared, request, &mut extra).await {
        Ok(reply) => reply,
        Err(error) => {
            if let Some(seconds) = error.retry_after {
                extra.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Reply::json(error.status, &error.body())
        }
    };
    shared.metrics.answered(reply.status);
    respond(reply, extra, is_head)
}

/// The answer, and the headers that go with it whatever it is.
async fn answer(shared: &Arc<Shared>, request: Request<Body>, extra: &mut HeaderMap) -> Result<Reply, ScimError> {
    let (parts, body) = request.into_parts();
    let route = Route::of(parts.uri.path()).ok_or_else(|| ScimError::new(404, "there is no such endpoint"))?;
    let method = parts.method.as_str();
    shared.metrics.requested(route.endpoint.counted(), method);
    if !route.endpoint.methods().contains(&method) {
        let allow = route.endpoint.methods().join(", ");
        extra.extend(HeaderValue::from_str(&allow).ok().map(|allow| (header::ALLOW, allow)));
        return Err(ScimError::new(405, format!("{method} is not for this endpoint: {allow}")));
    }
    let query = Query::of(parts.uri.query()).ok_or_else(|| ScimError::new(414, "the query cannot be read"))?;
    let peer = parts.extensions.get::<Peer>().cloned().unwrap_or_else(Peer::local);
    if !peer.confidential && parts.headers.contains_key(header::AUTHORIZATION) {
        // It has been exposed; whether it is good is not said in the clear as well.
        shared.metrics.unauthorized();
        return Err(ScimError::new(403, "a token is not taken in the clear: HTTPS is needed"));
    }
    let now = shared.directory.now();
    let live = match auth::token(&shared.directory, &parts.headers, &now)? {
        Ok(live) => live,
        Err(Unauthorized::Missing) if route.endpoint.is_discovery() && shared.settings.open_discovery => {
            accepts(&parts.headers)?;
            let base = base_url(&peer, route.tenant.as_deref());
            return endpoint::discovery::answer(shared, &route.endpoint, &query, &base, &dialect::of(""));
        }
        Err(unauthorized) => {
            shared.metrics.unauthorized();
            extra.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(unauthorized.challenge()));
            return Err(unauthorized.error());
        }
    };
    if let Some(allowance) = shared.rates.take(live.token.id) {
        rate_headers(&allowance, extra);
        if let Some(seconds) = allowance.wait {
            shared.metrics.limited();
            return Err(ScimError::too_many_requests(seconds));
        }
    }
    accepts(&parts.headers)?;
    let named = if live.token.scope.dialect.is_empty() { &shared.settings.dialect } else { &live.token.scope.dialect };
    let spoken = dialect::of(named);
    let base = base_url(&peer, route.tenant.as_deref());
    if route.endpoint.is_discovery() {
        return endpoint::discovery::answer(shared, &route.endpoint, &query, &base, &spoken);
    }
    let request_id = if peer.number == 0 { shared.directory.next_request_id() } else { peer.number };
    if request_id.is_multiple_of(REST) {
        shared.rates.forget_rested();
    }
    let body = match method {
        "POST" | "PUT" | "PATCH" => Some(read(shared, &route.endpoint, &parts.headers, body).await?),
        _ => None,
    };
    let call = Call {
        shared: Arc::clone(shared),
        live: Arc::new(live),
        dialect: Arc::new(spoken),
        peer,
        request_id,
        tenant: route.tenant.as_deref().map(Arc::from),
        dry_run: prefers_dry_run(&parts.headers),
        headers: Arc::new(parts.headers),
        query: Arc::new(query),
        base_url: base,
        outline: false,
    };
    endpoint::answer(&call, &parts.method, route.endpoint, body).await
}

/// `RateLimit-*` as the drafts of the IETF have had them, and with `X-` as older clients read them.
fn rate_headers(allowance: &Allowance, extra: &mut HeaderMap) {
    let rows = [
        ("ratelimit-limit", "x-ratelimit-limit", allowance.limit),
        ("ratelimit-remaining", "x-ratelimit-remaining", allowance.remaining),
        ("ratelimit-reset", "x-ratelimit-reset", allowance.reset),
    ];
    for (name, older, value) in rows {
        extra.insert(HeaderName::from_static(name), HeaderValue::from(value));
        extra.insert(HeaderName::from_static(older), HeaderValue::from(value));
    }
}

/// Whether the client takes JSON; one that says nothing takes anything.
fn accepts(headers: &HeaderMap) -> Result<(), ScimError> {
    let mut said = false;
    for value in headers.get_all(header::ACCEPT) {
        let Ok(value) = value.to_str() else { continue };
        for range in value.split(',') {
            let (kind, parameters) = range.split_once(';').unwrap_or((range, ""));
            let kind = kind.trim().to_ascii_lowercase();
            if kind.is_empty() {
                continue;
            }
            said = true;
            let refused = parameters.split(';').any(|p| matches!(p.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            let takes = matches!(kind.as_str(), "*/*" | "application/*" | SCIM_JSON | "application/json");
            if takes && !refused {
                return Ok(());
            }
        }
    }
    if said { Err(ScimError::new(406, format!("answers are {SCIM_JSON}"))) } else { Ok(()) }
}

/// The body as JSON.
async fn read(shared: &Shared, endpoint: &Endpoint, headers: &HeaderMap, body: Body) -> Result<Value, ScimError> {
    let most = if *endpoint == Endpoint::Bulk { shared.settings.max_bulk_body } else { shared.settings.max_body };
    let coded = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if coded {
        return Err(ScimError::new(415, "bodies are not taken compressed"));
    }
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or("?"));
    let essence = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    if !matches!(essence.as_deref(), Some(SCIM_JSON | "application/json")) {
        return Err(ScimError::new(415, format!("bodies are {SCIM_JSON} or application/json")));
    }
    let told = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let too_long = || ScimError::new(413, format!("a body has at most {most} octets"));
    if told.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > most)) {
        return Err(too_long());
    }
    let octets = to_bytes(body, most).await.map_err(|error| {
        let is_length =
            std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("length limit"));
        if is_length || error.to_string().contains("length limit") {
            too_long()
        } else {
            ScimError::invalid_syntax("the body ended before its time")
        }
    })?;
    json::read(&octets, &Bounds { body: most, ..Bounds::default() })
}

/// RFC 7240: `Prefer: handling=dry-run`.
fn prefers_dry_run(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split([',', ';'])).any(|preference| {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        name.trim().eq_ignore_ascii_case("handling") && value.trim().trim_matches('"').eq_ignore_ascii_case("dry-run")
    })
}

fn respond(reply: Reply, extra: HeaderMap, is_head: bool) -> Response<Body> {
    let length = reply.body.as_ref().map_or(0, Vec::len);
    let has_body = reply.body.is_some();
    let body = match reply.body {
        Some(body) if !is_head => Body::from(body),
        _ => Body::empty(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.extend(extra);
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.media.unwrap_or(SCIM_JSON)));
        if is_head {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut put = |name: HeaderName, value: Option<&str>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    };
    put(header::ETAG, reply.version.as_deref());
    put(header::LOCATION, reply.location.as_deref());
    put(HeaderName::from_static("preference-applied"), reply.applied);
    response
}

//! Answers that the listener gives itself, and what it adds to those of the doors.

use super::settings::Settings;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use peer::Peer;
use std::sync::Arc;

/// The number of a request, in both directions.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An answer without a door's help, in the words of the door that was asked for.
pub(super) fn refuse(door: Door, status: StatusCode, detail: &str, retry_after: Option<u32>) -> Response<Body> {
    let (media_type, body) = match door {
        Door::Scim => {
            let error = scim::protocol::error::ScimError::new(status.as_u16(), detail);
            ("application/scim+json", error.body())
        }
        // RFC 9457.
        Door::None => (
            "application/problem+json",
            serde_json::json!({
                "title": status.canonical_reason().unwrap_or_default(),
                "status": status.as_u16(),
                "detail": detail,
            }),
        ),
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE"));
    }
    response
}

/// Whose words are spoken below a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// `/scim`.
    Scim,
    /// No door at all.
    None,
}

impl Door {
    pub(super) const ALL: [Self; 2] = [Self::Scim, Self::None];

    pub(super) fn of(path: &str) -> Self {
        match path.strip_prefix(super::SCIM) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Self::Scim,
            _ => Self::None,
        }
    }

    /// The label in the numbers and the log.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Scim => "scim",
            Self::None => "none",
        }
    }
}

/// Headers that every answer has, where its door has not said otherwise: no sniffing, no cache, no frame, no script.
pub(super) fn common(headers: &mut HeaderMap, peer: &Peer, strict_transport: Option<&HeaderValue>) {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    // With the two below.
    headers.reserve(fixed.len().saturating_add(2));
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if peer.confidential
        && let Some(value) = strict_transport
    {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value.clone());
    }
    if let Ok(id) = HeaderValue::try_from(peer.request_id.as_ref()) {
        headers.insert(REQUEST_ID, id);
    }
}

/// The name of a request: a trusted proxy's own if it is one, else our number in hexadecimal, 16 digits.
pub(super) fn request_id(headers: &HeaderMap, proxied: bool, number: u64) -> Arc<str> {
    let given = headers.get(REQUEST_ID).filter(|_| proxied).and_then(|value| value.to_str().ok());
    let fits = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|o| o.is_ascii_alphanumeric() || matches!(o, b'-' | b'_' | b'.'))
    };
    if let Some(id) = given.filter(fits) {
        return id.into();
    }
    format!("{number:016x}").into()
}

/// What links begin with, by the configuration; none when it leaves that to the client.
pub(super) fn public_url(settings: &Settings) -> Option<&str> {
    Some(settings.http.public_url.as_str()).filter(|url| !url.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a request's name is its number, all of it; a proxy's name counts when the proxy is trusted and the name is one.
    #[test]
    fn requests_have_names() {
        let mut headers = HeaderMap::new();
        for number in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            assert_eq!(*request_id(&headers, true, number), format!("{number:016x}"));
        }
        headers.insert(REQUEST_ID, HeaderValue::from_static("edge-7.a_b"));
        assert_eq!(*request_id(&headers, true, 1), *"edge-7.a_b");
        assert_eq!(*request_id(&headers, false, 1), *"0000000000000001");
        headers.insert(REQUEST_ID, HeaderValue::from_static("a b"));
        assert_eq!(*request_id(&headers, true, 1), *"0000000000000001");
    }
}

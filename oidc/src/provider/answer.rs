//! Answers of the endpoints that programs ask: JSON, errors, and the headers that go with them.

use super::error::{Code, Wrong};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Value, json};

/// A JSON answer that nobody may keep (RFC 6749 §5.1).
pub(super) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    // A value without maps of its own making cannot fail.
    octets(status, Body::from(serde_json::to_vec(value).unwrap_or_default()))
}

fn octets(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = kept(body, "no-store");
    *response.status_mut() = status;
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// A document that may be kept as `control` says: metadata, keys.
pub(super) fn document(text: Bytes, control: &'static str) -> Response<Body> {
    kept(Body::from(text), control)
}

fn kept(body: Body, control: &'static str) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    // Room for those that the listener adds.
    headers.reserve(12);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
    response
}

/// An empty answer.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The refusal of a request to the token endpoint and its kin (RFC 6749 §5.2).
pub(super) fn refuse(wrong: Wrong, by_header: bool) -> Response<Body> {
    let status = match wrong.code {
        Code::InvalidClient => StatusCode::UNAUTHORIZED,
        Code::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        Code::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = json(status, &json!({"error": wrong.code.name(), "error_description": wrong.why}));
    if status == StatusCode::UNAUTHORIZED && by_header {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"rollbook\""));
    }
    response
}

/// The refusal of a request with an access token (RFC 6750 §3); without a code: there was no token at all.
pub(super) fn challenge(status: StatusCode, wrong: Option<Wrong>) -> Response<Body> {
    let mut text = "Bearer realm=\"rollbook\"".to_owned();
    let mut response = match wrong {
        None => empty(status),
        Some(wrong) => {
            // Both are sentences of ours, without a quote in them.
            text.push_str(&format!(", error=\"{}\", error_description=\"{}\"", wrong.code.name(), wrong.why));
            json(status, &json!({"error": wrong.code.name(), "error_description": wrong.why}))
        }
    };
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// Lets pages of any origin read an answer (requirement 67): only where what is asked proves itself by a token or secret in
/// the request. Cookies are neither asked for nor looked at there, and never allowed.
pub(super) fn any_origin(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("WWW-Authenticate, X-Request-Id"));
    response
}

/// The answer to the question whether a page may ask (Fetch §4.8).
pub(super) fn preflight(methods: &'static str) -> Response<Body> {
    let mut response = any_origin(empty(StatusCode::NO_CONTENT));
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}

/// Sends the browser on, with GET whatever it came with (requirement 57).
pub(super) fn see_other(place: &str) -> Response<Body> {
    let mut response = empty(StatusCode::SEE_OTHER);
    match HeaderValue::try_from(place) {
        Ok(place) => _ = response.headers_mut().insert(header::LOCATION, place),
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    response
}

/// An address with more parameters in its query.
pub(super) fn with_parameters(address: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let query = query.finish();
    let joint = match address.rsplit_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{address}{joint}{query}")
}

/// Whether the body of a request is a form.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// What only GET and HEAD, or only POST, is answered by.
pub(super) fn wrong_method(allowed: &'static str) -> Response<Body> {
    let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Whether a request only reads.
pub(super) fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: parameters are added to an address without touching what it has.
    #[test]
    fn addresses_keep_what_they_have() {
        let add = |address| with_parameters(address, &[("a", "1 &"), ("b", "ü")]);
        assert_eq!(add("https://x/cb"), "https://x/cb?a=1+%26&b=%C3%BC");
        assert_eq!(add("https://x/cb?y=2"), "https://x/cb?y=2&a=1+%26&b=%C3%BC");
        assert_eq!(add("https://x/cb?"), "https://x/cb?a=1+%26&b=%C3%BC");
    }
}

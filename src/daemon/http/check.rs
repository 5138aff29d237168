//! What a request's head must be before any door sees it: one host, one framing, one reading of its path.
//!
//! The parsers below are lenient where two readers could differ; the differences are what smuggling and path confusion
//! live on (RFC 9112 §11, RFC 9110 §17). What is refused here is refused for every door alike.

use super::scan::Head;
use axum::http::{HeaderMap, Method, Request, StatusCode, Version, header};

/// Why a request is not looked at further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) detail: &'static str,
}

const fn bad(detail: &'static str) -> Refusal {
    Refusal { status: StatusCode::BAD_REQUEST, detail }
}

/// Whether the head is one that every reader understands alike; `host` is what [`host`] says of it.
///
/// # Errors
/// What is wrong with it.
pub(super) fn head<B>(
    request: &Request<B>,
    seen: Head,
    host: Result<Option<&str>, Refusal>,
    most: u64,
) -> Result<(), Refusal> {
    framing(request, seen)?;
    if matches!(*request.method(), Method::TRACE | Method::CONNECT) {
        return Err(Refusal { status: StatusCode::METHOD_NOT_ALLOWED, detail: "this method is not spoken here" });
    }
    host?;
    path(request.uri().path())?;
    if request.uri().query().is_some_and(|query| contains(query.as_bytes(), b"%00")) {
        return Err(bad("the query has a null octet"));
    }
    body(request.headers(), most)
}

fn framing<B>(request: &Request<B>, seen: Head) -> Result<(), Refusal> {
    let headers = request.headers();
    if request.version() == Version::HTTP_2 {
        return Ok(());
    }
    if !matches!(request.version(), Version::HTTP_11 | Version::HTTP_10) {
        let status = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
        return Err(Refusal { status, detail: "this version of HTTP is not spoken here" });
    }
    if seen.bare_line_feed {
        return Err(bad("a line ends without a carriage return"));
    }
    if headers.contains_key(header::TRANSFER_ENCODING) {
        if seen.length {
            return Err(bad("both Content-Length and Transfer-Encoding"));
        }
        let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
        let chunked = codings.next().is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
        if !chunked || codings.next().is_some() {
            return Err(Refusal { status: StatusCode::NOT_IMPLEMENTED, detail: "no transfer coding but chunked" });
        }
    }
    if headers.contains_key(header::UPGRADE) && headers.contains_key("http2-settings") {
        return Err(bad("HTTP/2 is negotiated by TLS only"));
    }
    Ok(())
}

/// Whether the connection must not be used again: a request in chunks whose head was not seen whole may have had a length
/// as well, and another reader may see its end elsewhere (RFC 9112 §6.1).
pub(super) fn is_last<B>(request: &Request<B>, seen: Head) -> bool {
    seen.missed && request.version() != Version::HTTP_2 && request.headers().contains_key(header::TRANSFER_ENCODING)
}

/// The one host that is asked for, with its port if it names one; HTTP/1.0 need not name one (RFC 9112 §3.2, RFC 9113 §8.3.1).
///
/// # Errors
/// No host, more than one, or something else in its place.
pub(super) fn host<B>(request: &Request<B>) -> Result<Option<&str>, Refusal> {
    let mut given = request.headers().get_all(header::HOST).iter();
    let named = given.next();
    if given.next().is_some() {
        return Err(bad("more than one Host"));
    }
    let named = match named {
        None => None,
        Some(value) => Some(authority(value.as_bytes())?),
    };
    if let Some(scheme) = request.uri().scheme_str()
        && !matches!(scheme, "http" | "https")
    {
        return Err(bad("the scheme is neither http nor https"));
    }
    let asked = match request.uri().authority() {
        None => None,
        Some(asked) => Some(authority(asked.as_str().as_bytes())?),
    };
    match (asked, named) {
        // In HTTP/1.1 the absolute form wins (RFC 9112 §3.2.2); where both are sent, a difference is an attack or a defect.
        (Some(asked), Some(named)) if !asked.eq_ignore_ascii_case(named) => Err(bad("Host differs from the target")),
        (Some(asked), _) => Ok(Some(asked)),
        (None, Some(named)) => Ok(Some(named)),
        (None, None) if request.version() == Version::HTTP_10 => Ok(None),
        (None, None) => Err(bad("no Host")),
    }
}

/// A name, an IPv4 address or an IPv6 address in brackets, perhaps with a port (RFC 3986 §3.2); no user, nothing encoded.
fn authority(octets: &[u8]) -> Result<&str, Refusal> {
    const WRONG: Refusal = bad("the host is none");
    let text = std::str::from_utf8(octets).map_err(|_| WRONG)?;
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address.parse::<std::net::Ipv6Addr>().is_ok(), rest),
        None => {
            let end = text.find(':').unwrap_or(text.len());
            let (host, rest) = text.split_at(end);
            let letters = host.bytes().all(|o| o.is_ascii_alphanumeric() || matches!(o, b'-' | b'.' | b'_'));
            (letters && !host.is_empty(), rest)
        }
    };
    let digits = |port: &str| port.bytes().all(|o| o.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let port = port.is_empty() || port.strip_prefix(':').is_some_and(digits);
    if host && port { Ok(text) } else { Err(WRONG) }
}

/// What no door has an address like.
const NOWHERE: Refusal = Refusal { status: StatusCode::NOT_FOUND, detail: "there is nothing at an address like this" };

/// A path whose parts are what they seem: no encoded slash, backslash or null, no dot segment, nothing badly encoded.
fn path(path: &str) -> Result<(), Refusal> {
    if path == "*" {
        return Ok(());
    }
    if !path.starts_with('/') {
        return Err(bad("the target is no path"));
    }
    let mut octets = path.as_bytes();
    while let Some((octet, rest)) = octets.split_first() {
        octets = rest;
        match octet {
            b'%' => {
                let Some(octet) = decode(rest) else { return Err(bad("the path is badly encoded")) };
                if matches!(octet, b'/' | b'\\' | 0) {
                    return Err(NOWHERE);
                }
                octets = rest.get(2..).unwrap_or_default();
            }
            b'\\' => return Err(NOWHERE),
            0..=0x20 | 0x7f.. => return Err(bad("the path has an octet that must be encoded")),
            _ => {}
        }
    }
    if path.split('/').any(is_dots) { Err(NOWHERE) } else { Ok(()) }
}

fn decode(after: &[u8]) -> Option<u8> {
    let digit = |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match after {
        [high, low, ..] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    }
}

fn is_dots(segment: &str) -> bool {
    after_dot(segment).is_some_and(|rest| rest.is_empty() || after_dot(rest) == Some(""))
}

fn after_dot(text: &str) -> Option<&str> {
    [".", "%2e", "%2E"].iter().find_map(|dot| text.strip_prefix(dot))
}

fn body(headers: &HeaderMap, most: u64) -> Result<(), Refusal> {
    let coding = headers.get_all(header::CONTENT_ENCODING).iter();
    if coding.into_iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Refusal { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, detail: "no content coding is understood" });
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > most) {
        return Err(Refusal { status: StatusCode::PAYLOAD_TOO_LARGE, detail: "the body is too large" });
    }
    Ok(())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// What links begin with when nothing is configured: the address that the client used.
pub(super) fn base_url(host: Option<&str>, confidential: bool) -> String {
    let scheme = if confidential { "https://" } else { "http://" };
    let mut url = String::with_capacity(scheme.len().saturating_add(host.map_or(16, str::len)));
    url.push_str(scheme);
    url.push_str(host.unwrap_or("localhost"));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a host is a name or an address, with a port or without; nothing else passes for one.
    #[test]
    fn hosts_are_known() {
        for good in ["a", "a.example", "A_b-c.example:1", "192.0.2.1:65535", "[::1]", "[2001:db8::1]:8443"] {
            assert_eq!(authority(good.as_bytes()), Ok(good));
        }
        let bad = [
            "",
            ":80",
            "a:",
            "a:65536",
            "a:+80",
            "a:8 0",
            "a:80:80",
            "me@a",
            "me:x@a:80",
            "a/b",
            "a?b",
            "a b",
            "a%41",
            "a\\b",
            "[::1",
            "[]",
            "[a]",
            "[::1]80",
            "[::1]:",
            "[::1%25lo]",
            "::1",
            "ü.example",
            "a,b",
        ];
        for bad in bad {
            assert!(authority(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(authority(b"a\xff").is_err());
    }

    /// Goal: a dot segment is found however its dots are written, and nothing else is taken for one.
    #[test]
    fn dots_are_known() {
        for dots in [".", "..", "%2e", "%2E", ".%2e", "%2E.", "%2e%2E"] {
            assert!(is_dots(dots), "{dots}");
        }
        for name in ["", "...", ".a", "a.", "..a", "%2e%2e%2e", "%2f", ".%2f", ".well-known"] {
            assert!(!is_dots(name), "{name}");
        }
    }

    /// Goal: links begin with the host that was asked for.
    #[test]
    fn links_begin_with_the_host() {
        assert_eq!(base_url(Some("a.example:8443"), true), "https://a.example:8443");
        assert_eq!(base_url(None, false), "http://localhost");
    }
}

//! Forms that were sent: read, bounded, and taken only from pages of ours in the browser that got them.
//!
//! ```text
//! POST ─▶ same origin? (Sec-Fetch-Site, else Origin) ─▶ form? small enough? ─▶ token of this path and this browser? ─▶ fields
//! ```
//!
//! Owns the token against forged requests: a mark over the form's path and the browser's cookie, so that a token of one form
//! or one browser is none of another. Holds for the sign-in itself too: nobody signs somebody else in (login CSRF).

use crate::Web;
use crate::cookie;
use crate::page::problem;
use crate::visit::Visit;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use directory::credential::Secret;
use peer::Peer;
use std::borrow::Cow;
use subtle::ConstantTimeEq;

/// Octets of a form.
const LARGEST: usize = 64 * 1024;
/// Fields of a form.
const MOST: usize = 64;
/// The purpose of the token.
const PURPOSE: &str = "form";
/// The field that holds it.
pub(crate) const TOKEN: &str = "token";

/// The fields of a form.
#[derive(Default)]
pub struct Fields(Vec<(String, Secret)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`.
    pub fn parse(octets: &[u8]) -> Fields {
        let pairs = form_urlencoded::parse(octets).take(MOST);
        Fields(pairs.map(|(name, value)| (name.into_owned(), Secret::new(value.into_owned().into_bytes()))).collect())
    }

    fn value(&self, name: &str) -> Option<&Secret> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// A field's first value, empty when it is not there.
    pub fn text(&self, name: &str) -> Cow<'_, str> {
        self.value(name).map_or(Cow::Borrowed(""), |value| String::from_utf8_lossy(value.expose()))
    }

    /// The same as a secret, wiped when it goes.
    pub fn secret(&self, name: &str) -> Secret {
        self.value(name).cloned().unwrap_or_else(|| Secret::new(Vec::new()))
    }

    /// Whether the field is there at all, as a ticked box is.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }
}

/// A form that came from one of our pages, and the visit that it is part of.
pub struct Posted {
    /// Who sent it.
    pub visit: Visit,
    /// What it says.
    pub fields: Fields,
}

impl Web {
    /// Takes a form.
    ///
    /// # Errors
    /// The page that says why not.
    pub async fn posted(&self, request: Request<Body>) -> Result<Posted, Response<Body>> {
        let (parts, body) = request.into_parts();
        let mut visit = self.visit(&parts);
        if !own_origin(&parts.headers, &self.origin(&visit.peer)) {
            visit.tell("form", None, Err("it comes from another site"));
            return Err(problem(&visit, StatusCode::FORBIDDEN, |t| (&t.foreign_title, &t.foreign, &t.foreign_next)));
        }
        let media_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let media_type = media_type.split(';').next().unwrap_or("").trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(problem(&visit, status, |t| (&t.method_title, &t.method, &t.missing_next)));
        }
        let Ok(octets) = to_bytes(body, LARGEST).await else {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(problem(&visit, status, |t| (&t.large_title, &t.large, &t.missing_next)));
        };
        let fields = Fields::parse(&octets);
        visit.parameter = fields.text("r").into_owned();
        let known = cookie::read(&parts.headers, cookie::FORM).is_some();
        let expected = visit.token(parts.uri.path());
        let given = fields.secret(TOKEN);
        if !known || !bool::from(given.expose().ct_eq(expected.as_bytes())) {
            visit.tell("form", None, Err("it is not one that this server gave to this browser"));
            return Err(problem(&visit, StatusCode::FORBIDDEN, |t| (&t.stale_title, &t.stale, &t.stale_next)));
        }
        Ok(Posted { visit, fields })
    }

    /// This server's origin as browsers know it.
    pub fn origin(&self, peer: &Peer) -> String {
        let url = self.settings().public_url.as_deref().unwrap_or(&peer.base_url);
        // Without a path, if it has one.
        let authority = url.find("://").map_or(0, |at| at.saturating_add(3));
        let end =
            url.get(authority..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| authority.saturating_add(at));
        url.get(..end).unwrap_or(url).to_ascii_lowercase()
    }
}

impl Visit {
    /// The token for a form that is sent to this path; a query says nothing.
    pub fn token(&self, path: &str) -> String {
        let path = path.split('?').next().unwrap_or_default();
        self.web.sealer().mark(PURPOSE, &[path, &self.browser])
    }
}

/// Whether a page of ours sent this. `Sec-Fetch-Site` says so in every browser of these years; an older one says `Origin`, or
/// `null` there, which `Referrer-Policy: no-referrer` makes of it (Fetch §3.2): then the token alone decides.
fn own_origin(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    match text(header::ORIGIN) {
        None | Some("null") => true,
        Some(given) => given.eq_ignore_ascii_case(origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// Goal: what another site sends is known by either header; a browser that says neither is left to the token.
    #[test]
    fn origins() {
        let check = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)));
            own_origin(&headers.collect(), "https://id.example.com")
        };
        assert!(check(&[]));
        assert!(check(&[("origin", "null")]));
        assert!(check(&[("origin", "https://ID.example.com")]));
        assert!(check(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(!check(&[("origin", "https://id.example.com.evil.example")]));
        assert!(!check(&[("origin", "http://id.example.com")]));
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(!check(&[("sec-fetch-site", site), ("origin", "https://id.example.com")]), "{site}");
        }
    }

    /// Goal: a form's fields are read as browsers write them, the first of a name counts, and there is a bound.
    #[test]
    fn fields() {
        let fields = Fields::parse(b"username=am%C3%A9lie&password=a+b%26&username=other&stored=");
        assert_eq!(fields.text("username"), "am\u{e9}lie");
        assert_eq!(fields.secret("password").expose(), b"a b&");
        assert!(fields.has("stored") && !fields.has("r"));
        assert_eq!(Fields::parse("a=1&".repeat(1_000).as_bytes()).0.len(), MOST);
    }
}

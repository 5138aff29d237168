//! What the pages load: style, script, icon, and the themes' own. Each address holds the hash of its content.
//!
//! Owns the addresses and the answers, which a browser may keep for ever. Nothing is loaded from anywhere else.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use std::collections::BTreeMap;

/// Octets of the hash that an address holds.
const HASH: usize = 8;

/// One file.
#[derive(Debug, Clone)]
struct Asset {
    media_type: &'static str,
    content: Bytes,
}

/// All files, by path.
#[derive(Debug, Default)]
pub(crate) struct Assets {
    files: BTreeMap<String, Asset>,
}

impl Assets {
    /// Takes a file and says where it is.
    pub(crate) fn add(&mut self, name: &str, media_type: &'static str, content: impl Into<Bytes>) -> String {
        let content = content.into();
        let hash: String =
            digest(&SHA256, &content).as_ref().iter().take(HASH).map(|octet| format!("{octet:02x}")).collect();
        let path = format!("/assets/{hash}/{name}");
        self.files.insert(path.clone(), Asset { media_type, content });
        path
    }

    /// The answer for a path; none when there is no such file.
    pub(crate) fn answer(&self, path: &str) -> Option<Response<Body>> {
        let asset = self.files.get(path)?;
        let mut response = Response::new(Body::from(asset.content.clone()));
        *response.status_mut() = StatusCode::OK;
        let fixed = [
            (header::CONTENT_TYPE, asset.media_type),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // A picture that is opened by itself is a document: it runs nothing either.
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
            (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        ];
        for (name, value) in fixed {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Some(response)
    }
}

const CROSS_ORIGIN_RESOURCE_POLICY: header::HeaderName =
    header::HeaderName::from_static("cross-origin-resource-policy");

/// The style of all pages, the language "ledger".
pub(crate) const STYLE: &str = include_str!("../assets/ledger.css");
/// The script of all pages, which none needs.
pub(crate) const SCRIPT: &str = include_str!("../assets/rollbook.js");
/// The icon.
pub(crate) const ICON: &str = include_str!("../assets/icon.svg");

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the page's budget holds: style up to 24 KiB, script up to 12 KiB.
    #[test]
    fn sizes() {
        assert!(STYLE.len() <= 24 * 1024, "{}", STYLE.len());
        assert!(SCRIPT.len() <= 12 * 1024, "{}", SCRIPT.len());
    }

    /// Goal: another content has another address, and only known addresses are answered.
    #[test]
    fn addresses() {
        let mut assets = Assets::default();
        let one = assets.add("a.css", "text/css", "a{}");
        let two = assets.add("a.css", "text/css", "b{}");
        assert_ne!(one, two);
        assert!(assets.answer(&one).is_some());
        assert!(assets.answer("/assets/0000000000000000/a.css").is_none());
    }
}

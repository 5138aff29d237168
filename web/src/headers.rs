//! The headers of every page.
//!
//! Owns the content security policy, word for word. A page inside an authorization request has no `form-action`: browsers apply
//! it to the whole chain of redirects, and the chain ends at the application.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Which content security policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Forms go to this server, and so does where they lead.
    Own,
    /// The answer to a form may lead to an application.
    Authorization,
}

impl Policy {
    fn text(self) -> &'static str {
        match self {
            Policy::Own => {
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types rollbook"
            }
            Policy::Authorization => {
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types rollbook"
            }
        }
    }
}

/// Sets the headers of a page.
pub(crate) fn set(headers: &mut HeaderMap, policy: Policy, language: &'static str) {
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy.text()),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Cookie, Accept-Language"),
        (header::CONTENT_LANGUAGE, language),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// HTML §7.1.3: no page that opened this one can reach into it.
pub(crate) const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

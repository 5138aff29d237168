//! For whom a trusted proxy asks: `X-Forwarded-For` with `X-Forwarded-Proto`, or `Forwarded` (RFC 7239).
//!
//! Only the header that the configuration names is read, and only from a proxy that it names; each hop that the header
//! adds is believed only when the hop behind it is trusted. So the client is the rightmost hop that is not trusted; what
//! stands left of it was written by the client. A hop that cannot be read ends the walk at the last one that could.

use super::link::{Link, Way};
use super::settings::Settings;
use crate::config::listen::ForwardedHeader;
use axum::http::{HeaderMap, HeaderName, header};
use std::net::{IpAddr, SocketAddr};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Hops that are looked at; no chain of proxies is that long.
const HOPS: usize = 32;

/// Who asks, through proxies or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) address: IpAddr,
    /// Whether the client spoke TLS, to here or to the proxy.
    pub(super) confidential: bool,
    /// Whether a trusted proxy hands the request on.
    pub(super) proxied: bool,
}

/// Who asks.
pub(super) fn origin(link: &Link, headers: &HeaderMap, settings: &Settings) -> Origin {
    let trusted = |address: IpAddr| settings.trusted_proxies.iter().any(|network| network.contains(address));
    let direct = Origin { address: link.address, confidential: link.way == Way::Tls, proxied: false };
    // A Unix socket is open to those alone who were given it.
    if link.way != Way::Local && !trusted(link.address) {
        return direct;
    }
    let (mut address, mut encrypted) = (link.address, None);
    for hop in hops(headers, settings.forwarded_header) {
        // What the nearest proxy says of its own client's connection decides, if it says anything.
        encrypted = encrypted.or(hop.encrypted);
        let Some(next) = hop.address else { break };
        address = next;
        if !trusted(next) {
            break;
        }
    }
    // In TLS up to here, the proxy vouches for what is before it; it need not say so.
    let confidential = encrypted.unwrap_or(link.way == Way::Tls);
    Origin { address, confidential, proxied: true }
}

struct Hop {
    /// None when it is unknown, hidden or cannot be read.
    address: Option<IpAddr>,
    encrypted: Option<bool>,
}

/// The hops that a header tells of, the nearest first.
fn hops(headers: &HeaderMap, which: ForwardedHeader) -> Vec<Hop> {
    match which {
        ForwardedHeader::XForwardedFor => {
            let scheme = headers.get_all(PROTO).iter().next_back().and_then(|value| value.to_str().ok());
            let mut encrypted = scheme.and_then(|list| list.rsplit(',').next()).map(is_https);
            let hop = |text| Hop { address: node(text), encrypted: encrypted.take() };
            let mut all: Vec<Hop> = elements(headers, &FOR).map(hop).collect();
            if all.is_empty() {
                all.push(Hop { address: None, encrypted: scheme.map(is_https) });
            }
            all
        }
        ForwardedHeader::Forwarded => elements(headers, &header::FORWARDED).map(forwarded).collect(),
    }
}

/// The items of a list, over all lines of a header, the last one first. A quoted comma parts nothing.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let mut all = Vec::new();
    for value in headers.get_all(name) {
        // What is no text hides whatever stands left of it.
        let Ok(text) = value.to_str() else {
            all.push("");
            continue;
        };
        all.extend(parts(text, ','));
    }
    all.into_iter().rev().take(HOPS)
}

fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |letter: char| {
        if escaped {
            escaped = false;
            return false;
        }
        match letter {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return letter == separator && !quoted,
        }
        false
    })
    .map(|part| part.trim_matches([' ', '\t']))
}

/// One element of `Forwarded`: pairs with semicolons between them.
fn forwarded(element: &str) -> Hop {
    let mut hop = Hop { address: None, encrypted: None };
    for (name, value) in parts(element, ';').filter_map(|pair| pair.split_once('=')) {
        let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
        if name.eq_ignore_ascii_case("for") {
            hop.address = node(value);
        } else if name.eq_ignore_ascii_case("proto") {
            hop.encrypted = Some(is_https(value));
        }
    }
    hop
}

fn is_https(scheme: &str) -> bool {
    scheme.trim().eq_ignore_ascii_case("https")
}

/// An address, perhaps with a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

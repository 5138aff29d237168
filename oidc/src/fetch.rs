//! Requests to other servers: relying parties that are told of a sign-out, upstream providers.
//!
//! Owns the guard against being used as a messenger into the own network (hostile row E9): only `https`, every address that
//! a name resolves to is looked at before it is connected to, redirects are not followed, time and length are bounded.

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A whole exchange may take so long.
pub const TIME: Duration = Duration::from_secs(5);
/// Octets of an answer's body.
pub const MOST: usize = 1024 * 1024;

/// Why there is no answer. For the log; nothing that the other side sent is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The address is none, or not one of `https`.
    #[error("the address is not an https URL without user and fragment")]
    Address,
    /// The name leads to no address that may be asked.
    #[error("the name leads to no address that may be asked")]
    Forbidden,
    /// Connecting, TLS or HTTP failed.
    #[error("the connection failed: {0}")]
    Connection(String),
    /// It took too long.
    #[error("no answer in time")]
    Time,
    /// The answer is too long.
    #[error("the answer is too long")]
    Length,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status; a redirect is an answer like any other.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// A network that may be asked although it is not public: an address and the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// An address in it.
    pub address: IpAddr,
    /// Bits that all its addresses share.
    pub prefix: u8,
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        let bits = |address: IpAddr| match address {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let ((own, width), (other, other_width)) = (bits(self.address), bits(address));
        let shift = 128_u32.saturating_sub(u32::from(self.prefix));
        let differs = (own ^ other).checked_shr(shift).unwrap_or(0);
        width == other_width && differs == 0
    }
}

/// Asks other servers.
#[derive(Clone)]
pub struct Fetcher {
    tls: TlsConnector,
    allowed: Arc<[Network]>,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

impl Fetcher {
    /// Trusts these certificates, and may ask public addresses and these networks.
    pub fn new(tls: Arc<rustls::ClientConfig>, allowed: Vec<Network>) -> Fetcher {
        Fetcher { tls: TlsConnector::from(tls), allowed: allowed.into() }
    }

    /// One request and its answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        tokio::time::timeout(TIME, self.exchange(method, url, headers, body)).await.unwrap_or(Err(Failure::Time))
    }

    /// The document at an address.
    ///
    /// # Errors
    /// As [`Fetcher::send`].
    pub async fn get(&self, url: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, url, &[], Vec::new()).await
    }

    /// Posts a form.
    ///
    /// # Errors
    /// As [`Fetcher::send`].
    pub async fn post_form(&self, url: &str, form: &[(&str, &str)]) -> Result<Answer, Failure> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        self.send(Method::POST, url, &[(CONTENT_TYPE, kind)], body.into_bytes()).await
    }

    async fn exchange(
        &self,
        method: Method,
        url: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let Place { host, port, authority, path } = place(url)?;
        let name = ServerName::try_from(host.clone()).map_err(|_| Failure::Address)?;
        let failed = |e: &dyn std::fmt::Display| Failure::Connection(e.to_string());
        let socket = self.connect(&host, port).await?;
        let stream = self.tls.connect(name, socket).await.map_err(|e| failed(&e))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| failed(&e))?;
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = path;
        let map = request.headers_mut();
        map.insert(HOST, HeaderValue::try_from(authority).map_err(|_| Failure::Address)?);
        map.insert(USER_AGENT, HeaderValue::from_static(concat!("rollbook/", env!("CARGO_PKG_VERSION"))));
        map.extend(headers.iter().cloned());
        let answered = async {
            let response = sender.send_request(request).await.map_err(|e| failed(&e))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MOST)
                .collect()
                .await
                .map_err(|e| if e.is::<http_body_util::LengthLimitError>() { Failure::Length } else { failed(&e) })?;
            Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
        };
        // The connection is driven here and goes with this exchange: nothing is left running.
        let mut answered = std::pin::pin!(answered);
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            answer = &mut answered => answer,
            ended = &mut connection => match ended {
                Ok(()) => answered.await,
                Err(e) => Err(failed(&e)),
            },
        }
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Failure> {
        let failed = |e: std::io::Error| Failure::Connection(e.to_string());
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let found: Vec<SocketAddr> = tokio::net::lookup_host((bare, port)).await.map_err(failed)?.collect();
        let mut last = Failure::Forbidden;
        // What was resolved is what is connected to: a name that changes its mind in between changes nothing.
        for address in found.into_iter().filter(|address| self.may_ask(address.ip())) {
            match TcpStream::connect(address).await {
                Ok(socket) => return Ok(socket),
                Err(e) => last = failed(e),
            }
        }
        Err(last)
    }

    fn may_ask(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.allowed.iter().any(|network| network.holds(address))
    }
}

/// Where a URL leads.
struct Place {
    host: String,
    port: u16,
    authority: String,
    path: Uri,
}

fn place(url: &str) -> Result<Place, Failure> {
    if url.len() > 2_048 || url.contains('#') || !url.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(Failure::Address);
    }
    let uri: Uri = url.parse().map_err(|_| Failure::Address)?;
    let authority = uri.authority().ok_or(Failure::Address)?;
    if uri.scheme_str() != Some("https") || authority.as_str().contains('@') || authority.host().is_empty() {
        return Err(Failure::Address);
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Ok(Place {
        host: authority.host().trim_start_matches('[').trim_end_matches(']').to_owned(),
        port: authority.port_u16().unwrap_or(443),
        authority: authority.as_str().to_owned(),
        path: path.parse().map_err(|_| Failure::Address)?,
    })
}

/// Whether an address is one of the public network: not this machine, no private, shared, link-local or reserved range
/// (the IANA special-purpose registries), nor one that carries such an address inside.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    !(v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_broadcast()
        || v4.is_documentation()
        || v4.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19)))
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let [first, second, third, ..] = v6.segments();
    let carried = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    let [.., last_but_one, last] = v6.segments();
    match first {
        // Mapped, compatible, NAT64 and 6to4 addresses are what they carry; Teredo and the rest of ::/8 nobody needs.
        0x0064 if second == 0xff9b => {
            v6.segments().iter().skip(2).take(4).all(|s| *s == 0) && carried(last_but_one, last)
        }
        0x2002 => carried(second, third),
        0x2001 => second >= 0x0200 && second != 0x0db8,
        0x3fff => second >= 0x1000,
        0x2000..=0x3ffe => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: hostile row E9: every spelling of an address inside is recognised by the address itself.
    #[test]
    fn addresses_inside_are_not_public() {
        for inside in [
            "127.0.0.1",
            "127.255.255.255",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.170",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2002:c0a8:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "3fff:1::1",
            "4000::1",
        ] {
            let address: IpAddr = inside.parse().unwrap();
            assert!(!is_public(address.to_canonical()), "{inside}");
        }
        for outside in [
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "64:ff9b::808:808",
            "2002:808:808::",
            "::ffff:8.8.8.8",
        ] {
            let address: IpAddr = outside.parse().unwrap();
            assert!(is_public(address.to_canonical()), "{outside}");
        }
    }

    /// Goal: only an https URL without user and fragment is asked.
    #[test]
    fn only_https() {
        for bad in [
            "",
            "/x",
            "http://example.com/",
            "file:///etc/passwd",
            "https://",
            "https://a@b/",
            "https://b/#x",
            "https://b/a b",
            "gopher://b/",
            "https://\u{e9}.example/",
            "https:///x",
            "ftp://b/",
        ] {
            assert!(place(bad).is_err(), "{bad}");
        }
        let good = place("https://[2001:db8::1]:8443/a?b=c").unwrap();
        assert_eq!((good.host.as_str(), good.port, good.path.to_string().as_str()), ("2001:db8::1", 8443, "/a?b=c"));
        assert_eq!(place("https://rp.example").unwrap().path, "/");
    }

    /// Goal: a network that is allowed holds its own addresses and no others.
    #[test]
    fn networks() {
        let of = |text: &str, prefix| Network { address: text.parse().unwrap(), prefix };
        let holds = |network: Network, text: &str| network.holds(text.parse().unwrap());
        assert!(holds(of("10.1.0.0", 16), "10.1.255.255") && !holds(of("10.1.0.0", 16), "10.2.0.0"));
        assert!(holds(of("10.1.2.3", 32), "10.1.2.3") && !holds(of("10.1.2.3", 32), "10.1.2.2"));
        assert!(holds(of("0.0.0.0", 0), "1.2.3.4") && !holds(of("0.0.0.0", 0), "::1"));
        assert!(holds(of("::1", 128), "::1") && !holds(of("::1", 128), "::2"));
    }

    /// Goal: a name of this machine is not asked, even one that is a number, before anything is connected.
    #[tokio::test]
    async fn this_machine_is_not_asked() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let fetcher = Fetcher::new(Arc::new(config), Vec::new());
        for host in ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"] {
            let failure = fetcher.get(&format!("https://{host}:{port}/")).await.unwrap_err();
            assert!(
                matches!(failure, Failure::Forbidden | Failure::Address | Failure::Connection(_)),
                "{host}: {failure}"
            );
        }
        let connected = tokio::time::timeout(Duration::from_millis(20), listener.accept()).await;
        assert!(connected.is_err(), "nobody may have connected");
    }
}

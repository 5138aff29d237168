//! HTTP over TLS, small: requests in HTTP/1.1 or HTTP/2, and raw octets for what no client would send.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// The longest that a test waits for the server.
const PATIENCE: Duration = Duration::from_secs(20);
/// Octets of an answer that a test takes.
const MOST: usize = 256 * 1024 * 1024;

/// Who is trusted: the authority in a PEM file.
#[derive(Clone, Debug)]
pub struct Trust(Arc<rustls::RootCertStore>);

impl Trust {
    /// The authority of this file.
    pub fn file(path: &Path) -> Trust {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(path).unwrap()).unwrap();
        Trust(Arc::new(roots))
    }

    fn config(&self, protocol: &[u8]) -> Arc<rustls::ClientConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(Arc::clone(&self.0))
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        Arc::new(config)
    }

    /// A TLS connection for this application protocol (`h2`, `http/1.1`).
    pub async fn connect(&self, address: SocketAddr, protocol: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        tokio_rustls::TlsConnector::from(self.config(protocol.as_bytes())).connect(name, stream).await
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl HttpAnswer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header's value, empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

enum Sender {
    One(http1::SendRequest<Body>),
    Two(http2::SendRequest<Body>),
}

/// A connection that sends requests.
pub struct HttpClient {
    sender: Sender,
    host: String,
    headers: HeaderMap,
}

impl HttpClient {
    /// HTTP/1.1 in TLS.
    pub async fn connect(address: SocketAddr, trust: &Trust) -> HttpClient {
        HttpClient::one(trust.connect(address, "http/1.1").await.unwrap(), address).await
    }

    /// HTTP/2 in TLS.
    pub async fn connect_two(address: SocketAddr, trust: &Trust) -> HttpClient {
        let stream = TokioIo::new(trust.connect(address, "h2").await.unwrap());
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        HttpClient {
            sender: Sender::Two(sender),
            host: format!("localhost:{}", address.port()),
            headers: HeaderMap::new(),
        }
    }

    /// HTTP/1.1 in clear.
    pub async fn connect_plain(address: SocketAddr) -> HttpClient {
        HttpClient::one(TcpStream::connect(address).await.unwrap(), address).await
    }

    async fn one<S>(stream: S, address: SocketAddr) -> HttpClient
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        HttpClient {
            sender: Sender::One(sender),
            host: format!("localhost:{}", address.port()),
            headers: HeaderMap::new(),
        }
    }

    /// From now on, every request has this header.
    #[must_use]
    pub fn with(mut self, name: header::HeaderName, value: &str) -> HttpClient {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    /// From now on, every request has this bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> HttpClient {
        self.with(header::AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// GET.
    pub async fn get(&mut self, path: &str) -> HttpAnswer {
        self.call(Method::GET, path, None).await
    }

    /// A request with a body of `application/scim+json`, or none.
    pub async fn call(&mut self, method: Method, path: &str, body: Option<&serde_json::Value>) -> HttpAnswer {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/scim+json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    /// Any request; the path is completed.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send(&mut self, request: Request<Body>) -> HttpAnswer {
        self.try_send(request).await.expect("an answer")
    }

    /// Any request; the path is completed.
    ///
    /// # Errors
    /// When the connection ends instead.
    pub async fn try_send(&mut self, mut request: Request<Body>) -> Result<HttpAnswer, hyper::Error> {
        for (name, value) in &self.headers {
            request.headers_mut().entry(name).or_insert(value.clone());
        }
        let work = async {
            let response = match &mut self.sender {
                Sender::One(sender) => {
                    let host = self.host.parse().unwrap();
                    request.headers_mut().entry(header::HOST).or_insert(host);
                    sender.ready().await?;
                    sender.send_request(request).await?
                }
                Sender::Two(sender) => {
                    *request.uri_mut() = format!("https://{}{}", self.host, request.uri()).parse().unwrap();
                    sender.ready().await?;
                    sender.send_request(request).await?
                }
            };
            let (parts, body) = response.into_parts();
            let body = axum::body::to_bytes(Body::new(body), MOST).await.unwrap_or_default();
            Ok(HttpAnswer { status: parts.status, headers: parts.headers, body })
        };
        timeout(PATIENCE, work).await.expect("the server takes too long")
    }
}

/// Octets as they are, over TLS.
pub struct RawHttp {
    stream: TlsStream<TcpStream>,
}

impl RawHttp {
    /// A connection for this application protocol (`h2`, `http/1.1`).
    pub async fn connect(address: SocketAddr, trust: &Trust, protocol: &str) -> RawHttp {
        RawHttp { stream: trust.connect(address, protocol).await.unwrap() }
    }

    /// Sends octets; a server that has hung up already is no failure here.
    pub async fn send(&mut self, octets: impl AsRef<[u8]>) -> &mut RawHttp {
        _ = self.stream.write_all(octets.as_ref()).await;
        _ = self.stream.flush().await;
        self
    }

    /// Everything until the server ends the connection, or nothing has come for a while; and whether it has ended.
    pub async fn rest(&mut self, while_: Duration) -> (Vec<u8>, bool) {
        let mut all = Vec::new();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match timeout(while_, self.stream.read(&mut buffer)).await {
                Err(_) => return (all, false),
                Ok(Ok(0) | Err(_)) => return (all, true),
                Ok(Ok(octets)) => all.extend_from_slice(buffer.get(..octets).unwrap()),
            }
        }
    }

    /// Everything until the server ends the connection, as text.
    ///
    /// # Panics
    /// When it does not.
    pub async fn to_end(&mut self) -> String {
        let (all, ended) = self.rest(PATIENCE).await;
        assert!(ended, "the connection stays open: {}", String::from_utf8_lossy(&all));
        String::from_utf8_lossy(&all).into_owned()
    }
}

//! HTTP/1.1 over one kept connection, in clear or with TLS: as little as a load generator needs.
//!
//! Owns framing of answers (length, chunks, end of stream) and connecting again where a server closes.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Where the requests go.
pub struct Target {
    host: String,
    authority: String,
    address: String,
    prefix: String,
    headers: String,
    tls: Option<Arc<ClientConfig>>,
}

/// One request.
#[derive(Clone)]
pub struct Request {
    /// Such as `GET`.
    pub method: Cow<'static, str>,
    /// Below the base, encoded.
    pub path: String,
    /// Lines besides the target's, each with its end.
    pub headers: String,
    /// Or empty.
    pub body: String,
    /// What the answer must hold; the workload's own words.
    pub expect: String,
}

/// One answer.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The lines of the head after the first.
    pub head: String,
    /// The body as text.
    pub body: String,
}

impl Target {
    /// A base URL, whom to trust there, and lines that every request has, each with its end.
    pub fn new(base: &str, ca: Option<&str>, headers: String) -> Result<Self, String> {
        let (scheme, rest) = base.split_once("://").ok_or("--base is no URL")?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let tls = match (scheme, ca) {
            ("http", _) => None,
            ("https", Some(ca)) => Some(Arc::new(config(ca)?)),
            _ => return Err("--base is http, or https with --ca".to_owned()),
        };
        let default = if tls.is_some() { ":443" } else { ":80" };
        let address = if authority.contains(':') { authority.to_owned() } else { format!("{authority}{default}") };
        let host = authority.split(':').next().unwrap_or_default().to_owned();
        let prefix = if path.is_empty() { String::new() } else { format!("/{}", path.trim_end_matches('/')) };
        Ok(Self { host, authority: authority.to_owned(), address, prefix, headers, tls })
    }
}

fn config(ca: &str) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).map_err(|e| format!("{ca}: {e}"))? {
        roots.add(certificate.map_err(|e| format!("{ca}: {e}"))?).map_err(|e| format!("{ca}: {e}"))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|e| e.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

/// In clear or not.
trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// One connection, made again when the server has closed it.
pub struct Client {
    target: Arc<Target>,
    stream: Option<BufReader<Box<dyn Stream>>>,
}

impl Client {
    pub fn connect(target: Arc<Target>) -> Result<Self, String> {
        let mut client = Self { target, stream: None };
        client.open()?;
        Ok(client)
    }

    fn open(&mut self) -> Result<(), String> {
        let socket = TcpStream::connect(&self.target.address).map_err(|e| format!("{}: {e}", self.target.address))?;
        socket.set_nodelay(true).map_err(|e| e.to_string())?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(|e| e.to_string())?;
        let stream: Box<dyn Stream> = match &self.target.tls {
            None => Box::new(socket),
            Some(config) => {
                let name = ServerName::try_from(self.target.host.clone()).map_err(|e| e.to_string())?;
                let session = ClientConnection::new(config.clone(), name).map_err(|e| e.to_string())?;
                Box::new(StreamOwned::new(session, socket))
            }
        };
        self.stream = Some(BufReader::with_capacity(64 << 10, stream));
        Ok(())
    }

    /// Sends and waits for the whole answer.
    pub fn send(&mut self, request: &Request) -> Result<Answer, String> {
        if self.stream.is_none() {
            self.open()?;
        }
        let done = self.exchange(request);
        if !matches!(done, Ok((_, true))) {
            self.stream = None;
        }
        done.map(|(answer, _)| answer)
    }

    /// The answer, and whether the connection stays.
    fn exchange(&mut self, request: &Request) -> Result<(Answer, bool), String> {
        let Target { authority, prefix, headers, .. } = &*self.target;
        let stream = self.stream.as_mut().ok_or("not connected")?;
        let Request { method, path, headers: own, body, .. } = request;
        let mut out = format!("{method} {prefix}{path} HTTP/1.1\r\nHost: {authority}\r\n{headers}{own}");
        if !body.is_empty() {
            out += &format!("Content-Length: {}\r\n", body.len());
        }
        out += "\r\n";
        out += body;
        let failed = |e: std::io::Error| format!("{method} {path}: {e}");
        stream.get_mut().write_all(out.as_bytes()).map_err(failed)?;
        stream.get_mut().flush().map_err(failed)?;
        let mut line = String::new();
        stream.read_line(&mut line).map_err(failed)?;
        let status = line.get(9..12).and_then(|s| s.parse().ok()).ok_or_else(|| format!("no status line: {line:?}"))?;
        let mut keeps = line.starts_with("HTTP/1.1");
        let (mut length, mut chunked, mut head) = (None, false, String::new());
        loop {
            line.clear();
            stream.read_line(&mut line).map_err(failed)?;
            head += &line;
            let header = line.trim_end();
            if header.is_empty() {
                break;
            }
            let Some((name, value)) = header.split_once(':') else { continue };
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse::<usize>().ok();
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                chunked = value.eq_ignore_ascii_case("chunked");
            } else if name.eq_ignore_ascii_case("connection") {
                keeps = !value.eq_ignore_ascii_case("close");
            }
        }
        let mut body = Vec::new();
        if status == 204 || status == 304 {
        } else if chunked {
            loop {
                line.clear();
                stream.read_line(&mut line).map_err(failed)?;
                let size = usize::from_str_radix(line.trim(), 16).map_err(|_| format!("chunk size {line:?}"))?;
                let start = body.len();
                body.resize(start + size + 2, 0);
                stream.read_exact(body.get_mut(start..).unwrap_or_default()).map_err(failed)?;
                body.truncate(start + size);
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = length {
            body.resize(length, 0);
            stream.read_exact(&mut body).map_err(failed)?;
        } else {
            stream.read_to_end(&mut body).map_err(failed)?;
            keeps = false;
        }
        Ok((Answer { status, head, body: String::from_utf8_lossy(&body).into_owned() }, keeps))
    }
}

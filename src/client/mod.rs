//! A small LDAP client for this machine's own daemon: blocking, over the Unix socket of `listen.ldapi`.
//!
//! Owns one connection and four operations: bind, search in pages, modify, and asking for tokens. Who one is, the kernel tells the daemon
//! (SASL EXTERNAL, RFC 4422 appendix A). Words are put on the wire and read from it by `ldap::wire`; what they mean is
//! for the caller, which is `command::account` or `command::token`.

pub mod entry;

pub use entry::Entry;

use bytes::BytesMut;
use ldap::grant_request::{self, GrantRequest, GrantResponse};
use ldap::token_request::{self, TokenRequest, TokenResponse};
use ldap::wire::ber::{BerError, ListBuf};
use ldap::wire::control::{Control, Controls, PagedResults, oids};
use ldap::wire::filter::FilterBuf;
use ldap::wire::message::{
    Attribute, Bind, Change, ChangeKind, Credentials, DerefAliases, Extended, Modify, Scope, Search,
};
use ldap::wire::received::{Body, Received, ReceivedResult};
use ldap::wire::{Frame, Limits, Message, MessageId, Request, ResultCode, peek};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long an answer may take. The longest act is a password's hash that waits behind a full queue of others.
const PATIENCE: Duration = Duration::from_secs(60);

/// Octets read at once.
const CHUNK: usize = 64 * 1024;

/// What is taken from our own daemon: an account that is a member of very many groups is one message.
const LIMITS: Limits = Limits { message_octets: 256 * 1024 * 1024, elements: 4_000_000, ..Limits::AFTER_BIND };

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The daemon does not answer.
    #[error("{0}")]
    Unreachable(String),
    /// It answers something else than LDAP, or not to what was asked.
    #[error("the daemon's answer is not understood: {0}")]
    Protocol(String),
    /// It answers no.
    #[error("{}", refusal(*.code, .diagnostic))]
    Refused {
        /// Why.
        code: ResultCode,
        /// Why, in words; may be empty.
        diagnostic: String,
    },
}

fn refusal(code: ResultCode, diagnostic: &str) -> String {
    if diagnostic.is_empty() { code.to_string() } else { diagnostic.to_owned() }
}

impl From<BerError> for Error {
    fn from(error: BerError) -> Self {
        Error::Protocol(error.to_string())
    }
}

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// DN of the base.
    pub base: &'a str,
    /// How far from it.
    pub scope: Scope,
    /// Which entries.
    pub filter: &'a FilterBuf,
    /// Which attributes.
    pub attributes: &'a [&'a str],
    /// Entries per page.
    pub page: u32,
}

/// One change of an entry's attribute.
#[derive(Clone, Copy)]
pub struct Modification<'a> {
    /// What to do.
    pub kind: ChangeKind,
    /// Which.
    pub attribute: &'a str,
    /// The values; none with delete: all of them.
    pub values: &'a [&'a [u8]],
}

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    received: Vec<u8>,
    last_id: i32,
}

impl Client {
    /// Connects, as nobody.
    ///
    /// # Errors
    /// `Unreachable`, with the way out.
    pub fn connect(socket: &Path) -> Result<Client, Error> {
        let shown = socket.display();
        let stream = UnixStream::connect(socket).map_err(|error| {
            Error::Unreachable(match error.kind() {
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                    format!("no daemon answers at {shown}; is it running, and is this its listen.ldapi?")
                }
                ErrorKind::PermissionDenied => {
                    format!("{shown} is closed to this user; root and the daemon's own user are let in")
                }
                _ => format!("cannot reach the daemon at {shown}: {error}"),
            })
        })?;
        let timed = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
        timed.map_err(|error| Error::Unreachable(error.to_string()))?;
        Ok(Client { stream, received: Vec::new(), last_id: 0 })
    }

    /// Becomes the operator of the machine, which the kernel vouches for.
    ///
    /// # Errors
    /// `Refused` for anybody but root and the daemon's own user.
    pub fn bind_external(&mut self) -> Result<(), Error> {
        self.bind(b"", Credentials::Sasl { mechanism: b"EXTERNAL", credentials: None })
    }

    /// Becomes whoever has this name and password.
    ///
    /// # Errors
    /// `Refused`.
    pub fn bind_simple(&mut self, name: &str, password: &[u8]) -> Result<(), Error> {
        self.bind(name.as_bytes(), Credentials::Simple(password))
    }

    fn bind(&mut self, name: &[u8], credentials: Credentials<'_>) -> Result<(), Error> {
        let id = self.send(Request::Bind(Bind { version: 3, name, credentials }), Controls::EMPTY)?;
        self.receive(id, |body, _| match body {
            Body::Result(result) => Some(outcome(&result)),
            _ => None,
        })?
    }

    /// Modifies an entry, all or nothing.
    ///
    /// # Errors
    /// `Refused`.
    pub fn modify(&mut self, dn: &str, modifications: &[Modification<'_>]) -> Result<(), Error> {
        let values: Vec<ListBuf> = modifications.iter().map(|m| ListBuf::of(m.values.iter().copied())).collect();
        let mut changes = Vec::with_capacity(modifications.len());
        for (modification, values) in modifications.iter().zip(&values) {
            let attribute = Attribute { description: modification.attribute.as_bytes(), values: values.list()? };
            changes.push(Change { kind: modification.kind, attribute });
        }
        let changes = ListBuf::of(changes);
        let modify = Modify { dn: dn.as_bytes(), changes: changes.list()? };
        let id = self.send(Request::Modify(modify), Controls::EMPTY)?;
        self.receive(id, |body, _| match body {
            Body::Result(result) => Some(outcome(&result)),
            _ => None,
        })?
    }

    /// Finds entries, page by page, and hands each over as it comes.
    ///
    /// # Errors
    /// `Refused`; entries that came before it have been handed over.
    pub fn search(&mut self, query: &Query<'_>, mut each: impl FnMut(Entry)) -> Result<(), Error> {
        let attributes = ListBuf::of(query.attributes.iter().map(|name| name.as_bytes()));
        let search = Search {
            base: query.base.as_bytes(),
            scope: query.scope,
            deref: DerefAliases::Never,
            size_limit: 0,
            time_limit: 0,
            types_only: false,
            filter: query.filter.as_filter(),
            attributes: attributes.list()?,
        };
        let mut cookie = Vec::new();
        loop {
            let mut value = BytesMut::new();
            let page = PagedResults { size: query.page, cookie: &cookie };
            page.encode(&mut ldap::wire::ber::Writer::new(&mut value));
            let control = Control { oid: oids::PAGED_RESULTS, critical: true, value: Some(&value) };
            let controls = ListBuf::of([control]);
            let id = self.send(Request::Search(search), controls.list()?)?;
            let next = self.receive(id, |body, controls| match body {
                Body::Entry { dn, attributes } => {
                    each(Entry::of(dn, attributes));
                    None
                }
                Body::Result(result) => Some(outcome(&result).and_then(|()| next_page(&controls))),
                Body::Reference(_) | Body::Other(..) => None,
            })??;
            if next.is_empty() {
                return Ok(());
            }
            cookie = next;
        }
    }

    /// Asks for tokens.
    ///
    /// # Errors
    /// `Refused`.
    pub fn token(&mut self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let mut value = BytesMut::new();
        request.encode(&mut ldap::wire::ber::Writer::new(&mut value));
        let extended = Extended { name: token_request::OID.as_bytes(), value: Some(&value) };
        let id = self.send(Request::Extended(extended), Controls::EMPTY)?;
        self.receive(id, |body, _| match body {
            Body::Result(result) => {
                Some(outcome(&result).and_then(|()| Ok(TokenResponse::decode(result.value.unwrap_or_default())?)))
            }
            _ => None,
        })?
    }

    /// Asks for applications, providers, keys or sessions.
    ///
    /// # Errors
    /// `Refused`.
    pub fn grant(&mut self, request: &GrantRequest) -> Result<GrantResponse, Error> {
        let mut value = BytesMut::new();
        request.encode(&mut ldap::wire::ber::Writer::new(&mut value));
        let extended = Extended { name: grant_request::OID.as_bytes(), value: Some(&value) };
        let id = self.send(Request::Extended(extended), Controls::EMPTY)?;
        self.receive(id, |body, _| match body {
            Body::Result(result) => {
                Some(outcome(&result).and_then(|()| Ok(GrantResponse::decode(result.value.unwrap_or_default())?)))
            }
            _ => None,
        })?
    }

    fn send(&mut self, request: Request<'_>, controls: Controls<'_>) -> Result<MessageId, Error> {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        let id = MessageId::new(self.last_id).ok_or_else(|| Error::Protocol("message ids ran out".to_owned()))?;
        let mut octets = BytesMut::new();
        Message { id, request, controls }.encode(&mut octets);
        let sent = self.stream.write_all(&octets);
        // It may hold a password.
        octets.fill(0);
        std::hint::black_box(&octets);
        sent.map_err(|error| lost(&error))?;
        Ok(id)
    }

    /// Reads until `each` has what it waits for.
    fn receive<T>(
        &mut self,
        id: MessageId,
        mut each: impl FnMut(Body<'_>, Controls<'_>) -> Option<T>,
    ) -> Result<T, Error> {
        loop {
            let length = self.fill()?;
            let octets = self.received.get(..length).unwrap_or_default();
            let message = Received::decode(octets, &LIMITS).map_err(|error| Error::Protocol(error.to_string()))?;
            let found = match (message.id, message.body) {
                (Some(answered), body) if answered == id => each(body, message.controls),
                (None, Body::Result(notice)) => {
                    let why = String::from_utf8_lossy(notice.diagnostic).into_owned();
                    return Err(Error::Unreachable(format!("the daemon ended the connection: {why}")));
                }
                _ => return Err(Error::Protocol("an answer to another request".to_owned())),
            };
            self.received.drain(..length);
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }

    /// Reads until a whole message is there; its length.
    fn fill(&mut self) -> Result<usize, Error> {
        let mut chunk = [0; CHUNK];
        loop {
            match peek(&self.received, LIMITS.message_octets).map_err(|e| Error::Protocol(e.to_string()))? {
                Frame::Complete { len } => return Ok(len),
                Frame::NeedMore { .. } => {}
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(Error::Unreachable("the daemon closed the connection".to_owned())),
                Ok(count) => self.received.extend_from_slice(chunk.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(lost(&error)),
            }
        }
    }
}

fn lost(error: &std::io::Error) -> Error {
    Error::Unreachable(match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => format!("no answer within {} seconds", PATIENCE.as_secs()),
        _ => format!("the connection to the daemon is lost: {error}"),
    })
}

fn outcome(result: &ReceivedResult<'_>) -> Result<(), Error> {
    if result.code == ResultCode::SUCCESS {
        return Ok(());
    }
    Err(Error::Refused { code: result.code, diagnostic: String::from_utf8_lossy(result.diagnostic).into_owned() })
}

/// The cookie of the next page; empty after the last.
fn next_page(controls: &Controls<'_>) -> Result<Vec<u8>, Error> {
    match controls.find(oids::PAGED_RESULTS).and_then(|control| control.value) {
        Some(value) => Ok(PagedResults::decode(value)?.cookie.to_vec()),
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests;

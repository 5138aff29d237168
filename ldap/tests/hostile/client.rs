//! A client that sends what it is told, octet by octet if need be, and reads answers without believing much.

use bytes::BytesMut;
use ldap::wire::{
    Frame, Message, MessageId, Request,
    ber::{Reader, Tag, Writer},
    control::Control,
    filter::parse_string,
    message::{Bind, Credentials, Extended, Scope},
    peek,
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longer than any deadline that a test sets.
const PATIENCE: Duration = Duration::from_secs(20);

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// One response, whatever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub id: i64,
    /// Number of the protocolOp.
    pub operation: u8,
    /// None for entries.
    pub code: Option<u32>,
    pub matched: Vec<u8>,
    pub diagnostic: Vec<u8>,
    /// What follows the three in the operation: name and value of an extended response.
    pub rest: Vec<u8>,
    /// OID and value.
    pub controls: Vec<(String, Vec<u8>)>,
    /// For entries: DN and attributes.
    pub dn: Vec<u8>,
    pub attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Answer {
    pub fn is_entry(&self) -> bool {
        self.operation == 4
    }

    pub fn values(&self, name: &str) -> Vec<String> {
        self.attributes
            .iter()
            .filter(|(own, _)| own.eq_ignore_ascii_case(name))
            .flat_map(|(_, values)| values.iter().map(|v| String::from_utf8_lossy(v).into_owned()))
            .collect()
    }

    /// A Notice of Disconnection: its code.
    pub fn notice(&self) -> Option<u32> {
        let named = self.rest.windows(22).any(|w| w == b"1.3.6.1.4.1.1466.20036");
        (self.id == 0 && self.operation == 24 && named).then_some(self.code).flatten()
    }

    /// The cookie of the paging response.
    pub fn cookie(&self) -> Option<Vec<u8>> {
        let (_, value) = self.controls.iter().find(|(oid, _)| oid == "1.2.840.113556.1.4.319")?;
        let mut value = Reader::new(value);
        let mut fields = value.nested(Tag::SEQUENCE).unwrap();
        fields.unsigned(Tag::INTEGER).unwrap();
        Some(fields.octet_string().unwrap().to_vec())
    }

    /// The password-policy response: warning and error as sent.
    pub fn policy(&self) -> Option<&[u8]> {
        self.controls.iter().find(|(oid, _)| oid == "1.3.6.1.4.1.42.2.27.8.5.1").map(|(_, value)| value.as_slice())
    }

    fn decode(octets: &[u8]) -> Answer {
        let mut outer = Reader::new(octets);
        let mut fields = outer.nested(Tag::SEQUENCE).unwrap();
        let id = i64::from(fields.integer(Tag::INTEGER).unwrap());
        let (tag, content) = fields.element().unwrap();
        let mut answer = Answer {
            id,
            operation: tag.0 & 0x1f,
            code: None,
            matched: Vec::new(),
            diagnostic: Vec::new(),
            rest: Vec::new(),
            controls: Vec::new(),
            dn: Vec::new(),
            attributes: Vec::new(),
        };
        let mut body = Reader::new(content);
        if answer.is_entry() {
            answer.dn = body.octet_string().unwrap().to_vec();
            let mut list = body.nested(Tag::SEQUENCE).unwrap();
            while !list.is_empty() {
                let mut attribute = list.nested(Tag::SEQUENCE).unwrap();
                let name = String::from_utf8(attribute.octet_string().unwrap().to_vec()).unwrap();
                let mut set = attribute.nested(Tag::SET).unwrap();
                let mut values = Vec::new();
                while !set.is_empty() {
                    values.push(set.octet_string().unwrap().to_vec());
                }
                answer.attributes.push((name, values));
            }
        } else {
            answer.code = Some(body.unsigned(Tag::ENUMERATED).unwrap());
            answer.matched = body.octet_string().unwrap().to_vec();
            answer.diagnostic = body.octet_string().unwrap().to_vec();
            while !body.is_empty() {
                answer.rest.extend_from_slice(body.element().unwrap().1);
            }
        }
        if let Ok(Some(controls)) = fields.optional(Tag::context_constructed(0)) {
            let mut controls = Reader::new(controls);
            while !controls.is_empty() {
                let mut control = controls.nested(Tag::SEQUENCE).unwrap();
                let oid = String::from_utf8(control.octet_string().unwrap().to_vec()).unwrap();
                control.boolean_or_false(Tag::BOOLEAN).unwrap();
                let value = control.optional(Tag::OCTET_STRING).unwrap().unwrap_or_default().to_vec();
                answer.controls.push((oid, value));
            }
        }
        answer
    }
}

pub struct Client {
    stream: Box<dyn Stream>,
    received: BytesMut,
    last: i32,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client::over(stream)
    }

    pub fn over(stream: impl Stream + 'static) -> Client {
        Client { stream: Box::new(stream), received: BytesMut::new(), last: 0 }
    }

    pub fn into_stream(self) -> Box<dyn Stream> {
        self.stream
    }

    /// Octets as they are. A peer that has closed already is no failure: its last words are still to be read.
    pub async fn send(&mut self, octets: &[u8]) {
        let _ = self.stream.write_all(octets).await;
        let _ = self.stream.flush().await;
    }

    /// The next answer; none: the server has closed.
    pub async fn answer(&mut self) -> Option<Answer> {
        loop {
            if let Ok(Frame::Complete { len }) = peek(&self.received, usize::MAX) {
                let pdu = self.received.split_to(len);
                return Some(Answer::decode(&pdu));
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.received)).await.expect("an answer in time");
            match read {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The code of the next result; entries before it are passed over.
    pub async fn code(&mut self) -> u32 {
        loop {
            if let Some(code) = self.answer().await.expect("an answer").code {
                return code;
            }
        }
    }

    /// The server says why and closes.
    pub async fn expect_notice(&mut self) -> u32 {
        let notice = self.answer().await.expect("a notice before the end");
        let code = notice.notice().unwrap_or_else(|| panic!("not a notice: {notice:?}"));
        assert_eq!(self.answer().await, None, "open after the notice");
        code
    }

    pub fn next_id(&mut self) -> MessageId {
        self.last += 1;
        MessageId::new(self.last).unwrap()
    }

    /// Sends a request and returns its id.
    pub async fn ask(&mut self, request: Request<'_>, controls: &[Control<'_>]) -> i32 {
        let id = self.next_id();
        let octets = encode(id, request, controls);
        self.send(&octets).await;
        id.value()
    }

    /// Sends a request and reads up to the answer that ends it.
    pub async fn call(&mut self, request: Request<'_>, controls: &[Control<'_>]) -> (Vec<Answer>, Answer) {
        let id = i64::from(self.ask(request, controls).await);
        let mut entries = Vec::new();
        loop {
            let answer = self.answer().await.expect("an answer");
            assert_eq!(answer.id, id, "{answer:?}");
            if answer.operation == 4 || answer.operation == 19 {
                entries.push(answer);
            } else {
                return (entries, answer);
            }
        }
    }

    pub async fn bind(&mut self, name: &str, password: &[u8]) -> u32 {
        self.call(bind(name.as_bytes(), password), &[]).await.1.code.unwrap()
    }

    pub async fn who(&mut self) -> String {
        let (_, answer) = self.call(extended(WHO_AM_I, None), &[]).await;
        assert_eq!(answer.code, Some(0), "{answer:?}");
        String::from_utf8(answer.rest).unwrap()
    }

    pub async fn search(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
    ) -> (Vec<Answer>, Answer) {
        self.search_with(base, scope, filter, attributes, &[]).await
    }

    pub async fn search_with(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
        controls: &[Control<'_>],
    ) -> (Vec<Answer>, Answer) {
        let octets = search(self.next_id(), base, scope, filter, attributes, controls);
        self.send(&octets).await;
        let id = i64::from(self.last);
        let mut entries = Vec::new();
        loop {
            let answer = self.answer().await.expect("an answer");
            assert_eq!(answer.id, id, "{answer:?}");
            if answer.is_entry() { entries.push(answer) } else { return (entries, answer) }
        }
    }
}

pub const WHO_AM_I: &str = "1.3.6.1.4.1.4203.1.11.3";
pub const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
pub const PASSWORD_MODIFY: &str = "1.3.6.1.4.1.4203.1.11.1";

pub fn bind<'a>(name: &'a [u8], password: &'a [u8]) -> Request<'a> {
    Request::Bind(Bind { version: 3, name, credentials: Credentials::Simple(password) })
}

pub fn extended<'a>(name: &'a str, value: Option<&'a [u8]>) -> Request<'a> {
    Request::Extended(Extended { name: name.as_bytes(), value })
}

pub fn encode(id: MessageId, request: Request<'_>, controls: &[Control<'_>]) -> BytesMut {
    with_controls(controls, |controls| {
        let mut out = BytesMut::new();
        Message { id, request, controls }.encode(&mut out);
        out
    })
}

pub fn search(
    id: MessageId,
    base: &str,
    scope: Scope,
    filter: &str,
    attributes: &[&str],
    controls: &[Control<'_>],
) -> BytesMut {
    search_as(id, (base, scope, 0, 0), filter, attributes, controls)
}

/// A subtree search with a size limit.
pub fn search_limited(id: MessageId, base: &str, filter: &str, size: i64) -> BytesMut {
    search_as(id, (base, Scope::Subtree, 0, size), filter, &["1.1"], &[])
}

/// A search for everything with aliases followed by this number.
pub fn search_deref(id: MessageId, base: &str, scope: Scope, deref: i64) -> BytesMut {
    search_as(id, (base, scope, deref, 0), "(objectClass=*)", &["1.1"], &[])
}

/// `place`: base, scope, deref, size limit.
fn search_as(
    id: MessageId,
    (base, scope, deref, size): (&str, Scope, i64, i64),
    filter: &str,
    attributes: &[&str],
    controls: &[Control<'_>],
) -> BytesMut {
    let filter = parse_string(filter).unwrap();
    let mut out = BytesMut::new();
    // The list of attributes exists only decoded: a message is made around it by hand.
    Writer::new(&mut out).nested(Tag::SEQUENCE, |w| {
        w.integer(Tag::INTEGER, id.value().into());
        w.nested(Tag::application_constructed(3), |w| {
            w.octet_string(base.as_bytes());
            w.integer(Tag::ENUMERATED, i64::from(scope as u8));
            w.integer(Tag::ENUMERATED, deref);
            w.integer(Tag::INTEGER, size);
            w.integer(Tag::INTEGER, 0);
            w.boolean(Tag::BOOLEAN, false);
            filter.as_filter().encode(w);
            w.nested(Tag::SEQUENCE, |w| attributes.iter().for_each(|name| w.octet_string(name.as_bytes())));
        });
        if !controls.is_empty() {
            w.nested(Tag::context_constructed(0), |w| controls.iter().for_each(|control| control.encode(w)));
        }
    });
    out
}

pub fn critical<'a>(oid: &'a str, value: Option<&'a [u8]>) -> Control<'a> {
    Control { oid, critical: true, value }
}

pub fn optional<'a>(oid: &'a str, value: Option<&'a [u8]>) -> Control<'a> {
    Control { oid, critical: false, value }
}

pub fn paged(size: u32, cookie: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    ldap::wire::control::PagedResults { size, cookie }.encode(&mut Writer::new(&mut out));
    out.to_vec()
}

fn with_controls<T>(controls: &[Control<'_>], then: impl FnOnce(ldap::wire::control::Controls<'_>) -> T) -> T {
    let mut octets = BytesMut::new();
    let mut writer = Writer::new(&mut octets);
    controls.iter().for_each(|control| control.encode(&mut writer));
    let limits = ldap::wire::Limits { controls: usize::MAX, ..ldap::wire::Limits::AFTER_BIND };
    then(ldap::wire::control::decode_controls(&octets, &limits).unwrap())
}

/// The value of a Password Modify request.
pub fn password_modify(identity: Option<&str>, old: Option<&[u8]>, new: Option<&[u8]>) -> Vec<u8> {
    let mut out = BytesMut::new();
    let request = ldap::wire::extended::PasswordModify {
        user_identity: identity.map(str::as_bytes),
        old_password: old,
        new_password: new,
    };
    request.encode(&mut Writer::new(&mut out));
    out.to_vec()
}

/// A Modify request: operation, attribute, values.
pub fn modify(id: MessageId, dn: &str, changes: &[(i64, &str, &[&[u8]])], controls: &[Control<'_>]) -> BytesMut {
    around(id, 6, controls, |w| {
        w.octet_string(dn.as_bytes());
        w.nested(Tag::SEQUENCE, |w| {
            for (operation, attribute, values) in changes {
                w.nested(Tag::SEQUENCE, |w| {
                    w.integer(Tag::ENUMERATED, *operation);
                    w.nested(Tag::SEQUENCE, |w| {
                        w.octet_string(attribute.as_bytes());
                        w.nested(Tag::SET, |w| values.iter().for_each(|value| w.octet_string(value)));
                    });
                });
            }
        });
    })
}

/// An Add request with one value per attribute.
pub fn add(id: MessageId, dn: &str, attributes: &[(&str, &[u8])]) -> BytesMut {
    around(id, 8, &[], |w| {
        w.octet_string(dn.as_bytes());
        w.nested(Tag::SEQUENCE, |w| {
            for (attribute, value) in attributes {
                w.nested(Tag::SEQUENCE, |w| {
                    w.octet_string(attribute.as_bytes());
                    w.nested(Tag::SET, |w| w.octet_string(value));
                });
            }
        });
    })
}

/// A Modify DN request.
pub fn modify_dn(id: MessageId, dn: &str, new_rdn: &str, delete_old: bool, superior: Option<&str>) -> BytesMut {
    around(id, 12, &[], |w| {
        w.octet_string(dn.as_bytes());
        w.octet_string(new_rdn.as_bytes());
        w.boolean(Tag::BOOLEAN, delete_old);
        if let Some(superior) = superior {
            w.octets(Tag::context(0), superior.as_bytes());
        }
    })
}

fn around(id: MessageId, operation: u8, controls: &[Control<'_>], body: impl FnOnce(&mut Writer<'_>)) -> BytesMut {
    let mut out = BytesMut::new();
    Writer::new(&mut out).nested(Tag::SEQUENCE, |w| {
        w.integer(Tag::INTEGER, id.value().into());
        w.nested(Tag::application_constructed(operation), body);
        if !controls.is_empty() {
            w.nested(Tag::context_constructed(0), |w| controls.iter().for_each(|control| control.encode(w)));
        }
    });
    out
}

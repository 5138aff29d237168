//! An LDAP client that says what tests want to say, over a loopback or a local socket.
//!
//! Requests that have no lists are encoded by `ldap::wire`'s `Message`; those that have (search, add, modify) are
//! written around their lists, which that crate only decodes. Answers are read by its `Received`.

use crate::{BindOutcome, Entry, Found, Reply};
use bytes::BytesMut;
use ldap::wire::ber::{List, Tag, Writer};
use ldap::wire::control::{Control, PasswordPolicyResponse, oids};
use ldap::wire::extended::{PasswordModify, oids as operations};
use ldap::wire::filter::parse_string;
use ldap::wire::message::{Bind, Compare, Credentials, Extended, ModifyDn};
use ldap::wire::received::{Body, Received, ReceivedResult};
use ldap::wire::{Frame, Limits, Message, MessageId, Request, peek};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Octets of an answer.
const LONGEST: usize = 16 * 1024 * 1024;

/// How far a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The base alone.
    Base,
    /// Its children.
    One,
    /// It and all below.
    Subtree,
}

/// What a modification does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Adds values.
    Add,
    /// Takes values away; all of them when none is named.
    Delete,
    /// Puts these in place of all.
    Replace,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// One connection.
pub struct Client {
    stream: Box<dyn Stream>,
    received: BytesMut,
    last: i32,
    controls: Vec<&'static str>,
}

impl Client {
    /// Over TCP, in clear.
    pub async fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).await.expect("the LDAP port answers");
        stream.set_nodelay(true).unwrap();
        Client::over(stream)
    }

    /// Over a socket of this machine.
    pub async fn connect_local(path: &Path) -> Client {
        Client::over(UnixStream::connect(path).await.expect("the local socket answers"))
    }

    fn over(stream: impl Stream + 'static) -> Client {
        Client { stream: Box::new(stream), received: BytesMut::new(), last: 0, controls: Vec::new() }
    }

    /// From now on every request carries the password-policy control.
    #[must_use]
    pub fn with_policy_control(mut self) -> Client {
        self.controls = vec![oids::PASSWORD_POLICY];
        self
    }

    /// Binds with a password.
    pub async fn bind(&mut self, dn: &str, password: impl AsRef<[u8]>) -> BindOutcome {
        self.bind_raw(dn.as_bytes(), password.as_ref()).await
    }

    /// The same with a name in any octets.
    pub async fn bind_raw(&mut self, name: &[u8], password: &[u8]) -> BindOutcome {
        let credentials = Credentials::Simple(password);
        self.request(Request::Bind(Bind { version: 3, name, credentials })).await;
        self.bound().await
    }

    /// Binds as whom the kernel says one is.
    pub async fn external(&mut self) -> BindOutcome {
        let credentials = Credentials::Sasl { mechanism: b"EXTERNAL", credentials: None };
        self.request(Request::Bind(Bind { version: 3, name: b"", credentials })).await;
        self.bound().await
    }

    async fn bound(&mut self) -> BindOutcome {
        let octets = self.message().await.expect("an answer to a bind");
        let (_, reply) = read(&octets);
        let Reply { code, message, matched, ppolicy, .. } = reply;
        BindOutcome { code, message, matched, ppolicy, octets }
    }

    /// Searches.
    pub async fn search(&mut self, base: &str, scope: Scope, filter: &str, attributes: &[&str]) -> Found {
        let filter = parse_string(filter).expect("the filter of the test is one");
        let scope = match scope {
            Scope::Base => 0,
            Scope::One => 1,
            Scope::Subtree => 2,
        };
        let id = self.next_id();
        let controls = self.controls.clone();
        let octets = message(id, 3, &controls, |w| {
            w.octet_string(base.as_bytes());
            w.integer(Tag::ENUMERATED, scope);
            w.integer(Tag::ENUMERATED, 0);
            w.integer(Tag::INTEGER, 0);
            w.integer(Tag::INTEGER, 0);
            w.boolean(Tag::BOOLEAN, false);
            filter.as_filter().encode(w);
            w.nested(Tag::SEQUENCE, |w| attributes.iter().for_each(|name| w.octet_string(name.as_bytes())));
        });
        self.send(&octets).await;
        let mut entries = Vec::new();
        loop {
            let octets = self.message().await.expect("an answer to a search");
            match read(&octets) {
                (Some(entry), _) => entries.push(entry),
                (None, reply) => return Found { entries, reply },
            }
        }
    }

    /// Changes values.
    pub async fn modify(&mut self, dn: &str, changes: &[(Kind, &str, &[&str])]) -> Reply {
        let id = self.next_id();
        let controls = self.controls.clone();
        let octets = message(id, 6, &controls, |w| {
            w.octet_string(dn.as_bytes());
            w.nested(Tag::SEQUENCE, |w| {
                for (kind, attribute, values) in changes {
                    w.nested(Tag::SEQUENCE, |w| {
                        w.integer(Tag::ENUMERATED, *kind as i64);
                        attribute_of(w, attribute, values);
                    });
                }
            });
        });
        self.send(&octets).await;
        self.reply().await
    }

    /// Adds an entry; an attribute named twice gets both values.
    pub async fn add(&mut self, dn: &str, attributes: &[(&str, &str)]) -> Reply {
        let mut grouped: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, value) in attributes {
            match grouped.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(value),
                None => grouped.push((name, vec![value])),
            }
        }
        let id = self.next_id();
        let controls = self.controls.clone();
        let octets = message(id, 8, &controls, |w| {
            w.octet_string(dn.as_bytes());
            w.nested(Tag::SEQUENCE, |w| grouped.iter().for_each(|(name, values)| attribute_of(w, name, values)));
        });
        self.send(&octets).await;
        self.reply().await
    }

    /// Deletes an entry.
    pub async fn delete(&mut self, dn: &str) -> Reply {
        self.call(Request::Delete(dn.as_bytes())).await
    }

    /// Renames or moves an entry.
    pub async fn rename(&mut self, dn: &str, new_rdn: &str, delete_old: bool, superior: Option<&str>) -> Reply {
        let request = ModifyDn {
            dn: dn.as_bytes(),
            new_rdn: new_rdn.as_bytes(),
            delete_old_rdn: delete_old,
            new_superior: superior.map(str::as_bytes),
        };
        self.call(Request::ModifyDn(request)).await
    }

    /// Compares: 6 is true, 5 is false.
    pub async fn compare(&mut self, dn: &str, attribute: &str, value: &str) -> Reply {
        let request = Compare { dn: dn.as_bytes(), attribute: attribute.as_bytes(), value: value.as_bytes() };
        self.call(Request::Compare(request)).await
    }

    /// Password Modify (RFC 3062).
    pub async fn change_password(&mut self, whose: Option<&str>, old: Option<&str>, new: Option<&str>) -> Reply {
        let mut value = BytesMut::new();
        let request = PasswordModify {
            user_identity: whose.map(str::as_bytes),
            old_password: old.map(str::as_bytes),
            new_password: new.map(str::as_bytes),
        };
        request.encode(&mut Writer::new(&mut value));
        let name = operations::PASSWORD_MODIFY.as_bytes();
        self.call(Request::Extended(Extended { name, value: Some(&value) })).await
    }

    /// Who am I (RFC 4532).
    pub async fn who_am_i(&mut self) -> Reply {
        self.call(Request::Extended(Extended { name: operations::WHO_AM_I.as_bytes(), value: None })).await
    }

    /// The same as text; none when the server did not say.
    pub async fn identity(&mut self) -> Option<String> {
        let reply = self.who_am_i().await;
        reply.is_good().then(|| String::from_utf8(reply.value.unwrap_or_default()).unwrap())
    }

    async fn call(&mut self, request: Request<'_>) -> Reply {
        self.request(request).await;
        self.reply().await
    }

    async fn reply(&mut self) -> Reply {
        let octets = self.message().await.expect("an answer");
        read(&octets).1
    }

    fn next_id(&mut self) -> MessageId {
        self.last = self.last.checked_add(1).unwrap();
        MessageId::new(self.last).unwrap()
    }

    async fn request(&mut self, request: Request<'_>) {
        let id = self.next_id();
        let mut list = BytesMut::new();
        let mut w = Writer::new(&mut list);
        self.controls.iter().for_each(|oid| Control { oid, critical: false, value: None }.encode(&mut w));
        let controls = ldap::wire::control::decode_controls(&list, &Limits::AFTER_BIND).unwrap();
        let mut octets = BytesMut::new();
        Message { id, request, controls }.encode(&mut octets);
        self.send(&octets).await;
    }

    async fn send(&mut self, octets: &[u8]) {
        // A peer that has closed already is no failure: its last words are still to be read.
        let _ = self.stream.write_all(octets).await;
        let _ = self.stream.flush().await;
    }

    /// The next whole message; none: the server has closed.
    async fn message(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Frame::Complete { len } = peek(&self.received, LONGEST).expect("the server speaks LDAP") {
                return Some(self.received.split_to(len).to_vec());
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.received)).await.expect("the server answers");
            if read.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}

fn message(id: MessageId, operation: u8, controls: &[&str], body: impl FnOnce(&mut Writer<'_>)) -> BytesMut {
    let mut out = BytesMut::new();
    Writer::new(&mut out).nested(Tag::SEQUENCE, |w| {
        w.integer(Tag::INTEGER, id.value().into());
        w.nested(Tag::application_constructed(operation), body);
        if !controls.is_empty() {
            w.nested(Tag::context_constructed(0), |w| {
                controls.iter().for_each(|oid| Control { oid, critical: false, value: None }.encode(w));
            });
        }
    });
    out
}

fn attribute_of(w: &mut Writer<'_>, name: &str, values: &[&str]) {
    w.nested(Tag::SEQUENCE, |w| {
        w.octet_string(name.as_bytes());
        w.nested(Tag::SET, |w| values.iter().for_each(|value| w.octet_string(value.as_bytes())));
    });
}

/// An entry, or how an operation ended.
fn read(octets: &[u8]) -> (Option<Entry>, Reply) {
    let received = Received::decode(octets, &Limits { message_octets: LONGEST, ..Limits::AFTER_BIND }).unwrap();
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    let ppolicy = received.controls.find(oids::PASSWORD_POLICY);
    let ppolicy = ppolicy.map(|c| PasswordPolicyResponse::decode(c.value.unwrap_or_default()).unwrap());
    let mut reply =
        Reply { code: 0, message: String::new(), matched: String::new(), value: None, ppolicy, ended: false };
    match received.body {
        Body::Entry { dn, attributes } => {
            let attributes = attributes.iter().map(|a| (text(a.description), owned(&a.values))).collect();
            (Some(Entry { dn: text(dn), attributes }), reply)
        }
        Body::Result(ReceivedResult { code, matched_dn, diagnostic, value, .. }) => {
            reply.code = code.number();
            (reply.message, reply.matched) = (text(diagnostic), text(matched_dn));
            reply.value = value.map(<[u8]>::to_vec);
            reply.ended = received.id.is_none();
            (None, reply)
        }
        other => panic!("not an answer that this client knows: {other:?}"),
    }
}

fn owned(values: &List<'_, &[u8]>) -> Vec<Vec<u8>> {
    values.iter().map(<[u8]>::to_vec).collect()
}

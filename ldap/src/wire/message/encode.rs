//! [`Message`] to octets: what a client sends.
//!
//! Used where rollbook itself is the client (passwords that another server checks) and by tests. The
//! encoding is the shortest: whatever form the octets had from which a message was decoded, it leaves here
//! with minimal lengths and without default values.

use super::super::ber::{Tag, Writable, Writer};
use super::{
    Add, Attribute, Bind, Change, ChangeKind, Compare, Credentials, DerefAliases, Extended, Message, Modify, ModifyDn,
    Request, Scope, Search,
};
use bytes::BytesMut;

impl Message<'_> {
    /// Appends the message to `out`.
    pub fn encode(&self, out: &mut BytesMut) {
        Writer::new(out).nested(Tag::SEQUENCE, |w| {
            w.integer(Tag::INTEGER, self.id.value().into());
            self.request.encode(w);
            if !self.controls.is_empty() {
                w.nested(Tag::context_constructed(0), |w| {
                    for control in self.controls {
                        control.encode(w);
                    }
                });
            }
        });
    }
}

impl Request<'_> {
    fn encode(&self, w: &mut Writer<'_>) {
        let tag = self.operation().request_tag();
        match self {
            Request::Bind(bind) => w.nested(tag, |w| bind.encode(w)),
            Request::Unbind => w.octets(tag, &[]),
            Request::Search(search) => w.nested(tag, |w| search.encode(w)),
            Request::Modify(modify) => w.nested(tag, |w| modify.encode(w)),
            Request::Add(add) => w.nested(tag, |w| add.encode(w)),
            Request::Delete(dn) => w.octets(tag, dn),
            Request::ModifyDn(rename) => w.nested(tag, |w| rename.encode(w)),
            Request::Compare(compare) => w.nested(tag, |w| compare.encode(w)),
            Request::Abandon(id) => w.integer(tag, id.value().into()),
            Request::Extended(extended) => w.nested(tag, |w| extended.encode(w)),
        }
    }
}

impl Bind<'_> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.integer(Tag::INTEGER, self.version.into());
        w.octet_string(self.name);
        match self.credentials {
            Credentials::Simple(password) => w.octets(Tag::context(0), password),
            Credentials::Sasl { mechanism, credentials } => w.nested(Tag::context_constructed(3), |w| {
                w.octet_string(mechanism);
                if let Some(credentials) = credentials {
                    w.octet_string(credentials);
                }
            }),
            Credentials::Unknown(tag) => w.octets(tag, &[]),
        }
    }
}

impl Search<'_> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.octet_string(self.base);
        w.integer(Tag::ENUMERATED, self.scope.number());
        w.integer(Tag::ENUMERATED, self.deref.number());
        w.integer(Tag::INTEGER, self.size_limit.into());
        w.integer(Tag::INTEGER, self.time_limit.into());
        w.boolean(Tag::BOOLEAN, self.types_only);
        self.filter.encode(w);
        w.nested(Tag::SEQUENCE, |w| self.attributes.iter().for_each(|attribute| w.octet_string(attribute)));
    }
}

impl Modify<'_> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.octet_string(self.dn);
        w.nested(Tag::SEQUENCE, |w| {
            self.changes.iter().for_each(|change| change.write(w));
        });
    }
}

impl Writable for Change<'_> {
    fn write(&self, w: &mut Writer<'_>) {
        w.nested(Tag::SEQUENCE, |w| {
            w.integer(Tag::ENUMERATED, self.kind.number());
            self.attribute.encode(w);
        });
    }
}

impl Add<'_> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.octet_string(self.dn);
        w.nested(Tag::SEQUENCE, |w| self.attributes.iter().for_each(|attribute| attribute.encode(w)));
    }
}

impl Attribute<'_> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.nested(Tag::SEQUENCE, |w| {
            w.octet_string(self.description);
            w.nested(Tag::SET, |w| self.values.iter().for_each(|value| w.octet_string(value)));
        });
    }
}

impl Writable for Attribute<'_> {
    fn write(&self, w: &mut Writer<'_>) {
        self.encode(w);
    }
}

impl ModifyDn<'_> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.octet_string(self.dn);
        w.octet_string(self.new_rdn);
        w.boolean(Tag::BOOLEAN, self.delete_old_rdn);
        if let Some(new_superior) = self.new_superior {
            w.octets(Tag::context(0), new_superior);
        }
    }
}

impl Compare<'_> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.octet_string(self.dn);
        w.nested(Tag::SEQUENCE, |w| {
            w.octet_string(self.attribute);
            w.octet_string(self.value);
        });
    }
}

impl Extended<'_> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.octets(Tag::context(0), self.name);
        if let Some(value) = self.value {
            w.octets(Tag::context(1), value);
        }
    }
}

impl Scope {
    const fn number(self) -> i64 {
        match self {
            Scope::Base => 0,
            Scope::OneLevel => 1,
            Scope::Subtree => 2,
            Scope::Subordinates => 3,
        }
    }
}

impl DerefAliases {
    const fn number(self) -> i64 {
        match self {
            DerefAliases::Never => 0,
            DerefAliases::InSearching => 1,
            DerefAliases::FindingBaseObject => 2,
            DerefAliases::Always => 3,
        }
    }
}

impl ChangeKind {
    const fn number(self) -> i64 {
        match self {
            ChangeKind::Add => 0,
            ChangeKind::Delete => 1,
            ChangeKind::Replace => 2,
            ChangeKind::Increment => 3,
        }
    }
}

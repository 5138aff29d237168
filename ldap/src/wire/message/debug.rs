//! Requests in logs: names as text, passwords and values by their length.

use super::{Attribute, Change, Credentials, Request};
use std::fmt;

/// Octets as text, everything unprintable escaped.
struct Text<'a>(&'a [u8]);

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// Octets that may be secret: only their number.
struct Hidden<'a>(&'a [u8]);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} octets>", self.0.len())
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Simple(password) => f.debug_tuple("Simple").field(&Hidden(password)).finish(),
            Credentials::Sasl { mechanism, credentials } => f
                .debug_struct("Sasl")
                .field("mechanism", &Text(mechanism))
                .field("credentials", &credentials.map(Hidden))
                .finish(),
            Credentials::Unknown(tag) => f.debug_tuple("Unknown").field(tag).finish(),
        }
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.description.escape_ascii(), self.values)
    }
}

impl fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.kind, self.attribute)
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Bind(bind) => f
                .debug_struct("Bind")
                .field("version", &bind.version)
                .field("name", &Text(bind.name))
                .field("credentials", &bind.credentials)
                .finish(),
            Request::Unbind => f.write_str("Unbind"),
            Request::Search(search) => f
                .debug_struct("Search")
                .field("base", &Text(search.base))
                .field("scope", &search.scope)
                .field("deref", &search.deref)
                .field("size_limit", &search.size_limit)
                .field("time_limit", &search.time_limit)
                .field("types_only", &search.types_only)
                .field("filter", &format_args!("{}", search.filter))
                .field("attributes", &search.attributes.iter().map(Text).collect::<Vec<_>>())
                .finish(),
            Request::Modify(modify) => f
                .debug_struct("Modify")
                .field("dn", &Text(modify.dn))
                .field("changes", &modify.changes.iter().collect::<Vec<_>>())
                .finish(),
            Request::Add(add) => f
                .debug_struct("Add")
                .field("dn", &Text(add.dn))
                .field("attributes", &add.attributes.iter().collect::<Vec<_>>())
                .finish(),
            Request::Delete(dn) => f.debug_tuple("Delete").field(&Text(dn)).finish(),
            Request::ModifyDn(rename) => f
                .debug_struct("ModifyDn")
                .field("dn", &Text(rename.dn))
                .field("new_rdn", &Text(rename.new_rdn))
                .field("delete_old_rdn", &rename.delete_old_rdn)
                .field("new_superior", &rename.new_superior.map(Text))
                .finish(),
            Request::Compare(compare) => f
                .debug_struct("Compare")
                .field("dn", &Text(compare.dn))
                .field("attribute", &Text(compare.attribute))
                .field("value", &Hidden(compare.value))
                .finish(),
            Request::Abandon(id) => f.debug_tuple("Abandon").field(id).finish(),
            Request::Extended(extended) => f
                .debug_struct("Extended")
                .field("name", &Text(extended.name))
                .field("value", &extended.value.map(Hidden))
                .finish(),
        }
    }
}

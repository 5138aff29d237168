//! The key of a name: bytes that are equal exactly for equal names, and begin with the key of every ancestor.
//!
//! ```text
//! key       = *rdn                        the root's child first, the leaf last; the root DSE: nothing
//! rdn       = ava *( 00 01 ava ) 00 00    assertions sorted by these bytes
//! ava       = type value                  type: the attribute's number, 2 bytes, big end first
//! value     = the key of the value by the type's equality rule, each 00 written as 00 FF
//! ```
//!
//! An RDN says itself where it ends, so one key begins with another exactly when the first name is within the second:
//! a subtree is a range of keys, from the base's key to [`subtree_end`]. Called by the store (the table of names),
//! search, access decisions and rename.

use super::{Dn, InvalidDn, MAX_BYTES, MAX_RDNS, Rdn, scan};
use crate::schema::{AttributeType, MatchingRule, Schema, Storage, Syntax};
use scan::{End, Form, RawAva, Scan};

/// Names with at most this many assertions are parsed without a list on the heap.
const INLINE_AVAS: usize = 12;

const MORE: [u8; 2] = [0, 1];
const RDN_END: [u8; 2] = [0, 0];
const ZERO: [u8; 2] = [0, 0xff];

/// The canonical form of a name; two names are the same exactly when their keys are equal.
///
/// The order is that of the tree, parents before children.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct DnKey {
    bytes: Vec<u8>,
    parent_len: usize,
}

/// The canonical form of an RDN, and the last part of the [`DnKey`] of an entry with that RDN.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RdnKey {
    bytes: Vec<u8>,
}

impl DnKey {
    /// The key of the root DSE: no bytes.
    pub const ROOT: DnKey = DnKey { bytes: Vec::new(), parent_len: 0 };

    /// The key of a name in text form, in one pass and, for usual names, one allocation.
    ///
    /// # Errors
    /// As [`Dn::parse`], and when a type is unknown or cannot name, or a value breaks its syntax.
    pub fn parse(schema: &Schema, text: &[u8]) -> Result<DnKey, InvalidDn> {
        let mut inline = [RawAva::EMPTY; INLINE_AVAS];
        let mut used = 0_usize;
        let mut scan = Scan::new(text)?;
        for slot in &mut inline {
            match scan.next() {
                None => break,
                Some(ava) => *slot = ava?,
            }
            used = used.saturating_add(1);
        }
        let first = inline.get(..used).unwrap_or_default();
        match scan.next() {
            None => DnKey::build(schema, first, text.len()),
            Some(next) => {
                let mut avas = first.to_vec();
                avas.push(next?);
                for ava in scan {
                    avas.push(ava?);
                }
                DnKey::build(schema, &avas, text.len())
            }
        }
    }

    /// The key of a parsed name.
    ///
    /// # Errors
    /// As [`DnKey::parse`].
    pub fn of(schema: &Schema, dn: &Dn) -> Result<DnKey, InvalidDn> {
        let avas = raw(&dn.rdns)?;
        DnKey::build(schema, &avas, dn.rdns.len().saturating_mul(16))
    }

    /// A key as it was stored.
    ///
    /// Answers `None` when the bytes are no key.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<DnKey> {
        let parent_len = if bytes.is_empty() { 0 } else { parent_of(&bytes)?.len() };
        Some(DnKey { bytes, parent_len })
    }

    fn build(schema: &Schema, avas: &[RawAva<'_>], capacity: usize) -> Result<DnKey, InvalidDn> {
        if avas.iter().filter(|ava| ava.end != End::Ava).count() > MAX_RDNS {
            return Err(InvalidDn::TooManyRdns);
        }
        let mut key = DnKey { bytes: Vec::with_capacity(capacity.saturating_add(16)), parent_len: 0 };
        let mut rest = avas;
        while let Some((_, before)) = rest.split_last() {
            let start = before.iter().rposition(|ava| ava.end != End::Ava).map_or(0, |last| last.saturating_add(1));
            let (front, rdn) = rest.split_at_checked(start).unwrap_or((&[], rest));
            key.parent_len = key.bytes.len();
            append_rdn(schema, rdn, &mut key.bytes)?;
            rest = front;
        }
        Ok(key)
    }

    /// The key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Whether this is the root DSE's.
    pub fn is_root(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes of the key are the parent's.
    pub fn parent_len(&self) -> usize {
        self.parent_len
    }

    /// The key of the parent; `None` for the root.
    pub fn parent(&self) -> Option<&[u8]> {
        self.bytes.get(..self.parent_len).filter(|_| !self.is_root())
    }

    /// The last RDN; empty for the root.
    pub fn rdn_key(&self) -> &[u8] {
        self.bytes.get(self.parent_len..).unwrap_or_default()
    }

    /// Whether this is the ancestor itself or below it.
    pub fn is_within(&self, ancestor: &DnKey) -> bool {
        is_within(&self.bytes, &ancestor.bytes)
    }

    /// The key of a child.
    #[must_use]
    pub fn append(&self, rdn: &RdnKey) -> DnKey {
        DnKey { bytes: [self.bytes.as_slice(), &rdn.bytes].concat(), parent_len: self.bytes.len() }
    }

    /// The keys of the suffix, of the entry below it, and so on down to this one: the way from the root.
    pub fn path(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            (_, rest) = split_rdn(rest)?;
            self.bytes.get(..self.bytes.len().saturating_sub(rest.len()))
        })
    }

    /// The number of RDNs.
    pub fn depth(&self) -> usize {
        self.path().count()
    }
}

impl RdnKey {
    /// The key of an RDN in text form, as a rename has it.
    ///
    /// # Errors
    /// As [`DnKey::parse`], and [`InvalidDn::NotOneRdn`].
    pub fn parse(schema: &Schema, text: &[u8]) -> Result<RdnKey, InvalidDn> {
        let key = DnKey::parse(schema, text)?;
        if key.is_root() || key.parent_len != 0 {
            return Err(InvalidDn::NotOneRdn);
        }
        Ok(RdnKey { bytes: key.bytes })
    }

    /// The key of a parsed RDN.
    ///
    /// # Errors
    /// As [`DnKey::parse`].
    pub fn of(schema: &Schema, rdn: &Rdn) -> Result<RdnKey, InvalidDn> {
        let mut bytes = Vec::new();
        append_rdn(schema, &raw(std::slice::from_ref(rdn))?, &mut bytes)?;
        Ok(RdnKey { bytes })
    }

    /// The key.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Whether one key is the other, or below it.
pub fn is_within(key: &[u8], ancestor: &[u8]) -> bool {
    key.starts_with(ancestor)
}

/// The first RDN of a key, and what is behind it; `None` at the end of a key, or when the bytes are no key.
///
/// With a key cut at the base of a one-level search: a child has nothing behind its first RDN.
pub fn split_rdn(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0_usize;
    loop {
        // The number of a type may hold zeros; it is passed over before the search for the end.
        at = at.saturating_add(2);
        loop {
            at = at.saturating_add(memchr::memchr(0, key.get(at..)?)?).saturating_add(2);
            match key.get(at.saturating_sub(1))? {
                0xff => {}
                1 => break,
                0 => return key.split_at_checked(at),
                _ => return None,
            }
        }
    }
}

/// The key of the parent; `None` for the root, and when the bytes are no key.
pub fn parent_of(key: &[u8]) -> Option<&[u8]> {
    let mut rest = key;
    loop {
        let parent_len = key.len().saturating_sub(rest.len());
        (_, rest) = split_rdn(rest)?;
        if rest.is_empty() {
            return key.get(..parent_len);
        }
    }
}

/// The first key behind all that are within `base`; `None` for the root, which holds them all.
pub fn subtree_end(base: &[u8]) -> Option<Vec<u8>> {
    // A key ends with 00 00, so its successor among the prefixes ends with 00 01.
    let (_, front) = base.split_last()?;
    Some([front, &[1]].concat())
}

/// The key of an entry after `from`, itself or an ancestor, was renamed to `to`; `None` when it is not within `from`.
pub fn rebase(key: &[u8], from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    key.strip_prefix(from).map(|rest| [to, rest].concat())
}

/// The assertions of a parsed name as if they had been scanned.
fn raw(rdns: &[Rdn]) -> Result<Vec<RawAva<'_>>, InvalidDn> {
    let mut avas = Vec::with_capacity(rdns.len());
    let mut bytes = 0_usize;
    for rdn in rdns {
        for ava in &rdn.avas {
            bytes = bytes.saturating_add(ava.attribute.len()).saturating_add(ava.value.len()).saturating_add(2);
            if ava.value.is_empty() {
                return Err(InvalidDn::EmptyValue);
            }
            let attribute = ava.attribute.as_bytes();
            avas.push(RawAva { attribute, value: &ava.value, form: Form::Plain, end: End::Ava });
        }
        match (rdn.avas.is_empty(), avas.last_mut()) {
            (false, Some(last)) => last.end = End::Rdn,
            _ => return Err(InvalidDn::EmptyRdn),
        }
    }
    // One separator more was counted than the text has.
    if bytes > MAX_BYTES.saturating_add(1) { Err(InvalidDn::TooLong) } else { Ok(avas) }
}

fn append_rdn(schema: &Schema, avas: &[RawAva<'_>], out: &mut Vec<u8>) -> Result<(), InvalidDn> {
    if let [ava] = avas {
        append_ava(schema, ava, out)?;
    } else {
        let mut keys = Vec::with_capacity(avas.len());
        for ava in avas {
            let mut key = Vec::new();
            append_ava(schema, ava, &mut key)?;
            keys.push(key);
        }
        keys.sort_unstable();
        if keys.windows(2).any(|pair| matches!(pair, [a, b] if a.first_chunk::<2>() == b.first_chunk::<2>())) {
            return Err(InvalidDn::RepeatedType);
        }
        for (position, key) in keys.iter().enumerate() {
            if position > 0 {
                out.extend_from_slice(&MORE);
            }
            out.extend_from_slice(key);
        }
    }
    out.extend_from_slice(&RDN_END);
    Ok(())
}

fn append_ava(schema: &Schema, ava: &RawAva<'_>, out: &mut Vec<u8>) -> Result<(), InvalidDn> {
    let attribute = schema.find_attribute(ava.attribute).ok_or(InvalidDn::UnknownAttribute)?;
    let rule = naming_rule(attribute).ok_or(InvalidDn::NotNaming)?;
    out.extend_from_slice(&attribute.id.0.to_be_bytes());
    let start = out.len();
    if ava.form == Form::Plain {
        schema.normalize(rule, ava.value, out).map_err(|_| InvalidDn::BadValue)?;
    } else {
        let mut value = Vec::with_capacity(ava.value.len());
        ava.append_value(&mut value)?;
        schema.normalize(rule, &value, out).map_err(|_| InvalidDn::BadValue)?;
    }
    if memchr::memchr(0, out.get(start..).unwrap_or_default()).is_some() {
        let value = out.split_off(start);
        for byte in value {
            if byte == 0 {
                out.extend_from_slice(&ZERO);
            } else {
                out.push(byte);
            }
        }
    }
    Ok(())
}

/// The rule by which a type's values are compared in a name. Types that hold names are refused: a name within a name
/// within a name … would be as deep as the text is long. So are secrets and what is not kept in the entry.
fn naming_rule(attribute: &AttributeType) -> Option<MatchingRule> {
    let holds_names = matches!(attribute.syntax, Syntax::DistinguishedName | Syntax::NameAndOptionalUid);
    attribute.equality.filter(|_| attribute.storage == Storage::Entry && !holds_names)
}

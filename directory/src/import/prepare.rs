//! One entry of a file, made ready as far as it can be without the store: runs on several threads at once.

use super::operational::{self, Carried, Use};
use super::{Entry, Place};
use crate::change::claims::Claims;
use crate::change::project::Rows;
use crate::change::{add, prepare, user_type};
use crate::clock::Now;
use crate::credential::import::{Imported, import};
use crate::credential::{PasswordHash, Secret};
use crate::entry::dn::{Dn, DnKey};
use crate::entry::record::Header;
use crate::error::Refusal;
use crate::id::{EntryId, Position};
use crate::lifecycle::{Account, Policy, UserType};
use crate::random::Random;
use crate::schema::{Kind, Schema, known};
use crate::store::codec::Credential;
use crate::store::indexes;
use crate::store::text::Trigram;
use std::collections::BTreeMap;
use uuid::Uuid;

/// An entry without its place in the tree and its id.
pub struct Prepared {
    /// Where it stands.
    pub place: Place,
    /// Its DN as it is written there.
    pub dn: String,
    /// Its DN as it is stored when its parent's is stored as it is written here.
    pub stored_dn: String,
    /// Its RDN alone.
    pub rdn: String,
    /// Its DN key.
    pub key: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Its entryUUID.
    pub uuid: Uuid,
    /// The record, without what `entry::record::fill_in` brings.
    pub record: Vec<u8>,
    /// How much of its key is its parent's.
    pub parent_length: usize,
    /// Its members.
    pub members: Vec<Member>,
    /// Its names.
    pub claims: Claims,
    /// Its keys in `index` without their ids, one after another, and the length of each.
    pub index: (Vec<u8>, Vec<u32>),
    /// Its trigrams.
    pub trigrams: Vec<Trigram>,
    /// Its facts, if it is an account.
    pub account: Option<Box<Account>>,
    /// Its password, likewise.
    pub credential: Option<Credential>,
    /// The password in clear, on its way to `credential`.
    pub cleartext: Option<Secret>,
    /// entryUUID comes from the file and may be there twice.
    pub foreign_uuid: bool,
    /// Who made it and who changed it last, by DN keys.
    pub authors: [Option<Vec<u8>>; 2],
    /// What is left out of it.
    pub left_out: Vec<String>,
    /// The first RDN's attribute may begin a naming context.
    pub may_be_context: bool,
}

/// A value of `member` or `uniqueMember`.
pub struct Member {
    /// Which of both.
    pub kind: u8,
    /// The DN's key; none: the text is no DN that could name an entry.
    pub key: Option<Vec<u8>>,
    /// The DN.
    pub text: Vec<u8>,
}

impl Prepared {
    /// Roughly the bytes that it holds.
    pub fn size(&self) -> usize {
        let members = self.members.iter().map(|m| m.text.len().saturating_mul(2).saturating_add(80));
        let own = [self.record.len(), self.index.0.len(), self.trigrams.len().saturating_mul(3)];
        members.chain(own).fold(1_000, usize::saturating_add)
    }
}

/// What preparing needs.
pub struct Preparing<'a> {
    /// The schema.
    pub schema: &'a Schema,
    /// Draws entryUUIDs.
    pub random: &'a Random,
    /// For states and locks.
    pub policy: &'a Policy,
    /// The moment of the import.
    pub now: &'a Now,
    /// Unknown attributes and classes are dropped.
    pub lenient: bool,
}

/// Values by attribute name.
pub type Counts = BTreeMap<String, u64>;

/// What was passed over, by attribute name.
#[derive(Debug, Default)]
pub struct Passed {
    /// Operational attributes that mean nothing here.
    pub ignored: Counts,
    /// What is not known.
    pub dropped: Counts,
}

fn count(counts: &mut Counts, name: &[u8], values: usize) {
    let name = String::from_utf8_lossy(name);
    let values = u64::try_from(values).unwrap_or(u64::MAX);
    if let Some(held) = counts.get_mut(name.as_ref()) {
        *held = held.saturating_add(values);
    } else if counts.len() < NAMES {
        counts.insert(name.into_owned(), values);
    }
}

/// Names that are counted; a file with more of them is counted in part.
const NAMES: usize = 1_000;

impl Preparing<'_> {
    /// Prepares an entry.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn entry(&self, entry: &Entry, passed: &mut Passed) -> Result<Prepared, Refusal> {
        let (place, dn) = (entry.place, entry.dn());
        let mut attributes = grouped(entry)?;
        let carried = self.split(&mut attributes, passed)?;
        let (mut op, _) = prepare::add_taking(self.schema, self.random, self.now, dn, attributes)?;
        let mut left_out = Vec::new();
        if carried.history_lost > 0 {
            left_out.push(format!("pwdHistory: {} values cannot be verified", carried.history_lost));
        }
        let (mut hash, mut cleartext) = password(&carried.passwords, &mut left_out);
        if (hash.is_some() || cleartext.is_some()) && user_type::of(&op.attributes) == UserType::Sso {
            left_out.push("userPassword: the password of an account of the type sso is with its provider".into());
            (hash, cleartext) = (None, None);
        }
        let has_password = hash.is_some() || cleartext.is_some();
        let stored = |hash: &PasswordHash| hash.as_str().to_owned();
        let history = carried.history.iter().map(|(_, hash)| stored(hash)).collect();
        op.credential = has_password.then(|| Credential { password: hash.as_ref().map(stored), history });
        let own = std::mem::take(&mut op.attributes);
        let complete = add::complete(self.schema, &op, own)?;
        let kind = complete.kind;
        let header = Header {
            kind,
            structural: complete.structural,
            parent: EntryId::NONE,
            uuid: carried.uuid.unwrap_or(op.uuid),
            created: carried.created.unwrap_or(self.now.wall),
            modified: carried.modified.unwrap_or(self.now.wall),
            creator: EntryId::NONE,
            modifier: EntryId::NONE,
            version: Position(0),
        };
        let (mut draft, edges, claims) = add::finish(self.schema, &op, complete, header, "")?;
        let Rows { keys, trigrams } = Rows::of(self.schema, EntryId::NONE, &draft);
        if let Ok(whole) = Dn::parse(dn) {
            draft.dn = whole.to_string();
        }
        let account = kind.is_account().then(|| {
            let facts =
                super::facts::account(kind, &carried.facts, carried.created, has_password, self.policy, self.now);
            Box::new(Account { user_type: user_type::of(&draft.attributes), ..facts })
        });
        if account.is_none() && has_password {
            left_out.push("userPassword: the entry is no account".into());
        }
        let key = |name: Option<Vec<u8>>| name.and_then(|n| self.key(&n));
        Ok(Prepared {
            place,
            dn: String::from_utf8_lossy(dn).into_owned(),
            parent_length: op.parent_length,
            members: edges.into_iter().map(|(kind, text)| Member { kind, key: self.key(&text), text }).collect(),
            claims,
            index: flat(&keys),
            trigrams,
            credential: op.credential.filter(|_| account.is_some()),
            cleartext: cleartext.filter(|_| account.is_some()),
            account,
            foreign_uuid: carried.uuid.is_some(),
            authors: [key(carried.creator), key(carried.modifier)],
            left_out,
            may_be_context: op.rdn_values.first().is_some_and(|(id, _)| CONTEXTS.contains(id)),
            record: draft.encode(),
            uuid: draft.header.uuid,
            stored_dn: draft.dn,
            rdn: op.rdn,
            key: op.key,
            kind,
        })
    }

    fn key(&self, dn: &[u8]) -> Option<Vec<u8>> {
        DnKey::parse(self.schema, dn).ok().map(DnKey::into_bytes)
    }

    /// Takes out of the attributes what the ordinary rules do not decide.
    fn split(&self, attributes: &mut Vec<Grouped<'_>>, passed: &mut Passed) -> Result<Carried, Refusal> {
        let mut carried = Carried::default();
        let mut problem = None;
        attributes.retain_mut(|(name, values)| {
            let bare = name.split(|b| *b == b';').next().unwrap_or_default();
            let kind = self.schema.find_attribute(bare);
            match operational::read(bare, kind, values, &mut carried) {
                Ok(Use::Entry) if kind.is_none() && self.lenient => {
                    count(&mut passed.dropped, name, values.len());
                    false
                }
                Ok(Use::Entry) => {
                    if self.lenient && kind.is_some_and(|k| k.id == known::attribute::OBJECT_CLASS) {
                        self.drop_unknown_classes(values, passed);
                    }
                    true
                }
                Ok(Use::Read) => false,
                Ok(Use::Ignored) => {
                    count(&mut passed.ignored, bare, values.len());
                    false
                }
                Err(why) => {
                    let name = String::from_utf8_lossy(bare).into_owned();
                    problem.get_or_insert(format!("{name}: {why}"));
                    false
                }
            }
        });
        match problem {
            None => Ok(carried),
            Some(why) => Err(Refusal::new(crate::error::Reason::InvalidValue, why)),
        }
    }

    fn drop_unknown_classes(&self, values: &mut Vec<Vec<u8>>, passed: &mut Passed) {
        values.retain(|class| {
            let found = self.schema.find_class(class).is_some();
            if !found {
                count(&mut passed.dropped, &[b"objectClass: ", class.as_slice()].concat(), 1);
            }
            found
        });
    }
}

/// A description and its values.
type Grouped<'e> = (&'e [u8], Vec<Vec<u8>>);

/// The values of each description together, in the order in which descriptions came first.
fn grouped(entry: &Entry) -> Result<Vec<Grouped<'_>>, Refusal> {
    let mut attributes: Vec<Grouped<'_>> = Vec::with_capacity(24);
    for (description, value) in entry.values() {
        // The last one first: values of one description mostly follow one another.
        let held = attributes.iter_mut().rev().find(|(name, _)| name.eq_ignore_ascii_case(description));
        match held {
            Some((_, values)) => values.push(value.to_vec()),
            None => {
                attributes.push((description, vec![value.to_vec()]));
                prepare::too_many(attributes.len())?;
            }
        }
    }
    Ok(attributes)
}

fn flat(keys: &[Vec<u8>]) -> (Vec<u8>, Vec<u32>) {
    let mut bytes = Vec::with_capacity(keys.iter().map(Vec::len).fold(0, usize::saturating_add));
    let mut lengths = Vec::with_capacity(keys.len());
    for key in keys {
        let key = indexes::without_id(key);
        bytes.extend_from_slice(key);
        lengths.push(u32::try_from(key.len()).unwrap_or(0));
    }
    (bytes, lengths)
}

/// What the top of a naming context is named by, as in `bootstrap`.
const CONTEXTS: &[crate::schema::AttributeId] =
    &[known::attribute::DC, known::attribute::O, known::attribute::OU, known::attribute::C];

/// The first value that can be a password: a hash, or the password itself.
fn password(values: &[Vec<u8>], left_out: &mut Vec<String>) -> (Option<PasswordHash>, Option<Secret>) {
    let mut defects = Vec::new();
    for value in values {
        match import(value) {
            Ok(Imported::Hash(hash)) => return (Some(hash), None),
            Ok(Imported::Cleartext(password)) => return (None, Some(password)),
            Err(defect) => defects.push(defect),
        }
    }
    if let Some(defect) = defects.first() {
        left_out.push(format!("userPassword: {defect}"));
    }
    (None, None)
}

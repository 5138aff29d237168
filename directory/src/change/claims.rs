//! Unique names: usernames and e-mail addresses, each held by one account of the deployment (requirement 1.2), and client
//! identifiers, each held by one application.
//!
//! A claim is a row `name space | normalised name → id`; who inserts it first has the name. A username may not be the
//! e-mail address of another account, nor the reverse (both are accepted at sign-in). A username with characters
//! outside ASCII may not look like an existing one: `s | skeleton | 0x00 | id` rows find the candidates. A username in the
//! form of a UUID may not be another entry's `entryUUID`.

use crate::entry::dn::Dn;
use crate::entry::name::{EmailKey, NameRefusal, UsernameKey};
use crate::entry::record::Record;
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::schema::{Schema, known};
use crate::store::indexes;
use crate::store::view::{Snapshot, Tables, View};
use uuid::Uuid;

const USERNAME: u8 = b'u';
const EMAIL: u8 = b'e';
const SKELETON: u8 = b's';
const CLIENT: u8 = b'c';

/// The names that an account or an application claims.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Whole keys of the claims table, except skeletons.
    exact: Vec<Vec<u8>>,
    /// Skeletons of usernames, and whether the name has characters outside ASCII.
    skeletons: Vec<(Vec<u8>, bool)>,
    /// Usernames that have the form of an id: nobody may have this id.
    ids: Vec<Uuid>,
}

/// Where taken names are looked up: the store, or the store and what an import has not written yet.
pub trait Taken {
    /// Who has this name.
    ///
    /// # Errors
    /// `Store`.
    fn holder(&self, key: &[u8]) -> Result<Option<EntryId>, Refusal>;

    /// Who has usernames of this skeleton (a few are enough), and whether theirs has characters outside ASCII.
    ///
    /// # Errors
    /// `Store`.
    fn alike(&self, prefix: &[u8]) -> Result<Vec<(EntryId, bool)>, Refusal>;

    /// Who has this id.
    ///
    /// # Errors
    /// `Store`.
    fn identified(&self, id: &Uuid) -> Result<Option<EntryId>, Refusal>;
}

impl<V: View> Taken for V {
    fn holder(&self, key: &[u8]) -> Result<Option<EntryId>, Refusal> {
        Ok(self.claim(key)?.map(EntryId))
    }

    fn alike(&self, prefix: &[u8]) -> Result<Vec<(EntryId, bool)>, Refusal> {
        let found = self.claims_of(prefix, 64)?.into_iter();
        Ok(found.map(|(key, foreign)| (indexes::id_of(&key).unwrap_or(EntryId::NONE), foreign != 0)).collect())
    }

    fn identified(&self, id: &Uuid) -> Result<Option<EntryId>, Refusal> {
        Ok(self.holders(known::attribute::ENTRY_UUID, id.as_bytes(), 1)?.first().copied())
    }
}

impl Claims {
    /// The claims of these values of `uid` and `mail`.
    ///
    /// # Errors
    /// `InvalidValue`/`Constraint` when one of them cannot be a username or an address.
    pub fn of<'a>(
        usernames: impl Iterator<Item = &'a [u8]>,
        addresses: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Claims, Refusal> {
        let mut claims = Claims::default();
        for value in usernames {
            let text = text(value, "username")?;
            let key = UsernameKey::prepare(text).map_err(|e| refused("username", &e))?;
            claims.exact.push(space(USERNAME, key.as_bytes()));
            claims.skeletons.push((key.skeleton().as_bytes().to_vec(), !text.is_ascii()));
            claims.ids.extend(Uuid::try_parse(key.as_str()).ok());
        }
        for value in addresses {
            let key = EmailKey::prepare(text(value, "e-mail address")?).map_err(|e| refused("e-mail address", &e))?;
            claims.exact.push(space(EMAIL, key.as_bytes()));
        }
        Ok(claims)
    }

    /// The claims of these client identifiers (RFC 6749 §2.2): compared as they are written.
    pub fn of_clients<'a>(ids: impl Iterator<Item = &'a [u8]>) -> Claims {
        Claims { exact: ids.map(|id| space(CLIENT, id)).collect(), ..Claims::default() }
    }

    /// Refuses when another entry holds one of the names.
    ///
    /// # Errors
    /// `NameTaken`; the peer is told which kind of name, not by whom.
    pub fn check(&self, names: &impl Taken, own: EntryId) -> Result<(), Refusal> {
        for key in &self.exact {
            for key in [Some(key.clone()), crossed(key)].into_iter().flatten() {
                if let Some(holder) = names.holder(&key)?.filter(|h| *h != own) {
                    return Err(taken(&key, holder));
                }
            }
        }
        for (skeleton, foreign) in &self.skeletons {
            let prefix = [space(SKELETON, skeleton), vec![0]].concat();
            for (holder, other_foreign) in names.alike(&prefix)? {
                if holder != own && (*foreign || other_foreign) {
                    return Err(taken(&space(USERNAME, skeleton), holder));
                }
            }
        }
        for id in &self.ids {
            if let Some(holder) = names.identified(id)?.filter(|h| *h != own) {
                return Err(taken(&space(USERNAME, id.as_bytes()), holder));
            }
        }
        Ok(())
    }

    /// Writes the claims.
    pub fn claim(&self, tables: &mut Tables<'_>, owner: EntryId) -> Result<(), Refusal> {
        for key in &self.exact {
            tables.put_claim(key.clone(), Some(owner.0))?;
        }
        for (skeleton, foreign) in &self.skeletons {
            tables.put_claim(skeleton_key(skeleton, owner), Some(u64::from(*foreign)))?;
        }
        Ok(())
    }

    /// Takes the claims away, but not from others: names that a deletion had freed may have a new holder.
    pub fn release(&self, tables: &mut Tables<'_>, owner: EntryId) -> Result<(), Refusal> {
        for key in &self.exact {
            if tables.claim(key)? == Some(owner.0) {
                tables.put_claim(key.clone(), None)?;
            }
        }
        for (skeleton, _) in &self.skeletons {
            tables.put_claim(skeleton_key(skeleton, owner), None)?;
        }
        Ok(())
    }

    /// The rows, for `store::verify`.
    pub fn rows(&self, owner: EntryId) -> Vec<(Vec<u8>, u64)> {
        let exact = self.exact.iter().map(|k| (k.clone(), owner.0));
        exact.chain(self.skeletons.iter().map(|(s, f)| (skeleton_key(s, owner), u64::from(*f)))).collect()
    }
}

/// Who holds this username, for a login by name.
pub fn holder_of_username(view: &impl View, name: &str) -> Result<Option<EntryId>, Refusal> {
    let Some(key) = UsernameKey::lookup(name) else { return Ok(None) };
    Ok(view.claim(&space(USERNAME, key.as_bytes()))?.map(EntryId))
}

/// Who holds this e-mail address.
pub fn holder_of_email(view: &impl View, address: &str) -> Result<Option<EntryId>, Refusal> {
    let Ok(key) = EmailKey::prepare(address) else { return Ok(None) };
    Ok(view.claim(&space(EMAIL, key.as_bytes()))?.map(EntryId))
}

/// Which application has this client identifier.
pub fn holder_of_client(view: &impl View, client_id: &str) -> Result<Option<EntryId>, Refusal> {
    Ok(view.claim(&space(CLIENT, client_id.as_bytes()))?.map(EntryId))
}

/// The deleted account that had this DN, while its username is reserved: so that the journal can tell who was refused.
pub fn buried(view: &Snapshot, schema: &Schema, dn: &[u8], key: &[u8]) -> Result<Option<EntryId>, Refusal> {
    let Some(rdn) = Dn::parse(dn).ok().and_then(|dn| dn.rdns.into_iter().next()) else { return Ok(None) };
    for ava in rdn.avas {
        let is_username = schema.find_attribute(ava.attribute.as_bytes()).is_some_and(|a| a.name() == "uid");
        let Some(name) = std::str::from_utf8(&ava.value).ok().filter(|_| is_username) else { continue };
        if let Some(id) = holder_of_username(view, name)?
            && let Some(grave) = view.graves()?.get(id.0)?
            && Record::parse(grave.value()).is_ok_and(|record| record.key() == key)
        {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

fn space(space: u8, name: &[u8]) -> Vec<u8> {
    [&[space], name].concat()
}

fn skeleton_key(skeleton: &[u8], owner: EntryId) -> Vec<u8> {
    [&[SKELETON], skeleton, &[0], &owner.0.to_be_bytes()].concat()
}

/// The same name in the other name space.
fn crossed(key: &[u8]) -> Option<Vec<u8>> {
    let (kind, name) = key.split_first()?;
    let other = match *kind {
        USERNAME => EMAIL,
        EMAIL => USERNAME,
        _ => return None,
    };
    name.contains(&b'@').then(|| space(other, name))
}

fn text<'a>(value: &'a [u8], what: &str) -> Result<&'a str, Refusal> {
    std::str::from_utf8(value).map_err(|_| Refusal::new(Reason::InvalidValue, format!("the {what} is not UTF-8")))
}

fn refused(what: &str, error: &NameRefusal) -> Refusal {
    Refusal::new(Reason::Constraint, format!("the {what} cannot be used: {error}"))
}

fn taken(key: &[u8], holder: EntryId) -> Refusal {
    let what = match key.first() {
        Some(&EMAIL) => "e-mail address",
        Some(&CLIENT) => "client identifier",
        _ => "username",
    };
    Refusal::new(Reason::NameTaken { what, holder }, format!("the {what} is taken"))
}

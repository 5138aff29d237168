//! The journal's record: what a write set changed, value by value, and the link to the record before it.
//!
//! Stored as `hash (32 bytes) | version | postcard`, where `hash = SHA-256(hash of the record before | position |
//! version and postcard)`: to edit, drop or reorder a record breaks the chain from there on. Secrets are never in it.

use crate::change::apply::Head;
use crate::clock::Millis;
use crate::context::{Actor, Door, Origin};
use crate::error::Refusal;
use crate::id::{EntryId, Position, WriteSetId};
use crate::store::merged::Layered;
use crate::store::tables::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// One write set, as history remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which write set.
    pub id: WriteSetId,
    /// When it was made.
    pub time: Millis,
    /// Who made it; none: the server or its operator.
    pub actor: Option<EntryId>,
    /// Through which door.
    pub door: Door,
    /// From which address.
    pub address: Option<IpAddr>,
    /// In which request.
    pub request_id: u64,
    /// What it did.
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// An entry came.
    Added {
        /// Its id.
        entry: EntryId,
        /// Its DN.
        dn: String,
    },
    /// Values of an entry changed.
    Modified {
        /// Its id.
        entry: EntryId,
        /// Its DN.
        dn: String,
        /// Which.
        values: Vec<ValueChange>,
    },
    /// An entry has a new name.
    Renamed {
        /// Its id.
        entry: EntryId,
        /// The DN before.
        from: String,
        /// The DN after.
        to: String,
        /// Entries below that moved with it.
        below: u64,
    },
    /// An entry went.
    Deleted {
        /// Its id.
        entry: EntryId,
        /// Its DN.
        dn: String,
    },
    /// A password was set.
    Password {
        /// The account.
        entry: EntryId,
        /// Its DN.
        dn: String,
        /// By the account itself.
        own: bool,
    },
    /// The facts of an account changed.
    Account {
        /// The account.
        entry: EntryId,
        /// Its DN.
        dn: String,
        /// The act or observation.
        act: String,
    },
    /// Something that changed nothing but is worth remembering.
    Noted(Note),
    /// Entries came from a file, all in this one step.
    Imported {
        /// How many.
        entries: u64,
    },
    /// An API token came or went.
    Token {
        /// The account.
        account: EntryId,
        /// Its DN.
        dn: String,
        /// The token's id.
        token: String,
        /// `create`, `rotate`, `revoke`, `expire`, or `end`: with the account's logins.
        act: String,
    },
    /// A session or refresh family came or went.
    Grant {
        /// The account.
        account: EntryId,
        /// What, and its id.
        grant: String,
        /// The application, if it is one's.
        client: Option<EntryId>,
        /// `start`, `renew`, `issue`, or why it ended (`grant::Cause`).
        act: String,
    },
}

/// New and gone values of one attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueChange {
    /// Attribute description.
    pub attribute: String,
    /// Gone.
    pub removed: Vec<Vec<u8>>,
    /// New.
    pub added: Vec<Vec<u8>>,
}

/// An event that changes nothing: a refused login, a denied act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When.
    pub time: Millis,
    /// About whom.
    pub entry: Option<EntryId>,
    /// Who had asked, when that is known.
    pub by: Option<EntryId>,
    /// What (`login-refused`, `act-refused`, …).
    pub what: String,
    /// Why, the real reason.
    pub reason: String,
    /// Through which door.
    pub door: Door,
    /// From which address.
    pub address: Option<IpAddr>,
    /// How often, when several of the same were put together.
    pub count: u32,
}

impl Record {
    /// A record without events.
    pub fn new(id: WriteSetId, actor: Actor, origin: Origin, time: Millis, request_id: u64) -> Record {
        let actor = match actor {
            Actor::Account { id, .. } => Some(id),
            Actor::Anonymous => Some(EntryId::NONE),
            Actor::System => None,
        };
        Record { id, time, actor, door: origin.door, address: origin.address, request_id, events: Vec::new() }
    }

    /// The stored form, linked to the record before, and its hash.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn seal(&self, position: Position, before: &[u8; 32]) -> Result<(Vec<u8>, [u8; 32]), Refusal> {
        let payload = crate::store::codec::encode(self)?;
        let hash = link(before, position, &payload);
        Ok(([hash.as_slice(), &payload].concat(), hash))
    }

    /// Reads a stored record and checks its link.
    ///
    /// # Errors
    /// When it does not decode. `Ok(None)`: it does not follow `before`.
    pub fn open(stored: &[u8], position: Position, before: &[u8; 32]) -> Result<Option<(Record, [u8; 32])>, Refusal> {
        let (hash, payload) = stored.split_at_checked(32).unwrap_or_default();
        let expected = link(before, position, payload);
        if hash != expected {
            return Ok(None);
        }
        Ok(Some((crate::store::codec::decode(payload)?, expected)))
    }
}

fn link(before: &[u8; 32], position: Position, payload: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(before).chain_update(position.0.to_be_bytes()).chain_update(payload).finalize().into()
}

/// Reads all records, checking the chain; stops at the first break. Where it ends, and the position whose record does not
/// follow the one before it.
///
/// # Errors
/// `Store`.
pub fn read(
    journal: &Layered<'_, u64, Bytes>,
    mut each: impl FnMut(Position, &Record),
) -> Result<(Head, Option<Position>), Refusal> {
    let mut head = Head { position: Position(0), hash: [0; 32] };
    for item in journal.range(..)? {
        let (position, stored) = item?;
        let position = Position(position);
        let gap = position.0 != head.position.0.saturating_add(1);
        match Record::open(stored.value(), position, &head.hash)? {
            Some((record, hash)) if !gap => {
                each(position, &record);
                head = Head { position, hash };
            }
            _ => return Ok((head, Some(position))),
        }
    }
    Ok((head, None))
}

//! Export: every entry in the order of the tree, its attributes, and what an import needs to make it again.
//!
//! Owns which values belong to an entry and how operational ones are written, so that `import` reads back what is written
//! here. Knows no file format: the caller gets pieces. One snapshot for all of it; memory is bounded by one entry, a group
//! by its members' names, which go to a temporary file when there are very many.

use crate::clock::{Millis, Now};
use crate::entry::dn::{DnKey, subtree_end};
use crate::entry::record::Record;
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::import::{Sorter, keep};
use crate::lifecycle::{self, Account, LockCause, Policy};
use crate::schema::Schema;
use crate::store::membership::{MEMBER, UNIQUE_MEMBER, all_of};
use crate::store::view::{Snapshot, View};
use std::ops::Bound;
use std::sync::Arc;

/// Bytes of members' names in memory.
const MEMBERS: usize = 64 * 1024 * 1024;
/// The syntax of userPassword, which the draft's form of a history names: an octet string (RFC 4517 §3.3.25).
const OCTET_STRING: &str = "1.3.6.1.4.1.1466.115.121.1.40";

/// What to export.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// DN text of the top of what is exported; none: everything.
    pub base: Option<&'a [u8]>,
    /// Operational attributes too.
    pub operational: bool,
    /// Hashes of passwords too.
    pub passwords: bool,
}

/// A piece of the export, in this order: an entry, its values, its end.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// An entry begins: its DN.
    Entry(&'a str),
    /// Attribute description and value.
    Value(&'a [u8], &'a [u8]),
    /// It ends.
    End,
}

/// Why an export stopped.
#[derive(Debug)]
pub enum Stopped<E> {
    /// The directory.
    Refused(Refusal),
    /// Whoever takes the pieces.
    Taker(E),
}

impl<E> From<Refusal> for Stopped<E> {
    fn from(refusal: Refusal) -> Stopped<E> {
        Stopped::Refused(refusal)
    }
}

impl Directory {
    /// Hands over every entry, parents first. Returns how many.
    ///
    /// # Errors
    /// `NoSuchEntry` when the base is not there, `InvalidName`, `Store`; and what `take` returns.
    pub fn export<E>(
        &self,
        options: Options<'_>,
        take: impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<u64, Stopped<E>> {
        let snapshot = self.snapshot()?;
        let (schema, policy, now) = (self.schema().clone(), self.policy().clone(), self.now());
        Exporting { snapshot, schema, policy, now, options, take }.run()
    }
}

struct Exporting<'o, T> {
    snapshot: Arc<Snapshot>,
    schema: Arc<Schema>,
    policy: Arc<Policy>,
    now: Now,
    options: Options<'o>,
    take: T,
}

impl<T, E> Exporting<'_, T>
where
    T: FnMut(Piece<'_>) -> Result<(), E>,
{
    fn run(mut self) -> Result<u64, Stopped<E>> {
        let snapshot = self.snapshot.clone();
        let (start, end) = self.bounds()?;
        let mut entries = 0_u64;
        let refused = |error: redb::StorageError| Stopped::Refused(error.into());
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        for id in snapshot.names().range((Bound::Included(start), end))?.values() {
            let id = EntryId(id.map_err(refused)?);
            let damaged = || Refusal::new(Reason::Store, "the store failed").with_detail(format!("entry {}", id.0));
            let guard = snapshot.record(id)?.ok_or_else(damaged)?;
            let record = Record::parse(guard.value()).map_err(|_| damaged())?;
            self.piece(Piece::Entry(record.dn()))?;
            self.entry(id, &record)?;
            self.piece(Piece::End)?;
            entries = entries.saturating_add(1);
        }
        Ok(entries)
    }

    fn bounds(&self) -> Result<(Vec<u8>, Option<Vec<u8>>), Refusal> {
        let Some(base) = self.options.base else { return Ok((Vec::new(), None)) };
        let key = DnKey::parse(&self.schema, base).map_err(|e| Refusal::new(Reason::InvalidName, e.to_string()))?;
        if key.is_root() {
            return Ok((Vec::new(), None));
        }
        if self.snapshot.id_of(key.as_bytes())?.is_none() {
            return Err(Refusal::new(Reason::NoSuchEntry { matched: String::new() }, "there is no such entry"));
        }
        let end = subtree_end(key.as_bytes());
        Ok((key.into_bytes(), end))
    }

    fn piece(&mut self, piece: Piece<'_>) -> Result<(), Stopped<E>> {
        (self.take)(piece).map_err(Stopped::Taker)
    }

    fn value(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), Stopped<E>> {
        self.piece(Piece::Value(name.as_bytes(), value.as_ref()))
    }

    fn entry(&mut self, id: EntryId, record: &Record<'_>) -> Result<(), Stopped<E>> {
        let schema = self.schema.clone();
        for attribute in record.attributes() {
            let mut name = schema.attribute(attribute.id).name().as_bytes().to_vec();
            if !attribute.options.is_empty() {
                name.push(b';');
                name.extend_from_slice(attribute.options);
            }
            for value in attribute.values() {
                self.piece(Piece::Value(&name, value))?;
            }
        }
        self.members(id)?;
        if self.options.operational {
            self.stamps(record)?;
        }
        if !record.kind().is_account() {
            return Ok(());
        }
        let account = self.snapshot.account(id)?;
        if self.options.passwords {
            self.password(id, account.as_ref())?;
        }
        match account {
            Some(account) if self.options.operational => self.facts(&account),
            _ => Ok(()),
        }
    }

    /// Members in the order of the tree, so that the export does not depend on the order in which entries were made.
    fn members(&mut self, id: EntryId) -> Result<(), Stopped<E>> {
        let snapshot = self.snapshot.clone();
        for (name, by) in [("member", MEMBER), ("uniqueMember", UNIQUE_MEMBER)] {
            let mut sorter = Sorter::new(None, keep);
            for item in snapshot.members().range(all_of(id)).map_err(Refusal::from)? {
                let (key, held) = item.map_err(Refusal::from)?;
                if held.value() & by == 0 {
                    continue;
                }
                if let Some(guard) = snapshot.record(EntryId(key.value().1))?
                    && let Ok(member) = Record::parse(guard.value())
                {
                    sorter.push(member.key(), &[], member.dn().as_bytes())?;
                }
                if sorter.held() > MEMBERS {
                    sorter.spill()?;
                }
            }
            let mut members = sorter.into_sorted()?;
            while members.advance()? {
                self.piece(Piece::Value(name.as_bytes(), members.value()))?;
            }
        }
        Ok(())
    }

    fn stamps(&mut self, record: &Record<'_>) -> Result<(), Stopped<E>> {
        let header = record.header();
        self.value("entryUUID", header.uuid.to_string())?;
        self.value("createTimestamp", time(header.created))?;
        self.value("modifyTimestamp", time(header.modified))?;
        let snapshot = self.snapshot.clone();
        for (name, author) in [("creatorsName", header.creator), ("modifiersName", header.modifier)] {
            // An author that is gone, and the system itself, have no name.
            if let Some(guard) = snapshot.record(author)?
                && let Ok(author) = Record::parse(guard.value())
            {
                self.value(name, author.dn())?;
            }
        }
        Ok(())
    }

    fn password(&mut self, id: EntryId, account: Option<&Account>) -> Result<(), Stopped<E>> {
        let Some(credential) = self.snapshot.credential(id)? else { return Ok(()) };
        if let Some(hash) = &credential.password {
            self.value("userPassword", hash)?;
        }
        // When each of them was replaced is not kept, only their order: a second before the other.
        let changed = account.and_then(|a| a.password_changed_at).unwrap_or_default().0;
        for (hash, age) in credential.history.iter().zip(1_i64..) {
            let replaced = Millis(changed.saturating_sub(age.saturating_mul(1_000))).to_generalized_seconds();
            self.value("pwdHistory", format!("{replaced}#{OCTET_STRING}#{}#{hash}", hash.len()))?;
        }
        Ok(())
    }

    fn facts(&mut self, account: &Account) -> Result<(), Stopped<E>> {
        let now = self.now;
        let wall = |steady: Millis| Millis(now.wall.0.saturating_add(steady.0.saturating_sub(now.steady.0)));
        if let Some(at) = account.password_changed_at {
            self.value("pwdChangedTime", time(at))?;
        }
        if let Some(at) = account.counters.last_login {
            self.value("pwdLastSuccess", time(at))?;
        }
        let failures = account.counters.failures;
        for before in 0..i64::from(failures.count) {
            self.value("pwdFailureTime", time(Millis(wall(failures.last).0.saturating_sub(before))))?;
        }
        if let Some(lock) = account.counters.standing_lock(now.steady) {
            match lock.cause {
                LockCause::Administrator => self.value("pwdAccountLockedTime", "000001010000Z")?,
                LockCause::Failures => self.value("pwdAccountLockedTime", time(lock.at))?,
            }
            if let Some(until) = lock.until {
                self.value("pwdAccountTmpLockoutEnd", time(wall(until)))?;
            }
        }
        if account.force_change {
            self.value("pwdReset", "TRUE")?;
        }
        let state = lifecycle::state(account, &self.policy, &now);
        self.value("rollbookState", state.name())
    }
}

/// Whole seconds where that loses nothing: the form that every server reads.
fn time(at: Millis) -> String {
    if at.0.rem_euclid(1_000) == 0 { at.to_generalized_seconds() } else { at.to_generalized_time() }
}

//! Applying a write set: deterministic, all or nothing.
//!
//! Nothing here reads a clock, draws a random number or knows a setting: the same sets in the same order make the same
//! store on every machine. A refused set leaves no trace; the lane sees to that (`journal::worker`), because a set that
//! is refused after its first write costs the transaction.

use super::references::draft_of;
use super::{Op, Receipt, Subject, WriteSet, account, add, carry, delete, members, modify, rename};
use crate::access::{Remembered, Rights};
use crate::entry::record::{Draft, Record};
use crate::error::{Reason, Refusal};
use crate::grant::apply::{Crowds, Outcome};
use crate::id::{EntryId, Position};
use crate::journal::record::{Event, Record as JournalRecord};
use crate::schema::Schema;
use crate::store::tables::meta;
use crate::store::view::{Tables, View};

/// What applying goes on: the set's circumstances, the actor's rights in this very state, the record being written.
pub struct Applying<'a, 't> {
    /// The transaction's tables.
    pub tables: &'a mut Tables<'t>,
    /// The schema of this store.
    pub schema: &'a Schema,
    /// The set.
    pub set: &'a WriteSet,
    /// The position that the set gets.
    pub position: Position,
    /// The actor's rights, read from `tables`.
    pub rights: Rights,
    /// What the lane knows of how many families accounts hold.
    pub(crate) crowds: &'a Crowds,
    /// The journal record so far.
    pub record: JournalRecord,
    /// The last entry that was made or changed.
    pub entry: Option<EntryId>,
    /// What became of grants.
    pub grants: Outcome,
    /// Something has been written.
    pub dirty: bool,
    /// Nothing of it moves anybody's rights. Rights follow from memberships, facts of accounts, roles and tenants: new
    /// people and groups without members, and values of people, leave them as they are; of anything else it is not said.
    pub calm: bool,
}

/// What became of a set.
pub enum Applied {
    /// Carried out and recorded.
    Done(Receipt),
    /// It had been carried out before: the first receipt again.
    Repeated(Receipt),
    /// There was nothing to do: nothing is written, nothing recorded.
    Unchanged(Receipt),
    /// Refused before anything was written.
    Refused(Refusal),
    /// Refused after something was written: the transaction has to be given up.
    Spoiled(Refusal),
}

/// Applies one set at the next position. `remembered` are rights in the state that `tables` have now, and afterwards;
/// `crowds` is the lane's.
pub(crate) fn apply(
    tables: &mut Tables<'_>,
    schema: &Schema,
    set: &WriteSet,
    last: &mut Head,
    remembered: &Remembered,
    crowds: &Crowds,
) -> Applied {
    match tables.receipt(set.id) {
        Err(refusal) => return Applied::Refused(refusal),
        Ok(Some(position)) => {
            return Applied::Repeated(Receipt {
                position,
                entry: None,
                entries: Vec::new(),
                epoch: None,
                generated_password: None,
                grants: Outcome::default(),
            });
        }
        Ok(None) => {}
    }
    let rights = match remembered.of(tables, schema, set.actor) {
        Ok(rights) => rights,
        // A password change under must-change has no rights but those over itself.
        Err(refusal) => return Applied::Refused(refusal),
    };
    let position = Position(last.position.0.saturating_add(1));
    let mut applying = Applying::new(tables, schema, set, position, rights, crowds);
    let outcome = applying.steps();
    let changed = applying.dirty || !applying.record.events.is_empty();
    let outcome = outcome.and_then(|entries| {
        if changed {
            applying.finish(last)?;
        }
        Ok(entries)
    });
    let (dirty, entry, grants) = (applying.dirty, applying.entry, applying.grants);
    if dirty && !applying.calm {
        remembered.forget();
    }
    match outcome {
        Ok(entries) => {
            let position = if changed { position } else { last.position };
            let receipt = Receipt { position, entry, entries, epoch: None, generated_password: None, grants };
            if changed { Applied::Done(receipt) } else { Applied::Unchanged(receipt) }
        }
        Err(refusal) if dirty => Applied::Spoiled(refusal),
        Err(refusal) => Applied::Refused(refusal),
    }
}

/// Applies one set as if it were the next, for its events; the caller gives the transaction up.
///
/// # Errors
/// What [`apply`] would refuse.
pub fn rehearse(tables: &mut Tables<'_>, schema: &Schema, set: &WriteSet, last: Head) -> Result<Vec<Event>, Refusal> {
    let rights = Rights::of(tables, schema, set.actor)?;
    let position = Position(last.position.0.saturating_add(1));
    let crowds = Crowds::default();
    let mut applying = Applying::new(tables, schema, set, position, rights, &crowds);
    applying.steps()?;
    Ok(applying.record.events)
}

/// The end of the journal that the next set is linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last position; 0: none.
    pub position: Position,
    /// The hash of the last record.
    pub hash: [u8; 32],
}

impl Head {
    /// The head of a state.
    pub fn read(view: &impl View) -> Result<Head, Refusal> {
        view.head()
    }

    /// Writes the head.
    pub fn write(&self, tables: &mut Tables<'_>) -> Result<(), Refusal> {
        tables.meta.write().insert(meta::POSITION, self.position.0.to_le_bytes().as_slice())?;
        tables.meta.write().insert(meta::CHAIN, self.hash.as_slice())?;
        Ok(())
    }
}

impl<'a, 't> Applying<'a, 't> {
    fn new(
        tables: &'a mut Tables<'t>,
        schema: &'a Schema,
        set: &'a WriteSet,
        position: Position,
        rights: Rights,
        crowds: &'a Crowds,
    ) -> Applying<'a, 't> {
        let record = JournalRecord::new(set.id, set.actor, set.origin, set.now.wall, set.request_id);
        Applying {
            tables,
            schema,
            set,
            position,
            rights,
            crowds,
            record,
            entry: None,
            grants: Outcome::default(),
            dirty: false,
            calm: true,
        }
    }

    /// Carries out every step; the entry that each made or changed.
    fn steps(&mut self) -> Result<Vec<Option<EntryId>>, Refusal> {
        let mut entries = Vec::with_capacity(self.set.ops.len());
        for op in &self.set.ops {
            let before = self.entry.take();
            self.step(op)?;
            entries.push(self.entry);
            self.entry = self.entry.or(before);
        }
        Ok(entries)
    }

    fn step(&mut self, op: &Op) -> Result<(), Refusal> {
        // Those that may be calm say so themselves.
        self.calm &= matches!(op, Op::Add(_) | Op::Modify { .. } | Op::Expect { .. } | Op::Note(_));
        match op {
            Op::Add(op) => add::apply(self, op),
            Op::Modify { subject, expected, modifications, password } => {
                modify::apply(self, subject, *expected, modifications, password.as_ref())
            }
            Op::Rename { .. } => rename::apply(self, op),
            Op::Delete { subject, subtree } => delete::apply(self, subject, *subtree),
            Op::Members { subject, add, remove } => members::apply(self, subject, add, remove),
            Op::Expect { entry, version } => {
                let (_, draft) = self.find(&Subject::Id(*entry))?;
                if draft.header.version == *version { Ok(()) } else { Err(carry::stale()) }
            }
            Op::Account { .. } => account::apply(self, op),
            Op::Observed { id, counters } => account::observe(self, *id, counters),
            Op::Upgrade { id, expected, next } => account::upgrade(self, *id, expected.as_ref(), next),
            Op::Purge { id } => account::purge(self, *id),
            Op::MarkRole { role, reader } => account::mark_role(self, *role, *reader),
            Op::MarkBuiltIn { subject } => account::mark_built_in(self, subject),
            Op::Token(op) => crate::token::apply::apply(self, op),
            Op::Grant(op) => crate::grant::apply::apply(self, op),
            Op::Note(note) => {
                self.record.events.push(Event::Noted((**note).clone()));
                Ok(())
            }
        }
    }

    /// Writes the record and the receipt; the head goes into `last`, and into the store once per commit.
    fn finish(&mut self, last: &mut Head) -> Result<(), Refusal> {
        let (sealed, hash) = self.record.seal(self.position, &last.hash)?;
        self.dirty = true;
        self.tables.unwritten.put_journal(self.position, sealed);
        self.tables.put_receipt(self.set.id, self.position);
        *last = Head { position: self.position, hash };
        Ok(())
    }

    /// Finds an entry that the actor may know of.
    ///
    /// # Errors
    /// `NoSuchEntry`, also when the actor may not see it.
    pub fn find(&self, subject: &Subject) -> Result<(EntryId, Draft), Refusal> {
        let id = match subject {
            Subject::Id(id) => Some(*id),
            Subject::Key(key) => self.tables.id_of(key)?,
        };
        let guard = match id {
            Some(id) => self.tables.record(id)?.map(|g| (id, g)),
            None => None,
        };
        if let Some((id, guard)) = guard {
            let seen = Record::parse(guard.value())
                .is_ok_and(|record| self.rights.sight(id, &record) != crate::access::Sight::None);
            if seen {
                return Ok((id, draft_of(guard.value())?));
            }
        }
        let key = if let Subject::Key(key) = subject { key.as_slice() } else { &[] };
        Err(no_such_entry(self.tables, &self.rights, key)?)
    }

    /// A read view of a draft's stored record, for the rights.
    ///
    /// # Errors
    /// `Store` when the entry is gone.
    pub fn with_record<T>(&self, id: EntryId, f: impl FnOnce(&Record<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let damaged = || Refusal::new(Reason::Store, "the store failed");
        let guard = self.tables.record(id)?.ok_or_else(damaged)?;
        let record = Record::parse(guard.value()).map_err(|_| damaged())?;
        f(&record)
    }

    /// Draws the next entry id.
    pub fn next_id(&mut self) -> Result<EntryId, Refusal> {
        let next = View::next_id(self.tables)?;
        let after = next.checked_add(1).ok_or_else(|| Refusal::new(Reason::Store, "no ids are left"))?;
        self.dirty = true;
        self.tables.unwritten.set_next_id(EntryId(after));
        Ok(EntryId(next))
    }

    /// The id that the actor's acts are recorded under in entries.
    pub fn author(&self) -> EntryId {
        match self.set.actor {
            crate::context::Actor::Account { id, .. } => id,
            _ => EntryId::NONE,
        }
    }
}

/// The refusal for a DN that names nothing, with the deepest ancestor that the actor may see.
pub fn no_such_entry(view: &impl View, rights: &Rights, key: &[u8]) -> Result<Refusal, Refusal> {
    let mut matched = String::new();
    let mut key = crate::entry::dn::parent_of(key);
    while let Some(ancestor) = key.filter(|k| !k.is_empty()) {
        if let Some(id) = view.id_of(ancestor)? {
            let guard = view.record(id)?;
            let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
            if let Some(record) = record.filter(|r| rights.sight(id, r) != crate::access::Sight::None) {
                matched = record.dn().to_owned();
            }
            break;
        }
        key = crate::entry::dn::parent_of(ancestor);
    }
    Ok(Refusal::new(Reason::NoSuchEntry { matched }, ""))
}

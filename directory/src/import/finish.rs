//! The end of an import: those who waited, authors, naming contexts, the journal, and all rows into their tables.

use super::Summary;
use super::bulk::{Author, Bulk};
use super::known::Names;
use crate::bootstrap::{READER_ROLE, SYSTEM_ROLE};
use crate::change::apply::Head;
use crate::error::{Reason, Refusal};
use crate::id::EntryId;
use crate::journal::record::{Event, Record as JournalRecord};
use crate::store::tables::meta;
use crate::store::view::View;
use std::collections::{BTreeMap, HashMap};

impl Bulk<'_> {
    /// Everything has been read.
    pub(super) fn finish(mut self) -> Result<Summary, Refusal> {
        for entry in self.deferred.release() {
            self.entry(entry, true)?;
        }
        self.settle_members()?;
        let flawed = self.summary.refused > 0 || self.summary.left_out > 0;
        if self.summary.entries == 0 || (self.options.all_or_nothing && flawed) {
            return Ok(self.summary);
        }
        self.trigrams.write(&mut self.rows.text)?;
        self.entries.write(self.tables.entries.write())?;
        self.accounts.write(self.tables.accounts.write())?;
        self.credentials.write(self.tables.credentials.write())?;
        self.graves.write(self.tables.graves.write()?)?;
        self.settle_authors()?;
        self.settle_contexts()?;
        self.settle_counts()?;
        self.tables.meta.write().insert(meta::NEXT_ID, self.next.to_le_bytes().as_slice())?;
        self.record()?;
        let Bulk { mut tables, rows, mut summary, position, .. } = self;
        rows.pour(&mut tables)?;
        summary.position = Some(position);
        Ok(summary)
    }

    /// Authors that came after the entries that they made.
    fn settle_authors(&mut self) -> Result<(), Refusal> {
        let mut ids: HashMap<u32, EntryId> = HashMap::new();
        for (name, author) in &self.authors.found {
            if let Author::Waits(number) = author
                && let Some(id) = (Names { tables: &self.tables, known: &self.known }).id_of(name)?
            {
                ids.insert(*number, id);
            }
        }
        for (entry, number, made) in std::mem::take(&mut self.authors.waiting) {
            let Some(author) = ids.get(&number) else { continue };
            let Some(mut draft) = crate::change::references::load(&self.tables, EntryId(entry))? else { continue };
            let slot = if made { &mut draft.header.creator } else { &mut draft.header.modifier };
            *slot = *author;
            self.tables.entries.write().insert(entry, draft.encode().as_slice())?;
        }
        Ok(())
    }

    /// The naming contexts that the file brought, and the roles that hold everywhere: those of the first that has them.
    fn settle_contexts(&mut self) -> Result<(), Refusal> {
        if self.new_contexts.is_empty() {
            return Ok(());
        }
        let bytes: Vec<u8> = self.new_contexts.iter().flat_map(|id| id.0.to_le_bytes()).collect();
        self.tables.meta.write().insert(meta::SUFFIXES, bytes.as_slice())?;
        for (name, slot) in [(SYSTEM_ROLE, meta::SYSTEM_ADMIN), (READER_ROLE, meta::READERS)] {
            let Some(role) = self.role(name)? else {
                let why = format!(
                    "the store has no naming context, and the file does not bring the role {name}: make the naming \
                     context first (rollbook init --suffix DN), then import"
                );
                return Err(Refusal::new(Reason::Unwilling, why));
            };
            self.tables.meta.write().insert(slot, role.0.to_le_bytes().as_slice())?;
        }
        Ok(())
    }

    fn role(&self, name: &str) -> Result<Option<EntryId>, Refusal> {
        for id in &self.new_contexts {
            let dn = self.with_record(*id, |r| r.dn().to_owned())?;
            let key = crate::change::prepare::dn_key(&self.schema, format!("cn={name},ou=roles,{dn}").as_bytes())?;
            if let Some(id) = self.known.id_of(key.as_bytes()) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    fn settle_counts(&mut self) -> Result<(), Refusal> {
        let counts: BTreeMap<u64, u64> = std::mem::take(&mut self.counts).into_iter().collect();
        for (parent, more) in counts {
            let children = self.tables.child_count(EntryId(parent))?.saturating_add(more);
            self.tables.counts.write().insert(parent, children)?;
        }
        Ok(())
    }

    fn record(&mut self) -> Result<(), Refusal> {
        let set = &self.set;
        let mut record = JournalRecord::new(set.id, set.actor, set.origin, set.now.wall, set.request_id);
        record.events.push(Event::Imported { entries: self.summary.entries });
        let (sealed, hash) = record.seal(self.position, &self.head.hash)?;
        self.tables.journal.write().insert(self.position.0, sealed.as_slice())?;
        self.tables.receipts.write().insert(set.id.0, self.position.0)?;
        Head { position: self.position, hash }.write(&mut self.tables)
    }
}

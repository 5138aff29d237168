//! The writing half of an import: on the write lane, in one transaction, in the order of the file.
//!
//! Owns what needs the other entries: parents, ids, unique names, members, authors. What it writes goes through sorters
//! and is poured at the end; only records, facts and hashes, whose ids ascend, go into their tables at once.

use super::deferred::Deferred;
use super::known::{Known, Names};
use super::members::Nested;
use super::prepare::Prepared;
use super::rows::{Gathered, RowSets};
use super::sorter::Sorter;
use super::trigrams::Trigrams;
use super::{Finding, FindingKind, InOrder, Options, Summary};
use crate::change::WriteSet;
use crate::change::apply::Head;
use crate::entry::record::{Record, fill_in};
use crate::error::{Reason, Refusal};
use crate::id::{EntryId, Position};
use crate::schema::{Kind, Schema};
use crate::store::codec;
use crate::store::pending::Staging;
use crate::store::tables::meta;
use crate::store::view::{Tables, View};
use redb::Database;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of records that are gathered before they are written.
const GATHERED: usize = 4 * 1024 * 1024;
/// Names of authors that are looked for at the end; the entries of more keep the server as their author.
const AUTHORS: usize = 100_000;

/// What the lane is given to do.
pub struct Job {
    /// The schema.
    pub schema: Arc<Schema>,
    /// A write set without steps: who, when, and the key of the receipt.
    pub set: WriteSet,
    /// The key of the fingerprints.
    pub seed: [u8; 16],
    /// How.
    pub options: Options,
    /// Set when everything has been handed over.
    pub finished: Arc<AtomicBool>,
    /// Takes findings.
    pub report: Box<dyn FnMut(Finding) + Send>,
}

impl Job {
    /// Imports. Nothing is written when this fails.
    ///
    /// # Errors
    /// `Store`, `Busy` when the caller gave up, `Unwilling` when there would be no administrators.
    pub fn run(self, database: &Database, staging: &Staging, batches: &InOrder) -> Result<Summary, Refusal> {
        let mut txn = database.begin_write().map_err(failed)?;
        txn.set_quick_repair(true);
        let finished = self.finished.clone();
        let mut tables = Tables::open(&txn, staging)?;
        // The rows of an import go to their places.
        tables.flush()?;
        let mut bulk = Bulk::new(tables, self)?;
        for batch in batches.batches() {
            bulk.batch(batch)?;
        }
        if !finished.load(Ordering::SeqCst) {
            return Err(Refusal::new(Reason::Busy, "the import was given up"));
        }
        let summary = bulk.finish()?;
        if summary.position.is_some() {
            txn.commit().map_err(failed)?;
        } else {
            txn.abort().map_err(failed)?;
        }
        Ok(summary)
    }
}

/// The words of a refusal for a report.
pub fn reason(refusal: &Refusal) -> String {
    if !refusal.message.is_empty() {
        return refusal.message.clone();
    }
    match &refusal.reason {
        Reason::EntryExists => "an entry of that name is there already".into(),
        Reason::NoSuchEntry { .. } => "the parent is not there".into(),
        other => format!("{other:?}"),
    }
}

/// The state of an import.
pub struct Bulk<'t> {
    pub(super) tables: Tables<'t>,
    pub(super) schema: Arc<Schema>,
    pub(super) set: WriteSet,
    pub(super) options: Options,
    pub(super) report: Box<dyn FnMut(Finding) + Send>,
    pub(super) summary: Summary,
    pub(super) head: Head,
    pub(super) position: Position,
    pub(super) first: u64,
    pub(super) next: u64,
    pub(super) known: Known,
    pub(super) contexts: Vec<Vec<u8>>,
    pub(super) new_contexts: Vec<EntryId>,
    /// The store had no naming context: the file brings its own.
    pub(super) restoring: bool,
    parent: Option<Parent>,
    pub(super) deferred: Deferred,
    pub(super) entries: Gathered,
    pub(super) accounts: Gathered,
    pub(super) credentials: Gathered,
    pub(super) graves: Gathered,
    pub(super) counts: HashMap<u64, u64>,
    pub(super) trigrams: Trigrams,
    pub(super) rows: RowSets,
    /// The imported groups and roles.
    pub(super) groups: HashSet<u64>,
    pub(super) pending: Sorter,
    pub(super) waiting_members: u64,
    pub(super) nested: Vec<Nested>,
    pub(super) authors: Authors,
}

/// The parent of the last entry.
struct Parent {
    key: Vec<u8>,
    id: EntryId,
    dn: String,
}

/// Names of authors that were not there when an entry named them.
#[derive(Default)]
pub(super) struct Authors {
    pub(super) found: HashMap<Vec<u8>, Author>,
    /// Entry, number of the name, and whether it made the entry (or changed it last).
    pub(super) waiting: Vec<(u64, u32, bool)>,
}

/// One of them.
#[derive(Clone, Copy)]
pub(super) enum Author {
    Is(EntryId),
    Waits(u32),
}

/// Where an entry goes.
enum Spot {
    Below(EntryId, String),
    Context,
    Later,
    Nowhere,
}

impl<'t> Bulk<'t> {
    fn new(tables: Tables<'t>, job: Job) -> Result<Bulk<'t>, Refusal> {
        let head = Head::read(&tables)?;
        let first = tables.meta_u64(meta::NEXT_ID)?.unwrap_or(1);
        let mut contexts = Vec::new();
        for id in tables.meta_ids(meta::SUFFIXES)? {
            let guard = tables.record(id)?;
            let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
            contexts.extend(record.map(|r| r.key().to_vec()));
        }
        let rows = RowSets::new(job.options.spill.clone());
        Ok(Bulk {
            tables,
            schema: job.schema,
            set: job.set,
            report: job.report,
            summary: Summary::default(),
            position: Position(head.position.0.saturating_add(1)),
            head,
            first,
            next: first,
            known: Known::new(job.seed, first),
            restoring: contexts.is_empty(),
            contexts,
            new_contexts: Vec::new(),
            parent: None,
            deferred: Deferred::default(),
            entries: Gathered::default(),
            accounts: Gathered::default(),
            credentials: Gathered::default(),
            graves: Gathered::default(),
            counts: HashMap::new(),
            trigrams: Trigrams::default(),
            groups: HashSet::new(),
            pending: rows.sorter(),
            rows,
            waiting_members: 0,
            nested: Vec::new(),
            authors: Authors::default(),
            options: job.options,
        })
    }

    fn batch(&mut self, batch: super::worker::Batch) -> Result<(), Refusal> {
        for (counts, more) in
            [(&mut self.summary.ignored, batch.passed.ignored), (&mut self.summary.dropped, batch.passed.dropped)]
        {
            for (name, count) in more {
                let held: &mut u64 = counts.entry(name).or_default();
                *held = held.saturating_add(count);
            }
        }
        for entry in batch.entries {
            match entry {
                Ok(entry) => self.entry(entry, false)?,
                Err(finding) => self.find(finding),
            }
        }
        self.keep_bound()
    }

    /// Writes what has been gathered, and spills the largest sorters, so that memory stays bounded.
    fn keep_bound(&mut self) -> Result<(), Refusal> {
        for (gathered, table) in [
            (&mut self.entries, &mut self.tables.entries),
            (&mut self.accounts, &mut self.tables.accounts),
            (&mut self.credentials, &mut self.tables.credentials),
        ] {
            if gathered.bytes >= GATHERED {
                gathered.write(table.write())?;
            }
        }
        let mut sorters: Vec<&mut Sorter> = self.rows.all().into_iter().chain([&mut self.pending]).collect();
        while sorters.iter().map(|s| s.held()).fold(0, usize::saturating_add) > self.options.memory {
            let Some(largest) = sorters.iter_mut().max_by_key(|s| s.held()) else { break };
            largest.spill()?;
        }
        Ok(())
    }

    pub(super) fn find(&mut self, finding: Finding) {
        let count = match finding.kind {
            FindingKind::Refused => &mut self.summary.refused,
            FindingKind::LeftOut => &mut self.summary.left_out,
            FindingKind::AlreadyThere => &mut self.summary.already_there,
        };
        *count = count.saturating_add(1);
        (self.report)(finding);
    }

    fn refuse(&mut self, entry: Prepared, kind: FindingKind, why: impl Into<String>) {
        self.find(Finding { place: entry.place, dn: entry.dn, kind, reason: why.into() });
    }

    pub(super) fn entry(&mut self, entry: Prepared, last: bool) -> Result<(), Refusal> {
        let names = Names { tables: &self.tables, known: &self.known };
        if let Some(id) = names.id_of(&entry.key)? {
            return self.there_already(entry, id);
        }
        let (parent, parent_dn) = match self.spot(&entry)? {
            Spot::Below(id, dn) => (id, dn),
            Spot::Context => (EntryId::NONE, String::new()),
            Spot::Nowhere => {
                self.refuse(entry, FindingKind::Refused, "no naming context of this server holds the entry");
                return Ok(());
            }
            Spot::Later if last => {
                self.refuse(entry, FindingKind::Refused, "the parent is not there");
                return Ok(());
            }
            Spot::Later => {
                if let Some(entry) = self.deferred.take(entry, self.options.memory / 4) {
                    let why = "the parent has not come yet, and too many entries wait for theirs: sort the file";
                    self.refuse(entry, FindingKind::Refused, why);
                }
                return Ok(());
            }
        };
        let names = Names { tables: &self.tables, known: &self.known };
        if let Err(refusal) = entry.claims.check(&names, EntryId::NONE) {
            if refusal.reason == Reason::Store {
                return Err(refusal);
            }
            self.refuse(entry, FindingKind::Refused, reason(&refusal));
            return Ok(());
        }
        if entry.foreign_uuid && !self.is_new_uuid(&entry)? {
            self.refuse(entry, FindingKind::Refused, "entryUUID: another entry has it");
            return Ok(());
        }
        self.write(entry, parent, &parent_dn)
    }

    fn there_already(&mut self, entry: Prepared, id: EntryId) -> Result<(), Refusal> {
        let before = id.0 < self.first;
        let container = |kind| matches!(kind, Kind::Other | Kind::Tenant);
        let kind =
            if before && container(entry.kind) && container(self.with_record(id, |r: &Record<'_>| Record::kind(r))?) {
                FindingKind::AlreadyThere
            } else {
                FindingKind::Refused
            };
        self.refuse(entry, kind, reason(&Refusal::new(Reason::EntryExists, "")));
        Ok(())
    }

    fn is_new_uuid(&mut self, entry: &Prepared) -> Result<bool, Refusal> {
        let uuid = entry.uuid.as_bytes();
        let attribute = crate::schema::known::attribute::ENTRY_UUID;
        let held = self.first > 1 && !self.tables.holders(attribute, uuid, 1)?.is_empty();
        Ok(!held && self.known.uuid(uuid, EntryId(self.next)))
    }

    fn spot(&mut self, entry: &Prepared) -> Result<Spot, Refusal> {
        let key = entry.key.as_slice();
        let above = key.get(..entry.parent_length).unwrap_or_default();
        if let Some(parent) = self.parent.as_ref().filter(|p| p.key == above && !above.is_empty()) {
            return Ok(Spot::Below(parent.id, parent.dn.clone()));
        }
        let found =
            if above.is_empty() { None } else { Names { tables: &self.tables, known: &self.known }.id_of(above)? };
        if let Some(id) = found {
            let dn = self.with_record(id, |r| r.dn().to_owned())?;
            self.parent = Some(Parent { key: above.to_vec(), id, dn: dn.clone() });
            return Ok(Spot::Below(id, dn));
        }
        if self.contexts.iter().any(|context| key.starts_with(context)) {
            return Ok(Spot::Later);
        }
        let would_hold_another = self.contexts.iter().any(|context| context.starts_with(key));
        if self.restoring && !would_hold_another && entry.may_be_context {
            return Ok(Spot::Context);
        }
        Ok(Spot::Nowhere)
    }

    fn write(&mut self, mut entry: Prepared, parent: EntryId, parent_dn: &str) -> Result<(), Refusal> {
        let id = EntryId(self.next);
        if u32::try_from(self.next.saturating_sub(self.first)).is_err() {
            return Err(Refusal::new(Reason::Store, "more than 4,294,967,295 entries in one import"));
        }
        self.next = self.next.saturating_add(1);
        // Almost always the parent is stored as it is written in the file.
        let fits = entry.stored_dn.strip_prefix(entry.rdn.as_str()).and_then(|rest| rest.strip_prefix(','));
        if parent != EntryId::NONE && fits != Some(parent_dn) {
            let mut draft = crate::change::references::draft_of(&entry.record)?;
            draft.dn = format!("{},{parent_dn}", entry.rdn);
            entry.record = draft.encode();
        }
        let [creator, modifier] = std::mem::take(&mut entry.authors);
        let authors = [self.author(id, creator, true)?, self.author(id, modifier, false)?];
        fill_in(&mut entry.record, parent, authors, self.position);

        let deleted = entry.account.as_ref().and_then(|a| a.deletion);
        if !deleted.is_some_and(|d| d.names_free) {
            for (key, value) in entry.claims.rows(id) {
                self.known.claim(&key, value, id);
                self.rows.claims.push(&key, &[], &value.to_be_bytes())?;
            }
        }
        if let Some(account) = &entry.account {
            self.accounts.push(id, codec::encode(account.as_ref())?);
        }
        for reason in std::mem::take(&mut entry.left_out) {
            let (place, dn) = (entry.place, entry.dn.clone());
            self.find(Finding { place, dn, kind: FindingKind::LeftOut, reason });
        }
        self.summary.entries = self.summary.entries.saturating_add(1);
        if deleted.is_some() {
            // It waits in its grave for the purge, as any deleted account does; only its names are still its own.
            self.graves.push(id, entry.record);
            return Ok(());
        }
        if let Some(credential) = &entry.credential {
            self.credentials.push(id, codec::encode(credential)?);
        }
        self.write_rows(id, parent, &entry)?;
        self.entries.push(id, entry.record);
        let kind = entry.kind;
        if matches!(kind, Kind::Group | Kind::Role) {
            self.groups.insert(id.0);
        }
        if parent == EntryId::NONE {
            self.contexts.push(entry.key.clone());
            self.new_contexts.push(id);
        }
        self.members(id, kind, entry.place, entry.members)
    }

    fn write_rows(&mut self, id: EntryId, parent: EntryId, entry: &Prepared) -> Result<(), Refusal> {
        let id_bytes = id.0.to_be_bytes();
        self.known.name(&entry.key, id);
        self.rows.names.push(&entry.key, &[], &id_bytes)?;
        self.rows.children.push(&parent.0.to_be_bytes(), &id_bytes, &[])?;
        let count = self.counts.entry(parent.0).or_default();
        *count = count.saturating_add(1);
        let (mut keys, lengths) = (entry.index.0.as_slice(), &entry.index.1);
        for length in lengths {
            let (key, rest) = keys.split_at_checked(*length as usize).unwrap_or_default();
            self.rows.index.push(key, &id_bytes, &[])?;
            keys = rest;
        }
        self.trigrams.add(id, &entry.trigrams, &mut self.rows.text)
    }

    fn author(&mut self, entry: EntryId, name: Option<Vec<u8>>, made: bool) -> Result<EntryId, Refusal> {
        let Some(name) = name else { return Ok(EntryId::NONE) };
        let author = match self.authors.found.get(&name) {
            Some(author) => *author,
            None => {
                let known = Names { tables: &self.tables, known: &self.known }.id_of(&name)?;
                if known.is_none() && self.authors.found.len() >= AUTHORS {
                    return Ok(EntryId::NONE);
                }
                let number = u32::try_from(self.authors.found.len()).unwrap_or(u32::MAX);
                let author = known.map_or(Author::Waits(number), Author::Is);
                if self.authors.found.len() < AUTHORS {
                    self.authors.found.insert(name, author);
                }
                author
            }
        };
        match author {
            Author::Is(id) => Ok(id),
            Author::Waits(number) => {
                self.authors.waiting.push((entry.0, number, made));
                Ok(EntryId::NONE)
            }
        }
    }
}

pub(super) fn failed(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Store, "the store failed").with_detail(error.to_string())
}

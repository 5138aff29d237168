//! Import: very many entries into the store in one transaction, in bounded memory, in the order of a file.
//!
//! ```text
//! push ─▶ batches ─▶ workers (prepare: values, classes, names, hashes, index keys) ─▶ write lane (bulk) ─▶ one commit
//! ```
//!
//! Every rule of [`crate::change::add`] holds, because its functions are called: what comes out is, row for row, what
//! ordinary write sets would have made. What differs is the order of writing: rows are collected, sorted ([`sorter`]) and
//! poured into the tables in the order of their keys ([`pour`]). An entry whose parent has not come yet waits for it; a
//! member that has not come yet is looked for again at the end. A refused entry leaves no trace, and the rest is imported;
//! either all of that is in the store afterwards, or, when the process dies before, nothing.
//!
//! Knows no file format: whoever calls reads one. Called by `rollbook import`.

mod bulk;
mod deferred;
mod facts;
mod finish;
mod known;
mod members;
mod operational;
mod pour;
mod prepare;
mod rows;
mod sorter;
mod trigrams;
mod worker;

use crate::change::prepare::write_set;
use crate::context::Context;
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::Position;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

pub(crate) use sorter::{Sorter, keep};

/// Entries that are handed on together.
const BATCH: usize = 128;
/// Bytes of values after which a batch is handed on, however few its entries.
const BATCH_BYTES: usize = 1024 * 1024;
/// Batches that wait for a worker, and that wait for the lane, each.
const WAITING: usize = 4;

/// How to import.
#[derive(Debug, Clone)]
pub struct Options {
    /// Unknown attributes and classes are dropped and counted; otherwise their entries are refused.
    pub lenient: bool,
    /// One refused entry, and nothing is imported.
    pub all_or_nothing: bool,
    /// Bytes of rows that are held in memory; more go to temporary files. What must be known of every entry to keep
    /// names unique is not among them: about 70 bytes per account.
    pub memory: usize,
    /// Where temporary files are made; none: where the system makes them.
    pub spill: Option<PathBuf>,
    /// Threads that prepare entries.
    pub workers: usize,
}

impl Default for Options {
    fn default() -> Options {
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        Options { lenient: false, all_or_nothing: false, memory: 256 * 1024 * 1024, spill: None, workers }
    }
}

/// Where an entry stands: which file, and which line of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The number of the file, as the caller counts.
    pub file: u32,
    /// The line, from 1.
    pub line: u64,
}

/// An entry as it stands in a file: one value after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub place: Place,
    /// DN text.
    dn: usize,
    /// The DN, then every description and value.
    bytes: Vec<u8>,
    /// Lengths of description and value.
    lengths: Vec<(u32, u32)>,
}

impl Entry {
    /// An entry without values.
    pub fn new(place: Place, dn: &[u8]) -> Entry {
        Entry { place, dn: dn.len(), bytes: dn.to_vec(), lengths: Vec::new() }
    }

    /// Adds a value. What is too long for a record is cut, and refused for its length later.
    pub fn push(&mut self, description: &[u8], value: &[u8]) {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(description);
        self.bytes.extend_from_slice(value);
        self.lengths.push((length(description), length(value)));
    }

    /// DN text.
    pub fn dn(&self) -> &[u8] {
        self.bytes.get(..self.dn).unwrap_or_default()
    }

    /// Descriptions and values in their order.
    pub fn values(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = self.bytes.get(self.dn..).unwrap_or_default();
        self.lengths.iter().map_while(move |(description, value)| {
            let (description, more) = rest.split_at_checked(*description as usize)?;
            let (value, more) = more.split_at_checked(*value as usize)?;
            rest = more;
            Some((description, value))
        })
    }
}

/// What became of an entry that is not simply imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where it stands.
    pub place: Place,
    /// Its DN as it is written there.
    pub dn: String,
    /// How bad it is.
    pub kind: FindingKind,
    /// Why.
    pub reason: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// The entry is not imported.
    Refused,
    /// It is, without something that stands there: a member that is not there, a password that cannot be verified.
    LeftOut,
    /// A container that was there before the import. It is left as it was.
    AlreadyThere,
}

impl FindingKind {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            FindingKind::Refused => "refused",
            FindingKind::LeftOut => "left out",
            FindingKind::AlreadyThere => "already there",
        }
    }
}

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Entries imported; without a commit: that would have been.
    pub entries: u64,
    /// Entries refused.
    pub refused: u64,
    /// Things left out of imported entries.
    pub left_out: u64,
    /// Containers that were there.
    pub already_there: u64,
    /// Operational attributes of other servers that mean nothing here: values by name.
    pub ignored: BTreeMap<String, u64>,
    /// Unknown attributes and classes that were dropped: values by name.
    pub dropped: BTreeMap<String, u64>,
    /// Where it stands in the journal. None: nothing was committed.
    pub position: Option<Position>,
}

/// An import in progress. Dropped before [`Import::finish`], it leaves nothing.
pub struct Import {
    workers: Vec<SyncSender<Vec<Item>>>,
    next: usize,
    batch: Vec<Item>,
    batch_bytes: usize,
    finished: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    answer: Option<oneshot::Receiver<Result<Summary, Refusal>>>,
    directory: Directory,
}

/// What a caller hands over.
pub(crate) enum Item {
    /// An entry.
    Entry(Entry),
    /// What the caller itself refuses.
    Finding(Finding),
}

impl Directory {
    /// Begins an import. The write lane is its own until the end; logins and searches go on and see nothing of it.
    ///
    /// `report` gets every finding, in the order of the file as far as possible. Must not be called from an async task:
    /// [`Import::push`] and [`Import::finish`] wait.
    ///
    /// # Errors
    /// `Busy`, and `Store` when a thread cannot be started.
    pub fn import(
        &self,
        context: &Context,
        options: Options,
        report: impl FnMut(Finding) + Send + 'static,
    ) -> Result<Import, Refusal> {
        let finished = Arc::new(AtomicBool::new(false));
        let (mut inputs, mut outputs, mut threads) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..options.workers.max(1) {
            let (input, batches) = sync_channel(WAITING);
            let (ready, output) = sync_channel(WAITING);
            let worker = worker::Worker { directory: self.clone(), context: *context, lenient: options.lenient };
            let thread = std::thread::Builder::new()
                .name(format!("import-{number}"))
                .spawn(move || worker.run(&batches, &ready))
                .map_err(|e| Refusal::new(Reason::Store, "the import cannot start").with_detail(e.to_string()))?;
            threads.push(thread);
            inputs.push(input);
            outputs.push(output);
        }
        let job = bulk::Job {
            schema: self.schema().clone(),
            set: write_set(&self.inner().random, context, Vec::new()),
            seed: self.inner().random.bytes(),
            options,
            finished: finished.clone(),
            report: Box::new(report),
        };
        let answer = self
            .inner()
            .exclusive(true, move |database, staging| job.run(database, staging, &InOrder::new(outputs)))?;
        let batch = Vec::with_capacity(BATCH);
        let (answer, directory) = (Some(answer), self.clone());
        Ok(Import { workers: inputs, next: 0, batch, batch_bytes: 0, finished, threads, answer, directory })
    }
}

impl Import {
    /// Hands over an entry; waits when the import is behind.
    ///
    /// # Errors
    /// `Busy` when the import has ended early: [`Import::finish`] says why.
    pub fn push(&mut self, entry: Entry) -> Result<(), Refusal> {
        self.batch_bytes = self.batch_bytes.saturating_add(entry.bytes.len());
        self.hand_over(Item::Entry(entry))
    }

    /// Hands over what the caller refuses itself, so that it is reported in its place and counted.
    ///
    /// # Errors
    /// As [`Import::push`].
    pub fn refuse(&mut self, place: Place, dn: String, reason: String) -> Result<(), Refusal> {
        self.hand_over(Item::Finding(Finding { place, dn, kind: FindingKind::Refused, reason }))
    }

    fn hand_over(&mut self, item: Item) -> Result<(), Refusal> {
        self.batch.push(item);
        if self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<(), Refusal> {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        self.batch_bytes = 0;
        let ended = || Refusal::new(Reason::Busy, "the import has ended early");
        let worker = self.workers.get(self.next).ok_or_else(ended)?;
        self.next = self.next.saturating_add(1) % self.workers.len().max(1);
        worker.send(batch).map_err(|_| ended())
    }

    /// Writes the rest and commits.
    ///
    /// # Errors
    /// `Store`; `Unwilling` when the file cannot be what a store begins with. Nothing is imported then.
    pub fn finish(mut self) -> Result<Summary, Refusal> {
        let sent = self.send();
        self.finished.store(sent.is_ok(), Ordering::SeqCst);
        self.workers.clear();
        for thread in self.threads.drain(..) {
            let _ended = thread.join();
        }
        let directory = &self.directory;
        let ended = || directory.inner().over();
        let answer = self.answer.take().ok_or_else(ended)?;
        answer.blocking_recv().map_err(|_| ended())?
    }
}

/// The workers' batches in the order in which they were handed over: the first is the first worker's, and so on.
pub(crate) struct InOrder {
    outputs: Vec<Receiver<worker::Batch>>,
}

impl InOrder {
    fn new(outputs: Vec<Receiver<worker::Batch>>) -> InOrder {
        InOrder { outputs }
    }

    /// All of them, until the first worker that has none left.
    pub(crate) fn batches(&self) -> impl Iterator<Item = worker::Batch> + '_ {
        self.outputs.iter().cycle().map_while(|output| output.recv().ok())
    }
}

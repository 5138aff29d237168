//! The write-ahead log: a commit is durable when its write sets are on the disk, before the tables are.
//!
//! ```text
//! batch ─▶ applied (memory) ─▶ its write sets as one frame of the log, one sync ─▶ answers
//!                                         │
//!                    every so many frames: a checkpoint, the tables on the disk; the log begins anew
//! ```
//!
//! To write twenty pages of seven tables durably takes two syncs and a page of memory about every page; to write what was
//! asked for takes one sync of a page or two. Applying is deterministic, so that the one can be had from the other: opening
//! a store after a crash applies what the log holds again ([`redo`]), and the journal's hashes say whether it came out the
//! same. See docs/decisions/0009-write-ahead-log.md.

pub mod frame;
pub mod layout;
pub mod redo;

use crate::change::WriteSet;
use crate::change::apply::Head;
use crate::error::Refusal;
use crate::random::Random;
use layout::{Layout, PAGE, Pages};
use redb::StorageBackend;
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// When the tables are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Frames between two checkpoints; none: every commit is one.
    pub frames: u32,
    /// Octets of the log of a store that is made; one that is there keeps its own.
    pub octets: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { frames: 64, octets: 4 * 1024 * 1024 - PAGE }
    }
}

/// The log of a store.
#[derive(Debug)]
pub struct Wal {
    under: Arc<dyn StorageBackend>,
    layout: Layout,
    limits: Limits,
    /// Where the next frame goes.
    at: u64,
    frames: u32,
    /// The frame that is being made.
    buffer: Vec<u8>,
    /// A frame has failed.
    broken: Arc<AtomicBool>,
}

impl Wal {
    /// Divides a store: the log, and the part that is redb's. Makes it when there is nothing at all.
    ///
    /// # Errors
    /// What the disk says; `InvalidData` when the octets are no store of this layout, `UnexpectedEof` when they are cut off.
    pub fn open(under: Box<dyn StorageBackend>, limits: Limits, random: &Random) -> Result<(Wal, Pages), Error> {
        let under: Arc<dyn StorageBackend> = Arc::from(under);
        if under.len()? == 0 {
            let layout = Layout::new(limits.octets, random);
            under.set_len(layout.pages_at)?;
            under.write(0, &layout.encode())?;
            under.sync_data()?;
        } else if under.len()? <= Layout::read(under.as_ref())?.pages_at {
            // redb would take nothing for a new store.
            return Err(Error::new(ErrorKind::UnexpectedEof, "the store ends before its tables begin"));
        }
        let layout = Layout::read(under.as_ref())?;
        let broken = Arc::new(AtomicBool::new(false));
        let pages = Pages::new(Arc::clone(&under), &layout, Arc::clone(&broken));
        Ok((Wal { under, layout, limits, at: PAGE, frames: 0, buffer: Vec::new(), broken }, pages))
    }

    /// Something has been appended since the last checkpoint.
    pub fn is_begun(&self) -> bool {
        self.frames > 0
    }

    /// The next commit is to be a checkpoint.
    pub fn is_due(&self) -> bool {
        self.frames >= self.limits.frames
    }

    /// Makes these write sets durable, which lead from one head to the other. False: there is no room, and the commit
    /// has to be a checkpoint.
    ///
    /// # Errors
    /// `Store`. Nobody knows then whether the frame will be found, nor what else the disk has lost: the tables cannot be
    /// made durable any more, before the store is opened again.
    pub fn append(&mut self, before: &Head, after: &Head, sets: &[&WriteSet]) -> Result<bool, Refusal> {
        frame::write(&mut self.buffer, &self.layout.key, before, after, sets)?;
        let end = self.at.saturating_add(frame::pages(self.buffer.len()));
        if end > self.layout.pages_at {
            self.buffer = Vec::new();
            return Ok(false);
        }
        let failed = |e: Error| Refusal::store(format!("the log: {e}"));
        let written = self.under.write(self.at, &self.buffer).and_then(|()| self.under.sync_data());
        written.inspect_err(|_| self.broken.store(true, Ordering::SeqCst)).map_err(failed)?;
        self.at = end;
        self.frames = self.frames.saturating_add(1);
        Ok(true)
    }

    /// The tables are on the disk: the next frame is the first.
    pub fn restart(&mut self) {
        self.at = PAGE;
        self.frames = 0;
    }
}

//! After a crash: what the log holds and the tables do not is applied again.
//!
//! Frames follow each other from the log's beginning; those of before the last checkpoint are skipped. What cannot be read
//! is the end: the frame that was being written, never acknowledged, or what is left of an older round. Only the last frame
//! can be torn, as each is on the disk before the next is begun. So a later frame behind the end means that an acknowledged
//! one is damaged, and the store is not opened. Whether the last frame was torn, or is damaged since, nobody can tell.

use super::Wal;
use super::frame::{self, Frame, HEADER};
use super::layout::PAGE;
use crate::access::Remembered;
use crate::change::apply::{Applied, Head, apply};
use crate::error::Refusal;
use crate::grant::apply::Crowds;
use crate::schema::{Schema, custom};
use crate::store::codec;
use crate::store::migrate::FORMAT;
use crate::store::pending::Staging;
use crate::store::tables::meta;
use crate::store::view::Tables;
use redb::{Database, ReadableTable};

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Redone {
    /// Frames.
    pub frames: u64,
    /// Write sets in them.
    pub sets: u64,
}

/// Brings the tables to the end of the log, durably.
///
/// # Errors
/// `Store`: the log is damaged, of another store or of another version, or it leads elsewhere than it did.
pub fn redo(wal: &Wal, database: &Database, staging: &Staging) -> Result<Redone, Refusal> {
    let mut txn = database.begin_write().map_err(Refusal::store)?;
    txn.set_quick_repair(true);
    let mut redone = Redone::default();
    {
        let mut tables = Tables::open(&txn, staging)?;
        let mut head = Head::read(&tables)?;
        let begun = head.position;
        let mut schema = None;
        let mut at = PAGE;
        while let Some((frame, body)) = read(wal, at)? {
            if frame.after.position > head.position {
                check(&frame, &head, &tables)?;
                let schema = match &mut schema {
                    Some(schema) => schema,
                    none => none.insert(stored_schema(&tables)?),
                };
                let sets = again(&mut tables, schema, &frame, &body, &mut head)?;
                tables.settle(&head, staging)?;
                redone.frames = redone.frames.saturating_add(1);
                redone.sets = redone.sets.saturating_add(sets);
            } else if frame.after.position > begun {
                let position = frame.after.position.0;
                return Err(Refusal::store(format!("the log is damaged: it holds change {position} twice")));
            }
            at = at.saturating_add(frame.takes());
        }
        while at < wal.layout.pages_at {
            if let Some((frame, _)) = read(wal, at)?
                && frame.after.position > head.position
            {
                let to = frame.after.position.0;
                return Err(Refusal::store(format!(
                    "the log is damaged: it holds the changes up to {to}, and none that follow {}",
                    head.position.0
                )));
            }
            at = at.saturating_add(PAGE);
        }
    }
    if redone.frames > 0 {
        txn.commit().map_err(Refusal::store)?;
        tracing::info!(redone.frames, redone.sets, "changes of the log were applied again");
    } else {
        txn.abort().map_err(Refusal::store)?;
    }
    Ok(redone)
}

/// The sound frame at an offset, with its write sets.
fn read(wal: &Wal, at: u64) -> Result<Option<(Frame, Vec<u8>)>, Refusal> {
    let failed = |e: std::io::Error| Refusal::store(format!("the log: {e}"));
    let mut header = [0; HEADER];
    let room = usize::try_from(wal.layout.pages_at.saturating_sub(at)).unwrap_or(0).checked_sub(HEADER);
    let Some(room) = room else { return Ok(None) };
    wal.under.read(at, &mut header).map_err(failed)?;
    let Some(frame) = frame::read(&header, &wal.layout.key).filter(|frame| frame.length <= room) else {
        return Ok(None);
    };
    let mut body = vec![0; frame.length];
    wal.under.read(at.saturating_add(HEADER as u64), &mut body).map_err(failed)?;
    Ok(frame.is_of(&body).then_some((frame, body)))
}

/// Whether a frame can be applied to this state.
fn check(frame: &Frame, head: &Head, tables: &Tables<'_>) -> Result<(), Refusal> {
    if frame.before != *head {
        return Err(Refusal::store(format!(
            "the log does not follow the tables: it goes on from change {}, they end at {}",
            frame.before.position.0, head.position.0
        )));
    }
    let stored = tables.meta.get(meta::FORMAT)?;
    let format = stored.and_then(|g| g.value().first_chunk::<4>().map(|b| u32::from_le_bytes(*b)));
    if frame.version != frame::VERSION || format != Some(FORMAT) {
        return Err(Refusal::store(
            "the log holds changes of another version of this program: start that one once, and stop it in order",
        ));
    }
    Ok(())
}

/// Applies the write sets of a frame, and compares where they lead.
fn again(
    tables: &mut Tables<'_>,
    schema: &Schema,
    frame: &Frame,
    body: &[u8],
    head: &mut Head,
) -> Result<u64, Refusal> {
    let (remembered, crowds) = (Remembered::default(), Crowds::default());
    let sets = frame::sets(body)?;
    for set in &sets {
        if !matches!(apply(tables, schema, set, head, &remembered, &crowds), Applied::Done(_)) {
            return Err(Refusal::store(format!(
                "change {} of the log was not carried out again: start the version that wrote it once, and stop it in order",
                head.position.0.saturating_add(1)
            )));
        }
    }
    if *head != frame.after {
        return Err(Refusal::store(format!(
            "the log leads elsewhere than it did, before change {}: start the version that wrote it once, and stop it in order",
            frame.after.position.0
        )));
    }
    Ok(u64::try_from(sets.len()).unwrap_or(u64::MAX))
}

/// The schema that the changes of the log were made under.
fn stored_schema(tables: &Tables<'_>) -> Result<std::sync::Arc<Schema>, Refusal> {
    let stored = tables.meta.get(meta::DEFINITIONS)?;
    let kept: Vec<custom::Kept> = stored.map(|g| codec::decode(g.value())).transpose()?.unwrap_or_default();
    Ok(custom::merge(&kept, &[]).map_err(|why| Refusal::store(why.join("\n")))?.schema)
}

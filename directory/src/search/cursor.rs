//! Walking the candidates of a search.

use super::select::{Selection, Sink, emit};
use super::{Bounds, Reach, Reading, Scope, SearchRequest};
use crate::access::{Rights, Sight};
use crate::clock::Now;
use crate::entry::record::Record;
use crate::error::{Limit, Reason, Refusal};
use crate::filter::evaluate::Evaluation;
use crate::filter::plan::Plan;
use crate::filter::resolve::Resolved;
use crate::id::EntryId;
use crate::lifecycle::Policy;
use crate::schema::{Schema, known};
use crate::store::indexes;
use crate::store::merged::{Merged, OwnedRow};
use crate::store::staged::Holders;
use crate::store::tables::Bytes;
use crate::store::view::{Snapshot, View};
use redb::OwnedRange;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Fewer entries than this below a base are walked by name; more by going through all entries.
const BY_NAME: usize = 4_096;
/// A gap between two ids that is walked over rather than jumped.
const GAP: u64 = 8;
/// How many candidates pass between two looks at the time.
const LOOKS: u32 = 256;

type Row = OwnedRow;

/// A search under way.
pub struct Cursor {
    schema: Arc<Schema>,
    snapshot: Arc<Snapshot>,
    rights: Rights,
    policy: Arc<Policy>,
    now: Now,
    reach: Reach,
    scope: Scope,
    filter: Resolved,
    skip_aliases: bool,
    source: Source,
    walk: Walk,
    why: String,
    bounds: Bounds,
    unindexed: bool,
    deadline: Option<Instant>,
    looked: u32,
    returned: u32,
    current: Option<(EntryId, Row, Sight)>,
}

enum Source {
    Ids(std::vec::IntoIter<EntryId>),
    Value(Holders<OwnedRange<Bytes, ()>>),
    Children(Merged<(u64, u64), ()>),
    All(Merged<u64, Bytes>),
}

impl Cursor {
    pub(super) fn new(
        reading: Reading<'_>,
        request: &SearchRequest<'_>,
        reach: Reach,
        filter: Resolved,
        plan: Plan,
        skip_aliases: bool,
    ) -> Result<Cursor, Refusal> {
        let mut why = plan.why().to_owned();
        let unindexed = matches!(plan, Plan::Scope { .. });
        let after = request.after.map_or(0, |id| id.0.saturating_add(1));
        let source = match plan {
            Plan::Ids { mut ids, .. } => {
                ids.drain(..ids.partition_point(|id| id.0 < after));
                Source::Ids(ids.into_iter())
            }
            Plan::Range { prefix, .. } => {
                let end = indexes::after(&prefix).unwrap_or_default();
                let start = [prefix.as_slice(), &after.to_be_bytes()].concat();
                let range = start.as_slice()..end.as_slice();
                let rows = reading.snapshot.index().range_owned::<&[u8]>(range.clone())?;
                Source::Value(Holders::new(rows, reading.snapshot.staged().walk(range)))
            }
            Plan::Scope { .. } => scope_source(reading, request.scope, &reach, after, &mut why)?,
        };
        let tighter = |own: u32, asked: u32| match (own, asked) {
            (0, other) | (other, 0) => other,
            (a, b) => a.min(b),
        };
        let bounds = Bounds {
            size: tighter(reading.bounds.size, request.size_limit),
            time_seconds: tighter(reading.bounds.time_seconds, request.time_limit_seconds),
            lookthrough: reading.bounds.lookthrough,
        };
        let deadline = (bounds.time_seconds > 0)
            .then(|| Instant::now().checked_add(Duration::from_secs(u64::from(bounds.time_seconds))))
            .flatten();
        Ok(Cursor {
            schema: reading.schema.clone(),
            snapshot: reading.snapshot.clone(),
            rights: reading.rights.clone(),
            policy: reading.policy.clone(),
            now: reading.now,
            reach,
            scope: request.scope,
            filter,
            skip_aliases,
            source,
            walk: Walk::default(),
            why,
            bounds,
            unindexed,
            deadline,
            looked: 0,
            returned: 0,
            current: None,
        })
    }

    /// The next entry; none: that was all.
    ///
    /// # Errors
    /// `Limit` after the entries that fit; `Store`.
    #[expect(
        clippy::should_implement_trait,
        reason = "what it returns borrows from the cursor; no Iterator can do that"
    )]
    pub fn next(&mut self) -> Result<Option<Found<'_>>, Refusal> {
        while let Some((id, row)) = self.candidate()? {
            self.look()?;
            let Some(sight) = self.judge(id, row.value())? else { continue };
            if self.bounds.size > 0 && self.returned >= self.bounds.size {
                return Err(Refusal::new(Reason::Limit(Limit::Size), ""));
            }
            self.returned = self.returned.saturating_add(1);
            self.current = Some((id, row, sight));
            return self.found().map(Some);
        }
        Ok(None)
    }

    /// The entry that [`Cursor::next`] returned last: where a later page begins.
    pub fn position(&self) -> Option<EntryId> {
        self.current.as_ref().map(|(id, _, _)| *id)
    }

    /// What the search goes by, in words.
    pub fn explain(&self) -> &str {
        &self.why
    }

    fn found(&self) -> Result<Found<'_>, Refusal> {
        let (id, row, sight) = self.current.as_ref().ok_or_else(damaged)?;
        let record = Record::parse(row.value()).map_err(|_| damaged())?;
        Ok(Found { cursor: self, id: *id, record, sight: *sight })
    }

    fn look(&mut self) -> Result<(), Refusal> {
        self.looked = self.looked.saturating_add(1);
        if self.unindexed && self.bounds.lookthrough > 0 && self.looked > self.bounds.lookthrough {
            let why = "the filter needs more entries to be looked at than this account may cause";
            return Err(Refusal::new(Reason::Limit(Limit::Administrative), why));
        }
        if self.looked.is_multiple_of(LOOKS) && self.deadline.is_some_and(|d| Instant::now() >= d) {
            return Err(Refusal::new(Reason::Limit(Limit::Time), ""));
        }
        Ok(())
    }

    /// Whether a candidate is found, and what of it may be seen.
    fn judge(&self, id: EntryId, row: &[u8]) -> Result<Option<Sight>, Refusal> {
        let record = Record::parse(row).map_err(|_| damaged())?;
        let inside = self.reach.regions.iter().any(|(base, key)| match self.scope {
            Scope::Base => id == *base,
            Scope::One => record.parent() == *base,
            Scope::Subtree => record.key().starts_with(key),
            Scope::Children => id != *base && record.key().starts_with(key),
        });
        // RFC 4511 §4.5.1.3: what an alias stands for is found in its place. The base itself is not asked for its target.
        let aliased = self.reach.single.binary_search(&id).is_ok();
        let followed = self.skip_aliases && record.has_class(known::class::ALIAS);
        if !(inside || aliased) || (followed && !self.reach.regions.iter().any(|(base, _)| *base == id)) {
            return Ok(None);
        }
        let sight = self.rights.sight(id, &record);
        if sight == Sight::None {
            return Ok(None);
        }
        let evaluation = Evaluation {
            schema: &self.schema,
            view: self.snapshot.as_ref(),
            policy: &self.policy,
            now: &self.now,
            rights: &self.rights,
        };
        Ok((evaluation.matches(&self.filter, id, &record, sight)? == Some(true)).then_some(sight))
    }

    fn candidate(&mut self) -> Result<Option<(EntryId, Row)>, Refusal> {
        loop {
            let id = match &mut self.source {
                Source::All(range) => {
                    return match range.next() {
                        Some(item) => item.map(|(id, row)| Some((EntryId(id), row))).map_err(Refusal::from),
                        None => Ok(None),
                    };
                }
                Source::Ids(ids) => ids.next(),
                Source::Value(holders) => holders.next_id()?,
                Source::Children(range) => match range.next() {
                    Some(item) => Some(EntryId(item?.0.1)),
                    None => None,
                },
            };
            let Some(id) = id else { return Ok(None) };
            if let Some(row) = self.walk.fetch(&self.snapshot, id)? {
                return Ok(Some((id, row)));
            }
        }
    }
}

fn damaged() -> Refusal {
    Refusal::new(Reason::Store, "the store failed").with_detail("an entry's record does not decode")
}

/// Without an index: the children by their table, a small subtree by its names, anything else by all entries.
fn scope_source(
    reading: Reading<'_>,
    scope: Scope,
    reach: &Reach,
    after: u64,
    why: &mut String,
) -> Result<Source, Refusal> {
    use std::fmt::Write;
    let regions = reach.regions.as_slice();
    if let ([(base, _)], Scope::One) = (regions, scope) {
        let _ = write!(why, "; the children of the base");
        let range = (base.0, after)..=(base.0, u64::MAX);
        let children = reading.snapshot.children().range(range)?;
        if reach.single.is_empty() {
            return Ok(Source::Children(children));
        }
        let mut ids: Vec<EntryId> = reach.single.iter().copied().filter(|id| id.0 >= after).collect();
        for child in children {
            ids.push(EntryId(child?.0.1));
        }
        ids.sort_unstable();
        ids.dedup();
        return Ok(Source::Ids(ids.into_iter()));
    }
    let mut ids = Vec::new();
    for (_, key) in regions {
        let end = indexes::after(key).unwrap_or_default();
        for id in reading.snapshot.names().range(key.clone()..end)?.values().take(BY_NAME) {
            ids.push(EntryId(id?));
        }
        if ids.len() >= BY_NAME {
            let _ = write!(why, "; all entries");
            return Ok(Source::All(reading.snapshot.entries().range(after..)?));
        }
    }
    let _ = write!(why, "; the names below the base");
    ids.sort_unstable();
    ids.dedup();
    ids.drain(..ids.partition_point(|id| id.0 < after));
    Ok(Source::Ids(ids.into_iter()))
}

/// Gets records by ascending id: by the key when they lie far apart, by walking on when they lie close together.
#[derive(Default)]
struct Walk {
    last: u64,
    close: u32,
    range: Option<Merged<u64, Bytes>>,
    ahead: Option<(u64, Row)>,
}

impl Walk {
    fn fetch(&mut self, snapshot: &Snapshot, id: EntryId) -> Result<Option<Row>, Refusal> {
        let near = id.0 > self.last && id.0.saturating_sub(self.last) <= GAP;
        self.close = if near { self.close.saturating_add(1) } else { 0 };
        self.last = id.0;
        if !near {
            (self.range, self.ahead) = (None, None);
        }
        if self.close < 4 {
            return snapshot.entries().get(&id.0);
        }
        let range = match &mut self.range {
            Some(range) => range,
            none => none.insert(snapshot.entries().range(id.0..)?),
        };
        loop {
            if self.ahead.is_none() {
                self.ahead = range.next().transpose()?;
            }
            match &self.ahead {
                Some((k, _)) if *k < id.0 => self.ahead = None,
                Some((k, _)) if *k == id.0 => return Ok(self.ahead.take().map(|(_, row)| row)),
                _ => return Ok(None),
            }
        }
    }
}

/// An entry that a search found.
pub struct Found<'a> {
    cursor: &'a Cursor,
    /// Its technical id.
    pub id: EntryId,
    /// Its record.
    pub record: Record<'a>,
    /// What the reader may see of it.
    pub sight: Sight,
}

impl Found<'_> {
    /// RFC 4514 text.
    pub fn dn(&self) -> &str {
        self.record.dn()
    }

    /// Hands the selected attributes that the reader may see to a sink.
    ///
    /// # Errors
    /// `Store`.
    pub fn emit(&self, selection: &Selection, types_only: bool, sink: &mut impl Sink) -> Result<(), Refusal> {
        let cursor = self.cursor;
        let evaluation = Evaluation {
            schema: &cursor.schema,
            view: cursor.snapshot.as_ref(),
            policy: &cursor.policy,
            now: &cursor.now,
            rights: &cursor.rights,
        };
        emit(&evaluation, &cursor.rights, self.id, &self.record, self.sight, selection, types_only, sink)
    }
}

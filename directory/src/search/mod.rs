//! Searching: one snapshot, one plan, entries in ascending id order, all of it bounded.
//!
//! ```text
//! base DN ─▶ entry (aliases followed when asked) ┐
//! filter ─▶ resolve ─▶ plan ─▶ candidate ids ────┴▶ scope? ─▶ seen? ─▶ filter? ─▶ found
//! ```
//!
//! The order is that of ids whatever the plan, so that a page can be continued after an id without any state. A
//! [`Cursor`] is synchronous and does a little at each call; the door decides when to let others run.

pub mod computed;
pub mod cursor;
pub mod select;

pub use cursor::{Cursor, Found};
pub use select::{Selection, Sink};

use crate::access::{Rights, Sight};
use crate::change::apply::no_such_entry;
use crate::clock::Now;
use crate::entry::dn::{DnKey, parent_of, rebase};
use crate::entry::record::Record;
use crate::error::{Reason, Refusal};
use crate::filter::Filter;
use crate::filter::evaluate::Evaluation;
use crate::filter::plan::{Plan, plan};
use crate::filter::resolve::{Resolved, resolve};
use crate::id::EntryId;
use crate::lifecycle::Policy;
use crate::schema::attribute::Storage;
use crate::schema::{AttributeDescription, Schema, known};
use crate::store::view::{Snapshot, View};
use std::sync::Arc;

/// The most aliases that a search follows.
const ALIASES: usize = 1_000;

/// RFC 4511 §4.5.1.2, and the children without their parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The base alone.
    Base,
    /// Its children.
    One,
    /// It and all below.
    Subtree,
    /// All below it.
    Children,
}

/// RFC 4511 §4.5.1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deref {
    /// Aliases are entries like others.
    Never,
    /// Below the base.
    Searching,
    /// To find the base.
    Finding,
    /// Both.
    Always,
}

/// A search as a door asks for it.
#[derive(Debug)]
pub struct SearchRequest<'a> {
    /// DN text.
    pub base: &'a [u8],
    /// How far from it.
    pub scope: Scope,
    /// Whether aliases are followed.
    pub deref: Deref,
    /// What to find.
    pub filter: &'a Filter,
    /// The most entries to return; 0: as many as the actor may have.
    pub size_limit: u32,
    /// The most time to take, in seconds; 0: as long as the actor may take.
    pub time_limit_seconds: u32,
    /// Continue after this entry.
    pub after: Option<EntryId>,
}

/// What a search, and any reading, goes on besides the request.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The schema of the store.
    pub schema: &'a Arc<Schema>,
    /// The state to read.
    pub snapshot: &'a Arc<Snapshot>,
    /// Who reads.
    pub rights: &'a Rights,
    /// The policy that states are derived by.
    pub policy: &'a Arc<Policy>,
    /// When.
    pub now: Now,
    /// The bounds of this actor.
    pub bounds: Bounds,
}

/// The bounds of an actor's searches; 0: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Entries returned.
    pub size: u32,
    /// Seconds.
    pub time_seconds: u32,
    /// Entries looked at without an index.
    pub lookthrough: u32,
}

/// Begins a search.
///
/// # Errors
/// `InvalidName`, `NoSuchEntry`, `Limit`, `Store`.
pub fn begin(reading: Reading<'_>, request: &SearchRequest<'_>) -> Result<Cursor, Refusal> {
    let view = reading.snapshot.as_ref();
    let finding = matches!(request.deref, Deref::Finding | Deref::Always);
    let (id, key) = if finding { locate(reading, request.base)? } else { base(reading, request.base)? };
    let filter = resolve(request.filter, reading.schema, view)?;
    let mut reach = Reach { regions: vec![(id, key)], single: Vec::new() };
    let searching = matches!(request.deref, Deref::Searching | Deref::Always);
    match request.scope {
        Scope::One if searching => reach.single = aliased_children(reading, id)?,
        Scope::Subtree | Scope::Children if searching => add_aliased(reading, id, &mut reach.regions)?,
        _ => {}
    }
    let plan = if request.scope == Scope::Base {
        Plan::Ids { ids: vec![id], why: "the base alone".into() }
    } else {
        plan(&filter, reading.schema, view)?
    };
    Cursor::new(reading, request, reach, filter, plan, searching)
}

/// Where a search goes.
#[derive(Debug)]
struct Reach {
    /// The base, and the tops of the subtrees that aliases below it stand for.
    regions: Vec<(EntryId, Vec<u8>)>,
    /// What the aliases right below the base of a one-level search stand for, ascending: found without their children.
    single: Vec<EntryId>,
}

/// Finds an entry by DN text for reading.
fn base(reading: Reading<'_>, dn: &[u8]) -> Result<(EntryId, Vec<u8>), Refusal> {
    let key = DnKey::parse(reading.schema, dn).map_err(|e| Refusal::new(Reason::InvalidName, e.to_string()))?;
    let view = reading.snapshot.as_ref();
    match view.id_of(key.as_bytes())? {
        Some(id) if may_be_base(reading, id)? => Ok((id, key.into_bytes())),
        _ => Err(no_such_entry(view, reading.rights, key.as_bytes())?),
    }
}

fn may_be_base(reading: Reading<'_>, id: EntryId) -> Result<bool, Refusal> {
    if reading.rights.sees_all() {
        return Ok(true);
    }
    let Some(guard) = reading.snapshot.record(id)? else { return Ok(false) };
    let record = parse(guard.value())?;
    // Whoever may see something below may name what lies above it as a base.
    Ok(reading.rights.sight(id, &record) != Sight::None || reading.rights.reads_below(record.key()))
}

/// Finds the base with aliases followed, those among its ancestors too (RFC 4511 §4.5.1.3 `derefFindingBaseObj`). The
/// matched DN of a refusal is then of the resulting name (§4.1.9).
fn locate(reading: Reading<'_>, dn: &[u8]) -> Result<(EntryId, Vec<u8>), Refusal> {
    let key = DnKey::parse(reading.schema, dn).map_err(|e| Refusal::new(Reason::InvalidName, e.to_string()))?;
    let mut key = key.into_bytes();
    let view = reading.snapshot.as_ref();
    for _ in 0..16 {
        if let Some(id) = view.id_of(&key)? {
            if !may_be_base(reading, id)? {
                break;
            }
            let (id, key) = follow(reading, id, key)?;
            return if may_be_base(reading, id)? {
                Ok((id, key))
            } else {
                Err(no_such_entry(view, reading.rights, &key)?)
            };
        }
        let mut above = parent_of(&key);
        let top = loop {
            match above {
                Some(ancestor) if !ancestor.is_empty() => match view.id_of(ancestor)? {
                    Some(id) => break Some((id, ancestor.to_vec())),
                    None => above = parent_of(ancestor),
                },
                _ => break None,
            }
        };
        let Some((id, ancestor)) = top.filter(|(id, _)| may_be_base(reading, *id).unwrap_or(false)) else { break };
        let (_, target) = follow(reading, id, ancestor.clone())?;
        match rebase(&key, &ancestor, &target) {
            Some(next) if target != ancestor => key = next,
            _ => break,
        }
    }
    Err(no_such_entry(view, reading.rights, &key)?)
}

fn parse(bytes: &[u8]) -> Result<Record<'_>, Refusal> {
    Record::parse(bytes).map_err(|e| Refusal::new(Reason::Store, "the store failed").with_detail(e.to_string()))
}

/// RFC 4511 §4.5.1.3: the entry that an alias stands for, through at most 16 others.
fn follow(reading: Reading<'_>, mut id: EntryId, mut key: Vec<u8>) -> Result<(EntryId, Vec<u8>), Refusal> {
    let mut matched = String::new();
    for _ in 0..16 {
        let Some(guard) = reading.snapshot.record(id)? else { break };
        let record = parse(guard.value())?;
        if matched.is_empty() {
            // The alias that was asked for: those behind it may be none of the reader's business.
            record.dn().clone_into(&mut matched);
        }
        if !record.has_class(known::class::ALIAS) {
            return Ok((id, key));
        }
        let Some(target) = record.values(known::attribute::ALIASED_OBJECT_NAME).next() else { break };
        let Ok(target) = DnKey::parse(reading.schema, target) else { break };
        let Some(next) = reading.snapshot.id_of(target.as_bytes())? else { break };
        (id, key) = (next, target.into_bytes());
    }
    Err(Refusal::new(Reason::AliasProblem { matched }, "an alias leads nowhere"))
}

/// What the aliases among the children of an entry stand for.
fn aliased_children(reading: Reading<'_>, base: EntryId) -> Result<Vec<EntryId>, Refusal> {
    let class = crate::access::class_key(known::class::ALIAS);
    let mut targets = Vec::new();
    for alias in reading.snapshot.holders(known::attribute::OBJECT_CLASS, &class, ALIASES)? {
        let Some(guard) = reading.snapshot.record(alias)? else { continue };
        let record = parse(guard.value())?;
        if record.parent() == base {
            targets.extend(follow(reading, alias, record.key().to_vec()).ok().map(|(id, _)| id));
        }
    }
    targets.sort_unstable();
    targets.dedup();
    Ok(targets)
}

/// Adds the subtrees that aliases inside the searched ones stand for.
fn add_aliased(reading: Reading<'_>, base: EntryId, regions: &mut Vec<(EntryId, Vec<u8>)>) -> Result<(), Refusal> {
    let class = crate::access::class_key(known::class::ALIAS);
    let aliases = reading.snapshot.holders(known::attribute::OBJECT_CLASS, &class, ALIASES)?;
    let mut grown = true;
    while grown {
        grown = false;
        for alias in &aliases {
            let Some(guard) = reading.snapshot.record(*alias)? else { continue };
            let record = parse(guard.value())?;
            // The base is not below itself (RFC 4511 §4.5.1.3 `derefInSearching`).
            if *alias == base || !regions.iter().any(|(_, key)| record.key().starts_with(key)) {
                continue;
            }
            let Ok((id, key)) = follow(reading, *alias, record.key().to_vec()) else { continue };
            if !regions.iter().any(|(_, known)| key.starts_with(known)) {
                regions.push((id, key));
                grown = true;
            }
        }
    }
    Ok(())
}

/// RFC 4511 §4.10: whether an entry holds a value.
///
/// # Errors
/// `NoSuchEntry`; `UndefinedAttribute`; `NoSuchValue` when the entry has no such attribute; `NotAllowed` for what the
/// actor may not see, passwords among them: a password is compared by a bind and by nothing else.
pub fn compare(reading: Reading<'_>, dn: &[u8], attribute: &[u8], value: &[u8]) -> Result<bool, Refusal> {
    let view = reading.snapshot.as_ref();
    let name = String::from_utf8_lossy(attribute).into_owned();
    // What is wrong with the request itself is said before the tree is looked at.
    DnKey::parse(reading.schema, dn).map_err(|e| Refusal::new(Reason::InvalidName, e.to_string()))?;
    let Ok(description) = AttributeDescription::parse(reading.schema, attribute) else {
        return Err(Refusal::new(Reason::UndefinedAttribute, format!("{name} is not known")));
    };
    let asked = resolve(&Filter::Equal(attribute.to_vec(), value.to_vec()), reading.schema, view)?;
    let kind = reading.schema.attribute(description.id);
    if asked == Resolved::Undefined && kind.storage != Storage::Credential {
        let reason = if kind.equality.is_none() { Reason::InappropriateMatching } else { Reason::InvalidValue };
        return Err(Refusal::new(reason, format!("{name}: the assertion cannot be compared")));
    }
    let (id, _) = base(reading, dn)?;
    let Some(guard) = view.record(id)? else { return Err(Refusal::new(Reason::Store, "the store failed")) };
    let record = parse(guard.value())?;
    let sight = reading.rights.sight(id, &record);
    if kind.storage == Storage::Credential || !crate::access::shows(sight, kind) {
        return Err(Refusal::not_allowed());
    }
    let (policy, rights) = (reading.policy, reading.rights);
    let evaluation = Evaluation { schema: reading.schema, view, policy, now: &reading.now, rights };
    if evaluation.matches(&asked, id, &record, sight)? == Some(true) {
        return Ok(true);
    }
    let present = resolve(&Filter::Present(attribute.to_vec()), reading.schema, view)?;
    if evaluation.matches(&present, id, &record, sight)? == Some(true) {
        return Ok(false);
    }
    Err(Refusal::new(Reason::NoSuchValue, format!("{name}: there is no such attribute")))
}

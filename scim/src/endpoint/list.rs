//! Many resources: queries, `/.search`, pages by number and by cursor (RFC 7644 §3.4.2, §3.4.3; RFC 9865).
//!
//! Owns the page. Pages by cursor cost the same at any depth; pages by number count what lies before them, and a sorted list is
//! sorted as a whole, up to a bound. `totalResults` never builds a resource.

use super::walk::{Step, Walk};
use super::wanted::Wanted;
use crate::auth;
use crate::call::{Call, Reply, Viewed};
use crate::protocol::cursor::{Binding, CursorKey, Position};
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::filter::{self, Resolved};
use crate::protocol::list::{LIST_RESPONSE, Page, PageSizes, Query};
use crate::protocol::sort::Sort;
use crate::refusal::from_refusal;
use crate::resource::{Kind, Resource, Wants};
use directory::id::EntryId;
use serde_json::Value;

/// Candidates between two moments for other requests.
const STRIDE: u32 = 512;

/// The longest filter in octets.
const FILTER: usize = 8 * 1024;

/// GET on a resource type, or on all of them at the root.
pub(crate) async fn query(call: &Call, kind: Option<Kind>) -> Result<Reply, ScimError> {
    if call.query.value("filter").is_some_and(|filter| filter.len() > FILTER) {
        return Err(ScimError::of(ScimType::InvalidFilter, format!("a filter has at most {FILTER} octets")));
    }
    let query = Query::of_pairs(call.query.pairs())?;
    answer(call, kind, query).await
}

/// POST `/.search`, at the root over all resource types or of one.
pub(crate) async fn search(call: &Call, kind: Option<Kind>, body: Value) -> Result<Reply, ScimError> {
    answer(call, kind, Query::of_body(body)?).await
}

/// One resource type of a query.
struct Part {
    kind: Kind,
    wanted: Wanted,
    filter: Option<Resolved>,
    sort: Option<Sort>,
}

impl Part {
    /// A resource as the client wants it.
    fn bytes(&self, mut resource: Resource<'_>) -> Vec<u8> {
        self.wanted.apply(&mut resource);
        let mut out = Vec::with_capacity(1024);
        resource.write(&mut out);
        out
    }
}

async fn answer(call: &Call, kind: Option<Kind>, query: Query) -> Result<Reply, ScimError> {
    let parts = parts(call, kind, &query)?;
    let sizes = PageSizes {
        default: u32::try_from(call.shared.settings.default_page).unwrap_or(100),
        max: u32::try_from(call.shared.settings.max_page).unwrap_or(1_000),
    };
    let page = query.page(sizes, false)?;
    let viewed = call.view()?;
    let sorted = parts.iter().any(|part| part.sort.is_some());
    let listed = match page {
        Page::Index { start, count } if sorted => {
            let all = sort(call, &viewed, &parts).await?;
            let total = all.len() as u64;
            let from = usize::try_from(start.saturating_sub(1)).unwrap_or(usize::MAX);
            let chosen = all.into_iter().skip(from).take(usize::try_from(count).unwrap_or(0));
            let resources = show(call, &viewed, &parts, chosen.map(|hit| (hit.part, hit.id)))?;
            Listed { total: Some(total), start: Some(start), next: None, resources }
        }
        Page::Index { start, count } => numbered(call, &viewed, &parts, start, count).await?,
        Page::Cursor { after, count } => {
            let sealing = Sealing::new(call, &parts, &query)?;
            let after = after.map(|cursor| sealing.open(&cursor)).transpose()?;
            if sorted {
                let all = sort(call, &viewed, &parts).await?;
                after_sorted(call, &viewed, &parts, &all, after, count, &sealing)?
            } else {
                continued(call, &viewed, &parts, after, count, &sealing).await?
            }
        }
    };
    call.shared.metrics.sent(listed.resources.len() as u64);
    Ok(Reply::new(200, listed.body()))
}

fn parts(call: &Call, kind: Option<Kind>, query: &Query) -> Result<Vec<Part>, ScimError> {
    let kinds: Vec<Kind> = match kind {
        Some(kind) => vec![kind],
        None => {
            let known = |kind: &Kind| call.dialect.extensions || *kind != Kind::Role;
            Kind::ALL.into_iter().filter(|kind| auth::reaches(&call.live.token.scope, *kind)).filter(known).collect()
        }
    };
    let mode = call.dialect.filters;
    let read = query.filter.as_deref().map(|text| filter::parse(text, mode)).transpose();
    let read = read.map_err(|invalid| {
        ScimError::of(ScimType::InvalidFilter, format!("position {}: {}", invalid.position, invalid.reason))
    })?;
    let mut types = Vec::with_capacity(kinds.len());
    for kind in &kinds {
        types.push(call.resource_type(*kind)?);
    }
    let resolved: Vec<Option<Resolved>> = match &read {
        None => types.iter().map(|_| None).collect(),
        Some(read) => {
            let types: Vec<_> = types.iter().map(AsRef::as_ref).collect();
            match types.as_slice() {
                [only] => vec![Some(read.resolve(only, mode)?)],
                several => filter::resolve_across(read, several, mode)?.into_iter().map(Some).collect(),
            }
        }
    };
    let mut parts = Vec::with_capacity(kinds.len());
    let order = query.sort_by.as_deref().filter(|by| !by.is_empty());
    let mut sorts: Vec<Result<Sort, ScimError>> =
        order.iter().flat_map(|by| types.iter().map(|kind| Sort::resolve(kind, by, query.descending))).collect();
    // Of several types, one must know the attribute; the others have no value there (RFC 7644 §3.4.2.3).
    if !sorts.is_empty() && sorts.iter().all(Result::is_err) {
        sorts.swap_remove(0)?;
    }
    let mut sorts = sorts.into_iter();
    for (kind, filter) in kinds.into_iter().zip(resolved) {
        let sort = sorts.next().and_then(Result::ok);
        let wanted = Wanted::of(call, kind, &query.attributes, &query.excluded)?;
        parts.push(Part { kind, wanted, filter, sort });
    }
    Ok(parts)
}

/// A page.
struct Listed {
    total: Option<u64>,
    start: Option<u64>,
    next: Option<String>,
    resources: Vec<Vec<u8>>,
}

impl Listed {
    /// The body (RFC 7644 §3.4.2). `Resources` is there even when it is empty: clients look for it.
    fn body(&self) -> Vec<u8> {
        let size = self.resources.iter().map(|resource| resource.len().saturating_add(1)).sum::<usize>();
        let mut out = Vec::with_capacity(size.saturating_add(256));
        let mut head = format!("{{\"schemas\":[\"{LIST_RESPONSE}\"]");
        for (name, number) in [("totalResults", self.total), ("startIndex", self.start)] {
            if let Some(number) = number {
                head.push_str(&format!(",\"{name}\":{number}"));
            }
        }
        head.push_str(&format!(",\"itemsPerPage\":{}", self.resources.len()));
        if let Some(next) = &self.next {
            head.push_str(&format!(",\"nextCursor\":{}", Value::from(next.as_str())));
        }
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(b",\"Resources\":[");
        for (at, resource) in self.resources.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(resource);
        }
        out.extend_from_slice(b"]}");
        out
    }
}

/// A page by number: everything is counted, the page is built.
async fn numbered(call: &Call, viewed: &Viewed, parts: &[Part], start: u64, count: u32) -> Result<Listed, ScimError> {
    let reader = call.reader(viewed);
    let (mut total, mut looked, mut resources) = (0u64, 0u32, Vec::new());
    for part in parts {
        let unfiltered = part.filter.is_none();
        if unfiltered {
            let from = start.saturating_sub(1).saturating_sub(total);
            let left = (count as usize).saturating_sub(resources.len());
            let census = &call.shared.census;
            let counted = census.page(viewed, &reader, part.kind, from, left).map_err(|r| from_refusal(&r))?;
            if let Some((there, chosen)) = counted {
                resources.extend(show(call, viewed, std::slice::from_ref(part), chosen.into_iter().map(|id| (0, id)))?);
                total = total.saturating_add(there);
                continue;
            }
        }
        let mut ids = Vec::new();
        let mut walk = Walk::begin(call, viewed, &reader, part.kind, part.filter.as_ref(), None)?;
        loop {
            let wanted = total.saturating_add(1) >= start && resources.len() < count as usize;
            let step = walk.step(|reader, found, sight| {
                if !wanted {
                    return Ok((found.id, None));
                }
                let resource = reader.resource(part.kind, found.id, &found.record, sight, part.wanted.wants)?;
                Ok((found.id, Some(part.bytes(resource))))
            });
            match step.map_err(|r| from_refusal(&r))? {
                Step::End => break,
                Step::Passed => {}
                Step::Found((id, resource)) => {
                    total = total.saturating_add(1);
                    if unfiltered {
                        ids.push(id);
                    }
                    resources.extend(resource);
                }
            }
            looked = looked.wrapping_add(1);
            if looked.is_multiple_of(STRIDE) {
                tokio::task::yield_now().await;
            }
        }
        if unfiltered {
            call.shared.census.keep(viewed, part.kind, ids);
        }
    }
    Ok(Listed { total: Some(total), start: Some(start), next: None, resources })
}

/// A page after a position, in the order of ids: what lies before is not looked at.
async fn continued(
    call: &Call,
    viewed: &Viewed,
    parts: &[Part],
    after: Option<Position>,
    count: u32,
    sealing: &Sealing,
) -> Result<Listed, ScimError> {
    let reader = call.reader(viewed);
    let mut resources = Vec::new();
    let begin = after.as_ref().and_then(|position| position.key.first()).map_or(0, |part| usize::from(*part));
    let mut last = after.as_ref().map(|position| position.last);
    let mut next = None;
    let mut looked = 0u32;
    'parts: for (at, part) in parts.iter().enumerate().skip(begin) {
        let from = last.take().filter(|_| at == begin).map(EntryId);
        let mut here = from;
        let mut walk = Walk::begin(call, viewed, &reader, part.kind, part.filter.as_ref(), from)?;
        loop {
            let full = resources.len() >= count as usize;
            let step = walk.step(|reader, found, sight| {
                if full {
                    return Ok((found.id, None));
                }
                let resource = reader.resource(part.kind, found.id, &found.record, sight, part.wanted.wants)?;
                Ok((found.id, Some(part.bytes(resource))))
            });
            match step.map_err(|r| from_refusal(&r))? {
                Step::End => break,
                Step::Passed => {}
                Step::Found((id, Some(resource))) => {
                    here = Some(id);
                    resources.push(resource);
                }
                // There is more: the next page begins after the last one of this.
                Step::Found((_, None)) => {
                    let key = vec![u8::try_from(at).unwrap_or(0)];
                    next = Some(sealing.seal(&Position { last: here.map_or(0, |id| id.0), key })?);
                    break 'parts;
                }
            }
            looked = looked.wrapping_add(1);
            if looked.is_multiple_of(STRIDE) {
                tokio::task::yield_now().await;
            }
        }
    }
    Ok(Listed { total: None, start: None, next, resources })
}

/// A resource in a sorted list.
struct Hit {
    part: usize,
    id: EntryId,
    key: Option<Value>,
}

/// Everything that is found, sorted.
async fn sort(call: &Call, viewed: &Viewed, parts: &[Part]) -> Result<Vec<Hit>, ScimError> {
    let reader = call.reader(viewed);
    let most = call.shared.settings.sort_limit;
    let (mut hits, mut looked) = (Vec::new(), 0u32);
    for (at, part) in parts.iter().enumerate() {
        let name = part.sort.as_ref().map_or("", |sort| sort.place.attribute.name.as_str());
        let wants = Wants {
            members: name == "members",
            groups: name == "groups",
            account: true,
            manager: name == "manager",
            ..Wants::RECORD
        };
        let mut walk = Walk::begin(call, viewed, &reader, part.kind, part.filter.as_ref(), None)?;
        loop {
            let step = walk.step(|reader, found, sight| {
                let resource = reader.resource(part.kind, found.id, &found.record, sight, wants)?;
                let object = resource.into_map();
                let key = part.sort.as_ref().and_then(|sort| sort.key(&object).cloned());
                Ok(Hit { part: at, id: found.id, key })
            });
            match step.map_err(|r| from_refusal(&r))? {
                Step::End => break,
                Step::Passed => {}
                Step::Found(hit) => hits.push(hit),
            }
            if hits.len() > most {
                let why =
                    format!("more than {most} resources would have to be sorted: narrow the filter, or do not sort");
                return Err(ScimError::of(ScimType::TooMany, why));
            }
            looked = looked.wrapping_add(1);
            if looked.is_multiple_of(STRIDE) {
                tokio::task::yield_now().await;
            }
        }
    }
    if let Some(order) = parts.iter().find_map(|part| part.sort.as_ref()) {
        // A stable sort: equal ones keep the order of ids.
        hits.sort_by(|one, other| order.compare_keys(one.key.as_ref(), other.key.as_ref()));
    }
    Ok(hits)
}

/// A page of a sorted list after a position: the entry where the last page ended, or where it would stand.
fn after_sorted(
    call: &Call,
    viewed: &Viewed,
    parts: &[Part],
    all: &[Hit],
    after: Option<Position>,
    count: u32,
    sealing: &Sealing,
) -> Result<Listed, ScimError> {
    let number = |position: &Position| position.key.first_chunk::<8>().map_or(0, |b| u64::from_be_bytes(*b));
    let from = match &after {
        None => 0,
        // The one where the last page ended; when it is gone, its place.
        Some(position) => match all.iter().position(|hit| hit.id.0 == position.last) {
            Some(at) => at.saturating_add(1),
            None => usize::try_from(number(position)).unwrap_or(usize::MAX),
        },
    };
    let chosen: Vec<(usize, EntryId)> =
        all.iter().skip(from).take(count as usize).map(|hit| (hit.part, hit.id)).collect();
    let end = from.saturating_add(chosen.len());
    let next = match chosen.last() {
        Some((_, last)) if end < all.len() => {
            let key = (end as u64).to_be_bytes().to_vec();
            Some(sealing.seal(&Position { last: last.0, key })?)
        }
        None if count == 0 && end < all.len() => {
            Some(sealing.seal(&after.unwrap_or(Position { last: 0, key: Vec::new() }))?)
        }
        _ => None,
    };
    let resources = show(call, viewed, parts, chosen.into_iter())?;
    Ok(Listed { total: Some(all.len() as u64), start: None, next, resources })
}

fn show(
    call: &Call,
    viewed: &Viewed,
    parts: &[Part],
    chosen: impl Iterator<Item = (usize, EntryId)>,
) -> Result<Vec<Vec<u8>>, ScimError> {
    let reader = call.reader(viewed);
    let mut resources = Vec::new();
    for (at, id) in chosen {
        let Some(part) = parts.get(at) else { continue };
        let resource = super::resource::load(&reader, part.kind, id, part.wanted.wants, |found| part.bytes(found))?;
        resources.extend(resource);
    }
    Ok(resources)
}

/// Cursors of one query and token.
struct Sealing {
    key: CursorKey,
    binding: Binding,
    now: u64,
    lifetime: u64,
}

impl Sealing {
    fn new(call: &Call, parts: &[Part], query: &Query) -> Result<Sealing, ScimError> {
        let key =
            CursorKey::new(&call.shared.cursor_key).ok_or_else(|| ScimError::new(500, "cursors cannot be made"))?;
        let kinds: String = parts.iter().map(|part| part.kind.name()).collect();
        let order = format!("{:?} {}", query.sort_by, query.descending);
        let shown = format!("{:?} {:?}", query.attributes, query.excluded);
        let binding = Binding::of(&[
            kinds.as_bytes(),
            call.tenant.as_deref().unwrap_or_default().as_bytes(),
            query.filter.as_deref().unwrap_or_default().as_bytes(),
            order.as_bytes(),
            shown.as_bytes(),
            &call.live.token.id.0.to_be_bytes(),
        ]);
        let now = u64::try_from(call.shared.directory.now().wall.0 / 1_000).unwrap_or(0);
        Ok(Sealing { key, binding, now, lifetime: call.shared.settings.cursor_timeout.as_secs() })
    }

    fn open(&self, cursor: &str) -> Result<Position, ScimError> {
        self.key.open(cursor, &self.binding, self.now, self.lifetime)
    }

    fn seal(&self, position: &Position) -> Result<String, ScimError> {
        let sealed = self.key.seal(position, &self.binding, self.now);
        sealed.ok_or_else(|| ScimError::new(500, "the cursor cannot be made"))
    }
}

//! One resource: GET, POST, PUT, PATCH, DELETE (RFC 7644 §3.3 to §3.6).
//!
//! Owns the order of things: condition, body, difference, changes, answer. A change is made from the state that was read;
//! when somebody else was faster, everything is done again from the new state, so that no update is lost and none fails for
//! another's sake. `If-Match` makes it the client's own business.

use super::rehearsal;
use super::wanted::Wanted;
use crate::call::{Call, Reply, Viewed};
use crate::dialect::Answer;
use crate::etag;
use crate::protocol::accept::{accept, complete};
use crate::protocol::error::ScimError;
use crate::protocol::patch::{self, EdgeOp, Touched};
use crate::protocol::put;
use crate::refusal::from_refusal;
use crate::resource::reader::parse;
use crate::resource::{Kind, Planned, Reader, Resource, Wants};
use directory::access::Sight;
use directory::change::{Receipt, Request};
use directory::error::{Reason, Refusal};
use directory::id::{EntryId, Position};
use directory::store::view::View;
use serde_json::{Map, Value};

/// How often a change is made anew from a newer state.
const ATTEMPTS: usize = 8;

/// A resource as it was found.
struct Present {
    id: EntryId,
    position: Position,
    version: String,
    object: Map<String, Value>,
}

/// GET.
pub(crate) fn read(call: &Call, kind: Kind, id: &str) -> Result<Reply, ScimError> {
    let wanted = Wanted::of_query(call, kind)?;
    let viewed = call.view()?;
    let reader = call.reader(&viewed);
    let found = reader.find(kind, id).map_err(|r| from_refusal(&r))?.ok_or_else(|| missing(kind, id))?;
    let reply = load(&reader, kind, found, wanted.wants, |resource| {
        if etag::none_match_names(&call.headers, &resource.version) {
            return Reply { version: Some(resource.version), ..Reply::empty(304) };
        }
        call.shared.metrics.sent(1);
        show(resource, &wanted, 200)
    })?;
    reply.ok_or_else(|| missing(kind, id))
}

/// POST.
pub(crate) async fn create(call: &Call, kind: Kind, body: Value) -> Result<Reply, ScimError> {
    let wanted = Wanted::of_query(call, kind)?;
    let resource_type = call.resource_type(kind)?;
    let accepted = accept(resource_type, body, &call.dialect.rules)?;
    call.coerced(&accepted.coercions);
    let mut given = accepted.resource;
    complete(resource_type, &given)?;
    let members = put::edges(resource_type, &mut given, &call.dialect.rules)?.unwrap_or_default();
    let mut attempt = 0usize;
    loop {
        attempt = attempt.saturating_add(1);
        let viewed = call.view()?;
        let planned = call.reader(&viewed).create(kind, &given, &members)?;
        // The container of the first resource may be made by two at once.
        let has_container = planned.changes.len() > 1;
        let request = Request { changes: planned.changes, expected: Vec::new() };
        if call.dry_run {
            return rehearsal::answer(call, &viewed, request, 201).await;
        }
        match call.carry(&viewed.context, request).await {
            Ok(receipt) => return made(call, kind, &receipt, &wanted),
            Err(refusal) if attempt < ATTEMPTS && again(&refusal, has_container) => {}
            Err(refusal) => return Err(from_refusal(&refusal)),
        }
    }
}

fn made(call: &Call, kind: Kind, receipt: &Receipt, wanted: &Wanted) -> Result<Reply, ScimError> {
    let viewed = call.view()?;
    let reader = call.reader(&viewed);
    for id in receipt.entries.iter().rev().flatten() {
        let mut wants = wanted.wants;
        wants.members &= wanted.is_said || call.dialect.group_put == Answer::Whole;
        if call.outline && kind == Kind::User {
            if let Some((version, location)) = outline(&reader, *id)? {
                let (version, location) = (Some(version), Some(location));
                return Ok(Reply { version, location, ..Reply::empty(201) });
            }
        } else if let Some(reply) = load(&reader, kind, *id, wants, |resource| show(resource, wanted, 201))? {
            call.shared.metrics.sent(1);
            return Ok(reply);
        }
    }
    Err(ScimError::new(500, "the resource was made and is not there"))
}

/// PUT.
pub(crate) async fn replace(call: &Call, kind: Kind, id: &str, body: Value) -> Result<Reply, ScimError> {
    let wanted = Wanted::of_query(call, kind)?;
    let resource_type = call.resource_type(kind)?;
    // An empty list is a wish, too: a resource in the form of the schema has none.
    let empties =
        |name: &str, value: &Value| name.eq_ignore_ascii_case("members") && value.as_array().is_some_and(Vec::is_empty);
    let emptied = body.as_object().is_some_and(|body| body.iter().any(|(name, value)| empties(name, value)));
    let accepted = accept(resource_type, body, &call.dialect.rules)?;
    call.coerced(&accepted.coercions);
    let mut given = accepted.resource;
    let members = put::edges(resource_type, &mut given, &call.dialect.rules)?.or_else(|| emptied.then(Vec::new));
    let edges = match (kind, members) {
        (Kind::Group, Some(members)) => vec![EdgeOp::Replace(members)],
        (Kind::Group, None) if !call.dialect.put_keeps_members => vec![EdgeOp::RemoveAll],
        _ => Vec::new(),
    };
    let answer = if kind == Kind::Group { call.dialect.group_put } else { Answer::Whole };
    change(call, kind, id, &wanted, answer, |present| {
        let (after, touched) = put::merge(resource_type, &present.object, given.clone(), &call.dialect.rules)?;
        Ok((after, edges.clone(), touched))
    })
    .await
}

/// PATCH.
pub(crate) async fn modify(call: &Call, kind: Kind, id: &str, body: Value) -> Result<Reply, ScimError> {
    let wanted = Wanted::of_query(call, kind)?;
    let resource_type = call.resource_type(kind)?;
    let rules = &call.dialect.rules;
    let mut touched = Touched::default();
    let operations = patch::parse(body, rules, &mut touched)?;
    let (operations, edges) = patch::split_edges(resource_type, operations, rules, &mut touched)?;
    call.coerced(&touched.coercions);
    let answer = if kind == Kind::Group { call.dialect.group_patch } else { Answer::Whole };
    change(call, kind, id, &wanted, answer, |present| {
        let mut after = present.object.clone();
        let touched = patch::apply(resource_type, &mut after, operations.clone(), rules)?;
        Ok((after, edges.clone(), touched))
    })
    .await
}

/// The way of PUT and PATCH: from the state that is there to the one that `next` makes of it.
async fn change(
    call: &Call,
    kind: Kind,
    id: &str,
    wanted: &Wanted,
    answer: Answer,
    next: impl Fn(&Present) -> Result<(Map<String, Value>, Vec<EdgeOp>, Touched), ScimError>,
) -> Result<Reply, ScimError> {
    let mut attempt = 0usize;
    loop {
        attempt = attempt.saturating_add(1);
        let viewed = call.view()?;
        let (found, position, planned) = {
            let reader = call.reader(&viewed);
            let present = present(call, &reader, kind, id)?;
            let (after, edges, touched) = next(&present)?;
            if attempt == 1 {
                call.coerced(&touched.coercions);
            }
            let guard = viewed.snapshot.record(present.id).map_err(|r| from_refusal(&r))?;
            let guard = guard.ok_or_else(|| missing(kind, id))?;
            let record = parse(guard.value()).map_err(|r| from_refusal(&r))?;
            let planned = reader.update(kind, present.id, &record, (&present.object, &after), &edges)?;
            (present.id, present.position, planned)
        };
        let Planned { changes, relies, deactivates } = planned;
        if changes.is_empty() && !call.dry_run {
            return changed(call, kind, found, wanted, answer);
        }
        let conditional = etag::is_conditional(&call.headers);
        let expected = if relies || conditional { vec![(found, position)] } else { Vec::new() };
        let request = Request { changes, expected };
        if call.dry_run {
            return rehearsal::answer(call, &viewed, request, 200).await;
        }
        let counted = deactivates && fuse(call, &viewed)?;
        match call.carry(&viewed.context, request).await {
            Ok(_) => return changed(call, kind, found, wanted, answer),
            Err(refusal) => {
                if counted {
                    call.shared.directory.fuse().give_back(call.live.token.id);
                }
                if attempt >= ATTEMPTS || !again(&refusal, false) {
                    return Err(from_refusal(&refusal));
                }
            }
        }
    }
}

/// What is there, when the request's condition lets it be changed.
fn present(call: &Call, reader: &Reader<'_>, kind: Kind, id: &str) -> Result<Present, ScimError> {
    let found = reader.find(kind, id).map_err(|r| from_refusal(&r))?.ok_or_else(|| missing(kind, id))?;
    let guard = reader.snapshot.record(found).map_err(|r| from_refusal(&r))?.ok_or_else(|| missing(kind, id))?;
    let record = parse(guard.value()).map_err(|r| from_refusal(&r))?;
    let sight = reader.sight(found, &record).map_err(|r| from_refusal(&r))?;
    let resource = reader.resource(kind, found, &record, sight, Wants::RECORD).map_err(|r| from_refusal(&r))?;
    let position = record.header().version;
    check(call, &resource.version)?;
    Ok(Present { id: found, position, version: resource.version, object: resource.object.into_map() })
}

/// `If-Match` and `If-None-Match` of a request that writes.
fn check(call: &Call, version: &str) -> Result<(), ScimError> {
    if !etag::matches(&call.headers, version) || etag::none_match_names(&call.headers, version) {
        return Err(ScimError::new(412, "the resource has another version than the request demands"));
    }
    Ok(())
}

/// The answer to a change that was carried out, or was none.
fn changed(call: &Call, kind: Kind, id: EntryId, wanted: &Wanted, answer: Answer) -> Result<Reply, ScimError> {
    let viewed = call.view()?;
    let reader = call.reader(&viewed);
    let mut wants = wanted.wants;
    if !wanted.is_said {
        wants.members &= answer == Answer::Whole;
    }
    if call.outline && kind == Kind::User {
        let version = outline(&reader, id)?.map(|(version, _)| version);
        let status = if version.is_none() || answer == Answer::Nothing { 204 } else { 200 };
        return Ok(Reply { version, ..Reply::empty(status) });
    }
    let nothing = answer == Answer::Nothing && !wanted.is_said;
    if nothing {
        wants = Wants { members: false, groups: false, ..wants };
    }
    let reply = load(&reader, kind, id, wants, |resource| {
        if nothing {
            return Reply { version: Some(resource.version), ..Reply::empty(204) };
        }
        call.shared.metrics.sent(1);
        show(resource, wanted, 200)
    })?;
    // Or somebody has deleted it meanwhile; what was asked for was done.
    Ok(reply.unwrap_or_else(|| Reply::empty(204)))
}

/// DELETE.
pub(crate) async fn remove(call: &Call, kind: Kind, id: &str) -> Result<Reply, ScimError> {
    let viewed = call.view()?;
    let (found, position, planned) = {
        let reader = call.reader(&viewed);
        let present = present(call, &reader, kind, id)?;
        debug_assert!(!present.version.is_empty(), "every resource has a version");
        (present.id, present.position, reader.delete(kind, present.id))
    };
    let expected = if etag::is_conditional(&call.headers) { vec![(found, position)] } else { Vec::new() };
    let request = Request { changes: planned.changes, expected };
    if call.dry_run {
        return rehearsal::answer(call, &viewed, request, 204).await;
    }
    let counted = planned.deactivates && fuse(call, &viewed)?;
    match call.carry(&viewed.context, request).await {
        Ok(_) => Ok(Reply::empty(204)),
        Err(refusal) => {
            if counted {
                call.shared.directory.fuse().give_back(call.live.token.id);
            }
            Err(from_refusal(&refusal))
        }
    }
}

/// One more account that this token takes away.
fn fuse(call: &Call, viewed: &Viewed) -> Result<bool, ScimError> {
    let token = call.live.token.id;
    if let Err(blown) = call.shared.directory.fuse().take(token, viewed.context.now.wall) {
        call.shared.metrics.fuse_blown();
        tracing::warn!(
            client = %token,
            label = call.live.token.label,
            limit = blown.limit,
            seconds = blown.blown,
            "the fuse has blown: more accounts are deactivated or deleted than one token may"
        );
        let why = format!(
            "the fuse has blown: one token deactivates or deletes at most {} accounts within its window; \
             it goes on in {} seconds, or when an administrator closes the fuse",
            blown.limit,
            blown.blown.unwrap_or_default()
        );
        return Err(ScimError::new(403, why));
    }
    Ok(true)
}

/// Whether a refusal comes from somebody who was faster.
fn again(refusal: &Refusal, has_container: bool) -> bool {
    match refusal.reason {
        Reason::Conflict | Reason::Stale => true,
        Reason::EntryExists => has_container,
        _ => false,
    }
}

/// What is made of an entry as a resource of a type; none: it is not one for this token.
pub(crate) fn load<T>(
    reader: &Reader<'_>,
    kind: Kind,
    id: EntryId,
    wants: Wants,
    make: impl FnOnce(Resource<'_>) -> T,
) -> Result<Option<T>, ScimError> {
    let Some(guard) = reader.snapshot.record(id).map_err(|r| from_refusal(&r))? else { return Ok(None) };
    let record = parse(guard.value()).map_err(|r| from_refusal(&r))?;
    let sight = reader.sight(id, &record).map_err(|r| from_refusal(&r))?;
    if sight == Sight::None || Kind::of(&record) != Some(kind) {
        return Ok(None);
    }
    let resource = reader.resource(kind, id, &record, sight, wants).map_err(|r| from_refusal(&r))?;
    Ok(Some(make(resource)))
}

/// The version and the URL of a user; none: there is no such user for this token.
fn outline(reader: &Reader<'_>, id: EntryId) -> Result<Option<(String, String)>, ScimError> {
    let Some(guard) = reader.snapshot.record(id).map_err(|r| from_refusal(&r))? else { return Ok(None) };
    let record = parse(guard.value()).map_err(|r| from_refusal(&r))?;
    let sight = reader.sight(id, &record).map_err(|r| from_refusal(&r))?;
    if sight == Sight::None || Kind::of(&record) != Some(Kind::User) {
        return Ok(None);
    }
    reader.outline(id, &record, sight).map(Some).map_err(|r| from_refusal(&r))
}

fn show(mut resource: Resource<'_>, wanted: &Wanted, status: u16) -> Reply {
    wanted.apply(&mut resource);
    let mut body = Vec::with_capacity(1024);
    resource.write(&mut body);
    let location = Some(resource.location);
    Reply { version: Some(resource.version), location, ..Reply::new(status, body) }
}

pub(crate) fn missing(kind: Kind, id: &str) -> ScimError {
    let short: String = id.chars().filter(|c| !c.is_control()).take(64).collect();
    ScimError::new(404, format!("there is no {} {short:?}", kind.name()))
}

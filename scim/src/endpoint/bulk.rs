//! Many operations in one request (RFC 7644 §3.7).
//!
//! Owns their order and their company: operations that do not depend on each other are under way at the same time, so that they
//! share commits; those about one resource follow each other as they stand. Each succeeds or fails by itself. With
//! `failOnErrors` no more are begun than may still fail.

use super::resource;
use crate::auth;
use crate::call::{Call, Reply};
use crate::protocol::bulk::{self, Id, Item, Limits, Method, Operation, Outcome, Step, hold, references, substitute};
use crate::protocol::error::ScimError;
use crate::resource::Kind;
use crate::route::Query;
use axum::http::{HeaderMap, HeaderValue, header};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use tokio::task::JoinSet;

/// POST `/Bulk`.
pub(crate) async fn answer(call: &Call, body: Value) -> Result<Reply, ScimError> {
    let settings = &call.shared.settings;
    let limits = Limits { operations: settings.max_bulk_operations, payload: settings.max_bulk_body };
    let request = bulk::parse(body, &call.shared.schemas, &limits)?;
    let plan = bulk::plan(&request);
    let mut work = Work {
        call,
        outcomes: request.items.iter().map(|_| None).collect(),
        made: HashMap::new(),
        held: HashMap::new(),
        wave: Vec::new(),
        busy: HashSet::new(),
        errors: 0,
        bound: request.fail_on_errors,
    };
    for (at, item) in request.items.iter().enumerate() {
        if let Err(error) = &item.operation {
            work.failed(at, item, error);
        }
    }
    for step in plan {
        if work.is_over() {
            break;
        }
        match step {
            Step::Run(at, held) => {
                let Some(Item { operation: Ok(operation), .. }) = request.items.get(at) else { continue };
                work.begin(&request.items, at, operation, &held).await;
            }
            Step::Complete(at) => {
                work.settle(&request.items).await;
                work.complete(&request.items, at).await;
            }
        }
    }
    work.settle(&request.items).await;
    let outcomes = work.outcomes.into_iter().flatten().collect();
    Ok(Reply::json(200, &bulk::response(outcomes)))
}

/// What is under way, and what has come of the rest.
struct Work<'a> {
    call: &'a Call,
    outcomes: Vec<Option<Outcome>>,
    /// Identifiers of what was made, by `bulkId`.
    made: HashMap<String, String>,
    /// What was held back, by operation.
    held: HashMap<usize, Value>,
    /// Operations that may be under way together.
    wave: Vec<(usize, Kind, Operation)>,
    /// The resources and `bulkId`s that they are about.
    busy: HashSet<String>,
    errors: u64,
    bound: Option<u64>,
}

impl Work<'_> {
    fn is_over(&self) -> bool {
        self.bound.is_some_and(|bound| self.errors >= bound)
    }

    /// How many may be under way: as many as may still fail.
    fn width(&self) -> usize {
        let left = self.bound.map_or(u64::MAX, |bound| bound.saturating_sub(self.errors));
        usize::try_from(left).unwrap_or(usize::MAX).min(self.call.shared.settings.bulk_width).max(1)
    }

    async fn begin(&mut self, items: &[Item], at: usize, operation: &Operation, held: &BTreeSet<String>) {
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == operation.kind.name) else { return };
        let own = keys(operation);
        if self.wave.len() >= self.width() || own.iter().any(|key| self.busy.contains(key)) {
            self.settle(items).await;
            if self.is_over() {
                return;
            }
        }
        let mut operation = operation.clone();
        if !held.is_empty() {
            self.held.insert(at, hold(&mut operation.data, held));
        }
        let known = substitute(&mut operation.data, &self.made).and_then(|()| match &operation.id {
            Some(Id::Bulk(name)) => {
                let made = self.made.get(name).cloned();
                made.map(|id| Some(Id::Known(id)))
                    .ok_or_else(|| ScimError::new(409, "no resource was made for the bulkId"))
            }
            other => Ok(other.clone()),
        });
        match (known, items.get(at)) {
            (Ok(id), _) => {
                operation.id = id;
                self.busy.extend(own);
                self.wave.push((at, kind, operation));
            }
            (Err(error), Some(item)) => self.failed(at, item, &error),
            (Err(_), None) => {}
        }
    }

    /// Carries out what is gathered.
    async fn settle(&mut self, items: &[Item]) {
        self.busy.clear();
        let mut running = JoinSet::new();
        for (at, kind, operation) in std::mem::take(&mut self.wave) {
            let call = self.call.clone();
            running.spawn(async move { (at, run(call, kind, operation).await) });
        }
        while let Some(done) = running.join_next().await {
            // A task that panicked has said so in the log; its operation is told below.
            let Ok((at, result)) = done else { continue };
            let Some(item) = items.get(at) else { continue };
            match result {
                Ok(reply) => self.succeeded(at, item, reply),
                Err(error) => self.failed(at, item, &error),
            }
        }
    }

    /// Adds what was held back from an operation to the resource that it made.
    async fn complete(&mut self, items: &[Item], at: usize) {
        let Some(mut patch) = self.held.remove(&at) else { return };
        let Some(item) = items.get(at) else { return };
        let Ok(operation) = &item.operation else { return };
        let Some(id) = operation.bulk_id.as_ref().and_then(|name| self.made.get(name)).cloned() else { return };
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == operation.kind.name) else { return };
        let result = match substitute(&mut patch, &self.made) {
            Ok(()) => resource::modify(self.call, kind, &id, patch).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(reply) => {
                if let Some(Some(outcome)) = self.outcomes.get_mut(at) {
                    outcome.version = reply.version.or(outcome.version.take());
                }
            }
            // The resource is there without what it should refer to: that is an error, and told as one.
            Err(error) => self.failed(at, item, &error),
        }
    }

    fn succeeded(&mut self, at: usize, item: &Item, reply: Reply) {
        self.call.shared.metrics.bulk_operation();
        let response = reply.applied.and(reply.body.as_deref()).and_then(|body| serde_json::from_slice(body).ok());
        let operation = item.operation.as_ref().ok();
        let mut location = reply.location;
        if let Some(operation) = operation {
            match (operation.method, location.as_deref().and_then(|url| url.rsplit('/').next())) {
                (Method::Post, Some(id)) => {
                    if let Some(name) = &operation.bulk_id {
                        self.made.insert(name.clone(), id.to_owned());
                    }
                }
                (_, None) => location = self.location(operation),
                _ => {}
            }
        }
        self.put(at, item, reply.status, reply.version, location, response);
    }

    fn failed(&mut self, at: usize, item: &Item, error: &ScimError) {
        self.call.shared.metrics.bulk_operation();
        self.errors = self.errors.saturating_add(1);
        let location = item.operation.as_ref().ok().and_then(|operation| self.location(operation));
        self.put(at, item, error.status, None, location, Some(error.body()));
    }

    fn put(
        &mut self,
        at: usize,
        item: &Item,
        status: u16,
        version: Option<String>,
        location: Option<String>,
        response: Option<Value>,
    ) {
        if let Some(slot) = self.outcomes.get_mut(at) {
            let (method, bulk_id) = (item.method, item.bulk_id.clone());
            *slot = Some(Outcome { method, bulk_id, version, location, status, response });
        }
    }

    /// The URL of the resource that an operation is about; none for one that was to be made.
    fn location(&self, operation: &Operation) -> Option<String> {
        let id = match operation.id.as_ref()? {
            Id::Known(id) => id.clone(),
            Id::Bulk(name) => self.made.get(name)?.clone(),
        };
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        plain.then(|| format!("{}{}/{id}", self.call.base_url, operation.kind.endpoint))
    }
}

/// What an operation is about and refers to: two that share one of these follow each other.
fn keys(operation: &Operation) -> Vec<String> {
    let mut keys: Vec<String> = references(operation).into_iter().map(|name| format!("bulkId:{name}")).collect();
    keys.extend(operation.bulk_id.as_ref().map(|name| format!("bulkId:{name}")));
    // Of two that want one name, the first gets it.
    for name in ["userName", "displayName"] {
        let wanted = operation.data.get(name).and_then(Value::as_str);
        keys.extend(wanted.map(|wanted| format!("{name} {}", wanted.to_lowercase())));
    }
    match &operation.id {
        Some(Id::Known(id)) => keys.push(id.clone()),
        Some(Id::Bulk(name)) => keys.push(format!("bulkId:{name}")),
        None => {}
    }
    keys
}

/// One operation, as if it had come alone.
async fn run(call: Call, kind: Kind, operation: Operation) -> Result<Reply, ScimError> {
    auth::allows(&call.live.token.scope, Some(kind), true)?;
    if kind == Kind::Role {
        return Err(ScimError::new(405, "roles are read-only"));
    }
    let mut headers = HeaderMap::new();
    if let Some(version) = &operation.version {
        let version = HeaderValue::from_str(version).map_err(|_| ScimError::new(412, "the version is none"))?;
        headers.insert(header::IF_MATCH, version);
    }
    let request_id = call.shared.directory.next_request_id();
    let query = Arc::new(Query::default());
    let call = Call { headers: Arc::new(headers), query, request_id, outline: true, ..call };
    let id = match operation.id {
        Some(Id::Known(id)) => id,
        _ => String::new(),
    };
    match operation.method {
        Method::Post => resource::create(&call, kind, operation.data).await,
        Method::Put => resource::replace(&call, kind, &id, operation.data).await,
        Method::Patch => resource::modify(&call, kind, &id, operation.data).await,
        Method::Delete => resource::remove(&call, kind, &id).await,
    }
}

//! The endpoints, and which answers what.
//!
//! - [`resource`] reads, makes, replaces, changes and deletes one resource.
//! - [`list`] finds many: queries, `.search`, pages.
//! - [`bulk`] carries out many operations in one request.
//! - [`discovery`] says what the server is.

pub(crate) mod bulk;
pub(crate) mod discovery;
pub(crate) mod list;
pub(crate) mod rehearsal;
pub(crate) mod resource;
pub(crate) mod walk;
pub(crate) mod wanted;

use crate::auth;
use crate::call::{Call, Reply};
use crate::protocol::error::ScimError;
use crate::refusal::from_refusal;
use crate::resource::Kind;
use crate::resource::reader::parse;
use crate::route::Endpoint;
use axum::http::Method;
use directory::context::Actor;
use directory::store::view::View;
use serde_json::Value;

/// Answers a request whose method is one of the endpoint's.
pub(crate) async fn answer(
    call: &Call,
    method: &Method,
    endpoint: Endpoint,
    body: Option<Value>,
) -> Result<Reply, ScimError> {
    let scope = &call.live.token.scope;
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let body = body.unwrap_or_default();
    match endpoint {
        Endpoint::Resources(kind) if reads => {
            auth::allows(scope, Some(kind), false)?;
            list::query(call, Some(kind)).await
        }
        Endpoint::Resources(kind) => {
            auth::allows(scope, Some(kind), true)?;
            resource::create(call, kind, body).await
        }
        Endpoint::Resource(kind, id) => {
            auth::allows(scope, Some(kind), !reads)?;
            one(call, method, kind, &id, body).await
        }
        Endpoint::Me => {
            auth::allows(scope, Some(Kind::User), !reads)?;
            let id = me(call)?;
            one(call, method, Kind::User, &id, body).await
        }
        Endpoint::Root => {
            auth::allows(scope, None, false)?;
            list::query(call, None).await
        }
        Endpoint::Search(kind) => {
            auth::allows(scope, kind, false)?;
            list::search(call, kind, body).await
        }
        Endpoint::Bulk => {
            auth::allows(scope, None, true)?;
            bulk::answer(call, body).await
        }
        _ => Err(ScimError::new(404, "there is no such endpoint")),
    }
}

async fn one(call: &Call, method: &Method, kind: Kind, id: &str, body: Value) -> Result<Reply, ScimError> {
    match *method {
        Method::PUT => resource::replace(call, kind, id, body).await,
        Method::PATCH => resource::modify(call, kind, id, body).await,
        Method::DELETE => resource::remove(call, kind, id).await,
        _ => resource::read(call, kind, id),
    }
}

/// The identifier of the user that the token belongs to (RFC 7644 §3.11).
fn me(call: &Call) -> Result<String, ScimError> {
    let nobody = || ScimError::new(404, "the token is an application's: no user stands behind it");
    let Actor::Account { id, .. } = call.live.actor else { return Err(nobody()) };
    let snapshot = call.shared.directory.snapshot().map_err(|r| from_refusal(&r))?;
    let guard = snapshot.record(id).map_err(|r| from_refusal(&r))?.ok_or_else(nobody)?;
    let record = parse(guard.value()).map_err(|r| from_refusal(&r))?;
    if Kind::of(&record) == Some(Kind::User) { Ok(record.uuid().to_string()) } else { Err(nobody()) }
}

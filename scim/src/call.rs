//! One request under way: who asks, in which dialect, about which part of the tree; and what it is answered.
//!
//! Owns what every endpoint needs and none of their rules. A [`Call`] is cheap to clone: the operations of a bulk request are
//! calls of their own.

use crate::auth;
use crate::census::Census;
use crate::dialect::Dialect;
use crate::endpoint::wanted::Usual;
use crate::limits::{Rates, Settings};
use crate::metrics::Metrics;
use crate::peer::Peer;
use crate::protocol::error::ScimError;
use crate::protocol::rules::Coercion;
use crate::refusal::from_refusal;
use crate::resource::{Binding, Kind, Reader, Realm};
use crate::route::{BASE, Query};
use crate::schema::{ACCOUNT_STATE, ROLE, ResourceType, Schemas};
use axum::http::HeaderMap;
use directory::access::Rights;
use directory::change::{Receipt, Request};
use directory::context::{Context, Door as DoorKind, Origin};
use directory::error::Refusal;
use directory::handle::Directory;
use directory::journal::record::Event;
use directory::store::view::Snapshot;
use directory::token::Live;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) directory: Directory,
    pub(crate) schemas: Arc<Schemas>,
    /// Without what only this server has.
    pub(crate) strict_schemas: Arc<Schemas>,
    pub(crate) settings: Settings,
    pub(crate) cursor_key: [u8; 32],
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) binding: Binding,
    pub(crate) rates: Rates,
    pub(crate) census: Census,
    pub(crate) usual: Usual,
}

impl Shared {
    /// What a dialect shows of the schemas.
    pub(crate) fn schemas(&self, dialect: &Dialect) -> &Schemas {
        if dialect.extensions { &self.schemas } else { &self.strict_schemas }
    }
}

/// The schemas of the RFCs, and those that customers have made: without the state of accounts and roles.
pub(crate) fn strict(schemas: &Schemas) -> Schemas {
    let own = [ACCOUNT_STATE, ROLE];
    let mut resource_types = Vec::new();
    for kind in schemas.resource_types.iter().filter(|kind| kind.uri() != ROLE) {
        let mut kind = ResourceType::clone(kind);
        kind.extensions.retain(|extension| !own.contains(&extension.schema.id.as_str()));
        resource_types.push(Arc::new(kind));
    }
    let schemas = schemas.schemas.iter().filter(|schema| !own.contains(&schema.id.as_str())).cloned().collect();
    Schemas { resource_types, schemas }
}

/// A request of a token that is good.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    pub(crate) live: Arc<Live>,
    pub(crate) dialect: Arc<Dialect>,
    pub(crate) peer: Peer,
    pub(crate) request_id: u64,
    pub(crate) tenant: Option<Arc<str>>,
    pub(crate) headers: Arc<HeaderMap>,
    pub(crate) query: Arc<Query>,
    /// Nothing is changed; the answer is the difference.
    pub(crate) dry_run: bool,
    /// Answers begin their links with this.
    pub(crate) base_url: Arc<str>,
    /// Of a resource that is made or changed only the version and the URL are wanted: the operations of a bulk request.
    pub(crate) outline: bool,
}

/// A state of the store as a token sees it.
pub(crate) struct Viewed {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) rights: Rights,
    pub(crate) realm: Realm,
    pub(crate) context: Context,
}

impl Call {
    /// The circumstances, for the directory.
    pub(crate) fn context(&self) -> Context {
        Context {
            actor: self.live.actor,
            origin: Origin {
                door: DoorKind::Scim,
                address: Some(self.peer.address),
                confidential: self.peer.confidential,
            },
            now: self.shared.directory.now(),
            request_id: self.request_id,
        }
    }

    /// The present state.
    pub(crate) fn view(&self) -> Result<Viewed, ScimError> {
        let directory = &self.shared.directory;
        let snapshot = directory.snapshot().map_err(|r| from_refusal(&r))?;
        let rights = directory.rights(&snapshot, self.live.actor).map_err(|r| from_refusal(&r))?;
        let realm = auth::realm(directory, &snapshot, &rights, &self.live, self.tenant.as_deref())?;
        Ok(Viewed { snapshot, rights, realm, context: self.context() })
    }

    /// A reader of a state.
    pub(crate) fn reader<'a>(&'a self, viewed: &'a Viewed) -> Reader<'a> {
        Reader::new(
            &self.shared.directory,
            &viewed.snapshot,
            &viewed.rights,
            &self.shared.binding,
            &viewed.realm,
            viewed.context.now,
            &self.base_url,
            self.dialect.extensions,
        )
    }

    /// The schema of a resource type.
    pub(crate) fn resource_type(&self, kind: Kind) -> Result<&Arc<ResourceType>, ScimError> {
        let found = self.shared.schemas.resource_types.iter().find(|known| known.name == kind.name());
        found.ok_or_else(|| ScimError::new(404, "there is no such resource type"))
    }

    /// Carries changes out.
    pub(crate) async fn carry(&self, context: &Context, request: Request) -> Result<Receipt, Refusal> {
        self.shared.directory.carry(context, request).await
    }

    /// Tells what changes would do.
    pub(crate) async fn rehearse(&self, context: &Context, request: Request) -> Result<Vec<Event>, Refusal> {
        self.shared.metrics.rehearsed();
        self.shared.directory.rehearse(context, request).await
    }

    /// Counts what was accepted only because of a switch, and tells it the first time.
    pub(crate) fn coerced(&self, coercions: &BTreeMap<Coercion, usize>) {
        for (coercion, times) in coercions {
            let (name, client) = (coercion.name(), self.live.token.id.to_string());
            let first = self.shared.metrics.coerced(self.live.token.id.0, name, *times);
            let dialect = self.dialect.name;
            if first {
                tracing::info!(client, dialect, coercion = name, times, "a departure from the RFCs is accepted");
            } else {
                tracing::debug!(client, dialect, coercion = name, times, "a departure from the RFCs is accepted");
            }
        }
    }
}

/// What a resource endpoint is reached by, with the tenant when the path names it.
pub(crate) fn base_url(peer: &Peer, tenant: Option<&str>) -> Arc<str> {
    let legal = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '<' | '>');
    let host = if peer.base_url.chars().all(legal) { &*peer.base_url } else { "https://localhost" };
    match tenant {
        None => format!("{host}{BASE}").into(),
        Some(tenant) => format!("{host}{BASE}/{}", escape(tenant)).into(),
    }
}

/// A path segment (RFC 3986 §3.3).
fn escape(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The JSON; none: no body.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) version: Option<String>,
    pub(crate) location: Option<String>,
    /// The media type, when it is not SCIM's.
    pub(crate) media: Option<&'static str>,
    /// `Preference-Applied` (RFC 7240 §3).
    pub(crate) applied: Option<&'static str>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: Vec<u8>) -> Reply {
        Reply { status, body: Some(body), ..Reply::default() }
    }

    pub(crate) fn empty(status: u16) -> Reply {
        Reply { status, ..Reply::default() }
    }

    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Reply {
        Reply::new(status, body.to_string().into_bytes())
    }
}

//! The dry run: `Prefer: handling=dry-run` (RFC 7240) answers with the difference and changes nothing.
//!
//! Owns the form of that answer, which is ours: the status that the request would have had, and what the journal would hold.

use crate::call::{Call, Reply, Viewed};
use crate::protocol::error::ScimError;
use crate::refusal::from_refusal;
use directory::change::Request;
use directory::journal::record::{Event, ValueChange};
use serde_json::{Value, json};

/// The schema of the answer.
pub(crate) const DRY_RUN: &str = "urn:ietf:params:scim:api:messages:rollbook:2.0:DryRun";
/// The preference that was applied.
pub(crate) const APPLIED: &str = "handling=dry-run";

/// Rehearses a request that would be answered with `status`.
pub(crate) async fn answer(call: &Call, viewed: &Viewed, request: Request, status: u16) -> Result<Reply, ScimError> {
    let events = if request.changes.is_empty() {
        Vec::new()
    } else {
        call.rehearse(&viewed.context, request).await.map_err(|r| from_refusal(&r))?
    };
    let changes: Vec<Value> = events.iter().filter_map(event).collect();
    let body = json!({ "schemas": [DRY_RUN], "status": status.to_string(), "changes": changes });
    Ok(Reply { applied: Some(APPLIED), ..Reply::json(200, &body) })
}

/// One thing that would happen.
fn event(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Added { dn, .. } => json!({ "change": "add", "dn": dn }),
        Event::Modified { dn, values, .. } => {
            json!({ "change": "modify", "dn": dn, "values": values.iter().map(value).collect::<Vec<_>>() })
        }
        Event::Renamed { from, to, .. } => json!({ "change": "rename", "dn": from, "to": to }),
        Event::Deleted { dn, .. } => json!({ "change": "delete", "dn": dn }),
        Event::Password { dn, .. } => json!({ "change": "password", "dn": dn }),
        Event::Account { dn, act, .. } => json!({ "change": "account", "dn": dn, "act": act }),
        _ => return None,
    })
}

fn value(change: &ValueChange) -> Value {
    let text = |values: &[Vec<u8>]| -> Vec<Value> {
        values.iter().map(|value| Value::String(String::from_utf8_lossy(value).into_owned())).collect()
    };
    json!({ "attribute": change.attribute, "removed": text(&change.removed), "added": text(&change.added) })
}

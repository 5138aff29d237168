//! Going through the resources that a filter is true of, in the order of their making.
//!
//! Owns the walk: candidates from the directory's indexes, in ascending id whatever the index, each decided exactly. The order
//! never changes, so a page goes on after an id with no state kept.

use crate::call::{Call, Viewed};
use crate::protocol::error::ScimError;
use crate::protocol::filter::Resolved;
use crate::refusal::from_refusal;
use crate::resource::{Kind, Reader, Wants};
use crate::schema::ENTERPRISE_USER;
use directory::access::Sight;
use directory::error::Refusal;
use directory::id::EntryId;
use directory::search::{self, Bounds, Cursor, Deref, Found, Reading, Scope, SearchRequest};

/// A walk under way.
pub(crate) struct Walk<'a> {
    reader: &'a Reader<'a>,
    kind: Kind,
    cursor: Cursor,
    filter: Option<&'a Resolved>,
    exact: bool,
    wants: Wants,
}

impl<'a> Walk<'a> {
    /// Begins after an entry, or at the first.
    pub(crate) fn begin(
        call: &Call,
        viewed: &Viewed,
        reader: &'a Reader<'a>,
        kind: Kind,
        filter: Option<&'a Resolved>,
        after: Option<EntryId>,
    ) -> Result<Walk<'a>, ScimError> {
        let (candidates, exact) = reader.candidates(kind, filter).map_err(|r| from_refusal(&r))?;
        let reading = call.shared.directory.reading(&viewed.snapshot, &viewed.rights, viewed.context.now);
        // A page bounds what is returned; what is looked at stays bounded.
        let reading = Reading { bounds: Bounds { size: 0, ..reading.bounds }, ..reading };
        let request = SearchRequest {
            base: viewed.realm.dn.as_bytes(),
            scope: Scope::Subtree,
            deref: Deref::Never,
            filter: &candidates,
            size_limit: 0,
            time_limit_seconds: 0,
            after,
        };
        let cursor = search::begin(reading, &request).map_err(|r| from_refusal(&r))?;
        let asks = |urn, name| filter.is_some_and(|filter| mentions(filter, urn, name));
        let wants = Wants {
            members: asks(None, "members"),
            member_names: asks(None, "members"),
            groups: asks(None, "groups"),
            account: true,
            manager: asks(Some(ENTERPRISE_USER), "manager"),
            manager_name: asks(Some(ENTERPRISE_USER), "manager"),
        };
        Ok(Walk { reader, kind, cursor, filter, exact, wants })
    }

    /// The next resource, handed to `each` with what may be seen of it. False: that was all, or this candidate was none.
    pub(crate) fn step<T>(
        &mut self,
        each: impl FnOnce(&Reader<'_>, &Found<'_>, Sight) -> Result<T, Refusal>,
    ) -> Result<Step<T>, Refusal> {
        let Some(found) = self.cursor.next()? else { return Ok(Step::End) };
        if Kind::of(&found.record) != Some(self.kind) {
            return Ok(Step::Passed);
        }
        let sight = self.reader.sight(found.id, &found.record)?;
        if sight == Sight::None {
            return Ok(Step::Passed);
        }
        if let Some(filter) = self.filter.filter(|_| !self.exact) {
            let resource = self.reader.resource(self.kind, found.id, &found.record, sight, self.wants)?;
            if !filter.matches_map(&resource.into_map()) {
                return Ok(Step::Passed);
            }
        }
        each(self.reader, &found, sight).map(Step::Found)
    }
}

/// What came of one step.
pub(crate) enum Step<T> {
    /// A resource.
    Found(T),
    /// A candidate that is none.
    Passed,
    /// No candidates are left.
    End,
}

/// Whether a filter asks for an attribute.
fn mentions(filter: &Resolved, urn: Option<&str>, name: &str) -> bool {
    let is_it = |place: &crate::schema::Place| {
        place.attribute.name == name && place.extension.as_ref().map(|schema| schema.id.as_str()) == urn
    };
    match filter {
        Resolved::And(parts) | Resolved::Or(parts) => parts.iter().any(|part| mentions(part, urn, name)),
        Resolved::Not(part) => mentions(part, urn, name),
        Resolved::Test { place, .. } | Resolved::Element { place, .. } => is_it(place),
    }
}

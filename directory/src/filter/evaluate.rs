//! Whether an entry matches, in three values (RFC 4511 §4.5.1.7): `Some(true)`, `Some(false)`, `None` for Undefined.
//!
//! Asked for every candidate, so it reads the record in place. An attribute that the reader may not see makes its item
//! Undefined: the same answer as for an attribute that does not exist, so that a filter tells nothing.

use super::resolve::{Asked, Resolved, Test};
use crate::access::{Rights, Sight, shows};
use crate::clock::Now;
use crate::entry::dn::Dn;
use crate::entry::record::Record;
use crate::error::Refusal;
use crate::id::EntryId;
use crate::lifecycle::Policy;
use crate::schema::{AttributeId, Schema};
use crate::search::computed;
use crate::store::membership;
use crate::store::view::View;

/// What evaluation needs besides the filter and the entry.
pub struct Evaluation<'a, V> {
    /// The schema.
    pub schema: &'a Schema,
    /// The state of the store that the entry is from.
    pub view: &'a V,
    /// The policy that states are derived by.
    pub policy: &'a Policy,
    /// The moment that states are derived at.
    pub now: &'a Now,
    /// Whose search it is: an edge to an entry that may not be seen is none.
    pub rights: &'a Rights,
}

impl<V: View> Evaluation<'_, V> {
    /// Decides the filter for an entry.
    ///
    /// # Errors
    /// `Store`, and `Limit` when nested groups go too far.
    pub fn matches(
        &self,
        filter: &Resolved,
        id: EntryId,
        record: &Record<'_>,
        sight: Sight,
    ) -> Result<Option<bool>, Refusal> {
        Ok(match filter {
            Resolved::Undefined => None,
            Resolved::And(parts) => {
                let mut all = Some(true);
                for part in parts {
                    match self.matches(part, id, record, sight)? {
                        Some(false) => return Ok(Some(false)),
                        Some(true) => {}
                        None => all = None,
                    }
                }
                all
            }
            Resolved::Or(parts) => {
                let mut one = Some(false);
                for part in parts {
                    match self.matches(part, id, record, sight)? {
                        Some(true) => return Ok(Some(true)),
                        Some(false) => {}
                        None => one = None,
                    }
                }
                one
            }
            Resolved::Not(part) => self.matches(part, id, record, sight)?.map(|b| !b),
            Resolved::Class(class) => Some(record.has_class(*class)),
            Resolved::AnyClass => Some(true),
            Resolved::Values { attribute, test } => self.values(attribute, test, record, sight),
            Resolved::Holds { by, member, nested } => Some(self.holds(id, *by, *member, *nested)?),
            Resolved::MemberOf { group, nested } => Some(self.member_of(id, *group, *nested)?),
            Resolved::Computed { attribute, administrative, test } => {
                if *administrative && sight != Sight::Administrative {
                    return Ok(None);
                }
                self.computed(*attribute, test, id, record)?
            }
        })
    }

    fn values(&self, asked: &Asked, test: &Test, record: &Record<'_>, sight: Sight) -> Option<bool> {
        if asked.types.first().is_some_and(|t| !shows(sight, self.schema.attribute(*t))) {
            return None;
        }
        for attribute in record.attributes() {
            if !self.asks(asked, test, attribute.id) || !has_options(asked, attribute.options) {
                continue;
            }
            if attribute.values().any(|value| self.value(test, value)) {
                return Some(true);
            }
        }
        if asked.dn {
            let rdns = Dn::parse(record.dn().as_bytes()).ok().into_iter().flat_map(|dn| dn.rdns);
            for ava in rdns.flat_map(|r| r.avas) {
                let Some(kind) = self.schema.find_attribute(ava.attribute.as_bytes()) else { continue };
                if self.asks(asked, test, kind.id) && self.value(test, &ava.value) {
                    return Some(true);
                }
            }
        }
        Some(false)
    }

    fn asks(&self, asked: &Asked, test: &Test, id: AttributeId) -> bool {
        match asked.types.as_slice() {
            [] => match test {
                Test::Equal(rule, _)
                | Test::AtMost(rule, _)
                | Test::Before(rule, _)
                | Test::AtLeast(rule, _)
                | Test::Parts(rule, _)
                | Test::Special(rule, _) => rule.applies_to(self.schema.attribute(id)),
                Test::Present => true,
            },
            [one] => *one == id,
            types => types.contains(&id),
        }
    }

    fn value(&self, test: &Test, value: &[u8]) -> bool {
        let key = |rule| {
            let mut key = Vec::with_capacity(value.len().saturating_add(8));
            self.schema.normalize(rule, value, &mut key).ok().map(|()| key)
        };
        match test {
            Test::Present => true,
            Test::Equal(rule, wanted) => key(*rule).is_some_and(|k| k == *wanted),
            Test::AtLeast(rule, wanted) => key(*rule).is_some_and(|k| k >= *wanted),
            Test::AtMost(rule, wanted) => key(*rule).is_some_and(|k| k <= *wanted),
            Test::Before(rule, wanted) => key(*rule).is_some_and(|k| k < *wanted),
            Test::Parts(rule, pattern) => key(*rule).is_some_and(|k| pattern.matches(&k)),
            Test::Special(rule, assertion) => self.schema.matches(*rule, value, assertion).unwrap_or(false),
        }
    }

    fn holds(&self, id: EntryId, by: u8, member: Option<EntryId>, nested: bool) -> Result<bool, Refusal> {
        use redb::ReadableTable;
        let Some(member) = member else {
            for item in self.view.members().range(membership::all_of(id))? {
                let (key, held) = item?;
                if held.value() & by != 0 && self.sees(EntryId(key.value().1))? {
                    return Ok(true);
                }
            }
            return Ok(false);
        };
        if !self.sees(member)? {
            return Ok(false);
        }
        if nested {
            return membership::reaches(self.view, member, id);
        }
        Ok(self.view.members().get((id.0, member.0))?.is_some_and(|g| g.value() & by != 0))
    }

    fn member_of(&self, id: EntryId, group: Option<EntryId>, nested: bool) -> Result<bool, Refusal> {
        // One's own groups are one's own business, whoever keeps them.
        if self.rights.is_self(id) || self.rights.sees_all() {
            return self.is_in(id, group, nested);
        }
        match group {
            None => {
                for group in self.view.groups_of(id, membership::CLOSURE)? {
                    if self.sees(group)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Some(seen) => Ok(self.sees(seen)? && self.is_in(id, group, nested)?),
        }
    }

    /// Whether an entry at the other end of an edge may be seen.
    fn sees(&self, id: EntryId) -> Result<bool, Refusal> {
        if self.rights.sees_all() {
            return Ok(true);
        }
        let guard = self.view.record(id)?;
        let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
        Ok(record.is_some_and(|record| self.rights.sight(id, &record) != Sight::None))
    }

    fn is_in(&self, id: EntryId, group: Option<EntryId>, nested: bool) -> Result<bool, Refusal> {
        match group {
            None => Ok(!self.view.groups_of(id, 1)?.is_empty()),
            Some(group) if nested => membership::reaches(self.view, id, group),
            Some(group) => self.view.is_member(group, id),
        }
    }

    fn computed(
        &self,
        attribute: AttributeId,
        test: &Test,
        id: EntryId,
        record: &Record<'_>,
    ) -> Result<Option<bool>, Refusal> {
        let mut found = false;
        computed::values(self, attribute, id, record, &mut |value: &[u8]| found |= self.value(test, value))?;
        Ok(Some(found))
    }
}

fn has_options(asked: &Asked, options: &[u8]) -> bool {
    let Some(wanted) = &asked.description else { return true };
    wanted.covers(&options.split(|b| *b == b';'))
}

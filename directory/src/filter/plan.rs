//! Which entries have to be looked at for a filter: the cheapest index, or none.
//!
//! A plan is a superset of the matches. It is made by asking the indexes themselves: an item whose range ends within
//! [`FEW`] ids is as good as it gets and ends the search for a better one; a conjunction takes the best of its parts, a
//! disjunction needs all of them. `why` says in words what was chosen.

use super::resolve::{Asked, Resolved, Test};
use crate::access::class_key;
use crate::error::Refusal;
use crate::id::EntryId;
use crate::schema::Schema;
use crate::schema::attribute::Index;
use crate::store::staged::gather;
use crate::store::text::{self, Trigram};
use crate::store::view::{Snapshot, View};
use crate::store::{indexes, membership};

/// So few candidates that looking for fewer costs more.
pub const FEW: usize = 32;

/// More candidates than this are not collected; the scope is walked instead.
pub const MANY: usize = 200_000;

/// The trigrams of an assertion that are intersected.
const TRIGRAMS: usize = 8;

/// Which entries to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// These, ascending.
    Ids {
        /// Ascending, once each.
        ids: Vec<EntryId>,
        /// In words.
        why: String,
    },
    /// The ids of one index value, which are ascending: the keys that begin with `prefix`.
    Range {
        /// A value prefix of `store::indexes`.
        prefix: Vec<u8>,
        /// In words.
        why: String,
    },
    /// Everything in scope.
    Scope {
        /// In words.
        why: String,
    },
}

impl Plan {
    /// In words.
    pub fn why(&self) -> &str {
        match self {
            Plan::Ids { why, .. } | Plan::Range { why, .. } | Plan::Scope { why } => why,
        }
    }

    fn none(why: &str) -> Plan {
        Plan::Ids { ids: Vec::new(), why: why.into() }
    }

    fn scope(why: &str) -> Plan {
        Plan::Scope { why: why.into() }
    }

    fn few(&self) -> bool {
        matches!(self, Plan::Ids { ids, .. } if ids.len() <= FEW)
    }

    /// Lower is better.
    fn cost(&self) -> usize {
        match self {
            Plan::Ids { ids, .. } => ids.len(),
            Plan::Range { .. } => MANY,
            Plan::Scope { .. } => usize::MAX,
        }
    }
}

/// Plans a filter for a state of the store; what a transaction has yet to write would be missed.
///
/// # Errors
/// `Store`.
pub fn plan(filter: &Resolved, schema: &Schema, view: &Snapshot) -> Result<Plan, Refusal> {
    Planner { schema, view }.plan(filter)
}

struct Planner<'a> {
    schema: &'a Schema,
    view: &'a Snapshot,
}

impl Planner<'_> {
    fn plan(&self, filter: &Resolved) -> Result<Plan, Refusal> {
        match filter {
            Resolved::Undefined => Ok(Plan::none("an item that no entry can match")),
            Resolved::And(parts) => self.all(parts),
            Resolved::Or(parts) => self.any(parts),
            Resolved::Not(_) => Ok(Plan::scope("a negation")),
            Resolved::AnyClass => Ok(Plan::scope("every entry has a class")),
            Resolved::Class(class) => {
                let attribute = self.schema.find_attribute(b"objectClass").map(|a| a.id);
                let Some(attribute) = attribute else { return Ok(Plan::scope("no object classes")) };
                let mut prefix = Vec::new();
                indexes::value_prefix(attribute, &class_key(*class), &mut prefix);
                self.value_range(prefix, "objectClass")
            }
            Resolved::Values { attribute, test } => self.values(attribute, test),
            Resolved::Holds { member: Some(member), nested: false, .. } => {
                let ids = self.view.groups_of(*member, MANY)?;
                Ok(Plan::Ids { ids, why: "membership, from the member".into() })
            }
            Resolved::Holds { member: Some(member), nested: true, .. } => {
                let mut ids = membership::closure(self.view, *member)?;
                ids.sort_unstable();
                Ok(Plan::Ids { ids, why: "membership upwards, from the member".into() })
            }
            Resolved::MemberOf { group: Some(group), nested: false } => self.members(*group),
            Resolved::Computed { attribute, test: Test::Equal(_, key), .. } if self.is_indexed_header(*attribute) => {
                let mut prefix = Vec::new();
                indexes::value_prefix(*attribute, key, &mut prefix);
                self.value_range(prefix, self.schema.attribute(*attribute).name())
            }
            Resolved::Computed { attribute, test: Test::Equal(_, key), .. }
                if self.schema.attribute(*attribute).name() == "entryDN" =>
            {
                let ids = self.view.id_of(key)?.into_iter().collect();
                Ok(Plan::Ids { ids, why: "the name itself".into() })
            }
            Resolved::Holds { .. } | Resolved::MemberOf { .. } | Resolved::Computed { .. } => {
                Ok(Plan::scope("nothing that an index knows"))
            }
        }
    }

    fn is_indexed_header(&self, attribute: crate::schema::AttributeId) -> bool {
        self.schema.attribute(attribute).name() == "entryUUID"
    }

    fn all(&self, parts: &[Resolved]) -> Result<Plan, Refusal> {
        let mut order: Vec<&Resolved> = parts.iter().collect();
        order.sort_by_key(|p| hint(p));
        let mut best = Plan::scope("no item of the conjunction is indexed");
        for part in order {
            let next = self.plan(part)?;
            if next.cost() < best.cost() {
                best = next;
            }
            if best.few() {
                break;
            }
        }
        Ok(best)
    }

    fn any(&self, parts: &[Resolved]) -> Result<Plan, Refusal> {
        let mut all = Vec::new();
        let mut why = Vec::new();
        for part in parts {
            // An Undefined item can be left out: it adds no entry to a disjunction.
            let ids = match self.plan(part)? {
                Plan::Ids { ids, why: because } => {
                    why.push(because);
                    ids
                }
                Plan::Range { prefix, why: because } => match self.collect(&prefix, &because)? {
                    Plan::Ids { ids, why: because } => {
                        why.push(because);
                        ids
                    }
                    other => return Ok(other),
                },
                scope @ Plan::Scope { .. } => return Ok(scope),
            };
            all.extend(ids);
            if all.len() > MANY {
                return Ok(Plan::scope("too many candidates to collect"));
            }
        }
        all.sort_unstable();
        all.dedup();
        Ok(Plan::Ids { ids: all, why: format!("any of: {}", why.join(", ")) })
    }

    fn values(&self, asked: &Asked, test: &Test) -> Result<Plan, Refusal> {
        if asked.types.is_empty() || asked.dn {
            return Ok(Plan::scope("an item without an attribute, or over the DN"));
        }
        let unindexed = |t: &crate::schema::AttributeId| {
            let kind = self.schema.attribute(*t);
            kind.index == Index::None || kind.equality.is_none()
        };
        if asked.types.iter().any(unindexed) {
            return Ok(Plan::scope("an attribute without an index"));
        }
        // Keys are made by the equality rule; another rule's key is not in the index.
        let same_key = |rule| {
            asked.types.iter().all(|t| {
                let kind = self.schema.attribute(*t);
                [kind.equality, kind.ordering, kind.substring].contains(&Some(rule))
            })
        };
        let mut plans = Vec::with_capacity(asked.types.len());
        for id in &asked.types {
            let name = self.schema.attribute(*id).name();
            let mut prefix = Vec::with_capacity(64);
            plans.push(match test {
                Test::Equal(rule, key) if same_key(*rule) => {
                    indexes::value_prefix(*id, key, &mut prefix);
                    self.value_range(prefix, name)?
                }
                Test::Present => {
                    indexes::open_prefix(*id, &[], &mut prefix);
                    self.collect(&prefix, name)?
                }
                Test::AtLeast(rule, key) if same_key(*rule) => {
                    let mut end = Vec::new();
                    indexes::open_prefix(*id, key, &mut prefix);
                    indexes::open_prefix(*id, &[], &mut end);
                    self.collect_between(&prefix, &indexes::after(&end).unwrap_or_default(), name)?
                }
                Test::AtMost(rule, key) | Test::Before(rule, key) if same_key(*rule) => {
                    let mut end = Vec::new();
                    indexes::open_prefix(*id, &[], &mut prefix);
                    indexes::open_prefix(*id, key, &mut end);
                    self.collect_between(&prefix, &indexes::after(&end).unwrap_or_default(), name)?
                }
                Test::Parts(rule, pattern) if same_key(*rule) => self.parts(*id, pattern, name)?,
                _ => return Ok(Plan::scope("a rule that no index serves")),
            });
        }
        if plans.len() == 1 {
            return Ok(plans.pop().unwrap_or_else(|| Plan::scope("no attribute")));
        }
        let mut all = Vec::new();
        for plan in plans {
            match plan {
                Plan::Ids { ids, .. } => all.extend(ids),
                Plan::Range { prefix, why } => match self.collect(&prefix, &why)? {
                    Plan::Ids { ids, .. } => all.extend(ids),
                    other => return Ok(other),
                },
                scope @ Plan::Scope { .. } => return Ok(scope),
            }
        }
        all.sort_unstable();
        all.dedup();
        Ok(Plan::Ids { ids: all, why: "an attribute and its subtypes".into() })
    }

    fn parts(
        &self,
        id: crate::schema::AttributeId,
        pattern: &crate::schema::Pattern,
        name: &str,
    ) -> Result<Plan, Refusal> {
        if pattern.prefix().len() >= 3 {
            let mut prefix = Vec::with_capacity(64);
            indexes::open_prefix(id, pattern.prefix(), &mut prefix);
            let by_prefix = self.collect(&prefix, &format!("{name}, by its beginning"))?;
            if by_prefix.few() || self.schema.attribute(id).index != Index::Text {
                return Ok(by_prefix);
            }
        }
        if self.schema.attribute(id).index != Index::Text {
            return match pattern.prefix() {
                [] => Ok(Plan::scope("an attribute whose substrings are not indexed")),
                beginning => {
                    let mut prefix = Vec::with_capacity(64);
                    indexes::open_prefix(id, beginning, &mut prefix);
                    self.collect(&prefix, &format!("{name}, by its beginning"))
                }
            };
        }
        let mut trigrams: Vec<Trigram> = Vec::new();
        for literal in pattern.literals() {
            text::trigrams(literal, &mut trigrams);
        }
        trigrams.sort_unstable();
        trigrams.dedup();
        if trigrams.is_empty() {
            return Ok(Plan::scope("a substring of less than three characters"));
        }
        Ok(Plan::Ids { ids: self.with_trigrams(&trigrams)?, why: format!("{name}, by trigrams") })
    }

    /// The ids that hold all of some trigrams. The trigrams are spread over the assertion, so that a common beginning
    /// or end does not decide alone.
    fn with_trigrams(&self, trigrams: &[Trigram]) -> Result<Vec<EntryId>, Refusal> {
        let step = trigrams.len().div_ceil(TRIGRAMS).max(1);
        let mut candidates: Option<Vec<EntryId>> = None;
        let mut before = usize::MAX / 4;
        for trigram in trigrams.iter().step_by(step) {
            let mut next = Vec::new();
            let mut held = candidates.as_deref();
            self.view.staged().chunks(self.view.text(), *trigram, |number, stored| {
                match &mut held {
                    None => text::ids(number, stored, &mut next),
                    Some(held) => text::keep(number, stored, held, &mut next),
                }
                !held.is_some_and(<[EntryId]>::is_empty)
            })?;
            // Looking at an entry costs about as much as reading one chunk of another trigram: a trigram that took little
            // away is the last one.
            let left = next.len();
            let done =
                left <= FEW / 4 || (left <= FEW.saturating_mul(4) && left.saturating_mul(4) > before.saturating_mul(3));
            before = left;
            candidates = Some(next);
            if done {
                break;
            }
        }
        Ok(candidates.unwrap_or_default())
    }

    fn members(&self, group: EntryId) -> Result<Plan, Refusal> {
        let mut ids = Vec::new();
        for item in self.view.members().range(membership::all_of(group))? {
            ids.push(EntryId(item?.0.value().1));
            if ids.len() > MANY {
                return Ok(Plan::scope("too many members to collect"));
            }
        }
        Ok(Plan::Ids { ids, why: "membership, from the group".into() })
    }

    /// The ids of one value: collected when few, else left as a range, which is ascending by itself.
    fn value_range(&self, prefix: Vec<u8>, name: &str) -> Result<Plan, Refusal> {
        let end = indexes::after(&prefix).unwrap_or_default();
        let mut ids = Vec::new();
        let mut holders = self.view.staged().holders(self.view.index(), prefix.as_slice()..end.as_slice())?;
        if gather(&mut holders, FEW, &mut ids)? {
            return Ok(Plan::Range { prefix, why: format!("{name}, many of one value") });
        }
        Ok(Plan::Ids { ids, why: format!("{name}, by value") })
    }

    fn collect(&self, prefix: &[u8], why: &str) -> Result<Plan, Refusal> {
        self.collect_between(prefix, &indexes::after(prefix).unwrap_or_default(), why)
    }

    fn collect_between(&self, from: &[u8], to: &[u8], why: &str) -> Result<Plan, Refusal> {
        let mut ids = Vec::new();
        if gather(&mut self.view.staged().holders(self.view.index(), from..to)?, MANY, &mut ids)? {
            return Ok(Plan::scope("too many candidates to collect"));
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(Plan::Ids { ids, why: format!("{why}, in order") })
    }
}

/// What to ask first: the items that usually leave least.
fn hint(filter: &Resolved) -> u8 {
    match filter {
        Resolved::Undefined => 0,
        Resolved::Values { test: Test::Equal(..), .. } | Resolved::Computed { .. } => 1,
        Resolved::Holds { .. } | Resolved::MemberOf { .. } => 2,
        Resolved::And(_) | Resolved::Or(_) => 3,
        Resolved::Values { test: Test::Parts(..), .. } => 4,
        Resolved::Values { test: Test::AtLeast(..) | Test::AtMost(..) | Test::Before(..), .. } => 5,
        Resolved::Class(_) => 6,
        Resolved::Values { .. } => 7,
        Resolved::Not(_) | Resolved::AnyClass => 8,
    }
}

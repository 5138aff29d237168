//! A filter bound to the schema and to one state of the store: attribute numbers, comparison keys, entry ids.
//!
//! What cannot be evaluated (an unknown attribute, an assertion that breaks the syntax, a rule that does not fit) becomes
//! [`Resolved::Undefined`] here and never an error (RFC 4511 §4.5.1.7). Passwords are Undefined in every filter.

use super::Filter;
use crate::entry::dn::DnKey;
use crate::error::{Limit, Reason, Refusal};
use crate::id::EntryId;
use crate::schema::attribute::{AttributeType, Storage};
use crate::schema::description::AttributeDescription;
use crate::schema::kind::ClassId;
use crate::schema::matching::substring::Pattern;
use crate::schema::matching::{MatchingRule, RuleKind};
use crate::schema::syntax::is_numeric_oid;
use crate::schema::{AttributeId, Schema};
use crate::store::view::View;

/// How deep filters may nest.
pub const DEPTH: usize = 64;

/// A bound filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// Neither true nor false, whatever the entry.
    Undefined,
    /// All hold.
    And(Vec<Resolved>),
    /// One holds.
    Or(Vec<Resolved>),
    /// The contrary.
    Not(Box<Resolved>),
    /// The entry is of a class.
    Class(ClassId),
    /// Every entry has one.
    AnyClass,
    /// Values in the record.
    Values {
        /// Which.
        attribute: Asked,
        /// How.
        test: Test,
    },
    /// The entry holds an edge to a member by these attributes (a mask of `store::membership`).
    Holds {
        /// Mask.
        by: u8,
        /// The member; none: any.
        member: Option<EntryId>,
        /// Through other groups too.
        nested: bool,
    },
    /// The entry is a member of a group.
    MemberOf {
        /// The group; none: any.
        group: Option<EntryId>,
        /// Through other groups too.
        nested: bool,
    },
    /// What the entry's header or place says.
    Computed {
        /// The attribute.
        attribute: AttributeId,
        /// Administrative attributes are Undefined for those who do not see them.
        administrative: bool,
        /// How.
        test: Test,
    },
}

/// Which attributes of a record are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The type and its subtypes; empty: every type that has the rule.
    pub types: Vec<AttributeId>,
    /// Options that must be there.
    pub description: Option<AttributeDescription>,
    /// The values in the DN count too.
    pub dn: bool,
}

/// How values are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// There is one.
    Present,
    /// One has this key.
    Equal(MatchingRule, Vec<u8>),
    /// One has this key or a later one.
    AtLeast(MatchingRule, Vec<u8>),
    /// One has this key or an earlier one.
    AtMost(MatchingRule, Vec<u8>),
    /// One has an earlier key (RFC 4517 §4.2: what an ordering rule means in an extensible match).
    Before(MatchingRule, Vec<u8>),
    /// One has these parts.
    Parts(MatchingRule, Pattern),
    /// One matches an assertion by a rule that has no keys of its own (bit rules, word rules).
    Special(MatchingRule, Vec<u8>),
}

/// Binds a filter.
///
/// # Errors
/// `Limit` when it nests deeper than [`DEPTH`]; `Store`.
pub fn resolve(filter: &Filter, schema: &Schema, view: &impl View) -> Result<Resolved, Refusal> {
    Resolver { schema, view }.bind(filter, DEPTH)
}

struct Resolver<'a, V> {
    schema: &'a Schema,
    view: &'a V,
}

impl<V: View> Resolver<'_, V> {
    fn bind(&self, filter: &Filter, depth: usize) -> Result<Resolved, Refusal> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Refusal::new(Reason::Limit(Limit::Administrative), "the filter nests too deeply"));
        };
        let all = |parts: &[Filter]| parts.iter().map(|p| self.bind(p, depth)).collect::<Result<Vec<_>, _>>();
        match filter {
            Filter::And(parts) => Ok(Resolved::And(all(parts)?)),
            Filter::Or(parts) => Ok(Resolved::Or(all(parts)?)),
            Filter::Not(part) => Ok(Resolved::Not(Box::new(self.bind(part, depth)?))),
            Filter::Present(name) => self.item(name, |_| Some(Test::Present)),
            Filter::Equal(name, value) | Filter::Approximate(name, value) => self.equal(name, value),
            Filter::GreaterOrEqual(name, value) => {
                self.item(name, |kind| self.ordered(kind, value).map(|(rule, key)| Test::AtLeast(rule, key)))
            }
            Filter::LessOrEqual(name, value) => {
                self.item(name, |kind| self.ordered(kind, value).map(|(rule, key)| Test::AtMost(rule, key)))
            }
            Filter::Substrings { attribute, initial, any, last } => self.item(attribute, |kind| {
                let rule = kind.substring?;
                let any = any.iter().map(Vec::as_slice);
                Pattern::new(rule, initial.as_deref(), any, last.as_deref()).ok().map(|p| Test::Parts(rule, p))
            }),
            Filter::Extensible { rule: None, attribute: Some(name), value, dn_attributes: false } => {
                self.equal(name, value)
            }
            Filter::Extensible { rule, attribute, value, dn_attributes } => {
                self.extensible(rule.as_deref(), attribute.as_deref(), value, *dn_attributes)
            }
        }
    }

    fn item(&self, name: &[u8], test: impl FnOnce(&AttributeType) -> Option<Test>) -> Result<Resolved, Refusal> {
        let Ok(description) = AttributeDescription::parse(self.schema, name) else { return Ok(Resolved::Undefined) };
        let kind = self.schema.attribute(description.id);
        let Some(test) = test(kind) else { return Ok(Resolved::Undefined) };
        let present = test == Test::Present && description.options.is_empty();
        let own = self.place(kind, description, test, false);
        if !present {
            return Ok(own);
        }
        self.beside(kind, own, |edge| {
            Ok(match crate::change::edges::edge_kind(self.schema, edge.id) {
                Some(by) => Resolved::Holds { by, member: None, nested: false },
                None => Resolved::MemberOf { group: None, nested: false },
            })
        })
    }

    /// A type in the record may have subtypes that are edges: `member` is a `distinguishedName`.
    fn beside(
        &self,
        kind: &AttributeType,
        own: Resolved,
        edge: impl Fn(&AttributeType) -> Result<Resolved, Refusal>,
    ) -> Result<Resolved, Refusal> {
        if kind.storage != Storage::Entry {
            return Ok(own);
        }
        let subtypes = self.schema.subtypes(kind.id).iter().map(|id| self.schema.attribute(*id));
        let edges = subtypes.filter(|t| t.storage == Storage::Edge).map(edge).collect::<Result<Vec<_>, _>>()?;
        if edges.is_empty() { Ok(own) } else { Ok(Resolved::Or(std::iter::once(own).chain(edges).collect())) }
    }

    /// Where the values of a type are decides how they are asked.
    fn place(&self, kind: &AttributeType, description: AttributeDescription, test: Test, dn: bool) -> Resolved {
        if !matches!(kind.storage, Storage::Entry | Storage::Credential) && !description.options.is_empty() {
            // Only values in the record have options.
            return Resolved::Or(Vec::new());
        }
        match kind.storage {
            Storage::Credential => Resolved::Undefined,
            Storage::Entry if test == Test::Present && description == self.object_class() => Resolved::AnyClass,
            Storage::Entry => {
                let types = self.schema.subtypes(kind.id).to_vec();
                let description = (!description.options.is_empty()).then_some(description);
                Resolved::Values { attribute: Asked { types, description, dn }, test }
            }
            Storage::Edge if test == Test::Present => match crate::change::edges::edge_kind(self.schema, kind.id) {
                Some(by) => Resolved::Holds { by, member: None, nested: false },
                None => Resolved::MemberOf { group: None, nested: false },
            },
            Storage::Edge => Resolved::Undefined,
            Storage::Computed => Resolved::Computed { attribute: kind.id, administrative: false, test },
            Storage::Account => Resolved::Computed { attribute: kind.id, administrative: true, test },
        }
    }

    fn equal(&self, name: &[u8], value: &[u8]) -> Result<Resolved, Refusal> {
        let Ok(description) = AttributeDescription::parse(self.schema, name) else { return Ok(Resolved::Undefined) };
        let kind = self.schema.attribute(description.id);
        if description == self.object_class() {
            // RFC 4517 §4.2.26: a name that is not recognized leaves the match Undefined; a number is of no entry.
            let unknown = if is_numeric_oid(value) { Resolved::Or(Vec::new()) } else { Resolved::Undefined };
            return Ok(self.schema.find_class(value).map_or(unknown, |c| Resolved::Class(c.id)));
        }
        if kind.storage == Storage::Edge && description.options.is_empty() {
            return self.edge(kind, value, false);
        }
        let Some(rule) = kind.equality else { return Ok(Resolved::Undefined) };
        let mut key = Vec::with_capacity(value.len());
        if self.schema.normalize(rule, value, &mut key).is_err() {
            return Ok(Resolved::Undefined);
        }
        let plain = description.options.is_empty();
        let own = self.place(kind, description, Test::Equal(rule, key), false);
        if plain { self.beside(kind, own, |edge| self.edge(edge, value, false)) } else { Ok(own) }
    }

    fn object_class(&self) -> AttributeDescription {
        AttributeDescription::from(crate::schema::known::attribute::OBJECT_CLASS)
    }

    fn edge(&self, kind: &AttributeType, value: &[u8], nested: bool) -> Result<Resolved, Refusal> {
        let Ok(key) = DnKey::parse(self.schema, value) else { return Ok(Resolved::Undefined) };
        let Some(named) = self.view.id_of(key.as_bytes())? else { return Ok(Resolved::Or(Vec::new())) };
        Ok(match crate::change::edges::edge_kind(self.schema, kind.id) {
            Some(by) => Resolved::Holds { by, member: Some(named), nested },
            None => Resolved::MemberOf { group: Some(named), nested },
        })
    }

    /// Names are compared with those in the record and with those that are edges.
    fn any_name(&self, values: Resolved, name: &[u8]) -> Result<Resolved, Refusal> {
        let mut any = vec![values];
        for edge in [&b"member"[..], b"memberOf"] {
            if let Some(kind) = self.schema.find_attribute(edge) {
                any.push(self.edge(kind, name, false)?);
            }
        }
        Ok(Resolved::Or(any))
    }

    fn ordered(&self, kind: &AttributeType, value: &[u8]) -> Option<(MatchingRule, Vec<u8>)> {
        let rule = kind.ordering?;
        let mut key = Vec::with_capacity(value.len());
        self.schema.normalize(rule, value, &mut key).ok()?;
        Some((rule, key))
    }

    fn extensible(
        &self,
        rule: Option<&[u8]>,
        name: Option<&[u8]>,
        value: &[u8],
        dn: bool,
    ) -> Result<Resolved, Refusal> {
        let named = name.map(|n| AttributeDescription::parse(self.schema, n));
        let description = match named {
            Some(Err(_)) => return Ok(Resolved::Undefined),
            Some(Ok(description)) => Some(description),
            None => None,
        };
        let kind = description.as_ref().map(|d| self.schema.attribute(d.id));
        let rule = match rule {
            Some(rule) => self.schema.find_rule(rule),
            None => kind.and_then(|k| k.equality),
        };
        let Some(rule) = rule else { return Ok(Resolved::Undefined) };
        // By the type's own rule it is an equality item, which knows how classes and edges are kept.
        if let (Some(name), Some(kind)) = (name, kind)
            && kind.equality == Some(rule)
            && (!dn || kind.storage == Storage::Edge || crate::access::is_object_class(self.schema, kind.id))
        {
            return self.equal(name, value);
        }
        if rule == MatchingRule::InChain {
            return match (kind, description) {
                (Some(kind), Some(of)) if kind.storage == Storage::Edge && of.options.is_empty() => {
                    self.edge(kind, value, true)
                }
                // Only values in the record have options: nothing is held by that name.
                (Some(kind), Some(_)) if kind.storage == Storage::Edge => Ok(match DnKey::parse(self.schema, value) {
                    Ok(_) => Resolved::Or(Vec::new()),
                    Err(_) => Resolved::Undefined,
                }),
                _ => Ok(Resolved::Undefined),
            };
        }
        if let Some(kind) = kind.filter(|k| k.storage == Storage::Edge && k.equality == Some(rule)) {
            return self.edge(kind, value, false);
        }
        let test = match rule.kind() {
            RuleKind::Equality => {
                let mut key = Vec::with_capacity(value.len());
                if self.schema.normalize(rule, value, &mut key).is_err() {
                    return Ok(Resolved::Undefined);
                }
                Test::Equal(rule, key)
            }
            // An ordering rule by itself means "earlier", without "or equal" (RFC 4517 §4.1.3).
            RuleKind::Ordering => {
                let mut key = Vec::with_capacity(value.len());
                if self.schema.normalize(rule, value, &mut key).is_err() {
                    return Ok(Resolved::Undefined);
                }
                Test::Before(rule, key)
            }
            RuleKind::Substrings => match Pattern::parse(rule, value) {
                Ok(pattern) => Test::Parts(rule, pattern),
                Err(_) => return Ok(Resolved::Undefined),
            },
            RuleKind::Special => {
                if self.schema.key(rule, value).is_err() {
                    return Ok(Resolved::Undefined);
                }
                Test::Special(rule, value.to_vec())
            }
        };
        match (kind, description) {
            (Some(kind), Some(description)) => {
                if !rule.applies_to(kind) || (kind.storage == Storage::Edge && test != Test::Present) {
                    return Ok(Resolved::Undefined);
                }
                Ok(self.place(kind, description, test, dn))
            }
            _ => {
                let values = Resolved::Values { attribute: Asked { types: Vec::new(), description: None, dn }, test };
                Ok(if rule == MatchingRule::DistinguishedNameMatch { self.any_name(values, value)? } else { values })
            }
        }
    }
}

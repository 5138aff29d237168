//! What a PATCH asks for, and what it did.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::protocol::filter::{Filter, Resolved};
use crate::protocol::path::AttrPath;
use crate::protocol::rules::Coercion;

/// The three operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Adds values.
    Add,
    /// Removes values.
    Remove,
    /// Replaces values.
    Replace,
}

/// `attrPath` or `attrPath[filter][.sub]` (RFC 7644 figure 7).
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The attribute. With a filter it has no sub-attribute of its own.
    pub path: AttrPath,
    /// Which elements.
    pub filter: Option<Filter>,
    /// The sub-attribute after the filter.
    pub sub: Option<String>,
}

/// One operation of a PATCH.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What is done.
    pub op: Op,
    /// To what; none: the value says it.
    pub target: Option<Target>,
    /// With what.
    pub value: Option<Value>,
    /// Its place in the request, from 0: named in errors.
    pub index: usize,
}

/// A change of an attribute whose values are edges (members of a group). Identifiers are as the client gave them.
#[derive(Debug, Clone, PartialEq)]
pub enum EdgeOp {
    /// These are members from now on.
    Add(Vec<String>),
    /// These are not.
    Remove(Vec<String>),
    /// Nobody is.
    RemoveAll,
    /// These and no others are.
    Replace(Vec<String>),
    /// Those that obey the filter are not. The filter is about one element.
    RemoveWhere(Resolved),
}

/// What a PATCH or PUT did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Touched {
    /// The attributes whose values are others than before, as `name` or `URN:name` in the spelling of the schema.
    pub attributes: BTreeSet<String>,
    /// What was accepted only because of a switch, with the number of times.
    pub coercions: BTreeMap<Coercion, usize>,
}

impl Touched {
    /// Counts something that was accepted only because of a switch.
    pub fn note(&mut self, coercion: Coercion) {
        self.add(coercion, 1);
    }

    /// Adds what another step counted.
    pub fn extend(&mut self, coercions: BTreeMap<Coercion, usize>) {
        for (coercion, times) in coercions {
            self.add(coercion, times);
        }
    }

    fn add(&mut self, coercion: Coercion, times: usize) {
        let sum = self.coercions.entry(coercion).or_default();
        *sum = sum.saturating_add(times);
    }
}

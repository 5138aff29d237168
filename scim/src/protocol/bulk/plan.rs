//! The order of operations: every `bulkId` is known before it is used.
//!
//! Otherwise the order of the request is kept. Only a POST makes a `bulkId` known, so a circle consists of POSTs: its first
//! one is run with the references held back that are not known yet, and completed as soon as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::reference::references;
use super::{Bulk, Method};

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Run the operation at this place of the request, without the references to these `bulkId`s ([`super::hold`]).
    Run(usize, BTreeSet<String>),
    /// Add what was held back from the operation at this place.
    Complete(usize),
}

/// The steps of a bulk request. Operations that are none are left out; references to what nobody makes are left in, and fail
/// when they are substituted.
pub fn plan(bulk: &Bulk) -> Vec<Step> {
    let mut graph = Graph::of(bulk);
    let mut steps = Vec::new();
    while let Some(next) = graph.next() {
        let held: BTreeSet<String> = graph.unmet(next).map(|maker| graph.name(maker)).collect();
        graph.done(next);
        if !held.is_empty() {
            graph.incomplete.push(next);
        }
        steps.push(Step::Run(next, held));
        steps.extend(graph.completed().into_iter().map(Step::Complete));
    }
    steps
}

struct Graph {
    /// For each operation that is not done: the operations that make what it refers to.
    needs: BTreeMap<usize, BTreeSet<usize>>,
    /// For each operation: those that refer to it.
    needed_by: BTreeMap<usize, Vec<usize>>,
    names: BTreeMap<usize, String>,
    ready: BTreeSet<usize>,
    done: BTreeSet<usize>,
    held: BTreeMap<usize, BTreeSet<usize>>,
    incomplete: Vec<usize>,
}

impl Graph {
    fn of(bulk: &Bulk) -> Graph {
        let operations =
            || bulk.items.iter().enumerate().filter_map(|(at, item)| Some((at, item.operation.as_ref().ok()?)));
        let posts = operations().filter(|(_, operation)| operation.method == Method::Post);
        let names: BTreeMap<usize, String> = posts.filter_map(|(at, post)| Some((at, post.bulk_id.clone()?))).collect();
        let makers: BTreeMap<&str, usize> = names.iter().map(|(at, name)| (name.as_str(), *at)).collect();
        let mut needs = BTreeMap::new();
        let mut needed_by: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut ready = BTreeSet::new();
        for (at, operation) in operations() {
            let own: BTreeSet<usize> =
                references(operation).iter().filter_map(|name| makers.get(name.as_str()).copied()).collect();
            for maker in &own {
                needed_by.entry(*maker).or_default().push(at);
            }
            if own.is_empty() {
                ready.insert(at);
            }
            needs.insert(at, own);
        }
        let (done, held, incomplete) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
        Graph { needs, needed_by, names, ready, done, held, incomplete }
    }

    /// The first operation that can run; when none can, the first of a circle.
    fn next(&self) -> Option<usize> {
        self.ready.first().copied().or_else(|| self.circle())
    }

    fn circle(&self) -> Option<usize> {
        let mut walk = Vec::new();
        let mut at = *self.needs.keys().next()?;
        loop {
            if let Some(begin) = walk.iter().position(|seen| *seen == at) {
                return walk.get(begin..)?.iter().min().copied();
            }
            walk.push(at);
            at = self.unmet(at).next()?;
        }
    }

    fn unmet(&self, at: usize) -> impl Iterator<Item = usize> {
        self.needs.get(&at).into_iter().flatten().copied().filter(|maker| !self.done.contains(maker))
    }

    fn name(&self, at: usize) -> String {
        self.names.get(&at).cloned().unwrap_or_default()
    }

    fn done(&mut self, at: usize) {
        let unmet: BTreeSet<usize> = self.unmet(at).collect();
        self.held.insert(at, unmet);
        self.needs.remove(&at);
        self.ready.remove(&at);
        self.done.insert(at);
        for user in self.needed_by.get(&at).into_iter().flatten() {
            let now_ready =
                self.needs.get(user).is_some_and(|needs| needs.iter().all(|maker| self.done.contains(maker)));
            if now_ready {
                self.ready.insert(*user);
            }
        }
    }

    /// Those whose held references are all known now.
    fn completed(&mut self) -> Vec<usize> {
        let (held, done) = (&self.held, &self.done);
        let whole = |at: &usize| held.get(at).is_some_and(|makers| makers.iter().all(|maker| done.contains(maker)));
        let completed: Vec<usize> = self.incomplete.iter().copied().filter(whole).collect();
        self.incomplete.retain(|at| !completed.contains(at));
        completed
    }
}

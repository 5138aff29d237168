//! What happened in the logins of late, step by step: for `rollbook login explain`.
//!
//! Owns a bounded memory of steps, gone at the end of the process; what changes something is in the journal as well. A step
//! names its request and the login that it belongs to (its flow), never a secret or what somebody typed: a name that nobody
//! has may be a password in the wrong field. Doors know requests by name and tell flows; the gate knows a request's number
//! alone, and says which rule decided.

use crate::clock::Millis;
use crate::handle::Directory;
use crate::id::EntryId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Steps that are remembered.
pub const STEPS: usize = 20_000;
/// Flows that are known under a second name.
const NAMES: usize = 5_000;
/// Octets of one text of a step.
const TEXT: usize = 256;

/// One step of a login.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// When (`wall`).
    pub at: Millis,
    /// The request's number; 0: it has none.
    pub number: u64,
    /// The request's name, as the answer's `X-Request-Id` and the log have it; empty: whoever tells knows its number only.
    pub request: String,
    /// The login that it belongs to; empty: not known.
    pub flow: String,
    /// What was done, or tried.
    pub what: String,
    /// For which application, by which provider.
    pub subject: String,
    /// Whose login it is, when that is known.
    pub account: Option<EntryId>,
    /// The rule that refused it; none: it was good.
    pub refused: Option<String>,
}

/// The memory.
#[derive(Debug, Default)]
pub struct Trail(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    steps: VecDeque<Step>,
    /// Second names of flows: a code's, by which the token endpoint knows the login.
    names: HashMap<String, String>,
    /// The second names, the oldest first.
    order: VecDeque<String>,
}

impl Kept {
    fn flow<'a>(&'a self, name: &'a str) -> &'a str {
        self.names.get(name).map_or(name, String::as_str)
    }
}

impl Trail {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a step down; the oldest goes when there is no more room.
    pub fn note(&self, mut step: Step) {
        let texts = [&mut step.request, &mut step.flow, &mut step.what, &mut step.subject];
        texts.into_iter().chain(&mut step.refused).for_each(cut);
        let mut kept = self.kept();
        step.flow = kept.flow(&step.flow).to_owned();
        if kept.steps.len() >= STEPS {
            kept.steps.pop_front();
        }
        kept.steps.push_back(step);
    }

    /// From here on `second` is another name of this flow.
    pub fn join(&self, flow: &str, second: &str) {
        let mut kept = self.kept();
        if kept.order.len() >= NAMES
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.names.remove(&oldest);
        }
        let flow = kept.flow(flow).to_owned();
        if kept.names.insert(second.to_owned(), flow).is_none() {
            kept.order.push_back(second.to_owned());
        }
    }

    /// The whole login that a request belongs to, in the order of its steps; of a request that belongs to none, its own
    /// steps. Empty: nothing is known of it, or not any more.
    pub fn explain(&self, request: &str) -> Vec<Step> {
        if request.is_empty() {
            return Vec::new();
        }
        let kept = self.kept();
        let flow = kept.steps.iter().rev().find(|step| step.request == request && !step.flow.is_empty());
        let flow = flow.map(|step| step.flow.as_str());
        let belongs = |step: &&Step| step.request == request || flow.is_some_and(|flow| step.flow == flow);
        // What the gate said in those requests is part of them.
        let names: HashMap<u64, &str> =
            kept.steps.iter().filter(belongs).map(|step| (step.number, step.request.as_str())).collect();
        let told = |step: &Step| match names.get(&step.number) {
            Some(name) if step.request.is_empty() && step.number != 0 => {
                Some(Step { request: (*name).to_owned(), ..step.clone() })
            }
            _ => belongs(&step).then(|| step.clone()),
        };
        kept.steps.iter().filter_map(told).collect()
    }
}

fn cut(text: &mut String) {
    if text.len() > TEXT || text.chars().any(char::is_control) {
        *text = text.chars().filter(|c| !c.is_control()).take(TEXT / 4).collect();
    }
}

impl Directory {
    /// What happened in the logins of late.
    pub fn trail(&self) -> &Trail {
        &self.inner().trail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(request: &str, flow: &str, what: &str) -> Step {
        Step { request: request.into(), flow: flow.into(), what: what.into(), ..Step::default() }
    }

    fn whats(trail: &Trail, request: &str) -> Vec<String> {
        trail.explain(request).into_iter().map(|step| step.what).collect()
    }

    /// Goal: any request of a login leads to all of its steps, those under the code's name too; others stay apart.
    #[test]
    fn a_login_is_told_whole() {
        let trail = Trail::default();
        trail.note(step("r1", "f", "asked"));
        trail.note(step("r2", "g", "another login"));
        trail.note(step("r3", "f", "code"));
        trail.join("f", "hash-of-code");
        trail.note(step("r4", "hash-of-code", "token"));
        trail.note(step("r5", "", "alone"));
        for request in ["r1", "r3", "r4"] {
            assert_eq!(whats(&trail, request), ["asked", "code", "token"], "{request}");
        }
        assert_eq!(whats(&trail, "r2"), ["another login"]);
        assert_eq!(whats(&trail, "r5"), ["alone"]);
        assert!(whats(&trail, "r6").is_empty());
    }

    /// Goal: what the gate says is told in its place, under the request's name, and not in another login.
    #[test]
    fn the_gate_is_part_of_the_request() {
        let trail = Trail::default();
        let gate = |number, refused: Option<&str>| Step {
            number,
            what: "gate".into(),
            account: Some(EntryId(7)),
            refused: refused.map(str::to_owned),
            ..Step::default()
        };
        trail.note(gate(1, Some("wrong password")));
        trail.note(Step { number: 1, ..step("r1", "f", "password") });
        trail.note(gate(2, Some("the account is LOCKED")));
        trail.note(Step { number: 2, ..step("r2", "g", "password") });
        trail.note(gate(3, None));
        trail.note(Step { number: 3, ..step("r3", "f", "password") });
        trail.note(gate(0, None));
        let told = trail.explain("r3");
        let told: Vec<_> = told.iter().map(|step| (step.request.as_str(), step.what.as_str())).collect();
        assert_eq!(told, [("r1", "gate"), ("r1", "password"), ("r3", "gate"), ("r3", "password")]);
        assert!(trail.explain("").is_empty(), "the gate's steps have no name of their own");
    }

    /// Goal: the memory is bounded, and a text in it as well (hostile row G1).
    #[test]
    fn it_is_bounded() {
        let trail = Trail::default();
        for n in 0..STEPS + 5 {
            trail.note(step(&format!("r{n}"), "f", "x"));
        }
        assert_eq!(trail.kept().steps.len(), STEPS);
        assert!(trail.kept().steps[0].request == "r5");
        trail.note(step("last", "h", &format!("a\r\n\u{1b}[31m{}", "ü".repeat(5_000))));
        let told = trail.explain("last").remove(0).what;
        assert!(told.len() <= TEXT && !told.chars().any(char::is_control));
    }
}

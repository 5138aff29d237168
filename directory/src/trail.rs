//! What happened in the logins of late, step by step: for `rollbook login explain`.
//!
//! Owns a bounded memory of steps, gone at the end of the process; what changes something is in the journal as well. A step
//! names its request and the login that it belongs to (its flow), never a secret or what somebody typed. Called by the doors.

use crate::clock::Millis;
use crate::handle::Directory;
use std::collections::VecDeque;
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
    /// The request's name, as the answer's `X-Request-Id` and the log have it.
    pub request: String,
    /// The login that it belongs to; empty: not known.
    pub flow: String,
    /// What was done, or tried.
    pub what: String,
    /// For whom or what: an application, an account's name.
    pub subject: String,
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
    names: VecDeque<(String, String)>,
}

impl Kept {
    fn flow<'a>(&'a self, name: &'a str) -> &'a str {
        self.names.iter().rev().find(|(second, _)| second == name).map_or(name, |(_, flow)| flow)
    }
}

impl Trail {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a step down; the oldest goes when there is no more room.
    pub fn note(&self, mut step: Step) {
        for text in [&mut step.request, &mut step.flow, &mut step.what, &mut step.subject] {
            cut(text);
        }
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
        if kept.names.len() >= NAMES {
            kept.names.pop_front();
        }
        let flow = kept.flow(flow).to_owned();
        kept.names.push_back((second.to_owned(), flow));
    }

    /// The whole login that a request belongs to, in the order of its steps; of a request that belongs to none, its own
    /// steps. Empty: nothing is known of it, or not any more.
    pub fn explain(&self, request: &str) -> Vec<Step> {
        let kept = self.kept();
        let flow = kept.steps.iter().rev().find(|step| step.request == request && !step.flow.is_empty());
        let flow = flow.map(|step| step.flow.as_str());
        let belongs = |step: &&Step| step.request == request || flow.is_some_and(|flow| step.flow == flow);
        kept.steps.iter().filter(belongs).cloned().collect()
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

//! What the gate remembers on its way to the store: counters, last uses, and notes of what was refused.

use crate::change::{Op, prepare};
use crate::clock::{Now, Span};
use crate::context::{Actor, Context, Door, Origin};
use crate::error::{Reason, Refusal};
use crate::grant::apply::GrantOp;
use crate::handle::Directory;
use crate::id::EntryId;
use crate::journal::record::Note;
use crate::token::apply::TokenOp;
use crate::trail::Step;
use std::sync::PoisonError;

/// How often what is worth nothing any more is removed.
const TIDY: Span = Span::from_secs(60);

impl Directory {
    /// Brings what is due in memory to the store: called every second, and with `all` at shutdown.
    ///
    /// # Errors
    /// `Busy`, `Store`; what was due is due again then.
    pub async fn flush(&self, all: bool) -> Result<(), Refusal> {
        let gate = &self.inner().gate;
        let now = self.now();
        if self.is_time_to_tidy(&now, TIDY) {
            self.purge_codes(&now).await?;
            self.purge_revoked(&now).await?;
        }
        let due = if all { gate.throttle.take_all() } else { gate.throttle.take_due(&now) };
        let uses = self.due_uses(all);
        let seen = self.inner().seen.take_due(all);
        let notes = std::mem::take(&mut *gate.notes.lock().unwrap_or_else(PoisonError::into_inner));
        if due.is_empty() && notes.is_empty() && uses.is_empty() && seen.is_empty() {
            return Ok(());
        }
        let mut ops: Vec<Op> = due.iter().map(|o| Op::Observed { id: o.account, counters: o.counters }).collect();
        if !uses.is_empty() {
            ops.push(Op::Token(Box::new(TokenOp::Used { uses: uses.clone() })));
        }
        if !seen.is_empty() {
            ops.push(Op::Grant(Box::new(GrantOp::Seen { uses: seen.clone() })));
        }
        ops.extend(notes.into_iter().map(|n| Op::Note(Box::new(n))));
        let context = self.internal(now);
        let set = prepare::write_set(&self.inner().random, &context, ops);
        match self.submit(set).await {
            Ok(_) => {
                gate.throttle.stored(&due);
                Ok(())
            }
            Err(refusal) => {
                gate.throttle.give_back(&due, &now);
                self.inner().uses.give_back(&uses);
                self.inner().seen.give_back(&seen);
                Err(refusal)
            }
        }
    }

    /// The circumstances of the server's own work.
    pub fn internal(&self, now: Now) -> Context {
        let origin = Origin { door: Door::Internal, address: None, confidential: true };
        Context { actor: Actor::System, origin, now, request_id: self.next_request_id() }
    }

    pub(super) fn remember(&self, context: &Context, entry: Option<EntryId>, reason: &str) {
        self.inner().gate.note(Note {
            time: context.now.wall,
            entry,
            by: None,
            what: "login-refused".into(),
            reason: reason.into(),
            door: context.origin.door,
            address: context.origin.address,
            count: 1,
        });
        tracing::info!(request_id = context.request_id, entry = entry.map(|e| e.0), reason, "login refused");
        self.tell(context, entry, "gate", Some(reason));
    }

    /// Tells a step of a login at a page. Binds are not told: applications bind by the thousand, and would push what
    /// people ask about out of the memory; what refuses them is in the journal.
    pub(super) fn tell(&self, context: &Context, account: Option<EntryId>, what: &str, refused: Option<&str>) {
        if matches!(context.origin.door, Door::Console | Door::Oidc) {
            self.trail().note(Step {
                at: context.now.wall,
                number: context.request_id,
                what: what.to_owned(),
                account,
                refused: refused.map(str::to_owned),
                ..Step::default()
            });
        }
    }

    /// Remembers for the journal that an act upon an account was refused. A conflict is none: it is tried again.
    pub(crate) fn remember_refusal(&self, context: &Context, entry: EntryId, act: &str, refusal: &Refusal) {
        if matches!(refusal.reason, Reason::Conflict | Reason::Busy | Reason::Store) {
            return;
        }
        let why = if refusal.message.is_empty() { "the actor may not" } else { refusal.message.as_str() };
        self.remember_act(context, entry, "act-refused", format!("{act}: {why}"));
    }

    /// Remembers for the journal what somebody did, or was refused, that changes nothing in the store.
    pub(crate) fn remember_act(&self, context: &Context, entry: EntryId, what: &str, reason: String) {
        let by = match context.actor {
            Actor::Account { id, .. } => Some(id),
            Actor::Anonymous | Actor::System => None,
        };
        self.inner().gate.note(Note {
            time: context.now.wall,
            entry: Some(entry),
            by,
            what: what.into(),
            reason,
            door: context.origin.door,
            address: context.origin.address,
            count: 1,
        });
    }
}

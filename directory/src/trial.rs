//! Trials: sign-ins through a provider that is not in use yet, to see what it would say of somebody. They change nothing.
//!
//! Owns a bounded memory of them, gone at the end of the process. An administrator begins one and hands its ticket to a
//! browser; the door that carries it out tells here what came of it, and the administrator asks for that.

use crate::access::Sight;
use crate::clock::{Millis, Now, Span};
use crate::context::Context;
use crate::entry::record::Record;
use crate::error::{Reason, Refusal};
use crate::grant::text::digest;
use crate::handle::Directory;
use crate::id::EntryId;
use crate::store::view::View;
use crate::token::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// How long a trial may take.
pub const LASTING: Span = Span::from_mins(10);
/// Trials at a time; the oldest makes room.
const MOST: usize = 32;

/// What came of a trial: names and values, to be shown.
pub type Outcome = Vec<(String, String)>;

/// The memory.
#[derive(Debug, Default)]
pub struct Trials {
    kept: Mutex<Kept>,
    ended: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    address: Option<String>,
    trials: VecDeque<Trial>,
}

#[derive(Debug)]
struct Trial {
    ticket: [u8; 32],
    provider: EntryId,
    until: Millis,
    outcome: Option<Outcome>,
}

impl Trials {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The door that carries trials out is open at this origin.
    pub fn open_at(&self, address: &str) {
        self.kept().address = Some(address.to_owned());
    }

    /// The provider that a ticket is for, while it is good and not used up.
    pub fn provider(&self, ticket: &str, now: &Now) -> Option<EntryId> {
        let ticket = digest(ticket.as_bytes());
        let kept = self.kept();
        let is_it = |trial: &&Trial| trial.ticket == ticket && trial.outcome.is_none() && now.wall < trial.until;
        kept.trials.iter().find(is_it).map(|trial| trial.provider)
    }

    /// Tells what came of it. Once.
    pub fn end(&self, ticket: &str, outcome: Outcome) {
        let ticket = digest(ticket.as_bytes());
        let mut kept = self.kept();
        if let Some(trial) = kept.trials.iter_mut().find(|trial| trial.ticket == ticket && trial.outcome.is_none()) {
            trial.outcome = Some(outcome);
            self.ended.notify_waiters();
        }
    }

    /// The next time that any trial ends, from now on.
    pub fn next_end(&self) -> Notified<'_> {
        self.ended.notified()
    }
}

impl Directory {
    /// The trials.
    pub fn trials(&self) -> &Trials {
        &self.inner().trials
    }

    /// Begins a trial of a provider, for whoever administers it: the address for a browser, and the ticket in it.
    ///
    /// # Errors
    /// `NotAllowed`; `Unwilling` when no door carries it out.
    pub fn begin_trial(&self, context: &Context, provider: EntryId, name: &str) -> Result<(String, Secret), Refusal> {
        let snapshot = self.snapshot()?;
        let rights = self.rights(&snapshot, context.actor)?;
        let guard = snapshot.record(provider)?;
        let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
        if !record.is_some_and(|record| rights.sight(provider, &record) == Sight::Administrative) {
            return Err(Refusal::not_allowed());
        }
        let ticket = URL_SAFE_NO_PAD.encode(self.random_bytes::<32>());
        let mut kept = self.trials().kept();
        let closed = || Refusal::new(Reason::Unwilling, "no door for sign-in is open: see http.public_url");
        let address = kept.address.clone().ok_or_else(closed)?;
        if kept.trials.len() >= MOST {
            kept.trials.pop_front();
        }
        let until = context.now.wall.saturating_add(LASTING);
        kept.trials.push_back(Trial { ticket: digest(ticket.as_bytes()), provider, until, outcome: None });
        Ok((format!("{address}/sso/{name}/test?ticket={ticket}"), Secret::of(ticket)))
    }

    /// What came of a trial, for whoever has its ticket; none: nothing yet.
    ///
    /// # Errors
    /// `NoSuchEntry` when it is not known, or its time has passed.
    pub fn trial_outcome(&self, ticket: &str, now: &Now) -> Result<Option<Outcome>, Refusal> {
        let ticket = digest(ticket.as_bytes());
        let kept = self.trials().kept();
        let trial = kept.trials.iter().find(|trial| trial.ticket == ticket);
        match trial.filter(|trial| trial.outcome.is_some() || now.wall < trial.until) {
            Some(trial) => Ok(trial.outcome.clone()),
            None => {
                Err(Refusal::new(Reason::NoSuchEntry { matched: String::new() }, "there is no such trial any more"))
            }
        }
    }
}

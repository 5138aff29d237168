//! Carrying out a [`Request`]: prepared from a snapshot, submitted as one write set, and prepared again when what it
//! relied on has moved; or rehearsed, which changes nothing and tells what would have happened.

use super::apply::{self, Head};
use super::known::Known;
use super::{Change, Op, Receipt, Request, Subject, WriteSet, prepare};
use crate::context::Context;
use crate::credential::Secret;
use crate::entry::record::Record;
use crate::error::{Limit, Reason, Refusal};
use crate::handle::Directory;
use crate::id::{EntryId, Position};
use crate::journal::record::Event;
use crate::lifecycle::Account;
use crate::schema::Schema;
use crate::store::pending::Staging;
use crate::store::view::{Tables, View};
use redb::Database;
use std::borrow::Cow;

/// The most changes in one request.
pub const CHANGES: usize = 1_000;
/// How often a request is prepared anew before its conflict is the caller's.
const ATTEMPTS: usize = 3;

/// A request, prepared.
struct Prepared {
    /// The expected versions, then the steps of all changes.
    ops: Vec<Op>,
    /// How many steps each change has.
    lengths: Vec<usize>,
    generated_password: Option<Secret>,
    known: Known,
}

impl Directory {
    /// Carries out a change: authorized, checked, durable when it returns.
    ///
    /// # Errors
    /// Why not: see [`Reason`].
    pub async fn change(&self, context: &Context, change: Change) -> Result<Receipt, Refusal> {
        self.carry(context, change.into()).await
    }

    /// Carries out several changes as one write set: all of them, durable when it returns, or none.
    ///
    /// # Errors
    /// Why not: see [`Reason`]. `Stale` when an entry has not the version that the request demands.
    pub async fn carry(&self, context: &Context, request: Request) -> Result<Receipt, Refusal> {
        self.carry_with(context, &request, Vec::new()).await
    }

    /// The same with further steps after those of the changes.
    pub(crate) async fn carry_with(
        &self,
        context: &Context,
        request: &Request,
        further: Vec<Op>,
    ) -> Result<Receipt, Refusal> {
        let mut attempt = 0_usize;
        loop {
            attempt = attempt.saturating_add(1);
            match self.carry_once(context, request, &further).await {
                Err(Refusal { reason: Reason::Conflict, .. }) if attempt < ATTEMPTS => {}
                outcome => return outcome,
            }
        }
    }

    /// What the journal would hold if the request were carried out now. Nothing is changed and nothing recorded.
    ///
    /// # Errors
    /// What [`Directory::carry`] would refuse.
    pub async fn rehearse(&self, context: &Context, request: Request) -> Result<Vec<Event>, Refusal> {
        let prepared = self.prepare(context, &request, true).await?;
        let set = prepare::write_set(&self.inner().random, context, prepared.ops);
        let schema = self.schema().clone();
        let answer =
            self.inner().exclusive(false, move |database, staging| rehearse(database, staging, &schema, &set))?;
        answer.await.map_err(|_| self.inner().over())?
    }

    async fn carry_once(&self, context: &Context, request: &Request, further: &[Op]) -> Result<Receipt, Refusal> {
        let mut prepared = self.prepare(context, request, false).await?;
        prepared.ops.extend_from_slice(further);
        if further.is_empty() && prepared.lengths.iter().all(|length| *length == 0) {
            return self.nothing_to_do(context, request);
        }
        let acted = prepared.ops.iter().find_map(act_of);
        let epoch = prepared.ops.iter().rev().find_map(facts_of).map(|facts| facts.epoch);
        let expected = request.expected.len();
        let set = prepare::write_set(&self.inner().random, context, prepared.ops);
        let receipt = self.submit(set).await.inspect_err(|refusal| {
            if let Some((id, act)) = &acted {
                self.remember_refusal(context, *id, act, refusal);
            }
        })?;
        for (id, facts) in prepared.known.changed() {
            self.forget_counters(id, &facts);
        }
        let entries = entries_of(&receipt.entries, expected, &prepared.lengths);
        Ok(Receipt { epoch, entries, generated_password: prepared.generated_password, ..receipt })
    }

    async fn prepare(&self, context: &Context, request: &Request, rehearsal: bool) -> Result<Prepared, Refusal> {
        if request.changes.len() > CHANGES || request.expected.len() > CHANGES {
            let limit = Reason::Limit(Limit::Administrative);
            return Err(Refusal::new(limit, format!("more than {CHANGES} changes in one request")));
        }
        let rights = self.rights(self.snapshot()?.as_ref(), context.actor)?;
        let expect = |(entry, version): &(EntryId, Position)| Op::Expect { entry: *entry, version: *version };
        let ops = request.expected.iter().map(expect).collect();
        let lengths = Vec::with_capacity(request.changes.len());
        let mut prepared =
            Prepared { ops, lengths, generated_password: None, known: Known::new(rehearsal, request.changes.len()) };
        for change in &request.changes {
            let steps = self.steps_of(context, &rights, change, &mut prepared.known).await?;
            prepared.lengths.push(steps.ops.len());
            prepared.ops.extend(steps.ops);
            prepared.generated_password = steps.generated_password.or(prepared.generated_password);
        }
        Ok(prepared)
    }

    /// The receipt of a request that changes nothing; what it relies on is looked at all the same.
    fn nothing_to_do(&self, context: &Context, request: &Request) -> Result<Receipt, Refusal> {
        let snapshot = self.snapshot()?;
        let rights = self.rights(&snapshot, context.actor)?;
        for (entry, version) in &request.expected {
            let guard = snapshot.record(*entry)?;
            let record = guard.as_ref().and_then(|g| Record::parse(g.value()).ok());
            match record.filter(|r| rights.sight(*entry, r) != crate::access::Sight::None) {
                Some(record) if record.header().version == *version => {}
                Some(_) => return Err(stale()),
                None => return Err(Refusal::new(Reason::NoSuchEntry { matched: String::new() }, "")),
            }
        }
        Ok(Receipt {
            position: snapshot.position(),
            entry: None,
            entries: vec![None; request.changes.len()],
            epoch: None,
            generated_password: None,
            grants: crate::grant::apply::Outcome::default(),
        })
    }
}

/// The refusal for another version than the one that a request relies on.
pub fn stale() -> Refusal {
    Refusal::new(Reason::Stale, "the entry has changed since it was read")
}

/// Applies a set in a transaction that is given up.
fn rehearse(database: &Database, staging: &Staging, schema: &Schema, set: &WriteSet) -> Result<Vec<Event>, Refusal> {
    let txn = database.begin_write().map_err(Refusal::store)?;
    let events = {
        let mut tables = Tables::open(&txn, staging)?;
        let head = Head::read(&tables)?;
        apply::rehearse(&mut tables, schema, set, head)
    };
    txn.abort().map_err(Refusal::store)?;
    events
}

/// The entry of each change: the last one that its steps made or changed.
fn entries_of(of_ops: &[Option<EntryId>], expected: usize, lengths: &[usize]) -> Vec<Option<EntryId>> {
    let mut rest = of_ops.get(expected..).unwrap_or_default().iter();
    lengths.iter().map(|length| rest.by_ref().take(*length).copied().last().flatten()).collect()
}

/// Whose account a step acts upon, and the act's name.
fn act_of(op: &Op) -> Option<(EntryId, Cow<'static, str>)> {
    match op {
        Op::Account { subject: Subject::Id(id), act, .. } => Some((*id, act.clone())),
        Op::Modify { subject: Subject::Id(id), password: Some(_), .. } => Some((*id, "password".into())),
        _ => None,
    }
}

/// The facts that a step writes, if it writes any.
fn facts_of(op: &Op) -> Option<Account> {
    match op {
        Op::Account { next, .. } => Some(**next),
        Op::Modify { password: Some(password), .. } => password.next_account.as_deref().copied(),
        _ => None,
    }
}

//! The daily sweep: what time has done to accounts becomes facts, what is due is purged (requirements 2.5, 2.7), tokens
//! and sessions whose time has passed are removed.
//!
//! Enforcement does not wait for it: states are derived at every login. The sweep makes them visible in lists and
//! history, and ends what has to end.

use crate::change::{Op, Subject, prepare};
use crate::clock::Now;
use crate::error::{Reason, Refusal};
use crate::handle::Directory;
use crate::id::EntryId;
use crate::lifecycle::Due;
use crate::lifecycle::{Account, Event, Verdict, decide, due};
use crate::store::codec;

/// Accounts judged per write set.
const BATCH: usize = 256;

impl Directory {
    /// Goes through all accounts. Returns how many were found.
    ///
    /// # Errors
    /// `Busy`, `Store`; what was found before stands.
    pub async fn sweep(&self) -> Result<usize, Refusal> {
        let now = self.now();
        let mut found = 0_usize;
        let mut from = 0_u64;
        loop {
            let (batch, next) = self.due_from(from)?;
            for op in batch {
                let set = prepare::write_set(&self.inner().random, &self.internal(now), vec![op]);
                match self.submit(set).await {
                    Ok(_) => found = found.saturating_add(1),
                    // The account has moved since it was read: the next sweep, or its next login, sees it.
                    Err(Refusal { reason: Reason::Conflict | Reason::Unwilling | Reason::HasChildren, .. }) => {}
                    Err(refusal) => return Err(refusal),
                }
            }
            match next {
                Some(next) => from = next,
                None => break,
            }
        }
        let tokens = self.sweep_tokens(now).await?;
        Ok(found.saturating_add(tokens).saturating_add(self.sweep_grants(now).await?))
    }

    /// Ends the tokens whose time has passed.
    async fn sweep_tokens(&self, now: Now) -> Result<usize, Refusal> {
        let mut found = 0_usize;
        loop {
            let ops = self.expired_tokens(&now, BATCH)?;
            if ops.is_empty() {
                return Ok(found);
            }
            found = found.saturating_add(ops.len());
            self.submit(prepare::write_set(&self.inner().random, &self.internal(now), ops)).await?;
        }
    }

    /// The steps for the accounts from this id on, and where to go on.
    fn due_from(&self, from: u64) -> Result<(Vec<Op>, Option<u64>), Refusal> {
        let snapshot = self.snapshot()?;
        let now = self.now();
        let mut ops = Vec::new();
        for item in snapshot.accounts().range(from..)? {
            let (id, bytes) = item?;
            let id = EntryId(id);
            let stored: Account = codec::decode(bytes.value())?;
            let account = self.with_counters(id, stored);
            match due(&account, self.policy(), &now) {
                None => continue,
                Some(Due::Purge) => ops.push(Op::Purge { id }),
                Some(Due::Disabled | Due::Dormant) => {
                    let outcome = decide(&account, self.policy(), &Event::Sweep, &now);
                    if matches!(outcome.verdict, Verdict::Rejected(_)) || outcome.next == stored {
                        continue;
                    }
                    ops.push(Op::Account {
                        subject: Subject::Id(id),
                        expected: Box::new(stored),
                        next: Box::new(outcome.next),
                        act: "sweep".into(),
                        bury: false,
                        password: None,
                    });
                }
            }
            if ops.len() >= BATCH {
                return Ok((ops, id.0.checked_add(1)));
            }
        }
        Ok((ops, None))
    }
}

//! What time ends: found by the daily sweep, removed in the journal's order. Nothing waits for it; a grant whose time has
//! passed is refused whether its row is there or not.

use super::apply::GrantOp;
use super::{Family, FamilyId, Session, SessionId};
use crate::change::{Op, prepare};
use crate::clock::Now;
use crate::error::Refusal;
use crate::handle::Directory;
use crate::store::codec;
use crate::store::view::View;

/// Rows removed per write set.
const BATCH: usize = 256;

impl Directory {
    /// Removes sessions and families whose time has passed, and families of applications that are gone. Returns how many
    /// rows were looked at for removal.
    pub(crate) async fn sweep_grants(&self, now: Now) -> Result<usize, Refusal> {
        self.purge_codes(&now).await?;
        let (sessions, families) = self.expired_grants(&now)?;
        let found = sessions.len().saturating_add(families.len());
        let mut ops = Vec::new();
        for sessions in sessions.chunks(BATCH) {
            ops.push(GrantOp::Expire { sessions: sessions.to_vec(), families: Vec::new() });
        }
        for families in families.chunks(BATCH) {
            ops.push(GrantOp::Expire { sessions: Vec::new(), families: families.to_vec() });
        }
        for op in ops {
            let set = prepare::write_set(&self.inner().random, &self.internal(now), vec![Op::Grant(Box::new(op))]);
            self.submit(set).await?;
        }
        Ok(found)
    }

    fn expired_grants(&self, now: &Now) -> Result<(Vec<SessionId>, Vec<FamilyId>), Refusal> {
        let snapshot = self.snapshot()?;
        let (mut sessions, mut families) = (Vec::new(), Vec::new());
        let stored = snapshot.sessions()?;
        for item in redb::ReadableTable::range::<u64>(stored, ..)? {
            let mut session: Session = codec::decode(item?.1.value())?;
            session.seen = session.seen.max(self.inner().seen.latest(session.id));
            if session.is_expired(now.wall) {
                sessions.push(session.id);
            }
        }
        let there = |id: SessionId| redb::ReadableTable::get(stored, id.0).is_ok_and(|g| g.is_some());
        for item in redb::ReadableTable::range::<u64>(snapshot.families()?, ..)? {
            let family: Family = codec::decode(item?.1.value())?;
            let gone = || snapshot.record(family.client).is_ok_and(|record| record.is_none());
            if family.is_expired(now.wall) || gone() || family.bound_to().is_some_and(|id| !there(id)) {
                families.push(family.id);
            }
        }
        self.inner().seen.keep(there);
        Ok((sessions, families))
    }
}

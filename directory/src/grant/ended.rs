//! The feed of grants that have ended, for those who tell applications of it (OpenID Connect Back-Channel Logout).
//!
//! Told after the commit that ended them, in the order of the journal, from the write lane's own thread: a subscriber
//! puts it into a queue of its own and returns. What ends by the passing of time alone is told when the sweep finds it.

use super::{FamilyId, SessionId};
use crate::handle::Directory;
use crate::id::EntryId;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// A grant that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Whose.
    pub account: EntryId,
    /// The account's entryUUID, the `sub` of tokens: the account may be gone by now.
    pub uuid: Uuid,
    /// What.
    pub what: What,
    /// Why.
    pub cause: Cause,
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A session.
    Session {
        /// Its id.
        id: SessionId,
        /// The applications that were entered with it.
        clients: Vec<EntryId>,
    },
    /// A refresh family.
    Family {
        /// Its id.
        id: FamilyId,
        /// Its application.
        client: EntryId,
        /// The session that it came from.
        session: Option<SessionId>,
    },
}

/// Why a grant has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Cause {
    /// Somebody signed out.
    SignedOut,
    /// Somebody else ended it: an administrator, or its owner from another session.
    Revoked,
    /// The account's logins were ended: disabled, deleted, another password, a forced sign-out.
    Account,
    /// A code or refresh token was used a second time.
    Reused,
    /// Its time has passed.
    Expired,
    /// There were too many of them.
    Crowded,
}

impl Cause {
    /// The name in audit records.
    pub fn name(self) -> &'static str {
        match self {
            Cause::SignedOut => "sign-out",
            Cause::Revoked => "revoke",
            Cause::Account => "end",
            Cause::Reused => "reuse",
            Cause::Expired => "expire",
            Cause::Crowded => "crowd-out",
        }
    }
}

type Subscriber = Box<dyn Fn(&Ended) + Send + Sync>;

/// Those who want to know.
#[derive(Default)]
pub(crate) struct Feed(Mutex<Vec<Subscriber>>);

impl Feed {
    /// Tells all of them.
    pub(crate) fn tell(&self, ended: &[Ended]) {
        let subscribers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for one in ended {
            subscribers.iter().for_each(|subscriber| subscriber(one));
        }
    }
}

impl Directory {
    /// Subscribes to the grants that end from now on. Called on the write lane's thread: it may not wait, nor ask the
    /// directory for a change.
    pub fn on_ended(&self, subscriber: impl Fn(&Ended) + Send + Sync + 'static) {
        self.inner().feed.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(subscriber));
    }
}

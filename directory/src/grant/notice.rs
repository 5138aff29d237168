//! Applications that have yet to be told of a sign-out (OpenID Connect Back-Channel Logout).
//!
//! Written in the write set that ends the session, so that a crash between the end and the telling loses nothing: what stands
//! here after a start is told again. Owns who is told of which end; how they are told is the door's. Only applications that
//! have an address for it get a row.

use super::SessionId;
use super::apply::GrantOp;
use super::ended::{Cause, Ended, What};
use crate::change::{Op, prepare};
use crate::clock::{Millis, Now};
use crate::error::Refusal;
use crate::handle::Directory;
use crate::id::EntryId;
use crate::store::codec;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names a notice: the position of the end, and a number within it. Later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NoticeId(pub u64, pub u64);

/// One application to be told of one sign-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its name.
    pub id: NoticeId,
    /// The application.
    pub client: EntryId,
    /// The account's entryUUID, the `sub` of tokens: the account may be gone by now.
    #[serde(with = "as_octets")]
    pub uuid: Uuid,
    /// The session; none: all of the account's.
    pub session: Option<SessionId>,
    /// When it ended (`wall`).
    pub at: Millis,
}

/// What makes two notices one: the application, the account, the session.
pub(crate) type Of = (EntryId, Uuid, Option<SessionId>);

/// Who is to be told of an end: of a session's, every application that was entered with it. That of a refresh family alone is
/// no sign-out, unless the account's logins were ended.
pub(crate) fn of(ended: &Ended) -> Vec<Of> {
    match &ended.what {
        What::Session { id, clients } => clients.iter().map(|client| (*client, ended.uuid, Some(*id))).collect(),
        What::Family { client, session, .. } if ended.cause == Cause::Account => vec![(*client, ended.uuid, *session)],
        What::Family { .. } => Vec::new(),
    }
}

impl Directory {
    /// At most so many notices after this one, in their order.
    ///
    /// # Errors
    /// `Store`.
    pub fn notices(&self, after: Option<NoticeId>, most: usize) -> Result<Vec<Notice>, Refusal> {
        let from = after.map_or((0, 0), |NoticeId(position, number)| (position, number.saturating_add(1)));
        let snapshot = self.snapshot()?;
        let mut out = Vec::new();
        for item in snapshot.notices()?.range(from..)?.take(most) {
            out.push(codec::decode(item?.1.value())?);
        }
        Ok(out)
    }

    /// These applications have been told, or never will be: their notices go.
    ///
    /// # Errors
    /// `Busy`, `Store`.
    pub async fn told(&self, now: Now, notices: Vec<NoticeId>) -> Result<(), Refusal> {
        if notices.is_empty() {
            return Ok(());
        }
        let op = Op::Grant(Box::new(GrantOp::Told { notices }));
        self.submit(prepare::write_set(&self.inner().random, &self.internal(now), vec![op])).await.map(|_| ())
    }
}

/// Stores a [`Uuid`] as its 16 octets.
mod as_octets {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use uuid::Uuid;

    pub fn serialize<S: Serializer>(uuid: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        uuid.as_bytes().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
        <[u8; 16]>::deserialize(deserializer).map(Uuid::from_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::FamilyId;

    /// Goal: the end of a session is told to all applications that it led into; that of a family only with the account's.
    #[test]
    fn who_is_told() {
        let ended = |what, cause| Ended { account: EntryId(7), uuid: Uuid::nil(), what, cause };
        let session = What::Session { id: SessionId(1), clients: vec![EntryId(8), EntryId(9)] };
        let told = of(&ended(session, Cause::SignedOut));
        assert_eq!(
            told.iter().map(|n| (n.0.0, n.2)).collect::<Vec<_>>(),
            [(8, Some(SessionId(1))), (9, Some(SessionId(1)))]
        );
        let family = What::Family { id: FamilyId(2), client: EntryId(8), session: Some(SessionId(1)) };
        assert!(of(&ended(family.clone(), Cause::Reused)).is_empty());
        assert!(of(&ended(family.clone(), Cause::Expired)).is_empty());
        assert_eq!(of(&ended(family, Cause::Account)).len(), 1);
    }
}

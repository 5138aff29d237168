//! Sessions, refresh families and codes: each stands with its account, in the account's present epoch.

use super::Check;
use crate::change::account::is_usable;
use crate::error::Refusal;
use crate::grant::factor::Stored;
use crate::grant::keys::StoredKey;
use crate::grant::link::{Link, row};
use crate::grant::secret::Secrets;
use crate::grant::{Consent, Family, FamilyId, Notice, NoticeId, Session, SessionId, Spent};
use crate::id::EntryId;
use crate::store::codec;
use crate::store::view::View;
use redb::ReadableTableMetadata;

impl Check<'_> {
    pub(super) fn grants(&mut self) -> Result<(), Refusal> {
        self.sessions()?;
        self.families()?;
        self.kept()?;
        for item in self.snapshot.codes()?.range::<&[u8]>(..)? {
            let (key, stored) = item?;
            if key.value().len() != 40 || codec::decode::<Spent>(stored.value()).is_err() {
                self.find("codes", "a used code does not decode");
            }
        }
        Ok(())
    }

    fn sessions(&mut self) -> Result<(), Refusal> {
        let snapshot = self.snapshot;
        let mut sessions = 0_u64;
        for item in snapshot.sessions()?.range::<u64>(..)? {
            let (id, stored) = item?;
            sessions = sessions.saturating_add(1);
            let session = match codec::decode::<Session>(stored.value()) {
                Ok(session) if session.id == SessionId(id.value()) => session,
                _ => {
                    self.find("sessions", "a session does not decode, or is another one");
                    continue;
                }
            };
            if snapshot.session_owners()?.get((session.account.0, session.id.0))?.is_none() {
                self.find("session-owners", format!("session {} does not stand with its account", session.id));
            }
            if !self.lives(session.account, session.epoch)? {
                self.find("sessions", format!("session {} outlives the logins of its account", session.id));
            }
        }
        if snapshot.session_owners()?.len()? != sessions {
            self.find("session-owners", "a session is missing");
        }
        Ok(())
    }

    fn families(&mut self) -> Result<(), Refusal> {
        let snapshot = self.snapshot;
        let mut families = 0_u64;
        for item in snapshot.families()?.range::<u64>(..)? {
            let (id, stored) = item?;
            families = families.saturating_add(1);
            let family = match codec::decode::<Family>(stored.value()) {
                Ok(family) if family.id == FamilyId(id.value()) => family,
                _ => {
                    self.find("families", "a family does not decode, or is another one");
                    continue;
                }
            };
            if snapshot.family_owners()?.get((family.account.0, family.id.0))?.is_none() {
                self.find("family-owners", format!("family {} does not stand with its account", family.id));
            }
            if !self.lives(family.account, family.epoch)? {
                self.find("families", format!("family {} outlives the logins of its account", family.id));
            }
            let stored = snapshot.sessions()?;
            let session = family.bound_to().map(|id| stored.get(id.0)).transpose()?;
            if session.is_some_and(|row| row.is_none()) {
                self.find("families", format!("family {} outlives its session", family.id));
            }
        }
        if snapshot.family_owners()?.len()? != families {
            self.find("family-owners", "a family is missing");
        }
        Ok(())
    }

    fn kept(&mut self) -> Result<(), Refusal> {
        let snapshot = self.snapshot;
        for item in snapshot.consents()?.range::<(u64, u64)>(..)? {
            let (key, stored) = item?;
            let (account, client) = key.value();
            if codec::decode::<Consent>(stored.value()).map_or(true, |consent| consent.client.0 != client) {
                self.find("consents", "a consent does not decode, or is another one");
            }
            if snapshot.record(EntryId(account))?.is_none() {
                self.find("consents", format!("a consent outlives its account {account}"));
            }
        }
        for item in snapshot.secrets()?.range::<u64>(..)? {
            let (entry, stored) = item?;
            if codec::decode::<Secrets>(stored.value()).is_err() {
                self.find("secrets", format!("what is kept for {} does not decode", entry.value()));
            }
            if snapshot.record(EntryId(entry.value()))?.is_none() {
                self.find("secrets", format!("a secret outlives its entry {}", entry.value()));
            }
        }
        for item in snapshot.signing_keys()?.range::<u64>(..)? {
            let (id, stored) = item?;
            if codec::decode::<StoredKey>(stored.value()).map_or(true, |key| key.id != id.value()) {
                self.find("signing-keys", "a signing key does not decode, or is another one");
            }
        }
        for item in snapshot.factors()?.range::<u64>(..)? {
            let (account, stored) = item?;
            if codec::decode::<Stored>(stored.value()).is_err() {
                self.find("factors", format!("the second factors of {} do not decode", account.value()));
            }
            if snapshot.record(EntryId(account.value()))?.is_none() {
                self.find("factors", format!("second factors outlive their account {}", account.value()));
            }
        }
        for item in snapshot.links()?.range::<&[u8]>(..)? {
            let (key, stored) = item?;
            let link = match codec::decode::<Link>(stored.value()) {
                Ok(link) if row(link.provider, &link.key).as_slice() == key.value() => link,
                _ => {
                    self.find("links", "a link does not decode, or is another one");
                    continue;
                }
            };
            let owner = snapshot.link_owners()?.get((link.account.0, link.provider.0))?;
            if owner.is_none_or(|owner| owner.value() != key.value()) {
                self.find("link-owners", format!("a link of {} does not stand with it", link.account.0));
            }
            if snapshot.record(link.account)?.is_none() || snapshot.record(link.provider)?.is_none() {
                self.find("links", format!("a link outlives its account {} or its provider", link.account.0));
            }
        }
        if snapshot.link_owners()?.len()? != snapshot.links()?.len()? {
            self.find("link-owners", "a link is missing");
        }
        for item in snapshot.notices()?.range::<(u64, u64)>(..)? {
            let (key, stored) = item?;
            let id = NoticeId(key.value().0, key.value().1);
            if codec::decode::<Notice>(stored.value()).map_or(true, |notice| notice.id != id) {
                self.find("notices", "a notice does not decode, or is another one");
            }
        }
        for item in snapshot.revoked()?.range::<&[u8]>(..)? {
            if item?.0.value().len() != 32 {
                self.find("revoked", "a name is none");
            }
        }
        Ok(())
    }

    /// Whether logins of this epoch have not been ended.
    fn lives(&self, account: EntryId, epoch: u64) -> Result<bool, Refusal> {
        let facts = self.snapshot.account(account).ok().flatten();
        let current = facts.is_some_and(|facts| facts.epoch == epoch && is_usable(&facts));
        Ok(current && self.snapshot.record(account)?.is_some())
    }
}

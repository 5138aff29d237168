//! Sessions in memory, gone at the end of the process.

use super::Session;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use directory::handle::Directory;
use directory::id::EntryId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sessions at once.
const MOST: usize = 100_000;

/// All sessions, by the hash of their secrets.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<Vec<u8>, Session>>);

impl Kept {
    fn all(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a session and says its secret.
    pub(crate) fn start(&self, directory: &Directory, session: Session) -> Option<String> {
        let secret = BASE64.encode(directory.random_bytes::<32>());
        let mut all = self.all();
        (all.len() < MOST).then(|| {
            all.insert(hash(&secret), session);
            secret
        })
    }

    /// The session of this secret.
    pub(crate) fn find(&self, secret: &str) -> Option<Session> {
        self.all().get(&hash(secret)).cloned()
    }

    /// Changes the session of this secret.
    pub(crate) fn touch(&self, secret: &str, change: impl FnOnce(&mut Session)) {
        if let Some(session) = self.all().get_mut(&hash(secret)) {
            change(session);
        }
    }

    /// The sessions of an account.
    pub(crate) fn of(&self, account: EntryId) -> Vec<Session> {
        self.all().values().filter(|session| session.account == account).cloned().collect()
    }

    /// Ends those that this says of.
    pub(crate) fn end(&self, which: impl Fn(&Session) -> bool) -> usize {
        let mut all = self.all();
        let before = all.len();
        all.retain(|_, session| !which(session));
        before.saturating_sub(all.len())
    }
}

fn hash(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

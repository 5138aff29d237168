//! A thread that prepares batches of entries: values, classes, names, index keys; and passwords in clear, hashed.

use super::prepare::{Passed, Prepared, Preparing};
use super::{Finding, FindingKind, Item};
use crate::context::Context;
use crate::credential::{Arena, Secret, password};
use crate::handle::Directory;
use std::sync::mpsc::{Receiver, SyncSender};
use tokio::sync::oneshot;

/// A batch on its way to the lane.
pub struct Batch {
    /// In the order of the file.
    pub entries: Vec<Result<Prepared, Finding>>,
    /// What was passed over in them.
    pub passed: Passed,
}

/// The thread.
pub struct Worker {
    /// For the schema, the hash pool and randomness.
    pub directory: Directory,
    /// The circumstances of the import.
    pub context: Context,
    /// Unknown attributes and classes are dropped.
    pub lenient: bool,
}

type Hashed = oneshot::Receiver<Result<crate::credential::PasswordHash, crate::credential::HashError>>;

/// Passwords of one worker that are with the pool.
const HASHING: usize = 32;

impl Worker {
    /// Works until there are no batches, or nobody takes them.
    pub fn run(self, batches: &Receiver<Vec<Item>>, ready: &SyncSender<Batch>) {
        for items in batches {
            if ready.send(self.batch(items)).is_err() {
                return;
            }
        }
    }

    fn batch(&self, items: Vec<Item>) -> Batch {
        let inner = self.directory.inner();
        let preparing = Preparing {
            schema: &inner.schema,
            random: &inner.random,
            policy: &inner.policy,
            now: &self.context.now,
            lenient: self.lenient,
        };
        let mut passed = Passed::default();
        let mut entries = Vec::with_capacity(items.len());
        for item in items {
            entries.push(match item {
                Item::Finding(finding) => Err(finding),
                Item::Entry(entry) => preparing.entry(&entry, &mut passed).map_err(|refusal| Finding {
                    place: entry.place,
                    dn: String::from_utf8_lossy(entry.dn()).into_owned(),
                    kind: FindingKind::Refused,
                    reason: super::bulk::reason(&refusal),
                }),
            });
        }
        self.hash(&mut entries);
        Batch { entries, passed }
    }

    /// Hashes the passwords that came in clear, several at a time.
    fn hash(&self, entries: &mut [Result<Prepared, Finding>]) {
        let mut open: std::collections::VecDeque<(usize, Hashed)> = std::collections::VecDeque::new();
        for index in 0..entries.len() {
            let Some(password) = entries.get_mut(index).and_then(|e| e.as_mut().ok()).and_then(|e| e.cleartext.take())
            else {
                continue;
            };
            let mut left = Some(password);
            while let Some(password) = left.take() {
                if open.len() < HASHING
                    && let Ok(hashed) = self.submit(&password)
                {
                    open.push_back((index, hashed));
                } else if let Some((earlier, hashed)) = open.pop_front() {
                    settle(entries, earlier, hashed);
                    left = Some(password);
                } else {
                    // Logins keep the pool busy: an import does not fail for that.
                    let inner = self.directory.inner();
                    let made =
                        password::hash(password.expose(), inner.random.bytes(), inner.hashing, &mut Arena::new());
                    store(entries, index, made.map_err(|e| e.to_string()));
                }
            }
        }
        for (index, hashed) in open {
            settle(entries, index, hashed);
        }
    }

    fn submit(&self, password: &Secret) -> Result<Hashed, crate::credential::Busy> {
        let inner = self.directory.inner();
        inner.pool.hash(password.clone(), inner.random.bytes(), inner.hashing)
    }
}

fn settle(entries: &mut [Result<Prepared, Finding>], index: usize, hashed: Hashed) {
    let made = match hashed.blocking_recv() {
        Ok(Ok(hash)) => Ok(hash),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it could not be hashed".to_owned()),
    };
    store(entries, index, made);
}

fn store(
    entries: &mut [Result<Prepared, Finding>],
    index: usize,
    made: Result<crate::credential::PasswordHash, String>,
) {
    let Some(slot) = entries.get_mut(index) else { return };
    match (slot, made) {
        (Ok(entry), Ok(hash)) => {
            if let Some(credential) = &mut entry.credential {
                credential.password = Some(hash.as_str().to_owned());
            }
        }
        (slot, Err(why)) => {
            if let Ok(entry) = slot {
                let (place, dn) = (entry.place, std::mem::take(&mut entry.dn));
                *slot = Err(Finding { place, dn, kind: FindingKind::Refused, reason: format!("userPassword: {why}") });
            }
        }
        (Err(_), Ok(_)) => {}
    }
}

//! How the store's octets are divided: a header, the log, and behind them what belongs to redb.
//!
//! ```text
//! 0        4 KiB                      4 MiB
//! │ header │ frames of the log        │ redb …
//! ```
//!
//! One file, so that nobody can keep the store and lose its log. The header is written when the store is made, and never
//! again: magic, layout, where redb's part begins, the key of the frames, a digest.

use crate::random::Random;
use redb::{BackendError, StorageBackend};
use sha2::{Digest, Sha256};
use std::io::{Error, ErrorKind};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is written together: a frame begins at such a boundary, so that writing one leaves those before it alone.
pub const PAGE: u64 = 4_096;

const MAGIC: [u8; 8] = *b"rollbook";
const VERSION: u32 = 1;
const LENGTH: usize = 8 + 4 + 8 + 32 + 32;
/// The first octets of a store that is redb's from its first octet on, as those of earlier versions are.
pub const UNDIVIDED: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";

/// What the header says.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Where redb's part begins: the octets of the header and the log, whole pages.
    pub pages_at: u64,
    /// What authenticates frames, so that no value that a stranger has stored is taken for one.
    pub key: [u8; 32],
}

impl Layout {
    /// A new one, whose log takes so many octets.
    pub fn new(log: u64, random: &Random) -> Layout {
        let pages = log.div_ceil(PAGE).saturating_add(1);
        Layout { pages_at: pages.saturating_mul(PAGE), key: random.bytes() }
    }

    /// Reads the header.
    ///
    /// # Errors
    /// What the disk says; `InvalidData` when it is no header of this version.
    pub fn read(under: &dyn StorageBackend) -> Result<Layout, Error> {
        let mut header = [0; LENGTH];
        under.read(0, &mut header)?;
        decode(&header).ok_or_else(|| Error::new(ErrorKind::InvalidData, "this is no store, or of another version"))
    }

    /// The header.
    pub fn encode(&self) -> Vec<u8> {
        let mut header = Vec::with_capacity(LENGTH);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&self.pages_at.to_le_bytes());
        header.extend_from_slice(&self.key);
        let digest = Sha256::digest(&header);
        header.extend_from_slice(&digest);
        header
    }
}

fn decode(header: &[u8; LENGTH]) -> Option<Layout> {
    let (head, digest) = header.split_last_chunk::<32>()?;
    let sound = Sha256::digest(head).as_slice() == digest;
    let (magic, rest) = head.split_first_chunk::<8>()?;
    let (version, rest) = rest.split_first_chunk::<4>()?;
    let (pages_at, rest) = rest.split_first_chunk::<8>()?;
    let known = *magic == MAGIC && u32::from_le_bytes(*version) == VERSION;
    let key = *rest.first_chunk::<32>()?;
    (sound && known).then_some(Layout { pages_at: u64::from_le_bytes(*pages_at), key })
}

/// The part that is redb's.
#[derive(Debug)]
pub struct Pages {
    under: Arc<dyn StorageBackend>,
    at: u64,
    broken: Arc<AtomicBool>,
}

impl Pages {
    /// The part of these octets. As soon as it is `broken`, nothing in it can be made durable any more: what the failing
    /// disk has lost of it nobody knows.
    pub fn new(under: Arc<dyn StorageBackend>, layout: &Layout, broken: Arc<AtomicBool>) -> Pages {
        Pages { under, at: layout.pages_at, broken }
    }

    fn shifted(&self, offset: u64) -> Result<u64, Error> {
        offset.checked_add(self.at).ok_or_else(|| ErrorKind::InvalidInput.into())
    }
}

/// Locks are on numbers, not on octets: they are handed on as they are.
impl StorageBackend for Pages {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.under.len()?.saturating_sub(self.at))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        self.under.read(self.shifted(offset)?, out)
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        self.under.set_len(self.shifted(len)?)
    }

    fn sync_data(&self) -> Result<(), Error> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Error::other("the log has failed"));
        }
        self.under.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        self.under.write(self.shifted(offset)?, data)
    }

    fn close(&self) -> Result<(), Error> {
        self.under.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.under.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.under.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.under.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.under.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.under.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.under.query_lock_range(start, end)
    }
}

//! Octets of a store that outlive the directory on them: for restarts and for ends without warning.

use redb::StorageBackend;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// A store in memory that several directories use one after the other. Clones share the octets.
#[derive(Debug, Clone, Default)]
pub struct SharedStore(Arc<Mutex<Vec<u8>>>);

impl SharedStore {
    /// An empty one.
    pub fn new() -> SharedStore {
        SharedStore::default()
    }

    /// The octets of this moment, apart from now on: what a machine that stops right now would find again.
    #[must_use]
    pub fn copy(&self) -> SharedStore {
        let octets = self.with(|octets| octets.clone());
        SharedStore(Arc::new(Mutex::new(octets)))
    }

    /// All octets of this moment.
    pub fn octets(&self) -> Vec<u8> {
        self.with(|octets| octets.clone())
    }

    fn with<T>(&self, f: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn range(offset: u64, length: usize) -> io::Result<std::ops::Range<usize>> {
    let start = usize::try_from(offset).map_err(io::Error::other)?;
    let end = start.checked_add(length).ok_or_else(|| io::Error::other("past the end of memory"))?;
    Ok(start..end)
}

fn outside() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "outside of the store")
}

impl StorageBackend for SharedStore {
    fn len(&self) -> io::Result<u64> {
        Ok(self.with(|octets| octets.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let range = range(offset, out.len())?;
        self.with(|octets| octets.get(range).map(|found| out.copy_from_slice(found))).ok_or_else(outside)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.with(|octets| octets.resize(len, 0));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let range = range(offset, data.len())?;
        self.with(|octets| octets.get_mut(range).map(|found| found.copy_from_slice(data))).ok_or_else(outside)
    }
}

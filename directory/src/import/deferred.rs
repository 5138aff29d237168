//! Entries whose parent has not come yet: kept, within a bound, until everything else has been read.

use super::prepare::Prepared;

/// Those who wait.
#[derive(Default)]
pub struct Deferred {
    waiting: Vec<Prepared>,
    bytes: usize,
}

impl Deferred {
    /// Takes an entry, or gives it back when it would exceed `bound` bytes.
    pub fn take(&mut self, entry: Prepared, bound: usize) -> Option<Prepared> {
        let size = entry.size();
        if self.bytes.saturating_add(size) > bound {
            return Some(entry);
        }
        self.bytes = self.bytes.saturating_add(size);
        self.waiting.push(entry);
        None
    }

    /// All of them, parents before their children: a DN key begins with its parent's.
    pub fn release(&mut self) -> Vec<Prepared> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_by(|a, b| a.key.cmp(&b.key));
        waiting
    }
}

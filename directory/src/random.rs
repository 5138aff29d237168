//! The one source of randomness: the operating system's, or a seed for tests.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::{Mutex, PoisonError};

/// Draws random bytes. Shared by all requests.
#[derive(Debug)]
pub struct Random(Mutex<StdRng>);

impl Random {
    /// Seeded by the operating system.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn from_system() -> std::io::Result<Random> {
        let rng = StdRng::try_from_rng(&mut rand::rngs::SysRng).map_err(|e| std::io::Error::other(e.to_string()))?;
        Ok(Random(Mutex::new(rng)))
    }

    /// The same bytes in every run.
    pub fn from_seed(seed: u64) -> Random {
        Random(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// So many bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut out);
        out
    }
}
